/* names: a check that asks one name after the other and judges what it finds. The kind says what is asked next and takes the answers; who is
 * asked, retries and the time are here. */
#ifndef CORE_CHECK_NAMES_H
#define CORE_CHECK_NAMES_H

#include "core/check/check.h"
#include "core/dnsasker.h"

struct names { /* first in the check's own */
    struct dnsasker *asker;
    char name[300];
    int type;
};
struct names_kind {
    /* Sets the next name and type; false when it has ended the check instead, or waits for something else. */
    bool (*next)(struct check_run *run, struct names *n);
    /* status is DNS_OK, DNS_NXDOMAIN or DNS_NODATA; silence has ended the check as unknown. */
    void (*take)(struct check_run *run, const struct dns_answer *a);
};
void names_go(struct check_run *run, const struct names_kind *kind);
void names_free(struct names *n);

/* The i-th record of that type in the answer, as text; NULL behind the last. */
const char *names_text(const struct dns_answer *a, int type, int i);
/* The only record that begins with `prefix`: how many do. *text: the first. */
int names_find(const struct dns_answer *a, int type, const char *prefix, const char **text);
const char *names_domain(const struct check_run *run); /* the option, or the plan's zone */
/* The addresses that a side sends from: its egress, or its address. NULL behind the last. */
const char *names_egress(const struct check_run *run, enum side side, int i);

#endif
