#include "core/dnsview.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dnswire.h"

enum { MAX_VALUES = 32, MAX_CHAIN = 16 };

bool dnsview_same(const char *type, const char *a, const char *b)
{
    uint8_t x[16], y[16];
    int family = strcmp(type, "AAAA") == 0 ? AF_INET6 : AF_INET;
    if (strcmp(type, "A") != 0 && strcmp(type, "AAAA") != 0)
        return dnswire_same_name(a, b);
    return inet_pton(family, a, x) == 1 && inet_pton(family, b, y) == 1 && memcmp(x, y, family == AF_INET6 ? 16 : 4) == 0;
}

static const char *spelling_of_plan(const struct plan_record *r, const char *value)
{
    for (int s = 0; s < SIDES; s++)
        if (dnsview_same(r->type, r->value[s], value))
            return r->value[s];
    return value;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void shorten(struct dnsview *v, uint32_t ttl)
{
    v->ttl = v->ttl < 0 ? (int64_t)ttl : MIN(v->ttl, (int64_t)ttl);
}

/* The name that the chain ends in; a chain that turns in circles ends where the patience does. */
static const char *follow(struct dnsview *v, const struct plan_record *r, const struct dns_answer *a)
{
    const char *name = r->name;
    for (int hops = 0; hops < MAX_CHAIN; hops++) {
        const struct dns_record *alias = NULL;
        for (int i = 0; i < a->count && !alias; i++)
            if (a->records[i].type == DNS_CNAME && dnswire_same_name(a->records[i].name, name))
                alias = &a->records[i];
        if (!alias)
            break;
        if (!hops)
            copy_text(v->alias, sizeof v->alias, alias->text);
        shorten(v, alias->ttl);
        name = alias->text;
    }
    return name;
}

static void join(struct dnsview *v, const char **values)
{
    size_t at = 0;
    qsort(values, (size_t)v->count, sizeof *values, by_text);
    for (int i = 0; i < v->count && at < sizeof v->values; i++)
        at += (size_t)snprintf(v->values + at, sizeof v->values - at, "%s%s", i ? "," : "", values[i]);
}

void dnsview_read(struct dnsview *v, const struct plan_record *r, const struct dns_answer *a)
{
    const char *values[MAX_VALUES] = {0};
    int type = dnswire_type(r->type);
    *v = (struct dnsview){.ttl = -1};
    const char *name = type == DNS_CNAME ? r->name : follow(v, r, a);
    for (int i = 0; i < a->count && v->count < MAX_VALUES; i++)
        if (a->records[i].type == type && dnswire_same_name(a->records[i].name, name)) {
            values[v->count++] = spelling_of_plan(r, a->records[i].text);
            shorten(v, a->records[i].ttl);
        }
    join(v, values);
    if (!v->count)
        v->ttl = -1;
}

const char *dnsview_place(const char *address, int port, char *buf, size_t size)
{
    snprintf(buf, size, strchr(address, ':') ? "[%s]:%d" : "%s:%d", address, port);
    return buf;
}
