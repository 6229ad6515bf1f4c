/* Screens: the story drawn at three sizes at its telling moments, compared with text files. GOLDEN=1 renews them (and the
 * journal under tests/journals). SVG=DIR also leaves pictures there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/journal.h"
#include "tests/unit/story.h"
#include "tui/tape.h"
#include "tui/dialog.h"
#include "tui/frame.h"

struct shot {
    const char *name;
    int64_t at; /* ms of the story */
    void (*pose)(struct ui *ui);
};

static void press(struct ui *ui, int code)
{
    static int64_t us = 1000000;
    us += 1000000;
    frame_key(ui, &(struct key){.code = code, .at_us = us}, ui->wall);
}

static void pose_confirm(struct ui *ui)
{
    press(ui, '!');
    press(ui, K_F(7));
    ui->dialog.opened_at -= 1000;
    for (const char *c = "swi"; *c; c++)
        press(ui, *c);
}

static void pose_chooser(struct ui *ui)
{
    press(ui, '!');
    press(ui, 'x');
}

static void pose_help(struct ui *ui)
{
    press(ui, '?');
}

static void pose_zoom(struct ui *ui)
{
    press(ui, '2');
    press(ui, '2');
}

static const struct shot shots[] = {
    {"preparing", 3500, NULL},      {"copying", 22500, NULL},      {"checks", 39000, NULL},          {"shift", 58900, NULL},
    {"confirm", 70900, pose_confirm}, {"choose", 70900, pose_chooser}, {"help", 70900, pose_help},   {"switch", 73600, NULL},
    {"failed", 75900, NULL},        {"committed", 87500, NULL},    {"dns", 101700, NULL},            {"zoom", 101700, pose_zoom},
    {"hold", 134500, NULL},
};
static const struct {
    int w, h;
} sizes[] = {{80, 24}, {120, 40}, {200, 60}};

/* ---- the tape of the story ---- */

static void record(void *arg, struct event *event)
{
    struct tape *tape = arg;
    struct buf line = {0};
    struct err err;
    event_encode(event, &line);
    if (!tape_add(tape, line.text, line.len, NULL, NULL, &err))
        fail_msg("%s", err.text);
    buf_free(&line);
}

static struct plan *plan_of_story(void)
{
    struct plan_problems problems = {0};
    struct plan *plan = plan_parse("shop-eu.cfg", story_plan, &problems);
    for (int i = 0; i < problems.count; i++)
        printf("# %s\n", problems.lines[i]);
    plan_problems_free(&problems);
    assert_non_null(plan);
    return plan;
}

static void tell_story(struct tape *tape, int64_t until)
{
    struct plan *plan = plan_of_story();
    struct story story = {.emit = record, .arg = tape, .plan = plan, .noise = 7};
    story_run(&story, until);
    plan_free(plan);
}

/* ---- comparing ---- */

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    struct buf b = {0};
    char chunk[4096];
    size_t n;
    if (!f)
        return NULL;
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        buf_add(&b, chunk, n);
    fclose(f);
    return b.text;
}

static void write_file(const char *path, const struct buf *b)
{
    FILE *f = fopen(path, "w");
    if (!f)
        fail_msg("%s can't be written", path);
    fwrite(b->text, 1, b->len, f);
    fclose(f);
}

static void leave_picture(const struct canvas *c, const char *name)
{
    const char *dir = getenv("SVG");
    struct theme theme;
    struct err err;
    struct buf b = {0};
    char path[300];
    if (!dir)
        return;
    theme_load(&theme, getenv("THEME") ? getenv("THEME") : "dark", &err);
    canvas_svg(c, &theme, &b);
    snprintf(path, sizeof path, "%s/%s-%d.svg", dir, name, c->w);
    write_file(path, &b);
    buf_free(&b);
}

static void hold_against(const struct canvas *c, const char *name)
{
    char path[300];
    struct buf text = {0};
    canvas_text(c, &text);
    snprintf(path, sizeof path, "tests/golden/%s-%dx%d.txt", name, c->w, c->h);
    leave_picture(c, name);
    if (getenv("GOLDEN"))
        write_file(path, &text);
    char *wanted = read_file(path);
    if (!wanted)
        fail_msg("%s is missing; GOLDEN=1 makes it", path);
    if (strcmp(wanted, text.text) != 0) {
        fprintf(stderr, "%s differs; now it is:\n%s", path, text.text);
        fail_msg("%s differs; GOLDEN=1 renews it when the new picture is right", path);
    }
    free(wanted);
    buf_free(&text);
}

