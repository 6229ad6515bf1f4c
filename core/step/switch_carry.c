/* Everything that blue acknowledged is on green: the marker proves the rows; the sequences are read again as they were set. */
#include <stdio.h>
#include <string.h>

#include "core/step/switch.h"

static const char ASK_MARKER[] = "SELECT count(*) FROM cutover.marker WHERE id = $1";
static const char ASK_VERIFY[] =
    "SELECT count(*) FILTER (WHERE last IS DISTINCT FROM CASE WHEN c THEN v END), min(s) FILTER (WHERE last IS DISTINCT FROM CASE WHEN c THEN v END),"
    " (SELECT count(*) FROM cutover.marker WHERE id = $4),"
    " (SELECT count(*) FROM pg_subscription_rel r JOIN pg_subscription q ON q.oid = srsubid JOIN pg_database d ON d.oid = subdbid"
    "   WHERE datname = current_database() AND srsubstate <> 'r')"
    " FROM (SELECT s, v, c, pg_sequence_last_value(to_regclass(s)) AS last FROM unnest($1::text[], $2::int8[], $3::bool[]) AS u(s, v, c)"
    "  WHERE to_regclass(s) IS NOT NULL OFFSET 0) x";
static const char ASK_WRITERS[] =
    "SELECT pid, coalesce(usename, '?'), coalesce(client_addr::text, 'local') FROM pg_stat_activity WHERE " SQL_FOREIGN " AND backend_xid IS NOT NULL LIMIT 1";

void switch_warm_up_green(struct sw *sw, struct switch_db *d)
{
    const char *nothing[] = {"{}", "{}", "{}", ""};
    pg_query(d->side[GREEN], ASK_VERIFY, 4, nothing, sw->plan->switch_deadline);
}

static void ask_marker(struct sw *sw, struct switch_db *d)
{
    const char *id[] = {sw->marker};
    pg_query(d->side[GREEN], ASK_MARKER, 1, id, sw->plan->switch_deadline);
}

void switch_begin_marker(struct sw *sw)
{
    FOR_DB(d) {
        switch_ask_list(sw, d);
        ask_marker(sw, d);
    }
}

enum look switch_look_marker(struct sw *sw)
{
    bool all = true;
    sw->poll_ms = SWITCH_POLL_MS;
    FOR_DB(d) {
        struct pg *g = d->side[GREEN];
        if (!d->read && !pg_busy(d->side[BLUE]) && switch_take_list(sw, d) == LOOK_FAIL)
            return LOOK_FAIL;
        if (!d->arrived && !pg_busy(g) && pg_failed(g))
            return switch_fail(sw, "%s of %s could not be asked for the marker: %s.", switch_Name(sw, GREEN), d->plan->name, pg_error(g));
        if (!d->arrived && !pg_busy(g)) {
            d->arrived = pg_int(g, 0, 0) == 1;
            if (!d->arrived && sw->run->task.woke == WOKE_TIME)
                ask_marker(sw, d);
        }
        all = all && d->arrived && d->read;
    }
    return all ? LOOK_NEXT : LOOK_WAIT;
}

void switch_begin_verify(struct sw *sw)
{
    switch_take_snapshots(sw);
    FOR_DB(d) {
        const char *params[] = {d->changes[0].text, d->changes[1].text, d->changes[2].text, sw->marker};
        pg_query(d->side[GREEN], ASK_VERIFY, 4, params, sw->plan->switch_deadline);
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
        RECORD(sw->run->door, sequences_seen, .db = name, .count = d->now.count, .behind = pg_int(g, 0, 0));
        if (pg_int(g, 0, 0) > 0)
            return switch_fail(sw, "%lld sequences of %s of %s differ from %s, the first is %s.", (long long)pg_int(g, 0, 0), switch_name(sw, GREEN), name, switch_name(sw, BLUE), pg_value(g, 0, 1));
        if (pg_int(g, 0, 2) != 1 || pg_int(g, 0, 3) > 0)
            return switch_fail(sw, "%s of %s is not complete: %lld markers, %lld tables not ready.", switch_Name(sw, GREEN), name, (long long)pg_int(g, 0, 2),
                               (long long)pg_int(g, 0, 3));
        if (pg_rows(b) > 0)
            return switch_fail(sw, "Somebody writes on %s of %s in spite of the fence: pid %s, role %s, from %s.", switch_name(sw, BLUE), name, pg_value(b, 0, 0),
                               pg_value(b, 0, 1), pg_value(b, 0, 2));
    }
    if (sw->dry)
        switch_end_dry(sw);
    return LOOK_NEXT;
}
