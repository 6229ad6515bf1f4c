/* box: what is remembered of the dialog that lies over the panes. Data only, so that ui can hold it; what a dialog does
 * stands in dialog.h. */
#ifndef TUI_BOX_H
#define TUI_BOX_H

#include "core/gate.h"
#include "tui/canvas.h"
#include "tui/key.h"

struct ui;

enum dialog_kind {
    DIALOG_NONE,
    DIALOG_CONFIRM, /* a step: none, key or word, as the plan says */
    DIALOG_ASK,     /* one question, y */
    DIALOG_INPUT,   /* one line of text */
    DIALOG_CHOOSER, /* a list */
    DIALOG_DETAIL,  /* text to read */
    DIALOG_HELP,
    DIALOG_PROMPT,  /* ":" on the last line */
    DIALOG_FILTER   /* "/" on the last line */
};

#define DIALOG_DEAF_MS 800
#define DIALOG_ITEMS 96
struct dialog_item {
    int key; /* that chooses it; 0: only by moving there */
    int value;
    unsigned style;
    char glyph[8], text[80], right[120];
};

struct dialog {
    enum dialog_kind kind;
    char title[80], sentence[240];
    char input[200];
    /* who opened it, and when: the deaf time */
    int opening_key;
    int64_t opened_us, opened_at;
    /* the hand */
    int last_code;
    int64_t last_us, last_gap;
    int64_t pending_us; /* the confirming key came then; it counts when nothing follows at once. 0: none */
    int dropped;
    /* confirmation */
    int step;
    enum step_mode mode;
    bool was_go, was_armed;
    /* ask, input, chooser */
    void (*entered)(struct ui *ui, const char *text);
    void (*chosen)(struct ui *ui, int value, int key);
    int value;      /* carried along for `entered` */
    char word[64];  /* the same */
    struct dialog_item item[DIALOG_ITEMS];
    int nitems, selected, offset;
    struct buf detail;
};

#endif
