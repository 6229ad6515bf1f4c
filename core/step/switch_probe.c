/* After a crash: what the world shows. Read-only. A watchdog may still be at work, so a half-way picture is looked at
 * again for some seconds before it is called partial. */
#include <stdio.h>
#include <string.h>

#include "core/step/switch.h"

enum { PATIENCE_MS = 8000, AGAIN_MS = 200 };
enum { CONNECT, ASK, ANSWER }; /* task.at */

static const char ASK_CLOSED[] =
    "SELECT EXISTS (SELECT FROM pg_db_role_setting s JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database() AND setrole = 0"
    " AND EXISTS (SELECT FROM unnest(setconfig) c WHERE c ~* '^default_transaction_read_only=(on|true|yes|1)'))";

struct sight { /* counts over all databases and poolers */
    int writable[SIDES], target[SIDES], paused, elsewhere;
};

static void ask(struct sw *sw)
{
    FOR_DB(d)
        for (int i = 0; i < SIDES; i++)
            pg_query(d->side[i], ASK_CLOSED, 0, NULL, SWITCH_ASK_MS);
    FOR_POOLER(p)
        pg_query(p->admin, "SHOW DATABASES;", -1, NULL, SWITCH_ASK_MS);
}

static void see_pooler(const struct switch_pooler *p, struct sight *s)
{
    struct pg *a = p->admin;
    int name = pg_column(a, "name"), host = pg_column(a, "host"), port = pg_column(a, "port"), db = pg_column(a, "database");
    for (int i = 0; i < pg_rows(a); i++) {
        if (strcmp(pg_value(a, i, name), p->plan->database) != 0)
            continue;
        s->paused += pg_int(a, i, pg_column(a, "paused")) != 0;
        for (int t = 0; t < SIDES; t++)
            if (pooler_is_target(p->plan->target[t], pg_value(a, i, host), pg_value(a, i, port), pg_value(a, i, db))) {
                s->target[t]++;
                return;
            }
    }
    s->elsewhere++;
}

static struct sight see(struct sw *sw)
{
    struct sight s = {0};
    FOR_DB(d)
        for (int i = 0; i < SIDES; i++)
            s.writable[i] += !pg_bool(d->side[i], 0, 0);
    FOR_POOLER(p)
        see_pooler(p, &s);
    return s;
}

static bool is_on(const struct sw *sw, const struct sight *s, enum side side)
{
    return s->writable[side] == sw->ndbs && s->writable[!side] == 0 && s->target[side] == sw->npoolers && s->paused == 0;
}

static void say_watchdog(const struct sw *sw, char *text, size_t size)
{
    struct watchdog_entry e;
    text[0] = '\0';
    if (watchdog_last(sw->run->state_dir, &e) && strcmp(e.did, "tries") != 0)
        snprintf(text, size, " The watchdog %s them after %.1f ms.", e.did, (double)e.pause_us / 1000);
}

static void conclude(struct sw *sw, const struct sight *s)
{
    char dog[80];
    say_watchdog(sw, dog, sizeof dog);
    if (is_on(sw, s, BLUE))
        step_end(sw->run, "before", "%s takes writes, the poolers lead to %s and are not paused: nothing moved.%s", switch_Name(sw, BLUE), switch_name(sw, BLUE), *dog ? " The watchdog may have returned writes." : "");
    else if (is_on(sw, s, GREEN))
        step_end(sw->run, "after", "%s takes writes, the poolers lead to %s and are not paused, %s is read-only: the switch is done.", switch_Name(sw, GREEN), switch_name(sw, GREEN), switch_name(sw, BLUE));
    else
        step_end(sw->run, "partial", "%d of %d databases take writes on %s, %d on %s; %d poolers lead to %s, %d to %s, %d elsewhere; %d paused.",
                 s->writable[BLUE], sw->ndbs, switch_name(sw, BLUE), s->writable[GREEN], switch_name(sw, GREEN), s->target[BLUE], switch_name(sw, BLUE), s->target[GREEN], switch_name(sw, GREEN), s->elsewhere, s->paused);
}

static void fail_unreachable(struct sw *sw)
{
    step_end(sw->run, "unreachable", "%.230s", sw->why);
}

/* Answers are in: done, or once more. */
static void take_answers(struct sw *sw)
{
    struct task *t = &sw->run->task;
    enum look l = switch_all_good(sw);
    if (l == LOOK_FAIL) {
        fail_unreachable(sw);
        return;
    }
    if (l == LOOK_WAIT) {
        task_wait(t, SWITCH_ASK_MS);
        return;
    }
    struct sight s = see(sw);
    if (is_on(sw, &s, BLUE) || is_on(sw, &s, GREEN) || clock_mono() - sw->run->started > PATIENCE_MS) {
        conclude(sw, &s);
        return;
    }
    t->at = ASK;
    task_sleep(t, AGAIN_MS);
}

void switch_probe(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    struct sw *sw = run->own;
    switch (task->at) {
    case CONNECT:
        if (!sw->run) {
            sw->run = run;
            switch_take_plan(sw);
            switch_begin_connect(sw);
        }
        switch (switch_look_connect(sw)) {
        case LOOK_WAIT: task_wait(task, SWITCH_CONNECT_MS); return;
        case LOOK_FAIL: fail_unreachable(sw); return;
        default: break;
        }
        /* fall through */
    case ASK:
        ask(sw);
        task->at = ANSWER;
        task_wait(task, SWITCH_ASK_MS);
        return;
    case ANSWER: take_answers(sw); return;
    }
}
