/* Before the pause: everything that can fail slowly fails here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pgnames.h"
#include "core/step/switch.h"

enum { ADVANCE_MS = 30000 };

static const char ASK_BLUE[] =
    "SELECT to_regclass('cutover.marker') IS NOT NULL,"
    " EXISTS (SELECT FROM pg_publication_tables WHERE schemaname = 'cutover' AND tablename = 'marker'),"
    " (SELECT gid FROM pg_prepared_xacts WHERE database = current_database() LIMIT 1),"
    " (SELECT string_agg(setrole::regrole::text, ', ') FROM pg_db_role_setting s JOIN pg_database d ON d.datname = current_database()"
    "   WHERE setrole <> 0 AND setdatabase IN (0, d.oid)"
    "   AND EXISTS (SELECT FROM unnest(setconfig) c WHERE c ~* '^default_transaction_read_only=(off|false|no|0)')),"
    " EXISTS (SELECT FROM pg_db_role_setting s JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database() AND setrole = 0"
    "   AND EXISTS (SELECT FROM unnest(setconfig) c WHERE c ~* '^default_transaction_read_only=(on|true|yes|1)')),"
    " (SELECT min(format('%I.%I', schemaname, sequencename)) FROM pg_sequences"
    "   WHERE NOT has_sequence_privilege(format('%I.%I', schemaname, sequencename), 'SELECT')),"
    " pg_postmaster_start_time()::text, pg_is_in_recovery(),"
    " (SELECT subenabled FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database() AND subname = $1)";
static const char ASK_GREEN[] =
    "SELECT to_regclass('cutover.marker') IS NOT NULL,"
    " (SELECT count(*) FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database() AND subenabled AND subname LIKE 'cutover%'),"
    " (SELECT count(*) FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = srsubid JOIN pg_database d ON d.oid = subdbid"
    "   WHERE datname = current_database() AND srsubstate <> 'r'),"
    " NULL, NULL,"
    " EXISTS (SELECT FROM pg_db_role_setting s JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database() AND setrole = 0"
    "   AND EXISTS (SELECT FROM unnest(setconfig) c WHERE c ~* '^default_transaction_read_only=(on|true|yes|1)')),"
    " pg_postmaster_start_time()::text, pg_is_in_recovery(),"
    " (SELECT active FROM pg_replication_slots WHERE slot_name = $1 AND database = current_database())";

/* ---- the plan, as this direction needs it ---- */

const char *switch_name(const struct sw *sw, enum side side)
{
    return side_names[sw->back ? !side : side];
}

const char *switch_Name(const struct sw *sw, enum side side)
{
    return switch_name(sw, side)[0] == 'b' ? "Blue" : "Green";
}

static void exchange(const char *pair[SIDES])
{
    const char *blue = pair[BLUE];
    pair[BLUE] = pair[GREEN];
    pair[GREEN] = blue;
}

static void mirror_database(struct plan_database *d)
{
    exchange(d->conninfo);
    struct plan_pooler *poolers = xcalloc((size_t)d->npoolers + 1, sizeof *poolers);
    for (int i = 0; i < d->npoolers; i++) {
        poolers[i] = d->poolers[i];
        exchange(poolers[i].target);
    }
    d->poolers = poolers;
}

void switch_take_plan(struct sw *sw)
{
    const struct plan *plan = sw->run->plan;
    sw->plan = plan;
    sw->back = sw->run->mode == MODE_UNDO;
    if (!sw->back)
        return;
    sw->mirror = *plan;
    sw->mirror.databases = xcalloc((size_t)plan->ndatabases + 1, sizeof *sw->mirror.databases);
    for (int i = 0; i < plan->ndatabases; i++) {
        sw->mirror.databases[i] = plan->databases[i];
        mirror_database(&sw->mirror.databases[i]);
    }
    sw->plan = &sw->mirror;
}

void switch_free_plan(struct sw *sw)
{
    if (!sw->back)
        return;
    for (int i = 0; i < sw->mirror.ndatabases; i++)
        free(sw->mirror.databases[i].poolers);
    free(sw->mirror.databases);
}

/* ---- connections ---- */

