/* The fold's names: what each resolver holds and until when, and what the zone's servers publish. */
#include <stdlib.h>
#include <string.h>

#include "core/model_fold.h"

enum {
    SAME_CACHE = 1500, /* ms: servers count whole seconds, so the expiry of one cache is seen to move by up to one */
    ROUNDED = 1,       /* s */
    ON_THE_WAY = 2000, /* ms from a server to a cache to us */
};

static struct model_dns *cell_of(struct model *m, const struct plan *p, int resolver, int record)
{
    return &m->dns[resolver * p->dns.nrecords + record];
}

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

/* ---- the caches behind one address ---- */

static bool has_old(enum cell_state state)
{
    return state == CELL_OLD || state == CELL_MIXED;
}

static void drop_expired(struct model_dns *c, int64_t at)
{
    int kept = 0;
    for (int i = 0; i < c->ncaches; i++)
        if (c->cache[i].expires > at)
            c->cache[kept++] = c->cache[i];
    c->ncaches = kept;
}

/* A slow answer was made at any moment since it was asked for. */
static struct model_cache *find_cache(struct model_dns *c, int64_t expires, enum cell_state state)
{
    struct model_cache *best = NULL;
    for (int i = 0; i < c->ncaches; i++)
        if (c->cache[i].state == state && llabs(c->cache[i].expires - expires) <= SAME_CACHE + c->rtt_us / 1000
            && (!best || llabs(c->cache[i].expires - expires) < llabs(best->expires - expires)))
            best = &c->cache[i];
    return best;
}

/* The one that was not seen for longest makes room. */
static struct model_cache *new_cache(struct model_dns *c)
{
    if (c->ncaches < MODEL_CACHES)
        return &c->cache[c->ncaches++];
    struct model_cache *oldest = c->cache;
    for (int i = 1; i < MODEL_CACHES; i++)
        if (c->cache[i].last < oldest->last)
            oldest = &c->cache[i];
    return oldest;
}

/* Did another filling begin to answer after this one was last seen? Then it may be the same cache, filled anew. */
static bool is_superseded(const struct model_dns *c, const struct model_cache *x)
{
    for (int i = 0; i < c->ncaches; i++)
        if (c->cache[i].first > x->last)
            return true;
    return false;
}

/* Two that answer in turn, one and the other and again the one and the other, are two caches. Less may be chance: an expiry that looks like
 * an older one's. */
static int count_caches(const struct model_dns *c)
{
    int n = 0;
    for (int i = 0; i < c->ncaches; i++)
        n += c->cache[i].returns > 0;
    return MAX(n, 1);
}

static bool answered_since(const struct model_dns *c, const struct model_cache *x)
{
    for (int i = 0; i < c->ncaches; i++)
        if (c->cache[i].last > x->last)
            return true;
    return false;
}

/* True when the cache was filled anew. */
static bool fold_cache(struct model_dns *c, enum cell_state state, int64_t at, int64_t ttl)
{
    int64_t expires = at - c->rtt_us / 1000 + ttl * 1000;
    drop_expired(c, at);
    struct model_cache *x = find_cache(c, expires, state);
    bool new = !x;
    if (new) {
        x = new_cache(c);
        *x = (struct model_cache){.first = at, .least = expires, .most = expires, .state = state};
    }
    x->returns += x->last && answered_since(c, x);
    x->last = at;
    x->least = MIN(x->least, expires);
    x->most = MAX(x->most, expires);
    x->expires = (x->least + x->most) / 2;
    c->caches = MAX(c->caches, count_caches(c));
    return new;
}

/* Where one cache answers, its last answer counts. Where several do, the old value is there as long as one may hold it. */
static bool may_answer(const struct model_dns *c, const struct model_cache *x)
{
    return c->caches > 1 || !is_superseded(c, x);
}

static void sum_caches(struct model_dns *c)
{
    bool new = false;
    c->old_until = 0;
    for (int i = 0; i < c->ncaches; i++) {
        const struct model_cache *x = &c->cache[i];
        if (!may_answer(c, x))
            continue;
        if (has_old(x->state))
            c->old_until = MAX(c->old_until, x->expires);
        new |= x->state == CELL_NEW;
    }
    if ((c->state == CELL_NEW && c->old_until) || (c->state == CELL_OLD && new && c->caches > 1))
        c->state = CELL_MIXED;
}

/* ---- who keeps an answer longer than it may ---- */

int64_t model_dns_bound(const struct model_record *r, int64_t at)
{
    return MAX(r->published_ttl, r->carry_ttl - (at - r->ttl_since) / 1000);
}

/* Somebody may have raised the TTL this very moment: the servers are asked once more before anybody is named. */
static void suspect(struct model_dns *c, const struct model_record *r, int64_t at, int64_t ttl)
{
    if (!r->published_at || ttl <= model_dns_bound(r, at) + ROUNDED || (c->suspect_at && ttl <= c->suspect_ttl))
        return;
    c->suspect_at = at;
    c->suspect_ttl = ttl;
}

static void settle_suspects(struct model *m, const struct plan *p, int record, int64_t asked)
{
    const struct model_record *r = &m->record[record];
    for (int i = 0; i < p->dns.nresolvers; i++) {
        struct model_dns *c = cell_of(m, p, i, record);
        if (!c->suspect_at || c->suspect_at >= asked)
            continue;
        if (c->suspect_ttl > model_dns_bound(r, c->suspect_at) + ROUNDED)
            c->holds = MAX(c->holds, c->suspect_ttl);
        c->suspect_at = 0;
    }
}

