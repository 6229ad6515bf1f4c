/* Replication of one database, once a second: a heartbeat row is written on blue and awaited on green; the time until green
 * shows it is the lag. After the switch the same is done the other way round, for the way back: `from` is the side that takes
 * writes, `to` the one that follows. The bytes are what green has not confirmed as flushed: current WAL - confirmed_flush_lsn; sent - replay
 * would read 0 while data is unsent. Blue is written only while it is not fenced, and only after the replicate step has
 * made the schema cutover. A green that is away is no reason not to look at blue: its slot keeps WAL there meanwhile.
 *
 * With heartbeat = false nothing is written, and the time is not known: bytes only. */
#include <stdio.h>
#include <string.h>

#include "core/pgnames.h"
#include "core/source/applier.h"
#include "core/source/pauseprobe.h"
#include "core/source/pgline.h"
#include "core/text.h"

#define NO_TABLE "42P01" /* the heartbeat's: it comes with replicate, and goes with cleanup */
enum { BEAT, SEE, READ_LOG, COMMIT, READ, LOOK };
enum { INTERVAL = 1000, FIRST_POLL = 10, PROBE_POLL = 1, PROBE_POLLS = 50, LONGEST_POLL = 320, AWAIT = 600 };

struct own {
    struct pgline line[SIDES];
    enum side from, to;
    char slot[64];
    bool has_heartbeat; /* `from` has cutover.heartbeat and takes writes */
    bool has_slot;
    bool fenced;        /* blue's database is set read-only: nothing was written */
    int64_t beat_us;    /* blue's clock of the newest heartbeat */
    int64_t beat_at;    /* clock_mono_us when it was written */
    int64_t lag;
    int64_t poll;        /* until green is asked again for the same heartbeat */
    int64_t green_again; /* clock_mono before which a green that failed is not tried */
    bool green_failed;   /* in this round */
    struct pauseprobe probe;
    struct applier applier; /* of the side that follows */
    char error[240];
};

static const char look_sql[] =
    "SELECT to_regclass('cutover.heartbeat') IS NOT NULL, pg_wal_lsn_diff(pg_current_wal_lsn(), s.confirmed_flush_lsn)::bigint,"
    " pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint, coalesce(s.active, false), coalesce(s.slot_name::text, ''),"
    " coalesce((SELECT max(r.sent_lsn) FROM pg_stat_replication r WHERE r.pid = s.active_pid)::text, ''), coalesce(s.confirmed_flush_lsn::text, ''),"
    " coalesce(s.wal_status, ''), current_setting('transaction_read_only')::bool OR EXISTS (SELECT 1 FROM pg_db_role_setting r JOIN pg_database d"
    " ON d.oid = r.setdatabase WHERE d.datname = current_database() AND r.setrole = 0 AND 'default_transaction_read_only=on' = ANY (r.setconfig))"
    ", coalesce(s.safe_wal_size, -1), coalesce(to_jsonb(s)->>'invalidation_reason', '')"
    " FROM (SELECT 1) one LEFT JOIN pg_replication_slots s ON s.slot_name = $1";

static const char beat_sql[] =
    "UPDATE cutover.heartbeat SET at = clock_timestamp() WHERE id = 1 AND NOT EXISTS (SELECT 1 FROM pg_db_role_setting r JOIN pg_database d"
    " ON d.oid = r.setdatabase WHERE d.datname = current_database() AND r.setrole = 0 AND 'default_transaction_read_only=on' = ANY (r.setconfig))"
    " RETURNING (extract(epoch FROM at) * 1000000)::bigint";

static const char seen_sql[] = "(SELECT (extract(epoch FROM at) * 1000000)::bigint FROM cutover.heartbeat WHERE id = 1)";

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
    const struct pg *pg = o->line[o->to].pg;
    int64_t since_us = clock_mono_us() - o->beat_at, since = since_us / 1000, seen = pg_int(pg, 0, 0);
    o->error[0] = '\0';
    if (pg_failed(pg)) /* green has no table for it yet, or no longer */
        return true;
    bool works = pg_int(pg, 0, 2) > 0;
    applier_judge(&o->applier, pg, 1);
    applier_sentence(&o->applier, side_names[o->to], o->error, sizeof o->error);
    if (pg_is_null(pg, 0, 0))
        return true;
    o->lag = seen >= o->beat_us ? since : (o->beat_us - seen) / 1000 + since;
    o->probe.marker_us = seen >= o->beat_us ? since_us : o->lag * 1000;
    return seen >= o->beat_us || since > AWAIT || !works;
}

static bool beats(const struct source *s)
{
    return db_of(s)->heartbeat;
}

/* Where a round goes on when green has answered. */
static int after_see(const struct source *s)
{
    const struct own *o = s->own;
    return !o->probe.now ? LOOK : beats(s) ? COMMIT : READ;
}

