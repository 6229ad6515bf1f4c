/* The first copy, table by table: state, rows so far, rows that blue estimates. Recorded on change only; quiet when all stream. */
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
    int64_t rows, total;
};
struct own {
    struct pgline blue, green;
    struct table *table; /* as last recorded */
    int ntables;
    bool all_ready;
};

/* pg_stat_progress_copy came with PostgreSQL 14. */
static const char states_sql[] =
    "SELECT n.nspname || '.' || c.relname, r.srsubstate::text, coalesce(p.tuples_processed, 0) FROM pg_subscription_rel r"
    " JOIN pg_subscription s ON s.oid = r.srsubid JOIN pg_database d ON d.oid = s.subdbid AND d.datname = current_database()"
    " JOIN pg_class c ON c.oid = r.srrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
    " LEFT JOIN pg_stat_progress_copy p ON p.relid = r.srrelid WHERE s.subname = $1 AND n.nspname <> 'cutover' ORDER BY 1 LIMIT 5000";
static const char states_sql_13[] =
    "SELECT n.nspname || '.' || c.relname, r.srsubstate::text, 0 FROM pg_subscription_rel r"
    " JOIN pg_subscription s ON s.oid = r.srsubid JOIN pg_database d ON d.oid = s.subdbid AND d.datname = current_database()"
    " JOIN pg_class c ON c.oid = r.srrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE s.subname = $1 AND n.nspname <> 'cutover' ORDER BY 1 LIMIT 5000";
static const char totals_sql[] =
    "SELECT n.nspname || '.' || c.relname, greatest(c.reltuples, 0)::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
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

static struct table *find(struct own *o, const char *name)
{
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

static void take_table(struct source *s, struct table *t, char state, int64_t rows)
{
    if (state == 'r' || state == 's' || state == 'f')
        rows = MAX(t->total, rows);
    if (t->state == state && t->rows == rows)
        return;
    t->state = state;
    t->rows = rows;
    RECORD(s->door, copy_seen, .db = s->plan->databases[s->index].name, .table = t->name, .state = word(state), .rows = rows, .total = t->total);
}

static void take_states(struct source *s)
{
    struct own *o = s->own;
    const struct pg *pg = o->green.pg;
    int ready = 0;
    for (int i = 0; i < pg_rows(pg); i++) {
        char name[130];
        text_line(name, sizeof name, pg_value(pg, i, 0), strlen(pg_value(pg, i, 0)));
        struct table *t = find(o, name);
        char state = pg_value(pg, i, 1)[0];
        ready += state == 'r';
        if (t)
            take_table(s, t, state, pg_int(pg, i, 2));
    }
    if (pg_rows(pg) == 0) /* the subscription is gone: a new one starts over */
        o->ntables = 0;
    o->all_ready = pg_rows(pg) > 0 && ready == pg_rows(pg);
    source_worked(s);
}

static void take_totals(struct own *o)
{
    const struct pg *pg = o->blue.pg;
    for (int i = 0; i < pg_rows(pg); i++) {
        char name[130];
        text_line(name, sizeof name, pg_value(pg, i, 0), strlen(pg_value(pg, i, 0)));
        for (int t = 0; t < o->ntables; t++)
            if (strcmp(o->table[t].name, name) == 0)
                o->table[t].total = pg_int(pg, i, 1);
    }
}

static bool wants_totals(const struct own *o)
{
    for (int i = 0; i < o->ntables; i++)
        if (o->table[i].total == 0 && o->table[i].state != 'r')
            return true;
    return false;
}

static void run(struct task *task)
{
    struct source *s = (struct source *)task;
    struct own *o = s->own;
    char slot[64];
    const char *name = slot;
    pgnames_slot(&s->plan->databases[s->index], slot, sizeof slot);
    if (!pgline_up(s, &o->green, s->plan->databases[s->index].conninfo[GREEN]))
        return;
    if (task->at == STATES) {
        if (!pgline_ask(s, &o->green, pg_server_version(o->green.pg) >= 140000 ? states_sql : states_sql_13, 1, &name))
            return;
        take_states(s);
        if (wants_totals(o))
            task->at = TOTALS;
        task_sleep(task, task->at == TOTALS ? 0 : o->all_ready || o->ntables == 0 ? QUIET / (o->all_ready ? 1 : 3) : BUSY);
        return;
    }
    if (!pgline_up(s, &o->blue, s->plan->databases[s->index].conninfo[BLUE]) || !pgline_ask(s, &o->blue, totals_sql, 0, NULL))
        return;
    take_totals(o);
    task->at = STATES;
    task_sleep(task, BUSY);
}

static void free_own(struct source *s)
{
    struct own *o = s->own;
    pgline_free(&o->blue);
    pgline_free(&o->green);
    free(o->table);
}

const struct source_kind source_copy = {.name = "copy", .own_size = sizeof(struct own), .count = count, .name_of = name_of, .run = run, .free_own = free_own};
