#include "tui/graph.h"

#include <string.h>

bool graph_style_parse(const char *word, enum graph_style *out)
{
    static const char *const words[] = {"braille", "block", "ascii"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(word, words[i]) == 0) {
            *out = (enum graph_style)i;
            return true;
        }
    return false;
}

int64_t series_at(const struct series *s, int i)
{
    if (i < 0 || i >= s->count || s->size <= 0)
        return GRAPH_UNKNOWN;
    return s->v[((int64_t)s->first + i) % s->size];
}

int64_t series_max(const struct series *s, int last)
{
    int64_t max = 0;
    for (int i = MAX(s->count - last, 0); i < s->count; i++)
        max = MAX(max, series_at(s, i));
    return max;
}

int64_t graph_scale(int64_t max)
{
    for (int64_t unit = 1; unit <= INT64_MAX / 10; unit *= 10)
        for (int step = 1; step <= 5; step = step == 2 ? 5 : step * 2)
            if (unit * step >= max)
                return unit * step;
    return MAX(max, 1);
}

/* A value as dots of `full` in `height` dots. Whatever isn't zero shows at least one dot; unknown is -1. */
static int dots_of(int64_t value, int64_t full, int height)
{
    if (value < 0)
        return -1;
    if (value >= full)
        return height;
    int dots = (int)((double)value / (double)full * height + 0.5);
    return value > 0 ? MAX(dots, 1) : 0;
}

/* The eight heights of a cell as glyphs. */
static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const ramp[] = {" ", "_", ".", ":", "-", "=", "+", "*", "#"};

void graph_spark(struct area a, int x, int y, int w, struct series s, int64_t full, enum graph_style how, unsigned style)
{
    w = MIN(w, a.w - x);
    if (full <= 0)
        full = MAX(series_max(&s, w), 1);
    for (int i = 0; i < w; i++) {
        int height = dots_of(series_at(&s, s.count - w + i), full, 8);
        if (height >= 0)
            area_text(a, x + i, y, style, how == GRAPH_ASCII ? ramp[MAX(height, 1)] : blocks[MAX(height, 1)]);
    }
}

/* ---- plots ---- */

/* How many dots a cell is wide and high. */
static int dots_wide(enum graph_style how)
{
    return how == GRAPH_BRAILLE ? 2 : 1;
}

static int dots_high(enum graph_style how)
{
    return how == GRAPH_BRAILLE ? 4 : how == GRAPH_BLOCK ? 8 : 2;
}

/* The largest value that falls into dot column `at` of `columns`; with fewer values than columns each is repeated. */
static int64_t column_value(const struct series *s, int at, int columns, int shown)
{
    int64_t first = (int64_t)at * shown / columns, end = ((int64_t)at + 1) * shown / columns;
    int64_t best = GRAPH_UNKNOWN;
    for (int64_t i = first; i < MAX(end, first + 1); i++)
        best = MAX(best, series_at(s, s->count - shown + (int)i));
    return best;
}

struct plot {
    struct area a;
    const struct graph *g;
    int64_t full;
    int columns, rows, shown; /* in dots */
    int limit;                /* dots up to the limit line; 0 none */
};

static int height_at(const struct plot *p, const struct series *s, int column)
{
    if (s->count <= 0)
        return -1;
    int dots = dots_of(column_value(s, column, p->columns, p->shown), p->full, p->rows);
    return dots == 0 && p->g->zero ? 1 : dots;
}

/* A cell of braille: which of its dots are at or under the curve. Bits as in Unicode. */
static unsigned braille_bits(const int *heights, int floor)
{
    static const uint8_t bit[2][4] = {{0x40, 0x04, 0x02, 0x01}, {0x80, 0x20, 0x10, 0x08}}; /* bottom to top */
    unsigned bits = 0;
    for (int i = 0; i < 2; i++)
        for (int d = 0; d < 4; d++)
            if (heights[i] > floor + d)
                bits |= bit[i][d];
    return bits;
}

/* The limit line inside a cell whose lowest dot is `floor`: every second dot column. */
static unsigned limit_bits(const struct plot *p, int floor)
{
    static const uint8_t bit[4] = {0x40, 0x04, 0x02, 0x01};
    int dot = p->limit - 1 - floor;
    return p->limit > 0 && dot >= 0 && dot < 4 ? bit[dot] : 0;
}

