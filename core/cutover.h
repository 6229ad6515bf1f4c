/* cutover: the engine. It owns the run: plan, model, journal, sources, the running step. One door in (its `door`), one gate
 * down. No terminal, no screen; it lives until the run is over or it is told to stop. */
#ifndef CORE_CUTOVER_H
#define CORE_CUTOVER_H

#include "core/gate.h"
#include "core/wire.h"

struct cutover;

struct cutover_options {
    const char *plan_path;
    const char *state_dir; /* journal, socket, files of the run */
    bool unattended;       /* cutover run --yes: confirms every step by itself when its gate opens */
    bool watch_only;       /* cutover check: no journal, no socket, no steps */
};

struct cutover *cutover_new(uv_loop_t *loop, const struct cutover_options *options, struct err *err);
void cutover_free(struct cutover *c);
void cutover_record(struct cutover *c, struct event *event); /* journal, fold, screens: in that order */
const struct model *cutover_model(const struct cutover *c);
const struct plan *cutover_plan(const struct cutover *c);
/* Refuses with the gate's sentence. `typed` must be the step's key where the plan asks for it. */
bool cutover_run_step(struct cutover *c, int step, enum step_mode mode, const char *user, const char *typed, struct err *why);
void cutover_run_checks(struct cutover *c, const char *key); /* "" = all that a machine can prove */
bool cutover_sources_looked(const struct cutover *c);        /* each source has completed a look */
bool cutover_checks_running(const struct cutover *c);
void cutover_run_audit(struct cutover *c);           /* reads only; what it finds stands in the model */
bool cutover_audit_running(const struct cutover *c);
int cutover_screens(const struct cutover *c);                /* attached now */
bool cutover_abort(struct cutover *c, const char *why);      /* asks the running step to stop; false when none runs */
bool cutover_is_over(const struct cutover *c, int *exit_status);
void cutover_stop(struct cutover *c, const char *why);       /* closes everything; the loop then runs empty */

#endif
