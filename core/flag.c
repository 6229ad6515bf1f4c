#include "core/flag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/child.h"
#include "core/http.h"

struct flag {
    char *name, *url, **run;
    struct task *owner;
    struct child *child; /* one of both */
    struct http *http;
    char error[300];
};

struct flag *flag_new(struct task *owner, const struct plan_flag *plan)
{
    struct flag *f = xcalloc(1, sizeof *f);
    f->owner = owner;
    f->name = xstrdup(plan->name);
    f->url = xstrdup(plan->url);
    f->run = xcalloc((size_t)plan->nrun + 1, sizeof *f->run);
    for (int i = 0; i < plan->nrun; i++)
        f->run[i] = xstrdup(plan->run[i]);
    if (plan->nrun == 0)
        f->http = http_new(owner);
    return f;
}

static void run_program(struct flag *f, bool on, int64_t timeout_ms)
{
    const char *const env[] = {on ? "CUTOVER_FENCE=on" : "CUTOVER_FENCE=off", NULL};
    child_free(f->child);
    f->child = child_new(f->owner);
    child_start(f->child, &(struct child_opts){.argv = (const char *const *)f->run, .env = env, .timeout_ms = timeout_ms, .grace_ms = 200});
}

static void send_request(struct flag *f, bool on, int64_t timeout_ms)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    if (http_busy(f->http))
        http_cancel(f->http);
    http_post(f->http, f->url, on ? "{\"fence\":\"on\"}" : "{\"fence\":\"off\"}", &(struct http_opts){.timeout_ms = timeout_ms, .headers = headers});
}

void flag_set(struct flag *f, bool on, int64_t timeout_ms)
{
    if (f->http)
        send_request(f, on, timeout_ms);
    else
        run_program(f, on, timeout_ms);
}

bool flag_busy(const struct flag *f)
{
    return f->http ? http_busy(f->http) : f->child && child_busy(f->child);
}

bool flag_failed(const struct flag *f)
{
    return f->http ? http_result(f->http)->error != HTTP_OK : f->child && child_failed(f->child);
}

const char *flag_error(const struct flag *f)
{
    struct flag *w = (struct flag *)f; /* only the text is written */
    const char *error = f->http ? http_result(f->http)->sentence : f->child ? child_error(f->child) : "";
    size_t len = strlen(error);
    snprintf(w->error, sizeof w->error, "%.290s%s", error, len && error[len - 1] != '.' ? "." : "");
    return f->error;
}

const char *flag_name(const struct flag *f)
{
    return f->name;
}

void flag_free(struct flag *f)
{
    if (!f)
        return;
    child_free(f->child);
    http_free(f->http);
    for (char **word = f->run; *word; word++)
        free(*word);
    free(f->run);
    free(f->url);
    free(f->name);
    free(f);
}
