#include "core/metric.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEN(value_, at_) ((struct reading){.known = true, .value = (value_), .at = (at_)})
#define NOT_KNOWN ((struct reading){0})
#define READER(name) static struct reading name(const struct model *m, const struct plan *p, const char *arg, int64_t now)
#define UNUSED_ARGS (void)m, (void)p, (void)arg, (void)now

enum { FRESH_DB = 5000, FRESH_HTTP = 5000, FRESH_BALANCER = 5000, FRESH_SCHEMA = 30000, FRESH_PROBE = 60000 };
#define MOST_FULL (INT64_C(30) * 24 * 3600 * 1000)

/* ---- databases: without an argument the worst of all ---- */

/* Folds one field of all databases (or of the named one) into its maximum; any unknown makes it unknown. */
static struct reading worst_db(const struct model *m, const struct plan *p, const char *arg, struct reading (*one)(const struct model_db *db, int64_t now), int64_t now)
{
    struct reading worst = NOT_KNOWN;
    for (int i = 0; i < p->ndatabases; i++) {
        if (*arg && strcmp(arg, p->databases[i].name) != 0)
            continue;
        struct reading r = one(&m->db[i], now);
        if (!r.known)
            return NOT_KNOWN;
        int64_t at = worst.known ? MIN(worst.at, r.at) : r.at;
        worst = SEEN(worst.known ? MAX(worst.value, r.value) : r.value, at);
    }
    return worst;
}

#define ONE_DB(name) static struct reading name(const struct model_db *db, int64_t now)

ONE_DB(one_lag_bytes) { (void)now; return db->lag_at && db->lag_bytes >= 0 ? SEEN(db->lag_bytes, db->lag_at) : NOT_KNOWN; }
ONE_DB(one_lag_ms) { (void)now; return db->lag_at && db->lag_ms >= 0 ? SEEN(db->lag_ms, db->lag_at) : NOT_KNOWN; }
ONE_DB(one_retained) { (void)now; return db->lag_at && db->retained >= 0 ? SEEN(db->retained, db->lag_at) : NOT_KNOWN; }
ONE_DB(one_conflicts) { (void)now; return db->lag_at ? SEEN(db->conflicts, db->lag_at) : NOT_KNOWN; }
ONE_DB(one_back_bytes) { (void)now; return db->back_at && db->back_bytes >= 0 ? SEEN(db->back_bytes, db->back_at) : NOT_KNOWN; }
ONE_DB(one_back_ms) { (void)now; return db->back_at && db->back_ms >= 0 && db->back_active && !*db->back_error ? SEEN(db->back_ms, db->back_at) : NOT_KNOWN; }
ONE_DB(one_open_tx) { (void)now; return db->side[BLUE].reachable ? SEEN(db->side[BLUE].open_tx, db->side[BLUE].at) : NOT_KNOWN; }
ONE_DB(one_oldest_tx) { (void)now; return db->side[BLUE].reachable ? SEEN(db->side[BLUE].oldest_tx, db->side[BLUE].at) : NOT_KNOWN; }
ONE_DB(one_prepared) { (void)now; return db->side[BLUE].reachable ? SEEN(db->side[BLUE].prepared, db->side[BLUE].at) : NOT_KNOWN; }
ONE_DB(one_blockers) { (void)now; return db->audited_at ? SEEN(db->blockers, db->audited_at) : NOT_KNOWN; }
ONE_DB(one_drift) { (void)now; return db->schema_at ? SEEN(db->schema_drift, db->schema_at) : NOT_KNOWN; }
ONE_DB(one_differences) { (void)now; return db->verified_at ? SEEN(db->differences, db->verified_at) : NOT_KNOWN; }
ONE_DB(one_not_verified)
{
    (void)now;
    if (!db->verify_at)
        return NOT_KNOWN;
    if (db->verified_at)
        return SEEN(100 - db->verified_ppm / 10000, db->verified_at);
    return SEEN(100 - (db->verify_total > 0 ? MIN(100 * db->verify_rows / db->verify_total, (int64_t)99) : 0), db->verify_at);
}
ONE_DB(one_not_ready)
{
    (void)now;
    if (!db->copy_at || !db->tables_seen)
        return NOT_KNOWN;
    return SEEN(100 - 100 * (int64_t)db->tables_ready / db->tables_seen, db->copy_at);
}
/* A side that can't be seen counts as writable: there must never be two. */
ONE_DB(one_writers)
{
    int writers = 0;
    int64_t at = now;
    for (int s = 0; s < SIDES; s++) {
        const struct model_dbside *side = &db->side[s];
        writers += strcmp(side->writable, "no") != 0 || now - side->at > FRESH_DB;
        at = MIN(at, side->at ? side->at : now);
    }
    return SEEN(writers, at);
}

