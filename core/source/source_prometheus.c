/* The error share of both sides as Prometheus tells it: HTTP API, /api/v1/query. Absent and NaN are unknown, never zero. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/http.h"
#include "core/source/source.h"

enum { ASK, ANSWER };
enum { INTERVAL = 5000, TIMEOUT = 3000 };

struct own {
    struct http *http;
    int side;
};

static int count(const struct plan *p)
{
    return *p->traffic.prometheus ? 1 : 0;
}

static void name_of(const struct plan *p, int index, char *buf, size_t size)
{
    (void)p, (void)index;
    copy_text(buf, size, "prometheus");
}

/* RFC 3986 section 2.1 */
static void add_encoded(struct buf *url, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || strchr("-._~", *c))
            buf_add(url, (const char *)c, 1);
        else
            buf_printf(url, "%%%02X", *c);
}

/* {"data":{"result":[{"value":[time,"0.012"]}]}} -> ppm; UNKNOWN when there is no such number. */
static int64_t read_share(const char *body, size_t len)
{
    json_t *o = json_loadb(body, len, 0, NULL);
    const json_t *result = json_object_get(json_object_get(o, "data"), "result");
    const char *text = json_string_value(json_array_get(json_object_get(json_array_get(result, 0), "value"), 1));
    double v = text ? strtod(text, NULL) : (double)NAN;
    json_decref(o);
    return isfinite(v) && v >= 0 && v <= 1 ? (int64_t)llround(v * 1e6) : UNKNOWN;
}

static void ask(struct source *s)
{
    struct own *o = s->own;
    struct buf url = {0};
    if (!o->http)
        o->http = http_new(&s->task);
    buf_printf(&url, "%s/api/v1/query?query=", s->plan->traffic.prometheus);
    add_encoded(&url, s->plan->traffic.query[o->side]);
    http_get(o->http, url.text, &(struct http_opts){.timeout_ms = TIMEOUT});
    buf_free(&url);
}

static bool look(struct source *s)
{
    struct own *o = s->own;
    const struct http_result *r = http_result(o->http);
    bool ok = r->error == HTTP_OK;
    RECORD(s->door, prometheus_seen, .side = side_names[o->side], .ppm = ok ? read_share(r->body, r->body_len) : UNKNOWN, .error = r->sentence);
    if (!ok)
        source_failed(s, "%s", r->sentence);
    return ok;
}

static void run(struct task *task)
{
    struct source *s = (struct source *)task;
    struct own *o = s->own;
    switch (task->at) {
    case ASK:
        ask(s);
        task->at = ANSWER;
        task_wait(task, TIMEOUT + 1000);
        return;
    case ANSWER:
        if (http_busy(o->http)) {
            task_wait(task, TIMEOUT + 1000);
            return;
        }
        bool ok = look(s);
        o->side = (o->side + 1) % SIDES;
        task->at = ASK;
        if (ok && o->side == BLUE)
            source_worked(s);
        task_sleep(task, !ok ? s->pause : o->side == BLUE ? INTERVAL : 0);
        return;
    }
}

static void free_own(struct source *s)
{
    http_free(((struct own *)s->own)->http);
}

const struct source_kind source_prometheus = {.name = "prometheus", .own_size = sizeof(struct own), .count = count, .name_of = name_of, .run = run, .free_own = free_own};
