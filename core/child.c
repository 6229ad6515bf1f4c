#include "core/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "core/base.h"
#include "core/task.h"
#include "core/text.h"

enum { LINES_MAX = 256, DRAIN_MS = 500 };

/* A pipe from the child, cut into lines. A line that is longer than `part` is passed on in pieces. */
struct stream {
    uv_pipe_t pipe;
    struct child *child;
    bool is_err, open;
    char part[1000], chunk[8192];
    size_t len;
};

/* One run. It outlives the child object when that is freed while handles are still closing. */
struct child {
    struct task *owner;
    uv_loop_t *loop;
    uv_process_t process;
    struct stream streams[2];
    struct task_timer *timer;
    int handles;               /* of this run, not yet closed */
    bool busy, freed, running; /* running: the process has not been reaped */
    bool timed_out, killing;
    int pid, exit_status, signal, lost, first, count;
    struct child_line *lines; /* ring of LINES_MAX */
    struct buf output;
    size_t output_limit;
    char error[512], name[64], last_words[300];
    int64_t started_us, elapsed_us, timeout_ms, grace_ms;
};

/* ---- the end ---- */

static void free_now(struct child *c)
{
    task_timer_free(c->timer);
    buf_free(&c->output);
    free(c->lines);
    free(c);
}

static void explain(struct child *c)
{
    char why[200], line[600];
    if (c->timed_out)
        snprintf(why, sizeof why, "did not end within %.1f s and was stopped", (double)c->timeout_ms / 1000);
    else if (c->signal)
        snprintf(why, sizeof why, "was ended by signal %d (%s)", c->signal, strsignal(c->signal));
    else
        snprintf(why, sizeof why, "ended with status %d", c->exit_status);
    snprintf(line, sizeof line, "%s %s%s%s", c->name, why, *c->last_words ? ": " : "", c->last_words);
    text_line(c->error, sizeof c->error, line, strlen(line));
}

static void finish(struct child *c)
{
    c->busy = false;
    c->elapsed_us = clock_mono_us() - c->started_us;
    task_timer_set(c->timer, -1);
    if (!*c->error && (c->timed_out || c->signal || c->exit_status))
        explain(c);
    task_wake(c->owner);
}

static void on_closed(uv_handle_t *h)
{
    struct child *c = h->data;
    if (--c->handles > 0)
        return;
    if (c->freed)
        free_now(c);
    else
        finish(c);
}

/* ---- lines ---- */

static void push_line(struct child *c, bool is_err, const char *text, size_t len)
{
    struct child_line line = {.is_err = is_err};
    size_t n = text_line(line.text, sizeof line.text, text, len);
    if (is_err && n)
        text_line(c->last_words, sizeof c->last_words, line.text, n);
    if (c->count == LINES_MAX) /* what came first stays: it is what a reader begins with */
        c->lost++;
    else
        c->lines[(c->first + c->count++) % LINES_MAX] = line;
    task_wake(c->owner);
}

static void end_line(struct stream *s)
{
    push_line(s->child, s->is_err, s->part, s->len);
    s->len = 0;
}

static void cut_lines(struct stream *s, const char *p, size_t len)
{
    for (; len; p++, len--) {
        if (*p == '\n') {
            end_line(s);
            continue;
        }
        if (s->len == sizeof s->part)
            end_line(s);
        s->part[s->len++] = *p;
    }
}

static void close_stream(struct stream *s)
{
    if (!s->open)
        return;
    s->open = false;
    if (s->len && !s->child->freed)
        end_line(s);
    uv_close((uv_handle_t *)&s->pipe, on_closed);
}

static void lend_chunk(uv_handle_t *h, size_t hint, uv_buf_t *b)
{
    struct stream *s = (struct stream *)h;
    (void)hint;
    *b = uv_buf_init(s->chunk, sizeof s->chunk);
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *b)
{
    struct stream *s = (struct stream *)h;
    struct child *c = s->child;
    if (n < 0) {
        close_stream(s);
        return;
    }
    if (!s->is_err && c->output.len < c->output_limit)
        buf_add(&c->output, b->base, MIN((size_t)n, c->output_limit - c->output.len));
    cut_lines(s, b->base, (size_t)n);
}

/* ---- time and signals ---- */

/* The group is the child's own (UV_PROCESS_DETACHED calls setsid), so its pid names it while one member lives. */
static void signal_group(const struct child *c, int signal)
{
    if (c->pid > 1)
        kill(-c->pid, signal);
}

static void begin_killing(struct child *c)
{
    if (c->killing || !c->pid)
        return;
    c->killing = true;
    signal_group(c, SIGTERM);
    task_timer_set(c->timer, c->grace_ms);
}

/* First the deadline, then the end of the grace period; or, after the exit, the end of patience with open pipes. */
static void on_timer(void *arg)
{
    struct child *c = arg;
    if (c->running && !c->killing) {
        c->timed_out = true;
        begin_killing(c);
        return;
    }
    if (c->killing)
        signal_group(c, SIGKILL);
    if (c->running) {
        task_timer_set(c->timer, c->grace_ms);
        return;
    }
    close_stream(&c->streams[0]);
    close_stream(&c->streams[1]);
}

/* Output may still be in the pipes, or a grandchild may hold them open (a daemon that was meant to stay): they get a
 * moment, then we stop listening. */