READER(lag_bytes) { return worst_db(m, p, arg, one_lag_bytes, now); }
READER(lag_ms) { return worst_db(m, p, arg, one_lag_ms, now); }
READER(retained) { return worst_db(m, p, arg, one_retained, now); }
READER(back_bytes) { return worst_db(m, p, arg, one_back_bytes, now); }
READER(back_ms) { return worst_db(m, p, arg, one_back_ms, now); }
READER(conflicts) { return worst_db(m, p, arg, one_conflicts, now); }
READER(open_tx) { return worst_db(m, p, arg, one_open_tx, now); }
READER(oldest_tx) { return worst_db(m, p, arg, one_oldest_tx, now); }
READER(predicted_pause)
{
    struct reading r = NOT_KNOWN;
    for (int i = 0; i < p->ndatabases; i++) {
        struct prediction one = model_predict(m, p, i, now);
        if (*arg && strcmp(arg, p->databases[i].name) != 0)
            continue;
        if (one.total_us < 0)
            return NOT_KNOWN;
        int64_t ms = (one.total_us + 999) / 1000;
        r = r.known ? SEEN(MAX(r.value, ms), MIN(r.at, one.at)) : SEEN(ms, one.at);
    }
    return r;
}
READER(prepared) { return worst_db(m, p, arg, one_prepared, now); }
READER(blockers) { return worst_db(m, p, arg, one_blockers, now); }
READER(writers) { return worst_db(m, p, arg, one_writers, now); }
READER(tables_ready)
{
    struct reading r = worst_db(m, p, arg, one_not_ready, now);
    r.value = 100 - r.value;
    return r;
}
READER(verified_percent)
{
    struct reading r = worst_db(m, p, arg, one_not_verified, now);
    r.value = 100 - r.value;
    return r;
}
/* A slot that does not grow is told as full in MOST_FULL: the shortest of all counts. */
READER(wal_full)
{
    struct reading r = NOT_KNOWN;
    for (int i = 0; i < p->ndatabases; i++) {
        const struct model_db *db = &m->db[i];
        enum side side = m->committed ? GREEN : BLUE;
        int64_t at = m->committed ? db->back_at : db->lag_at, full = model_wal_full_in(db, &p->databases[i], side, now);
        if (*arg && strcmp(arg, p->databases[i].name) != 0)
            continue;
        if (!at || model_wal_left(db, &p->databases[i], side) < 0)
            return NOT_KNOWN;
        full = full < 0 ? MOST_FULL : MIN(full, MOST_FULL);
        r = r.known ? SEEN(MIN(r.value, full), MIN(r.at, at)) : SEEN(full, at);
    }
    return r;
}
READER(schema_drift) { return worst_db(m, p, arg, one_drift, now); }
READER(differences) { return worst_db(m, p, arg, one_differences, now); }
READER(audited)
{
    struct reading r = worst_db(m, p, arg, one_blockers, now);
    return SEEN(r.known, r.known ? r.at : now);
}

static int side_of_argument(const char *arg)
{
    return strcmp(arg, side_names[BLUE]) == 0 ? BLUE : GREEN;
}

READER(clients)
{
    int64_t sum = 0, at = now;
    for (int i = 0; i < p->ndatabases; i++) {
        const struct model_dbside *s = &m->db[i].side[side_of_argument(arg)];
        if (!s->reachable)
            return NOT_KNOWN;
        sum += s->clients;
        at = MIN(at, s->at);
    }
    return p->ndatabases ? SEEN(sum, at) : NOT_KNOWN;
}

/* ---- DNS ---- */

/* An answer counts while the cache that gave it may still hold it, or a few intervals long. */
static bool cell_is_fresh(const struct plan *p, const struct model_dns *c, int64_t now)
{
    int64_t patience = MAX(c->ttl * 1000 + 2000, 4 * p->dns.interval + 5000);
    return c->at && now - c->at <= MAX(patience, (int64_t)15000);
}

struct dns_count {
    int all, state[6], unseen;
    int64_t at;
};

