/* ask: one DNS question over UDP, as a program's own stub resolver puts it (RFC 1035). Only for the lab's programs:
 * it blocks, it knows A records and nothing else. */
#ifndef LAB_ASK_H
#define LAB_ASK_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

struct ask_answer {
    char address[INET_ADDRSTRLEN];
    uint32_t ttl; /* seconds */
};

/* "127.0.1.1:20053" */
static inline bool ask_target(const char *text, struct sockaddr_in *to)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    if (!colon || (size_t)(colon - text) >= sizeof host)
        return false;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    *to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
    return inet_pton(AF_INET, host, &to->sin_addr) == 1 && to->sin_port != 0;
}

/* Writes the question; returns its length, 0 when the name is none. */
static inline size_t ask_question(uint8_t *out, size_t size, uint16_t id, const char *name)
{
    size_t at = 12;
    memset(out, 0, at);
    out[0] = (uint8_t)(id >> 8), out[1] = (uint8_t)id, out[2] = 1 /* recursion desired */, out[5] = 1;
    while (*name) {
        size_t len = strcspn(name, ".");
        if (len == 0 || len > 63 || at + len + 6 > size)
            return 0;
        out[at++] = (uint8_t)len;
        memcpy(out + at, name, len);
        at += len, name += len + (name[len] == '.');
    }
    const uint8_t tail[] = {0, 0, 1, 0, 1}; /* root, A, IN */
    memcpy(out + at, tail, sizeof tail);
    return at + sizeof tail;
}

/* Steps over a name, compressed or not; returns the next offset, or 0 when it runs out of the message. */
static inline size_t ask_skip_name(const uint8_t *msg, size_t len, size_t at)
{
    while (at < len && msg[at] != 0 && msg[at] < 0xc0)
        at += msg[at] + 1u;
    if (at >= len)
        return 0;
    at += msg[at] >= 0xc0 ? 2 : 1;
    return at <= len ? at : 0;
}

static inline uint16_t ask_u16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

/* The first A record of an answer, with the smallest TTL of the whole answer section. */
static inline bool ask_parse(const uint8_t *msg, size_t len, struct ask_answer *answer)
{
    bool found = false;
    uint32_t least = UINT32_MAX;
    size_t at = len >= 12 && (msg[3] & 15) == 0 ? ask_skip_name(msg, len, 12) : 0;
    at = at ? at + 4 : 0;
    for (unsigned left = at ? ask_u16(msg + 6) : 0; left > 0; left--) {
        at = ask_skip_name(msg, len, at);
        if (!at || at + 10 > len || at + 10 + ask_u16(msg + at + 8) > len)
            return false;
        uint32_t ttl = (uint32_t)ask_u16(msg + at + 4) << 16 | ask_u16(msg + at + 6);
        least = ttl < least ? ttl : least;
        if (!found && ask_u16(msg + at) == 1 && ask_u16(msg + at + 8) == 4)
            found = inet_ntop(AF_INET, msg + at + 10, answer->address, sizeof answer->address) != NULL;
        at += 10u + ask_u16(msg + at + 8);
    }
    answer->ttl = least;
    return found;
}

/* Sends `copies` on a connected socket and waits up to `wait_ms` for the answer that carries our number. */
static inline bool ask_send(int fd, const char *name, int copies, int wait_ms, struct ask_answer *answer)
{
    uint8_t msg[1500];
    uint16_t id = 0;
    if (getrandom(&id, sizeof id, 0) != (ssize_t)sizeof id)
        return false;
    size_t len = ask_question(msg, sizeof msg, id, name);
    for (int i = 0; i < copies; i++)
        if (len == 0 || send(fd, msg, len, 0) != (ssize_t)len)
            return false;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (poll(&p, 1, wait_ms) == 1) {
        ssize_t got = recv(fd, msg, sizeof msg, 0);
        if (got < 12)
            return false;
        if (ask_u16(msg) == id)
            return ask_parse(msg, (size_t)got, answer);
    }
    return false;
}

/* Asks up to `tries` times, each from a fresh port; from the second on twice together, so that a line that drops every third packet
 * can't fall in step with the tries. */
static inline bool ask(const struct sockaddr_in *to, const char *name, int tries, int wait_ms, struct ask_answer *answer)
{
    bool ok = false;
    for (int i = 0; !ok && i < tries; i++) {
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
            return false;
        ok = connect(fd, (const struct sockaddr *)to, sizeof *to) == 0 && ask_send(fd, name, i ? 2 : 1, wait_ms, answer);
        close(fd);
    }
    return ok;
}

#endif
