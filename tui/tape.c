#include "tui/tape.h"

#include <stdlib.h>

static bool take_plan(struct tape *t, const struct event *e, struct err *err)
{
    if (e->kind != EVENT_run_opened)
        return err_set(err, "the journal begins with %s instead of run_opened: this is not the beginning of a run", event_name(e->kind));
    struct plan_problems problems = {0};
    t->plan = plan_parse(e->run_opened.plan_file, e->run_opened.plan, &problems);
    if (!t->plan)
        err_set(err, "the plan in the journal does not load: %s", problems.count ? problems.lines[0] : "it is empty");
    plan_problems_free(&problems);
    return t->plan != NULL;
}

static void keep(struct tape *t, const char *line, size_t len, const struct event *e)
{
    if (t->count == t->capacity) {
        t->capacity = MAX(256, t->capacity * 2);
        t->line = xrealloc(t->line, (size_t)t->capacity * sizeof *t->line);
    }
    t->line[t->count++] = (struct tape_line){t->text.len, len, e->at, e->seq, e->kind};
    buf_add(&t->text, line, len);
}

bool tape_add(struct tape *t, const char *line, size_t len, void (*event)(void *arg, const struct event *event), void *arg, struct err *err)
{
    struct event_read read;
    if (!event_decode(line, len, &read, err))
        return false;
    bool ok = t->plan || take_plan(t, &read.event, err);
    if (ok) {
        keep(t, line, len, &read.event);
        if (event)
            event(arg, &read.event);
    }
    event_read_free(&read);
    return ok;
}

void tape_free(struct tape *t)
{
    buf_free(&t->text);
    free(t->line);
    plan_free(t->plan);
    *t = (struct tape){0};
}

int64_t tape_first(const struct tape *t)
{
    return t->count ? t->line[0].at : 0;
}

int64_t tape_last(const struct tape *t)
{
    return t->count ? t->line[t->count - 1].at : 0;
}

static bool is_beyond(const struct tape_line *l, int64_t until_ms, int64_t until_seq)
{
    return (until_ms != TAPE_END && l->at > until_ms) || (until_seq != TAPE_END && l->seq > until_seq);
}

/* A line that was kept has been decoded once, so it decodes again. */
static void fold_line(const struct tape *t, struct reel *reel)
{
    const struct tape_line *l = &t->line[reel->next++];
    struct event_read read;
    struct err err;
    if (!event_decode(t->text.text + l->offset, l->len, &read, &err))
        return;
    gate_follow(reel->model, t->plan, &read.event);
    event_read_free(&read);
}

void tape_fold(const struct tape *t, struct reel *reel, int64_t until_ms, int64_t until_seq)
{
    if (reel->model && reel->next > 0 && is_beyond(&t->line[reel->next - 1], until_ms, until_seq))
        reel_free(reel);
    if (!reel->model)
        reel->model = model_new(t->plan);
    while (reel->next < t->count && !is_beyond(&t->line[reel->next], until_ms, until_seq))
        fold_line(t, reel);
}

void tape_follow(const struct tape *t, struct reel *reel, const struct event *event)
{
    if (!reel->model || reel->next != t->count - 1)
        return;
    gate_follow(reel->model, t->plan, event);
    reel->next++;
}

void reel_free(struct reel *reel)
{
    if (reel->model)
        model_free(reel->model);
    *reel = (struct reel){0};
}
