/* http: a request is answered with the expected status, and its body shows the expected text. With an echo endpoint as url and
 * green's egress address as body, it proves what address green's webhooks come from. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/check/check.h"
#include "core/http.h"
#include "core/text.h"

enum { ASK, ANSWER };
enum { TIMEOUT = 10000 };

struct own {
    struct http *http;
};

static void judge(struct check_run *run)
{
    const struct http_result *r = http_result(((struct own *)run->own)->http);
    int expect = atoi(check_option(run, "expect", "200"));
    const char *body = check_option(run, "body", ""), *url = check_option(run, "url", "");
    char evidence[200], shown[120];
    text_line(shown, sizeof shown, r->body, r->body_len);
    snprintf(evidence, sizeof evidence, "GET %.60s: %d %s", url, r->status, shown);
    if (r->error != HTTP_OK && r->error != HTTP_STATUS)
        check_end(run, CHECK_FAIL, evidence, "%s", r->sentence);
    else if (r->status != expect)
        check_end(run, CHECK_FAIL, evidence, "%s answered %d instead of %d", url, r->status, expect);
    else if (*body && !strstr(r->body, body))
        check_end(run, CHECK_FAIL, evidence, "the answer of %s does not show \"%s\"", url, body);
    else
        check_end(run, CHECK_PASS, evidence, "answered %d%s%s", r->status, *body ? " and shows " : "", body);
}

static void work(struct task *task)
{
    struct check_run *run = (struct check_run *)task;
    struct own *o = run->own;
    if (task->at == ASK) {
        o->http = http_new(task);
        http_get(o->http, check_option(run, "url", ""), &(struct http_opts){.timeout_ms = TIMEOUT});
        task->at = ANSWER;
        task_wait(task, TIMEOUT + 1000);
    } else if (http_busy(o->http)) {
        task_wait(task, TIMEOUT + 1000);
    } else {
        judge(run);
    }
}

static void free_own(struct check_run *run)
{
    http_free(((struct own *)run->own)->http);
}

const struct check_kind check_http = {.name = "http", .own_size = sizeof(struct own), .run = work, .free_own = free_own};
