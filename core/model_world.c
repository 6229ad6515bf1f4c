/* The fold's outer half: databases, DNS, traffic. */
#include <string.h>

#include "core/model_fold.h"

void history_put(struct history *h, int64_t at, int64_t value)
{
    int64_t second = at / 1000;
    if (h->last_second == 0 || second - h->last_second > MODEL_HISTORY) {
        for (int i = 0; i < MODEL_HISTORY; i++)
            h->value[i] = UNKNOWN;
    } else {
        for (int64_t s = h->last_second + 1; s < second; s++)
            h->value[s % MODEL_HISTORY] = UNKNOWN;
    }
    if (second < h->last_second)
        return; /* a clock that was set back: the past stays as it was */
    h->value[second % MODEL_HISTORY] = value;
    h->last_second = second;
}

static int side_of(const char *name)
{
    return strcmp(name, side_names[GREEN]) == 0 ? GREEN : BLUE;
}

/* ---- databases ---- */

static void fold_db_seen(struct model_db *db, int64_t at, const struct event_db_seen *e)
{
    struct model_dbside *s = &db->side[side_of(e->side)];
    s->at = at;
    s->reachable = e->reachable;
    KEEP(s->version, e->version);
    KEEP(s->writable, e->writable);
    s->clients = e->clients;
    s->open_tx = e->open_tx;
    s->oldest_tx = e->oldest_tx;
    KEEP(s->oldest, e->oldest ? e->oldest : "");
    KEEP(s->state, e->oldest_state ? e->oldest_state : "");
    s->prepared = e->prepared;
    KEEP(s->error, e->error);
}

/* A journal from before this was seen has no status. */
static int64_t left_of(const struct event_lag_seen *e)
{
    return e->status && *e->status ? e->left : UNKNOWN;
}

static void fold_back_seen(struct model_db *db, int64_t at, const struct event_lag_seen *e)
{
    db->back_at = at;
    db->back_bytes = e->bytes;
    db->back_ms = e->lag;
    db->back_retained = e->retained;
    db->back_left = left_of(e);
    history_put(&db->back_kept, at, e->retained);
    db->back_active = e->active;
    KEEP(db->back_slot, e->slot);
    KEEP(db->back_error, e->error);
}

/* Said again only after it was far away once more. */
static void forget_full(struct model_db *db, const struct plan_database *plan, int64_t at)
{
    for (int side = 0; side < SIDES; side++) {
        int64_t full = model_wal_full_in(db, plan, (enum side)side, at);
        if (full < 0 || full > INT64_C(60) * 60 * 1000)
            db->told_full[side] = 0;
    }
}

static void fold_lag_seen(struct model_db *db, int64_t at, const struct event_lag_seen *e)
{
    if (e->direction && strcmp(e->direction, "back") == 0) {
        fold_back_seen(db, at, e);
        return;
    }
    db->lag_at = at;
    db->lag_bytes = e->bytes;
    db->lag_ms = e->lag;
    db->retained = e->retained;
    db->wal_left = left_of(e);
    db->apply_errors = e->errors;
    db->conflicts = e->conflicts;
    db->restarts = e->restarts;
    db->slot_active = e->active;
    KEEP(db->slot, e->slot);
    KEEP(db->sent_lsn, e->sent_lsn);
    KEEP(db->flushed_lsn, e->flushed_lsn);
    KEEP(db->wal_status, e->status ? e->status : "");
    KEEP(db->lag_error, e->error);
    history_put(&db->bytes, at, e->bytes);
    history_put(&db->ms, at, e->lag);
    history_put(&db->kept, at, e->retained);
}

static struct model_table *find_table(struct model_db *db, const char *name)
{
    for (int i = 0; i < db->ntables; i++)
        if (strcmp(db->table[i].name, name) == 0)
            return &db->table[i];
    db->tables_seen++;
    if (db->ntables == MODEL_TABLES)
        return NULL;
    struct model_table *t = &db->table[db->ntables++];
    KEEP(t->name, name);
    return t;
}

/* Tables beyond MODEL_TABLES are counted only: each is reported once as it becomes ready. */
static void fold_copy_seen(struct model_db *db, int64_t at, const struct event_copy_seen *e)
{
    struct model_table *t = find_table(db, e->table);
    bool ready = strcmp(e->state, "ready") == 0;
    bool was_ready = t && strcmp(t->state, "ready") == 0;
    db->copy_at = at;
    db->tables_ready += ready - was_ready;
    if (!t)
        return;
    bool copying = strcmp(e->state, "copying") == 0;
    if (copying && (strcmp(t->state, "copying") != 0 || e->rows < t->rows)) { /* one that failed begins anew */
        t->since = at;
        t->first = e->rows;
    }
    KEEP(t->state, e->state);
    t->at = at;
    t->rows = e->rows;
    t->total = e->total;
    t->bytes = e->bytes;
    t->size = e->size;
}

