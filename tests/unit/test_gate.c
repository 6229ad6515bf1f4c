/* The fold and the gate as tables: events in, verdict and sentence out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/check/check.h"
#include "core/gate.h"

static const char plan_text[] =
    "name = \"test\"; rehearsal = true;\n"
    "blue = { address = \"127.0.2.1\"; url = \"http://127.0.2.1\"; }; green = { address = \"127.0.2.2\"; url = \"http://127.0.2.2\"; };\n"
    "databases = ( { name = \"shop\"; blue = \"service=b\"; green = \"service=g\";\n"
    "  poolers = ( { name = \"p\"; admin = \"service=p\"; database = \"shop\"; file = \"/tmp/x.ini\"; blue = \"host=127.0.0.1 port=1\"; green = \"host=127.0.0.1 port=2\"; } ); } );\n"
    "dns = { zone = \"shop.test\"; server = \"127.0.0.1\"; ttl_low = 2; ttl_normal = 20; interval = \"1s\"; records = ( { name = \"www.shop.test\"; } );\n"
    "  resolvers = ( { name = \"r1\"; address = \"127.0.1.1\"; }, { name = \"r2\"; address = \"127.0.1.2\"; } ); };\n"
    "traffic = { probes = ( { name = \"items\"; path = \"/items\"; } ); };\n"
    "checks = ( { key = \"spf\"; kind = \"spf\"; domain = \"shop.test\"; expires = \"1h\"; } );\n";

struct world {
    struct plan *plan;
    struct model *model;
    struct gate gate;
    int64_t now;
};

static const int64_t T0 = 1795227000000;

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
    w->now = T0;
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
    gate_follow(w->model, w->plan, &e);
}
#define SEE(name_, ...) fold(w, (struct event){.kind = EVENT_##name_, .name_ = {__VA_ARGS__}})

static void do_step(struct world *w, const char *key, const char *result)
{
    SEE(step_began, .step = key, .mode = "run", .attempt = 1, .action = "", .gate = "", .user = "ben", .typed = "");
    SEE(step_ended, .step = key, .mode = "run", .result = result, .sentence = "so", .took = 10);
}

static enum gate_verdict ask(struct world *w, const char *key)
{
    int i = plan_find_step(w->plan, key);
    assert_true(i >= 0);
    gate_ask(w->model, w->plan, i, MODE_RUN, w->now, &w->gate);
    return w->gate.verdict;
}

static void see_side(struct world *w, const char *side, const char *writable)
{
    SEE(db_seen, .db = "shop", .side = side, .reachable = true, .version = "15", .writable = writable, .error = "");
}

static void see_lag(struct world *w, int64_t ms)
{
    SEE(lag_seen, .db = "shop", .bytes = 0, .lag = ms, .retained = 0, .active = true, .slot = "s", .sent_lsn = "", .flushed_lsn = "", .error = "");
}

/* All that the switch's gate asks for, held long enough. */
static void make_ready(struct world *w)
{
    do_step(w, "ttl.lower", "done");
    do_step(w, "audit", "done");
    SEE(audited, .db = "shop", .tables = 3);
    do_step(w, "replicate", "done");
    SEE(copy_seen, .db = "shop", .table = "public.items", .state = "ready", .rows = 5, .total = 5);
    SEE(check_ended, .check = "spf", .verdict = "pass", .sentence = "pass", .evidence = "", .by = "machine", .expires = w->now + 3600000);
    SEE(step_skipped, .step = "verify", .user = "ben", .reason = "");
    do_step(w, "checks", "done");
    do_step(w, "shift", "done");
    SEE(step_skipped, .step = "dry", .user = "ben", .reason = "");
    for (int i = 0; i < 5; i++) {
        w->now += 1000;
        see_side(w, "blue", "yes");
        see_side(w, "green", "no");
        see_lag(w, 20);
        SEE(http_seen, .side = "green", .probe = "items", .ok = 2, .failed = 0, .error = "");
    }
}

