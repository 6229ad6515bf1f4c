/* Sequences are not carried by logical replication: they are read on the side that writes leave and set on the other.
 *
 * Thousands of them would cost tenths of a second in the pause, so nearly all is done before it: all are read and set (list, learn,
 * preset), and the reading of those that were never called is prepared. In the pause both sides are read, side by side and after the
 * marker, when no apply worker draws a number there any more; only what differs is set. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/step/switch.h"

enum { GROUP = 500, GROUPS = 30, MOST_UNUSED = GROUP * GROUPS, PER_SELECT = 100, MOST_NEW = 3000 }; /* pg keeps 64 results of one order */

/* Quoted always: which words need it differs between versions. From the catalogs themselves, which takes half the time of pg_sequences.
 * One that may not be read looks like one that was never called; the side that writes leave has been asked for those before. */
static const char ASK_LIST[] =
    "SELECT '\"' || replace(nspname::text, '\"', '\"\"') || '\".\"' || replace(relname::text, '\"', '\"\"') || '\"',"
    " CASE WHEN has_sequence_privilege(c.oid, 'SELECT, USAGE') THEN pg_sequence_last_value(c.oid) END"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'S' AND relpersistence <> 't' AND nspname <> 'cutover'";
static const char SET_SEQUENCES[] =
    "SELECT count(setval(to_regclass(s), v, c)) FROM unnest($1::text[], $2::int8[], $3::bool[]) AS u(s, v, c)";

/* ---- lists, in the order of their names ---- */

static void free_list(struct switch_sequences *q)
{
    arena_free(&q->texts);
    free(q->list);
    *q = (struct switch_sequences){0};
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct switch_sequence *)a)->name, ((const struct switch_sequence *)b)->name);
}

static struct switch_sequence *find(const struct switch_sequences *q, const char *name)
{
    struct switch_sequence want = {.name = name};
    return q->count ? bsearch(&want, q->list, (size_t)q->count, sizeof *q->list, by_name) : NULL;
}

/* The list does not tell the value of one that was never called: it stays NULL. */
static void take_list(const struct pg *pg, struct switch_sequences *q)
{
    free_list(q);
    q->count = pg_rows(pg);
    q->list = xcalloc((size_t)q->count + 1, sizeof *q->list);
    for (int i = 0; i < q->count; i++) {
        bool called = !pg_is_null(pg, i, 1);
        q->list[i] = (struct switch_sequence){.name = arena_strdup(&q->texts, pg_value(pg, i, 0)), .called = called, .group = -1,
            .value = called ? arena_strdup(&q->texts, pg_value(pg, i, 1)) : NULL};
        q->nunused += !called;
    }
    qsort(q->list, (size_t)q->count, sizeof *q->list, by_name);
}

/* The rows of the statements that read them one by one. Who has been called meanwhile is known better already. */
static void take_unused(const struct pg *pg, struct switch_sequences *q)
{
    for (int r = 0; r < pg_results(pg); r++)
        for (int i = 0; i < pg_rows_of(pg, r); i++) {
            struct switch_sequence *s = find(q, pg_value_of(pg, r, i, 0));
            if (!s || s->value)
                continue;
            s->value = arena_strdup(&q->texts, pg_value_of(pg, r, i, 1));
            s->called = *pg_value_of(pg, r, i, 2) == 't';
        }
}

static const char *first_unread(const struct switch_sequences *q)
{
    for (int i = 0; i < q->count; i++)
        if (!q->list[i].value)
            return q->list[i].name;
    return NULL;
}

/* Does green hold it already? One that was never called tells no value by its list: what was set there before the pause stands,
 * as nobody calls it. */
static bool is_there(const struct switch_db *d, const struct switch_sequence *s)
{
    const struct switch_sequence *there = find(&d->there, s->name), *set = s->called ? there : find(&d->known, s->name);
    return there && set && there->called == s->called && set->called == s->called && set->value && strcmp(set->value, s->value) == 0;
}

static void put_select(struct buf *sql, const char *name)
{
    char literal[600];
    pg_quote_literal(literal, sizeof literal, name);
    buf_printf(sql, "SELECT %s::text, last_value, is_called FROM %s", literal, name);
}

/* ---- before the pause ---- */

void switch_begin_list(struct sw *sw)
{
    FOR_DB(d)
        pg_query(d->side[BLUE], ASK_LIST, 0, NULL, SWITCH_ASK_MS);
}

enum look switch_look_list(struct sw *sw)
{
    enum look l = switch_all_good(sw);
    if (l != LOOK_NEXT)
        return l;
    FOR_DB(d) {
        take_list(d->side[BLUE], &d->known);
        if (d->known.nunused > MOST_UNUSED)
            return switch_fail(sw, "%s of %s has %d sequences that were never used; at most %d can be carried.", switch_Name(sw, BLUE), d->plan->name, d->known.nunused, MOST_UNUSED);
    }
    return LOOK_NEXT;
}

/* A prepared statement for each group of them, executed once so that its plan is made. */
void switch_begin_learn(struct sw *sw)
{
    FOR_DB(d) {
        struct buf sql = {0};
        int n = 0;
        for (int i = 0; i < d->known.count; i++) {
            struct switch_sequence *s = &d->known.list[i];
            if (s->called)
                continue;
            s->group = n / GROUP;
            if (n++ % GROUP == 0)
                buf_printf(&sql, "%sPREPARE cutover_unused_%d AS ", n > 1 ? ";" : "", s->group);
            else
                buf_puts(&sql, " UNION ALL ");
            put_select(&sql, s->name);
        }
        for (int g = 0; g * GROUP < n; g++)
            buf_printf(&sql, ";EXECUTE cutover_unused_%d", g);
        if (n)
            pg_query(d->side[BLUE], sql.text, -1, NULL, SWITCH_ASK_MS);
        buf_free(&sql);
    }
}

