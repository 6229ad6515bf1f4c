/* frame: the whole picture and the whole hand. It draws what ui has chosen, panes first, then what lies over them, and
 * gives each key to the dialog that is open, else to the commands. The top of the screen's floor: ui, dialog, command and
 * help know nothing of it. */
#ifndef TUI_FRAME_H
#define TUI_FRAME_H

#include "tui/ui.h"

/* ui_init, with the hands that `:` needs. */
void frame_init(struct ui *ui, void (*order)(void *arg, const char *json_line), void *arg);

/* Shows ui a model; borrowed until the next look. `wall` is the person's own clock. */
void frame_look(struct ui *ui, const struct model *model, const struct plan *plan, int64_t now, int64_t wall);
/* Looks with wall = now and draws the frame; the canvas has its size. */
void frame_draw(struct ui *ui, const struct model *model, const struct plan *plan, int64_t now, struct canvas *canvas);
/* Draws what was last looked at. */
void frame_paint(struct ui *ui, struct canvas *canvas);
void frame_key(struct ui *ui, const struct key *key, int64_t now);
/* Milliseconds until ui_tick has something to do; -1: nothing. */
int frame_timeout(const struct ui *ui);
void frame_tick(struct ui *ui, int64_t now_us);
bool frame_cursor(const struct ui *ui, int *x, int *y);

#endif
