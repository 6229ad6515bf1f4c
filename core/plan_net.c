/* dns = { ... } and traffic = { ... }. */
#include "core/plan_read.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const config_setting_t *member(const config_setting_t *group, const char *name)
{
    return config_setting_get_member((config_setting_t *)group, name);
}

/* ---- dns.records ---- */

static bool fits_type(const char *type, const char *value)
{
    unsigned char raw[16];
    if (strcmp(type, "A") == 0)
        return inet_pton(AF_INET, value, raw) == 1;
    if (strcmp(type, "AAAA") == 0)
        return inet_pton(AF_INET6, value, raw) == 1;
    return inet_pton(AF_INET, value, raw) != 1 && inet_pton(AF_INET6, value, raw) != 1;
}

static bool is_record_type(const char *type)
{
    return strcmp(type, "A") == 0 || strcmp(type, "AAAA") == 0 || strcmp(type, "CNAME") == 0;
}

static void check_record(struct plan_reader *r, const config_setting_t *group, struct plan_record *rec, enum side side)
{
    const config_setting_t *s = member(group, side_names[side]);
    if (!rec->value[side][0] && !s)
        rec->value[side] = r->plan->side[side].address;
    if (!rec->value[side][0] || fits_type(rec->type, rec->value[side]))
        return;
    plan_complain(r, plan_line(s ? s : group), "%s %s can't have the value %s for %s; give it a %s that is %s.", rec->name, rec->type, rec->value[side],
                  side_names[side], side_names[side],
                  strcmp(rec->type, "A") == 0 ? "an IPv4 address" : strcmp(rec->type, "AAAA") == 0 ? "an IPv6 address" : "a domain name");
}

static void finish_record(struct plan_reader *r, const config_setting_t *group, void *into)
{
    struct plan_record *rec = into;
    char hint[64];
    if (!is_record_type(rec->type)) {
        plan_complain(r, plan_line(group), "\"%s\" isn't a type of record that cutover moves; it moves A, AAAA and CNAME%s", rec->type,
                      plan_hint(rec->type, "A AAAA CNAME", hint, sizeof hint));
        return;
    }
    check_record(r, group, rec, BLUE);
    check_record(r, group, rec, GREEN);
    if (rec->value[BLUE][0] && strcasecmp(rec->value[BLUE], rec->value[GREEN]) == 0)
        plan_complain(r, plan_line(group), "%s %s is %s on blue and on green, so there is nothing to flip; correct green or take the record out.",
                      rec->name, rec->type, rec->value[BLUE]);
}

/* Blue and green are texts here, because an IPv6 address is no host name: finish_record holds them against the type. */
static const struct plan_key record_keys[] = {
    PLAN_KEY(PLAN_HOST, "name", struct plan_record, name, NULL),
    PLAN_KEY(PLAN_TEXT, "type", struct plan_record, type, "A"),
    PLAN_KEY(PLAN_TEXT, "blue", struct plan_record, value[BLUE], ""),
    PLAN_KEY(PLAN_TEXT, "green", struct plan_record, value[GREEN], ""),
};
static const struct plan_part record_part = {
    .what = "the record", .size = sizeof(struct plan_record), .keys = record_keys, .nkeys = ARRAY_LEN(record_keys), .finish = finish_record};

/* ---- dns.resolvers ---- */

static const struct plan_key resolver_keys[] = {
    PLAN_KEY(PLAN_TEXT, "name", struct plan_resolver, name, NULL),
    PLAN_KEY(PLAN_ADDRESS, "address", struct plan_resolver, address, NULL),
    PLAN_KEY(PLAN_PORT, "port", struct plan_resolver, port, "53"),
    PLAN_KEY(PLAN_TEXT, "region", struct plan_resolver, region, ""),
};
static const struct plan_part resolver_part = {
    .what = "the resolver", .size = sizeof(struct plan_resolver), .keys = resolver_keys, .nkeys = ARRAY_LEN(resolver_keys)};
static const struct plan_part server_part = {
    .what = "the server", .size = sizeof(struct plan_resolver), .keys = resolver_keys, .nkeys = ARRAY_LEN(resolver_keys)};

static int by_name(const void *a, const void *b, void *resolvers)
{
    const struct plan_resolver *all = resolvers;
    return strcmp(all[*(const int *)a].name, all[*(const int *)b].name);
}

