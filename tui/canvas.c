#include "tui/canvas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum { LARGEST = 1000 };

static const struct cell blank = {" ", 1, ROLE_TEXT};

void canvas_resize(struct canvas *c, int w, int h)
{
    c->w = MIN(MAX(w, 1), LARGEST);
    c->h = MIN(MAX(h, 1), LARGEST);
    c->cells = xrealloc(c->cells, (size_t)c->w * (size_t)c->h * sizeof *c->cells);
    canvas_clear(c);
}

void canvas_clear(struct canvas *c)
{
    for (int i = 0; i < c->w * c->h; i++)
        c->cells[i] = blank;
}

void canvas_free(struct canvas *c)
{
    free(c->cells);
    *c = (struct canvas){0};
}

const struct cell *canvas_at(const struct canvas *c, int x, int y)
{
    if (x < 0 || y < 0 || x >= c->w || y >= c->h)
        return &blank;
    return &c->cells[y * c->w + x];
}

bool canvas_equal(const struct canvas *a, const struct canvas *b)
{
    if (a->w != b->w || a->h != b->h)
        return false;
    for (int i = 0; i < a->w * a->h; i++)
        if (a->cells[i].style != b->cells[i].style || strcmp(a->cells[i].text, b->cells[i].text) != 0)
            return false;
    return true;
}

/* ---- text into clusters ---- */

/* Strict: overlong forms, surrogates and values above U+10FFFF are bad bytes. */
uint32_t canvas_decode(const char **text)
{
    const unsigned char *s = (const unsigned char *)*text;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    int len = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;
    uint32_t cp = len < 2 ? s[0] : s[0] & (0x7fu >> len);
    for (int i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            len = 0;
        else
            cp = cp << 6 | (s[i] & 0x3f);
    }
    if (len == 0 || cp < least[len] || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000)) {
        (*text)++;
        return 0xfffd;
    }
    *text += len;
    return cp;
}

/* Zero-width, bidirectional and variation marks: they would change what is beside them. */
static bool is_invisible(uint32_t cp)
{
    return (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x206f) ||
           (cp >= 0xfe00 && cp <= 0xfe0f) || cp == 0xfeff || cp == 0x61c || cp == 0xad || cp >= 0xe0000;
}

/* Our own glyphs are one column wide whatever the locale says. -1: can't be shown. */
static int measure(uint32_t cp)
{
    if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || is_invisible(cp))
        return -1;
    if (cp < 0x7f || (cp >= 0x2500 && cp < 0x25a0) || (cp >= 0x2800 && cp < 0x2900))
        return 1;
    static const uint16_t ours[] = {0xb7, 0x2026, 0x2190, 0x2191, 0x2192, 0x2193, 0x23ce, 0x25b2, 0x25b6,
                                    0x25bc, 0x25cb, 0x25cf, 0x2713, 0x2717, 0xfffd};
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (cp == ours[i])
            return 1;
    return wcwidth((wchar_t)cp);
}

/* Takes the next cluster off *text. Returns its width, 1 or 2. */
static int take_cluster(const char **text, char out[9])
{
    const char *from = *text;
    uint32_t cp = canvas_decode(text);
    int width = measure(cp);
    if (cp == 0xfffd || width <= 0)
        strcpy(out, cp == 0xfffd ? "\xef\xbf\xbd" : "\xc2\xb7");
    else {
        memcpy(out, from, (size_t)(*text - from));
        out[*text - from] = '\0';
    }
    size_t len = strlen(out);
    for (bool first = true; **text; first = false) {
        const char *next = *text;
        uint32_t mark = canvas_decode(&next);
        if (mark < 0x300 || measure(mark) != 0)
            break;
        if (first && width > 0) {
            memcpy(out + len, *text, (size_t)(next - *text));
            out[len + (size_t)(next - *text)] = '\0';
        }
        *text = next;
    }
    return width == 2 ? 2 : 1;
}

