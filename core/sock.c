#include "core/sock.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base.h"
#include "core/dns.h"
#include "core/task.h"
#include "core/text.h"

enum { IDLE, RESOLVING, CONNECTING, SENDING, READING }; /* task.at */

struct sock {
    struct task task;
    struct task *owner;
    int fd;
    struct dns_query *name;
    char where[160], host[256], port[16];
    char *request;
    size_t sent;
    struct buf answer;
    bool busy, failed;
    char error[512];
    int64_t started_us, elapsed_us, deadline_ms, timeout_ms;
};

static void hang_up(struct sock *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    dns_query_free(s->name);
    s->name = NULL;
    free(s->request);
    s->request = NULL;
}

static void finish(struct sock *s)
{
    s->busy = false;
    s->elapsed_us = clock_mono_us() - s->started_us;
    hang_up(s);
    task_wake(s->owner);
}

static void fail(struct sock *s, const char *what, const char *why)
{
    char line[512];
    snprintf(line, sizeof line, "%s: %s%s%s", s->where, what, *why ? ": " : "", why);
    text_line(s->error, sizeof s->error, line, strlen(line));
    s->failed = true;
    finish(s);
}

static int64_t left(const struct sock *s)
{
    return MAX(s->deadline_ms - clock_mono(), (int64_t)0);
}

static void fail_late(struct sock *s)
{
    static const char *const waiting_for[] = {"", "no address", "no connection", "the request was not taken",
                                              "the answer did not end"};
    char what[100];
    bool silent = s->task.at == READING && !s->answer.len;
    snprintf(what, sizeof what, "%s within %.1f s", silent ? "no answer" : waiting_for[s->task.at],
             (double)s->timeout_ms / 1000);
    fail(s, what, "");
}

/* ---- addresses ---- */

static bool split(struct sock *s, const char *address)
{
    const char *colon = strrchr(address, ':');
    bool bracket = *address == '[' && colon > address && colon[-1] == ']';
    if (!colon || colon == address || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1))
        return false;
    snprintf(s->host, sizeof s->host, "%.*s", (int)(colon - address) - 2 * bracket, address + bracket);
    copy_text(s->port, sizeof s->port, colon + 1);
    return true;
}

static void dial(struct sock *s, const struct sockaddr *to, socklen_t len)
{
    s->fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || (connect(s->fd, to, len) < 0 && errno != EINPROGRESS)) {
        fail(s, "cannot connect", strerror(errno));
        return;
    }
    s->task.at = CONNECTING;
    task_wait_fd(&s->task, s->fd, UV_WRITABLE, left(s));
}

static void dial_path(struct sock *s, const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (copy_text(to.sun_path, sizeof to.sun_path, path) >= sizeof to.sun_path)
        fail(s, "cannot connect", "the path of a socket may not be longer than 107 bytes");
    else
        dial(s, (struct sockaddr *)&to, sizeof to);
}

static void dial_address(struct sock *s, const char *address)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *to;
    int rc = getaddrinfo(address, s->port, &hints, &to); /* numeric: looks nothing up */
    if (rc) {
        fail(s, "cannot connect", gai_strerror(rc));
        return;
    }
    dial(s, to->ai_addr, to->ai_addrlen);
    freeaddrinfo(to);
}

static void take_address(struct sock *s)
{
    const struct dns_answer *a = dns_answer(s->name);
    if (a->status == DNS_OK)
        dial_address(s, a->records[0].text);
    else
        fail(s, "cannot connect", a->error);
}

/* ---- the conversation ---- */

static bool is_connected(struct sock *s)
{
    int error = 0;
    socklen_t len = sizeof error;
    getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error)
        fail(s, "cannot connect", strerror(error));
    return !error;
}

