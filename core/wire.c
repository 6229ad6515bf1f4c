#include "core/wire.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/task.h"
#include "core/wire_order.h"
#include "core/wire_peer.h"

#define QUEUE_BOUND (8 << 20)    /* what a slow screen may leave unread, beyond its backlog */
#define LONGEST_ORDER (64 << 10) /* bytes of one line from a screen */
#define MOST_BAD_LINES 20        /* then it is no screen of ours */
#define FAREWELL_MS 500          /* how long the last lines may take to leave */

struct screen {
    uv_pipe_t pipe; /* first */
    struct wire *wire;
    struct screen *next;
    int64_t id;
    struct wire_peer peer;
    char role[16];
    bool live;    /* has its backlog, gets every line */
    bool skipping; /* in the middle of a line that is too long */
    int bad_lines;
    size_t backlog; /* bytes of it that are still on their way */
    struct buf in;
    uv_shutdown_t farewell;
};

struct wire {
    uv_pipe_t listener; /* first */
    struct wire_calls calls;
    struct screen *screens;
    int64_t last_id;
    int handles; /* of ours, in the loop */
    bool closing;
    struct task_timer *deadline;
};

/* ---- ends ---- */

static void let_go(struct wire *w)
{
    if (w->closing && !w->screens) {
        task_timer_free(w->deadline);
        w->deadline = NULL;
    }
    if (--w->handles == 0)
        free(w);
}

static void unlink_screen(struct screen *s)
{
    struct screen **at = &s->wire->screens;
    while (*at && *at != s)
        at = &(*at)->next;
    if (*at)
        *at = s->next;
}

static void screen_closed(uv_handle_t *handle)
{
    struct screen *s = (struct screen *)handle;
    struct wire *w = s->wire;
    unlink_screen(s);
    if (s->live && !w->closing)
        w->calls.left(w->calls.arg, s->id, s->peer.user);
    buf_free(&s->in);
    free(s);
    let_go(w);
}

static void cut_off(struct screen *s)
{
    if (!uv_is_closing((uv_handle_t *)&s->pipe))
        uv_close((uv_handle_t *)&s->pipe, screen_closed);
}

static bool is_gone(const struct screen *s)
{
    return uv_is_closing((const uv_handle_t *)&s->pipe);
}

/* ---- down: lines to a screen ---- */

struct parcel { /* one write and its bytes */
    uv_write_t req; /* first */
    struct screen *screen;
    size_t backlog;
    char bytes[];
};

static void written(uv_write_t *req, int status)
{
    struct parcel *p = (struct parcel *)req;
    if (p->backlog)
        p->screen->backlog = 0;
    if (status < 0)
        cut_off(p->screen);
    free(p);
}

static void send_bytes(struct screen *s, const char *bytes, size_t len, bool backlog)
{
    if (is_gone(s) || !len)
        return;
    if (!backlog && uv_stream_get_write_queue_size((const uv_stream_t *)&s->pipe) > s->backlog + QUEUE_BOUND) {
        cut_off(s);
        return;
    }
    struct parcel *p = xcalloc(1, sizeof *p + len);
    memcpy(p->bytes, bytes, len);
    p->screen = s;
    if (backlog)
        p->backlog = s->backlog = len;
    uv_buf_t buf = uv_buf_init(p->bytes, (unsigned)len);
    if (uv_write(&p->req, (uv_stream_t *)&s->pipe, &buf, 1, written) < 0) {
        free(p);
        cut_off(s);
    }
}

/* {"you":{"id":3,"role":"operator"}} or {"refused":"sentence"}: for one screen alone, never in the journal. */
static void send_json(struct screen *s, json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    if (!text)
        die("wire: no memory for a line");
    char *line = xprintf("%s\n", text);
    send_bytes(s, line, strlen(line), false);
    free(line);
    free(text);
    json_decref(object);
}

static void send_you(struct screen *s)
{
    send_json(s, json_pack("{s:{s:I,s:s}}", "you", "id", (json_int_t)s->id, "role", s->role));
}

void wire_send(struct wire *w, const char *line, size_t len)
{
    for (struct screen *s = w->screens; s; s = s->next)
        if (s->live)
            send_bytes(s, line, len, false);
}

void wire_set_role(struct wire *w, int64_t id, const char *role)
{
    for (struct screen *s = w->screens; s; s = s->next) {
        if (s->id != id)
            continue;
        copy_text(s->role, sizeof s->role, role);
        if (s->live)
            send_you(s);
    }
}

int wire_screens(const struct wire *w)
{
    int n = 0;
    for (const struct screen *s = w->screens; s; s = s->next)
        n += s->live && !is_gone(s);
    return n;
}

/* ---- up: orders from a screen ---- */

static void complain(struct screen *s, const char *sentence)
{
    send_json(s, json_pack("{s:s}", "refused", sentence));
    if (++s->bad_lines >= MOST_BAD_LINES)
        cut_off(s);
}

enum { ORDER, STEP, TYPED, REASON, DECISION, CHECK, TEXT, ROLE, WORDS };
static const char *const word_names[WORDS] = {"order", "step", "typed", "reason", "decision", "check", "text", "role"};

