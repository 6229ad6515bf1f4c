#include "core/step/baseline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/child.h"
#include "core/pg.h"
#include "core/step/baseline_inner.h"
#include "core/step/pgrows.h"

enum { CONNECT_MS = 8000, ASK_MS = 10000, ERRORS_TOLD = 20, WAIT_MS = 500, LOOK_MS = 1000 };

struct one { /* database */
    const struct plan_database *db;
    enum { CONNECT, ASK, FIND, SLOT, MARK, START, COPY, UNMARK, OVER } at;
    bool asked; /* MARK and UNMARK: the statement is sent */
    struct pg *side[SIDES];
    struct pg *look; /* on blue, while the slot is being made: who holds it up */
    int64_t looked;  /* clock_mono */
    bool asked_holder;
    char holder[200]; /* who it waits for, as last told */
    struct tools tools;
    struct child *child;
    char snapshot[64], object[160], first[160]; /* object: what pg_restore works on, as it says; first: its first error */
    int tables, errors;
};

struct baseline {
    struct step_run *run;
    enum baseline_what what;
    struct one *ones;
    int n;
    char error[400];
};

struct baseline *baseline_new(struct step_run *run, enum baseline_what what)
{
    struct baseline *b = xcalloc(1, sizeof *b);
    b->run = run;
    b->what = what;
    return b;
}

void baseline_add(struct baseline *b, int database)
{
    b->ones = xrealloc(b->ones, (size_t)(b->n + 1) * sizeof *b->ones);
    b->ones[b->n++] = (struct one){.db = &b->run->plan->databases[database]};
}

int64_t baseline_wait_ms(const struct baseline *b)
{
    (void)b;
    return WAIT_MS;
}

const char *baseline_error(const struct baseline *b)
{
    return b->error;
}

/* The first sentence of all databases is the step's. */
static bool fail(struct baseline *b, struct one *o, const char *fmt, ...) PRINTF(3, 4);
static bool fail(struct baseline *b, struct one *o, const char *fmt, ...)
{
    char text[330];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (!*b->error)
        snprintf(b->error, sizeof b->error, "%.60s: %s", o->db->name, text);
    o->at = OVER;
    return false;
}

static bool is_busy(const struct pg *pg)
{
    return pg && pg_busy(pg);
}

/* ---- each returns true when it is over and the next may begin; false while it waits, or when it has failed ---- */

/* The snapshot belongs to a replication connection; only there CREATE_REPLICATION_SLOT is understood. */
static void connect_both(struct baseline *b, struct one *o)
{
    char *walsender = b->what == BASELINE_ROWS ? pg_conninfo_with(o->db->conninfo[BLUE], "replication", "database") : xstrdup(o->db->conninfo[BLUE]);
    o->side[BLUE] = pg_new(&b->run->task, walsender);
    o->side[GREEN] = pg_new(&b->run->task, o->db->conninfo[GREEN]);
    free(walsender);
    for (int i = 0; i < SIDES; i++)
        pg_connect(o->side[i], CONNECT_MS);
}

static bool is_connected(struct baseline *b, struct one *o)
{
    if (!o->side[BLUE])
        connect_both(b, o);
    if (is_busy(o->side[BLUE]) || is_busy(o->side[GREEN]))
        return false;
    for (int i = 0; i < SIDES; i++)
        if (pg_failed(o->side[i]))
            return fail(b, o, "%s", pg_error(o->side[i]));
    static const char ask[] = "SELECT " BASELINE_RELATIONS ", to_regnamespace('" BASELINE_UNFINISHED "') IS NOT NULL, (SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                              " WHERE datname = current_database() AND usename = current_user AND application_name = '" BASELINE_APP "')";
    pg_query(o->side[GREEN], ask, 0, NULL, ASK_MS);
    return true;
}

/* A green that has anything of its own is left as it is: what is there was made on purpose. */
static bool has_asked(struct baseline *b, struct one *o)
{
    if (is_busy(o->side[GREEN]))
        return false;
    if (pg_failed(o->side[GREEN]))
        return fail(b, o, "%s", pg_error(o->side[GREEN]));
    if (pg_bool(o->side[GREEN], 0, 1))
        return fail(b, o, "green holds a part of blue's schema, of a try that did not end well; make its database anew (or complete it, and drop the schema "
                    BASELINE_UNFINISHED "), then run this step again");
    if (b->what == BASELINE_SCHEMA && pg_int(o->side[GREEN], 0, 0) > 0) {
        step_say(b->run, "info", "%s: green has a schema already (%lld tables, views and sequences); it is left as it is", o->db->name, (long long)pg_int(o->side[GREEN], 0, 0));
        o->at = OVER;
        return false;
    }
    tools_begin(&o->tools, &b->run->task, o->db->pg_bin, pg_server_version(o->side[BLUE]) / 10000);
    return true;
}