static struct dns_count count_cells(const struct model *m, const struct plan *p, const char *record, bool authoritative, int64_t now)
{
    struct dns_count n = {.at = now};
    for (int r = 0; r < p->dns.nresolvers; r++)
        for (int i = 0; i < p->dns.nrecords; i++) {
            if (p->dns.resolvers[r].authoritative != authoritative || (*record && strcmp(record, p->dns.records[i].name) != 0))
                continue;
            const struct model_dns *c = model_cell(m, p, r, i);
            n.all++;
            if (!cell_is_fresh(p, c, now))
                n.unseen++;
            else
                n.state[c->state]++;
            if (c->at)
                n.at = MIN(n.at, c->at);
        }
    return n;
}

READER(dns_new_percent)
{
    struct dns_count n = count_cells(m, p, arg, false, now);
    return n.all ? SEEN(100 * n.state[CELL_NEW] / n.all, n.at) : NOT_KNOWN;
}
READER(dns_old)
{
    struct dns_count n = count_cells(m, p, arg, false, now);
    return n.all && n.unseen < n.all ? SEEN(n.state[CELL_OLD] + n.state[CELL_MIXED], n.at) : NOT_KNOWN;
}
READER(dns_errors)
{
    struct dns_count n = count_cells(m, p, arg, false, now);
    return n.all ? SEEN(n.state[CELL_ERROR] + n.unseen, n.at) : NOT_KNOWN;
}
/* Resolvers for which `is` holds for at least one record, once one has answered. */
static struct reading count_resolvers(const struct model *m, const struct plan *p, const char *record, bool (*is)(const struct model_dns *c))
{
    int64_t count = 0, at = 0;
    for (int r = 0; r < p->dns.nresolvers; r++) {
        bool any = false;
        for (int i = 0; i < p->dns.nrecords && !p->dns.resolvers[r].authoritative; i++) {
            const struct model_dns *c = model_cell(m, p, r, i);
            if (*record && strcmp(record, p->dns.records[i].name) != 0)
                continue;
            any = any || is(c);
            at = MAX(at, c->answered_at);
        }
        count += any;
    }
    return at ? SEEN(count, at) : NOT_KNOWN;
}
static bool is_overholder(const struct model_dns *c) { return c->holds > 0; }
static bool is_late(const struct model_dns *c) { return c->late_since > 0; }
READER(dns_overholders)
{
    (void)now;
    return count_resolvers(m, p, arg, is_overholder);
}
READER(dns_late)
{
    (void)now;
    return count_resolvers(m, p, arg, is_late);
}
READER(dns_auth_new)
{
    struct dns_count n = count_cells(m, p, arg, true, now);
    return n.all && !n.unseen ? SEEN(n.state[CELL_NEW] == n.all, n.at) : NOT_KNOWN;
}

/* The published TTL of every record, judged by `limit`. */
static struct reading published(const struct model *m, const struct plan *p, const char *record, bool (*good)(const struct model_record *, const struct plan *, int64_t), int64_t now)
{
    struct reading all = NOT_KNOWN;
    for (int i = 0; i < p->dns.nrecords; i++) {
        if (*record && strcmp(record, p->dns.records[i].name) != 0)
            continue;
        const struct model_record *r = &m->record[i];
        if (!r->published_at)
            return NOT_KNOWN;
        bool is = good(r, p, now);
        all = SEEN((all.known ? all.value : 1) && is, all.known ? MIN(all.at, r->published_at) : r->published_at);
    }
    return all;
}
static bool is_low(const struct model_record *r, const struct plan *p, int64_t now)
{
    (void)now;
    return r->published_ttl <= p->dns.ttl_low;
}
static bool is_normal(const struct model_record *r, const struct plan *p, int64_t now)
{
    (void)now;
    return r->published_ttl >= p->dns.ttl_normal;
}
static bool is_aged(const struct model_record *r, const struct plan *p, int64_t now)
{
    int64_t safe = dns_safe_after(r, p);
    return safe && now >= safe;
}
int64_t dns_safe_after(const struct model_record *r, const struct plan *p)
{
    return r->low_since ? r->low_since + MAX(r->old_ttl, p->dns.ttl_normal) * 1000 + 1000 : 0;
}
READER(dns_auth_ttl_low) { return published(m, p, arg, is_low, now); }
READER(dns_auth_ttl_normal) { return published(m, p, arg, is_normal, now); }
READER(dns_ttl_aged) { return published(m, p, arg, is_aged, now); }

/* ---- traffic: the last 10 s of probes, the balancer's own counters ---- */