/* ---- tests ---- */

static void a_fresh_run_opens_the_first_step_only(void **state)
{
    struct world *w = *state;
    assert_int_equal(gate_next_step(w->model, w->plan), 0);
    assert_int_equal(ask(w, "ttl.lower"), GATE_GO);
    assert_int_equal(ask(w, "audit"), GATE_HOLD);
    assert_non_null(strstr(w->gate.why, "ttl.lower"));
}

static void what_was_never_seen_does_not_pass(void **state)
{
    struct world *w = *state;
    do_step(w, "ttl.lower", "done");
    do_step(w, "audit", "done");
    assert_int_equal(ask(w, "replicate"), GATE_HOLD);
    assert_non_null(strstr(w->gate.why, "not known"));
    SEE(audited, .db = "shop", .blockers = 1);
    assert_int_equal(ask(w, "replicate"), GATE_HOLD);
    assert_non_null(strstr(w->gate.why, "pg.blockers is 1"));
    SEE(audited, .db = "shop", .blockers = 0);
    assert_int_equal(ask(w, "replicate"), GATE_GO);
}

static void the_switch_opens_when_all_holds_and_closes_when_it_is_stale(void **state)
{
    struct world *w = *state;
    make_ready(w);
    assert_int_equal(ask(w, "switch"), GATE_GO);
    w->now += 60000; /* nobody looked for a minute */
    assert_int_not_equal(ask(w, "switch"), GATE_GO);
}

static void a_condition_must_hold_without_a_break(void **state)
{
    struct world *w = *state;
    make_ready(w);
    see_lag(w, 5000);
    assert_int_equal(ask(w, "switch"), GATE_HOLD);
    assert_non_null(strstr(w->gate.why, "5.00 s"));
    w->now += 1000;
    see_lag(w, 10);
    assert_int_equal(ask(w, "switch"), GATE_HOLD);
    assert_non_null(strstr(w->gate.why, "longer"));
    w->now += 3000;
    see_side(w, "blue", "yes");
    see_side(w, "green", "no");
    see_lag(w, 10);
    SEE(http_seen, .side = "green", .probe = "items", .ok = 2, .failed = 0, .error = "");
    assert_int_equal(ask(w, "switch"), GATE_GO);
}

/* S1: two writable sides, and also one that can't be seen. */
static void two_writers_stop_the_switch(void **state)
{
    struct world *w = *state;
    make_ready(w);
    see_side(w, "green", "yes");
    assert_int_equal(ask(w, "switch"), GATE_STOP);
    assert_non_null(strstr(w->gate.why, "S1"));
    see_side(w, "green", "unknown");
    assert_int_equal(ask(w, "switch"), GATE_STOP);
    see_side(w, "green", "no");
    assert_int_equal(ask(w, "switch"), GATE_GO);
}

/* S16: DDL on blue that green lacks, and a comparison that nobody makes any more. */
static void a_drift_of_the_schema_stops_the_switch(void **state)
{
    struct world *w = *state;
    make_ready(w);
    SEE(schema_seen, .db = "shop", .base = "b", .objects = 9, .drift = 0, .object = "", .change = "");
    assert_int_equal(ask(w, "switch"), GATE_GO);
    SEE(schema_seen, .db = "shop", .base = "b", .objects = 10, .drift = 1, .object = "table public.late", .change = "new");
    assert_int_equal(ask(w, "switch"), GATE_STOP);
    assert_non_null(strstr(w->gate.why, "S16: table public.late is new on blue of shop"));
    SEE(schema_seen, .db = "shop", .base = "c", .objects = 10, .drift = 0, .object = "", .change = "");
    assert_int_equal(ask(w, "switch"), GATE_GO);
    w->now += 40000;
    see_side(w, "blue", "yes");
    see_side(w, "green", "no");
    assert_int_not_equal(ask(w, "switch"), GATE_GO);
    bool named = false;
    for (int i = 0; i < w->gate.nlines; i++)
        named = named || strcmp(w->gate.line[i].id, "S16") == 0;
    assert_true(named);
}

