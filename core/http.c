#include "core/http.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base.h"
#include "core/dns.h"
#include "core/httpwire.h"
#include "core/task.h"
#include "core/text.h"

enum { HEADERS_MAX = 65536, BODY_DEFAULT = 65536, TIMEOUT_DEFAULT = 5000 };
enum { IDLE, BEGIN, RESOLVED, TRANSFER }; /* task.at */

struct http {
    struct task task;
    struct task *owner;
    struct httpwire *wire;
    struct dns_query *name;

    struct http_place place;    /* of the URL at hand */
    struct http_opts opts;      /* strings in the arena */
    const char *url, *first_host;
    int follows;
    struct arena arena;         /* of one request */

    bool busy, running;         /* running: curl has the request */
    int64_t started_us, wire_us, deadline_ms, timeout_ms;
    struct http_result result;
    struct buf body, headers;
    char sentence[512], address[80];
};

const char *http_error_name(enum http_error e)
{
    static const char *const names[] = {"ok", "dns", "connect", "tls", "timeout", "status", "body", "order"};
    return names[e];
}

/* ---- the end of a request ---- */

static void let_go(struct http *h)
{
    if (h->running)
        httpwire_stop(h->wire);
    h->running = false;
    dns_query_free(h->name);
    h->name = NULL;
}

static void finish(struct http *h)
{
    let_go(h);
    h->busy = false;
    h->result.total_us = clock_mono_us() - h->started_us;
    h->result.body = h->body.text;
    h->result.body_len = h->body.len;
    task_wake(h->owner);
}

static void fail(struct http *h, enum http_error error, const char *why)
{
    char line[900];
    const char *method = h->opts.method ? h->opts.method : "GET";
    snprintf(line, sizeof line, "%.16s %.300s%s%.80s: %.400s", method, *h->place.shown ? h->place.shown : "request",
             *h->address ? " at " : "", h->address, why);
    text_line(h->sentence, sizeof h->sentence, line, strlen(line));
    h->result.error = error;
    finish(h);
}

static int64_t left(const struct http *h)
{
    return MAX(h->deadline_ms - clock_mono(), (int64_t)0);
}

static void fail_late(struct http *h)
{
    char why[100];
    const char *what = h->name ? "no address" : h->result.status ? "the answer did not end" : "no answer";
    if (h->running)
        httpwire_info(h->wire, &h->result, h->address, sizeof h->address, h->wire_us - h->started_us);
    snprintf(why, sizeof why, "%s within %.1f s", what, (double)h->timeout_ms / 1000);
    fail(h, HTTP_TIMEOUT, why);
}

/* ---- what curl hands over ---- */

size_t http_take_body(struct http *h, const char *data, size_t len)
{
    size_t room = h->opts.body_limit - h->body.len;
    buf_add(&h->body, data, MIN(len, room));
    h->result.truncated = len > room;
    return len > room ? 0 : len; /* 0 ends the transfer */
}

/* Each answer begins with a status line: those of "100 Continue" and redirects are forgotten. */
size_t http_take_header(struct http *h, const char *data, size_t len)
{
    if (len > 5 && !memcmp(data, "HTTP/", 5)) {
        const char *p = memchr(data, ' ', len);
        h->headers.len = 0;
        h->result.status = p ? atoi(p + 1) : 0;
    }
    buf_add(&h->headers, data, MIN(len, HEADERS_MAX - h->headers.len));
    return len;
}

/* The value of the header line at p, NULL if it is another header. */
static const char *value_of(const char *p, const char *name, size_t *len)
{
    size_t n = strlen(name);
    if (strncasecmp(p, name, n) || p[n] != ':')
        return NULL;
    p += n + 1;
    p += strspn(p, " \t");
    *len = strcspn(p, "\r\n");
    return p;
}

static const char *next_line(const char *p)
{
    p += strcspn(p, "\n");
    return p + (*p == '\n');
}

const char *http_header(const struct http *h, const char *name)
{
    size_t len;
    for (const char *p = h->headers.text; *p; p = next_line(p)) {
        const char *v = value_of(p, name, &len);
        if (v)
            return arena_strndup((struct arena *)&h->arena, v, len);
    }
    return "";
}

