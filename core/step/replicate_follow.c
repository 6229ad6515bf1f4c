/* replicate: green subscribes, is awaited until every table streams, and the way back is made ready. */
#include "core/step/replicate.h"

#include <string.h>

#include "core/pgnames.h"
#include "core/text.h"

enum { ASK_HOLDER_AFTER = 1000, STUCK_AFTER = 20000 };

/* Both servers can leave out what itself came by replication: then both directions may live at once without a loop. */
static bool knows_origin(const struct pgscript *s)
{
    return pg_server_version(s->side[BLUE]) >= 160000 && pg_server_version(s->side[GREEN]) >= 160000;
}

/* Green's server gives up when we do: by the step's time, or when this session is gone (from 14 on it notices). */
static void own_session(struct pgscript *s, struct buf *out)
{
    buf_printf(out, REPLICATE_SESSION "SET statement_timeout = %lld;%s", (long long)MAX(step_time_left(s->run), (int64_t)1000),
        pg_server_version(s->side[GREEN]) >= 140000 ? " SET client_connection_check_interval = '1s';" : "");
}

/* The conninfo is read by green's server: a service, passfile or certificate that it names is a file over there. */
static void subscribe(struct pgscript *s, struct buf *out)
{
    const struct plan_database *db = pgscript_db(s);
    const char *made = replicate_dumps(db) ? "false" : "true"; /* with its rows, by the baseline */
    if (s->has_subscription) {
        buf_printf(out, "ALTER SUBSCRIPTION %s ENABLE", s->slot);
        return;
    }
    buf_printf(out, "CREATE SUBSCRIPTION %s CONNECTION ", s->slot);
    pg_put_literal(out, db->subscribe_from);
    buf_printf(out, " PUBLICATION " PGNAMES_PUBLICATION " WITH (copy_data = %s, create_slot = %s, slot_name = '%s'%s)", made, made, s->slot,
        db->reverse && knows_origin(s) ? ", origin = none" : "");
}

static void say_holder(struct pgscript *s)
{
    struct pg *blue = s->side[BLUE];
    if (pg_busy(blue) || clock_mono() - s->sent < ASK_HOLDER_AFTER)
        return;
    if (s->asked_holder)
        pgrows_say_holder(s->run, pgscript_db(s)->name, blue, s->holder, sizeof s->holder);
    s->asked_holder = true;
    pg_query(blue, pgrows_ask_holder, 0, NULL, 2000);
}

static void copies_over(struct pgscript *s, struct buf *out)
{
    if (replicate_dumps(pgscript_db(s)))
        buf_puts(out, REPLICATE_SESSION "COMMENT ON SCHEMA " PGNAMES_SCHEMA " IS NULL");
}

/* The baseline may have come in between, with its slot. */
static bool saw_green_again(struct pgscript *s)
{
    pgrows_saw_green(s);
    return true;
}

const struct pgscript_row replicate_follow[] = {
    {GREEN, NULL, pgrows_look_green, saw_green_again, false, NULL},
    {GREEN, NULL, own_session, NULL, false, NULL},
    {GREEN, "green subscribes", subscribe, NULL, false, say_holder},
    {GREEN, NULL, copies_over, NULL, false, NULL},
};
const int replicate_nfollow = ARRAY_LEN(replicate_follow);

/* ---- until every table streams: green itself is asked, since the model may still tell of an earlier subscription ---- */

static void count_ready(struct pgscript *s, struct buf *out)
{
    bool counts_errors = pg_server_version(s->side[GREEN]) >= 150000;
    buf_printf(out, "SELECT count(*), count(*) FILTER (WHERE srsubstate = 'r'), min(srrelid::regclass::text) FILTER (WHERE srsubstate <> 'r'), %s,"
        " EXISTS (SELECT FROM pg_stat_subscription w WHERE w.subname = '%s' AND w.pid IS NOT NULL AND w.relid IS NULL)"
        " FROM pg_subscription q JOIN pg_subscription_rel r ON r.srsubid = q.oid WHERE q.subname = '%s'"
        " AND q.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
        counts_errors ? "coalesce((SELECT sum(e.apply_error_count + e.sync_error_count) FROM pg_stat_subscription_stats e WHERE e.subid = min(q.oid::int8)::oid), 0)" : "0",
        s->slot, s->slot);
}

/* A copy that fails is tried again by green every few seconds, for ever: only its server log has the reason. */
static void say_stuck(struct pgscript *s, const char *table, int64_t errors)
{
    struct replicate *o = (struct replicate *)s;
    char name[100];
    if (o->told_stuck || !errors || clock_mono() - o->moved < STUCK_AFTER / (errors > 2 ? 4 : 1))
        return;
    o->told_stuck = true;
    text_line(name, sizeof name, table, strlen(table));
    step_say(s->run, "warn", "%s: green's workers failed %lld times, %s is not ready; the reason stands in green's server log", pgscript_db(s)->name,
        (long long)errors, name);
}

