#include "core/source/pgline.h"

#include <string.h>

enum { CONNECT_TIMEOUT = 5000, ASK_TIMEOUT = 5000, SLACK = 1000 };

static void fail(struct source *s, struct pgline *l)
{
    source_failed(s, "%s", pg_error(l->pg));
    task_sleep(&s->task, l->at_once ? 0 : s->pause);
}

bool pgline_up(struct source *s, struct pgline *l, const char *conninfo)
{
    if (!l->pg)
        l->pg = pg_new(&s->task, conninfo);
    if (pg_busy(l->pg)) {
        task_wait(&s->task, CONNECT_TIMEOUT + SLACK);
        return false;
    }
    if (pg_is_connected(l->pg)) {
        l->trying = false;
        return true;
    }
    if (l->trying) {
        l->trying = false;
        fail(s, l);
        return false;
    }
    l->trying = true;
    l->asked = false;
    pg_connect(l->pg, CONNECT_TIMEOUT);
    task_wait(&s->task, CONNECT_TIMEOUT + SLACK);
    return false;
}

bool pgline_ask(struct source *s, struct pgline *l, const char *sql, int nparams, const char *const *params)
{
    if (!l->asked) {
        l->asked = true;
        pg_query(l->pg, sql, nparams, params, ASK_TIMEOUT);
    }
    if (pg_busy(l->pg)) {
        task_wait(&s->task, ASK_TIMEOUT + SLACK);
        return false;
    }
    l->asked = false;
    if (!pg_failed(l->pg) || (l->tolerates && strcmp(pg_sqlstate(l->pg), l->tolerates) == 0))
        return true;
    fail(s, l);
    return false;
}

void pgline_free(struct pgline *l)
{
    pg_free(l->pg);
    l->pg = NULL;
}
