/* The run without a person: cutover run PLAN --yes. It confirms each step when its gate opens, and leaves at the first thing
 * that a person would have to decide. The run stays open then: a new one would know nothing of what was done, and do it again.
 * Exit status: 0 done, 1 stopped, 3 returned to blue. */
#include <stdio.h>
#include <string.h>

#include "core/engine.h"

/* A person's word can't be had: the option --yes is that word, and the record says so. */
static void attest_all(struct cutover *c)
{
    for (int i = 0; i < c->plan->nchecks; i++)
        if (strcmp(c->plan->checks[i].kind, "person") == 0 && c->model->check[i].verdict != CHECK_PASS)
            RECORD(&c->door, check_ended, .check = c->plan->checks[i].key, .verdict = "pass", .sentence = "taken as said by --yes", .evidence = "",
                .by = c->user, .expires = clock_wall() + c->plan->checks[i].expires);
}

static bool stop_at_trouble(struct cutover *c, int step)
{
    const struct model_step *s = &c->model->step[step];
    const char *key = c->plan->steps[step].key;
    if (s->state != STEP_FAILED && s->state != STEP_UNKNOWN && s->state != STEP_UNDONE)
        return false;
    if (strcmp(c->plan->steps[step].kind, "switch") == 0 && c->model->returned_at && !c->model->committed)
        engine_leave_run(c, 3, "writes are back on blue, %s is %s: %.200s", key, step_state_names[s->state], s->sentence);
    else
        engine_leave_run(c, 1, "%s is %s, and a person has to decide: %.200s", key, step_state_names[s->state], s->sentence);
    return true;
}

/* Some gates open with time, some never: whoever reads along must see what is waited for, and how long at most. */
static void tell_held(struct cutover *c, int step, const char *why)
{
    enum { PATIENCE = 5000 };
    char text[320], span[24];
    if (c->held_told || clock_mono() - c->held_from < PATIENCE)
        return;
    c->held_told = true;
    snprintf(text, sizeof text, "waits for its gate, at most %s: %.250s", format_span(c->plan->steps[step].timeout, span, sizeof span), why);
    RECORD(&c->door, step_said, .step = c->plan->steps[step].key, .level = "warn", .text = text);
}

void engine_tick_unattended(struct cutover *c)
{
    if (c->over || c->run || c->undo_wanted >= 0)
        return;
    int step = gate_next_step(c->model, c->plan);
    if (step < 0 || stop_at_trouble(c, step))
        return;
    if (strcmp(c->plan->steps[step].kind, "checks") == 0)
        attest_all(c);
    struct err why;
    int64_t now = clock_mono();
    if (engine_run_by_itself(c, step, MODE_RUN, c->user, "--yes", &why)) {
        c->held_from = 0;
        c->held_told = false;
        return;
    }
    if (!c->held_from)
        c->held_from = now;
    tell_held(c, step, why.text);
    if (now - c->held_from > c->plan->steps[step].timeout)
        engine_leave_run(c, 1, "%s did not open within its time-out: %.220s", c->plan->steps[step].key, why.text);
}
