/* One side of a database, looked at each second by one query: is it there, and would a new application session write?
 *
 * On the side where nobody may write (green before the switch, blue after it) sessions are looked for four times a second that hold a
 * transaction id all the same, and for roles that may write by a setting of their own. A transaction shorter than that can slip through
 * between two looks: rows that are applied here for the way back move every counter that could tell it. The workers that apply them are
 * no client backends, and no alarm. */
#include <stdio.h>
#include <string.h>

#include "core/source/pgline.h"
#include "core/text.h"

enum { LOOK, GUARD };
enum { INTERVAL = 1000, GUARD_EVERY = 250, GUARD_SHARE = 60, AGAIN = 10000, MOST = 16 };

struct own {
    struct pgline line;
    int64_t turns;   /* of the model, when the question was asked: writes that moved since then make its answer old */
    int64_t look_at, guard_at; /* clock_mono of the next look, and of the next for writers */
    struct told {    /* so that the same session is told once in a while only */
        int64_t pid, at;
        char how[8], role[64];
    } told[MOST];
    int next_told;
};

/* What a NEW session gets counts: the database's own setting first, else the server's. A session that began under the
 * database's setting still shows that one, so its own value is believed only when it came from elsewhere. Columns: version,
 * read-only, clients, open transactions, age of the oldest, prepared, whose the oldest is and what that does. Sessions of cutover itself are left out. */
#define OLDEST                                                                                                                          \
    "FROM pg_stat_activity b WHERE b.datname = current_database() AND b.backend_type = 'client backend' AND b.pid <> pg_backend_pid()" \
    " AND b.application_name NOT LIKE 'cutover%' AND b.xact_start IS NOT NULL ORDER BY b.xact_start LIMIT 1"
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
    " (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()),"
    " (SELECT format('pid %s, %s, %s from %s', b.pid, coalesce(b.usename, '?'), coalesce(nullif(b.application_name, ''), 'unnamed'), coalesce(host(b.client_addr), 'local')) " OLDEST ")"
    ", (SELECT coalesce(b.state, '') " OLDEST ")"
    " FROM (SELECT 1) one LEFT JOIN pg_stat_activity a ON a.datname = current_database() AND a.backend_type = 'client backend'"
    "  AND a.pid <> pg_backend_pid() AND a.application_name NOT LIKE 'cutover%'";

