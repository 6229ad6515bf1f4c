/* The tape: any instant can be reached from any other, and looks the same from both sides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <locale.h>
#include <stdlib.h>

#include "tests/unit/desk.h"

static void draw(const struct tape *tape, const struct reel *reel, int64_t now, struct buf *out)
{
    struct ui ui;
    struct canvas canvas = {0};
    frame_init(&ui, NULL, NULL);
    canvas_resize(&canvas, 200, 60);
    frame_draw(&ui, reel->model, tape->plan, now, &canvas);
    out->len = 0;
    canvas_text(&canvas, out);
    canvas_free(&canvas);
    ui_free(&ui);
}

static void back_and_forth_is_the_same(void **state)
{
    struct desk *d = desk_new(0);
    struct reel walking = {0};
    struct buf a = {0}, b = {0};
    uint32_t seed = 9;
    (void)state;
    for (int i = 0; i < 40; i++) {
        struct reel fresh = {0};
        seed = seed * 1664525u + 1013904223u;
        int64_t at = STORY_T0 + (int64_t)(seed >> 8) % 140000;
        tape_fold(&d->tape, &walking, at, TAPE_END);
        tape_fold(&d->tape, &fresh, at, TAPE_END);
        assert_int_equal(walking.next, fresh.next);
        draw(&d->tape, &walking, at, &a);
        draw(&d->tape, &fresh, at, &b);
        assert_string_equal(a.text, b.text);
        reel_free(&fresh);
    }
    reel_free(&walking);
    buf_free(&a);
    buf_free(&b);
    desk_free(d);
}

static void a_line_is_reached_by_its_number(void **state)
{
    struct desk *d = desk_new(0);
    struct reel reel = {0};
    (void)state;
    tape_fold(&d->tape, &reel, TAPE_END, 77);
    assert_int_equal(reel.model->last_seq, 77);
    tape_fold(&d->tape, &reel, TAPE_END, 12);
    assert_int_equal(reel.model->last_seq, 12);
    tape_fold(&d->tape, &reel, TAPE_END, TAPE_END);
    assert_int_equal(reel.next, d->tape.count);
    reel_free(&reel);
    desk_free(d);
}

static void what_is_no_run_is_refused_in_words(void **state)
{
    static const char *const lines[] = {"", "{", "[]", "{\"seq\":1,\"at\":1,\"event\":\"note_said\",\"user\":\"a\",\"text\":\"b\"}",
                                        "{\"seq\":1,\"at\":1,\"event\":\"run_opened\",\"name\":\"x\",\"plan\":\"nonsense = ;\"}"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct tape tape = {0};
        struct err err = {""};
        assert_false(tape_add(&tape, lines[i], strlen(lines[i]), NULL, NULL, &err));
        assert_true(strlen(err.text) > 10);
        assert_int_equal(tape.count, 0);
        tape_free(&tape);
    }
}

int main(void)
{
    setlocale(LC_ALL, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(back_and_forth_is_the_same),
        cmocka_unit_test(a_line_is_reached_by_its_number),
        cmocka_unit_test(what_is_no_run_is_refused_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
