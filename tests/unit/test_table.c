#include "tui/table.h"

#include <limits.h>
#include <locale.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct table_column columns[] = {
    {"state", 5, 9, false, false}, {"resolver", 8, 8, false, true}, {"where", 10, 2, false, false}, {"ttl", 4, 5, true, false}};

static unsigned cell(void *arg, int row, int col, char *buf, size_t size)
{
    (void)arg;
    static const char *const rows[][4] = {
        {"● NEW", "1.1.1.1", "Cloudflare", "41 s"}, {"○ OLD", "9.9.9.9", "Quad9", "7 s"}, {"✗ ERR", "a long name indeed", "AdGuard", "-"}};
    snprintf(buf, size, "%s", rows[row % 3][col]);
    return row % 3 == 2 ? ROLE_BAD : ROLE_TEXT;
}

static void expect(struct table *t, int w, int h, const char *text)
{
    struct canvas c = {0};
    struct buf out = {0};
    canvas_resize(&c, w, h);
    table_draw(canvas_area(&c), t, cell, NULL);
    canvas_text(&c, &out);
    assert_string_equal(out.text, text);
    buf_free(&out);
    canvas_free(&c);
}

static void draws_all_columns_when_wide(void **state)
{
    (void)state;
    struct table t = {columns, 4, 3, true, -1, 0};
    expect(&t, 40, 4,
           "state resolver           where       ttl\n"
           "● NEW 1.1.1.1            Cloudflare 41 s\n"
           "○ OLD 9.9.9.9            Quad9       7 s\n"
           "✗ ERR a long name indeed AdGuard       -\n");
}

static void drops_columns_by_keep(void **state)
{
    (void)state;
    struct table t = {columns, 4, 3, false, -1, 0};
    int widths[4];
    assert_int_equal(table_fit(&t, 30, widths), 0xf);
    assert_int_equal(table_fit(&t, 29, widths), 0xb);
    assert_int_equal(widths[1], 18);
    assert_int_equal(table_fit(&t, 18, widths), 0x3);
    assert_int_equal(table_fit(&t, 13, widths), 0x1);
    assert_int_equal(table_fit(&t, 3, widths), 0x1);
    assert_int_equal(widths[0], 3);
    expect(&t, 19, 3,
           "● NEW 1.1.1.1  41 s\n"
           "○ OLD 9.9.9.9   7 s\n"
           "✗ ERR a long …    -\n");
    expect(&t, 3, 1, "● …\n");
}

static void keeps_the_selected_row_in_view(void **state)
{
    (void)state;
    struct table t = {columns, 4, 30, false, 0, 0};
    struct canvas c = {0};
    canvas_resize(&c, 30, 5);
    table_move(&t, 7);
    table_draw(canvas_area(&c), &t, cell, NULL);
    assert_int_equal(t.offset, 3);
    assert_true(canvas_at(&c, 29, 4)->style & ATTR_SELECTED);
    assert_false(canvas_at(&c, 29, 3)->style & ATTR_SELECTED);
    table_move(&t, INT_MAX);
    assert_int_equal(t.selected, 29);
    table_draw(canvas_area(&c), &t, cell, NULL);
    assert_int_equal(t.offset, 25);
    table_move(&t, INT_MIN);
    table_draw(canvas_area(&c), &t, cell, NULL);
    assert_int_equal(t.selected, 0);
    assert_int_equal(t.offset, 0);
    t.rows = 0;
    table_move(&t, 1);
    assert_int_equal(t.selected, -1);
    table_draw(canvas_area(&c), &t, cell, NULL);
    t.rows = 4;
    t.offset = 99;
    table_draw(canvas_area(&c), &t, cell, NULL);
    assert_int_equal(t.offset, 0);
    canvas_free(&c);
}

int main(void)
{
    setlocale(LC_ALL, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_all_columns_when_wide),
        cmocka_unit_test(drops_columns_by_keep),
        cmocka_unit_test(keeps_the_selected_row_in_view),
    };
    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
