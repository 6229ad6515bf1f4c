#include "core/spfask.h"

#include <stdlib.h>

#include "core/dnsasker.h"
#include "core/task.h"

enum { MAX_VALUES = 64 };

struct spfask {
    struct task *owner;
    struct spfask_setup setup;
    struct dnsasker *asker;
    struct spf spf;
    bool out; /* a question is out */
    char trouble[600];
};

struct spfask *spfask_new(struct task *owner, const struct spfask_setup *setup)
{
    struct spfask *a = xcalloc(1, sizeof *a);
    a->owner = owner;
    a->setup = *setup;
    a->asker = dnsasker_new(owner->loop, setup->dns);
    return a;
}

void spfask_begin(struct spfask *a, const struct spf_mail *mail)
{
    a->out = false;
    spf_free(&a->spf);
    a->trouble[0] = '\0';
    spf_begin(&a->spf, mail);
}

const struct spf *spfask_spf(const struct spfask *a)
{
    return &a->spf;
}

const char *spfask_trouble(const struct spfask *a)
{
    return a->trouble;
}

void spfask_free(struct spfask *a)
{
    if (!a)
        return;
    dnsasker_free(a->asker);
    spf_free(&a->spf);
    free(a);
}

static void feed(struct spfask *a, const struct spf_question *q)
{
    const struct dns_answer *d = dnsasker_answer(a->asker);
    const char *values[MAX_VALUES];
    struct spf_answer answer = {.outcome = SPF_BROKEN, .values = values};
    for (int i = 0; d && d->status == DNS_OK && i < d->count && answer.count < MAX_VALUES; i++)
        if (d->records[i].type == q->type)
            values[answer.count++] = d->records[i].text;
    if (dnsasker_knows(d))
        answer.outcome = answer.count ? SPF_FOUND : SPF_VOID;
    if (a->setup.replace)
        a->setup.replace(a->setup.arg, q, &answer);
    copy_text(a->trouble, sizeof a->trouble, answer.outcome == SPF_BROKEN && d ? d->error : "");
    spf_feed(&a->spf, &answer);
}

bool spfask_go_on(struct spfask *a)
{
    const struct spf_question *q = spf_next(&a->spf);
    if (q && a->out) {
        if (dnsasker_busy(a->asker))
            return false;
        feed(a, q);
        q = spf_next(&a->spf);
    }
    a->out = q;
    if (q)
        dnsasker_ask(a->asker, a->owner, q->name, q->type);
    return !q;
}
