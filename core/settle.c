#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/child.h"
#include "core/flag.h"
#include "core/pg.h"
#include "core/pgnames.h"
#include "core/settle_inner.h"

enum { REPOINT_MS = 60000, LINK_MS = 5000, STRAYS_MS = 2500 };

/* Ends the switch's own sessions, and says how many are still there. */
static const char HANDS_OFF[] =
    "SELECT count(*), count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND usename = current_user AND application_name = '" SETTLE_APP_SWITCH "'";
static const char CLOSE_AND_END[] =
    SQL_CLOSE " SELECT count(pg_terminate_backend(pid)) FROM " SQL_STRANGERS ";";

/* Is this database still read-only for clients? */
#define IF_CLOSED \
    "IF EXISTS (SELECT FROM pg_db_role_setting s JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database() AND setrole = 0" \
    " AND EXISTS (SELECT FROM unnest(setconfig) c WHERE c ~* '^default_transaction_read_only=(on|true|yes|1)')) THEN "

void settle_advance_sql(struct buf *out, const char *slot)
{
    buf_printf(out, "BEGIN READ WRITE; DO $cutover$DECLARE upto pg_lsn := pg_current_wal_flush_lsn(); BEGIN " IF_CLOSED "PERFORM pg_replication_slot_advance(slot_name, upto)"
                    " FROM pg_replication_slots WHERE slot_name = '%s' AND NOT active AND confirmed_flush_lsn < upto; END IF; END$cutover$; COMMIT; ", slot);
}

static void put_open(struct buf *out, const char *slot, const char *end)
{
    if (*slot)
        buf_printf(out, "BEGIN READ WRITE; SET LOCAL synchronous_commit = on; DO $cutover$BEGIN " IF_CLOSED
                        "INSERT INTO cutover.marker (id, at, step) SELECT 'opened-%s-' || here, clock_timestamp(), here FROM pg_current_wal_insert_lsn() here"
                        " WHERE EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '%s' AND NOT active) ON CONFLICT (id) DO NOTHING; END IF;"
                        " EXECUTE format('ALTER DATABASE %%I RESET default_transaction_read_only', current_database()); END$cutover$; %s;", slot, slot, end);
    else
        buf_printf(out, "BEGIN READ WRITE; SET LOCAL synchronous_commit = on; %s %s;", SQL_ALTER("RESET default_transaction_read_only"), end);
}

void settle_open_sql(struct buf *out, const char *slot)
{
    put_open(out, slot, "COMMIT");
}

void settle_try_open_sql(struct buf *out, const char *slot)
{
    put_open(out, slot, "ROLLBACK");
}

#define PLACE "(SELECT max(step::pg_lsn) FROM cutover.marker WHERE id LIKE 'opened-%s-%%')"
void settle_place_sql(struct buf *out, const char *slot)
{
    buf_printf(out, " BEGIN READ WRITE; SELECT pg_replication_slot_advance(slot_name, " PLACE ") FROM pg_replication_slots WHERE slot_name = '%s' AND NOT active"
                    " AND confirmed_flush_lsn < " PLACE "; COMMIT; SELECT coalesce(" PLACE "::text, '');", slot, slot, slot, slot);
}

/* Who may not set an origin's place goes without: only a server that dies in these seconds is the worse for it. */
void settle_enable_sql(struct buf *out, const char *subscription, const char *place)
{
    buf_puts(out, "BEGIN READ WRITE; ");
    if (*place)
        buf_printf(out, "SELECT CASE WHEN has_function_privilege('pg_replication_origin_advance(text,pg_lsn)', 'EXECUTE') THEN pg_replication_origin_advance('pg_' || s.oid, '%s') END"
                        " FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database() AND subname = '%s' AND NOT subenabled; ", place, subscription);
    buf_printf(out, "ALTER SUBSCRIPTION %s ENABLE; COMMIT;", subscription);
}

