/* A step from the order to its end: gate, intent, act, verify, result. Nothing here knows what a step does. */
#include <stdlib.h>
#include <string.h>

#include "core/engine.h"

enum { VERIFY_AT_LEAST = 10000, GRACE = 5000, LAST_GRACE = 20000 };

static void step_is_over(struct step_run *run);

static void gate_as_text(const struct gate *g, struct buf *out)
{
    buf_puts(out, gate_verdict_names[g->verdict]);
    for (int i = 0; i < g->nlines; i++)
        buf_printf(out, "; %s%s%s: %s", g->line[i].id, *g->line[i].id ? " " : "", g->line[i].text, g->line[i].value);
}

static struct step_run *new_run(struct cutover *c, int step, enum step_mode mode)
{
    struct step_run *run = xcalloc(1, sizeof *run);
    *run = (struct step_run){.loop = c->loop, .plan = c->plan, .model = c->model, .door = &c->door, .state_dir = c->state_dir,
        .index = step, .step = &c->plan->steps[step], .kind = step_kind_find(c->plan->steps[step].kind), .mode = mode, .over = step_is_over, .engine = c};
    return run;
}

static bool wants_word(const struct plan_step *s, enum step_mode mode)
{
    return s->confirm == CONFIRM_TYPE || mode == MODE_UNDO;
}

/* Intent on disk, then the act. */
static void begin(struct cutover *c, int step, enum step_mode mode, const char *user, const char *typed, const struct gate *gate)
{
    struct step_run *run = new_run(c, step, mode);
    struct buf action = {0}, held = {0};
    run->kind->describe(c->plan, c->model, run->step, mode, &action);
    gate_as_text(gate, &held);
    int attempt = c->model->step[step].attempt + (mode == MODE_RUN);
    RECORD(&c->door, step_began, .step = run->step->key, .mode = step_mode_names[mode], .attempt = attempt, .action = action.text ? action.text : "",
        .gate = held.text, .user = user, .typed = typed);
    buf_free(&action);
    buf_free(&held);
    c->run = run;
    c->verify_until = 0;
    c->overran = false;
    if (c->model->journal_broken && mode != MODE_PROBE) { /* no intent on disk, no act */
        step_end(run, "failed", "the intent could not be written to the journal; nothing was done");
        step_is_over(run);
        return;
    }
    step_start(run);
}

static bool confirmed(const struct plan_step *s, enum step_mode mode, const char *typed, struct err *why)
{
    if (!wants_word(s, mode) || strcmp(typed, s->key) == 0)
        return true;
    return err_set(why, "%s must be confirmed by typing %s", s->key, s->key);
}

static bool may_run(struct cutover *c, int step, enum step_mode mode, struct gate *gate, struct err *why)
{
    if (c->stopping || c->run)
        return err_set(why, "%s", c->run ? "another step is running" : "the engine is stopping");
    gate_ask(c->model, c->plan, step, mode, clock_wall(), gate);
    return gate->verdict == GATE_GO || err_set(why, "%s", gate->why);
}

bool cutover_run_step(struct cutover *c, int step, enum step_mode mode, const char *user, const char *typed, struct err *why)
{
    struct gate gate = {0};
    const struct plan_step *s = &c->plan->steps[step];
    if (!may_run(c, step, mode, &gate, why) || !confirmed(s, mode, typed, why))
        return false;
    begin(c, step, mode, user, wants_word(s, mode) ? typed : "", &gate);
    return true;
}

bool engine_run_by_itself(struct cutover *c, int step, enum step_mode mode, const char *user, const char *word, struct err *why)
{
    struct gate gate = {0};
    if (!may_run(c, step, mode, &gate, why))
        return false;
    begin(c, step, mode, user, word, &gate);
    return true;
}

/* ---- ends ---- */

static bool is_good(const char *result)
{
    return strcmp(result, "done") == 0 || strcmp(result, "undone") == 0;
}

static void finish(struct cutover *c, const char *result, const char *sentence)
{
    struct step_run *run = c->run;
    int step = run->index;
    enum step_mode mode = run->mode;
    RECORD(&c->door, step_ended, .step = run->step->key, .mode = step_mode_names[mode], .result = result, .sentence = sentence,
        .took = clock_mono() - run->started);
    bool undo = mode == MODE_RUN && strcmp(result, "failed") == 0 && run->step->on_fail == ON_FAIL_UNDO && run->step->has_undo;
    c->run = NULL;
    c->verify_until = 0;
    step_free(run);
    if (undo)
        c->undo_wanted = step;
    engine_finish_if_done(c);
}

/* A dry pause that crashed may have been brought back, never further. */
static void settle_dry(struct cutover *c, const char *world, const char *sentence)
{
    if (strcmp(world, "before") == 0 && c->model->pause_began)
        RECORD(&c->door, switch_rehearsed, .proven = false, .pause_us = (c->last_at - c->model->pause_began) * 1000, .text = sentence);
}

