#include "core/step/pgrows.h"

#include <stdio.h>
#include <string.h>

#include "core/pgnames.h"
#include "core/text.h"

/* Our own sessions write where clients may not: the database's setting is for them. */
#define OWN "SET default_transaction_read_only = off; SET transaction_read_only = off; "

void pgrows_look_blue(struct pgscript *s, struct buf *out)
{
    buf_printf(out, "SELECT EXISTS (SELECT 1 FROM pg_publication WHERE pubname = '" PGNAMES_PUBLICATION "'),"
        " EXISTS (SELECT 1 FROM pg_replication_slots WHERE slot_name = '%s'), current_setting('wal_level'),"
        " EXISTS (SELECT 1 FROM pg_replication_slots WHERE slot_name = '%s' AND wal_status = 'lost')", s->slot, s->slot);
}

bool pgrows_saw_blue(struct pgscript *s)
{
    const struct pg *pg = pgscript_result(s);
    s->has_publication = pg_bool(pg, 0, 0);
    s->has_slot = pg_bool(pg, 0, 1);
    s->slot_is_lost = pg_bool(pg, 0, 3);
    if (strcmp(pg_value(pg, 0, 2), "logical") == 0)
        return true;
    snprintf(s->why, sizeof s->why, "wal_level of blue is %s; set it to logical and restart blue", pg_value(pg, 0, 2));
    return false;
}

/* Without a search_path every name is told with its schema: it goes into statements again. */
void pgrows_look_green(struct pgscript *s, struct buf *out)
{
    buf_printf(out, "SET search_path = ''; SELECT (SELECT oid FROM pg_subscription WHERE subname = '%s' AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())),"
        " (SELECT string_agg(r.srrelid::regclass::text, ', ') FROM pg_subscription_rel r JOIN pg_subscription q ON q.oid = r.srsubid"
        "  JOIN pg_class c ON c.oid = r.srrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE q.subname = '%s' AND n.nspname <> '" PGNAMES_SCHEMA "'"
        "   AND q.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())),"
        " EXISTS (SELECT 1 FROM pg_db_role_setting d, unnest(setconfig) c WHERE setrole = 0 AND setdatabase = (SELECT oid FROM pg_database"
        "  WHERE datname = current_database()) AND c ~* '^default_transaction_read_only=(on|true|yes|1)$'),"
        " (SELECT system_identifier FROM pg_control_system()), (SELECT coalesce(string_agg(oid::text, ','), '0') FROM pg_subscription WHERE subname <> '%s'),"
        " obj_description(to_regnamespace('" PGNAMES_SCHEMA "')::oid, 'pg_namespace')", s->slot, s->slot, s->slot);
}

bool pgrows_saw_green(struct pgscript *s)
{
    const struct pg *pg = pgscript_result(s);
    s->has_subscription = !pg_is_null(pg, 0, 0);
    copy_text(s->subscription_oid, sizeof s->subscription_oid, pg_value(pg, 0, 0));
    s->green_is_closed = pg_bool(pg, 0, 2);
    copy_text(s->green_system, sizeof s->green_system, pg_value(pg, 0, 3));
    s->others.len = 0;
    buf_puts(&s->others, pg_value(pg, 0, 4));
    const char *copied = pg_value(pg, 0, 5);
    s->has_copied = !s->has_subscription && strncmp(copied, PGROWS_COPIES, strlen(PGROWS_COPIES)) == 0;
    s->tables.len = 0;
    buf_puts(&s->tables, s->has_copied ? copied + strlen(PGROWS_COPIES) : pg_value(pg, 0, 1));
    return true;
}

void pgrows_drop_subscription(struct pgscript *s, struct buf *out)
{
    if (s->has_subscription)
        buf_printf(out, OWN "ALTER SUBSCRIPTION %s DISABLE; ALTER SUBSCRIPTION %s SET (slot_name = NONE); DROP SUBSCRIPTION %s", s->slot, s->slot, s->slot);
}

/* Slots of first copies that were broken off are named pg_<subscription>_sync_<table>_<system>, and outlive a subscription that was
 * dropped while blue was away: green's, of this database, whose subscription is not there any more. The later its name is known the
 * better, so both are looked at: the one that was dropped just now, and those of before. */
void pgrows_put_slots(struct pgscript *s, struct buf *out)
{
    const char *oid = *s->subscription_oid ? s->subscription_oid : "none", *system = *s->green_system ? s->green_system : "unknown";
    buf_printf(out, "(slot_name = '%s' OR slot_name LIKE 'pg\\_%s\\_sync\\_%%' OR (slot_name ~ '^pg_[0-9]+_sync_[0-9]+_%s$' AND database = current_database()"
        " AND split_part(slot_name, '_', 2) <> ALL (string_to_array('%s', ','))))", s->slot, oid, system, s->others.len ? s->others.text : "0");
}