int canvas_width(const char *text)
{
    int width = 0;
    char cluster[9];
    while (*text)
        width += take_cluster(&text, cluster);
    return width;
}

/* ---- cells ---- */

/* Blanks the half of a wide character that a write at x, y would leave behind. */
static void break_wide(struct canvas *c, int x, int y)
{
    struct cell *row = &c->cells[y * c->w];
    if (row[x].width == 0 && x > 0) {
        strcpy(row[x - 1].text, " ");
        row[x - 1].width = 1;
    }
    if (row[x].width == 2 && x + 1 < c->w) {
        strcpy(row[x + 1].text, " ");
        row[x + 1].width = 1;
    }
}

static void put(struct canvas *c, int x, int y, const char *cluster, int width, unsigned style)
{
    break_wide(c, x, y);
    struct cell *cell = &c->cells[y * c->w + x];
    strcpy(cell->text, cluster);
    cell->width = (uint8_t)width;
    cell->style = (uint16_t)style;
}

/* One cluster at x, y of the area, clipped; half a wide character becomes a blank. */
static void draw_cluster(struct area a, int x, int y, const char *cluster, int width, unsigned style)
{
    bool left = x >= 0 && x < a.w, right = width == 2 && x + 1 >= 0 && x + 1 < a.w;
    if (width == 2 && left && right) {
        break_wide(a.c, a.x + x + 1, a.y + y);
        put(a.c, a.x + x, a.y + y, cluster, 2, style);
        struct cell *cell = &a.c->cells[(a.y + y) * a.c->w + a.x + x + 1];
        *cell = (struct cell){"", 0, (uint16_t)style};
    } else if (left)
        put(a.c, a.x + x, a.y + y, width == 2 ? " " : cluster, 1, style);
    else if (right)
        put(a.c, a.x + x + 1, a.y + y, " ", 1, style);
}

/* ---- areas ---- */

struct area canvas_area(struct canvas *c)
{
    return (struct area){c, 0, 0, c->w, c->h};
}

struct area area_part(struct area a, int x, int y, int w, int h)
{
    int right = w < 0 ? a.w : (int)MIN((int64_t)x + w, a.w), bottom = h < 0 ? a.h : (int)MIN((int64_t)y + h, a.h);
    x = MIN(MAX(x, 0), a.w);
    y = MIN(MAX(y, 0), a.h);
    return (struct area){a.c, a.x + x, a.y + y, MAX(right - x, 0), MAX(bottom - y, 0)};
}

struct area area_inset(struct area a, int dx, int dy)
{
    return area_part(a, dx, dy, MAX(a.w - 2 * dx, 0), MAX(a.h - 2 * dy, 0));
}

int area_text(struct area a, int x, int y, unsigned style, const char *text)
{
    char cluster[9];
    while (*text && x < a.w) {
        int width = take_cluster(&text, cluster);
        if (y >= 0 && y < a.h)
            draw_cluster(a, x, y, cluster, width, style);
        x += width;
    }
    return x;
}

int area_textw(struct area a, int x, int y, int w, unsigned style, const char *text)
{
    if (w <= 0)
        return x;
    if (canvas_width(text) <= w)
        return area_text(a, x, y, style, text);
    struct area cut = area_part(a, 0, 0, MAX(x, 0) + w - 1 + MIN(x, 0), -1);
    area_text(cut, x, y, style, text);
    return area_text(a, x + w - 1, y, style, "…");
}

int area_textr(struct area a, int right, int y, unsigned style, const char *text)
{
    int x = right - canvas_width(text);
    area_text(area_part(a, 0, 0, MAX(right, 0), -1), x, y, style, text);
    return x;
}

/* Enough for a line on the widest screen; what is longer is cut, at a whole character, by the clipping. */
static void format(char *out, size_t size, const char *fmt, va_list ap)
{
    if (vsnprintf(out, size, fmt, ap) < 0)
        out[0] = '\0';
}

