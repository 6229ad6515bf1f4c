/* attach: the live screen. It follows the engine's socket (core/wire.h), folds what comes, and sends orders. The run does
 * not live here: when this process dies nothing changes, and when the engine goes away the picture stays, grows old
 * before everyone's eyes, and the socket is tried again each second. */
#ifndef TUI_ATTACH_H
#define TUI_ATTACH_H

#include <stdbool.h>

struct attach_options {
    const char *theme;       /* NULL: dark, or mono with $NO_COLOR */
    bool ascii;
    bool observer;           /* only watches */
    const char *frames_path; /* where each plain frame is appended: "seq now_ms width height\n" and its rows; NULL */
};
/* Returns the exit status: 0; 1 when there is no usable terminal; 2 when no engine listens there. */
/* The screen was left behind the end of its run. */
#define ATTACH_RUN_OVER 10

int attach_main(const char *socket_path, const struct attach_options *options);

#endif
