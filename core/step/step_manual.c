/* manual: a person does it; the confirmation is their word that it is done. */
#include "core/step/step.h"

static const char *what(const struct plan_step *s)
{
    return plan_option_text(s->options, s->noptions, "say", s->title);
}

static void describe(const struct plan *p, const struct model *m, const struct plan_step *s, enum step_mode mode, struct buf *out)
{
    (void)p, (void)m;
    buf_printf(out, "by hand%s: %s", mode == MODE_UNDO ? ", take it back" : "", what(s));
}

static void work(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    step_end(run, "done", "a person says it is %s", run->mode == MODE_UNDO ? "taken back" : "done");
}

const struct step_kind step_manual = {.name = "manual", .describe = describe, .run = work, .undo = work};
