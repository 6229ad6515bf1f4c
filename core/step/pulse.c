#include "core/step/pulse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "core/pg.h"
#include "core/settle.h"

enum { CONNECT, ASK, ANSWER }; /* task.at */
enum { CONNECT_MS = 5000, ANSWER_MS = 60000, EVERY_MS = 5, AGAIN_MS = 20 };

struct pulse {
    struct task task; /* first */
    struct pg *pg;
    char id[64], error[200];
    bool asks_only;   /* it may not write the table */
    int64_t answered; /* clock_mono_us of the last good answer; 0 = none yet */
    int64_t pause, slowest, answers, errors;
};

/* Its own row need not be on the disk, so that it takes little from those whom it measures for. */
static void ask(struct pulse *p)
{
    static const char could[] = "SELECT 1 / (current_setting('transaction_read_only') = 'off')::int";
    char sql[200];
    snprintf(sql, sizeof sql, "INSERT INTO cutover.marker (id, at, step) SELECT '%s-%lld', clock_timestamp(), 'pulse' FROM set_config('synchronous_commit', 'off', true)",
             p->id, (long long)p->answers + p->errors);
    pg_query(p->pg, p->asks_only ? could : sql, -1, NULL, ANSWER_MS);
}

static void take_good(struct pulse *p)
{
    int64_t now = clock_mono_us();
    if (p->answered)
        p->pause = MAX(p->pause, now - p->answered);
    p->answered = now;
    p->slowest = MAX(p->slowest, pg_elapsed_us(p->pg));
    p->answers++;
}

/* True when it was one that tells of writes; the wrong role is no failure. */
static void take_bad(struct pulse *p)
{
    if (!p->asks_only && strcmp(pg_sqlstate(p->pg), "42501") == 0) {
        p->asks_only = true;
        return;
    }
    if (p->errors++ == 0)
        copy_text(p->error, sizeof p->error, pg_error(p->pg));
}

static void run(struct task *task)
{
    struct pulse *p = (struct pulse *)task;
    switch (task->at) {
    case CONNECT:
        pg_connect(p->pg, CONNECT_MS);
        task->at = ANSWER;
        task_wait(task, CONNECT_MS + 1000);
        return;
    case ASK:
        ask(p);
        task->at = ANSWER;
        task_wait(task, ANSWER_MS + 1000);
        return;
    case ANSWER:
        if (pg_busy(p->pg)) {
            task_wait(task, ANSWER_MS + 1000);
            return;
        }
        if (pg_failed(p->pg))
            take_bad(p);
        else if (pg_results(p->pg) > 0)
            take_good(p);
        task->at = pg_is_connected(p->pg) ? ASK : CONNECT;
        task_sleep(task, pg_failed(p->pg) ? AGAIN_MS : EVERY_MS);
        return;
    }
}

static void ended(struct task *task)
{
    free(task);
}

struct pulse *pulse_start(uv_loop_t *loop, const char *conninfo, const char *id)
{
    struct pulse *p = xcalloc(1, sizeof *p);
    char *own = settle_conninfo(conninfo, ""); /* with a name PgBouncer would SET it first, while others wait for that session */
    copy_text(p->id, sizeof p->id, id);
    task_start(&p->task, loop, run, ended); /* what belongs to a task asks for its loop */
    p->pg = pg_new(&p->task, own);
    free(own);
    return p;
}

void pulse_read(const struct pulse *p, struct pulse_seen *seen)
{
    *seen = (struct pulse_seen){p->pause, p->slowest, p->answers, p->errors, p->error};
}

bool pulse_is_back(const struct pulse *p, int64_t since_us)
{
    return p->answered > since_us;
}

void pulse_free(struct pulse *p)
{
    if (!p)
        return;
    pg_free(p->pg);
    p->pg = NULL;
    task_stop(&p->task);
}