static bool is_ready(struct pgscript *s)
{
    struct replicate *o = (struct replicate *)s;
    const struct pg *pg = pgscript_result(s);
    int64_t all = pg_int(pg, 0, 0), ready = pg_int(pg, 0, 1);
    char name[100];
    if (ready != o->ready || all != o->all || !o->moved) {
        o->moved = clock_mono();
        step_progress(s->run, o->before + ready, o->before + all, "tables");
    }
    o->ready = ready;
    o->all = all;
    if (all > 0 && ready == all && replicate_dumps(pgscript_db(s)) && !pg_bool(pg, 0, 4)) /* no copy tells that it follows: a server starts workers seconds apart */
        return pgscript_again(s, step_time_left(s->run), "all rows are there, but green's worker of %s does not run yet", s->slot);
    if (all > 0 && ready == all) {
        o->before += all;
        o->ready = o->all = o->moved = 0;
        return true;
    }
    say_stuck(s, pg_value(pg, 0, 2), pg_int(pg, 0, 3));
    text_line(name, sizeof name, pg_value(pg, 0, 2), strlen(pg_value(pg, 0, 2)));
    if (all == 0)
        return pgscript_again(s, 5000, "the subscription %s is gone on green, or it has no table", s->slot);
    return pgscript_again(s, step_time_left(s->run), "%lld of %lld tables are copied, %s is not; the copy goes on by itself", (long long)ready, (long long)all, name);
}

/* ---- the way back, when the copy is there: from 16 on both directions live at once, each leaving out what came by the other.
 * Before, blue's subscription stands ready but disabled; the switch moves its slot to the moment at which green opens, and
 * enables it when the way there is closed. ---- */

static void look_way_back(struct pgscript *s, struct buf *out)
{
    char back[64];
    pgnames_back(pgscript_db(s), back, sizeof back);
    if (pgscript_db(s)->reverse)
        buf_printf(out, "SELECT EXISTS (SELECT 1 FROM pg_publication WHERE pubname = '" PGNAMES_PUBLICATION "'), EXISTS (SELECT 1 FROM pg_replication_slots"
            " WHERE slot_name = '%s'), current_setting('wal_level')", back);
}

static bool saw_way_back(struct pgscript *s)
{
    const struct pg *pg = pgscript_result(s);
    s->has_publication = pg_bool(pg, 0, 0);
    s->has_slot = pg_bool(pg, 0, 1);
    if (strcmp(pg_value(pg, 0, 2), "logical") != 0)
        snprintf(s->why, sizeof s->why, "wal_level of green is %s; for the way back set it to logical and restart green, or set reverse = false", pg_value(pg, 0, 2));
    else if (s->has_back && !s->has_slot)
        snprintf(s->why, sizeof s->why, "blue has a subscription for the way back whose slot is gone on green; undo this step, then run it again");
    else
        return true;
    return false;
}

static void look_back(struct pgscript *s, struct buf *out)
{
    if (pgscript_db(s)->reverse)
        pgrows_look_back(s, out);
}

static void publish_back(struct pgscript *s, struct buf *out)
{
    if (pgscript_db(s)->reverse && !s->has_publication)
        replicate_put_publication(pgscript_db(s), out);
}

/* A slot without its subscription may be of any age: it is made anew. */
static void drop_old_slot(struct pgscript *s, struct buf *out)
{
    if (pgscript_db(s)->reverse && !s->has_back && s->has_slot)
        pgrows_drop_back_slot(s, out);
}

static void make_back_slot(struct pgscript *s, struct buf *out)
{
    char back[64];
    pgnames_back(pgscript_db(s), back, sizeof back);
    if (pgscript_db(s)->reverse && !s->has_back)
        buf_printf(out, "SELECT pg_create_logical_replication_slot('%s', 'pgoutput')", back);
}

/* The conninfo is read by blue's server. Tables that blue lacks, and a green that blue can't reach, show here. */
static void subscribe_back(struct pgscript *s, struct buf *out)
{
    const struct plan_database *db = pgscript_db(s);
    char back[64];
    if (!db->reverse || s->has_back)
        return;
    pgnames_back(db, back, sizeof back);
    buf_printf(out, REPLICATE_SESSION "CREATE SUBSCRIPTION %s CONNECTION ", back);
    pg_put_literal(out, db->subscribe_back_from);
    buf_printf(out, " PUBLICATION " PGNAMES_PUBLICATION " WITH (create_slot = false, slot_name = '%s', copy_data = false, %s)", back,
        knows_origin(s) ? "enabled = true, origin = none" : "enabled = false");
}

const struct pgscript_row replicate_await[] = {
    {GREEN, NULL, count_ready, is_ready, false, NULL},
    {BLUE, NULL, look_back, pgrows_saw_back, false, NULL},
    {GREEN, NULL, look_way_back, saw_way_back, false, NULL},
    {GREEN, "publication " PGNAMES_PUBLICATION " on green, for the way back", publish_back, NULL, false, NULL},
    {GREEN, NULL, drop_old_slot, pgrows_dropped_back_slot, false, NULL},
    {GREEN, "slot of the way back on green", make_back_slot, NULL, false, NULL},
    {BLUE, "blue has its subscription for the way back", subscribe_back, NULL, false, NULL},
};
const int replicate_nawait = ARRAY_LEN(replicate_await);
