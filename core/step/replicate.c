#include "core/step/replicate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pgnames.h"
#include "core/text.h"

enum { ASK_BLOCKER_AFTER = 1000, STUCK_AFTER = 20000 };

/* ---- what stands, and does it fit? ---- */

/* Here green is closed before it subscribes, and only the switch opens it again. Were it closed now, production would stand
 * still, and the undo would empty the tables that it writes to. */
static bool took_over(struct pgscript *s)
{
    if (!s->has_subscription || s->green_is_closed)
        return false;
    snprintf(s->why, sizeof s->why, "green of %s takes writes although its subscription %s stands: writes have moved there already, or somebody opened it."
        " Nothing was done; go on with the journal of the run that moved them", pgscript_db(s)->name, s->slot);
    return true;
}

static bool agrees(struct pgscript *s)
{
    pgrows_saw_green(s);
    if (took_over(s))
        return false;
    if (s->slot_is_lost) {
        snprintf(s->why, sizeof s->why, "blue has thrown away WAL that the slot %s needs, so green can't follow any more; undo this step, then run it again", s->slot);
        return false;
    }
    if (s->has_subscription == s->has_slot && (s->has_publication || !s->has_subscription)) {
        ((struct replicate *)s)->fresh[s->db] = !s->has_subscription;
        return true;
    }
    snprintf(s->why, sizeof s->why, !s->has_publication && s->has_subscription ? "green has a subscription %s, but its publication is gone on blue; undo this step, then run it again"
        : s->has_slot ? "blue still has a slot %s, but green has no subscription for it; undo this step, then run it again"
        : "green has a subscription %s whose slot is gone on blue; undo this step, then run it again", s->slot);
    return false;
}

/* ('public', 'items'), ... for a VALUES list. */
static void put_pairs(const struct plan_database *db, struct buf *out)
{
    for (int i = 0; i < db->ntables; i++) {
        char schema[80], table[80], quoted[2][200];
        pgnames_split(db->tables[i], schema, table, sizeof schema);
        pg_quote_literal(quoted[0], sizeof quoted[0], schema);
        pg_quote_literal(quoted[1], sizeof quoted[1], table);
        buf_printf(out, "%s(%s, %s)", i ? ", " : "", quoted[0], quoted[1]);
    }
}

/* A publication that stands is kept only when it publishes what the plan says. */
static void look_publication(struct pgscript *s, struct buf *out)
{
    const struct plan_database *db = pgscript_db(s);
    if (!s->has_publication)
        return;
    buf_printf(out, "SELECT puballtables, pubinsert AND pubupdate AND pubdelete AND pubtruncate, ");
    if (db->ntables == 0) {
        buf_puts(out, "NULL");
    } else {
        buf_puts(out, "(SELECT string_agg(v.s || '.' || v.t, ', ') FROM (VALUES ");
        if (db->heartbeat)
            buf_puts(out, "('" PGNAMES_SCHEMA "', 'heartbeat'), ");
        buf_puts(out, "('" PGNAMES_SCHEMA "', 'marker'), ");
        put_pairs(db, out);
        buf_puts(out, ") v(s, t) WHERE NOT EXISTS (SELECT 1 FROM pg_publication_rel r JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
                      " WHERE r.prpubid = p.oid AND n.nspname = v.s AND c.relname = v.t))");
    }
    buf_puts(out, " FROM pg_publication p WHERE pubname = '" PGNAMES_PUBLICATION "'");
}

static bool fits_plan(struct pgscript *s)
{
    const struct pg *pg = pgscript_result(s);
    bool all = pg_bool(pg, 0, 0), wants_all = pgscript_db(s)->ntables == 0;
    if (!pg_bool(pg, 0, 1))
        snprintf(s->why, sizeof s->why, "blue has a publication " PGNAMES_PUBLICATION " that leaves out some kinds of changes; undo this step, then run it again");
    else if (all != wants_all)
        snprintf(s->why, sizeof s->why, "blue has a publication " PGNAMES_PUBLICATION " of %s, but the plan names %s; undo this step, then run it again",
            all ? "all tables" : "some tables", wants_all ? "none: all move" : "some");
    else if (!pg_is_null(pg, 0, 2))
        snprintf(s->why, sizeof s->why, "blue has a publication " PGNAMES_PUBLICATION " without %.200s; undo this step, then run it again", pg_value(pg, 0, 2));
    else
        return true;
    return false;
}

