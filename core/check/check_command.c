/* command: a program ends with status 0. argv, never a shell string unless it says shell. */
#include <stdio.h>
#include <string.h>

#include "core/check/check.h"
#include "core/child.h"
#include "core/text.h"

enum { BEGIN, WAIT };
enum { TIMEOUT = 120000 };

struct own {
    struct child *child;
};

static void begin(struct check_run *run)
{
    struct own *o = run->own;
    const struct plan_option *command = plan_option_find(run->check->options, run->check->noptions, "run");
    const char *argv[64] = {0};
    for (int i = 0; command && i < command->nvalues && i < 63; i++)
        argv[i] = command->values[i];
    o->child = child_new(&run->task);
    child_start(o->child, &(struct child_opts){.argv = argv, .timeout_ms = TIMEOUT});
    run->task.at = WAIT;
    task_wait(&run->task, TIMEOUT + 5000);
}

static void judge(struct check_run *run)
{
    struct own *o = run->own;
    size_t len;
    char last[160];
    const char *out = child_output(o->child, &len);
    while (len && (out[len - 1] == '\n' || out[len - 1] == '\r'))
        len--;
    size_t from = len;
    while (from && out[from - 1] != '\n')
        from--;
    text_line(last, sizeof last, out + from, len - from);
    if (child_failed(o->child))
        check_end(run, CHECK_FAIL, last, "%s", child_error(o->child));
    else
        check_end(run, CHECK_PASS, last, "%s ended with status 0", check_option(run, "run", ""));
}

static void work(struct task *task)
{
    struct check_run *run = (struct check_run *)task;
    struct own *o = run->own;
    if (task->at == BEGIN)
        begin(run);
    else if (child_busy(o->child))
        task_wait(task, TIMEOUT + 5000);
    else
        judge(run);
}

static void free_own(struct check_run *run)
{
    child_free(((struct own *)run->own)->child);
}

const struct check_kind check_command = {.name = "command", .own_size = sizeof(struct own), .run = work, .free_own = free_own};
