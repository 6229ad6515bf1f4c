/* The confirmation: what a careful hand can do, and what no other can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <locale.h>
#include <stdlib.h>

#include "tests/unit/desk.h"

enum { READY = 70900, SWITCH_KEY = K_F(7) };

/* Armed, in front of the open confirmation of the switch, its deaf time over. */
static struct desk *open_switch(void)
{
    struct desk *d = desk_new(READY);
    desk_key(d, '!', 500000);
    desk_key(d, SWITCH_KEY, 500000);
    assert_int_equal(d->ui.dialog.kind, DIALOG_CONFIRM);
    d->now -= 2000; /* the clock may run on without the gate falling */
    desk_wait(d, 1000);
    return d;
}

static void settle(struct desk *d)
{
    desk_wait(d, 10);
}

static void the_word_and_enter_run_it(void **state)
{
    struct desk *d = open_switch();
    (void)state;
    desk_type(d, "switch\n");
    assert_int_equal(d->orders, 0); /* not before it's clear that nothing follows at once */
    settle(d);
    assert_int_equal(d->orders, 1);
    assert_string_equal(d->order, "{\"order\":\"run\",\"step\":\"switch\",\"typed\":\"switch\"}");
    assert_int_equal(d->ui.dialog.kind, DIALOG_NONE);
    desk_free(d);
}

static void another_word_leaves(void **state)
{
    struct desk *d = open_switch();
    (void)state;
    desk_type(d, "swithc\n");
    settle(d);
    assert_int_equal(d->orders, 0);
    assert_int_equal(d->ui.dialog.kind, DIALOG_NONE);
    desk_free(d);
}

static void it_opens_deaf(void **state)
{
    struct desk *d = desk_new(READY);
    (void)state;
    desk_key(d, '!', 500000);
    desk_key(d, SWITCH_KEY, 500000);
    for (const char *c = "switch"; *c; c++) /* 100 ms each: all within 0.8 s */
        desk_key(d, *c, 100000);
    assert_string_equal(d->ui.dialog.input, "");
    assert_true(d->ui.dialog.dropped >= 6);
    assert_true(desk_shows(d, "Dropped"));
    desk_free(d);
}

static void paste_runs_nothing(void **state)
{
    struct desk *d = open_switch();
    (void)state;
    for (const char *c = "switch\n"; *c; c++) { /* bracketed */
        d->us += 100000;
        frame_key(&d->ui, &(struct key){.code = *c == '\n' ? K_ENTER : *c, .pasted = true, .at_us = d->us}, d->now);
    }
    settle(d);
    assert_string_equal(d->ui.dialog.input, "");
    for (const char *c = "switch\n"; *c; c++) /* as tmux send-keys does it */
        desk_key(d, *c == '\n' ? K_ENTER : *c, *c == 's' ? 200000 : 100);
    settle(d);
    assert_int_equal(d->orders, 0);
    assert_string_equal(d->ui.dialog.input, "");
    desk_free(d);
}

static void a_burst_behind_enter_takes_it_back(void **state)
{
    struct desk *d = open_switch();
    (void)state;
    desk_type(d, "switch");
    desk_key(d, K_ENTER, 150000);
    desk_key(d, 'q', 100);
    settle(d);
    assert_int_equal(d->orders, 0);
    desk_free(d);
}

static void a_held_key_confirms_nothing(void **state)
{
    struct desk *d = desk_new(1000); /* ttl.lower is next: one key confirms */
    (void)state;
    desk_key(d, '!', 500000);
    desk_key(d, K_F(2), 500000);
    d->ui.armed_until = d->now + UI_ARM_MS;
    desk_key(d, 'y', 300000); /* held from within the deaf time on */
    for (int i = 0; i < 60; i++)
        desk_key(d, 'y', 33000);
    settle(d);
    assert_int_equal(d->orders, 0);
    desk_key(d, 'y', 600000);
    settle(d);
    assert_int_equal(d->orders, 1);
    assert_string_equal(d->order, "{\"order\":\"run\",\"step\":\"ttl.lower\",\"typed\":\"ttl.lower\"}");
    desk_free(d);
}

static void enter_alone_confirms_no_changing_step(void **state)
{
    struct desk *d = desk_new(3500);
    (void)state;
    desk_key(d, '!', 500000);
    desk_key(d, K_F(2), 500000);
    for (int i = 0; i < 4; i++)
        desk_key(d, K_ENTER, 900000);
    settle(d);
    assert_int_equal(d->orders, 0);
    desk_free(d);
}

static void a_falling_gate_closes_it(void **state)
{
    struct desk *d = open_switch();
    (void)state;
    desk_type(d, "swit");
    desk_wait(d, 900); /* someone else has begun it */
    settle(d);
    assert_int_equal(d->ui.dialog.kind, DIALOG_NONE);
    assert_true(desk_shows(d, "switch closed, nothing was run: "));
    assert_int_equal(d->orders, 0);
    desk_free(d);
}

static void typing_keeps_it_armed_and_running_out_is_said(void **state)
{
    struct desk *d = open_switch();
    (void)state;
    d->ui.armed_until = d->now + 5000;
    desk_type(d, "swit");
    assert_true(d->ui.armed_until > d->now + UI_ARM_MS / 2);
    d->ui.armed_until = d->now;
    settle(d);
    assert_int_equal(d->ui.dialog.kind, DIALOG_NONE);
    assert_true(desk_shows(d, "what was typed is gone"));
    assert_int_equal(d->orders, 0);
    desk_free(d);
}

