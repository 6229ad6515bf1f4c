/* Questions and what becomes of them. How c-ares is tamed stands in core/dnschannel.c. */
#include "core/dns.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "core/dnschannel.h"
#include "core/dnswire.h"
#include "core/task.h"
#include "core/text.h"

enum { QUESTIONS_PER_PORT = 64 };

/* One of the two ways to ask a server: without or with recursion. */
struct line {
    struct dnschannel *channel; /* made when first used */
    int questions;              /* that went out through it */
    int open;                   /* of them, those that c-ares still holds */
    bool stale;                 /* a question got no answer: the next one goes out from another port */
};
struct dns_server {
    uv_loop_t *loop;
    char where[INET6_ADDRSTRLEN + 16];
    struct line line[2];
};

struct dns_query {
    struct task *owner;
    struct task_timer *deadline;
    struct dnschannel *own;    /* of dns_resolve: lives as long as the query */
    struct line *line;      /* through which it went out; NULL: it is resolved by the system */
    bool pending;           /* c-ares still holds this pointer */
    bool busy, freed;
    char *name;
    char where[INET6_ADDRSTRLEN + 16];
    int type;
    int64_t started_us, timeout_ms;
    struct dns_answer answer;
    struct dns_record *records;
    int room;
    struct arena arena;
};

/* ---- servers ---- */

struct dns_server *dns_server_new(uv_loop_t *loop, const char *address, int port)
{
    uint8_t raw[16];
    bool v6 = inet_pton(AF_INET6, address, raw) == 1;
    if ((!v6 && inet_pton(AF_INET, address, raw) != 1) || port < 1 || port > 65535)
        return NULL;
    struct dns_server *s = xcalloc(1, sizeof *s);
    s->loop = loop;
    snprintf(s->where, sizeof s->where, v6 ? "[%s]:%d" : "%s:%d", address, port);
    return s;
}

void dns_server_free(struct dns_server *s)
{
    if (!s)
        return;
    dnschannel_free(s->line[0].channel);
    dnschannel_free(s->line[1].channel);
    free(s);
}

int dns_system_servers(struct dns_place *places, int most)
{
    struct ares_addr_port_node *list = dnschannel_system_servers();
    int n = 0;
    for (const struct ares_addr_port_node *s = list; s && n < most; s = s->next) {
        if (!inet_ntop(s->family, &s->addr, places[n].address, sizeof places[n].address))
            continue;
        places[n++].port = s->udp_port ? s->udp_port : 53;
    }
    if (list)
        ares_free_data(list);
    return n;
}

/* ---- what came back ---- */

const char *dns_status_name(enum dns_status s)
{
    static const char *const names[] = {"ok",      "NXDOMAIN", "no data",     "SERVFAIL",
                                        "REFUSED", "timeout",  "unreachable", "bad answer"};
    return names[s];
}

static void explain(struct dns_query *q, const char *reason)
{
    static const char *const said[] = {
        [DNS_NXDOMAIN] = "the name does not exist", [DNS_NODATA] = "the name has no record of this type",
        [DNS_SERVFAIL] = "the server failed (SERVFAIL)", [DNS_REFUSED] = "the server refuses the question",
        [DNS_UNREACHABLE] = "nobody answers there", [DNS_BAD_ANSWER] = "the answer is no DNS message",
        [DNS_OK] = "", [DNS_TIMEOUT] = "",
    };
    struct dns_answer *a = &q->answer;
    char late[64], name[300];
    snprintf(late, sizeof late, "no answer within %.1f s", (double)q->timeout_ms / 1000);
    text_clean_string(name, sizeof name, q->name);
    reason = reason ? reason : a->status == DNS_TIMEOUT ? late : said[a->status];
    a->error = arena_printf(&q->arena, "%s %s at %s: %s%s%s%s", name, dnswire_type_name(q->type), q->where, reason,
                            *a->ede_text ? " (" : "", a->ede_text, *a->ede_text ? ")" : "");
}

static void finish(struct dns_query *q, enum dns_status status, const char *reason)
{
    if (!q->busy)
        return;
    q->busy = false;
    q->answer.status = status;
    q->answer.rtt_us = clock_mono_us() - q->started_us;
    q->answer.records = q->records;
    q->answer.error = "";
    if (status != DNS_OK)
        explain(q, reason);
    task_timer_set(q->deadline, -1);
    task_wake(q->owner);
}