/* A resolver without a name was complained about; it stands there with none. */
static void order_resolvers(struct plan_reader *r, struct plan_dns *dns)
{
    int *order = arena_alloc(&r->plan->arena, sizeof *order * (size_t)dns->nresolvers);
    for (int i = 0; i < dns->nresolvers; i++) {
        order[i] = i;
        if (!dns->resolvers[i].name)
            dns->resolvers[i].name = "";
    }
    qsort_r(order, (size_t)dns->nresolvers, sizeof *order, by_name, dns->resolvers);
    dns->resolver_order = order;
}

/* The authoritative servers come first: what they answer is what is published. */
static void place_resolvers(struct plan_reader *r, struct plan_dns *dns, bool named)
{
    int n = named ? dns->nresolvers : plan_npublic_resolvers;
    const struct plan_resolver *from = named ? dns->resolvers : plan_public_resolvers;
    struct plan_resolver *all = arena_alloc(&r->plan->arena, sizeof *all * (size_t)(1 + dns->nservers + n)), *to = all;
    *to++ = (struct plan_resolver){"authoritative", dns->server, dns->port, true, "", false};
    for (int i = 0; i < dns->nservers; i++) {
        *to = dns->servers[i];
        to++->authoritative = true;
    }
    for (int i = 0; i < n; i++)
        if (named || !from[i].filters || dns->filtering)
            *to++ = from[i];
    dns->resolvers = all;
    dns->nresolvers = (int)(to - all);
    order_resolvers(r, dns);
}

static bool same_place(const struct plan_resolver *a, const char *address, int port)
{
    return a->address && address && strcmp(a->address, address) == 0 && a->port == port;
}

/* what: "The resolver" or "The server". */
static void check_resolvers(struct plan_reader *r, const config_setting_t *list, const char *what, const struct plan_resolver *all, int n)
{
    plan_unique(r, list, what, all, sizeof *all, n);
    for (int i = 0; list && i < n; i++) {
        const struct plan_resolver *a = &all[i];
        int line = plan_line(config_setting_is_group(list) ? list : config_setting_get_elem((config_setting_t *)list, (unsigned)i));
        if (a->name && strcmp(a->name, "authoritative") == 0)
            plan_complain(r, line, "The name \"authoritative\" is kept for the server of the zone; give %c%s another one.", what[0] | 0x20, what + 1);
        for (int j = 0; j < i; j++)
            if (same_place(a, all[j].address, all[j].port))
                plan_complain(r, line, "%ss \"%s\" and \"%s\" have the same address %s; take one out.", what, all[j].name, a->name, a->address);
    }
}

static void check_servers(struct plan_reader *r, const config_setting_t *group, const struct plan_dns *dns)
{
    const config_setting_t *servers = member(group, "servers"), *resolvers = member(group, "resolvers");
    if (resolvers && config_setting_get_string(resolvers))
        resolvers = NULL; /* "public" */
    check_resolvers(r, servers, "The server", dns->servers, dns->nservers);
    check_resolvers(r, resolvers, "The resolver", dns->resolvers, dns->nresolvers);
    for (int i = 0; i < dns->nservers; i++) {
        const struct plan_resolver *a = &dns->servers[i];
        if (same_place(a, dns->server, dns->port))
            plan_complain(r, plan_line(servers), "The server \"%s\" is the one that  server  names already; take it out.", a->name);
        for (int j = 0; resolvers && a->name && j < dns->nresolvers; j++)
            if (dns->resolvers[j].name && strcmp(a->name, dns->resolvers[j].name) == 0)
                plan_complain(r, plan_line(servers), "A server and a resolver are both named \"%s\"; give one of them another name.", a->name);
    }
}

/* ---- dns ---- */

static bool is_in_zone(const char *name, const char *zone)
{
    size_t n = strlen(name), z = strlen(zone);
    return n >= z && strcasecmp(name + n - z, zone) == 0 && (n == z || name[n - z - 1] == '.');
}

static void check_records(struct plan_reader *r, const config_setting_t *list, const struct plan_dns *dns)
{
    for (int i = 0; i < dns->nrecords; i++) {
        const struct plan_record *a = &dns->records[i];
        int line = plan_line(config_setting_is_group(list) ? list : config_setting_get_elem((config_setting_t *)list, (unsigned)i));
        if (a->name && a->name[0] && dns->zone[0] && !is_in_zone(a->name, dns->zone))
            plan_complain(r, line, "The record %s isn't in the zone %s; correct one of the two.", a->name, dns->zone);
        for (int j = 0; j < i && a->name && dns->records[j].name; j++)
            if (strcasecmp(a->name, dns->records[j].name) == 0 && strcmp(a->type, dns->records[j].type) == 0)
                plan_complain(r, line, "The record %s %s stands twice; take one out.", a->name, a->type);
    }
}

