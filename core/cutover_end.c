/* The end of a run: its outcome goes into the journal, its exit status to whoever started the engine. */
#include <stdio.h>

#include "core/engine.h"

void engine_end_run(struct cutover *c, const char *outcome, int exit_status, const char *fmt, ...)
{
    char sentence[320];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(sentence, sizeof sentence, fmt, ap);
    va_end(ap);
    RECORD(&c->door, run_ended, .outcome = outcome, .sentence = sentence);
    c->exit_status = exit_status;
    c->over = true;
}

void engine_leave_run(struct cutover *c, int exit_status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(c->left_why, sizeof c->left_why, fmt, ap);
    va_end(ap);
    c->exit_status = exit_status;
    c->over = true;
}

void engine_finish_if_done(struct cutover *c)
{
    if (c->model->ended || c->run || gate_next_step(c->model, c->plan) >= 0)
        return;
    engine_end_run(c, "done", 0, "every step is done");
}