/* ---- building ---- */

struct settle *settle_new(struct task *owner)
{
    struct settle *s = xcalloc(1, sizeof *s);
    s->owner = owner;
    return s;
}

static void make_line(struct settle *s, struct settle_line *l, const char *conninfo)
{
    char *own = pg_conninfo_with(conninfo, "application_name", SETTLE_APP_SETTLE);
    l->pg = pg_new(s->owner, own);
    free(own);
}

void settle_set_back(struct settle *s, bool back)
{
    s->back = back;
}

int settle_add_database(struct settle *s, const char *name, const char *home, const char *const conninfo[SIDES], const char *const *repoint, int nrepoint)
{
    s->units = xrealloc(s->units, (size_t)(s->nunits + 1) * sizeof *s->units);
    struct settle_unit *u = &s->units[s->nunits];
    *u = (struct settle_unit){.name = xstrdup(name), .home = xstrdup(home)};
    for (int i = 0; i < SIDES; i++)
        make_line(s, &u->side[i], conninfo[i]);
    if (nrepoint > 0) {
        u->repoint = xcalloc((size_t)nrepoint + 1, sizeof *u->repoint);
        for (int i = 0; i < nrepoint; i++)
            u->repoint[i] = xstrdup(repoint[i]);
    }
    return s->nunits++;
}

void settle_add_pooler(struct settle *s, int database, const struct plan_pooler *pooler, const char *retry)
{
    struct settle_unit *u = &s->units[database];
    u->poolers = xrealloc(u->poolers, (size_t)(u->npoolers + 1) * sizeof *u->poolers);
    struct settle_pooler *p = &u->poolers[u->npoolers++];
    *p = (struct settle_pooler){.name = xstrdup(pooler->name), .database = xstrdup(pooler->database), .file = xstrdup(pooler->file)};
    copy_text(p->retry, sizeof p->retry, retry);
    for (int i = 0; i < SIDES; i++)
        p->target[i] = xstrdup(pooler->target[i]);
    make_line(s, &p->admin, pooler->admin);
}

void settle_add_flag(struct settle *s, const struct plan_flag *flag)
{
    s->flags = xrealloc(s->flags, (size_t)(s->nflags + 1) * sizeof *s->flags);
    s->flags[s->nflags++] = (struct settle_flag){.flag = flag_new(s->owner, flag)};
}

void settle_expect_strays(struct settle *s)
{
    s->strays = true;
}

void settle_add_plan(struct settle *s, const struct plan *plan, bool back, const char *const *retries)
{
    settle_set_back(s, back);
    for (int i = 0; i < plan->nflags; i++)
        settle_add_flag(s, &plan->flags[i]);
    for (int i = 0; i < plan->ndatabases; i++) {
        const struct plan_database *d = &plan->databases[i];
        char home[64] = "";
        if (d->reverse)
            (back ? pgnames_slot : pgnames_back)(d, home, sizeof home);
        settle_add_database(s, d->name, home, d->conninfo, d->npoolers ? NULL : d->repoint, d->npoolers ? 0 : d->nrepoint);
        for (int j = 0; j < d->npoolers; j++)
            settle_add_pooler(s, i, &d->poolers[j], *retries++);
    }
}

static void free_unit(struct settle_unit *u)
{
    for (int i = 0; i < u->npoolers; i++) {
        struct settle_pooler *p = &u->poolers[i];
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
    free(u->home);
}

void settle_free(struct settle *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->nunits; i++)
        free_unit(&s->units[i]);
    for (int i = 0; i < s->nflags; i++)
        flag_free(s->flags[i].flag);
    free(s->flags);
    free(s->units);
    free(s);
}

/* ---- databases ---- */

/* True when none of the switch's own sessions is left on this side. */
static bool take_hands_off(struct settle_line *l)
{
    if (settle_ask(l, HANDS_OFF) != GOT)
        return false;
    if (pg_int(l->pg, 0, 0) == 0)
        return true;
    l->again = clock_mono() + 5;
    return false;
}

