/* The tables, and the questions about them. The server writes the pieces of SQL, since it knows how its names are quoted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pgnames.h"
#include "core/step/verify_inner.h"
#include "core/text.h"

#define HASH(text) "hashtextextended((" text ") COLLATE \"C\", 0)"

/* format_type(.., -1) names a type so that a cast to it never cuts a value (bpchar, not character). Each fragment is made of the
 * key's columns in their order, or of all columns in the order of their names. */
const char verify_list_sql[] =
    "WITH pub AS (SELECT c.oid, n.nspname, c.relname, greatest(c.reltuples, 0)::bigint AS estimate FROM pg_publication_tables p"
    "  JOIN pg_namespace n ON n.nspname = p.schemaname JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename"
    "  WHERE p.pubname = '" PGNAMES_PUBLICATION "' AND n.nspname <> '" PGNAMES_SCHEMA "'"
    "  AND (cardinality($1::text[]) = 0 OR n.nspname || '.' || c.relname = ANY ($1::text[]) OR format('%I.%I', n.nspname, c.relname) = ANY ($1::text[])"
    "   OR EXISTS (SELECT FROM pg_partition_ancestors(c.oid) a(o) JOIN pg_class r ON r.oid = a.o JOIN pg_namespace m ON m.oid = r.relnamespace"
    "    WHERE m.nspname || '.' || r.relname = ANY ($1::text[]) OR format('%I.%I', m.nspname, r.relname) = ANY ($1::text[])))),"
    " cols AS (SELECT attrelid, string_agg('t.' || quote_ident(attname), ', ' ORDER BY attname::text COLLATE \"C\") AS row,"
    "  string_agg(format('(%L, " HASH("t.%I::text") ")', attname, attname), ', ' ORDER BY attname::text COLLATE \"C\") AS vals,"
    "  string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attname::text COLLATE \"C\") AS types"
    "  FROM pg_attribute JOIN pub ON pub.oid = attrelid WHERE attnum > 0 AND NOT attisdropped GROUP BY attrelid),"
    " key AS (SELECT DISTINCT ON (indrelid) indrelid, indkey::int2[] AS atts, indnkeyatts FROM pg_index JOIN pub ON pub.oid = indrelid"
    "  WHERE indisvalid AND indimmediate AND indisunique AND indpred IS NULL AND indexprs IS NULL AND (indisprimary OR indisreplident)"
    "  ORDER BY indrelid, indisprimary DESC),"
    " kc AS (SELECT indrelid, k.ord, k.ord + indnkeyatts AS hi, 't.' || quote_ident(attname) AS col, format_type(atttypid, -1) AS typ"
    "  FROM key, unnest(atts) WITH ORDINALITY k(att, ord) JOIN pg_attribute ON attnum = k.att AND true WHERE attrelid = indrelid AND k.ord <= indnkeyatts),"
    " keys AS (SELECT indrelid, count(*) AS n, string_agg(col, ', ' ORDER BY ord) AS keys, string_agg(col || '::text', ', ' ORDER BY ord) AS texts,"
    "  string_agg(format('$%s::%s', ord, typ), ', ' ORDER BY ord) AS low, string_agg(format('$%s::%s', hi, typ), ', ' ORDER BY ord) AS high,"
    "  string_agg(format('$%s::text[]', ord), ', ' ORDER BY ord) AS arrays, string_agg('k' || ord, ', ' ORDER BY ord) AS aliases,"
    "  string_agg(format('%s = u.k%s::%s', col, ord, typ), ' AND ' ORDER BY ord) AS joined FROM kc GROUP BY indrelid)"
    " SELECT nspname || '.' || relname, format('%I.%I', nspname, relname), md5(concat_ws('/', pub.oid, types, keys)), 'ROW(' || coalesce(row, '') || ')', coalesce(vals, ''),"
    "  coalesce(n, 0), keys, texts, low, high, arrays, aliases, joined, estimate"
    " FROM pub LEFT JOIN cols ON attrelid = pub.oid LEFT JOIN keys ON keys.indrelid = pub.oid ORDER BY 1";

void verify_take_tables(struct verify_tables *t, const struct pg *answer)
{
    struct arena *a = &t->arena;
    t->count = pg_rows(answer);
    t->table = arena_alloc(a, sizeof *t->table * (size_t)MAX(t->count, 1));
    for (int i = 0; i < t->count; i++) {
        char shown[200];
        const char *raw = pg_value(answer, i, 0);
        text_line(shown, sizeof shown, raw, strlen(raw));
        struct verify_table *table = &t->table[i];
        table->shown = arena_strdup(a, shown);
        char **field[] = {&table->name, &table->digest, &table->row, &table->values};
        for (size_t f = 0; f < ARRAY_LEN(field); f++)
            *field[f] = arena_strdup(a, pg_value(answer, i, (int)f + 1));
        table->nkeys = (int)pg_int(answer, i, 5);
        char **part[] = {&table->keys, &table->keys_text, &table->low, &table->high, &table->arrays, &table->aliases, &table->join};
        for (size_t f = 0; f < ARRAY_LEN(part); f++)
            *part[f] = arena_strdup(a, pg_value(answer, i, (int)f + 6));
        table->estimate = pg_int(answer, i, 13);
    }
}