/* S18: whose transaction the poolers would wait for. A short one is none. */
static void a_long_transaction_holds_the_switch_and_is_named(void **state)
{
    struct world *w = *state;
    make_ready(w);
    SEE(db_seen, .db = "shop", .side = "blue", .reachable = true, .version = "15", .writable = "yes", .open_tx = 1, .oldest_tx = 4900, .oldest = "pid 4711, orders_app, psql from 10.0.3.7",
        .oldest_state = "idle in transaction", .error = "");
    assert_int_equal(ask(w, "switch"), GATE_GO);
    SEE(db_seen, .db = "shop", .side = "blue", .reachable = true, .version = "15", .writable = "yes", .open_tx = 1, .oldest_tx = 192000, .oldest = "pid 4711, orders_app, psql from 10.0.3.7",
        .oldest_state = "idle in transaction", .error = "");
    assert_int_equal(ask(w, "switch"), GATE_HOLD);
    assert_string_equal(w->gate.why, "S18: held by pid 4711, orders_app, psql from 10.0.3.7, idle in transaction for 3:12");
    const struct gate_line *last = &w->gate.line[0];
    for (int i = 0; i < w->gate.nlines; i++)
        if (strcmp(w->gate.line[i].id, "S18") == 0)
            last = &w->gate.line[i];
    assert_string_equal(last->text, "pid 4711, orders_app, psql from 10.0.3.7, idle in transaction");
    assert_false(last->held);
    SEE(db_seen, .db = "shop", .side = "blue", .reachable = true, .version = "15", .writable = "yes", .oldest_tx = 192000, .error = ""); /* of a journal from before it was named */
    assert_int_equal(ask(w, "switch"), GATE_HOLD);
    assert_non_null(strstr(w->gate.why, "S18: held by somebody, open for 3:12"));
    see_side(w, "blue", "yes");
    assert_int_equal(ask(w, "switch"), GATE_GO);
}

static void see_dns(struct world *w, const char *resolver, const char *status, const char *answer, int64_t ttl)
{
    SEE(dns_seen, .resolver = resolver, .record = "www.shop.test", .type = "A", .status = status, .answer = answer, .ttl = ttl, .rtt_us = 100, .error = "");
}

/* S5: the old TTL of 20 s has to run out after the low one was first seen. */
static void the_flip_waits_for_the_old_ttl(void **state)
{
    struct world *w = *state;
    const char *auth = w->plan->dns.resolvers[0].name;
    make_ready(w);
    do_step(w, "switch", "done");
    SEE(switch_committed, .pause_us = 40000, .text = "");
    see_dns(w, auth, "ok", "127.0.2.1", 20);
    assert_int_equal(ask(w, "dns.flip"), GATE_HOLD);
    assert_non_null(strstr(w->gate.why, "S5"));
    w->now += 1000;
    see_dns(w, auth, "ok", "127.0.2.1", 2);
    int64_t low_since = w->now;
    w->now = low_since + 20999;
    see_dns(w, auth, "ok", "127.0.2.1", 2);
    assert_int_equal(ask(w, "dns.flip"), GATE_HOLD);
    assert_non_null(strstr(w->gate.why, "safe after"));
    w->now = low_since + 21000;
    see_dns(w, auth, "ok", "127.0.2.1", 2);
    assert_int_equal(ask(w, "dns.flip"), GATE_GO);
    /* somebody raises it again: the clock starts anew */
    see_dns(w, auth, "ok", "127.0.2.1", 300);
    w->now += 25000;
    see_dns(w, auth, "ok", "127.0.2.1", 2);
    w->now += 299000;
    see_dns(w, auth, "ok", "127.0.2.1", 2);
    assert_int_equal(ask(w, "dns.flip"), GATE_HOLD);
}

static const struct model_dns *cell(struct world *w, const char *resolver)
{
    return model_cell(w->model, w->plan, plan_find_resolver(w->plan, resolver), 0);
}

