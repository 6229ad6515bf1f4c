/* settle's half that speaks: one question at a time on a line, and the way of a pooler from file to RESUME. */
#include <stdio.h>
#include <string.h>

#include "core/pg.h"
#include "core/pooler.h"
#include "core/settle_inner.h"

enum { HANDS_MS = 2000 };

static enum settle_answer lose(struct settle_line *l)
{
    copy_text(l->error, sizeof l->error, pg_error(l->pg));
    l->at = QUIET;
    l->again = clock_mono() + SETTLE_AGAIN_MS;
    return LOST;
}

enum settle_answer settle_ask(struct settle_line *l, const char *sql)
{
    if (pg_busy(l->pg) || clock_mono() < l->again)
        return WAITING;
    if (l->at != QUIET && pg_failed(l->pg))
        return lose(l);
    if (l->at == ASKING) {
        l->at = QUIET;
        l->error[0] = '\0';
        return GOT;
    }
    if (pg_is_connected(l->pg)) {
        l->at = ASKING;
        pg_query(l->pg, sql, -1, NULL, SETTLE_QUERY_MS);
    } else {
        l->at = CONNECTING;
        pg_connect(l->pg, SETTLE_CONNECT_MS);
    }
    return WAITING;
}

/* ---- poolers ---- */

static void work_file(struct settle *s, struct settle_pooler *p)
{
    struct err err;
    if (s->side == BLUE ? pooler_restore(p->file, &err) : pooler_install(p->file, &err)) {
        p->at = s->opened || s->side == GREEN ? P_RELOAD : P_HURRY;
        return;
    }
    copy_text(p->admin.error, sizeof p->admin.error, err.text);
    p->admin.again = clock_mono() + SETTLE_AGAIN_MS;
}

/* PAUSE of an engine that died may still stand in its socket: a RESUME before it is read would be in vain. */
static bool hands_are_off(const struct settle_pooler *p)
{
    int app = pg_column(p->admin.pg, "application_name");
    for (int i = 0; app >= 0 && i < pg_rows(p->admin.pg); i++)
        if (strcmp(pg_value(p->admin.pg, i, app), SETTLE_APP_SWITCH) == 0)
            return clock_mono() - p->began > HANDS_MS;
    return true;
}

static bool is_settled(const struct settle *s, struct settle_pooler *p)
{
    struct pg *pg = p->admin.pg;
    int paused = pg_column(pg, "paused"), host = pg_column(pg, "host"), port = pg_column(pg, "port"), db = pg_column(pg, "database");
    for (int i = 0; i < pg_rows(pg); i++) {
        if (strcmp(pg_value(pg, i, pg_column(pg, "name")), p->database) != 0)
            continue;
        bool there = pooler_is_target(p->target[s->side], pg_value(pg, i, host), pg_value(pg, i, port), pg_value(pg, i, db));
        if (there && pg_int(pg, i, paused) == 0)
            return true;
        snprintf(p->admin.error, sizeof p->admin.error, "pooler %s is %s", p->name,
                 there ? "still paused" : (s->side == BLUE) != s->back ? "not on blue" : "not on green");
        return false;
    }
    snprintf(p->admin.error, sizeof p->admin.error, "pooler %s has no database %s any more", p->name, p->database);
    return false;
}

/* A pooler that does not know the setting is none the worse for it. */
static bool set_retry(struct settle_pooler *p, const char *value, int next)
{
    char verb[100];
    pooler_retry(verb, sizeof verb, value);
    enum settle_answer a = settle_ask(&p->admin, verb);
    if (a == WAITING || (a == LOST && !pg_is_connected(p->admin.pg)))
        return false;
    p->admin.again = 0;
    p->at = next;
    return true;
}

/* RESUME comes first and the look at the clients after it, so that writers wait no longer than they must; whatever
 * still pauses then is resumed again. That RESUME calls "not paused" an error is no matter: the last look decides. */
static bool step_pooler(struct settle *s, struct settle_pooler *p)
{
    char verb[300];
    enum settle_answer a;
    switch (p->at) {
    case P_FILE:
        if (clock_mono() >= p->admin.again)
            work_file(s, p);
        return p->at != P_FILE;
    case P_RELOAD:
        if ((a = settle_ask(&p->admin, "RELOAD;")) == GOT)
            p->at = P_HURRY;
        return a == GOT;
    case P_HURRY: return set_retry(p, "0", P_RESUME);
    case P_RESUME:
        pooler_verb(verb, sizeof verb, "RESUME", p->database);
        a = settle_ask(&p->admin, verb);
        if (a == WAITING || (a == LOST && !pg_is_connected(p->admin.pg)))
            return false;
        p->admin.again = 0;
        p->at = P_CLIENTS;
        return true;
    case P_CLIENTS:
        if (settle_ask(&p->admin, "SHOW CLIENTS;") != GOT)
            return false;
        if (hands_are_off(p))
            p->at = P_LOOK;
        else
            p->admin.again = clock_mono() + 10;
        return p->at == P_LOOK;
    case P_LOOK:
        if (settle_ask(&p->admin, "SHOW DATABASES;") != GOT)
            return false;
        p->at = is_settled(s, p) ? P_CALM : P_RESUME;
        if (p->at == P_RESUME)
            p->admin.again = clock_mono() + 20;
        return p->at == P_CALM;
    case P_CALM: return set_retry(p, p->retry, P_DONE);
    case P_DONE: return false;
    }
    return false;
}

bool settle_step_poolers(struct settle *s, struct settle_unit *u)
{
    bool done = true;
    for (int i = 0; i < u->npoolers; i++) {
        while (step_pooler(s, &u->poolers[i]))
            ;
        done = done && u->poolers[i].at == P_DONE;
    }
    return done;
}
