/* pg.cleanup: nothing of cutover is left in any database: subscription, slot, publication, schema. Blue stays read-only. */
#include <stdio.h>
#include <string.h>

#include "core/pgnames.h"
#include "core/step/pgrows.h"

struct own {
    struct pgscript script;
};

static void describe(const struct plan *p, const struct model *m, const struct plan_step *s, enum step_mode mode, struct buf *out)
{
    (void)m, (void)s, (void)mode;
    for (int i = 0; i < p->ndatabases; i++) {
        char slot[64];
        pgnames_slot(&p->databases[i], slot, sizeof slot);
        buf_printf(out, "%s%s: green DROP SUBSCRIPTION %s; blue drops the slot, DROP PUBLICATION " PGNAMES_PUBLICATION ";\n", i ? "\n" : "", p->databases[i].name, slot);
        pgnames_back(&p->databases[i], slot, sizeof slot);
        buf_printf(out, "blue DROP SUBSCRIPTION %s, green drops its slot and publication;\nboth DROP SCHEMA " PGNAMES_SCHEMA, slot);
    }
}

static void count_blue(struct pgscript *s, struct buf *out)
{
    char back[64];
    pgnames_back(pgscript_db(s), back, sizeof back);
    buf_puts(out, "SELECT (SELECT count(*) FROM pg_replication_slots WHERE ");
    pgrows_put_slots(s, out);
    buf_printf(out, ") + (SELECT count(*) FROM pg_publication WHERE pubname = '" PGNAMES_PUBLICATION "')"
        " + (SELECT count(*) FROM pg_subscription WHERE subname = '%s' AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()))"
        " + (SELECT count(*) FROM pg_namespace WHERE nspname = '" PGNAMES_SCHEMA "')", back);
}

static void count_green(struct pgscript *s, struct buf *out)
{
    char back[64];
    pgnames_back(pgscript_db(s), back, sizeof back);
    buf_printf(out, "SELECT (SELECT count(*) FROM pg_subscription WHERE subname = '%s') + (SELECT count(*) FROM pg_publication WHERE pubname = '" PGNAMES_PUBLICATION "')"
        " + (SELECT count(*) FROM pg_replication_slots WHERE slot_name = '%s') + (SELECT count(*) FROM pg_namespace WHERE nspname = '" PGNAMES_SCHEMA "')", s->slot, back);
}

static bool is_nothing(struct pgscript *s)
{
    if (pg_int(pgscript_result(s), 0, 0) == 0)
        return true;
    snprintf(s->why, sizeof s->why, "something of cutover still stands on %s after it was dropped", side_names[s->rows[s->row].side]);
    return false;
}

static const struct pgscript_row rows[] = {
    {BLUE, NULL, pgrows_look_back, pgrows_saw_back, false, NULL},
    {BLUE, "subscription of the way back dropped on blue", pgrows_drop_back_subscription, NULL, false, NULL},
    {GREEN, NULL, pgrows_drop_back_slot, pgrows_dropped_back_slot, false, NULL},
    {GREEN, "slot of the way back and publication dropped on green", pgrows_drop_publication, NULL, false, NULL},
    {GREEN, NULL, pgrows_look_green, pgrows_saw_green, false, NULL},
    {GREEN, "subscription dropped on green", pgrows_drop_subscription, NULL, false, NULL},
    {BLUE, "slot dropped on blue", pgrows_drop_slot, pgrows_dropped_slot, false, NULL},
    {BLUE, "publication dropped on blue", pgrows_drop_publication, NULL, false, NULL},
    {GREEN, NULL, pgrows_drop_schema, NULL, false, NULL},
    {BLUE, "schema cutover dropped on both sides", pgrows_drop_schema, NULL, false, NULL},
    {BLUE, NULL, count_blue, is_nothing, false, NULL},
    {GREEN, NULL, count_green, is_nothing, false, NULL},
};

static void work(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    struct pgscript *s = &((struct own *)run->own)->script;
    s->run = run;
    s->rows = rows;
    s->nrows = ARRAY_LEN(rows);
    s->may_be_gone[BLUE] = s->may_be_gone[GREEN] = true;
    switch (pgscript_go(s)) {
    case PGSCRIPT_DONE:
        if (s->was_gone[BLUE])
            step_end(run, "failed", "green is clean; blue could not be reached: its slot, publication and schema cutover still stand there; run it again when it is back");
        else if (s->was_gone[GREEN])
            step_end(run, "failed", "blue is clean; green could not be reached: its subscription, slot, publication and schema cutover still stand there; run it again when it is back");
        else
            step_end(run, "done", "no subscription, slot, publication or schema of cutover is left");
        break;
    case PGSCRIPT_FAILED:
        step_end(run, run->abort_asked ? "aborted" : "failed", "%s", s->why);
        break;
    default:
        break;
    }
}

static bool probed(struct pgscript *s)
{
    size_t n = strlen(s->stands);
    if (n + 1 < sizeof s->stands)
        s->stands[n] = pg_int(pgscript_result(s), 0, 0) ? '1' : '0';
    return true;
}

static const struct pgscript_row probe_rows[] = {
    {GREEN, NULL, pgrows_look_green, pgrows_saw_green, false, NULL},
    {BLUE, NULL, count_blue, probed, false, NULL},
    {GREEN, NULL, count_green, probed, false, NULL},
};

static void probe(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    struct pgscript *s = &((struct own *)run->own)->script;
    s->run = run;
    s->rows = probe_rows;
    s->nrows = ARRAY_LEN(probe_rows);
    enum pgscript_state state = pgscript_go(s);
    size_t n = strlen(s->stands);
    if (state == PGSCRIPT_FAILED)
        step_end(run, "unreachable", "%s", s->why);
    else if (state == PGSCRIPT_DONE && strspn(s->stands, "0") == n)
        step_end(run, "after", "nothing of cutover is left");
    else if (state == PGSCRIPT_DONE)
        step_end(run, strspn(s->stands, "1") == n ? "before" : "partial", "something of cutover still stands; running the step again removes it");
}

static void free_own(struct step_run *run)
{
    pgscript_free(&((struct own *)run->own)->script);
}

const struct step_kind step_pg_cleanup = {.name = "pg.cleanup", .own_size = sizeof(struct own), .describe = describe, .run = work, .probe = probe, .free_own = free_own};
