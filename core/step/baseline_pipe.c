/* pg_dump of blue into pg_restore on green: their words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/child.h"
#include "core/pg.h"
#include "core/step/baseline_inner.h"

/* The plan's own options would stand in for PGOPTIONS: what they say is kept, ours come behind them. */
static char *restore_conninfo(const char *conninfo, const char *ours)
{
    char *theirs = pg_conninfo_value(conninfo, "options");
    char *both = xprintf("%s %s", theirs, ours), *named = pg_conninfo_with(conninfo, "application_name", BASELINE_APP);
    char *all = pg_conninfo_with(named, "options", both);
    free(theirs);
    free(both);
    free(named);
    return all;
}

enum { WORDS = 512 };
struct words {
    struct arena arena;
    const char *argv[WORDS];
    int n;
};

static void add(struct words *w, const char *word)
{
    if (w->n < WORDS - 1)
        w->argv[w->n++] = arena_strdup(&w->arena, word);
}

static void add_program(struct words *w, const char *bin, const char *name)
{
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s%s%s", bin, *bin ? "/" : "", name);
    add(w, path);
}

static void add_tables(struct words *w, const struct plan_database *db)
{
    for (int i = 0; i < db->ntables; i++) {
        char schema[80], table[80], quoted[2][200], name[420];
        pgnames_split(db->tables[i], schema, table, sizeof schema);
        pg_quote_name(quoted[0], sizeof quoted[0], schema);
        pg_quote_name(quoted[1], sizeof quoted[1], table);
        snprintf(name, sizeof name, "%s.%s", quoted[0], quoted[1]);
        add(w, "-t");
        add(w, name);
    }
}

static void add_schema_only(struct words *w, const struct plan_database *db)
{
    add(w, "--schema-only");
    add(w, "--exclude-schema=" PGNAMES_SCHEMA);
    add_tables(w, db);
}

static void add_rows_only(struct words *w, const struct plan_database *db, const char *snapshot)
{
    char word[100];
    snprintf(word, sizeof word, "--snapshot=%s", snapshot);
    add(w, "--data-only");
    add(w, "--no-unlogged-table-data");
    add(w, word);
    add_tables(w, db);
    if (db->ntables) {
        add(w, "-t");
        add(w, PGNAMES_SCHEMA ".*");
    }
}

/* The one shell of this room: its words come as arguments, none is part of the script. The custom format ends whole or not at all,
 * so pg_restore notices a pg_dump that died. */
static const char SCRIPT[] = "dump=$1 restore=$2 from=$3 to=$4; shift 4; \"$dump\" -Fc --no-publications --no-subscriptions \"$@\" -d \"$from\" |"
                             " \"$restore\" -v -d \"$to\"";
static const char *const OPTIONS[] = {
    [BASELINE_SCHEMA] = "-c default_transaction_read_only=off",
    /* as the worker of a subscription does it: no trigger fires, no foreign key is looked at */
    [BASELINE_ROWS] = "-c default_transaction_read_only=off -c session_replication_role=replica",
};

struct child *pipe_start(struct task *owner, const struct plan_database *db, enum baseline_what what, const char *bin, const char *snapshot, int64_t timeout_ms)
{
    static const char *const env[] = {"LC_ALL=C", NULL}; /* their messages are read */
    struct words w = {.argv = {"sh", "-c", SCRIPT, "sh"}, .n = 4};
    char *to = restore_conninfo(db->conninfo[GREEN], OPTIONS[what]);
    add_program(&w, bin, "pg_dump");
    add_program(&w, bin, "pg_restore");
    add(&w, db->conninfo[BLUE]);
    add(&w, to);
    if (what == BASELINE_SCHEMA)
        add_schema_only(&w, db);
    else
        add_rows_only(&w, db, snapshot);
    struct child *child = child_new(owner);
    child_start(child, &(struct child_opts){.argv = w.argv, .env = env, .timeout_ms = timeout_ms});
    arena_free(&w.arena);
    free(to);
    return child;
}
