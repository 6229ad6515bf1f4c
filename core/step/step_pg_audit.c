/* pg.audit: what logical replication does not carry, and what would break on the way. Read-only: its sessions can't write. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/step/audit_inner.h"
#include "core/step/baseline.h"
#include "core/text.h"

enum { CONNECT, ARM, FACTS, JUDGE_FACTS, JUDGE_ROW, JUDGE_LIST }; /* task.at */
enum { CONNECT_MS = 8000, ASK_MS = 30000 };

/* The server gives up before we do: a slow question is then a finding, and the connection lives. */
static const char ARMED[] = "SET default_transaction_read_only = on; SET statement_timeout = '20s'; SET lock_timeout = '2s';"
                            " SET search_path = pg_catalog; SET standard_conforming_strings = on;";
static const char FACTS_OF_BLUE[] = "SELECT count(*) FROM t WHERE relkind = 'r'";
static const char FACTS_OF_GREEN[] = "SELECT current_setting('max_sync_workers_per_subscription'), current_setting('max_logical_replication_workers'), " BASELINE_RELATIONS;

struct own {
    struct pg **side[SIDES]; /* one of each database; all open from the start: who shares a server is known then */
    int db, row, list;
    int64_t sync, workers, tables;
    bool is_bare; /* green, and the plan has it get blue's schema */
    struct audit_findings found;
    int64_t sum[AUDIT_LEVELS]; /* of all databases so far */
    struct buf say;            /* "shop: 0 blockers, ...; crm: ..." */
};

static const struct plan_database *database(const struct step_run *run)
{
    return &run->plan->databases[((struct own *)run->own)->db];
}

static struct pg *line(const struct step_run *run, enum side side)
{
    struct own *o = run->own;
    return o->side[side][o->db];
}

static int64_t patience(const struct step_run *run, int64_t ms)
{
    return MAX(MIN(step_time_left(run), ms), (int64_t)1);
}

/* ---- the parameters of audit_scope ---- */

static void put_tables(const struct plan_database *d, struct buf *out)
{
    for (int i = 0; i < d->ntables; i++)
        pg_array_add(out, d->tables[i]);
    pg_array_end(out);
}

/* How many databases of the plan live on the same server: its limits are for all of them. */
static int neighbours(const struct step_run *run, enum side side)
{
    struct own *o = run->own;
    int n = 0;
    for (int i = 0; i < run->plan->ndatabases; i++)
        n += strcmp(pg_where(o->side[side][i]), pg_where(line(run, side))) == 0;
    return n;
}

static void ask(struct step_run *run, enum side side, const char *before, const char *sql, const char *after)
{
    struct own *o = run->own;
    const struct plan_database *d = database(run);
    char sub[64], number[5][24];
    struct buf tables = {0}, text = {0};
    int64_t numbers[5] = {neighbours(run, BLUE), neighbours(run, GREEN), o->sync, o->workers, pg_server_version(line(run, BLUE))};
    put_tables(d, &tables);
    pgnames_slot(d, sub, sizeof sub);
    for (int i = 0; i < 5; i++)
        snprintf(number[i], sizeof number[i], "%" PRId64, numbers[i]);
    bool same = strcmp(d->subscribe_from, d->conninfo[BLUE]) == 0;
    const char *params[AUDIT_PARAMS] = {tables.text, sub, number[0], number[1], number[2], number[3], number[4], same ? "t" : "f", d->reverse ? "t" : "f"};
    buf_printf(&text, "%s%s%s%s", audit_scope, before, sql, after);
    pg_query(line(run, side), text.text, AUDIT_PARAMS, params, patience(run, ASK_MS));
    buf_free(&text);
    buf_free(&tables);
}

static void ask_row(struct step_run *run, const struct audit_row *row)
{
    char after[80];
    snprintf(after, sizeof after, ") found(object, detail) ORDER BY 1, 2 LIMIT %d", AUDIT_ROW_LIMIT);
    ask(run, row->side, "SELECT object::text, detail::text FROM (", row->sql, after);
}

