/* desk: a ui with the story's model at some instant, a hand that types, and the orders that leave it. */
#ifndef TESTS_DESK_H
#define TESTS_DESK_H

#include "core/base.h"
#include "tests/unit/story.h"
#include "tui/tape.h"
#include "tui/frame.h"

struct desk {
    struct tape tape;
    struct reel reel;
    struct ui ui;
    struct canvas canvas;
    int64_t now, us;
    char order[600]; /* the last one; "" = none since it was cleared */
    int orders;
};

static void desk_record(void *arg, struct event *event)
{
    struct tape *tape = arg;
    struct buf line = {0};
    struct err err;
    event_encode(event, &line);
    if (!tape_add(tape, line.text, line.len, NULL, NULL, &err))
        fail_msg("%s", err.text);
    buf_free(&line);
}

static void desk_order(void *arg, const char *json_line)
{
    struct desk *d = arg;
    copy_text(d->order, sizeof d->order, json_line);
    d->orders++;
}

/* Time goes on by `ms`: what is known then is shown. */
static void desk_wait(struct desk *d, int64_t ms)
{
    d->now += ms;
    d->us += ms * 1000;
    tape_fold(&d->tape, &d->reel, d->now, TAPE_END);
    frame_look(&d->ui, d->reel.model, d->tape.plan, d->ui.past_at ? d->ui.past_at : d->now, d->now);
    frame_tick(&d->ui, d->us);
    frame_paint(&d->ui, &d->canvas);
}

static struct desk *desk_new(int64_t at_ms)
{
    struct desk *d = xcalloc(1, sizeof *d);
    struct plan_problems problems = {0};
    struct plan *plan = plan_parse("shop-eu.cfg", story_plan, &problems);
    struct story story = {.emit = desk_record, .arg = &d->tape, .plan = plan, .noise = 7};
    story_run(&story, 140000);
    plan_free(plan);
    plan_problems_free(&problems);
    frame_init(&d->ui, desk_order, d);
    copy_text(d->ui.role, sizeof d->ui.role, "operator");
    canvas_resize(&d->canvas, 120, 40);
    d->now = STORY_T0 + at_ms;
    d->us = 1000000000;
    d->ui.first_at = tape_first(&d->tape);
    d->ui.last_at = tape_last(&d->tape);
    desk_wait(d, 0);
    return d;
}

static void desk_free(struct desk *d)
{
    ui_free(&d->ui);
    canvas_free(&d->canvas);
    reel_free(&d->reel);
    tape_free(&d->tape);
    free(d);
}

__attribute__((unused)) static void desk_key(struct desk *d, int code, int64_t gap_us)
{
    d->us += gap_us;
    d->now += gap_us / 1000;
    frame_key(&d->ui, &(struct key){.code = code, .at_us = d->us}, d->now);
}

/* As a hand types: 150 ms between the keys. */
__attribute__((unused)) static void desk_type(struct desk *d, const char *text)
{
    for (; *text; text++)
        desk_key(d, *text == '\n' ? K_ENTER : *text, 150000);
}

__attribute__((unused)) static bool desk_shows(struct desk *d, const char *text)
{
    struct buf b = {0};
    frame_paint(&d->ui, &d->canvas);
    canvas_text(&d->canvas, &b);
    bool found = strstr(b.text, text) != NULL;
    if (!found)
        fprintf(stderr, "\"%s\" is not on:\n%s", text, b.text);
    buf_free(&b);
    return found;
}

#endif
