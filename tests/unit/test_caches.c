/* What the answers of a resolver tell about the caches behind its address: how many, until when, and which keep too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/metric.h"
#include "core/model.h"

#define OLD "127.0.2.1"
#define NEW "127.0.2.2"

static const char plan_text[] =
    "name = \"test\"; rehearsal = true;\n"
    "blue = { address = \"" OLD "\"; }; green = { address = \"" NEW "\"; };\n"
    "dns = { zone = \"shop.test\"; server = \"127.0.0.1\"; ttl_low = 20; ttl_normal = 300; interval = \"1s\"; records = ( { name = \"www.shop.test\"; } );\n"
    "  servers = ( { name = \"ns2\"; address = \"127.0.0.2\"; } );\n"
    "  resolvers = ( { name = \"r1\"; address = \"127.0.1.1\"; }, { name = \"r2\"; address = \"127.0.1.2\"; } ); };\n";

struct world {
    struct plan *plan;
    struct model *model;
    int64_t now, rtt; /* ms */
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

/* At `s` seconds since the beginning. */
static void see(struct world *w, double s, const char *resolver, const char *status, const char *answer, int64_t ttl)
{
    static int64_t seq;
    struct event e = {.kind = EVENT_dns_seen, .seq = ++seq, .at = w->now = T0 + (int64_t)(s * 1000),
        .dns_seen = {.resolver = resolver, .record = "www.shop.test", .type = "A", .status = status, .answer = answer, .ttl = ttl, .rtt_us = w->rtt * 1000, .error = ""}};
    model_fold(w->model, w->plan, &e);
}

static void see_both(struct world *w, double s, const char *answer, int64_t ttl)
{
    see(w, s, "authoritative", "ok", answer, ttl);
    see(w, s, "ns2", "ok", answer, ttl);
}

static const struct model_dns *cell(const struct world *w, const char *resolver)
{
    return model_cell(w->model, w->plan, plan_find_resolver(w->plan, resolver), 0);
}

static const char *why(const struct world *w, const char *resolver)
{
    static char buf[300];
    return model_dns_why(w->model, w->plan, plan_find_resolver(w->plan, resolver), 0, w->now, buf, sizeof buf);
}

/* ---- how many caches ---- */

static void one_cache_counts_down_and_is_filled_again(void **state)
{
    struct world *w = *state;
    see(w, 0, "r1", "ok", OLD, 20);
    see(w, 5.4, "r1", "ok", OLD, 15); /* a server counts whole seconds: the expiry moves by up to one */
    see(w, 10.9, "r1", "ok", OLD, 10);
    see(w, 20.2, "r1", "ok", OLD, 20);
    see(w, 25.2, "r1", "ok", OLD, 15);
    assert_int_equal(cell(w, "r1")->caches, 1);
    assert_true(cell(w, "r1")->old_until == T0 + 40200);
}

static void two_caches_answer_in_turn(void **state)
{
    struct world *w = *state;
    see(w, 0, "r1", "ok", OLD, 20);
    see(w, 2, "r1", "ok", OLD, 11);
    assert_int_equal(cell(w, "r1")->caches, 1); /* it may have been filled anew */
    see(w, 4, "r1", "ok", OLD, 16);
    assert_int_equal(cell(w, "r1")->caches, 1); /* once may be chance */
    see(w, 6, "r1", "ok", OLD, 7);
    assert_int_equal(cell(w, "r1")->caches, 2);
    assert_true(cell(w, "r1")->old_until == T0 + 20000);
    /* the flip: the first one has it, the other keeps the old answer. Done is who has it in all */
    see(w, 13.2, "r1", "ok", NEW, 20);
    assert_int_equal(cell(w, "r1")->state, CELL_MIXED);
    see(w, 14, "r1", "ok", OLD, 6);
    assert_int_equal(cell(w, "r1")->state, CELL_MIXED);
    see(w, 15, "r1", "ok", NEW, 18);
    assert_int_equal(cell(w, "r1")->state, CELL_MIXED);
    see(w, 20.2, "r1", "ok", NEW, 13);
    assert_int_equal(cell(w, "r1")->state, CELL_NEW);
    assert_true(cell(w, "r1")->old_until == 0);
    assert_int_equal(cell(w, "r1")->caches, 2);
}

