/* intercept: nobody between us and the resolvers answers in their name. An address of documentation (RFC 5737), where no server can be, is
 * asked about the zone; whoever answers answers for every address, and thirty resolvers are one box. */
#include <stdlib.h>

#include "core/check/check.h"
#include "core/dns.h"
#include "core/dnswire.h"

enum { ASK, ANSWER }; /* task.at */
enum { ASK_MS = 2000, TRIES = 2 };
#define NOBODY "192.0.2.53"

struct work {
    struct dns_server *server;
    struct dns_query *query;
    int tries;
};

static const char *zone_of(const struct check_run *run)
{
    return run->plan->dns.zone && *run->plan->dns.zone ? run->plan->dns.zone : ".";
}

static bool begin(struct check_run *run)
{
    struct work *w = run->own;
    const char *address = check_option(run, "address", NOBODY);
    w->server = dns_server_new(run->loop, address, atoi(check_option(run, "port", "53")));
    if (!w->server)
        check_end(run, CHECK_UNKNOWN, "", "%s port %s is no address to ask at.", address, check_option(run, "port", "53"));
    return w->server;
}

static void ask(struct check_run *run)
{
    struct work *w = run->own;
    dns_query_free(w->query);
    w->query = dns_ask(&run->task, w->server, zone_of(run), DNS_SOA, true, ASK_MS);
    w->tries++;
    run->task.at = ANSWER;
    task_wait(&run->task, 2 * ASK_MS);
}

static void judge(struct check_run *run)
{
    const struct work *w = run->own;
    const struct dns_answer *a = dns_answer(w->query);
    const char *address = check_option(run, "address", NOBODY);
    if (a->status == DNS_TIMEOUT && w->tries < TRIES)
        ask(run);
    else if (a->status == DNS_TIMEOUT || a->status == DNS_UNREACHABLE)
        check_end(run, CHECK_PASS, a->error, "Nobody answers at %s, as it should be: no box on the way speaks for the resolvers.", address);
    else
        check_end(run, CHECK_FAIL, a->count ? a->records[0].text : a->error, "Somebody answers at %s, where no server can be: questions on port 53 are intercepted, and all resolvers of the plan are"
            " one box. Look from a network that does not, or trust none of them.", address);
}

static void work(struct task *task)
{
    struct check_run *run = (struct check_run *)task;
    struct work *w = run->own;
    if (task->at == ASK) {
        if (begin(run))
            ask(run);
        return;
    }
    if (dns_busy(w->query))
        task_wait(task, 2 * ASK_MS);
    else
        judge(run);
}

static void free_own(struct check_run *run)
{
    struct work *w = run->own;
    dns_query_free(w->query);
    dns_server_free(w->server);
}

const struct check_kind check_intercept = {.name = "intercept", .own_size = sizeof(struct work), .run = work, .free_own = free_own};
