/* pg.replicate: the schema cutover, a publication on blue, green closed to clients, a subscription that copies and follows; done
 * when every table streams. Every statement may be repeated: what already stands is kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pgnames.h"
#include "core/step/pgrows.h"

enum { LOOK = 300 };

struct own {
    struct pgscript script;
    bool set_up;
};

#define OWN_SESSION "SET default_transaction_read_only = off; SET transaction_read_only = off; SET client_min_messages = warning; "

/* ---- rows ---- */

static bool agrees(struct pgscript *s)
{
    pgrows_saw_green(s);
    if (s->has_subscription == s->has_slot)
        return true;
    snprintf(s->why, sizeof s->why, s->has_slot ? "blue still has a slot %s, but green has no subscription for it; undo this step, then run it again"
        : "green has a subscription %s whose slot is gone on blue; undo this step, then run it again", s->slot);
    return false;
}

/* Marker and heartbeat travel with the data. Everybody may leave a marker: the switch proves with one that writes arrive. */
#define TABLES "CREATE SCHEMA IF NOT EXISTS " PGNAMES_SCHEMA "; CREATE TABLE IF NOT EXISTS " PGNAMES_SCHEMA ".heartbeat (id int PRIMARY KEY, at timestamptz NOT NULL);" \
    " CREATE TABLE IF NOT EXISTS " PGNAMES_SCHEMA ".marker (id text PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(), step text);" \
    " GRANT USAGE ON SCHEMA " PGNAMES_SCHEMA " TO PUBLIC; GRANT SELECT, INSERT ON " PGNAMES_SCHEMA ".marker TO PUBLIC;"

static void schema_on_blue(struct pgscript *s, struct buf *out)
{
    (void)s;
    buf_puts(out, OWN_SESSION TABLES " INSERT INTO " PGNAMES_SCHEMA ".heartbeat VALUES (1, clock_timestamp()) ON CONFLICT (id) DO UPDATE SET at = excluded.at");
}

/* Rows that an earlier attempt left on green would collide with the copy. */
static void schema_on_green(struct pgscript *s, struct buf *out)
{
    if (!s->has_subscription)
        buf_puts(out, OWN_SESSION "DROP SCHEMA IF EXISTS " PGNAMES_SCHEMA " CASCADE; " TABLES);
}

/* New sessions get the setting; those that idle with the old one are ended and come back with it. */
static void close_green(struct pgscript *s, struct buf *out)
{
    (void)s;
    buf_puts(out, OWN_SESSION "DO $cutover$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $cutover$;"
        " SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
        " AND pid <> pg_backend_pid() AND application_name NOT LIKE 'cutover%' AND state = 'idle'");
}

static void publish(struct pgscript *s, struct buf *out)
{
    const struct plan_database *db = pgscript_db(s);
    if (s->has_publication)
        return;
    buf_puts(out, OWN_SESSION "CREATE PUBLICATION " PGNAMES_PUBLICATION " FOR ");
    if (db->ntables == 0) {
        buf_puts(out, "ALL TABLES");
        return;
    }
    buf_puts(out, "TABLE " PGNAMES_SCHEMA ".heartbeat, " PGNAMES_SCHEMA ".marker");
    for (int i = 0; i < db->ntables; i++) {
        char schema[140], table[140], part[140];
        const char *dot = strchr(db->tables[i], '.');
        snprintf(part, sizeof part, "%.*s", dot ? (int)(dot - db->tables[i]) : 6, dot ? db->tables[i] : "public");
        pg_quote_name(schema, sizeof schema, part);
        pg_quote_name(table, sizeof table, dot ? dot + 1 : db->tables[i]);
        buf_printf(out, ", %s.%s", schema, table);
    }
}

/* Waits on blue for every transaction that was open when it began: the slot needs a consistent start. */
static void subscribe(struct pgscript *s, struct buf *out)
{
    const struct plan_database *db = pgscript_db(s);
    size_t len = strlen(db->subscribe_from) * 2 + 8;
    char *from = xcalloc(len, 1);
    if (!s->has_subscription) {
        pg_quote_literal(from, len, db->subscribe_from);
        buf_printf(out, "CREATE SUBSCRIPTION %s CONNECTION %s PUBLICATION " PGNAMES_PUBLICATION " WITH (copy_data = true, create_slot = true, slot_name = '%s')", s->slot, from, s->slot);
    }
    free(from);
}

static void own_session(struct pgscript *s, struct buf *out)
{
    (void)s;
    buf_puts(out, OWN_SESSION);
}

static const struct pgscript_row set_up_rows[] = {
    {BLUE, NULL, pgrows_look_blue, pgrows_saw_blue, false},
    {GREEN, NULL, pgrows_look_green, agrees, false},
    {BLUE, "blue has the schema cutover with heartbeat and marker", schema_on_blue, NULL, false},
    {GREEN, "green has the schema cutover", schema_on_green, NULL, false},
    {GREEN, "green is read-only for clients", close_green, NULL, false},
    {BLUE, "publication " PGNAMES_PUBLICATION " on blue", publish, NULL, false},
    {GREEN, NULL, own_session, NULL, false},
    {GREEN, "green subscribes and copies", subscribe, NULL, false},
};

/* ---- undo ---- */

static void empty_tables(struct pgscript *s, struct buf *out)
{
    if (s->has_subscription && s->tables.len)
        buf_printf(out, OWN_SESSION "TRUNCATE %s", s->tables.text);
}

static void open_green(struct pgscript *s, struct buf *out)
{
    (void)s;
    buf_puts(out, OWN_SESSION "DO $cutover$ BEGIN EXECUTE format('ALTER DATABASE %I RESET default_transaction_read_only', current_database()); END $cutover$");
}

