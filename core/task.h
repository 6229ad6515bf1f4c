/* task: a piece of work that waits. One function, re-entered, that reads from top to bottom:
 *
 *     static void run(struct task *t)
 *     {
 *         struct probe *p = (struct probe *)t;
 *         switch (t->at) {
 *         case ASK:
 *             pg_query(p->pg, "select 1", 0, NULL, 2000);
 *             t->at = ANSWER;
 *             task_wait(t, 3000);
 *             return;
 *         case ANSWER:
 *             if (pg_busy(p->pg)) { task_wait(t, 3000); return; }    (a wake may be meant for something else)
 *             ...
 *             t->at = ASK;
 *             task_sleep(t, 1000);
 *             return;
 *         }
 *     }
 *
 * Each return follows exactly one task_wait, task_wait_fd, task_sleep or task_stop; a run that forgets it dies loudly.
 * run is always called from the loop, never from inside a library or from inside the function that woke it.
 * Embed the task as FIRST member. {0} is a task that is over. All times are milliseconds.
 *
 * Objects that belong to a task (pg, dns_query, http, child, sock, dnsupdate) keep their own deadline, wake their
 * owner with task_wake when the operation is over, and may be freed by the owner at any time; nothing is heard of
 * them after that. Free them before the owner's memory goes; `ended` is the last place where that may happen.
 * This is the only room that uses uv_poll and uv_timer. */
#ifndef CORE_TASK_H
#define CORE_TASK_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum woke {
    WOKE_START, /* the first run */
    WOKE_CALL,  /* task_wake */
    WOKE_TIME,  /* the deadline, or the end of a sleep */
    WOKE_FD,    /* the descriptor is ready: see events */
};

struct task {
    void (*run)(struct task *);
    void (*ended)(struct task *); /* may be NULL; called once, from the last close callback; may free the memory */
    uv_loop_t *loop;
    int at;          /* where to go on; 0 at the start */
    enum woke woke;  /* why run is called */
    int events;      /* UV_READABLE | UV_WRITABLE | UV_DISCONNECT when woke is WOKE_FD; negative errno if polling failed */

    /* private to task.c */
    int phase, waits;
    bool called;
    uv_timer_t timer;
    struct task_watch *watch;
};

/* Runs run() in the next turn. The task must be over (zeroed or ended). */
void task_start(struct task *t, uv_loop_t *loop, void (*run)(struct task *), void (*ended)(struct task *));

/* Until task_wake or the deadline. timeout_ms < 0: no deadline (only for objects that idle without an order). */
void task_wait(struct task *t, int64_t timeout_ms);
/* Until the descriptor is ready, task_wake or the deadline. The descriptor may be closed or change when run is called. */
void task_wait_fd(struct task *t, int fd, int events, int64_t timeout_ms);
/* Until the time has passed; a task_wake in between is dropped. */
void task_sleep(struct task *t, int64_t ms);

/* Runs the task in the next turn. Harmless twice, on a stopped task, and on NULL. A wake that comes while the task
 * runs is kept for its next wait. */
void task_wake(struct task *t);

/* Stops for good: run is not called again, ended() follows in a later turn. Harmless twice. */
void task_stop(struct task *t);
/* No handle is left in the loop: the memory may go, or the task may be started again. */
bool task_is_over(const struct task *t);
bool task_is_running(const struct task *t); /* started and not yet stopped */

/* ---- for libraries that own their sockets (c-ares, curl): callbacks straight from the loop ---- */

/* A watch on a descriptor. It belongs to the caller until task_watch_free, which may be called from the callback;
 * the descriptor may be closed right after. */
struct task_watch;
struct task_watch *task_watch_new(uv_loop_t *loop, int fd, void (*ready)(void *arg, int fd, int events), void *arg);
void task_watch_events(struct task_watch *w, int events); /* UV_READABLE | UV_WRITABLE; 0 pauses */
void task_watch_free(struct task_watch *w);               /* NULL is fine */

/* A timer that fires once per task_timer_set. */
struct task_timer;
struct task_timer *task_timer_new(uv_loop_t *loop, void (*fire)(void *arg), void *arg);
void task_timer_set(struct task_timer *t, int64_t ms); /* < 0 disarms */
void task_timer_free(struct task_timer *t);            /* NULL is fine */

#endif
