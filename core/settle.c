#include "core/settle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/child.h"
#include "core/pg.h"
#include "core/pooler.h"

enum { CONNECT_MS = 2000, QUERY_MS = 2000, AGAIN_MS = 50, REPOINT_MS = 60000, HANDS_MS = 2000 };

/* Ends the switch's own sessions, and says how many are still there. */
static const char HANDS_OFF[] =
    "SELECT count(*), count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND usename = current_user AND application_name = '" SETTLE_APP_SWITCH "'";
static const char CLOSE_AND_END[] =
    SQL_CLOSE " SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE " SQL_FOREIGN ";";

/* One connection and the question that is open on it. */
struct line {
    struct pg *pg;
    enum { QUIET, CONNECTING, ASKING } at;
    int64_t again; /* clock_mono before which nothing is asked: the last try failed */
    char error[300];
};

struct unit_pooler {
    char *name, *database, *file, *target[SIDES];
    struct line admin;
    enum { P_FILE, P_RELOAD, P_RESUME, P_CLIENTS, P_LOOK, P_DONE } at;
    int64_t began;
};

struct unit {
    char *name;
    struct line side[SIDES];
    enum { D_HANDS_LOSER, D_CLOSE_LOSER, D_HANDS_WINNER, D_OPEN_WINNER, D_POOLERS, D_REPOINT, D_DONE } at;
    bool loser_open; /* the losing side could not be closed; it is tried on while the rest goes its way */
    bool winner_open;
    int64_t began;
    char **repoint;
    struct child *child;
    struct unit_pooler *poolers;
    int npoolers;
};

struct settle {
    struct task *owner;
    struct unit *units;
    int nunits;
    enum { IDLE, OPENING, WORKING } mode;
    enum side side;
    bool opened;
    char error[400];
};

/* ---- building ---- */

struct settle *settle_new(struct task *owner)
{
    struct settle *s = xcalloc(1, sizeof *s);
    s->owner = owner;
    return s;
}

char *settle_conninfo(const char *conninfo, const char *app)
{
    if (!strstr(conninfo, "://"))
        return xprintf("%s application_name='%s'", conninfo, app);
    char word[64];
    size_t n = 0;
    for (; *app && n + 4 < sizeof word; app++)
        n += (size_t)(*app == ' ' ? sprintf(word + n, "%%20") : sprintf(word + n, "%c", *app));
    return xprintf("%s%capplication_name=%s", conninfo, strchr(conninfo, '?') ? '&' : '?', word);
}

static void make_line(struct settle *s, struct line *l, const char *conninfo)
{
    char *own = settle_conninfo(conninfo, SETTLE_APP_SETTLE);
    l->pg = pg_new(s->owner, own);
    free(own);
}

int settle_add_database(struct settle *s, const char *name, const char *const conninfo[SIDES], const char *const *repoint, int nrepoint)
{
    s->units = xrealloc(s->units, (size_t)(s->nunits + 1) * sizeof *s->units);
    struct unit *u = &s->units[s->nunits];
    *u = (struct unit){.name = xstrdup(name)};
    for (int i = 0; i < SIDES; i++)
        make_line(s, &u->side[i], conninfo[i]);
    if (nrepoint > 0) {
        u->repoint = xcalloc((size_t)nrepoint + 1, sizeof *u->repoint);
        for (int i = 0; i < nrepoint; i++)
            u->repoint[i] = xstrdup(repoint[i]);
    }
    return s->nunits++;
}

void settle_add_pooler(struct settle *s, int database, const struct plan_pooler *pooler)
{
    struct unit *u = &s->units[database];
    u->poolers = xrealloc(u->poolers, (size_t)(u->npoolers + 1) * sizeof *u->poolers);
    struct unit_pooler *p = &u->poolers[u->npoolers++];
    *p = (struct unit_pooler){.name = xstrdup(pooler->name), .database = xstrdup(pooler->database), .file = xstrdup(pooler->file)};
    for (int i = 0; i < SIDES; i++)
        p->target[i] = xstrdup(pooler->target[i]);
    make_line(s, &p->admin, pooler->admin);
}

