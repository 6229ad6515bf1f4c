/* After the switch: the tables that were written last hold as many rows on both sides, as they were at the moment of the switch. Both
 * counts are made at leisure in snapshots that were taken in the pause, when blue was closed, its marker had arrived, and green
 * was not open yet: so they are exact, although green has been written since. */
#include <stdio.h>
#include <string.h>

#include "core/step/switch.h"

enum { SNAPSHOT_MS = 3000, COUNT_MS = 10000, MOST = 8, LARGEST = 5000000 };

#define WRITTEN "n_tup_ins + n_tup_upd + n_tup_del"
#define PUBLISHED \
    "pg_stat_user_tables t JOIN pg_publication_tables p USING (schemaname) WHERE p.tablename = t.relname AND p.pubname LIKE 'cutover%' AND schemaname <> 'cutover'"
/* Before the pause: how often each table has been written so far; afterwards: those that were since come first. */
static const char ASK_WRITTEN[] = "SELECT string_agg(relid || ':' || " WRITTEN ", ',') FROM " PUBLISHED;
static const char ASK_TABLES[] =
    "SELECT format('%I.%I', now.schemaname, now.relname) FROM (SELECT DISTINCT schemaname, relname, relid, " WRITTEN " AS n FROM " PUBLISHED ") now"
    " JOIN pg_class c ON c.oid = relid LEFT JOIN (SELECT split_part(e, ':', 1)::oid AS o, split_part(e, ':', 2)::int8 AS before FROM unnest(string_to_array($1, ',')) e) was ON o = relid"
    " WHERE n > 0 AND reltuples <= $2::int8 ORDER BY n - coalesce(before, 0) DESC, n DESC, 1 LIMIT $3::int";

void switch_begin_written(struct sw *sw)
{
    FOR_DB(d)
        for (int i = 0; i < SIDES; i++)
            pg_connect(d->count[i], SWITCH_CONNECT_MS);
    FOR_DB(d)
        pg_query(d->side[BLUE], ASK_WRITTEN, 0, NULL, SWITCH_ASK_MS);
}

/* This proof comes after the fact: what keeps it from being made does not keep the switch. */
enum look switch_look_written(struct sw *sw)
{
    enum look l = switch_all_good(sw);
    FOR_DB(d)
        if (l == LOOK_NEXT)
            buf_puts(&d->written, pg_value(d->side[BLUE], 0, 0));
    return l;
}

#define SNAPSHOT "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_current_snapshot();"
static void ask_snapshot(struct sw *sw, struct pg *line, const char *sql)
{
    if (!sw->dry && pg_is_connected(line))
        pg_query(line, sql, -1, NULL, SNAPSHOT_MS);
}

/* What a session does for the first time takes it longer. */
void switch_try_snapshots(struct sw *sw)
{
    FOR_DB(d)
        for (int i = 0; i < SIDES; i++)
            ask_snapshot(sw, d->count[i], SNAPSHOT " ROLLBACK;");
}

void switch_take_snapshot(struct sw *sw, struct switch_db *d, enum side side)
{
    ask_snapshot(sw, d->count[side], SNAPSHOT);
}

void switch_begin_tables(struct sw *sw)
{
    char largest[24], most[12];
    snprintf(largest, sizeof largest, "%d", LARGEST);
    snprintf(most, sizeof most, "%d", MOST);
    FOR_DB(d) {
        const char *params[] = {d->written.text, largest, most};
        pg_query(d->side[BLUE], ASK_TABLES, 3, params, SWITCH_ASK_MS);
    }
}

enum look switch_look_tables(struct sw *sw)
{
    return switch_is_busy(sw) ? LOOK_WAIT : LOOK_NEXT;
}

static bool can_count(const struct switch_db *d)
{
    return pg_is_connected(d->count[BLUE]) && pg_is_connected(d->count[GREEN]) && !pg_failed(d->count[BLUE]) && !pg_failed(d->count[GREEN]) && !pg_failed(d->side[BLUE]) &&
           pg_rows(d->side[BLUE]) > 0;
}

void switch_begin_count(struct sw *sw)
{
    FOR_DB(d) {
        struct buf sql = {0};
        d->counts = can_count(d);
        if (!d->counts)
            continue;
        for (int i = 0; i < pg_rows(d->side[BLUE]); i++) {
            buf_puts(&sql, i ? " UNION ALL SELECT " : "SELECT ");
            pg_put_literal(&sql, pg_value(d->side[BLUE], i, 0));
            buf_printf(&sql, ", count(*) FROM %s", pg_value(d->side[BLUE], i, 0));
        }
        buf_puts(&sql, " ORDER BY 1;");
        pg_query(d->count[BLUE], sql.text, -1, NULL, COUNT_MS);
        pg_query(d->count[GREEN], sql.text, -1, NULL, COUNT_MS);
        buf_free(&sql);
    }
}

static const char *why_not(const struct switch_db *d)
{
    struct pg *asked[] = {d->side[BLUE], d->count[BLUE], d->count[GREEN]};
    for (size_t i = 0; i < ARRAY_LEN(asked); i++)
        if (pg_failed(asked[i]))
            return pg_error(asked[i]);
    return "none has been written";
}

static void judge(struct sw *sw, struct switch_db *d)
{
    struct pg *b = d->count[BLUE], *g = d->count[GREEN];
    int64_t rows = 0;
    if (!d->counts || pg_failed(b) || pg_failed(g)) {
        step_say(sw->run, d->counts || pg_failed(d->side[BLUE]) ? "warn" : "info", "The tables of %s that were written last were not counted: %s.", d->plan->name, why_not(d));
        return;
    }
    for (int i = 0; i < pg_rows(b); i++) {
        rows += pg_int(b, i, 1);
        if (!*sw->trouble && pg_int(b, i, 1) != pg_int(g, i, 1))
            snprintf(sw->trouble, sizeof sw->trouble, "%.80s of %.40s had %lld rows on %s and %lld on %s when writes moved.", pg_value(b, i, 0), d->plan->name,
                     (long long)pg_int(b, i, 1), switch_name(sw, BLUE), (long long)pg_int(g, i, 1), switch_name(sw, GREEN));
    }
    step_say(sw->run, *sw->trouble ? "warn" : "ok", "The %d tables of %s written last: %lld rows on both sides when writes moved.", pg_rows(b), d->plan->name, (long long)rows);
}

enum look switch_look_count(struct sw *sw)
{
    if (switch_is_busy(sw))
        return LOOK_WAIT;
    bool whole = !*sw->trouble;
    FOR_DB(d)
        judge(sw, d);
    sw->doubt = whole && *sw->trouble;
    FOR_DB(d)
        for (int i = 0; i < SIDES; i++)
            pg_close(d->count[i]);
    return LOOK_NEXT;
}
