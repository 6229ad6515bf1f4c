/* What comes up the wire: who may say it, what it does, and a sentence when it is refused. */
#include <stdio.h>
#include <string.h>

#include "core/engine.h"

static bool has_role(const struct model *m, int64_t screen, const char *role)
{
    for (int i = 0; i < m->npeople; i++)
        if (strcmp(m->person[i].role, role) == 0 && (screen < 0 || m->person[i].id == screen))
            return true;
    return false;
}

/* ---- one function an order: true, or the sentence why not ---- */

static bool find_step(struct cutover *c, const struct order *o, int *step, struct err *why)
{
    *step = plan_find_step(c->plan, o->step);
    return *step >= 0 || err_set(why, "the plan has no step \"%.60s\"", o->step);
}

static bool order_run(struct cutover *c, const struct order *o, struct err *why)
{
    int step;
    return find_step(c, o, &step, why) && cutover_run_step(c, step, MODE_RUN, o->user, o->typed, why);
}

static bool order_undo(struct cutover *c, const struct order *o, struct err *why)
{
    int step;
    return find_step(c, o, &step, why) && cutover_run_step(c, step, MODE_UNDO, o->user, o->typed, why);
}

static bool order_abort(struct cutover *c, const struct order *o, struct err *why)
{
    if (!c->run || c->run->mode == MODE_PROBE)
        return err_set(why, "no step is running: there is nothing to abort");
    return cutover_abort(c, o->user);
}

static bool order_skip(struct cutover *c, const struct order *o, struct err *why)
{
    int step;
    if (!find_step(c, o, &step, why))
        return false;
    enum step_state state = c->model->step[step].state;
    if (!c->plan->steps[step].skippable)
        return err_set(why, "the plan does not allow %s to be left out (skippable = true would)", o->step);
    if (state == STEP_DONE || state == STEP_RUNNING || state == STEP_UNKNOWN)
        return err_set(why, "%s is %s", o->step, step_state_names[state]);
    if (!*o->reason)
        return err_set(why, "leaving a step out needs a reason");
    RECORD(&c->door, step_skipped, .step = c->plan->steps[step].key, .user = o->user, .reason = o->reason);
    engine_finish_if_done(c);
    return true;
}

static bool order_decide(struct cutover *c, const struct order *o, struct err *why)
{
    int step;
    if (!find_step(c, o, &step, why))
        return false;
    enum step_state state = c->model->step[step].state;
    bool known = strcmp(o->decision, "done") == 0 || strcmp(o->decision, "ready") == 0 || strcmp(o->decision, "failed") == 0;
    if (state != STEP_UNKNOWN && state != STEP_FAILED)
        return err_set(why, "%s is %s: only an unknown or failed step is decided by a person", o->step, step_state_names[state]);
    if (!known)
        return err_set(why, "a step is decided as done, ready or failed");
    if (!*o->reason)
        return err_set(why, "deciding a step needs a reason");
    RECORD(&c->door, step_decided, .step = c->plan->steps[step].key, .decision = o->decision, .user = o->user, .reason = o->reason);
    engine_finish_if_done(c);
    return true;
}

static bool order_pause(struct cutover *c, const struct order *o, struct err *why)
{
    if (c->model->paused)
        return err_set(why, "the run is paused already");
    RECORD(&c->door, run_paused, .user = o->user);
    return true;
}

static bool order_continue(struct cutover *c, const struct order *o, struct err *why)
{
    if (!c->model->paused)
        return err_set(why, "the run is not paused");
    RECORD(&c->door, run_continued, .user = o->user);
    return true;
}

static bool order_note(struct cutover *c, const struct order *o, struct err *why)
{
    if (!*o->text)
        return err_set(why, "an empty note says nothing");
    RECORD(&c->door, note_said, .user = o->user, .text = o->text);
    return true;
}

static bool order_check(struct cutover *c, const struct order *o, struct err *why)
{
    if (*o->check && plan_find_check(c->plan, o->check) < 0)
        return err_set(why, "the plan has no check \"%.60s\"", o->check);
    cutover_run_checks(c, o->check);
    return true;
}

static bool order_attest(struct cutover *c, const struct order *o, struct err *why)
{
    int i = plan_find_check(c->plan, o->check);
    if (i < 0)
        return err_set(why, "the plan has no check \"%.60s\"", o->check);
    if (strcmp(c->plan->checks[i].kind, "person") != 0)
        return err_set(why, "%s is proven by a machine; a person's word does not replace it", o->check);
    if (!*o->text)
        return err_set(why, "say what you looked at");
    RECORD(&c->door, check_ended, .check = c->plan->checks[i].key, .verdict = "pass", .sentence = o->text, .evidence = "", .by = o->user,
        .expires = clock_wall() + c->plan->checks[i].expires);
    return true;
}

