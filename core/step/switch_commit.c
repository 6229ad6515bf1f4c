/* Writes move. Up to the first RESUME everything can still go back; from it on there is only forward. */
#include <stdio.h>
#include <string.h>

#include "core/step/switch.h"

enum { REPOINT_MS = 60000, ANSWER_MS = 500, PROBE_MS = 3000, FAREWELL_MS = 1000, PLACE_MS = 30000 };

void switch_begin_ask(struct sw *sw)
{
    if (sw->run->model && sw->run->model->journal_broken) /* an intent that can't be written is no intent */
        return;
    sw->asked_commit = true;
    sw->told[0] = '\0';
    sw->until = clock_mono() + ANSWER_MS;
    watchdog_tell(sw->watchdog, "committing");
}

/* Its answer is the decision. Afterwards the intent is on disk before the act. */
enum look switch_look_ask(struct sw *sw)
{
    if (!sw->asked_commit)
        return switch_fail(sw, "The journal can't be written, so the intent to commit would not be on disk.");
    if (strcmp(sw->told, "returned") == 0)
        return switch_fail(sw, "The watchdog had already returned writes to %s, the switch having taken too long.", switch_name(sw, BLUE));
    if (watchdog_is_gone(sw->watchdog))
        return switch_fail(sw, "The watchdog is gone; without it the switch does not go forward.");
    if (strcmp(sw->told, "committing") != 0)
        return clock_mono() < sw->until ? LOOK_WAIT : switch_fail(sw, "The watchdog did not answer within %d ms.", ANSWER_MS);
    sw->told[0] = '\0';
    RECORD(sw->run->door, switch_committing, .marker = sw->marker);
    return LOOK_NEXT;
}

/* While green's commit goes to the disk, the poolers, which hold everybody, take the lines that lead there. */
void switch_begin_promote(struct sw *sw)
{
    struct err err;
    FOR_DB(d) {
        struct buf sql = {0};
        settle_open_sql(&sql, d->home_lives ? "" : d->home);
        pg_query(d->side[GREEN], sql.text, -1, NULL, sw->plan->switch_deadline);
        buf_free(&sql);
    }
    FOR_POOLER(p)
        if (!pooler_install(p->plan->file, &err)) {
            switch_fail(sw, "%s", err.text);
            return;
        }
    FOR_POOLER(p)
        pg_query(p->admin, "RELOAD;", -1, NULL, sw->plan->switch_deadline);
}

/* RELOAD has set server_login_retry back. Meanwhile green is asked once more: it may have died since it was opened, and then back is
 * still the better way. */
void switch_begin_repoint(struct sw *sw)
{
    switch_begin_hurry(sw);
    FOR_DB(d)
        pg_query(d->side[GREEN], "SELECT 1", 0, NULL, sw->plan->switch_deadline);
}

enum look switch_look_repoint(struct sw *sw)
{
    if (switch_is_busy(sw))
        return LOOK_WAIT;
    FOR_DB(d)
        if (pg_failed(d->side[GREEN]))
            return switch_fail(sw, "%s of %s: %s.", switch_Name(sw, GREEN), d->plan->name, pg_error(d->side[GREEN]));
    return switch_look_hurry(sw);
}

static void start_repoint(struct sw *sw, struct switch_db *d)
{
    const char *const to[] = {sw->back ? "CUTOVER_TO=blue" : "CUTOVER_TO=green", NULL};
    char *argv[64] = {0};
    for (int i = 0; i < d->plan->nrepoint && i < (int)ARRAY_LEN(argv) - 1; i++)
        argv[i] = (char *)d->plan->repoint[i];
    d->repoint = child_new(&sw->run->task);
    child_start(d->repoint, &(struct child_opts){.argv = (const char *const *)argv, .env = to, .timeout_ms = REPOINT_MS});
}

