#include "core/lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dns.h"
#include "core/dnswire.h"
#include "core/plan.h"
#include "core/task.h"

enum { ASK, ANSWER }; /* task.at */
enum { ASK_MS = 2000, TRIES = 3 };

static const int types[] = {DNS_SOA, DNS_NS, DNS_A, DNS_AAAA, DNS_CNAME, DNS_MX, DNS_TXT, DNS_SRV, DNS_CAA};

struct lines {
    char **line;
    int count;
};
struct snapshot {
    struct task task; /* first */
    const struct plan *plan;
    char **name;
    int nnames;
    int resolver, at;  /* the server that is asked; which of names x types */
    int tries;
    struct dns_server *server;
    struct dns_query *query;
    struct lines *seen; /* per resolver; only those of the zone's servers are filled */
    bool failed;
};

/* ---- which names ---- */

static void add_name(struct snapshot *s, const char *name)
{
    for (int i = 0; i < s->nnames; i++)
        if (dnswire_same_name(s->name[i], name))
            return;
    s->name = xrealloc(s->name, (size_t)(s->nnames + 1) * sizeof *s->name);
    s->name[s->nnames++] = xstrdup(name);
}

static void add_below(struct snapshot *s, const char *label, const char *domain)
{
    char *name = xprintf("%s.%s", label, domain);
    add_name(s, name);
    free(name);
}

/* The zone, what moves, and what mail rests on. */
static void gather(struct snapshot *s)
{
    const struct plan_dns *d = &s->plan->dns;
    add_name(s, d->zone);
    for (int i = 0; i < d->nrecords; i++)
        add_name(s, d->records[i].name);
    for (int i = 0; i < s->plan->nchecks; i++) {
        const struct plan_check *c = &s->plan->checks[i];
        const char *domain = plan_option_text(c->options, c->noptions, "domain", NULL), *selector = plan_option_text(c->options, c->noptions, "selector", NULL);
        if (!domain || !dnswire_name_is_under(domain, d->zone))
            continue;
        add_name(s, domain);
        if (selector) {
            char *label = xprintf("%s._domainkey", selector);
            add_below(s, label, domain);
            free(label);
        }
    }
    add_below(s, "_dmarc", d->zone);
    add_below(s, "_mta-sts", d->zone);
    add_below(s, "_smtp._tls", d->zone);
}

/* ---- what is there ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void keep(struct snapshot *s, const char *name, int type, const struct dns_answer *a)
{
    struct lines *l = &s->seen[s->resolver];
    for (int i = 0; i < a->count; i++) {
        const struct dns_record *r = &a->records[i];
        if (r->type != type || !dnswire_same_name(r->name, name))
            continue;
        l->line = xrealloc(l->line, (size_t)(l->count + 1) * sizeof *l->line);
        l->line[l->count++] = xprintf("%s %s %u %s", name, dnswire_type_name(type), r->ttl, r->text);
    }
}

static const char *asked_name(const struct snapshot *s) { return s->name[s->at / (int)ARRAY_LEN(types)]; }
static int asked_type(const struct snapshot *s) { return types[s->at % (int)ARRAY_LEN(types)]; }

/* The next server of the zone, from s->resolver on; false when there is none. */
static bool open_server(struct snapshot *s)
{
    const struct plan_dns *d = &s->plan->dns;
    while (s->resolver < d->nresolvers && !d->resolvers[s->resolver].authoritative)
        s->resolver++;
    if (s->resolver == d->nresolvers)
        return false;
    s->server = dns_server_new(s->task.loop, d->resolvers[s->resolver].address, d->resolvers[s->resolver].port);
    s->at = s->tries = 0;
    return s->server != NULL;
}

static void close_server(struct snapshot *s)
{
    dns_query_free(s->query);
    s->query = NULL;
    dns_server_free(s->server);
    s->server = NULL;
}