static void ask_list(struct step_run *run, const struct audit_list *list)
{
    char after[160];
    snprintf(after, sizeof after,
        ") list(owner, part, value, label, needed, level) ORDER BY owner::text COLLATE \"C\", part::text COLLATE \"C\" LIMIT %d", AUDIT_LIST_LIMIT);
    const char *of_green = list->bare_sql && ((struct own *)run->own)->is_bare ? list->bare_sql : list->sql;
    for (int i = 0; i < SIDES; i++)
        ask(run, i, "SELECT owner::text, part::text, value::text, label, needed, level FROM (", i == GREEN ? of_green : list->sql, after);
}

static bool fits(const struct step_run *run, const struct audit_row *row)
{
    int major = pg_server_version(line(run, row->side)) / 10000;
    return (!row->min || major >= row->min) && (!row->max || major <= row->max);
}

/* ---- the end of one database and of all ---- */

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

static void put_counts(struct buf *out, const char *whose, const int64_t n[AUDIT_LEVELS])
{
    buf_puts(out, whose);
    for (int l = 0; l < AUDIT_LEVELS; l++)
        buf_printf(out, "%s %" PRId64 " %s%s", l ? "," : ":", n[l], audit_level_names[l], plural(n[l]));
}

/* Each database by its name, or one sum where the sentence could not hold them. */
static void end_all(struct step_run *run)
{
    struct own *o = run->own;
    struct buf sum = {0};
    char whose[40];
    snprintf(whose, sizeof whose, "%d databases", o->db);
    put_counts(&sum, whose, o->sum);
    step_end(run, "done", "%s", o->say.text && o->say.len < sizeof run->sentence ? o->say.text : sum.text);
    buf_free(&sum);
}

static void end_database(struct step_run *run)
{
    struct own *o = run->own;
    const int64_t *n = o->found.total;
    const char *name = database(run)->name;
    audit_record(&o->found, run->door, name);
    RECORD(run->door, audited, .db = name, .blockers = n[AUDIT_BLOCKER], .warnings = n[AUDIT_WARNING], .notes = n[AUDIT_NOTE], .tables = o->tables);
    for (int l = 0; l < AUDIT_LEVELS; l++)
        o->sum[l] += n[l];
    buf_puts(&o->say, o->db ? "; " : "");
    put_counts(&o->say, name, n);
    audit_clear(&o->found);
    pg_close(line(run, BLUE));
    pg_close(line(run, GREEN));
    o->db++, o->row = 0, o->list = 0;
    step_progress(run, o->db, run->plan->ndatabases, "databases");
}

/* True when the step has ended: a side is away, somebody said stop, the time is over. */
static bool is_hopeless(struct step_run *run)
{
    struct own *o = run->own;
    for (int i = 0; o->side[GREEN] && o->db < run->plan->ndatabases && i < SIDES; i++)
        if (pg_failed(line(run, i)) && !pg_is_connected(line(run, i))) {
            step_end(run, "failed", "%s of %s could not be asked: %s", side_names[i], database(run)->name, pg_error(line(run, i)));
            return true;
        }
    if (run->abort_asked)
        step_end(run, "aborted", "stopped by a person after %d of %d databases", o->db, run->plan->ndatabases);
    else if (step_time_left(run) == 0)
        step_end(run, "failed", "the time of the step was over after %d of %d databases", o->db, run->plan->ndatabases);
    else
        return false;
    return true;
}

static bool is_busy(const struct step_run *run)
{
    struct own *o = run->own;
    for (int i = 0; o->side[GREEN] && i < SIDES; i++)
        for (int j = 0; j < run->plan->ndatabases; j++)
            if (pg_busy(o->side[i][j]))
                return true;
    return false;
}

/* ---- the work ---- */

static void connect_all(struct step_run *run)
{
    struct own *o = run->own;
    for (int i = 0; i < SIDES; i++) {
        o->side[i] = xcalloc((size_t)run->plan->ndatabases + 1, sizeof *o->side[i]);
        for (int j = 0; j < run->plan->ndatabases; j++) {
            o->side[i][j] = pg_new(&run->task, run->plan->databases[j].conninfo[i]);
            pg_connect(o->side[i][j], patience(run, CONNECT_MS));
        }
    }
}

