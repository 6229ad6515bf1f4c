/* pane: one part of the cockpit. A pane is one file pane_x.c that ends in one `const struct pane` and one row in
 * pane_common.c. It draws from (model, plan, now, what the person has chosen) and nothing else: it fetches nothing, keeps
 * nothing and reads no clock, so the same view always gives the same picture.
 *
 * Each value has an age: what was never seen, or is older than three of its intervals, is shown dim with a "?". */
#ifndef TUI_PANE_H
#define TUI_PANE_H

#include "core/gate.h"
#include "core/text.h"
#include "tui/graph.h"
#include "tui/layout.h"
#include "tui/table.h"

enum { PANE_REPLICATION = 1, PANE_DNS, PANE_TRAFFIC, PANE_CHECKS, PANE_STEPS, PANE_LOG, PANE_PEOPLE };

/* What the person has chosen in one pane. */
struct pane_state {
    int selected; /* row; -1: none (the log then follows its end) */
    int offset;   /* first row shown */
};

struct view {
    const struct model *model;
    const struct plan *plan;
    int64_t now; /* the wall-clock ms that is shown */
    struct pane_state *state;
    enum layout_size size;
    enum graph_style graph;
    bool focused, zoomed, redact;
    const char *filter; /* of the log; "" = all */
};

struct pane {
    const char *name;
    int number;
    bool (*present)(const struct plan *plan); /* NULL: always */
    /* What stands in the frame: behind the name, and at the right. */
    void (*title)(const struct view *v, char *left, size_t lsize, char *right, size_t rsize);
    void (*draw)(struct area a, const struct view *v);
    void (*fold)(struct area a, const struct view *v); /* the same in one line without a frame */
    int (*rows)(const struct view *v);                 /* what can be scrolled and selected; NULL: nothing */
    void (*detail)(const struct view *v, int row, struct buf *out); /* all about one row, as text; NULL: nothing */
};
extern const struct pane *const panes[LAYOUT_PANES + 1]; /* by number; [0] is NULL */
unsigned panes_present(const struct plan *plan);         /* LAYOUT_BITs */

/* Ages. `limit` in ms; at 0 is never. */
bool pane_is_old(int64_t at, int64_t now, int64_t limit);
const char *pane_age(int64_t at, int64_t now, char *buf, size_t size); /* "0.4 s", "12 s", "13 m", "never" */
#define PANE_STALE_DB 5000
#define PANE_STALE_HTTP 5000

/* HH:MM:SS or HH:MM:SS.mmm in UTC. */
const char *pane_clock(int64_t at, bool with_ms, char *buf, size_t size);
/* "1 244", "95 %": short numbers; UNKNOWN is "?". ppm as "0.05 %". */
const char *pane_count(int64_t n, char *buf, size_t size);
const char *pane_ppm(int64_t ppm, char *buf, size_t size);

/* A value as it may be shown: masked by its kind while the view is redacted. */
const char *pane_private(const struct view *v, enum text_kind kind, const char *value, char *buf, size_t size);
/* A sentence that may name addresses of the plan: these are masked while the view is redacted. */
const char *pane_sentence(const struct view *v, const char *text, char *buf, size_t size);

/* A condition or sentence in words: "pg.lag_ms < 1000 for 3s" is "lag < 1 s for 3s". Returns buf. */
const char *pane_words(const char *text, char *buf, size_t size);
/* "5 s", "300 ms", "2:05": a span that a plan names. */
const char *pane_span(int64_t ms, char *buf, size_t size);

/* Values of a history, oldest first, ending at `now`'s second; a gap is GRAPH_UNKNOWN. */
struct series pane_series(const struct history *h, int64_t now, int count, int64_t *values);

/* The step that the gate line speaks about: the one that x would open, or while one runs the one behind it; -1. */
int pane_next_step(const struct view *v);
/* Pending steps' and checks' glyphs with their style. */
const char *pane_step_glyph(const struct view *v, int step, unsigned *style);
/* " name  value" pairs on one line, wide enough or cut. Returns the x behind. */
int pane_pair(struct area a, int x, int y, const char *name, unsigned style, const char *value);
/* Moves an offset into range and keeps a selected row visible; returns it. */
int pane_scroll(struct pane_state *s, int rows, int height);

#endif
