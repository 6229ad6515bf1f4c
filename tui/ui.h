/* ui: what one person's screen has chosen: focus, zoom, scroll, filter, dialog, armed. It neither draws nor takes keys (that
 * is frame.h); orders leave as the JSON lines that core/wire.h describes. It owns no model: who owns the screen shows one
 * with frame_look() or frame_draw(), and reads the wants_ fields after each key. */
#ifndef TUI_UI_H
#define TUI_UI_H

#include "tui/box.h"
#include "tui/pane.h"
#include "tui/screen.h"

#define UI_ARM_MS 60000
#define UI_MESSAGE_MS 7000

struct ui {
    /* the owner's */
    void (*order)(void *arg, const char *json_line);
    void *arg;
    char role[12];     /* "operator", "observer"; "" until the engine has said it */
    bool replay;       /* a screen fed from a file: no orders, its own keys */
    bool engine_gone;
    int64_t gone_at;
    int64_t first_at, last_at; /* what of the run is kept: the range of history */
    enum graph_style graph;
    char theme[64];
    void (*line)(struct ui *ui, const char *line); /* what the `:` line does, and how it is completed: set by frame_init */
    void (*complete)(const struct ui *ui, char *line, size_t size, char *all, size_t all_size);

    /* wishes to the owner, who clears them */
    bool wants_quit, wants_suspend, wants_repaint, wants_theme;
    int wants_event;   /* replay: so many step events forward */
    struct buf copy;   /* text for the clipboard */

    /* the person's */
    struct layout layout;
    int focus, zoom;   /* numbers of panes; zoom 0 = none */
    struct pane_state pane[LAYOUT_PANES + 1];
    char filter[64];
    struct dialog dialog;
    bool redact;
    int64_t armed_until; /* 0 = locked */
    char message[240];
    bool message_bad;
    int64_t message_until;
    int64_t past_at;     /* the instant that is shown; 0 = live */
    bool frozen;         /* past_at is where the person froze the picture */
    int64_t frozen_wall;
    bool playing;        /* replay */
    int speed;
    int64_t last_us;     /* of the last key */

    /* as last looked at */
    const struct model *model;
    const struct plan *plan;
    int64_t now;  /* that is shown */
    int64_t wall; /* of the person; = now while live */
};

void ui_init(struct ui *ui, void (*order)(void *arg, const char *json_line), void *arg);
void ui_free(struct ui *ui);

bool ui_is_armed(const struct ui *ui);
bool ui_is_live(const struct ui *ui); /* neither past, frozen nor replay */
void ui_say(struct ui *ui, bool bad, const char *fmt, ...) PRINTF(3, 4);
/* A dialog or a message is over the panes: such a frame is no pure picture of the model. */
bool ui_is_covered(const struct ui *ui);
/* ui_order(ui, "run", "step", "switch", "typed", "switch", NULL): names and values by turns. */
void ui_order(struct ui *ui, const char *order, ...);
struct view ui_view(struct ui *ui, int pane);

/* For ui_head.c */
void ui_draw_header(const struct ui *ui, struct area a);
void ui_draw_gate(const struct ui *ui, struct area a);
const char *ui_verdict(const struct ui *ui, char *sentence, size_t size); /* "GO", "HOLD", "STOP", "DONE" */

#endif