static void add_record(struct dns_query *q, const char *name, int type, uint32_t ttl, const char *text, const char *exact)
{
    struct dns_answer *a = &q->answer;
    if (a->count == q->room) {
        q->room = MAX(8, q->room * 2);
        q->records = xrealloc(q->records, (size_t)q->room * sizeof *q->records);
    }
    q->records[a->count] =
        (struct dns_record){arena_strdup(&q->arena, name), type, ttl, arena_strdup(&q->arena, text), arena_strdup(&q->arena, exact)};
    a->min_ttl = a->count ? MIN(a->min_ttl, ttl) : ttl;
    a->count++;
}

/* The SOA that came with the answer: its serial, and how long "no such record" may be kept (RFC 2308 5). */
static void read_soa(struct dns_query *q, const struct dnswire_record *r)
{
    unsigned serial, refresh, retry, expire, minimum;
    if (r->type != DNS_SOA ||
        sscanf(r->text, "%*s %*s %u %u %u %u %u", &serial, &refresh, &retry, &expire, &minimum) != 5)
        return;
    q->answer.soa_serial = serial;
    if (!q->answer.count)
        q->answer.min_ttl = MIN(r->ttl, minimum);
}

static enum dns_status judge(const struct dns_query *q, const struct dnswire_message *m)
{
    switch (m->rcode) {
    case 0: break;
    case 2: return DNS_SERVFAIL;
    case 3: return DNS_NXDOMAIN;
    case 4:
    case 5:
    case 9: return DNS_REFUSED;
    default: return DNS_BAD_ANSWER;
    }
    for (int i = 0; i < q->answer.count; i++)
        if (q->type == DNS_ANY || q->records[i].type == q->type)
            return DNS_OK;
    return DNS_NODATA;
}

static void read_message(struct dns_query *q, const struct dnswire_message *m)
{
    struct dns_answer *a = &q->answer;
    a->rcode = m->rcode;
    a->aa = m->aa;
    a->tc = m->tc;
    a->ad = m->ad;
    a->ede_code = m->ede_code;
    a->ede_text = arena_strdup(&q->arena, m->ede_text);
    for (int i = 0; i < m->count; i++)
        if (m->records[i].section == DNSWIRE_ANSWER && m->records[i].class == DNS_IN)
            add_record(q, m->records[i].name, m->records[i].type, m->records[i].ttl, m->records[i].text, m->records[i].exact);
    for (int i = 0; i < m->count; i++)
        if (m->records[i].section != DNSWIRE_ADDITIONAL)
            read_soa(q, &m->records[i]);
    char rcode[64];
    snprintf(rcode, sizeof rcode, "the server answers %s", dnswire_rcode_name(m->rcode));
    enum dns_status status = judge(q, m);
    finish(q, status, status == DNS_BAD_ANSWER ? rcode : NULL);
}

static enum dns_status status_of_failure(int ares)
{
    switch (ares) {
    case ARES_ETIMEOUT: return DNS_TIMEOUT;
    case ARES_EBADRESP:
    case ARES_EFORMERR:
    case ARES_EBADNAME: return DNS_BAD_ANSWER;
    case ARES_ENOTFOUND: return DNS_NXDOMAIN;
    case ARES_ENODATA: return DNS_NODATA;
    default: return DNS_UNREACHABLE;
    }
}

/* ---- freeing: c-ares cannot take back one question, so a freed query waits for its callback ---- */

static void free_now(struct dns_query *q)
{
    task_timer_free(q->deadline);
    arena_free(&q->arena);
    free(q->records);
    free(q->name);
    free(q);
}

/* True if the query is still of interest. */
static bool take_back(struct dns_query *q, bool answered)
{
    q->pending = false;
    if (q->line) {
        q->line->open--;
        q->line->stale |= !answered;
    }
    if (!q->freed)
        return q->busy;
    free_now(q);
    return false;
}

void dns_query_free(struct dns_query *q)
{
    if (!q)
        return;
    q->busy = false;
    q->owner = NULL;
    dnschannel_free(q->own);
    q->own = NULL;
    q->freed = true;
    task_timer_set(q->deadline, -1);
    if (!q->pending)
        free_now(q);
}

bool dns_busy(const struct dns_query *q)
{
    return q->busy;
}

const struct dns_answer *dns_answer(const struct dns_query *q)
{
    return &q->answer;
}

/* ---- asking ---- */

static void on_deadline(void *arg)
{
    finish(arg, DNS_TIMEOUT, NULL);
}

static struct dns_query *new_query(struct task *owner, uv_loop_t *loop, const char *name, int type, int64_t timeout_ms)
{
    struct dns_query *q = xcalloc(1, sizeof *q);
    q->owner = owner;
    q->name = xstrdup(name);
    q->type = type;
    q->busy = true;
    q->timeout_ms = MIN(MAX(timeout_ms, (int64_t)0), (int64_t)DNSCHANNEL_LONGEST_MS);
    q->started_us = clock_mono_us();
    q->answer = (struct dns_answer){.rcode = -1, .ede_code = -1, .ede_text = "", .error = ""};
    q->deadline = task_timer_new(loop, on_deadline, q);
    task_timer_set(q->deadline, q->timeout_ms);
    return q;
}

