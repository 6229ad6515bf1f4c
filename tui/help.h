/* help: the overlay of `?`. Made from the commands, the plan's step keys and the glyphs; what is typed searches. */
#ifndef TUI_HELP_H
#define TUI_HELP_H

#include "tui/ui.h"

void help_draw(struct ui *ui, struct area screen);

#endif
