#include "tui/theme.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[] = {
#define X(name, word, sentence) [name] = word,
    THEME_ROLES(X)
#undef X
};
static const char *const sentences[] = {
#define X(name, word, sentence) [name] = sentence,
    THEME_ROLES(X)
#undef X
};

const char *role_word(enum role role)
{
    return words[role];
}

const char *role_sentence(enum role role)
{
    return sentences[role];
}

/* Mauve is the accent, because it is none of the four hues that carry a meaning here: blue, green, yellow, red. */
static const struct look dark[ROLE_COUNT] = {
    [ROLE_TEXT] = {COLOUR_DEFAULT, COLOUR_DEFAULT, 0},
    [ROLE_DIM] = {245, COLOUR_DEFAULT, 0},
    [ROLE_BRIGHT] = {COLOUR_DEFAULT, COLOUR_DEFAULT, ATTR_BOLD},
    [ROLE_TITLE] = {COLOUR_DEFAULT, COLOUR_DEFAULT, 0},
    [ROLE_TITLE_FOCUS] = {183, COLOUR_DEFAULT, ATTR_BOLD},
    [ROLE_BORDER] = {240, COLOUR_DEFAULT, 0},
    [ROLE_BORDER_FOCUS] = {183, COLOUR_DEFAULT, 0},
    [ROLE_HEADER] = {COLOUR_DEFAULT, COLOUR_DEFAULT, ATTR_BOLD},
    [ROLE_OK] = {COLOUR_DEFAULT, COLOUR_DEFAULT, 0},
    [ROLE_WARN] = {220, COLOUR_DEFAULT, 0},
    [ROLE_BAD] = {197, COLOUR_DEFAULT, ATTR_BOLD},
    [ROLE_UNKNOWN] = {245, COLOUR_DEFAULT, 0},
    [ROLE_RUN] = {COLOUR_DEFAULT, COLOUR_DEFAULT, ATTR_BOLD},
    [ROLE_BLUE] = {69, COLOUR_DEFAULT, ATTR_BOLD},
    [ROLE_GREEN] = {156, COLOUR_DEFAULT, ATTR_BOLD},
    [ROLE_GRAPH] = {140, COLOUR_DEFAULT, 0},
    [ROLE_GRAPH_OLD] = {239, COLOUR_DEFAULT, 0},
    [ROLE_THRESHOLD] = {197, COLOUR_DEFAULT, 0},
    [ROLE_KEY] = {183, COLOUR_DEFAULT, ATTR_BOLD},
    [ROLE_KEY_LOCKED] = {242, COLOUR_DEFAULT, 0},
    [ROLE_GO] = {16, 255, ATTR_BOLD},
    [ROLE_HOLD] = {16, 220, ATTR_BOLD},
    [ROLE_STOP] = {231, 161, ATTR_BOLD},
    [ROLE_ARMED] = {16, 208, ATTR_BOLD},
    [ROLE_BADGE] = {252, 238, 0},
    [ROLE_FROZEN] = {16, 183, ATTR_BOLD},
    [ROLE_DIALOG] = {COLOUR_DEFAULT, COLOUR_DEFAULT, 0},
    [ROLE_DIALOG_BORDER] = {183, COLOUR_DEFAULT, ATTR_BOLD},
    [ROLE_INPUT] = {COLOUR_DEFAULT, COLOUR_DEFAULT, ATTR_BOLD | ATTR_UNDERLINE},
    [ROLE_LOG_TIME] = {243, COLOUR_DEFAULT, 0},
    [ROLE_SELECTION] = {COLOUR_DEFAULT, 237, 0},
    [ROLE_UNDO] = {223, COLOUR_DEFAULT, 0},
};

void theme_builtin(struct theme *t)
{
    *t = (struct theme){.name = "dark", .sentence = "For a dark background", .picture_fg = COLOUR_RGB | 0xd0d4dc,
                        .picture_bg = COLOUR_RGB | 0x11141a};
    memcpy(t->role, dark, sizeof dark);
}

struct look theme_look(const struct theme *t, unsigned style)
{
    unsigned role = style & 0xff;
    struct look look = t->role[role < ROLE_COUNT ? role : ROLE_TEXT];
    look.attrs |= style & (ATTR_MASK & ~(unsigned)ATTR_SELECTED);
    if (style & ATTR_SELECTED) {
        const struct look *over = &t->role[ROLE_SELECTION];
        if (look.bg == COLOUR_DEFAULT)
            look.bg = over->bg;
        if (look.fg == COLOUR_DEFAULT)
            look.fg = over->fg;
        look.attrs |= over->attrs;
    }
    return look;
}

/* ---- colours: the palette of xterm, and the way from any colour into a smaller palette ---- */

static const int first16[16] = {0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5,
                                0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff};
static const int ramp[6] = {0, 95, 135, 175, 215, 255};

static int palette_rgb(int i)
{
    if (i < 16)
        return first16[i];
    if (i >= 232)
        return (8 + (i - 232) * 10) * 0x010101;
    i -= 16;
    return ramp[i / 36] << 16 | ramp[i / 6 % 6] << 8 | ramp[i % 6];
}

int theme_rgb(int colour, int otherwise)
{
    if (colour == COLOUR_DEFAULT)
        return otherwise;
    return colour & COLOUR_RGB ? colour & 0xffffff : palette_rgb(colour & 0xff);
}

static int distance(int a, int b)
{
    int r = (a >> 16 & 255) - (b >> 16 & 255), g = (a >> 8 & 255) - (b >> 8 & 255), bl = (a & 255) - (b & 255);
    return 2 * r * r + 4 * g * g + 3 * bl * bl;
}

/* The first 16 are left out: people redefine them. */
static int nearest_of_240(int rgb)
{
    int best = 16;
    for (int i = 17; i < 256; i++)
        if (distance(rgb, palette_rgb(i)) < distance(rgb, palette_rgb(best)))
            best = i;
    return best;
}

/* By hue, not by distance: a pale blue must become blue, not white. Greys become the default, which is readable on
 * any background, where there is no grey. */
static int nearest_by_hue(int rgb, int palette)
{
    int r = rgb >> 16 & 255, g = rgb >> 8 & 255, b = rgb & 255;
    int high = MAX(r, MAX(g, b)), low = MIN(r, MIN(g, b)), middle = (high + low) / 2;
    if (high - low < 40) {
        if (high < 30)
            return 0;
        if (palette == 8)
            return high > 230 ? 7 : COLOUR_DEFAULT;
        return high > 230 ? 15 : high > 160 ? 7 : 8;
    }
    int bits = (r >= middle ? 1 : 0) | (g >= middle ? 2 : 0) | (b >= middle ? 4 : 0);
    return bits | (palette == 16 && high > 200 ? 8 : 0);
}

int theme_nearest(int colour, int palette)
{
    if (colour == COLOUR_DEFAULT || palette < 8)
        return COLOUR_DEFAULT;
    if (palette >= 256)
        return colour & COLOUR_RGB ? nearest_of_240(colour & 0xffffff) : colour;
    if (!(colour & COLOUR_RGB) && colour < palette)
        return colour;
    return nearest_by_hue(theme_rgb(colour, 0), palette < 16 ? 8 : 16);
}

const char *theme_choose(const char *wanted)
{
    const char *no = getenv("NO_COLOR");
    if (no && *no)
        return "mono";
    return wanted && *wanted ? wanted : "dark";
}
