/* The fold's outer half: traffic, and the rings of the graphs. */
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
