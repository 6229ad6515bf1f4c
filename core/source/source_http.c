/* Probes of one side, open loop: each request has a planned instant, and its latency runs from there. A server that stalls
 * for five seconds is late for every instant in them, not for one (coordinated omission). A second's answers are one event. */
#include <stdio.h>
#include <string.h>

#include "core/http.h"
#include "core/source/source.h"
#include "core/text.h"

enum { PLAN, SEND, ANSWER };

struct own {
    struct http *http;
    char url[512];
    int64_t planned;      /* clock_mono of the instant that is being served */
    int64_t second;       /* wall second of the sums below */
    int64_t ok, failed;
    struct latency latency;
    char error[160];
};

static enum side side_of(const struct source *s)
{
    return (enum side)(s->index % SIDES);
}

static const struct plan_probe *probe_of(const struct source *s)
{
    return &s->plan->traffic.probes[s->index / SIDES];
}

static int count(const struct plan *p)
{
    return SIDES * p->traffic.nprobes;
}

static void name_of(const struct plan *p, int index, char *buf, size_t size)
{
    snprintf(buf, size, "probe %s %s", p->traffic.probes[index / SIDES].name, side_names[index % SIDES]);
}

static void flush(struct source *s)
{
    struct own *o = s->own;
    int64_t second = clock_wall() / 1000;
    if (second == o->second)
        return;
    if (o->ok + o->failed) {
        RECORD(s->door, http_seen, .side = side_names[side_of(s)], .probe = probe_of(s)->name, .ok = o->ok, .failed = o->failed, .latency = o->latency, .error = o->error);
        source_worked(s);
    }
    o->second = second;
    o->ok = o->failed = 0;
    memset(&o->latency, 0, sizeof o->latency);
    o->error[0] = '\0';
}

static void book_failure(struct own *o, const char *kind, const char *sentence)
{
    char text[140];
    text_line(text, sizeof text, sentence, strlen(sentence));
    o->failed++;
    snprintf(o->error, sizeof o->error, "%s: %s", kind, text);
}

static void book(struct source *s)
{
    struct own *o = s->own;
    const struct plan_probe *p = probe_of(s);
    const struct http_result *r = http_result(o->http);
    char text[120];
    if (r->error != HTTP_OK && r->error != HTTP_STATUS) {
        book_failure(o, http_error_name(r->error), r->sentence);
    } else if (r->status != p->expect) {
        snprintf(text, sizeof text, "%d instead of %d", r->status, p->expect);
        book_failure(o, "status", text);
    } else if (*p->body && !strstr(r->body, p->body)) {
        snprintf(text, sizeof text, "the answer does not hold \"%.60s\"", p->body);
        book_failure(o, "body", text);
    } else {
        o->ok++;
        latency_add(&o->latency, (clock_mono() - o->planned) * 1000);
    }
}

/* Instants that could not be served within the time-out are failures, not forgotten. */
static void drop_late(struct source *s)
{
    struct own *o = s->own;
    const struct plan_probe *p = probe_of(s);
    while (clock_mono() - o->planned > p->timeout) {
        book_failure(o, "timeout", "the request before was still waiting");
        o->planned += p->interval;
        flush(s);
    }
}

static void run(struct task *task)
{
    struct source *s = (struct source *)task;
    struct own *o = s->own;
    const struct plan_probe *p = probe_of(s);
    switch (task->at) {
    case PLAN:
        if (!o->http) {
            o->http = http_new(task);
            snprintf(o->url, sizeof o->url, "%s%s", s->plan->side[side_of(s)].url, p->path);
            /* Probes of one interval are spread over it, and both sides share their instants. */
            o->planned = clock_mono() + p->interval * (s->index / SIDES) / s->plan->traffic.nprobes;
        } else {
            o->planned += p->interval;
            drop_late(s);
        }
        task->at = SEND;
        task_sleep(task, MAX(o->planned - clock_mono(), (int64_t)0));
        return;
    case SEND:
        flush(s);
        http_get(o->http, o->url, &(struct http_opts){.timeout_ms = p->timeout});
        task->at = ANSWER;
        task_wait(task, p->timeout + 1000);
        return;
    case ANSWER:
        if (http_busy(o->http) && task->woke != WOKE_TIME) {
            task_wait(task, p->timeout + 1000);
            return;
        }
        book(s);
        flush(s);
        task->at = PLAN;
        task_sleep(task, 0);
        return;
    }
}

static void free_own(struct source *s)
{
    struct own *o = s->own;
    http_free(o->http);
}

const struct source_kind source_http = {.name = "http", .own_size = sizeof(struct own), .count = count, .name_of = name_of, .run = run, .free_own = free_own};
