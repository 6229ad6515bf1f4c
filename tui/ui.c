#include "tui/ui.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ui_init(struct ui *ui, void (*order)(void *arg, const char *json_line), void *arg)
{
    memset(ui, 0, sizeof *ui);
    ui->order = order;
    ui->arg = arg;
    ui->focus = PANE_STEPS;
    ui->speed = 1;
    copy_text(ui->theme, sizeof ui->theme, "dark");
    for (int i = 1; i <= LAYOUT_PANES; i++)
        ui->pane[i].selected = -1;
}

void ui_free(struct ui *ui)
{
    buf_free(&ui->dialog.detail);
    buf_free(&ui->copy);
}

bool ui_is_live(const struct ui *ui)
{
    return !ui->replay && ui->past_at == 0;
}

bool ui_is_armed(const struct ui *ui)
{
    return ui_is_live(ui) && ui->armed_until > ui->wall;
}

void ui_say(struct ui *ui, bool bad, const char *fmt, ...)
{
    char text[sizeof ui->message];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    text_line(ui->message, sizeof ui->message, text, strlen(text));
    ui->message_bad = bad;
    ui->message_until = ui->wall + UI_MESSAGE_MS;
}

bool ui_is_covered(const struct ui *ui)
{
    return ui->dialog.kind != DIALOG_NONE || ui->message[0];
}

void ui_order(struct ui *ui, const char *order, ...)
{
    json_t *o = json_pack("{s:s}", "order", order);
    va_list ap;
    va_start(ap, order);
    for (const char *name; (name = va_arg(ap, const char *));)
        json_object_set_new(o, name, json_string(va_arg(ap, const char *)));
    va_end(ap);
    char *line = json_dumps(o, JSON_COMPACT);
    if (line && ui->order && ui_is_live(ui))
        ui->order(ui->arg, line);
    free(line);
    json_decref(o);
}

struct view ui_view(struct ui *ui, int pane)
{
    return (struct view){
        .model = ui->model, .plan = ui->plan, .now = ui->now, .state = &ui->pane[pane], .size = ui->layout.size, .graph = ui->graph,
        .focused = ui->focus == pane, .zoomed = ui->layout.zoomed == pane, .redact = ui->redact, .filter = ui->filter,
    };
}
