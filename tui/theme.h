/* theme: what things on the screen mean (roles), and how a theme paints each of them.
 *
 * A pane never names a colour: it draws with a role, and the theme decides. Status colours are never blue or
 * green, because these are the names of the environments; meaning never hangs on colour alone (word, glyph, colour).
 *
 * A theme file, themes/NAME.cfg (libconfig):
 *     name = "dark";
 *     sentence = "For a dark background";
 *     picture = { fg = "#d8dee9"; bg = "#0d1117"; };   # what "default" is in SVG pictures; the terminal keeps its own
 *     ok  = { fg = "default"; };
 *     bad = { fg = 197; bold = true; };                # 0..255, "#rrggbb", or "default"
 * A role that isn't named keeps the look of the built-in theme. Unknown roles and settings are errors. */
#ifndef TUI_THEME_H
#define TUI_THEME_H

#include "core/base.h"

/*        name            word in the file   what it is for */
#define THEME_ROLES(X)                                                                    \
    X(ROLE_TEXT, "text", "plain text")                                                    \
    X(ROLE_DIM, "dim", "units, old values, what matters less")                            \
    X(ROLE_BRIGHT, "bright", "the number that people look for first")                     \
    X(ROLE_TITLE, "title", "title of a pane")                                             \
    X(ROLE_TITLE_FOCUS, "title_focus", "title of the pane that has the keys")             \
    X(ROLE_BORDER, "border", "frame of a pane")                                           \
    X(ROLE_BORDER_FOCUS, "border_focus", "frame of the pane that has the keys")           \
    X(ROLE_HEADER, "header", "the first line of the screen, and table heads")             \
    X(ROLE_OK, "ok", "holds, passed, done")                                               \
    X(ROLE_WARN, "warn", "near a limit")                                                  \
    X(ROLE_BAD, "bad", "failed, over a limit")                                            \
    X(ROLE_UNKNOWN, "unknown", "no value, or one that is too old")                        \
    X(ROLE_RUN, "run", "the step that runs now")                                          \
    X(ROLE_BLUE, "blue", "the environment where production is now")                       \
    X(ROLE_GREEN, "green", "the environment where production goes")                       \
    X(ROLE_GRAPH, "graph", "a curve")                                                     \
    X(ROLE_GRAPH_OLD, "graph_old", "the rehearsal's curve behind the live one")           \
    X(ROLE_THRESHOLD, "threshold", "the line of a limit, and a curve beyond it")          \
    X(ROLE_KEY, "key", "a key that does something now")                                   \
    X(ROLE_KEY_LOCKED, "key_locked", "a key that is locked now, and its words")           \
    X(ROLE_GO, "go", "badge GO")                                                          \
    X(ROLE_HOLD, "hold", "badge HOLD")                                                    \
    X(ROLE_STOP, "stop", "badge STOP")                                                    \
    X(ROLE_ARMED, "armed", "badge ARMED")                                                 \
    X(ROLE_BADGE, "badge", "other badges: REC, REDACT, REHEARSAL, LIVE")                  \
    X(ROLE_FROZEN, "frozen", "badges FROZEN and PAST")                                    \
    X(ROLE_DIALOG, "dialog", "text of a dialog")                                          \
    X(ROLE_DIALOG_BORDER, "dialog_border", "frame of a dialog")                           \
    X(ROLE_INPUT, "input", "what a person types")                                         \
    X(ROLE_LOG_TIME, "log_time", "time stamps of the log")                                \
    X(ROLE_SELECTION, "selection", "the selected row")                                    \
    X(ROLE_UNDO, "undo", "what going back costs, and the point of no return")

enum role {
#define X(name, word, sentence) name,
    THEME_ROLES(X)
#undef X
    ROLE_COUNT
};
const char *role_word(enum role role);
const char *role_sentence(enum role role);

/* A style is a role with attributes or-ed in: ROLE_TEXT | ATTR_BOLD. Attributes add to those of the theme. */
enum {
    ATTR_BOLD = 0x100,
    ATTR_DIM = 0x200,
    ATTR_REVERSE = 0x400,
    ATTR_UNDERLINE = 0x800,
    ATTR_SELECTED = 0x1000, /* the background and attributes of ROLE_SELECTION on top of the role's own colour */
    ATTR_MASK = 0x1f00
};

/* A colour: COLOUR_DEFAULT, 0..255 of the xterm palette, or COLOUR_RGB | 0xrrggbb. */
enum { COLOUR_DEFAULT = -1, COLOUR_RGB = 0x1000000 };

struct look {
    int fg, bg;
    unsigned attrs; /* ATTR_* */
};

struct theme {
    char name[32];
    char sentence[96];
    int picture_fg, picture_bg; /* what "default" is in an SVG */
    struct look role[ROLE_COUNT];
};

/* How a style looks: the role's look with the style's attributes (ATTR_SELECTED resolved). */
struct look theme_look(const struct theme *t, unsigned style);

/* The theme that is compiled in ("dark"): needs no file and never fails. */
void theme_builtin(struct theme *t);

/* Loads NAME, or a path (a name with a slash). Looks in ./themes, $CUTOVER_THEMES, $XDG_CONFIG_HOME/cutover/themes
 * (~/.config/cutover/themes) and CUTOVER_DATADIR/themes, in this order. False: *t is the built-in theme and err says
 * what is wrong: each mistake as `file:line: sentence`, all of them, one per line. */
bool theme_load(struct theme *t, const char *name, struct err *err);

/* The same for a text in memory; `file` stands in the messages. */
bool theme_parse(struct theme *t, const char *file, const char *text, struct err *err);

/* The name to load: $NO_COLOR (set and not empty) makes it "mono"; else `wanted`, else "dark". */
const char *theme_choose(const char *wanted);

/* The names that theme_load would find, sorted, each once, one per line; "dark" is always there. */
void theme_names(struct buf *out);

/* The r, g, b (0xrrggbb) of a colour; `otherwise` for COLOUR_DEFAULT. */
int theme_rgb(int colour, int otherwise);
/* The nearest colour in a palette of 256, 16 or 8; COLOUR_DEFAULT stays. */
int theme_nearest(int colour, int palette);

#endif