/* The walsender may still hold the slot for a moment: it is ended, and the drop is tried again. */
void pgrows_drop_slot(struct pgscript *s, struct buf *out)
{
    struct buf ours = {0};
    pgrows_put_slots(s, &ours);
    buf_printf(out, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active AND %s;"
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active AND %s;"
        "SELECT count(*) FROM pg_replication_slots WHERE %s", ours.text, ours.text, ours.text);
    buf_free(&ours);
}

bool pgrows_dropped_slot(struct pgscript *s)
{
    if (pg_int(pgscript_result(s), 0, 0) == 0)
        return true;
    return pgscript_again(s, 15000, "the slot %s is still in use on blue and could not be dropped; it holds WAL until it is", s->slot);
}

void pgrows_drop_publication(struct pgscript *s, struct buf *out)
{
    (void)s;
    buf_puts(out, OWN "SET client_min_messages = warning; DROP PUBLICATION IF EXISTS " PGNAMES_PUBLICATION);
}

/* Only what is ours: a table that somebody else made in there is an error, and stays. */
void pgrows_drop_schema(struct pgscript *s, struct buf *out)
{
    (void)s;
    buf_puts(out, OWN "SET client_min_messages = warning; SET lock_timeout = '10s'; DROP TABLE IF EXISTS " PGNAMES_SCHEMA ".heartbeat, " PGNAMES_SCHEMA ".marker;"
        " DROP SCHEMA IF EXISTS " PGNAMES_SCHEMA);
}

/* ---- the way back ---- */

void pgrows_look_back(struct pgscript *s, struct buf *out)
{
    char back[64];
    pgnames_back(pgscript_db(s), back, sizeof back);
    buf_printf(out, "SELECT EXISTS (SELECT 1 FROM pg_subscription WHERE subname = '%s' AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()))", back);
}

const char pgrows_ask_holder[] =
    "SELECT format('pid %s, role %s, %s, from %s, %s, open since %s', b.pid, coalesce(b.usename, '?'), coalesce(nullif(b.application_name, ''), 'unnamed'),"
    " coalesce(host(b.client_addr), 'local'), coalesce(b.state, '?'), to_char(b.xact_start, 'HH24:MI:SS'))"
    " FROM pg_stat_activity w, unnest(pg_blocking_pids(w.pid)) p JOIN pg_stat_activity b ON b.pid = p"
    " WHERE w.backend_type = 'walsender' AND w.wait_event_type = 'Lock' AND w.datname = current_database()"
    " UNION ALL SELECT format('the prepared transaction %L', gid) FROM pg_prepared_xacts WHERE database = current_database() LIMIT 1";

void pgrows_say_holder(struct step_run *run, const char *db, const struct pg *answered, char *told, size_t size)
{
    char who[200];
    if (pg_failed(answered) || pg_rows(answered) != 1)
        return;
    text_line(who, sizeof who, pg_value(answered, 0, 0), strlen(pg_value(answered, 0, 0)));
    if (strcmp(told, who) != 0)
        step_say(run, "warn", "%s: the slot waits on blue until a transaction ends: %s", db, who);
    copy_text(told, size, who);
}

bool pgrows_saw_back(struct pgscript *s)
{
    s->has_back = pg_bool(pgscript_result(s), 0, 0);
    return true;
}

void pgrows_drop_back_subscription(struct pgscript *s, struct buf *out)
{
    char back[64];
    pgnames_back(pgscript_db(s), back, sizeof back);
    if (s->has_back)
        buf_printf(out, OWN "ALTER SUBSCRIPTION %s DISABLE; ALTER SUBSCRIPTION %s SET (slot_name = NONE); DROP SUBSCRIPTION %s", back, back, back);
}

void pgrows_drop_back_slot(struct pgscript *s, struct buf *out)
{
    char back[64];
    pgnames_back(pgscript_db(s), back, sizeof back);
    buf_printf(out, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active AND slot_name = '%s';"
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active AND slot_name = '%s';"
        "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '%s'", back, back, back);
}

bool pgrows_dropped_back_slot(struct pgscript *s)
{
    if (pg_int(pgscript_result(s), 0, 0) == 0)
        return true;
    return pgscript_again(s, 15000, "the slot of the way back is still in use on green and could not be dropped; it holds WAL until it is");
}
