/* The gate's rules about databases, and the price of going back. */
#include <stdio.h>
#include <string.h>

#include "core/gate_inner.h"

enum { WAY_BACK_MS = 5000 };    /* blue may be so far behind green when writes go back */
enum { NEAR_BYTES = 16 << 20 }; /* the same where no heartbeat tells the time, in either direction */

bool gate_has_kind(const struct plan *p, int step, const char *kind)
{
    return strcmp(p->steps[step].kind, kind) == 0;
}

static int step_of_kind(const struct plan *p, const char *kind)
{
    for (int i = 0; i < p->nsteps; i++)
        if (gate_has_kind(p, i, kind))
            return i;
    return -1;
}

static int split_database(const struct model *m, const struct plan *p, int64_t now)
{
    for (int i = 0; i < p->ndatabases; i++)
        if (model_writers_are_bad(model_writers(m, p, i, now)))
            return i;
    return -1;
}

/* S1: two writable sides are never allowed; a side that can't be seen counts as writable. */
static void rule_one_writer(struct gate *g, const struct model *m, const struct plan *p, int64_t now)
{
    struct reading r = metric_read(metric_find("pg.writers"), m, p, "", now);
    int split = split_database(m, p, now);
    bool held = r.known && r.value <= 1 && split < 0;
    struct gate_line *l = gate_add_line(g, "S1", held, "one side accepts writes");
    l->known = r.known;
    l->at = r.at;
    metric_format(UNIT_COUNT, r, l->value, sizeof l->value);
    if (split >= 0 && model_writers(m, p, split, now) != WRITERS_BOTH)
        gate_object(g, GATE_STOP, "S1: of %s %s; find out who changed that", p->databases[split].name,
            model_writers(m, p, split, now) == WRITERS_NONE ? "neither side accepts writes" : "the wrong side accepts writes");
    else if (!held)
        gate_object(g, GATE_STOP, "S1: %s sides would accept writes (a side that can't be seen counts); there must be one", l->value);
}

/* The database whose schema is in the way: one that was seen once and not lately, or one with a drift; -1. */
static int schema_in_the_way(const struct model *m, const struct plan *p, int64_t now, struct reading *r)
{
    const struct metric *drift = metric_find("pg.schema_drift");
    int shown = -1;
    for (int i = 0; i < p->ndatabases; i++) {
        if (!m->db[i].schema_at)
            continue;
        *r = metric_read(drift, m, p, p->databases[i].name, now);
        shown = i;
        if (!r->known || r->value > 0)
            break;
    }
    return shown;
}

/* S16: rows for what green does not know can't arrive there. */
static void rule_one_schema(struct gate *g, const struct model *m, const struct plan *p, int64_t now)
{
    struct reading r = {0};
    int i = schema_in_the_way(m, p, now, &r);
    if (i < 0)
        return;
    bool held = r.known && r.value == 0;
    struct gate_line *l = gate_add_line(g, "S16", held, "green has every change of blue's schema");
    l->known = r.known;
    l->at = r.at;
    metric_format(UNIT_COUNT, r, l->value, sizeof l->value);
    if (!r.known)
        gate_object(g, GATE_HOLD, "S16: the schema of %s was not compared lately", p->databases[i].name);
    else if (!held)
        gate_object(g, GATE_STOP, "S16: %s is %s on blue of %s since replication began, and green lacks it: run the same DDL there", m->db[i].schema_object,
            m->db[i].schema_change, p->databases[i].name);
}

/* The database whose replication is in the way: one that has a slot and was not seen lately, or that says what is wrong; -1. */
static int replication_in_the_way(const struct model *m, const struct plan *p, int64_t now)
{
    const struct metric *lag = metric_find("pg.lag_bytes");
    int shown = -1;
    for (int i = 0; i < p->ndatabases; i++) {
        const struct model_db *db = &m->db[i];
        if (!db->lag_at || !*db->slot)
            continue;
        shown = i;
        if (*db->lag_error || !db->slot_active || !metric_read(lag, m, p, p->databases[i].name, now).known || (!p->databases[i].heartbeat && db->lag_bytes > NEAR_BYTES))
            break;
    }
    return shown;
}

