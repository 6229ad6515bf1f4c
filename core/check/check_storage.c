/* storage: rsync(1) would carry nothing more from blue to green. A dry run with checksums: without -c a changed file of equal
 * size and time is missed. */
#include <stdio.h>
#include <string.h>

#include "core/check/check.h"
#include "core/child.h"
#include "core/text.h"

enum { BEGIN, WAIT };
enum { TIMEOUT = 600000, KEPT = 1 << 18 };

struct own {
    struct child *child;
};

static void begin(struct check_run *run)
{
    struct own *o = run->own;
    char from[600];
    const char *given = check_option(run, "from", "");
    size_t len = strlen(given);
    /* The trailing slash means the contents, on both sides the same. */
    snprintf(from, sizeof from, "%s%s", given, len && given[len - 1] == '/' ? "" : "/");
    const char *argv[] = {"rsync", "--archive", "--itemize-changes", "--dry-run", "--checksum", "--delete", "--timeout=60", from, check_option(run, "to", ""), NULL};
    o->child = child_new(&run->task);
    child_start(o->child, &(struct child_opts){.argv = argv, .timeout_ms = TIMEOUT, .output_limit = KEPT});
    run->task.at = WAIT;
    task_wait(&run->task, TIMEOUT + 5000);
}

/* Lines of --itemize-changes: "<f", ">f", "cd", "*deleting"; a line with a leading '.' changes attributes only. */
static int count_changes(const char *out, size_t len, char *first, size_t size)
{
    int n = 0;
    for (size_t at = 0; at < len;) {
        size_t line = strcspn(out + at, "\n");
        if (line && out[at] != '.' && n++ == 0)
            text_line(first, size, out + at, line);
        at += line + 1;
    }
    return n;
}

static void judge(struct check_run *run)
{
    struct own *o = run->own;
    char first[140] = "", evidence[200];
    size_t len;
    const char *out = child_output(o->child, &len);
    if (child_failed(o->child)) {
        check_end(run, CHECK_UNKNOWN, "", "%s", child_error(o->child));
        return;
    }
    int n = count_changes(out, len, first, sizeof first);
    snprintf(evidence, sizeof evidence, "rsync --checksum --dry-run: %d changes %s", n, first);
    if (n)
        check_end(run, CHECK_FAIL, evidence, "%d%s still differ, first %s", n, len >= KEPT ? " or more" : "", first);
    else
        check_end(run, CHECK_PASS, evidence, "green holds what blue holds");
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

const struct check_kind check_storage = {.name = "storage", .own_size = sizeof(struct own), .run = work, .free_own = free_own};
