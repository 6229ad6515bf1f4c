/* hold: blue stays read-only for the hold time, and nobody writes there. Its tables' own counters are compared: a row that changed
 * outside the schema cutover is a writer that was forgotten.
 *
 * Where green's writes flow back, blue's counters and transaction ids move all the time by rows that were applied, and nothing
 * in the tables tells those from a client's. There only client sessions count that hold a transaction id at the moment of a look:
 * a short write between two looks is not seen so. What keeps writers out is the database's own setting, which each look checks;
 * a client that writes in spite of it has to set that aside in its own session.
 *
 * Before 15 a session that rests tells its counters only when it does something else, or ends: where transaction ids moved and
 * sessions stay connected, that nobody wrote is not known, and is not said. */
#include <stdio.h>
#include <string.h>

#include "core/format.h"
#include "core/pg.h"
#include "core/step/step.h"

enum { CONNECT, ASK, ANSWER };
enum { INTERVAL = 2000, TIMEOUT = 5000, MOST = 64, COUNTED_AFTER = 11000 };

struct own {
    struct pg *pg;      /* to blue of the database that is looked at */
    int db;
    int64_t rows[MOST]; /* as first seen */
    bool seen[MOST];
    int64_t writes;     /* rows that were written on blue meanwhile */
    int64_t writers;    /* client sessions that were seen to write there */
    bool told_lost, told_open, told_untold;
    bool told_idle[MOST]; /* nobody reads the slot of the way back */
    bool untold[MOST];  /* at the last look sessions were connected whose counters may be missing */
    int64_t next_progress;
    int64_t xid[MOST];  /* the next transaction id: it moves at once with each write, in whatever database of that server */
    int64_t moved;      /* clock_mono when one last moved; 0 */
    int64_t round;      /* clock_mono at which the round over all databases began */
};

#define NOBODY "nobody now"
static const char look_sql[] =
    "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint, (SELECT coalesce(string_agg(DISTINCT usename || ' ' || application_name || ' from ' ||"
    " coalesce(host(client_addr), 'local'), ', '), '" NOBODY "') FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
    " AND application_name NOT LIKE 'cutover%'), pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool,"
    " pg_snapshot_xmax(pg_current_snapshot())::text::bigint,"
    " (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND backend_xid IS NOT NULL"
    "  AND application_name NOT LIKE 'cutover%'), (SELECT bool_or(subenabled) FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid"
    "  WHERE datname = current_database() AND subname LIKE 'cutover\\_back\\_%')"
    " FROM pg_stat_user_tables WHERE schemaname <> 'cutover'";

static int64_t hold_of(const struct plan *p, const struct plan_step *s)
{
    int64_t ms;
    const char *text = plan_option_text(s->options, s->noptions, "for", "");
    return *text && plan_duration(text, &ms) ? ms : p->hold;
}

static void describe(const struct plan *p, const struct model *m, const struct plan_step *s, enum step_mode mode, struct buf *out)
{
    char span[24];
    (void)m, (void)mode;
    buf_printf(out, "nothing is changed; watches for %s that nobody writes on blue", format_span(hold_of(p, s), span, sizeof span));
}

static void connect_to_blue(struct step_run *run)
{
    struct own *o = run->own;
    pg_free(o->pg);
    o->pg = pg_new(&run->task, run->plan->databases[o->db].conninfo[BLUE]);
    pg_connect(o->pg, TIMEOUT);
    run->task.at = ASK;
    task_wait(&run->task, TIMEOUT + 1000);
}

static void judge_untold(struct step_run *run, bool follows)
{
    struct own *o = run->own;
    const char *who = pg_value(o->pg, 0, 1);
    o->untold[o->db] = !follows && o->moved && pg_server_version(o->pg) < 150000 && strcmp(who, NOBODY) != 0;
    if (o->untold[o->db] && !o->told_untold)
        step_say(run, "warn", "%s: transactions ran on blue's server, and before PostgreSQL 15 a session tells what it wrote only when it goes on or ends; connected there: %s",
            run->plan->databases[o->db].name, who);
    o->told_untold = o->told_untold || o->untold[o->db];
}

static void judge(struct step_run *run)
{
    struct own *o = run->own;
    int64_t rows = pg_int(o->pg, 0, 0), writers = pg_int(o->pg, 0, 4);
    bool follows = pg_bool(o->pg, 0, 5); /* rows that green wrote are applied here */
    if (follows && writers)
        step_say(run, "bad", "%s: %lld client sessions write on blue now; connected there: %s", run->plan->databases[o->db].name, (long long)writers,
            pg_value(o->pg, 0, 1));
    if (follows) {
        o->writers += writers;
        rows = 0;
    }
    if (o->seen[o->db] && rows > o->rows[o->db]) {
        o->writes += rows - o->rows[o->db];
        step_say(run, "bad", "%s: %lld rows were written on blue after the switch; connected there: %s", run->plan->databases[o->db].name,
            (long long)(rows - o->rows[o->db]), pg_value(o->pg, 0, 1));
    }
    if (!follows && o->seen[o->db] && pg_int(o->pg, 0, 3) != o->xid[o->db])
        o->moved = clock_mono();
    o->rows[o->db] = rows;
    o->xid[o->db] = pg_int(o->pg, 0, 3);
    o->seen[o->db] = !follows;
    judge_untold(run, follows);
    if (!pg_bool(o->pg, 0, 2) && !o->told_open) /* each look is a new session: it finds what a client would find */
        step_say(run, "bad", "%s: blue takes writes again; ALTER DATABASE ... SET default_transaction_read_only = on there", run->plan->databases[o->db].name);
    o->told_open = o->told_open || !pg_bool(o->pg, 0, 2);
}

