/* Asking: one question after the other, straight to the authoritative server, without recursion. The serial is asked for
 * first and last: a zone that changed in between is read again. */
#include <stdio.h>
#include <stdlib.h>

#include "core/dns.h"
#include "core/dnssnap.h"
#include "core/dnsview.h"
#include "core/dnswire.h"
#include "core/task.h"

enum { ASK_MS = 2000, TRIES = 3, ROUNDS = 3 };

static const int types[] = {DNS_SOA, DNS_A, DNS_AAAA, DNS_CNAME, DNS_MX, DNS_NS, DNS_TXT, DNS_SRV, DNS_CAA};
enum { NTYPES = ARRAY_LEN(types) };

struct taking {
    struct task task; /* first */
    const struct plan *plan;
    struct dnssnap *snap;
    struct err *err;
    bool ok;
    const char **names; /* the zone's apex first */
    int nnames;
    int at;             /* names times types; one more for the last look at the serial */
    int tries, round;
    uint32_t serial;
    struct dns_server *server;
    struct dns_query *query;
};

/* ---- which names ---- */

static void add_name(struct taking *t, const char *name)
{
    for (int i = 0; i < t->nnames; i++)
        if (dnswire_same_name(t->names[i], name))
            return;
    t->names[t->nnames++] = name;
}

static void collect_names(struct taking *t)
{
    const struct plan *p = t->plan;
    t->names = xcalloc(2 + (size_t)p->dns.nrecords + (size_t)p->nchecks, sizeof *t->names);
    add_name(t, p->dns.zone);
    add_name(t, arena_printf(&t->snap->arena, "_dmarc.%s", p->dns.zone));
    for (int i = 0; i < p->dns.nrecords; i++)
        add_name(t, p->dns.records[i].name);
    for (int i = 0; i < p->nchecks; i++) {
        const char *domain = plan_option_text(p->checks[i].options, p->checks[i].noptions, "domain", "");
        if (dnswire_name_is_under(domain, p->dns.zone))
            add_name(t, domain);
    }
}

/* ---- one question ---- */

static bool is_last(const struct taking *t)
{
    return t->at == t->nnames * NTYPES;
}

static const char *name_at(const struct taking *t)
{
    return is_last(t) ? t->names[0] : t->names[t->at / NTYPES];
}

static int type_at(const struct taking *t)
{
    return is_last(t) ? DNS_SOA : types[t->at % NTYPES];
}

static bool is_whole(const struct dns_answer *a)
{
    return (a->status == DNS_OK || a->status == DNS_NXDOMAIN || a->status == DNS_NODATA) && !a->tc;
}

/* What the zone itself says of the name: not what an alias leads to. */
static bool keep(struct taking *t, const struct dns_answer *a)
{
    uint32_t serial = 0;
    bool found = false;
    for (int i = 0; i < a->count; i++) {
        const struct dns_record *r = &a->records[i];
        if (r->type != type_at(t) || !dnswire_same_name(r->name, name_at(t)))
            continue;
        found = true;
        struct dnssnap_record soa = {.type = dnswire_type_name(r->type), .value = r->exact};
        if (dnssnap_serial(&soa, &serial) && t->at == 0)
            t->serial = serial;
        if (!is_last(t))
            dnssnap_add(t->snap, r->name, soa.type, r->ttl, r->exact, 0);
    }
    return found && (!is_last(t) || serial == t->serial);
}

static bool fail(struct taking *t, const char *what, const char *todo)
{
    return err_set(t->err, "The snapshot was not made: %s. %s", what, todo);
}

/* An answer has come. False, with the sentence, when there can be no snapshot. */
static bool take_answer(struct taking *t, const struct dns_answer *a)
{
    char what[700], place[100];
    const char *name = name_at(t);
    if (!is_whole(a))
        return fail(t, a->tc ? "the server cuts its answers short" : a->error, "Look whether dns.server and dns.port of the plan are the zone's authoritative server and whether it takes questions from here.");
    bool found = keep(t, a);
    dnsview_place(t->plan->dns.server, t->plan->dns.port, place, sizeof place);
    if (!a->aa || (t->at == 0 && !found)) {
        snprintf(what, sizeof what, "%.80s does not speak with authority for %.300s", place, name);
        return fail(t, what, "Name the zone's authoritative server as dns.server of the plan.");
    }
    if (!is_last(t)) {
        bool nothing = a->status == DNS_NXDOMAIN && !a->count; /* with an alias it is the alias's target that does not exist */
        t->at = nothing ? (t->at / NTYPES + 1) * NTYPES : t->at + 1;
        return true;
    }
    t->ok = found;
    if (found || ++t->round < ROUNDS) {
        t->at = 0;
        t->snap->count = found ? t->snap->count : 0;
        return true;
    }
    return fail(t, "the zone changed each time while it was read", "Try again when nobody changes it.");
}

/* ---- the task ---- */

static void end(struct taking *t)
{
    dns_query_free(t->query);
    dns_server_free(t->server);
    t->query = NULL;
    t->server = NULL;
    task_stop(&t->task);
}

static void run(struct task *task)
{
    struct taking *t = (struct taking *)task;
    if (t->query && !dns_busy(t->query)) {
        const struct dns_answer *a = dns_answer(t->query);
        bool again = !is_whole(a) && a->status != DNS_REFUSED && ++t->tries < TRIES;
        if (!again && (!take_answer(t, a) || t->ok)) {
            end(t);
            return;
        }
        t->tries = again ? t->tries : 0;
        dns_query_free(t->query);
        t->query = NULL;
    }
    if (!t->query)
        t->query = dns_ask(task, t->server, name_at(t), type_at(t), false, ASK_MS);
    task_wait(task, 2 * ASK_MS);
}

bool dnssnap_take(struct dnssnap *s, const struct plan *plan, struct err *err)
{
    struct taking t = {.plan = plan, .snap = s, .err = err};
    uv_loop_t loop;
    if (!plan->dns.nrecords)
        return err_set(err, "The plan %s names no DNS records, so there is nothing to look up; add the part  dns = { ... }.", plan->file);
    uv_loop_init(&loop);
    t.server = dns_server_new(&loop, plan->dns.server, plan->dns.port);
    if (t.server) {
        collect_names(&t);
        task_start(&t.task, &loop, run, NULL);
        uv_run(&loop, UV_RUN_DEFAULT);
    } else {
        err_set(err, "\"%.80s\" is no address of a DNS server; correct dns.server of the plan.", plan->dns.server);
    }
    uv_loop_close(&loop);
    free(t.names);
    dnssnap_sort(s);
    return t.ok;
}
