/* The hand on the panes: arming, focus, history, the line of commands, what an observer may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <locale.h>
#include <stdlib.h>

#include "tests/unit/desk.h"
#include "tui/command.h"

static void nothing_changes_unarmed(void **state)
{
    static const int keys[] = {'x', 'r', 's', 't', K_F(2), K_F(7), K_F(10)};
    struct desk *d = desk_new(70900);
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        desk_key(d, keys[i], 300000);
        assert_int_equal(d->ui.dialog.kind, DIALOG_NONE);
        assert_true(desk_shows(d, "! arms"));
    }
    assert_false(d->ui.wants_quit); /* F10 is a step's key here */
    assert_int_equal(d->orders, 0);
    desk_free(d);
}

static void the_next_key_is_on_the_screen(void **state)
{
    struct desk *d = desk_new(70900);
    (void)state;
    assert_true(desk_shows(d, "press ! then F7: Switch writes to green"));
    desk_key(d, '!', 300000);
    d->now -= 400; /* the clock may run on without the gate falling */
    desk_wait(d, 100);
    assert_true(desk_shows(d, "press F7: Switch writes to green"));
    assert_true(desk_shows(d, " F7 switch"));
    copy_text(d->ui.role, sizeof d->ui.role, "observer");
    desk_wait(d, 10);
    assert_false(desk_shows(d, "press F7"));
    desk_free(d);
}

static void an_engine_that_is_gone_is_loud(void **state)
{
    struct desk *d = desk_new(70900);
    (void)state;
    d->ui.engine_gone = true;
    d->ui.gone_at = d->now;
    desk_wait(d, 10);
    assert_true(desk_shows(d, "ENGINE GONE"));
    assert_true(desk_shows(d, "no engine watches: q, then start cutover PLAN"));
    assert_false(desk_shows(d, "! arm  "));
    desk_free(d);
}

static void arming_runs_out(void **state)
{
    struct desk *d = desk_new(3500);
    (void)state;
    desk_key(d, '!', 300000);
    assert_true(ui_is_armed(&d->ui));
    assert_true(desk_shows(d, "ARMED 1:00"));
    desk_wait(d, UI_ARM_MS + 1);
    assert_false(ui_is_armed(&d->ui));
    desk_key(d, '!', 300000);
    desk_key(d, '!', 300000);
    assert_false(ui_is_armed(&d->ui));
    desk_free(d);
}

static void no_key_runs_anything_by_itself(void **state)
{
    struct desk *d = desk_new(70900);
    (void)state;
    for (int code = 1; code <= K_LAST; code = code == 0x7f ? K_UP : code + 1) {
        if (code == 'p' || code == 'c') /* pausing at once and looking again are harmless */
            continue;
        if (!ui_is_armed(&d->ui))
            desk_key(d, '!', 300000);
        desk_key(d, code, 300000);
        desk_wait(d, 10);
        assert_int_equal(d->orders, 0);
        dialog_close(&d->ui);
        d->ui.past_at = 0;
        d->ui.frozen = false;
        d->now = STORY_T0 + 70900;
    }
    desk_free(d);
}

static void observers_only_watch(void **state)
{
    struct desk *d = desk_new(14000);
    (void)state;
    copy_text(d->ui.role, sizeof d->ui.role, "observer");
    desk_key(d, '!', 300000);
    desk_key(d, 'a', 300000);
    desk_key(d, 'p', 300000);
    assert_false(ui_is_armed(&d->ui));
    assert_int_equal(d->orders, 0);
    assert_true(desk_shows(d, "you watch"));
    desk_key(d, 'm', 300000); /* a note is everybody's */
    desk_type(d, "seen\n");
    assert_int_equal(d->orders, 1);
    desk_free(d);
}

static void the_past_changes_nothing(void **state)
{
    struct desk *d = desk_new(70900);
    (void)state;
    d->ui.last_at = d->now;
    desk_key(d, '!', 300000);
    desk_key(d, '[', 300000);
    desk_wait(d, 0);
    assert_true(d->ui.past_at > 0);
    assert_false(ui_is_armed(&d->ui));
    assert_true(desk_shows(d, "PAST 02:13:0"));
    desk_key(d, 'x', 300000);
    assert_int_equal(d->ui.dialog.kind, DIALOG_NONE);
    desk_key(d, 'L', 300000);
    desk_wait(d, 0);
    assert_true(ui_is_live(&d->ui));
    desk_key(d, 'f', 300000);
    desk_wait(d, 12000);
    assert_true(desk_shows(d, "FROZEN 0:12"));
    assert_true(desk_shows(d, "02:13:1"));
    desk_free(d);
}

static void focus_and_zoom_by_number(void **state)
{
    struct desk *d = desk_new(101700);
    (void)state;
    desk_key(d, '2', 300000);
    assert_int_equal(d->ui.focus, PANE_DNS);
    desk_key(d, '2', 300000);
    assert_int_equal(d->ui.zoom, PANE_DNS);
    assert_true(desk_shows(d, "185.228.168.9"));
    desk_key(d, '6', 300000);
    assert_int_equal(d->ui.zoom, PANE_LOG);
    desk_key(d, K_ESC, 300000);
    assert_int_equal(d->ui.zoom, 0);
    desk_key(d, K_TAB, 300000);
    assert_int_equal(d->ui.focus, PANE_PEOPLE);
    desk_free(d);
}

