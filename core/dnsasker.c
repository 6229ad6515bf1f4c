#include "core/dnsasker.h"

#include <stdlib.h>
#include <string.h>

#include "core/dnswire.h"
#include "core/task.h"

enum { TRIES = 3 };

struct dnsasker {
    uv_loop_t *loop;
    const struct plan_dns *dns;
    struct dns_server **server; /* one per resolver, made when first asked */
    struct task *owner;
    struct dns_query *query;
    char name[1025];
    int type, tries, resolver;
};

struct dnsasker *dnsasker_new(uv_loop_t *loop, const struct plan_dns *dns)
{
    struct dnsasker *a = xcalloc(1, sizeof *a);
    a->loop = loop;
    a->dns = dns;
    a->server = xcalloc((size_t)dns->nresolvers, sizeof *a->server);
    return a;
}

void dnsasker_free(struct dnsasker *a)
{
    if (!a)
        return;
    dns_query_free(a->query);
    for (int i = 0; i < a->dns->nresolvers; i++)
        dns_server_free(a->server[i]);
    free(a->server);
    free(a);
}

bool dnsasker_is_ours(const struct dnsasker *a, const char *name)
{
    return a->dns->zone && *a->dns->zone && dnswire_name_is_under(name, a->dns->zone);
}

/* The first of the wanted kind from `from` on; any when there is none of that kind. */
static int choose(const struct dnsasker *a, bool authoritative, int from)
{
    int n = a->dns->nresolvers;
    for (int i = 0; i < n; i++)
        if (a->dns->resolvers[(from + i) % n].authoritative == authoritative)
            return (from + i) % n;
    return from % n;
}

static void ask_now(struct dnsasker *a)
{
    const struct plan_resolver *r = &a->dns->resolvers[a->resolver];
    struct dns_server **s = &a->server[a->resolver];
    bool recursion = !(r->authoritative && dnsasker_is_ours(a, a->name));
    dns_query_free(a->query);
    a->query = NULL;
    if (!*s)
        *s = dns_server_new(a->loop, r->address, r->port);
    if (*s)
        a->query = dns_ask(a->owner, *s, a->name, a->type, recursion, DNSASKER_MS);
    task_wait(a->owner, a->query ? 2 * DNSASKER_MS : 0);
}

void dnsasker_ask(struct dnsasker *a, struct task *owner, const char *name, int type)
{
    a->owner = owner;
    copy_text(a->name, sizeof a->name, name);
    a->type = type;
    a->tries = 0;
    a->resolver = choose(a, dnsasker_is_ours(a, name), 0);
    ask_now(a);
}

bool dnsasker_knows(const struct dns_answer *a)
{
    return a && (a->status == DNS_OK || a->status == DNS_NXDOMAIN || a->status == DNS_NODATA);
}

/* The authoritative server knows only the beginning of a chain that leaves its zone. */
static bool leads_away(const struct dnsasker *a, const struct dns_answer *answer)
{
    return answer && answer->status == DNS_NODATA && answer->count && a->dns->resolvers[a->resolver].authoritative;
}

bool dnsasker_busy(struct dnsasker *a)
{
    if (a->query && dns_busy(a->query)) {
        task_wait(a->owner, 2 * DNSASKER_MS);
        return true;
    }
    const struct dns_answer *answer = dnsasker_answer(a);
    bool away = leads_away(a, answer);
    if ((dnsasker_knows(answer) && !away) || ++a->tries >= TRIES)
        return false;
    a->resolver = choose(a, !away && dnsasker_is_ours(a, a->name), a->resolver + 1);
    ask_now(a);
    return true;
}

const struct dns_answer *dnsasker_answer(const struct dnsasker *a)
{
    return a->query ? dns_answer(a->query) : NULL;
}
