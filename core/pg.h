/* pg: one PostgreSQL (or PgBouncer) connection, never blocking, with a deadline on everything. The only user of libpq.
 *
 * Every order (pg_connect, pg_query, ...) ends in one task_wake of the owner; then pg_busy is false and the result
 * stands until the next order. One order at a time: a second one while busy is a bug and dies.
 * Names are resolved by c-ares before libpq sees them (libpq would block) and given as host and hostaddr both.
 * Errors are one sanitised line that says which server, and never hold a secret.
 * A deadline that passes closes the connection: what the server did meanwhile is unknown. */
#ifndef CORE_PG_H
#define CORE_PG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct task;
struct pg;

/* conninfo: keyword=value or URI, service= honoured; passwords come by passfile, service file or environment.
 * application_name is "cutover" unless given; keepalives and tcp_user_timeout find a dead peer within 15 s unless given. */
struct pg *pg_new(struct task *owner, const char *conninfo);
/* Closes and frees; the owner hears nothing more. NULL is fine. */
void pg_free(struct pg *c);

void pg_connect(struct pg *c, int64_t timeout_ms); /* closes an open connection first */
void pg_close(struct pg *c);                       /* at once; a running order ends as failed, without a wake */

/* nparams >= 0: extended protocol, one statement, text parameters (NULL is SQL null).
 * nparams < 0: simple protocol, several statements in one round trip (PgBouncer's admin console needs it).
 * Strings are copied before the call returns. */
void pg_query(struct pg *c, const char *sql, int nparams, const char *const *params, int64_t timeout_ms);
void pg_prepare(struct pg *c, const char *name, const char *sql, int64_t timeout_ms);
void pg_exec_prepared(struct pg *c, const char *name, int nparams, const char *const *params, int64_t timeout_ms);

bool pg_busy(const struct pg *c);
bool pg_failed(const struct pg *c);           /* the last order */
const char *pg_error(const struct pg *c);     /* "" unless failed */
const char *pg_sqlstate(const struct pg *c);  /* five characters, or "" when the server said none (lost, late, refused) */
bool pg_timed_out(const struct pg *c);        /* the last order failed by its deadline */
bool pg_is_connected(const struct pg *c);     /* as far as known: a loss is noticed at once also while idle */
int64_t pg_elapsed_us(const struct pg *c);    /* the last order, monotonic, from call to result */
int pg_server_version(const struct pg *c);    /* 150020; 0 before the first connect */
int pg_backend_pid(const struct pg *c);
const char *pg_where(const struct pg *c);     /* "host:port" or "/socket/dir:port" */
const char *pg_parameter(const struct pg *c, const char *name); /* PQparameterStatus, "" if unknown */

/* Results. The short readers look at the last result that has columns. Text is raw: clean it before showing it. */
int pg_results(const struct pg *c);
int pg_rows(const struct pg *c);
int pg_columns(const struct pg *c);
const char *pg_column_name(const struct pg *c, int col);
int pg_column(const struct pg *c, const char *name);                 /* -1 if there is none */
const char *pg_value(const struct pg *c, int row, int col);          /* "" for null and out of range */
bool pg_is_null(const struct pg *c, int row, int col);
int64_t pg_int(const struct pg *c, int row, int col);                /* 0 for null; see pg_is_null */
bool pg_bool(const struct pg *c, int row, int col);                  /* t */
int64_t pg_affected(const struct pg *c);                             /* rows of the last command; 0 if it has none */
int pg_rows_of(const struct pg *c, int result);
const char *pg_value_of(const struct pg *c, int result, int row, int col);

/* Quoted for SQL: 'literal' and "identifier", as pure functions (UTF-8, standard_conforming_strings on). The literal
 * form with a backslash is E'' quoted. Returns the length needed, as snprintf does. */
size_t pg_quote_literal(char *out, size_t size, const char *value);
size_t pg_quote_name(char *out, size_t size, const char *name);
void pg_put_literal(struct buf *out, const char *value); /* the literal, whatever its length */

/* A conninfo with one word more, quoted as its form wants it, keyword=value or URI (libpq, "Connection Strings"); what comes last counts,
 * whatever stood there. To be freed. */
char *pg_conninfo_with(const char *conninfo, const char *name, const char *value);
/* What a conninfo says itself; "" when it says nothing, or can't be read. To be freed. */
char *pg_conninfo_value(const char *conninfo, const char *name);

/* The text form of a one-dimensional array, for a parameter that is cast to text[]: begin with an empty buf, add, end. */
void pg_array_add(struct buf *array, const char *value);
void pg_array_end(struct buf *array);

#endif
