#include "tui/layout.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct layout at(int w, int h)
{
    struct layout l;
    layout_compute(w, h, LAYOUT_ALL, 0, NULL, &l);
    return l;
}

static void expect_rect(struct rect r, int x, int y, int w, int h)
{
    assert_int_equal(r.x, x);
    assert_int_equal(r.y, y);
    assert_int_equal(r.w, w);
    assert_int_equal(r.h, h);
}

static void is_as_drawn(void **state)
{
    (void)state;
    struct layout l = at(80, 24);
    assert_int_equal(l.size, LAYOUT_SMALL);
    expect_rect(l.header, 0, 0, 80, 1);
    expect_rect(l.gate, 0, 1, 80, 1);
    expect_rect(l.pane[1], 0, 2, 28, 6);
    expect_rect(l.pane[2], 28, 2, 24, 6);
    expect_rect(l.pane[3], 52, 2, 28, 6);
    expect_rect(l.pane[5], 0, 8, 44, 9);
    expect_rect(l.pane[4], 44, 8, 36, 9);
    expect_rect(l.pane[6], 0, 17, 80, 6);
    expect_rect(l.footer, 0, 23, 80, 1);
    l = at(120, 40);
    assert_int_equal(l.size, LAYOUT_MEDIUM);
    expect_rect(l.pane[1], 0, 2, 40, 14);
    expect_rect(l.pane[5], 0, 16, 66, 15);
    expect_rect(l.pane[4], 66, 16, 54, 15);
    expect_rect(l.pane[6], 0, 31, 120, 8);
    l = at(200, 60);
    assert_int_equal(l.size, LAYOUT_LARGE);
    expect_rect(l.pane[1], 0, 2, 66, 24);
    expect_rect(l.pane[2], 66, 2, 67, 24);
    expect_rect(l.pane[4], 100, 26, 100, 17);
    expect_rect(l.pane[6], 0, 43, 150, 16);
    expect_rect(l.pane[7], 150, 43, 50, 16);
}

static void absent_panes_give_their_place(void **state)
{
    (void)state;
    struct layout l;
    layout_compute(80, 24, LAYOUT_ALL & ~LAYOUT_BIT(2), 0, NULL, &l);
    expect_rect(l.pane[2], 0, 0, 0, 0);
    expect_rect(l.pane[1], 0, 2, 40, 6);
    expect_rect(l.pane[3], 40, 2, 40, 6);
    layout_compute(80, 24, LAYOUT_BIT(5) | LAYOUT_BIT(6), 0, NULL, &l);
    assert_int_equal(l.pane[5].w, 80);
    assert_int_equal(l.pane[5].h + l.pane[6].h, 21);
}

static void zoom_takes_all_but_the_lines(void **state)
{
    (void)state;
    struct layout l;
    layout_compute(80, 24, LAYOUT_ALL, 4, NULL, &l);
    expect_rect(l.pane[4], 0, 2, 80, 21);
    assert_int_equal(l.pane[1].w, 0);
    assert_int_equal(l.zoomed, 4);
    layout_compute(80, 24, LAYOUT_ALL & ~LAYOUT_BIT(4), 4, NULL, &l);
    assert_int_equal(l.zoomed, 0);
}

static void a_size_holds_for_two_cells(void **state)
{
    (void)state;
    struct layout l = at(80, 24);
    layout_compute(78, 22, LAYOUT_ALL, 0, &l, &l);
    assert_int_equal(l.size, LAYOUT_SMALL);
    layout_compute(77, 22, LAYOUT_ALL, 0, &l, &l);
    assert_int_equal(l.size, LAYOUT_COLUMN);
    layout_compute(79, 24, LAYOUT_ALL, 0, &l, &l);
    assert_int_equal(l.size, LAYOUT_COLUMN);
    layout_compute(116, 36, LAYOUT_ALL, 0, &l, &l);
    assert_int_equal(l.size, LAYOUT_MEDIUM);
    layout_compute(114, 34, LAYOUT_ALL, 0, &l, &l);
    assert_int_equal(l.size, LAYOUT_MEDIUM);
    layout_compute(113, 34, LAYOUT_ALL, 0, &l, &l);
    assert_int_equal(l.size, LAYOUT_SMALL);
}

static void folds_from_the_bottom(void **state)
{
    (void)state;
    struct layout l = at(60, 40);
    assert_false(l.folded[6] || l.folded[3]);
    l = at(60, 31);
    assert_true(l.folded[6]);
    assert_false(l.folded[3] || l.folded[4]);
    l = at(60, 16);
    assert_true(l.folded[6] && l.folded[3] && l.folded[2] && l.folded[1]);
    assert_false(l.folded[5]);
    l = at(40, 8);
    assert_int_equal(l.size, LAYOUT_COLUMN);
    assert_true(l.pane[5].h >= 5);
}

static void lives_in_one_cell(void **state)
{
    (void)state;
    struct layout l = at(39, 24);
    assert_int_equal(l.size, LAYOUT_TINY);
    assert_int_equal(l.header.w, 0);
    expect_rect(l.gate, 0, 0, 39, 1);
    expect_rect(l.pane[5], 0, 1, 39, 22);
    l = at(20, 3);
    assert_int_equal(l.size, LAYOUT_TINY);
    assert_true(l.folded[5]);
    l = at(19, 3);
    assert_int_equal(l.size, LAYOUT_WORD);
    l = at(1, 1);
    assert_int_equal(l.size, LAYOUT_LETTER);
    expect_rect(l.gate, 0, 0, 1, 1);
    at(-5, 0);
}

/* At any size, with any panes, nothing lies outside, nothing overlaps, and nothing is left empty but by intent. */
static void tiles_the_screen(void **state)
{
    (void)state;
    static unsigned char cover[200][320];
    struct layout l = {0};
    for (int h = 1; h <= 90; h++)
        for (int w = 1; w <= 260; w += h % 3 + 1) {
            unsigned present = (unsigned)((w * 31 + h * 17) & 0xff) | LAYOUT_BIT(5) | LAYOUT_BIT(6);
            layout_compute(w, h, present, 0, NULL, &l);
            memset(cover, 0, sizeof cover);
            struct rect all[LAYOUT_PANES + 3] = {l.header, l.gate, l.footer};
            memcpy(&all[3], &l.pane[1], LAYOUT_PANES * sizeof l.pane[0]);
            int covered = 0;
            for (size_t i = 0; i < ARRAY_LEN(all); i++)
                for (int y = all[i].y; y < all[i].y + all[i].h; y++)
                    for (int x = all[i].x; x < all[i].x + all[i].w; x++) {
                        assert_true(x >= 0 && y >= 0 && x < w && y < h);
                        assert_int_equal(cover[y][x]++, 0);
                        covered++;
                    }
            if (covered != w * h)
                fail_msg("%dx%d, panes %02x: %d cells of %d have an owner", w, h, present, covered, w * h);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_as_drawn),
        cmocka_unit_test(absent_panes_give_their_place),
        cmocka_unit_test(zoom_takes_all_but_the_lines),
        cmocka_unit_test(a_size_holds_for_two_cells),
        cmocka_unit_test(folds_from_the_bottom),
        cmocka_unit_test(lives_in_one_cell),
        cmocka_unit_test(tiles_the_screen),
    };
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