static struct pg *make_line(struct sw *sw, const char *conninfo)
{
    char *own = pg_conninfo_with(conninfo, "application_name", SETTLE_APP_SWITCH);
    struct pg *pg = pg_new(&sw->run->task, own);
    free(own);
    return pg;
}

static void count_plan(struct sw *sw)
{
    const struct plan *plan = sw->plan;
    sw->ndbs = plan->ndatabases;
    for (int i = 0; i < plan->ndatabases; i++)
        sw->npoolers += plan->databases[i].npoolers;
    sw->dbs = xcalloc((size_t)sw->ndbs + 1, sizeof *sw->dbs);
    sw->poolers = xcalloc((size_t)sw->npoolers + 1, sizeof *sw->poolers);
}

static void add_poolers(struct sw *sw, struct switch_db *d, struct switch_pooler **next)
{
    for (int j = 0; j < d->plan->npoolers; j++) {
        struct switch_pooler *p = (*next)++;
        p->plan = &d->plan->poolers[j];
        p->db = d;
        p->admin = make_line(sw, p->plan->admin);
        p->fence = make_line(sw, p->plan->admin);
        p->probe = *p->plan->probe ? make_line(sw, p->plan->probe) : NULL;
    }
}

void switch_begin_connect(struct sw *sw)
{
    count_plan(sw);
    struct switch_pooler *next = sw->poolers;
    FOR_DB(d) {
        d->plan = &sw->plan->databases[d - sw->dbs];
        if (d->plan->reverse)
            (sw->back ? pgnames_slot : pgnames_back)(d->plan, d->home, sizeof d->home);
        for (int i = 0; i < SIDES; i++) {
            d->side[i] = make_line(sw, d->plan->conninfo[i]);
            d->count[i] = make_line(sw, d->plan->conninfo[i]);
            pg_connect(d->side[i], SWITCH_CONNECT_MS);
        }
        add_poolers(sw, d, &next);
    }
    FOR_POOLER(p)
        pg_connect(p->admin, SWITCH_CONNECT_MS);
    sw->flags = xcalloc((size_t)sw->plan->nflags + 1, sizeof *sw->flags);
    for (int i = 0; i < sw->plan->nflags; i++)
        sw->flags[i] = flag_new(&sw->run->task, &sw->plan->flags[i]);
    snprintf(sw->marker, sizeof sw->marker, "switch-%lld", (long long)clock_wall());
}

enum look switch_look_connect(struct sw *sw)
{
    if (switch_is_busy(sw))
        return LOOK_WAIT;
    FOR_DB(d)
        for (int i = 0; i < SIDES; i++)
            if (pg_failed(d->side[i]))
                return switch_fail(sw, "%s of %s can't be reached: %s", switch_Name(sw, i), d->plan->name, pg_error(d->side[i]));
    FOR_POOLER(p)
        if (pg_failed(p->admin))
            return switch_fail(sw, "The pooler %s can't be reached: %s", p->plan->name, pg_error(p->admin));
    return sw->ndbs ? LOOK_NEXT : switch_fail(sw, "The plan has no database to switch.");
}

void switch_begin_inspect(struct sw *sw)
{
    FOR_DB(d) {
        const char *home[] = {d->home};
        pg_query(d->side[BLUE], ASK_BLUE, 1, home, SWITCH_ASK_MS);
        pg_query(d->side[GREEN], ASK_GREEN, 1, home, SWITCH_ASK_MS);
    }
    FOR_POOLER(p)
        pg_query(p->admin, "SHOW DATABASES;", -1, NULL, SWITCH_ASK_MS);
}

