/* pg.replicate: the schema cutover, a publication on blue, green closed to clients, a subscription that copies and follows; done
 * when every table streams. Every statement may be repeated: what already stands is kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pgnames.h"
#include "core/step/replicate.h"
#include "core/text.h"

/* ---- undo ---- */

/* What is in them came by the copy, as long as no client could write there. */
static void empty_tables(struct pgscript *s, struct buf *out)
{
    if ((s->has_subscription || s->has_copied) && s->green_is_closed && s->tables.len)
        buf_printf(out, REPLICATE_SESSION "TRUNCATE %s", s->tables.text);
}

static void open_green(struct pgscript *s, struct buf *out)
{
    (void)s;
    buf_puts(out, REPLICATE_SESSION "DO $cutover$ BEGIN EXECUTE format('ALTER DATABASE %I RESET default_transaction_read_only', current_database()); END $cutover$");
}

static const struct pgscript_row undo_rows[] = {
    {GREEN, NULL, replicate_end_restore, NULL, false, NULL},
    {BLUE, NULL, pgrows_look_back, pgrows_saw_back, false, NULL},
    {BLUE, "subscription of the way back dropped on blue", pgrows_drop_back_subscription, NULL, false, NULL},
    {GREEN, NULL, pgrows_drop_back_slot, pgrows_dropped_back_slot, false, NULL},
    {GREEN, "slot of the way back and publication dropped on green", pgrows_drop_publication, NULL, false, NULL},
    {GREEN, NULL, pgrows_look_green, pgrows_saw_green, false, NULL},
    {GREEN, "subscription dropped on green", pgrows_drop_subscription, NULL, false, NULL},
    {BLUE, "slot dropped on blue", pgrows_drop_slot, pgrows_dropped_slot, false, NULL},
    {BLUE, "publication dropped on blue", pgrows_drop_publication, NULL, false, NULL},
    {GREEN, "copied tables emptied on green", empty_tables, NULL, true, NULL},
    {GREEN, "schema cutover dropped on green", pgrows_drop_schema, NULL, false, NULL},
    {BLUE, "schema cutover dropped on blue", pgrows_drop_schema, NULL, false, NULL},
    {GREEN, "green takes writes again", open_green, NULL, false, NULL},
};

/* A dead side must not keep the other one from being freed: a slot fills blue's disk. */
static void end_undo(struct step_run *run, const struct pgscript *s)
{
    if (s->was_gone[BLUE])
        step_end(run, "failed", "green is clean; blue could not be reached: its slot, publication and schema cutover still stand there; undo again when it is back");
    else if (s->was_gone[GREEN])
        step_end(run, "failed", "blue is clean; green could not be reached: its subscription and what was copied still stand there; undo again when it is back");
    else
        step_end(run, "done", "nothing of the replication is left");
}

static void undo(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    struct pgscript *s = &((struct replicate *)run->own)->script;
    s->run = run;
    s->rows = undo_rows;
    s->nrows = ARRAY_LEN(undo_rows);
    s->may_be_gone[BLUE] = s->may_be_gone[GREEN] = true;
    switch (pgscript_go(s)) {
    case PGSCRIPT_DONE:
        end_undo(run, s);
        break;
    case PGSCRIPT_FAILED:
        step_end(run, "failed", "%s", s->why);
        break;
    default:
        break;
    }
}

/* ---- run ---- */

/* What comes before the subscription. */
static void describe_baseline(const struct plan_database *db, const char *slot, struct buf *out)
{
    if (db->schema)
        buf_puts(out, "\nfirst, if green has no schema: pg_dump --schema-only of blue into pg_restore on green");
    if (replicate_dumps(db))
        buf_printf(out, "\nthe rows: slot %s on blue exports its snapshot; pg_dump --snapshot into pg_restore on green; the subscription follows with copy_data = false", slot);
}

static void describe(const struct plan *p, const struct model *m, const struct plan_step *s, enum step_mode mode, struct buf *out)
{
    (void)m, (void)s;
    for (int i = 0; i < p->ndatabases; i++) {
        const struct plan_database *db = &p->databases[i];
        char slot[64], count[40] = "ALL TABLES", from[300];
        text_redact(from, sizeof from, TEXT_DSN, db->subscribe_from);
        pgnames_slot(db, slot, sizeof slot);
        if (db->ntables)
            snprintf(count, sizeof count, "%d tables", db->ntables);
        if (mode == MODE_UNDO)
            buf_printf(out, "%s%s: the way back is dropped first; DROP SUBSCRIPTION %s, drop the slot, DROP PUBLICATION " PGNAMES_PUBLICATION ", empty what was copied to green", i ? "\n" : "", db->name, slot);
        else
            buf_printf(out, "%s%s: blue CREATE SCHEMA " PGNAMES_SCHEMA " (%s), CREATE PUBLICATION " PGNAMES_PUBLICATION " (%s); green becomes read-only for clients;\ngreen CREATE SUBSCRIPTION %s\n  from %s",
                i ? "\n" : "", db->name, db->heartbeat ? "a marker, and a heartbeat row written each second" : "a marker; no heartbeat", count, slot, from);
        if (mode != MODE_UNDO)
            describe_baseline(db, slot, out);
        if (mode != MODE_UNDO && db->reverse) {
            text_redact(from, sizeof from, TEXT_DSN, db->subscribe_back_from);
            pgnames_back(db, slot, sizeof slot);
            buf_printf(out, "\nthen the way back: green CREATE PUBLICATION and slot, blue CREATE SUBSCRIPTION %s\n  from %s", slot, from);
        }
    }
}