static void judge_late(struct model_dns *c, const struct model_record *r, int64_t at)
{
    if (!has_old(c->state) || !r->gone_by || at <= r->gone_by)
        c->late_since = 0;
    else if (!c->late_since)
        c->late_since = at;
}

/* ---- what the zone's servers publish ---- */

static void fold_server(struct model_dns *c, struct model_record *r, const struct plan *p, int64_t at, int64_t ttl)
{
    if (ttl > p->dns.ttl_low) {
        r->old_ttl = MAX(r->old_ttl, ttl);
        c->low_since = 0;
    } else if (!c->low_since) {
        c->low_since = at;
    }
}

struct servers { /* of one record, together; at: the oldest of their last answers, 0 when one never gave any */
    int64_t at, ttl, low_since;
    bool any_low, all_new;
};

static struct servers sum_servers(struct model *m, const struct plan *p, int record)
{
    struct servers s = {.at = INT64_MAX, .any_low = true, .all_new = true};
    for (int i = 0; i < p->dns.nresolvers; i++) {
        const struct model_dns *c = cell_of(m, p, i, record);
        if (!p->dns.resolvers[i].authoritative)
            continue;
        s.at = MIN(s.at, c->answered_at);
        s.ttl = MAX(s.ttl, c->ttl);
        s.any_low = s.any_low && c->low_since;
        s.low_since = MAX(s.low_since, c->low_since);
        s.all_new = s.all_new && c->state == CELL_NEW;
    }
    return s;
}

/* What was published before anybody looked is not known: the plan's normal TTL stands for it. */
static void fold_published(struct model *m, const struct plan *p, int record, int64_t at)
{
    struct model_record *r = &m->record[record];
    struct servers s = sum_servers(m, p, record);
    if (!r->ttl_since || s.ttl != r->published_ttl) {
        r->carry_ttl = r->ttl_since ? model_dns_bound(r, at) : p->dns.ttl_normal;
        r->ttl_since = at;
    }
    r->published_at = s.at;
    r->published_ttl = s.ttl;
    r->low_since = s.any_low ? s.low_since : 0;
    if (!s.all_new)
        r->gone_by = 0;
    else if (!r->gone_by)
        r->gone_by = at + model_dns_bound(r, at) * 1000 + ON_THE_WAY;
    settle_suspects(m, p, record, s.at);
}

/* ---- one answer ---- */

/* A zone's server has no cache: it publishes. */
static void fold_answer(struct model_dns *c, const struct plan_record *r, struct model_record *published, bool caches, int64_t at, const struct event_dns_seen *e)
{
    c->answered_at = at;
    c->state = judge_answer(r, e->answer);
    KEEP(c->answer, e->answer);
    c->ttl = e->ttl;
    c->max_ttl = MAX(c->max_ttl, e->ttl);
    c->expires = at + e->ttl * 1000;
    if (caches) {
        bool new = fold_cache(c, c->state, at, MAX(e->ttl, (int64_t)0));
        if (c->state == CELL_OLD || c->state == CELL_NEW)
            published->fills[c->state == CELL_NEW ? GREEN : BLUE] += new;
        sum_caches(c);
    }
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

static void fold_failure(struct model_dns *c, const struct plan *p, int64_t at, bool lost)
{
    c->lost += lost;
    if (lost && !silence_counts(c, p, at))
        return;
    c->state = CELL_ERROR;
    c->new_since = 0;
    c->late_since = 0;
}

/* Once a second: it looks at every resolver. */
static void fold_share(struct model *m, const struct plan *p, int64_t at)
{
    int64_t sum = 0, n = 0;
    if (at / 1000 == m->dns_old.last_second)
        return;
    for (int i = 0; i < p->dns.nresolvers * p->dns.nrecords; i++) {
        enum cell_state s = m->dns[i].state;
        if (p->dns.resolvers[i / p->dns.nrecords].authoritative || s == CELL_UNSEEN || s == CELL_ERROR)
            continue;
        sum += s == CELL_OLD ? 1000000 : s == CELL_MIXED ? 500000 : 0;
        n++;
    }
    history_put(&m->dns_old, at, n ? sum / n : UNKNOWN);
}

static void fold_dns_seen(struct model *m, const struct plan *p, int64_t at, const struct event_dns_seen *e)
{
    int resolver = plan_find_resolver(p, e->resolver), record = plan_find_record(p, e->record, e->type);
    if (resolver < 0 || record < 0)
        return;
    struct model_dns *c = cell_of(m, p, resolver, record);
    c->at = at;
    c->rtt_us = e->rtt_us;
    c->asked++;
    KEEP(c->status, e->status);
    KEEP(c->error, e->error);
    fold_share(m, p, at);
    if (strcmp(e->status, "ok") != 0) {
        fold_failure(c, p, at, strcmp(e->status, "timeout") == 0);
        return;
    }
    fold_answer(c, &p->dns.records[record], &m->record[record], !p->dns.resolvers[resolver].authoritative, at, e);
    if (p->dns.resolvers[resolver].authoritative) {
        fold_server(c, &m->record[record], p, at, e->ttl);
        fold_published(m, p, record, at);
    } else {
        suspect(c, &m->record[record], at, e->ttl);
        judge_late(c, &m->record[record], at);
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
    memset(m->record[record].fills, 0, sizeof m->record[record].fills);
    if (strcmp(e->dns_changed.from, e->dns_changed.to) != 0)
        m->record[record].flipped_at = strcmp(e->dns_changed.to, r->value[GREEN]) == 0 ? e->at : 0;
}
