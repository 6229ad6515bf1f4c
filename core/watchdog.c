/* The engine's side: start the child, tell it, hear it, and what its log says afterwards. */
#include "core/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/pgnames.h"

extern char **environ;

enum { CHILD_FD = 3, TELL_MS = 1000 };

struct watchdog {
    pid_t pid;
    int fd;
    bool gone;
    size_t len;
    char in[2048];
};

static json_t *pooler_as_json(const struct plan_pooler *p, const char *retry)
{
    return json_pack("{ss ss ss ss ss ss ss}", "retry", retry, "name", p->name, "admin", p->admin, "database", p->database, "file", p->file,
                     "blue", p->target[BLUE], "green", p->target[GREEN]);
}

static json_t *database_as_json(const struct plan_database *d, bool back, const char *const *retries)
{
    json_t *poolers = json_array(), *repoint = json_array();
    for (int i = 0; i < d->npoolers; i++)
        json_array_append_new(poolers, pooler_as_json(&d->poolers[i], retries[i]));
    for (int i = 0; i < d->nrepoint && !d->npoolers; i++)
        json_array_append_new(repoint, json_string(d->repoint[i]));
    char home[64] = "";
    if (d->reverse)
        (back ? pgnames_slot : pgnames_back)(d, home, sizeof home);
    return json_pack("{ss ss ss ss so so}", "name", d->name, "home", home, "blue", d->conninfo[BLUE], "green", d->conninfo[GREEN],
                     "poolers", poolers, "repoint", repoint);
}

static json_t *flag_as_json(const struct plan_flag *f)
{
    json_t *run = json_array();
    for (int i = 0; i < f->nrun; i++)
        json_array_append_new(run, json_string(f->run[i]));
    return json_pack("{ss ss so}", "name", f->name, "url", f->url, "run", run);
}

static char *write_orders(const struct plan *plan, bool back, const char *const *retries, const char *state_dir)
{
    json_t *databases = json_array(), *flags = json_array();
    for (int i = 0; i < plan->ndatabases; i++) {
        json_array_append_new(databases, database_as_json(&plan->databases[i], back, retries));
        retries += plan->databases[i].npoolers;
    }
    for (int i = 0; i < plan->nflags; i++)
        json_array_append_new(flags, flag_as_json(&plan->flags[i]));
    json_t *all = json_pack("{ss sb sI sI so so}", "state_dir", state_dir, "back", back, "engine", (json_int_t)getpid(), "deadline",
                            (json_int_t)plan->switch_deadline + WATCHDOG_GRACE_MS, "databases", databases, "flags", flags);
    char *text = all ? json_dumps(all, JSON_COMPACT) : NULL;
    json_decref(all);
    if (!text)
        die("out of memory");
    return text;
}

static bool spawn(struct watchdog *w, int child_end, struct err *err)
{
    char *argv[] = {"cutover", "watchdog", NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&files, child_end, CHILD_FD);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID);
    int rc = posix_spawn(&w->pid, "/proc/self/exe", &files, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return rc == 0 || err_set(err, "The watchdog could not be started: %s. Without it nothing is paused.", strerror(rc));
}

struct watchdog *watchdog_start(const struct plan *plan, bool back, const char *const *retries, const char *state_dir, struct err *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        err_set(err, "The watchdog could not be started: %s. Without it nothing is paused.", strerror(errno));
        return NULL;
    }
    struct watchdog *w = xcalloc(1, sizeof *w);
    w->fd = pair[0];
    struct timeval patience = {.tv_sec = TELL_MS / 1000};
    setsockopt(w->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    bool good = spawn(w, pair[1], err);
    close(pair[1]);
    if (!good) {
        close(w->fd);
        free(w);
        return NULL;
    }
    char *orders = write_orders(plan, back, retries, state_dir);
    watchdog_tell(w, orders);
    free(orders);
    return w;
}

int watchdog_fd(const struct watchdog *w)
{
    return w && !w->gone ? w->fd : -1;
}

bool watchdog_is_gone(const struct watchdog *w)
{
    return !w || w->gone;
}

/* A line that can't be written whole counts as a watchdog that is gone: nobody may build on it. */
void watchdog_tell(struct watchdog *w, const char *word)
{
    if (watchdog_is_gone(w))
        return;
    struct buf line = {0};
    buf_printf(&line, "%s\n", word);
    for (size_t sent = 0; sent < line.len && !w->gone;) {
        ssize_t n = send(w->fd, line.text + sent, line.len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            w->gone = true;
        sent += n > 0 ? (size_t)n : 0;
    }
    buf_free(&line);
}

static void receive(struct watchdog *w)
{
    ssize_t n = recv(w->fd, w->in + w->len, sizeof w->in - w->len, MSG_DONTWAIT);
    if (n > 0)
        w->len += (size_t)n;
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        w->gone = true;
}

bool watchdog_hears(struct watchdog *w, char *line, size_t size)
{
    if (!w)
        return false;
    if (!w->gone && w->len < sizeof w->in)
        receive(w);
    char *end = memchr(w->in, '\n', w->len);
    if (!end)
        return false;
    *end = '\0';
    copy_text(line, size, w->in);
    size_t used = (size_t)(end + 1 - w->in);
    memmove(w->in, end + 1, w->len -= used);
    return true;
}

/* It is our own child and not yet waited for, so its number can't have gone to another process. */
static void reap(struct watchdog *w, bool wait)
{
    if (w->pid > 0 && waitpid(w->pid, NULL, wait ? 0 : WNOHANG) != 0)
        w->pid = 0;
}

void watchdog_kill(struct watchdog *w)
{
    if (!w || w->pid == 0)
        return;
    kill(w->pid, SIGKILL);
    reap(w, true);
    w->gone = true;
}

/* One that still settles outlives us; who ends at once is waited for. */
void watchdog_free(struct watchdog *w)
{
    if (!w)
        return;
    close(w->fd);
    reap(w, w->gone);
    free(w);
}

static void read_entry(const char *line, struct watchdog_entry *e)
{
    json_t *j = json_loads(line, 0, NULL);
    json_int_t at = 0, engine = 0, took = 0, pause = 0;
    const char *did = "", *error = "";
    json_unpack(j, "{s?I s?I s?I s?I s?s s?s}", "at", &at, "engine", &engine, "took_us", &took, "pause_us", &pause, "did", &did, "error", &error);
    *e = (struct watchdog_entry){.at = at, .engine = engine, .took_us = took, .pause_us = pause};
    copy_text(e->did, sizeof e->did, did);
    copy_text(e->error, sizeof e->error, error);
    json_decref(j);
}

bool watchdog_last(const char *state_dir, struct watchdog_entry *entry)
{
    char path[PATH_MAX], line[2048];
    snprintf(path, sizeof path, "%s/watchdog.log", state_dir);
    FILE *f = fopen(path, "re");
    bool any = false;
    while (f && fgets(line, sizeof line, f)) {
        read_entry(line, entry);
        any = true;
    }
    if (f)
        fclose(f);
    return any;
}
