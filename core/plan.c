#include "core/plan.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *const side_names[SIDES] = {"blue", "green"};

void plan_free(struct plan *plan)
{
    if (!plan)
        return;
    arena_free(&plan->arena);
    free(plan);
}

#define FIND(array, count, field)                                                                                                                    \
    for (int i = 0; i < (count); i++)                                                                                                                \
        if (strcmp((array)[i].field, name) == 0)                                                                                                     \
            return i;                                                                                                                                \
    return -1

int plan_find_step(const struct plan *plan, const char *name)
{
    FIND(plan->steps, plan->nsteps, key);
}

int plan_find_check(const struct plan *plan, const char *name)
{
    FIND(plan->checks, plan->nchecks, key);
}

int plan_find_database(const struct plan *plan, const char *name)
{
    FIND(plan->databases, plan->ndatabases, name);
}

int plan_find_resolver(const struct plan *plan, const char *name)
{
    int from = 0, to = plan->dns.nresolvers;
    while (from < to) {
        int middle = (from + to) / 2, at = plan->dns.resolver_order[middle];
        int order = strcmp(plan->dns.resolvers[at].name, name);
        if (order == 0)
            return at;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return -1;
}

int plan_find_record(const struct plan *plan, const char *name, const char *type)
{
    for (int i = 0; i < plan->dns.nrecords; i++)
        if (strcasecmp(plan->dns.records[i].name, name) == 0 && strcasecmp(plan->dns.records[i].type, type) == 0)
            return i;
    return -1;
}

const struct plan_option *plan_option_find(const struct plan_option *options, int noptions, const char *name)
{
    for (int i = 0; i < noptions; i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

const char *plan_option_text(const struct plan_option *options, int noptions, const char *name, const char *otherwise)
{
    const struct plan_option *o = plan_option_find(options, noptions, name);
    return o && o->nvalues ? o->values[0] : otherwise;
}
