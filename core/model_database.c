/* The fold's databases: both sides, the way between them, copies, audit, proof. */
#include <string.h>

#include "core/model_fold.h"

static void fold_db_seen(struct model_db *db, int64_t at, const struct event_db_seen *e)
{
    struct model_dbside *s = &db->side[fold_side(e->side)];
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
