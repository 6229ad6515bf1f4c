/* pgconn: what a connection string means, so that no name is left for libpq to look up. Part of the pg room. */
#ifndef CORE_PGCONN_H
#define CORE_PGCONN_H

#include "core/base.h"

enum { PGCONN_MAX = 64, PGCONN_HOSTS = 8 };

struct pgconn_host {
    char name[256], address[64], port[8]; /* address "": not known yet */
    bool is_path, is_gone;                /* a socket directory; a name without an address */
};

struct pgconn {
    struct pgconn_host hosts[PGCONN_HOSTS];
    int host_count;
    char failure[512]; /* why the last name had no address */
    const char *keys[PGCONN_MAX], *values[PGCONN_MAX];
    int count;
    char host_list[2304], address_list[600], port_list[80];
    struct arena arena;
};

/* Reads keyword=value or URI, service file and environment. The error never quotes the string. */
bool pgconn_read(struct pgconn *t, const char *conninfo, struct err *err);
/* The next name that needs an address, NULL if none is left; one of the two others answers it. */
const char *pgconn_next_name(const struct pgconn *t);
void pgconn_resolved(struct pgconn *t, const char *address);
void pgconn_unresolved(struct pgconn *t, const char *why);
bool pgconn_has_host(const struct pgconn *t); /* one that can be tried */
/* For PQconnectStartParams; the strings live until pgconn_free. */
void pgconn_fill(struct pgconn *t, const char *keys[PGCONN_MAX], const char *values[PGCONN_MAX]);
void pgconn_where(const struct pgconn *t, char *out, size_t size); /* "host:port", the first of several */
void pgconn_free(struct pgconn *t);

#endif
