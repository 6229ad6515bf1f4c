/* dialog: what lies over the panes and takes all keys: the confirmation, a question, a text, a list, details, help, and
 * the lines of `:` and `/`. One at a time.
 *
 * The confirmation has no default that runs. It opens deaf: keys of its first 0.8 s, pasted text, bursts that no hand
 * types and a key that repeats by itself are dropped, and it says so. It asks the gate again with every frame and closes
 * by itself when the gate falls. */
#ifndef TUI_DIALOG_H
#define TUI_DIALOG_H

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