static void put_braille(const struct plot *p, int x, int y, unsigned bits, unsigned style)
{
    char glyph[4] = {(char)0xe2, (char)(0xa0 | bits >> 6), (char)(0x80 | (bits & 0x3f)), 0};
    area_text(p->a, x, y, style, glyph);
}

static void put_bar(const struct plot *p, int x, int y, int dots, unsigned style)
{
    if (p->g->how == GRAPH_BLOCK)
        area_text(p->a, x, y, style, blocks[MIN(dots, 8)]);
    else
        area_text(p->a, x, y, style, dots >= 2 ? "#" : ".");
}

/* One curve's part of a cell; false when it has none. Where the curve has passed the limit it changes its role. */
static bool draw_curve(const struct plot *p, const struct series *s, int x, int y, unsigned style)
{
    int wide = dots_wide(p->g->how), floor = (p->a.h - 1 - y) * dots_high(p->g->how), heights[2] = {-1, -1};
    for (int i = 0; i < wide; i++)
        heights[i] = height_at(p, s, x * wide + i);
    int top = MAX(heights[0], heights[1]);
    if (top <= floor)
        return false;
    if (p->limit > 0 && floor + dots_high(p->g->how) > p->limit && top > p->limit && style != ROLE_GRAPH_OLD)
        style = ROLE_THRESHOLD;
    if (p->g->how == GRAPH_BRAILLE)
        put_braille(p, x, y, braille_bits(heights, floor), style);
    else
        put_bar(p, x, y, top - floor, style);
    return true;
}

static void draw_limit(const struct plot *p, int x, int y)
{
    int high = dots_high(p->g->how), floor = (p->a.h - 1 - y) * high;
    if (p->limit <= floor || p->limit > floor + high)
        return;
    if (p->g->how == GRAPH_BRAILLE)
        put_braille(p, x, y, limit_bits(p, floor), ROLE_THRESHOLD);
    else
        area_text(p->a, x, y, ROLE_THRESHOLD, p->g->how == GRAPH_BLOCK ? "╌" : "-");
}

static void draw_plot_cell(const struct plot *p, int x, int y)
{
    if (draw_curve(p, &p->g->live, x, y, p->g->style))
        return;
    if (draw_curve(p, &p->g->ghost, x, y, ROLE_GRAPH_OLD))
        return;
    draw_limit(p, x, y);
}

void graph_plot(struct area a, const struct graph *g)
{
    struct plot p = {.a = a, .g = g, .full = g->full};
    p.columns = a.w * dots_wide(g->how);
    p.rows = a.h * dots_high(g->how);
    p.shown = g->shown > 0 ? g->shown : p.columns;
    if (p.full <= 0)
        p.full = graph_scale(MAX(MAX(series_max(&g->live, p.shown), series_max(&g->ghost, p.shown)), g->limit));
    p.limit = g->limit > 0 && g->limit <= p.full ? MAX(dots_of(g->limit, p.full, p.rows), 1) : 0;
    for (int y = 0; y < a.h; y++)
        for (int x = 0; x < a.w; x++)
            draw_plot_cell(&p, x, y);
}

void graph_bar(struct area a, int x, int y, int w, int64_t ppm, enum graph_style how, unsigned style, unsigned rest)
{
    static const char *const parts[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const char *empty = how == GRAPH_ASCII ? "." : "░";
    if (w <= 0)
        return;
    if (ppm < 0) {
        area_hline(a, x, y, w, ROLE_UNKNOWN, empty);
        return;
    }
    int eighths = (int)(MIN(ppm, 1000000) * w * 8 / 1000000), full = eighths / 8;
    area_hline(a, x, y, full, style, how == GRAPH_ASCII ? "#" : "█");
    area_hline(a, x + full, y, w - full, rest, empty);
    if (eighths % 8 && how == GRAPH_BRAILLE)
        area_text(a, x + full, y, style, parts[eighths % 8]);
    else if (eighths % 8 >= 4)
        area_text(a, x + full, y, style, how == GRAPH_ASCII ? "#" : "▌");
}
