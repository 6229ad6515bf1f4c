/* cockpit: a ui on a terminal, in one loop: keys in, frames out, signals, resizes. What is shown comes from its owner: the
 * engine's socket (attach) or a file (replay).
 *
 * It draws when something changed, and at each full second for ages and clock: at most 4 times a second, so that figures
 * stay long enough to be read, but 20 times while a step runs or a hand is at the keys. */
#ifndef TUI_COCKPIT_H
#define TUI_COCKPIT_H

#include <uv.h>

#include "core/task.h"
#include "tui/frame.h"

struct cockpit_options {
    const char *theme; /* NULL: dark */
    bool ascii;
};

struct cockpit {
    uv_loop_t loop;
    struct ui ui;
    struct canvas canvas;
    struct theme theme;
    /* The owner's. look: before each frame, calls frame_look (it may show nothing yet). typed: after keys. drawn: behind a frame. */
    void (*look)(struct cockpit *c, int64_t wall);
    void (*typed)(struct cockpit *c);
    void (*drawn)(struct cockpit *c);
    void *owner;
    bool lively;      /* draws 20 times a second without being touched */

    struct task_watch *terminal;
    struct task_timer *frame, *keys;
    uv_signal_t signal[6];
    bool over, dirty, writing;
    int64_t drawn_at, key_at; /* clock_mono */
};

/* `c` is zeroed. False: no terminal that can be used. */
bool cockpit_open(struct cockpit *c, const struct cockpit_options *o, struct err *err);
void cockpit_touch(struct cockpit *c);
void cockpit_end(struct cockpit *c); /* the loop ends when the owner's handles are closed too */
void cockpit_run(struct cockpit *c);
void cockpit_close(struct cockpit *c);

#endif
