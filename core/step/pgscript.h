/* pgscript: statements for both sides of every database, one after the other. A step is a table of rows that reads from top to
 * bottom; what differs between databases and versions is in the function that writes the statement.
 *
 * The script connects to both sides of a database, runs all its rows there, and goes on to the next database. A row whose
 * statement is empty is left out. */
#ifndef CORE_STEP_PGSCRIPT_H
#define CORE_STEP_PGSCRIPT_H

#include "core/pg.h"
#include "core/step/step.h"

struct pgscript;
struct pgscript_row {
    enum side side;
    const char *say;  /* told when it worked; NULL: nothing */
    void (*sql)(struct pgscript *s, struct buf *out);
    /* Looks at the result (pgscript_result). False: the script fails with s->why, or repeats the row after a pause when
     * s->again was set. NULL: nothing to look at. */
    bool (*took)(struct pgscript *s);
    bool may_fail;    /* an error is told as a warning and the script goes on */
    /* Called about twice a second while the statement runs, for one that may wait long; it may use the other side. Such a
     * statement is broken off when a person says stop. NULL: it is short. */
    void (*meanwhile)(struct pgscript *s);
};

struct pgscript {
    struct step_run *run;
    const struct pgscript_row *rows;
    int nrows;
    bool may_be_gone[SIDES]; /* go on with the other side's rows alone when this one can't be reached */

    /* of the database that is worked on */
    int db, row;
    struct pg *side[SIDES];
    bool gone[SIDES];
    bool was_gone[SIDES];  /* of any database */
    char slot[64];
    bool has_publication, has_slot, has_subscription; /* for rows that ask; set by their took() */
    bool slot_is_lost;     /* blue has thrown away WAL that it needs */
    bool has_back;         /* blue has a subscription for the way back */
    bool green_is_closed;  /* read-only for new sessions of clients */
    char subscription_oid[24];
    char green_system[24];  /* its system identifier: part of the names of slots that its copies made */
    struct buf others;      /* oids of green's other subscriptions, joined by "," */
    struct buf tables;     /* of the subscription or of the copy, quoted and joined by ", " */
    bool has_copied;       /* a copy from a snapshot has begun, and no subscription followed yet */
    bool again;
    int64_t until;         /* clock_mono: a row that repeats gives up */
    int64_t sent;          /* clock_mono: of the statement that runs */
    bool asked_holder;
    char holder[200];      /* who a long statement waits for, as last told */
    char why[400];
    char stands[128];      /* probes: a digit a database, how many of publication, slot and subscription stand there */
    enum { PGSCRIPT_CONNECT_BLUE, PGSCRIPT_CONNECT_GREEN, PGSCRIPT_SEND, PGSCRIPT_ANSWER } at;
};

enum pgscript_state { PGSCRIPT_BUSY, PGSCRIPT_DONE, PGSCRIPT_FAILED };
/* Goes on as far as it can; while busy it has arranged the task's next wake. */
enum pgscript_state pgscript_go(struct pgscript *s);
const struct plan_database *pgscript_db(const struct pgscript *s);
struct pg *pgscript_result(const struct pgscript *s); /* the connection of the row that was answered */
bool pgscript_again(struct pgscript *s, int64_t for_ms, const char *fmt, ...) PRINTF(3, 4); /* for took(): repeat; after for_ms fail so */
void pgscript_free(struct pgscript *s);

#endif