/* From 1.28 on the bytes are a re-serialised copy; names, values and TTLs are the same. A FORMERR is a verdict with a
 * buffer. */
static void on_answer(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
    struct dns_query *q = arg;
    (void)timeouts;
    if (!take_back(q, bytes && len > 0))
        return;
    struct dnswire_message m;
    struct err err = {0};
    if (!bytes || len <= 0) {
        finish(q, status_of_failure(status), status == ARES_EBADNAME ? "that is no domain name" : NULL);
        return;
    }
    if (dnswire_parse(&m, bytes, (size_t)len, &err))
        read_message(q, &m);
    else
        finish(q, DNS_BAD_ANSWER, err.text);
    dnswire_free(&m);
}

/* A line that nobody waits for any more is renewed when its port has been used for long enough. */
static void open_line(struct dns_server *s, struct line *l, bool recursion)
{
    if (l->channel && l->open == 0 && (l->stale || l->questions >= QUESTIONS_PER_PORT)) {
        dnschannel_free(l->channel);
        *l = (struct line){0};
    }
    if (!l->channel)
        l->channel = dnschannel_new(s->loop, s->where, recursion);
}

struct dns_query *dns_ask(struct task *owner, struct dns_server *s, const char *name, int type, bool recursion,
                          int64_t timeout_ms)
{
    struct dns_query *q = new_query(owner, s->loop, name, type, timeout_ms);
    copy_text(q->where, sizeof q->where, s->where);
    struct line *l = &s->line[recursion];
    open_line(s, l, recursion);
    q->line = l;
    q->pending = true;
    l->questions++;
    l->open++;
    ares_query(l->channel->ares, name, DNS_IN, type, on_answer, q);
    dnschannel_rearm(l->channel);
    return q;
}

/* ---- names through the system ---- */

static void add_address(struct dns_query *q, int family, const void *raw, int ttl)
{
    char text[INET6_ADDRSTRLEN];
    if (inet_ntop(family, raw, text, sizeof text))
        add_record(q, q->name, family == AF_INET ? DNS_A : DNS_AAAA, (uint32_t)MAX(ttl, 0), text, text);
}

static void on_addresses(void *arg, int status, int timeouts, struct ares_addrinfo *found)
{
    struct dns_query *q = arg;
    (void)timeouts;
    if (take_back(q, found)) {
        for (struct ares_addrinfo_node *n = found ? found->nodes : NULL; n; n = n->ai_next)
            if (n->ai_family == AF_INET)
                add_address(q, AF_INET, &((struct sockaddr_in *)(void *)n->ai_addr)->sin_addr, n->ai_ttl);
            else if (n->ai_family == AF_INET6)
                add_address(q, AF_INET6, &((struct sockaddr_in6 *)(void *)n->ai_addr)->sin6_addr, n->ai_ttl);
        finish(q, q->answer.count ? DNS_OK : status_of_failure(status), NULL);
    }
    if (found)
        ares_freeaddrinfo(found);
}

/* Literal addresses, and localhost, which is never asked for (RFC 6761 6.3). */
static bool answer_at_once(struct dns_query *q)
{
    uint8_t raw[16];
    if (inet_pton(AF_INET, q->name, raw) == 1)
        add_address(q, AF_INET, raw, 0);
    else if (inet_pton(AF_INET6, q->name, raw) == 1)
        add_address(q, AF_INET6, raw, 0);
    else if (dnswire_same_name(q->name, "localhost")) {
        add_address(q, AF_INET, &(struct in_addr){htonl(INADDR_LOOPBACK)}, 0);
        add_address(q, AF_INET6, &in6addr_loopback, 0);
    }
    if (q->answer.count)
        finish(q, DNS_OK, NULL);
    return q->answer.count > 0;
}

struct dns_query *dns_resolve(struct task *owner, const char *name, int64_t timeout_ms)
{
    struct dns_query *q = new_query(owner, owner->loop, name, DNS_A, timeout_ms);
    copy_text(q->where, sizeof q->where, "the system's resolvers");
    if (answer_at_once(q))
        return q;
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = ARES_AI_NOSORT};
    q->own = dnschannel_new(owner->loop, NULL, true);
    q->pending = true;
    ares_getaddrinfo(q->own->ares, name, NULL, &hints, on_addresses, q);
    dnschannel_rearm(q->own);
    return q;
}