static void a_resolver_is_what_it_answers(void **state)
{
    struct world *w = *state;
    w->now += 1000;
    see_dns(w, "r1", "ok", "127.0.2.1", 20);
    assert_int_equal(cell(w, "r1")->state, CELL_OLD);
    w->now += 1000;
    see_dns(w, "r1", "ok", "127.0.2.1,127.0.2.2", 20);
    assert_int_equal(cell(w, "r1")->state, CELL_MIXED);
    w->now += 1000;
    see_dns(w, "r1", "ok", "127.0.2.2", 20);
    assert_int_equal(cell(w, "r1")->state, CELL_NEW);
    assert_true(cell(w, "r1")->expires == w->now + 20000);
    w->now += 1000;
    see_dns(w, "r1", "ok", "192.0.2.9", 20);
    assert_int_equal(cell(w, "r1")->state, CELL_OTHER);
    w->now += 1000;
    see_dns(w, "r1", "servfail", "", 0);
    assert_int_equal(cell(w, "r1")->state, CELL_ERROR);
}

/* Every third question lost: neither old nor new without an answer, and no error while the last answer still counts. */
static void a_lossy_resolver_keeps_its_last_answer_for_its_time(void **state)
{
    struct world *w = *state;
    see_dns(w, "r2", "timeout", "", 0);
    assert_int_not_equal(cell(w, "r2")->state, CELL_OLD);
    assert_int_not_equal(cell(w, "r2")->state, CELL_NEW);
    see_dns(w, "r2", "ok", "127.0.2.1", 2);
    w->now += 1500;
    see_dns(w, "r2", "timeout", "", 0);
    assert_int_equal(cell(w, "r2")->state, CELL_OLD);
    w->now += 10000;
    see_dns(w, "r2", "timeout", "", 0);
    assert_int_equal(cell(w, "r2")->state, CELL_ERROR);
}

static void a_crash_leaves_the_step_unknown_and_closes_all_others(void **state)
{
    struct world *w = *state;
    make_ready(w);
    SEE(step_began, .step = "switch", .mode = "run", .attempt = 1, .action = "", .gate = "", .user = "ben", .typed = "switch");
    SEE(engine_started, .pid = 7, .resumed = true);
    int i = plan_find_step(w->plan, "switch");
    assert_int_equal(w->model->step[i].state, STEP_UNKNOWN);
    assert_int_equal(ask(w, "switch"), GATE_STOP);
    assert_int_equal(ask(w, "dns.flip"), GATE_STOP);
    assert_non_null(strstr(w->gate.why, "unknown after a crash"));
    SEE(step_decided, .step = "switch", .decision = "ready", .user = "ben", .reason = "the probe says before");
    assert_int_equal(w->model->step[i].state, STEP_NOT_BEGUN);
}

static void the_run_can_be_paused_and_its_journal_can_break(void **state)
{
    struct world *w = *state;
    SEE(run_paused, .user = "ben");
    assert_int_equal(ask(w, "ttl.lower"), GATE_HOLD);
    SEE(run_continued, .user = "ben");
    assert_int_equal(ask(w, "ttl.lower"), GATE_GO);
    SEE(journal_failed, .sentence = "no space");
    assert_int_equal(ask(w, "ttl.lower"), GATE_STOP);
    SEE(journal_recovered, .sentence = "");
    assert_int_equal(ask(w, "ttl.lower"), GATE_GO);
}

static void after_the_commit_replication_is_not_undone(void **state)
{
    struct world *w = *state;
    make_ready(w);
    int i = plan_find_step(w->plan, "replicate");
    do_step(w, "switch", "done");
    SEE(switch_committed, .pause_us = 1, .text = "");
    gate_ask(w->model, w->plan, i, MODE_UNDO, w->now, &w->gate);
    assert_int_equal(w->gate.verdict, GATE_STOP);
    assert_non_null(strstr(w->gate.why, "S8"));
}

