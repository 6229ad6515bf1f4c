#include "tui/layout.h"

enum { TOP, MIDDLE, BOTTOM, ROWS };

/* Left to right; the order never changes. */
static const int8_t order[ROWS][4] = {{1, 2, 3, 0}, {5, 4, 0, 0}, {6, 7, 0, 0}};

/* The sizes that were drawn cell by cell. Between them everything grows evenly. */
enum { DRAWN = 3 };
static const int drawn_w[DRAWN] = {80, 120, 200}, drawn_h[DRAWN] = {21, 37, 57}; /* without header, gate, footer */
static const int row_h[DRAWN][ROWS] = {{6, 9, 6}, {14, 15, 8}, {24, 17, 16}};
static const int pane_w[DRAWN][LAYOUT_PANES + 1] = {
    {0, 28, 24, 28, 36, 44, 80, 0}, {0, 40, 40, 40, 54, 66, 120, 0}, {0, 66, 67, 67, 100, 100, 150, 50}};

static int between(int at, const int *x, int y0, int y1, int y2)
{
    if (at >= x[2])
        return (int)((int64_t)y2 * at / x[2]);
    int i = at >= x[1] ? 1 : 0, from = i ? y1 : y0, to = i ? y2 : y1;
    return from + (int)((int64_t)(to - from) * (at - x[i]) / (x[i + 1] - x[i]));
}

static bool reaches(int value, int breakpoint, bool was_there)
{
    return value >= breakpoint - (was_there ? 2 : 0);
}

static enum layout_size choose_size(int w, int h, const struct layout *previous)
{
    static const struct {
        enum layout_size size;
        int w, h;
    } steps[] = {{LAYOUT_LARGE, 180, 54}, {LAYOUT_MEDIUM, 116, 36}, {LAYOUT_SMALL, 80, 24}};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        bool was_there = previous && previous->w > 0 && previous->size >= steps[i].size;
        if (reaches(w, steps[i].w, was_there) && reaches(h, steps[i].h, was_there))
            return steps[i].size;
    }
    if (w >= 40 && h >= 8)
        return LAYOUT_COLUMN;
    if (w >= 20 && h >= 3)
        return LAYOUT_TINY;
    return w >= 4 ? LAYOUT_WORD : LAYOUT_LETTER;
}

/* ---- the grid: three rows ---- */

static int count_row(int row, unsigned present)
{
    int n = 0;
    for (int i = 0; order[row][i]; i++)
        n += present & LAYOUT_BIT(order[row][i]) ? 1 : 0;
    return n;
}

/* Shares `w` among the panes of a row that are there, in the drawn proportion; the last takes what is left. */
static void place_row(struct layout *l, int row, unsigned present, int y, int h)
{
    int total = 0, x = 0, left = count_row(row, present);
    int share[LAYOUT_PANES + 1] = {0};
    for (int i = 0; order[row][i]; i++) {
        int p = order[row][i];
        if (present & LAYOUT_BIT(p))
            total += share[p] = between(l->w, drawn_w, pane_w[0][p], pane_w[1][p], pane_w[2][p]);
    }
    for (int i = 0; order[row][i]; i++) {
        int p = order[row][i];
        if (!(present & LAYOUT_BIT(p)))
            continue;
        int w = --left == 0 || total <= 0 ? l->w - x : (int)(((int64_t)share[p] * l->w + total / 2) / total);
        l->pane[p] = (struct rect){x, y, w, h};
        x += w;
    }
}

/* The heights of the rows that are there; the top ones are exact, the middle one takes what rounding leaves. */
static void share_heights(int height, unsigned present, int out[ROWS])
{
    int total = 0, last = -1, used = 0;
    for (int r = 0; r < ROWS; r++) {
        out[r] = count_row(r, present) ? between(height, drawn_h, row_h[0][r], row_h[1][r], row_h[2][r]) : 0;
        total += out[r];
    }
    for (int r = 0; r < ROWS; r++) {
        out[r] = total ? out[r] * height / total : 0;
        used += out[r];
        if (out[r] && (last < 0 || r == MIDDLE))
            last = r;
    }
    if (last >= 0)
        out[last] += height - used;
}

static void place_grid(struct layout *l, unsigned present)
{
    int height[ROWS], y = 2;
    if (l->w < 180)
        present &= ~LAYOUT_BIT(7);
    share_heights(l->h - 3, present, height);
    for (int r = 0; r < ROWS; r++) {
        place_row(l, r, present, y, height[r]);
        y += height[r];
    }
}

