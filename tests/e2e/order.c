/* order: a screen without a picture. It attaches to an engine, sends orders, and waits for what becomes of them.
 *   order SOCKET SECONDS PATTERN ORDER...      ORDER: a JSON object on one line; PATTERN: extended regular expression
 * Prints the journal's lines that come after it has joined, until one matches (0) or the time is over (1).
 * 2: nobody answers; 3: the engine went away meanwhile. Without ORDER it only watches. */
#include <poll.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct talk {
    int fd;
    char *text;
    size_t len, size;
    char joined[64]; /* what our own screen_joined looks like; "" until the engine said who we are */
    long long since; /* wall clock: an older engine of this run may have counted its screens alike */
    bool live;       /* the backlog is over */
    char **orders;
    int norders;
    regex_t wanted;
};

static long long ms_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int dial(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    perror(path);
    return -1;
}

static void send_orders(struct talk *t)
{
    for (int i = 0; i < t->norders; i++)
        dprintf(t->fd, "%s\n", t->orders[i]);
}

static bool is_our_joining(const struct talk *t, const char *line)
{
    long long at = 0;
    return *t->joined && strstr(line, t->joined) && sscanf(line, "{\"seq\":%*d,\"at\":%lld", &at) == 1 && at >= t->since;
}

/* True when this is the line that is waited for. */
static bool take_line(struct talk *t, const char *line)
{
    int id;
    if (sscanf(line, "{\"you\":{\"id\":%d", &id) == 1)
        snprintf(t->joined, sizeof t->joined, "\"event\":\"screen_joined\",\"id\":%d,", id);
    else if (!t->live && is_our_joining(t, line)) {
        t->live = true;
        send_orders(t);
    } else if (t->live) {
        puts(line);
        return regexec(&t->wanted, line, 0, NULL, 0) == 0;
    }
    return false;
}

static bool take_lines(struct talk *t)
{
    size_t from = 0;
    bool found = false;
    for (char *end; !found && (end = memchr(t->text + from, '\n', t->len - from)); from = (size_t)(end - t->text) + 1) {
        *end = '\0';
        found = take_line(t, t->text + from);
    }
    memmove(t->text, t->text + from, t->len - from);
    t->len -= from;
    return found;
}

/* False at the end of the connection. */
static bool read_some(struct talk *t)
{
    if (t->len + 65536 > t->size)
        t->text = realloc(t->text, t->size += 1 << 20);
    ssize_t n = t->text ? read(t->fd, t->text + t->len, 65536) : 0;
    t->len += n > 0 ? (size_t)n : 0;
    return n > 0;
}

static int listen_until(struct talk *t, long long end)
{
    while (ms_of(CLOCK_MONOTONIC) < end) {
        struct pollfd p = {.fd = t->fd, .events = POLLIN};
        if (poll(&p, 1, (int)(end - ms_of(CLOCK_MONOTONIC))) <= 0)
            continue;
        if (!read_some(t))
            return 3;
        if (take_lines(t))
            return 0;
    }
    return 1;
}

int main(int argc, char **argv)
{
    struct talk t = {.fd = -1};
    if (argc < 4 || regcomp(&t.wanted, argv[3], REG_EXTENDED | REG_NOSUB) != 0) {
        fprintf(stderr, "usage: order SOCKET SECONDS PATTERN ORDER...\n");
        return 64;
    }
    t.orders = argv + 4;
    t.norders = argc - 4;
    t.since = ms_of(CLOCK_REALTIME);
    t.fd = dial(argv[1]);
    int status = t.fd < 0 ? 2 : listen_until(&t, ms_of(CLOCK_MONOTONIC) + (long long)(atof(argv[2]) * 1000));
    if (t.fd >= 0)
        close(t.fd);
    free(t.text);
    regfree(&t.wanted);
    return status;
}
