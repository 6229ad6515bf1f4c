/* pg.verify: both sides hold the same rows, while writes go on. How it can know that stands in verify_inner.h. It reads, slowly
 * enough to be borne (pace), and writes nothing but markers. */
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/format.h"
#include "core/pgnames.h"
#include "core/step/verify_inner.h"
#include "core/text.h"

enum { CONNECT, ARM, LIST, TABLE, BOUND, HASH, ROWS, FIRST, MARK, ARRIVE, AWAIT, OTHER, AGAIN, VALUES, SWEPT }; /* task.at */
enum { CONNECT_MS = 8000, ASK_MS = 60000, WHOLE_MS = 3600000, POLL_MS = 20, LAG_MOST_MS = 5000, LAG_LOOK_MS = 500, TRIES = 5, USUAL_PACE = 50, TOLD_EVERY_MS = 1000 };

/* Everything that changes how a value is written; and a server whose client has gone notices it (from 14 on). */
static const char SETTINGS[] =
    "SET default_transaction_read_only = on; SET search_path = pg_catalog; SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres';"
    " SET extra_float_digits = 3; SET bytea_output = 'hex'; SET lc_monetary = 'C'; SET xmloption = 'content'; SET row_security = off; SET lock_timeout = '5s';"
    " SET standard_conforming_strings = on; SELECT set_config(name, '1s', false) FROM pg_settings WHERE name = 'client_connection_check_interval';";

struct own {
    struct pg *side[SIDES];
    enum side from;           /* takes writes; the other follows */
    int64_t ppm;              /* of the rows: 1000000 = all */
    int pace;                 /* percent of the time in which it may work */
    int db, at;               /* table */
    char subscription[24];
    struct verify_tables tables;
    struct verify_range range;
    int64_t index, size;      /* of the range */
    struct verify_suspects suspects;
    int values;               /* suspect whose columns are being compared */
    struct verify_place place;
    char marker[48];
    int64_t marked;           /* counts markers */
    void *told_keys;          /* a tree of the differing keys of this table: two ranges may come upon the same one */
    char hash[SIDES][64];     /* of a table without a key, at the last try */
    int tries, strikes;
    int64_t began;            /* clock_mono of the range */
    int64_t told;             /* clock_mono of the last progress */
    bool told_lag, resumed;
    /* of the table, of the database, of all */
    int64_t table_rows, table_differences, table_busy;
    int64_t rows, total, differences, busy;
    int64_t all_rows, all_tables, all_differences, all_busy;
};

static struct own *own_of(const struct step_run *run)
{
    return run->own;
}

static const struct plan_database *database(const struct step_run *run)
{
    return &run->plan->databases[own_of(run)->db];
}

static struct pg *from(const struct step_run *run)
{
    return own_of(run)->side[own_of(run)->from];
}

static struct pg *to(const struct step_run *run)
{
    return own_of(run)->side[!own_of(run)->from];
}

static struct verify_table *table(const struct step_run *run)
{
    return &own_of(run)->tables.table[own_of(run)->at];
}

static int64_t patience(const struct step_run *run, int64_t ms)
{
    return MAX(MIN(step_time_left(run), ms), (int64_t)1);
}

static const char *other_name(const struct own *o)
{
    return side_names[!o->from];
}

/* ---- what is told ---- */

static void tell_progress(struct step_run *run, bool now)
{
    struct own *o = own_of(run);
    if (!now && clock_mono() - o->told < TOLD_EVERY_MS)
        return;
    o->told = clock_mono();
    int64_t total = MAX(o->total, o->rows);
    RECORD(run->door, verify_seen, .db = database(run)->name, .table = o->at < o->tables.count ? table(run)->shown : "", .rows = o->rows, .total = total,
        .tables = o->at, .all = o->tables.count, .differences = o->differences);
    step_progress(run, o->all_rows + o->rows, o->all_rows + total, "rows");
}