/* A way back that is older than the copy would carry the copied rows, and what is emptied here, to blue. */
static void look_left_over(struct pgscript *s, struct buf *out)
{
    if (!s->has_subscription)
        pgrows_look_back(s, out);
}

static bool none_left_over(struct pgscript *s)
{
    if (!pg_bool(pgscript_result(s), 0, 0))
        return true;
    snprintf(s->why, sizeof s->why, "blue still has a subscription for the way back, but green has none for the way there; undo this step, then run it again");
    return false;
}

/* Tables of green that hold rows, where no subscription could have brought them: the copy would collide. Which tables there
 * are decides what is asked, so there are two rows. */
static void list_green(struct pgscript *s, struct buf *out)
{
    const struct plan_database *db = pgscript_db(s);
    if (s->has_subscription)
        return;
    buf_puts(out, "SELECT string_agg(format('SELECT %L WHERE EXISTS (SELECT FROM ONLY %s)', c.oid::regclass, c.oid::regclass), ' UNION ALL ' ORDER BY c.oid),"
                  " string_agg(c.oid::regclass::text, ', ' ORDER BY c.oid)"
                  " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND c.relpersistence = 'p'"
                  " AND n.nspname NOT IN ('information_schema', '" PGNAMES_SCHEMA "') AND n.nspname NOT LIKE 'pg\\_%'");
    if (db->ntables) {
        buf_puts(out, " AND (n.nspname, c.relname) IN (VALUES ");
        put_pairs(db, out);
        buf_puts(out, ")");
    }
}

static bool listed(struct pgscript *s)
{
    struct replicate *o = (struct replicate *)s;
    free(o->filled);
    free(o->empty);
    o->filled = xstrdup(pg_value(pgscript_result(s), 0, 0));
    o->empty = xstrdup(pg_value(pgscript_result(s), 0, 1));
    return true;
}

static void look_filled(struct pgscript *s, struct buf *out)
{
    const struct replicate *o = (struct replicate *)s;
    if (!s->has_subscription && o->filled && *o->filled)
        buf_printf(out, "SELECT count(*), min(t) FROM (%s) x(t)", o->filled);
}

static bool is_empty(struct pgscript *s)
{
    const struct pg *pg = pgscript_result(s);
    char name[140];
    if (pg_int(pg, 0, 0) == 0)
        return true;
    text_line(name, sizeof name, pg_value(pg, 0, 1), strlen(pg_value(pg, 0, 1)));
    snprintf(s->why, sizeof s->why, "%s on green holds rows already%s, and the copy would collide with them; empty what is to be copied on green", name,
        pg_int(pg, 0, 0) > 1 ? " (and it is not the only table)" : "");
    return false;
}

/* ---- making what is missing ---- */

/* Marker and heartbeat travel with the data. Everybody may leave a marker: the switch proves with one that writes arrive. The
 * heartbeat is written each second, so the plan can forbid it. */
static void put_schema(const struct plan_database *db, struct buf *out)
{
    buf_puts(out, REPLICATE_SESSION "CREATE SCHEMA IF NOT EXISTS " PGNAMES_SCHEMA ";");
    if (db->heartbeat)
        buf_puts(out, " CREATE TABLE IF NOT EXISTS " PGNAMES_SCHEMA ".heartbeat (id int PRIMARY KEY, at timestamptz NOT NULL);");
    buf_puts(out, " CREATE TABLE IF NOT EXISTS " PGNAMES_SCHEMA ".marker (id text PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(), step text);"
        " GRANT USAGE ON SCHEMA " PGNAMES_SCHEMA " TO PUBLIC; GRANT SELECT, INSERT ON " PGNAMES_SCHEMA ".marker TO PUBLIC;");
}

static void schema_on_blue(struct pgscript *s, struct buf *out)
{
    put_schema(pgscript_db(s), out);
    if (pgscript_db(s)->heartbeat)
        buf_puts(out, " INSERT INTO " PGNAMES_SCHEMA ".heartbeat VALUES (1, clock_timestamp()) ON CONFLICT (id) DO UPDATE SET at = excluded.at");
}