static void judge_facts(struct step_run *run)
{
    struct own *o = run->own;
    o->tables = pg_int(line(run, BLUE), 0, 0);
    o->sync = pg_int(line(run, GREEN), 0, 0);
    o->workers = pg_int(line(run, GREEN), 0, 1);
    o->is_bare = database(run)->schema && pg_rows(line(run, GREEN)) == 1 && pg_int(line(run, GREEN), 0, 2) == 0;
    if (o->is_bare)
        audit_add(&o->found, AUDIT_NOTE, database(run)->name, "green has no schema yet: the step pg.replicate gives it blue's"), audit_end_kind(&o->found, "schema");
}

/* Sends what comes next, and says where its answer is judged; -1 when nothing is left to ask of this database. */
static int ask_next(struct step_run *run)
{
    struct own *o = run->own;
    while (o->row < audit_nrows && !fits(run, &audit_rows[o->row]))
        o->row++;
    if (o->row < audit_nrows) {
        ask_row(run, &audit_rows[o->row]);
        return JUDGE_ROW;
    }
    while (o->list < audit_nlists && audit_lists[o->list].comes_later && o->is_bare)
        o->list++;
    if (o->list < audit_nlists) {
        ask_list(run, &audit_lists[o->list]);
        return JUDGE_LIST;
    }
    return -1;
}

/* Takes the answer of the last order; false when all databases are done. */
static bool go_on(struct step_run *run)
{
    struct own *o = run->own;
    switch (run->task.at) {
    case JUDGE_FACTS:
        judge_facts(run);
        break;
    case JUDGE_ROW:
        audit_judge_row(&o->found, &audit_rows[o->row], line(run, audit_rows[o->row].side));
        o->row++;
        break;
    case JUDGE_LIST:
        audit_judge_list(&o->found, &audit_lists[o->list], line(run, BLUE), line(run, GREEN));
        o->list++;
        break;
    }
    run->task.at = ask_next(run);
    if (run->task.at >= 0)
        return true;
    end_database(run);
    run->task.at = ARM;
    return o->db < run->plan->ndatabases;
}

static void begin_database(struct step_run *run)
{
    for (int i = 0; i < SIDES; i++)
        pg_query(line(run, i), ARMED, -1, NULL, patience(run, ASK_MS));
    run->task.at = FACTS;
}

static void work(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    if (is_busy(run) && !run->abort_asked) {
        task_wait(task, patience(run, ASK_MS));
        return;
    }
    if (is_hopeless(run))
        return;
    switch (task->at) {
    case CONNECT:
        connect_all(run);
        task->at = ARM;
        break;
    case ARM:
        begin_database(run);
        break;
    case FACTS:
        ask(run, BLUE, "", FACTS_OF_BLUE, "");
        ask(run, GREEN, "", FACTS_OF_GREEN, "");
        task->at = JUDGE_FACTS;
        break;
    default:
        if (!go_on(run)) {
            end_all(run);
            return;
        }
        if (task->at == ARM)
            begin_database(run);
    }
    task_wait(task, patience(run, ASK_MS));
}

static void probe(struct task *task)
{
    step_end((struct step_run *)task, "before", "an audit changes nothing: run it again");
}

static void describe(const struct plan *p, const struct model *m, const struct plan_step *s, enum step_mode mode, struct buf *out)
{
    (void)m, (void)s;
    if (mode == MODE_PROBE) {
        buf_puts(out, "nothing: an audit changes nothing");
        return;
    }
    for (int i = 0; i < p->ndatabases; i++)
        for (int j = 0; j < SIDES; j++) {
            char where[200];
            text_redact(where, sizeof where, TEXT_DSN, p->databases[i].conninfo[j]);
            buf_printf(out, "read %s on %s: %s\n", p->databases[i].name, side_names[j], where);
        }
    buf_printf(out, "%d questions to the catalogs, %d lists compared between both sides, at most 20 s each\n", audit_nrows, audit_nlists);
    buf_puts(out, "SET default_transaction_read_only = on: these sessions can't write");
}

static void free_own(struct step_run *run)
{
    struct own *o = run->own;
    for (int i = 0; i < SIDES; i++) {
        for (int j = 0; o->side[i] && j < run->plan->ndatabases; j++)
            pg_free(o->side[i][j]);
        free(o->side[i]);
    }
    audit_clear(&o->found);
    buf_free(&o->say);
}

const struct step_kind step_pg_audit = {
    .name = "pg.audit", .own_size = sizeof(struct own), .describe = describe, .run = work, .probe = probe, .free_own = free_own};