static enum look judge_blue(struct sw *sw, struct switch_db *d)
{
    struct pg *b = d->side[BLUE];
    const char *name = d->plan->name;
    copy_text(d->started[BLUE], sizeof d->started[BLUE], pg_value(b, 0, 6));
    if (!pg_bool(b, 0, 0) || !pg_bool(b, 0, 1))
        return switch_fail(sw, "%s of %s does not publish the table cutover.marker: run the replicate step first.", switch_Name(sw, BLUE), name);
    if (!pg_is_null(b, 0, 2))
        return switch_fail(sw, "%s of %s holds the prepared transaction '%s': commit it or roll it back first.", switch_Name(sw, BLUE), name, pg_value(b, 0, 2));
    if (!pg_is_null(b, 0, 3))
        return switch_fail(sw, "On %s of %s the roles %s have default_transaction_read_only = off of their own, so the fence would not hold them: reset it.", switch_name(sw, BLUE),
                           name, pg_value(b, 0, 3));
    if (pg_bool(b, 0, 4) || pg_bool(b, 0, 7))
        return switch_fail(sw, "%s of %s does not take writes now: it is %s.", switch_Name(sw, BLUE), name, pg_bool(b, 0, 7) ? "a standby" : "read-only");
    if (!pg_is_null(b, 0, 5))
        return switch_fail(sw, "On %s of %s the sequence %s may not be read by our role: GRANT SELECT on it.", switch_name(sw, BLUE), name, pg_value(b, 0, 5));
    return LOOK_NEXT;
}

static enum look judge_green(struct sw *sw, struct switch_db *d)
{
    struct pg *g = d->side[GREEN];
    const char *name = d->plan->name;
    copy_text(d->started[GREEN], sizeof d->started[GREEN], pg_value(g, 0, 6));
    if (!pg_bool(g, 0, 0))
        return switch_fail(sw, "%s of %s has no table cutover.marker: run the replicate step first.", switch_Name(sw, GREEN), name);
    if (pg_int(g, 0, 1) < 1)
        return switch_fail(sw, "%s of %s has no enabled subscription of cutover: run the replicate step first.", switch_Name(sw, GREEN), name);
    if (pg_int(g, 0, 2) > 0)
        return switch_fail(sw, "On %s of %s %lld tables are still being copied.", switch_name(sw, GREEN), name, (long long)pg_int(g, 0, 2));
    if (!pg_bool(g, 0, 5))
        return switch_fail(sw, "%s of %s is not read-only for clients: ALTER DATABASE ... SET default_transaction_read_only = on.", switch_Name(sw, GREEN), name);
    if (pg_bool(g, 0, 7))
        return switch_fail(sw, "%s of %s is a standby.", switch_Name(sw, GREEN), name);
    if (strcmp(d->started[BLUE], d->started[GREEN]) == 0 && strcmp(pg_where(d->side[BLUE]), pg_where(g)) == 0)
        return switch_fail(sw, "%s and %s of %s are the same server.", switch_Name(sw, BLUE), switch_name(sw, GREEN), name);
    return LOOK_NEXT;
}

/* The way back must be there before writes open on the other side; one that lives must be seen to work. */
static enum look judge_home(struct sw *sw, struct switch_db *d)
{
    struct pg *b = d->side[BLUE], *g = d->side[GREEN];
    if (!*d->home)
        return sw->back ? switch_fail(sw, "The plan has reverse = false for %s: there is no way back.", d->plan->name) : LOOK_NEXT;
    if (pg_is_null(b, 0, 8) || pg_is_null(g, 0, 8))
        return switch_fail(sw, "%s of %s has no %s %s, so %s's writes could not flow back: run the replicate step, or set reverse = false.",
                           switch_Name(sw, pg_is_null(b, 0, 8) ? BLUE : GREEN), d->plan->name, pg_is_null(b, 0, 8) ? "subscription" : "slot", d->home,
                           switch_name(sw, GREEN));
    d->home_lives = pg_bool(b, 0, 8);
    if (!d->home_lives && pg_bool(g, 0, 8))
        return switch_fail(sw, "The slot %s on %s of %s is in use, although its subscription is disabled: find out by whom.", d->home, switch_name(sw, GREEN),
                           d->plan->name);
    if (d->home_lives && !pg_bool(g, 0, 8))
        return switch_fail(sw, "%s's worker of the way back (%s of %s) is not running: its reason stands in that server's log.", switch_Name(sw, BLUE), d->home,
                           d->plan->name);
    return LOOK_NEXT;
}