void settle_add_plan(struct settle *s, const struct plan *plan)
{
    for (int i = 0; i < plan->ndatabases; i++) {
        const struct plan_database *d = &plan->databases[i];
        settle_add_database(s, d->name, d->conninfo, d->npoolers ? NULL : d->repoint, d->npoolers ? 0 : d->nrepoint);
        for (int j = 0; j < d->npoolers; j++)
            settle_add_pooler(s, i, &d->poolers[j]);
    }
}

static void free_unit(struct unit *u)
{
    for (int i = 0; i < u->npoolers; i++) {
        struct unit_pooler *p = &u->poolers[i];
        pg_free(p->admin.pg);
        free(p->name);
        free(p->database);
        free(p->file);
        free(p->target[BLUE]);
        free(p->target[GREEN]);
    }
    for (char **arg = u->repoint; arg && *arg; arg++)
        free(*arg);
    child_free(u->child);
    pg_free(u->side[BLUE].pg);
    pg_free(u->side[GREEN].pg);
    free(u->repoint);
    free(u->poolers);
    free(u->name);
}

void settle_free(struct settle *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->nunits; i++)
        free_unit(&s->units[i]);
    free(s->units);
    free(s);
}

/* ---- one question ---- */

enum answer { WAITING, GOT, LOST };

static enum answer lose(struct line *l)
{
    copy_text(l->error, sizeof l->error, pg_error(l->pg));
    l->at = QUIET;
    l->again = clock_mono() + AGAIN_MS;
    return LOST;
}

/* Asks over an open connection, opening it first when it is not. Called again until it answers. */
static enum answer ask(struct line *l, const char *sql)
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
        pg_query(l->pg, sql, -1, NULL, QUERY_MS);
    } else {
        l->at = CONNECTING;
        pg_connect(l->pg, CONNECT_MS);
    }
    return WAITING;
}

static void open_line(struct line *l)
{
    if (!pg_busy(l->pg) && !pg_is_connected(l->pg))
        pg_connect(l->pg, CONNECT_MS);
}

/* ---- poolers ---- */

static void work_file(struct settle *s, struct unit_pooler *p)
{
    struct err err;
    if (s->side == BLUE ? pooler_restore(p->file, &err) : pooler_install(p->file, &err)) {
        p->at = s->opened || s->side == GREEN ? P_RELOAD : P_RESUME;
        return;
    }
    copy_text(p->admin.error, sizeof p->admin.error, err.text);
    p->admin.again = clock_mono() + AGAIN_MS;
}

/* PAUSE of an engine that died may still stand in its socket: a RESUME before it is read would be in vain. */
static bool hands_are_off(const struct unit_pooler *p)
{
    int app = pg_column(p->admin.pg, "application_name");
    for (int i = 0; app >= 0 && i < pg_rows(p->admin.pg); i++)
        if (strcmp(pg_value(p->admin.pg, i, app), SETTLE_APP_SWITCH) == 0)
            return clock_mono() - p->began > HANDS_MS;
    return true;
}

static bool is_settled(const struct settle *s, struct unit_pooler *p)
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
                 there ? "still paused" : s->side == BLUE ? "not back on blue" : "not on green");
        return false;
    }
    snprintf(p->admin.error, sizeof p->admin.error, "pooler %s has no database %s any more", p->name, p->database);
    return false;
}

/* RESUME comes first and the look at the clients after it, so that writers wait no longer than they must; whatever
 * still pauses then is resumed again. That RESUME calls "not paused" an error is no matter: the last look decides. */