void switch_begin_resume(struct sw *sw)
{
    char verb[300];
    sw->past = true;
    FOR_POOLER(p) {
        pooler_verb(verb, sizeof verb, "RESUME", p->plan->database);
        pg_query(p->admin, verb, -1, NULL, SWITCH_ASK_MS);
    }
    FOR_DB(d)
        if (d->plan->npoolers == 0 && d->plan->nrepoint > 0)
            start_repoint(sw, d);
}

static void note_trouble(struct sw *sw, const char *what, const char *who, const char *error)
{
    if (!*sw->trouble)
        snprintf(sw->trouble, sizeof sw->trouble, "%.60s %.60s: %.170s", what, who, error);
}

/* What could not be resumed here is tried on by settle, on its own connections, at the farewell. */
enum look switch_look_resume(struct sw *sw)
{
    if (switch_is_busy(sw))
        return LOOK_WAIT;
    FOR_DB(d)
        if (d->repoint && child_busy(d->repoint))
            return LOOK_WAIT;
    if (sw->plan->nflags && !sw->flags_off) {
        sw->flags_off = true;
        switch_set_flags(sw, false);
        return LOOK_WAIT;
    }
    for (int i = 0; i < sw->plan->nflags; i++)
        if (flag_failed(sw->flags[i]))
            note_trouble(sw, "it was not taken back, the flag", flag_name(sw->flags[i]), flag_error(sw->flags[i]));
    FOR_POOLER(p)
        if (pg_failed(p->admin))
            note_trouble(sw, "RESUME failed at the pooler", p->plan->name, pg_error(p->admin));
    FOR_DB(d)
        if (d->repoint && child_failed(d->repoint))
            note_trouble(sw, "the repoint command failed for", d->plan->name, child_error(d->repoint));
    switch_record_resumed(sw, GREEN);
    char text[160];
    snprintf(text, sizeof text, "writes are on %s; paused for %.1f ms", switch_name(sw, GREEN), (double)sw->pause_us / 1000);
    switch_record_committed(sw, text);
    return LOOK_NEXT;
}

/* ---- afterwards: is it true? ---- */


static void insert_marker(struct sw *sw, struct switch_pooler *p)
{
    char sql[400];
    snprintf(sql, sizeof sql, "INSERT INTO cutover.marker (id, at, step) VALUES ('%s-%d', clock_timestamp(), 'probe');", sw->marker,
             (int)(p - sw->poolers));
    pg_query(p->probe, sql, -1, NULL, PROBE_MS);
}

/* Connect, then write; a role that may not write the marker still says which server answers, and whether read-only. */
static void probe_on(struct sw *sw, struct switch_pooler *p)
{
    static const char who[] = "SELECT pg_postmaster_start_time()::text, current_setting('transaction_read_only');";
    bool failed = pg_failed(p->probe), refused = failed && strcmp(pg_sqlstate(p->probe), "42501") == 0;
    if (p->probe_at == PROBE_CONNECT && !failed) {
        insert_marker(sw, p);
        p->probe_at = PROBE_INSERT;
        return;
    }
    if (p->probe_at == PROBE_INSERT && refused) {
        pg_query(p->probe, who, -1, NULL, PROBE_MS);
        p->probe_at = PROBE_WHO;
        return;
    }
    p->wrote = p->probe_at == PROBE_INSERT && !failed;
    if (failed)
        note_trouble(sw, "the write through the pooler failed:", p->plan->name, pg_error(p->probe));
    else if (p->probe_at == PROBE_WHO && (strcmp(pg_value(p->probe, 0, 0), p->db->started[GREEN]) != 0 || strcmp(pg_value(p->probe, 0, 1), "off") != 0))
        note_trouble(sw, "behind the pooler", p->plan->name, "is not the side that takes writes now");
    p->probe_at = PROBE_OVER;
}

