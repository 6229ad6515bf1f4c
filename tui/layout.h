/* layout: which rectangle each part of the screen gets. Arithmetic only.
 *
 * Order never changes: header, gate line, panes 1 2 3 in a row, 5 | 4, 6 (and 7, people, when wide), footer. */
#ifndef TUI_LAYOUT_H
#define TUI_LAYOUT_H

#include "core/base.h"

enum { LAYOUT_PANES = 7 }; /* 1 replication, 2 dns, 3 traffic, 4 checks, 5 steps, 6 log, 7 people */
#define LAYOUT_BIT(pane) (1u << (pane))
#define LAYOUT_ALL 0xfeu

enum layout_size {
    LAYOUT_LETTER, /* the first letter of GO, HOLD or STOP, in `gate` */
    LAYOUT_WORD,   /* the word, in `gate` */
    LAYOUT_TINY,   /* gate, running step (`pane[5]`, folded), keys (`footer`) */
    LAYOUT_COLUMN, /* one pane under the other, folded from the bottom */
    LAYOUT_SMALL,  /* from 80x24: counts and sparklines */
    LAYOUT_MEDIUM, /* from 116 columns and 36 rows: plots */
    LAYOUT_LARGE,  /* from 180 columns and 54 rows: everything */
};

struct rect {
    int x, y, w, h; /* w or h 0: not on the screen */
};

struct layout {
    enum layout_size size;
    int w, h, zoomed;
    struct rect header, gate, footer;
    struct rect pane[LAYOUT_PANES + 1];
    bool folded[LAYOUT_PANES + 1]; /* one line without a frame */
};

/* `present`: LAYOUT_BITs of the panes that exist; an absent one gives its place to its neighbours. `zoomed`: 0, or the
 * pane that takes the place of all. `previous` (or NULL): a size once reached is kept until two cells below its
 * breakpoint, so that nothing flaps while a window is dragged. out may be the same as previous. */
void layout_compute(int w, int h, unsigned present, int zoomed, const struct layout *previous, struct layout *out);

#endif