static void draw_shot(const struct tape *tape, const struct shot *shot, int w, int h)
{
    struct reel reel = {0};
    struct ui ui;
    struct canvas canvas = {0};
    int64_t now = STORY_T0 + shot->at;
    frame_init(&ui, NULL, NULL);
    copy_text(ui.role, sizeof ui.role, "operator");
    ui.last_at = now;
    ui.first_at = STORY_T0;
    tape_fold(tape, &reel, now, TAPE_END);
    canvas_resize(&canvas, w, h);
    frame_draw(&ui, reel.model, tape->plan, now, &canvas);
    if (shot->pose) {
        shot->pose(&ui);
        frame_draw(&ui, reel.model, tape->plan, now, &canvas);
    }
    hold_against(&canvas, shot->name);
    canvas_free(&canvas);
    ui_free(&ui);
    reel_free(&reel);
}

static void screens_are_as_drawn(void **state)
{
    struct tape tape = {0};
    (void)state;
    tell_story(&tape, 140000);
    for (size_t i = 0; i < ARRAY_LEN(shots); i++)
        for (size_t s = 0; s < ARRAY_LEN(sizes); s++)
            draw_shot(&tape, &shots[i], sizes[s].w, sizes[s].h);
    tape_free(&tape);
}

/* The engine dies right behind the fence of the second switch; the next one looks and asks a person. */
static void unknown_after_a_crash(void **state)
{
    struct tape tape = {0};
    (void)state;
    tell_story(&tape, 84060);
    struct event again = {.kind = EVENT_engine_started, .at = STORY_T0 + 88000, .seq = tape.line[tape.count - 1].seq + 1, .engine_started = {.pid = 4800, .resumed = true}};
    struct event found = {.kind = EVENT_step_found, .at = STORY_T0 + 88400, .seq = again.seq + 1,
                          .step_found = {.step = "switch", .world = "before", .sentence = "no marker of this attempt is on green; the watchdog gave writes back to blue"}};
    struct event back = {.kind = EVENT_writes_resumed, .at = STORY_T0 + 88300, .seq = again.seq + 2, .writes_resumed = {.db = "shop", .side = "blue", .pause_us = 2000000}};
    record(&tape, &again);
    record(&tape, &found);
    record(&tape, &back);
    struct shot shot = {"unknown", 88900, NULL};
    for (size_t s = 0; s < ARRAY_LEN(sizes); s++)
        draw_shot(&tape, &shot, sizes[s].w, sizes[s].h);
    tape_free(&tape);
}

/* Behind the commit point somebody opens blue again, and a forgotten job writes there. */
static void split_brain_is_red_at_any_size(void **state)
{
    struct tape tape = {0};
    (void)state;
    tell_story(&tape, 126100);
    int64_t seq = tape.line[tape.count - 1].seq;
    struct event open = {.kind = EVENT_db_seen, .at = STORY_T0 + 126110, .seq = ++seq,
                         .db_seen = {.db = "shop", .side = "blue", .reachable = true, .version = "15.10", .writable = "yes", .clients = 3, .open_tx = 1, .error = ""}};
    struct event wrote = {.kind = EVENT_writer_seen, .at = STORY_T0 + 126120, .seq = ++seq,
                          .writer_seen = {.db = "shop", .side = "blue", .pid = 4711, .role = "batch", .application = "nightly", .address = "10.20.30.40", .how = "writes"}};
    record(&tape, &open);
    record(&tape, &wrote);
    struct shot shot = {"split", 126500, NULL};
    for (size_t s = 0; s < ARRAY_LEN(sizes); s++)
        draw_shot(&tape, &shot, sizes[s].w, sizes[s].h);
    tape_free(&tape);
}

/* ---- every prefix at any size ---- */

/* Something lies over the panes each now and then. */
static void cover(struct ui *ui, int i)
{
    dialog_close(ui);
    if (i % 13 == 1)
        dialog_confirm(ui, i % ui->plan->nsteps, i % 2 ? MODE_RUN : MODE_UNDO, 'x');
    else if (i % 13 == 2)
        dialog_help(ui);
    else if (i % 13 == 3)
        dialog_input(ui, "note", "It goes into the journal:", NULL);
    else if (i % 13 == 4)
        dialog_prompt(ui, DIALOG_PROMPT, "run sw");
    ui->focus = 1 + i % LAYOUT_PANES;
    for (int p = 1; p <= LAYOUT_PANES; p++)
        ui->pane[p].selected = i % 17 - 1;
    if (i % 13 == 5)
        press(ui, K_ENTER);
}

