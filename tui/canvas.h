/* canvas: the screen as data, before it is a terminal. A grid of cells; every pane draws into an area of it.
 *
 * Text is UTF-8. Each cell holds one cluster: a character and at most one combining mark; a wide character takes a
 * second cell of width 0. Whatever is drawn is clipped to its area; a wide character that is cut at an edge becomes a
 * blank. Control characters and bad bytes are shown as U+FFFD or a dot and never reach a terminal (text from outside
 * has passed the sanitiser long before; this is the second lock).
 * Widths come from wcwidth(), so main and tests call setlocale() first; our own glyphs need no locale. */
#ifndef TUI_CANVAS_H
#define TUI_CANVAS_H

#include "tui/theme.h"

struct cell {
    char text[9];  /* NUL-terminated; "" is the right half of a wide character */
    uint8_t width; /* 1, 2, or 0 for the right half */
    uint16_t style; /* role | ATTR_* */
};

struct canvas {
    int w, h;
    bool ascii; /* text, ANSI and terminal output replace all our glyphs by ASCII, cell for cell */
    struct cell *cells;
};

/* {0} is an empty canvas. Sizes are cut to 1..1000. A resize clears. */
void canvas_resize(struct canvas *c, int w, int h);
void canvas_clear(struct canvas *c);
void canvas_free(struct canvas *c);
bool canvas_equal(const struct canvas *a, const struct canvas *b);
/* Never NULL; a blank outside of the canvas. */
const struct cell *canvas_at(const struct canvas *c, int x, int y);
/* What the cell looks like on output: its text, or the ASCII for it. */
const char *canvas_glyph(const struct canvas *c, const struct cell *cell);

/* Output, appended to `out`. Plain text: a newline per row, trailing blanks trimmed. */
void canvas_text(const struct canvas *c, struct buf *out);
/* Escape sequences for a palette of 256, 16, 8 or 0 (attributes only) colours. */
void canvas_ansi(const struct canvas *c, const struct theme *t, int palette, struct buf *out);
/* A picture: box, block and braille as geometry so that lines join, DejaVu Sans Mono for the rest. */
void canvas_svg(const struct canvas *c, const struct theme *t, struct buf *out);

/* Columns that a text takes. */
int canvas_width(const char *text);
/* Takes the next code point off *text (which isn't at its end). A bad byte is U+FFFD and one byte long. */
uint32_t canvas_decode(const char **text);

/* A rectangle of a canvas, passed by value. Coordinates of all area_ functions are relative to it. */
struct area {
    struct canvas *c;
    int x, y, w, h;
};
struct area canvas_area(struct canvas *c);
/* A part of an area, cut to it. w or h < 0: up to the edge. */
struct area area_part(struct area a, int x, int y, int w, int h);
struct area area_inset(struct area a, int dx, int dy);

/* Writes at x, y and returns the x behind the last column written or clipped. */
int area_text(struct area a, int x, int y, unsigned style, const char *text);
int area_printf(struct area a, int x, int y, unsigned style, const char *fmt, ...) PRINTF(5, 6);
/* At most w columns; a longer text ends in "…". Returns the x behind the text. */
int area_textw(struct area a, int x, int y, int w, unsigned style, const char *text);
/* Right-aligned: the text ends before column `right`; returns the x of its first column. */
int area_textr(struct area a, int right, int y, unsigned style, const char *text);
int area_printfr(struct area a, int right, int y, unsigned style, const char *fmt, ...) PRINTF(5, 6);

void area_fill(struct area a, unsigned style, const char *glyph);
void area_clear(struct area a); /* blanks of ROLE_TEXT */
/* Marks what is already drawn as selected: each text keeps its role's colour (ATTR_SELECTED). */
void area_select(struct area a, int x, int y, int w);
/* Changes the style of what is already drawn. */
void area_restyle(struct area a, int x, int y, int w, unsigned style);
void area_hline(struct area a, int x, int y, int w, unsigned style, const char *glyph);

/* "┌─ title ──── right ─┐" around the edge; a title that doesn't fit is cut, the right one goes first. Either may be
 * NULL. Clears the inside and returns it, without the border and one blank column on each side. */
struct area area_box(struct area a, const char *title, const char *right, bool focused);
/* The same with the roles named, for dialogs. */
struct area area_frame(struct area a, const char *title, const char *right, unsigned border, unsigned title_style);

#endif
