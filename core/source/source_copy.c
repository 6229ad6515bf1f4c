/* The first copy, table by table: state, rows so far, rows that blue estimates. Recorded on change only; quiet when all stream.
 * The model keeps MODEL_TABLES tables: of a database with more, the last row stands for all the others together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pgnames.h"
#include "core/source/pgline.h"
#include "core/text.h"

enum { STATES, TOTALS };
enum { BUSY = 500, QUIET = 3000, MOST = 5000 };

struct table {
    char name[130];
    char state;
    int64_t rows, total, bytes, size;
};
struct own {
    struct pgline blue, green;
    struct table *table; /* as last recorded */
    int ntables;
    bool all_ready;
    bool has_totals; /* of the tables that are there now */
    bool asks_restore; /* there is no subscription yet: pg_restore is asked about */
    char others_state;
    int64_t others_rows;
};

/* pg_stat_progress_copy came with PostgreSQL 14. */
static const char states_sql[] =
    "SELECT n.nspname || '.' || c.relname, r.srsubstate::text, coalesce(p.tuples_processed, 0), coalesce(p.bytes_processed, 0) FROM pg_subscription_rel r"
    " JOIN pg_subscription s ON s.oid = r.srsubid JOIN pg_database d ON d.oid = s.subdbid AND d.datname = current_database()"
    " JOIN pg_class c ON c.oid = r.srrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
    " LEFT JOIN pg_stat_progress_copy p ON p.relid = r.srrelid AND p.datname = current_database() WHERE s.subname = $1 AND n.nspname <> 'cutover' ORDER BY 1 LIMIT 5000";
static const char states_sql_13[] =
    "SELECT n.nspname || '.' || c.relname, r.srsubstate::text, 0, 0 FROM pg_subscription_rel r"
    " JOIN pg_subscription s ON s.oid = r.srsubid JOIN pg_database d ON d.oid = s.subdbid AND d.datname = current_database()"
    " JOIN pg_class c ON c.oid = r.srrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE s.subname = $1 AND n.nspname <> 'cutover' ORDER BY 1 LIMIT 5000";
/* With baseline = "snapshot" pg_restore copies before there is a subscription: one table after the other, and what has come has rows. Before 14
 * the table that it has locked is the one, and its size stands for the bytes. */
#define RESTORED(state, rows, bytes) \
    "SELECT n.nspname || '.' || c.relname, " state ", " rows ", " bytes " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace," \
    " (SELECT min(pid) AS pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = '" PGNAMES_BASELINE "') b" \
    " WHERE c.relkind = 'r' AND b.pid IS NOT NULL AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('information_schema', 'cutover')" \
    " AND NOT EXISTS (SELECT FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE datname = current_database() AND s.subname = $1) ORDER BY 1 LIMIT 5000"
#define PROGRESS(column) "coalesce((SELECT " column " FROM pg_stat_progress_copy p WHERE p.relid = c.oid AND p.datname = current_database()), 0)"
static const char restored_sql[] =
    RESTORED("CASE WHEN EXISTS (SELECT FROM pg_stat_progress_copy p WHERE p.relid = c.oid AND p.datname = current_database()) THEN 'd'"
             " WHEN pg_relation_size(c.oid) > 0 THEN 's' ELSE 'i' END", PROGRESS("tuples_processed"), PROGRESS("bytes_processed"));
static const char restored_sql_13[] =
    RESTORED("CASE WHEN EXISTS (SELECT FROM pg_locks l WHERE l.pid = b.pid AND l.relation = c.oid AND mode = 'RowExclusiveLock') THEN 'd'"
             " WHEN pg_relation_size(c.oid) > 0 THEN 's' ELSE 'i' END", "0", "pg_relation_size(c.oid)");
static const char totals_sql[] =
    "SELECT n.nspname || '.' || c.relname, greatest(c.reltuples, 0)::bigint, pg_table_size(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('information_schema', 'cutover') ORDER BY 1 LIMIT 5000";

static int count(const struct plan *p)
{
    return p->ndatabases;
}

static void name_of(const struct plan *p, int index, char *buf, size_t size)
{
    snprintf(buf, size, "copy of %s", p->databases[index].name);
}

static const char *word(char state)
{
    switch (state) {
    case 'd':
        return "copying";
    case 'f':
    case 's':
        return "synced";
    case 'r':
        return "ready";
    default:
        return "init";
    }
}

/* The lists come in the same order each time: the hint is nearly always right. */
static struct table *find(struct own *o, const char *name, int hint)
{
    if (hint < o->ntables && strcmp(o->table[hint].name, name) == 0)
        return &o->table[hint];
    for (int i = 0; i < o->ntables; i++)
        if (strcmp(o->table[i].name, name) == 0)
            return &o->table[i];
    if (o->ntables == MOST)
        return NULL;
    o->table = xrealloc(o->table, (size_t)(o->ntables + 1) * sizeof *o->table);
    struct table *t = &o->table[o->ntables++];
    memset(t, 0, sizeof *t);
    copy_text(t->name, sizeof t->name, name);
    return t;
}

/* Tables that have a row of their own in the model. */
static bool is_alone(const struct own *o, const struct table *t)
{
    return o->ntables <= MODEL_TABLES || t - o->table < MODEL_TABLES - 1;
}

/* From not begun to streaming. */
static int order_of(char state)
{
    const char *states = "idfsr", *at = strchr(states, state);
    return at && state ? (int)(at - states) : 0;
}