static bool has_tools(struct baseline *b, struct one *o)
{
    struct tools *t = &o->tools;
    if (!tools_go(t))
        return false;
    if (!t->best && !t->newest)
        return fail(b, o, "no pg_dump was found %s%.100s; install the client programs of PostgreSQL %d, or name their directory in pg_bin", *o->db->pg_bin ? "in " : "in PATH or the usual directories",
                    o->db->pg_bin, t->need);
    if (!t->best)
        return fail(b, o, "blue is PostgreSQL %d, and the newest pg_dump found is %d (%.100s), which refuses it; install the client programs of PostgreSQL %d, or name their directory in pg_bin",
                    t->need, t->newest, t->newest_bin, t->need);
    step_say(b->run, "info", "%s: pg_dump %d of %s is used for PostgreSQL %d", o->db->name, t->best, *t->bin ? t->bin : "PATH", t->need);
    return true;
}

/* On a connection of its own, as the other one waits for the slot. */
static void name_holder(struct baseline *b, struct one *o)
{
    if (!o->looked)
        o->looked = clock_mono();
    if (clock_mono() - o->looked < LOOK_MS || is_busy(o->look))
        return;
    if (!o->look)
        o->look = pg_new(&b->run->task, o->db->conninfo[BLUE]);
    if (!pg_is_connected(o->look)) {
        pg_connect(o->look, CONNECT_MS);
        return;
    }
    if (o->asked_holder)
        pgrows_say_holder(b->run, o->db->name, o->look, o->holder, sizeof o->holder);
    o->asked_holder = true;
    o->looked = clock_mono();
    pg_query(o->look, pgrows_ask_holder, 0, NULL, ASK_MS);
}

/* Waits on blue for every transaction that has written and is still open. */
static bool make_slot(struct baseline *b, struct one *o)
{
    char slot[64], sql[200];
    pgnames_slot(o->db, slot, sizeof slot);
    if (!*o->snapshot) {
        copy_text(o->snapshot, sizeof o->snapshot, "asked");
        snprintf(sql, sizeof sql, "CREATE_REPLICATION_SLOT %s LOGICAL pgoutput %s", slot, pg_server_version(o->side[BLUE]) >= 150000 ? "(SNAPSHOT 'export')" : "EXPORT_SNAPSHOT");
        pg_query(o->side[BLUE], sql, -1, NULL, MAX(step_time_left(b->run), (int64_t)1000));
    }
    if (is_busy(o->side[BLUE])) {
        name_holder(b, o);
        return false;
    }
    if (pg_failed(o->side[BLUE]))
        return fail(b, o, "the slot could not be made on blue: %s", pg_error(o->side[BLUE]));
    copy_text(o->snapshot, sizeof o->snapshot, pg_value(o->side[BLUE], 0, pg_column(o->side[BLUE], "snapshot_name")));
    if (!*o->snapshot)
        return fail(b, o, "blue made the slot without a snapshot");
    step_say(b->run, "ok", "%s: slot %s on blue, with the snapshot %s", o->db->name, slot, o->snapshot);
    return true;
}

/* One statement on green: true when it is done. */
static bool is_told(struct baseline *b, struct one *o, const char *sql)
{
    if (!o->asked)
        pg_query(o->side[GREEN], sql, -1, NULL, ASK_MS);
    o->asked = true;
    if (is_busy(o->side[GREEN]))
        return false;
    o->asked = false;
    return !pg_failed(o->side[GREEN]) || fail(b, o, "%s", pg_error(o->side[GREEN]));
}

#define OWN "SET default_transaction_read_only = off; SET transaction_read_only = off; "
/* Idle meanwhile: no timeout of the server may end this session. */
static bool is_marked(struct baseline *b, struct one *o)
{
    return b->what != BASELINE_SCHEMA ||
           is_told(b, o, OWN "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'; CREATE SCHEMA " BASELINE_UNFINISHED);
}

