/* Focus, choice, time and the screen itself: nothing of this touches the run. */
#include "tui/command_acts.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- moving about ---- */

static void set_focus(struct ui *ui, int pane)
{
    if (!(panes_present(ui->plan) & LAYOUT_BIT(pane)))
        return;
    if (ui->focus == pane)
        ui->zoom = ui->zoom ? 0 : pane;
    else if (ui->zoom)
        ui->zoom = pane;
    ui->focus = pane;
}

void act_focus_number(struct ui *ui, const char *argument, int key)
{
    int pane = *argument ? atoi(argument) : key - '0';
    if (pane >= 1 && pane <= LAYOUT_PANES)
        set_focus(ui, pane);
}

void act_focus_next(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    unsigned present = panes_present(ui->plan);
    int pane = ui->focus;
    do
        pane = key == K_SHIFT_TAB ? (pane + LAYOUT_PANES - 2) % LAYOUT_PANES + 1 : pane % LAYOUT_PANES + 1;
    while (!(present & LAYOUT_BIT(pane)) && pane != ui->focus);
    if (ui->zoom)
        ui->zoom = pane;
    ui->focus = pane;
}

void act_zoom(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    ui->zoom = ui->zoom ? 0 : ui->focus;
}

static int count_rows(struct ui *ui)
{
    struct view v = ui_view(ui, ui->focus);
    return panes[ui->focus]->rows ? panes[ui->focus]->rows(&v) : 0;
}

void act_move(struct ui *ui, const char *argument, int key)
{
    struct pane_state *s = &ui->pane[ui->focus];
    int n = count_rows(ui), page = MAX(ui->layout.pane[ui->focus].h - 3, 1), by = 0;
    (void)argument;
    switch (key) {
    case 'j': case K_DOWN: case K_WHEEL_DOWN: by = 1; break;
    case 'k': case K_UP: case K_WHEEL_UP: by = -1; break;
    case K_PGDN: by = page; break;
    case K_PGUP: by = -page; break;
    case 'g': case K_HOME: by = -n; break;
    default: by = n; break;
    }
    if (n == 0)
        return;
    if (s->selected < 0) /* from where the eye is: the end of the log, the step that matters, else the top */
        s->selected = ui->focus == PANE_LOG ? n - 1 : ui->focus == PANE_STEPS ? MAX(gate_next_step(ui->model, ui->plan), 0) : 0;
    else
        s->selected += by;
    s->selected = MAX(0, MIN(s->selected, n - 1));
    if (ui->focus == PANE_LOG && (key == 'G' || key == K_END))
        s->selected = -1;
}

void act_details(struct ui *ui, const char *argument, int key)
{
    struct view v = ui_view(ui, ui->focus);
    const struct pane *p = panes[ui->focus];
    struct pane_state *s = &ui->pane[ui->focus];
    struct buf text = {0};
    char title[40];
    (void)argument;
    (void)key;
    if (p->detail && s->selected >= 0 && s->selected < count_rows(ui))
        p->detail(&v, s->selected, &text);
    if (!text.len) {
        buf_free(&text);
        ui->zoom = ui->zoom ? 0 : ui->focus;
        return;
    }
    snprintf(title, sizeof title, "%s", p->name);
    dialog_detail(ui, title, &text);
}

/* One level back: message, selection, zoom, filter, past. It never leaves. */
void act_back(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    if (ui->pane[ui->focus].selected >= 0)
        ui->pane[ui->focus].selected = -1;
    else if (ui->zoom)
        ui->zoom = 0;
    else
        ui->filter[0] = '\0';
}

void act_filter(struct ui *ui, const char *argument, int key)
{
    (void)key;
    if (*argument)
        copy_text(ui->filter, sizeof ui->filter, argument);
    else
        dialog_prompt(ui, DIALOG_FILTER, ui->filter);
    ui->focus = PANE_LOG;
    if (ui->zoom)
        ui->zoom = PANE_LOG;
}

/* ---- time ---- */

enum { STEP_BACK_MS = 5000, LEAP_MS = 50000 };

static void seek(struct ui *ui, int64_t at)
{
    ui->past_at = MAX(ui->first_at, MIN(at, ui->last_at));
    ui->frozen = false;
    ui->armed_until = 0;
    if (!ui->replay && at >= ui->last_at)
        ui->past_at = 0;
}

