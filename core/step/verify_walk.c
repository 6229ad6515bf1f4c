/* From table to table, from range to range: what is asked, and what follows from the answers. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/format.h"
#include "core/pgnames.h"
#include "core/step/verify_run.h"
#include "core/text.h"

enum { LAG_MOST_MS = 5000, TRIES = 5 };

/* ---- the next thing to ask: each sets task.at to where its answer is taken ---- */

static void ask_table(struct step_run *run);
static void ask_next_range(struct step_run *run);

static void ask_list(struct step_run *run)
{
    struct verify_run *o = own_of(run);
    const struct plan_option *only = plan_option_find(run->step->options, run->step->noptions, "tables");
    struct buf names = {0};
    for (int i = 0; only && i < only->nvalues; i++)
        pg_array_add(&names, only->values[i]);
    pg_array_end(&names);
    const char *params[] = {names.text};
    char name[64];
    (o->from == BLUE ? pgnames_slot : pgnames_back)(database(run), name, sizeof name);
    const char *sub[] = {name};
    pg_query(from(run), verify_list_sql, 1, params, patience(run, VERIFY_ASK_MS));
    pg_query(to(run), "SELECT s.oid, (SELECT count(*) FROM pg_subscription_rel WHERE srsubid = s.oid AND srsubstate <> 'r') FROM pg_subscription s"
        " JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database() AND subname = $1", 1, sub, patience(run, VERIFY_ASK_MS));
    buf_free(&names);
    run->task.at = VERIFY_AT_LIST;
}

static void ask_mark(struct step_run *run)
{
    struct verify_run *o = own_of(run);
    char sql[240];
    snprintf(o->marker, sizeof o->marker, "verify-%" PRId64 "-%" PRId64, clock_wall(), ++o->marked);
    snprintf(sql, sizeof sql, "BEGIN READ WRITE; INSERT INTO cutover.marker (id, at, step) VALUES ('%s', clock_timestamp(), 'verify'); COMMIT;", o->marker);
    pg_query(from(run), sql, -1, NULL, patience(run, VERIFY_ASK_MS));
    run->task.at = VERIFY_AT_MARK;
}

static void ask_arrived(struct step_run *run)
{
    const char *id[] = {own_of(run)->marker};
    pg_query(to(run), "SELECT count(*) FROM cutover.marker WHERE id = $1", 1, id, patience(run, VERIFY_ASK_MS));
    run->task.at = VERIFY_AT_ARRIVE;
}

static void ask_suspects(struct step_run *run, struct pg *pg, int at)
{
    verify_ask_suspects(pg, table(run), &own_of(run)->suspects, patience(run, VERIFY_ASK_MS));
    run->task.at = at;
}

static void ask_hashes(struct step_run *run)
{
    struct verify_run *o = own_of(run);
    int64_t ms = table(run)->nkeys ? VERIFY_ASK_MS : VERIFY_WHOLE_MS;
    verify_ask_hash(from(run), table(run), &o->range, patience(run, ms));
    verify_ask_hash(to(run), table(run), &o->range, patience(run, ms));
    run->task.at = VERIFY_AT_HASH;
}

/* ---- ends ---- */

static void end_table(struct step_run *run)
{
    struct verify_run *o = own_of(run);
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
    verify_forget_keys(o);
    o->at++;
    verify_tell_progress(run, false);
    ask_table(run);
}

/* A question that one side refuses: its columns are others, or we may not read it. Neither is the same data. */
void verify_end_unreadable(struct step_run *run, enum side side)
{
    char text[200];
    snprintf(text, sizeof text, "could not be compared: %s says %.150s", side_names[side], pg_error(own_of(run)->side[side]));
    verify_tell_difference(run, "", text);
    verify_free_suspects(&own_of(run)->suspects);
    end_table(run);
}

void verify_end_all(struct step_run *run)
{
    struct verify_run *o = own_of(run);
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
    struct verify_run *o = own_of(run);
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
    run->task.at = VERIFY_AT_CONNECT;
}

/* ---- from table to table, from range to range ---- */

/* The markers of the comparison go, and that goes over to the other side by itself. */
static void ask_swept(struct step_run *run)
{
    pg_query(from(run), "BEGIN READ WRITE; DELETE FROM cutover.marker WHERE step = 'verify'; COMMIT;", -1, NULL, patience(run, VERIFY_ASK_MS));
    run->task.at = VERIFY_AT_SWEPT;
}

static bool was_done(struct step_run *run)
{
    struct verify_run *o = own_of(run);
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
    struct verify_run *o = own_of(run);
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
    struct verify_run *o = own_of(run);
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
    verify_ask_bound(from(run), table(run), &next, o->size, patience(run, VERIFY_ASK_MS));
    run->task.at = VERIFY_AT_BOUND;
}

/* It rests for as long as the pace wants, and for as long as the other side is far behind: who reads makes it slower. */
int64_t verify_rest(struct step_run *run)
{
    struct verify_run *o = own_of(run);
    int64_t busy = clock_mono() - o->began;
    return o->pace < 100 ? busy * (100 - o->pace) / o->pace : 0;
}

