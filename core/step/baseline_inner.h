/* baseline_inner: what baseline.c and baseline_*.c share; nobody else includes it. */
#ifndef CORE_STEP_BASELINE_INNER_H
#define CORE_STEP_BASELINE_INNER_H

#include <limits.h>

#include "core/base.h"
#include "core/plan.h"
#include "core/step/baseline.h"

struct child;
struct task;

/* Which pg_dump fits. */
struct tools {
    struct task *owner;
    struct child *child;
    char **dirs;         /* "" = PATH */
    int ndirs, at;
    int need;            /* blue's major version */
    int best, newest;    /* major versions; 0 = none */
    char bin[PATH_MAX], newest_bin[PATH_MAX];
};

void tools_begin(struct tools *t, struct task *owner, const char *pg_bin, int need);
/* True when the search is over: then best is 0 or bin holds the directory ("" = PATH). */
bool tools_go(struct tools *t);
void tools_free(struct tools *t);

/* The pipe; snapshot: of BASELINE_ROWS. */
struct child *pipe_start(struct task *owner, const struct plan_database *db, enum baseline_what what, const char *bin, const char *snapshot, int64_t timeout_ms);

#endif