static bool is_unmarked(struct baseline *b, struct one *o)
{
    if (b->what != BASELINE_SCHEMA)
        return true;
    if (!is_told(b, o, OWN "DROP SCHEMA " BASELINE_UNFINISHED))
        return false;
    step_say(b->run, "ok", "%s: green has blue's schema", o->db->name);
    return true;
}

static void start(struct baseline *b, struct one *o)
{
    o->child = pipe_start(&b->run->task, o->db, b->what, o->tools.bin, o->snapshot, MAX(step_time_left(b->run), (int64_t)1000));
}

static void hear_error(struct baseline *b, struct one *o, const char *error)
{
    const char *between = *o->object ? ": " : "";
    if (o->errors++ < ERRORS_TOLD)
        step_say(b->run, "bad", "%s: %s%s%s", o->db->name, o->object, between, error);
    if (o->errors == 1)
        snprintf(o->first, sizeof o->first, "%.50s%s%.90s", o->object, between, error); /* with the advice it still is one sentence */
    if (b->what == BASELINE_ROWS)
        fail(b, o, "%s", o->first);
}

/* "pg_restore: from TOC entry 215; 1259 16386 TABLE items app" stands before the error that it is about. */
static void hear(struct baseline *b, struct one *o, const char *line)
{
    const char *toc = strstr(line, "from TOC entry "), *error = strstr(line, "error: ");
    if (toc) {
        const char *what = strchr(toc, ';');
        what = what ? strpbrk(what, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") : NULL;
        copy_text(o->object, sizeof o->object, what ? what : "");
    } else if (strstr(line, "processing data for table")) {
        step_say(b->run, "info", "%s: %s", o->db->name, strstr(line, "processing"));
        o->tables++;
    } else if (error) {
        hear_error(b, o, error + strlen("error: "));
    }
}

/* Rows stop at the first error; the schema goes on to its end, so that every object that is missing is named at once. */
static bool is_copied(struct baseline *b, struct one *o)
{
    struct child_line line;
    while (child_read(o->child, &line))
        if (line.is_err)
            hear(b, o, line.text);
    if (child_busy(o->child))
        return false;
    if (o->errors && b->what == BASELINE_SCHEMA)
        return fail(b, o, "%s (%d error%s); correct that, make green's database anew, then run this step again", o->first, o->errors, o->errors > 1 ? "s" : "");
    if (o->errors || child_failed(o->child))
        return fail(b, o, "%s", child_error(o->child));
    if (b->what == BASELINE_ROWS)
        step_say(b->run, "ok", "%s: the rows of %d tables are copied, as the slot's snapshot shows them", o->db->name, o->tables);
    return true;
}

static void close_lines(struct one *o)
{
    for (int i = 0; i < SIDES; i++) {
        pg_free(o->side[i]);
        o->side[i] = NULL;
    }
    pg_free(o->look);
    o->look = NULL;
}

static bool go_one(struct baseline *b, struct one *o)
{
    switch (o->at) {
    case CONNECT: return is_connected(b, o);
    case ASK: return has_asked(b, o);
    case FIND: return has_tools(b, o);
    case SLOT: return b->what == BASELINE_SCHEMA || make_slot(b, o);
    case MARK: return is_marked(b, o);
    case START: start(b, o); return true;
    case COPY: return is_copied(b, o);
    case UNMARK: return is_unmarked(b, o);
    case OVER: return false;
    }
    return false;
}

/* A copy of rows that failed ends the others: they would have to be made again. Schemas go on: none is left half made for another's sake. */
enum baseline_state baseline_go(struct baseline *b)
{
    bool all = true;
    for (struct one *o = b->ones; o < b->ones + b->n; o++) {
        while (go_one(b, o))
            o->at++;
        if (o->at == OVER)
            close_lines(o);
        all = all && o->at == OVER;
        if (*b->error && b->what == BASELINE_ROWS)
            return BASELINE_FAILED;
    }
    return !all ? BASELINE_BUSY : *b->error ? BASELINE_FAILED : BASELINE_DONE;
}

void baseline_free(struct baseline *b)
{
    if (!b)
        return;
    for (struct one *o = b->ones; o < b->ones + b->n; o++) {
        close_lines(o);
        tools_free(&o->tools);
        child_free(o->child);
    }
    free(b->ones);
    free(b);
}
