#include "core/step/replicate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pgnames.h"
#include "core/text.h"

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
        char schema[80], table[80];
        pgnames_split(db->tables[i], schema, table, sizeof schema);
        buf_puts(out, i ? ", (" : "(");
        pg_put_literal(out, schema);
        buf_puts(out, ", ");
        pg_put_literal(out, table);
        buf_puts(out, ")");
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
    buf_puts(out, "; COMMENT ON SCHEMA " PGNAMES_SCHEMA " IS ");
    pg_put_literal(out, text);
    free(text);
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

void replicate_put_publication(const struct plan_database *db, struct buf *out)
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
        replicate_put_publication(pgscript_db(s), out);
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

bool replicate_dumps(const struct plan_database *db)
{
    return strcmp(db->baseline, "snapshot") == 0;
}
