#include "core/model.h"

#include <stdlib.h>
#include <string.h>

const char *const cell_state_names[] = {"-", "OLD", "NEW", "MIXED", "OTHER", "ERR"};
const char *const step_state_names[] = {"not begun", "running", "done", "failed", "skipped", "undone", "unknown"};

struct model *model_new(const struct plan *plan)
{
    struct model *m = xcalloc(1, sizeof *m);
    m->db = xcalloc((size_t)plan->ndatabases, sizeof *m->db);
    m->dns = xcalloc((size_t)plan->dns.nresolvers * (size_t)plan->dns.nrecords, sizeof *m->dns);
    m->record = xcalloc((size_t)plan->dns.nrecords, sizeof *m->record);
    m->check = xcalloc((size_t)plan->nchecks, sizeof *m->check);
    m->step = xcalloc((size_t)plan->nsteps, sizeof *m->step);
    m->held_since = xcalloc((size_t)plan->nconditions, sizeof *m->held_since);
    m->running = -1;
    for (int i = 0; i < plan->ndatabases; i++) {
        struct model_db *db = &m->db[i];
        db->lag_bytes = db->lag_ms = db->retained = db->wal_left = db->back_left = db->back_bytes = db->back_ms = db->back_retained = UNKNOWN;
        for (int s = 0; s < SIDES; s++)
            copy_text(db->side[s].writable, sizeof db->side[s].writable, "unknown");
    }
    for (int s = 0; s < SIDES; s++)
        m->traffic[s].weight = m->traffic[s].prometheus_ppm = m->weight[s] = UNKNOWN;
    return m;
}

void model_free(struct model *m)
{
    if (!m)
        return;
    free(m->db);
    free(m->dns);
    free(m->record);
    free(m->check);
    free(m->step);
    free(m->held_since);
    free(m);
}

int64_t history_at(const struct history *h, int64_t second, int back)
{
    int64_t wanted = second - back;
    if (h->last_second == 0 || wanted > h->last_second || wanted <= h->last_second - MODEL_HISTORY || wanted < 0)
        return UNKNOWN;
    return h->value[wanted % MODEL_HISTORY];
}

bool history_growth(const struct history *h, int64_t second, int seconds, int64_t *each)
{
    int newest = 0, oldest = seconds;
    while (newest < 5 && history_at(h, second, newest) < 0)
        newest++;
    while (oldest > newest && history_at(h, second, oldest) < 0)
        oldest--;
    if (oldest - newest < 5)
        return false;
    *each = (history_at(h, second, newest) - history_at(h, second, oldest)) / (oldest - newest);
    return true;
}

int model_log_count(const struct model *m)
{
    return (int)MIN(m->nlog, (int64_t)MODEL_LOG);
}

const struct model_log *model_log_at(const struct model *m, int i)
{
    int64_t first = m->nlog - model_log_count(m);
    return &m->log[(first + i) % MODEL_LOG];
}

const struct model_dns *model_cell(const struct model *m, const struct plan *p, int resolver, int record)
{
    return &m->dns[resolver * p->dns.nrecords + record];
}

void model_probes(const struct model *m, enum side side, int64_t now, int seconds, int64_t *ok, int64_t *failed, struct latency *latency)
{
    int64_t last = now / 1000;
    *ok = *failed = 0;
    memset(latency, 0, sizeof *latency);
    for (int i = 0; i < MODEL_SECONDS; i++) {
        const struct model_second *s = &m->traffic[side].second[i];
        if (s->second <= last - seconds || s->second > last)
            continue;
        *ok += s->ok;
        *failed += s->failed;
        latency_sum(latency, &s->latency);
    }
}
