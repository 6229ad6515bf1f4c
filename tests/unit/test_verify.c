/* The comparison's arithmetic: how large a range is, which ranges a sample has, where an earlier run stood. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/step/verify_inner.h"

static void a_range_takes_about_its_time(void **state)
{
    (void)state;
    static const struct { int64_t rows, us, next; } rows[] = {
        {2000, VERIFY_CHUNK_MS * 1000, 2000},            /* just right */
        {2000, 1000, 4000},                              /* quick: never more than twice as much */
        {2000, VERIFY_CHUNK_MS * 4000, 500},             /* four times too slow */
        {2000, 3600000000, VERIFY_CHUNK_LEAST},          /* an hour: the least */
        {VERIFY_CHUNK_MOST, 1, VERIFY_CHUNK_MOST},       /* the most */
        {2000, 0, 4000},                                 /* too quick for the clock */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(verify_chunk_size(rows[i].rows, rows[i].us), rows[i].next);
}

static void a_sample_is_of_its_size_and_always_the_same(void **state)
{
    (void)state;
    static const int64_t ppm[] = {10000, 50000, 200000, 900000};
    for (size_t p = 0; p < ARRAY_LEN(ppm); p++) {
        int64_t n = 0;
        for (int64_t i = 0; i < 20000; i++) {
            bool in = verify_is_sampled("public.orders", i, ppm[p]);
            assert_true(in == verify_is_sampled("public.orders", i, ppm[p]));
            n += in;
        }
        assert_in_range(n * 50, ppm[p] * 9 / 10, ppm[p] * 11 / 10); /* of 20,000, in ppm */
    }
    assert_true(verify_is_sampled("public.orders", 0, 1));
    for (int64_t i = 0; i < 1000; i++)
        assert_true(verify_is_sampled("x", i, 1000000));
}

static struct verify_table table = {.digest = "0123abcd", .nkeys = 2};
static char dir[] = "/tmp/cutover-verify.XXXXXX";

static void the_place_is_found_again(void **state)
{
    (void)state;
    struct verify_place p = {0};
    struct verify_range r = {.has_high = true};
    int64_t rows = 0;
    assert_non_null(mkdtemp(dir));
    verify_place_open(&p, dir, "verify", "shop 100 %");
    assert_false(verify_place_is_done(&p, 0, "16400", "feed", &rows));
    verify_place_done(&p, 0, "16400", "feed", 41);
    r.high[0] = xstrdup("a b\n\"ü");
    r.high[1] = xstrdup("");
    verify_place_keep(&p, 0, "16400", &table, &r, 17);
    verify_place_flush(&p);
    verify_range_free(&r);
    verify_place_free(&p);

    p = (struct verify_place){0};
    verify_place_open(&p, dir, "verify", "shop 100 %");
    assert_true(verify_place_is_done(&p, 0, "16400", "feed", &rows) && rows == 41);
    assert_false(verify_place_is_done(&p, 1, "16400", "feed", &rows));
    assert_false(verify_place_is_done(&p, 0, "16401", "feed", &rows)); /* another subscription: all over again */
    assert_true(verify_place_inside(&p, 0, "16400", &table, &r, &rows) && rows == 17);
    assert_string_equal(r.high[0], "a b\n\"ü");
    assert_string_equal(r.high[1], "");
    verify_range_free(&r);
    struct verify_table other = {.digest = "0123abcd", .nkeys = 3};
    assert_false(verify_place_inside(&p, 0, "16400", &other, &r, &rows));
    verify_place_free(&p);

    p = (struct verify_place){0};
    verify_place_open(&p, dir, "verify", "shop 5 %"); /* other settings */
    assert_false(verify_place_is_done(&p, 0, "16400", "feed", &rows));
    verify_place_forget(&p);
    verify_place_free(&p);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_takes_about_its_time),
        cmocka_unit_test(a_sample_is_of_its_size_and_always_the_same),
        cmocka_unit_test(the_place_is_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
