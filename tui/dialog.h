/* dialog: what lies over the panes and takes all keys: the confirmation, a question, a text, a list, details, help, and
 * the lines of `:` and `/`. One at a time.
 *
 * The confirmation has no default that runs. It opens deaf: keys of its first 0.8 s, pasted text, bursts that no hand
 * types and a key that repeats by itself are dropped, and it says so. It asks the gate again with every frame and closes
 * by itself when the gate falls. */
#ifndef TUI_DIALOG_H
#define TUI_DIALOG_H

#include "tui/ui.h"

void dialog_close(struct ui *ui);
void dialog_confirm(struct ui *ui, int step, enum step_mode mode, int opening_key);
void dialog_ask(struct ui *ui, const char *title, const char *sentence, void (*entered)(struct ui *, const char *), int opening_key);
void dialog_input(struct ui *ui, const char *title, const char *sentence, void (*entered)(struct ui *, const char *));
/* Items are added behind it with dialog_add. */
void dialog_chooser(struct ui *ui, const char *title, const char *sentence, void (*chosen)(struct ui *, int value, int key));
void dialog_add(struct ui *ui, struct dialog_item item);
/* Takes the text over. */
void dialog_detail(struct ui *ui, const char *title, struct buf *text);
void dialog_help(struct ui *ui);
void dialog_prompt(struct ui *ui, enum dialog_kind kind, const char *text);

void dialog_key(struct ui *ui, const struct key *key);
/* With every look at the model: closes a confirmation whose gate has fallen; `now_us` lets a confirming key count. */
void dialog_look(struct ui *ui);
void dialog_tick(struct ui *ui, int64_t now_us);
void dialog_draw(struct ui *ui, struct area screen);
/* Where the cursor belongs; false: nowhere. */
bool dialog_cursor(const struct ui *ui, int *x, int *y);

/* Text with its own line ends in an area, long lines broken, from line `offset` on; returns how many lines it has in all.
 * Draws nothing where the area has no height. */
int dialog_text(struct area a, const char *text, int offset);
/* For dialog_confirm.c */
void dialog_draw_confirm(struct ui *ui, struct area screen);
/* Whether the confirmation may still take keys, and which words it waits for. */
bool dialog_is_deaf(const struct ui *ui, int64_t at);
enum plan_confirm dialog_needs(const struct ui *ui);

#endif
