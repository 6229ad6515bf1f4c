/* The pause that a switch would have now, from what was measured while writes flow: never less than its parts, which are kept apart. */
#include <stdio.h>

#include "core/format.h"
#include "core/model.h"

enum { FRESH = 60000, FRESH_SIDE = 5000 };
/* Commits that the pause waits for, one after the other: on blue read-only and the marker; on green the sequences and writable. */
enum { COMMITS = 2 };

static int64_t commits(const struct model_db *db)
{
    return db->probe_commit[BLUE] >= 0 && db->probe_commit[GREEN] >= 0 ? COMMITS * (db->probe_commit[BLUE] + db->probe_commit[GREEN]) : UNKNOWN;
}

/* Nobody knows how long an open transaction goes on. As long again as it has been open is the fair guess; past its deadline the fence lets go.
 * Where no pooler drains, sessions are ended. */
static int64_t open_part(const struct model_db *db, const struct plan *p, const struct plan_database *plan, int64_t now)
{
    const struct model_dbside *blue = &db->side[BLUE];
    if (!plan->npoolers)
        return 0;
    return blue->reachable && now - blue->at <= FRESH_SIDE && blue->oldest_tx >= 0 ? MIN(blue->oldest_tx, p->fence_deadline) * 1000 : UNKNOWN;
}

struct prediction model_predict(const struct model *m, const struct plan *p, int db, int64_t now)
{
    const struct model_db *d = &m->db[db];
    struct prediction r = {.marker_us = UNKNOWN, .commits_us = UNKNOWN, .reading_us = UNKNOWN, .open_us = UNKNOWN, .total_us = UNKNOWN};
    r.measured = d->probed_at && now - d->probed_at <= FRESH && !m->committed;
    if (!r.measured)
        return r;
    r.at = MIN(d->probed_at, MAX(d->side[BLUE].at, (int64_t)1));
    r.marker_us = d->probe_marker;
    r.commits_us = commits(d);
    r.reading_us = d->probe_reading;
    r.sequences = d->probe_sequences;
    r.open_us = open_part(d, p, &p->databases[db], now);
    if (r.marker_us >= 0 && r.commits_us >= 0 && r.reading_us >= 0 && r.open_us >= 0)
        r.total_us = r.marker_us + r.commits_us + r.reading_us + r.open_us;
    return r;
}

int64_t model_predict_us(const struct model *m, const struct plan *p, int64_t now)
{
    int64_t worst = UNKNOWN;
    for (int i = 0; i < p->ndatabases; i++) {
        struct prediction r = model_predict(m, p, i, now);
        if (r.total_us < 0)
            return UNKNOWN;
        worst = MAX(worst, r.total_us);
    }
    return worst;
}

/* "8.3", "12"; "?" when it is not known. */
static const char *part(int64_t us, char buf[24])
{
    if (us < 0)
        copy_text(buf, 24, "?");
    else
        snprintf(buf, 24, us < 10000 ? "%.1f" : "%.0f", (double)us / 1000);
    return buf;
}

/* The database with the longest, or the first of which something is not known. */
static int longest(const struct model *m, const struct plan *p, int64_t now)
{
    int worst = 0;
    for (int i = 0; i < p->ndatabases; i++) {
        int64_t us = model_predict(m, p, i, now).total_us;
        if (us < 0)
            return i;
        if (us > model_predict(m, p, worst, now).total_us)
            worst = i;
    }
    return worst;
}

const char *model_predict_text(const struct model *m, const struct plan *p, int64_t now, char *buf, size_t size)
{
    char marker[24], commit[24], reading[24], open[24], total[32] = "not known";
    if (!p->ndatabases || m->committed)
        return copy_text(buf, size, ""), buf;
    int i = longest(m, p, now);
    struct prediction r = model_predict(m, p, i, now);
    if (!r.measured) {
        snprintf(buf, size, "not known: nothing was measured for %s lately", p->databases[i].name);
        return buf;
    }
    if (r.total_us >= 0)
        snprintf(total, sizeof total, "about %lld ms", (long long)((r.total_us + 999) / 1000));
    snprintf(buf, size, "%s: open %s, marker %s, commits %s, %lld sequences %s%s", total, part(r.open_us, open), part(r.marker_us, marker), part(r.commits_us, commit),
        (long long)r.sequences, part(r.reading_us, reading), p->databases[i].heartbeat ? "" : "; without a heartbeat marker and commits are not measured");
    return buf;
}
