#include "tui/screen.h"

#include "tui/tty.h"

#include <curses.h>

#include <errno.h>
#include <langinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wchar.h>

enum { PAIRS = 240, SYNC_FROM = 4096, LEAVE_WITHIN = 500 };

static struct {
    bool open, left, ascii, mouse, sync;
    int memory; /* where curses writes */
    FILE *memory_file;
    SCREEN *curses;
    int w, h, palette;
    int cursor_x, cursor_y;
    struct {
        int fg, bg;
    } pair[PAIRS];
    int pairs;
    int64_t frames, dropped;
} s = {.memory = -1, .cursor_x = -1};

/* ---- out ---- */

bool screen_wants_write(void)
{
    return tty_waits();
}

bool screen_gone(void)
{
    return tty_gone();
}

bool screen_flush(void)
{
    return tty_flush();
}

int screen_fd(void)
{
    return tty_fd();
}

static void empty_memory(void)
{
    if (ftruncate(s.memory, 0) != 0)
        die("the frame's memory file can't be emptied");
    lseek(s.memory, 0, SEEK_SET);
}

/* Moves what curses has written into the queue. A large frame is shown at once by terminals that know how. */
static void collect(void)
{
    fflush(s.memory_file);
    off_t size = lseek(s.memory, 0, SEEK_END);
    if (size <= 0)
        return;
    bool sync = s.sync && size >= SYNC_FROM;
    if (sync)
        tty_puts("\033[?2026h");
    char part[8192];
    for (off_t at = 0; at < size;) {
        ssize_t n = pread(s.memory, part, sizeof part, at);
        if (n <= 0)
            break;
        tty_send(part, (size_t)n);
        at += n;
    }
    if (sync)
        tty_puts("\033[?2026l");
    empty_memory();
}

/* ---- opening ---- */

static bool has_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* Direct-colour entries read a palette number as red, green and blue: their plain sister is what we want. */
static SCREEN *try_terminal(const char *term)
{
    char name[128];
    size_t len = copy_text(name, sizeof name, term);
    if (len >= 7 && len < sizeof name - 8 && strcmp(name + len - 7, "-direct") == 0)
        strcpy(name + len - 7, "-256color");
    SCREEN *got = newterm(name, s.memory_file, stdin);
    if (!got && (strncmp(term, "xterm", 5) == 0 || getenv("COLORTERM")))
        got = newterm("xterm-256color", s.memory_file, stdin);
    return got;
}

/* curses installs handlers that would write into its own memory and exit: the caller's are put back. */
static SCREEN *start_curses(const char *term)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
    struct sigaction old[ARRAY_LEN(signals)];
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        sigaction(signals[i], NULL, &old[i]);
    SCREEN *got = try_terminal(term);
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        sigaction(signals[i], &old[i], NULL);
    return got;
}

static void start_colours(int most)
{
    s.palette = 0;
    if (most == 1 || !has_colors() || start_color() == ERR)
        return;
    use_default_colors();
    int have = COLORS >= 256 ? 256 : COLORS >= 16 ? 16 : COLORS >= 8 ? 8 : 0;
    s.palette = most >= 8 ? MIN(most >= 256 ? 256 : most >= 16 ? 16 : 8, have) : have;
}

/* tmux before 3.7 ignores synchronised frames, and 3.7 repaints the whole pane at the end of each. */
static bool may_sync(const char *term)
{
    const char *version = getenv("TERM_PROGRAM_VERSION");
    if (strncmp(term, "linux", 5) == 0 || strncmp(term, "vt", 2) == 0 || strncmp(term, "screen", 6) == 0)
        return false;
    if (getenv("TMUX") || strncmp(term, "tmux", 4) == 0)
        return version && strtod(version, NULL) >= 3.8;
    return true;
}

static void enter(void)
{
    tty_make_raw();
    tty_puts("\033[?2004h");
    if (s.mouse)
        tty_puts("\033[?1000h\033[?1006h");
    s.left = false;
}

static void forget(void)
{
    if (s.memory_file)
        fclose(s.memory_file);
    else if (s.memory >= 0)
        close(s.memory);
    s.memory = -1;
    s.memory_file = NULL;
    s.open = false;
    tty_close();
}

