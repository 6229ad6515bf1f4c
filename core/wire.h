/* wire: one unix socket (0600) between the engine and its screens. Down: journal lines, first all of the run so far, then
 * each as it is recorded; before them one line {"you":{"id":3,"role":"operator"}}. Up: orders, one JSON object per line:
 *   {"order":"run","step":"switch","typed":"switch"}   undo, abort, skip (reason), decide (decision, reason), pause,
 *   continue, note (text), check (key or "" for all), attest (check, text), role, stop
 * The engine decides alone; what it refuses becomes the event order_refused. A slow screen never holds the run: what it
 * doesn't read is kept up to a bound, then it is cut off (it attaches again and reads the journal anew).
 * Who is at the other end is asked of the kernel: SO_PEERCRED, unix(7). */
#ifndef CORE_WIRE_H
#define CORE_WIRE_H

#include "core/base.h"
#include <uv.h>

struct order { /* strings are borrowed for the call; missing ones are "" */
    const char *order, *step, *typed, *reason, *decision, *check, *text, *role;
    const char *user; /* login name of the peer, by its uid */
    int64_t screen;   /* id */
};

struct wire;
struct wire_calls {
    void (*joined)(void *arg, int64_t id, const char *user, const char *tty, bool observer);
    void (*left)(void *arg, int64_t id, const char *user);
    void (*ordered)(void *arg, const struct order *order);
    /* the backlog for a new screen: everything that was recorded so far */
    const char *(*backlog)(void *arg, size_t *len);
    void *arg;
};
struct wire *wire_listen(uv_loop_t *loop, const char *path, const struct wire_calls *calls, struct err *err);
void wire_send(struct wire *w, const char *line, size_t len); /* to every screen */
void wire_set_role(struct wire *w, int64_t id, const char *role);
int wire_screens(const struct wire *w);
void wire_close(struct wire *w); /* unlinks the socket; memory goes with the loop's last callbacks */

#endif
