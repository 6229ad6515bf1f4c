#include "core/pgconn.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pg.h"
#include "core/text.h"

static void set(struct pgconn *t, const char *key, const char *value)
{
    if (t->count + 1 >= PGCONN_MAX)
        return;
    t->keys[t->count] = key;
    t->values[t->count++] = value;
}

static const char *get(const struct pgconn *t, const char *key)
{
    for (int i = 0; i < t->count; i++)
        if (!strcmp(t->keys[i], key))
            return t->values[i];
    return NULL;
}

static void set_if_absent(struct pgconn *t, const char *key, const char *value)
{
    if (!get(t, key))
        set(t, key, value);
}

/* A word that the conninfo gives as empty is said all the same: no default stands in for it (libpq, conninfo_add_defaults). */
static void take_options(struct pgconn *t, const PQconninfoOption *o)
{
    for (; o && o->keyword; o++)
        if (o->val && !get(t, o->keyword))
            set(t, arena_strdup(&t->arena, o->keyword), arena_strdup(&t->arena, o->val));
}

/* libpq reads service files only by itself. PQconndefaults does, when PGSERVICE names the service: so it is lent the
 * name for the length of the call. What it returns besides (environment, built-in defaults) holds for us too. */
static void take_defaults(struct pgconn *t)
{
    const char *service = get(t, "service"), *before = getenv("PGSERVICE");
    char *saved = before ? xstrdup(before) : NULL;
    if (service && *service)
        setenv("PGSERVICE", service, 1);
    PQconninfoOption *o = PQconndefaults();
    take_options(t, o);
    PQconninfoFree(o);
    if (saved)
        setenv("PGSERVICE", saved, 1);
    else
        unsetenv("PGSERVICE");
    free(saved);
}

/* ---- the lists of host, hostaddr and port ---- */

/* The i-th of a comma separated list; the only one stands for all. False when the list ends before. */
static bool pick(const char *list, int i, char *out, size_t size)
{
    const char *p = list;
    for (int n = 0; n < i && p; n++)
        p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL;
    if (!p && !strchr(list, ','))
        p = list;
    snprintf(out, size, "%.*s", p ? (int)strcspn(p, ",") : 0, p ? p : "");
    return p != NULL;
}

static int count_list(const char *list)
{
    int n = 1;
    for (; *list; list++)
        n += *list == ',';
    return n;
}

static bool is_literal(const char *s)
{
    uint8_t raw[16];
    char bare[64];
    snprintf(bare, sizeof bare, "%.*s", (int)strcspn(s, "%"), s); /* fe80::1%eth0 */
    return inet_pton(AF_INET, s, raw) == 1 || inet_pton(AF_INET6, bare, raw) == 1;
}

static void read_host(struct pgconn *t, int i, const char *hosts, const char *addresses, const char *ports)
{
    struct pgconn_host *h = &t->hosts[i];
    pick(hosts, i, h->name, sizeof h->name);
    pick(addresses, i, h->address, sizeof h->address);
    pick(ports, i, h->port, sizeof h->port);
    if (!*h->port)
        copy_text(h->port, sizeof h->port, "5432");
    h->is_path = !*h->address && (!*h->name || *h->name == '/' || *h->name == '@');
    if (!*h->address && is_literal(h->name))
        copy_text(h->address, sizeof h->address, h->name);
}

static bool read_hosts(struct pgconn *t, struct err *err)
{
    const char *hosts = get(t, "host"), *addresses = get(t, "hostaddr"), *ports = get(t, "port");
    t->host_count = MAX(count_list(hosts ? hosts : ""), count_list(addresses ? addresses : ""));
    if (t->host_count > PGCONN_HOSTS)
        return err_set(err, "the connection string names %d hosts; %d are the most", t->host_count, PGCONN_HOSTS);
    for (int i = 0; i < t->host_count; i++)
        read_host(t, i, hosts ? hosts : "", addresses ? addresses : "", ports ? ports : "");
    return true;
}

static void add_ours(struct pgconn *t)
{
    set_if_absent(t, "application_name", "cutover");
    set_if_absent(t, "client_encoding", "UTF8");
    set_if_absent(t, "keepalives", "1");
    set_if_absent(t, "keepalives_idle", "5");
    set_if_absent(t, "keepalives_interval", "3");
    set_if_absent(t, "keepalives_count", "3");
    set_if_absent(t, "tcp_user_timeout", "15000");
}

bool pgconn_read(struct pgconn *t, const char *conninfo, struct err *err)
{
    *t = (struct pgconn){0};
    char *why = NULL;
    PQconninfoOption *o = PQconninfoParse(conninfo, &why);
    PQfreemem(why); /* it quotes the string, and so perhaps a password */
    if (!o)
        return err_set(err, "the connection string cannot be read; write keyword=value pairs or a postgresql:// URI");
    take_options(t, o);
    PQconninfoFree(o);
    if (!getenv("PGGSSENCMODE")) /* asking for Kerberos tickets may block */
        set_if_absent(t, "gssencmode", "disable");
    take_defaults(t);
    add_ours(t);
    return read_hosts(t, err);
}

/* ---- names and their addresses ---- */