void act_history(struct ui *ui, const char *argument, int key)
{
    int64_t by = key == '[' ? -STEP_BACK_MS : key == ']' ? STEP_BACK_MS : key == K_SHIFT_LEFT ? -LEAP_MS : LEAP_MS;
    (void)argument;
    if (by > 0 && ui_is_live(ui))
        return;
    seek(ui, (ui->past_at ? ui->past_at : MIN(ui->now, ui->last_at)) + by);
}

void act_go_to(struct ui *ui, const char *argument, int key)
{
    int h = 0, m = 0, s = 0;
    (void)key;
    if (sscanf(argument, "%d:%d:%d", &h, &m, &s) < 2 || h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 59) {
        ui_say(ui, true, "a time is written HH:MM:SS, in UTC");
        return;
    }
    int64_t day = ui->first_at / 86400000 * 86400000, at = day + ((h * 60 + m) * 60 + s) * (int64_t)1000;
    seek(ui, at < ui->first_at ? at + 86400000 : at);
}

void act_live(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    ui->frozen = false;
    if (ui->replay) {
        seek(ui, ui->last_at);
        ui->playing = false;
    } else
        ui->past_at = 0;
}

void act_freeze(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    if (ui->frozen) {
        act_live(ui, "", 0);
        return;
    }
    ui->past_at = ui->now;
    ui->frozen = true;
    ui->frozen_wall = ui->wall;
    ui->armed_until = 0;
}

void act_play(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    ui->playing = !ui->playing;
    if (ui->playing && ui->past_at >= ui->last_at)
        seek(ui, ui->first_at);
}

void act_set_speed(struct ui *ui, const char *argument, int key)
{
    static const int speeds[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};
    size_t i = 0;
    if (*argument) {
        ui->speed = MAX(1, MIN(atoi(argument), 1000));
        return;
    }
    while (i + 1 < ARRAY_LEN(speeds) && speeds[i] < ui->speed)
        i++;
    if (key == '-')
        ui->speed = speeds[i > 0 ? i - 1 : 0];
    else
        ui->speed = speeds[MIN(i + 1, ARRAY_LEN(speeds) - 1)];
}

void act_next_event(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    ui->wants_event++;
    ui->playing = false;
}

/* ---- the screen itself ---- */

void act_help(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    dialog_help(ui);
}

void act_quit(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    ui->wants_quit = true;
}

void act_repaint(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    ui->wants_repaint = true;
}

void act_suspend(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    ui->wants_suspend = true;
}

static void unmask(struct ui *ui, const char *text)
{
    (void)text;
    ui->redact = false;
}

void act_redact(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    if (ui->redact)
        dialog_ask(ui, "show addresses", "Show hosts and addresses on this screen again?", unmask, key);
    else
        ui->redact = true;
}

void act_set_theme(struct ui *ui, const char *argument, int key)
{
    (void)key;
    struct buf names = {0};
    if (!*argument) {
        theme_names(&names);
        for (size_t i = 0; i < names.len; i++)
            if (names.text[i] == '\n')
                names.text[i] = ' ';
        ui_say(ui, false, "themes: %s", names.text ? names.text : "dark");
        buf_free(&names);
        return;
    }
    copy_text(ui->theme, sizeof ui->theme, argument);
    ui->wants_theme = true;
}

void act_set_graph(struct ui *ui, const char *argument, int key)
{
    (void)key;
    if (!graph_style_parse(argument, &ui->graph))
        ui_say(ui, true, "graphs are braille, block or ascii");
}

void act_prompt(struct ui *ui, const char *argument, int key)
{
    (void)key;
    dialog_prompt(ui, DIALOG_PROMPT, argument);
}

void act_copy_line(struct ui *ui, const char *argument, int key)
{
    struct view v = ui_view(ui, ui->focus);
    struct pane_state *s = &ui->pane[ui->focus];
    (void)argument;
    (void)key;
    buf_free(&ui->copy);
    if (panes[ui->focus]->detail && s->selected >= 0)
        panes[ui->focus]->detail(&v, s->selected, &ui->copy);
    ui_say(ui, false, ui->copy.len ? "copied" : "choose a line first (j, k)");
}