/* An answer that took its time says when it was made only within that time. */
static void a_slow_answer_is_no_second_cache(void **state)
{
    struct world *w = *state;
    see(w, 0, "r1", "ok", OLD, 20);
    w->rtt = 2200;
    see(w, 6.9, "r1", "ok", OLD, 16);
    w->rtt = 0;
    see(w, 9, "r1", "ok", OLD, 11);
    assert_int_equal(cell(w, "r1")->caches, 1);
}

/* It asks before the answer runs out: the same cache, and no other. */
static void a_cache_that_prefetches_is_one(void **state)
{
    struct world *w = *state;
    see(w, 0, "r1", "ok", OLD, 20);
    see(w, 18.5, "r1", "ok", OLD, 2);
    see(w, 19, "r1", "ok", NEW, 20);
    assert_int_equal(cell(w, "r1")->state, CELL_NEW);
    see(w, 19.5, "r1", "ok", NEW, 20);
    assert_int_equal(cell(w, "r1")->caches, 1);
    assert_true(cell(w, "r1")->old_until == 0);
}

/* An expired answer comes with a TTL of its own (5 here), and what is fetched behind it soon runs out at the same time as that one would. */
static void a_cache_that_serves_expired_answers_is_one(void **state)
{
    struct world *w = *state;
    see(w, 0, "r1", "ok", OLD, 5);
    see(w, 1, "r1", "ok", OLD, 2);
    see(w, 3.2, "r1", "ok", OLD, 5);
    see(w, 3.7, "r1", "ok", OLD, 2);
    see(w, 4.2, "r1", "ok", OLD, 1);
    assert_int_equal(cell(w, "r1")->caches, 1);
}

static void an_answer_without_a_ttl_is_no_cache(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 20; i++)
        see(w, i * 0.7, "r1", "ok", i % 2 ? OLD : NEW, 0);
    assert_int_equal(cell(w, "r1")->caches, 1);
    assert_int_equal(cell(w, "r1")->state, CELL_OLD);
}

/* ---- who keeps an answer too long ---- */

static void an_overholder_is_named_before_the_flip(void **state)
{
    struct world *w = *state;
    see_both(w, 0, OLD, 20);
    see(w, 1, "r1", "ok", OLD, 60); /* may have been published with 300 before anybody looked */
    see_both(w, 2, OLD, 20);
    assert_int_equal(cell(w, "r1")->holds, 0);
    see_both(w, 299, OLD, 20);
    see(w, 300, "r1", "ok", OLD, 60);
    assert_int_equal(cell(w, "r1")->holds, 0); /* the TTL may have been raised this very moment: the server is asked first */
    see(w, 301, "authoritative", "ok", OLD, 20);
    see(w, 301, "ns2", "ok", OLD, 20);
    assert_int_equal(cell(w, "r1")->holds, 60);
    assert_string_equal(why(w, "r1"), "keeps answers for up to 60 s, 20 s is published");
    char span[120];
    assert_string_equal(model_dns_span(w->model, w->plan, w->now, span, sizeof span), "within 0:20, r1 1:00");
    struct reading overholders = metric_find("dns.overholders")->read(w->model, w->plan, "", w->now);
    assert_true(overholders.known && overholders.value == 1);
    see(w, 302, "r2", "ok", OLD, 21); /* rounded up */
    see_both(w, 303, OLD, 20);
    assert_int_equal(cell(w, "r2")->holds, 0);
    assert_string_equal(why(w, "r2"), "");
}

static void a_raised_ttl_makes_no_overholder(void **state)
{
    struct world *w = *state;
    see_both(w, 0, OLD, 20);
    see_both(w, 299, OLD, 20);
    see(w, 300, "r1", "ok", OLD, 300);
    see_both(w, 301, OLD, 300);
    assert_int_equal(cell(w, "r1")->holds, 0);
}