static enum look judge_pooler(struct sw *sw, struct switch_pooler *p)
{
    struct pg *a = p->admin;
    int name = pg_column(a, "name"), host = pg_column(a, "host"), port = pg_column(a, "port"), db = pg_column(a, "database");
    for (int i = 0; i < pg_rows(a); i++) {
        if (strcmp(pg_value(a, i, name), p->plan->database) != 0)
            continue;
        if (!pooler_is_target(p->plan->target[BLUE], pg_value(a, i, host), pg_value(a, i, port), pg_value(a, i, db)))
            return switch_fail(sw, "The pooler %s leads %s to %.60s:%.10s, not to %s as the plan has it.", p->plan->name, p->plan->database,
                               pg_value(a, i, host), pg_value(a, i, port), switch_name(sw, BLUE));
        if (pg_int(a, i, pg_column(a, "paused")))
            return switch_fail(sw, "The pooler %s is already paused: find out by whom, then RESUME.", p->plan->name);
        copy_text(p->mode, sizeof p->mode, pg_value(a, i, pg_column(a, "pool_mode")));
        return LOOK_NEXT;
    }
    return switch_fail(sw, "The pooler %s has no database %s.", p->plan->name, p->plan->database);
}

enum look switch_look_inspect(struct sw *sw)
{
    enum look l = switch_all_good(sw);
    if (l != LOOK_NEXT)
        return l;
    FOR_DB(d)
        if (judge_blue(sw, d) == LOOK_FAIL || judge_green(sw, d) == LOOK_FAIL || judge_home(sw, d) == LOOK_FAIL)
            return LOOK_FAIL;
    FOR_POOLER(p)
        if (judge_pooler(sw, p) == LOOK_FAIL)
            return LOOK_FAIL;
    return LOOK_NEXT;
}

/* Read once before the pause: the plans are made, the catalogs warm, and the operator sees how many there are. */
void switch_begin_prepare(struct sw *sw)
{
    static const char settings[] = "SET default_transaction_read_only = off; SET lock_timeout = '2s'; SET idle_in_transaction_session_timeout = 0;"
                                   " SET plan_cache_mode = force_generic_plan;";
    /* What is set on green goes to the disk with the commit that opens it (settle_open_sql). */
    static const char *const durable[SIDES] = {"SET synchronous_commit = on;", "SET synchronous_commit = off;"};
    static const char count_blue[] = "SELECT count(*), coalesce(sum(last_value), 0) FROM pg_sequences";
    FOR_DB(d) {
        struct buf sql = {0};
        buf_puts(&sql, settings);
        buf_puts(&sql, durable[BLUE]);
        switch_put_statements(sw, BLUE, &sql);
        buf_puts(&sql, count_blue);
        pg_query(d->side[BLUE], sql.text, -1, NULL, SWITCH_ASK_MS);
        sql.len = 0;
        buf_puts(&sql, settings);
        buf_puts(&sql, durable[GREEN]);
        if (*d->home && !d->home_lives) /* the further its slot is now, the less there is to read later */
            settle_advance_sql(&sql, d->home);
        switch_put_statements(sw, GREEN, &sql);
        buf_puts(&sql, count_blue);
        pg_query(d->side[GREEN], sql.text, -1, NULL, *d->home ? ADVANCE_MS : SWITCH_ASK_MS);
        buf_free(&sql);
    }
    FOR_POOLER(p) {
        pg_connect(p->fence, SWITCH_CONNECT_MS);
        pg_query(p->admin, "SHOW CONFIG;", -1, NULL, SWITCH_ASK_MS);
    }
}

static void take_setting(const struct switch_pooler *p, const char *name, char *out, size_t size)
{
    for (int i = 0; i < pg_rows(p->admin); i++)
        if (strcmp(pg_value(p->admin, i, 0), name) == 0)
            copy_text(out, size, pg_value(p->admin, i, 1));
}

bool switch_holds_sessions(const struct switch_pooler *p)
{
    return strcmp(p->mode, "session") == 0;
}

static void take_config(struct sw *sw, struct switch_pooler *p)
{
    copy_text(p->retry, sizeof p->retry, "15");
    take_setting(p, "server_login_retry", p->retry, sizeof p->retry);
    if (!*p->mode) /* the database has none of its own */
        take_setting(p, "pool_mode", p->mode, sizeof p->mode);
    if (switch_holds_sessions(p))
        step_say(sw->run, "warn", "The pooler %s has pool_mode = session: PAUSE waits until its clients have gone. With transaction it waits for open transactions only.", p->plan->name);
}