static void say_lost(struct step_run *run)
{
    struct own *o = run->own;
    if (!o->told_lost)
        step_say(run, "warn", "blue can't be watched: %s", pg_error(o->pg));
    o->told_lost = true;
}

/* It ends with a look at every database that began after the time was over. A session reports what it wrote to the counters up to
 * 10 s later: if some transaction wrote just before the end, that is waited for. */
static bool is_last_look(const struct step_run *run, int64_t hold)
{
    const struct own *o = run->own;
    return run->plan->ndatabases == 0 || (o->round - run->started >= hold && (!o->moved || clock_mono() - o->moved >= COUNTED_AFTER));
}

static bool is_watched_well(const struct own *o)
{
    for (int i = 0; i < MOST; i++)
        if (o->untold[i])
            return false;
    return !o->told_lost;
}

/* Between two looks: is the time over? */
static bool is_over(struct step_run *run)
{
    struct own *o = run->own;
    int64_t hold = hold_of(run->plan, run->step), held = clock_mono() - run->started;
    if (held >= o->next_progress || held >= hold) {
        step_progress(run, MIN(held, hold), hold, "ms");
        o->next_progress = held + MAX(hold / 500, (int64_t)INTERVAL / 2); /* a hold of days is not told every second */
    }
    if (run->abort_asked)
        step_end(run, "aborted", "the hold was broken off by a person");
    else if (held >= hold && !o->writes && !o->writers && !is_last_look(run, hold))
        return false;
    else if (held >= hold && o->writes)
        step_end(run, "failed", "%lld rows were written on blue during the hold; they are not on green", (long long)o->writes);
    else if (held >= hold && o->writers)
        step_end(run, "failed", "client sessions were seen to write on blue during the hold; what they wrote is not on green");
    else if (held >= hold && o->told_open)
        step_end(run, "failed", "nobody wrote on blue, but it took writes during the hold");
    else if (held >= hold)
        step_end(run, "done", is_watched_well(o) ? "nobody wrote on blue" : "nobody wrote on blue, as far as it could be watched");
    else
        return false;
    return true;
}

/* A slot that nobody reads keeps WAL on green, which is production now. How much, and until when, the sources tell. */
static void judge_way_back(struct step_run *run)
{
    struct own *o = run->own;
    const struct model_db *m = run->model && run->plan->ndatabases ? &run->model->db[o->db] : NULL;
    char kept[24];
    if (!m || !m->back_at || !*m->back_slot || m->back_active == !o->told_idle[o->db])
        return;
    o->told_idle[o->db] = !m->back_active;
    if (m->back_active)
        step_say(run, "ok", "%s: blue reads the slot of the way back again", run->plan->databases[o->db].name);
    else
        step_say(run, "warn", "%s: blue does not read the slot of the way back, so green keeps WAL for it, %s until now", run->plan->databases[o->db].name,
            format_bytes(m->back_retained, kept, sizeof kept));
}

static void next_look(struct step_run *run)
{
    judge_way_back(run);
    struct own *o = run->own;
    int n = MIN(run->plan->ndatabases, MOST);
    o->db = n ? (o->db + 1) % n : 0;
    run->task.at = CONNECT;
    task_sleep(&run->task, o->db == 0 ? MIN((int64_t)INTERVAL, MAX(hold_of(run->plan, run->step) - (clock_mono() - run->started), (int64_t)500)) : 0);
}

static void work(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    struct own *o = run->own;
    if (o->pg && pg_busy(o->pg)) {
        task_wait(task, TIMEOUT + 1000);
        return;
    }
    switch (task->at) {
    case CONNECT:
        if (o->db == 0 || run->abort_asked) {
            if (is_over(run))
                return;
            o->round = clock_mono();
        }
        if (run->plan->ndatabases == 0)
            task_sleep(task, INTERVAL);
        else
            connect_to_blue(run);
        return;
    case ASK:
        if (pg_failed(o->pg)) {
            say_lost(run);
            next_look(run);
            return;
        }
        pg_query(o->pg, look_sql, 0, NULL, TIMEOUT);
        task->at = ANSWER;
        task_wait(task, TIMEOUT + 1000);
        return;
    case ANSWER:
        if (pg_failed(o->pg))
            say_lost(run);
        else
            judge(run);
        next_look(run);
        return;
    }
}

static void probe(struct task *task)
{
    step_end((struct step_run *)task, "before", "holding changes nothing: hold again, or decide that it was long enough");
}

static void free_own(struct step_run *run)
{
    pg_free(((struct own *)run->own)->pg);
}

const struct step_kind step_hold = {.name = "hold", .own_size = sizeof(struct own), .describe = describe, .run = work, .probe = probe, .free_own = free_own};
