/* What the engine keeps looking with: a task for each source of the plan, and the checks that were asked for. */
#include <stdlib.h>
#include <string.h>

#include "core/engine.h"

static void source_over(struct source *s)
{
    struct cutover *c = s->engine;
    for (int i = 0; i < c->nsources; i++)
        if (c->sources[i] == s)
            c->sources[i] = NULL;
    c->sources_open--;
    source_free(s);
}

static void start_source(struct cutover *c, const struct source_kind *kind, int index)
{
    struct source *s = xcalloc(1, sizeof *s);
    *s = (struct source){.loop = c->loop, .plan = c->plan, .model = c->model, .door = &c->door, .index = index, .kind = kind, .over = source_over, .engine = c};
    c->sources = xrealloc(c->sources, (size_t)(c->nsources + 1) * sizeof(struct source *));
    c->sources[c->nsources++] = s;
    c->sources_open++;
    source_start(s);
}

void engine_start_sources(struct cutover *c)
{
    for (int k = 0; k < nsource_kinds; k++)
        for (int i = 0; i < source_kinds[k]->count(c->plan); i++)
            start_source(c, source_kinds[k], i);
}

bool cutover_sources_looked(const struct cutover *c)
{
    for (int i = 0; i < c->nsources; i++)
        if (c->sources[i] && c->sources[i]->looks == 0)
            return false;
    return true;
}

static void check_over(struct check_run *run)
{
    struct cutover *c = run->owner;
    c->checks[run->index] = NULL;
    c->checks_open--;
    check_free(run);
}

void cutover_run_checks(struct cutover *c, const char *key)
{
    for (int i = 0; i < c->plan->nchecks && !c->stopping; i++) {
        if ((*key && strcmp(c->plan->checks[i].key, key) != 0) || c->checks[i])
            continue;
        c->checks[i] = check_start(c->loop, c->plan, c->model, &c->door, c->state_dir, i, check_over, c);
        c->checks_open += c->checks[i] != NULL;
    }
}

bool cutover_checks_running(const struct cutover *c)
{
    return c->checks_open > 0;
}

/* ---- the audit of `cutover check` ---- */

static void audit_over(struct step_run *run)
{
    struct cutover *c = run->engine;
    c->audit = NULL;
    step_free(run);
}

/* As the plan's own step does it, also where the plan has none. */
static const struct plan_step *audit_step(const struct plan *p)
{
    static const struct plan_step own = {.key = "audit", .title = "Audit", .kind = "pg.audit", .timeout = 60000};
    for (int i = 0; i < p->nsteps; i++)
        if (strcmp(p->steps[i].kind, own.kind) == 0)
            return &p->steps[i];
    return &own;
}

void cutover_run_audit(struct cutover *c)
{
    if (c->stopping || c->audit || c->plan->ndatabases == 0)
        return;
    struct step_run *run = xcalloc(1, sizeof *run);
    const struct plan_step *step = audit_step(c->plan);
    *run = (struct step_run){.loop = c->loop, .plan = c->plan, .model = c->model, .door = &c->door, .state_dir = c->state_dir, .index = -1, .step = step,
                             .kind = step_kind_find(step->kind), .mode = MODE_RUN, .over = audit_over, .engine = c};
    c->audit = run;
    step_start(run);
}

bool cutover_audit_running(const struct cutover *c)
{
    return c->audit != NULL;
}
