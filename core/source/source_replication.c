/* Replication of one database, once a second: a heartbeat row is written on blue and awaited on green; the time until green
 * shows it is the lag. The bytes are what green has not confirmed as flushed: current WAL - confirmed_flush_lsn; sent - replay
 * would read 0 while data is unsent. Blue is written only while it is not fenced, and only after the replicate step has
 * made the schema cutover. */
#include <stdio.h>
#include <string.h>

#include "core/pgnames.h"
#include "core/source/pgline.h"
#include "core/text.h"

enum { BEAT, SEE, LOOK };
enum { INTERVAL = 1000, POLL = 20, AWAIT = 600 };

struct own {
    struct pgline blue, green;
    char slot[64];
    bool has_heartbeat; /* blue has cutover.heartbeat and takes writes */
    bool fenced;        /* blue's database is set read-only: nothing was written */
    int64_t beat_us;    /* blue's clock of the newest heartbeat */
    int64_t beat_at;    /* clock_mono when it was written */
    int64_t lag;
    char error[160];
};

static const char look_sql[] =
    "SELECT to_regclass('cutover.heartbeat') IS NOT NULL, pg_wal_lsn_diff(pg_current_wal_lsn(), s.confirmed_flush_lsn)::bigint,"
    " pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint, coalesce(s.active, false), coalesce(s.slot_name::text, ''),"
    " coalesce((SELECT max(r.sent_lsn) FROM pg_stat_replication r WHERE r.pid = s.active_pid)::text, ''), coalesce(s.confirmed_flush_lsn::text, ''),"
    " coalesce(s.wal_status, ''), current_setting('transaction_read_only')::bool OR EXISTS (SELECT 1 FROM pg_db_role_setting r JOIN pg_database d"
    " ON d.oid = r.setdatabase WHERE d.datname = current_database() AND r.setrole = 0 AND 'default_transaction_read_only=on' = ANY (r.setconfig))"
    " FROM (SELECT 1) one LEFT JOIN pg_replication_slots s ON s.slot_name = $1";

static const char beat_sql[] =
    "UPDATE cutover.heartbeat SET at = clock_timestamp() WHERE id = 1 AND NOT EXISTS (SELECT 1 FROM pg_db_role_setting r JOIN pg_database d"
    " ON d.oid = r.setdatabase WHERE d.datname = current_database() AND r.setrole = 0 AND 'default_transaction_read_only=on' = ANY (r.setconfig))"
    " RETURNING (extract(epoch FROM at) * 1000000)::bigint";

static const char see_sql[] =
    "SELECT (SELECT (extract(epoch FROM at) * 1000000)::bigint FROM cutover.heartbeat WHERE id = 1),"
    " (SELECT bool_or(s.subenabled) FROM pg_subscription s WHERE s.subname = $1),"
    " (SELECT count(*) FROM pg_stat_subscription w WHERE w.subname = $1 AND w.relid IS NULL AND w.pid IS NOT NULL)";

static int count(const struct plan *p)
{
    return p->ndatabases;
}

static void name_of(const struct plan *p, int index, char *buf, size_t size)
{
    snprintf(buf, size, "replication %s", p->databases[index].name);
}

static const struct plan_database *db_of(const struct source *s)
{
    return &s->plan->databases[s->index];
}

/* Green shows the heartbeat: its age, by blue's clock. True when there is nothing more to wait for. */
static bool judge_heartbeat(struct own *o)
{
    int64_t since = clock_mono() - o->beat_at;
    bool null = pg_is_null(o->green.pg, 0, 0);
    int64_t seen = pg_int(o->green.pg, 0, 0);
    bool enabled = pg_bool(o->green.pg, 0, 1), works = pg_int(o->green.pg, 0, 2) > 0;
    copy_text(o->error, sizeof o->error, enabled && !works ? "green's apply worker is not running; its reason stands in green's server log" : "");
    if (null) {
        o->lag = UNKNOWN;
        return true;
    }
    if (seen >= o->beat_us) {
        o->lag = since;
        return true;
    }
    o->lag = (o->beat_us - seen) / 1000 + since;
    return since > AWAIT || !works;
}

static void record(struct source *s)
{
    struct own *o = s->own;
    const struct pg *pg = o->blue.pg;
    bool slot = *pg_value(pg, 0, 4) != '\0';
    o->fenced = pg_bool(pg, 0, 8);
    o->has_heartbeat = pg_bool(pg, 0, 0) && !o->fenced;
    if (slot && strcmp(pg_value(pg, 0, 7), "lost") == 0)
        copy_text(o->error, sizeof o->error, "blue has thrown away WAL that the slot needs (wal_status lost): replication must start over");
    RECORD(s->door, lag_seen, .db = db_of(s)->name, .bytes = slot ? pg_int(pg, 0, 1) : UNKNOWN, .lag = slot && !o->fenced ? o->lag : UNKNOWN,
        .retained = slot ? pg_int(pg, 0, 2) : UNKNOWN, .active = pg_bool(pg, 0, 3), .slot = pg_value(pg, 0, 4), .sent_lsn = pg_value(pg, 0, 5),
        .flushed_lsn = pg_value(pg, 0, 6), .error = slot ? o->error : "");
    source_worked(s);
}

static void take_beat(struct own *o)
{
    o->fenced = pg_rows(o->blue.pg) == 0;
    if (!o->fenced) {
        o->beat_us = pg_int(o->blue.pg, 0, 0);
        o->beat_at = clock_mono();
    }
}

static void run(struct task *task)
{
    struct source *s = (struct source *)task;
    struct own *o = s->own;
    const struct plan_database *db = db_of(s);
    const char *slot = o->slot;
    if (!*o->slot)
        pgnames_slot(db, o->slot, sizeof o->slot);
    if (!pgline_up(s, &o->blue, db->conninfo[BLUE]) || !pgline_up(s, &o->green, db->conninfo[GREEN]))
        return;
    switch (task->at) {
    case BEAT:
        o->lag = UNKNOWN;
        o->error[0] = '\0';
        if (o->has_heartbeat) {
            o->has_heartbeat = false; /* until the next look says so: the table may be gone by now */
            if (!pgline_ask(s, &o->blue, beat_sql, 0, NULL)) {
                o->has_heartbeat = o->blue.asked;
                return;
            }
            take_beat(o);
            task->at = o->fenced ? LOOK : SEE;
        } else {
            task->at = LOOK;
        }
        task_sleep(task, 0);
        return;
    case SEE:
        if (!pgline_ask(s, &o->green, see_sql, 1, &slot)) {
            if (!o->green.asked) /* green has no heartbeat table yet: that is a lag nobody knows, not a fault */
                task->at = LOOK;
            return;
        }
        if (judge_heartbeat(o))
            task->at = LOOK;
        task_sleep(task, task->at == LOOK ? 0 : POLL);
        return;
    case LOOK:
        if (!pgline_ask(s, &o->blue, look_sql, 1, &slot))
            return;
        record(s);
        task->at = BEAT;
        task_sleep(task, INTERVAL);
        return;
    }
}

static void free_own(struct source *s)
{
    struct own *o = s->own;
    pgline_free(&o->blue);
    pgline_free(&o->green);
}

const struct source_kind source_replication = {
    .name = "replication", .own_size = sizeof(struct own), .count = count, .name_of = name_of, .run = run, .free_own = free_own};
