#include "core/gate_inner.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

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

struct gate_line *gate_add_line(struct gate *g, const char *id, bool held, const char *text)
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
void gate_object(struct gate *g, enum gate_verdict verdict, const char *fmt, ...)
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
    struct gate_line *l = gate_add_line(g, "", true_now && held_for >= c->hold, c->text);
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
        gate_object(g, GATE_HOLD, "%s is not known (%s), needs %s", name, r.at ? "too old" : "never seen", needs);
    else if (true_now)
        gate_object(g, GATE_HOLD, "%s is %s, must hold %s longer", name, l->value, format_ms(c->hold - held_for, left, sizeof left));
    else if (metric && metric->unit == UNIT_BOOL)
        gate_object(g, GATE_HOLD, "not yet: %s", c->text);
    else
        gate_object(g, GATE_HOLD, "%s is %s, needs %s", name, l->value, needs);
}

/* ---- rules of the house, each with its id ---- */

static void clock_text(int64_t at, char *buf, size_t size)
{
    time_t s = (time_t)(at / 1000);
    struct tm tm;
    gmtime_r(&s, &tm);
    strftime(buf, size, "%H:%M:%SZ", &tm);
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
    struct gate_line *l = gate_add_line(g, "S5", known && now >= safe, "the old TTL has run out everywhere");
    l->known = known;
    if (known)
        clock_text(safe, l->value, sizeof l->value);
    else
        copy_text(l->value, sizeof l->value, "not low");
    if (!known)
        gate_object(g, GATE_HOLD, "S5: the low TTL is not published on every record yet");
    else if (now < safe)
        gate_object(g, GATE_HOLD, "S5: caches may hold the old TTL; safe after %s", l->value);
}

/* It moves writes under everything that came later: what of that can be taken back goes first. */
static void check_later(struct gate *g, const struct model *m, const struct plan *p, int step)
{
    for (int i = p->nsteps - 1; i > step && gate_has_kind(p, step, "switch"); i--)
        if (p->steps[i].has_undo && m->step[i].state == STEP_DONE)
            gate_object(g, GATE_HOLD, "%s came later: undo that first", p->steps[i].key);
}

static void add_rules(struct gate *g, const struct model *m, const struct plan *p, int step, int64_t now)
{
    if ((gate_has_kind(p, step, "switch") || gate_has_kind(p, step, "switch.dry")) && p->ndatabases)
        gate_rules_switch(g, m, p, now);
    if (gate_has_kind(p, step, "dns.flip"))
        rule_ttl_aged(g, m, p, now);
}

/* ---- the run's own state ---- */

static void check_run(struct gate *g, const struct model *m, const struct plan *p, int step)
{
    if (m->ended)
        gate_object(g, GATE_STOP, "the run is over: %s", m->outcome);
    if (m->journal_broken)
        gate_object(g, GATE_STOP, "the journal can't be written, so every step is closed; is the disk full?");
    if (m->running >= 0)
        gate_object(g, GATE_HOLD, "%s is running", p->steps[m->running].key);
    for (int i = 0; i < p->nsteps; i++)
        if (m->step[i].state == STEP_UNKNOWN && i != step)
            gate_object(g, GATE_STOP, "%s is unknown after a crash: decide it first", p->steps[i].key);
    if (m->paused)
        gate_object(g, GATE_HOLD, "paused by a person; p continues");
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
        struct gate_line *l = gate_add_line(g, "", false, text);
        copy_text(l->value, sizeof l->value, step_state_names[m->step[need].state]);
        gate_object(g, GATE_HOLD, "%s comes first (%s)", p->steps[need].key, l->value);
    }
}

/* A dry pause may be had as often as wanted, until the real one. */
static bool may_repeat(const struct model *m, const struct plan *p, int step)
{
    return gate_has_kind(p, step, "switch.dry") && !m->committed;
}

static void ask_run(struct gate *g, const struct model *m, const struct plan *p, int step, int64_t now)
{
    const struct plan_step *s = &p->steps[step];
    enum step_state state = m->step[step].state;
    if ((state == STEP_DONE || state == STEP_SKIPPED) && !may_repeat(m, p, step))
        gate_object(g, GATE_STOP, "%s is %s", s->key, step_state_names[state]);
    if (gate_has_kind(p, step, "switch.dry") && m->committed)
        gate_object(g, GATE_STOP, "writes are on green: there is nothing left to rehearse");
    if (state == STEP_UNKNOWN)
        gate_object(g, GATE_STOP, "%s began and never ended: look at what was found and decide", s->key);
    check_needs(g, m, p, step);
    add_rules(g, m, p, step, now);
    for (int i = 0; i < s->ngate; i++)
        add_condition(g, &s->gate[i], m, p, now);
}

static void ask_undo(struct gate *g, const struct model *m, const struct plan *p, int step, int64_t now)
{
    const struct plan_step *s = &p->steps[step];
    if (!s->has_undo)
        gate_object(g, GATE_STOP, "%s can't be undone", s->key);
    if (m->step[step].state != STEP_DONE && m->step[step].state != STEP_FAILED)
        gate_object(g, GATE_STOP, "%s is %s: nothing to undo", s->key, step_state_names[m->step[step].state]);
    gate_rule_way_back(g, m, p, step, now);
    check_later(g, m, p, step);
    for (int i = step + 1; i < p->nsteps; i++)
        for (int n = 0; n < p->steps[i].nneeds; n++)
            if (p->steps[i].needs[n] == step && m->step[i].state == STEP_DONE && p->steps[i].has_undo)
                gate_object(g, GATE_HOLD, "%s rests on it: undo that first", p->steps[i].key);
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
        if (p->steps[i].has_undo && (m->step[i].state == STEP_DONE || m->step[i].state == STEP_FAILED) && (m->committed || !gate_has_kind(p, i, "switch")))
            return i; /* a switch that came back by itself has nothing to undo */
    return -1;
}
