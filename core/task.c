#include "core/task.h"

#include <stdlib.h>

#include "core/base.h"

enum { OVER, RUNNING, STOPPING };                            /* task.phase */
enum { WAITS_NOT, WAITS_START, WAITS, WAITS_FD, SLEEPS };    /* task.waits */

/* ---- watches and timers ---- */

struct task_watch {
    uv_poll_t poll; /* first: the close callback frees the whole */
    void (*ready)(void *arg, int fd, int events);
    void *arg;
    int fd;
};

struct task_timer {
    uv_timer_t timer; /* first, likewise */
    void (*fire)(void *arg);
    void *arg;
};

static void free_handle(uv_handle_t *h)
{
    free(h);
}

static void on_poll(uv_poll_t *p, int status, int events)
{
    struct task_watch *w = (struct task_watch *)p;
    w->ready(w->arg, w->fd, status < 0 ? status : events);
}

struct task_watch *task_watch_new(uv_loop_t *loop, int fd, void (*ready)(void *arg, int fd, int events), void *arg)
{
    struct task_watch *w = xcalloc(1, sizeof *w);
    w->ready = ready;
    w->arg = arg;
    w->fd = fd;
    int rc = uv_poll_init(loop, &w->poll, fd);
    if (rc < 0)
        die("cannot watch descriptor %d: %s", fd, uv_strerror(rc));
    return w;
}

void task_watch_events(struct task_watch *w, int events)
{
    int rc = events ? uv_poll_start(&w->poll, events, on_poll) : uv_poll_stop(&w->poll);
    if (rc < 0)
        die("cannot watch descriptor %d: %s", w->fd, uv_strerror(rc));
}

/* uv_close stops the polling at once, so the descriptor may be closed before the callback comes. */
void task_watch_free(struct task_watch *w)
{
    if (w)
        uv_close((uv_handle_t *)&w->poll, free_handle);
}

static void on_timer(uv_timer_t *h)
{
    struct task_timer *t = (struct task_timer *)h;
    t->fire(t->arg);
}

struct task_timer *task_timer_new(uv_loop_t *loop, void (*fire)(void *arg), void *arg)
{
    struct task_timer *t = xcalloc(1, sizeof *t);
    t->fire = fire;
    t->arg = arg;
    uv_timer_init(loop, &t->timer);
    return t;
}

/* The loop's clock stands still during a callback; without the update a timer set after long work would fire early. */
void task_timer_set(struct task_timer *t, int64_t ms)
{
    uv_timer_stop(&t->timer);
    if (ms < 0)
        return;
    uv_update_time(t->timer.loop);
    uv_timer_start(&t->timer, on_timer, (uint64_t)ms, 0);
}

void task_timer_free(struct task_timer *t)
{
    if (t)
        uv_close((uv_handle_t *)&t->timer, free_handle);
}

/* ---- tasks ---- */

static void drop_watch(struct task *t)
{
    task_watch_free(t->watch);
    t->watch = NULL;
}

static void resume(struct task *t, enum woke why, int events)
{
    uv_timer_stop(&t->timer);
    drop_watch(t);
    t->waits = WAITS_NOT;
    if (why == WOKE_CALL)
        t->called = false;
    t->woke = why;
    t->events = events;
    t->run(t);
    if (t->phase == RUNNING && t->waits == WAITS_NOT)
        die("a task returned at step %d and waits for nothing", t->at);
}

static void on_time(uv_timer_t *h)
{
    struct task *t = h->data;
    if (t->waits == WAITS_START)
        resume(t, WOKE_START, 0);
    else
        resume(t, t->called && t->waits != SLEEPS ? WOKE_CALL : WOKE_TIME, 0);
}

static void arm(struct task *t, int64_t ms)
{
    if (ms < 0) {
        uv_timer_stop(&t->timer);
        return;
    }
    uv_update_time(t->loop);
    uv_timer_start(&t->timer, on_time, (uint64_t)ms, 0);
}

void task_start(struct task *t, uv_loop_t *loop, void (*run)(struct task *), void (*ended)(struct task *))
{
    if (t->phase != OVER)
        die("a task was started twice");
    *t = (struct task){.run = run, .ended = ended, .loop = loop, .phase = RUNNING, .waits = WAITS_START};
    uv_timer_init(loop, &t->timer);
    t->timer.data = t;
    arm(t, 0);
}

void task_wait(struct task *t, int64_t timeout_ms)
{
    if (t->phase != RUNNING)
        return;
    drop_watch(t);
    t->waits = WAITS;
    arm(t, t->called ? 0 : timeout_ms);
}

static void on_fd(void *arg, int fd, int events)
{
    struct task *t = arg;
    (void)fd;
    resume(t, WOKE_FD, events);
}

void task_wait_fd(struct task *t, int fd, int events, int64_t timeout_ms)
{
    task_wait(t, timeout_ms);
    if (t->phase != RUNNING)
        return;
    t->waits = WAITS_FD;
    t->watch = task_watch_new(t->loop, fd, on_fd, t);
    task_watch_events(t->watch, events);
}

void task_sleep(struct task *t, int64_t ms)
{
    if (t->phase != RUNNING)
        return;
    drop_watch(t);
    t->called = false;
    t->waits = SLEEPS;
    arm(t, MAX(ms, (int64_t)0));
}

void task_wake(struct task *t)
{
    if (!t || t->phase != RUNNING || t->waits == SLEEPS || t->waits == WAITS_START)
        return;
    t->called = true;
    if (t->waits != WAITS_NOT)
        arm(t, 0);
}

static void on_closed(uv_handle_t *h)
{
    struct task *t = h->data;
    t->phase = OVER;
    if (t->ended)
        t->ended(t);
}

void task_stop(struct task *t)
{
    if (t->phase != RUNNING)
        return;
    t->phase = STOPPING;
    drop_watch(t);
    uv_close((uv_handle_t *)&t->timer, on_closed);
}

bool task_is_over(const struct task *t)
{
    return t->phase == OVER;
}

bool task_is_running(const struct task *t)
{
    return t->phase == RUNNING;
}