enum look switch_look_learn(struct sw *sw)
{
    enum look l = switch_all_good(sw);
    if (l != LOOK_NEXT)
        return l;
    FOR_DB(d)
        if (d->known.nunused)
            take_unused(d->side[BLUE], &d->known);
    return LOOK_NEXT;
}

static void free_changes(struct switch_db *d)
{
    for (int i = 0; i < 3; i++)
        buf_free(&d->changes[i]);
    d->nchanges = 0;
}

static void send_changes(struct switch_db *d, const struct switch_sequences *q, bool all, int64_t timeout)
{
    free_changes(d);
    for (int i = 0; i < q->count; i++) {
        const struct switch_sequence *s = &q->list[i];
        if (!s->value || (!all && is_there(d, s)))
            continue;
        pg_array_add(&d->changes[0], s->name);
        pg_array_add(&d->changes[1], s->value);
        pg_array_add(&d->changes[2], s->called ? "t" : "f");
        d->nchanges++;
    }
    for (int i = 0; i < 3; i++)
        pg_array_end(&d->changes[i]);
    const char *params[] = {d->changes[0].text, d->changes[1].text, d->changes[2].text};
    if (d->nchanges)
        pg_query(d->side[GREEN], SET_SEQUENCES, 3, params, timeout);
}

void switch_begin_preset(struct sw *sw)
{
    FOR_DB(d)
        send_changes(d, &d->known, true, SWITCH_ASK_MS);
}

/* A plan that names its tables need not have all of them on the other side. */
enum look switch_look_sequences(struct sw *sw)
{
    enum look l = switch_all_good(sw);
    if (l != LOOK_NEXT)
        return l;
    FOR_DB(d)
        if (d->nchanges && pg_int(d->side[GREEN], 0, 0) < d->nchanges && d->plan->ntables == 0)
            return switch_fail(sw, "%s of %s lacks %lld of %s's sequences.", switch_Name(sw, GREEN), d->plan->name, (long long)(d->nchanges - pg_int(d->side[GREEN], 0, 0)),
                               switch_name(sw, BLUE));
    return LOOK_NEXT;
}

/* ---- in the pause ---- */

void switch_ask_list(struct sw *sw, struct switch_db *d)
{
    d->read = false;
    pg_query(d->side[BLUE], ASK_LIST, 0, NULL, sw->plan->switch_deadline);
}

enum look switch_take_list(struct sw *sw, struct switch_db *d)
{
    if (pg_failed(d->side[BLUE]))
        return switch_fail(sw, "The sequences of %s of %s could not be read: %s.", switch_name(sw, BLUE), d->plan->name, pg_error(d->side[BLUE]));
    take_list(d->side[BLUE], &d->now);
    d->read = true;
    return LOOK_NEXT;
}

/* Executes the groups in which one is still unused, and asks for those by name that no group knows. */
static int put_unused(const struct switch_db *d, struct buf *sql)
{
    bool wanted[GROUPS] = {false};
    int nnew = 0;
    for (int i = 0; i < d->now.count; i++) {
        const struct switch_sequence *s = &d->now.list[i], *was = s->value ? NULL : find(&d->known, s->name);
        if (s->value)
            continue;
        if (was && was->group >= 0) {
            wanted[was->group] = true;
            continue;
        }
        buf_puts(sql, nnew == 0 ? "" : nnew % PER_SELECT ? " UNION ALL " : ";");
        put_select(sql, s->name);
        nnew++;
    }
    for (int g = 0; g < GROUPS; g++)
        if (wanted[g])
            buf_printf(sql, "%sEXECUTE cutover_unused_%d", sql->len ? ";" : "", g);
    return nnew;
}

void switch_begin_unused(struct sw *sw)
{
    FOR_DB(d) {
        struct buf sql = {0};
        pg_query(d->side[GREEN], ASK_LIST, 0, NULL, sw->plan->switch_deadline);
        if (d->now.nunused && put_unused(d, &sql) > MOST_NEW)
            switch_fail(sw, "On %s of %s more than %d sequences were made or reset just now.", switch_name(sw, BLUE), d->plan->name, MOST_NEW);
        else if (d->now.nunused)
            pg_query(d->side[BLUE], sql.text, -1, NULL, sw->plan->switch_deadline);
        buf_free(&sql);
    }
}

enum look switch_look_unused(struct sw *sw)
{
    enum look l = switch_all_good(sw);
    if (l != LOOK_NEXT)
        return l;
    FOR_DB(d) {
        take_list(d->side[GREEN], &d->there);
        if (d->now.nunused)
            take_unused(d->side[BLUE], &d->now);
        const char *unread = first_unread(&d->now);
        if (unread)
            return switch_fail(sw, "The value of the sequence %s of %s of %s could not be read.", unread, switch_name(sw, BLUE), d->plan->name);
    }
    return LOOK_NEXT;
}

void switch_begin_sequences(struct sw *sw)
{
    FOR_DB(d)
        send_changes(d, &d->now, false, sw->plan->switch_deadline);
}

void switch_free_sequences(struct switch_db *d)
{
    free_list(&d->known);
    free_list(&d->now);
    free_list(&d->there);
    free_changes(d);
}
