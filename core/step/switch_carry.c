/* Everything that blue acknowledged is on green: the marker proves the rows; the sequences are set by hand, since
 * logical replication does not carry them. */
#include <stdio.h>
#include <string.h>

#include "core/step/switch.h"

enum { UNUSED_PER_SELECT = 100, UNUSED_MAX = 6000 }; /* pg keeps 64 results of one order */

static const char ASK_MARKER[] = "SELECT count(*) FROM cutover.marker WHERE id = $1";
static const char ASK_SEQUENCES[] =
    "SELECT format('%I.%I', schemaname, sequencename), last_value FROM pg_sequences WHERE schemaname <> 'cutover' ORDER BY 1";
static const char SET_SEQUENCES[] =
    "SELECT count(setval(to_regclass(s), v, c)) FROM unnest($1::text[], $2::int8[], $3::bool[]) AS u(s, v, c)";
static const char ASK_VERIFY[] =
    "SELECT count(*) FILTER (WHERE g.sequencename IS NULL),"
    " count(*) FILTER (WHERE g.sequencename IS NOT NULL AND g.last_value IS DISTINCT FROM CASE WHEN c THEN v END),"
    " min(s) FILTER (WHERE g.last_value IS DISTINCT FROM CASE WHEN c THEN v END),"
    " (SELECT count(*) FROM cutover.marker WHERE id = $4),"
    " (SELECT count(*) FROM pg_subscription_rel r JOIN pg_subscription q ON q.oid = srsubid JOIN pg_database d ON d.oid = subdbid"
    "   WHERE datname = current_database() AND srsubstate <> 'r')"
    " FROM unnest($1::text[], $2::int8[], $3::bool[]) AS u(s, v, c)"
    " LEFT JOIN pg_sequences g ON format('%I.%I', g.schemaname, g.sequencename) = s";
static const char ASK_WRITERS[] =
    "SELECT pid, coalesce(usename, '?'), coalesce(client_addr::text, 'local') FROM pg_stat_activity WHERE " SQL_FOREIGN " AND backend_xid IS NOT NULL LIMIT 1";

static void add_sequence(struct switch_sequences *q, const char *name, const char *value, bool called)
{
    pg_array_add(&q->names, name);
    pg_array_add(&q->values, value);
    pg_array_add(&q->called, called ? "t" : "f");
    q->count++;
}

static void empty(struct switch_sequences *q)
{
    buf_free(&q->names);
    buf_free(&q->values);
    buf_free(&q->called);
    buf_free(&q->unused);
    *q = (struct switch_sequences){0};
}

/* A sequence that was never called has a value all the same (setval(..., false), START), but only in itself. */
static void add_unused(struct switch_sequences *q, const char *name)
{
    char literal[600];
    pg_quote_literal(literal, sizeof literal, name);
    buf_printf(&q->unused, "%s SELECT %s::text, last_value, is_called FROM %s", q->nunused == 0 ? "" : q->nunused % UNUSED_PER_SELECT ? " UNION ALL" : ";",
               literal, name);
    q->nunused++;
}

static enum look take_sequences(struct sw *sw, struct switch_db *d)
{
    struct pg *b = d->side[BLUE];
    struct switch_sequences *q = &d->sequences;
    if (pg_failed(b))
        return switch_fail(sw, "The sequences of %s of %s could not be read: %s.", switch_name(sw, BLUE), d->plan->name, pg_error(b));
    for (int i = 0; i < pg_rows(b); i++)
        if (pg_is_null(b, i, 1))
            add_unused(q, pg_value(b, i, 0));
        else
            add_sequence(q, pg_value(b, i, 0), pg_value(b, i, 1), true);
    q->read = true;
    return q->nunused <= UNUSED_MAX ? LOOK_NEXT : switch_fail(sw, "%s of %s has %d sequences that were never used; at most %d can be carried.", switch_Name(sw, BLUE),
                                                              d->plan->name, q->nunused, UNUSED_MAX);
}

static void ask_marker(struct sw *sw, struct switch_db *d)
{
    const char *id[] = {sw->marker};
    pg_query(d->side[GREEN], ASK_MARKER, 1, id, sw->plan->switch_deadline);
}

void switch_begin_marker(struct sw *sw)
{
    FOR_DB(d) {
        empty(&d->sequences);
        pg_query(d->side[BLUE], ASK_SEQUENCES, 0, NULL, sw->plan->switch_deadline);
        ask_marker(sw, d);
    }
}

