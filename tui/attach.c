#include "tui/attach.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tui/cockpit.h"
#include "tui/dialog.h"
#include "tui/tape.h"

enum { RETRY_MS = 1000, LONGEST_LINE = 16 << 20 };

struct attach {
    struct cockpit cockpit;
    const struct attach_options *options;
    const char *path;
    uv_pipe_t pipe;
    struct task_timer *retry;
    uv_connect_t connect;
    bool connected, closing; /* closing: the pipe's handle is on its way out */
    struct buf in;
    char chunk[65536];
    int64_t id;              /* ours, as the engine counts screens */
    struct tape tape;
    struct reel live, past;
    FILE *frames;
};

static void connect_engine(struct attach *a);

/* ---- what comes down ---- */

/* Lines that are for this screen alone: who it is, and what was refused at the door. */
static void take_aside(struct attach *a, const char *line, size_t len)
{
    struct ui *ui = &a->cockpit.ui;
    json_t *o = json_loadb(line, len, 0, NULL), *you = json_object_get(o, "you");
    const char *role = json_string_value(json_object_get(you, "role")), *refused = json_string_value(json_object_get(o, "refused"));
    if (you)
        a->id = json_integer_value(json_object_get(you, "id"));
    if (role)
        copy_text(ui->role, sizeof ui->role, role);
    if (refused)
        ui_say(ui, true, "%s", refused);
    json_decref(o);
}

/* A new connection tells the whole run again. */
static void begin_anew(struct attach *a)
{
    struct ui *ui = &a->cockpit.ui;
    ui->model = NULL;
    dialog_close(ui);
    reel_free(&a->live);
    reel_free(&a->past);
    tape_free(&a->tape);
    if (ui->engine_gone)
        ui_say(ui, false, "the engine is back");
    ui->engine_gone = false;
}

/* What the engine refused is said where the person looks. */
static void hear(void *arg, const struct event *e)
{
    struct attach *a = arg;
    tape_follow(&a->tape, &a->live, e);
    if (e->kind == EVENT_order_refused && clock_wall() - e->at < 3000)
        ui_say(&a->cockpit.ui, true, "%s", e->order_refused.why);
    if (e->kind == EVENT_screen_joined && e->screen_joined.id == a->id && a->id)
        copy_text(a->cockpit.ui.role, sizeof a->cockpit.ui.role, e->screen_joined.role);
}

static void take_line(struct attach *a, const char *line, size_t len)
{
    struct err err;
    if (len > 7 && (memcmp(line, "{\"you\":", 7) == 0 || memcmp(line, "{\"refus", 7) == 0)) {
        take_aside(a, line, len);
        return;
    }
    if (!tape_add(&a->tape, line, len, hear, a, &err)) {
        ui_say(&a->cockpit.ui, true, "%s", err.text);
        return;
    }
    tape_fold(&a->tape, &a->live, TAPE_END, TAPE_END);
}

static void take_input(struct attach *a)
{
    size_t from = 0;
    char *end;
    while (from < a->in.len && (end = memchr(a->in.text + from, '\n', a->in.len - from))) {
        take_line(a, a->in.text + from, (size_t)(end - a->in.text) - from);
        from = (size_t)(end - a->in.text) + 1;
    }
    memmove(a->in.text, a->in.text + from, a->in.len - from);
    a->in.len -= from;
    cockpit_touch(&a->cockpit);
}

/* ---- the socket ---- */

static void on_retry(void *arg)
{
    connect_engine(arg);
}

static void on_closed(uv_handle_t *handle)
{
    struct attach *a = handle->data;
    a->closing = false;
    if (!a->cockpit.over)
        task_timer_set(a->retry, RETRY_MS);
}

static void lose_engine(struct attach *a)
{
    a->connected = false;
    if (!a->cockpit.ui.engine_gone)
        a->cockpit.ui.gone_at = clock_wall();
    a->cockpit.ui.engine_gone = true;
    a->cockpit.ui.armed_until = 0;
    a->in.len = 0;
    if (!a->closing) {
        a->closing = true;
        uv_close((uv_handle_t *)&a->pipe, on_closed);
    }
    if (!a->cockpit.over)
        cockpit_touch(&a->cockpit);
}

static void give_chunk(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct attach *a = handle->data;
    (void)suggested;
    *buf = uv_buf_init(a->chunk, sizeof a->chunk);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct attach *a = stream->data;
    if (n < 0 || a->in.len > LONGEST_LINE) {
        lose_engine(a);
        return;
    }
    buf_add(&a->in, buf->base, (size_t)n);
    take_input(a);
}

struct sent {
    uv_write_t write;
    char text[];
};

static void on_sent(uv_write_t *write, int status)
{
    (void)status; /* a broken connection shows itself to the reader */
    free((char *)write - offsetof(struct sent, write));
}

static void send_order(void *arg, const char *json_line)
{
    struct attach *a = arg;
    if (!a->connected) {
        ui_say(&a->cockpit.ui, true, "the engine is gone: the order was not sent");
        return;
    }
    size_t len = strlen(json_line);
    struct sent *s = xcalloc(1, sizeof *s + len + 1);
    memcpy(s->text, json_line, len);
    s->text[len] = '\n';
    uv_buf_t buf = uv_buf_init(s->text, (unsigned)len + 1);
    if (uv_write(&s->write, (uv_stream_t *)&a->pipe, &buf, 1, on_sent) < 0)
        free(s);
}