enum look switch_look_prepare(struct sw *sw)
{
    enum look l = switch_all_good(sw);
    if (l != LOOK_NEXT)
        return l;
    FOR_DB(d) {
        int64_t blue = pg_int(d->side[BLUE], 0, 0), green = pg_int(d->side[GREEN], 0, 0);
        if (green < blue && d->plan->ntables == 0)
            return switch_fail(sw, "%s of %s has %lld sequences, %s has %lld: create the missing ones first.", switch_Name(sw, GREEN), d->plan->name, (long long)green, switch_name(sw, BLUE),
                               (long long)blue);
    }
    FOR_POOLER(p)
        take_config(sw, p);
    return LOOK_NEXT;
}

/* One file may hold the lines of several databases: all of them are staged into one text. */
static bool is_first_of_file(const struct sw *sw, const struct switch_pooler *p)
{
    for (const struct switch_pooler *q = sw->poolers; q < p; q++)
        if (strcmp(q->plan->file, p->plan->file) == 0)
            return false;
    return true;
}

static bool stage_file(struct sw *sw, const char *file, struct err *err)
{
    struct pooler_edit *was = xcalloc((size_t)sw->npoolers, sizeof *was), *edits = xcalloc((size_t)sw->npoolers, sizeof *edits);
    int n = 0;
    FOR_POOLER(p)
        if (strcmp(p->plan->file, file) == 0) {
            was[n] = (struct pooler_edit){p->plan->database, p->plan->target[BLUE]};
            edits[n++] = (struct pooler_edit){p->plan->database, p->plan->target[GREEN]};
        }
    bool good = pooler_stage(file, was, edits, n, err);
    free(was);
    free(edits);
    return good;
}

void switch_begin_stage(struct sw *sw)
{
    struct err err;
    sw->staged = true;
    FOR_POOLER(p)
        if (is_first_of_file(sw, p) && !stage_file(sw, p->plan->file, &err)) {
            switch_fail(sw, "%s", err.text);
            return;
        }
}

enum look switch_look_stage(struct sw *sw)
{
    return *sw->why ? LOOK_FAIL : LOOK_NEXT;
}

/* Several databases of one PgBouncer are held and let go together: one client measures for all of them. */
static bool is_first_of_admin(const struct sw *sw, const struct switch_pooler *p)
{
    for (const struct switch_pooler *q = sw->poolers; q < p; q++)
        if (q->pulse && strcmp(q->plan->admin, p->plan->admin) == 0)
            return false;
    return true;
}

void switch_begin_watchdog(struct sw *sw)
{
    struct err err;
    const char **retries = xcalloc((size_t)sw->npoolers + 1, sizeof *retries);
    for (int i = 0; i < sw->npoolers; i++)
        retries[i] = sw->poolers[i].retry;
    sw->watchdog = watchdog_start(sw->plan, sw->back, retries, sw->run->state_dir, &err);
    if (!sw->watchdog)
        switch_fail(sw, "%s", err.text);
    sw->settle = settle_new(&sw->run->task);
    settle_add_plan(sw->settle, sw->plan, sw->back, retries);
    free(retries);
    settle_connect(sw->settle);
    FOR_POOLER(p)
        if (p->probe && !switch_holds_sessions(p) && is_first_of_admin(sw, p)) /* it would hold its own session */
            p->pulse = pulse_start(sw->run->task.loop, p->plan->probe);
    sw->until = clock_mono() + 10000;
}

enum look switch_look_watchdog(struct sw *sw)
{
    if (*sw->why)
        return LOOK_FAIL;
    if (strncmp(sw->told, "failed ", 7) == 0)
        return switch_fail(sw, "The watchdog can't keep watch, so nothing is paused. %s", sw->told + 7);
    if (watchdog_is_gone(sw->watchdog) || clock_mono() > sw->until)
        return switch_fail(sw, "The watchdog did not become ready, so nothing is paused.");
    if (strcmp(sw->told, "ready") != 0 || !settle_step(sw->settle))
        return LOOK_WAIT;
    sw->told[0] = '\0';
    return *settle_error(sw->settle) ? switch_fail(sw, "%s", settle_error(sw->settle)) : LOOK_NEXT;
}
