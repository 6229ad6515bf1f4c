#include "tui/canvas.h"
#include "tui/graph.h"
#include "tui/key.h"
#include "tui/layout.h"
#include "tui/table.h"

#include <locale.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct canvas c;
static struct buf out;

static int set_up(void **state)
{
    (void)state;
    c = (struct canvas){0};
    out = (struct buf){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    canvas_free(&c);
    buf_free(&out);
    return 0;
}

static void expect(const char *text)
{
    out.len = 0;
    canvas_text(&c, &out);
    assert_string_equal(out.text, text);
}

static void draws_a_box(void **state)
{
    (void)state;
    canvas_resize(&c, 28, 3);
    struct area in = area_box(canvas_area(&c), "1 replication", "live", false);
    area_text(in, 0, 0, ROLE_TEXT, "lag 2.1 MB");
    area_textr(in, in.w, 0, ROLE_DIM, "0.42 s");
    assert_int_equal(in.w, 24);
    expect("┌─ 1 replication ─── live ─┐\n"
           "│ lag 2.1 MB        0.42 s │\n"
           "└──────────────────────────┘\n");
    assert_int_equal(canvas_at(&c, 0, 0)->style, ROLE_BORDER);
    area_box(canvas_area(&c), "1 replication", "live", true);
    assert_int_equal(canvas_at(&c, 0, 0)->style, ROLE_BORDER_FOCUS);
    assert_int_equal(canvas_at(&c, 3, 0)->style, ROLE_TITLE_FOCUS);
}

static void a_narrow_box_drops_the_right_title_first(void **state)
{
    (void)state;
    canvas_resize(&c, 14, 2);
    area_box(canvas_area(&c), "5 steps", "7/12", false);
    expect("┌─ 5 steps ──┐\n└────────────┘\n");
    canvas_resize(&c, 10, 2);
    area_box(canvas_area(&c), "5 steps", "7/12", false);
    expect("┌─ 5 s… ─┐\n└────────┘\n");
}

static void clips_to_the_area(void **state)
{
    (void)state;
    canvas_resize(&c, 8, 2);
    struct area a = area_part(canvas_area(&c), 2, 0, 4, 1);
    assert_int_equal(area_text(a, -2, 0, ROLE_TEXT, "abcdefgh"), 4);
    area_text(a, 0, 1, ROLE_TEXT, "below");
    area_text(a, 0, -1, ROLE_TEXT, "above");
    expect("  cdef\n\n");
    area_textw(a, 0, 0, 3, ROLE_TEXT, "long text");
    expect("  lo…f\n\n");
    area_textr(a, 2, 0, ROLE_TEXT, "wxyz");
    expect("  yz…f\n\n");
    struct area none = area_part(a, 9, 9, 5, 5);
    assert_int_equal(none.w, 0);
    area_fill(none, ROLE_TEXT, "#");
    expect("  yz…f\n\n");
}

static void cuts_wide_characters_into_blanks(void **state)
{
    (void)state;
    canvas_resize(&c, 6, 1);
    area_text(canvas_area(&c), 0, 0, ROLE_TEXT, "日本語");
    expect("日本語\n");
    area_text(canvas_area(&c), 1, 0, ROLE_TEXT, "x");
    expect(" x本語\n");
    struct area a = area_part(canvas_area(&c), 0, 0, 3, 1);
    area_fill(canvas_area(&c), ROLE_TEXT, "-");
    area_text(a, 0, 0, ROLE_TEXT, "日本");
    expect("日 ---\n");
    area_text(a, -1, 0, ROLE_TEXT, "日a");
    expect(" a ---\n");
}

static void keeps_one_combining_mark_and_nothing_dangerous(void **state)
{
    (void)state;
    canvas_resize(&c, 12, 1);
    assert_int_equal(canvas_width("e\xcc\x81\xcc\x81\xcc\x81z"), 2);
    area_text(canvas_area(&c), 0, 0, ROLE_TEXT, "e\xcc\x81\xcc\x81z");
    expect("e\xcc\x81z\n");
    area_text(canvas_area(&c), 0, 0, ROLE_TEXT, "a\033[2J\rb\xff\xc0\xafZ\xe2\x80\xae");
    expect("a·[2J·b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdZ·\n");
}

static void ascii_replaces_cell_for_cell(void **state)
{
    (void)state;
    canvas_resize(&c, 16, 3);
    c.ascii = true;
    struct area in = area_box(canvas_area(&c), "4 checks", NULL, false);
    area_text(in, 0, 0, ROLE_TEXT, "✓✗●○▶· …→ ⣿⠄█░");
    expect("+- 4 checks ---+\n| +x*o>. ~> #. |\n+--------------+\n");
    area_text(in, 0, 0, ROLE_TEXT, "日é");
    expect("+- 4 checks ---+\n| ? ?o>. ~> #. |\n+--------------+\n");
}

static void writes_escape_sequences(void **state)
{
    (void)state;
    struct theme t;
    theme_builtin(&t);
    canvas_resize(&c, 4, 1);
    area_text(canvas_area(&c), 0, 0, ROLE_WARN, "!");
    area_text(canvas_area(&c), 1, 0, ROLE_BAD, "✗");
    canvas_ansi(&c, &t, 256, &out);
    assert_string_equal(out.text, "\033[0;38;5;220m!\033[0;1;38;5;197m✗\033[0m  \033[0m\n");
    out.len = 0;
    canvas_ansi(&c, &t, 8, &out);
    assert_string_equal(out.text, "\033[0;33m!\033[0;1;31m✗\033[0m  \033[0m\n");
}

static void a_selected_cell_keeps_its_colour(void **state)
{
    (void)state;
    struct theme t;
    theme_builtin(&t);
    canvas_resize(&c, 4, 1);
    area_text(canvas_area(&c), 0, 0, ROLE_BAD, "bad!");
    area_select(canvas_area(&c), 0, 0, 4);
    struct look look = theme_look(&t, canvas_at(&c, 1, 0)->style);
    assert_int_equal(look.fg, 197);
    assert_int_equal(look.bg, 237);
}

static void writes_a_picture(void **state)
{
    (void)state;
    struct theme t;
    theme_builtin(&t);
    canvas_resize(&c, 12, 2);
    area_text(canvas_area(&c), 0, 0, ROLE_TEXT, "a <b>&c ─┐");
    area_text(canvas_area(&c), 0, 1, ROLE_BLUE, "⣿▁日本");
    canvas_svg(&c, &t, &out);
    assert_non_null(strstr(out.text, "&lt;b&gt;&amp;c</text>"));
    assert_non_null(strstr(out.text, "class=\"l\""));
    assert_non_null(strstr(out.text, "class=\"d\" stroke=\"#5f87ff\""));
    assert_null(strstr(out.text, "⣿"));
    assert_string_equal(out.text + out.len - 7, "</svg>\n");
}

static void knows_when_pictures_differ(void **state)
{
    (void)state;
    struct canvas d = {0};
    canvas_resize(&c, 5, 2);
    canvas_resize(&d, 5, 2);
    assert_true(canvas_equal(&c, &d));
    area_text(canvas_area(&d), 1, 1, ROLE_TEXT, "x");
    assert_false(canvas_equal(&c, &d));
    area_text(canvas_area(&c), 1, 1, ROLE_BAD, "x");
    assert_false(canvas_equal(&c, &d));
    canvas_free(&d);
}

/* ---- random drawing: every cell stays well-formed whatever is drawn where ---- */

static const char *const scraps[] = {"日本語テキスト", "plain text", "✓ ok ✗ no", "e\xcc\x81\xcc\x81", "\xff\xfe\x80", "⣿⣿⡇", "",
                                     "\033]0;x\a", "🙂🙂", "a", "┌─┐", "\xe2\x80\x8f\xf3\xa0\x80\x81", "\xcc\x81 alone"};

static int any(int below)
{
    return below > 0 ? rand() % below : 0;
}

static unsigned random_cell(void *arg, int row, int col, char *buf, size_t size)
{
    (void)arg;
    copy_text(buf, size, scraps[(row * 7 + col) % (int)ARRAY_LEN(scraps)]);
    return (unsigned)(row + col) % ROLE_COUNT;
}

static void draw_something(struct area a)
{
    const char *text = scraps[any(ARRAY_LEN(scraps))];
    int x = any(a.w + 20) - 10, y = any(a.h + 6) - 3, w = any(a.w + 20) - 5;
    int64_t values[40];
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        values[i] = any(5) ? (int64_t)rand() << any(33) : GRAPH_UNKNOWN;
    struct series s = {values, 40, any(40), any(41)};
    enum graph_style how = (enum graph_style)any(3);
    static const struct table_column columns[] = {{"a", 5, 1, true, false}, {"b", 9, 2, false, true}, {"c", 30, 0, true, true}};
    struct table t = {columns, 3, any(30), any(2), any(40) - 2, any(50) - 10};
    struct graph g = {.live = s, .ghost = s, .full = any(2) * 1000000, .limit = any(2000000), .shown = any(100), .zero = any(2), .how = how, .style = ROLE_GRAPH};
    switch (any(9)) {
    case 0: area_text(a, x, y, ROLE_BAD, text); break;
    case 1: area_textw(a, x, y, w, ROLE_OK, text); break;
    case 2: area_textr(a, x, y, ROLE_OK | ATTR_BOLD, text); break;
    case 3: area_box(a, text, scraps[any(ARRAY_LEN(scraps))], any(2)); break;
    case 4: area_fill(area_part(a, x, y, w, any(a.h + 2)), ROLE_DIM, *text ? text : " "); break;
    case 5: graph_spark(a, x, y, w, s, any(2), how, ROLE_GRAPH); break;
    case 6: graph_plot(area_inset(a, any(3), any(3)), &g); break;
    case 7: graph_bar(a, x, y, w, any(1200000) - 1, how, ROLE_BLUE, ROLE_DIM); break;
    default: table_draw(a, &t, random_cell, NULL); break;
    }
}

static void check_cells(void)
{
    for (int y = 0; y < c.h; y++)
        for (int x = 0; x < c.w; x++) {
            const struct cell *cell = canvas_at(&c, x, y);
            assert_int_equal(cell->width == 0, cell->text[0] == '\0');
            if (cell->width == 0)
                assert_true(x > 0 && canvas_at(&c, x - 1, y)->width == 2);
            if (cell->width == 2)
                assert_true(x + 1 < c.w && canvas_at(&c, x + 1, y)->width == 0);
            if (cell->width)
                assert_int_equal(canvas_width(cell->text), cell->width);
        }
}

static void survives_random_drawing(void **state)
{
    (void)state;
    struct theme t;
    theme_builtin(&t);
    srand(7);
    for (int round = 0; round < 300; round++) {
        canvas_resize(&c, round == 0 ? 1 : 1 + any(250), round == 0 ? 1 : 1 + any(80));
        struct layout l = {0};
        layout_compute(c.w, c.h, (unsigned)any(256), any(9), NULL, &l);
        for (int i = 0; i < 30; i++) {
            struct rect r = l.pane[1 + any(LAYOUT_PANES)];
            draw_something(any(2) ? canvas_area(&c) : area_part(canvas_area(&c), r.x, r.y, r.w, r.h));
        }
        check_cells();
        out.len = 0;
        c.ascii = any(2);
        canvas_text(&c, &out);
        for (size_t i = 0; c.ascii && i < out.len; i++)
            assert_true(out.text[i] == '\n' || (out.text[i] >= ' ' && out.text[i] < 127));
        canvas_ansi(&c, &t, 256, &out);
        if (round % 20 == 0)
            canvas_svg(&c, &t, &out);
    }
}

int main(void)
{
    setlocale(LC_ALL, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(draws_a_box, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_narrow_box_drops_the_right_title_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(clips_to_the_area, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cuts_wide_characters_into_blanks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_one_combining_mark_and_nothing_dangerous, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ascii_replaces_cell_for_cell, set_up, tear_down),
        cmocka_unit_test_setup_teardown(writes_escape_sequences, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_selected_cell_keeps_its_colour, set_up, tear_down),
        cmocka_unit_test_setup_teardown(writes_a_picture, set_up, tear_down),
        cmocka_unit_test_setup_teardown(knows_when_pictures_differ, set_up, tear_down),
        cmocka_unit_test_setup_teardown(survives_random_drawing, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("canvas", tests, NULL, NULL);
}
