/* step: one action of the runbook. A kind is one file step_x.c that ends in one `const struct step_kind` and one row in
 * step.c. The engine (core/cutover.c) has asked the gate, recorded step_began and then starts the task; the kind works,
 * says what it does, and ends with step_end(); the engine records step_ended.
 *
 * A kind's function is re-entered: switch (run->task.at), cases in the order in which things happen, each return
 * follows exactly one task_wait, task_sleep, task_wait_fd or step_end. `own` is zeroed memory of own_size bytes;
 * free_own releases what it holds (connections, queries). Deadlines come from step->timeout: step_time_left(). */
#ifndef CORE_STEP_STEP_H
#define CORE_STEP_STEP_H

#include "core/gate.h"
#include "core/task.h"

struct step_run {
    struct task task; /* first */
    uv_loop_t *loop;
    const struct plan *plan;
    const struct model *model; /* to look, never to write */
    struct door *door;
    const char *state_dir; /* where a kind may keep files of the run (0700) */
    int index;
    const struct plan_step *step;
    const struct step_kind *kind;
    enum step_mode mode;
    int64_t started;      /* clock_mono */
    bool abort_asked;     /* the task is woken when this is set: stop at the next safe place, leave nothing half done */
    const char *result;   /* "done" ... set by step_end */
    char sentence[240];
    void *own;
    void (*over)(struct step_run *run); /* the engine's; called when the task has closed */
    void *engine;
};

struct step_kind {
    const char *name; /* as in PLAN_STEP_KINDS */
    size_t own_size;
    /* What exactly will run, as it is shown in the confirmation and recorded as intent, lines separated by \n. */
    void (*describe)(const struct plan *p, const struct model *m, const struct plan_step *s, enum step_mode mode, struct buf *out);
    void (*run)(struct task *task);
    void (*undo)(struct task *task);  /* NULL: no undo */
    void (*probe)(struct task *task); /* read-only: ends with step_end(run, "before"|"after"|"partial"|"unreachable", ...) */
    void (*free_own)(struct step_run *run);
};
extern const struct step_kind *const step_kinds[];
extern const int nstep_kinds;
const struct step_kind *step_kind_find(const char *name);

void step_start(struct step_run *run);
void step_end(struct step_run *run, const char *result, const char *fmt, ...) PRINTF(3, 4);
void step_say(struct step_run *run, const char *level, const char *fmt, ...) PRINTF(3, 4);
void step_progress(struct step_run *run, int64_t done, int64_t total, const char *unit);
int64_t step_time_left(const struct step_run *run); /* ms, never below 0 */
void step_free(struct step_run *run);

#endif