static void every_prefix_draws_at_any_size(void **state)
{
    static const struct {
        int w, h;
    } odd[] = {{1, 1}, {2, 1}, {1, 40}, {3, 3}, {19, 2}, {20, 3}, {39, 8}, {40, 7}, {40, 8}, {40, 12}, {79, 24}, {80, 23}, {115, 36}, {116, 36}, {180, 54}, {250, 80}};
    struct tape tape = {0};
    struct reel reel = {0};
    struct ui ui;
    struct canvas canvas = {0};
    uint32_t seed = 42;
    (void)state;
    tell_story(&tape, 140000);
    frame_init(&ui, NULL, NULL);
    for (int i = 0; i < tape.count; i++) {
        seed = seed * 1664525u + 1013904223u;
        int w = 1 + (int)(seed >> 8) % 250, h = 1 + (int)(seed >> 16) % 80;
        if (i % 3 == 0) {
            w = odd[(size_t)i / 3 % ARRAY_LEN(odd)].w;
            h = odd[(size_t)i / 3 % ARRAY_LEN(odd)].h;
        }
        tape_fold(&tape, &reel, TAPE_END, tape.line[i].seq);
        assert_int_equal(reel.model->last_seq, tape.line[i].seq);
        canvas_resize(&canvas, w, h);
        ui.zoom = i % 11 <= LAYOUT_PANES ? i % 11 : 0;
        ui.redact = i % 7 == 0;
        frame_look(&ui, reel.model, tape.plan, tape.line[i].at, tape.line[i].at);
        cover(&ui, i);
        frame_draw(&ui, reel.model, tape.plan, tape.line[i].at, &canvas);
    }
    canvas_free(&canvas);
    ui_free(&ui);
    reel_free(&reel);
    tape_free(&tape);
}

/* ---- the journal under tests/journals is this story ---- */

static void write_line(void *arg, struct event *event)
{
    struct buf line = {0};
    struct err err;
    if (!journal_append(arg, event, false, &line, &err))
        fail_msg("%s", err.text);
    buf_free(&line);
}

static void count_line(void *arg, const struct event *event, const char *line, size_t len)
{
    (void)event;
    (void)line;
    *(int64_t *)arg += (int64_t)len;
}

static void write_journal(const char *path)
{
    struct err err;
    int64_t none = 0;
    unlink(path);
    struct journal *j = journal_open(path, count_line, &none, &err);
    if (!j)
        fail_msg("%s", err.text);
    struct plan *plan = plan_of_story();
    struct story story = {.emit = write_line, .arg = j, .plan = plan, .noise = 7};
    story_run(&story, 140000);
    plan_free(plan);
    journal_close(j);
    chmod(path, 0644);
}

static void keep_line(void *arg, const struct event *event, const char *line, size_t len)
{
    struct tape *tape = arg;
    struct err err;
    (void)event;
    if (!tape_add(tape, line, len, NULL, NULL, &err))
        fail_msg("%s", err.text);
}

static void the_fixture_is_the_story(void **state)
{
    static const char path[] = "tests/journals/region-move.jsonl";
    struct tape told = {0}, read = {0};
    struct err err;
    (void)state;
    if (getenv("GOLDEN"))
        write_journal(path);
    tell_story(&told, 140000);
    if (!journal_read(path, keep_line, &read, &err))
        fail_msg("%s", err.text);
    assert_int_equal(read.count, told.count);
    for (int i = 0; i < told.count; i++) /* the same but for the chain at the end */
        assert_memory_equal(told.text.text + told.line[i].offset, read.text.text + read.line[i].offset, told.line[i].len - 1);
    tape_free(&told);
    tape_free(&read);
}

int main(void)
{
    setlocale(LC_ALL, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fixture_is_the_story),
        cmocka_unit_test(screens_are_as_drawn),
        cmocka_unit_test(unknown_after_a_crash), cmocka_unit_test(split_brain_is_red_at_any_size),
        cmocka_unit_test(every_prefix_draws_at_any_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
