/* dnschange: changes the plan's records at the authoritative server, one signed update message per record, each with the
 * values that it must have now as prerequisite (RFC 2136 2.4.2): a compare-and-swap. What steps dns.ttl and dns.flip share.
 *
 *   read     every record is asked for, without recursion; nothing was sent yet
 *   decide   the step says for each record from what to what, or that it is right already, or why not: then nothing is sent
 *   change   one record after the other: update, then read back until value and TTL are what was sent
 *   return   when a later record fails and the step wishes it, those already changed are changed back, and it says so
 *
 * An update without an answer is looked at before anything else, and sent once more if it did not arrive: the
 * prerequisite makes that harmless. */
#ifndef CORE_STEP_DNSCHANGE_H
#define CORE_STEP_DNSCHANGE_H

#include "core/dnsupdate.h"
#include "core/dnsview.h"
#include "core/step/step.h"

struct dnschange_item { /* one record of the plan */
    struct dnsview now; /* as read */
    char from[240], to[240];
    int64_t ttl;        /* afterwards */
    bool needed;        /* false: it is right already */
    bool changed;
    bool stuck;         /* it could not be changed back */
    int sent;
};
struct dnschange_job {
    /* Fills from, to, ttl and needed of one item; false with the reason when it may not be changed. */
    bool (*decide)(const struct step_run *run, int record, struct dnschange_item *item, struct err *err);
    /* The sentence of a good end; changed may be 0. */
    void (*done)(const struct step_run *run, const struct dnschange_item *items, int changed, char *buf, size_t size);
    bool all_or_none;
    /* For the probe: does the item show the world before the step, or after it? */
    bool (*is_before)(const struct step_run *run, int record, const struct dnsview *now);
    bool (*is_after)(const struct step_run *run, int record, const struct dnsview *now);
};
struct dnschange { /* a kind's own */
    const struct dnschange_job *job;
    struct dns_server *server;
    struct dns_query *query;
    struct dnsupdate *update;
    struct dnsupdate_key key;
    struct dnschange_item *items; /* one per record */
    int record;
    int lost;            /* readings without an answer */
    bool returning;      /* changing back what was changed */
    bool look_again;     /* after silence: see whether the update arrived */
    int64_t look_until;  /* mono: how long the read-back may take */
    char why[400];       /* of the failure, while returning */
    const char *result;  /* what it will end with */
};

void dnschange_run(struct task *task, const struct dnschange_job *job);   /* body of run and undo */
void dnschange_probe(struct task *task, const struct dnschange_job *job); /* body of probe */
void dnschange_free(struct step_run *run);

/* Which side's value is published: BLUE, GREEN, or -1 for anything else. */
int dnschange_side(const struct plan_record *r, const struct dnsview *now);
/* "127.0.0.1:5353": where updates go. */
const char *dnschange_place(const struct plan *p, char *buf, size_t size);
/* "(signed cutover-key.)"; says so when the key can't be read. */
void dnschange_describe_key(const struct plan *p, struct buf *out);
void dnschange_describe_probe(const struct plan *p, struct buf *out);
/* The last answer of the authoritative server in the model; NULL when it has not answered. */
const struct model_dns *dnschange_published(const struct plan *p, const struct model *m, int record);

#endif
