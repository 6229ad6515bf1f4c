/* tty: the lower half of the screen, without curses: the terminal's file, its line settings, a queue of bytes that
 * goes out without ever blocking, and bytes in that become keys. Only screen uses it; one terminal per process. */
#ifndef TUI_TTY_H
#define TUI_TTY_H

#include "core/base.h"
#include "tui/key.h"

bool tty_open(struct err *err); /* a file of its own on the terminal, non-blocking, so that nobody else's flags change */
void tty_close(void);
int tty_fd(void);
bool tty_size(int *w, int *h); /* 80x24 when the terminal doesn't know; cut to 1000x1000 */

/* Line settings: keys one by one and unechoed, no flow control, Ctrl-C and Ctrl-Z still signals; and as they were.
 * Cooking throws away keys typed ahead: they were meant for the cockpit, the shell must not run them. */
void tty_make_raw(void);
void tty_make_cooked(void);
bool tty_is_raw(void);

/* The queue. tty_flush writes what the terminal takes now; false: it has hung up. */
void tty_send(const char *bytes, size_t len);
void tty_puts(const char *text);
bool tty_waits(void);
bool tty_flush(void);
void tty_flush_within(int ms); /* waits for it, but not longer */
bool tty_gone(void);

/* As screen_key and screen_key_timeout. */
bool tty_key(struct key *k);
int tty_key_timeout(void);

void tty_count(int64_t *writes, int64_t *bytes);

#endif