static const char *collect_cookies(struct http *h)
{
    struct buf b = {0};
    size_t len;
    for (const char *p = h->headers.text; *p; p = next_line(p)) {
        const char *v = value_of(p, "Set-Cookie", &len);
        if (!v)
            continue;
        buf_puts(&b, b.len ? "; " : "");
        buf_add(&b, v, MIN(len, strcspn(v, ";")));
    }
    const char *kept = arena_strdup(&h->arena, b.text ? b.text : "");
    buf_free(&b);
    return kept;
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* A redirect is followed here, not by curl: its name must be resolved without blocking too. */
static bool follow(struct http *h)
{
    const char *to = httpwire_redirect(h->wire);
    if (!to || !is_redirect(h->result.status) || h->follows >= h->opts.follow)
        return false;
    h->url = arena_strdup(&h->arena, to);
    h->follows++;
    if (h->result.status == 303 || (h->result.status < 303 && h->opts.body)) {
        h->opts.method = NULL;
        h->opts.body = NULL;
    }
    h->body.len = 0;
    h->body.text[0] = '\0';
    let_go(h);
    h->task.at = BEGIN;
    task_wait(&h->task, left(h));
    task_wake(&h->task);
    return true;
}

void http_take_end(struct http *h, enum http_error error, const char *why)
{
    if (!h->busy)
        return;
    httpwire_info(h->wire, &h->result, h->address, sizeof h->address, h->wire_us - h->started_us);
    if (h->result.truncated)
        error = HTTP_OK;
    if (error != HTTP_OK) {
        fail(h, error, why);
        return;
    }
    if (follow(h))
        return;
    h->result.set_cookie = collect_cookies(h);
    h->result.location = http_header(h, "Location");
    if (h->opts.want_cert)
        httpwire_cert(h->wire, &h->result, &h->arena);
    char status[40];
    snprintf(status, sizeof status, "the server answers %d", h->result.status);
    if (h->result.status >= 400)
        fail(h, HTTP_STATUS, status);
    else
        finish(h);
}

/* ---- on the way ---- */

static bool is_literal(const char *host)
{
    uint8_t raw[16];
    return inet_pton(AF_INET, host, raw) == 1 || inet_pton(AF_INET6, host, raw) == 1;
}

static void transfer(struct http *h, const struct dns_answer *addresses)
{
    h->task.at = TRANSFER;
    h->wire_us = clock_mono_us();
    h->running = true;
    task_wait(&h->task, left(h));
    httpwire_start(h->wire, h->url, &h->place, &h->opts, addresses);
}

static void begin(struct http *h)
{
    struct err err;
    if (!httpwire_place(&h->place, h->url, h->opts.connect_to, &err)) {
        fail(h, HTTP_BAD_ORDER, err.text);
        return;
    }
    if (!h->first_host)
        h->first_host = arena_strdup(&h->arena, h->place.host);
    else if (strcmp(h->first_host, h->place.host)) {
        h->opts.connect_to = NULL; /* it was meant for the first host, and so were the secrets */
        h->opts.cookie = NULL;
        h->opts.headers = NULL;
        httpwire_place(&h->place, h->url, NULL, &err);
    }
    if (h->opts.unix_socket || is_literal(h->place.target)) {
        transfer(h, NULL);
        return;
    }
    h->name = dns_resolve(&h->task, h->place.target, left(h));
    h->task.at = RESOLVED;
    task_wait(&h->task, left(h));
}

static void take_addresses(struct http *h)
{
    const struct dns_answer *a = dns_answer(h->name);
    h->result.dns_us = clock_mono_us() - h->started_us;
    if (a->status != DNS_OK) {
        fail(h, HTTP_DNS, a->error);
        return;
    }
    transfer(h, a);
    dns_query_free(h->name);
    h->name = NULL;
}

static void run(struct task *t)
{
    struct http *h = (struct http *)t;
    if (h->busy && t->woke == WOKE_TIME && left(h) == 0)
        fail_late(h);
    if (h->busy)
        switch (t->at) {
        case BEGIN: begin(h); break;
        case RESOLVED:
            if (dns_busy(h->name))
                task_wait(t, left(h));
            else
                take_addresses(h);
            break;
        case TRANSFER: task_wait(t, left(h)); break;
        }
    if (h->busy)
        return;
    t->at = IDLE;
    task_wait(t, -1);
}

/* ---- orders ---- */

static const char *const *keep_list(struct arena *a, const char *const *list)
{
    size_t n = 0;
    while (list && list[n])
        n++;
    const char **copy = arena_alloc(a, (n + 1) * sizeof *copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = arena_strdup(a, list[i]);
    return copy;
}

static const char *keep(struct arena *a, const char *s)
{
    return s ? arena_strdup(a, s) : NULL;
}

static void keep_opts(struct http *h, const struct http_opts *o)
{
    struct arena *a = &h->arena;
    h->opts = *o;
    h->opts.headers = keep_list(a, o->headers);
    h->opts.body_len = o->body && !o->body_len ? strlen(o->body) : o->body_len;
    h->opts.body = o->body ? arena_strndup(a, o->body, h->opts.body_len) : NULL;
    h->opts.method = o->method ? keep(a, o->method) : o->body ? "POST" : NULL;
    h->opts.connect_to = keep(a, o->connect_to);
    h->opts.cookie = keep(a, o->cookie);
    h->opts.cafile = keep(a, o->cafile);
    h->opts.unix_socket = keep(a, o->unix_socket);
    h->opts.body_limit = o->body_limit ? o->body_limit : BODY_DEFAULT;
    h->timeout_ms = o->timeout_ms > 0 ? o->timeout_ms : TIMEOUT_DEFAULT;
}

static void clear(struct http *h)
{
    arena_free(&h->arena);
    h->body.len = h->headers.len = 0;
    buf_puts(&h->body, "");
    buf_puts(&h->headers, "");
    h->sentence[0] = h->address[0] = '\0';
    h->place = (struct http_place){0};
    h->first_host = NULL;
    h->follows = 0;
    h->result = (struct http_result){.sentence = h->sentence, .address = h->address, .set_cookie = "", .location = "",
                                     .body = h->body.text, .cert_subject = "", .cert_names = "", .cert_until = ""};
}

static void release(struct task *t)
{
    free(t);
}

struct http *http_new(struct task *owner)
{
    struct http *h = xcalloc(1, sizeof *h);
    h->owner = owner;
    h->wire = httpwire_new(owner->loop, h);
    clear(h);
    task_start(&h->task, owner->loop, run, release);
    return h;
}

void http_request(struct http *h, const char *url, const struct http_opts *opts)
{
    static const struct http_opts plain;
    if (h->busy)
        die("http: a request for %s while another one runs", h->place.shown);
    clear(h);
    keep_opts(h, opts ? opts : &plain);
    h->url = arena_strdup(&h->arena, url);
    h->busy = true;
    h->started_us = clock_mono_us();
    h->deadline_ms = clock_mono() + h->timeout_ms;
    h->task.at = BEGIN;
    task_wait(&h->task, h->timeout_ms);
    task_wake(&h->task);
}

void http_get(struct http *h, const char *url, const struct http_opts *opts)
{
    http_request(h, url, opts);
}

void http_post(struct http *h, const char *url, const char *body, const struct http_opts *opts)
{
    struct http_opts o = opts ? *opts : (struct http_opts){0};
    o.body = body;
    o.body_len = 0;
    http_request(h, url, &o);
}

bool http_busy(const struct http *h)
{
    return h->busy;
}

const struct http_result *http_result(const struct http *h)
{
    return &h->result;
}

void http_cancel(struct http *h)
{
    struct task *owner = h->owner;
    h->owner = NULL;
    if (h->busy)
        fail(h, HTTP_TIMEOUT, "cancelled");
    h->owner = owner;
}

void http_free(struct http *h)
{
    if (!h)
        return;
    h->owner = NULL;
    h->busy = false;
    let_go(h);
    httpwire_free(h->wire);
    arena_free(&h->arena);
    buf_free(&h->body);
    buf_free(&h->headers);
    task_stop(&h->task);
}