/* S17: what green can't apply does not arrive, and a slot that was given up never comes back. */
static void rule_replication_works(struct gate *g, const struct model *m, const struct plan *p, int64_t now)
{
    int i = replication_in_the_way(m, p, now);
    if (i < 0)
        return;
    const struct model_db *db = &m->db[i];
    const char *name = p->databases[i].name;
    struct reading r = metric_read(metric_find("pg.lag_bytes"), m, p, name, now);
    bool lost = strcmp(db->wal_status, "lost") == 0, far = !p->databases[i].heartbeat && r.value > NEAR_BYTES;
    struct gate_line *l = gate_add_line(g, "S17", r.known && db->slot_active && !*db->lag_error && !far, "replication works");
    l->known = r.known;
    l->at = r.at;
    metric_format(UNIT_BYTES, r, l->value, sizeof l->value);
    if (lost)
        gate_object(g, GATE_STOP, "S17: %s: %s", name, db->lag_error);
    else if (!r.known)
        gate_object(g, GATE_HOLD, "S17: the replication of %s was not seen lately", name);
    else if (*db->lag_error)
        gate_object(g, GATE_STOP, "S17: %s: %s", name, db->lag_error);
    else if (!db->slot_active)
        gate_object(g, GATE_HOLD, "S17: green does not read the slot of %s", name);
    else if (far)
        gate_object(g, GATE_HOLD, "S17: %s is %s behind, and needs < 16 MB (no heartbeat tells the time)", name, l->value);
}

/* The database whose oldest transaction will not be over within the fence's time; -1. Where no pooler drains, such sessions are ended. */
static int holder_in_the_way(const struct model *m, const struct plan *p, int64_t now)
{
    const struct metric *oldest = metric_find("pg.oldest_tx_ms");
    int worst = -1;
    for (int i = 0; i < p->ndatabases; i++) {
        struct reading r = metric_read(oldest, m, p, p->databases[i].name, now);
        if (p->databases[i].npoolers && r.known && r.value >= MAX((int64_t)MODEL_LONG_TX, p->fence_deadline) && (worst < 0 || r.value > m->db[worst].side[BLUE].oldest_tx))
            worst = i;
    }
    return worst;
}

/* S18: a pooler drains when its clients have ended their transactions. Who has one open for long is named; nothing is shown else. */
static void rule_nobody_holds(struct gate *g, const struct model *m, const struct plan *p, int64_t now)
{
    int i = holder_in_the_way(m, p, now);
    if (i < 0)
        return;
    const struct model_dbside *blue = &m->db[i].side[BLUE];
    const char *whose = *blue->oldest ? blue->oldest : "somebody", *state = *blue->state ? blue->state : "open";
    char text[120], span[24];
    snprintf(text, sizeof text, "%.80s, %.30s", whose, state);
    struct gate_line *l = gate_add_line(g, "S18", false, text);
    l->at = blue->at;
    format_ms(blue->oldest_tx, l->value, sizeof l->value);
    gate_object(g, GATE_HOLD, "S18: held by %.140s, %.30s for %s", whose, state, format_span(blue->oldest_tx, span, sizeof span));
}

void gate_rules_switch(struct gate *g, const struct model *m, const struct plan *p, int64_t now)
{
    rule_one_writer(g, m, p, now);
    rule_one_schema(g, m, p, now);
    rule_replication_works(g, m, p, now);
    rule_nobody_holds(g, m, p, now);
}

/* ---- the way back ---- */

static bool cleanup_is_done(const struct model *m, const struct plan *p)
{
    int cleanup = step_of_kind(p, "pg.cleanup");
    return cleanup >= 0 && m->step[cleanup].state != STEP_NOT_BEGUN && m->step[cleanup].state != STEP_SKIPPED;
}

static bool has_way_back(const struct plan *p)
{
    for (int i = 0; i < p->ndatabases; i++)
        if (!p->databases[i].reverse)
            return false;
    return p->ndatabases > 0;
}

