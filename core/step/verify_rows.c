/* Rows that differ, and whether they go on differing when everything has arrived. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/step/verify_inner.h"

/* ---- two lists of rows: hash, then the key's columns ---- */

struct line {
    const struct pg *pg;
    int row, nkeys;
};

static int compare_keys(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    int c = 0;
    for (int i = 1; c == 0 && i <= x->nkeys; i++)
        c = strcmp(pg_value(x->pg, x->row, i), pg_value(y->pg, y->row, i));
    return c;
}

static struct line *sort(const struct pg *pg, int nkeys)
{
    int n = pg_rows(pg);
    struct line *lines = xcalloc((size_t)n + 1, sizeof *lines);
    for (int i = 0; i < n; i++)
        lines[i] = (struct line){pg, i, nkeys};
    qsort(lines, (size_t)n, sizeof *lines, compare_keys);
    return lines;
}

static void suspect(struct verify_suspects *s, const struct line *l)
{
    if ((s->count & (s->count - 1)) == 0)
        s->row = xrealloc(s->row, sizeof *s->row * (size_t)MAX(2 * s->count, 1));
    struct verify_suspect *n = &s->row[s->count++];
    *n = (struct verify_suspect){.key = arena_alloc(&s->arena, sizeof *n->key * (size_t)l->nkeys)};
    for (int i = 0; i < l->nkeys; i++)
        n->key[i] = arena_strdup(&s->arena, pg_value(l->pg, l->row, i + 1));
    s->open++;
}

void verify_find_suspects(struct verify_suspects *s, const struct verify_table *t, const struct pg *from, const struct pg *to)
{
    struct line *a = sort(from, t->nkeys), *b = sort(to, t->nkeys);
    int i = 0, j = 0, na = pg_rows(from), nb = pg_rows(to);
    while (i < na || j < nb) {
        int c = i == na ? 1 : j == nb ? -1 : compare_keys(&a[i], &b[j]);
        if (c != 0)
            suspect(s, c < 0 ? &a[i] : &b[j]);
        else if (strcmp(pg_value(from, a[i].row, 0), pg_value(to, b[j].row, 0)) != 0)
            suspect(s, &a[i]);
        i += c <= 0;
        j += c >= 0;
    }
    free(a);
    free(b);
}

/* ---- one round: before the marker, on the other side after it, and here once more ---- */

/* All that are open, by equality of the key. The answer says which of them each row is: its place among the open ones, from 1. */
void verify_ask_suspects(struct pg *pg, const struct verify_table *t, const struct verify_suspects *s, int64_t timeout_ms)
{
    struct buf array[VERIFY_KEYS] = {{0}};
    const char *params[VERIFY_KEYS];
    for (int i = 0; i < s->count; i++)
        for (int k = 0; s->row[i].is == SUSPECT_OPEN && k < t->nkeys; k++)
            pg_array_add(&array[k], s->row[i].key[k]);
    for (int k = 0; k < t->nkeys; k++) {
        pg_array_end(&array[k]);
        params[k] = array[k].text;
    }
    char *sql = xprintf("SELECT u.place, hashtextextended((%s::text) COLLATE \"C\", 0)::text FROM unnest(%s) WITH ORDINALITY u(%s, place) JOIN ONLY %s t ON %s", t->row,
                        t->arrays, t->aliases, t->name, t->join);
    pg_query(pg, sql, t->nkeys, params, timeout_ms);
    free(sql);
    for (int k = 0; k < t->nkeys; k++)
        buf_free(&array[k]);
}

/* The hash of each open suspect in the answer; NULL where there is no such row. The caller frees the array. */
static const char **hashes(const struct verify_suspects *s, const struct pg *answer)
{
    const char **hash = xcalloc((size_t)s->open + 1, sizeof *hash);
    for (int i = 0; i < pg_rows(answer); i++) {
        int64_t place = pg_int(answer, i, 0);
        if (place >= 1 && place <= s->open)
            hash[place - 1] = pg_value(answer, i, 1);
    }
    return hash;
}

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static char *keep(struct verify_suspects *s, const char *hash)
{
    return hash ? arena_strdup(&s->round, hash) : NULL;
}

void verify_take_first(struct verify_suspects *s, const struct pg *answer)
{
    const char **hash = hashes(s, answer);
    arena_free(&s->round);
    s->rounds++;
    for (int i = 0, n = 0; i < s->count; i++)
        if (s->row[i].is == SUSPECT_OPEN)
            s->row[i].first = keep(s, hash[n++]);
    free(hash);
}

static void close_one(struct verify_suspects *s, struct verify_suspect *row, int is)
{
    row->is = is;
    s->open--;
}

void verify_take_other(struct verify_suspects *s, const struct pg *answer)
{
    const char **hash = hashes(s, answer);
    for (int i = 0, n = 0; i < s->count; i++) {
        struct verify_suspect *row = &s->row[i];
        if (row->is != SUSPECT_OPEN)
            continue;
        row->other = keep(s, hash[n++]);
        if (is_same(row->first, row->other))
            close_one(s, row, SUSPECT_CLEARED);
    }
    free(hash);
}

void verify_take_again(struct verify_suspects *s, const struct pg *answer)
{
    const char **hash = hashes(s, answer);
    for (int i = 0, n = 0; i < s->count; i++) {
        struct verify_suspect *row = &s->row[i];
        if (row->is != SUSPECT_OPEN)
            continue;
        row->strikes = is_same(row->first, hash[n++]) ? row->strikes + 1 : 0;
        if (row->strikes >= VERIFY_STRIKES)
            close_one(s, row, SUSPECT_DIFFERS);
    }
    free(hash);
}

/* ---- what differs in a row ---- */

void verify_ask_values(struct pg *pg, const struct verify_table *t, const struct verify_suspect *s, int64_t timeout_ms)
{
    struct buf array[VERIFY_KEYS] = {{0}};
    const char *params[VERIFY_KEYS];
    for (int k = 0; k < t->nkeys; k++) {
        pg_array_add(&array[k], s->key[k]);
        pg_array_end(&array[k]);
        params[k] = array[k].text;
    }
    char *sql = xprintf("SELECT v.name, v.hash::text FROM unnest(%s) WITH ORDINALITY u(%s, place) JOIN ONLY %s t ON %s, LATERAL (VALUES %s) v(name, hash)"
                        " ORDER BY v.name COLLATE \"C\"", t->arrays, t->aliases, t->name, t->join, t->values);
    pg_query(pg, sql, t->nkeys, params, timeout_ms);
    free(sql);
    for (int k = 0; k < t->nkeys; k++)
        buf_free(&array[k]);
}

void verify_name_columns(const struct pg *from, const struct pg *to, char *out, size_t size)
{
    size_t n = 0;
    out[0] = '\0';
    for (int i = 0; i < pg_rows(from) && i < pg_rows(to) && n < size; i++)
        if (pg_is_null(from, i, 1) != pg_is_null(to, i, 1) || strcmp(pg_value(from, i, 1), pg_value(to, i, 1)) != 0)
            n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "", pg_value(from, i, 0));
}

void verify_free_suspects(struct verify_suspects *s)
{
    arena_free(&s->arena);
    arena_free(&s->round);
    free(s->row);
    *s = (struct verify_suspects){0};
}