static void on_exit_of(uv_process_t *p, int64_t status, int signal)
{
    struct child *c = p->data;
    c->running = false;
    c->exit_status = signal ? -1 : (int)status;
    c->signal = signal;
    uv_close((uv_handle_t *)p, on_closed);
    if (c->killing)
        signal_group(c, SIGKILL);
    task_timer_set(c->timer, DRAIN_MS);
}

/* ---- start ---- */

static char **join_env(const char *const *more)
{
    size_t n = 0, extra = 0, out = 0;
    while (environ[n])
        n++;
    while (more && more[extra])
        extra++;
    char **env = xcalloc(n + extra + 1, sizeof *env);
    for (size_t i = 0; i < n; i++) {
        size_t key = strcspn(environ[i], "=") + 1;
        bool replaced = false;
        for (size_t k = 0; k < extra; k++)
            replaced = replaced || !strncmp(environ[i], more[k], key);
        if (!replaced)
            env[out++] = environ[i];
    }
    for (size_t k = 0; k < extra; k++)
        env[out++] = (char *)more[k];
    return env;
}

static void open_stream(struct child *c, int i)
{
    struct stream *s = &c->streams[i];
    s->child = c;
    s->is_err = i == 1;
    s->len = 0;
    s->open = true;
    uv_pipe_init(c->loop, &s->pipe, 0);
    s->pipe.data = c;
    c->handles++;
}

static int spawn(struct child *c, const struct child_opts *o)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    uv_stdio_container_t io[3] = {
        {.flags = UV_INHERIT_FD, .data.fd = null},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->streams[0].pipe},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->streams[1].pipe},
    };
    char **env = join_env(o->env);
    uv_process_options_t options = {
        .exit_cb = on_exit_of, .file = o->argv[0], .args = (char **)o->argv, .env = env, .cwd = o->cwd,
        .flags = UV_PROCESS_DETACHED, .stdio_count = 3, .stdio = io,
    };
    c->handles++;
    c->process.data = c;
    if (null < 0)
        die("cannot open /dev/null: %s", strerror(errno));
    int rc = uv_spawn(c->loop, &c->process, &options);
    free(env);
    close(null);
    return rc;
}

static void reset(struct child *c, const struct child_opts *o)
{
    c->busy = true;
    c->timed_out = c->killing = false;
    c->pid = c->signal = c->lost = c->first = c->count = 0;
    c->exit_status = -1;
    c->error[0] = c->last_words[0] = '\0';
    c->output.len = 0;
    buf_puts(&c->output, "");
    c->output_limit = o->output_limit ? o->output_limit : 65536;
    c->timeout_ms = o->timeout_ms;
    c->grace_ms = o->grace_ms ? o->grace_ms : 1000;
    c->started_us = clock_mono_us();
    text_clean_string(c->name, sizeof c->name, o->argv[0]);
}

void child_start(struct child *c, const struct child_opts *o)
{
    if (c->busy || o->timeout_ms <= 0)
        die("child: %s was started %s", o->argv[0], c->busy ? "while another one runs" : "without a deadline");
    reset(c, o);
    open_stream(c, 0);
    open_stream(c, 1);
    int rc = spawn(c, o);
    if (rc < 0) {
        char why[200];
        snprintf(why, sizeof why, "cannot start %s: %s", c->name, uv_strerror(rc));
        text_clean_string(c->error, sizeof c->error, why);
        uv_close((uv_handle_t *)&c->process, on_closed);
        close_stream(&c->streams[0]);
        close_stream(&c->streams[1]);
        return;
    }
    c->running = true;
    c->pid = c->process.pid;
    for (int i = 0; i < 2; i++)
        uv_read_start((uv_stream_t *)&c->streams[i].pipe, lend_chunk, on_read);
    task_timer_set(c->timer, c->timeout_ms);
}

struct child *child_new(struct task *owner)
{
    struct child *c = xcalloc(1, sizeof *c);
    c->owner = owner;
    c->loop = owner->loop;
    c->lines = xcalloc(LINES_MAX, sizeof *c->lines);
    c->timer = task_timer_new(c->loop, on_timer, c);
    buf_puts(&c->output, "");
    return c;
}

void child_kill(struct child *c)
{
    if (c->busy)
        begin_killing(c);
}

/* The process handle must stay until the child is reaped, or a zombie would; KILL makes that soon. */
void child_free(struct child *c)
{
    if (!c)
        return;
    c->owner = NULL;
    c->freed = true;
    if (!c->busy) {
        free_now(c);
        return;
    }
    c->killing = true;
    signal_group(c, SIGKILL);
    close_stream(&c->streams[0]);
    close_stream(&c->streams[1]);
}

/* ---- what is known ---- */

bool child_busy(const struct child *c)
{
    return c->busy;
}

bool child_read(struct child *c, struct child_line *line)
{
    if (!c->count)
        return false;
    *line = c->lines[c->first];
    c->first = (c->first + 1) % LINES_MAX;
    c->count--;
    return true;
}

int child_lines_lost(const struct child *c)
{
    return c->lost;
}

bool child_failed(const struct child *c)
{
    return !c->busy && *c->error;
}

const char *child_error(const struct child *c)
{
    return c->error;
}

int child_exit_status(const struct child *c)
{
    return c->exit_status;
}

int child_signal(const struct child *c)
{
    return c->signal;
}

bool child_timed_out(const struct child *c)
{
    return c->timed_out;
}

int64_t child_elapsed_us(const struct child *c)
{
    return c->elapsed_us;
}

const char *child_output(const struct child *c, size_t *len)
{
    if (len)
        *len = c->output.len;
    return c->output.text;
}
