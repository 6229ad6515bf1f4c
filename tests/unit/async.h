/* For tests of the rooms that wait: an owner task, a loop that is turned until something is true, and peers in a
 * process of their own that misbehave on demand. Everything on 127.0.0.1. */
#ifndef TESTS_ASYNC_H
#define TESTS_ASYNC_H

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base.h"
#include "core/task.h"

/* ---- the owner ---- */

struct owner {
    struct task task;
    uv_loop_t loop;
    int wakes;
};

static inline void owner_run(struct task *t)
{
    struct owner *o = (struct owner *)t;
    o->wakes += t->woke == WOKE_CALL;
    task_wait(t, -1);
}

static inline void owner_open(struct owner *o)
{
    memset(o, 0, sizeof *o);
    assert_int_equal(uv_loop_init(&o->loop), 0);
    task_start(&o->task, &o->loop, owner_run, NULL);
    uv_run(&o->loop, UV_RUN_NOWAIT);
}

static inline void tick(uv_timer_t *t)
{
    (void)t;
}

static inline void tock(uv_handle_t *t)
{
    free(t);
}

/* Turns the loop until done(arg) holds; false when that took longer than ms. */
static inline bool turn_until(struct owner *o, bool (*done)(const void *), const void *arg, int64_t ms)
{
    int64_t end = clock_mono() + ms;
    uv_timer_t *t = xcalloc(1, sizeof *t); /* so that the loop never waits longer than 10 ms */
    uv_timer_init(&o->loop, t);
    uv_timer_start(t, tick, 10, 10);
    while (!done(arg) && clock_mono() < end)
        uv_run(&o->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)t, tock);
    return done(arg);
}

static inline bool never(const void *arg)
{
    (void)arg;
    return false;
}

/* Everything must be freed by now: the loop has to run empty within 5 s, and its end must find no open handle. */
static inline void owner_close(struct owner *o)
{
    task_stop(&o->task);
    int64_t end = clock_mono() + 5000;
    while (uv_loop_alive(&o->loop) && clock_mono() < end)
        uv_run(&o->loop, UV_RUN_NOWAIT);
    uv_run(&o->loop, UV_RUN_NOWAIT);
    assert_int_equal(uv_loop_close(&o->loop), 0);
}

/* ---- peers ---- */

struct peer {
    pid_t pid;
    int port;
};

static inline int bound_socket(int type, int *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

/* serve gets each connection in turn (stream) or the socket itself (datagram), and ends when it returns or is killed. */
static inline struct peer peer_start(int type, void (*serve)(int fd))
{
    struct peer p;
    int fd = bound_socket(type, &p.port);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 64), 0);
    p.pid = fork();
    assert_true(p.pid >= 0);
    if (p.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_IGN);
        if (type != SOCK_STREAM)
            serve(fd);
        for (int c; type == SOCK_STREAM && (c = accept(fd, NULL, NULL)) >= 0; close(c))
            serve(c);
        _exit(0);
    }
    close(fd);
    return p;
}

static inline void peer_stop(struct peer *p)
{
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
}

/* A port that nobody listens on. */
static inline int closed_port(void)
{
    int port;
    close(bound_socket(SOCK_STREAM, &port));
    return port;
}

/* Reads until the text has come, or the end. For peers. */
static inline bool read_until(int fd, const char *end)
{
    char buf[8192];
    size_t n = 0;
    while (n < sizeof buf - 1) {
        ssize_t got = read(fd, buf + n, sizeof buf - 1 - n);
        if (got <= 0)
            return false;
        n += (size_t)got;
        buf[n] = '\0';
        if (strstr(buf, end))
            return true;
    }
    return false;
}

static inline void say(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) < 0)
        _exit(1);
}

#endif
