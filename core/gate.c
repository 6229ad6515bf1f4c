#include "core/gate.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { WAY_BACK_MS = 5000 }; /* blue may be so far behind green when writes go back */

const char *const gate_verdict_names[] = {"GO", "HOLD", "STOP"};
const char *const step_mode_names[] = {"run", "undo", "probe"};

/* ---- conditions of the plan ---- */

static bool compare(enum plan_op op, int64_t a, int64_t b)
{
    switch (op) {
    case OP_LT:
        return a < b;
    case OP_LE:
        return a <= b;
    case OP_EQ:
        return a == b;
    case OP_NE:
        return a != b;
    case OP_GE:
        return a >= b;
    default:
        return a > b;
    }
}

static bool holds_now(const struct plan_condition *c, const struct model *m, const struct plan *p, int64_t now, struct reading *r)
{
    const struct metric *metric = metric_find(c->metric);
    *r = metric ? metric_read(metric, m, p, c->argument, now) : (struct reading){0};
    return r->known && compare(c->op, r->value, c->value);
}

static void follow_conditions(struct model *m, const struct plan *p, const struct plan_condition *list, int n, int64_t now)
{
    for (int i = 0; i < n; i++) {
        struct reading r;
        int64_t *since = &m->held_since[list[i].index];
        if (!holds_now(&list[i], m, p, now, &r))
            *since = 0;
        else if (!*since)
            *since = now;
    }
}

void gate_follow(struct model *m, const struct plan *p, const struct event *event)
{
    model_fold(m, p, event);
    for (int i = 0; i < p->nsteps; i++) {
        follow_conditions(m, p, p->steps[i].gate, p->steps[i].ngate, event->at);
        follow_conditions(m, p, p->steps[i].verify, p->steps[i].nverify, event->at);
    }
}

/* ---- lines and the first thing in the way ---- */

static struct gate_line *add_line(struct gate *g, const char *id, bool held, const char *text)
{
    static struct gate_line overflow;
    struct gate_line *l = g->nlines < GATE_LINES ? &g->line[g->nlines++] : &overflow;
    memset(l, 0, sizeof *l);
    copy_text(l->id, sizeof l->id, id);
    copy_text(l->text, sizeof l->text, text);
    l->held = held;
    l->known = true;
    return l;
}

/* The first obstacle gives the sentence; STOP outweighs HOLD. */
static void object(struct gate *g, enum gate_verdict verdict, const char *fmt, ...) PRINTF(3, 4);
static void object(struct gate *g, enum gate_verdict verdict, const char *fmt, ...)
{
    if (g->verdict >= verdict)
        return;
    g->verdict = verdict;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(g->why, sizeof g->why, fmt, ap);
    va_end(ap);
}

/* What a condition asks for, as a person says it: "100 %", "below 1.00 s", "at least 18 for 10 s". */
static void need_text(const struct plan_condition *c, const struct metric *metric, char *buf, size_t size)
{
    static const char *const words[] = {
        [OP_LT] = "below ", [OP_LE] = "at most ", [OP_EQ] = "", [OP_NE] = "other than ", [OP_GE] = "at least ", [OP_GT] = "above "};
    char value[40], span[24];
    metric_format(metric ? metric->unit : UNIT_COUNT, (struct reading){.known = true, .value = c->value}, value, sizeof value);
    size_t n = (size_t)snprintf(buf, size, "%s%s", words[c->op], value);
    if (c->hold > 0 && c->hold < 60000 && c->hold % 1000 == 0 && n < size)
        snprintf(buf + n, size - n, " for %lld s", (long long)(c->hold / 1000));
    else if (c->hold > 0 && n < size)
        snprintf(buf + n, size - n, " for %s", format_ms(c->hold, span, sizeof span));
}

static void name_text(const struct plan_condition *c, char *buf, size_t size)
{
    if (*c->argument)
        snprintf(buf, size, "%s(%s)", c->metric, c->argument);
    else
        copy_text(buf, size, c->metric);
}