static void the_price_of_going_back_follows_the_run(void **state)
{
    struct world *w = *state;
    char price[120];
    assert_non_null(strstr(gate_price(w->model, w->plan, w->now, price, sizeof price), "free"));
    make_ready(w);
    assert_non_null(strstr(gate_price(w->model, w->plan, w->now, price, sizeof price), "0 lost"));
    SEE(switch_committed, .pause_us = 1, .text = "");
    w->now += 61000;
    assert_non_null(strstr(gate_price(w->model, w->plan, w->now, price, sizeof price), "loses 1:01"));
    do_step(w, "cleanup", "done");
    assert_non_null(strstr(gate_price(w->model, w->plan, w->now, price, sizeof price), "none"));
}

static void see_back(struct world *w, int64_t ms, bool active)
{
    SEE(lag_seen, .db = "shop", .direction = "back", .bytes = 0, .lag = ms, .retained = 0, .active = active, .slot = "b", .sent_lsn = "", .flushed_lsn = "", .error = "");
}

static enum gate_verdict ask_fail_back(struct world *w)
{
    gate_ask(w->model, w->plan, plan_find_step(w->plan, "switch"), MODE_UNDO, w->now, &w->gate);
    return w->gate.verdict;
}

/* S8: going back is open only while green's writes are seen to flow back, and until cleanup. */
static void the_fail_back_needs_a_living_way_back(void **state)
{
    struct world *w = *state;
    char price[120];
    make_ready(w);
    assert_int_equal(ask_fail_back(w), GATE_STOP);
    do_step(w, "switch", "failed");
    assert_int_equal(ask_fail_back(w), GATE_STOP);
    assert_non_null(strstr(w->gate.why, "nothing to undo"));
    assert_int_not_equal(gate_undo_step(w->model, w->plan), plan_find_step(w->plan, "switch"));
    do_step(w, "switch", "done");
    SEE(switch_committed, .pause_us = 40000, .text = "");
    assert_int_equal(ask_fail_back(w), GATE_STOP);
    assert_non_null(strstr(w->gate.why, "not seen to flow back"));
    see_back(w, 12, true);
    assert_int_equal(ask_fail_back(w), GATE_GO);
    assert_string_equal(gate_price(w->model, w->plan, w->now, price, sizeof price), "back: ~40 ms, 0 lost (lag 12 ms)");
    assert_int_equal(gate_undo_step(w->model, w->plan), plan_find_step(w->plan, "switch"));
    see_back(w, 6000, true);
    assert_int_equal(ask_fail_back(w), GATE_STOP);
    assert_non_null(strstr(gate_price(w->model, w->plan, w->now, price, sizeof price), "loses"));
    see_back(w, 12, false);
    assert_int_equal(ask_fail_back(w), GATE_STOP);
    see_back(w, 12, true);
    w->now += 6000; /* seen too long ago */
    assert_int_equal(ask_fail_back(w), GATE_STOP);
    assert_non_null(strstr(gate_price(w->model, w->plan, w->now, price, sizeof price), "loses"));
    see_back(w, 12, true);
    do_step(w, "dns.flip", "done");
    assert_int_equal(ask_fail_back(w), GATE_HOLD);
    assert_non_null(strstr(w->gate.why, "dns.flip"));
    do_step(w, "cleanup", "done");
    assert_int_equal(ask_fail_back(w), GATE_STOP);
    assert_non_null(strstr(w->gate.why, "cleanup"));
}

static void undo_switch(struct world *w, const char *result)
{
    SEE(step_began, .step = "switch", .mode = "undo", .attempt = 1, .action = "", .gate = "", .user = "t", .typed = "switch");
    if (strcmp(result, "done") == 0)
        SEE(switch_returned, .by = "fail-back", .pause_us = 30000, .why = "");
    SEE(step_ended, .step = "switch", .mode = "undo", .result = result, .sentence = "", .took = 1);
}

