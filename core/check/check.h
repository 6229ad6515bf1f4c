/* check: an item of the checklist. A kind is one file check_x.c that ends in one `const struct check_kind` and one row in
 * check.c. It proves one thing now and ends with check_end(): verdict, sentence, evidence. The evidence expires. */
#ifndef CORE_CHECK_CHECK_H
#define CORE_CHECK_CHECK_H

#include "core/model.h"
#include "core/task.h"

struct check_run {
    struct task task; /* first */
    uv_loop_t *loop;
    const struct plan *plan;
    const struct model *model;
    struct door *door;
    const char *state_dir;
    int index;
    const struct plan_check *check;
    const struct check_kind *kind;
    int64_t started;
    enum check_verdict verdict;
    bool ended;
    void *own;
    void (*over)(struct check_run *run); /* who started it; called when the task has closed; frees it with check_free */
    void *owner;
};
struct check_kind {
    const char *name; /* as in PLAN_CHECK_KINDS */
    size_t own_size;
    void (*run)(struct task *task);
    void (*free_own)(struct check_run *run);
};
extern const struct check_kind *const check_kinds[];
extern const int ncheck_kinds;
const struct check_kind *check_kind_find(const char *name);

/* Starts item `index` of the plan: records check_began, later check_ended. NULL for kind person: only a person can. */
struct check_run *check_start(uv_loop_t *loop, const struct plan *plan, const struct model *model, struct door *door,
                              const char *state_dir, int index, void (*over)(struct check_run *), void *owner);
void check_end(struct check_run *run, enum check_verdict verdict, const char *evidence, const char *fmt, ...) PRINTF(4, 5);
void check_free(struct check_run *run);
const char *check_option(const struct check_run *run, const char *name, const char *otherwise);
/* Verdict at `now`: evidence past its expiry is unknown. */
enum check_verdict check_verdict_at(const struct model_check *c, int64_t now);

#endif
