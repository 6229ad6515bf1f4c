/* dnsview: what an answer says about a record of the plan, in the plan's own spelling. Pure. */
#ifndef CORE_DNSVIEW_H
#define CORE_DNSVIEW_H

#include "core/dns.h"
#include "core/plan.h"

struct dnsview {
    char values[240]; /* final values, sorted, joined by ","; "" when the answer holds none */
    int count;
    int64_t ttl;      /* seconds: the smallest over the chain that was followed; -1 without a value */
    char alias[256];  /* where a CNAME at the very name leads, "" if there is none */
};

/* Follows CNAMEs inside the answer (except for a record that is a CNAME itself). */
void dnsview_read(struct dnsview *v, const struct plan_record *r, const struct dns_answer *a);
/* The same address whatever its spelling, the same name whatever its case and last dot. */
bool dnsview_same(const char *type, const char *a, const char *b);
/* "[::1]:53", "127.0.0.1:5353". Returns buf. */
const char *dnsview_place(const char *address, int port, char *buf, size_t size);

#endif