static const char guard_sql[] =
    "SELECT a.pid, coalesce(a.usename, '?'), a.application_name, coalesce(host(a.client_addr), 'local'), 'writes' FROM pg_stat_activity a"
    " WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()"
    "  AND NOT (a.usename = current_user AND a.application_name LIKE 'cutover%') AND a.backend_xid IS NOT NULL"
    " UNION ALL SELECT 0, r.rolname, '', '', 'role' FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) c"
    "  WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) AND r.rolcanlogin"
    "  AND c ~* '^default_transaction_read_only=(off|false|no|0)$' LIMIT 16";

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
    char version[24], oldest[160], state[40];
    text_line(oldest, sizeof oldest, pg_value(pg, 0, 6), strlen(pg_value(pg, 0, 6)));
    text_line(state, sizeof state, pg_value(pg, 0, 7), strlen(pg_value(pg, 0, 7)));
    text_line(version, sizeof version, pg_value(pg, 0, 0), strlen(pg_value(pg, 0, 0)));
    RECORD(s->door, db_seen, .db = s->plan->databases[s->index / SIDES].name, .side = side_names[side_of(s)], .reachable = true, .version = version,
        .writable = pg_bool(pg, 0, 1) ? "no" : "yes", .clients = pg_int(pg, 0, 2), .open_tx = pg_int(pg, 0, 3), .oldest_tx = pg_int(pg, 0, 4), .oldest = oldest, .oldest_state = state,
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

static bool is_guarded(const struct source *s)
{
    return s->model && model_is_guarded(s->model, s->plan) && model_closed_side(s->model) == side_of(s);
}

/* True when it is time to tell this one (again). */
static bool is_news(struct own *o, int64_t pid, const char *how, const char *role)
{
    int64_t now = clock_mono();
    struct told *t = NULL;
    for (int i = 0; i < MOST; i++)
        if (o->told[i].at && o->told[i].pid == pid && strcmp(o->told[i].how, how) == 0 && strcmp(o->told[i].role, role) == 0)
            t = &o->told[i];
    if (t && now - t->at < AGAIN)
        return false;
    t = t ? t : &o->told[o->next_told++ % MOST];
    t->pid = pid;
    t->at = now;
    copy_text(t->how, sizeof t->how, how);
    copy_text(t->role, sizeof t->role, role);
    return true;
}

static void record_writers(struct source *s)
{
    struct own *o = s->own;
    const struct pg *pg = o->line.pg;
    for (int i = 0; i < pg_rows(pg); i++) {
        char role[64], application[64], address[48];
        text_line(role, sizeof role, pg_value(pg, i, 1), strlen(pg_value(pg, i, 1)));
        text_line(application, sizeof application, pg_value(pg, i, 2), strlen(pg_value(pg, i, 2)));
        text_line(address, sizeof address, pg_value(pg, i, 3), strlen(pg_value(pg, i, 3)));
        if (is_news(o, pg_int(pg, i, 0), pg_value(pg, i, 4), role))
            RECORD(s->door, writer_seen, .db = s->plan->databases[s->index / SIDES].name, .side = side_names[side_of(s)], .pid = pg_int(pg, i, 0), .role = role,
                .application = application, .address = address, .how = pg_value(pg, i, 4));
    }
}

/* False: the answer is awaited, or the side can't be asked. */
static bool ask(struct source *s, const char *sql)
{
    struct own *o = s->own;
    int64_t looks = s->looks;
    bool up = pgline_up(s, &o->line, s->plan->databases[s->index / SIDES].conninfo[side_of(s)]);
    if (up && !o->line.asked && s->model)
        o->turns = s->model->turns;
    if (up && pgline_ask(s, &o->line, sql, 0, NULL))
        return true;
    if (s->looks != looks) {
        record_lost(s);
        s->task.at = LOOK;
    }
    return false;
}

/* Writes were stopped, moved or let go since the question was asked: what it says may have been true before that only. */
static bool is_of_before(const struct source *s)
{
    return s->model && ((struct own *)s->own)->turns != s->model->turns;
}

/* Many databases are looked at less often, so that they cost no more than a few. */
static int64_t guard_pause(const struct source *s)
{
    return MIN(MAX((int64_t)GUARD_EVERY, s->plan->ndatabases * (int64_t)GUARD_SHARE), (int64_t)INTERVAL);
}

/* Until the next look, or the next guard before it. */
static void rest(struct source *s)
{
    struct own *o = s->own;
    bool guards = is_guarded(s) && o->guard_at < o->look_at;
    s->task.at = guards ? GUARD : LOOK;
    task_sleep(&s->task, MAX((guards ? o->guard_at : o->look_at) - clock_mono(), (int64_t)0));
}

static void guard(struct source *s)
{
    if (!ask(s, guard_sql))
        return;
    if (!is_of_before(s) && is_guarded(s))
        record_writers(s);
    ((struct own *)s->own)->guard_at = clock_mono() + guard_pause(s);
    rest(s);
}

static void run(struct task *task)
{
    struct source *s = (struct source *)task;
    struct own *o = s->own;
    switch (task->at) {
    case LOOK:
        if (!ask(s, look_sql))
            return;
        o->look_at = clock_mono() + (is_of_before(s) ? 0 : INTERVAL);
        if (!is_of_before(s))
            record(s);
        rest(s);
        return;
    case GUARD:
        guard(s);
        return;
    }
}

static void free_own(struct source *s)
{
    pgline_free(&((struct own *)s->own)->line);
}

const struct source_kind source_database = {.name = "database", .own_size = sizeof(struct own), .count = count, .name_of = name_of, .run = run, .free_own = free_own};