static void add_condition(struct gate *g, const struct plan_condition *c, const struct model *m, const struct plan *p, int64_t now)
{
    struct reading r;
    const struct metric *metric = metric_find(c->metric);
    bool true_now = holds_now(c, m, p, now, &r);
    int64_t since = m->held_since[c->index];
    int64_t held_for = true_now && since ? now - since : 0;
    struct gate_line *l = add_line(g, "", true_now && held_for >= c->hold, c->text);
    l->known = r.known;
    l->at = r.at;
    l->held_for = held_for;
    metric_format(metric ? metric->unit : UNIT_COUNT, r, l->value, sizeof l->value);
    if (l->held)
        return;
    char left[24], needs[64], name[80];
    name_text(c, name, sizeof name);
    need_text(c, metric, needs, sizeof needs);
    if (!r.known)
        object(g, GATE_HOLD, "%s is not known (%s), needs %s", name, r.at ? "too old" : "never seen", needs);
    else if (true_now)
        object(g, GATE_HOLD, "%s is %s, must hold %s longer", name, l->value, format_ms(c->hold - held_for, left, sizeof left));
    else if (metric && metric->unit == UNIT_BOOL)
        object(g, GATE_HOLD, "not yet: %s", c->text);
    else
        object(g, GATE_HOLD, "%s is %s, needs %s", name, l->value, needs);
}

/* ---- rules of the house, each with its id ---- */

static void clock_text(int64_t at, char *buf, size_t size)
{
    time_t s = (time_t)(at / 1000);
    struct tm tm;
    gmtime_r(&s, &tm);
    strftime(buf, size, "%H:%M:%SZ", &tm);
}

/* S1: two writable sides are never allowed; a side that can't be seen counts as writable. */
static void rule_one_writer(struct gate *g, const struct model *m, const struct plan *p, int64_t now)
{
    struct reading r = metric_read(metric_find("pg.writers"), m, p, "", now);
    bool held = r.known && r.value <= 1;
    struct gate_line *l = add_line(g, "S1", held, "one side accepts writes");
    l->known = r.known;
    l->at = r.at;
    metric_format(UNIT_COUNT, r, l->value, sizeof l->value);
    if (!held)
        object(g, GATE_STOP, "S1: %s sides would accept writes (a side that can't be seen counts); there must be one", l->value);
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
    struct gate_line *l = add_line(g, "S16", held, "green has every change of blue's schema");
    l->known = r.known;
    l->at = r.at;
    metric_format(UNIT_COUNT, r, l->value, sizeof l->value);
    if (!r.known)
        object(g, GATE_HOLD, "S16: the schema of %s was not compared lately", p->databases[i].name);
    else if (!held)
        object(g, GATE_STOP, "S16: %s is %s on blue of %s since replication began, and green lacks it: run the same DDL there", m->db[i].schema_object,
            m->db[i].schema_change, p->databases[i].name);
}

/* S5: no flip while a compliant cache may still hold an answer with the old TTL. */
static void rule_ttl_aged(struct gate *g, const struct model *m, const struct plan *p, int64_t now)
{
    int64_t safe = 0;
    bool known = p->dns.nrecords > 0;
    for (int i = 0; i < p->dns.nrecords; i++) {
        int64_t s = dns_safe_after(&m->record[i], p);
        known = known && s;
        safe = MAX(safe, s);
    }
    struct gate_line *l = add_line(g, "S5", known && now >= safe, "the old TTL has run out everywhere");
    l->known = known;
    if (known)
        clock_text(safe, l->value, sizeof l->value);
    else
        copy_text(l->value, sizeof l->value, "not low");
    if (!known)
        object(g, GATE_HOLD, "S5: the low TTL is not published on every record yet");
    else if (now < safe)
        object(g, GATE_HOLD, "S5: caches may hold the old TTL; safe after %s", l->value);
}

static bool has_kind(const struct plan *p, int step, const char *kind)
{
    return strcmp(p->steps[step].kind, kind) == 0;
}

static int step_of_kind(const struct plan *p, const char *kind)
{
    for (int i = 0; i < p->nsteps; i++)
        if (has_kind(p, i, kind))
            return i;
    return -1;
}

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

