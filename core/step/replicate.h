/* replicate: the rows with which step_pg_replicate.c sets the replication up, and those with which it waits for the copies. */
#ifndef CORE_STEP_REPLICATE_H
#define CORE_STEP_REPLICATE_H

#include "core/step/pgrows.h"

struct replicate {
    struct pgscript script; /* first */
    bool copying;           /* set up; now every database is awaited */
    char *filled;           /* the statement that names tables of green which hold rows */
    int64_t before;         /* tables of the databases that are ready already */
    int64_t ready, all;     /* of the database that is awaited */
    int64_t moved;          /* clock_mono of the last table that became ready */
    bool told_stuck;
};

/* Our own sessions write where clients may not: the database's setting is for them. */
#define REPLICATE_SESSION "SET default_transaction_read_only = off; SET transaction_read_only = off; SET client_min_messages = warning; "

extern const struct pgscript_row replicate_set_up[], replicate_await[];
extern const int replicate_nset_up, replicate_nawait;

#endif
