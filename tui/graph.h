/* graph: histories and shares. Values are int64_t in any unit; a negative one is unknown and leaves a gap. */
#ifndef TUI_GRAPH_H
#define TUI_GRAPH_H

#include "tui/canvas.h"

#define GRAPH_UNKNOWN INT64_MIN

enum graph_style { GRAPH_BRAILLE, GRAPH_BLOCK, GRAPH_ASCII };
/* "braille", "block" or "ascii"; false for another word. */
bool graph_style_parse(const char *word, enum graph_style *out);

/* A ring, or an array (first = 0, size = count). Value i, 0 the oldest, stands at v[(first + i) % size]. */
struct series {
    const int64_t *v;
    int size, first, count;
};
int64_t series_at(const struct series *s, int i);
int64_t series_max(const struct series *s, int last); /* of the last `last` values; 0 when none is known */

/* The next of 1, 2, 5 x 10^n that isn't smaller: a quiet full scale. */
int64_t graph_scale(int64_t max);

/* One line of ▁▂▃▄▅▆▇█, newest at the right end, one value per column. full <= 0: the largest value shown. */
void graph_spark(struct area a, int x, int y, int w, struct series s, int64_t full, enum graph_style how, unsigned style);

struct graph {
    struct series live;
    struct series ghost;   /* the rehearsal's curve, drawn behind in ROLE_GRAPH_OLD; count 0: none */
    int64_t full;          /* value at the top edge; <= 0: graph_scale() of the largest shown */
    int64_t limit;         /* <= 0: none; else a dotted line, and what is beyond it in ROLE_THRESHOLD */
    int shown;             /* values over the whole width, newest at the right; 0: one per dot column */
    bool zero;             /* draw the zero line: a known 0 is then visible */
    enum graph_style how;
    unsigned style;        /* ROLE_GRAPH, ROLE_BLUE, ... */
};
/* Fills the area with the plot (2 x 4 dots a cell in braille). Several values in one dot column: the largest counts. */
void graph_plot(struct area a, const struct graph *g);

/* "███████▌░░░": part of 1000000 ppm of w columns. ppm < 0: unknown, all "░" in ROLE_UNKNOWN. */
void graph_bar(struct area a, int x, int y, int w, int64_t ppm, enum graph_style how, unsigned style, unsigned rest);

#endif
