/* pginner: what a connection is made of, for the two files that share it: pg.c acts, pgresult.c reads. */
#ifndef CORE_PGINNER_H
#define CORE_PGINNER_H

#include <libpq-fe.h>

#include "core/pgconn.h"
#include "core/task.h"

struct dns_query;

enum { PG_RESULTS_MAX = 64 };

struct pg {
    struct task task;
    struct task *owner;
    char *conninfo;
    PGconn *conn;
    struct pgconn target;    /* what the conninfo means, while connecting */
    struct dns_query *name;
    bool busy, failed, timed_out;
    char error[512], sqlstate[6], where[300];
    char lost[200];          /* the server's last words to an idle connection */
    int64_t started_us, elapsed_us, deadline_ms, timeout_ms;
    PGresult *results[PG_RESULTS_MAX];
    int count, shown;        /* shown: the last result with columns, -1 if none */
};

#endif
