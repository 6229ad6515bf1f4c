/* Nobody reads the terminal: the cockpit must drop frames and go on, not sit in write(2). TAP on stdout.
 *
 *   guardian_stall [path of screen_demo] */
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int tests, failed;

static void check(bool fine, const char *name)
{
    failed += !fine;
    printf("%sok %d - %s\n", fine ? "" : "not ", ++tests, name);
}

static long long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Reads until `word` has come or the deadline is over; keeps the last part of what came in `text`. */
static bool read_until(int fd, const char *word, char *text, size_t size, int ms)
{
    long long end = now_ms() + ms;
    size_t len = strlen(text);
    while (now_ms() < end) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 100) <= 0)
            continue;
        if (len > size / 2) {
            memmove(text, text + len - size / 4, size / 4);
            len = size / 4;
        }
        ssize_t n = read(fd, text + len, size - len - 1);
        if (n <= 0)
            return word && strstr(text, word);
        for (ssize_t i = 0; i < n; i++)
            text[len + (size_t)i] = text[len + (size_t)i] ? text[len + (size_t)i] : ' ';
        text[len += (size_t)n] = '\0';
        if (word && strstr(text, word))
            return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    const char *demo = argc > 1 ? argv[1] : getenv("SCREEN_DEMO") ? getenv("SCREEN_DEMO") : "build/cc/bench/screen_demo";
    static char text[65536];
    struct winsize size = {.ws_row = 40, .ws_col = 120};
    int fd, status = 0;
    pid_t pid = forkpty(&fd, NULL, NULL, &size);
    if (pid == 0) {
        setenv("TERM", "xterm-256color", 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        unsetenv("TMUX");
        execl(demo, demo, "run", (char *)NULL);
        _exit(127);
    }
    check(read_until(fd, "6 log", text, sizeof text, 10000), "the cockpit comes up");
    /* A second and a half in which each key asks for a whole picture (11 kB) and nobody reads. */
    for (int i = 0; i < 75; i++) {
        if (write(fd, "\f", 1) != 1)
            break;
        poll(NULL, 0, 20);
    }
    long long start = now_ms();
    check(write(fd, "q", 1) == 1, "a key can still be typed");
    text[0] = '\0';
    check(read_until(fd, "frames ", text, sizeof text, 5000) && read_until(fd, "bytes ", text, sizeof text, 1000),
          "the cockpit answers it, though nobody had read");
    check(now_ms() - start < 3000, "and within three seconds");
    const char *said = strstr(text, "frames ");
    int frames = 0, dropped = 0, writes = 0;
    check(said && sscanf(said, "frames %d dropped %d writes %d", &frames, &dropped, &writes) == 3, "it counts its frames");
    printf("# %d frames, %d dropped, %d writes\n", frames, dropped, writes);
    check(dropped > 0, "frames were dropped instead of blocking");
    check(strstr(text, "\033[?1049l") != NULL && strstr(text, "\033[?2004l") != NULL, "the modes were given back");
    read_until(fd, NULL, text, sizeof text, 300);
    long long end = now_ms() + 5000;
    pid_t got;
    while ((got = waitpid(pid, &status, WNOHANG)) == 0 && now_ms() < end)
        poll(NULL, 0, 10);
    if (got == 0)
        kill(pid, SIGKILL);
    check(got == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0, "it ended in order");
    printf("1..%d\n", tests);
    return failed > 0;
}
