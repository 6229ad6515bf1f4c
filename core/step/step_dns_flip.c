/* dns.flip: every record from blue's value to green's with the low TTL, or none of them; undo is the same in reverse. */
#include <stdio.h>

#include "core/step/dnschange.h"

static enum side from_side(enum step_mode mode)
{
    return mode == MODE_UNDO ? GREEN : BLUE;
}

static void describe(const struct plan *p, const struct model *m, const struct plan_step *s, enum step_mode mode, struct buf *out)
{
    (void)m, (void)s;
    char at[80];
    enum side from = from_side(mode), to = !from;
    if (mode == MODE_PROBE) {
        dnschange_describe_probe(p, out);
        return;
    }
    dnschange_place(p, at, sizeof at);
    for (int i = 0; i < p->dns.nrecords; i++) {
        const struct plan_record *r = &p->dns.records[i];
        buf_printf(out, "%supdate %s %s %s -> %s TTL %lld at %s, only if it still is %s ", i ? "\n" : "", r->name, r->type,
            r->value[from], r->value[to], (long long)p->dns.ttl_low, at, r->value[from]);
        dnschange_describe_key(p, out);
    }
}

static bool decide(const struct step_run *run, int record, struct dnschange_item *item, struct err *err)
{
    const struct plan_record *r = &run->plan->dns.records[record];
    enum side from = from_side(run->mode), to = !from;
    int is = dnschange_side(r, &item->now);
    char at[80];
    if (is < 0)
        return err_set(err, "%s %s is %s at %s, neither %s (blue) nor %s (green): somebody else changed it.", r->name, r->type,
            item->now.values, dnschange_place(run->plan, at, sizeof at), r->value[BLUE], r->value[GREEN]);
    copy_text(item->from, sizeof item->from, r->value[from]);
    copy_text(item->to, sizeof item->to, r->value[to]);
    item->ttl = run->plan->dns.ttl_low;
    item->needed = is == (int)from;
    return true;
}

static void done(const struct step_run *run, const struct dnschange_item *items, int changed, char *buf, size_t size)
{
    char at[80];
    const struct plan_dns *d = &run->plan->dns;
    const char *to = side_names[!from_side(run->mode)];
    dnschange_place(run->plan, at, sizeof at);
    if (!changed)
        snprintf(buf, size, "Nothing to do: %s point%s at %s already (%s).", d->nrecords == 1 ? d->records[0].name : "all records",
            d->nrecords == 1 ? "s" : "", to, at);
    else if (d->nrecords == 1)
        snprintf(buf, size, "%s %s is %s (%s) at %s, TTL %lld s; a cache may keep the old answer for %lld s more.", d->records[0].name,
            d->records[0].type, items[0].to, to, at, (long long)d->ttl_low, (long long)items[0].now.ttl);
    else
        snprintf(buf, size, "%d of %d records changed, all point at %s (%s), TTL %lld s.", changed, d->nrecords, to, at,
            (long long)d->ttl_low);
}

static bool is_before(const struct step_run *run, int record, const struct dnsview *now)
{
    return dnschange_side(&run->plan->dns.records[record], now) == BLUE;
}

static bool is_after(const struct step_run *run, int record, const struct dnsview *now)
{
    return dnschange_side(&run->plan->dns.records[record], now) == GREEN;
}

static const struct dnschange_job job = {
    .decide = decide, .done = done, .all_or_none = true, .is_before = is_before, .is_after = is_after,
};

static void run_it(struct task *task)
{
    dnschange_run(task, &job);
}

static void probe(struct task *task)
{
    dnschange_probe(task, &job);
}

const struct step_kind step_dns_flip = {
    .name = "dns.flip",
    .own_size = sizeof(struct dnschange),
    .describe = describe,
    .run = run_it,
    .undo = run_it,
    .probe = probe,
    .free_own = dnschange_free,
};