/* False: the same question goes out again. */
static bool take(struct snapshot *s)
{
    const struct dns_answer *a = dns_answer(s->query);
    bool known = a->status == DNS_OK || a->status == DNS_NODATA || a->status == DNS_NXDOMAIN;
    if (!known && ++s->tries < TRIES)
        return false;
    if (known) {
        keep(s, asked_name(s), asked_type(s), a);
    } else {
        fprintf(stderr, "%s: %s.\n", s->plan->dns.resolvers[s->resolver].name, a->error);
        s->failed = true;
    }
    s->tries = 0;
    s->at++;
    return true;
}

static void ask(struct snapshot *s)
{
    if (s->at == s->nnames * (int)ARRAY_LEN(types) || s->failed) {
        close_server(s);
        s->resolver++;
        if (s->failed || !open_server(s)) {
            task_stop(&s->task);
            return;
        }
    }
    dns_query_free(s->query);
    s->query = dns_ask(&s->task, s->server, asked_name(s), asked_type(s), false, ASK_MS);
    s->task.at = ANSWER;
    task_wait(&s->task, 2 * ASK_MS);
}

static void run(struct task *task)
{
    struct snapshot *s = (struct snapshot *)task;
    if (task->at == ASK && !open_server(s)) {
        fputs("The plan names no server of the zone.\n", stderr);
        s->failed = true;
        task_stop(task);
        return;
    }
    if (task->at == ANSWER && dns_busy(s->query)) {
        task_wait(task, 2 * ASK_MS);
        return;
    }
    if (task->at == ANSWER)
        take(s);
    ask(s);
}

/* ---- the end ---- */

/* Says on standard error what a server has otherwise than the first. */
static bool agrees(const struct lines *first, const struct lines *other, const char *name)
{
    bool same = true;
    for (int i = 0, j = 0; i < first->count || j < other->count;) {
        int order = i == first->count ? 1 : j == other->count ? -1 : strcmp(first->line[i], other->line[j]);
        if (order)
            fprintf(stderr, "%s %s: %s\n", name, order < 0 ? "lacks" : "alone has", order < 0 ? first->line[i] : other->line[j]);
        same = same && order == 0;
        i += order <= 0;
        j += order >= 0;
    }
    return same;
}

static int print(struct snapshot *s)
{
    const struct plan_dns *d = &s->plan->dns;
    const struct lines *first = &s->seen[0]; /* the plan's server is resolver 0 */
    bool same = true;
    for (int r = 0; r < d->nresolvers; r++)
        if (s->seen[r].count)
            qsort(s->seen[r].line, (size_t)s->seen[r].count, sizeof *s->seen[r].line, by_text);
    for (int i = 0; i < first->count; i++)
        puts(first->line[i]);
    for (int r = 1; r < d->nresolvers; r++)
        if (d->resolvers[r].authoritative)
            same = agrees(first, &s->seen[r], d->resolvers[r].name) && same;
    return same ? 0 : 1;
}

static void free_snapshot(struct snapshot *s)
{
    for (int r = 0; r < s->plan->dns.nresolvers; r++) {
        for (int i = 0; i < s->seen[r].count; i++)
            free(s->seen[r].line[i]);
        free(s->seen[r].line);
    }
    for (int i = 0; i < s->nnames; i++)
        free(s->name[i]);
    free(s->seen);
    free(s->name);
}

int lookup_snapshot(const char *plan_path)
{
    struct plan_problems problems = {0};
    struct plan *plan = plan_load(plan_path, &problems);
    struct snapshot s = {.plan = plan};
    uv_loop_t loop;
    for (int i = 0; i < problems.count; i++)
        fprintf(stderr, "%s\n", problems.lines[i]);
    plan_problems_free(&problems);
    if (!plan)
        return 2;
    if (!plan->dns.nrecords) {
        fprintf(stderr, "%s has no dns, so there is no zone to ask about.\n", plan_path);
        plan_free(plan);
        return 2;
    }
    s.seen = xcalloc((size_t)plan->dns.nresolvers, sizeof *s.seen);
    gather(&s);
    uv_loop_init(&loop);
    task_start(&s.task, &loop, run, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    int status = s.failed ? 2 : print(&s);
    close_server(&s);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    free_snapshot(&s);
    plan_free(plan);
    return status;
}