/* Every stage goes over all databases before the next begins: so their copies run side by side. */
static void begin_script(struct replicate *o, const struct pgscript_row *rows, int nrows)
{
    struct pgscript *s = &o->script;
    s->db = s->row = 0;
    s->at = PGSCRIPT_CONNECT_BLUE;
    s->rows = rows;
    s->nrows = nrows;
}

static bool is_wanted(const struct replicate *o, int database)
{
    const struct plan_database *db = &o->script.run->plan->databases[database];
    return o->stage == REPLICATE_SCHEMA ? db->schema : o->fresh[database] && replicate_dumps(db);
}

static void begin_baseline(struct replicate *o)
{
    o->baseline = baseline_new(o->script.run, o->stage == REPLICATE_SCHEMA ? BASELINE_SCHEMA : BASELINE_ROWS);
    for (int i = 0; i < o->script.run->plan->ndatabases; i++)
        if (is_wanted(o, i))
            baseline_add(o->baseline, i);
}

static void begin_stage(struct replicate *o, int stage)
{
    o->stage = stage;
    baseline_free(o->baseline);
    o->baseline = NULL;
    switch (stage) {
    case REPLICATE_SET_UP: begin_script(o, replicate_set_up, replicate_nset_up); break;
    case REPLICATE_FOLLOW: begin_script(o, replicate_follow, replicate_nfollow); break;
    case REPLICATE_AWAIT: begin_script(o, replicate_await, replicate_nawait); break;
    default: begin_baseline(o); break;
    }
}

static enum pgscript_state go_baseline(struct replicate *o)
{
    struct pgscript *s = &o->script;
    enum baseline_state state = baseline_go(o->baseline);
    if (state == BASELINE_DONE)
        return PGSCRIPT_DONE;
    if (state == BASELINE_FAILED)
        snprintf(s->why, sizeof s->why, "%.300s%s", baseline_error(o->baseline), o->stage == REPLICATE_ROWS ? "; undo this step, which empties what was copied, then run it again" : "");
    else if (s->run->abort_asked)
        copy_text(s->why, sizeof s->why, "stopped by a person");
    if (state == BASELINE_FAILED || s->run->abort_asked)
        return PGSCRIPT_FAILED;
    task_wait(&s->run->task, baseline_wait_ms(o->baseline));
    return PGSCRIPT_BUSY;
}

static enum pgscript_state go(struct replicate *o)
{
    for (;;) {
        bool dumps = o->stage == REPLICATE_SCHEMA || o->stage == REPLICATE_ROWS;
        enum pgscript_state state = dumps ? go_baseline(o) : pgscript_go(&o->script);
        if (state != PGSCRIPT_DONE || o->stage == REPLICATE_AWAIT)
            return state;
        begin_stage(o, o->stage + 1);
    }
}

static void work(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    struct replicate *o = run->own;
    struct pgscript *s = &o->script;
    if (!s->run) {
        s->run = run;
        o->fresh = xcalloc((size_t)run->plan->ndatabases + 1, sizeof *o->fresh);
        begin_stage(o, REPLICATE_SCHEMA);
    }
    enum pgscript_state state = go(o);
    if (state == PGSCRIPT_DONE)
        step_end(run, "done", "%lld tables are copied and stream", (long long)o->before);
    else if (state == PGSCRIPT_FAILED && run->abort_asked)
        step_end(run, "aborted", o->stage == REPLICATE_AWAIT ? "stopped by a person; the copy goes on by itself, undo removes it" : "stopped by a person; what was made stays, undo removes it");
    else if (state == PGSCRIPT_FAILED)
        step_end(run, "failed", "%s", s->why);
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
    {BLUE, NULL, pgrows_look_blue, probe_blue, false, NULL},
    {GREEN, NULL, pgrows_look_green, probe_green, false, NULL},
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
    struct pgscript *s = &((struct replicate *)run->own)->script;
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
    struct replicate *o = run->own;
    pgscript_free(&o->script);
    baseline_free(o->baseline);
    free(o->fresh);
    free(o->filled);
    free(o->empty);
}

const struct step_kind step_pg_replicate = {
    .name = "pg.replicate", .own_size = sizeof(struct replicate), .describe = describe, .run = work, .undo = undo, .probe = probe, .free_own = free_own};