static bool open_files(struct err *err)
{
    if (!tty_open(err))
        return false;
    s.memory = memfd_create("frame", MFD_CLOEXEC);
    s.memory_file = s.memory < 0 ? NULL : fdopen(s.memory, "w+");
    return s.memory_file || err_set(err, "No memory file for the picture: %s.", strerror(errno));
}

bool screen_open(const struct screen_options *o, struct err *err)
{
    const char *term = getenv("TERM");
    term = term ? term : "";
    if (strcmp(term, "dumb") == 0)
        return err_set(err, "TERM is \"dumb\": the cockpit needs a terminal that can move its cursor; "
                            "cutover run PLAN prints a line per change instead.");
    s.pairs = 1;
    s.cursor_x = -1;
    s.w = s.h = 0;
    if (!open_files(err) || !(s.curses = start_curses(term))) {
        if (s.memory_file)
            err_set(err, "The terminal type TERM=\"%s\" is unknown here: set TERM=xterm-256color.", term);
        forget();
        return false;
    }
    s.ascii = o->ascii || !has_utf8() || strncmp(term, "linux", 5) == 0 || strncmp(term, "vt", 2) == 0;
    s.mouse = o->mouse;
    s.sync = may_sync(term);
    start_colours(o->palette);
    nonl();
    typeahead(-1);
    curs_set(0);
    s.open = true;
    enter();
    screen_resized();
    return true;
}

bool screen_ascii(void)
{
    return s.ascii;
}

int screen_palette(void)
{
    return s.palette;
}

void screen_size(int *w, int *h)
{
    *w = s.w;
    *h = s.h;
}

bool screen_resized(void)
{
    int w, h;
    if (!s.open || !tty_size(&w, &h))
        return false;
    if (w == s.w && h == s.h)
        return false;
    resizeterm(h, w);
    s.w = w;
    s.h = h;
    clearok(curscr, TRUE); /* What the terminal made of its old contents is unknown. */
    return true;
}

/* ---- drawing ---- */

static short choose_pair(int fg, int bg)
{
    if (fg == COLOUR_DEFAULT && bg == COLOUR_DEFAULT)
        return 0;
    for (int i = 1; i < s.pairs; i++)
        if (s.pair[i].fg == fg && s.pair[i].bg == bg)
            return (short)i;
    if (s.pairs >= PAIRS || s.pairs >= COLOR_PAIRS)
        return 0;
    s.pair[s.pairs].fg = fg;
    s.pair[s.pairs].bg = bg;
    init_pair((short)s.pairs, (short)fg, (short)bg);
    return (short)s.pairs++;
}

struct paint {
    attr_t attrs;
    short pair;
};

static struct paint mix(const struct theme *t, unsigned style)
{
    struct look look = theme_look(t, style);
    struct paint p = {A_NORMAL, choose_pair(theme_nearest(look.fg, s.palette), theme_nearest(look.bg, s.palette))};
    p.attrs |= look.attrs & ATTR_BOLD ? A_BOLD : 0;
    p.attrs |= look.attrs & ATTR_DIM ? A_DIM : 0;
    p.attrs |= look.attrs & ATTR_UNDERLINE ? A_UNDERLINE : 0;
    bool badge = s.palette == 0 && look.bg != COLOUR_DEFAULT; /* A ground without colours is reverse. */
    p.attrs |= look.attrs & ATTR_REVERSE || badge ? A_REVERSE : 0;
    return p;
}

static void paint_row(const struct canvas *c, const struct theme *t, int y)
{
    cchar_t row[1001];
    int n = 0;
    unsigned style = ~0u;
    struct paint p = {0};
    for (int x = 0; x < c->w && x < s.w; x++) {
        const struct cell *cell = canvas_at(c, x, y);
        if (cell->width == 0)
            continue;
        if (cell->style != style)
            p = mix(t, style = cell->style);
        const char *glyph = cell->width == 2 && x + 1 >= s.w ? " " : canvas_glyph(c, cell);
        wchar_t text[4] = {0};
        for (int i = 0; *glyph && i < (cell->width == 2 && c->ascii ? 1 : 2); i++)
            text[i] = (wchar_t)canvas_decode(&glyph);
        setcchar(&row[n++], text, p.attrs, p.pair, NULL);
        if (cell->width == 2 && c->ascii)
            setcchar(&row[n++], L" ", p.attrs, p.pair, NULL);
    }
    mvadd_wchnstr(y, 0, row, n);
}