/* How far blue is behind green, when every database's way back runs and was seen just now. */
static struct reading way_back(const struct model *m, const struct plan *p, int64_t now)
{
    struct reading r = {0};
    if (m->committed && has_way_back(p) && !cleanup_is_done(m, p))
        r = metric_read(metric_find("pg.back_lag_ms"), m, p, "", now);
    r.known = r.known && r.at >= m->committed_at; /* what was seen before an earlier fail-back says nothing */
    return r;
}

/* S8: after the commit point going back is a switch of its own, and only as long as green's writes flow back to blue. */
static void rule_way_back(struct gate *g, const struct model *m, const struct plan *p, int step, int64_t now)
{
    if (m->committed && has_kind(p, step, "pg.replicate"))
        object(g, GATE_STOP, "S8: writes are on green; undoing %s would lose them", p->steps[step].key);
    if (!has_kind(p, step, "switch"))
        return;
    struct reading r = way_back(m, p, now);
    bool held = r.known && r.value < WAY_BACK_MS;
    struct gate_line *l = add_line(g, "S8", held, "green's writes flow back to blue");
    l->known = r.known;
    l->at = r.at;
    metric_format(UNIT_MS, r, l->value, sizeof l->value);
    if (!m->committed)
        object(g, GATE_STOP, "writes are not on green: nothing to undo");
    else if (cleanup_is_done(m, p))
        object(g, GATE_STOP, "S8: cleanup has taken the way back away; going back would lose writes");
    else if (!has_way_back(p))
        object(g, GATE_STOP, "S8: the plan has reverse = false; going back would lose writes");
    else if (!r.known)
        object(g, GATE_STOP, "S8: green's writes are not seen to flow back to blue; going back would lose writes");
    else if (!held)
        object(g, GATE_STOP, "S8: blue is %s behind green, needs < 5 s; going back now would stop writes too long", l->value);
}

/* It moves writes under everything that came later: what of that can be taken back goes first. */
static void check_later(struct gate *g, const struct model *m, const struct plan *p, int step)
{
    for (int i = p->nsteps - 1; i > step && has_kind(p, step, "switch"); i--)
        if (p->steps[i].has_undo && m->step[i].state == STEP_DONE)
            object(g, GATE_HOLD, "%s came later: undo that first", p->steps[i].key);
}

static void add_rules(struct gate *g, const struct model *m, const struct plan *p, int step, int64_t now)
{
    if ((has_kind(p, step, "switch") || has_kind(p, step, "switch.dry")) && p->ndatabases) {
        rule_one_writer(g, m, p, now);
        rule_one_schema(g, m, p, now);
    }
    if (has_kind(p, step, "dns.flip"))
        rule_ttl_aged(g, m, p, now);
}

/* ---- the run's own state ---- */

static void check_run(struct gate *g, const struct model *m, const struct plan *p, int step)
{
    if (m->ended)
        object(g, GATE_STOP, "the run is over: %s", m->outcome);
    if (m->journal_broken)
        object(g, GATE_STOP, "the journal can't be written, so every step is closed; is the disk full?");
    if (m->running >= 0)
        object(g, GATE_HOLD, "%s is running", p->steps[m->running].key);
    for (int i = 0; i < p->nsteps; i++)
        if (m->step[i].state == STEP_UNKNOWN && i != step)
            object(g, GATE_STOP, "%s is unknown after a crash: decide it first", p->steps[i].key);
    if (m->paused)
        object(g, GATE_HOLD, "paused by a person; p continues");
}

static bool is_behind(enum step_state s)
{
    return s == STEP_DONE || s == STEP_SKIPPED;
}

static void check_needs(struct gate *g, const struct model *m, const struct plan *p, int step)
{
    const struct plan_step *s = &p->steps[step];
    for (int i = 0; i < s->nneeds; i++) {
        int need = s->needs[i];
        if (is_behind(m->step[need].state))
            continue;
        char text[96];
        snprintf(text, sizeof text, "%s is done", p->steps[need].key);
        struct gate_line *l = add_line(g, "", false, text);
        copy_text(l->value, sizeof l->value, step_state_names[m->step[need].state]);
        object(g, GATE_HOLD, "%s comes first (%s)", p->steps[need].key, l->value);
    }
}

