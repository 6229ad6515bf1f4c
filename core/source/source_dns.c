/* One source per resolver: it asks every record of the plan in turn and records each answer as it came. Nothing is
 * smoothed here: what a lost question means is the model's to say.
 *
 * When the next question goes out:
 *   after an answer     at the interval (20 % more or less, so that resolvers don't march in step), or just after the
 *                       cached answer runs out, whichever is earlier: that is when a resolver can have something new
 *   after silence       once more at once and before all others, because a packet may be lost; then, always two together, at the
 *                       interval, then twice as long each time, at most a minute; in a plan with short TTLs at most the TTL,
 *                       because then silence matters. Single questions can fall in step with a line that drops every third
 * The authoritative server has no cache: only the interval counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dnsview.h"
#include "core/dnswire.h"
#include "core/source/source.h"

enum { PICK, ANSWER }; /* task.at */
enum { SHORTEST_WAIT = 500, LONGEST_WAIT = 1500, JUST_AFTER = 200, CLOSEST = 500, LONGEST = 60000, STAGGER = 37, SILENT_AFTER = 3 };

struct asked { /* one record */
    int64_t due; /* mono */
    int silent;  /* questions in a row without an answer */
};
struct watch {
    struct dns_server *server;
    struct dns_query *query;
    struct asked *asked; /* one per record */
    int record;          /* being asked */
    int64_t questions;
    int silent;          /* of the resolver: in a row, whatever the record */
};

static const struct plan_resolver *resolver_of(const struct source *s)
{
    return &s->plan->dns.resolvers[s->index];
}

static int count(const struct plan *p)
{
    return p->dns.nrecords ? p->dns.nresolvers : 0;
}

static void name_of(const struct plan *p, int index, char *buf, size_t size)
{
    snprintf(buf, size, "resolver %s", p->dns.resolvers[index].name);
}

/* ---- when ---- */

/* 80 to 120 % of the interval; the same for the same resolver and question in every run. */
static int64_t jittered(const struct source *s, int64_t interval)
{
    const struct watch *w = s->own;
    uint64_t x = (uint64_t)s->index * 0x9e3779b97f4a7c15u + (uint64_t)w->questions * 0xbf58476d1ce4e5b9u;
    x ^= x >> 31;
    x *= 0x94d049bb133111ebu;
    x ^= x >> 29;
    return interval * (int64_t)(800 + x % 401) / 1000;
}

/* A resolver that recurses may take a while; with a short interval the others must not wait for it so long. */
static int64_t timeout(const struct source *s)
{
    return MAX((int64_t)SHORTEST_WAIT, MIN((int64_t)LONGEST_WAIT, s->plan->dns.interval));
}

static int64_t pause_after_silence(const struct plan_dns *d, int silent)
{
    int64_t limit = MAX(d->interval, MIN((int64_t)LONGEST, d->ttl_low * 1000)), pause = d->interval;
    for (int i = 2; i < silent && pause < limit; i += 2)
        pause *= 2;
    return MIN(pause, limit);
}

static int64_t pause_after_answer(const struct source *s, int64_t ttl)
{
    int64_t pause = jittered(s, s->plan->dns.interval), expiry = MAX(ttl * 1000 + JUST_AFTER, (int64_t)CLOSEST);
    return ttl < 0 || resolver_of(s)->authoritative ? pause : MIN(pause, expiry);
}

static int64_t next_due(const struct source *s, const struct asked *asked, int64_t ttl)
{
    if (asked->silent % 2 == 1)
        return 0;
    return clock_mono() + (asked->silent ? pause_after_silence(&s->plan->dns, asked->silent) : pause_after_answer(s, ttl));
}

static int earliest(const struct source *s)
{
    const struct watch *w = s->own;
    int best = 0;
    for (int i = 1; i < s->plan->dns.nrecords; i++)
        if (w->asked[i].due < w->asked[best].due)
            best = i;
    return best;
}

/* ---- what ---- */

static const char *status_of(const struct dns_answer *a, const struct dnsview *v)
{
    static const char *const names[] = {"ok", "nxdomain", "nodata", "servfail", "refused", "timeout", "unreachable", "bad"};
    return a->status == DNS_OK && !v->count ? "bad" : names[a->status];
}