static void a_fail_back_takes_the_switch_back(void **state)
{
    struct world *w = *state;
    int i = plan_find_step(w->plan, "switch"), hold = plan_find_step(w->plan, "hold");
    make_ready(w);
    do_step(w, "switch", "done");
    SEE(switch_committed, .pause_us = 40000, .text = "");
    int64_t committed_at = w->model->committed_at;
    do_step(w, "hold", "done");
    w->now += 1000;
    SEE(switch_committed, .pause_us = 1, .text = "the fail-back was given up");
    undo_switch(w, "failed");
    assert_int_equal(w->model->step[i].state, STEP_DONE);
    assert_int_equal(w->model->committed_at, committed_at);
    assert_int_equal(w->model->step[hold].state, STEP_DONE);
    undo_switch(w, "done");
    assert_int_equal(w->model->step[i].state, STEP_UNDONE);
    assert_false(w->model->committed);
    assert_string_equal(w->model->db[0].side[BLUE].writable, "yes");
    assert_string_equal(w->model->db[0].side[GREEN].writable, "no");
    assert_int_equal(w->model->step[hold].state, STEP_NOT_BEGUN);
    assert_int_equal(gate_next_step(w->model, w->plan), i);
}

static bool logged(const struct world *w, const char *text)
{
    for (int i = 0; i < model_log_count(w->model); i++)
        if (strstr(model_log_at(w->model, i)->text, text))
            return true;
    return false;
}

static void see_open(struct world *w, int64_t ms)
{
    SEE(db_seen, .db = "shop", .side = "blue", .reachable = true, .version = "15", .writable = "yes", .oldest_tx = ms, .error = "");
}

/* The sum of its parts, and unknown as soon as one of them is. */
static void the_pause_is_predicted_from_its_parts(void **state)
{
    struct world *w = *state;
    const struct metric *m = metric_find("pg.predicted_pause_ms");
    char text[200];
    assert_false(metric_read(m, w->model, w->plan, "", w->now).known);
    assert_string_equal(model_predict_text(w->model, w->plan, w->now, text, sizeof text), "not known: nothing was measured for shop lately");
    see_open(w, 18);
    SEE(pause_probed, .db = "shop", .marker_us = 12100, .blue_us = 2100, .green_us = 1900, .sequences = 12, .reading_us = 900);
    struct reading r = metric_read(m, w->model, w->plan, "", w->now);
    assert_true(r.known);
    assert_int_equal(r.value, 39);
    assert_string_equal(model_predict_text(w->model, w->plan, w->now, text, sizeof text), "about 39 ms: open 18, marker 12, commits 8.0, 12 sequences 0.9");
    see_open(w, 4000); /* the fence lets go before that */
    assert_int_equal(metric_read(m, w->model, w->plan, "shop", w->now).value, 321);
    see_open(w, 0);
    SEE(pause_probed, .db = "shop", .marker_us = -1, .blue_us = -1, .green_us = 1900, .sequences = 12, .reading_us = 900);
    assert_false(metric_read(m, w->model, w->plan, "", w->now).known);
    assert_string_equal(model_predict_text(w->model, w->plan, w->now, text, sizeof text), "not known: open 0.0, marker ?, commits ?, 12 sequences 0.9");
    SEE(pause_probed, .db = "shop", .marker_us = 12100, .blue_us = 2100, .green_us = 1900, .sequences = 12, .reading_us = 900);
    w->now += 61000;
    see_open(w, 0);
    assert_false(metric_read(m, w->model, w->plan, "", w->now).known);
}

/* What was told before is held against what was measured, and only then. */
static void a_pause_is_compared_with_what_was_predicted(void **state)
{
    struct world *w = *state;
    SEE(writes_paused, .db = "shop");
    SEE(writes_resumed, .db = "shop", .side = "blue", .pause_us = 38000);
    assert_true(logged(w, "writes flow again on blue after 38.0 ms"));
    assert_false(logged(w, "predicted"));
    see_open(w, 3);
    SEE(pause_probed, .db = "shop", .marker_us = 12100, .blue_us = 2100, .green_us = 1900, .sequences = 0, .reading_us = 900);
    SEE(writes_paused, .db = "shop");
    SEE(writes_resumed, .db = "shop", .side = "blue", .pause_us = 41250);
    assert_true(logged(w, "writes flow again on blue after 41.2 ms, predicted 24 ms"));
}