static void rows_are_chosen_and_explained(void **state)
{
    struct desk *d = desk_new(101700);
    (void)state;
    desk_key(d, '2', 300000);
    desk_key(d, 'j', 300000);
    desk_key(d, K_ENTER, 300000);
    assert_int_equal(d->ui.dialog.kind, DIALOG_DETAIL);
    assert_true(desk_shows(d, "resolver AdGuard"));
    assert_true(desk_shows(d, "servfail"));
    desk_key(d, K_ESC, 300000);
    desk_key(d, 'G', 300000);
    assert_int_equal(d->ui.pane[PANE_DNS].selected, d->tape.plan->dns.nresolvers - 1);
    desk_free(d);
}

static void the_log_is_filtered_while_typing(void **state)
{
    struct desk *d = desk_new(101700);
    (void)state;
    desk_key(d, '/', 300000);
    desk_type(d, "quad9");
    assert_true(desk_shows(d, "/quad9  "));
    desk_key(d, K_ENTER, 300000);
    assert_string_equal(d->ui.filter, "quad9");
    desk_key(d, '/', 300000);
    desk_key(d, K_ESC, 300000);
    assert_string_equal(d->ui.filter, "");
    desk_free(d);
}

static void commands_by_name(void **state)
{
    struct desk *d = desk_new(70900);
    char line[80], all[240];
    (void)state;
    copy_text(line, sizeof line, "ru");
    command_complete(&d->ui, line, sizeof line, all, sizeof all);
    assert_string_equal(line, "run ");
    copy_text(line, sizeof line, "run s");
    command_complete(&d->ui, line, sizeof line, all, sizeof all);
    assert_string_equal(all, "shift switch");
    copy_text(line, sizeof line, "run sw");
    command_complete(&d->ui, line, sizeof line, all, sizeof all);
    assert_string_equal(line, "run switch ");
    desk_key(d, ':', 300000);
    desk_type(d, "run switch\n");
    assert_int_equal(d->ui.dialog.kind, DIALOG_NONE); /* locked */
    desk_key(d, '!', 300000);
    desk_key(d, ':', 300000);
    desk_type(d, "run switch\n");
    assert_int_equal(d->ui.dialog.kind, DIALOG_CONFIRM);
    desk_key(d, K_ESC, 300000);
    desk_key(d, ':', 300000);
    desk_type(d, "rnu\n");
    assert_true(desk_shows(d, "there is no command \"rnu\""));
    desk_free(d);
}

static void x_twice_opens_the_next_step(void **state)
{
    struct desk *d = desk_new(70900);
    (void)state;
    desk_key(d, '!', 300000);
    desk_key(d, 'x', 300000);
    assert_int_equal(d->ui.dialog.kind, DIALOG_CHOOSER);
    assert_true(desk_shows(d, "switch comes first"));
    desk_key(d, 'x', 300000);
    assert_int_equal(d->ui.dialog.kind, DIALOG_CONFIRM);
    assert_int_equal(d->ui.dialog.step, plan_find_step(d->tape.plan, "switch"));
    desk_free(d);
}

static void addresses_can_be_hidden(void **state)
{
    struct desk *d = desk_new(101700);
    struct buf text = {0};
    (void)state;
    desk_key(d, '6', 300000);
    desk_key(d, '6', 300000);
    assert_true(desk_shows(d, "203.0.113.9"));
    desk_key(d, 'H', 300000);
    for (int pane = 1; pane <= LAYOUT_PANES; pane++) {
        d->ui.zoom = pane;
        canvas_resize(&d->canvas, 200, 60);
        frame_paint(&d->ui, &d->canvas);
        canvas_text(&d->canvas, &text);
    }
    assert_null(strstr(text.text, "203.0.113.9"));
    assert_null(strstr(text.text, "198.51.100.4"));
    assert_null(strstr(text.text, "9.9.9.9"));
    assert_non_null(strstr(text.text, "REDACT"));
    buf_free(&text);
    desk_free(d);
}

/* Each key stands in one row only, and every row has a sentence: help, footer and README rest on it. */
static void the_list_is_sound(void **state)
{
    (void)state;
    for (int i = 0; i < ncommands; i++) {
        char keys[80];
        command_keys(&commands[i], keys, sizeof keys);
        assert_true(commands[i].sentence[0] && commands[i].name[0] && commands[i].run);
        assert_null(strchr(keys, '?') && strcmp(commands[i].name, "help") != 0 ? keys : NULL);
        for (int k = i + 1; k < ncommands; k++) {
            const char *list = commands[i].keys;
            assert_string_not_equal(commands[i].name, commands[k].name);
            while (*list) {
                size_t len = strcspn(list, " ");
                char padded[120], word[40];
                snprintf(padded, sizeof padded, " %s ", commands[k].keys);
                snprintf(word, sizeof word, " %.*s ", (int)len, list);
                bool apart = (commands[i].flags | commands[k].flags) & COMMAND_REPLAY;
                if (!apart && strstr(padded, word))
                    fail_msg("%s and %s both have%s", commands[i].name, commands[k].name, word);
                list += len + (list[len] == ' ');
            }
        }
    }
}

int main(void)
{
    setlocale(LC_ALL, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_changes_unarmed),
        cmocka_unit_test(the_next_key_is_on_the_screen),
        cmocka_unit_test(an_engine_that_is_gone_is_loud),
        cmocka_unit_test(arming_runs_out),
        cmocka_unit_test(no_key_runs_anything_by_itself),
        cmocka_unit_test(observers_only_watch),
        cmocka_unit_test(the_past_changes_nothing),
        cmocka_unit_test(focus_and_zoom_by_number),
        cmocka_unit_test(rows_are_chosen_and_explained),
        cmocka_unit_test(the_log_is_filtered_while_typing),
        cmocka_unit_test(commands_by_name),
        cmocka_unit_test(x_twice_opens_the_next_step),
        cmocka_unit_test(addresses_can_be_hidden),
        cmocka_unit_test(the_list_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
