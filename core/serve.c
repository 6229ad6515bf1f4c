#include "core/serve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/task.h"

enum { LOOK = 100, LINGER = 2000, PATIENCE_ABORT = 15000 };

struct serve {
    struct task task; /* first */
    struct cutover *cutover;
    bool unattended, echo, asked;
    int64_t told;        /* log lines that were echoed */
    int64_t alone_since; /* clock_mono since when the run is over and nobody looks */
    int64_t asked_at;
};

/* A handler may only note that it was called; the task sees it within LOOK. */
static volatile sig_atomic_t told_to_stop;

static void on_signal(int number)
{
    told_to_stop = number;
}

static void echo_log(struct serve *s)
{
    const struct model *m = cutover_model(s->cutover);
    int64_t first = m->nlog - model_log_count(m);
    for (int64_t i = MAX(s->told, first); i < m->nlog; i++) {
        const struct model_log *l = model_log_at(m, (int)(i - first));
        time_t sec = (time_t)(l->at / 1000);
        struct tm tm;
        gmtime_r(&sec, &tm);
        printf("%02d:%02d:%02d.%03d %-5s %-12s %s\n", tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(l->at % 1000), l->level, l->from, l->text);
    }
    s->told = m->nlog;
    fflush(stdout);
}

/* A running step is asked to stop at its next safe place before the engine goes. */
static bool may_go(struct serve *s)
{
    int64_t now = clock_mono();
    if (!s->asked_at)
        s->asked_at = now;
    return !cutover_abort(s->cutover, "signal") || now - s->asked_at > PATIENCE_ABORT;
}

static bool is_time_to_go(struct serve *s)
{
    int status;
    if (told_to_stop)
        return may_go(s);
    if (!cutover_is_over(s->cutover, &status))
        return false;
    if (s->unattended)
        return true;
    if (cutover_screens(s->cutover) > 0)
        s->alone_since = 0;
    else if (!s->alone_since)
        s->alone_since = clock_mono();
    return s->alone_since && clock_mono() - s->alone_since > LINGER;
}

static void look(struct task *task)
{
    struct serve *s = (struct serve *)task;
    if (s->echo)
        echo_log(s);
    if (is_time_to_go(s)) {
        cutover_stop(s->cutover, told_to_stop ? "a signal asked the engine to end" : "the run is over");
        if (s->echo)
            echo_log(s);
        task_stop(task);
        return;
    }
    task_sleep(task, LOOK);
}

static void tell_ready(int fd, const char *text)
{
    if (fd < 0)
        return;
    if (write(fd, text, strlen(text)) < 0)
        perror("cutover: can't tell that the engine is ready");
    close(fd);
}

int serve_run(const struct cutover_options *options, int ready_fd, bool echo)
{
    uv_loop_t loop;
    struct err err;
    struct sigaction stop = {.sa_handler = on_signal};
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (ready_fd >= 0)
        signal(SIGHUP, SIG_IGN);
    uv_loop_init(&loop);
    struct serve s = {.unattended = options->unattended, .echo = echo};
    s.cutover = cutover_new(&loop, options, &err);
    if (!s.cutover) {
        tell_ready(ready_fd, err.text);
        if (ready_fd < 0)
            fprintf(stderr, "%s\n", err.text);
        uv_run(&loop, UV_RUN_DEFAULT);
        uv_loop_close(&loop);
        return 2;
    }
    tell_ready(ready_fd, "ready");
    task_start(&s.task, &loop, look, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    int status = 0;
    if (!cutover_is_over(s.cutover, &status))
        status = 1;
    cutover_free(s.cutover);
    if (uv_loop_close(&loop) != 0 && echo)
        fprintf(stderr, "cutover: something was still open at the end\n");
    return status;
}
