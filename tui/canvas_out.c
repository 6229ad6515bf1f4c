/* The way out of a canvas as text: plain, with escape sequences, and the ASCII for each of our glyphs. */
#include "tui/canvas.h"

#include <string.h>

/* ---- ASCII: one cell for one cell, so that no pane needs to know ---- */

static const char *box_in_ascii(uint32_t cp)
{
    static const uint8_t flat[] = {0x00, 0x01, 0x04, 0x05, 0x08, 0x09, 0x4c, 0x4d, 0x74, 0x76, 0x78, 0x7a, 0x7c, 0x7e};
    static const uint8_t upright[] = {0x02, 0x03, 0x06, 0x07, 0x0a, 0x0b, 0x4e, 0x4f,
                                      0x51, 0x75, 0x77, 0x79, 0x7b, 0x7d, 0x7f};
    int low = (int)(cp & 0xff);
    if (memchr(flat, low, sizeof flat))
        return "-";
    if (memchr(upright, low, sizeof upright))
        return "|";
    return low == 0x50 ? "=" : "+";
}

static const char *block_in_ascii(uint32_t cp)
{
    static const char *const ramp[] = {"_", ".", ":", "-", "=", "+", "*", "#"};
    if (cp >= 0x2581 && cp <= 0x2588)
        return ramp[cp - 0x2581];
    if (cp == 0x2591)
        return ".";
    return cp == 0x2592 ? ":" : cp >= 0x258d && cp <= 0x258f ? "|" : "#";
}

static const char *braille_in_ascii(uint32_t cp)
{
    static const char *const by_dots[] = {" ", ".", ".", ":", ":", ":", "#", "#", "#"};
    return by_dots[__builtin_popcount(cp & 0xff)];
}

static const struct {
    uint32_t cp;
    const char *ascii;
} others[] = {
    {0x2713, "+"}, {0x2717, "x"}, {0x25cf, "*"}, {0x25cb, "o"}, {0x25b6, ">"}, {0x25b2, "^"}, {0x25bc, "v"},
    {0x25c0, "<"}, {0xb7, "."},   {0x2026, "~"}, {0x2192, ">"}, {0x2190, "<"}, {0x2191, "^"}, {0x2193, "v"},
    {0x23ce, "/"}, {0x2013, "-"}, {0x2014, "-"}, {0x2212, "-"}, {0xd7, "x"},   {0x2265, ">"}, {0x2264, "<"},
    {0xb5, "u"},   {0xb0, "o"},   {0xa0, " "},   {0x2018, "'"}, {0x2019, "'"}, {0x201c, "\""}, {0x201d, "\""},
};

static const char *in_ascii(uint32_t cp)
{
    if (cp >= 0x2500 && cp < 0x2580)
        return box_in_ascii(cp);
    if (cp >= 0x2580 && cp < 0x25a0)
        return block_in_ascii(cp);
    if (cp >= 0x2800 && cp < 0x2900)
        return braille_in_ascii(cp);
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (others[i].cp == cp)
            return others[i].ascii;
    return "?";
}

const char *canvas_glyph(const struct canvas *c, const struct cell *cell)
{
    if (!c->ascii || !cell->text[0])
        return cell->text;
    if ((unsigned char)cell->text[0] < 0x80)
        return cell->text[1] ? "?" : cell->text;
    const char *p = cell->text;
    const char *ascii = in_ascii(canvas_decode(&p));
    return cell->width == 2 ? "? " : ascii;
}

/* ---- plain ---- */

void canvas_text(const struct canvas *c, struct buf *out)
{
    for (int y = 0; y < c->h; y++) {
        size_t end = out->len;
        for (int x = 0; x < c->w; x++) {
            const char *glyph = canvas_glyph(c, canvas_at(c, x, y));
            buf_puts(out, glyph);
            if (*glyph && strcmp(glyph, " ") != 0)
                end = out->len;
        }
        out->len = end;
        buf_puts(out, "\n");
    }
}

/* ---- ANSI ---- */

static void add_colour(struct buf *out, int colour, int palette, int base)
{
    colour = theme_nearest(colour, palette);
    if (colour == COLOUR_DEFAULT)
        return;
    if (colour < 8)
        buf_printf(out, ";%d", base + colour);
    else if (colour < 16)
        buf_printf(out, ";%d", base + 52 + colour);
    else
        buf_printf(out, ";%d;5;%d", base + 8, colour);
}

static void add_look(struct buf *out, struct look look, int palette)
{
    static const char *const codes[] = {";1", ";2", ";7", ";4"};
    buf_puts(out, "\033[0");
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (look.attrs & (unsigned)ATTR_BOLD << i)
            buf_puts(out, codes[i]);
    add_colour(out, look.fg, palette, 30);
    add_colour(out, look.bg, palette, 40);
    buf_puts(out, "m");
}

void canvas_ansi(const struct canvas *c, const struct theme *t, int palette, struct buf *out)
{
    for (int y = 0; y < c->h; y++) {
        unsigned style = ROLE_COUNT;
        for (int x = 0; x < c->w; x++) {
            const struct cell *cell = canvas_at(c, x, y);
            if (cell->width && cell->style != style)
                add_look(out, theme_look(t, style = cell->style), palette);
            buf_puts(out, canvas_glyph(c, cell));
        }
        buf_puts(out, "\033[0m\n");
    }
}
