/* screen: from canvas to terminal, and keys in. The only file that knows curses; one screen per process.
 *
 * curses writes into memory; each frame goes out with one non-blocking write. While the last frame isn't out, new ones
 * are dropped, so a stalled terminal never stops the program. The caller's loop polls screen_fd() for input, and for
 * output while screen_wants_write(); when anything says false or screen_gone(), the terminal has hung up: end.
 *
 * Signals belong to the caller (curses' own handlers are put back): SIGWINCH -> screen_resized(), SIGTSTP ->
 * screen_suspend(), SIGCONT -> screen_continued(), SIGINT (Ctrl-C, as ISIG stays on) as it likes. */
#ifndef TUI_SCREEN_H
#define TUI_SCREEN_H

#include "tui/canvas.h"
#include "tui/key.h"

struct screen_options {
    bool ascii;      /* ask for ASCII; chosen by itself too, see screen_ascii() */
    bool mouse;      /* report the wheel; text selection then needs Shift */
    int palette;     /* 0: by the terminal; else the most colours to use (8, 16, 256; 1: none) */
};

/* False: no terminal, TERM=dumb, or no entry for it: err says what to do (a line mode is the answer). */
bool screen_open(const struct screen_options *o, struct err *err);
void screen_close(void); /* may be called twice, and from die_hook */

/* True when glyphs must be ASCII: asked for, the locale isn't UTF-8, or TERM is linux or vt*. Set canvas.ascii by it. */
bool screen_ascii(void);
int screen_palette(void); /* 256, 16, 8 or 0 */
void screen_size(int *w, int *h);
bool screen_resized(void); /* asks the terminal; true when the size has changed */

bool screen_draw(const struct canvas *c, const struct theme *t);
void screen_repaint(void);            /* the next frame is sent whole (Ctrl-L) */
void screen_cursor(int x, int y);     /* shows the cursor from the next frame on; x < 0 hides it */
void screen_title(const char *title); /* of the window; controls are dropped */
void screen_copy(const char *text);   /* into the clipboard by OSC 52 */

int screen_fd(void);
bool screen_wants_write(void);
bool screen_flush(void); /* when screen_fd() takes output: goes on with a frame that was cut */
bool screen_gone(void);  /* true once the terminal has hung up */

/* The next key that waits; false when there is none. Call until false. An Esc that may begin a sequence is held back
 * for 25 ms: call again after screen_key_timeout() milliseconds (-1: nothing is held back). */
bool screen_key(struct key *k);
int screen_key_timeout(void);

/* Ctrl-Z: gives the terminal back, stops the process, and takes the terminal again when it goes on. */
void screen_suspend(void);
/* After SIGCONT from elsewhere: takes the terminal again. Harmless when nothing had stopped. */
void screen_continued(void);
/* Around a child that gets the terminal (:shell). */
void screen_leave(void);
void screen_return(void);

struct screen_cost {
    int64_t frames, dropped, writes, bytes; /* of this process so far; bytes include what waits */
};
struct screen_cost screen_cost(void);

/* Keys closer together than this (key.at_us) didn't come from a finger. */
#define SCREEN_BURST_US 5000

#endif