static struct pgconn_host *first_open(const struct pgconn *t)
{
    for (int i = 0; i < t->host_count; i++) {
        const struct pgconn_host *h = &t->hosts[i];
        if (!h->is_path && !h->is_gone && !*h->address)
            return (struct pgconn_host *)h;
    }
    return NULL;
}

const char *pgconn_next_name(const struct pgconn *t)
{
    const struct pgconn_host *h = first_open(t);
    return h ? h->name : NULL;
}

void pgconn_resolved(struct pgconn *t, const char *address)
{
    struct pgconn_host *h = first_open(t);
    copy_text(h->address, sizeof h->address, address);
}

void pgconn_unresolved(struct pgconn *t, const char *why)
{
    first_open(t)->is_gone = true;
    copy_text(t->failure, sizeof t->failure, why);
}

bool pgconn_has_host(const struct pgconn *t)
{
    for (int i = 0; i < t->host_count; i++)
        if (!t->hosts[i].is_gone)
            return true;
    return false;
}

/* ---- for libpq ---- */

static void append(char *list, size_t size, const char *item, bool comma)
{
    size_t n = strlen(list);
    snprintf(list + n, size - n, "%s%s", comma ? "," : "", item);
}

static void build_lists(struct pgconn *t)
{
    bool more = false;
    t->host_list[0] = t->address_list[0] = t->port_list[0] = '\0';
    for (int i = 0; i < t->host_count; i++) {
        const struct pgconn_host *h = &t->hosts[i];
        if (h->is_gone)
            continue;
        append(t->host_list, sizeof t->host_list, h->name, more);
        append(t->address_list, sizeof t->address_list, h->address, more);
        append(t->port_list, sizeof t->port_list, h->port, more);
        more = true;
    }
}

void pgconn_fill(struct pgconn *t, const char *keys[PGCONN_MAX], const char *values[PGCONN_MAX])
{
    int n = 0;
    build_lists(t);
    for (int i = 0; i < t->count && n < PGCONN_MAX - 4; i++) {
        if (!strcmp(t->keys[i], "host") || !strcmp(t->keys[i], "hostaddr") || !strcmp(t->keys[i], "port"))
            continue;
        keys[n] = t->keys[i];
        values[n++] = t->values[i];
    }
    keys[n] = "host", values[n++] = t->host_list;
    keys[n] = "hostaddr", values[n++] = t->address_list;
    keys[n] = "port", values[n++] = t->port_list;
    keys[n] = NULL, values[n] = NULL;
}

void pgconn_where(const struct pgconn *t, char *out, size_t size)
{
    const struct pgconn_host *h = &t->hosts[0];
    char raw[320];
    const char *name = *h->name ? h->name : *h->address ? h->address : "local socket";
    snprintf(raw, sizeof raw, strchr(name, ':') ? "[%s]:%s" : "%s:%s", name, *h->port ? h->port : "5432");
    text_line(out, size, raw, strlen(raw));
}

void pgconn_free(struct pgconn *t)
{
    arena_free(&t->arena);
    *t = (struct pgconn){0};
}

/* ---- quoting ---- */

static void put(char *out, size_t size, size_t *n, char c)
{
    if (*n + 1 < size)
        out[*n] = c;
    ++*n;
}

static size_t quote(char *out, size_t size, const char *value, char mark, bool escape)
{
    size_t n = 0;
    if (escape)
        put(out, size, &n, 'E');
    put(out, size, &n, mark);
    for (; *value; value++) {
        if (*value == mark || (escape && *value == '\\'))
            put(out, size, &n, *value);
        put(out, size, &n, *value);
    }
    put(out, size, &n, mark);
    if (size)
        out[MIN(n, size - 1)] = '\0';
    return n;
}

size_t pg_quote_literal(char *out, size_t size, const char *value)
{
    return quote(out, size, value, '\'', strchr(value, '\\') != NULL);
}

size_t pg_quote_name(char *out, size_t size, const char *name)
{
    return quote(out, size, name, '"', false);
}

void pg_put_literal(struct buf *out, const char *value)
{
    size_t size = pg_quote_literal(NULL, 0, value) + 1;
    char *literal = xcalloc(size, 1);
    pg_quote_literal(literal, size, value);
    buf_puts(out, literal);
    free(literal);
}

/* ---- connection strings ---- */

static void put_word(struct buf *out, const char *value, bool uri)
{
    buf_puts(out, uri ? "" : "'");
    for (const char *c = value; *c; c++)
        if (uri)
            buf_printf(out, "%%%02X", (unsigned char)*c);
        else
            buf_printf(out, "%s%c", *c == '\'' || *c == '\\' ? "\\" : "", *c);
    buf_puts(out, uri ? "" : "'");
}

char *pg_conninfo_with(const char *conninfo, const char *name, const char *value)
{
    bool uri = strstr(conninfo, "://") != NULL;
    struct buf word = {0};
    put_word(&word, value, uri);
    char *all = xprintf("%s%s%s=%s", conninfo, !uri ? " " : strchr(conninfo, '?') ? "&" : "?", name, word.text ? word.text : "");
    buf_free(&word);
    return all;
}

char *pg_conninfo_value(const char *conninfo, const char *name)
{
    struct pgconn t;
    struct err err;
    const char *value = pgconn_read(&t, conninfo, &err) ? get(&t, name) : NULL;
    char *copy = xstrdup(value ? value : "");
    pgconn_free(&t);
    return copy;
}
