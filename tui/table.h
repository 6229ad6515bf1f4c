/* table: rows and columns in an area. Columns that matter less drop out when it's narrow. */
#ifndef TUI_TABLE_H
#define TUI_TABLE_H

#include "tui/canvas.h"

struct table_column {
    const char *title;
    int width;  /* columns that it needs; what is longer is cut with "…" */
    int keep;   /* when it's narrow, the column with the smallest keep goes first; the largest never goes */
    bool right; /* aligned right */
    bool flex;  /* takes what is left over (shared if there are several); width is then the least */
};

/* Writes the text of a cell into buf (NUL-terminated, UTF-8) and returns its style. */
typedef unsigned table_cell(void *arg, int row, int col, char *buf, size_t size);

struct table {
    const struct table_column *columns;
    int ncolumns, rows;
    bool head;    /* first line: the titles */
    int selected; /* -1: none */
    int offset;   /* first row shown */
};

/* Draws what fits, rows from offset on. Moves offset so that it is in range and the selected row is visible. */
void table_draw(struct area a, struct table *t, table_cell *cell, void *arg);
/* Moves the selection by `by` rows (INT_MIN / INT_MAX for the ends); stays inside. */
void table_move(struct table *t, int by);
/* The columns that fit into w, as a bit set, and their widths; for tests and for those who draw themselves. */
unsigned table_fit(const struct table *t, int w, int *widths);

#endif
