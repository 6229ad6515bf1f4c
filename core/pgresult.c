/* The reading half of pg.h: what is known of a connection and of the answers to its last order. */
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "core/pg.h"
#include "core/pginner.h"

/* ---- what is known ---- */

bool pg_busy(const struct pg *c)
{
    return c->busy;
}

bool pg_failed(const struct pg *c)
{
    return c->failed;
}

const char *pg_error(const struct pg *c)
{
    return c->error;
}

const char *pg_sqlstate(const struct pg *c)
{
    return c->sqlstate;
}

bool pg_timed_out(const struct pg *c)
{
    return c->timed_out;
}

bool pg_is_connected(const struct pg *c)
{
    return c->conn && PQstatus(c->conn) == CONNECTION_OK;
}

int64_t pg_elapsed_us(const struct pg *c)
{
    return c->elapsed_us;
}

int pg_server_version(const struct pg *c)
{
    return c->conn ? PQserverVersion(c->conn) : 0;
}

int pg_backend_pid(const struct pg *c)
{
    return c->conn ? PQbackendPID(c->conn) : 0;
}

const char *pg_where(const struct pg *c)
{
    return c->where;
}

const char *pg_parameter(const struct pg *c, const char *name)
{
    const char *v = c->conn ? PQparameterStatus(c->conn, name) : NULL;
    return v ? v : "";
}

/* ---- results ---- */

static const PGresult *result(const struct pg *c, int i)
{
    return i >= 0 && i < c->count ? c->results[i] : NULL;
}

static bool has(const PGresult *r, int row, int col)
{
    return r && row >= 0 && row < PQntuples(r) && col >= 0 && col < PQnfields(r);
}

int pg_results(const struct pg *c)
{
    return c->count;
}

int pg_rows(const struct pg *c)
{
    return pg_rows_of(c, c->shown);
}

int pg_columns(const struct pg *c)
{
    const PGresult *r = result(c, c->shown);
    return r ? PQnfields(r) : 0;
}

const char *pg_column_name(const struct pg *c, int col)
{
    const char *name = PQfname(result(c, c->shown), col);
    return name ? name : "";
}

int pg_column(const struct pg *c, const char *name)
{
    for (int i = 0; i < pg_columns(c); i++)
        if (!strcmp(pg_column_name(c, i), name))
            return i;
    return -1;
}

const char *pg_value(const struct pg *c, int row, int col)
{
    return pg_value_of(c, c->shown, row, col);
}

bool pg_is_null(const struct pg *c, int row, int col)
{
    const PGresult *r = result(c, c->shown);
    return !has(r, row, col) || PQgetisnull(r, row, col);
}

int64_t pg_int(const struct pg *c, int row, int col)
{
    return strtoll(pg_value(c, row, col), NULL, 10);
}

bool pg_bool(const struct pg *c, int row, int col)
{
    return !strcmp(pg_value(c, row, col), "t");
}

int64_t pg_affected(const struct pg *c)
{
    PGresult *r = c->count ? c->results[c->count - 1] : NULL;
    return r ? strtoll(PQcmdTuples(r), NULL, 10) : 0;
}

int pg_rows_of(const struct pg *c, int i)
{
    const PGresult *r = result(c, i);
    return r ? PQntuples(r) : 0;
}

const char *pg_value_of(const struct pg *c, int i, int row, int col)
{
    const PGresult *r = result(c, i);
    return has(r, row, col) ? PQgetvalue(r, row, col) : "";
}

/* ---- arrays ---- */

void pg_array_add(struct buf *array, const char *value)
{
    buf_puts(array, array->len ? ",\"" : "{\"");
    for (const char *c = value; *c; c++) {
        if (*c == '"' || *c == '\\')
            buf_puts(array, "\\");
        buf_add(array, c, 1);
    }
    buf_puts(array, "\"");
}

void pg_array_end(struct buf *array)
{
    buf_puts(array, array->len ? "}" : "{}");
}
