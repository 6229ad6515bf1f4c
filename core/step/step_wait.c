/* wait: nothing is done but looking, until every verify condition of the step holds. */
#include <string.h>

#include "core/step/step.h"

enum { LOOK = 200, SAY_EVERY = 2000 };

struct own {
    char said[240]; /* the last obstacle that was told */
    int64_t said_at;
};

static void describe(const struct plan *p, const struct model *m, const struct plan_step *s, enum step_mode mode, struct buf *out)
{
    (void)p, (void)m, (void)mode;
    buf_puts(out, "nothing is changed; waits until");
    for (int i = 0; i < s->nverify; i++)
        buf_printf(out, "%s %s", i ? "\nand" : "", s->verify[i].text);
}

static void say_obstacle(struct step_run *run, const char *why)
{
    struct own *o = run->own;
    if (strcmp(o->said, why) == 0 || clock_mono() - o->said_at < SAY_EVERY)
        return;
    copy_text(o->said, sizeof o->said, why);
    o->said_at = clock_mono();
    step_say(run, "info", "%s", why);
}

static void work(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    struct gate g;
    gate_verify(run->model, run->plan, run->index, clock_wall(), &g);
    if (g.verdict == GATE_GO) {
        step_end(run, "done", "everything that was waited for holds");
    } else if (run->abort_asked) {
        step_end(run, "aborted", "%s", g.why);
    } else if (step_time_left(run) == 0) {
        step_end(run, "failed", "not in time: %s", g.why);
    } else {
        say_obstacle(run, g.why);
        task_sleep(task, LOOK);
    }
}

static void probe(struct task *task)
{
    step_end((struct step_run *)task, "before", "waiting changes nothing: wait again");
}

const struct step_kind step_wait = {.name = "wait", .own_size = sizeof(struct own), .describe = describe, .run = work, .probe = probe};
