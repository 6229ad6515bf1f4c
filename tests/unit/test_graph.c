#include "tui/graph.h"

#include <locale.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static struct canvas c;

static void expect(const char *text)
{
    struct buf out = {0};
    canvas_text(&c, &out);
    assert_string_equal(out.text, text);
    buf_free(&out);
    canvas_clear(&c);
}

static struct series of(const int64_t *v, int n)
{
    return (struct series){v, n, 0, n};
}

static void sparks(void **state)
{
    (void)state;
    static const int64_t v[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, GRAPH_UNKNOWN, 8};
    canvas_resize(&c, 13, 1);
    graph_spark(canvas_area(&c), 0, 0, 13, of(v, 11), 0, GRAPH_BRAILLE, ROLE_GRAPH);
    expect("  ▁▁▂▃▄▅▆▇█ █\n");
    graph_spark(canvas_area(&c), 0, 0, 4, of(v, 11), 16, GRAPH_BLOCK, ROLE_GRAPH);
    expect("▄▄ ▄\n");
    graph_spark(canvas_area(&c), 0, 0, 4, of(v, 11), 8, GRAPH_ASCII, ROLE_GRAPH);
    expect("*# #\n");
}

static void plots_braille(void **state)
{
    (void)state;
    static const int64_t v[] = {1, 2, 3, 4, 5, 6, 7, 8, GRAPH_UNKNOWN, GRAPH_UNKNOWN, 8, 0};
    struct graph g = {.live = of(v, 12), .full = 8, .how = GRAPH_BRAILLE, .style = ROLE_GRAPH};
    canvas_resize(&c, 6, 2);
    graph_plot(canvas_area(&c), &g);
    expect("  ⣠⣾ ⡇\n⣠⣾⣿⣿ ⡇\n");
    g.zero = true;
    graph_plot(canvas_area(&c), &g);
    expect("  ⣠⣾ ⡇\n⣠⣾⣿⣿ ⣇\n");
}

static void marks_the_limit_and_what_is_beyond(void **state)
{
    (void)state;
    static const int64_t v[] = {0, 0, 2, 2, 8, 8, 0, 0};
    struct graph g = {.live = of(v, 8), .full = 8, .limit = 6, .how = GRAPH_BRAILLE, .style = ROLE_GREEN};
    canvas_resize(&c, 4, 2);
    graph_plot(canvas_area(&c), &g);
    assert_int_equal(canvas_at(&c, 0, 0)->style, ROLE_THRESHOLD);
    assert_int_equal(canvas_at(&c, 2, 0)->style, ROLE_THRESHOLD);
    assert_int_equal(canvas_at(&c, 2, 1)->style, ROLE_GREEN);
    assert_int_equal(canvas_at(&c, 1, 1)->style, ROLE_GREEN);
    expect("⠄⠄⣿⠄\n ⣤⣿\n");
}

static void draws_the_ghost_behind(void **state)
{
    (void)state;
    static const int64_t v[] = {1, 1, 1, 1}, old[] = {8, 8, 0, 0};
    struct graph g = {.live = of(v, 4), .ghost = of(old, 4), .full = 8, .how = GRAPH_BRAILLE, .style = ROLE_GRAPH};
    canvas_resize(&c, 2, 2);
    graph_plot(canvas_area(&c), &g);
    assert_int_equal(canvas_at(&c, 0, 0)->style, ROLE_GRAPH_OLD);
    assert_int_equal(canvas_at(&c, 0, 1)->style, ROLE_GRAPH);
    expect("⣿\n⣀⣀\n");
}

static void plots_without_braille(void **state)
{
    (void)state;
    static const int64_t v[] = {4, 8, 12, 16};
    struct graph g = {.live = of(v, 4), .full = 16, .how = GRAPH_BLOCK, .style = ROLE_GRAPH};
    canvas_resize(&c, 4, 2);
    graph_plot(canvas_area(&c), &g);
    expect("  ▄█\n▄███\n");
    g.how = GRAPH_ASCII;
    graph_plot(canvas_area(&c), &g);
    expect("  .#\n.###\n");
}

static void takes_the_largest_of_many(void **state)
{
    (void)state;
    int64_t v[80] = {0};
    v[37] = 100;
    struct graph g = {.live = of(v, 80), .full = 100, .shown = 80, .how = GRAPH_BRAILLE, .style = ROLE_GRAPH};
    canvas_resize(&c, 4, 1);
    graph_plot(canvas_area(&c), &g);
    expect(" ⢸\n");
    g.live = (struct series){v, 80, 40, 80}; /* the ring begins in the middle */
    graph_plot(canvas_area(&c), &g);
    expect("   ⢸\n");
}

static void draws_bars(void **state)
{
    (void)state;
    canvas_resize(&c, 10, 1);
    graph_bar(canvas_area(&c), 0, 0, 10, 750000, GRAPH_BRAILLE, ROLE_BLUE, ROLE_DIM);
    assert_int_equal(canvas_at(&c, 6, 0)->style, ROLE_BLUE);
    assert_int_equal(canvas_at(&c, 9, 0)->style, ROLE_DIM);
    expect("███████▌░░\n");
    graph_bar(canvas_area(&c), 0, 0, 10, 2000000, GRAPH_BRAILLE, ROLE_BLUE, ROLE_DIM);
    expect("██████████\n");
    graph_bar(canvas_area(&c), 0, 0, 4, 500000, GRAPH_ASCII, ROLE_BLUE, ROLE_DIM);
    expect("##..\n");
    graph_bar(canvas_area(&c), 0, 0, 4, -1, GRAPH_BRAILLE, ROLE_BLUE, ROLE_DIM);
    assert_int_equal(canvas_at(&c, 0, 0)->style, ROLE_UNKNOWN);
    expect("░░░░\n");
}

static void scales_quietly(void **state)
{
    (void)state;
    assert_int_equal(graph_scale(0), 1);
    assert_int_equal(graph_scale(3), 5);
    assert_int_equal(graph_scale(8400000), 10000000);
    assert_int_equal(graph_scale(10000001), 20000000);
    assert_true(graph_scale(INT64_MAX) == INT64_MAX);
    static const int64_t v[] = {GRAPH_UNKNOWN, 9, 3};
    struct series s = of(v, 3);
    assert_int_equal(series_max(&s, 1), 3);
    assert_int_equal(series_max(&s, 99), 9);
    assert_true(series_at(&s, 3) == GRAPH_UNKNOWN);
}

static int tear_down(void **state)
{
    (void)state;
    canvas_free(&c);
    return 0;
}

int main(void)
{
    setlocale(LC_ALL, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sparks, tear_down),
        cmocka_unit_test_teardown(plots_braille, tear_down),
        cmocka_unit_test_teardown(marks_the_limit_and_what_is_beyond, tear_down),
        cmocka_unit_test_teardown(draws_the_ghost_behind, tear_down),
        cmocka_unit_test_teardown(plots_without_braille, tear_down),
        cmocka_unit_test_teardown(takes_the_largest_of_many, tear_down),
        cmocka_unit_test_teardown(draws_bars, tear_down),
        cmocka_unit_test(scales_quietly),
    };
    return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