bool screen_draw(const struct canvas *c, const struct theme *t)
{
    if (!s.open || s.left || !tty_flush())
        return !tty_gone();
    if (tty_waits()) {
        s.dropped++;
        return true;
    }
    erase();
    for (int y = 0; y < c->h && y < s.h; y++)
        paint_row(c, t, y);
    curs_set(s.cursor_x >= 0);
    if (s.cursor_x >= 0)
        move(MIN(s.cursor_y, s.h - 1), MIN(s.cursor_x, s.w - 1));
    wnoutrefresh(stdscr);
    doupdate();
    collect();
    s.frames++;
    return screen_flush();
}

void screen_repaint(void)
{
    if (s.open)
        clearok(curscr, TRUE);
}

void screen_cursor(int x, int y)
{
    s.cursor_x = x;
    s.cursor_y = MAX(y, 0);
}

void screen_title(const char *title)
{
    if (!s.open || s.left || strncmp(termname(), "linux", 5) == 0 || strncmp(termname(), "vt", 2) == 0)
        return;
    tty_puts("\033]2;");
    for (int n = 0; *title && n < 120; n++) {
        const char *from = title;
        uint32_t cp = canvas_decode(&title);
        if (cp >= 0x20 && (cp < 0x7f || cp >= 0xa0) && cp != 0xfffd && cp < 0xe0000) {
            tty_send(from, (size_t)(title - from));
        }
    }
    tty_puts("\033\\");
    screen_flush();
}

void screen_copy(const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = MIN(strlen(text), (size_t)4096);
    if (!s.open || s.left)
        return;
    tty_puts("\033]52;c;");
    for (size_t i = 0; i < len; i += 3) {
        unsigned a = (unsigned char)text[i], b = i + 1 < len ? (unsigned char)text[i + 1] : 0;
        unsigned d = i + 2 < len ? (unsigned char)text[i + 2] : 0, bits = a << 16 | b << 8 | d;
        char four[5] = {digits[bits >> 18], digits[bits >> 12 & 63], i + 1 < len ? digits[bits >> 6 & 63] : '=',
                        i + 2 < len ? digits[bits & 63] : '=', 0};
        tty_puts(four);
    }
    tty_puts("\033\\");
    screen_flush();
}

struct screen_cost screen_cost(void)
{
    struct screen_cost cost = {.frames = s.frames, .dropped = s.dropped};
    tty_count(&cost.writes, &cost.bytes);
    return cost;
}

bool screen_key(struct key *k)
{
    return s.open && !s.left && tty_key(k);
}

int screen_key_timeout(void)
{
    return tty_key_timeout();
}

/* ---- leaving and coming back ---- */

/* Modes first, then the cooked line: the guardian takes a cooked terminal for a clean one. */
void screen_leave(void)
{
    if (!s.open || s.left)
        return;
    if (s.mouse)
        tty_puts("\033[?1006l\033[?1000l");
    tty_puts("\033[?2004l");
    endwin();
    collect();
    tty_flush_within(LEAVE_WITHIN);
    tty_make_cooked();
    s.left = true;
}

void screen_return(void)
{
    if (!s.open)
        return;
    if (!s.left) { /* Somebody else gave the terminal back: curses must enter its screen anew. */
        endwin();
        fflush(s.memory_file);
        empty_memory();
    }
    enter();
    screen_resized();
    clearok(curscr, TRUE);
}

void screen_continued(void)
{
    if (s.open && (s.left || !tty_is_raw()))
        screen_return();
}

void screen_suspend(void)
{
    struct sigaction plain = {.sa_handler = SIG_DFL}, old;
    sigset_t stop, mask;
    screen_leave();
    sigaction(SIGTSTP, &plain, &old);
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &stop, &mask);
    raise(SIGTSTP);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    sigaction(SIGTSTP, &old, NULL);
    screen_return();
}

void screen_close(void)
{
    if (!s.open)
        return;
    screen_leave();
    delscreen(s.curses);
    forget();
}
