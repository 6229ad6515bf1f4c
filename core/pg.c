#include "core/pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "core/dns.h"
#include "core/pginner.h"
#include "core/text.h"

enum { IDLE, RESOLVE, RESOLVED, CONNECTING, SENDING }; /* task.at */

/* ---- how an order ends ---- */

static void close_connection(struct pg *c)
{
    PQfinish(c->conn);
    c->conn = NULL;
}

static void forget_results(struct pg *c)
{
    for (int i = 0; i < c->count; i++)
        PQclear(c->results[i]);
    c->count = 0;
    c->shown = -1;
}

static void finish(struct pg *c)
{
    if (!c->busy)
        return;
    c->busy = false;
    c->elapsed_us = clock_mono_us() - c->started_us;
    dns_query_free(c->name);
    c->name = NULL;
    pgconn_free(&c->target);
    task_wake(c->owner);
}

/* The sentence begins with the place it happened at. */
static void fail(struct pg *c, const char *why)
{
    char line[400];
    text_line(line, sizeof line, why, strlen(why));
    snprintf(c->error, sizeof c->error, "%.80s: %s", c->where, *line ? line : "failed without a reason");
    text_line(line, sizeof line, c->error, strlen(c->error));
    copy_text(c->error, sizeof c->error, line);
    c->failed = true;
    finish(c);
}

static void fail_late(struct pg *c)
{
    char why[100];
    const char *what = c->task.at == SENDING ? "no answer" : c->task.at == CONNECTING ? "no connection" : "no address";
    snprintf(why, sizeof why, "%s within %.1f s", what, (double)c->timeout_ms / 1000);
    c->timed_out = true;
    close_connection(c);
    fail(c, why);
}

/* libpq says `connection to server at "x" (y), port z failed: reason`, one line per address tried. Place and port are
 * already said; the last line is the reason that counts. */
static void fail_lost(struct pg *c, const char *what)
{
    char why[600];
    const char *said = c->conn ? PQerrorMessage(c->conn) : "";
    const char *reason = said;
    for (const char *p = said; (p = strstr(p, " failed: ")); )
        reason = p += strlen(" failed: ");
    if (!strncmp(reason, "FATAL:  ", 8))
        reason += 8;
    snprintf(why, sizeof why, "%s%s%.*s", what, *reason ? ": " : "", (int)strcspn(reason, "\n"), reason);
    close_connection(c);
    fail(c, why);
}

/* ---- connecting ---- */

static int64_t left(const struct pg *c)
{
    return MAX(c->deadline_ms - clock_mono(), (int64_t)0);
}

static void wait_for(struct pg *c, int events)
{
    int fd = c->conn ? PQsocket(c->conn) : -1;
    if (fd < 0)
        task_wait(&c->task, 0);
    else
        task_wait_fd(&c->task, fd, events, left(c));
}

/* Notices are of no interest, but what the server says to an idle connection before it hangs up comes as one. */
static void on_notice(void *arg, const PGresult *r)
{
    struct pg *c = arg;
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    if (severity && text && (!strcmp(severity, "FATAL") || !strcmp(severity, "PANIC")))
        copy_text(c->lost, sizeof c->lost, text);
}

static void start_connecting(struct pg *c)
{
    const char *keys[PGCONN_MAX], *values[PGCONN_MAX];
    pgconn_fill(&c->target, keys, values);
    c->conn = PQconnectStartParams(keys, values, 0);
    if (!c->conn)
        die("out of memory");
    PQsetNoticeReceiver(c->conn, on_notice, c);
    c->lost[0] = '\0';
    c->task.at = CONNECTING;
    if (PQstatus(c->conn) == CONNECTION_BAD)
        fail_lost(c, "cannot connect");
}

/* Of several hosts the one that answered. */
static void note_place(struct pg *c)
{
    char raw[280];
    const char *host = PQhost(c->conn);
    snprintf(raw, sizeof raw, strchr(host, ':') ? "[%.255s]:%.8s" : "%.255s:%.8s", host, PQport(c->conn));
    text_line(c->where, sizeof c->where, raw, strlen(raw));
}

