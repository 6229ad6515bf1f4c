#include "core/retell.h"

static void take(void *arg, const struct event *e, const char *line, size_t len)
{
    struct retold *r = arg;
    (void)line, (void)len;
    if (e->kind == EVENT_run_opened && !r->plan) {
        struct plan_problems problems = {0};
        r->plan = plan_parse(e->run_opened.plan_file, e->run_opened.plan, &problems);
        plan_problems_free(&problems);
        if (r->plan)
            r->model = model_new(r->plan);
    }
    if (!r->plan) {
        r->failed = true;
        return;
    }
    gate_follow(r->model, r->plan, e);
    if (r->each)
        r->each(r, e);
}

bool retell(const char *path, struct retold *r, struct err *err)
{
    if (!journal_read(path, take, r, err))
        return false;
    if (!r->plan || r->failed)
        return err_set(err, "%s: the journal does not begin with a run and its plan, or this version can't read that plan.", path);
    return true;
}

void retold_free(struct retold *r)
{
    model_free(r->model);
    plan_free(r->plan);
    r->model = NULL;
    r->plan = NULL;
}