static void be_connected(struct attach *a)
{
    a->connected = true;
    begin_anew(a);
    uv_read_start((uv_stream_t *)&a->pipe, give_chunk, on_read);
    if (a->options->observer)
        send_order(a, "{\"order\":\"role\",\"role\":\"observer\"}");
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct attach *a = connect->data;
    if (status < 0 || a->closing) {
        if (status != UV_ECANCELED)
            lose_engine(a);
        return;
    }
    be_connected(a);
}

static void connect_engine(struct attach *a)
{
    uv_pipe_init(&a->cockpit.loop, &a->pipe, 0);
    a->pipe.data = a->connect.data = a;
    uv_pipe_connect(&a->connect, &a->pipe, a->path, on_connected);
}

/* ---- what is shown ---- */

static void look(struct cockpit *c, int64_t wall)
{
    struct attach *a = c->owner;
    struct ui *ui = &c->ui;
    if (!a->live.model)
        return;
    ui->first_at = tape_first(&a->tape);
    ui->last_at = tape_last(&a->tape);
    if (!ui->past_at) {
        reel_free(&a->past);
        frame_look(ui, a->live.model, a->tape.plan, wall, wall);
        return;
    }
    tape_fold(&a->tape, &a->past, ui->past_at, TAPE_END);
    frame_look(ui, a->past.model, a->tape.plan, ui->past_at, wall);
}

/* A key may have moved the past: what ui has borrowed must be what is kept. */
static void typed(struct cockpit *c)
{
    look(c, clock_wall());
}

static bool is_plain(const struct ui *ui)
{
    bool chosen = ui->zoom || ui->filter[0] || ui->redact || ui->focus != PANE_STEPS;
    for (int i = 1; i <= LAYOUT_PANES; i++)
        chosen = chosen || ui->pane[i].selected >= 0;
    return ui->model && !chosen && !ui_is_covered(ui) && !ui_is_armed(ui) && ui_is_live(ui) && !ui->engine_gone && strcmp(ui->role, "operator") == 0;
}

static void drawn(struct cockpit *c)
{
    struct attach *a = c->owner;
    struct buf text = {0};
    if (!a->frames || !is_plain(&c->ui))
        return;
    canvas_text(&c->canvas, &text);
    fprintf(a->frames, "%lld %lld %d %d\n%s", (long long)c->ui.model->last_seq, (long long)c->ui.now, c->canvas.w, c->canvas.h, text.text ? text.text : "");
    fflush(a->frames);
    buf_free(&text);
}

/* ---- life ---- */

/* The first connection is made before the screen opens, while there is still a place for sentences. */
static int connect_first(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (copy_text(name.sun_path, sizeof name.sun_path, path) >= sizeof name.sun_path) {
        fprintf(stderr, "cutover: %s is too long for a socket; use a shorter --state directory.\n", path);
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&name, sizeof name) == 0)
        return fd;
    fprintf(stderr, "cutover: no engine listens on %s (%s). `cutover PLAN` starts one.\n", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static void close_all(struct attach *a)
{
    cockpit_end(&a->cockpit);
    task_timer_free(a->retry);
    if (!uv_is_closing((uv_handle_t *)&a->pipe)) /* between two tries it is closed already */
        uv_close((uv_handle_t *)&a->pipe, on_closed);
    a->closing = true;
    cockpit_close(&a->cockpit);
    reel_free(&a->live);
    reel_free(&a->past);
    tape_free(&a->tape);
    buf_free(&a->in);
    if (a->frames)
        fclose(a->frames);
}

int attach_main(const char *socket_path, const struct attach_options *options)
{
    int fd = connect_first(socket_path);
    if (fd < 0)
        return 2;
    struct attach *a = xcalloc(1, sizeof *a);
    struct err err;
    a->options = options;
    a->path = socket_path;
    frame_init(&a->cockpit.ui, send_order, a);
    a->cockpit.owner = a;
    a->cockpit.look = look;
    a->cockpit.typed = typed;
    a->cockpit.drawn = drawn;
    if (!cockpit_open(&a->cockpit, &(struct cockpit_options){options->theme, options->ascii}, &err)) {
        fprintf(stderr, "cutover: %s\n", err.text);
        close(fd);
        free(a);
        return 1;
    }
    if (options->frames_path)
        a->frames = fopen(options->frames_path, "ae");
    a->retry = task_timer_new(&a->cockpit.loop, on_retry, a);
    uv_pipe_init(&a->cockpit.loop, &a->pipe, 0);
    a->pipe.data = a->connect.data = a;
    uv_pipe_open(&a->pipe, fd);
    be_connected(a);
    cockpit_touch(&a->cockpit);
    cockpit_run(&a->cockpit);
    int status = a->live.model && a->live.model->ended ? ATTACH_RUN_OVER : 0;
    close_all(a);
    free(a);
    return status;
}