/* The socket may be another one in each round: libpq tries the next address by itself. */
static void poll_connection(struct pg *c)
{
    switch (PQconnectPoll(c->conn)) {
    case PGRES_POLLING_READING: wait_for(c, UV_READABLE); return;
    case PGRES_POLLING_WRITING: wait_for(c, UV_WRITABLE); return;
    case PGRES_POLLING_OK:
        PQsetnonblocking(c->conn, 1);
        note_place(c);
        finish(c);
        return;
    default: fail_lost(c, "cannot connect"); return;
    }
}

static void take_address(struct pg *c)
{
    const struct dns_answer *a = dns_answer(c->name);
    if (a->status == DNS_OK)
        pgconn_resolved(&c->target, a->records[0].text);
    else
        pgconn_unresolved(&c->target, a->error);
    dns_query_free(c->name);
    c->name = NULL;
}

/* One look-up after the other; then libpq. */
static void resolve(struct pg *c)
{
    const char *name = pgconn_next_name(&c->target);
    if (name) {
        c->name = dns_resolve(&c->task, name, left(c));
        c->task.at = RESOLVED;
    } else if (c->target.failure[0] && !pgconn_has_host(&c->target)) {
        fail(c, c->target.failure);
    } else {
        start_connecting(c);
        if (c->busy)
            wait_for(c, UV_WRITABLE);
    }
}

/* ---- queries ---- */

static void keep(struct pg *c, PGresult *r)
{
    if (c->count == PG_RESULTS_MAX) { /* an error among them is noted all the same */
        PQclear(r);
        return;
    }
    if (PQnfields(r) > 0)
        c->shown = c->count;
    c->results[c->count++] = r;
}

static void note_error(struct pg *c, const PGresult *r)
{
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE), *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL);
    if (c->failed)
        return;
    copy_text(c->sqlstate, sizeof c->sqlstate, state ? state : "");
    snprintf(c->error, sizeof c->error, "%s%s%s%s", text ? text : PQresultErrorMessage(r), detail ? " (" : "",
             detail ? detail : "", detail ? ")" : "");
    c->failed = true;
}

/* False when nothing more is to come in this order. */
static bool take_result(struct pg *c)
{
    PGresult *r = PQgetResult(c->conn);
    if (!r)
        return false;
    switch (PQresultStatus(r)) {
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
        PQclear(r);
        close_connection(c);
        copy_text(c->error, sizeof c->error, "COPY is not spoken here");
        c->failed = true;
        return false;
    case PGRES_BAD_RESPONSE:
    case PGRES_NONFATAL_ERROR:
    case PGRES_FATAL_ERROR: note_error(c, r); break;
    default: break;
    }
    keep(c, r);
    return true;
}

static void end_query(struct pg *c)
{
    char why[sizeof c->error];
    copy_text(why, sizeof why, c->error);
    if (c->conn && PQstatus(c->conn) == CONNECTION_BAD) {
        if (*c->sqlstate) {
            close_connection(c);
            fail(c, why);
        } else
            fail_lost(c, "the connection is lost");
    } else if (c->failed)
        fail(c, why);
    else
        finish(c);
}

/* A TLS record holds up to 16 kB, libpq reads as little as 8 kB at a time, and what OpenSSL keeps does not make the
 * socket readable: so that nothing stays behind, it is asked three times. */
static bool read_all(PGconn *conn)
{
    int times = PQsslInUse(conn) ? 3 : 1;
    while (times-- > 0)
        if (!PQconsumeInput(conn))
            return false;
    return true;
}

static void pump(struct pg *c)
{
    int unsent = PQflush(c->conn);
    bool alive = read_all(c->conn) && unsent >= 0;
    while (c->conn && !PQisBusy(c->conn))
        if (!take_result(c)) {
            end_query(c);
            return;
        }
    if (!alive || PQstatus(c->conn) == CONNECTION_BAD)
        end_query(c);
    else
        wait_for(c, UV_READABLE | (unsent ? UV_WRITABLE : 0));
}

/* While nothing is ordered, the socket only becomes readable for a notice or for the end. */
static void listen_idle(struct pg *c)
{
    if (c->conn && c->task.woke == WOKE_FD) {
        bool alive = read_all(c->conn);
        PQisBusy(c->conn); /* parses what came: see on_notice */
        if (!alive || PQstatus(c->conn) == CONNECTION_BAD)
            close_connection(c);
    }
    if (c->conn && PQsocket(c->conn) >= 0)
        task_wait_fd(&c->task, PQsocket(c->conn), UV_READABLE, -1);
    else
        task_wait(&c->task, -1);
}

