/* The fold's outer half: DNS and traffic. */
#include <string.h>

#include "core/model_fold.h"

void history_put(struct history *h, int64_t at, int64_t value)
{
    int64_t second = at / 1000;
    if (h->last_second == 0 || second - h->last_second > MODEL_HISTORY) {
        for (int i = 0; i < MODEL_HISTORY; i++)
            h->value[i] = UNKNOWN;
    } else {
        for (int64_t s = h->last_second + 1; s < second; s++)
            h->value[s % MODEL_HISTORY] = UNKNOWN;
    }
    if (second < h->last_second)
        return; /* a clock that was set back: the past stays as it was */
    h->value[second % MODEL_HISTORY] = value;
    h->last_second = second;
}

int fold_side(const char *name)
{
    return strcmp(name, side_names[GREEN]) == 0 ? GREEN : BLUE;
}

/* ---- DNS ---- */

/* "a,b" against the two values of the plan. */
static enum cell_state judge_answer(const struct plan_record *r, const char *answer)
{
    bool old = false, new = false, other = false;
    for (const char *at = answer; *at;) {
        size_t len = strcspn(at, ",");
        if (len == strlen(r->value[BLUE]) && strncmp(at, r->value[BLUE], len) == 0)
            old = true;
        else if (len == strlen(r->value[GREEN]) && strncmp(at, r->value[GREEN], len) == 0)
            new = true;
        else
            other = true;
        at += len + (at[len] == ',');
    }
    if (other || (!old && !new))
        return CELL_OTHER;
    return old && new ? CELL_MIXED : old ? CELL_OLD : CELL_NEW;
}

static void fold_answer(struct model_dns *c, const struct plan_record *r, int64_t at, const struct event_dns_seen *e)
{
    c->answered_at = at;
    c->state = judge_answer(r, e->answer);
    KEEP(c->answer, e->answer);
    c->ttl = e->ttl;
    c->max_ttl = MAX(c->max_ttl, e->ttl);
    c->expires = at + e->ttl * 1000;
    if (c->state != CELL_NEW)
        c->new_since = 0;
    else if (!c->new_since)
        c->new_since = at;
}

/* One lost question says nothing while the last answer still counts: only silence past it is an error. */
static bool silence_counts(const struct model_dns *c, const struct plan *p, int64_t at)
{
    int64_t patience = MAX(c->ttl * 1000, 3 * p->dns.interval + 5000);
    return c->answered_at == 0 ? c->lost >= 2 : at - c->answered_at > patience;
}

static void fold_published(struct model_record *r, const struct plan *p, int64_t at, const struct event_dns_seen *e)
{
    r->published_at = at;
    r->published_ttl = e->ttl;
    if (e->ttl > p->dns.ttl_low) {
        r->old_ttl = MAX(r->old_ttl, e->ttl);
        r->low_since = 0;
    } else if (!r->low_since) {
        r->low_since = at;
    }
}

static void fold_dns_seen(struct model *m, const struct plan *p, int64_t at, const struct event_dns_seen *e)
{
    int resolver = plan_find_resolver(p, e->resolver), record = plan_find_record(p, e->record, e->type);
    if (resolver < 0 || record < 0)
        return;
    struct model_dns *c = &m->dns[resolver * p->dns.nrecords + record];
    bool ok = strcmp(e->status, "ok") == 0;
    c->at = at;
    c->rtt_us = e->rtt_us;
    c->asked++;
    KEEP(c->status, e->status);
    KEEP(c->error, e->error);
    if (ok) {
        fold_answer(c, &p->dns.records[record], at, e);
        if (p->dns.resolvers[resolver].authoritative)
            fold_published(&m->record[record], p, at, e);
        return;
    }
    bool lost = strcmp(e->status, "timeout") == 0;
    c->lost += lost;
    if (!lost || silence_counts(c, p, at)) {
        c->state = CELL_ERROR;
        c->new_since = 0;
    }
}

void fold_dns(struct model *m, const struct plan *p, const struct event *e)
{
    if (e->kind == EVENT_dns_seen)
        fold_dns_seen(m, p, e->at, &e->dns_seen);
    if (e->kind != EVENT_dns_changed)
        return;
    int record = plan_find_record(p, e->dns_changed.record, e->dns_changed.type);
    if (record < 0)
        return;
    const struct plan_record *r = &p->dns.records[record];
    if (strcmp(e->dns_changed.from, e->dns_changed.to) != 0)
        m->record[record].flipped_at = strcmp(e->dns_changed.to, r->value[GREEN]) == 0 ? e->at : 0;
}

/* ---- traffic ---- */

static void fold_http_seen(struct model_traffic *t, int64_t at, const struct event_http_seen *e)
{
    int64_t second = at / 1000;
    struct model_second *s = &t->second[second % MODEL_SECONDS];
    if (s->second != second) {
        memset(s, 0, sizeof *s);
        s->second = second;
    }
    s->ok += e->ok;
    s->failed += e->failed;
    latency_sum(&s->latency, &e->latency);
    t->probe_at = at;
    t->total += e->ok + e->failed;
    t->total_failed += e->failed;
    if (e->failed)
        KEEP(t->error, e->error);
    int64_t n = s->ok + s->failed;
    history_put(&t->rps, at, n);
    history_put(&t->error_ppm, at, n ? s->failed * 1000000 / n : UNKNOWN);
    history_put(&t->p95_us, at, latency_percentile_us(&s->latency, 950000));
}

static void fold_haproxy_seen(struct model *m, int64_t at, const struct event_haproxy_seen *e)
{
    int side = fold_side(e->side);
    struct model_traffic *t = &m->traffic[side];
    t->balancer_at = at;
    t->weight = e->weight;
    t->requests += e->requests;
    t->failed += e->failed;
    t->sessions = e->sessions;
    KEEP(t->status, e->status);
    /* Thousandths, so that a decay by a tenth each second never sticks at small counts. */
    t->recent_requests = t->recent_requests * 9 / 10 + e->requests * 1000;
    t->recent_failed = t->recent_failed * 9 / 10 + e->failed * 1000;
    int64_t both = m->traffic[BLUE].recent_requests + m->traffic[GREEN].recent_requests;
    for (int s = 0; s < SIDES; s++)
        history_put(&m->traffic[s].share_ppm, at, both > 0 ? m->traffic[s].recent_requests * 1000000 / both : UNKNOWN);
}

void fold_traffic(struct model *m, const struct plan *p, const struct event *e)
{
    (void)p;
    switch (e->kind) {
    case EVENT_http_seen:
        fold_http_seen(&m->traffic[fold_side(e->http_seen.side)], e->at, &e->http_seen);
        break;
    case EVENT_haproxy_seen:
        fold_haproxy_seen(m, e->at, &e->haproxy_seen);
        break;
    case EVENT_prometheus_seen:
        m->traffic[fold_side(e->prometheus_seen.side)].prometheus_at = e->at;
        m->traffic[fold_side(e->prometheus_seen.side)].prometheus_ppm = e->prometheus_seen.ppm;
        break;
    case EVENT_weights_set:
        m->weights_at = e->at;
        m->weight[BLUE] = e->weights_set.blue;
        m->weight[GREEN] = e->weights_set.green;
        break;
    default:
        break;
    }
}
