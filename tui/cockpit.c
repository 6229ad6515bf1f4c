#include "tui/cockpit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { CALM_FRAME_MS = 250, FRAME_MS = 50, KEY_FRAME_MS = 10, HAND_MS = 2000 };

static void watch_terminal(struct cockpit *c);

static void draw(struct cockpit *c)
{
    int x = -1, y = -1;
    int64_t wall = clock_wall();
    c->dirty = false;
    c->drawn_at = clock_mono();
    c->look(c, wall);
    frame_paint(&c->ui, &c->canvas);
    if (!frame_cursor(&c->ui, &x, &y))
        x = -1;
    screen_cursor(x, y);
    if (!screen_draw(&c->canvas, &c->theme))
        cockpit_end(c);
    else if (c->drawn)
        c->drawn(c);
    watch_terminal(c);
}

/* The next frame: at the next full second, or as soon as a change may show. */
static void plan_frame(struct cockpit *c, int64_t least);

static int64_t frame_ms(const struct cockpit *c)
{
    const struct model *m = c->ui.model;
    bool moves = c->lively || !m || m->running >= 0 || m->pause_began;
    return moves || clock_mono() - c->key_at < HAND_MS ? FRAME_MS : CALM_FRAME_MS;
}

static void on_frame(void *arg)
{
    struct cockpit *c = arg;
    if (c->over)
        return;
    draw(c);
    plan_frame(c, frame_ms(c));
}

static void plan_frame(struct cockpit *c, int64_t least)
{
    if (c->over)
        return;
    int64_t second = 1000 - clock_wall() % 1000;
    int64_t soon = MAX(c->drawn_at + least - clock_mono(), 0);
    task_timer_set(c->frame, c->dirty || c->lively ? MIN(soon, second) : second);
}

void cockpit_touch(struct cockpit *c)
{
    if (c->dirty)
        return;
    c->dirty = true;
    plan_frame(c, frame_ms(c));
}

/* ---- keys ---- */

static void grant_wishes(struct cockpit *c)
{
    struct ui *ui = &c->ui;
    struct err err;
    if (ui->wants_quit)
        cockpit_end(c);
    if (ui->wants_repaint)
        screen_repaint();
    if (ui->wants_theme && !theme_load(&c->theme, ui->theme, &err))
        ui_say(ui, true, "%s", err.text);
    if (ui->copy.len) {
        screen_copy(ui->copy.text);
        buf_free(&ui->copy);
    }
    if (ui->wants_suspend)
        screen_suspend();
    ui->wants_quit = ui->wants_repaint = ui->wants_theme = ui->wants_suspend = false;
}

static void take_keys(struct cockpit *c);

static void on_keys(void *arg)
{
    struct cockpit *c = arg;
    frame_tick(&c->ui, clock_mono_us());
    take_keys(c);
}

/* An Esc that may go on, and a confirming key that nothing may follow, both wait some milliseconds. */
static void plan_keys(struct cockpit *c)
{
    int a = screen_key_timeout(), b = frame_timeout(&c->ui);
    int wait = a < 0 ? b : b < 0 ? a : MIN(a, b);
    if (wait >= 0 && !c->over)
        task_timer_set(c->keys, wait);
}

static void take_keys(struct cockpit *c)
{
    struct key key;
    while (!c->over && screen_key(&key)) {
        c->key_at = clock_mono();
        frame_key(&c->ui, &key, clock_wall());
        grant_wishes(c);
    }
    if (c->over)
        return;
    if (c->typed)
        c->typed(c);
    plan_keys(c);
    c->dirty = true;
    plan_frame(c, KEY_FRAME_MS);
}

/* Negative events: polling failed (task.h). */
static void on_terminal(void *arg, int fd, int events)
{
    struct cockpit *c = arg;
    (void)fd;
    if (events < 0 || (events & UV_WRITABLE && !screen_flush()) || screen_gone()) {
        cockpit_end(c);
        return;
    }
    if (events & UV_READABLE)
        take_keys(c);
    if (screen_gone())
        cockpit_end(c);
    watch_terminal(c);
}

static void watch_terminal(struct cockpit *c)
{
    bool writing = screen_wants_write();
    if (c->over || writing == c->writing)
        return;
    c->writing = writing;
    task_watch_events(c->terminal, UV_READABLE | UV_DISCONNECT | (writing ? UV_WRITABLE : 0));
}

/* ---- signals ---- */

static void resize(struct cockpit *c)
{
    int w, h;
    screen_resized();
    screen_size(&w, &h);
    canvas_resize(&c->canvas, w, h);
    c->canvas.ascii = screen_ascii();
    cockpit_touch(c);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct cockpit *c = signal->data;
    struct key interrupt = {.code = K_CTRL('c'), .at_us = clock_mono_us()};
    switch (number) {
    case SIGWINCH:
        resize(c);
        break;
    case SIGTSTP:
        screen_suspend();
        resize(c);
        break;
    case SIGCONT:
        screen_continued();
        resize(c);
        break;
    case SIGINT: /* like q, but it also leaves a dialog */
        frame_key(&c->ui, &interrupt, clock_wall());
        grant_wishes(c);
        cockpit_touch(c);
        if (!c->ui.model)
            cockpit_end(c);
        break;
    default:
        cockpit_end(c);
    }
}

static void start_signals(struct cockpit *c)
{
    static const int numbers[ARRAY_LEN(c->signal)] = {SIGWINCH, SIGTSTP, SIGCONT, SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < ARRAY_LEN(c->signal); i++) {
        uv_signal_init(&c->loop, &c->signal[i]);
        c->signal[i].data = c;
        uv_signal_start(&c->signal[i], on_signal, numbers[i]);
    }
}

/* ---- life ---- */

bool cockpit_open(struct cockpit *c, const struct cockpit_options *o, struct err *err)
{
    struct screen_options screen = {.ascii = o->ascii};
    struct err theme_err;
    const char *theme = theme_choose(o->theme);
    if (!screen_open(&screen, err))
        return false;
    die_hook(screen_close);
    signal(SIGPIPE, SIG_IGN); /* an engine that goes away shows itself to the reader */
    if (!theme_load(&c->theme, theme, &theme_err))
        ui_say(&c->ui, true, "%s", theme_err.text);
    copy_text(c->ui.theme, sizeof c->ui.theme, theme);
    c->ui.graph = screen_ascii() ? GRAPH_ASCII : GRAPH_BRAILLE;
    uv_loop_init(&c->loop);
    c->frame = task_timer_new(&c->loop, on_frame, c);
    c->keys = task_timer_new(&c->loop, on_keys, c);
    c->terminal = task_watch_new(&c->loop, screen_fd(), on_terminal, c);
    start_signals(c);
    task_watch_events(c->terminal, UV_READABLE | UV_DISCONNECT);
    resize(c);
    return true;
}

void cockpit_end(struct cockpit *c)
{
    if (c->over)
        return;
    c->over = true;
    task_timer_free(c->frame);
    task_timer_free(c->keys);
    task_watch_free(c->terminal);
    for (size_t i = 0; i < ARRAY_LEN(c->signal); i++)
        uv_close((uv_handle_t *)&c->signal[i], NULL);
    uv_stop(&c->loop);
}

void cockpit_run(struct cockpit *c)
{
    while (!c->over)
        uv_run(&c->loop, UV_RUN_DEFAULT);
}

void cockpit_close(struct cockpit *c)
{
    cockpit_end(c);
    screen_close();
    uv_run(&c->loop, UV_RUN_DEFAULT); /* only what closes is left */
    uv_loop_close(&c->loop);
    canvas_free(&c->canvas);
    ui_free(&c->ui);
}