/* True when all of it is out. The answer may come before, so the descriptor is watched for both. */
static bool send_more(struct sock *s)
{
    size_t len = strlen(s->request);
    while (s->sent < len) {
        ssize_t n = send(s->fd, s->request + s->sent, len - s->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            task_wait_fd(&s->task, s->fd, UV_WRITABLE, left(s));
            return false;
        }
        if (n < 0) {
            fail(s, "the request was not taken", strerror(errno));
            return false;
        }
        s->sent += (size_t)n;
    }
    return true;
}

static void read_more(struct sock *s)
{
    char chunk[16384];
    ssize_t n;
    while ((n = recv(s->fd, chunk, sizeof chunk, 0)) > 0) {
        buf_add(&s->answer, chunk, MIN((size_t)n, SOCK_ANSWER_MAX - s->answer.len));
        if (s->answer.len == SOCK_ANSWER_MAX) {
            fail(s, "the answer is longer than 1 MiB", "");
            return;
        }
    }
    if (n < 0 && errno == EAGAIN)
        task_wait_fd(&s->task, s->fd, UV_READABLE, left(s));
    else if (n < 0)
        fail(s, "the answer was cut off", strerror(errno));
    else
        finish(s);
}

static void run(struct task *t)
{
    struct sock *s = (struct sock *)t;
    if (s->busy && t->woke == WOKE_TIME && left(s) == 0)
        fail_late(s);
    if (s->busy)
        switch (t->at) {
        case RESOLVING:
            if (dns_busy(s->name))
                task_wait(t, left(s));
            else
                take_address(s);
            break;
        case CONNECTING:
            if (!is_connected(s))
                break;
            t->at = SENDING;
            /* fall through */
        case SENDING:
            if (!send_more(s))
                break;
            t->at = READING;
            /* fall through */
        case READING: read_more(s); break;
        }
    if (s->busy)
        return;
    t->at = IDLE;
    task_wait(t, -1);
}

/* ---- orders ---- */

static void release(struct task *t)
{
    free(t);
}

struct sock *sock_new(struct task *owner)
{
    struct sock *s = xcalloc(1, sizeof *s);
    s->owner = owner;
    s->fd = -1;
    buf_puts(&s->answer, "");
    task_start(&s->task, owner->loop, run, release);
    return s;
}

void sock_free(struct sock *s)
{
    if (!s)
        return;
    s->owner = NULL;
    s->busy = false;
    task_stop(&s->task);
    hang_up(s);
    buf_free(&s->answer);
}

void sock_converse(struct sock *s, const char *address, const char *request, int64_t timeout_ms)
{
    if (s->busy)
        die("sock: a request to %s while another one runs", s->where);
    s->busy = true;
    s->failed = false;
    s->error[0] = '\0';
    s->sent = s->answer.len = 0;
    s->answer.text[0] = '\0';
    s->request = xstrdup(request);
    s->timeout_ms = MAX(timeout_ms, (int64_t)0);
    s->started_us = clock_mono_us();
    s->deadline_ms = clock_mono() + s->timeout_ms;
    text_clean_string(s->where, sizeof s->where, address);
    task_wait(&s->task, s->timeout_ms);
    const char *path = strncmp(address, "unix:", 5) ? address : address + 5;
    if (*path == '/')
        dial_path(s, path);
    else if (!split(s, address))
        fail(s, "that is no address; write unix:/path or host:port", "");
    else {
        s->task.at = RESOLVING;
        s->name = dns_resolve(&s->task, s->host, s->timeout_ms);
    }
    if (!s->busy)
        task_wake(&s->task);
}

bool sock_busy(const struct sock *s)
{
    return s->busy;
}

bool sock_failed(const struct sock *s)
{
    return s->failed;
}

const char *sock_error(const struct sock *s)
{
    return s->error;
}

const char *sock_answer(const struct sock *s, size_t *len)
{
    if (len)
        *len = s->answer.len;
    return s->answer.text;
}

int64_t sock_elapsed_us(const struct sock *s)
{
    return s->elapsed_us;
}