static bool order_role(struct cutover *c, const struct order *o, struct err *why)
{
    bool operator = strcmp(o->role, "operator") == 0;
    if (operator && has_role(c->model, -1, "operator"))
        return err_set(why, "somebody holds the controls; they must give them back first");
    for (int i = 0; i < c->model->npeople; i++) {
        const struct model_person *p = &c->model->person[i];
        if (p->id != o->screen)
            continue;
        char user[32], tty[24];
        copy_text(user, sizeof user, p->user);
        copy_text(tty, sizeof tty, p->tty);
        wire_set_role(c->wire, o->screen, operator ? "operator" : "observer");
        RECORD(&c->door, screen_joined, .id = o->screen, .user = user, .tty = tty, .role = operator ? "operator" : "observer");
        return true;
    }
    return err_set(why, "this screen is not attached");
}

static bool order_stop(struct cutover *c, const struct order *o, struct err *why)
{
    if (c->run)
        return err_set(why, "%s is running: abort it first", c->run->step->key);
    if (c->model->committed && !c->model->ended) /* a new run would know nothing of this switch */
        return err_set(why, "writes are on green: the run ends when its last step is done or left out");
    if (!c->model->ended)
        engine_end_run(c, "stopped", 1, "%s ended the run%s%s", o->user, *o->reason ? ": " : "", o->reason);
    c->over = true;
    return true;
}

/* ---- the table ---- */

static const struct {
    const char *name;
    bool observers_too;
    bool (*obey)(struct cutover *c, const struct order *o, struct err *why);
} orders[] = {
    {"run", false, order_run},
    {"undo", false, order_undo},
    {"abort", false, order_abort},
    {"skip", false, order_skip},
    {"decide", false, order_decide},
    {"pause", false, order_pause},
    {"continue", false, order_continue},
    {"note", true, order_note},
    {"check", false, order_check},
    {"attest", false, order_attest},
    {"role", true, order_role},
    {"stop", false, order_stop},
};

static bool obey(struct cutover *c, const struct order *o, struct err *why)
{
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        if (strcmp(orders[i].name, o->order) != 0)
            continue;
        if (!orders[i].observers_too && !has_role(c->model, o->screen, "operator"))
            return err_set(why, "this screen only watches; :take asks for the controls");
        return orders[i].obey(c, o, why);
    }
    return err_set(why, "there is no order \"%.40s\"", o->order);
}

static void ordered(void *arg, const struct order *o)
{
    struct cutover *c = arg;
    struct err why = {0};
    if (!c->stopping && !obey(c, o, &why))
        RECORD(&c->door, order_refused, .user = o->user, .order = o->order, .step = o->step, .why = why.text);
}

static void joined(void *arg, int64_t id, const char *user, const char *tty, bool observer)
{
    struct cutover *c = arg;
    const char *role = observer || has_role(c->model, -1, "operator") ? "observer" : "operator";
    wire_set_role(c->wire, id, role);
    RECORD(&c->door, screen_joined, .id = id, .user = user, .tty = tty, .role = role);
}

static void left(void *arg, int64_t id, const char *user)
{
    struct cutover *c = arg;
    if (!c->stopping)
        RECORD(&c->door, screen_left, .id = id, .user = user);
}

/* What a journal that can't be written doesn't tell a new screen: that it is so, and who is there. */
static void add_unwritten(struct cutover *c)
{
    const struct model *m = c->model;
    struct event broken = {.kind = EVENT_journal_failed, .seq = c->seq, .at = c->last_at, .journal_failed = {.sentence = "the journal can't be written; what was seen since is not in it"}};
    event_encode(&broken, &c->backlog);
    buf_puts(&c->backlog, "\n");
    for (int i = 0; i < m->npeople; i++) {
        const struct model_person *p = &m->person[i];
        struct event joined = {.kind = EVENT_screen_joined, .seq = c->seq, .at = c->last_at, .screen_joined = {.id = p->id, .user = p->user, .tty = p->tty, .role = p->role}};
        event_encode(&joined, &c->backlog);
        buf_puts(&c->backlog, "\n");
    }
}

/* Everything so far, for a new screen: the journal itself, so that nothing is kept twice in memory. */
static const char *backlog(void *arg, size_t *len)
{
    struct cutover *c = arg;
    FILE *f = c->journal ? fopen(journal_path(c->journal), "r") : NULL;
    char part[65536];
    c->backlog.len = 0;
    for (size_t n; f && (n = fread(part, 1, sizeof part, f)) > 0;)
        buf_add(&c->backlog, part, n);
    if (f)
        fclose(f);
    while (c->backlog.len && c->backlog.text[c->backlog.len - 1] != '\n') /* a line that the disk refused half-way */
        c->backlog.len--;
    if (c->model->journal_broken)
        add_unwritten(c);
    *len = c->backlog.len;
    return c->backlog.len ? c->backlog.text : "";
}

struct wire_calls engine_calls(struct cutover *c)
{
    return (struct wire_calls){.joined = joined, .left = left, .ordered = ordered, .backlog = backlog, .arg = c};
}