/* Until a subscription can tell: from here on these tables hold nothing but what is copied, so the undo may empty them. */
static void put_copies(const struct replicate *o, struct buf *out)
{
    char *text = xprintf("%s%s", PGROWS_COPIES, o->empty);
    size_t size = pg_quote_literal(NULL, 0, text) + 1;
    char *literal = xcalloc(size, 1);
    pg_quote_literal(literal, size, text);
    buf_printf(out, "; COMMENT ON SCHEMA " PGNAMES_SCHEMA " IS %s", literal);
    free(literal);
    free(text);
}

static void copies_over(struct pgscript *s, struct buf *out)
{
    if (replicate_dumps(pgscript_db(s)))
        buf_puts(out, REPLICATE_SESSION "COMMENT ON SCHEMA " PGNAMES_SCHEMA " IS NULL");
}

/* Rows that an earlier attempt left on green would collide with the copy. */
static void schema_on_green(struct pgscript *s, struct buf *out)
{
    const struct replicate *o = (struct replicate *)s;
    if (s->has_subscription)
        return;
    put_schema(pgscript_db(s), out);
    buf_printf(out, " TRUNCATE %s" PGNAMES_SCHEMA ".marker", pgscript_db(s)->heartbeat ? PGNAMES_SCHEMA ".heartbeat, " : "");
    if (replicate_dumps(pgscript_db(s)) && o->empty && *o->empty)
        put_copies(o, out);
}

/* New sessions get the setting. Those that began before keep the old one, and an open transaction could write for hours: they
 * are ended, and come back with the new one. */
static void close_green(struct pgscript *s, struct buf *out)
{
    buf_puts(out, REPLICATE_SESSION "DO $cutover$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $cutover$;");
    if (!s->green_is_closed)
        buf_puts(out, " SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
            " AND pid <> pg_backend_pid() AND application_name NOT LIKE 'cutover%'");
}

static bool green_closed(struct pgscript *s)
{
    int64_t ended = s->green_is_closed ? 0 : pg_int(pgscript_result(s), 0, 0);
    if (ended)
        step_say(s->run, "info", "%s: %lld sessions of clients on green were ended, so that they begin again read-only", pgscript_db(s)->name, (long long)ended);
    return true;
}

static void put_publication(const struct plan_database *db, struct buf *out)
{
    buf_puts(out, REPLICATE_SESSION "CREATE PUBLICATION " PGNAMES_PUBLICATION " FOR ");
    buf_puts(out, db->ntables == 0 ? "ALL TABLES" : db->heartbeat ? "TABLE " PGNAMES_SCHEMA ".heartbeat, " PGNAMES_SCHEMA ".marker" : "TABLE " PGNAMES_SCHEMA ".marker");
    for (int i = 0; i < db->ntables; i++) {
        char schema[80], table[80], quoted[2][200];
        pgnames_split(db->tables[i], schema, table, sizeof schema);
        pg_quote_name(quoted[0], sizeof quoted[0], schema);
        pg_quote_name(quoted[1], sizeof quoted[1], table);
        buf_printf(out, ", %s.%s", quoted[0], quoted[1]);
    }
}

static void publish(struct pgscript *s, struct buf *out)
{
    if (!s->has_publication)
        put_publication(pgscript_db(s), out);
}

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
    size_t len = strlen(db->subscribe_from) * 2 + 8;
    char *from = xcalloc(len, 1);
    if (!s->has_subscription) {
        pg_quote_literal(from, len, db->subscribe_from);
        const char *made = replicate_dumps(db) ? "false" : "true"; /* with its rows, by the baseline */
        buf_printf(out, "CREATE SUBSCRIPTION %s CONNECTION %s PUBLICATION " PGNAMES_PUBLICATION " WITH (copy_data = %s, create_slot = %s, slot_name = '%s'%s)", s->slot, from, made, made,
            s->slot, db->reverse && knows_origin(s) ? ", origin = none" : "");
    } else {
        buf_printf(out, "ALTER SUBSCRIPTION %s ENABLE", s->slot);
    }
    free(from);
}

/* Creating the slot waits on blue for every transaction that has written and is still open: say whose. */
static const char ask_blocker[] =
    "SELECT format('pid %s, %s, %s, open since %s', b.pid, coalesce(b.usename, '?'), coalesce(nullif(b.application_name, ''), 'unnamed'),"
    " to_char(b.xact_start, 'HH24:MI:SS')) FROM pg_stat_activity w, unnest(pg_blocking_pids(w.pid)) p"
    " JOIN pg_stat_activity b ON b.pid = p WHERE w.backend_type = 'walsender' AND w.wait_event_type = 'Lock'"
    " UNION ALL SELECT format('the prepared transaction %L', gid) FROM pg_prepared_xacts WHERE database = current_database() LIMIT 1";

