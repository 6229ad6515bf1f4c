/* Clients of a database behind a pooler, for tests/bench/switch.sh: CLIENTS connections write at RATE transactions a second in all, each one
 * row: an insert or an update in turn. They keep to their timetable: who is late because writes stood still catches up.
 *
 *   switch_load CONNINFO RATE CLIENTS ACKS
 *
 * At each line on stdin it prints a line about the time since the last one, and begins anew:
 *   gap_us slowest_us acknowledged errors updates
 * gap: the longest time in which nobody got an answer; slowest: the longest request; updates: acknowledged ones since the start.
 * ACKS gets the number of every acknowledged insert. It ends with stdin. */
#include <fcntl.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 64 };
static struct client {
    PGconn *conn;
    long long due, sent, number; /* sent 0: idle */
    int is_update;
} clients[MOST];
static int nclients;
static long long last_answer, gap, slowest, acked, errors, updates, next_number = 1;
static FILE *acks;

static long long now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void send_one(struct client *c, long long now)
{
    char sql[200];
    c->is_update = !c->is_update;
    c->number = next_number++;
    if (c->is_update)
        snprintf(sql, sizeof sql, "UPDATE hot SET n = n + 1 WHERE id = %d", (int)((c - clients) % 16));
    else
        snprintf(sql, sizeof sql, "INSERT INTO items (writer, n) VALUES (%d, %lld)", (int)(c - clients), c->number);
    c->sent = now;
    if (!PQsendQuery(c->conn, sql)) {
        fprintf(stderr, "%s", PQerrorMessage(c->conn));
        if (++errors > 10000)
            exit(3);
        c->sent = 0;
    }
}

static void take_answer(struct client *c)
{
    PGresult *r;
    int good = 0;
    if (!PQconsumeInput(c->conn))
        good = -1;
    while (good >= 0 && !PQisBusy(c->conn) && (r = PQgetResult(c->conn))) {
        good = PQresultStatus(r) == PGRES_COMMAND_OK && strcmp(PQcmdTuples(r), "1") == 0 ? 1 : -1;
        PQclear(r);
    }
    if (good == 0)
        return;
    long long now = now_us();
    if (good < 0) {
        if (++errors > 10000) /* the server is gone for good */
            exit(3);
        fprintf(stderr, "%lld at %ld: %s", c->number, (long)time(NULL), PQerrorMessage(c->conn));
        if (PQstatus(c->conn) == CONNECTION_BAD)
            PQreset(c->conn);
    } else {
        acked++;
        updates += c->is_update;
        if (!c->is_update)
            fprintf(acks, "%lld\n", c->number);
        gap = last_answer && now - last_answer > gap ? now - last_answer : gap;
        last_answer = now;
    }
    slowest = now - c->sent > slowest ? now - c->sent : slowest;
    c->sent = 0;
}

static void report(void)
{
    long long open_gap = last_answer ? now_us() - last_answer : 0;
    fflush(acks);
    printf("%lld %lld %lld %lld %lld\n", open_gap > gap ? open_gap : gap, slowest, acked, errors, updates);
    fflush(stdout);
    gap = slowest = acked = errors = 0;
}

/* At the end what is on its way is still answered, so that its fate is known. */
static int is_idle(void)
{
    for (int i = 0; i < nclients; i++)
        if (clients[i].sent)
            return 0;
    return 1;
}

int main(int argc, char **argv)
{
    if (argc < 5 || (nclients = atoi(argv[3])) < 1 || nclients > MOST || !(acks = fopen(argv[4], "w")))
        return 2;
    long long every = 1000000LL * nclients / atoi(argv[2]), now = now_us();
    struct pollfd fds[MOST + 1] = {{.fd = 0, .events = POLLIN}};
    for (int i = 0; i < nclients; i++) {
        clients[i] = (struct client){.conn = PQconnectdb(argv[1]), .due = now + 100000 + every * i / nclients, .is_update = i % 2};
        if (PQstatus(clients[i].conn) != CONNECTION_OK) {
            fprintf(stderr, "%s", PQerrorMessage(clients[i].conn));
            return 2;
        }
    }
    for (int ending = 0; !ending || !is_idle();) {
        long long wake = now_us() + 20000;
        now = now_us();
        for (int i = 0; i < nclients; i++) {
            struct client *c = &clients[i];
            if (!c->sent && !ending && c->due <= now) {
                send_one(c, now);
                c->due += every;
            }
            wake = !c->sent && c->due < wake ? c->due : wake;
            fds[i + 1] = (struct pollfd){.fd = PQsocket(c->conn), .events = c->sent ? POLLIN : 0};
        }
        fds[0].fd = ending ? -1 : 0;
        struct timespec patience = {.tv_nsec = (wake > now ? wake - now : 0) * 1000};
        if (ppoll(fds, (nfds_t)nclients + 1, &patience, NULL) <= 0)
            continue;
        for (int i = 0; i < nclients; i++)
            if (clients[i].sent && fds[i + 1].revents)
                take_answer(&clients[i]);
        char line[64];
        if (!ending && fds[0].revents) {
            ssize_t n = read(0, line, sizeof line);
            ending = n <= 0;
            if (n > 0)
                report();
        }
    }
    for (int i = 0; i < nclients; i++)
        PQfinish(clients[i].conn);
    return fclose(acks);
}
