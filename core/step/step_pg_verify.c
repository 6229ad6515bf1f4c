/* pg.verify: both sides hold the same rows, while writes go on. How it can know that stands in verify_inner.h. It reads, slowly
 * enough to be borne (pace), and writes nothing but markers. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/step/verify_run.h"

enum { CONNECT_MS = 8000, POLL_MS = 20, LAG_LOOK_MS = 500, USUAL_PACE = 50 };

/* Everything that changes how a value is written; and a server whose client has gone notices it (from 14 on). */
static const char SETTINGS[] =
    "SET default_transaction_read_only = on; SET search_path = pg_catalog; SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres';"
    " SET extra_float_digits = 3; SET bytea_output = 'hex'; SET lc_monetary = 'C'; SET xmloption = 'content'; SET row_security = off; SET lock_timeout = '5s';"
    " SET standard_conforming_strings = on; SELECT set_config(name, '1s', false) FROM pg_settings WHERE name = 'client_connection_check_interval';";

static void connect_both(struct step_run *run)
{
    struct verify_run *o = own_of(run);
    for (int i = 0; i < SIDES; i++) {
        pg_free(o->side[i]);
        o->side[i] = pg_new(&run->task, database(run)->conninfo[i]);
        pg_connect(o->side[i], patience(run, CONNECT_MS));
    }
    run->task.at = VERIFY_AT_ARM;
}

static void arm(struct step_run *run)
{
    struct verify_run *o = own_of(run);
    for (int i = 0; i < SIDES; i++)
        pg_query(o->side[i], SETTINGS, -1, NULL, patience(run, VERIFY_ASK_MS));
    o->from = run->model && run->model->committed ? GREEN : BLUE;
    run->task.at = -1;
}

/* True when the step has ended: a side is away, somebody said stop, the time is over. */
static bool has_ended(struct step_run *run)
{
    struct verify_run *o = own_of(run);
    for (int i = 0; o->side[GREEN] && i < SIDES; i++)
        if (pg_failed(o->side[i]) && !pg_is_connected(o->side[i])) {
            step_end(run, "failed", "%s of %s could not be asked: %.120s; run the step again, it goes on where it stood", side_names[i], database(run)->name, pg_error(o->side[i]));
            return true;
        }
    if (run->abort_asked)
        step_end(run, "aborted", "stopped by a person after %" PRId64 " rows; run again, it goes on where it stood", o->all_rows + o->rows);
    else if (step_time_left(run) == 0)
        step_end(run, "failed", "the time of the step was over after %" PRId64 " rows; run again, it goes on where it stood", o->all_rows + o->rows);
    else
        return false;
    return true;
}

/* What was compared is kept. */
static bool is_hopeless(struct step_run *run)
{
    if (!has_ended(run))
        return false;
    verify_place_flush(&own_of(run)->place);
    return true;
}

static int64_t percent(const struct plan_step *s, const char *option, int otherwise)
{
    const char *text = plan_option_text(s->options, s->noptions, option, "");
    return *text ? strtol(text, NULL, 10) : otherwise;
}

static void begin(struct step_run *run)
{
    struct verify_run *o = own_of(run);
    const struct plan_option *only = plan_option_find(run->step->options, run->step->noptions, "tables");
    struct buf settings = {0};
    o->ppm = percent(run->step, "sample", 100) * 10000;
    o->pace = (int)percent(run->step, "pace", USUAL_PACE);
    buf_printf(&settings, "%s %d %%", run->plan->name, (int)(o->ppm / 10000));
    for (int i = 0; only && i < only->nvalues; i++)
        buf_printf(&settings, " %s", only->values[i]);
    for (char *c = settings.text; *c; c++)
        if (*c == '\n')
            *c = ' ';
    verify_place_open(&o->place, run->state_dir, run->step->key, settings.text);
    buf_free(&settings);
}

/* The side that refused the last question; -1. */
static int refused(const struct step_run *run)
{
    for (int i = 0; i < SIDES; i++)
        if (pg_failed(own_of(run)->side[i]))
            return i;
    return -1;
}

static bool is_busy(const struct verify_run *o)
{
    return o->side[GREEN] && (pg_busy(o->side[BLUE]) || pg_busy(o->side[GREEN]));
}

/* Until the answer; where nothing was asked, for as long as it is to rest. */
static void go_on(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    if (task->at == VERIFY_AT_TABLE)
        task_sleep(task, verify_rest(run));
    else if (task->at == VERIFY_AT_AWAIT || task->at == VERIFY_AT_CONNECT)
        task_sleep(task, task->at == VERIFY_AT_AWAIT ? POLL_MS : 0);
    else
        task_wait(task, patience(run, VERIFY_WHOLE_MS));
}

static void work(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    struct verify_run *o = own_of(run);
    if (is_busy(o) && !run->abort_asked) {
        task_wait(task, patience(run, VERIFY_WHOLE_MS));
        return;
    }
    if (is_hopeless(run))
        return;
    if (task->at == VERIFY_AT_TABLE && verify_is_behind(run)) {
        task_sleep(task, LAG_LOOK_MS);
        return;
    }
    if (task->at == VERIFY_AT_CONNECT && o->db == 0 && !o->ppm)
        begin(run);
    if (task->at == VERIFY_AT_CONNECT && o->db == run->plan->ndatabases)
        verify_end_all(run);
    else if (task->at == VERIFY_AT_CONNECT)
        connect_both(run);
    else if (task->at == VERIFY_AT_ARM)
        arm(run);
    else if (refused(run) >= 0 && task->at >= VERIFY_AT_TABLE && task->at != VERIFY_AT_MARK && task->at != VERIFY_AT_ARRIVE && task->at != VERIFY_AT_AWAIT && task->at != VERIFY_AT_SWEPT)
        verify_end_unreadable(run, (enum side)refused(run));
    else if (refused(run) >= 0)
        step_end(run, "failed", "%s of %s refused: %.170s", side_names[refused(run)], database(run)->name, pg_error(o->side[refused(run)]));
    else
        verify_take_answer(run);
    if (!run->result)
        go_on(task);
}

static void describe(const struct plan *p, const struct model *m, const struct plan_step *s, enum step_mode mode, struct buf *out)
{
    const struct plan_option *only = plan_option_find(s->options, s->noptions, "tables");
    (void)m;
    if (mode == MODE_PROBE) {
        buf_puts(out, "nothing: a comparison changes nothing");
        return;
    }
    for (int i = 0; i < p->ndatabases; i++)
        buf_printf(out, "%s: compare %d %% of the rows of %s, range by range of their keys, in at most %d %% of the time\n", p->databases[i].name,
            (int)percent(s, "sample", 100), only ? "the named tables" : "every published table", (int)percent(s, "pace", USUAL_PACE));
    buf_puts(out, "reads only; for rows that differ a marker is written to cutover.marker and awaited on the other side");
}

static void probe(struct task *task)
{
    step_end((struct step_run *)task, "before", "a comparison changes nothing: run it again, it goes on where it stood");
}

static void free_own(struct step_run *run)
{
    struct verify_run *o = own_of(run);
    if (!o)
        return;
    pg_free(o->side[BLUE]);
    pg_free(o->side[GREEN]);
    verify_free_tables(&o->tables);
    verify_forget_keys(o);
    verify_free_suspects(&o->suspects);
    verify_range_free(&o->range);
    verify_place_free(&o->place);
}

const struct step_kind step_pg_verify = {
    .name = "pg.verify", .own_size = sizeof(struct verify_run), .describe = describe, .run = work, .probe = probe, .free_own = free_own};
