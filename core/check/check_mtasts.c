/* mtasts: the policy that senders hold for up to max_age lists the servers that mail goes to now and after the move (RFC 8461). The record says
 * that there is one, the policy is fetched over HTTPS. Order when MX moves: policy first, then the id of the record, then MX (8.3); the old
 * server stays until max_age is over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/check/names.h"
#include "core/dnsview.h"
#include "core/dnswire.h"
#include "core/http.h"
#include "core/mail/mtasts.h"
#include "core/text.h"

enum { FETCH_MS = 10000 };

struct work {
    struct names names; /* first */
    struct http *http;
    char id[40];        /* of the record; "" before it is known */
};

static void fetch(struct check_run *run)
{
    struct work *w = run->own;
    const char *address = check_option(run, "address", NULL), *cafile = check_option(run, "cafile", NULL);
    int port = atoi(check_option(run, "port", "443"));
    char url[400], place[100];
    snprintf(url, sizeof url, "https://mta-sts.%s:%d/.well-known/mta-sts.txt", names_domain(run), port);
    if (address)
        dnsview_place(address, port, place, sizeof place);
    w->http = http_new(&run->task);
    http_get(w->http, url, &(struct http_opts){.timeout_ms = FETCH_MS, .connect_to = address ? place : NULL, .cafile = cafile, .fresh = true});
    task_wait(&run->task, 2 * FETCH_MS);
}

static bool next(struct check_run *run, struct names *n)
{
    struct work *w = run->own;
    if (*w->id) {
        fetch(run);
        return false;
    }
    snprintf(n->name, sizeof n->name, "_mta-sts.%s", names_domain(run));
    n->type = DNS_TXT;
    return true;
}

static void take(struct check_run *run, const struct dns_answer *a)
{
    struct work *w = run->own;
    const char *record = NULL;
    struct err err = {{0}};
    int found = names_find(a, DNS_TXT, "v=STSv1", &record);
    if (found == 0)
        check_end(run, CHECK_FAIL, "", "%s has no MTA-STS record, so no sender looks for a policy.", w->names.name);
    else if (found > 1)
        check_end(run, CHECK_FAIL, record, "%s has %d records that begin with v=STSv1: senders then take none. Leave one.", w->names.name, found);
    else if (!mtasts_parse_record(w->id, sizeof w->id, record, &err))
        check_end(run, CHECK_FAIL, record, "%s: %s", w->names.name, err.text);
}

/* The first host that the plan's option names and the policy does not list; NULL. */
static const char *unlisted(const struct check_run *run, const struct mtasts *p)
{
    const struct plan_option *o = plan_option_find(run->check->options, run->check->noptions, "hosts");
    for (int i = 0; o && i < o->nvalues; i++)
        if (!mtasts_lists(p, o->values[i]))
            return o->values[i];
    return NULL;
}

static void judge(struct check_run *run)
{
    const struct work *w = run->own;
    const struct http_result *r = http_result(w->http);
    static struct mtasts p; /* nothing waits in here */
    struct err err = {{0}};
    char shown[600];
    text_line(shown, sizeof shown, r->body, r->body_len);
    if (r->error != HTTP_OK)
        check_end(run, CHECK_FAIL, shown, "The MTA-STS policy of %s can't be fetched: %s", names_domain(run), r->sentence);
    else if (r->status != 200)
        check_end(run, CHECK_FAIL, shown, "The MTA-STS policy of %s: status %d; it must be 200, senders follow no redirect.", names_domain(run), r->status);
    else if (!mtasts_parse_policy(&p, r->body, &err))
        check_end(run, CHECK_FAIL, shown, "%s", err.text);
    else if (unlisted(run, &p) && strcmp(p.mode, "none") != 0)
        check_end(run, CHECK_FAIL, shown, "The MTA-STS policy does not list %s: mail to it would be refused for up to %lld s. Add it, then change the record's id (it is %s), then move MX.",
            unlisted(run, &p), (long long)p.max_age, w->id);
    else
        check_end(run, CHECK_PASS, shown, "MTA-STS of %s: mode %s, %d server%s, kept for %lld s; id %s.", names_domain(run), p.mode, p.nmx, p.nmx == 1 ? "" : "s", (long long)p.max_age, w->id);
}

static void work(struct task *task)
{
    static const struct names_kind kind = {next, take};
    struct check_run *run = (struct check_run *)task;
    struct work *w = run->own;
    if (w->http && http_busy(w->http))
        task_wait(task, 2 * FETCH_MS);
    else if (w->http)
        judge(run);
    else
        names_go(run, &kind);
}

static void free_own(struct check_run *run)
{
    struct work *w = run->own;
    names_free(&w->names);
    http_free(w->http);
}

const struct check_kind check_mtasts = {.name = "mtasts", .own_size = sizeof(struct work), .run = work, .free_own = free_own};
