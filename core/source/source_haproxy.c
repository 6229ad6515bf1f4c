/* The balancer's counters, once a second. What failed is counted as selections minus good answers: a server that is dead
 * and unchecked shows no 5xx in its own row. */
#include <stdio.h>
#include <string.h>

#include "core/haproxy.h"
#include "core/sock.h"
#include "core/source/source.h"
#include "core/text.h"

enum { ASK, ANSWER };
enum { INTERVAL = 1000, TIMEOUT = 2000 };

struct own {
    struct sock *sock;
    struct haproxy_row last[SIDES];
    bool seen[SIDES];
};

static int count(const struct plan *p)
{
    return *p->traffic.haproxy ? 1 : 0;
}

static void name_of(const struct plan *p, int index, char *buf, size_t size)
{
    (void)index;
    snprintf(buf, size, "balancer %s", p->traffic.backend);
}

static int64_t failed_of(const struct haproxy_row *r)
{
    return r->selected - r->good - r->in_flight;
}

static bool look_at(struct source *s, enum side side, const char *csv)
{
    struct own *o = s->own;
    const struct plan_traffic *t = &s->plan->traffic;
    struct haproxy_row now;
    if (!haproxy_find(csv, t->backend, t->server[side], &now))
        return false;
    struct haproxy_row *last = &o->last[side];
    bool counts = o->seen[side] && now.selected >= last->selected; /* a restarted balancer counts from zero */
    char status[16];
    text_line(status, sizeof status, now.status, strlen(now.status));
    RECORD(s->door, haproxy_seen, .side = side_names[side], .weight = now.weight, .status = status, .requests = counts ? now.selected - last->selected : 0,
        .failed = counts ? failed_of(&now) - failed_of(last) : 0, .sessions = now.in_flight);
    *last = now;
    o->seen[side] = true;
    return true;
}

static void look(struct source *s)
{
    struct own *o = s->own;
    const struct plan_traffic *t = &s->plan->traffic;
    if (sock_failed(o->sock)) {
        source_failed(s, "%s", sock_error(o->sock));
        return;
    }
    size_t len;
    const char *csv = sock_answer(o->sock, &len);
    for (int side = 0; side < SIDES; side++)
        if (!look_at(s, (enum side)side, csv)) {
            source_failed(s, "the balancer at %s has no server %s/%s; compare the plan's backend and servers with its configuration", t->haproxy, t->backend, t->server[side]);
            return;
        }
    source_worked(s);
}

static void run(struct task *task)
{
    struct source *s = (struct source *)task;
    struct own *o = s->own;
    switch (task->at) {
    case ASK:
        sock_free(o->sock);
        o->sock = sock_new(task);
        sock_converse(o->sock, s->plan->traffic.haproxy, "show stat\n", TIMEOUT);
        task->at = ANSWER;
        task_wait(task, TIMEOUT + 1000);
        return;
    case ANSWER:
        if (sock_busy(o->sock)) {
            task_wait(task, TIMEOUT + 1000);
            return;
        }
        look(s);
        task->at = ASK;
        task_sleep(task, s->failing ? s->pause : INTERVAL);
        return;
    }
}

static void free_own(struct source *s)
{
    sock_free(((struct own *)s->own)->sock);
}

const struct source_kind source_haproxy = {.name = "haproxy", .own_size = sizeof(struct own), .count = count, .name_of = name_of, .run = run, .free_own = free_own};
