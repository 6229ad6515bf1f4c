/* Users of a database behind a pooler: COUNT processes, each writes numbered rows one after the other, as fast as it may,
 * and notes what was acknowledged, what failed, and its longest wait.
 *
 *   switch_writers CONNINFO DIR COUNT PAUSE_MS
 *
 * Ends at SIGTERM. DIR/acks.N holds one number per acknowledged row, DIR/failed.N the failures, DIR/longest.N microseconds. */
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

static void on_term(int number)
{
    (void)number;
    stop = 1;
}

static long long now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static FILE *open_in(const char *dir, const char *name, int writer)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.%d", dir, name, writer);
    FILE *f = fopen(path, "a");
    if (!f)
        exit(2);
    setvbuf(f, NULL, _IOLBF, 0);
    return f;
}

/* A transaction of several statements, as an application has them, so that the drain has something to wait for. */
static PGresult *write_row(PGconn *conn, int writer, long long n)
{
    char sql[400];
    snprintf(sql, sizeof sql, "BEGIN; INSERT INTO items (writer, n) VALUES (%d, %lld); UPDATE hot SET n = n + 1 WHERE id = %d; COMMIT", writer, n, writer);
    return PQexec(conn, sql);
}

static int write_rows(const char *conninfo, const char *dir, int writer, int pause_ms)
{
    FILE *acks = open_in(dir, "acks", writer), *failed = open_in(dir, "failed", writer), *longest = open_in(dir, "longest", writer);
    PGconn *conn = PQconnectdb(conninfo);
    long long worst = 0;
    for (long long n = (long long)getpid() * 10000000; !stop; n++) {
        long long began = now_us();
        PGresult *r = write_row(conn, writer, n);
        long long took = now_us() - began;
        if (PQresultStatus(r) == PGRES_COMMAND_OK && strcmp(PQcmdStatus(r), "COMMIT") == 0)
            fprintf(acks, "%lld\n", n);
        else
            fprintf(failed, "%lld %s", n, *PQerrorMessage(conn) ? PQerrorMessage(conn) : "rolled back\n");
        worst = took > worst ? took : worst;
        PQclear(r);
        if (PQstatus(conn) == CONNECTION_BAD)
            PQreset(conn);
        usleep((useconds_t)pause_ms * 1000);
    }
    fprintf(longest, "%lld\n", worst);
    PQfinish(conn);
    return fclose(acks) | fclose(failed) | fclose(longest);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    int count = atoi(argv[3]);
    pid_t *pids = calloc((size_t)count, sizeof *pids);
    struct sigaction action = {.sa_handler = on_term};
    sigaction(SIGTERM, &action, NULL);
    for (int i = 0; i < count; i++)
        if ((pids[i] = fork()) == 0)
            _exit(write_rows(argv[1], argv[2], i, atoi(argv[4])));
    while (!stop)
        pause();
    for (int i = 0; i < count; i++)
        kill(pids[i], SIGTERM);
    while (wait(NULL) > 0)
        ;
    free(pids);
    return 0;
}
