/* A canvas as a picture. Box drawing, blocks and braille are drawn as geometry on the grid, so that lines join and dots
 * stand evenly whatever the font does; everything else is text in DejaVu Sans Mono. */
#include "tui/canvas.h"

#include <stdio.h>
#include <string.h>

/* With this size of letter a column of DejaVu Sans Mono is 9.00 wide. */
enum { CELL_W = 9, CELL_H = 19, MARGIN = 12 };
#define LETTER "14.95px"

struct picture {
    const struct canvas *c;
    const struct theme *t;
    struct buf *out;
};

static struct look look_at(const struct picture *p, int x, int y)
{
    struct look look = theme_look(p->t, canvas_at(p->c, x, y)->style);
    look.fg = theme_rgb(look.fg, p->t->picture_fg & 0xffffff);
    look.bg = theme_rgb(look.bg, p->t->picture_bg & 0xffffff);
    if (look.attrs & ATTR_REVERSE) {
        int fg = look.fg;
        look.fg = look.bg;
        look.bg = fg;
    }
    return look;
}

static bool is_same(struct look a, struct look b)
{
    return a.fg == b.fg && a.bg == b.bg && a.attrs == b.attrs;
}

static uint32_t code_at(const struct picture *p, int x, int y)
{
    const char *s = canvas_glyph(p->c, canvas_at(p->c, x, y));
    return *s ? canvas_decode(&s) : ' ';
}

/* Which half-lines a box drawing character has: 1 left, 2 right, 4 up, 8 down. 0: isn't drawn as lines. */
static int arms_of(uint32_t cp)
{
    static const struct {
        uint16_t cp;
        uint8_t arms;
    } table[] = {{0x2500, 3},  {0x2502, 12}, {0x250c, 10}, {0x2510, 9}, {0x2514, 6}, {0x2518, 5},
                 {0x251c, 14}, {0x2524, 13}, {0x252c, 11}, {0x2534, 7}, {0x253c, 15}, {0x256d, 10},
                 {0x256e, 9},  {0x256f, 5},  {0x2570, 6},  {0x2574, 1}, {0x2575, 4}, {0x2576, 2}, {0x2577, 8}};
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].cp == cp)
            return table[i].arms;
    return 0;
}

static bool is_block(uint32_t cp)
{
    return cp >= 0x2580 && cp <= 0x2593;
}

static bool is_braille(uint32_t cp)
{
    return cp >= 0x2800 && cp < 0x2900;
}

static bool is_geometry(uint32_t cp)
{
    return arms_of(cp) || is_block(cp) || is_braille(cp);
}

static void add_rect(struct picture *p, double x, double y, double w, double h, int rgb, double opacity)
{
    buf_printf(p->out, "<rect x=\"%g\" y=\"%g\" width=\"%g\" height=\"%g\" fill=\"#%06x\"", x, y, w, h, (unsigned)rgb);
    if (opacity < 1)
        buf_printf(p->out, " opacity=\"%g\"", opacity);
    buf_puts(p->out, "/>\n");
}

static void draw_arms(struct picture *p, int arms, double x, double y)
{
    double mx = x + CELL_W / 2.0, my = y + CELL_H / 2.0;
    double from_x = arms & 1 ? x : mx, to_x = arms & 2 ? x + CELL_W : mx;
    double from_y = arms & 4 ? y : my, to_y = arms & 8 ? y + CELL_H : my;
    if (arms & 3)
        buf_printf(p->out, "M%g %gH%g", from_x, my, to_x);
    if (arms & 12)
        buf_printf(p->out, "M%g %gV%g", mx, from_y, to_y);
}

/* Dots are segments without length; round caps make them dots. */
static void draw_dots(struct picture *p, uint32_t cp, double x, double y)
{
    static const uint8_t column[8] = {0, 0, 0, 1, 1, 1, 0, 1}, row[8] = {0, 1, 2, 0, 1, 2, 3, 3};
    for (int i = 0; i < 8; i++)
        if (cp >> i & 1)
            buf_printf(p->out, "M%g %gh0", x + CELL_W * (2 * column[i] + 1) / 4.0, y + CELL_H * (2 * row[i] + 1) / 8.0);
}

static void draw_block(struct picture *p, uint32_t cp, double x, double y, int rgb)
{
    if (cp == 0x2580)
        add_rect(p, x, y, CELL_W, CELL_H / 2.0, rgb, 1);
    else if (cp <= 0x2588)
        add_rect(p, x, y + CELL_H * (0x2588 - (int)cp) / 8.0, CELL_W, CELL_H * ((int)cp - 0x2580) / 8.0, rgb, 1);
    else if (cp <= 0x258f)
        add_rect(p, x, y, CELL_W * (0x2590 - (int)cp) / 8.0, CELL_H, rgb, 1);
    else if (cp == 0x2590)
        add_rect(p, x + CELL_W / 2.0, y, CELL_W / 2.0, CELL_H, rgb, 1);
    else
        add_rect(p, x, y, CELL_W, CELL_H, rgb, ((int)cp - 0x2590) / 4.0);
}