enum look switch_look_probe(struct sw *sw)
{
    bool all = true, waits = switch_awaits_pulse(sw); /* clients come first: sessions of ours would only compete with theirs for being started */
    sw->poll_ms = SWITCH_POLL_MS;
    FOR_POOLER(p) {
        if (p->probe && p->probe_at == PROBE_WAIT && !waits) {
            p->probe_at = PROBE_CONNECT;
            pg_connect(p->probe, PROBE_MS);
        }
        if (p->probe && p->probe_at > PROBE_WAIT && p->probe_at != PROBE_OVER && !pg_busy(p->probe))
            probe_on(sw, p);
        all = all && (!p->probe || p->probe_at == PROBE_OVER);
    }
    return all ? LOOK_NEXT : LOOK_WAIT;
}

void switch_begin_look(struct sw *sw)
{
    switch_record_pulse(sw);
    static const char clients[] = "SELECT count(*) FILTER (WHERE backend_xid IS NOT NULL), count(*), min(pid), min(pg_get_userbyid(usesysid)), coalesce(min(host(client_addr)), 'local') FROM "
        SQL_STRANGERS " AND backend_start > current_setting('cutover.fenced')::timestamptz";
    char sql[300];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM cutover.marker WHERE id LIKE '%s-%%'", sw->marker);
    FOR_DB(d) {
        pg_query(d->side[GREEN], sql, 0, NULL, PROBE_MS);
        pg_query(d->side[BLUE], clients, 0, NULL, PROBE_MS);
    }
}

enum look switch_look_look(struct sw *sw)
{
    if (switch_is_busy(sw))
        return LOOK_WAIT;
    FOR_DB(d) {
        int64_t want = 0;
        FOR_POOLER(p)
            want += p->db == d && p->wrote;
        if (pg_failed(d->side[GREEN]) || pg_int(d->side[GREEN], 0, 0) < want)
            note_trouble(sw, sw->back ? "a write through a pooler did not land on blue of" : "a write through a pooler did not land on green of", d->plan->name, pg_error(d->side[GREEN]));
        if (!pg_failed(d->side[BLUE]) && pg_int(d->side[BLUE], 0, 1) > 0)
            step_say(sw->run, "warn", "%lld sessions of clients began on %s of %s since it was closed, past the poolers; one is pid %s, role %s, from %s. Look whether they belong on %s.",
                     (long long)pg_int(d->side[BLUE], 0, 1), switch_name(sw, BLUE), d->plan->name, pg_value(d->side[BLUE], 0, 2), pg_value(d->side[BLUE], 0, 3), pg_value(d->side[BLUE], 0, 4), switch_name(sw, GREEN));
        if (!pg_failed(d->side[BLUE]) && pg_int(d->side[BLUE], 0, 0) > 0)
            note_trouble(sw, sw->back ? "somebody still writes on green of" : "somebody still writes on blue of", d->plan->name, "look at pg_stat_activity there");
    }
    return LOOK_NEXT;
}

/* Disabled, not dropped: a stray write on blue can't come over silently, and cleanup finds all that it must remove. */
void switch_begin_disable(struct sw *sw)
{
    FOR_DB(d) {
        struct buf sql = {0};
        buf_puts(&sql, SQL_DISABLE);
        if (*d->home)
            settle_place_sql(&sql, d->home);
        pg_query(d->side[GREEN], sql.text, -1, NULL, PLACE_MS);
        buf_free(&sql);
    }
}

enum look switch_look_disable(struct sw *sw)
{
    if (switch_is_busy(sw))
        return LOOK_WAIT;
    FOR_DB(d)
        if (pg_failed(d->side[GREEN]))
            note_trouble(sw, sw->back ? "the subscription could not be disabled on blue of" : "the subscription could not be disabled on green of", d->plan->name, pg_error(d->side[GREEN]));
        else if (*d->home)
            copy_text(d->place, sizeof d->place, pg_value(d->side[GREEN], 0, 0));
    return LOOK_NEXT;
}

