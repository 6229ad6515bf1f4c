/* spf: mail of the domain passes SPF (RFC 7208) from every address that green sends from, and still from blue's, whose
 * queue empties after the switch. Where the domain's SPF rests on a record that the plan flips (a, mx), it is evaluated a
 * second time against the zone as it will be.
 * Who is asked for what stands in core/dnsasker.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/check/check.h"
#include "core/dnswire.h"
#include "core/spfask.h"

enum { BEGIN, ANSWER }; /* task.at */
enum { ALL_MS = 45000 };

struct work {
    struct spfask *ask;
    enum side side;
    int egress;
    bool planned, rests;   /* the zone as it will be; an answer rested on a record of the plan */
    const char *green;     /* the planned value that an answer was replaced with */
    char record[400];
    struct buf evidence;
    int addresses, most;   /* evaluated; the most lookups of one */
    enum check_verdict verdict;
    char worst[500];       /* about the first address that did not pass */
};

static const char *domain_of(const struct check_run *run)
{
    return check_option(run, "domain", run->plan->dns.zone ? run->plan->dns.zone : "");
}

/* ---- which addresses ---- */

static int count_egress(const struct plan_side *s)
{
    return s->negress ? s->negress : 1;
}

static const char *address_of(const struct check_run *run)
{
    const struct work *w = run->own;
    const struct plan_side *s = &run->plan->side[w->side];
    const char *address = s->negress ? s->egress[w->egress] : s->address;
    return address ? address : "";
}

static void begin_address(struct check_run *run)
{
    struct work *w = run->own;
    const char *domain = domain_of(run);
    struct buf sender = {0};
    buf_printf(&sender, "postmaster@%s", domain);
    spfask_begin(w->ask, &(struct spf_mail){.ip = address_of(run), .helo = domain, .sender = sender.text, .now = clock_wall() / 1000});
    buf_free(&sender);
    w->rests = false;
}

/* Green first, then blue; each address again with the planned zone where that may differ. False after the last. */
static bool next_address(struct check_run *run, bool rests)
{
    struct work *w = run->own;
    if (!w->planned && rests) {
        w->planned = true;
        return true;
    }
    w->planned = false;
    if (++w->egress < count_egress(&run->plan->side[w->side]))
        return true;
    w->egress = 0;
    if (w->side == BLUE)
        return false;
    w->side = BLUE;
    return true;
}

/* The planned zone: a record of the plan has green's value. */
static void use_plan(void *arg, const struct spf_question *q, struct spf_answer *answer)
{
    struct check_run *run = arg;
    struct work *w = run->own;
    for (int i = 0; i < run->plan->dns.nrecords; i++) {
        const struct plan_record *r = &run->plan->dns.records[i];
        if (dnswire_type(r->type) != q->type || !dnswire_same_name(r->name, q->name))
            continue;
        w->rests = true;
        w->green = r->value[GREEN];
        if (w->planned)
            *answer = (struct spf_answer){SPF_FOUND, &w->green, 1};
        return;
    }
}

/* ---- verdicts ---- */

static void keep_worst(struct check_run *run, enum check_verdict verdict)
{
    struct work *w = run->own;
    const struct spf *spf = spfask_spf(w->ask);
    bool worse = w->verdict == CHECK_PASS || (w->verdict == CHECK_UNKNOWN && verdict == CHECK_FAIL);
    if (!worse)
        return;
    w->verdict = verdict;
    snprintf(w->worst, sizeof w->worst, "SPF of %.80s %s for %s's %.60s%s: %s, %.200s (%d of %d lookups).", domain_of(run),
        verdict == CHECK_UNKNOWN ? "could not be evaluated" : w->planned ? "will not pass" : "does not pass", side_names[w->side], address_of(run), w->planned ? " after the flip" : "",
        spf_result_name(spf->result), spf->detail, spf->lookups, SPF_MAX_LOOKUPS);
}

static void keep_evidence(struct check_run *run)
{
    struct work *w = run->own;
    const struct spf *spf = spfask_spf(w->ask);
    if (!*w->record && spf->root)
        copy_text(w->record, sizeof w->record, *spf->root->text ? spf->root->text : "no SPF record");
    buf_printf(&w->evidence, "; %s %s%s %s %d/%d", side_names[w->side], address_of(run), w->planned ? " (planned)" : "",
        spf_result_name(spf->result), spf->lookups, spf->voids);
}

static void take_result(struct check_run *run)
{
    struct work *w = run->own;
    const struct spf *spf = spfask_spf(w->ask);
    w->addresses += !w->planned;
    w->most = MAX(w->most, spf->lookups);
    keep_evidence(run);
    if (spf->result != SPF_PASS)
        keep_worst(run, spf->result == SPF_TEMPERROR ? CHECK_UNKNOWN : CHECK_FAIL);
}

static void end(struct check_run *run)
{
    struct work *w = run->own;
    struct buf evidence = {0};
    buf_printf(&evidence, "%s%s (result lookups/empty)", w->record, w->evidence.text ? w->evidence.text : "");
    if (w->verdict == CHECK_PASS)
        check_end(run, CHECK_PASS, evidence.text, "SPF of %s passes for all %d addresses of green and blue; at most %d of %d lookups.",
            domain_of(run), w->addresses, w->most, SPF_MAX_LOOKUPS);
    else
        check_end(run, w->verdict, evidence.text, "%s", w->worst);
    buf_free(&evidence);
}

/* ---- the task ---- */

static bool begin(struct check_run *run)
{
    struct work *w = run->own;
    if (!run->plan->dns.nresolvers || !*domain_of(run)) {
        check_end(run, CHECK_UNKNOWN, "", "SPF can't be looked at: the plan names no %s.", *domain_of(run) ? "DNS server" : "domain");
        return false;
    }
    w->ask = spfask_new(&run->task, &(struct spfask_setup){&run->plan->dns, use_plan, run});
    w->side = GREEN;
    w->verdict = CHECK_PASS;
    begin_address(run);
    return true;
}

/* Goes to the next question, address or the end. */
static void go_on(struct check_run *run)
{
    struct work *w = run->own;
    while (spfask_go_on(w->ask)) {
        bool rests = w->rests;
        take_result(run);
        if (!next_address(run, rests)) {
            end(run);
            return;
        }
        begin_address(run);
    }
}

static void work(struct task *task)
{
    struct check_run *run = (struct check_run *)task;
    if (clock_mono() - run->started > ALL_MS) {
        check_end(run, CHECK_UNKNOWN, "", "SPF of %s could not be looked at within %d s.", domain_of(run), ALL_MS / 1000);
        return;
    }
    switch (task->at) {
    case BEGIN:
        if (!begin(run))
            return;
        task->at = ANSWER;
        /* fall through */
    case ANSWER:
        go_on(run);
        return;
    }
}

static void free_own(struct check_run *run)
{
    struct work *w = run->own;
    spfask_free(w->ask);
    buf_free(&w->evidence);
}

const struct check_kind check_spf = {
    .name = "spf",
    .own_size = sizeof(struct work),
    .run = work,
    .free_own = free_own,
};