static void evidence_expires(void **state)
{
    struct world *w = *state;
    SEE(check_ended, .check = "spf", .verdict = "pass", .sentence = "", .evidence = "", .by = "machine", .expires = w->now + 1000);
    const struct metric *m = metric_find("checks.passed_percent");
    assert_true(metric_read(m, w->model, w->plan, "", w->now).value == 100);
    assert_true(metric_read(m, w->model, w->plan, "", w->now + 1000).value == 0);
    assert_int_equal(check_verdict_at(&w->model->check[0], w->now + 1000), CHECK_UNKNOWN);
}

static void the_writers_pause_is_a_stopwatch(void **state)
{
    struct world *w = *state;
    SEE(writes_paused, .db = "shop");
    assert_true(w->model->pause_began == w->now);
    w->now += 80;
    SEE(switch_returned, .by = "engine", .pause_us = 80000, .why = "late");
    assert_true(w->model->pause_began == 0 && w->model->pause_us == 80000 && !w->model->committed);
}

static void a_dry_pause_moves_nothing(void **state)
{
    struct world *w = *state;
    SEE(writes_paused, .db = "shop");
    w->now += 40;
    SEE(writes_resumed, .db = "shop", .side = "blue", .pause_us = 38000);
    SEE(switch_rehearsed, .proven = true, .pause_us = 38000, .text = "");
    assert_true(w->model->rehearsed_us == 38000 && w->model->rehearsed_at == w->now);
    assert_true(w->model->pause_began == 0 && !w->model->committed && w->model->returned_at == 0);
    SEE(writes_paused, .db = "shop");
    SEE(switch_rehearsed, .proven = false, .pause_us = 900000, .text = "late");
    assert_true(w->model->rehearsed_us == 38000); /* one that did not get there tells nothing of how long it takes */
    assert_true(w->model->pause_began == 0);
}

static void values_read_and_print_with_their_units(void **state)
{
    (void)state;
    static const struct { enum metric_unit unit; const char *text; int64_t value; } good[] = {
        {UNIT_BYTES, "1MB", 1000000}, {UNIT_BYTES, "16MiB", 16777216}, {UNIT_MS, "300ms", 300}, {UNIT_MS, "5s", 5000}, {UNIT_MS, "1000", 1000},
        {UNIT_PPM, "0.5%", 5000}, {UNIT_PPM, "10000", 10000}, {UNIT_PERCENT, "100", 100}, {UNIT_BOOL, "yes", 1}, {UNIT_COUNT, "-3", -3},
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        int64_t v;
        assert_true(metric_parse_value(good[i].unit, good[i].text, &v));
        assert_true(v == good[i].value);
    }
    static const struct { enum metric_unit unit; const char *text; } bad[] = {{UNIT_BYTES, "5s"}, {UNIT_MS, "fast"}, {UNIT_PPM, ""}, {UNIT_COUNT, "1e999"}, {UNIT_MS, "3 parsecs"}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int64_t v;
        assert_false(metric_parse_value(bad[i].unit, bad[i].text, &v));
    }
    char b[32];
    assert_string_equal(format_bytes(2100000, b, sizeof b), "2.1 MB");
    assert_string_equal(format_ms(420, b, sizeof b), "420 ms");
    assert_string_equal(format_span(47000, b, sizeof b), "0:47");
    assert_string_equal(metric_format(UNIT_PPM, (struct reading){.known = true, .value = 500}, b, sizeof b), "0.05 %");
    assert_string_equal(metric_format(UNIT_PPM, (struct reading){0}, b, sizeof b), "?");
}