/* What the probe of a crashed switch shows is also what became of the writes. */
static void settle_switch(struct cutover *c, const char *world, const char *sentence)
{
    if (strcmp(world, "before") == 0 && (c->model->pause_began || c->model->committed))
        RECORD(&c->door, switch_returned, .by = "watchdog", .pause_us = (c->last_at - c->model->pause_began) * 1000, .why = sentence);
    if (strcmp(world, "after") == 0 && !c->model->committed)
        RECORD(&c->door, switch_committed, .pause_us = c->model->pause_began ? (c->last_at - c->model->pause_began) * 1000 : UNKNOWN, .text = sentence);
}

static void finish_probe(struct cutover *c)
{
    struct step_run *run = c->run;
    const char *world = run->result ? run->result : "unreachable";
    RECORD(&c->door, step_found, .step = run->step->key, .world = world, .sentence = run->sentence);
    if (strcmp(run->step->kind, "switch") == 0)
        settle_switch(c, world, run->sentence);
    if (strcmp(run->step->kind, "switch.dry") == 0)
        settle_dry(c, world, run->sentence);
    finish(c, world, run->sentence);
    engine_probe_unknown(c);
}

/* The task has closed: the act is over, its verify conditions may still have to be awaited. */
static void step_is_over(struct step_run *run)
{
    struct cutover *c = run->engine;
    const char *result = run->result ? run->result : "unknown";
    if (run->mode == MODE_PROBE) {
        finish_probe(c);
        return;
    }
    if (run->mode == MODE_RUN && strcmp(result, "done") == 0 && run->step->nverify && !c->stopping) {
        c->verify_until = clock_mono() + MAX(step_time_left(run), (int64_t)VERIFY_AT_LEAST);
        engine_tick_steps(c);
        return;
    }
    finish(c, run->mode == MODE_UNDO && is_good(result) ? "undone" : result, run->sentence);
}

static void await_verify(struct cutover *c)
{
    struct gate g;
    char sentence[320];
    gate_verify(c->model, c->plan, c->run->index, clock_wall(), &g);
    if (g.verdict == GATE_GO) {
        copy_text(sentence, sizeof sentence, c->run->sentence);
        finish(c, "done", sentence);
    } else if (clock_mono() > c->verify_until || c->run->abort_asked) {
        copy_text(sentence, sizeof sentence, g.why);
        finish(c, "failed", sentence);
    }
}

/* A kind keeps its own deadline; this is the net below it. */
static void watch_deadline(struct cutover *c)
{
    struct step_run *run = c->run;
    int64_t late = clock_mono() - run->started - run->step->timeout;
    if (late > GRACE && !c->overran) {
        c->overran = true;
        run->abort_asked = true;
        step_say(run, "warn", "the step overran its time-out and is told to stop");
        task_wake(&run->task);
    } else if (late > LAST_GRACE && task_is_running(&run->task)) {
        step_end(run, "unknown", "it did not end in time; what it did is not known: look before anything else");
    }
}

void engine_tick_steps(struct cutover *c)
{
    if (c->run && c->verify_until)
        await_verify(c);
    else if (c->run)
        watch_deadline(c);
    if (!c->run && c->undo_wanted >= 0 && !c->stopping) {
        struct err why;
        int step = c->undo_wanted;
        c->undo_wanted = -1;
        if (!engine_run_by_itself(c, step, MODE_UNDO, "on_fail", "on_fail", &why))
            RECORD(&c->door, order_refused, .user = "on_fail", .order = "undo", .step = c->plan->steps[step].key, .why = why.text);
    }
}

/* After a crash: look at the world for each step that began and never ended, one after the other. Only looks. */
void engine_probe_unknown(struct cutover *c)
{
    for (int i = 0; i < c->plan->nsteps && !c->run && !c->stopping; i++) {
        const struct step_kind *kind = step_kind_find(c->plan->steps[i].kind);
        if (c->model->step[i].state != STEP_UNKNOWN || *c->model->step[i].found)
            continue;
        if (kind->probe)
            begin(c, i, MODE_PROBE, "engine", "", &(struct gate){0});
        else
            RECORD(&c->door, step_found, .step = c->plan->steps[i].key, .world = "unreachable", .sentence = "this kind of step leaves nothing that can be looked at: a person must know");
    }
}

bool cutover_abort(struct cutover *c, const char *why)
{
    if (!c->run)
        return false;
    if (!c->run->abort_asked)
        RECORD(&c->door, abort_asked, .step = c->run->step->key, .user = why);
    c->run->abort_asked = true;
    task_wake(&c->run->task);
    return true;
}
