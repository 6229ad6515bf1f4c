/* Writes stop: the poolers hold their clients, blue refuses the rest, the marker closes the account. */
#include <stdio.h>
#include <string.h>

#include "core/step/switch.h"

enum { LOGINS_MS = 1000 };

/* PAUSE closes a server connection that is just logging in, and PgBouncer takes that for a failed login: it would open
 * no other for server_login_retry after RESUME. RELOAD sets it back to the file's, so this is done twice. */
void switch_begin_hurry(struct sw *sw)
{
    char verb[100];
    sw->hurried = true;
    pooler_retry(verb, sizeof verb, "0");
    FOR_POOLER(p)
        pg_query(p->admin, verb, -1, NULL, SWITCH_ASK_MS);
}

/* One that does not know the setting is switched all the same. */
enum look switch_look_hurry(struct sw *sw)
{
    if (switch_is_busy(sw))
        return LOOK_WAIT;
    FOR_POOLER(p)
        if (pg_failed(p->admin) && !pg_is_connected(p->admin) && !sw->past)
            return switch_fail(sw, "The pooler %s is gone: %s.", p->plan->name, pg_error(p->admin));
    return LOOK_NEXT;
}

/* So that there are none of those, as far as that can be awaited. */
void switch_begin_logins(struct sw *sw)
{
    sw->until = clock_mono() + LOGINS_MS;
    FOR_POOLER(p)
        pg_query(p->admin, "SHOW POOLS;", -1, NULL, SWITCH_ASK_MS);
}

static int64_t count_logins(const struct switch_pooler *p)
{
    int64_t sum = 0;
    for (int i = 0; i < pg_rows(p->admin); i++)
        if (strcmp(pg_value(p->admin, i, 0), p->plan->database) == 0)
            sum += pg_int(p->admin, i, pg_column(p->admin, "sv_login"));
    return sum;
}

/* Who measures a pause must have been answered before it. */
static bool has_pulse(const struct sw *sw)
{
    FOR_POOLER(p)
        if (p->pulse && !pulse_is_back(p->pulse, 0))
            return false;
    return true;
}

enum look switch_look_logins(struct sw *sw)
{
    enum look l = switch_all_good(sw);
    if (l != LOOK_NEXT)
        return l;
    int64_t sum = 0;
    FOR_POOLER(p)
        sum += count_logins(p);
    if (clock_mono() > sw->until || (sum == 0 && has_pulse(sw)))
        return LOOK_NEXT;
    sw->poll_ms = SWITCH_POLL_MS;
    for (struct switch_pooler *p = sw->poolers; sum > 0 && p < sw->poolers + sw->npoolers; p++)
        pg_query(p->admin, "SHOW POOLS;", -1, NULL, SWITCH_ASK_MS);
    return LOOK_WAIT;
}

void switch_set_flags(struct sw *sw, bool on)
{
    for (int i = 0; i < sw->plan->nflags; i++)
        flag_set(sw->flags[i], on, on ? sw->plan->fence_deadline : FLAG_OFF_MS);
}

/* Here the pause begins, as whoever heeds a flag sees it. */
void switch_begin_flag(struct sw *sw)
{
    watchdog_tell(sw->watchdog, "pausing");
    sw->attempt = clock_mono();
    sw->paused_us = sw->phase_us = clock_mono_us();
    sw->tries++;
    switch_set_flags(sw, true);
    sw->was_paused = true;
    FOR_DB(d)
        RECORD(sw->run->door, writes_paused, .db = d->plan->name);
}

enum look switch_look_flag(struct sw *sw)
{
    for (int i = 0; i < sw->plan->nflags; i++)
        if (flag_busy(sw->flags[i]))
            return LOOK_WAIT;
    for (int i = 0; i < sw->plan->nflags; i++)
        if (flag_failed(sw->flags[i]))
            return switch_fail(sw, "The flag %s could not be set: %s", flag_name(sw->flags[i]), flag_error(sw->flags[i]));
    return LOOK_NEXT;
}

void switch_begin_fence(struct sw *sw)
{
    char verb[300];
    int64_t left = MAX(sw->plan->fence_deadline - (clock_mono() - sw->attempt), (int64_t)1);
    FOR_POOLER(p) {
        pooler_verb(verb, sizeof verb, "PAUSE", p->plan->database);
        pg_query(p->fence, verb, -1, NULL, left);
    }
}