static bool step_pooler(struct settle *s, struct unit_pooler *p)
{
    char verb[300];
    enum answer a;
    switch (p->at) {
    case P_FILE:
        if (clock_mono() >= p->admin.again)
            work_file(s, p);
        return p->at != P_FILE;
    case P_RELOAD:
        if ((a = ask(&p->admin, "RELOAD;")) == GOT)
            p->at = P_RESUME;
        return a == GOT;
    case P_RESUME:
        pooler_verb(verb, sizeof verb, "RESUME", p->database);
        a = ask(&p->admin, verb);
        if (a == WAITING || (a == LOST && !pg_is_connected(p->admin.pg)))
            return false;
        p->admin.again = 0;
        p->at = P_CLIENTS;
        return true;
    case P_CLIENTS:
        if ((a = ask(&p->admin, "SHOW CLIENTS;")) != GOT)
            return false;
        if (hands_are_off(p))
            p->at = P_LOOK;
        else
            p->admin.again = clock_mono() + 10;
        return p->at == P_LOOK;
    case P_LOOK:
        if (ask(&p->admin, "SHOW DATABASES;") != GOT)
            return false;
        p->at = is_settled(s, p) ? P_DONE : P_RESUME;
        if (p->at == P_RESUME)
            p->admin.again = clock_mono() + 20;
        return p->at == P_DONE;
    case P_DONE: return false;
    }
    return false;
}

static bool step_poolers(struct settle *s, struct unit *u)
{
    bool done = true;
    for (int i = 0; i < u->npoolers; i++) {
        while (step_pooler(s, &u->poolers[i]))
            ;
        done = done && u->poolers[i].at == P_DONE;
    }
    return done;
}

/* ---- databases ---- */

/* True when none of the switch's own sessions is left on this side. */
static bool take_hands_off(struct line *l)
{
    if (ask(l, HANDS_OFF) != GOT)
        return false;
    if (pg_int(l->pg, 0, 0) == 0)
        return true;
    l->again = clock_mono() + 5;
    return false;
}

/* The side that loses: to blue, green only if it had been opened; to green, blue, which has long been closed. */
static void close_loser(struct settle *s, struct unit *u)
{
    struct line *loser = &u->side[!s->side];
    if (u->at == D_HANDS_LOSER && take_hands_off(loser))
        u->at = D_CLOSE_LOSER;
    if (u->at == D_CLOSE_LOSER && ask(loser, s->side == BLUE ? CLOSE_AND_END : SQL_CLOSE) == GOT) {
        u->loser_open = false;
        u->at = D_HANDS_WINNER;
    } else if (clock_mono() - u->began > SETTLE_LOSER_MS) {
        u->loser_open = true;
        u->at = D_HANDS_WINNER;
    }
}

static void close_late(struct settle *s, struct unit *u)
{
    if (u->loser_open && ask(&u->side[!s->side], s->side == BLUE ? CLOSE_AND_END : SQL_CLOSE) == GOT)
        u->loser_open = false;
}

static void open_winner(struct settle *s, struct unit *u)
{
    struct line *winner = &u->side[s->side];
    if (u->at == D_HANDS_WINNER && take_hands_off(winner))
        u->at = D_OPEN_WINNER;
    if (u->at == D_OPEN_WINNER && ask(winner, SQL_OPEN) == GOT) {
        u->winner_open = true;
        u->at = D_POOLERS;
    }
}

static void run_repoint(struct settle *s, struct unit *u)
{
    static const char *const to[SIDES][2] = {{"CUTOVER_TO=blue", NULL}, {"CUTOVER_TO=green", NULL}};
    if (!u->repoint || s->side == BLUE) {
        u->at = D_DONE;
    } else if (!u->child) {
        u->child = child_new(s->owner);
        child_start(u->child, &(struct child_opts){.argv = (const char *const *)u->repoint, .env = to[s->side], .timeout_ms = REPOINT_MS});
    } else if (!child_busy(u->child)) {
        u->at = D_DONE;
    }
}

static void step_unit(struct settle *s, struct unit *u)
{
    if (u->at <= D_CLOSE_LOSER)
        close_loser(s, u);
    if (u->at == D_HANDS_WINNER || u->at == D_OPEN_WINNER)
        open_winner(s, u);
    if (u->at == D_POOLERS && step_poolers(s, u))
        u->at = D_REPOINT;
    if (u->at == D_REPOINT)
        run_repoint(s, u);
    if (u->at > D_CLOSE_LOSER)
        close_late(s, u);
}

/* ---- the whole ---- */

