#include "core/step/pgscript.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pgnames.h"

enum { CONNECT_TIMEOUT = 8000, SLACK = 1000, PAUSE = 200 };

const struct plan_database *pgscript_db(const struct pgscript *s)
{
    return &s->run->plan->databases[s->db];
}

struct pg *pgscript_result(const struct pgscript *s)
{
    return s->side[s->rows[s->row].side];
}

bool pgscript_again(struct pgscript *s, int64_t for_ms, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(s->why, sizeof s->why, fmt, ap);
    va_end(ap);
    if (!s->until)
        s->until = clock_mono() + for_ms;
    s->again = clock_mono() < s->until;
    return false;
}

static enum pgscript_state fail(struct pgscript *s, const char *text)
{
    char *why = xprintf("%s: %s", pgscript_db(s)->name, text);
    copy_text(s->why, sizeof s->why, why);
    free(why);
    return PGSCRIPT_FAILED;
}

static enum pgscript_state wait_for(struct pgscript *s, int64_t ms)
{
    task_wait(&s->run->task, ms + SLACK);
    return PGSCRIPT_BUSY;
}

static void close_lines(struct pgscript *s)
{
    for (int side = 0; side < SIDES; side++) {
        pg_free(s->side[side]);
        s->side[side] = NULL;
        s->gone[side] = false;
    }
    buf_free(&s->tables);
    buf_free(&s->others);
}

/* True when the side is connected, or gone where that is allowed. */
static bool connected(struct pgscript *s, enum side side, enum pgscript_state *state)
{
    *state = PGSCRIPT_BUSY;
    if (!s->side[side]) {
        s->side[side] = pg_new(&s->run->task, pgscript_db(s)->conninfo[side]);
        pg_connect(s->side[side], CONNECT_TIMEOUT);
    }
    if (pg_busy(s->side[side])) {
        wait_for(s, CONNECT_TIMEOUT);
        return false;
    }
    if (!pg_failed(s->side[side]))
        return true;
    if (s->may_be_gone[side] && !(side == GREEN && s->gone[BLUE])) {
        s->gone[side] = s->was_gone[side] = true;
        step_say(s->run, "warn", "%s: %s can't be reached; only %s is worked on: %s", pgscript_db(s)->name, side_names[side], side_names[!side],
            pg_error(s->side[side]));
        return true;
    }
    *state = fail(s, pg_error(s->side[side]));
    return false;
}

/* Sends the row's statement; false when there is nothing to send. */
static bool send_row(struct pgscript *s)
{
    const struct pgscript_row *row = &s->rows[s->row];
    struct buf sql = {0};
    if (s->gone[row->side])
        return false;
    row->sql(s, &sql);
    bool any = sql.len > 0;
    if (any)
        pg_query(s->side[row->side], sql.text, -1, NULL, MAX(step_time_left(s->run), (int64_t)SLACK));
    s->sent = clock_mono();
    *s->holder = '\0';
    s->asked_holder = false;
    buf_free(&sql);
    return any;
}

static void next_row(struct pgscript *s)
{
    s->row++;
    s->until = 0;
    *s->why = '\0';
    s->at = PGSCRIPT_SEND;
}

static void next_database(struct pgscript *s)
{
    close_lines(s);
    s->db++;
    s->row = 0;
    s->green_system[0] = s->subscription_oid[0] = '\0';
    s->has_publication = s->has_slot = s->has_subscription = s->has_back = s->has_copied = s->green_is_closed = false;
    s->at = PGSCRIPT_CONNECT_BLUE;
}

/* True: the row is over, go on. */
static bool take_answer(struct pgscript *s, enum pgscript_state *state)
{
    const struct pgscript_row *row = &s->rows[s->row];
    struct pg *pg = s->side[row->side];
    *state = PGSCRIPT_BUSY;
    if (pg_busy(pg) && row->meanwhile && s->run->abort_asked) {
        copy_text(s->why, sizeof s->why, "stopped by a person");
        *state = PGSCRIPT_FAILED;
        return false;
    }
    if (pg_busy(pg) && row->meanwhile)
        row->meanwhile(s);
    if (pg_busy(pg) || pg_busy(s->side[!row->side])) {
        wait_for(s, row->meanwhile ? PAUSE * 2 - SLACK : step_time_left(s->run));
        return false;
    }
    if (pg_failed(pg) && row->may_fail && pg_is_connected(pg)) {
        step_say(s->run, "warn", "%s: %s", pgscript_db(s)->name, pg_error(pg));
        return true;
    }
    if (pg_failed(pg)) {
        *state = fail(s, pg_error(pg));
        return false;
    }
    s->again = false;
    if (row->took && !row->took(s)) {
        if (!s->again) {
            *state = fail(s, s->why);
            return false;
        }
        s->at = PGSCRIPT_SEND;
        task_sleep(&s->run->task, PAUSE);
        return false;
    }
    if (row->say)
        step_say(s->run, "ok", "%s: %s", pgscript_db(s)->name, row->say);
    return true;
}

/* One thing at a time; true when something changed and there may be more to do at once. */
static bool go_one(struct pgscript *s, enum pgscript_state *state)
{
    switch (s->at) {
    case PGSCRIPT_CONNECT_BLUE:
    case PGSCRIPT_CONNECT_GREEN:
        if (!connected(s, s->at == PGSCRIPT_CONNECT_BLUE ? BLUE : GREEN, state))
            return false;
        s->at++;
        pgnames_slot(pgscript_db(s), s->slot, sizeof s->slot);
        return true;
    case PGSCRIPT_SEND:
        if (s->row == s->nrows)
            next_database(s);
        else if (!send_row(s))
            next_row(s);
        else
            s->at = PGSCRIPT_ANSWER;
        return true;
    case PGSCRIPT_ANSWER:
        if (!take_answer(s, state))
            return false;
        next_row(s);
        return true;
    }
    return false;
}

enum pgscript_state pgscript_go(struct pgscript *s)
{
    enum pgscript_state state = PGSCRIPT_BUSY;
    while (s->db < s->run->plan->ndatabases) {
        /* Between two statements nothing is half done: a person's stop and the step's deadline are heard here. */
        if (s->at != PGSCRIPT_ANSWER && (s->run->abort_asked || step_time_left(s->run) == 0)) {
            if (s->run->abort_asked || !*s->why) /* a row that repeats has said what it waits for */
                copy_text(s->why, sizeof s->why, s->run->abort_asked ? "stopped by a person" : "not in time");
            return PGSCRIPT_FAILED;
        }
        if (!go_one(s, &state))
            return state;
    }
    return PGSCRIPT_DONE;
}

void pgscript_free(struct pgscript *s)
{
    close_lines(s);
}