/* Schema and table have up to 63 bytes each: two tables that differ in the last byte are two. */
static void tables_with_long_names_are_told_apart(void **state)
{
    struct world *w = *state;
    static const char a[] = "s23456789012345678901234567890123456789012345678901234567890123.t23456789012345678901234567890123456789012345678901234567890123";
    char b[sizeof a];
    memcpy(b, a, sizeof a);
    b[sizeof b - 2] = '4';
    SEE(copy_seen, .db = "shop", .table = a, .state = "ready", .rows = 5, .total = 5);
    SEE(copy_seen, .db = "shop", .table = b, .state = "copying", .rows = 0, .total = 5);
    const struct model_db *db = &w->model->db[0];
    assert_int_equal(db->tables_seen, 2);
    assert_int_equal(db->tables_ready, 1);
    assert_string_equal(db->table[1].name, b);
    SEE(copy_seen, .db = "shop", .table = b, .state = "ready", .rows = 5, .total = 5);
    assert_int_equal(db->tables_seen, 2);
    assert_int_equal(db->tables_ready, 2);
}

static void a_copy_has_a_rate_and_an_end(void **state)
{
    struct world *w = *state;
    const struct model_db *db = &w->model->db[0];
    SEE(copy_seen, .db = "shop", .table = "public.big", .state = "init", .rows = 0, .total = 9000, .bytes = 0, .size = 900000);
    assert_true(model_copy_left(db->table, db->ntables) == UNKNOWN);
    SEE(copy_seen, .db = "shop", .table = "public.big", .state = "copying", .rows = 1000, .total = 9000, .bytes = 100000, .size = 900000);
    w->now += 2000;
    SEE(copy_seen, .db = "shop", .table = "public.big", .state = "copying", .rows = 3000, .total = 9000, .bytes = 300000, .size = 900000);
    assert_true(model_copy_rate(&db->table[0]) == 1000);
    assert_true(model_copy_left(db->table, db->ntables) == 6000);
    assert_true(db->table[0].bytes == 300000 && db->table[0].size == 900000);
    w->now += 1000;
    SEE(copy_seen, .db = "shop", .table = "public.big", .state = "copying", .rows = 0, .total = 9000, .bytes = 0, .size = 900000); /* it failed, and begins anew */
    assert_true(model_copy_rate(&db->table[0]) == 0);
    SEE(copy_seen, .db = "shop", .table = "public.big", .state = "ready", .rows = 9000, .total = 9000, .bytes = 900000, .size = 900000);
    assert_true(model_copy_rate(&db->table[0]) == 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_fresh_run_opens_the_first_step_only), TEST(what_was_never_seen_does_not_pass),
        TEST(the_switch_opens_when_all_holds_and_closes_when_it_is_stale), TEST(a_condition_must_hold_without_a_break),
        TEST(two_writers_stop_the_switch), TEST(a_drift_of_the_schema_stops_the_switch), TEST(a_long_transaction_holds_the_switch_and_is_named), TEST(the_pause_is_predicted_from_its_parts), TEST(a_pause_is_compared_with_what_was_predicted), TEST(the_flip_waits_for_the_old_ttl), TEST(a_resolver_is_what_it_answers),
        TEST(a_lossy_resolver_keeps_its_last_answer_for_its_time), TEST(a_crash_leaves_the_step_unknown_and_closes_all_others),
        TEST(the_run_can_be_paused_and_its_journal_can_break), TEST(after_the_commit_replication_is_not_undone),
        TEST(the_fail_back_needs_a_living_way_back),
        TEST(a_fail_back_takes_the_switch_back),
        TEST(the_price_of_going_back_follows_the_run), TEST(evidence_expires), TEST(tables_with_long_names_are_told_apart), TEST(the_writers_pause_is_a_stopwatch), TEST(a_dry_pause_moves_nothing), TEST(a_copy_has_a_rate_and_an_end),
        cmocka_unit_test(values_read_and_print_with_their_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
