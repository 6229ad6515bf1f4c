/* mx: the servers that take the domain's mail exist: each target has an address of its own (no alias, RFC 2181 10.3, and no number), and the
 * servers of green that the plan names are among them. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "core/check/names.h"
#include "core/dnswire.h"

enum { TARGETS_MAX = 32 };

struct work {
    struct names names; /* first */
    char target[TARGETS_MAX][256];
    int n, at;          /* at: whose addresses are asked */
    bool listed, v6;    /* the MX records are known; AAAA is asked, since there was no A */
    struct buf evidence;
};

static void pass(struct check_run *run)
{
    const struct work *w = run->own;
    check_end(run, CHECK_PASS, w->evidence.text ? w->evidence.text : "", "Mail of %s goes to %d server%s, each with an address of its own.", names_domain(run), w->n, w->n == 1 ? "" : "s");
}

static bool next(struct check_run *run, struct names *n)
{
    struct work *w = run->own;
    if (w->listed && w->at == w->n) {
        pass(run);
        return false;
    }
    copy_text(n->name, sizeof n->name, w->listed ? w->target[w->at] : names_domain(run));
    n->type = !w->listed ? DNS_MX : w->v6 ? DNS_AAAA : DNS_A;
    return true;
}

static bool is_target(const struct work *w, const char *host)
{
    for (int i = 0; i < w->n; i++)
        if (dnswire_same_name(w->target[i], host))
            return true;
    return false;
}

/* The first host that the plan's option names and no record does; NULL. */
static const char *missing(const struct check_run *run)
{
    const struct plan_option *o = plan_option_find(run->check->options, run->check->noptions, "hosts");
    for (int i = 0; o && i < o->nvalues; i++)
        if (!is_target(run->own, o->values[i]))
            return o->values[i];
    return NULL;
}

static void take_targets(struct check_run *run, const struct dns_answer *a)
{
    struct work *w = run->own;
    const char *text, *domain = names_domain(run);
    for (int i = 0; (text = names_text(a, DNS_MX, i)) && w->n < TARGETS_MAX; i++) {
        const char *host = strchr(text, ' ');
        copy_text(w->target[w->n++], sizeof w->target[0], host ? host + 1 : text);
        buf_printf(&w->evidence, "%s%s", i ? "; " : "", text);
    }
    w->listed = true;
    if (w->n == 0)
        check_end(run, CHECK_FAIL, "", "%s has no MX record: senders then try its own address, if at all. Publish one (a domain without mail says  0 .  ).", domain);
    else if (w->n == 1 && (strcmp(w->target[0], ".") == 0 || !*w->target[0]))
        check_end(run, CHECK_PASS, w->evidence.text, "%s takes no mail, and says so (RFC 7505).", domain);
    else if (missing(run))
        check_end(run, CHECK_FAIL, w->evidence.text, "%s is not among the servers that take mail for %s; add it before the old one goes.", missing(run), domain);
}

static void take_address(struct check_run *run, const struct dns_answer *a)
{
    struct work *w = run->own;
    const char *host = w->target[w->at], *address = names_text(a, w->v6 ? DNS_AAAA : DNS_A, 0);
    uint8_t raw[4];
    if (inet_pton(AF_INET, host, raw) == 1)
        check_end(run, CHECK_FAIL, w->evidence.text, "An MX record of %s names the number %s; it must be a name.", names_domain(run), host);
    else if (names_text(a, DNS_CNAME, 0))
        check_end(run, CHECK_FAIL, w->evidence.text, "%s, which takes mail for %s, is an alias (CNAME); give it an address of its own.", host, names_domain(run));
    else if (!address && w->v6)
        check_end(run, CHECK_FAIL, w->evidence.text, "%s, which takes mail for %s, has no address.", host, names_domain(run));
    else if (!address)
        w->v6 = true;
    else {
        buf_printf(&w->evidence, "; %s is %s", host, address);
        w->at++;
        w->v6 = false;
    }
}

static void take(struct check_run *run, const struct dns_answer *a)
{
    const struct work *w = run->own;
    (w->listed ? take_address : take_targets)(run, a);
}

static void work(struct task *task)
{
    static const struct names_kind kind = {next, take};
    names_go((struct check_run *)task, &kind);
}

static void free_own(struct check_run *run)
{
    struct work *w = run->own;
    names_free(&w->names);
    buf_free(&w->evidence);
}

const struct check_kind check_mx = {.name = "mx", .own_size = sizeof(struct work), .run = work, .free_own = free_own};
