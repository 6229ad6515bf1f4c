/* lossy: a resolver on a bad line. Forwards UDP questions to another resolver and drops every nth of them.
 *   lossy LISTEN:PORT FORWARD:PORT N
 * Questions in flight stand in a table by the number under which they were passed on. */
#include "tests/lab/ask.h"

#define FLIGHTS 1024

struct flight {
    struct sockaddr_in from;
    uint16_t id;
    bool open;
};

static struct flight flights[FLIGHTS];
static unsigned long questions;
static uint16_t next_id;

static void pass_on(int here, int there, unsigned every)
{
    uint8_t msg[4096];
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t len = recvfrom(here, msg, sizeof msg, 0, (struct sockaddr *)&from, &size);
    if (len < 12 || ++questions % every == 0)
        return;
    uint16_t id = next_id++ % FLIGHTS;
    flights[id] = (struct flight){.from = from, .id = ask_u16(msg), .open = true};
    msg[0] = (uint8_t)(id >> 8), msg[1] = (uint8_t)id;
    if (send(there, msg, (size_t)len, 0) != len)
        flights[id].open = false;
}

static void pass_back(int here, int there)
{
    uint8_t msg[4096];
    ssize_t len = recv(there, msg, sizeof msg, 0);
    uint16_t id = len < 12 ? FLIGHTS : ask_u16(msg);
    if (id >= FLIGHTS || !flights[id].open)
        return;
    struct flight *f = &flights[id];
    f->open = false;
    msg[0] = (uint8_t)(f->id >> 8), msg[1] = (uint8_t)f->id;
    /* An answer that can't be sent is one more that is lost. */
    (void)!sendto(here, msg, (size_t)len, 0, (const struct sockaddr *)&f->from, sizeof f->from);
}

static int udp(const char *where, bool listening)
{
    struct sockaddr_in at;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool ok = fd >= 0 && ask_target(where, &at);
    ok = ok && (listening ? bind(fd, (struct sockaddr *)&at, sizeof at) : connect(fd, (struct sockaddr *)&at, sizeof at)) == 0;
    if (!ok) {
        fprintf(stderr, "lossy: %s can't be used.\n", where);
        exit(1);
    }
    return fd;
}

int main(int argc, char **argv)
{
    unsigned every = argc == 4 ? (unsigned)atoi(argv[3]) : 0;
    if (every < 2) {
        fprintf(stderr, "usage: lossy LISTEN:PORT FORWARD:PORT N   (N at least 2)\n");
        return 2;
    }
    int here = udp(argv[1], true), there = udp(argv[2], false);
    struct pollfd p[] = {{.fd = here, .events = POLLIN}, {.fd = there, .events = POLLIN}};
    while (poll(p, 2, -1) > 0) {
        if (p[0].revents)
            pass_on(here, there, every);
        if (p[1].revents)
            pass_back(here, there);
    }
    return 1;
}
