#include "tui/table.h"

#include <limits.h>
#include <string.h>

enum { MOST_COLUMNS = 32 };

static int total_width(const struct table *t, unsigned set)
{
    int total = 0, n = 0;
    for (int i = 0; i < t->ncolumns; i++)
        if (set & 1u << i) {
            total += t->columns[i].width;
            n++;
        }
    return total + MAX(n - 1, 0);
}

/* The column of the set with the smallest keep; of equal ones the last. */
static int least_wanted(const struct table *t, unsigned set)
{
    int least = -1;
    for (int i = 0; i < t->ncolumns; i++)
        if (set & 1u << i && (least < 0 || t->columns[i].keep <= t->columns[least].keep))
            least = i;
    return least;
}

static void share_rest(const struct table *t, unsigned set, int rest, int *widths)
{
    int flexible = 0;
    for (int i = 0; i < t->ncolumns; i++)
        flexible += set & 1u << i && t->columns[i].flex ? 1 : 0;
    for (int i = 0; i < t->ncolumns && flexible; i++)
        if (set & 1u << i && t->columns[i].flex) {
            widths[i] += rest / flexible;
            rest -= rest / flexible--;
        }
}

unsigned table_fit(const struct table *t, int w, int *widths)
{
    unsigned set = t->ncolumns >= MOST_COLUMNS ? ~0u : (1u << t->ncolumns) - 1;
    int out;
    while (total_width(t, set) > w && (set & (set - 1)) && (out = least_wanted(t, set)) >= 0)
        set &= ~(1u << out);
    for (int i = 0; i < t->ncolumns && i < MOST_COLUMNS; i++)
        widths[i] = set & 1u << i ? t->columns[i].width : 0;
    int rest = w - total_width(t, set);
    if (rest < 0)
        for (int i = 0; i < t->ncolumns; i++)
            widths[i] = MIN(widths[i], MAX(w, 0));
    else
        share_rest(t, set, rest, widths);
    return set;
}

void table_move(struct table *t, int by)
{
    int64_t to = (int64_t)t->selected + by;
    t->selected = (int)MIN(MAX(to, 0), (int64_t)t->rows - 1);
}

static void scroll(struct table *t, int visible)
{
    if (t->selected >= t->rows)
        t->selected = t->rows - 1;
    if (t->selected >= 0 && visible > 0) {
        t->offset = MIN(t->offset, t->selected);
        t->offset = MAX(t->offset, t->selected - visible + 1);
    }
    t->offset = MAX(MIN(t->offset, t->rows - visible), 0);
}

static void draw_cell(struct area a, const struct table_column *column, int x, int y, int w, unsigned style,
                      const char *text)
{
    int width = canvas_width(text);
    area_textw(a, column->right && width < w ? x + w - width : x, y, MIN(w, MAX(width, 0)), style, text);
}

static void draw_row(struct area a, const struct table *t, unsigned set, const int *widths, int row, int y,
                     table_cell *cell, void *arg)
{
    char text[1024];
    for (int i = 0, x = 0; i < t->ncolumns; i++) {
        if (!(set & 1u << i))
            continue;
        unsigned style = ROLE_HEADER;
        text[0] = '\0';
        if (row < 0)
            copy_text(text, sizeof text, t->columns[i].title ? t->columns[i].title : "");
        else
            style = cell(arg, row, i, text, sizeof text);
        draw_cell(a, &t->columns[i], x, y, widths[i], style, text);
        x += widths[i] + 1;
    }
    if (row >= 0 && row == t->selected)
        area_select(a, 0, y, a.w);
}

void table_draw(struct area a, struct table *t, table_cell *cell, void *arg)
{
    int widths[MOST_COLUMNS] = {0}, y = 0;
    unsigned set = table_fit(t, a.w, widths);
    if (t->head && a.h > 1)
        draw_row(a, t, set, widths, -1, y++, cell, arg);
    scroll(t, a.h - y);
    for (int row = t->offset; row < t->rows && y < a.h; row++)
        draw_row(a, t, set, widths, row, y++, cell, arg);
}