/* A worker that has not heard of it yet would bring home's first rows over once more. */
static void ask_workers(struct switch_db *d)
{
    if (*d->home)
        pg_query(d->side[GREEN], SQL_WORKERS, 0, NULL, SWITCH_ASK_MS);
}

void switch_begin_idle(struct sw *sw)
{
    sw->until = clock_mono() + SWITCH_ASK_MS;
    FOR_DB(d)
        ask_workers(d);
}

enum look switch_look_idle(struct sw *sw)
{
    bool all = true;
    sw->poll_ms = SWITCH_POLL_MS * 5;
    if (*sw->trouble && !switch_is_busy(sw))
        return LOOK_NEXT;
    FOR_DB(d) {
        struct pg *g = d->side[GREEN];
        if (pg_busy(g) || !*d->home) {
            all = all && !*d->home;
            continue;
        }
        bool gone = !pg_failed(g) && pg_int(g, 0, 0) == 0;
        if (!gone && clock_mono() > sw->until)
            note_trouble(sw, "a worker of the way over does not end, so the way back is not opened; of", d->plan->name, pg_failed(g) ? pg_error(g) : "look there");
        else if (!gone && sw->run->task.woke == WOKE_TIME)
            ask_workers(d);
        all = all && gone;
    }
    return all ? LOOK_NEXT : LOOK_WAIT;
}

/* With trouble the way back stays shut here; the watchdog goes over everything once more. */
void switch_begin_enable(struct sw *sw)
{
    FOR_DB(d) {
        struct buf sql = {0};
        if (!*d->home || *sw->trouble)
            continue;
        settle_enable_sql(&sql, d->home, d->home_lives ? "" : d->place);
        pg_query(d->side[BLUE], sql.text, -1, NULL, SWITCH_ASK_MS);
        buf_free(&sql);
    }
}

enum look switch_look_enable(struct sw *sw)
{
    if (switch_is_busy(sw))
        return LOOK_WAIT;
    FOR_DB(d)
        if (*d->home && !*sw->trouble && pg_failed(d->side[BLUE]))
            note_trouble(sw, sw->back ? "the way to green could not be opened again on green of" : "the way back could not be opened on blue of", d->plan->name, pg_error(d->side[BLUE]));
    return LOOK_NEXT;
}

void switch_begin_calm(struct sw *sw)
{
    char verb[100];
    FOR_POOLER(p) {
        pooler_retry(verb, sizeof verb, p->retry);
        pg_query(p->admin, verb, -1, NULL, SWITCH_ASK_MS);
    }
}

/* With trouble the watchdog is told nothing: the end of the pipe makes it go over everything once more, towards green. */
void switch_begin_farewell(struct sw *sw)
{
    sw->until = clock_mono() + FAREWELL_MS;
    if (*sw->trouble && !sw->doubt)
        return;
    FOR_POOLER(p)
        pooler_unstage(p->plan->file);
    sw->staged = false;
    watchdog_tell(sw->watchdog, "done");
}

enum look switch_look_farewell(struct sw *sw)
{
    if ((!*sw->trouble || sw->doubt) && !watchdog_is_gone(sw->watchdog) && clock_mono() < sw->until)
        return LOOK_WAIT;
    watchdog_free(sw->watchdog);
    sw->watchdog = NULL;
    if (*sw->trouble)
        step_end(sw->run, "done", "Writes are on %s after a pause of %.1f ms, but look: %.160s", switch_name(sw, GREEN), (double)sw->pause_us / 1000, sw->trouble);
    else if (sw->seen_us)
        step_end(sw->run, "done", "Writes are on %s after a pause of %.1f ms; a client saw %.1f ms.", switch_name(sw, GREEN), (double)sw->pause_us / 1000, (double)sw->seen_us / 1000);
    else
        step_end(sw->run, "done", "Writes are on %s after a pause of %.1f ms.", switch_name(sw, GREEN), (double)sw->pause_us / 1000);
    return LOOK_OVER;
}
