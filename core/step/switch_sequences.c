/* Sequences are not carried by logical replication: they are read on the side that writes leave and set on the other.
 *
 * Thousands of them would cost tenths of a second in the pause, so nearly all is done before it: all are read and set (list, learn,
 * preset), and the reading of those that were never called is prepared. In the pause the side that writes leave is read while the marker
 * travels, and what has changed is set on the other; that one is read when the marker is there, as no apply worker draws a number any more,
 * and what differs then is set once more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/step/switch.h"

enum { GROUP = 500, GROUPS = 30, MOST_UNUSED = GROUP * GROUPS, PER_SELECT = 100, MOST_NEW = 3000 }; /* pg keeps 64 results of one order */

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

/* The list does not tell the value of one that was never called: it stays NULL. A row without a name is none of them. */
static void take_list(const struct pg *pg, struct switch_sequences *q)
{
    free_list(q);
    q->list = xcalloc((size_t)pg_rows(pg) + 1, sizeof *q->list);
    for (int i = 0; i < pg_rows(pg); i++) {
        bool called = !pg_is_null(pg, i, 1);
        if (pg_is_null(pg, i, 0))
            continue;
        q->list[q->count++] = (struct switch_sequence){.name = arena_strdup(&q->texts, pg_value(pg, i, 0)), .called = called, .group = -1,
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

/* Does green hold it already, as far as `base` knows? One that was never called tells no value by its list: what was set there stands, as
 * nobody calls it. Where the plan names its tables, one that green does not have is none of them. */
static bool is_there(const struct switch_db *d, const struct switch_sequence *s, const struct switch_sequences *base)
{
    const struct switch_sequence *there = find(base, s->name), *set = s->called ? there : s->set ? s : find(&d->known, s->name);
    if (!there && base == &d->there && d->plan->ntables > 0)
        return true;
    return there && set && there->called == s->called && set->called == s->called && set->value && strcmp(set->value, s->value) == 0;
}

static void put_select(struct buf *sql, const char *name)
{
    buf_puts(sql, "SELECT ");
    pg_put_literal(sql, name);
    buf_printf(sql, "::text, last_value, is_called FROM %s", name);
}

/* ---- before the pause ---- */

void switch_begin_list(struct sw *sw)
{
    FOR_DB(d)
        pg_query(d->side[BLUE], "EXECUTE cutover_list", -1, NULL, SWITCH_ASK_MS);
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

/* base NULL: all of them. */
static void list_changes(struct switch_db *d, struct switch_sequences *q, const struct switch_sequences *base)
{
    free_changes(d);
    for (int i = 0; i < q->count; i++) {
        struct switch_sequence *s = &q->list[i];
        if (!s->value || (base && is_there(d, s, base)))
            continue;
        pg_array_add(&d->changes[0], s->name);
        pg_array_add(&d->changes[1], s->value);
        pg_array_add(&d->changes[2], s->called ? "t" : "f");
        s->set = true;
        d->nchanges++;
    }
    for (int i = 0; i < 3; i++)
        pg_array_end(&d->changes[i]);
}

static void put_execute(const struct switch_db *d, struct buf *sql, const char *statement)
{
    buf_printf(sql, "EXECUTE %s", statement);
    for (int i = 0; i < 3; i++) {
        buf_puts(sql, i ? ", " : "(");
        pg_put_literal(sql, d->changes[i].text);
    }
    buf_puts(sql, "); ");
}

void switch_begin_preset(struct sw *sw)
{
    FOR_DB(d) {
        struct buf sql = {0};
        list_changes(d, &d->known, NULL);
        put_execute(d, &sql, "cutover_set");
        pg_query(d->side[GREEN], sql.text, -1, NULL, SWITCH_ASK_MS);
        buf_free(&sql);
    }
}

/* A plan that names its tables need not have all of them on the other side. */
enum look switch_look_set(struct sw *sw, struct switch_db *d)
{
    long long set = atoll(pg_value_of(d->side[GREEN], 0, 0, 0));
    if (set < d->nchanges && d->plan->ntables == 0)
        return switch_fail(sw, "%s of %s lacks %lld of %s's sequences.", switch_Name(sw, GREEN), d->plan->name, d->nchanges - set, switch_name(sw, BLUE));
    return LOOK_NEXT;
}

enum look switch_look_preset(struct sw *sw)
{
    enum look l = switch_all_good(sw);
    FOR_DB(d)
        if (l == LOOK_NEXT)
            l = switch_look_set(sw, d);
    return l;
}

/* ---- in the pause ---- */

void switch_ask_list(struct sw *sw, struct switch_db *d)
{
    d->reading = READ_LIST;
    pg_query(d->side[BLUE], "EXECUTE cutover_list", -1, NULL, sw->plan->switch_deadline);
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

static enum look ask_unused(struct sw *sw, struct switch_db *d)
{
    struct buf sql = {0};
    bool few = put_unused(d, &sql) <= MOST_NEW;
    d->reading = READ_UNUSED;
    if (few)
        pg_query(d->side[BLUE], sql.text, -1, NULL, sw->plan->switch_deadline);
    buf_free(&sql);
    return few ? LOOK_WAIT : switch_fail(sw, "On %s of %s more than %d sequences were made or reset just now.", switch_name(sw, BLUE), d->plan->name, MOST_NEW);
}

static enum look read_all(struct sw *sw, struct switch_db *d)
{
    const char *unread = first_unread(&d->now);
    d->reading = READ_ALL;
    return unread ? switch_fail(sw, "The value of the sequence %s of %s of %s could not be read.", unread, switch_name(sw, BLUE), d->plan->name) : LOOK_NEXT;
}

enum look switch_read_on(struct sw *sw, struct switch_db *d)
{
    struct pg *b = d->side[BLUE];
    if (d->reading == READ_ALL)
        return LOOK_NEXT;
    if (pg_busy(b))
        return LOOK_WAIT;
    if (pg_failed(b))
        return switch_fail(sw, "The sequences of %s of %s could not be read: %s.", switch_name(sw, BLUE), d->plan->name, pg_error(b));
    if (d->reading == READ_UNUSED)
        take_unused(b, &d->now);
    else
        take_list(b, &d->now);
    return d->reading == READ_LIST && d->now.nunused ? ask_unused(sw, d) : read_all(sw, d);
}

void switch_take_there(struct switch_db *d)
{
    take_list(d->side[GREEN], &d->there);
}

int switch_put_changes(struct switch_db *d, struct buf *sql)
{
    list_changes(d, &d->now, d->arrived ? &d->there : &d->known);
    if (d->nchanges)
        put_execute(d, sql, "cutover_set");
    return d->nchanges;
}

const char *switch_first_change(const struct switch_db *d)
{
    for (int i = 0; i < d->now.count; i++)
        if (d->now.list[i].value && !is_there(d, &d->now.list[i], &d->there))
            return d->now.list[i].name;
    return "?";
}

void switch_free_sequences(struct switch_db *d)
{
    free_list(&d->known);
    free_list(&d->now);
    free_list(&d->there);
    free_changes(d);
}
