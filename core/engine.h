/* engine: the inside of struct cutover, shared by the cutover_*.c files and nobody else. */
#ifndef CORE_ENGINE_H
#define CORE_ENGINE_H

#include "core/check/check.h"
#include "core/cutover.h"
#include "core/journal.h"
#include "core/source/source.h"
#include "core/step/step.h"


struct cutover {
    struct door door; /* first */
    uv_loop_t *loop;
    struct cutover_options options;
    char *state_dir;
    struct plan *plan;
    struct model *model;
    struct journal *journal; /* NULL: watch_only */
    struct wire *wire;
    struct buf line, backlog;
    int64_t seq, last_at;

    struct task tick;        /* five times a second: deadlines, verify, unattended, cost */
    int64_t next_cost, last_cpu_us, next_try;

    struct source **sources; /* nsources; one that is over is NULL */
    int nsources, sources_open;

    struct step_run *run;    /* the running step; NULL */
    int64_t verify_until;    /* clock_mono; not 0: the action is done, its verify conditions are awaited */
    bool overran;
    int undo_wanted;         /* step to undo next, by on_fail; -1 */
    struct check_run **checks; /* nchecks; NULL where none runs */
    int checks_open;
    struct step_run *audit;    /* of cutover check: not a step of the run, nothing of it is kept; NULL */

    int64_t held_from;       /* unattended: clock_mono since when the next step is kept waiting */
    bool held_told;          /* and why was said */
    bool stopping;
    bool over;
    int exit_status;
    char left_why[320];      /* the engine goes, the run stays open: why; "" */
    char user[32];           /* who started the engine */
};

/* cutover_watch.c */
void engine_start_sources(struct cutover *c);
/* cutover_end.c */
void engine_end_run(struct cutover *c, const char *outcome, int exit_status, const char *fmt, ...) PRINTF(4, 5);
/* The engine goes and the run stays open for a person: its next engine knows all that was done, and repeats nothing. */
void engine_leave_run(struct cutover *c, int exit_status, const char *fmt, ...) PRINTF(3, 4);
void engine_finish_if_done(struct cutover *c); /* when no step is left */
/* cutover_steps.c */
void engine_tick_steps(struct cutover *c);
/* Without a person's confirmation, but through the same gate. `word` stands in the record where a person's typed word would:
 * "--yes", "on_fail". */
bool engine_run_by_itself(struct cutover *c, int step, enum step_mode mode, const char *user, const char *word, struct err *why);
void engine_probe_unknown(struct cutover *c);
/* cutover_orders.c */
struct wire_calls engine_calls(struct cutover *c);
/* cutover_unattended.c */
void engine_tick_unattended(struct cutover *c);

#endif
