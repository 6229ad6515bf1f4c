/* command: a program of the plan, by argv; what it prints is told while it runs. Status 0 is done. A call that overran its time
 * is unknown, not failed: what it did is not known. */
#include <string.h>

#include "core/child.h"
#include "core/step/step.h"

enum { BEGIN, LISTEN };
enum { MOST_LINES = 200, MOST_WORDS = 64, GRACE = 2000 };

struct own {
    struct child *child;
    int told[2]; /* lines of stdout, of stderr */
    bool killed;
};

static const struct plan_option *command_of(const struct plan_step *s, enum step_mode mode)
{
    return plan_option_find(s->options, s->noptions, mode == MODE_UNDO ? "undo_run" : "run");
}

static void describe(const struct plan *p, const struct model *m, const struct plan_step *s, enum step_mode mode, struct buf *out)
{
    const struct plan_option *o = command_of(s, mode);
    (void)p, (void)m;
    buf_puts(out, "$");
    for (int i = 0; o && i < o->nvalues; i++)
        buf_printf(out, strpbrk(o->values[i], " \t'\"") || !*o->values[i] ? " '%s'" : " %s", o->values[i]);
}

/* The streams come in no order: many lines of one must not use up what the other may tell. */
static void tell_lines(struct step_run *run)
{
    struct own *o = run->own;
    struct child_line line;
    while (child_read(o->child, &line))
        if (o->told[line.is_err]++ < MOST_LINES)
            step_say(run, line.is_err ? "warn" : "info", "%s", line.text);
        else if (o->told[line.is_err] == MOST_LINES + 1)
            step_say(run, "warn", "it prints more; the rest is not told");
}

static void begin(struct step_run *run)
{
    struct own *o = run->own;
    const struct plan_option *command = command_of(run->step, run->mode);
    const char *argv[MOST_WORDS + 1] = {0};
    if (!command) {
        step_end(run, "failed", "the plan gives no command for this; add %s = [ \"program\", \"argument\" ]", run->mode == MODE_UNDO ? "undo_run" : "run");
        return;
    }
    for (int i = 0; i < command->nvalues && i < MOST_WORDS; i++)
        argv[i] = command->values[i];
    o->child = child_new(&run->task);
    child_start(o->child, &(struct child_opts){.argv = argv, .timeout_ms = run->step->timeout, .grace_ms = GRACE});
    run->task.at = LISTEN;
    task_wait(&run->task, run->step->timeout + 2 * GRACE);
}

static void finish(struct step_run *run)
{
    struct own *o = run->own;
    if (child_timed_out(o->child))
        step_end(run, "unknown", "%s; what it did is not known", child_error(o->child));
    else if (o->killed)
        step_end(run, "aborted", "ended by a person; what it had done stays done");
    else if (child_failed(o->child))
        step_end(run, "failed", "%s", child_error(o->child));
    else
        step_end(run, "done", "ended with status 0");
}

static void work(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    struct own *o = run->own;
    if (task->at == BEGIN) {
        begin(run);
        return;
    }
    tell_lines(run);
    if (run->abort_asked && !o->killed && child_busy(o->child)) {
        o->killed = true;
        child_kill(o->child);
    }
    if (child_busy(o->child))
        task_wait(task, run->step->timeout + 2 * GRACE);
    else
        finish(run);
}

static void free_own(struct step_run *run)
{
    child_free(((struct own *)run->own)->child);
}

const struct step_kind step_command = {.name = "command", .own_size = sizeof(struct own), .describe = describe, .run = work, .undo = work, .free_own = free_own};