static const struct pgscript_row undo_rows[] = {
    {GREEN, NULL, pgrows_look_green, pgrows_saw_green, false},
    {GREEN, "subscription dropped on green", pgrows_drop_subscription, NULL, false},
    {BLUE, "slot dropped on blue", pgrows_drop_slot, pgrows_dropped_slot, false},
    {BLUE, "publication dropped on blue", pgrows_drop_publication, NULL, false},
    {GREEN, "copied tables emptied on green", empty_tables, NULL, true},
    {GREEN, NULL, pgrows_drop_schema, NULL, false},
    {BLUE, "schema cutover dropped", pgrows_drop_schema, NULL, false},
    {GREEN, "green is as it was", open_green, NULL, false},
};

static void undo(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    struct pgscript *s = &((struct own *)run->own)->script;
    s->run = run;
    s->rows = undo_rows;
    s->nrows = ARRAY_LEN(undo_rows);
    switch (pgscript_go(s)) {
    case PGSCRIPT_DONE:
        step_end(run, "done", "nothing of the replication is left");
        break;
    case PGSCRIPT_FAILED:
        step_end(run, "failed", "%s", s->why);
        break;
    default:
        break;
    }
}

/* ---- run ---- */

static void describe(const struct plan *p, const struct model *m, const struct plan_step *s, enum step_mode mode, struct buf *out)
{
    (void)m, (void)s;
    for (int i = 0; i < p->ndatabases; i++) {
        const struct plan_database *db = &p->databases[i];
        char slot[64], count[40] = "ALL TABLES";
        pgnames_slot(db, slot, sizeof slot);
        if (db->ntables)
            snprintf(count, sizeof count, "%d tables", db->ntables);
        if (mode == MODE_UNDO)
            buf_printf(out, "%s%s: DROP SUBSCRIPTION %s, drop the slot, DROP PUBLICATION " PGNAMES_PUBLICATION ", empty what was copied to green", i ? "\n" : "", db->name, slot);
        else
            buf_printf(out, "%s%s: blue CREATE PUBLICATION " PGNAMES_PUBLICATION " (%s); green becomes read-only for clients;\ngreen CREATE SUBSCRIPTION %s WITH (copy_data = true)",
                i ? "\n" : "", db->name, count, slot);
    }
}

/* The source counts; the step waits until all of them stream. */
static void await_copy(struct step_run *run)
{
    int64_t ready = 0, all = 0;
    bool seen = true;
    for (int i = 0; i < run->plan->ndatabases; i++) {
        const struct model_db *db = &run->model->db[i];
        ready += db->tables_ready;
        all += db->tables_seen;
        seen = seen && db->tables_seen > 0;
    }
    if (all)
        step_progress(run, ready, all, "tables");
    if (seen && ready == all)
        step_end(run, "done", "%lld tables are copied and stream", (long long)all);
    else if (run->abort_asked)
        step_end(run, "aborted", "the copy goes on by itself; undo removes it");
    else if (step_time_left(run) == 0)
        step_end(run, "failed", "%lld of %lld tables are copied; the copy goes on by itself", (long long)ready, (long long)all);
    else
        task_sleep(&run->task, LOOK);
}

static void work(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    struct own *o = run->own;
    if (o->set_up) {
        await_copy(run);
        return;
    }
    o->script.run = run;
    o->script.rows = set_up_rows;
    o->script.nrows = ARRAY_LEN(set_up_rows);
    switch (pgscript_go(&o->script)) {
    case PGSCRIPT_DONE:
        o->set_up = true;
        task_sleep(task, LOOK);
        break;
    case PGSCRIPT_FAILED:
        step_end(run, run->abort_asked ? "aborted" : "failed", "%s", o->script.why);
        break;
    default:
        break;
    }
}

/* ---- probe ---- */

static bool probe_blue(struct pgscript *s)
{
    pgrows_saw_blue(s);
    return true;
}

static bool probe_green(struct pgscript *s)
{
    pgrows_saw_green(s);
    int stands = s->has_publication + s->has_slot + s->has_subscription;
    size_t n = strlen(s->stands);
    if (n + 1 < sizeof s->stands)
        s->stands[n] = (char)('0' + stands);
    return true;
}

static const struct pgscript_row probe_rows[] = {
    {BLUE, NULL, pgrows_look_blue, probe_blue, false},
    {GREEN, NULL, pgrows_look_green, probe_green, false},
};

/* `stands` holds a digit a database: how many of publication, slot and subscription stand there. */
static void end_probe(struct step_run *run, const char *stands)
{
    size_t n = strlen(stands);
    if (strspn(stands, "0") == n)
        step_end(run, "before", "no publication, slot or subscription of cutover stands anywhere");
    else if (strspn(stands, "3") == n)
        step_end(run, "after", "publication, slot and subscription stand; the copy goes on by itself");
    else
        step_end(run, "partial", "some of publication, slot and subscription stand, some do not: undo, then run it again");
}

static void probe(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    struct pgscript *s = &((struct own *)run->own)->script;
    s->run = run;
    s->rows = probe_rows;
    s->nrows = ARRAY_LEN(probe_rows);
    switch (pgscript_go(s)) {
    case PGSCRIPT_DONE:
        end_probe(run, s->stands);
        break;
    case PGSCRIPT_FAILED:
        step_end(run, "unreachable", "%s", s->why);
        break;
    default:
        break;
    }
}

static void free_own(struct step_run *run)
{
    pgscript_free(&((struct own *)run->own)->script);
}

const struct step_kind step_pg_replicate = {
    .name = "pg.replicate", .own_size = sizeof(struct own), .describe = describe, .run = work, .undo = undo, .probe = probe, .free_own = free_own};
