#include "core/plan_metrics.h"

#include <string.h>

#include "core/metric.h"
#include "core/plan_read.h"

/* The names that may stand in the brackets of a metric, separated by spaces. */
static void list_arguments(const struct plan *p, const char *what, struct buf *out)
{
    buf_puts(out, "");
    for (int i = 0; strcmp(what, "database") == 0 && i < p->ndatabases; i++)
        buf_printf(out, "%s ", p->databases[i].name);
    for (int i = 0; strcmp(what, "record") == 0 && i < p->dns.nrecords; i++)
        buf_printf(out, "%s ", p->dns.records[i].name);
    for (int i = 0; strcmp(what, "check") == 0 && i < p->nchecks; i++)
        buf_printf(out, "%s ", p->checks[i].key);
    for (int i = 0; strcmp(what, "step") == 0 && i < p->nsteps; i++)
        buf_printf(out, "%s ", p->steps[i].key);
    if (strcmp(what, "side") == 0)
        buf_puts(out, "blue green ");
}

static bool has_word(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *w = words; *(w += strspn(w, " ")); w += strcspn(w, " "))
        if (strcspn(w, " ") == len && strncmp(w, word, len) == 0)
            return true;
    return false;
}

static void check_argument(const struct plan *p, struct plan_problems *problems, const struct plan_condition *c, const struct metric *m)
{
    struct buf names = {0};
    char hint[300];
    list_arguments(p, m->argument, &names);
    if (!m->argument[0])
        plan_problems_add(problems, p->file, c->line, "The condition \"%.80s\": %s takes no argument; take out (%s).", c->text, c->metric, c->argument);
    else if (!has_word(names.text, c->argument))
        plan_problems_add(problems, p->file, c->line, "The condition \"%.80s\": the plan has no %s \"%s\"%s", c->text, m->argument, c->argument,
                          plan_hint(c->argument, names.text, hint, sizeof hint));
    buf_free(&names);
}

static void check_condition(const struct plan *p, struct plan_problems *problems, const struct plan_condition *c)
{
    const struct metric *m = metric_find(c->metric);
    struct buf names = {0};
    char hint[128];
    for (int i = 0; !m && i < nmetrics; i++)
        buf_printf(&names, "%s ", metrics[i].name);
    if (!m)
        plan_problems_add(problems, p->file, c->line, "The condition \"%.80s\": there is no metric %s%s", c->text, c->metric,
                          plan_suggest(c->metric, names.text, hint, sizeof hint)[0] ? hint : "; see  cutover help metrics");
    else if (c->argument[0])
        check_argument(p, problems, c, m);
    else if (strcmp(m->argument, "step") == 0)
        plan_problems_add(problems, p->file, c->line, "The condition \"%.80s\": %s needs a step, such as %s(%s).", c->text, c->metric, c->metric, p->steps[0].key);
    buf_free(&names);
}

bool plan_metrics_check(const struct plan *plan, struct plan_problems *problems)
{
    int before = problems->count;
    for (int i = 0; i < plan->nsteps; i++) {
        for (int k = 0; k < plan->steps[i].ngate; k++)
            check_condition(plan, problems, &plan->steps[i].gate[k]);
        for (int k = 0; k < plan->steps[i].nverify; k++)
            check_condition(plan, problems, &plan->steps[i].verify[k]);
    }
    return problems->count == before;
}

struct plan *plan_metrics_load(const char *path, struct plan_problems *problems)
{
    return plan_load_also(path, problems, plan_metrics_check);
}