int area_printf(struct area a, int x, int y, unsigned style, const char *fmt, ...)
{
    char text[4096];
    va_list ap;
    va_start(ap, fmt);
    format(text, sizeof text, fmt, ap);
    va_end(ap);
    return area_text(a, x, y, style, text);
}

int area_printfr(struct area a, int right, int y, unsigned style, const char *fmt, ...)
{
    char text[4096];
    va_list ap;
    va_start(ap, fmt);
    format(text, sizeof text, fmt, ap);
    va_end(ap);
    return area_textr(a, right, y, style, text);
}

void area_hline(struct area a, int x, int y, int w, unsigned style, const char *glyph)
{
    if (y < 0 || y >= a.h)
        return;
    char cluster[9];
    int width = take_cluster(&glyph, cluster);
    for (int i = MAX(x, 0); i < x + w && i < a.w; i++)
        draw_cluster(a, i, y, width == 1 ? cluster : " ", 1, style);
}

void area_fill(struct area a, unsigned style, const char *glyph)
{
    for (int y = 0; y < a.h; y++)
        area_hline(a, 0, y, a.w, style, glyph);
}

void area_clear(struct area a)
{
    area_fill(a, ROLE_TEXT, " ");
}

void area_select(struct area a, int x, int y, int w)
{
    for (int i = MAX(x, 0); i < x + w && i < a.w && y >= 0 && y < a.h; i++)
        a.c->cells[(a.y + y) * a.c->w + a.x + i].style |= ATTR_SELECTED;
}

void area_restyle(struct area a, int x, int y, int w, unsigned style)
{
    for (int i = MAX(x, 0); i < x + w && i < a.w && y >= 0 && y < a.h; i++)
        a.c->cells[(a.y + y) * a.c->w + a.x + i].style = (uint16_t)style;
}

/* ---- frames ---- */

static void draw_edges(struct area a, unsigned style)
{
    area_hline(a, 0, 0, a.w, style, "─");
    area_hline(a, 0, a.h - 1, a.w, style, "─");
    for (int y = 1; y < a.h - 1; y++) {
        area_text(a, 0, y, style, "│");
        area_text(a, a.w - 1, y, style, "│");
    }
    area_text(a, 0, 0, style, "┌");
    area_text(a, a.w - 1, 0, style, "┐");
    area_text(a, 0, a.h - 1, style, "└");
    area_text(a, a.w - 1, a.h - 1, style, "┘");
}

struct area area_frame(struct area a, const char *title, const char *right, unsigned border, unsigned title_style)
{
    if (a.w < 2 || a.h < 2) {
        area_fill(a, border, " ");
        return (struct area){a.c, a.x, a.y, 0, 0};
    }
    draw_edges(a, border);
    area_clear(area_part(a, 1, 1, a.w - 2, a.h - 2));
    int left_width = title && *title ? canvas_width(title) + 2 : 0;
    int right_width = right && *right ? canvas_width(right) + 2 : 0;
    if (right_width && left_width + right_width + 5 <= a.w) {
        area_text(a, a.w - 2 - right_width, 0, border, " ");
        area_text(a, a.w - 1 - right_width, 0, title_style & ~(unsigned)ATTR_BOLD, right);
        area_text(a, a.w - 3, 0, border, " ");
    }
    if (left_width && a.w >= 6) {
        area_text(a, 2, 0, border, " ");
        int x = area_textw(a, 3, 0, a.w - 6, title_style, title);
        area_text(a, x, 0, border, " ");
    }
    return area_part(a, MIN(2, a.w / 2), 1, MAX(a.w - 4, 0), a.h - 2);
}

struct area area_box(struct area a, const char *title, const char *right, bool focused)
{
    return area_frame(a, title, right, focused ? ROLE_BORDER_FOCUS : ROLE_BORDER,
                      focused ? ROLE_TITLE_FOCUS : ROLE_TITLE);
}
