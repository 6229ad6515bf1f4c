/* plan_metrics: holds the conditions of a plan against the table of metrics. It stands above metric.h, so the plan's own
 * reader, which stands below, can't do it: who loads a plan to run it calls plan_load, then this. */
#ifndef CORE_PLAN_METRICS_H
#define CORE_PLAN_METRICS_H

#include "core/plan.h"

/* False and more problems when a condition names an unknown metric, or an argument that the plan doesn't have. */
bool plan_metrics_check(const struct plan *plan, struct plan_problems *problems);
/* plan_load and plan_metrics_check in one: NULL and every mistake of both, or a plan that can be run. */
struct plan *plan_metrics_load(const char *path, struct plan_problems *problems);

#endif
