/* dmarc: the policy that receivers find for the domain, read as both generations of the standard do (RFC 7489 and RFC 9989). Where the
 * domain has none, its parents are asked, as RFC 9989 4.10 walks up the tree; receivers of RFC 7489 look at the organisation's domain only,
 * which is one of them. */
#include <stdio.h>
#include <string.h>

#include "core/check/names.h"
#include "core/dnswire.h"
#include "core/mail/dmarc.h"

enum { MOST_STEPS = 8 };

struct work {
    struct names names; /* first */
    const char *at;     /* the domain that is asked about */
    int steps;
};

static bool next(struct check_run *run, struct names *n)
{
    struct work *w = run->own;
    if (!w->at)
        w->at = names_domain(run);
    snprintf(n->name, sizeof n->name, "_dmarc.%s", w->at);
    n->type = DNS_TXT;
    return true;
}

/* True when a parent is asked now. The top-level domain itself may have one too (psd=y). */
static bool climb(struct work *w)
{
    const char *dot = strchr(w->at, '.');
    if (!dot || !dot[1] || ++w->steps == MOST_STEPS)
        return false;
    w->at = dot + 1;
    return true;
}

static void judge(struct check_run *run, const char *record)
{
    const struct work *w = run->own;
    struct dmarc d[2];
    struct err err[2] = {{{0}}, {{0}}};
    bool old = dmarc_parse(&d[0], record, DMARC_RFC7489, &err[0]), new = dmarc_parse(&d[1], record, DMARC_RFC9989, &err[1]);
    if (!old && !new)
        check_end(run, CHECK_FAIL, record, "%s: %s", w->names.name, err[1].text);
    else if (!old || !new)
        check_end(run, CHECK_FAIL, record, "%s is a policy for receivers of %s only. %s", w->names.name, old ? "RFC 7489" : "RFC 9989", err[old ? 1 : 0].text);
    else
        check_end(run, CHECK_PASS, record, "%s: p=%s%s%s, reports %s%.120s.", w->names.name, d[1].p, w->at != names_domain(run) ? ", found at a parent: sp=" : "",
            w->at != names_domain(run) ? d[1].sp : "", d[1].reports ? "to " : "to nobody", d[1].reports ? d[1].rua : "");
}

static void take(struct check_run *run, const struct dns_answer *a)
{
    struct work *w = run->own;
    const char *record = NULL;
    int found = names_find(a, DNS_TXT, "v=DMARC1", &record);
    if (found == 1)
        judge(run, record);
    else if (found > 1)
        check_end(run, CHECK_FAIL, record, "%s has %d records that begin with v=DMARC1: receivers then apply none. Leave one.", w->names.name, found);
    else if (!climb(w))
        check_end(run, CHECK_FAIL, "", "Neither _dmarc.%s nor a parent has a policy: receivers do as they like.", names_domain(run));
}

static void work(struct task *task)
{
    static const struct names_kind kind = {next, take};
    names_go((struct check_run *)task, &kind);
}

static void free_own(struct check_run *run)
{
    names_free(run->own);
}

const struct check_kind check_dmarc = {.name = "dmarc", .own_size = sizeof(struct work), .run = work, .free_own = free_own};
