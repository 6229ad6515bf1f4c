/* replicate: the rows with which step_pg_replicate.c sets the replication up, and those with which it waits for the copies. */
#ifndef CORE_STEP_REPLICATE_H
#define CORE_STEP_REPLICATE_H

#include "core/step/baseline.h"
#include "core/step/pgrows.h"

struct replicate {
    struct pgscript script; /* first */
    enum { REPLICATE_SCHEMA, REPLICATE_SET_UP, REPLICATE_ROWS, REPLICATE_FOLLOW, REPLICATE_AWAIT } stage; /* each over all databases */
    struct baseline *baseline; /* of the stage */
    bool *fresh;            /* ndatabases: nothing stood there when it was set up */
    char *filled;           /* the statement that names tables of green which hold rows */
    char *empty;            /* those tables, quoted and joined by ", ": nothing is in them before the copy */
    int64_t before;         /* tables of the databases that are ready already */
    int64_t ready, all;     /* of the database that is awaited */
    int64_t moved;          /* clock_mono of the last table that became ready */
    bool told_stuck;
};

/* Our own sessions write where clients may not: the database's setting is for them. */
#define REPLICATE_SESSION "SET default_transaction_read_only = off; SET transaction_read_only = off; SET client_min_messages = warning; "

extern const struct pgscript_row replicate_set_up[], replicate_follow[], replicate_await[];
extern const int replicate_nset_up, replicate_nfollow, replicate_nawait;
void replicate_put_publication(const struct plan_database *db, struct buf *out);
void replicate_end_restore(struct pgscript *s, struct buf *out);
bool replicate_dumps(const struct plan_database *db); /* its rows come by a dump of the slot's snapshot, not by the subscription */

#endif
