/* What the resolvers' answers foretell: until when caches hold the old value, and why one is not where it should be. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/model.h"
#include "core/format.h"

/* ---- the curve ---- */

/* The share of this resolver's caches that hold the old value at that time, in ppm; UNKNOWN before an answer. */
static int64_t left_of(const struct model_dns *c, int64_t at)
{
    int64_t all = 0, old = 0;
    if (!c->answered_at || c->state == CELL_ERROR || c->state == CELL_UNSEEN)
        return UNKNOWN;
    for (int i = 0; i < c->ncaches; i++) {
        const struct model_cache *x = &c->cache[i];
        all++;
        old += x->expires > at && (x->state == CELL_OLD || x->state == CELL_MIXED) && x->expires <= c->old_until;
    }
    return all ? old * 1000000 / all : UNKNOWN;
}

int64_t model_dns_left_ppm(const struct model *m, const struct plan *p, int64_t at)
{
    int64_t sum = 0, n = 0;
    for (int r = 0; r < p->dns.nresolvers; r++)
        for (int i = 0; i < p->dns.nrecords && !p->dns.resolvers[r].authoritative; i++) {
            int64_t left = left_of(model_cell(m, p, r, i), at);
            sum += MAX(left, (int64_t)0);
            n += left != UNKNOWN;
        }
    return n ? sum / n : UNKNOWN;
}

static int64_t last_expiry(const struct model *m, const struct plan *p)
{
    int64_t last = 0;
    for (int r = 0; r < p->dns.nresolvers; r++)
        for (int i = 0; i < p->dns.nrecords && !p->dns.resolvers[r].authoritative; i++)
            last = MAX(last, model_cell(m, p, r, i)->old_until);
    return last;
}

/* The share only falls: halving finds the moment. */
int64_t model_dns_eta(const struct model *m, const struct plan *p, int percent, int64_t now)
{
    int64_t allowed = (int64_t)(100 - percent) * 10000, from = now, till = MAX(now, last_expiry(m, p)), left = model_dns_left_ppm(m, p, now);
    if (left == UNKNOWN)
        return UNKNOWN;
    if (left <= allowed)
        return now;
    while (till - from > 1) {
        int64_t middle = from + (till - from) / 2;
        if (model_dns_left_ppm(m, p, middle) <= allowed)
            till = middle;
        else
            from = middle;
    }
    return till;
}

/* The resolver that keeps answers for longest beyond what is published; -1. */
static int slowest(const struct model *m, const struct plan *p, int64_t *holds)
{
    int worst = -1;
    *holds = 0;
    for (int r = 0; r < p->dns.nresolvers; r++)
        for (int i = 0; i < p->dns.nrecords; i++)
            if (model_cell(m, p, r, i)->holds > *holds) {
                *holds = model_cell(m, p, r, i)->holds;
                worst = r;
            }
    return worst;
}

const char *model_dns_span(const struct model *m, const struct plan *p, int64_t now, char *buf, size_t size)
{
    int64_t ttl = 0, holds;
    char span[32], longer[32];
    int who = slowest(m, p, &holds);
    for (int i = 0; i < p->dns.nrecords; i++)
        ttl = m->record[i].published_at ? MAX(ttl, model_dns_bound(&m->record[i], now)) : ttl;
    if (!ttl)
        copy_text(buf, size, "");
    else if (who >= 0 && holds > ttl)
        snprintf(buf, size, "within %s, %.40s %s", format_span(ttl * 1000, span, sizeof span), p->dns.resolvers[who].name, format_span(holds * 1000, longer, sizeof longer));
    else
        snprintf(buf, size, "within %s", format_span(ttl * 1000, span, sizeof span));
    return buf;
}

/* ---- weights ---- */

bool model_dns_share(const struct model *m, int record, struct dns_share *out)
{
    static const double z = 1.959964; /* of 95 % */
    const int64_t *fills = m->record[record].fills;
    double n = (double)(fills[BLUE] + fills[GREEN]);
    if (n < 1)
        return false;
    double share = (double)fills[GREEN] / n, middle = (share + z * z / (2 * n)) / (1 + z * z / n);
    double half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n));
    *out = (struct dns_share){fills[BLUE] + fills[GREEN], (int64_t)(share * 1e6), (int64_t)(MAX(middle - half, 0.0) * 1e6), (int64_t)(MIN(middle + half, 1.0) * 1e6)};
    return true;
}

/* ---- why ---- */

/* A server that still publishes the old value while another has the new one. */
static const char *lagging(const struct model *m, const struct plan *p, int record)
{
    const char *lags = NULL;
    bool any_new = false;
    for (int r = 0; r < p->dns.nresolvers; r++) {
        enum cell_state s = model_cell(m, p, r, record)->state;
        if (!p->dns.resolvers[r].authoritative)
            continue;
        any_new |= s == CELL_NEW;
        if (s == CELL_OLD && !lags)
            lags = p->dns.resolvers[r].name;
    }
    return any_new ? lags : NULL;
}

const char *model_dns_why(const struct model *m, const struct plan *p, int resolver, int record, int64_t now, char *buf, size_t size)
{
    const struct model_dns *c = model_cell(m, p, resolver, record);
    const struct model_record *r = &m->record[record];
    const char *lags = lagging(m, p, record);
    char span[32];
    bool old = c->state == CELL_OLD || c->state == CELL_MIXED;
    if (c->error[0])
        copy_text(buf, size, c->error);
    else if (old && lags)
        snprintf(buf, size, "%s still publishes the old value", lags);
    else if (c->late_since)
        snprintf(buf, size, "still answers the old value, %s after the last cache may have held it", format_span(now - r->gone_by, span, sizeof span));
    else if (c->holds && c->state != CELL_NEW)
        snprintf(buf, size, "keeps answers for up to %lld s, %lld s is published", (long long)c->holds, (long long)r->published_ttl);
    else
        copy_text(buf, size, "");
    return buf;
}
