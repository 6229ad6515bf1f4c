/* verify: what the files step_pg_verify.c and verify_*.c share; nobody else includes it.
 *
 * Proof that both sides hold the same rows while writes go on. The side that takes writes (`from`: blue, after the switch
 * green) cuts each table into ranges of its key; both sides hash a range by one query. A range that differs is read row by
 * row; rows that differ are suspects. A suspect is read on `from`, then a marker is written there; when the marker has
 * arrived, everything before it has, so the other side must show what was read; if it does not, and `from` still shows the
 * same, that is a strike, and two strikes are a difference. A row that changes between all those looks is busy: it is told,
 * not judged.
 *
 * Why this does not depend on collations: each side's own order is total, so the ranges part each side's rows completely;
 * where both sides order a text key differently, rows fall into different ranges and become suspects, and suspects are
 * looked up by equality. The hash is of the row's text under COLLATE "C", its columns in the order of their names
 * (hashtextextended: the same in 13 to 18), with every setting pinned that changes how a value is written. */
#ifndef CORE_STEP_VERIFY_INNER_H
#define CORE_STEP_VERIFY_INNER_H

#include "core/pg.h"
#include "core/step/step.h"

enum {
    VERIFY_KEYS = 32,       /* columns of a key: INDEX_MAX_KEYS */
    VERIFY_SHOWN = 20,      /* differences that are named, of each table */
    VERIFY_CHUNK_MS = 50,   /* what a range should take to hash */
    VERIFY_CHUNK_LEAST = 200,
    VERIFY_CHUNK_FIRST = 2000,
    VERIFY_CHUNK_MOST = 20000,
    VERIFY_ROUNDS = 20,     /* looks at a row that keeps changing */
    VERIFY_STRIKES = 2,
};

/* A table, with the pieces of SQL that the server made for it: names are quoted there, where the rules are known. */
struct verify_table {
    char *shown;            /* schema.table, cleaned */
    char *name;             /* "schema"."table" */
    char *digest;           /* changes when the table is made anew or gets other columns or another key */
    char *row;              /* ROW(t.a, t.b) */
    char *values;           /* ('a', hash of a), ('b', ...) */
    int nkeys;
    char *keys;             /* t.k1, t.k2 */
    char *keys_text;        /* t.k1::text, t.k2::text */
    char *low, *high;       /* $1::int8, $2::text and $3::int8, $4::text */
    char *arrays, *aliases; /* $1::text[], $2::text[] and k1, k2 */
    char *join;             /* t.k1 = u.k1::int8 AND ... */
    int64_t estimate;       /* rows, as the server guesses */
    bool done;              /* by an earlier run of this step */
};
struct verify_tables {
    struct arena arena;
    struct verify_table *table;
    int count;
};
/* $1: names of tables ("schema.table") as an array, empty = all that cutover's publication has. */
extern const char verify_list_sql[];
void verify_take_tables(struct verify_tables *t, const struct pg *answer);
void verify_free_tables(struct verify_tables *t);

/* The questions about a table. low, high: as many values as its key has columns; NULL = no bound. */
struct verify_range {
    bool has_low, has_high;
    char *low[VERIFY_KEYS], *high[VERIFY_KEYS];
};
void verify_ask_bound(struct pg *pg, const struct verify_table *t, const struct verify_range *r, int64_t rows, int64_t timeout_ms);
void verify_ask_hash(struct pg *pg, const struct verify_table *t, const struct verify_range *r, int64_t timeout_ms);
void verify_ask_rows(struct pg *pg, const struct verify_table *t, const struct verify_range *r, int64_t timeout_ms);
void verify_range_next(struct verify_range *r, const struct verify_table *t, const struct pg *bound); /* its high becomes its low; bound: the new high, or none */
void verify_range_free(struct verify_range *r);

/* Rows that may differ. */
struct verify_suspect {
    char **key;             /* nkeys texts */
    char *first, *other;    /* hash on `from` before the marker, on the other side after it; NULL = no such row */
    int strikes;
    enum { SUSPECT_OPEN, SUSPECT_CLEARED, SUSPECT_DIFFERS } is;
};
struct verify_suspects {
    struct arena arena;     /* of the keys */
    struct arena round;     /* of the hashes of one round */
    struct verify_suspect *row;
    int count, open, rounds;
};
/* From the answers of verify_ask_rows on both sides. */
void verify_find_suspects(struct verify_suspects *s, const struct verify_table *t, const struct pg *from, const struct pg *to);
void verify_ask_suspects(struct pg *pg, const struct verify_table *t, const struct verify_suspects *s, int64_t timeout_ms);
void verify_take_first(struct verify_suspects *s, const struct pg *answer);  /* `from`, before the marker */
void verify_take_other(struct verify_suspects *s, const struct pg *answer);  /* the other side, after it: clears those that agree */
void verify_take_again(struct verify_suspects *s, const struct pg *answer);  /* `from` once more: strikes those that stood still */
void verify_ask_values(struct pg *pg, const struct verify_table *t, const struct verify_suspect *s, int64_t timeout_ms);
/* The names of the columns that differ, joined by ", ", from the answers of verify_ask_values. */
void verify_name_columns(const struct pg *from, const struct pg *to, char *out, size_t size);
void verify_free_suspects(struct verify_suspects *s);

/* Where a run of the step stands, kept in a file so that the next one goes on there. */
struct verify_place {
    char path[512];
    char *old;              /* the file as it was; NULL = there is none that counts */
    struct buf lines;       /* what is done, as it stands in the new file */
    struct buf latest;      /* the new file, where it is not written yet */
    int64_t written;        /* clock_mono */
};
void verify_place_open(struct verify_place *p, const char *state_dir, const char *step, const char *settings);
bool verify_place_is_done(const struct verify_place *p, int db, const char *subscription, const char *digest, int64_t *rows);
/* True when the earlier run stood inside this table: the range's low is set. */
bool verify_place_inside(const struct verify_place *p, int db, const char *subscription, const struct verify_table *t, struct verify_range *r, int64_t *rows);
void verify_place_done(struct verify_place *p, int db, const char *subscription, const char *digest, int64_t rows);
/* What is done and where in the table the step stands (NULL: between two); written at most once a second. */
void verify_place_keep(struct verify_place *p, int db, const char *subscription, const struct verify_table *t, const struct verify_range *r, int64_t rows);
void verify_place_flush(struct verify_place *p); /* what was kept last is on the disk: before the comparison stops */
void verify_place_forget(struct verify_place *p); /* the comparison is over */
void verify_place_free(struct verify_place *p);

/* Pure: how many rows the next range should have, after one of `rows` took `us`. */
int64_t verify_chunk_size(int64_t rows, int64_t us);
/* Pure: is range number `index` of this table in a sample of ppm? The first one always is. */
bool verify_is_sampled(const char *table, int64_t index, int64_t ppm);

#endif
