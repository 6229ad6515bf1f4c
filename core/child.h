/* child: a process that is started, listened to and ended, all with a deadline. It gets no terminal: a session and
 * process group of its own, stdin from /dev/null, stdout and stderr by pipe. When the time is up the whole group is
 * sent TERM and after a grace period KILL. */
#ifndef CORE_CHILD_H
#define CORE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct task;
struct child;

/* Strings are copied before the call returns. */
struct child_opts {
    const char *const *argv;   /* NULL-terminated; argv[0] by PATH. Never a shell, unless argv says so */
    const char *const *env;    /* "NAME=value" added to our environment; NULL-terminated or NULL */
    const char *cwd;           /* NULL: ours */
    int64_t timeout_ms;        /* must be > 0 */
    int64_t grace_ms;          /* between TERM and KILL; 0: 1000 */
    size_t output_limit;       /* bytes of stdout kept for child_output; 0: 65536 */
};

struct child_line {
    bool is_err;     /* from stderr */
    char text[1024]; /* sanitised */
};

struct child *child_new(struct task *owner);
void child_start(struct child *c, const struct child_opts *opts); /* wakes the owner at new lines and at the end */
bool child_busy(const struct child *c);
/* Takes the oldest unread line; false if there is none. Lines wait in a queue of 256; what comes when it is full is counted only. */
bool child_read(struct child *c, struct child_line *line);
int child_lines_lost(const struct child *c);

/* Once not busy: */
bool child_failed(const struct child *c);         /* not started, status other than 0, killed, or out of time */
const char *child_error(const struct child *c);   /* finished sentence with the last line of stderr; "" if not failed */
int child_exit_status(const struct child *c);     /* -1: ended by a signal or not started */
int child_signal(const struct child *c);          /* 0: none */
bool child_timed_out(const struct child *c);
int64_t child_elapsed_us(const struct child *c);
const char *child_output(const struct child *c, size_t *len); /* stdout raw, bounded, NUL-terminated */

void child_kill(struct child *c);  /* TERM now, KILL after the grace period; the owner is woken at the end */
void child_free(struct child *c);  /* KILLs the group if it still runs; NULL is fine */

#endif
