/* dnsasker: questions about any name, as a check has them. Names of the plan's zone are asked at its authoritative server without
 * recursion, so that no cache speaks for it; other names at the resolvers, the next one when one fails, three in all. */
#ifndef CORE_DNSASKER_H
#define CORE_DNSASKER_H

#include "core/dns.h"
#include "core/plan.h"

enum { DNSASKER_MS = 2000 }; /* for one try */

struct dnsasker;
/* dns: at least one resolver; must live longer. An empty zone owns no name. */
struct dnsasker *dnsasker_new(uv_loop_t *loop, const struct plan_dns *dns);
void dnsasker_free(struct dnsasker *a); /* NULL is fine */

/* One question at a time; the owner is woken when something happened. */
void dnsasker_ask(struct dnsasker *a, struct task *owner, const char *name, int type);
/* True while it waits, and then it has arranged the owner's next wake. */
bool dnsasker_busy(struct dnsasker *a);
/* Of the last question, until the next one; NULL when nobody could be asked. */
const struct dns_answer *dnsasker_answer(const struct dnsasker *a);
/* Whether somebody said something about the name, if only that it has no such record. */
bool dnsasker_knows(const struct dns_answer *a);
bool dnsasker_is_ours(const struct dnsasker *a, const char *name);

#endif