static void a_lowered_ttl_leaves_the_old_one_its_time(void **state)
{
    struct world *w = *state;
    see_both(w, 0, OLD, 300);
    see_both(w, 400, OLD, 20);
    see(w, 401, "r1", "ok", OLD, 298);
    see(w, 402, "r2", "ok", OLD, 298);
    see_both(w, 402.5, OLD, 20);
    assert_int_equal(cell(w, "r1")->holds, 0);
    assert_int_equal(cell(w, "r2")->holds, 0);
    see(w, 600, "r1", "ok", OLD, 99);
    see(w, 600, "r2", "ok", OLD, 150);
    see_both(w, 601, OLD, 20);
    assert_int_equal(cell(w, "r1")->holds, 0);
    assert_int_equal(cell(w, "r2")->holds, 150);
}

static void an_old_answer_after_it_must_be_gone(void **state)
{
    struct world *w = *state;
    see_both(w, 0, OLD, 20);
    see_both(w, 400, OLD, 20);
    see(w, 401, "r1", "ok", OLD, 20);
    see_both(w, 405, NEW, 20);
    see(w, 410, "r1", "ok", OLD, 11);
    assert_int_equal(cell(w, "r1")->late_since, 0);
    see(w, 428, "r1", "ok", OLD, 5);
    assert_true(cell(w, "r1")->late_since == T0 + 428000);
    w->now += 2000;
    assert_string_equal(why(w, "r1"), "still answers the old value, 0:03 after the last cache may have held it");
    see(w, 431, "r1", "ok", NEW, 20);
    assert_int_equal(cell(w, "r1")->late_since, 0);
    assert_string_equal(why(w, "r1"), "");
}

/* ---- the servers of the zone ---- */

/* Safe is counted from the server that took the low TTL last; one that was never seen keeps the clock from starting. */
static void safe_after_waits_for_every_server(void **state)
{
    struct world *w = *state;
    see(w, 0, "authoritative", "ok", OLD, 300);
    see(w, 10, "authoritative", "ok", OLD, 20);
    assert_int_equal(dns_safe_after(&w->model->record[0], w->plan), 0);
    see(w, 10, "ns2", "ok", OLD, 300);
    assert_int_equal(dns_safe_after(&w->model->record[0], w->plan), 0);
    see(w, 25, "ns2", "ok", OLD, 20);
    assert_true(dns_safe_after(&w->model->record[0], w->plan) == T0 + 25000 + 301000);
    see(w, 30, "ns2", "timeout", "", 0);
    assert_true(dns_safe_after(&w->model->record[0], w->plan) == T0 + 25000 + 301000);
}

static void a_server_that_lags_is_the_reason(void **state)
{
    struct world *w = *state;
    see_both(w, 0, OLD, 20);
    see(w, 5, "authoritative", "ok", NEW, 20);
    see(w, 30, "r1", "ok", OLD, 20);
    assert_string_equal(why(w, "r1"), "ns2 still publishes the old value");
    assert_int_equal(cell(w, "r1")->late_since, 0);
    see(w, 31, "ns2", "ok", NEW, 20);
    assert_string_equal(why(w, "r1"), "");
}

/* It changes at once, and what it said before is no cache of it. */
static void a_server_has_no_cache(void **state)
{
    struct world *w = *state;
    see_both(w, 0, OLD, 20);
    see_both(w, 1, NEW, 20);
    assert_int_equal(cell(w, "ns2")->state, CELL_NEW);
    assert_int_equal(cell(w, "ns2")->caches, 0);
}

/* ---- the curve ---- */

