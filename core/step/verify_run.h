/* verify_run: one run of the step pg.verify, as the files step_pg_verify.c (what drives it), verify_walk.c (what is asked, and what
 * follows from the answers) and verify_told.c (what is told of it) share it; nobody else includes it. */
#ifndef CORE_STEP_VERIFY_RUN_H
#define CORE_STEP_VERIFY_RUN_H

#include "core/step/verify_inner.h"

enum { /* task.at */
    VERIFY_AT_CONNECT, VERIFY_AT_ARM, VERIFY_AT_LIST, VERIFY_AT_TABLE, VERIFY_AT_BOUND, VERIFY_AT_HASH, VERIFY_AT_ROWS,
    VERIFY_AT_FIRST, VERIFY_AT_MARK, VERIFY_AT_ARRIVE, VERIFY_AT_AWAIT, VERIFY_AT_OTHER, VERIFY_AT_AGAIN, VERIFY_AT_VALUES, VERIFY_AT_SWEPT,
};
enum { VERIFY_ASK_MS = 60000, VERIFY_WHOLE_MS = 3600000 };

struct verify_run {
    struct pg *side[SIDES];
    enum side from;           /* takes writes; the other follows */
    int64_t ppm;              /* of the rows: 1000000 = all */
    int pace;                 /* percent of the time in which it may work */
    int db, at;               /* table */
    char subscription[24];
    struct verify_tables tables;
    struct verify_range range;
    int64_t index, size;      /* of the range */
    struct verify_suspects suspects;
    int values;               /* suspect whose columns are being compared */
    struct verify_place place;
    char marker[48];
    int64_t marked;           /* counts markers */
    void *told_keys;          /* a tree of the differing keys of this table: two ranges may come upon the same one */
    char hash[SIDES][64];     /* of a table without a key, at the last try */
    int tries, strikes;
    int64_t began;            /* clock_mono of the range */
    int64_t told;             /* clock_mono of the last progress */
    bool told_lag, resumed;
    /* of the table, of the database, of all */
    int64_t table_rows, table_differences, table_busy;
    int64_t rows, total, differences, busy;
    int64_t all_rows, all_tables, all_differences, all_busy;
};

static inline struct verify_run *own_of(const struct step_run *run)
{
    return run->own;
}

static inline const struct plan_database *database(const struct step_run *run)
{
    return &run->plan->databases[own_of(run)->db];
}

static inline struct pg *from(const struct step_run *run)
{
    return own_of(run)->side[own_of(run)->from];
}

static inline struct pg *to(const struct step_run *run)
{
    return own_of(run)->side[!own_of(run)->from];
}

static inline struct verify_table *table(const struct step_run *run)
{
    return &own_of(run)->tables.table[own_of(run)->at];
}

static inline int64_t patience(const struct step_run *run, int64_t ms)
{
    return MAX(MIN(step_time_left(run), ms), (int64_t)1);
}

static inline const char *other_name(const struct verify_run *o)
{
    return side_names[!o->from];
}


/* verify_told.c */
void verify_tell_progress(struct step_run *run, bool now); /* now: also when the last time is not long ago */
void verify_tell_difference(struct step_run *run, const char *key, const char *text);
void verify_put_key(const struct verify_table *t, const struct verify_suspect *s, char *out, size_t size);
bool verify_is_told(struct verify_run *o, const struct verify_table *t, const struct verify_suspect *s); /* before; and notes it */
void verify_forget_keys(struct verify_run *o);
/* verify_walk.c */
void verify_take_answer(struct step_run *run); /* of what was asked last, and asks what comes next */
void verify_end_unreadable(struct step_run *run, enum side side);
void verify_end_all(struct step_run *run);
int64_t verify_rest(struct step_run *run); /* ms, before the next range */
bool verify_is_behind(struct step_run *run);

#endif
