/* One side of a database, looked at each second by one query: is it there, and would a new application session write? */
#include <stdio.h>
#include <string.h>

#include "core/source/pgline.h"
#include "core/text.h"

enum { INTERVAL = 1000 };

struct own {
    struct pgline line;
};

/* What a NEW session gets counts: the database's own setting first, else the server's. A session that began under the
 * database's setting still shows that one, so its own value is believed only when it came from elsewhere. Columns: version,
 * read-only, clients, open transactions, age of the oldest, prepared. Sessions of cutover itself are left out. */
static const char look_sql[] =
    "SELECT split_part(current_setting('server_version'), ' ', 1),"
    " pg_is_in_recovery() OR coalesce("
    "  (SELECT lower(split_part(c, '=', 2)) IN ('on', 'true', 'yes', '1') FROM pg_db_role_setting r, unnest(r.setconfig) c"
    "    WHERE r.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) AND r.setrole = 0"
    "    AND c LIKE 'default_transaction_read_only=%' ORDER BY r.setdatabase DESC LIMIT 1),"
    "  (SELECT CASE WHEN source IN ('database', 'global') THEN boot_val ELSE reset_val END = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only')),"
    " count(*) FILTER (WHERE a.pid IS NOT NULL),"
    " count(*) FILTER (WHERE a.xact_start IS NOT NULL),"
    " coalesce((extract(epoch FROM clock_timestamp() - min(a.xact_start)) * 1000)::bigint, 0),"
    " (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database())"
    " FROM (SELECT 1) one LEFT JOIN pg_stat_activity a ON a.datname = current_database() AND a.backend_type = 'client backend'"
    "  AND a.pid <> pg_backend_pid() AND a.application_name NOT LIKE 'cutover%'";

static int count(const struct plan *p)
{
    return p->ndatabases * SIDES;
}

static enum side side_of(const struct source *s)
{
    return (enum side)(s->index % SIDES);
}

static void name_of(const struct plan *p, int index, char *buf, size_t size)
{
    snprintf(buf, size, "%s of %s", side_names[index % SIDES], p->databases[index / SIDES].name);
}

static void record(struct source *s)
{
    const struct pg *pg = ((struct own *)s->own)->line.pg;
    char version[24];
    text_line(version, sizeof version, pg_value(pg, 0, 0), strlen(pg_value(pg, 0, 0)));
    RECORD(s->door, db_seen, .db = s->plan->databases[s->index / SIDES].name, .side = side_names[side_of(s)], .reachable = true, .version = version,
        .writable = pg_bool(pg, 0, 1) ? "no" : "yes", .clients = pg_int(pg, 0, 2), .open_tx = pg_int(pg, 0, 3), .oldest_tx = pg_int(pg, 0, 4),
        .prepared = pg_int(pg, 0, 5), .error = "");
    source_worked(s);
}

/* A side that can't be asked is recorded too: unknown, which counts as writable. Said once a try. */
static void record_lost(struct source *s)
{
    const struct pg *pg = ((struct own *)s->own)->line.pg;
    RECORD(s->door, db_seen, .db = s->plan->databases[s->index / SIDES].name, .side = side_names[side_of(s)], .reachable = false, .version = "",
        .writable = "unknown", .clients = UNKNOWN, .open_tx = UNKNOWN, .oldest_tx = UNKNOWN, .prepared = UNKNOWN, .error = pg_error(pg));
}

static void run(struct task *task)
{
    struct source *s = (struct source *)task;
    struct own *o = s->own;
    int64_t looks = s->looks;
    if (!pgline_up(s, &o->line, s->plan->databases[s->index / SIDES].conninfo[side_of(s)]) || !pgline_ask(s, &o->line, look_sql, 0, NULL)) {
        if (s->looks != looks)
            record_lost(s);
        return;
    }
    record(s);
    task_sleep(task, INTERVAL);
}

static void free_own(struct source *s)
{
    pgline_free(&((struct own *)s->own)->line);
}

const struct source_kind source_database = {.name = "database", .own_size = sizeof(struct own), .count = count, .name_of = name_of, .run = run, .free_own = free_own};
