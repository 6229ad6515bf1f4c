/* Everything that blue acknowledged is on green: the marker proves the rows; the sequences are read again as they were set. */
#include <stdio.h>
#include <string.h>

#include "core/step/switch.h"

enum { MOST_CORRECTIONS = 3 };

/* What is asked in the pause is planned before it. Green's sequences are listed when the marker is there, not sooner: so no apply worker
 * draws a number any more. The marker is the row without a name; its value is how many tables are still being copied. */
static const char LIST[] = "PREPARE cutover_list AS " SQL_SEQUENCES "; ";
static const char WRITERS[] =
    "PREPARE cutover_writers AS SELECT pid, coalesce(pg_get_userbyid(usesysid), '?'), coalesce(host(client_addr), 'local') FROM " SQL_STRANGERS
    " AND backend_xid IS NOT NULL AND state IS DISTINCT FROM 'idle' LIMIT 1; "; /* an idle one that ends drops its temporary tables */
static const char ARRIVED[] =
    "PREPARE cutover_arrived AS SELECT NULL, (SELECT count(*) FROM pg_subscription_rel r JOIN pg_subscription q ON q.oid = srsubid JOIN pg_database d ON d.oid = subdbid"
    "   WHERE datname = current_database() AND srsubstate <> 'r') FROM cutover.marker WHERE id = '%s'"
    " UNION ALL " SQL_SEQUENCES " AND EXISTS (SELECT FROM cutover.marker WHERE id = '%s'); ";
static const char SET[] =
    "PREPARE cutover_set (text[], int8[], bool[]) AS SELECT count(setval(to_regclass(s), v, c)) FROM unnest($1, $2, $3) AS u(s, v, c); ";

void switch_put_statements(const struct sw *sw, enum side side, struct buf *sql)
{
    if (side == BLUE) {
        switch_put_looks(sql);
        buf_puts(sql, LIST);
        buf_puts(sql, WRITERS);
        return;
    }
    buf_printf(sql, ARRIVED, sw->marker, sw->marker);
    buf_puts(sql, SET);
}

/* Green's opening is rolled back here: what is done for the first time takes milliseconds. */
void switch_warm_up_green(struct sw *sw, struct switch_db *d)
{
    struct buf sql = {0};
    settle_try_open_sql(&sql, d->home_lives ? "" : d->home);
    buf_puts(&sql, " EXECUTE cutover_set('{}', '{}', '{}'); EXECUTE cutover_arrived;");
    pg_query(d->side[GREEN], sql.text, -1, NULL, sw->plan->switch_deadline);
    buf_free(&sql);
}

void switch_begin_marker(struct sw *sw)
{
    FOR_DB(d) {
        switch_take_snapshot(sw, d, BLUE);
        switch_ask_list(sw, d);
    }
}

static void tell_sequences(const struct sw *sw, const struct switch_db *d)
{
    RECORD(sw->run->door, sequences_seen, .db = d->plan->name, .count = d->now.count, .behind = d->nchanges);
}

/* Green's sequences are set while the marker travels; what the marker then finds otherwise is set once more. */
static enum look ask_green(struct sw *sw, struct switch_db *d)
{
    struct buf sql = {0};
    d->asked = true;
    if (switch_put_changes(d, &sql) == 0 && d->arrived)
        return LOOK_NEXT;
    bool gives_up = d->sets++ > MOST_CORRECTIONS;
    buf_puts(&sql, "EXECUTE cutover_arrived");
    if (!gives_up)
        pg_query(d->side[GREEN], sql.text, -1, NULL, sw->plan->switch_deadline);
    buf_free(&sql);
    if (!gives_up)
        return LOOK_WAIT;
    tell_sequences(sw, d);
    return switch_fail(sw, "%d sequences of %s of %s differ from %s, the first is %s.", d->nchanges, switch_name(sw, GREEN), d->plan->name, switch_name(sw, BLUE),
                       switch_first_change(d));
}

static enum look take_arrival(struct sw *sw, struct switch_db *d)
{
    if (!d->arrived)
        switch_take_snapshot(sw, d, GREEN);
    d->arrived = true;
    d->unready = pg_int(d->side[GREEN], 0, 1);
    switch_take_there(d);
    return ask_green(sw, d);
}

static enum look hear_green(struct sw *sw, struct switch_db *d)
{
    struct pg *g = d->side[GREEN];
    if (pg_busy(g))
        return LOOK_WAIT;
    if (pg_failed(g))
        return switch_fail(sw, "%s of %s could not be asked for the marker: %s.", switch_Name(sw, GREEN), d->plan->name, pg_error(g));
    if (pg_results(g) > 1 && switch_look_set(sw, d) == LOOK_FAIL)
        return LOOK_FAIL;
    if (pg_rows(g) > 0)
        return take_arrival(sw, d);
    if (sw->run->task.woke == WOKE_TIME)
        pg_query(g, "EXECUTE cutover_arrived", -1, NULL, sw->plan->switch_deadline);
    return LOOK_WAIT;
}

static enum look carry(struct sw *sw, struct switch_db *d)
{
    enum look blue = switch_read_on(sw, d);
    if (blue != LOOK_NEXT)
        return blue;
    if (!d->asked)
        return ask_green(sw, d);
    return d->arrived && d->nchanges == 0 ? LOOK_NEXT : hear_green(sw, d);
}

enum look switch_look_marker(struct sw *sw)
{
    bool all = true;
    sw->poll_ms = SWITCH_POLL_MS;
    FOR_DB(d) {
        enum look l = carry(sw, d);
        if (l == LOOK_FAIL)
            return l;
        all = all && l == LOOK_NEXT;
    }
    return all ? LOOK_NEXT : LOOK_WAIT;
}

/* They have come with the marker. */
void switch_begin_sequences(struct sw *sw)
{
    FOR_DB(d)
        tell_sequences(sw, d);
}

enum look switch_look_sequences(struct sw *sw)
{
    FOR_DB(d)
        if (d->unready > 0)
            return switch_fail(sw, "%s of %s is not complete: %lld tables are not ready.", switch_Name(sw, GREEN), d->plan->name, (long long)d->unready);
    return LOOK_NEXT;
}

void switch_begin_verify(struct sw *sw)
{
    FOR_DB(d)
        pg_query(d->side[BLUE], "EXECUTE cutover_writers", -1, NULL, sw->plan->switch_deadline);
}

enum look switch_look_verify(struct sw *sw)
{
    enum look l = switch_all_good(sw);
    if (l != LOOK_NEXT)
        return l;
    FOR_DB(d) {
        struct pg *b = d->side[BLUE];
        if (pg_rows(b) > 0)
            return switch_fail(sw, "Somebody writes on %s of %s in spite of the fence: pid %s, role %s, from %s.", switch_name(sw, BLUE), d->plan->name, pg_value(b, 0, 0),
                               pg_value(b, 0, 1), pg_value(b, 0, 2));
    }
    if (sw->dry)
        switch_end_dry(sw);
    return LOOK_NEXT;
}
