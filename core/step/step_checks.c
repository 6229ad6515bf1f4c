/* checks: proves every item of the checklist again, all at once, and waits for the words that only persons can say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/check/check.h"
#include "core/step/step.h"

enum { BEGIN, PROVE, PERSONS };
enum { LOOK = 300 };

struct own {
    struct check_run **run; /* NULL where none runs */
    int open;
    bool told_persons;
};

static void describe(const struct plan *p, const struct model *m, const struct plan_step *s, enum step_mode mode, struct buf *out)
{
    (void)m, (void)s, (void)mode;
    for (int i = 0; i < p->nchecks; i++)
        buf_printf(out, "%s%s (%s)%s", i ? "\n" : "", p->checks[i].title, p->checks[i].kind, p->checks[i].required ? "" : ", not required");
}

static void one_over(struct check_run *check)
{
    struct step_run *run = check->owner;
    struct own *o = run->own;
    o->run[check->index] = NULL;
    o->open--;
    check_free(check);
    task_wake(&run->task);
}

static void begin(struct step_run *run)
{
    struct own *o = run->own;
    o->run = xcalloc((size_t)run->plan->nchecks, sizeof(struct check_run *));
    for (int i = 0; i < run->plan->nchecks; i++) {
        o->run[i] = check_start(run->loop, run->plan, run->model, run->door, run->state_dir, i, one_over, run);
        o->open += o->run[i] != NULL;
    }
}

static void stop_all(struct step_run *run)
{
    struct own *o = run->own;
    for (int i = 0; i < run->plan->nchecks; i++)
        if (o->run[i])
            task_stop(&o->run[i]->task);
}

/* The first required item that does not pass; -1. Persons' items only when asked for. */
static int first_bad(const struct step_run *run, bool persons)
{
    for (int i = 0; i < run->plan->nchecks; i++) {
        bool person = strcmp(run->plan->checks[i].kind, "person") == 0;
        if (run->plan->checks[i].required && person == persons && check_verdict_at(&run->model->check[i], clock_wall()) != CHECK_PASS)
            return i;
    }
    return -1;
}

static void await_persons(struct step_run *run)
{
    struct own *o = run->own;
    int open = first_bad(run, true);
    if (open < 0) {
        step_end(run, "done", "every required item passes");
    } else if (run->abort_asked) {
        step_end(run, "aborted", "%s was not said", run->plan->checks[open].title);
    } else if (step_time_left(run) == 0) {
        step_end(run, "failed", "%s: nobody said it in time", run->plan->checks[open].title);
    } else {
        if (!o->told_persons)
            step_say(run, "info", "waiting for a person: %s (select it, press t)", run->plan->checks[open].title);
        o->told_persons = true;
        task_sleep(&run->task, LOOK);
    }
}

static void work(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    struct own *o = run->own;
    switch (task->at) {
    case BEGIN:
        begin(run);
        task->at = PROVE;
        /* fall through */
    case PROVE: {
        if (run->abort_asked || step_time_left(run) == 0)
            stop_all(run);
        step_progress(run, run->plan->nchecks - o->open, run->plan->nchecks, "checks");
        if (o->open > 0) { /* also after a stop: their last callbacks still name this step */
            task_wait(task, MAX(step_time_left(run), (int64_t)LOOK));
            return;
        }
        int bad = first_bad(run, false);
        if (bad >= 0 && run->abort_asked)
            step_end(run, "aborted", "stopped by a person");
        else if (bad >= 0)
            step_end(run, "failed", "%s: %s", run->plan->checks[bad].title, run->model->check[bad].sentence);
        if (bad >= 0)
            return;
        task->at = PERSONS;
    }
        /* fall through */
    case PERSONS:
        await_persons(run);
        return;
    }
}

static void probe(struct task *task)
{
    step_end((struct step_run *)task, "before", "checks change nothing: run them again");
}

static void free_own(struct step_run *run)
{
    free(((struct own *)run->own)->run);
}

const struct step_kind step_checks = {.name = "checks", .own_size = sizeof(struct own), .describe = describe, .run = work, .probe = probe, .free_own = free_own};