int64_t model_copy_rate(const struct model_table *t)
{
    return strcmp(t->state, "copying") == 0 && t->at > t->since ? (t->rows - t->first) * 1000 / (t->at - t->since) : 0;
}

/* Rows are estimates of blue's statistics, so what is left never falls below zero. */
int64_t model_copy_left(const struct model_table *t, int n)
{
    int64_t rate = 0, left = 0;
    for (int i = 0; i < n; i++) {
        rate += model_copy_rate(&t[i]);
        left += strcmp(t[i].state, "ready") == 0 || strcmp(t[i].state, "synced") == 0 ? 0 : MAX(t[i].total - t[i].rows, (int64_t)0);
    }
    return rate > 0 ? left * 1000 / rate : UNKNOWN;
}

static void fold_audit_found(struct model_db *db, const struct event_audit_found *e)
{
    if (db->nfindings == MODEL_FINDINGS)
        return;
    struct model_finding *f = &db->finding[db->nfindings++];
    KEEP(f->level, e->level);
    KEEP(f->object, e->object);
    KEEP(f->text, e->text);
}

static void fold_audited(struct model_db *db, int64_t at, const struct event_audited *e)
{
    db->audited_at = at;
    db->blockers = e->blockers;
    db->warnings = e->warnings;
    db->notes = e->notes;
    db->tables_audited = e->tables;
}

static void fold_schema_seen(struct model_db *db, int64_t at, const struct event_schema_seen *e)
{
    db->schema_at = at;
    db->schema_objects = e->objects;
    db->schema_drift = e->drift;
    KEEP(db->schema_base, e->base);
    KEEP(db->schema_object, e->object);
    KEEP(db->schema_change, e->change);
}

/* The first word of a new comparison ends what the last one said. */
static void fold_verify_seen(struct model_db *db, int64_t at, const struct event_verify_seen *e)
{
    if (db->verified_at)
        db->ndifferences = 0;
    db->verified_at = 0;
    db->verify_at = at;
    db->verify_rows = e->rows;
    db->verify_total = e->total;
    db->verify_tables = e->tables;
    db->verify_all = e->all;
    db->differences = e->differences;
}

static void fold_difference_found(struct model_db *db, const struct event_difference_found *e)
{
    if (db->ndifferences == MODEL_DIFFERENCES)
        return;
    struct model_difference *d = &db->difference[db->ndifferences++];
    KEEP(d->table, e->table);
    KEEP(d->key, e->key);
    KEEP(d->text, e->text);
}

static void fold_verified(struct model_db *db, int64_t at, const struct event_verified *e)
{
    db->verify_at = db->verified_at = at;
    db->verified_ppm = e->sample;
    db->verify_rows = db->verify_total = e->rows;
    db->verify_tables = db->verify_all = e->tables;
    db->differences = e->differences;
    db->busy_rows = e->busy;
}

static void fold_pooler_seen(struct model_db *db, int64_t at, const struct event_pooler_seen *e)
{
    db->pooler_at = at;
    db->pooler_reachable = e->reachable;
    db->pooler_paused = e->paused;
    KEEP(db->pooler_target, e->target);
    db->pooler_active = e->active;
    db->pooler_waiting = e->waiting;
    db->pooler_longest_wait = e->longest_wait;
    KEEP(db->pooler_error, e->error);
}

static void fold_sequences(struct model_db *db, int64_t at, const struct event_sequences_seen *e)
{
    db->sequences_at = at;
    db->sequences = e->count;
    db->sequences_behind = e->behind;
}

static void fold_probed(struct model_db *db, int64_t at, const struct event_pause_probed *e)
{
    db->probed_at = at;
    db->probe_marker = e->marker_us;
    db->probe_commit[BLUE] = e->blue_us;
    db->probe_commit[GREEN] = e->green_us;
    db->probe_reading = e->reading_us;
    db->probe_sequences = e->sequences;
}

static struct model_db *find_db(struct model *m, const struct plan *p, const char *name)
{
    int i = plan_find_database(p, name);
    return i < 0 ? NULL : &m->db[i];
}

