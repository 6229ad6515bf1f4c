/* caa: the authority that green's certificates come from may issue for the name. The nearest set up the tree counts (RFC 8659 3); none at
 * all forbids nobody. */
#include <stdio.h>
#include <string.h>

#include "core/check/names.h"
#include "core/dnswire.h"
#include "core/mail/caa.h"

enum { SET_MAX = 32 };

struct work {
    struct names names; /* first */
    const char *at;
};

static bool is_wildcard(const struct check_run *run)
{
    return strncmp(names_domain(run), "*.", 2) == 0;
}

static bool next(struct check_run *run, struct names *n)
{
    struct work *w = run->own;
    if (!w->at)
        w->at = names_domain(run) + (is_wildcard(run) ? 2 : 0);
    copy_text(n->name, sizeof n->name, w->at);
    n->type = DNS_CAA;
    return true;
}

static void judge(struct check_run *run, const struct dns_answer *a)
{
    const struct work *w = run->own;
    static struct caa set[SET_MAX]; /* one check looks at a time: nothing waits in here */
    struct buf all = {0};
    struct err err = {0};
    const char *text, *issuer = check_option(run, "issuer", "");
    int n = 0;
    for (; n < SET_MAX && (text = names_text(a, DNS_CAA, n)); n++) {
        buf_printf(&all, "%s%s", n ? "; " : "", text);
        if (caa_read(&set[n], text, &err))
            continue;
        check_end(run, CHECK_FAIL, all.text, "%s: %s An authority that can't read it issues nothing.", w->at, err.text);
        buf_free(&all);
        return;
    }
    switch (caa_allows(set, n, issuer, is_wildcard(run))) {
    case CAA_ALLOWED:
        check_end(run, CHECK_PASS, all.text, "%s may issue for %s: the records of %s allow it.", issuer, names_domain(run), w->at);
        break;
    case CAA_FORBIDDEN:
        check_end(run, CHECK_FAIL, all.text, "%s may not issue for %s: the records of %s leave it out. Add  0 issue \"%s\"  before green needs its certificate.", issuer, names_domain(run), w->at, issuer);
        break;
    case CAA_CRITICAL:
        check_end(run, CHECK_FAIL, all.text, "%s has a critical property that authorities don't know, so none issues.", w->at);
        break;
    }
    buf_free(&all);
}

static void take(struct check_run *run, const struct dns_answer *a)
{
    struct work *w = run->own;
    if (names_text(a, DNS_CAA, 0)) {
        judge(run, a);
        return;
    }
    const char *dot = strchr(w->at, '.');
    if (dot && dot[1])
        w->at = dot + 1;
    else
        check_end(run, CHECK_PASS, "", "Neither %s nor a parent has a CAA record: every authority may issue.", names_domain(run));
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

const struct check_kind check_caa = {.name = "caa", .own_size = sizeof(struct work), .run = work, .free_own = free_own};
