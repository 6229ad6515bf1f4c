#include "core/source/pauseprobe.h"

enum { EVERY = 15000, AFTER_FAILURE = 120000 };

/* A message in the WAL that nobody decodes: it takes a transaction id, so its commit is flushed as that of a row is. */
const char pauseprobe_commit_sql[] = "SELECT pg_logical_emit_message(true, 'cutover', 'pause')";

#define SEQUENCES \
    "FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'S' AND relpersistence <> 't' AND nspname <> 'cutover'"
/* A hundred tell what thousands cost, and take few locks. */
const char pauseprobe_read_sql[] =
    "SELECT (SELECT count(*) " SEQUENCES "), count(*), count(v) FROM"
    " (SELECT CASE WHEN has_sequence_privilege(c.oid, 'SELECT, USAGE') THEN pg_sequence_last_value(c.oid) END AS v " SEQUENCES " LIMIT 100) AS few";

bool pauseprobe_begin(struct pauseprobe *p, const struct source *s)
{
    p->marker_us = p->green_us = p->reading_us = UNKNOWN;
    p->sequences = 0;
    p->now = clock_mono() >= p->next && s->model && !s->model->pause_began && !s->model->committed;
    if (p->now)
        p->next = clock_mono() + EVERY;
    return p->now;
}

void pauseprobe_give_up(struct pauseprobe *p)
{
    p->now = false;
    p->next = clock_mono() + AFTER_FAILURE;
}

bool pauseprobe_ask(struct pauseprobe *p, struct source *s, struct pgline *l, const char *sql, int64_t *took_us)
{
    if (!l->asked)
        p->asked = clock_mono_us();
    if (!pgline_ask(s, l, sql, 0, NULL))
        return false;
    *took_us = pg_failed(l->pg) ? UNKNOWN : clock_mono_us() - p->asked;
    return true;
}

void pauseprobe_take_reading(struct pauseprobe *p, const struct pg *pg, int64_t took_us)
{
    int64_t read = took_us < 0 ? 0 : pg_int(pg, 0, 1);
    p->sequences = took_us < 0 ? 0 : pg_int(pg, 0, 0);
    p->reading_us = took_us < 0 ? UNKNOWN : read > 0 ? took_us * MAX(p->sequences, read) / read : took_us;
}

void pauseprobe_record(struct pauseprobe *p, struct source *s, const char *db)
{
    p->now = false;
    RECORD(s->door, pause_probed, .db = db, .marker_us = p->marker_us, .blue_us = p->blue_us, .green_us = p->green_us, .sequences = p->sequences, .reading_us = p->reading_us);
}