static void say_blocker(struct pgscript *s)
{
    struct pg *blue = s->side[BLUE];
    char who[160];
    if (pg_busy(blue) || clock_mono() - s->sent < ASK_BLOCKER_AFTER)
        return;
    if (*s->blocker && !pg_failed(blue) && pg_rows(blue) == 1) {
        text_line(who, sizeof who, pg_value(blue, 0, 0), strlen(pg_value(blue, 0, 0)));
        if (strcmp(s->blocker, who) != 0)
            step_say(s->run, "warn", "%s: the slot waits on blue until a transaction ends: %s", pgscript_db(s)->name, who);
        copy_text(s->blocker, sizeof s->blocker, who);
    }
    if (!*s->blocker)
        copy_text(s->blocker, sizeof s->blocker, "asked");
    pg_query(blue, ask_blocker, 0, NULL, 2000);
}

/* A restore that an engine left behind when it was killed. */
void replicate_end_restore(struct pgscript *s, struct buf *out)
{
    if (replicate_dumps(pgscript_db(s)))
        buf_puts(out, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user AND application_name = '" BASELINE_APP "'");
}

static void await_restore(struct pgscript *s, struct buf *out)
{
    if (replicate_dumps(pgscript_db(s)))
        buf_puts(out, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = '" BASELINE_APP "'");
}

static bool restore_is_over(struct pgscript *s)
{
    return pg_int(pgscript_result(s), 0, 0) == 0 || pgscript_again(s, 10000, "a pg_restore of an earlier try still runs on green and does not end");
}

const struct pgscript_row replicate_set_up[] = {
    {GREEN, NULL, replicate_end_restore, NULL, false, NULL},
    {GREEN, NULL, await_restore, restore_is_over, false, NULL},
    {BLUE, NULL, pgrows_look_blue, pgrows_saw_blue, false, NULL},
    {GREEN, NULL, pgrows_look_green, agrees, false, NULL},
    {BLUE, NULL, look_left_over, none_left_over, false, NULL},
    {BLUE, NULL, look_publication, fits_plan, false, NULL},
    {GREEN, NULL, list_green, listed, false, NULL},
    {GREEN, NULL, look_filled, is_empty, false, NULL},
    {BLUE, "blue has the schema cutover", schema_on_blue, NULL, false, NULL},
    {GREEN, "green has the schema cutover", schema_on_green, NULL, false, NULL},
    {GREEN, "green is read-only for clients", close_green, green_closed, false, NULL},
    {BLUE, "publication " PGNAMES_PUBLICATION " on blue", publish, NULL, false, NULL},
};
const int replicate_nset_up = ARRAY_LEN(replicate_set_up);

/* The baseline may have come in between, with its slot. */
static bool saw_green_again(struct pgscript *s)
{
    pgrows_saw_green(s);
    return true;
}

const struct pgscript_row replicate_follow[] = {
    {GREEN, NULL, pgrows_look_green, saw_green_again, false, NULL},
    {GREEN, NULL, own_session, NULL, false, NULL},
    {GREEN, "green subscribes", subscribe, NULL, false, say_blocker},
    {GREEN, NULL, copies_over, NULL, false, NULL},
};
const int replicate_nfollow = ARRAY_LEN(replicate_follow);

bool replicate_dumps(const struct plan_database *db)
{
    return strcmp(db->baseline, "snapshot") == 0;
}

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
        put_publication(pgscript_db(s), out);
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
    size_t len = strlen(db->subscribe_back_from) * 2 + 8;
    char back[64], *from = xcalloc(len, 1);
    pgnames_back(db, back, sizeof back);
    pg_quote_literal(from, len, db->subscribe_back_from);
    if (db->reverse && !s->has_back)
        buf_printf(out, REPLICATE_SESSION "CREATE SUBSCRIPTION %s CONNECTION %s PUBLICATION " PGNAMES_PUBLICATION " WITH (create_slot = false, slot_name = '%s', copy_data = false, %s)",
            back, from, back, knows_origin(s) ? "enabled = true, origin = none" : "enabled = false");
    free(from);
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