static void run(struct task *t)
{
    struct pg *c = (struct pg *)t;
    if (c->busy && t->woke == WOKE_TIME && left(c) == 0)
        fail_late(c);
    if (c->busy)
        switch (t->at) {
        case RESOLVED:
            if (dns_busy(c->name)) {
                task_wait(t, left(c));
                break;
            }
            take_address(c);
            /* fall through */
        case RESOLVE: resolve(c); if (c->name) task_wait(t, left(c)); break;
        case CONNECTING: poll_connection(c); break;
        case SENDING: pump(c); break;
        }
    if (c->busy)
        return;
    t->at = IDLE;
    listen_idle(c);
}

/* ---- orders ---- */

static void release(struct task *t)
{
    free(t);
}

struct pg *pg_new(struct task *owner, const char *conninfo)
{
    struct pg *c = xcalloc(1, sizeof *c);
    c->owner = owner;
    c->conninfo = xstrdup(conninfo);
    c->shown = -1;
    copy_text(c->where, sizeof c->where, "database");
    task_start(&c->task, owner->loop, run, release);
    return c;
}

void pg_free(struct pg *c)
{
    if (!c)
        return;
    c->owner = NULL;
    task_stop(&c->task); /* drops the watch before the socket is closed */
    pg_close(c);
    forget_results(c);
    free(c->conninfo);
}

void pg_close(struct pg *c)
{
    bool was_busy = c->busy;
    struct task *owner = c->owner;
    c->owner = NULL;
    if (task_is_running(&c->task))
        task_wait(&c->task, 0);
    close_connection(c);
    if (was_busy)
        fail(c, "closed while an order was running");
    c->owner = owner;
}

static void begin(struct pg *c, int at, int64_t timeout_ms)
{
    if (c->busy)
        die("pg: an order for %s while another one runs", c->where);
    forget_results(c);
    c->busy = true;
    c->failed = c->timed_out = false;
    c->error[0] = c->sqlstate[0] = '\0';
    c->timeout_ms = MAX(timeout_ms, (int64_t)0);
    c->started_us = clock_mono_us();
    c->deadline_ms = clock_mono() + c->timeout_ms;
    c->task.at = at;
    task_wait(&c->task, c->timeout_ms);
}

void pg_connect(struct pg *c, int64_t timeout_ms)
{
    struct err err = {0};
    begin(c, RESOLVE, timeout_ms);
    close_connection(c);
    if (pgconn_read(&c->target, c->conninfo, &err))
        pgconn_where(&c->target, c->where, sizeof c->where);
    else
        fail(c, err.text);
    task_wake(&c->task);
}

/* sent: what PQsend... returned. */
static void follow(struct pg *c, bool sent)
{
    if (!sent)
        fail_lost(c, "cannot send the query");
    task_wake(&c->task);
}

static bool may_send(struct pg *c, int64_t timeout_ms)
{
    begin(c, SENDING, timeout_ms);
    if (c->conn && PQstatus(c->conn) == CONNECTION_OK)
        return true;
    char why[240];
    snprintf(why, sizeof why, *c->lost ? "the connection was lost: %s" : "not connected%s", c->lost);
    fail(c, why);
    task_wake(&c->task);
    return false;
}

void pg_query(struct pg *c, const char *sql, int nparams, const char *const *params, int64_t timeout_ms)
{
    if (!may_send(c, timeout_ms))
        return;
    if (nparams < 0)
        follow(c, PQsendQuery(c->conn, sql));
    else
        follow(c, PQsendQueryParams(c->conn, sql, nparams, NULL, params, NULL, NULL, 0));
}

void pg_prepare(struct pg *c, const char *name, const char *sql, int64_t timeout_ms)
{
    if (may_send(c, timeout_ms))
        follow(c, PQsendPrepare(c->conn, name, sql, 0, NULL));
}

void pg_exec_prepared(struct pg *c, const char *name, int nparams, const char *const *params, int64_t timeout_ms)
{
    if (may_send(c, timeout_ms))
        follow(c, PQsendQueryPrepared(c->conn, name, nparams, params, NULL, NULL, 0));
}