enum look switch_look_fence(struct sw *sw)
{
    if (switch_is_busy(sw))
        return LOOK_WAIT;
    sw->next = AT_READONLY;
    FOR_POOLER(p) {
        if (!pg_failed(p->fence))
            continue;
        if (!pg_timed_out(p->fence))
            return switch_fail(sw, "The pooler %s refused PAUSE: %s.", p->plan->name, pg_error(p->fence));
        sw->next = AT_UNFENCE;
    }
    return LOOK_NEXT;
}

/* Names who held it, and lets everybody go on. The holder is looked up on blue while the poolers resume. */
void switch_begin_unfence(struct sw *sw)
{
    static const char holder[] =
        "SELECT pid, coalesce(pg_get_userbyid(usesysid), '?'), coalesce(state, '?'), (extract(epoch FROM clock_timestamp() - xact_start) * 1000)::int8 FROM "
        SQL_STRANGERS " AND xact_start IS NOT NULL ORDER BY xact_start LIMIT 1";
    char verb[300];
    FOR_POOLER(p) {
        pg_close(p->fence);
        pooler_verb(verb, sizeof verb, "RESUME", p->plan->database);
        pg_query(p->admin, verb, -1, NULL, SWITCH_ASK_MS);
    }
    switch_set_flags(sw, false);
    FOR_DB(d)
        pg_query(d->side[BLUE], holder, 0, NULL, 1000);
}

/* Of all databases the transaction that has been open for the longest: the others have only just begun. */
static void say_holder(const struct sw *sw, char *held, size_t size)
{
    const struct switch_db *longest = NULL;
    FOR_DB(d)
        if (!pg_failed(d->side[BLUE]) && pg_rows(d->side[BLUE]) > 0 && (!longest || pg_int(d->side[BLUE], 0, 3) > pg_int(longest->side[BLUE], 0, 3)))
            longest = d;
    snprintf(held, size, "no open transaction was found on %s", switch_name(sw, BLUE));
    FOR_POOLER(p)
        if (switch_holds_sessions(p))
            snprintf(held, size, "held by the clients of %.60s, which has pool_mode = session", p->plan->name);
    if (longest)
        snprintf(held, size, "held by pid %s of %s (%.40s, %s, open for %.1f s)", pg_value(longest->side[BLUE], 0, 0), longest->plan->name, pg_value(longest->side[BLUE], 0, 1),
                 pg_value(longest->side[BLUE], 0, 2), (double)pg_int(longest->side[BLUE], 0, 3) / 1000);
}

enum look switch_look_unfence(struct sw *sw)
{
    if (switch_is_busy(sw))
        return LOOK_WAIT;
    char held[200];
    say_holder(sw, held, sizeof held);
    FOR_POOLER(p)
        if (pg_failed(p->admin))
            return switch_fail(sw, "The pooler %s did not resume after a fence that took too long: %s.", p->plan->name, pg_error(p->admin));
    for (int i = 0; i < sw->plan->nflags; i++)
        if (flag_failed(sw->flags[i]))
            return switch_fail(sw, "The flag %s was not taken back after a fence that took too long: %s", flag_name(sw->flags[i]), flag_error(sw->flags[i]));
    watchdog_tell(sw->watchdog, "resumed");
    switch_record_resumed(sw, BLUE);
    step_say(sw->run, "warn", "Fence %d of %d took longer than %lld ms and was let go: %s.", sw->tries, sw->plan->fence_tries,
             (long long)sw->plan->fence_deadline, held);
    if (sw->tries >= sw->plan->fence_tries)
        return switch_fail(sw, "The poolers did not drain within %lld ms in %d tries: %s.", (long long)sw->plan->fence_deadline, sw->tries, held);
    return LOOK_NEXT;
}

void switch_begin_back_off(struct sw *sw)
{
    sw->until = clock_mono() + SWITCH_BACK_OFF_MS;
}

enum look switch_look_back_off(struct sw *sw)
{
    sw->poll_ms = MAX(sw->until - clock_mono(), (int64_t)1);
    if (clock_mono() < sw->until)
        return LOOK_WAIT;
    sw->next = AT_DOORS;
    return LOOK_NEXT;
}

/* The marker may only be written when nobody who came before the fence can write any more. A session that is just starting holds
 * RowExclusiveLock on its database until it stands in pg_stat_activity (InitPostgres), so who was neither there nor, looked at
 * afterwards, here has read the new setting. Everybody else is sent his end first and looked at then: one who is idle after that begins
 * no other statement, as each begins with a look for signals (CHECK_FOR_INTERRUPTS in exec_simple_query, exec_parse_message,
 * exec_bind_message and exec_execute_message), so it is not waited for until the server has cleared his session away. Who is not is
 * looked for again by the next round. The setting need not be on disk before the marker is, which comes after it in the log. */
