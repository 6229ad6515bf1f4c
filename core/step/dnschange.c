#include "core/step/dnschange.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/dnswire.h"

enum { BEGIN, READ, CHANGE, UPDATED, LOOK, LOOKED }; /* task.at */
enum { ASK_MS = 1500, UPDATE_MS = 3000, READ_BACK_MS = 5000, AGAIN_MS = 100, GRACE_MS = 500, SENDINGS = 2, READ_AGAIN = 1 };

static struct dnschange *own_of(struct step_run *run)
{
    return run->own;
}

static const struct plan_record *record_of(const struct step_run *run, int record)
{
    return &run->plan->dns.records[record];
}

/* ---- asking the authoritative server ---- */

/* An authoritative server that is asked too late still gets a moment: the truth is worth more than the deadline. */
static int64_t patience(const struct step_run *run, int64_t ms)
{
    return MIN(ms, MAX(step_time_left(run), (int64_t)GRACE_MS));
}

static void ask(struct step_run *run)
{
    struct dnschange *c = own_of(run);
    const struct plan_record *r = record_of(run, c->record);
    dns_query_free(c->query);
    c->query = dns_ask(&run->task, c->server, r->name, dnswire_type(r->type), false, patience(run, ASK_MS));
}

/* What the answer says; false with a sentence when it says nothing that may be relied on. */
static bool read_answer(const struct step_run *run, const struct dns_answer *a, int record, struct dnsview *now, struct err *err)
{
    char at[80];
    const struct plan_record *r = record_of(run, record);
    dnschange_place(run->plan, at, sizeof at);
    dnsview_read(now, r, a);
    if (a->status != DNS_OK)
        return err_set(err, "%s", a->error);
    if (!a->aa)
        return err_set(err, "%s answers for %s without authority; it is no authoritative server of that zone", at, r->name);
    if (*now->alias)
        return err_set(err, "%s is an alias of %s at %s, no %s record", r->name, now->alias, at, r->type);
    return true;
}

/* True when the server did answer, if only to say that there is no such record. */
static bool has_spoken(const struct dns_answer *a)
{
    return a->status == DNS_OK || a->status == DNS_NXDOMAIN || a->status == DNS_NODATA;
}

/* ---- the end ---- */

static int count_changed(const struct step_run *run)
{
    const struct dnschange *c = run->own;
    int n = 0;
    for (int i = 0; i < run->plan->dns.nrecords; i++)
        n += c->items[i].changed;
    return n;
}

static void end_well(struct step_run *run)
{
    char sentence[400];
    struct dnschange *c = own_of(run);
    c->job->done(run, c->items, count_changed(run), sentence, sizeof sentence);
    step_end(run, run->mode == MODE_UNDO ? "undone" : "done", "%s", sentence);
}

static void end_returned(struct step_run *run)
{
    struct dnschange *c = own_of(run);
    int left = count_changed(run);
    if (left)
        step_end(run, c->result, "%s %d record%s stayed changed.", c->why, left, left == 1 ? "" : "s");
    else
        step_end(run, c->result, "%s Nothing is changed: what was changed before is changed back.", c->why);
}

/* Something went wrong with the current record: give up, and take the earlier ones back if the job is all or none. */
static void give_up(struct step_run *run, const char *result, const char *fmt, ...) PRINTF(3, 4);
static void give_up(struct step_run *run, const char *result, const char *fmt, ...)
{
    struct dnschange *c = own_of(run);
    int changed = count_changed(run);
    char why[sizeof c->why];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    if (c->returning) { /* also the way back is blocked: go on with the next record */
        step_say(run, "bad", "could not be changed back: %s", why);
        c->items[c->record].stuck = true;
        run->task.at = CHANGE;
        task_sleep(&run->task, 1);
        return;
    }
    copy_text(c->why, sizeof c->why, why);
    c->result = result;
    if (!changed || !c->job->all_or_none) {
        step_end(run, result, changed ? "%s %d other record%s changed before." : "%s Nothing was changed.", why, changed,
            changed == 1 ? " was" : "s were");
        return;
    }
    step_say(run, "bad", "%s Changing %d record%s back.", why, changed, changed == 1 ? "" : "s");
    c->returning = true;
    for (int i = 0; i < run->plan->dns.nrecords; i++)
        c->items[i].sent = 0;
    run->task.at = CHANGE;
    task_sleep(&run->task, 1);
}

/* ---- one record ---- */

/* What this record must have now, and what it gets: forwards, or back to what it was. */
struct swap {
    const char *from, *to;
    int64_t ttl;
};
static struct swap swap_of(const struct dnschange *c)
{
    const struct dnschange_item *i = &c->items[c->record];
    return c->returning ? (struct swap){i->to, i->from, i->now.ttl} : (struct swap){i->from, i->to, i->ttl};
}

/* The next record with something to do; false when there is none. */
static bool next_record(struct step_run *run)
{
    struct dnschange *c = own_of(run);
    for (int i = 0; i < run->plan->dns.nrecords; i++) {
        const struct dnschange_item *item = &c->items[i];
        c->record = i;
        if (c->returning ? item->changed && !item->stuck : item->needed && !item->changed)
            return true;
    }
    return false;
}