static bool starts_audit(const struct plan *p, const struct event *e)
{
    int i = e->kind == EVENT_step_began ? plan_find_step(p, e->step_began.step) : -1;
    return i >= 0 && strcmp(p->steps[i].kind, "pg.audit") == 0 && strcmp(e->step_began.mode, "run") == 0;
}

#define TO_DB(fold, event) \
    do { \
        struct model_db *db_ = find_db(m, p, (event).db); \
        if (db_) \
            fold; \
    } while (0)

void fold_database(struct model *m, const struct plan *p, const struct event *e)
{
    if (starts_audit(p, e)) /* a new audit replaces the findings of the last */
        for (int i = 0; i < p->ndatabases; i++)
            m->db[i].nfindings = 0;
    switch (e->kind) {
    case EVENT_db_seen:
        TO_DB(fold_db_seen(db_, e->at, &e->db_seen), e->db_seen);
        break;
    case EVENT_lag_seen:
        TO_DB(fold_lag_seen(db_, e->at, &e->lag_seen), e->lag_seen);
        TO_DB(forget_full(db_, &p->databases[db_ - m->db], e->at), e->lag_seen);
        break;
    case EVENT_copy_seen:
        TO_DB(fold_copy_seen(db_, e->at, &e->copy_seen), e->copy_seen);
        break;
    case EVENT_audit_found:
        TO_DB(fold_audit_found(db_, &e->audit_found), e->audit_found);
        break;
    case EVENT_audited:
        TO_DB(fold_audited(db_, e->at, &e->audited), e->audited);
        break;
    case EVENT_schema_seen:
        TO_DB(fold_schema_seen(db_, e->at, &e->schema_seen), e->schema_seen);
        break;
    case EVENT_verify_seen:
        TO_DB(fold_verify_seen(db_, e->at, &e->verify_seen), e->verify_seen);
        break;
    case EVENT_difference_found:
        TO_DB(fold_difference_found(db_, &e->difference_found), e->difference_found);
        break;
    case EVENT_verified:
        TO_DB(fold_verified(db_, e->at, &e->verified), e->verified);
        break;
    case EVENT_pooler_seen:
        TO_DB(fold_pooler_seen(db_, e->at, &e->pooler_seen), e->pooler_seen);
        break;
    case EVENT_pause_probed:
        TO_DB(fold_probed(db_, e->at, &e->pause_probed), e->pause_probed);
        break;
    case EVENT_sequences_seen:
        TO_DB(fold_sequences(db_, e->at, &e->sequences_seen), e->sequences_seen);
        break;
    default:
        break;
    }
}

/* ---- DNS ---- */

/* "a,b" against the two values of the plan. */
static enum cell_state judge_answer(const struct plan_record *r, const char *answer)
{
    bool old = false, new = false, other = false;
    for (const char *at = answer; *at;) {
        size_t len = strcspn(at, ",");
        if (len == strlen(r->value[BLUE]) && strncmp(at, r->value[BLUE], len) == 0)
            old = true;
        else if (len == strlen(r->value[GREEN]) && strncmp(at, r->value[GREEN], len) == 0)
            new = true;
        else
            other = true;
        at += len + (at[len] == ',');
    }
    if (other || (!old && !new))
        return CELL_OTHER;
    return old && new ? CELL_MIXED : old ? CELL_OLD : CELL_NEW;
}

static void fold_answer(struct model_dns *c, const struct plan_record *r, int64_t at, const struct event_dns_seen *e)
{
    c->answered_at = at;
    c->state = judge_answer(r, e->answer);
    KEEP(c->answer, e->answer);
    c->ttl = e->ttl;
    c->max_ttl = MAX(c->max_ttl, e->ttl);
    c->expires = at + e->ttl * 1000;
    if (c->state != CELL_NEW)
        c->new_since = 0;
    else if (!c->new_since)
        c->new_since = at;
}

/* One lost question says nothing while the last answer still counts: only silence past it is an error. */
static bool silence_counts(const struct model_dns *c, const struct plan *p, int64_t at)
{
    int64_t patience = MAX(c->ttl * 1000, 3 * p->dns.interval + 5000);
    return c->answered_at == 0 ? c->lost >= 2 : at - c->answered_at > patience;
}

static void fold_published(struct model_record *r, const struct plan *p, int64_t at, const struct event_dns_seen *e)
{
    r->published_at = at;
    r->published_ttl = e->ttl;
    if (e->ttl > p->dns.ttl_low) {
        r->old_ttl = MAX(r->old_ttl, e->ttl);
        r->low_since = 0;
    } else if (!r->low_since) {
        r->low_since = at;
    }
}

