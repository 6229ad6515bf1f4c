/* tls: green serves a certificate for the real names before DNS moves: the connection goes to green's address, the name is the public one
 * (SNI and verification). Chain, name and the days that are left are proven. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/check/check.h"
#include "core/dnsview.h"
#include "core/http.h"

enum { ASK, ANSWER }; /* task.at */
enum { ASK_MS = 10000, DAY_MS = 24 * 3600 * 1000 };

struct work {
    struct http *http;
    int at;            /* of the names */
    int64_t soonest;   /* when the first of their certificates ends, wall ms */
    char first[256];   /* whose that is */
    struct buf evidence;
};

/* The names of the option, or those of the plan's records. NULL behind the last. */
static const char *host_at(const struct check_run *run, int i)
{
    const struct plan_option *o = plan_option_find(run->check->options, run->check->noptions, "hosts");
    if (o)
        return i < o->nvalues ? o->values[i] : NULL;
    return i < run->plan->dns.nrecords ? run->plan->dns.records[i].name : NULL;
}

static int port_of(const struct check_run *run)
{
    return atoi(check_option(run, "port", "443"));
}

static void ask(struct check_run *run)
{
    struct work *w = run->own;
    const char *address = check_option(run, "address", run->plan->side[GREEN].address), *cafile = check_option(run, "cafile", NULL);
    char place[100], url[400];
    dnsview_place(address, port_of(run), place, sizeof place);
    snprintf(url, sizeof url, "https://%s:%d/", host_at(run, w->at), port_of(run));
    http_get(w->http, url, &(struct http_opts){.timeout_ms = ASK_MS, .connect_to = place, .cafile = cafile, .fresh = true, .want_cert = true});
    run->task.at = ANSWER;
    task_wait(&run->task, 2 * ASK_MS);
}

static void end(struct check_run *run)
{
    const struct work *w = run->own;
    const char *evidence = w->evidence.text ? w->evidence.text : "";
    int64_t days = (w->soonest - clock_wall()) / DAY_MS, least = atoi(check_option(run, "days", "14"));
    if (w->at == 0)
        check_end(run, CHECK_UNKNOWN, "", "There is no name to look at; add  hosts = [ ... ].");
    else if (days < least)
        check_end(run, CHECK_FAIL, evidence, "Green's certificate for %s ends in %lld days; %lld are wanted. Renew it before the move.", w->first, (long long)days, (long long)least);
    else
        check_end(run, CHECK_PASS, evidence, "Green serves valid certificates for %d name%s; the first one, of %s, ends in %lld days.", w->at, w->at == 1 ? "" : "s", w->first, (long long)days);
}

/* An answer of any status, or none at all behind a finished handshake, has shown its certificate. */
static void take(struct check_run *run)
{
    struct work *w = run->own;
    const struct http_result *r = http_result(w->http);
    const char *host = host_at(run, w->at);
    if (!r->cert_until_ms) {
        check_end(run, r->error == HTTP_TLS ? CHECK_FAIL : CHECK_UNKNOWN, w->evidence.text ? w->evidence.text : "", "%s on green: %s", host, *r->sentence ? r->sentence : "it showed no certificate");
        return;
    }
    if (!w->soonest || r->cert_until_ms < w->soonest) {
        w->soonest = r->cert_until_ms;
        copy_text(w->first, sizeof w->first, host);
    }
    buf_printf(&w->evidence, "%s%s: %s, until %s", w->at ? "; " : "", host, r->cert_names, r->cert_until);
    w->at++;
}

static void work(struct task *task)
{
    struct check_run *run = (struct check_run *)task;
    struct work *w = run->own;
    if (task->at == ASK) {
        w->http = http_new(task);
    } else if (http_busy(w->http)) {
        task_wait(task, 2 * ASK_MS);
        return;
    } else {
        take(run);
    }
    if (run->ended)
        return;
    if (host_at(run, w->at))
        ask(run);
    else
        end(run);
}

static void free_own(struct check_run *run)
{
    struct work *w = run->own;
    http_free(w->http);
    buf_free(&w->evidence);
}

const struct check_kind check_tls = {.name = "tls", .own_size = sizeof(struct work), .run = work, .free_own = free_own};