/* How far blue is behind green, when every database's way back runs and was seen just now: in time, or without heartbeats in bytes. */
struct way {
    struct reading r;
    enum metric_unit unit;
    int64_t most;
};
static struct way way_back(const struct model *m, const struct plan *p, int64_t now)
{
    struct way w = {.unit = UNIT_MS, .most = WAY_BACK_MS};
    bool runs = m->committed && has_way_back(p) && !cleanup_is_done(m, p);
    for (int i = 0; i < p->ndatabases; i++) {
        if (!p->databases[i].heartbeat)
            w.unit = UNIT_BYTES, w.most = NEAR_BYTES;
        runs = runs && m->db[i].back_active && !*m->db[i].back_error;
    }
    if (runs)
        w.r = metric_read(metric_find(w.unit == UNIT_MS ? "pg.back_lag_ms" : "pg.back_lag_bytes"), m, p, "", now);
    w.r.known = w.r.known && w.r.at >= m->committed_at; /* what was seen before an earlier fail-back says nothing */
    return w;
}

/* S8: after the commit point going back is a switch of its own, and only as long as green's writes flow back to blue. */
void gate_rule_way_back(struct gate *g, const struct model *m, const struct plan *p, int step, int64_t now)
{
    if (m->committed && gate_has_kind(p, step, "pg.replicate"))
        gate_object(g, GATE_STOP, "S8: writes are on green; undoing %s would lose them", p->steps[step].key);
    if (!gate_has_kind(p, step, "switch"))
        return;
    struct way w = way_back(m, p, now);
    struct reading r = w.r;
    bool held = r.known && r.value < w.most;
    struct gate_line *l = gate_add_line(g, "S8", held, "green's writes flow back to blue");
    l->known = r.known;
    l->at = r.at;
    metric_format(w.unit, r, l->value, sizeof l->value);
    if (!m->committed)
        gate_object(g, GATE_STOP, "writes are not on green: nothing to undo");
    else if (cleanup_is_done(m, p))
        gate_object(g, GATE_STOP, "S8: cleanup has taken the way back away; going back would lose writes");
    else if (!has_way_back(p))
        gate_object(g, GATE_STOP, "S8: the plan has reverse = false; going back would lose writes");
    else if (!r.known)
        gate_object(g, GATE_STOP, "S8: green's writes are not seen to flow back to blue; going back would lose writes");
    else if (!held)
        gate_object(g, GATE_STOP, "S8: blue is %s behind green, needs < %s; going back now would stop writes too long", l->value, w.unit == UNIT_MS ? "5 s" : "16 MB");
}

/* ---- the price of going back ---- */

static int64_t undo_cost(const struct model *m, const struct plan *p)
{
    int64_t sum = 0;
    for (int i = 0; i < p->nsteps; i++)
        if (m->step[i].state == STEP_DONE && p->steps[i].has_undo)
            sum += MIN(MAX(m->step[i].took, (int64_t)1000), (int64_t)5000);
    return sum;
}

const char *gate_price(const struct model *m, const struct plan *p, int64_t now, char *buf, size_t size)
{
    char span[24];
    int cleanup = step_of_kind(p, "pg.cleanup");
    struct way w = way_back(m, p, now);
    char lag[24];
    if (m->committed && cleanup >= 0 && m->step[cleanup].state == STEP_DONE)
        snprintf(buf, size, "back: none, cleanup done");
    else if (w.r.known && w.r.value < w.most)
        snprintf(buf, size, "back: ~%s, 0 lost (lag %s)", format_ms(MAX((m->pause_us + 999) / 1000, (int64_t)1), span, sizeof span), metric_format(w.unit, w.r, lag, sizeof lag));
    else if (m->committed)
        snprintf(buf, size, "back: loses %s of writes", format_span(now - m->committed_at, span, sizeof span));
    else if (m->pause_began)
        snprintf(buf, size, "back: writes on blue in ~1 s, 0 lost");
    else if (undo_cost(m, p) == 0)
        snprintf(buf, size, "back: free, nothing changed");
    else
        snprintf(buf, size, "back: ~%s, 0 lost", format_span(undo_cost(m, p), span, sizeof span));
    return buf;
}