static void fold_dns_seen(struct model *m, const struct plan *p, int64_t at, const struct event_dns_seen *e)
{
    int resolver = plan_find_resolver(p, e->resolver), record = plan_find_record(p, e->record, e->type);
    if (resolver < 0 || record < 0)
        return;
    struct model_dns *c = &m->dns[resolver * p->dns.nrecords + record];
    bool ok = strcmp(e->status, "ok") == 0;
    c->at = at;
    c->rtt_us = e->rtt_us;
    c->asked++;
    KEEP(c->status, e->status);
    KEEP(c->error, e->error);
    if (ok) {
        fold_answer(c, &p->dns.records[record], at, e);
        if (p->dns.resolvers[resolver].authoritative)
            fold_published(&m->record[record], p, at, e);
        return;
    }
    bool lost = strcmp(e->status, "timeout") == 0;
    c->lost += lost;
    if (!lost || silence_counts(c, p, at)) {
        c->state = CELL_ERROR;
        c->new_since = 0;
    }
}

void fold_dns(struct model *m, const struct plan *p, const struct event *e)
{
    if (e->kind == EVENT_dns_seen)
        fold_dns_seen(m, p, e->at, &e->dns_seen);
    if (e->kind != EVENT_dns_changed)
        return;
    int record = plan_find_record(p, e->dns_changed.record, e->dns_changed.type);
    if (record < 0)
        return;
    const struct plan_record *r = &p->dns.records[record];
    if (strcmp(e->dns_changed.from, e->dns_changed.to) != 0)
        m->record[record].flipped_at = strcmp(e->dns_changed.to, r->value[GREEN]) == 0 ? e->at : 0;
}

/* ---- traffic ---- */

static void fold_http_seen(struct model_traffic *t, int64_t at, const struct event_http_seen *e)
{
    int64_t second = at / 1000;
    struct model_second *s = &t->second[second % MODEL_SECONDS];
    if (s->second != second) {
        memset(s, 0, sizeof *s);
        s->second = second;
    }
    s->ok += e->ok;
    s->failed += e->failed;
    latency_sum(&s->latency, &e->latency);
    t->probe_at = at;
    t->total += e->ok + e->failed;
    t->total_failed += e->failed;
    if (e->failed)
        KEEP(t->error, e->error);
    int64_t n = s->ok + s->failed;
    history_put(&t->rps, at, n);
    history_put(&t->error_ppm, at, n ? s->failed * 1000000 / n : UNKNOWN);
    history_put(&t->p95_us, at, latency_percentile_us(&s->latency, 950000));
}

static void fold_haproxy_seen(struct model *m, int64_t at, const struct event_haproxy_seen *e)
{
    int side = side_of(e->side);
    struct model_traffic *t = &m->traffic[side];
    t->balancer_at = at;
    t->weight = e->weight;
    t->requests += e->requests;
    t->failed += e->failed;
    t->sessions = e->sessions;
    KEEP(t->status, e->status);
    /* Thousandths, so that a decay by a tenth each second never sticks at small counts. */
    t->recent_requests = t->recent_requests * 9 / 10 + e->requests * 1000;
    t->recent_failed = t->recent_failed * 9 / 10 + e->failed * 1000;
    int64_t both = m->traffic[BLUE].recent_requests + m->traffic[GREEN].recent_requests;
    for (int s = 0; s < SIDES; s++)
        history_put(&m->traffic[s].share_ppm, at, both > 0 ? m->traffic[s].recent_requests * 1000000 / both : UNKNOWN);
}

void fold_traffic(struct model *m, const struct plan *p, const struct event *e)
{
    (void)p;
    switch (e->kind) {
    case EVENT_http_seen:
        fold_http_seen(&m->traffic[side_of(e->http_seen.side)], e->at, &e->http_seen);
        break;
    case EVENT_haproxy_seen:
        fold_haproxy_seen(m, e->at, &e->haproxy_seen);
        break;
    case EVENT_prometheus_seen:
        m->traffic[side_of(e->prometheus_seen.side)].prometheus_at = e->at;
        m->traffic[side_of(e->prometheus_seen.side)].prometheus_ppm = e->prometheus_seen.ppm;
        break;
    case EVENT_weights_set:
        m->weights_at = e->at;
        m->weight[BLUE] = e->weights_set.blue;
        m->weight[GREEN] = e->weights_set.green;
        break;
    default:
        break;
    }
}