static void send_update(struct step_run *run)
{
    struct dnschange *c = own_of(run);
    const struct plan_dns *d = &run->plan->dns;
    struct swap w = swap_of(c);
    struct dnsupdate_change change = {.zone = d->zone, .name = d->records[c->record].name,
        .type = dnswire_type(d->records[c->record].type), .old = &w.from, .old_count = 1, .new = &w.to, .new_count = 1,
        .ttl = (uint32_t)w.ttl};
    c->items[c->record].sent++;
    c->look_until = 0;
    c->look_again = false;
    dnsupdate_send(c->update, &change, patience(run, UPDATE_MS));
}

static void keep_change(struct step_run *run)
{
    struct dnschange *c = own_of(run);
    const struct plan_record *r = record_of(run, c->record);
    struct swap w = swap_of(c);
    c->items[c->record].changed = !c->returning;
    RECORD(run->door, dns_changed, .record = r->name, .type = r->type, .from = w.from, .to = w.to, .ttl = w.ttl);
    step_progress(run, count_changed(run), run->plan->dns.nrecords, "records");
}

static bool is_wanted(const struct step_run *run, const struct dnsview *now, const struct swap *w)
{
    const struct dnschange *c = run->own;
    return now->count == 1 && dnsview_same(record_of(run, c->record)->type, now->values, w->to) && now->ttl == w->ttl;
}

static void tell_difference(struct step_run *run, const struct dnsview *now, const struct dns_answer *a)
{
    char at[80];
    struct dnschange *c = own_of(run);
    const struct plan_record *r = record_of(run, c->record);
    struct swap w = swap_of(c);
    dnschange_place(run->plan, at, sizeof at);
    const char *is = now->count ? now->values : a->status == DNS_OK ? "empty" : "gone";
    if (dnsupdate_result(c->update) == DNSUPDATE_CHANGED)
        give_up(run, "failed", "%s %s is %s at %s, not %s any more: somebody else changed it, and the update was refused.", r->name,
            r->type, is, at, w.from);
    else if (dnsupdate_result(c->update) == DNSUPDATE_DONE)
        give_up(run, "failed", "%s took the update, but still answers %s %s %s with TTL %" PRId64 ".", at, r->name, r->type, is, now->ttl);
    else
        give_up(run, "failed", "%s did not take the update of %s %s: %s.", at, r->name, r->type, dnsupdate_error(c->update));
}

/* Looked at the record after its update. True when the step goes on from CHANGE. */
static void take_look(struct step_run *run)
{
    struct dnschange *c = own_of(run);
    const struct dns_answer *a = dns_answer(c->query);
    struct dnsview now;
    struct swap w = swap_of(c);
    dnsview_read(&now, record_of(run, c->record), a);
    bool settled = dnsupdate_result(c->update) != DNSUPDATE_DONE;
    if (has_spoken(a) && is_wanted(run, &now, &w)) {
        keep_change(run);
        run->task.at = CHANGE;
        task_sleep(&run->task, 1);
    } else if (has_spoken(a) && dnsupdate_result(c->update) == DNSUPDATE_UNKNOWN && c->items[c->record].sent < SENDINGS) {
        step_say(run, "warn", "no answer to the update, and it did not arrive: sent again");
        run->task.at = CHANGE;
        task_sleep(&run->task, 1);
    } else if (has_spoken(a) && (settled || clock_mono() >= c->look_until)) {
        tell_difference(run, &now, a);
    } else if (clock_mono() >= c->look_until) {
        give_up(run, "unknown", "An update of %s was sent, and what came of it can't be seen: %s.", record_of(run, c->record)->name, a->error);
    } else {
        run->task.at = LOOK;
        task_sleep(&run->task, AGAIN_MS);
    }
}

static void take_verdict(struct step_run *run)
{
    struct dnschange *c = own_of(run);
    enum dnsupdate_result result = dnsupdate_result(c->update);
    if (result == DNSUPDATE_REFUSED || result == DNSUPDATE_BAD_ORDER) {
        give_up(run, "failed", "%s.", dnsupdate_error(c->update));
        return;
    }
    c->look_until = clock_mono() + patience(run, READ_BACK_MS);
    ask(run);
    run->task.at = LOOKED;
    task_wait(&run->task, 2 * ASK_MS);
}

/* ---- all records ---- */

static bool begin(struct step_run *run)
{
    struct dnschange *c = own_of(run);
    const struct plan_dns *d = &run->plan->dns;
    struct err err;
    c->items = xcalloc((size_t)d->nrecords, sizeof *c->items);
    c->server = dns_server_new(run->loop, d->server, d->port);
    if (!c->server) {
        step_end(run, run->mode == MODE_PROBE ? "unreachable" : "failed", "%s is no address; nothing was changed.", d->server);
        return false;
    }
    if (run->mode == MODE_PROBE)
        return true;
    if (!*d->key_file) {
        step_end(run, "failed", "the plan names no TSIG key (dns: key_file), and unsigned updates are not sent; nothing was changed.");
        return false;
    }
    if (!dnsupdate_key_read(&c->key, d->key_file, &err)) {
        step_end(run, "failed", "%s; nothing was changed.", err.text);
        return false;
    }
    c->update = dnsupdate_new(&run->task, d->server, d->port, &c->key);
    return true;
}