/* The copy of what was thrown away can't be had again: there is no way on. */
static void judge_slot(struct own *o, const struct pg *pg)
{
    const char *why = pg_value(pg, 0, 10);
    if (strcmp(pg_value(pg, 0, 7), "lost") == 0)
        snprintf(o->error, sizeof o->error, "%s has thrown away WAL that the slot %s needs%s%.40s: undo replicate and run it again, the copy begins anew", side_names[o->from],
            o->slot, *why ? ", by " : "", why);
}

static void record(struct source *s)
{
    struct own *o = s->own;
    const struct pg *pg = o->line[o->from].pg;
    bool slot = *pg_value(pg, 0, 4) != '\0', active = pg_bool(pg, 0, 3);
    o->fenced = pg_bool(pg, 0, 8);
    o->has_heartbeat = pg_bool(pg, 0, 0) && !o->fenced && beats(s);
    o->has_slot = slot;
    judge_slot(o, pg);
    RECORD(s->door, lag_seen, .db = db_of(s)->name, .direction = o->from == GREEN ? "back" : "forward", .bytes = slot ? pg_int(pg, 0, 1) : UNKNOWN,
        .lag = slot && !o->fenced && (o->from == BLUE || active) ? o->lag : UNKNOWN, .retained = slot ? pg_int(pg, 0, 2) : UNKNOWN, .active = active,
        .slot = pg_value(pg, 0, 4), .sent_lsn = pg_value(pg, 0, 5), .flushed_lsn = pg_value(pg, 0, 6), .status = pg_value(pg, 0, 7), .left = slot ? pg_int(pg, 0, 9) : UNKNOWN,
        .errors = o->applier.errors, .conflicts = o->applier.conflicts, .restarts = o->applier.restarts, .error = slot ? o->error : "");
    if (!o->green_failed)
        source_worked(s);
}

/* The way of a heartbeat that is measured is looked for closely, unless green is just being connected. */
static void begin_polls(struct source *s)
{
    struct own *o = s->own;
    const struct pg *green = o->line[o->to].pg;
    bool probes = green && pg_is_connected(green) && pauseprobe_begin(&o->probe, s);
    o->poll = probes ? PROBE_POLL : FIRST_POLL;
}

static void take_beat(struct source *s)
{
    struct own *o = s->own;
    o->fenced = pg_failed(o->line[o->from].pg) || pg_rows(o->line[o->from].pg) == 0;
    if (!o->fenced) {
        o->beat_us = pg_int(o->line[o->from].pg, 0, 0);
        o->beat_at = clock_mono_us();
        begin_polls(s);
    }
}

/* The side that follows can't be asked: it is left alone for a while, and blue is looked at. */
static void give_up_green(struct source *s)
{
    struct own *o = s->own;
    o->green_failed = true;
    o->probe.now = false;
    o->green_again = clock_mono() + s->pause;
    snprintf(o->error, sizeof o->error, "%s can't be asked: %.130s", side_names[o->to], pg_error(o->line[o->to].pg));
    s->task.at = LOOK;
}

/* Asks green for the heartbeat, again and again until it shows it; goes on when there is nothing more to wait for. */
static void see(struct source *s)
{
    struct own *o = s->own;
    const char *slot = o->slot;
    int64_t looks = s->looks;
    char sql[1400] = "";
    bool up = pgline_up(s, &o->line[o->to], db_of(s)->conninfo[o->to]);
    if (up)
        snprintf(sql, sizeof sql, "SELECT %s, %s", beats(s) ? seen_sql : "NULL", applier_columns(pg_server_version(o->line[o->to].pg)));
    if (!up || !pgline_ask(s, &o->line[o->to], sql, 1, &slot)) {
        if (s->looks != looks)
            give_up_green(s);
        return;
    }
    o->green_failed = false;
    if (judge_heartbeat(o))
        s->task.at = o->applier.asks_log && !o->applier.no_log ? READ_LOG : after_see(s);
    task_sleep(&s->task, s->task.at == SEE ? o->poll : 0);
    if (!o->probe.now || clock_mono_us() - o->beat_at > PROBE_POLLS * 1000)
        o->poll = MIN(o->poll * 2, (int64_t)LONGEST_POLL);
}

/* Something failed: in which words? A server that does not let us read them is asked once. */
static void read_log(struct source *s)
{
    struct own *o = s->own;
    struct pgline *line = &o->line[o->to];
    int64_t looks = s->looks;
    line->tolerates = "42501";
    if (!pgline_up(s, line, db_of(s)->conninfo[o->to]) || !pgline_ask(s, line, applier_log_sql, 0, NULL)) {
        if (s->looks == looks)
            return;
        o->applier.no_log = pg_is_connected(line->pg); /* whatever its reason: it is not asked for again */
        s->task.at = LOOK;
        return;
    }
    line->tolerates = NO_TABLE;
    applier_read_log(&o->applier, line->pg);
    applier_sentence(&o->applier, side_names[o->to], o->error, sizeof o->error);
    s->task.at = after_see(s);
    task_sleep(&s->task, 0);
}