static void finish_dns(struct plan_reader *r, const config_setting_t *group, void *into)
{
    struct plan_dns *dns = into;
    const config_setting_t *records = member(group, "records"), *resolvers = member(group, "resolvers");
    const config_setting_t *low = member(group, "ttl_low");
    if (records && !config_setting_is_group(records) && config_setting_length(records) == 0)
        plan_complain(r, plan_line(records), "records is empty; name what moves, or take dns out.");
    if (records && dns->records)
        check_records(r, records, dns);
    if (dns->ttl_low >= dns->ttl_normal)
        plan_complain(r, plan_line(low ? low : group), "ttl_low (%lld s) isn't below ttl_normal (%lld s), so lowering it would change nothing.",
                      (long long)dns->ttl_low, (long long)dns->ttl_normal);
    if (dns->ttl_low < 1)
        plan_complain(r, plan_line(low ? low : group), "ttl_low must be at least 1 second: some resolvers take 0 for \"never ask again soon\".");
    if (dns->interval < 100)
        plan_complain(r, plan_line(group), "interval is below 100 ms; the resolvers' operators would block you. \"5s\" is the usual.");
    check_servers(r, group, dns);
    place_resolvers(r, dns, resolvers && !config_setting_get_string(resolvers));
}

static const struct plan_key dns_keys[] = {
    PLAN_KEY(PLAN_HOST, "zone", struct plan_dns, zone, NULL),
    PLAN_KEY(PLAN_ADDRESS, "server", struct plan_dns, server, NULL),
    PLAN_KEY(PLAN_PORT, "port", struct plan_dns, port, "53"),
    PLAN_KEY(PLAN_PATH, "key_file", struct plan_dns, key_file, ""),
    PLAN_KEY(PLAN_SECONDS, "ttl_low", struct plan_dns, ttl_low, "60"),
    PLAN_KEY(PLAN_SECONDS, "ttl_normal", struct plan_dns, ttl_normal, "3600"),
    PLAN_KEY(PLAN_DURATION, "interval", struct plan_dns, interval, "5s"),
    {.name = "records", .type = PLAN_PART, .at = offsetof(struct plan_dns, records), .count_at = offsetof(struct plan_dns, nrecords),
     .part = &record_part},
    {.name = "servers", .type = PLAN_PART, .at = offsetof(struct plan_dns, servers), .count_at = offsetof(struct plan_dns, nservers),
     .otherwise = "", .part = &server_part},
    {.name = "resolvers", .type = PLAN_PART, .at = offsetof(struct plan_dns, resolvers), .count_at = offsetof(struct plan_dns, nresolvers),
     .otherwise = "public", .part = &resolver_part},
    PLAN_KEY(PLAN_FLAG, "filtering", struct plan_dns, filtering, "false"),
};
const struct plan_part plan_dns_part = {
    .what = "dns", .size = sizeof(struct plan_dns), .keys = dns_keys, .nkeys = ARRAY_LEN(dns_keys), .finish = finish_dns};

/* ---- traffic ---- */

static const struct plan_key probe_keys[] = {
    PLAN_KEY(PLAN_NAME, "name", struct plan_probe, name, NULL),
    PLAN_KEY(PLAN_PATH, "path", struct plan_probe, path, NULL),
    PLAN_KEY(PLAN_STATUS, "expect", struct plan_probe, expect, "200"),
    PLAN_KEY(PLAN_TEXT, "body", struct plan_probe, body, ""),
    PLAN_KEY(PLAN_DURATION, "interval", struct plan_probe, interval, "500ms"),
    PLAN_KEY(PLAN_DURATION, "timeout", struct plan_probe, timeout, "2s"),
};
static void finish_probe(struct plan_reader *r, const config_setting_t *group, void *into)
{
    struct plan_probe *p = into;
    if (p->interval < 10 || p->timeout < 1)
        plan_complain(r, plan_line(group), "A probe's interval is at least 10 ms and its timeout at least 1 ms; lengthen them.");
}
static const struct plan_part probe_part = {
    .what = "the probe", .size = sizeof(struct plan_probe), .keys = probe_keys, .nkeys = ARRAY_LEN(probe_keys), .finish = finish_probe};