bool verify_is_behind(struct step_run *run)
{
    struct verify_run *o = own_of(run);
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
    struct verify_run *o = own_of(run);
    bool last = !o->range.has_high;
    verify_free_suspects(&o->suspects);
    if (!o->table_differences && !o->table_busy)
        verify_place_keep(&o->place, o->db, o->subscription, table(run), &o->range, o->table_rows);
    verify_tell_progress(run, false);
    if (last)
        end_table(run);
    else
        run->task.at = VERIFY_AT_TABLE; /* rest, then the next range */
}

/* ---- answers ---- */

static void take_list(struct step_run *run)
{
    struct verify_run *o = own_of(run);
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
    verify_tell_progress(run, true);
}

static void take_bound(struct step_run *run)
{
    struct verify_run *o = own_of(run);
    verify_range_next(&o->range, table(run), from(run));
    if (verify_is_sampled(table(run)->shown, o->index, o->ppm))
        ask_hashes(run);
    else
        end_range(run);
}

/* Without a key there is only the whole: if blue stood still over two looks with a marker between, green must show it. */
static void judge_whole(struct step_run *run)
{
    struct verify_run *o = own_of(run);
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
        verify_tell_difference(run, "", text);
    } else if (!same) {
        o->table_busy += pg_int(from(run), 0, 0);
    }
    end_range(run);
}

static void take_hashes(struct step_run *run)
{
    struct verify_run *o = own_of(run);
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
    verify_ask_rows(from(run), table(run), &o->range, patience(run, VERIFY_ASK_MS));
    verify_ask_rows(to(run), table(run), &o->range, patience(run, VERIFY_ASK_MS));
    run->task.at = VERIFY_AT_ROWS;
}

static void next_round(struct step_run *run)
{
    if (own_of(run)->suspects.open)
        ask_suspects(run, from(run), VERIFY_AT_FIRST);
    else
        end_range(run);
}

static void take_arrived(struct step_run *run)
{
    if (pg_int(to(run), 0, 0) == 0) {
        run->task.at = VERIFY_AT_AWAIT;
        return;
    }
    if (table(run)->nkeys)
        ask_suspects(run, to(run), VERIFY_AT_OTHER);
    else
        ask_hashes(run);
}

/* Names what differs in the next suspect that does; one that is missing has nothing to compare. */
static void ask_values(struct step_run *run)
{
    struct verify_run *o = own_of(run);
    struct verify_suspects *s = &o->suspects;
    char key[160], text[80];
    for (; o->values < s->count; o->values++) {
        const struct verify_suspect *row = &s->row[o->values];
        if (row->is != SUSPECT_DIFFERS || verify_is_told(o, table(run), row))
            continue;
        if (row->first && row->other && o->table_differences < VERIFY_SHOWN) {
            verify_ask_values(from(run), table(run), row, patience(run, VERIFY_ASK_MS));
            verify_ask_values(to(run), table(run), row, patience(run, VERIFY_ASK_MS));
            run->task.at = VERIFY_AT_VALUES;
            return;
        }
        verify_put_key(table(run), row, key, sizeof key);
        snprintf(text, sizeof text, row->first ? "missing on %s" : "only on %s", other_name(o));
        verify_tell_difference(run, key, row->first && row->other ? "differs" : text);
    }
    o->table_busy += s->open;
    end_range(run);
}

static void take_values(struct step_run *run)
{
    struct verify_run *o = own_of(run);
    char key[160], columns[120], text[160];
    verify_put_key(table(run), &o->suspects.row[o->values], key, sizeof key);
    verify_name_columns(from(run), to(run), columns, sizeof columns);
    snprintf(text, sizeof text, *columns ? "differs in %s" : "differs", columns);
    text_line(columns, sizeof columns, text, strlen(text));
    verify_tell_difference(run, key, columns);
    o->values++;
    ask_values(run);
}

static void take_again(struct step_run *run)
{
    struct verify_run *o = own_of(run);
    verify_take_again(&o->suspects, from(run));
    if (o->suspects.open && o->suspects.rounds < VERIFY_ROUNDS) {
        next_round(run);
        return;
    }
    o->values = 0;
    ask_values(run);
}

/* ---- which answer it is ---- */

void verify_take_answer(struct step_run *run)
{
    switch (run->task.at) {
    case -1: ask_list(run); break;
    case VERIFY_AT_LIST: take_list(run); break;
    case VERIFY_AT_TABLE: ask_next_range(run); break;
    case VERIFY_AT_BOUND: take_bound(run); break;
    case VERIFY_AT_HASH: take_hashes(run); break;
    case VERIFY_AT_ROWS:
        verify_find_suspects(&own_of(run)->suspects, table(run), from(run), to(run));
        next_round(run);
        break;
    case VERIFY_AT_FIRST:
        verify_take_first(&own_of(run)->suspects, from(run));
        ask_mark(run);
        break;
    case VERIFY_AT_MARK: ask_arrived(run); break;
    case VERIFY_AT_ARRIVE: take_arrived(run); break;
    case VERIFY_AT_AWAIT: ask_arrived(run); break;
    case VERIFY_AT_OTHER:
        verify_take_other(&own_of(run)->suspects, to(run));
        if (own_of(run)->suspects.open)
            ask_suspects(run, from(run), VERIFY_AT_AGAIN);
        else
            end_range(run);
        break;
    case VERIFY_AT_AGAIN: take_again(run); break;
    case VERIFY_AT_VALUES: take_values(run); break;
    case VERIFY_AT_SWEPT: end_database(run); break;
    }
}
