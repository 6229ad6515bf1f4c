/* dns.ttl: the TTL of every record, its value untouched. Option ttl: low, normal, or seconds.
 * The undo of lowering gives back the TTL that the authoritative server had before this run looked; of raising, the low one. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/step/dnschange.h"

#define TTL_MAX 2147483647 /* RFC 2181 8 */

static int64_t target(const struct plan *p, const struct plan_step *s)
{
    const char *ttl = plan_option_text(s->options, s->noptions, "ttl", "low");
    if (strcmp(ttl, "low") == 0)
        return p->dns.ttl_low;
    if (strcmp(ttl, "normal") == 0)
        return p->dns.ttl_normal;
    char *end;
    long long seconds = strtoll(ttl, &end, 10);
    return *ttl && !*end && seconds >= 0 && seconds <= TTL_MAX ? seconds : -1;
}

/* The largest TTL that was ever seen is the one that was lowered; without it the plan's normal one has to do. */
static int64_t ttl_before(const struct plan *p, const struct model *m, const struct plan_step *s, int record)
{
    int64_t now = target(p, s), old = m && m->record ? m->record[record].old_ttl : 0;
    if (now > p->dns.ttl_low)
        return p->dns.ttl_low;
    return old > now ? old : p->dns.ttl_normal;
}

static int64_t wanted(const struct plan *p, const struct model *m, const struct plan_step *s, enum step_mode mode, int record)
{
    return mode == MODE_UNDO ? ttl_before(p, m, s, record) : target(p, s);
}

static void describe_record(const struct plan *p, const struct model *m, int64_t ttl, int record, struct buf *out)
{
    char at[80];
    const struct plan_record *r = &p->dns.records[record];
    const struct model_dns *seen = dnschange_published(p, m, record);
    dnschange_place(p, at, sizeof at);
    if (seen && (seen->state == CELL_OLD || seen->state == CELL_NEW))
        buf_printf(out, "update %s %s TTL %" PRId64 " -> %" PRId64 " at %s, value unchanged, only if it still is %s ", r->name, r->type,
            seen->ttl, ttl, at, seen->answer);
    else
        buf_printf(out, "update %s %s TTL to %" PRId64 " at %s, value unchanged, only if it is %s or %s ", r->name, r->type, ttl, at,
            r->value[BLUE], r->value[GREEN]);
    dnschange_describe_key(p, out);
}

static void describe(const struct plan *p, const struct model *m, const struct plan_step *s, enum step_mode mode, struct buf *out)
{
    if (mode == MODE_PROBE) {
        dnschange_describe_probe(p, out);
        return;
    }
    for (int i = 0; i < p->dns.nrecords; i++) {
        buf_puts(out, i ? "\n" : "");
        describe_record(p, m, wanted(p, m, s, mode, i), i, out);
    }
}

static bool decide(const struct step_run *run, int record, struct dnschange_item *item, struct err *err)
{
    char at[80];
    const struct plan_record *r = &run->plan->dns.records[record];
    int is = dnschange_side(r, &item->now);
    item->ttl = wanted(run->plan, run->model, run->step, run->mode, record);
    if (item->ttl < 0)
        return err_set(err, "the option ttl of step %s must be low, normal or a number of seconds.", run->step->key);
    if (is < 0)
        return err_set(err, "%s %s is %s at %s, neither %s (blue) nor %s (green): its TTL is left alone.", r->name, r->type,
            item->now.values, dnschange_place(run->plan, at, sizeof at), r->value[BLUE], r->value[GREEN]);
    copy_text(item->from, sizeof item->from, r->value[is]);
    copy_text(item->to, sizeof item->to, r->value[is]);
    item->needed = item->now.ttl != item->ttl;
    return true;
}

static void done(const struct step_run *run, const struct dnschange_item *items, int changed, char *buf, size_t size)
{
    char at[80];
    const struct plan_dns *d = &run->plan->dns;
    int64_t longest = 0;
    for (int i = 0; i < d->nrecords; i++)
        if (items[i].changed)
            longest = MAX(longest, items[i].now.ttl);
    dnschange_place(run->plan, at, sizeof at);
    if (!changed)
        snprintf(buf, size, "Nothing to do: the TTL of %s is %" PRId64 " s already (%s).",
            d->nrecords == 1 ? d->records[0].name : "all records", items[0].ttl, at);
    else
        snprintf(buf, size, "TTL is %" PRId64 " s for %d record%s at %s; every cache that keeps to it has it in %" PRId64 " s.", items[0].ttl,
            d->nrecords, d->nrecords == 1 ? "" : "s", at, longest);
}

static bool is_after(const struct step_run *run, int record, const struct dnsview *now)
{
    return dnschange_side(&run->plan->dns.records[record], now) >= 0 && now->ttl == target(run->plan, run->step);
}

static bool is_before(const struct step_run *run, int record, const struct dnsview *now)
{
    return dnschange_side(&run->plan->dns.records[record], now) >= 0 && now->ttl != target(run->plan, run->step);
}

/* Some records with the new TTL and some without do no harm: nothing is taken back. */
static const struct dnschange_job job = {.decide = decide, .done = done, .is_before = is_before, .is_after = is_after};

static void run_it(struct task *task)
{
    dnschange_run(task, &job);
}

static void probe(struct task *task)
{
    dnschange_probe(task, &job);
}

const struct step_kind step_dns_ttl = {
    .name = "dns.ttl",
    .own_size = sizeof(struct dnschange),
    .describe = describe,
    .run = run_it,
    .undo = run_it,
    .probe = probe,
    .free_own = dnschange_free,
};