/* "unix:/path" or "address:port" */
static bool is_haproxy(const char *s)
{
    if (strncmp(s, "unix:", 5) == 0)
        return s[5] == '/';
    const char *colon = strrchr(s, ':');
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
    return colon && colon > s && digits && digits <= 5 && !colon[1 + digits] && atoi(colon + 1) >= 1 && atoi(colon + 1) <= 65535;
}

static void check_stages(struct plan_reader *r, const config_setting_t *group, struct plan_traffic *t)
{
    static int usual[] = {10, 50, 100};
    const config_setting_t *s = member(group, "stages");
    if (!t->nstages && !s) {
        t->stages = usual;
        t->nstages = ARRAY_LEN(usual);
    }
    for (int i = 1; i < t->nstages; i++)
        if (t->stages[i] && t->stages[i] <= t->stages[i - 1])
            plan_complain(r, plan_line(s), "stages must rise: %d comes after %d.", t->stages[i], t->stages[i - 1]);
    int last = t->nstages ? t->stages[t->nstages - 1] : 1; /* 0: it was no percentage, and that is said already */
    if (s && last && last != 100)
        plan_complain(r, plan_line(s), "The last stage must be 100, when all reads are on green; write  stages = [ 10, 50, 100 ];");
}

/* `key` makes no sense without `needs`. */
static void check_together(struct plan_reader *r, const config_setting_t *group, const char *key, const char *const *needs, int n)
{
    for (int i = 0; member(group, key) && i < n; i++)
        if (!member(group, needs[i]))
            plan_complain(r, plan_line(member(group, key)), "traffic has %s but no %s; add  %s = \"...\";", key, needs[i], needs[i]);
}

static void finish_traffic(struct plan_reader *r, const config_setting_t *group, void *into)
{
    static const char *const balancer[] = {"backend", "blue_server", "green_server"};
    static const char *const queries[] = {"blue_query", "green_query"};
    struct plan_traffic *t = into;
    const config_setting_t *haproxy = member(group, "haproxy");
    if (t->haproxy[0] && haproxy && !is_haproxy(t->haproxy))
        plan_complain(r, plan_line(haproxy), "haproxy must be \"unix:/path/of/admin.sock\" or \"address:port\"; it is \"%.80s\".", t->haproxy);
    check_together(r, group, "haproxy", balancer, ARRAY_LEN(balancer));
    check_together(r, group, "prometheus", queries, ARRAY_LEN(queries));
    if (t->server[BLUE][0] && strcmp(t->server[BLUE], t->server[GREEN]) == 0)
        plan_complain(r, plan_line(group), "blue_server and green_server are both \"%.80s\"; name the two servers of the backend.", t->server[BLUE]);
    check_stages(r, group, t);
    plan_unique(r, member(group, "probes"), "The probe", t->probes, sizeof *t->probes, t->nprobes);
}

static const struct plan_key traffic_keys[] = {
    PLAN_KEY(PLAN_TEXT, "haproxy", struct plan_traffic, haproxy, ""),
    PLAN_KEY(PLAN_TEXT, "backend", struct plan_traffic, backend, ""),
    PLAN_KEY(PLAN_TEXT, "blue_server", struct plan_traffic, server[BLUE], ""),
    PLAN_KEY(PLAN_TEXT, "green_server", struct plan_traffic, server[GREEN], ""),
    PLAN_LIST(PLAN_PERCENT, "stages", struct plan_traffic, stages, nstages, ""),
    PLAN_KEY(PLAN_DURATION, "bake", struct plan_traffic, bake, "10m"),
    PLAN_KEY(PLAN_SHARE, "max_errors", struct plan_traffic, max_errors, "0.5%"),
    PLAN_KEY(PLAN_URL, "prometheus", struct plan_traffic, prometheus, ""),
    PLAN_KEY(PLAN_TEXT, "blue_query", struct plan_traffic, query[BLUE], ""),
    PLAN_KEY(PLAN_TEXT, "green_query", struct plan_traffic, query[GREEN], ""),
    {.name = "probes", .type = PLAN_PART, .at = offsetof(struct plan_traffic, probes), .count_at = offsetof(struct plan_traffic, nprobes),
     .otherwise = "", .part = &probe_part},
};
const struct plan_part plan_traffic_part = {
    .what = "traffic", .size = sizeof(struct plan_traffic), .keys = traffic_keys, .nkeys = ARRAY_LEN(traffic_keys), .finish = finish_traffic};
