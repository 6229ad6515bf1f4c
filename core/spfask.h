/* spfask: an SPF check (core/spf.h) whose questions go to DNS servers (core/dnsasker.h). It belongs to a task, which is woken by answers:
 *
 *     spfask_begin(a, &mail);
 *     ... in the task's run:
 *     if (!spfask_go_on(a))
 *         return;                  (the task waits already)
 *     ... spfask_spf(a)->result ...  */
#ifndef CORE_SPFASK_H
#define CORE_SPFASK_H

#include "core/plan.h"
#include "core/spf.h"

struct task;

struct spfask_setup {
    const struct plan_dns *dns; /* who is asked; must live as long as the check */
    /* Called with each answer before it counts, and may put another one in its place. NULL: it counts as it came. */
    void (*replace)(void *arg, const struct spf_question *q, struct spf_answer *answer);
    void *arg;
};

struct spfask;
struct spfask *spfask_new(struct task *owner, const struct spfask_setup *setup);
void spfask_begin(struct spfask *a, const struct spf_mail *mail); /* drops what was before */
bool spfask_go_on(struct spfask *a);                              /* true: the verdict is there; false: the owner waits */
const struct spf *spfask_spf(const struct spfask *a);
const char *spfask_trouble(const struct spfask *a); /* about the last question that no server answered; "" if there is none */
void spfask_free(struct spfask *a);                 /* NULL is fine */

#endif
