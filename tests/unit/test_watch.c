/* What is watched of replication, without a server: words found in a log, how long until WAL fills a disk, what closes the switch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/gate.h"
#include "core/journal.h"
#include "core/source/applier.h"
#include "tui/tape.h"

/* ---- the log ---- */

#define DEAD(pid) "2026-11-27 07:00:02.000 UTC [41] LOG:  background worker \"logical replication worker\" (PID " #pid ") exited with exit code 1\n"

static void the_words_of_an_error_are_found_in_the_log(void **state)
{
    (void)state;
    static const struct { const char *log, *words; } rows[] = {
        {"", NULL},
        {"2026 [9] ERROR:  of a client\n", NULL},
        {"2026 [7] ERROR:  duplicate key value violates unique constraint \"items_pkey\"\n2026 [7] DETAIL:  Key (id)=(5) already exists.\n"
         "2026 [7] CONTEXT:  processing remote data\n" DEAD(7), "duplicate key value violates unique constraint \"items_pkey\". Key (id)=(5) already exists."},
        /* somebody else failed between the error and the end of the worker */
        {"2026 [7] ERROR:  ours\n2026 [9] ERROR:  of a client\n2026 [9] DETAIL:  theirs\n" DEAD(7), "ours"},
        /* the last one counts */
        {"2026 [7] ERROR:  first\n" DEAD(7) "2026 [8] ERROR:  second\n" DEAD(8), "second"},
        {"2026 [7] ERROR:  ours\n" DEAD(7) "2026 [9] ERROR:  of a client\n", "ours"},
        /* a prefix without pid */
        {"ERROR:  plain\nLOG:  background worker \"logical replication apply worker\" (PID 12) exited with exit code 1\n", "plain"},
        {"2026 [7] ERROR:  cut off\nLOG:  background worker \"logical replication worker\" (PID ", NULL},
        {"2026 [7] ERROR:  \x1b[31mred\n" DEAD(7), "\\x1b[31mred"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char words[120] = "before";
        bool found = applier_find(rows[i].log, words, sizeof words);
        assert_int_equal(found, rows[i].words != NULL);
        assert_string_equal(words, found ? rows[i].words : "before");
    }
}

/* ---- a world of two databases, the second without heartbeat ---- */

static const char plan_text[] =
    "name = \"test\"; rehearsal = true;\n"
    "blue = { address = \"127.0.2.1\"; }; green = { address = \"127.0.2.2\"; };\n"
    "databases = ( { name = \"shop\"; blue = \"service=b\"; green = \"service=g\"; wal_room = \"1GB\"; },\n"
    "  { name = \"quiet\"; blue = \"service=b2\"; green = \"service=g2\"; heartbeat = false; } );\n";

struct world {
    struct plan *plan;
    struct model *model;
    struct gate gate;
    int64_t now;
};

static int set_up(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    struct plan_problems problems = {0};
    w->plan = plan_parse("test.cfg", plan_text, &problems);
    for (int i = 0; i < problems.count; i++)
        printf("# %s\n", problems.lines[i]);
    plan_problems_free(&problems);
    if (!w->plan)
        return -1;
    w->model = model_new(w->plan);
    w->now = 1795227000000;
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    model_free(w->model);
    plan_free(w->plan);
    free(w);
    return 0;
}

static void fold(struct world *w, struct event e)
{
    static int64_t seq;
    e.seq = ++seq;
    e.at = w->now;
    event_complete(&e);
    gate_follow(w->model, w->plan, &e);
}
#define SEE(name_, ...) fold(w, (struct event){.kind = EVENT_##name_, .name_ = {__VA_ARGS__}})
#define LAG(db_, ...) SEE(lag_seen, .db = db_, .direction = "forward", .active = true, .slot = "cutover_" db_, .status = "reserved", __VA_ARGS__)

static void do_step(struct world *w, const char *key)
{
    SEE(step_began, .step = key, .mode = "run", .attempt = 1, .user = "ben");
    SEE(step_ended, .step = key, .mode = "run", .result = "done", .took = 10);
}

static void see_sides(struct world *w, const char *blue, const char *green)
{
    for (int i = 0; i < w->plan->ndatabases; i++) {
        SEE(db_seen, .db = w->plan->databases[i].name, .side = "blue", .reachable = true, .version = "15", .writable = blue);
        SEE(db_seen, .db = w->plan->databases[i].name, .side = "green", .reachable = true, .version = "15", .writable = green);
    }
}

static void make_ready(struct world *w)
{
    do_step(w, "audit");
    SEE(audited, .db = "shop");
    SEE(audited, .db = "quiet");
    do_step(w, "replicate");
    SEE(step_skipped, .step = "verify", .user = "ben", .reason = "");
    SEE(step_skipped, .step = "dry", .user = "ben", .reason = "");
    SEE(copy_seen, .db = "shop", .table = "public.items", .state = "ready");
    SEE(copy_seen, .db = "quiet", .table = "public.items", .state = "ready");
    see_sides(w, "yes", "no");
    LAG("shop", .bytes = 300, .lag = 20, .left = -1);
    LAG("quiet", .bytes = 300, .lag = -1, .left = -1);
}

static enum gate_verdict ask(struct world *w)
{
    gate_ask(w->model, w->plan, plan_find_step(w->plan, "switch"), MODE_RUN, w->now, &w->gate);
    return w->gate.verdict;
}

static bool says(struct world *w, const char *text)
{
    if (strstr(w->gate.why, text))
        return true;
    printf("# the gate says: %s\n", w->gate.why);
    return false;
}

static bool logged(const struct world *w, const char *text, int times)
{
    int n = 0;
    for (int i = 0; i < model_log_count(w->model); i++)
        n += strstr(model_log_at(w->model, i)->text, text) != NULL;
    return n == times;
}

/* S17: a lost slot, an error of green's worker, a slot that nobody reads, and too many bytes where no heartbeat tells the time. */
static void replication_that_does_not_work_closes_the_switch(void **state)
{
    struct world *w = *state;
    make_ready(w);
    assert_int_equal(ask(w), GATE_GO);
    LAG("shop", .bytes = 300, .lag = 20, .left = -1, .error = "green's worker fails (2 times so far): duplicate key");
    assert_int_equal(ask(w), GATE_STOP);
    assert_true(says(w, "S17: shop: green's worker fails (2 times so far): duplicate key"));
    LAG("shop", .bytes = 300, .lag = 20, .left = -1);
    assert_int_equal(ask(w), GATE_GO);
    assert_true(logged(w, "works again", 1));
    SEE(lag_seen, .db = "quiet", .active = false, .slot = "cutover_quiet", .status = "lost", .bytes = 1 << 30, .lag = -1, .left = -1, .error = "blue has thrown away WAL: undo replicate");
    assert_int_equal(ask(w), GATE_STOP);
    assert_true(says(w, "S17: quiet: blue has thrown away WAL: undo replicate"));
    LAG("quiet", .bytes = 17 << 20, .lag = -1, .left = -1);
    assert_int_equal(ask(w), GATE_HOLD);
    assert_true(says(w, "S17: quiet is 18 MB behind"));
    LAG("quiet", .bytes = 0, .lag = -1, .left = -1);
    assert_int_equal(ask(w), GATE_GO);
    SEE(lag_seen, .db = "quiet", .active = false, .slot = "cutover_quiet", .status = "reserved", .bytes = 0, .lag = -1, .left = -1);
    assert_int_equal(ask(w), GATE_HOLD);
    w->now += 6000;
    see_sides(w, "yes", "no");
    LAG("shop", .bytes = 300, .lag = 20, .left = -1);
    assert_int_equal(ask(w), GATE_HOLD);
    assert_true(says(w, "S17: the replication of quiet was not seen lately"));
}

/* Without the heartbeats of all, the way back is judged by its bytes. */
static void going_back_without_a_heartbeat_is_judged_by_bytes(void **state)
{
    struct world *w = *state;
    char price[120];
    int i = plan_find_step(w->plan, "switch");
    make_ready(w);
    do_step(w, "switch");
    SEE(switch_committed, .pause_us = 40000, .text = "");
    SEE(lag_seen, .db = "shop", .direction = "back", .active = true, .slot = "b", .bytes = 10, .lag = 12);
    SEE(lag_seen, .db = "quiet", .direction = "back", .active = true, .slot = "b", .bytes = 304, .lag = -1);
    gate_ask(w->model, w->plan, i, MODE_UNDO, w->now, &w->gate);
    assert_int_equal(w->gate.verdict, GATE_GO);
    assert_string_equal(gate_price(w->model, w->plan, w->now, price, sizeof price), "back: ~40 ms, 0 lost (lag 304 B)");
    SEE(lag_seen, .db = "quiet", .direction = "back", .active = true, .slot = "b", .bytes = 17 << 20, .lag = -1);
    gate_ask(w->model, w->plan, i, MODE_UNDO, w->now, &w->gate);
    assert_int_equal(w->gate.verdict, GATE_STOP);
    assert_true(says(w, "needs < 16 MB"));
    SEE(lag_seen, .db = "quiet", .direction = "back", .active = true, .slot = "b", .bytes = 304, .lag = -1, .error = "blue's worker fails");
    gate_ask(w->model, w->plan, i, MODE_UNDO, w->now, &w->gate);
    assert_int_equal(w->gate.verdict, GATE_STOP);
}

/* 1 GB of room, 10 MB more each second: the nearer of both limits counts, and the log says it once. */
static void wal_that_fills_a_server_is_told_in_time(void **state)
{
    struct world *w = *state;
    const struct model_db *db = &w->model->db[0];
    const struct plan_database *p = &w->plan->databases[0];
    assert_int_equal(model_wal_left(db, p, BLUE), UNKNOWN);
    for (int t = 0; t <= 20; t++, w->now += 1000)
        LAG("shop", .bytes = 300, .lag = 20, .left = -1, .retained = 100000000 + t * 10000000);
    w->now -= 1000;
    assert_int_equal(model_wal_left(db, p, BLUE), 700000000);
    assert_false(model_wal_is_given_up(db, p, BLUE));
    assert_int_equal(model_wal_full_in(db, p, BLUE, w->now), 70000);
    assert_true(logged(w, "whose disk is full in 1:", 1));
    struct reading r = metric_read(metric_find("pg.wal_full_ms"), w->model, w->plan, "shop", w->now);
    assert_true(r.known && r.value == 70000);
    assert_false(metric_read(metric_find("pg.wal_full_ms"), w->model, w->plan, "quiet", w->now).known);
    w->now += 1000;
    LAG("shop", .bytes = 300, .lag = 20, .left = 50000000, .retained = 310000000);
    assert_int_equal(model_wal_full_in(db, p, BLUE, w->now), 5000);
    assert_true(model_wal_is_given_up(db, p, BLUE)); /* not the disk: the server's own limit */
    for (int t = 0; t < 70; t++) { /* it does not grow any more */
        w->now += 1000;
        LAG("shop", .bytes = 300, .lag = 20, .left = -1, .retained = 1000000);
    }
    assert_int_equal(model_wal_full_in(db, p, BLUE, w->now), UNKNOWN);
    r = metric_read(metric_find("pg.wal_full_ms"), w->model, w->plan, "shop", w->now);
    assert_true(r.known && r.value == INT64_C(30) * 24 * 3600 * 1000);
}

static void conflicts_and_new_workers_are_told_once(void **state)
{
    struct world *w = *state;
    for (int t = 0; t < 3; t++)
        LAG("shop", .bytes = 300, .lag = 20, .left = -1, .restarts = 2, .conflicts = 1);
    assert_true(logged(w, "begun anew, 2 times so far", 1));
    assert_true(logged(w, "could not apply as they are, 1 so far", 1));
}

/* ---- who writes ---- */

static enum model_writers writers(const struct world *w)
{
    return model_writers(w->model, w->plan, 0, w->now);
}

/* From the end of replicate on neither and both are bad, and so is the other side alone; each is said once. */
static void the_sides_are_watched_from_replicate_on(void **state)
{
    struct world *w = *state;
    see_sides(w, "yes", "yes");
    assert_int_equal(writers(w), WRITERS_UNWATCHED);
    w->now += 10;
    make_ready(w);
    assert_int_equal(writers(w), WRITERS_ONE);
    for (int t = 0; t < 3; t++) {
        w->now += 1000;
        see_sides(w, "yes", "yes");
    }
    assert_int_equal(writers(w), WRITERS_BOTH);
    assert_int_equal(ask(w), GATE_STOP);
    assert_true(logged(w, "both sides accept writes", 2)); /* once for each database */
    see_sides(w, "yes", "no");
    assert_true(logged(w, "one side accepts writes again, blue", 2));
    see_sides(w, "no", "no");
    assert_int_equal(writers(w), WRITERS_NONE);
    assert_int_equal(ask(w), GATE_STOP);
    assert_true(says(w, "S1: of shop neither side accepts writes"));
    see_sides(w, "no", "yes");
    assert_int_equal(writers(w), WRITERS_WRONG);
    assert_int_equal(ask(w), GATE_STOP);
    assert_true(says(w, "S1: of shop the wrong side accepts writes"));
    w->now += 6000;
    assert_int_equal(writers(w), WRITERS_UNSEEN);
    see_sides(w, "yes", "unknown");
    assert_int_equal(writers(w), WRITERS_UNSEEN);
}

/* In a switch neither side is open for a moment, on purpose; what was seen before the sides changed places says nothing after it. */
static void a_switch_is_no_split(void **state)
{
    struct world *w = *state;
    make_ready(w);
    SEE(step_began, .step = "switch", .mode = "run", .attempt = 1, .user = "ben");
    w->now += 10;
    SEE(writes_paused, .db = "shop");
    assert_int_equal(writers(w), WRITERS_STOPPED);
    w->now += 10;
    SEE(db_seen, .db = "shop", .side = "green", .reachable = true, .writable = "yes"); /* opened already, blue not looked at again */
    assert_int_equal(writers(w), WRITERS_STOPPED);
    see_sides(w, "no", "no");
    assert_int_equal(writers(w), WRITERS_STOPPED);
    see_sides(w, "yes", "yes");
    assert_int_equal(writers(w), WRITERS_BOTH); /* never, not even here */
    see_sides(w, "no", "yes");
    w->now += 10;
    SEE(writes_resumed, .db = "shop", .side = "green", .pause_us = 20000);
    SEE(switch_committed, .pause_us = 20000, .text = "");
    SEE(step_ended, .step = "switch", .mode = "run", .result = "done", .took = 40);
    assert_int_equal(writers(w), WRITERS_ONE);
    see_sides(w, "no", "yes");
    assert_int_equal(writers(w), WRITERS_ONE);
    see_sides(w, "yes", "no");
    assert_int_equal(writers(w), WRITERS_WRONG);
    see_sides(w, "yes", "yes");
    assert_int_equal(writers(w), WRITERS_BOTH);
    assert_true(logged(w, "what is written on green is lost", 2)); /* in the switch */
    assert_true(logged(w, "blue accepts writes and green does not", 2));
    assert_true(logged(w, "what is written on blue is lost", 4)); /* before that and after it, for each database */
}

static void a_later_writer_is_named_and_kept(void **state)
{
    struct world *w = *state;
    make_ready(w);
    SEE(switch_committed, .pause_us = 1, .text = "");
    for (int t = 0; t < 3; t++, w->now += 10000) { /* seen again for as long as it is there, said once */
        SEE(writer_seen, .db = "shop", .side = "blue", .pid = 47, .role = "app", .application = "nightly", .address = "192.0.2.7", .how = "writes");
        SEE(writer_seen, .db = "shop", .side = "blue", .pid = 48, .role = "app", .application = "", .address = "local", .how = "writes");
    }
    assert_true(logged(w, "app (unnamed) from local, pid 48", 1));
    assert_true(logged(w, "a session writes on blue, where nobody may: app (nightly) from 192.0.2.7, pid 47", 1));
    SEE(writer_seen, .db = "shop", .side = "blue", .role = "batch", .how = "role");
    assert_true(logged(w, "the role batch may write on blue", 1));
    assert_true(w->model->db[0].writer.wrote);
    assert_string_equal(w->model->db[0].writer.role, "batch");
    SEE(switch_returned, .by = "fail-back", .pause_us = 1, .why = "");
    assert_int_equal(w->model->db[0].writer.at, 0);
}

static void a_long_transaction_is_named_once(void **state)
{
    struct world *w = *state;
    for (int t = 0; t < 9; t++, w->now += 1000)
        SEE(db_seen, .db = "shop", .side = "blue", .reachable = true, .writable = "yes", .oldest_tx = t * 1000, .oldest = "pid 7, app, psql from 10.0.0.9");
    assert_true(logged(w, "is open for 5.00 s, and a switch would wait for it: pid 7, app, psql from 10.0.0.9", 1));
    SEE(db_seen, .db = "shop", .side = "blue", .reachable = true, .writable = "yes", .oldest_tx = 6000, .oldest = "pid 8, app, psql from 10.0.0.9");
    assert_true(logged(w, "a switch would wait for it", 2));
}

/* ---- a recorded run of the lab: a switch there, and everything around it, raises no alarm ---- */

static void keep_line(void *arg, const struct event *event, const char *line, size_t len)
{
    struct err err;
    (void)event;
    if (!tape_add(arg, line, len, NULL, NULL, &err))
        fail_msg("%s", err.text);
}

static void a_run_without_trouble_raises_no_alarm(void **state)
{
    struct tape tape = {0};
    struct reel reel = {0};
    struct err err;
    int watched = 0;
    (void)state;
    if (!journal_read("tests/journals/lab.jsonl", keep_line, &tape, &err))
        fail_msg("%s", err.text);
    for (int i = 0; i < tape.count; i++) {
        tape_fold(&tape, &reel, TAPE_END, tape.line[i].seq);
        for (int d = 0; d < tape.plan->ndatabases; d++) {
            enum model_writers w = model_writers(reel.model, tape.plan, d, reel.model->last_at);
            if (model_writers_are_bad(w))
                fail_msg("%s after event %lld", model_writers_text(reel.model, w), (long long)reel.model->last_seq);
            watched += w == WRITERS_ONE;
        }
    }
    assert_true(reel.model->committed && watched > 100);
    reel_free(&reel);
    tape_free(&tape);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_words_of_an_error_are_found_in_the_log),
        TEST(replication_that_does_not_work_closes_the_switch), TEST(going_back_without_a_heartbeat_is_judged_by_bytes),
        TEST(wal_that_fills_a_server_is_told_in_time), TEST(conflicts_and_new_workers_are_told_once),
        TEST(the_sides_are_watched_from_replicate_on), TEST(a_switch_is_no_split), TEST(a_later_writer_is_named_and_kept), TEST(a_long_transaction_is_named_once),
        cmocka_unit_test(a_run_without_trouble_raises_no_alarm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
