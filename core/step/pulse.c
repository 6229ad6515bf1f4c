#include "core/step/pulse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "core/pg.h"

enum { CONNECT, ASK, ANSWER }; /* task.at */
enum { CONNECT_MS = 5000, ANSWER_MS = 60000, EVERY_MS = 5, AGAIN_MS = 20 };

struct pulse {
    struct task task; /* first */
    struct pg *pg;
    char error[200];
    int64_t answered; /* clock_mono_us of the last good answer; 0 = none yet */
    int64_t pause, slowest, answers, errors;
};

/* No table is touched, so that it takes next to nothing from those whom it measures for: it holds a transaction number, as whoever
 * writes does, and an error where the side is read-only. */
static void ask(struct pulse *p)
{
    pg_query(p->pg, "SELECT 1 / (current_setting('transaction_read_only') = 'off')::int, pg_current_xact_id() FROM set_config('synchronous_commit', 'off', true)", -1, NULL, ANSWER_MS);
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

static void take_bad(struct pulse *p)
{
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

struct pulse *pulse_start(uv_loop_t *loop, const char *conninfo)
{
    struct pulse *p = xcalloc(1, sizeof *p);
    char *own = pg_conninfo_with(conninfo, "application_name", ""); /* with a name PgBouncer would SET it first, while others wait for that session */
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