READER(http_error_ppm)
{
    int64_t ok, failed;
    struct latency l;
    int side = side_of_argument(arg);
    (void)p;
    model_probes(m, side, now, 10, &ok, &failed, &l);
    return ok + failed ? SEEN(failed * 1000000 / (ok + failed), m->traffic[side].probe_at) : NOT_KNOWN;
}
READER(http_p95)
{
    int64_t ok, failed;
    struct latency l;
    int side = side_of_argument(arg);
    (void)p;
    model_probes(m, side, now, 10, &ok, &failed, &l);
    int64_t us = latency_percentile_us(&l, 950000);
    return us >= 0 ? SEEN((us + 999) / 1000, m->traffic[side].probe_at) : NOT_KNOWN;
}
READER(green_weight)
{
    UNUSED_ARGS;
    int64_t at = m->traffic[GREEN].balancer_at;
    int64_t blue = m->traffic[BLUE].weight, green = m->traffic[GREEN].weight;
    return at && blue >= 0 && green >= 0 && blue + green > 0 ? SEEN(100 * green / (blue + green), at) : NOT_KNOWN;
}
READER(share)
{
    UNUSED_ARGS;
    int side = side_of_argument(arg);
    int64_t v = history_at(&m->traffic[side].share_ppm, m->traffic[side].share_ppm.last_second, 0);
    return v >= 0 ? SEEN(v, m->traffic[side].balancer_at) : NOT_KNOWN;
}
READER(balancer_error_ppm)
{
    const struct model_traffic *t = &m->traffic[side_of_argument(arg)];
    UNUSED_ARGS;
    if (!t->balancer_at)
        return NOT_KNOWN;
    return SEEN(t->recent_requests > 0 ? MAX(t->recent_failed, (int64_t)0) * 1000000 / t->recent_requests : 0, t->balancer_at);
}

/* ---- checks, switch, steps ---- */

static bool check_counts(const struct plan *p, const struct model *m, int i, const char *arg, int64_t now, bool *passes)
{
    const struct model_check *c = &m->check[i];
    if (*arg ? strcmp(arg, p->checks[i].key) != 0 : !p->checks[i].required)
        return false;
    *passes = c->verdict == CHECK_PASS && now < c->expires;
    return true;
}
READER(checks_passed)
{
    int all = 0, good = 0;
    bool passes;
    for (int i = 0; i < p->nchecks; i++)
        if (check_counts(p, m, i, arg, now, &passes)) {
            all++;
            good += passes;
        }
    return SEEN(all ? 100 * good / all : 100, now);
}
READER(checks_failed)
{
    int bad = 0;
    for (int i = 0; i < p->nchecks; i++)
        if (*arg ? strcmp(arg, p->checks[i].key) == 0 : p->checks[i].required)
            bad += m->check[i].verdict == CHECK_FAIL;
    return SEEN(bad, now);
}
READER(switch_committed)
{
    UNUSED_ARGS;
    return SEEN(m->committed, now);
}
READER(step_age)
{
    int i = plan_find_step(p, arg);
    return i >= 0 && m->step[i].state == STEP_DONE ? SEEN(now - m->step[i].ended, now) : NOT_KNOWN;
}

