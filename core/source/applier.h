/* applier: the apply worker of a subscription, as its own server tells of it. Before 15 a server counts no errors: there only a worker
 * that is gone, or whose pid changes, shows that something fails. The words of an error stand nowhere but in the server's log; where
 * our role may read that (logging_collector and pg_read_server_files, or a superuser), they are found there. */
#ifndef CORE_SOURCE_APPLIER_H
#define CORE_SOURCE_APPLIER_H

#include "core/pg.h"

struct applier {
    bool judged;            /* what follows is known */
    bool counts;            /* its server counts errors */
    int64_t errors, pid;    /* as the server counts them; of the last worker that was seen, 0 */
    int64_t conflicts;      /* 18: of those that lose or skip a row. Not "origin differs": with track_commit_timestamp every first update of a copied row counts there */
    int64_t restarts;       /* seen by a changed pid */
    int64_t failed_at, absent_since; /* clock_mono; 0 */
    bool asks_log;          /* something failed since the log was last read */
    bool no_log;            /* it can't be read */
    char words[200];        /* of the last error, as the log has them; "" */
};

/* Four columns, to stand in a SELECT; $1 is the subscription: enabled, pid of its worker, errors, conflicts. */
const char *applier_columns(int server_version);
/* From these columns, the first of which is `first`. */
void applier_judge(struct applier *a, const struct pg *pg, int first);
/* What is wrong with it, as a sentence about `side`; "" when nothing is. */
void applier_sentence(const struct applier *a, const char *side, char *buf, size_t size);

/* One column: the end of the server's log as encode(..., 'escape'); NULL when it has none. Who may not read it is told 42501. */
extern const char applier_log_sql[];
void applier_read_log(struct applier *a, const struct pg *pg);
/* Pure: the last error of a worker of logical replication in this piece of a log; false when there is none. */
bool applier_find(const char *log, char *words, size_t size);

#endif