static void a_closed_gate_can_not_be_confirmed(void **state)
{
    struct desk *d = desk_new(READY);
    (void)state;
    desk_key(d, '!', 500000);
    desk_key(d, K_F(8), 500000); /* dns.flip needs the switch */
    desk_wait(d, 100);
    assert_int_equal(d->ui.dialog.kind, DIALOG_CONFIRM);
    assert_true(desk_shows(d, "This box can't run anything"));
    d->us += 2000000;
    desk_type(d, "dns.flip\n");
    settle(d);
    assert_int_equal(d->orders, 0);
    desk_free(d);
}

/* Before the confirmation: what the pause would be, and who would hold it. */
static void the_switch_tells_its_pause_and_who_holds_it(void **state)
{
    struct desk *d = open_switch();
    (void)state;
    assert_true(desk_shows(d, "pause    about 173 ms: open 22, marker 141, commits 8.0, 7 sequences 0.9"));
    struct event held = {.kind = EVENT_db_seen, .at = d->now, .db_seen = {.db = "shop", .side = "blue", .reachable = true, .version = "15.10", .writable = "yes", .clients = 42, .open_tx = 1,
        .oldest_tx = 192000, .oldest = "pid 4711, orders_app, psql from 10.0.3.7", .oldest_state = "idle in transaction", .error = ""}};
    gate_follow((struct model *)d->reel.model, d->tape.plan, &held);
    assert_true(desk_shows(d, "S18: held by pid 4711, orders_app, psql from 10.0.3.7, idle in transaction for 3:12"));
    assert_true(desk_shows(d, "This box can't run anything"));
    desk_free(d);
}

static void undo_wants_the_word(void **state)
{
    struct desk *d = desk_new(68000);
    (void)state;
    desk_key(d, '!', 500000);
    desk_key(d, 'r', 500000);
    assert_int_equal(d->ui.dialog.mode, MODE_UNDO);
    d->us += 1000000;
    desk_type(d, "y");
    settle(d);
    assert_int_equal(d->orders, 0);
    desk_key(d, K_BACKSPACE, 150000);
    desk_type(d, "shift\n");
    settle(d);
    assert_string_equal(d->order, "{\"order\":\"undo\",\"step\":\"shift\",\"typed\":\"shift\"}");
    desk_free(d);
}

static void abort_works_unarmed_and_asks(void **state)
{
    struct desk *d = desk_new(14000); /* replicate runs */
    (void)state;
    desk_key(d, 'a', 500000);
    assert_int_equal(d->ui.dialog.kind, DIALOG_ASK);
    assert_int_equal(d->orders, 0);
    desk_key(d, 'a', 900000); /* the opening key never confirms */
    settle(d);
    assert_int_equal(d->orders, 0);
    desk_key(d, 'y', 400000);
    settle(d);
    assert_string_equal(d->order, "{\"order\":\"abort\",\"step\":\"replicate\"}");
    desk_free(d);
}

static void reasons_and_notes_are_asked_for(void **state)
{
    struct desk *d = desk_new(7500); /* audit is next and may be skipped */
    (void)state;
    desk_key(d, '!', 500000);
    desk_key(d, 's', 500000);
    assert_int_equal(d->ui.dialog.kind, DIALOG_INPUT);
    desk_type(d, "was done \"yesterday\"\n");
    assert_string_equal(d->order, "{\"order\":\"skip\",\"step\":\"audit\",\"reason\":\"was done \\\"yesterday\\\"\"}");
    desk_key(d, 't', 500000); /* only one check is a person's: it is asked at once */
    assert_int_equal(d->ui.dialog.kind, DIALOG_INPUT);
    desk_type(d, "told Mia\n");
    assert_string_equal(d->order, "{\"order\":\"attest\",\"check\":\"support\",\"text\":\"told Mia\"}");
    desk_key(d, 'm', 500000);
    desk_type(d, "hello\n");
    assert_string_equal(d->order, "{\"order\":\"note\",\"text\":\"hello\"}");
    desk_free(d);
}

static void a_failed_step_is_decided(void **state)
{
    struct desk *d = desk_new(75900);
    (void)state;
    desk_key(d, '!', 500000);
    desk_key(d, 't', 500000);
    assert_int_equal(d->ui.dialog.kind, DIALOG_CHOOSER);
    desk_key(d, 'a', 500000); /* the switch */
    assert_int_equal(d->ui.dialog.kind, DIALOG_CHOOSER);
    desk_key(d, 'b', 500000); /* ready */
    desk_type(d, "blue is whole\n");
    assert_string_equal(d->order, "{\"order\":\"decide\",\"step\":\"switch\",\"decision\":\"ready\",\"reason\":\"blue is whole\"}");
    desk_free(d);
}

int main(void)
{
    setlocale(LC_ALL, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_word_and_enter_run_it),
        cmocka_unit_test(another_word_leaves),
        cmocka_unit_test(it_opens_deaf),
        cmocka_unit_test(paste_runs_nothing),
        cmocka_unit_test(a_burst_behind_enter_takes_it_back),
        cmocka_unit_test(a_held_key_confirms_nothing),
        cmocka_unit_test(enter_alone_confirms_no_changing_step),
        cmocka_unit_test(a_falling_gate_closes_it),
        cmocka_unit_test(typing_keeps_it_armed_and_running_out_is_said),
        cmocka_unit_test(a_closed_gate_can_not_be_confirmed), cmocka_unit_test(the_switch_tells_its_pause_and_who_holds_it),
        cmocka_unit_test(undo_wants_the_word),
        cmocka_unit_test(abort_works_unarmed_and_asks),
        cmocka_unit_test(reasons_and_notes_are_asked_for),
        cmocka_unit_test(a_failed_step_is_decided),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