const struct metric metrics[] = {
    {"pg.lag_bytes", UNIT_BYTES, FRESH_DB, "database", "WAL of blue that green has not confirmed as flushed", lag_bytes},
    {"pg.lag_ms", UNIT_MS, FRESH_DB, "database", "age of the newest heartbeat row that green shows, by blue's clock", lag_ms},
    {"pg.retained_bytes", UNIT_BYTES, FRESH_DB, "database", "WAL that the slot pins on blue", retained},
    {"pg.wal_full_ms", UNIT_MS, FRESH_DB, "database", "until the WAL that the slot pins fills its server, at the rate of the last minute (at most 30 d); not known without a limit: wal_room, or max_slot_wal_keep_size there", wal_full},
    {"pg.conflicts", UNIT_COUNT, FRESH_DB, "database", "rows that green's worker could not apply as they were (PostgreSQL 18 counts them; a different origin alone is none)", conflicts},
    {"pg.back_lag_bytes", UNIT_BYTES, FRESH_DB, "database", "after the switch: WAL of green that blue has not confirmed as flushed", back_bytes},
    {"pg.back_lag_ms", UNIT_MS, FRESH_DB, "database", "after the switch: age of the newest heartbeat of green that blue shows; not known while the way back stands still", back_ms},
    {"pg.tables_ready_percent", UNIT_PERCENT, 0, "database", "tables whose first copy is done and that stream", tables_ready},
    {"pg.open_tx", UNIT_COUNT, FRESH_DB, "database", "open transactions of clients on blue", open_tx},
    {"pg.oldest_tx_ms", UNIT_MS, FRESH_DB, "database", "age of the oldest open transaction on blue", oldest_tx},
    {"pg.predicted_pause_ms", UNIT_MS, FRESH_PROBE, "database", "the pause that a switch would have now, from what is measured every 15 s; not known without a heartbeat", predicted_pause},
    {"pg.prepared", UNIT_COUNT, FRESH_DB, "database", "prepared transactions on blue", prepared},
    {"pg.blockers", UNIT_COUNT, 0, "database", "blockers that the last audit found", blockers},
    {"pg.schema_drift", UNIT_COUNT, FRESH_SCHEMA, "database", "objects that were defined, altered or dropped on blue since replication began and that green does not have so", schema_drift},
    {"pg.verified_percent", UNIT_PERCENT, 0, "database", "rows of blue and green that were compared, of all; of the running comparison, or the last", verified_percent},
    {"pg.differences", UNIT_COUNT, 0, "database", "rows that differ between blue and green, as the last comparison that ended found", differences},
    {"pg.audited", UNIT_BOOL, 0, "database", "an audit has been made", audited},
    {"pg.writers", UNIT_COUNT, FRESH_DB, "database", "sides that accept writes; a side that can't be seen counts", writers},
    {"pg.clients", UNIT_COUNT, FRESH_DB, "side", "client sessions on one side, all databases", clients},
    {"dns.new_percent", UNIT_PERCENT, 0, "record", "resolver answers that are green's, of all; a silent one counts as not", dns_new_percent},
    {"dns.old", UNIT_COUNT, 0, "record", "resolver answers that still are blue's", dns_old},
    {"dns.errors", UNIT_COUNT, 0, "record", "resolvers that answer an error or nothing", dns_errors},
    {"dns.auth_new", UNIT_BOOL, 60000, "record", "the authoritative server publishes green", dns_auth_new},
    {"dns.auth_ttl_low", UNIT_BOOL, 60000, "record", "the authoritative server publishes the low TTL", dns_auth_ttl_low},
    {"dns.auth_ttl_normal", UNIT_BOOL, 60000, "record", "the authoritative server publishes the normal TTL", dns_auth_ttl_normal},
    {"dns.overholders", UNIT_COUNT, 0, "record", "resolvers that were seen to keep answers for longer than is published", dns_overholders},
    {"dns.late", UNIT_COUNT, 0, "record", "resolvers that answer blue's value although every cache must have dropped it", dns_late},
    {"dns.ttl_aged", UNIT_BOOL, 60000, "record", "no compliant cache can hold an answer with the old TTL any more", dns_ttl_aged},
    {"http.error_ppm", UNIT_PPM, FRESH_HTTP, "side", "failed probes of the last 10 s", http_error_ppm},
    {"http.p95_ms", UNIT_MS, FRESH_HTTP, "side", "95th percentile of the probes of the last 10 s", http_p95},
    {"traffic.green_weight", UNIT_PERCENT, FRESH_BALANCER, "", "green's share of the weights set at the balancer", green_weight},
    {"traffic.share_ppm", UNIT_PPM, FRESH_BALANCER, "side", "measured share of the balancer's requests", share},
    {"traffic.error_ppm", UNIT_PPM, FRESH_BALANCER, "side", "real requests that the balancer gave to a side and that were not answered well", balancer_error_ppm},
    {"checks.passed_percent", UNIT_PERCENT, 0, "check", "required items with passing evidence that has not expired", checks_passed},
    {"checks.failed", UNIT_COUNT, 0, "check", "required items whose last proof failed", checks_failed},
    {"switch.committed", UNIT_BOOL, 0, "", "writes are on green", switch_committed},
    {"step.age_ms", UNIT_MS, 0, "step", "time since a step was done", step_age},
};
const int nmetrics = ARRAY_LEN(metrics);

const struct metric *metric_find(const char *name)
{
    for (int i = 0; i < nmetrics; i++)
        if (strcmp(metrics[i].name, name) == 0)
            return &metrics[i];
    return NULL;
}

struct reading metric_read(const struct metric *metric, const struct model *m, const struct plan *p, const char *argument, int64_t now)
{
    struct reading r = metric->read(m, p, argument, now);
    if (r.known && metric->stale && now - r.at > metric->stale)
        r.known = false;
    return r;
}