/* All the lines, or all the dots, of a run of one look become one path. */
static void draw_path(struct picture *p, int from, int to, int y, struct look look, bool dots)
{
    bool open = false;
    for (int x = from; x < to; x++) {
        uint32_t cp = code_at(p, x, y);
        int arms = dots ? 0 : arms_of(cp);
        if (!(dots ? is_braille(cp) && cp != 0x2800 : arms != 0))
            continue;
        if (!open)
            buf_printf(p->out, "<path class=\"%s\" stroke=\"#%06x\"%s d=\"", dots ? "d" : "l", (unsigned)look.fg,
                       look.attrs & ATTR_DIM ? " opacity=\".6\"" : "");
        open = true;
        if (dots)
            draw_dots(p, cp, MARGIN + x * CELL_W, MARGIN + y * CELL_H);
        else
            draw_arms(p, arms, MARGIN + x * CELL_W, MARGIN + y * CELL_H);
    }
    if (open)
        buf_puts(p->out, "\"/>\n");
}

static void add_escaped(struct buf *out, const char *s)
{
    if (*s == '<' || *s == '&' || *s == '>')
        buf_puts(out, *s == '<' ? "&lt;" : *s == '&' ? "&amp;" : "&gt;");
    else
        buf_puts(out, s);
}

/* Each word stands at its own column, so that a font with another width can't make the line slide. */
static void draw_words(struct picture *p, int from, int to, int y, struct look look)
{
    bool open = false;
    for (int x = from; x <= to; x++) {
        uint32_t cp = x < to ? code_at(p, x, y) : ' ';
        bool letter = cp != ' ' && !is_geometry(cp), half = x < to && canvas_at(p->c, x, y)->width == 0;
        if (open && !letter && !half) {
            buf_puts(p->out, "</text>\n");
            open = false;
        }
        if (letter && !open) {
            buf_printf(p->out, "<text x=\"%d\" y=\"%d\" fill=\"#%06x\"%s%s>", MARGIN + x * CELL_W,
                       MARGIN + y * CELL_H + 14, (unsigned)look.fg, look.attrs & ATTR_BOLD ? " class=\"b\"" : "",
                       look.attrs & ATTR_DIM ? " opacity=\".6\"" : "");
            open = true;
        }
        if (letter)
            add_escaped(p->out, canvas_glyph(p->c, canvas_at(p->c, x, y)));
    }
}

static void draw_run(struct picture *p, int from, int to, int y)
{
    struct look look = look_at(p, from, y);
    int left = MARGIN + from * CELL_W, top = MARGIN + y * CELL_H, width = (to - from) * CELL_W;
    if (look.bg != (p->t->picture_bg & 0xffffff))
        add_rect(p, left, top, width, CELL_H, look.bg, 1);
    for (int x = from; x < to; x++)
        if (is_block(code_at(p, x, y)))
            draw_block(p, code_at(p, x, y), MARGIN + x * CELL_W, top, look.fg);
    draw_path(p, from, to, y, look, false);
    draw_path(p, from, to, y, look, true);
    draw_words(p, from, to, y, look);
    if (look.attrs & ATTR_UNDERLINE)
        add_rect(p, left, top + CELL_H - 2.5, width, 1, look.fg, 1);
}

static void draw_row(struct picture *p, int y)
{
    for (int x = 0, to; x < p->c->w; x = to) {
        for (to = x + 1; to < p->c->w && is_same(look_at(p, x, y), look_at(p, to, y));)
            to++;
        draw_run(p, x, to, y);
    }
}

void canvas_svg(const struct canvas *c, const struct theme *t, struct buf *out)
{
    struct picture p = {c, t, out};
    int w = c->w * CELL_W + 2 * MARGIN, h = c->h * CELL_H + 2 * MARGIN;
    buf_printf(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n"
               "<style>text{font:" LETTER " 'DejaVu Sans Mono',monospace;white-space:pre}.b{font-weight:bold}"
               ".l{fill:none;stroke-width:1.2;stroke-linecap:square}.d{fill:none;stroke-width:2.9;stroke-linecap:round}"
               "</style>\n<rect width=\"%d\" height=\"%d\" rx=\"8\" fill=\"#%06x\"/>\n",
               w, h, w, h, w, h, (unsigned)(t->picture_bg & 0xffffff));
    for (int y = 0; y < c->h; y++)
        draw_row(&p, y);
    buf_puts(out, "</svg>\n");
}