static void the_prediction_counts_caches(void **state)
{
    struct world *w = *state;
    see(w, 0, "r1", "ok", OLD, 20); /* one cache, until 20 */
    see(w, 1, "r2", "ok", OLD, 9);  /* two: until 10 and 14 */
    see(w, 2, "r2", "ok", OLD, 12);
    see(w, 3, "r2", "ok", OLD, 7);
    see(w, 4, "r2", "ok", OLD, 10);
    assert_int_equal(model_dns_left_ppm(w->model, w->plan, T0 + 3000), 1000000);
    assert_int_equal(model_dns_left_ppm(w->model, w->plan, T0 + 10500), 750000);
    assert_int_equal(model_dns_left_ppm(w->model, w->plan, T0 + 14500), 500000);
    assert_int_equal(model_dns_left_ppm(w->model, w->plan, T0 + 20500), 0);
    assert_true(model_dns_eta(w->model, w->plan, 25, w->now) == T0 + 10000);
    assert_true(model_dns_eta(w->model, w->plan, 50, w->now) == T0 + 14000);
    assert_true(model_dns_eta(w->model, w->plan, 100, w->now) == T0 + 20000);
    see(w, 20.5, "r1", "ok", NEW, 20);
    see(w, 20.5, "r2", "ok", NEW, 20);
    assert_int_equal(model_dns_left_ppm(w->model, w->plan, w->now), 0);
    assert_true(model_dns_eta(w->model, w->plan, 100, w->now) <= w->now);
}

/* A record whose weights give green every tenth time, at thirty resolvers that ask anew when their TTL of 60 s is over, and are asked every
 * 5 s: the interval covers the truth about as often as it says. With each answer as a sample it would not. */
static int covers(struct world *w, unsigned seed, double truth, int64_t *width)
{
    struct dns_share share;
    memset(w->model->record[0].fills, 0, sizeof w->model->record[0].fills);
    srand(seed);
    for (int r = 0; r < 15; r++)
        for (int fill = 0; fill < 10; fill++) {
            bool green = rand() < truth * RAND_MAX;
            for (int s = 0; s < 60; s += 5)
                see(w, seed * 100000.0 + r * 1000 + fill * 61 + s, r % 2 ? "r1" : "r2", "ok", green ? NEW : OLD, 60 - s);
        }
    assert_true(model_dns_share(w->model, 0, &share));
    assert_int_equal(share.fills, 150);
    *width += share.high - share.low;
    return share.low <= truth * 1e6 && truth * 1e6 <= share.high;
}

static void a_weights_interval_covers_the_truth(void **state)
{
    struct world *w = *state;
    struct dns_share share;
    int64_t width = 0;
    int covered = 0;
    assert_false(model_dns_share(w->model, 0, &share));
    for (unsigned run = 1; run <= 200; run++)
        covered += covers(w, run, 0.1, &width);
    assert_in_range(covered, 180, 199); /* 190 are to be expected, give or take 3 */
    assert_true(width / 200 < 110000);
}

static void nobody_answered_nothing_is_predicted(void **state)
{
    struct world *w = *state;
    assert_int_equal(model_dns_left_ppm(w->model, w->plan, T0), UNKNOWN);
    assert_int_equal(model_dns_eta(w->model, w->plan, 50, T0), UNKNOWN);
    see(w, 0, "r1", "servfail", "", 0);
    assert_int_equal(model_dns_left_ppm(w->model, w->plan, T0), UNKNOWN);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(one_cache_counts_down_and_is_filled_again), TEST(two_caches_answer_in_turn), TEST(a_slow_answer_is_no_second_cache), TEST(a_cache_that_prefetches_is_one), TEST(a_cache_that_serves_expired_answers_is_one), TEST(an_answer_without_a_ttl_is_no_cache),
        TEST(an_overholder_is_named_before_the_flip), TEST(a_raised_ttl_makes_no_overholder), TEST(a_lowered_ttl_leaves_the_old_one_its_time),
        TEST(an_old_answer_after_it_must_be_gone), TEST(safe_after_waits_for_every_server), TEST(a_server_that_lags_is_the_reason), TEST(a_server_has_no_cache),
        TEST(the_prediction_counts_caches), TEST(a_weights_interval_covers_the_truth), TEST(nobody_answered_nothing_is_predicted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
