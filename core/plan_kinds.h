/* plan_kinds: what a kind of step or check says about itself, and the complaints that follow from it. Private to
 * core/plan*.c. The rows come from PLAN_STEP_KINDS and PLAN_CHECK_KINDS. */
#ifndef CORE_PLAN_KINDS_H
#define CORE_PLAN_KINDS_H

#include "core/plan_read.h"

struct plan_kind {
    const char *name;
    bool undo;
    const char *options; /* names, separated by spaces */
    const char *sentence;
};

const struct plan_kind *plan_kind_find(const struct plan_kind *kinds, size_t n, const char *name);
/* Takes an option of the kind; complains, and counts as taken, where only another kind has it. */
bool plan_kind_take(struct plan_reader *r, const config_setting_t *s, const struct plan_kind *kind, const struct plan_kind *kinds, size_t n,
                    struct plan_option **options, int *count);
/* When the kind itself is unknown, no option of any kind is called unknown. */
bool plan_kind_forgives(const config_setting_t *s, const struct plan_kind *kinds, size_t n);
void plan_kind_complain(struct plan_reader *r, const config_setting_t *group, const char *what, const char *kind, const struct plan_kind *kinds, size_t n);
void plan_kind_require(struct plan_reader *r, const config_setting_t *group, const char *kind, const char *needed);
/* Reads steps = ( ... ) of `root`, or the built-in runbook when it has none. */
void plan_steps_read(struct plan_reader *r, const config_setting_t *root);

#endif
