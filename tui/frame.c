#include "tui/frame.h"

#include <stdio.h>

#include "tui/command.h"
#include "tui/dialog.h"
#include "tui/help.h"

void frame_init(struct ui *ui, void (*order)(void *arg, const char *json_line), void *arg)
{
    ui_init(ui, order, arg);
    ui->line = command_line;
    ui->complete = command_complete;
}

/* A run's own clock goes on while the picture stands: arming and messages run out by the person's. */
void frame_look(struct ui *ui, const struct model *model, const struct plan *plan, int64_t now, int64_t wall)
{
    ui->model = model;
    ui->plan = plan;
    ui->now = now;
    ui->wall = wall;
    if (ui->message_until <= wall)
        ui->message[0] = '\0';
    if (ui->armed_until <= wall || !ui_is_live(ui) || (model && model->ended))
        ui->armed_until = 0;
    dialog_look(ui);
}

static void draw_pane(struct ui *ui, struct area screen, int number)
{
    struct rect r = ui->layout.pane[number];
    if (r.w <= 0 || r.h <= 0)
        return;
    const struct pane *p = panes[number];
    struct view v = ui_view(ui, number);
    struct area a = area_part(screen, r.x, r.y, r.w, r.h);
    if (ui->layout.folded[number]) {
        int x = area_printf(a, 1, 0, v.focused ? ROLE_TITLE_FOCUS : ROLE_DIM, "%d %s", number, p->name);
        x = MAX(x + 1, 16);
        if (x < a.w)
            p->fold(area_part(a, x, 0, MAX(a.w - x - 1, 0), 1), &v);
        return;
    }
    char title[120], left[80] = "", right[80] = "";
    p->title(&v, left, sizeof left, right, sizeof right);
    snprintf(title, sizeof title, "%d %s%s%s", number, p->name, left[0] ? "  " : "", left);
    struct area inside = area_box(a, title, right[0] ? right : NULL, v.focused);
    if (inside.w > 0 && inside.h > 0)
        p->draw(inside, &v);
}

/* Below 20x3 there is only the word, at last its letter. */
static void draw_word(const struct ui *ui, struct area screen)
{
    char sentence[260];
    const char *word = ui_verdict(ui, sentence, sizeof sentence);
    unsigned style = word[0] == 'G' || word[0] == 'D' ? ROLE_GO : word[0] == 'H' ? ROLE_HOLD : ROLE_STOP;
    if (ui->layout.size == LAYOUT_LETTER)
        area_printf(screen, 0, 0, style, "%c", word[0]);
    else
        area_text(screen, 0, 0, style, word);
}

void frame_paint(struct ui *ui, struct canvas *canvas)
{
    canvas_clear(canvas);
    struct area screen = canvas_area(canvas);
    if (!ui->model) {
        area_text(screen, 1, 0, ROLE_DIM, "waiting for the engine ... q leaves");
        return;
    }
    layout_compute(canvas->w, canvas->h, panes_present(ui->plan), ui->zoom, ui->layout.w ? &ui->layout : NULL, &ui->layout);
    const struct layout *l = &ui->layout;
    if (l->size <= LAYOUT_WORD) {
        draw_word(ui, screen);
        return;
    }
    if (l->header.h)
        ui_draw_header(ui, area_part(screen, l->header.x, l->header.y, l->header.w, l->header.h));
    ui_draw_gate(ui, area_part(screen, l->gate.x, l->gate.y, l->gate.w, l->gate.h));
    for (int i = 1; i <= LAYOUT_PANES; i++)
        draw_pane(ui, screen, i);
    command_draw_footer(ui, area_part(screen, l->footer.x, l->footer.y, l->footer.w, l->footer.h));
    if (ui->dialog.kind == DIALOG_HELP)
        help_draw(ui, screen);
    else if (ui->dialog.kind != DIALOG_NONE)
        dialog_draw(ui, screen);
}

void frame_draw(struct ui *ui, const struct model *model, const struct plan *plan, int64_t now, struct canvas *canvas)
{
    frame_look(ui, model, plan, now, now);
    frame_paint(ui, canvas);
}

bool frame_cursor(const struct ui *ui, int *x, int *y)
{
    return ui->layout.size >= LAYOUT_TINY && dialog_cursor(ui, x, y);
}

void frame_key(struct ui *ui, const struct key *key, int64_t now)
{
    if (!ui->model) {
        ui->wants_quit = key->code == 'q' || key->code == K_CTRL('c');
        return;
    }
    ui->wall = MAX(ui->wall, now);
    if (ui->dialog.kind != DIALOG_NONE)
        dialog_key(ui, key);
    else if (key->pasted)
        ui_say(ui, false, "pasted text is not taken for keys");
    else if (key->code == K_ESC && ui->message[0])
        ui->message[0] = '\0';
    else
        command_key(ui, key);
    ui->last_us = key->at_us;
}

int frame_timeout(const struct ui *ui)
{
    return ui->dialog.pending_us ? SCREEN_BURST_US / 1000 + 1 : -1;
}

void frame_tick(struct ui *ui, int64_t now_us)
{
    if (ui->dialog.kind != DIALOG_NONE)
        dialog_tick(ui, now_us);
}
