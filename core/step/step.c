#include "core/step/step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

/* One line per kind: add the file's constant here and its row to PLAN_STEP_KINDS. */
extern const struct step_kind step_dns_ttl, step_dns_flip, step_pg_audit, step_pg_replicate, step_pg_cleanup, step_pg_verify, step_checks,
    step_traffic, step_switch, step_switch_dry, step_wait, step_hold, step_command, step_manual;

const struct step_kind *const step_kinds[] = {
    &step_dns_ttl,    &step_pg_audit, &step_pg_replicate, &step_checks, &step_traffic,    &step_switch,
    &step_switch_dry, &step_dns_flip, &step_wait,         &step_hold,   &step_pg_cleanup, &step_pg_verify, &step_command, &step_manual,
};
const int nstep_kinds = ARRAY_LEN(step_kinds);

const struct step_kind *step_kind_find(const char *name)
{
    for (int i = 0; i < nstep_kinds; i++)
        if (strcmp(step_kinds[i]->name, name) == 0)
            return step_kinds[i];
    return NULL;
}

static void closed(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    if (run->kind->free_own)
        run->kind->free_own(run);
    run->over(run);
}

void step_start(struct step_run *run)
{
    run->own = xcalloc(1, run->kind->own_size);
    run->started = clock_mono();
    void (*work)(struct task *) = run->mode == MODE_RUN ? run->kind->run : run->mode == MODE_UNDO ? run->kind->undo : run->kind->probe;
    if (!work)
        die("step kind %s can't %s", run->kind->name, step_mode_names[run->mode]);
    task_start(&run->task, run->loop, work, closed);
}

void step_end(struct step_run *run, const char *result, const char *fmt, ...)
{
    char text[sizeof run->sentence]; /* names of tables and roles may hold anything */
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    text_clean_string(run->sentence, sizeof run->sentence, text);
    run->result = result;
    task_stop(&run->task);
}

void step_say(struct step_run *run, const char *level, const char *fmt, ...)
{
    char text[512], clean[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    text_clean_string(clean, sizeof clean, text);
    RECORD(run->door, step_said, .step = run->step->key, .level = level, .text = clean);
}

void step_progress(struct step_run *run, int64_t done, int64_t total, const char *unit)
{
    RECORD(run->door, step_progressed, .step = run->step->key, .done = done, .total = total, .unit = unit);
}

int64_t step_time_left(const struct step_run *run)
{
    int64_t left = run->started + run->step->timeout - clock_mono();
    return MAX(left, 0);
}

void step_free(struct step_run *run)
{
    free(run->own);
    free(run);
}