void settle_connect(struct settle *s)
{
    s->mode = OPENING;
    for (int i = 0; i < s->nunits; i++) {
        open_line(&s->units[i].side[BLUE]);
        open_line(&s->units[i].side[GREEN]);
        for (int j = 0; j < s->units[i].npoolers; j++)
            open_line(&s->units[i].poolers[j].admin);
    }
}

/* An answer that is still on its way belongs to another question. */
static void hush(struct line *l)
{
    if (pg_busy(l->pg))
        pg_close(l->pg);
    l->at = QUIET;
    l->again = 0;
    l->error[0] = '\0';
}

void settle_go(struct settle *s, enum side side, bool opened)
{
    s->mode = WORKING;
    s->side = side;
    s->opened = opened;
    for (int i = 0; i < s->nunits; i++) {
        struct unit *u = &s->units[i];
        u->at = side == BLUE && !opened ? D_HANDS_WINNER : D_HANDS_LOSER;
        u->winner_open = u->loser_open = false;
        u->began = clock_mono();
        hush(&u->side[BLUE]);
        hush(&u->side[GREEN]);
        for (int j = 0; j < u->npoolers; j++) {
            u->poolers[j].at = P_FILE;
            u->poolers[j].began = u->began;
            hush(&u->poolers[j].admin);
        }
    }
}

/* Several databases may stand in one file: it is put back by the first, and all of them find it done. */
bool settle_step(struct settle *s)
{
    bool done = true;
    for (int i = 0; s->mode == WORKING && i < s->nunits; i++) {
        step_unit(s, &s->units[i]);
        done = done && s->units[i].at == D_DONE && !s->units[i].loser_open;
    }
    for (int i = 0; s->mode == OPENING && i < s->nunits; i++) {
        struct unit *u = &s->units[i];
        done = done && !pg_busy(u->side[BLUE].pg) && !pg_busy(u->side[GREEN].pg);
        for (int j = 0; j < u->npoolers; j++)
            done = done && !pg_busy(u->poolers[j].admin.pg);
    }
    return done;
}

int64_t settle_wait_ms(const struct settle *s)
{
    return s->mode == WORKING ? 10 : 1000;
}

bool settle_is_open(const struct settle *s)
{
    for (int i = 0; i < s->nunits; i++)
        if (s->units[i].at < D_REPOINT)
            return false;
    return s->mode == WORKING;
}

static const char *say_opening(struct settle *s, const struct unit *u)
{
    for (int i = 0; i < SIDES; i++)
        if (!pg_is_connected(u->side[i].pg))
            snprintf(s->error, sizeof s->error, "%s of %.60s can't be reached: %.250s", i == BLUE ? "Blue" : "Green", u->name, pg_error(u->side[i].pg));
    for (int j = 0; j < u->npoolers; j++)
        if (!pg_is_connected(u->poolers[j].admin.pg))
            snprintf(s->error, sizeof s->error, "The pooler %.60s can't be reached: %.250s", u->poolers[j].name, pg_error(u->poolers[j].admin.pg));
    return s->error;
}

static const char *say_working(struct settle *s, const struct unit *u)
{
    const char *open = side_names[s->side], *closed = side_names[!s->side];
    if (u->at <= D_CLOSE_LOSER || u->loser_open)
        snprintf(s->error, sizeof s->error, "%s of %.60s could not be made read-only: %.250s", closed, u->name, u->side[!s->side].error);
    else if (u->at <= D_OPEN_WINNER)
        snprintf(s->error, sizeof s->error, "%s of %.60s could not be opened for writes: %.250s", open, u->name, u->side[s->side].error);
    for (int j = 0; u->at == D_POOLERS && j < u->npoolers; j++)
        if (u->poolers[j].at != P_DONE)
            snprintf(s->error, sizeof s->error, "The pooler %.60s is not yet on %s: %.250s", u->poolers[j].name, open, u->poolers[j].admin.error);
    return s->error;
}

const char *settle_error(const struct settle *s)
{
    struct settle *w = (struct settle *)s; /* only the text is written */
    w->error[0] = '\0';
    for (int i = 0; i < s->nunits && !*w->error; i++)
        s->mode == OPENING ? say_opening(w, &s->units[i]) : say_working(w, &s->units[i]);
    return s->error;
}
