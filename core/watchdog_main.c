/* The child's side. One task: it hears the engine, keeps the deadline, and settles with what core/settle.c knows. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/settle.h"
#include "core/watchdog.h"

enum { PIPE = 3, LIMIT = 4 * 1024 * 1024, GIVE_UP_MS = 600000, CONNECT_MS = 8000, RETURN_MS = 30000 };
enum { READ_ORDERS, OPEN, WATCH, SETTLE, END }; /* task.at, in this order; SETTLE may go back to WATCH */

struct dog {
    struct task task; /* first */
    struct settle *settle;
    struct buf in;
    bool dead;         /* the engine's end of the pipe is closed */
    bool done;         /* it said so */
    enum side side;    /* where we would go now */
    bool opened;       /* green may have been opened, files may have moved */
    bool acted;        /* we settled by ourselves: the engine's next question is answered with it */
    int64_t paused_us; /* clock_mono_us of "pausing"; 0 = nothing is paused */
    int64_t deadline;  /* clock_mono; 0 = none */
    int64_t deadline_ms, began, began_us, engine;
    bool noted;        /* that it takes long */
    char log[PATH_MAX];
};

static void say(const char *line)
{
    char text[1100];
    int n = snprintf(text, sizeof text, "%s\n", line);
    while (send(PIPE, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == EINTR)
        ;
}

/* One line at the end, whole or not at all, on disk before anything else is done. */
static void note(struct dog *d, const char *did)
{
    int64_t now = clock_mono_us();
    json_t *j = json_pack("{sI sI ss sI sI ss}", "at", (json_int_t)clock_wall(), "engine", (json_int_t)d->engine, "did", did, "took_us",
                          (json_int_t)(now - d->began_us), "pause_us", (json_int_t)(d->paused_us ? now - d->paused_us : 0), "error",
                          settle_error(d->settle));
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    int fd = open(d->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0 && text && (write(fd, text, strlen(text)) < 0 || write(fd, "\n", 1) < 0 || fsync(fd) < 0))
        perror(d->log);
    if (fd >= 0)
        close(fd);
    free(text);
    json_decref(j);
}

/* ---- orders ---- */

static void add_poolers(struct dog *d, int database, json_t *poolers)
{
    size_t i;
    json_t *j;
    json_array_foreach(poolers, i, j) {
        struct plan_pooler p = {0};
        const char *retry = "";
        if (json_unpack(j, "{ss ss ss ss ss ss ss}", "retry", &retry, "name", &p.name, "admin", &p.admin, "database", &p.database, "file", &p.file, "blue",
                        &p.target[BLUE], "green", &p.target[GREEN]) == 0)
            settle_add_pooler(d->settle, database, &p, retry);
    }
}

static void add_database(struct dog *d, json_t *j)
{
    const char *name = "", *home = "", *conninfo[SIDES] = {"", ""}, *repoint[64];
    json_t *poolers = NULL, *argv = NULL, *word;
    json_unpack(j, "{ss ss ss ss so so}", "name", &name, "home", &home, "blue", &conninfo[BLUE], "green", &conninfo[GREEN], "poolers", &poolers, "repoint", &argv);
    size_t i;
    int n = 0;
    json_array_foreach(argv, i, word) {
        if (n < (int)ARRAY_LEN(repoint))
            repoint[n++] = json_string_value(word);
    }
    add_poolers(d, settle_add_database(d->settle, name, home, conninfo, repoint, n), poolers);
}

static void add_flag(struct dog *d, json_t *j)
{
    const char *run[64];
    struct plan_flag f = {.run = run};
    json_t *argv = NULL, *word;
    size_t i;
    json_unpack(j, "{ss ss so}", "name", &f.name, "url", &f.url, "run", &argv);
    json_array_foreach(argv, i, word) {
        if (f.nrun < (int)ARRAY_LEN(run))
            run[f.nrun++] = json_string_value(word);
    }
    settle_add_flag(d->settle, &f);
}

static bool take_orders(struct dog *d, const char *line)
{
    const char *dir = NULL;
    json_int_t engine = 0, deadline = 0;
    int back = 0;
    json_t *databases = NULL, *flags = NULL, *j, *all = json_loads(line, 0, NULL);
    bool good = all && json_unpack(all, "{ss sb sI sI so so}", "state_dir", &dir, "back", &back, "engine", &engine, "deadline", &deadline, "databases", &databases,
                                   "flags", &flags) == 0;
    size_t i;
    if (good) {
        d->engine = engine;
        settle_set_back(d->settle, back);
        d->deadline_ms = deadline;
        snprintf(d->log, sizeof d->log, "%s/watchdog.log", dir);
        json_array_foreach(databases, i, j)
            add_database(d, j);
        json_array_foreach(flags, i, j)
            add_flag(d, j);
    }
    json_decref(all);
    return good;
}

static void receive(struct dog *d)
{
    char chunk[16384];
    while (!d->dead && d->in.len < LIMIT) {
        ssize_t n = recv(PIPE, chunk, sizeof chunk, MSG_DONTWAIT);
        if (n > 0) {
            buf_add(&d->in, chunk, (size_t)n);
            continue;
        }
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            d->dead = true;
        if (n == 0 || errno != EINTR)
            return;
    }
}

/* The oldest whole line, cut out of what came; NULL when there is none. The caller frees it. */
static char *next_line(struct dog *d)
{
    char *end = d->in.len ? memchr(d->in.text, '\n', d->in.len) : NULL;
    if (!end)
        return NULL;
    *end = '\0';
    char *line = xstrdup(d->in.text);
    size_t used = (size_t)(end + 1 - d->in.text);
    memmove(d->in.text, end + 1, d->in.len -= used);
    return line;
}

/* ---- watching ---- */

static const char *what_i_did(const struct dog *d)
{
    return d->side == BLUE ? "returned" : "completed";
}

static void hear(struct dog *d, const char *word)
{
    if (strcmp(word, "done") == 0) {
        d->done = true;
    } else if (d->acted) { /* decided; "pausing" of a late waker changes nothing */
        if (strcmp(word, "committing") == 0 || strcmp(word, "returning") == 0)
            say(what_i_did(d));
    } else if (strcmp(word, "pausing") == 0) {
        d->paused_us = clock_mono_us();
        d->deadline = clock_mono() + d->deadline_ms;
    } else if (strcmp(word, "resumed") == 0) {
        d->paused_us = d->deadline = 0;
    } else if (strcmp(word, "committing") == 0) {
        d->side = GREEN;
        d->opened = true;
        say("committing");
    } else if (strcmp(word, "returning") == 0) {
        d->side = BLUE;
        d->deadline = clock_mono() + RETURN_MS;
        say("returning");
    }
}

static void hear_all(struct dog *d)
{
    receive(d);
    for (char *line; (line = next_line(d)); free(line))
        hear(d, line);
}

static void act(struct dog *d)
{
    d->acted = true;
    d->noted = false;
    d->deadline = 0;
    d->began = clock_mono();
    d->began_us = clock_mono_us();
    if (d->dead)
        settle_expect_strays(d->settle);
    settle_go(d->settle, d->side, d->opened);
    d->task.at = SETTLE;
}

/* Dead pipes are always readable: who has heard the end waits for the rest only. */
static void wait_for(struct dog *d, int64_t ms)
{
    if (d->dead)
        task_wait(&d->task, ms);
    else
        task_wait_fd(&d->task, PIPE, UV_READABLE, ms);
}

static void end(struct dog *d)
{
    d->task.at = END;
    settle_free(d->settle);
    d->settle = NULL;
    buf_free(&d->in);
    task_stop(&d->task);
}

/* The deadline, not a death, brought us here: stay until the engine has heard of it. */
static void after_act(struct dog *d)
{
    note(d, settle_error(d->settle)[0] ? "tries" : what_i_did(d));
    if (d->dead)
        end(d);
    else {
        d->task.at = WATCH;
        wait_for(d, GIVE_UP_MS);
    }
}

static void settle(struct dog *d)
{
    bool was_dead = d->dead;
    hear_all(d);
    if (d->done) {
        end(d);
        return;
    }
    if (d->dead && !was_dead) { /* what a waking engine did last is settled too */
        settle_expect_strays(d->settle);
        settle_go(d->settle, d->side, d->opened);
    }
    if (settle_step(d->settle) || clock_mono() - d->began > GIVE_UP_MS) {
        after_act(d);
        return;
    }
    if (!d->noted && clock_mono() - d->began > 5000) {
        note(d, "tries");
        d->noted = true;
    }
    wait_for(d, settle_wait_ms(d->settle));
}

static void watch(struct dog *d)
{
    hear_all(d);
    if (d->done)
        end(d);
    else if (d->dead || (d->deadline && clock_mono() >= d->deadline)) {
        act(d);
        settle(d);
    } else
        wait_for(d, d->deadline ? d->deadline - clock_mono() : GIVE_UP_MS);
}

static void open_all(struct dog *d)
{
    hear_all(d);
    if (!settle_step(d->settle) && clock_mono() - d->began < CONNECT_MS && !d->dead) {
        wait_for(d, 100);
        return;
    }
    char text[600];
    const char *error = settle_error(d->settle);
    snprintf(text, sizeof text, "%s%s", *error ? "failed " : "ready", error);
    say(text);
    if (*error || d->dead) {
        end(d);
        return;
    }
    d->task.at = WATCH;
    watch(d);
}

static void run(struct task *t)
{
    struct dog *d = (struct dog *)t;
    char *line;
    switch (t->at) {
    case READ_ORDERS:
        receive(d);
        if (!(line = next_line(d)) && !d->dead) {
            wait_for(d, CONNECT_MS);
            return;
        }
        d->settle = settle_new(t);
        d->began = clock_mono();
        if (!line || !take_orders(d, line)) {
            free(line);
            say("failed The watchdog did not understand its orders.");
            end(d);
            return;
        }
        free(line);
        settle_connect(d->settle);
        t->at = OPEN;
        /* fall through */
    case OPEN: open_all(d); return;
    case WATCH: watch(d); return;
    case SETTLE: settle(d); return;
    }
}

int watchdog_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    static const int ignored[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGQUIT};
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        signal(ignored[i], SIG_IGN);
    close_range(PIPE + 1, ~0U, 0);
    struct dog d = {0};
    uv_loop_t *loop = uv_default_loop();
    task_start(&d.task, loop, run, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
    uv_loop_close(loop);
    return 0;
}