static void tell_difference(struct step_run *run, const char *key, const char *text)
{
    struct own *o = own_of(run);
    char shown[120];
    o->differences++;
    if (o->table_differences++ >= VERIFY_SHOWN)
        return;
    text_line(shown, sizeof shown, key, strlen(key));
    RECORD(run->door, difference_found, .db = database(run)->name, .table = table(run)->shown, .key = shown, .text = text);
}

static void put_key(const struct verify_table *t, const struct verify_suspect *s, char *out, size_t size)
{
    size_t n = 0;
    for (int k = 0; k < t->nkeys && n < size; k++)
        n += (size_t)snprintf(out + n, size - n, "%s%s", k ? ", " : "", s->key[k]);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool is_told(struct own *o, const struct verify_table *t, const struct verify_suspect *s)
{
    struct buf key = {0};
    for (int k = 0; k < t->nkeys; k++)
        buf_printf(&key, "%zu:%s", strlen(s->key[k]), s->key[k]);
    char **node = tsearch(key.text, &o->told_keys, compare_texts);
    bool before = !node || *node != key.text;
    if (before)
        buf_free(&key); /* else it lives in the tree */
    return before;
}

static void forget_keys(struct own *o)
{
    tdestroy(o->told_keys, free);
    o->told_keys = NULL;
}

/* ---- the next thing to ask: each sets task.at to where its answer is taken ---- */

static void ask_table(struct step_run *run);
static void ask_next_range(struct step_run *run);

static void ask_list(struct step_run *run)
{
    struct own *o = own_of(run);
    const struct plan_option *only = plan_option_find(run->step->options, run->step->noptions, "tables");
    struct buf names = {0};
    for (int i = 0; only && i < only->nvalues; i++)
        pg_array_add(&names, only->values[i]);
    pg_array_end(&names);
    const char *params[] = {names.text};
    char name[64];
    (o->from == BLUE ? pgnames_slot : pgnames_back)(database(run), name, sizeof name);
    const char *sub[] = {name};
    pg_query(from(run), verify_list_sql, 1, params, patience(run, ASK_MS));
    pg_query(to(run), "SELECT s.oid, (SELECT count(*) FROM pg_subscription_rel WHERE srsubid = s.oid AND srsubstate <> 'r') FROM pg_subscription s"
        " JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database() AND subname = $1", 1, sub, patience(run, ASK_MS));
    buf_free(&names);
    run->task.at = LIST;
}

static void ask_mark(struct step_run *run)
{
    struct own *o = own_of(run);
    char sql[240];
    snprintf(o->marker, sizeof o->marker, "verify-%" PRId64 "-%" PRId64, clock_wall(), ++o->marked);
    snprintf(sql, sizeof sql, "BEGIN READ WRITE; INSERT INTO cutover.marker (id, at, step) VALUES ('%s', clock_timestamp(), 'verify'); COMMIT;", o->marker);
    pg_query(from(run), sql, -1, NULL, patience(run, ASK_MS));
    run->task.at = MARK;
}

static void ask_arrived(struct step_run *run)
{
    const char *id[] = {own_of(run)->marker};
    pg_query(to(run), "SELECT count(*) FROM cutover.marker WHERE id = $1", 1, id, patience(run, ASK_MS));
    run->task.at = ARRIVE;
}

static void ask_suspects(struct step_run *run, struct pg *pg, int at)
{
    verify_ask_suspects(pg, table(run), &own_of(run)->suspects, patience(run, ASK_MS));
    run->task.at = at;
}

static void ask_hashes(struct step_run *run)
{
    struct own *o = own_of(run);
    int64_t ms = table(run)->nkeys ? ASK_MS : WHOLE_MS;
    verify_ask_hash(from(run), table(run), &o->range, patience(run, ms));
    verify_ask_hash(to(run), table(run), &o->range, patience(run, ms));
    run->task.at = HASH;
}

/* ---- ends ---- */

static void end_table(struct step_run *run)
{
    struct own *o = own_of(run);
    const struct verify_table *t = table(run);
    if (o->table_differences > VERIFY_SHOWN)
        step_say(run, "bad", "%s: %" PRId64 " rows of %s differ, %d of them are named", database(run)->name, o->table_differences, t->shown, VERIFY_SHOWN);
    if (o->table_busy)
        step_say(run, "warn", "%s: %" PRId64 " rows of %s changed at each of %d looks; they are not judged", database(run)->name, o->table_busy, t->shown, VERIFY_ROUNDS);
    if (!o->table_differences && !o->table_busy)
        verify_place_done(&o->place, o->db, o->subscription, t->digest, o->table_rows);
    verify_place_keep(&o->place, o->db, o->subscription, NULL, NULL, 0);
    o->busy += o->table_busy;
    o->table_rows = o->table_differences = o->table_busy = 0;
    verify_range_free(&o->range);
    forget_keys(o);
    o->at++;
    tell_progress(run, false);
    ask_table(run);
}

/* A question that one side refuses: its columns are others, or we may not read it. Neither is the same data. */
static void end_unreadable(struct step_run *run, enum side side)
{
    char text[200];
    snprintf(text, sizeof text, "could not be compared: %s says %.150s", side_names[side], pg_error(own_of(run)->side[side]));
    tell_difference(run, "", text);
    verify_free_suspects(&own_of(run)->suspects);
    end_table(run);
}

static void end_all(struct step_run *run)
{
    struct own *o = own_of(run);
    char busy[80] = "", rows[32], sample[40] = "";
    verify_place_forget(&o->place);
    if (o->all_busy)
        snprintf(busy, sizeof busy, "; %" PRId64 " rows change too fast to be judged", o->all_busy);
    if (o->ppm < 1000000)
        snprintf(sample, sizeof sample, " (a sample of %g %%)", (double)o->ppm / 10000);
    snprintf(rows, sizeof rows, "%" PRId64, o->all_rows);
    if (o->all_tables == 0)
        step_end(run, "failed", "none of the tables that are to be compared is published");
    else if (o->all_differences)
        step_end(run, "failed", "%" PRId64 " differences between blue and green in %" PRId64 " tables, %s rows%s%s; the log names them by key",
            o->all_differences, o->all_tables, rows, sample, busy);
    else
        step_end(run, "done", "%" PRId64 " tables, %s rows are the same on both sides%s%s", o->all_tables, rows, sample, busy);
}

static void end_database(struct step_run *run)
{
    struct own *o = own_of(run);
    RECORD(run->door, verified, .db = database(run)->name, .tables = o->tables.count, .rows = o->rows, .differences = o->differences, .busy = o->busy, .sample = o->ppm);
    o->all_rows += o->rows;
    o->all_tables += o->tables.count;
    o->all_differences += o->differences;
    o->all_busy += o->busy;
    o->rows = o->total = o->differences = o->busy = 0;
    o->at = 0;
    verify_free_tables(&o->tables);
    pg_close(o->side[BLUE]);
    pg_close(o->side[GREEN]);
    o->db++;
    run->task.at = CONNECT;
}

/* ---- from table to table, from range to range ---- */

/* The markers of the comparison go, and that goes over to the other side by itself. */
static void ask_swept(struct step_run *run)
{
    pg_query(from(run), "BEGIN READ WRITE; DELETE FROM cutover.marker WHERE step = 'verify'; COMMIT;", -1, NULL, patience(run, ASK_MS));
    run->task.at = SWEPT;
}

static bool was_done(struct step_run *run)
{
    struct own *o = own_of(run);
    int64_t rows;
    if (!verify_place_is_done(&o->place, o->db, o->subscription, table(run)->digest, &rows))
        return false;
    verify_place_done(&o->place, o->db, o->subscription, table(run)->digest, rows);
    o->rows += rows;
    o->resumed = true;
    return true;
}

/* The table that o->at says, or the end of the database. */
static void ask_table(struct step_run *run)
{
    struct own *o = own_of(run);
    int64_t rows = 0;
    while (o->at < o->tables.count && was_done(run))
        o->at++;
    if (o->at == o->tables.count) {
        ask_swept(run);
        return;
    }
    o->index = -1;
    o->size = VERIFY_CHUNK_FIRST;
    o->tries = o->strikes = 0;
    if (verify_place_inside(&o->place, o->db, o->subscription, table(run), &o->range, &rows)) {
        o->resumed = true;
        o->table_rows = rows;
        o->rows += rows;
        o->index = 0;
    }
    ask_next_range(run);
}

/* A table without a key is one range. The range before it must have an end, else it was the last one. */
static void ask_next_range(struct step_run *run)
{
    struct own *o = own_of(run);
    o->began = clock_mono();
    o->index++;
    if (!table(run)->nkeys) {
        ask_hashes(run);
        return;
    }
    struct verify_range next = o->range;
    if (o->range.has_high) {
        memcpy(next.low, o->range.high, sizeof next.low);
        next.has_low = true;
    }
    verify_ask_bound(from(run), table(run), &next, o->size, patience(run, ASK_MS));
    run->task.at = BOUND;
}

/* It rests for as long as the pace wants, and for as long as the other side is far behind: who reads makes it slower. */
static int64_t rest(struct step_run *run)
{
    struct own *o = own_of(run);
    int64_t busy = clock_mono() - o->began;
    return o->pace < 100 ? busy * (100 - o->pace) / o->pace : 0;
}

static bool is_behind(struct step_run *run)
{
    struct own *o = own_of(run);
    const struct model_db *m = run->model ? &run->model->db[o->db] : NULL;
    int64_t lag = !m ? 0 : o->from == BLUE ? m->lag_ms : m->back_ms;
    if (lag <= LAG_MOST_MS)
        return false;
    if (!o->told_lag)
        step_say(run, "info", "%s is %lld s behind: the comparison waits until it is below %d s", other_name(o), (long long)(lag / 1000), LAG_MOST_MS / 1000);
    o->told_lag = true;
    return true;
}

/* A range is proven, or its suspects are judged. */
static void end_range(struct step_run *run)
{
    struct own *o = own_of(run);
    bool last = !o->range.has_high;
    verify_free_suspects(&o->suspects);
    if (!o->table_differences && !o->table_busy)
        verify_place_keep(&o->place, o->db, o->subscription, table(run), &o->range, o->table_rows);
    tell_progress(run, false);
    if (last)
        end_table(run);
    else
        run->task.at = TABLE; /* rest, then the next range */
}

/* ---- answers ---- */

static void take_list(struct step_run *run)
{
    struct own *o = own_of(run);
    if (pg_rows(to(run)) == 0 || pg_int(to(run), 0, 1) > 0) {
        step_end(run, "failed", "%s does not follow %s: %s; run the replicate step first", other_name(o), side_names[o->from],
            pg_rows(to(run)) ? "tables are still being copied" : "there is no subscription of cutover");
        return;
    }
    copy_text(o->subscription, sizeof o->subscription, pg_value(to(run), 0, 0));
    verify_take_tables(&o->tables, from(run));
    for (int i = 0; i < o->tables.count; i++)
        o->total += o->ppm < 1000000 ? o->tables.table[i].estimate * o->ppm / 1000000 : o->tables.table[i].estimate;
    ask_table(run);
    if (o->resumed)
        step_say(run, "info", "%s: goes on where an earlier comparison stood, after %d tables and %" PRId64 " rows", database(run)->name, o->at, o->rows);
    o->resumed = false;
    tell_progress(run, true);
}

static void take_bound(struct step_run *run)
{
    struct own *o = own_of(run);
    verify_range_next(&o->range, table(run), from(run));
    if (verify_is_sampled(table(run)->shown, o->index, o->ppm))
        ask_hashes(run);
    else
        end_range(run);
}

/* Without a key there is only the whole: if blue stood still over two looks with a marker between, green must show it. */
static void judge_whole(struct step_run *run)
{
    struct own *o = own_of(run);
    const char *a = pg_value(from(run), 0, 1), *b = pg_value(to(run), 0, 1);
    char text[160];
    bool same = strcmp(a, b) == 0 && pg_int(from(run), 0, 0) == pg_int(to(run), 0, 0);
    o->strikes = !same && strcmp(a, o->hash[BLUE]) == 0 && strcmp(b, o->hash[GREEN]) == 0 ? o->strikes + 1 : 0;
    copy_text(o->hash[BLUE], sizeof o->hash[BLUE], a);
    copy_text(o->hash[GREEN], sizeof o->hash[GREEN], b);
    if (!same && o->strikes < VERIFY_STRIKES && ++o->tries < TRIES) {
        ask_mark(run);
        return;
    }
    o->table_rows += pg_int(from(run), 0, 0);
    o->rows += pg_int(from(run), 0, 0);
    if (!same && o->strikes >= VERIFY_STRIKES) {
        snprintf(text, sizeof text, "%" PRId64 " rows on %s, %" PRId64 " on %s, and not the same ones; it has no key to say which", pg_int(from(run), 0, 0),
            side_names[o->from], pg_int(to(run), 0, 0), other_name(o));
        tell_difference(run, "", text);
    } else if (!same) {
        o->table_busy += pg_int(from(run), 0, 0);
    }
    end_range(run);
}

static void take_hashes(struct step_run *run)
{
    struct own *o = own_of(run);
    if (!table(run)->nkeys) {
        judge_whole(run);
        return;
    }
    int64_t rows = pg_int(from(run), 0, 0);
    o->size = verify_chunk_size(o->size, MAX(pg_elapsed_us(from(run)), pg_elapsed_us(to(run))));
    o->rows += rows;
    o->table_rows += rows;
    if (rows == pg_int(to(run), 0, 0) && strcmp(pg_value(from(run), 0, 1), pg_value(to(run), 0, 1)) == 0) {
        end_range(run);
        return;
    }
    verify_ask_rows(from(run), table(run), &o->range, patience(run, ASK_MS));
    verify_ask_rows(to(run), table(run), &o->range, patience(run, ASK_MS));
    run->task.at = ROWS;
}

static void next_round(struct step_run *run)
{
    if (own_of(run)->suspects.open)
        ask_suspects(run, from(run), FIRST);
    else
        end_range(run);
}

static void take_arrived(struct step_run *run)
{
    if (pg_int(to(run), 0, 0) == 0) {
        run->task.at = AWAIT;
        return;
    }
    if (table(run)->nkeys)
        ask_suspects(run, to(run), OTHER);
    else
        ask_hashes(run);
}

/* Names what differs in the next suspect that does; one that is missing has nothing to compare. */
static void ask_values(struct step_run *run)
{
    struct own *o = own_of(run);
    struct verify_suspects *s = &o->suspects;
    char key[160], text[80];
    for (; o->values < s->count; o->values++) {
        const struct verify_suspect *row = &s->row[o->values];
        if (row->is != SUSPECT_DIFFERS || is_told(o, table(run), row))
            continue;
        if (row->first && row->other && o->table_differences < VERIFY_SHOWN) {
            verify_ask_values(from(run), table(run), row, patience(run, ASK_MS));
            verify_ask_values(to(run), table(run), row, patience(run, ASK_MS));
            run->task.at = VALUES;
            return;
        }
        put_key(table(run), row, key, sizeof key);
        snprintf(text, sizeof text, row->first ? "missing on %s" : "only on %s", other_name(o));
        tell_difference(run, key, row->first && row->other ? "differs" : text);
    }
    o->table_busy += s->open;
    end_range(run);
}

static void take_values(struct step_run *run)
{
    struct own *o = own_of(run);
    char key[160], columns[120], text[160];
    put_key(table(run), &o->suspects.row[o->values], key, sizeof key);
    verify_name_columns(from(run), to(run), columns, sizeof columns);
    snprintf(text, sizeof text, *columns ? "differs in %s" : "differs", columns);
    text_line(columns, sizeof columns, text, strlen(text));
    tell_difference(run, key, columns);
    o->values++;
    ask_values(run);
}

static void take_again(struct step_run *run)
{
    struct own *o = own_of(run);
    verify_take_again(&o->suspects, from(run));
    if (o->suspects.open && o->suspects.rounds < VERIFY_ROUNDS) {
        next_round(run);
        return;
    }
    o->values = 0;
    ask_values(run);
}

/* ---- what drives it ---- */

static void connect_both(struct step_run *run)
{
    struct own *o = own_of(run);
    for (int i = 0; i < SIDES; i++) {
        pg_free(o->side[i]);
        o->side[i] = pg_new(&run->task, database(run)->conninfo[i]);
        pg_connect(o->side[i], patience(run, CONNECT_MS));
    }
    run->task.at = ARM;
}

static void arm(struct step_run *run)
{
    struct own *o = own_of(run);
    for (int i = 0; i < SIDES; i++)
        pg_query(o->side[i], SETTINGS, -1, NULL, patience(run, ASK_MS));
    o->from = run->model && run->model->committed ? GREEN : BLUE;
    run->task.at = -1;
}

/* True when the step has ended: a side is away, somebody said stop, the time is over. */
static bool has_ended(struct step_run *run)
{
    struct own *o = own_of(run);
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
    struct own *o = own_of(run);
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

static void take_answer(struct step_run *run)
{
    switch (run->task.at) {
    case -1: ask_list(run); break;
    case LIST: take_list(run); break;
    case TABLE: ask_next_range(run); break;
    case BOUND: take_bound(run); break;
    case HASH: take_hashes(run); break;
    case ROWS:
        verify_find_suspects(&own_of(run)->suspects, table(run), from(run), to(run));
        next_round(run);
        break;
    case FIRST:
        verify_take_first(&own_of(run)->suspects, from(run));
        ask_mark(run);
        break;
    case MARK: ask_arrived(run); break;
    case ARRIVE: take_arrived(run); break;
    case AWAIT: ask_arrived(run); break;
    case OTHER:
        verify_take_other(&own_of(run)->suspects, to(run));
        if (own_of(run)->suspects.open)
            ask_suspects(run, from(run), AGAIN);
        else
            end_range(run);
        break;
    case AGAIN: take_again(run); break;
    case VALUES: take_values(run); break;
    case SWEPT: end_database(run); break;
    }
}

static bool is_busy(const struct own *o)
{
    return o->side[GREEN] && (pg_busy(o->side[BLUE]) || pg_busy(o->side[GREEN]));
}

/* Until the answer; where nothing was asked, for as long as it is to rest. */
static void go_on(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    if (task->at == TABLE)
        task_sleep(task, rest(run));
    else if (task->at == AWAIT || task->at == CONNECT)
        task_sleep(task, task->at == AWAIT ? POLL_MS : 0);
    else
        task_wait(task, patience(run, WHOLE_MS));
}

static void work(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    struct own *o = own_of(run);
    if (is_busy(o) && !run->abort_asked) {
        task_wait(task, patience(run, WHOLE_MS));
        return;
    }
    if (is_hopeless(run))
        return;
    if (task->at == TABLE && is_behind(run)) {
        task_sleep(task, LAG_LOOK_MS);
        return;
    }
    if (task->at == CONNECT && o->db == 0 && !o->ppm)
        begin(run);
    if (task->at == CONNECT && o->db == run->plan->ndatabases)
        end_all(run);
    else if (task->at == CONNECT)
        connect_both(run);
    else if (task->at == ARM)
        arm(run);
    else if (refused(run) >= 0 && task->at >= TABLE && task->at != MARK && task->at != ARRIVE && task->at != AWAIT && task->at != SWEPT)
        end_unreadable(run, (enum side)refused(run));
    else if (refused(run) >= 0)
        step_end(run, "failed", "%s of %s refused: %.170s", side_names[refused(run)], database(run)->name, pg_error(o->side[refused(run)]));
    else
        take_answer(run);
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
    struct own *o = own_of(run);
    if (!o)
        return;
    pg_free(o->side[BLUE]);
    pg_free(o->side[GREEN]);
    verify_free_tables(&o->tables);
    forget_keys(o);
    verify_free_suspects(&o->suspects);
    verify_range_free(&o->range);
    verify_place_free(&o->place);
}

const struct step_kind step_pg_verify = {
    .name = "pg.verify", .own_size = sizeof(struct own), .describe = describe, .run = work, .probe = probe, .free_own = free_own};
