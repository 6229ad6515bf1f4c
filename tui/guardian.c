#include "tui/guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* Mouse, focus and paste reports off, end of a synchronised frame, main screen, cursor keys and keypad as they were,
 * cursor on, plain letters in ASCII. */
static const char resets[] = "\033[?1000l\033[?1002l\033[?1003l\033[?1006l\033[?1004l\033[?2004l\033[?2026l"
                             "\033[?1049l\033[?1l\033>\033[?25h\033(B\033[0m\r";

static volatile sig_atomic_t child;

static void forward(int sig)
{
    int saved = errno;
    if (child > 0)
        kill((pid_t)child, sig);
    errno = saved;
}

/* The child gets TERM and HUP from here; what the terminal itself sends (Ctrl-C, Ctrl-Z) reaches it directly. */
static const int forwarded[] = {SIGTERM, SIGHUP}, ignored[] = {SIGINT, SIGQUIT, SIGTSTP, SIGTTOU, SIGTTIN, SIGPIPE};
enum { FORWARDED = 2, IGNORED = 6 };

static void take_signals(struct sigaction old[FORWARDED + IGNORED])
{
    struct sigaction pass = {.sa_handler = forward}, ignore = {.sa_handler = SIG_IGN};
    for (int i = 0; i < FORWARDED; i++)
        sigaction(forwarded[i], &pass, &old[i]);
    for (int i = 0; i < IGNORED; i++)
        sigaction(ignored[i], &ignore, &old[FORWARDED + i]);
}

static void put_signals_back(const struct sigaction old[FORWARDED + IGNORED])
{
    for (int i = 0; i < FORWARDED; i++)
        sigaction(forwarded[i], &old[i], NULL);
    for (int i = 0; i < IGNORED; i++)
        sigaction(ignored[i], &old[FORWARDED + i], NULL);
}

struct terminal {
    int fd; /* -1: there is none */
    struct termios was;
};

static struct terminal remember_terminal(void)
{
    struct terminal t = {.fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
    if (t.fd >= 0 && tcgetattr(t.fd, &t.was) != 0) {
        close(t.fd);
        t.fd = -1;
    }
    return t;
}

/* The screen leaves its modes first and cooks the terminal last, so a cooked terminal is a clean one. */
static bool is_clean(const struct terminal *t)
{
    struct termios now;
    if (t->fd < 0 || tcgetattr(t->fd, &now) != 0)
        return true;
    return (now.c_lflag & (ICANON | ECHO)) == (t->was.c_lflag & (ICANON | ECHO));
}

/* Typed-ahead keys were meant for the cockpit and must not run in the shell. The write doesn't block: a terminal that
 * nobody reads can't be helped. */
static void give_back(const struct terminal *t)
{
    if (is_clean(t))
        return;
    ssize_t n = write(t->fd, resets, sizeof resets - 1);
    (void)n;
    tcflush(t->fd, TCIFLUSH);
    tcsetattr(t->fd, TCSANOW, &t->was);
}

/* The child was stopped (Ctrl-Z, or from elsewhere): so do we, and the shell takes over. Its `fg` wakes both. */
static void stop_too(const struct terminal *t)
{
    give_back(t);
    raise(SIGSTOP);
    kill((pid_t)child, SIGCONT);
}

static int wait_for_child(const struct terminal *t)
{
    int status;
    for (;;) {
        pid_t pid = waitpid((pid_t)child, &status, WUNTRACED);
        if (pid < 0 && errno == EINTR)
            continue;
        if (pid < 0)
            return 70 << 8; /* Somebody else reaped it: nothing is known. */
        if (!WIFSTOPPED(status))
            return status;
        stop_too(t);
    }
}

static int say_how_it_ended(int status)
{
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    int sig = WTERMSIG(status);
    if (sig != SIGHUP)
        fprintf(stderr,
                "cutover: the screen was ended by signal %d (%s). The run goes on without it.\n",
                sig, strsignal(sig));
    return 128 + sig;
}

int guardian_run(int (*screen_main)(void *arg), void *arg)
{
    struct sigaction old[FORWARDED + IGNORED];
    struct terminal t = remember_terminal();
    pid_t guardian = getpid();
    fflush(NULL);
    take_signals(old);
    child = fork();
    if (child == 0) {
        put_signals_back(old);
        if (t.fd >= 0)
            close(t.fd);
        prctl(PR_SET_PDEATHSIG, SIGHUP); /* Without a guardian there is nobody to clean up behind it: end in order. */
        if (getppid() != guardian)
            raise(SIGHUP);
        exit(screen_main(arg));
    }
    int status = child > 0 ? wait_for_child(&t) : 70 << 8;
    if (child < 0)
        fprintf(stderr, "cutover: no process for the screen: %s\n", strerror(errno));
    child = 0;
    put_signals_back(old);
    give_back(&t);
    if (t.fd >= 0)
        close(t.fd);
    return say_how_it_ended(status);
}