#define EARLIER SQL_STRANGERS " AND backend_start <= current_setting('cutover.fenced')::timestamptz"
static const char CLOSE[] = SQL_CLOSE_LAZILY " SELECT set_config('cutover.fenced', clock_timestamp()::text, false);";
static const char LOOKS[] =
    "PREPARE cutover_starting AS SELECT set_config('cutover.starting', (SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND classid = 'pg_database'::regclass"
    "  AND objid = " SQL_HERE " AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid())::text, false); "
    "PREPARE cutover_end AS SELECT count(pg_terminate_backend(pid)) FROM " EARLIER ";"
    "PREPARE cutover_left AS SELECT set_config('cutover.left', (SELECT count(*) FROM " EARLIER " AND state IS DISTINCT FROM 'idle')::text, false); ";
static const char MARK[] =
    " EXECUTE cutover_starting; EXECUTE cutover_end; SELECT pg_stat_clear_snapshot(); EXECUTE cutover_left;"
    " BEGIN READ WRITE; INSERT INTO cutover.marker (id, at, step) SELECT '%s', clock_timestamp(), 'switch'"
    "   WHERE current_setting('cutover.starting') = '0' AND current_setting('cutover.left') = '0'"
    "   AND NOT EXISTS (SELECT FROM pg_prepared_xacts WHERE database = current_database()); COMMIT;"
    " SELECT EXISTS (SELECT FROM cutover.marker WHERE id = '%s'), (SELECT gid FROM pg_prepared_xacts WHERE database = current_database() LIMIT 1);";

void switch_put_looks(struct buf *sql)
{
    buf_puts(sql, LOOKS);
}

static void mark(struct sw *sw, struct switch_db *d, const char *before, const char *id)
{
    struct buf sql = {0};
    buf_puts(&sql, before);
    const char *at = MARK;
    for (const char *hole; (hole = strstr(at, "%s")); at = hole + 2) { /* no printf: the SQL may hold its own % */
        buf_add(&sql, at, (size_t)(hole - at));
        buf_puts(&sql, id);
    }
    buf_puts(&sql, at);
    pg_query(d->side[BLUE], sql.text, -1, NULL, sw->plan->switch_deadline);
    buf_free(&sql);
}

/* Before the pause everything that is asked in it is asked once: a session that does so for the first time reads catalogs and loads libraries
 * for milliseconds. A fence that fell before everybody came ends nobody. A PAUSE that overran has lost its connection:
 * a new one is opened. */
void switch_begin_doors(struct sw *sw)
{
    static const char nobody[] = SQL_TRY_CLOSE " EXECUTE cutover_writers; SELECT set_config('cutover.fenced', '-infinity', false);";
    char id[sizeof sw->marker + 8];
    snprintf(id, sizeof id, "warm-%s-%d", sw->marker, sw->tries);
    FOR_POOLER(p)
        if (!pg_is_connected(p->fence))
            pg_connect(p->fence, SWITCH_CONNECT_MS);
    switch_try_snapshots(sw);
    FOR_DB(d) {
        mark(sw, d, nobody, id);
        switch_warm_up_green(sw, d);
    }
}

void switch_begin_readonly(struct sw *sw)
{
    FOR_DB(d)
        mark(sw, d, CLOSE, sw->marker);
}

enum look switch_look_readonly(struct sw *sw)
{
    bool all = true;
    FOR_DB(d) {
        struct pg *b = d->side[BLUE];
        if (!pg_busy(b) && pg_failed(b))
            return switch_fail(sw, "%s of %s could not be closed: %s.", switch_Name(sw, BLUE), d->plan->name, pg_error(b));
        if (!pg_busy(b) && !d->marked && !pg_is_null(b, 0, 1))
            return switch_fail(sw, "%s of %s holds the prepared transaction '%s'.", switch_Name(sw, BLUE), d->plan->name, pg_value(b, 0, 1));
        if (!pg_busy(b) && !d->marked) {
            d->marked = pg_bool(b, 0, 0);
            if (!d->marked)
                mark(sw, d, "", sw->marker);
        }
        all = all && d->marked;
    }
    return all ? LOOK_NEXT : LOOK_WAIT;
}