void verify_free_tables(struct verify_tables *t)
{
    arena_free(&t->arena);
    *t = (struct verify_tables){0};
}

/* ---- ranges ---- */

/* " WHERE ROW(keys) > ROW(low) AND ROW(keys) <= ROW(high)", and the values that belong to it. */
static int put_range(struct buf *sql, const struct verify_table *t, const struct verify_range *r, const char *params[2 * VERIFY_KEYS])
{
    int n = 0;
    /* Parameters are numbered from 1 without a gap: an upper bound alone stands where the lower one would. */
    if (r->has_low)
        buf_printf(sql, " WHERE ROW(%s) > ROW(%s)", t->keys, t->low);
    if (r->has_high)
        buf_printf(sql, "%s ROW(%s) <= ROW(%s)", r->has_low ? " AND" : " WHERE", t->keys, r->has_low ? t->high : t->low);
    for (int i = 0; r->has_low && i < t->nkeys; i++)
        params[n++] = r->low[i];
    for (int i = 0; r->has_high && i < t->nkeys; i++)
        params[n++] = r->high[i];
    return n;
}

static void ask(struct pg *pg, const struct verify_table *t, const struct verify_range *r, const char *what, const char *after, int64_t timeout_ms)
{
    struct buf sql = {0};
    const char *params[2 * VERIFY_KEYS];
    buf_printf(&sql, "SELECT %s FROM ONLY %s t", what, t->name);
    int n = put_range(&sql, t, r, params);
    buf_puts(&sql, after);
    pg_query(pg, sql.text, n, params, timeout_ms);
    buf_free(&sql);
}

void verify_ask_bound(struct pg *pg, const struct verify_table *t, const struct verify_range *r, int64_t rows, int64_t timeout_ms)
{
    char *after = xprintf(" ORDER BY %s LIMIT 1 OFFSET %lld", t->keys, (long long)rows - 1);
    struct verify_range from = *r;
    from.has_high = false;
    ask(pg, t, &from, t->keys_text, after, timeout_ms);
    free(after);
}

void verify_ask_hash(struct pg *pg, const struct verify_table *t, const struct verify_range *r, int64_t timeout_ms)
{
    char *what = xprintf("count(*), coalesce(sum(" HASH("%s::text") "::numeric), 0)::text", t->row);
    ask(pg, t, r, what, "", timeout_ms);
    free(what);
}

void verify_ask_rows(struct pg *pg, const struct verify_table *t, const struct verify_range *r, int64_t timeout_ms)
{
    char *what = xprintf(HASH("%s::text") "::text, %s", t->row, t->keys_text);
    ask(pg, t, r, what, "", timeout_ms);
    free(what);
}

static void free_bound(char **bound)
{
    for (int i = 0; i < VERIFY_KEYS; i++) {
        free(bound[i]);
        bound[i] = NULL;
    }
}

void verify_range_next(struct verify_range *r, const struct verify_table *t, const struct pg *bound)
{
    if (r->has_high) {
        free_bound(r->low);
        memcpy(r->low, r->high, sizeof r->low);
        memset(r->high, 0, sizeof r->high);
        r->has_low = true;
    }
    r->has_high = bound && pg_rows(bound) > 0;
    for (int i = 0; r->has_high && i < t->nkeys; i++)
        r->high[i] = xstrdup(pg_value(bound, 0, i));
}

void verify_range_free(struct verify_range *r)
{
    free_bound(r->low);
    free_bound(r->high);
    *r = (struct verify_range){0};
}

/* ---- how much at a time ---- */

int64_t verify_chunk_size(int64_t rows, int64_t us)
{
    int64_t most = MIN(rows * 2, (int64_t)VERIFY_CHUNK_MOST), wanted = us > 0 ? rows * VERIFY_CHUNK_MS * 1000 / us : most;
    return MAX(MIN(wanted, most), (int64_t)VERIFY_CHUNK_LEAST);
}

/* The finaliser of splitmix64: every bit of the input moves every bit of the result. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

bool verify_is_sampled(const char *table, int64_t index, int64_t ppm)
{
    uint64_t seed = 0x9e3779b97f4a7c15u;
    for (const char *c = table; *c; c++)
        seed = mix(seed + (unsigned char)*c);
    return index == 0 || (int64_t)(mix(seed + (uint64_t)index) % 1000000) < ppm;
}