/* The side that loses: to blue, green only if it had been opened; to green, blue, which has long been closed. */
static void close_loser(struct settle *s, struct settle_unit *u)
{
    struct settle_line *loser = &u->side[!s->side];
    if (u->at == D_HANDS_LOSER && take_hands_off(loser))
        u->at = D_CLOSE_LOSER;
    if (u->at == D_CLOSE_LOSER && settle_ask(loser, s->side == BLUE ? CLOSE_AND_END : SQL_CLOSE) == GOT) {
        u->loser_open = false;
        u->at = D_HANDS_WINNER;
    } else if (clock_mono() - u->began > SETTLE_LOSER_MS) {
        u->loser_open = true;
        u->at = D_HANDS_WINNER;
    }
}

static void close_late(struct settle *s, struct settle_unit *u)
{
    if (u->loser_open && settle_ask(&u->side[!s->side], s->side == BLUE ? CLOSE_AND_END : SQL_CLOSE) == GOT)
        u->loser_open = false;
}

static void open_winner(struct settle *s, struct settle_unit *u)
{
    struct settle_line *winner = &u->side[s->side];
    if (u->at == D_HANDS_WINNER && take_hands_off(winner))
        u->at = D_OPEN_WINNER;
    struct buf sql = {0};
    settle_open_sql(&sql, s->side == GREEN ? u->home : "");
    if (u->at == D_OPEN_WINNER && settle_ask(winner, sql.text) == GOT) {
        u->winner_open = true;
        u->at = D_POOLERS;
    }
    buf_free(&sql);
}

static void run_repoint(struct settle *s, struct settle_unit *u)
{
    static const char *const to[SIDES][2] = {{"CUTOVER_TO=blue", NULL}, {"CUTOVER_TO=green", NULL}};
    if (!u->repoint || s->side == BLUE) {
        u->at = s->side == BLUE ? D_DONE : D_DISABLE;
        u->linking = clock_mono();
    } else if (!u->child) {
        u->child = child_new(s->owner);
        child_start(u->child, &(struct child_opts){.argv = (const char *const *)u->repoint, .env = to[s->back ? BLUE : GREEN], .timeout_ms = REPOINT_MS});
    } else if (!child_busy(u->child)) {
        u->at = D_DISABLE;
        u->linking = clock_mono();
    }
}

/* A blue that is dead, or was never followed, does not hold up the rest. */
static void link_back(struct settle *s, struct settle_unit *u)
{
    struct settle_line *winner = &u->side[GREEN], *loser = &u->side[BLUE];
    struct buf sql = {0};
    (void)s;
    buf_puts(&sql, SQL_DISABLE);
    if (*u->home)
        settle_place_sql(&sql, u->home);
    if (u->at == D_DISABLE && settle_ask(winner, sql.text) == GOT) {
        copy_text(u->place, sizeof u->place, *u->home ? pg_value(winner->pg, 0, 0) : "");
        u->at = *u->home ? D_IDLE : D_DONE;
    }
    if (u->at == D_IDLE && settle_ask(winner, SQL_WORKERS) == GOT) {
        winner->again = clock_mono() + 20;
        u->at = pg_int(winner->pg, 0, 0) == 0 ? D_ENABLE : D_IDLE;
    }
    sql.len = 0;
    settle_enable_sql(&sql, u->home, u->place);
    if (u->at == D_ENABLE && settle_ask(loser, sql.text) == GOT)
        u->at = D_DONE;
    buf_free(&sql);
    if (u->at != D_DONE && clock_mono() - u->linking > LINK_MS)
        u->at = D_DONE;
}