/* The others together: as far as the last of them. */
static void tell_others(struct source *s)
{
    struct own *o = s->own;
    char state = 'r';
    int64_t rows = 0, total = 0, bytes = 0, size = 0;
    for (int i = MODEL_TABLES - 1; i < o->ntables && o->ntables > MODEL_TABLES; i++) {
        const struct table *t = &o->table[i];
        if (order_of(t->state) < order_of(state))
            state = t->state;
        rows += t->rows;
        total += t->total;
        bytes += t->bytes;
        size += t->size;
    }
    if (o->ntables <= MODEL_TABLES || (state == o->others_state && rows == o->others_rows))
        return;
    o->others_state = state;
    o->others_rows = rows;
    RECORD(s->door, copy_seen, .db = s->plan->databases[s->index].name, .table = "(all other tables)", .state = word(state), .rows = rows, .total = total,
        .bytes = bytes, .size = size);
}

static void take_table(struct source *s, struct table *t, char state, int64_t rows, int64_t bytes)
{
    const struct own *o = s->own;
    if (state == 'r' || state == 's' || state == 'f') {
        rows = MAX(t->total, rows);
        bytes = MAX(t->size, bytes);
    }
    if (t->state == state && t->rows == rows)
        return;
    t->state = state;
    t->rows = rows;
    t->bytes = bytes;
    if (is_alone(o, t))
        RECORD(s->door, copy_seen, .db = s->plan->databases[s->index].name, .table = t->name, .state = word(state), .rows = rows, .total = t->total,
            .bytes = bytes, .size = t->size);
}

/* The names first: only then is known which tables are alone. */
static void take_states(struct source *s)
{
    struct own *o = s->own;
    const struct pg *pg = o->green.pg;
    int ready = 0, before = o->ntables;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < pg_rows(pg); i++) {
            char name[130];
            text_line(name, sizeof name, pg_value(pg, i, 0), strlen(pg_value(pg, i, 0)));
            struct table *t = find(o, name, i);
            char state = pg_value(pg, i, 1)[0];
            ready += pass && state == 'r';
            if (t && pass && o->has_totals)
                take_table(s, t, state, pg_int(pg, i, 2), pg_int(pg, i, 3));
        }
    if (o->ntables != before)
        o->has_totals = false;
    if (pg_rows(pg) == 0 && strcmp(s->plan->databases[s->index].baseline, "snapshot") == 0)
        o->asks_restore = !o->asks_restore;
    if (pg_rows(pg) == 0) { /* the subscription is gone: a new one starts over */
        o->ntables = 0;
        o->has_totals = false;
        o->others_state = '\0';
    }
    if (o->has_totals)
        tell_others(s);
    o->all_ready = pg_rows(pg) > 0 && ready == pg_rows(pg);
    source_worked(s);
}

static void take_totals(struct own *o)
{
    const struct pg *pg = o->blue.pg;
    for (int i = 0, t = 0; i < pg_rows(pg) && t < o->ntables; i++) {
        char name[130];
        text_line(name, sizeof name, pg_value(pg, i, 0), strlen(pg_value(pg, i, 0)));
        for (int j = 0; j < o->ntables; j++) {
            struct table *table = &o->table[(t + j) % o->ntables];
            if (strcmp(table->name, name) == 0) {
                table->total = pg_int(pg, i, 1);
                table->size = pg_int(pg, i, 2);
                t = (t + j + 1) % o->ntables;
                break;
            }
        }
    }
}

static int64_t pause_of(const struct own *o)
{
    return o->all_ready ? QUIET : o->ntables ? BUSY : QUIET / 3;
}

/* Blue only tells how many rows there may be: without it the copy is watched all the same. */
static bool knows_totals(struct source *s)
{
    struct own *o = s->own;
    int64_t looks = s->looks;
    if (!pgline_up(s, &o->blue, s->plan->databases[s->index].conninfo[BLUE]) || !pgline_ask(s, &o->blue, totals_sql, 0, NULL)) {
        if (s->looks != looks) {
            o->has_totals = true;
            s->task.at = STATES;
        }
        return false;
    }
    take_totals(o);
    o->has_totals = true;
    return true;
}

static const char *question(const struct source *s)
{
    const struct own *o = s->own;
    bool new = pg_server_version(o->green.pg) >= 140000;
    if (o->asks_restore)
        return new ? restored_sql : restored_sql_13;
    return new ? states_sql : states_sql_13;
}

static void run(struct task *task)
{
    struct source *s = (struct source *)task;
    struct own *o = s->own;
    char slot[64];
    const char *name = slot;
    pgnames_slot(&s->plan->databases[s->index], slot, sizeof slot);
    if (task->at == TOTALS) {
        if (!knows_totals(s))
            return;
        task->at = STATES;
    }
    if (!pgline_up(s, &o->green, s->plan->databases[s->index].conninfo[GREEN]) || !pgline_ask(s, &o->green, question(s), 1, &name))
        return;
    take_states(s);
    if (o->ntables && !o->has_totals)
        task->at = TOTALS;
    task_sleep(task, task->at == TOTALS ? 0 : pause_of(o));
}

static void free_own(struct source *s)
{
    struct own *o = s->own;
    pgline_free(&o->blue);
    pgline_free(&o->green);
    free(o->table);
}

const struct source_kind source_copy = {.name = "copy", .own_size = sizeof(struct own), .count = count, .name_of = name_of, .run = run, .free_own = free_own};