/* Wide, but lower than 24: the log becomes a line, then the top row gets its least height. */
static void place_low_grid(struct layout *l, unsigned present)
{
    int room = l->h - 3, y = 2;
    bool log = present & LAYOUT_BIT(6), middle = count_row(MIDDLE, present) > 0, top = count_row(TOP, present) > 0;
    room -= log ? 1 : 0;
    int top_h = !top ? 0 : middle ? MIN(6, room / 2) : room;
    place_row(l, TOP, present, y, top_h);
    place_row(l, MIDDLE, present, y + top_h, middle ? room - top_h : 0);
    if (log) {
        l->pane[6] = (struct rect){0, l->h - 2, l->w, 1};
        l->folded[6] = true;
    }
}

/* ---- the column ---- */

static const int8_t stack[] = {1, 2, 3, 5, 4, 6}; /* top to bottom */
static const int8_t folding[] = {6, 3, 2, 1, 4};  /* what becomes one line first, and goes first */
static const int8_t least[LAYOUT_PANES + 1] = {0, 5, 5, 5, 6, 6, 5, 0};

static int add_up(const int *height)
{
    int sum = 0;
    for (int p = 1; p <= LAYOUT_PANES; p++)
        sum += height[p];
    return sum;
}

static void shrink(int *height, int room, int to)
{
    for (size_t i = 0; i < ARRAY_LEN(folding) && add_up(height) > room; i++)
        if (height[folding[i]] > to)
            height[folding[i]] = to;
}

/* What is left over goes to the steps first, then evenly to what is open. */
static void spread(int *height, int room)
{
    int spare = room - add_up(height), open = 0;
    for (int p = 1; p <= LAYOUT_PANES; p++)
        open += height[p] > 1 ? 1 : 0;
    if (spare <= 0 || open == 0)
        return;
    int steps = height[5] ? MIN(spare, MAX(6, spare / open)) : 0;
    height[5] += steps;
    spare -= steps;
    for (int p = 1; p <= 6; p++)
        if (height[p] > 1 && p != 5 && open - (height[5] ? 1 : 0) > 0)
            height[p] += spare / (open - (height[5] ? 1 : 0));
    int lowest = height[5] ? 5 : 0;
    for (int p = 1; p <= 6 && !lowest; p++)
        lowest = height[p] > 1 ? p : 0;
    height[lowest] += room - add_up(height);
}

static void place_column(struct layout *l, unsigned present)
{
    int height[LAYOUT_PANES + 1] = {0}, room = l->h - 3, y = 2;
    for (int p = 1; p <= 6; p++)
        height[p] = present & LAYOUT_BIT(p) ? least[p] : 0;
    shrink(height, room, 1);
    shrink(height, room, 0);
    if (height[5] && add_up(height) > room)
        height[5] = room;
    spread(height, room);
    for (size_t i = 0; i < ARRAY_LEN(stack); i++) {
        int p = stack[i];
        if (height[p] <= 0)
            continue;
        l->pane[p] = (struct rect){0, y, l->w, height[p]};
        l->folded[p] = height[p] < 3;
        y += height[p];
    }
}

static void place_tiny(struct layout *l, unsigned present)
{
    bool steps = present & LAYOUT_BIT(5);
    l->gate = (struct rect){0, 0, l->w, 1};
    if (steps) {
        l->pane[5] = (struct rect){0, 1, l->w, l->h - 2};
        l->folded[5] = l->h - 2 < 3;
    }
    l->footer = (struct rect){0, l->h - 1, l->w, 1};
}

void layout_compute(int w, int h, unsigned present, int zoomed, const struct layout *previous, struct layout *out)
{
    struct layout l = {.w = MAX(w, 1), .h = MAX(h, 1)};
    l.size = choose_size(l.w, l.h, previous);
    present &= LAYOUT_ALL;
    if (zoomed >= 1 && zoomed <= LAYOUT_PANES && present & LAYOUT_BIT(zoomed))
        l.zoomed = zoomed;
    if (l.size <= LAYOUT_WORD)
        l.gate = (struct rect){0, 0, l.w, l.h};
    else if (l.size == LAYOUT_TINY)
        place_tiny(&l, present);
    else {
        l.header = (struct rect){0, 0, l.w, 1};
        l.gate = (struct rect){0, 1, l.w, 1};
        l.footer = (struct rect){0, l.h - 1, l.w, 1};
        if (l.zoomed)
            l.pane[l.zoomed] = (struct rect){0, 2, l.w, l.h - 3};
        else if (l.size >= LAYOUT_SMALL)
            place_grid(&l, present);
        else if (l.w >= 78 && l.h >= 15)
            place_low_grid(&l, present);
        else
            place_column(&l, present);
    }
    *out = l;
}