/* How long a commit takes on green: with the consent to the heartbeat only. */
static void commit(struct source *s)
{
    struct own *o = s->own;
    struct pgline *line = &o->line[o->to];
    int64_t looks = s->looks;
    line->tolerates = "42501";
    if (!pgline_up(s, line, db_of(s)->conninfo[o->to]) || !pauseprobe_ask(&o->probe, s, line, pauseprobe_commit_sql, &o->probe.green_us)) {
        if (s->looks != looks) {
            pauseprobe_give_up(&o->probe);
            give_up_green(s);
        }
        return;
    }
    line->tolerates = NO_TABLE;
    s->task.at = READ;
    task_sleep(&s->task, 0);
}

/* And a reading of blue's sequences. One that was dropped under it leaves that unknown. */
static void read_sequences(struct source *s)
{
    struct own *o = s->own;
    struct pgline *line = &o->line[o->from];
    int64_t took, looks = s->looks;
    line->tolerates = "XX000";
    if (!pauseprobe_ask(&o->probe, s, line, pauseprobe_read_sql, &took)) {
        if (s->looks == looks)
            return;
        pauseprobe_give_up(&o->probe);
        line->tolerates = NO_TABLE;
        s->task.at = BEAT;
        return;
    }
    line->tolerates = NO_TABLE;
    pauseprobe_take_reading(&o->probe, line->pg, took);
    pauseprobe_record(&o->probe, s, db_of(s)->name);
    s->task.at = LOOK;
    task_sleep(&s->task, 0);
}

/* True when a heartbeat was written, or none is to be, and green is to be asked. arranged: the answer is still awaited. */
static bool beat(struct source *s, bool *arranged)
{
    struct own *o = s->own;
    *arranged = false;
    if (o->has_heartbeat) {
        o->has_heartbeat = false; /* until the next look says so: the table may be gone by now */
        if (!pauseprobe_ask(&o->probe, s, &o->line[o->from], beat_sql, &o->probe.blue_us)) {
            o->has_heartbeat = o->line[o->from].asked;
            *arranged = true;
            return false;
        }
        take_beat(s);
        return !o->fenced && clock_mono() >= o->green_again;
    }
    if (!beats(s) && o->has_slot && !o->fenced) {
        begin_polls(s);
        o->probe.blue_us = UNKNOWN;
        return clock_mono() >= o->green_again;
    }
    o->green_failed = false; /* nothing is asked of green now */
    o->error[0] = '\0';
    return false;
}

/* Where the heartbeat belongs now. A plan without a way back is watched forward only. */
static enum side writes_leave_from(const struct source *s)
{
    return s->model && s->model->committed && db_of(s)->reverse ? GREEN : BLUE;
}

static void turn(struct source *s)
{
    struct own *o = s->own;
    pgline_free(&o->line[BLUE]);
    pgline_free(&o->line[GREEN]);
    *o = (struct own){.from = writes_leave_from(s), .lag = UNKNOWN};
    o->to = !o->from;
    (o->from == BLUE ? pgnames_slot : pgnames_back)(db_of(s), o->slot, sizeof o->slot);
    o->line[BLUE].tolerates = o->line[GREEN].tolerates = NO_TABLE;
    o->line[o->to].at_once = true;
}

static void run(struct task *task)
{
    struct source *s = (struct source *)task;
    struct own *o = s->own;
    const char *slot = o->slot;
    bool arranged;
    if (!*o->slot || o->from != writes_leave_from(s)) {
        turn(s);
        task->at = BEAT;
    }
    if (!pgline_up(s, &o->line[o->from], db_of(s)->conninfo[o->from]))
        return;
    switch (task->at) {
    case BEAT:
        o->lag = UNKNOWN;
        if (beat(s, &arranged))
            task->at = SEE;
        else if (!arranged)
            task->at = LOOK;
        if (!arranged)
            task_sleep(task, 0);
        return;
    case SEE:
        see(s);
        return;
    case READ_LOG:
        read_log(s);
        return;
    case COMMIT:
        commit(s);
        return;
    case READ:
        read_sequences(s);
        return;
    case LOOK:
        if (!pgline_ask(s, &o->line[o->from], look_sql, 1, &slot))
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
    pgline_free(&o->line[BLUE]);
    pgline_free(&o->line[GREEN]);
}

const struct source_kind source_replication = {
    .name = "replication", .own_size = sizeof(struct own), .count = count, .name_of = name_of, .run = run, .free_own = free_own};