enum look switch_look_marker(struct sw *sw)
{
    bool all = true;
    sw->poll_ms = SWITCH_POLL_MS;
    FOR_DB(d) {
        struct pg *g = d->side[GREEN];
        if (!d->sequences.read && !pg_busy(d->side[BLUE]) && take_sequences(sw, d) == LOOK_FAIL)
            return LOOK_FAIL;
        if (!d->arrived && !pg_busy(g) && pg_failed(g))
            return switch_fail(sw, "%s of %s could not be asked for the marker: %s.", switch_Name(sw, GREEN), d->plan->name, pg_error(g));
        if (!d->arrived && !pg_busy(g)) {
            d->arrived = pg_int(g, 0, 0) == 1;
            if (!d->arrived && sw->run->task.woke == WOKE_TIME)
                ask_marker(sw, d);
        }
        all = all && d->arrived && d->sequences.read;
    }
    return all ? LOOK_NEXT : LOOK_WAIT;
}

void switch_begin_unused(struct sw *sw)
{
    FOR_DB(d)
        if (d->sequences.nunused > 0)
            pg_query(d->side[BLUE], d->sequences.unused.text, -1, NULL, sw->plan->switch_deadline);
}

enum look switch_look_unused(struct sw *sw)
{
    enum look l = switch_all_good(sw);
    if (l != LOOK_NEXT)
        return l;
    FOR_DB(d) {
        struct pg *b = d->side[BLUE];
        for (int r = 0; d->sequences.nunused > 0 && r < pg_results(b); r++)
            for (int i = 0; i < pg_rows_of(b, r); i++)
                add_sequence(&d->sequences, pg_value_of(b, r, i, 0), pg_value_of(b, r, i, 1), *pg_value_of(b, r, i, 2) == 't');
        pg_array_end(&d->sequences.names);
        pg_array_end(&d->sequences.values);
        pg_array_end(&d->sequences.called);
    }
    return LOOK_NEXT;
}

static void send_arrays(struct sw *sw, struct switch_db *d, const char *sql, int nparams)
{
    const char *params[] = {d->sequences.names.text, d->sequences.values.text, d->sequences.called.text, sw->marker};
    pg_query(d->side[GREEN], sql, nparams, params, sw->plan->switch_deadline);
}

void switch_begin_sequences(struct sw *sw)
{
    FOR_DB(d)
        send_arrays(sw, d, SET_SEQUENCES, 3);
}

enum look switch_look_sequences(struct sw *sw)
{
    enum look l = switch_all_good(sw);
    if (l != LOOK_NEXT)
        return l;
    FOR_DB(d)
        if (pg_int(d->side[GREEN], 0, 0) < d->sequences.count && d->plan->ntables == 0)
            return switch_fail(sw, "%s of %s has only %lld of %s's %d sequences.", switch_Name(sw, GREEN), d->plan->name, (long long)pg_int(d->side[GREEN], 0, 0), switch_name(sw, BLUE),
                               d->sequences.count);
    return LOOK_NEXT;
}

void switch_begin_verify(struct sw *sw)
{
    FOR_DB(d) {
        send_arrays(sw, d, ASK_VERIFY, 4);
        pg_query(d->side[BLUE], ASK_WRITERS, 0, NULL, sw->plan->switch_deadline);
    }
}

enum look switch_look_verify(struct sw *sw)
{
    enum look l = switch_all_good(sw);
    if (l != LOOK_NEXT)
        return l;
    FOR_DB(d) {
        struct pg *g = d->side[GREEN], *b = d->side[BLUE];
        const char *name = d->plan->name;
        RECORD(sw->run->door, sequences_seen, .db = name, .count = d->sequences.count, .behind = pg_int(g, 0, 1));
        if (pg_int(g, 0, 1) > 0)
            return switch_fail(sw, "%lld sequences of %s of %s differ from %s, the first is %s.", (long long)pg_int(g, 0, 1), switch_name(sw, GREEN), name, switch_name(sw, BLUE), pg_value(g, 0, 2));
        if (pg_int(g, 0, 3) != 1 || pg_int(g, 0, 4) > 0)
            return switch_fail(sw, "%s of %s is not complete: %lld markers, %lld tables not ready.", switch_Name(sw, GREEN), name, (long long)pg_int(g, 0, 3),
                               (long long)pg_int(g, 0, 4));
        if (pg_rows(b) > 0)
            return switch_fail(sw, "Somebody writes on %s of %s in spite of the fence: pid %s, role %s, from %s.", switch_name(sw, BLUE), name, pg_value(b, 0, 0),
                               pg_value(b, 0, 1), pg_value(b, 0, 2));
    }
    if (sw->dry)
        switch_end_dry(sw);
    return LOOK_NEXT;
}