static void step_unit(struct settle *s, struct settle_unit *u)
{
    if (u->at <= D_CLOSE_LOSER)
        close_loser(s, u);
    if (u->at == D_HANDS_WINNER || u->at == D_OPEN_WINNER)
        open_winner(s, u);
    if (u->at == D_POOLERS && settle_step_poolers(s, u))
        u->at = D_REPOINT;
    if (u->at == D_REPOINT)
        run_repoint(s, u);
    if (u->at >= D_DISABLE && u->at < D_DONE)
        link_back(s, u);
    if (u->at > D_CLOSE_LOSER)
        close_late(s, u);
}

/* ---- the whole ---- */

static void open_line(struct settle_line *l)
{
    if (!pg_busy(l->pg) && !pg_is_connected(l->pg))
        pg_connect(l->pg, SETTLE_CONNECT_MS);
}

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
static void hush(struct settle_line *l)
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
    for (int i = 0; i < s->nflags; i++)
        s->flags[i].at = F_SET;
    for (int i = 0; i < s->nunits; i++) {
        struct settle_unit *u = &s->units[i];
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

/* ---- flags ---- */

static void tell_flag(struct settle_flag *f)
{
    if (f->at == F_SET && clock_mono() >= f->again) {
        flag_set(f->flag, false, FLAG_OFF_MS);
        f->at = F_ASKED;
    }
}

static void step_flag(struct settle *s, struct settle_flag *f)
{
    tell_flag(f);
    if (f->at != F_ASKED || flag_busy(f->flag))
        return;
    bool once_more = s->strays && !f->once_more && !flag_failed(f->flag);
    f->once_more = f->once_more || once_more;
    f->again = clock_mono() + (once_more ? STRAYS_MS : SETTLE_AGAIN_MS * 10);
    f->at = flag_failed(f->flag) || once_more ? F_SET : F_DONE;
}

/* True when none stops writes any more. They are told when there is somebody who would take the writes. */
static bool step_flags(struct settle *s)
{
    bool done = true;
    for (int i = 0; i < s->nflags && settle_is_open(s); i++) {
        step_flag(s, &s->flags[i]);
        done = done && s->flags[i].at == F_DONE;
    }
    return done;
}

/* Several databases may stand in one file: it is put back by the first, and all of them find it done. */
bool settle_step(struct settle *s)
{
    bool done = true;
    for (int i = 0; s->mode == WORKING && i < s->nunits; i++) {
        step_unit(s, &s->units[i]);
        done = done && s->units[i].at == D_DONE && !s->units[i].loser_open;
    }
    if (s->mode == WORKING)
        done = step_flags(s) && done;
    for (int i = 0; s->mode == OPENING && i < s->nunits; i++) {
        struct settle_unit *u = &s->units[i];
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

static const char *say_opening(struct settle *s, const struct settle_unit *u)
{
    for (int i = 0; i < SIDES; i++)
        if (!pg_is_connected(u->side[i].pg))
            snprintf(s->error, sizeof s->error, "%s of %.60s can't be reached: %.250s", (i == BLUE) != s->back ? "Blue" : "Green", u->name, pg_error(u->side[i].pg));
    for (int j = 0; j < u->npoolers; j++)
        if (!pg_is_connected(u->poolers[j].admin.pg))
            snprintf(s->error, sizeof s->error, "The pooler %.60s can't be reached: %.250s", u->poolers[j].name, pg_error(u->poolers[j].admin.pg));
    return s->error;
}

static const char *say_working(struct settle *s, const struct settle_unit *u)
{
    const char *open = side_names[s->back ? !s->side : s->side], *closed = side_names[s->back ? s->side : !s->side];
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
    for (int i = 0; i < s->nflags && s->mode == WORKING && !*w->error; i++)
        if (s->flags[i].at != F_DONE && !(s->flags[i].once_more && !flag_failed(s->flags[i].flag)))
            snprintf(w->error, sizeof w->error, "The flag %.60s is not yet taken back: %.250s", flag_name(s->flags[i].flag), flag_error(s->flags[i].flag));
    return s->error;
}