/* A good answer may come with the resolver's confession (RFC 8914): 3 is "stale answer". */
static void read_error(const struct dns_answer *a, const struct dnsview *v, char *buf, size_t size)
{
    if (a->status == DNS_OK && !v->count)
        snprintf(buf, size, "the chain of CNAMEs in the answer leads to no record");
    else if (a->status == DNS_OK && a->ede_code >= 0)
        snprintf(buf, size, "%s (EDE %d)", *a->ede_text ? a->ede_text : a->ede_code == 3 ? "stale answer" : "extended error", a->ede_code);
    else
        copy_text(buf, size, a->error);
}

static bool is_silence(const struct dns_answer *a)
{
    return a->status == DNS_TIMEOUT || a->status == DNS_UNREACHABLE || a->status == DNS_REFUSED;
}

static void tell(struct source *s, const struct dns_answer *a, const struct dnsview *v)
{
    const struct watch *w = s->own;
    const struct plan_record *r = &s->plan->dns.records[w->record];
    char error[300];
    read_error(a, v, error, sizeof error);
    bool negative = a->status == DNS_NXDOMAIN || a->status == DNS_NODATA;
    RECORD(s->door, dns_seen, .resolver = resolver_of(s)->name, .record = r->name, .type = r->type, .status = status_of(a, v),
        .answer = a->status == DNS_OK ? v->values : "", .ttl = negative ? (int64_t)a->min_ttl : v->ttl, .rtt_us = a->rtt_us, .error = error);
}

/* A look is one question per record; one lost question is no failure of the source. */
static void count_look(struct source *s, const struct dns_answer *a)
{
    struct watch *w = s->own;
    w->silent = is_silence(a) ? w->silent + 1 : 0;
    if (w->questions < s->plan->dns.nrecords)
        return;
    if (!w->silent)
        source_worked(s);
    else if (w->silent >= SILENT_AFTER)
        source_failed(s, "%s", a->error);
    else
        s->looks++;
}

static void take(struct source *s)
{
    struct watch *w = s->own;
    struct asked *asked = &w->asked[w->record];
    const struct dns_answer *a = dns_answer(w->query);
    struct dnsview v;
    dnsview_read(&v, &s->plan->dns.records[w->record], a);
    tell(s, a, &v);
    w->questions++;
    asked->silent = is_silence(a) ? asked->silent + 1 : 0;
    asked->due = next_due(s, asked, v.ttl);
    count_look(s, a);
    dns_query_free(w->query);
    w->query = NULL;
}

/* ---- the task ---- */

static void begin(struct source *s)
{
    struct watch *w = s->own;
    const struct plan_resolver *r = resolver_of(s);
    w->server = dns_server_new(s->loop, r->address, r->port);
    w->asked = xcalloc((size_t)s->plan->dns.nrecords, sizeof *w->asked);
    for (int i = 0; i < s->plan->dns.nrecords; i++)
        w->asked[i].due = clock_mono() + s->index * STAGGER % 500;
}

static void ask(struct source *s)
{
    struct watch *w = s->own;
    const struct plan_record *r = &s->plan->dns.records[w->record];
    w->query = dns_ask(&s->task, w->server, r->name, dnswire_type(r->type), !resolver_of(s)->authoritative, timeout(s));
}

static void run(struct task *t)
{
    struct source *s = (struct source *)t;
    struct watch *w = s->own;
    if (!w->asked)
        begin(s);
    if (!w->server) {
        source_failed(s, "%s is no address of a resolver", resolver_of(s)->address);
        task_sleep(t, s->pause);
        return;
    }
    switch (t->at) {
    case ANSWER:
        if (dns_busy(w->query)) {
            task_wait(t, 2 * LONGEST_WAIT);
            return;
        }
        take(s);
        t->at = PICK;
        /* fall through */
    case PICK:
        w->record = earliest(s);
        int64_t early = w->asked[w->record].due - clock_mono();
        if (early > 0) {
            task_sleep(t, early);
            return;
        }
        ask(s);
        t->at = ANSWER;
        task_wait(t, 2 * LONGEST_WAIT);
        return;
    }
}

static void free_own(struct source *s)
{
    struct watch *w = s->own;
    dns_query_free(w->query);
    dns_server_free(w->server);
    free(w->asked);
}

const struct source_kind source_dns = {
    .name = "dns",
    .own_size = sizeof(struct watch),
    .count = count,
    .name_of = name_of,
    .run = run,
    .free_own = free_own,
};