/* A dry pause may be had as often as wanted, until the real one. */
static bool may_repeat(const struct model *m, const struct plan *p, int step)
{
    return has_kind(p, step, "switch.dry") && !m->committed;
}

static void ask_run(struct gate *g, const struct model *m, const struct plan *p, int step, int64_t now)
{
    const struct plan_step *s = &p->steps[step];
    enum step_state state = m->step[step].state;
    if ((state == STEP_DONE || state == STEP_SKIPPED) && !may_repeat(m, p, step))
        object(g, GATE_STOP, "%s is %s", s->key, step_state_names[state]);
    if (has_kind(p, step, "switch.dry") && m->committed)
        object(g, GATE_STOP, "writes are on green: there is nothing left to rehearse");
    if (state == STEP_UNKNOWN)
        object(g, GATE_STOP, "%s began and never ended: look at what was found and decide", s->key);
    check_needs(g, m, p, step);
    add_rules(g, m, p, step, now);
    for (int i = 0; i < s->ngate; i++)
        add_condition(g, &s->gate[i], m, p, now);
}

static void ask_undo(struct gate *g, const struct model *m, const struct plan *p, int step, int64_t now)
{
    const struct plan_step *s = &p->steps[step];
    if (!s->has_undo)
        object(g, GATE_STOP, "%s can't be undone", s->key);
    if (m->step[step].state != STEP_DONE && m->step[step].state != STEP_FAILED)
        object(g, GATE_STOP, "%s is %s: nothing to undo", s->key, step_state_names[m->step[step].state]);
    rule_way_back(g, m, p, step, now);
    check_later(g, m, p, step);
    for (int i = step + 1; i < p->nsteps; i++)
        for (int n = 0; n < p->steps[i].nneeds; n++)
            if (p->steps[i].needs[n] == step && m->step[i].state == STEP_DONE && p->steps[i].has_undo)
                object(g, GATE_HOLD, "%s rests on it: undo that first", p->steps[i].key);
}

void gate_ask(const struct model *m, const struct plan *p, int step, enum step_mode mode, int64_t now, struct gate *out)
{
    memset(out, 0, sizeof *out);
    check_run(out, m, p, step);
    if (mode == MODE_UNDO)
        ask_undo(out, m, p, step, now);
    else if (mode == MODE_RUN)
        ask_run(out, m, p, step, now);
}

void gate_verify(const struct model *m, const struct plan *p, int step, int64_t now, struct gate *out)
{
    memset(out, 0, sizeof *out);
    for (int i = 0; i < p->steps[step].nverify; i++)
        add_condition(out, &p->steps[step].verify[i], m, p, now);
}

int gate_next_step(const struct model *m, const struct plan *p)
{
    for (int i = 0; i < p->nsteps; i++)
        if (!is_behind(m->step[i].state))
            return i;
    return -1;
}

int gate_undo_step(const struct model *m, const struct plan *p)
{
    for (int i = p->nsteps - 1; i >= 0; i--)
        if (p->steps[i].has_undo && (m->step[i].state == STEP_DONE || m->step[i].state == STEP_FAILED) && (m->committed || !has_kind(p, i, "switch")))
            return i; /* a switch that came back by itself has nothing to undo */
    return -1;
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
    struct reading r = way_back(m, p, now);
    char lag[24];
    if (m->committed && cleanup >= 0 && m->step[cleanup].state == STEP_DONE)
        snprintf(buf, size, "back: none, cleanup done");
    else if (r.known && r.value < WAY_BACK_MS)
        snprintf(buf, size, "back: ~%s, 0 lost (lag %s)", format_ms(MAX((m->pause_us + 999) / 1000, (int64_t)1), span, sizeof span), format_ms(r.value, lag, sizeof lag));
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
