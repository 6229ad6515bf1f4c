/* Which sides take writes, and whether that is right: from the end of replicate on exactly one side does, and it is the one that the
 * run says. Neither or both is a split brain, or the road to one. In the pause of a switch neither does, on purpose.
 *
 * The two sides are looked at one after the other, so what was seen before writes were stopped, moved or let go (turned_at) says
 * nothing about now: until both were seen after that, nothing is judged. */
#include <stdio.h>
#include <string.h>

#include "core/model_fold.h"

enum { FRESH = 5000 };

static bool is_switching(const struct model *m, const struct plan *p)
{
    for (int i = 0; i < p->nsteps; i++)
        if (strncmp(p->steps[i].kind, "switch", 6) == 0 && (m->step[i].state == STEP_RUNNING || m->step[i].state == STEP_UNKNOWN))
            return true;
    return m->pause_began != 0;
}

static bool is_replicate(const struct plan *p, int step)
{
    return step >= 0 && strcmp(p->steps[step].kind, "pg.replicate") == 0;
}

/* Before replicate has closed green, both may be open. */
static bool is_watched(const struct model *m, const struct plan *p)
{
    for (int i = 0; i < p->nsteps; i++)
        if (is_replicate(p, i) && (m->step[i].state == STEP_DONE || m->step[i].state == STEP_SKIPPED))
            return true;
    return m->committed;
}

enum model_writers model_writers(const struct model *m, const struct plan *p, int db, int64_t now)
{
    bool open[SIDES], switching = is_switching(m, p);
    if (!is_watched(m, p))
        return WRITERS_UNWATCHED;
    for (int s = 0; s < SIDES; s++) {
        const struct model_dbside *side = &m->db[db].side[s];
        if (now - side->at > FRESH || strcmp(side->writable, "unknown") == 0)
            return WRITERS_UNSEEN;
        open[s] = strcmp(side->writable, "yes") == 0;
        if (side->at < m->turned_at)
            return m->pause_began ? WRITERS_STOPPED : WRITERS_ONE;
    }
    if (open[BLUE] && open[GREEN])
        return WRITERS_BOTH;
    if (switching)
        return open[BLUE] || open[GREEN] ? WRITERS_ONE : WRITERS_STOPPED;
    if (!open[BLUE] && !open[GREEN])
        return WRITERS_NONE;
    return open[m->committed ? GREEN : BLUE] ? WRITERS_ONE : WRITERS_WRONG;
}

bool model_writers_are_bad(enum model_writers w)
{
    return w == WRITERS_BOTH || w == WRITERS_NONE || w == WRITERS_WRONG;
}

const char *model_writers_text(const struct model *m, enum model_writers w)
{
    switch (w) {
    case WRITERS_BOTH:
        return "BOTH SIDES WRITABLE";
    case WRITERS_NONE:
        return "NO SIDE WRITABLE";
    case WRITERS_WRONG:
        return m->committed ? "BLUE WRITABLE, NOT GREEN" : "GREEN WRITABLE, NOT BLUE";
    case WRITERS_STOPPED:
        return "writes stopped";
    case WRITERS_UNSEEN:
        return "a side is not seen";
    default:
        return "";
    }
}

/* Where nobody but us may write now. */
enum side model_closed_side(const struct model *m)
{
    return m->committed ? BLUE : GREEN;
}

bool model_is_guarded(const struct model *m, const struct plan *p)
{
    return is_watched(m, p) && !is_switching(m, p);
}

/* Said when it begins and when it is over; a side that was not seen for a while changes nothing. */
static void judge(struct model *m, const struct plan *p, const struct event *e, int i)
{
    struct model_db *db = &m->db[i];
    enum model_writers w = model_writers(m, p, i, e->at);
    if (w == WRITERS_UNSEEN || w == db->writers)
        return;
    if (w == WRITERS_BOTH)
        model_say(m, e, "BAD", p->databases[i].name, "both sides accept writes: what is written on %s is lost", side_names[model_closed_side(m)]);
    else if (w == WRITERS_NONE)
        model_say(m, e, "BAD", p->databases[i].name, "neither side accepts writes, and no switch is running: clients are refused");
    else if (w == WRITERS_WRONG)
        model_say(m, e, "BAD", p->databases[i].name, "%s accepts writes and %s does not: it should be the other way round", side_names[model_closed_side(m)],
            side_names[!model_closed_side(m)]);
    else if (model_writers_are_bad(db->writers) && w == WRITERS_ONE)
        model_say(m, e, "OK", p->databases[i].name, "one side accepts writes again, %s", side_names[!model_closed_side(m)]);
    db->writers = w;
}

static bool was_said(const struct model *m, const char *text, int64_t since)
{
    for (int i = model_log_count(m) - 1; i >= 0 && model_log_at(m, i)->at >= since; i--)
        if (strcmp(model_log_at(m, i)->text, text) == 0)
            return true;
    return false;
}

/* It is seen again and again for as long as it is there, and said every ten minutes only. */
static void tell_writer(struct model *m, const struct event *e)
{
    enum { AGAIN = 600000 };
    const struct event_writer_seen *w = &e->writer_seen;
    char text[sizeof m->log[0].text];
    if (strcmp(w->how, "role") == 0)
        snprintf(text, sizeof text, "the role %.64s may write on %.8s: it has default_transaction_read_only = off of its own", w->role, w->side);
    else
        snprintf(text, sizeof text, "a session writes on %.8s, where nobody may: %.50s (%.50s) from %.46s, pid %lld", w->side, w->role,
            *w->application ? w->application : "unnamed", w->address, (long long)w->pid);
    if (!was_said(m, text, e->at - AGAIN))
        model_say(m, e, "BAD", w->db, "%s", text);
}

static void fold_writer_seen(struct model *m, const struct plan *p, const struct event *e)
{
    const struct event_writer_seen *w = &e->writer_seen;
    int i = plan_find_database(p, w->db);
    if (i < 0)
        return;
    struct model_writer *kept = &m->db[i].writer;
    bool wrote = strcmp(w->how, "writes") == 0;
    kept->at = e->at;
    kept->pid = w->pid;
    kept->wrote = kept->wrote || wrote;
    KEEP(kept->side, w->side);
    KEEP(kept->role, w->role);
    KEEP(kept->application, w->application);
    KEEP(kept->address, w->address);
    KEEP(kept->how, w->how);
    tell_writer(m, e);
}

void fold_writers(struct model *m, const struct plan *p, const struct event *e)
{
    switch (e->kind) {
    case EVENT_switch_committed:
    case EVENT_switch_returned: /* the sides change places: who wrote on the other one is history, and stands in the log */
        for (int i = 0; i < p->ndatabases; i++)
            memset(&m->db[i].writer, 0, sizeof m->db[i].writer);
        /* fall through */
    case EVENT_writes_paused:
    case EVENT_writes_resumed:
    case EVENT_switch_rehearsed:
        m->turned_at = e->at;
        m->turns++;
        break;
    case EVENT_step_ended: /* green was closed in it */
        if (is_replicate(p, plan_find_step(p, e->step_ended.step)))
            m->turned_at = e->at;
        break;
    case EVENT_db_seen: {
        int i = plan_find_database(p, e->db_seen.db);
        if (i >= 0)
            judge(m, p, e, i);
        break;
    }
    case EVENT_writer_seen:
        fold_writer_seen(m, p, e);
        break;
    default:
        break;
    }
}