static bool decide_all(struct step_run *run)
{
    struct dnschange *c = own_of(run);
    struct err err;
    for (int i = 0; i < run->plan->dns.nrecords; i++)
        if (!c->job->decide(run, i, &c->items[i], &err)) {
            step_end(run, "failed", "%s Nothing was changed.", err.text);
            return false;
        }
    return true;
}

/* Reads record after record. True when all are read. */
static bool take_reading(struct step_run *run)
{
    struct dnschange *c = own_of(run);
    struct err err;
    const struct dns_answer *a = dns_answer(c->query);
    bool probing = run->mode == MODE_PROBE;
    if (a->status == DNS_TIMEOUT && c->lost++ < READ_AGAIN) { /* a lost packet is no verdict */
        ask(run);
        task_wait(&run->task, 2 * ASK_MS);
        return false;
    }
    if (!read_answer(run, a, c->record, &c->items[c->record].now, &err) && !(probing && has_spoken(a))) {
        step_end(run, probing ? "unreachable" : "failed", probing ? "%s." : "%s. Nothing was changed.", err.text);
        return false;
    }
    if (++c->record == run->plan->dns.nrecords)
        return true;
    ask(run);
    task_wait(&run->task, 2 * ASK_MS);
    return false;
}

static void change_next(struct step_run *run)
{
    struct dnschange *c = own_of(run);
    if (!next_record(run)) {
        c->returning ? end_returned(run) : end_well(run);
        return;
    }
    if (!c->returning && run->abort_asked) {
        give_up(run, "aborted", "It was stopped before %s.", record_of(run, c->record)->name);
        return;
    }
    if (!c->returning && step_time_left(run) == 0) {
        give_up(run, "failed", "The time of the step ran out before %s.", record_of(run, c->record)->name);
        return;
    }
    send_update(run);
    run->task.at = UPDATED;
    task_wait(&run->task, 2 * UPDATE_MS);
}

static void wait_for_answer(struct step_run *run)
{
    task_wait(&run->task, 2 * UPDATE_MS);
}

void dnschange_run(struct task *task, const struct dnschange_job *job)
{
    struct step_run *run = (struct step_run *)task;
    struct dnschange *c = own_of(run);
    switch (task->at) {
    case BEGIN:
        c->job = job;
        if (!begin(run))
            return;
        ask(run);
        task->at = READ;
        wait_for_answer(run);
        return;
    case READ:
        if (dns_busy(c->query))
            wait_for_answer(run);
        else if (take_reading(run) && decide_all(run))
            change_next(run);
        return;
    case CHANGE:
        change_next(run);
        return;
    case UPDATED:
        if (dnsupdate_busy(c->update))
            wait_for_answer(run);
        else
            take_verdict(run);
        return;
    case LOOK:
        ask(run);
        task->at = LOOKED;
        wait_for_answer(run);
        return;
    case LOOKED:
        if (dns_busy(c->query))
            wait_for_answer(run);
        else
            take_look(run);
        return;
    }
}

/* ---- the probe ---- */

static void end_probe(struct step_run *run)
{
    struct dnschange *c = own_of(run);
    const struct plan_dns *d = &run->plan->dns;
    int before = 0, after = 0;
    struct buf b = {0};
    for (int i = 0; i < d->nrecords; i++) {
        const struct dnsview *now = &c->items[i].now;
        bool is_after = c->job->is_after(run, i, now);
        after += is_after;
        before += !is_after && c->job->is_before(run, i, now);
        buf_printf(&b, "%s%s %s is %s", i ? ", " : "", d->records[i].name, d->records[i].type, now->count ? now->values : "missing");
        if (now->count)
            buf_printf(&b, " TTL %" PRId64, now->ttl);
    }
    step_end(run, after == d->nrecords ? "after" : before == d->nrecords ? "before" : "partial", "%s", b.text);
    buf_free(&b);
}

void dnschange_probe(struct task *task, const struct dnschange_job *job)
{
    struct step_run *run = (struct step_run *)task;
    struct dnschange *c = own_of(run);
    if (task->at == BEGIN) {
        c->job = job;
        if (!begin(run))
            return;
        ask(run);
        task->at = READ;
        wait_for_answer(run);
    } else if (dns_busy(c->query)) {
        wait_for_answer(run);
    } else if (take_reading(run)) {
        end_probe(run);
    }
}

void dnschange_free(struct step_run *run)
{
    struct dnschange *c = own_of(run);
    dns_query_free(c->query);
    dns_server_free(c->server);
    dnsupdate_free(c->update);
    digest_wipe(&c->key, sizeof c->key);
    free(c->items);
}
