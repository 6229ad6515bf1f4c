/* cron: no active line is left in blue's crontab: a job must never run on both sides. crontab(5): blank lines, comments and
 * settings of the environment are not jobs. The lines come from a file, or from a command such as `ssh blue crontab -l`. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/check/check.h"
#include "core/child.h"
#include "core/text.h"

enum { BEGIN, WAIT };
enum { TIMEOUT = 20000, MOST = 1 << 20 };

struct own {
    struct child *child;
};

/* name = value, where the name may be quoted: crontab(5) */
static bool is_setting(const char *line, size_t len)
{
    const char *eq = memchr(line, '=', len);
    const char *c = line;
    if (!eq)
        return false;
    while (c < eq && (isalnum((unsigned char)*c) || *c == '_' || *c == '"' || *c == '\''))
        c++;
    while (c < eq && isblank((unsigned char)*c))
        c++;
    return c == eq && !isdigit((unsigned char)*line);
}

static bool is_job(const char *line, size_t len)
{
    while (len && isspace((unsigned char)*line))
        line++, len--;
    return len && *line != '#' && !is_setting(line, len);
}

static void judge(struct check_run *run, const char *text, size_t size, const char *where)
{
    int jobs = 0, lines = 0;
    char first[100] = "", evidence[120];
    for (size_t at = 0; at < size; lines++) {
        size_t len = strcspn(text + at, "\n");
        if (is_job(text + at, len) && jobs++ == 0)
            text_line(first, sizeof first, text + at, len);
        at += len + 1;
    }
    snprintf(evidence, sizeof evidence, "%.60s: %d lines, %d active", where, lines, jobs);
    if (jobs)
        check_end(run, CHECK_FAIL, evidence, "%d line%s still active on blue: %s", jobs, jobs == 1 ? " is" : "s are", first);
    else
        check_end(run, CHECK_PASS, evidence, "no line is active on blue");
}

static void judge_file(struct check_run *run, const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f) {
        check_end(run, CHECK_UNKNOWN, "", "%s can't be read: %s", path, strerror(errno));
        return;
    }
    char *text = xcalloc(MOST + 1, 1);
    size_t n = fread(text, 1, MOST, f);
    bool failed = ferror(f) != 0;
    fclose(f);
    if (failed)
        check_end(run, CHECK_UNKNOWN, "", "%s can't be read", path);
    else
        judge(run, text, n, path);
    free(text);
}

static void judge_command(struct check_run *run)
{
    struct own *o = run->own;
    size_t len;
    const char *text = child_output(o->child, &len);
    if (child_failed(o->child))
        check_end(run, CHECK_UNKNOWN, "", "%s", child_error(o->child));
    else
        judge(run, text, len, check_option(run, "command", ""));
}

static void start_command(struct check_run *run, const struct plan_option *command)
{
    struct own *o = run->own;
    const char *argv[64] = {0};
    for (int i = 0; i < command->nvalues && i < 63; i++)
        argv[i] = command->values[i];
    o->child = child_new(&run->task);
    child_start(o->child, &(struct child_opts){.argv = argv, .timeout_ms = TIMEOUT, .output_limit = MOST});
    run->task.at = WAIT;
    task_wait(&run->task, TIMEOUT + 5000);
}

static void work(struct task *task)
{
    struct check_run *run = (struct check_run *)task;
    struct own *o = run->own;
    const struct plan_option *command = plan_option_find(run->check->options, run->check->noptions, "command");
    if (task->at == BEGIN && command)
        start_command(run, command);
    else if (task->at == BEGIN)
        judge_file(run, check_option(run, "file", ""));
    else if (child_busy(o->child))
        task_wait(task, TIMEOUT + 5000);
    else
        judge_command(run);
}

static void free_own(struct check_run *run)
{
    child_free(((struct own *)run->own)->child);
}

const struct check_kind check_cron = {.name = "cron", .own_size = sizeof(struct own), .run = work, .free_own = free_own};