static void take_line(struct screen *s, const char *line, size_t len)
{
    char *w[WORDS];
    struct err err;
    if (!wire_order_read(line, len, word_names, w, WORDS, &err)) {
        complain(s, err.text);
        return;
    }
    struct order order = {w[ORDER], w[STEP], w[TYPED], w[REASON], w[DECISION], w[CHECK], w[TEXT], w[ROLE], .user = s->peer.user, .screen = s->id};
    s->wire->calls.ordered(s->wire->calls.arg, &order);
    wire_order_free(w, WORDS);
}

static void take_lines(struct screen *s)
{
    size_t from = 0;
    for (char *end; !is_gone(s) && !s->wire->closing && (end = memchr(s->in.text + from, '\n', s->in.len - from));
         from = (size_t)(end - s->in.text) + 1) {
        size_t len = (size_t)(end - s->in.text) - from;
        if (!s->skipping && len)
            take_line(s, s->in.text + from, len);
        s->skipping = false;
    }
    memmove(s->in.text, s->in.text + from, s->in.len - from);
    s->in.len -= from;
}

static void drop_long_line(struct screen *s)
{
    if (s->in.len <= LONGEST_ORDER)
        return;
    if (!s->skipping)
        complain(s, "An order longer than 64 KiB was ignored.");
    s->skipping = true;
    s->in.len = 0;
}

static void give_room(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    static char room[65536]; /* one read at a time: the loop has one thread */
    (void)handle, (void)size;
    *buf = uv_buf_init(room, sizeof room);
}

static void got(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct screen *s = (struct screen *)stream;
    if (n < 0) {
        cut_off(s);
        return;
    }
    buf_add(&s->in, buf->base, (size_t)n);
    take_lines(s);
    if (!is_gone(s))
        drop_long_line(s);
}

/* ---- a new screen ---- */

/* The backlog is asked for after `joined`, so it holds the screen's own event, and nothing comes twice. */
static void welcome(struct screen *s)
{
    struct wire *w = s->wire;
    size_t len = 0;
    w->calls.joined(w->calls.arg, s->id, s->peer.user, s->peer.tty, false);
    if (w->closing || is_gone(s))
        return;
    send_you(s);
    const char *backlog = w->calls.backlog(w->calls.arg, &len);
    send_bytes(s, backlog, len, true);
    s->live = true;
    if (uv_read_start((uv_stream_t *)&s->pipe, give_room, got) < 0)
        cut_off(s);
}

static void connected(uv_stream_t *listener, int status)
{
    struct wire *w = (struct wire *)listener;
    struct screen *s = xcalloc(1, sizeof *s);
    int fd = -1;
    s->wire = w;
    s->next = w->screens;
    w->screens = s;
    w->handles++;
    copy_text(s->role, sizeof s->role, "observer");
    uv_pipe_init(listener->loop, &s->pipe, 0);
    bool ok = status == 0 && uv_accept(listener, (uv_stream_t *)&s->pipe) == 0 && uv_fileno((uv_handle_t *)&s->pipe, &fd) == 0 &&
              wire_peer_ask(fd, &s->peer) && s->peer.allowed;
    s->id = ok ? ++w->last_id : 0;
    if (ok)
        welcome(s);
    else
        cut_off(s);
}

/* ---- the listener ---- */

static void listener_closed(uv_handle_t *handle)
{
    let_go((struct wire *)handle);
}

static bool listen_on(struct wire *w, const char *path, struct err *err)
{
    mode_t before = umask(0177); /* the socket is 0600 from its first moment */
    int bad = uv_pipe_bind(&w->listener, path);
    umask(before);
    if (!bad)
        bad = uv_listen((uv_stream_t *)&w->listener, 16, connected);
    return !bad || err_set(err, "%s: the socket for the screens can't be opened: %s.", path, uv_strerror(bad));
}

struct wire *wire_listen(uv_loop_t *loop, const char *path, const struct wire_calls *calls, struct err *err)
{
    if (!wire_peer_clear(path, err))
        return NULL;
    struct wire *w = xcalloc(1, sizeof *w);
    w->calls = *calls;
    w->handles = 1;
    uv_pipe_init(loop, &w->listener, 0);
    if (listen_on(w, path, err))
        return w;
    uv_close((uv_handle_t *)&w->listener, listener_closed);
    return NULL;
}

/* ---- the end: the last lines get a moment to leave ---- */

static void said_farewell(uv_shutdown_t *req, int status)
{
    (void)status;
    cut_off(req->data);
}

static void cut_off_all(void *arg)
{
    struct wire *w = arg;
    for (struct screen *s = w->screens; s; s = s->next)
        cut_off(s);
}

static void dismiss(struct screen *s)
{
    uv_read_stop((uv_stream_t *)&s->pipe);
    s->farewell.data = s;
    bool waits = !is_gone(s) && uv_stream_get_write_queue_size((const uv_stream_t *)&s->pipe) > 0;
    if (!waits || uv_shutdown(&s->farewell, (uv_stream_t *)&s->pipe, said_farewell) < 0)
        cut_off(s);
}

void wire_close(struct wire *w)
{
    if (w->closing)
        return;
    w->closing = true;
    for (struct screen *s = w->screens; s; s = s->next)
        dismiss(s);
    if (w->screens) {
        w->deadline = task_timer_new(w->listener.loop, cut_off_all, w);
        task_timer_set(w->deadline, FAREWELL_MS);
    }
    uv_close((uv_handle_t *)&w->listener, listener_closed); /* libuv unlinks the socket */
}
