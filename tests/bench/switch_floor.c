/* The floor under the switch, for tests/bench/switch.sh: the least that any program must do to move the writes of some databases from blue to
 * green behind one PgBouncer, without any proof, deadline or way back: pause, read-only and marker, wait for the marker, set the
 * sequences, open green, the other lines in the file, resume.
 *
 *   switch_floor BLUE GREEN ADMIN FILE NEW_FILE DATABASE...
 *
 * BLUE and GREEN are conninfo without dbname; NEW_FILE is moved over FILE. Prints the pause in microseconds. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 8 };
static int n;
static long long zero;
static struct db {
    const char *name;
    PGconn *blue, *green, *admin;
    char read[8192]; /* reads every sequence */
} dbs[MOST];

static long long now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static PGconn *open_line(const char *conninfo, const char *dbname)
{
    char all[1024];
    snprintf(all, sizeof all, "%s dbname='%s' application_name='cutover floor' ", conninfo, dbname);
    PGconn *c = PQconnectdb(all);
    if (PQstatus(c) != CONNECTION_OK) {
        fprintf(stderr, "%s", PQerrorMessage(c));
        exit(1);
    }
    return c;
}

static void ask(PGconn *c, const char *sql)
{
    if (!PQsendQuery(c, sql)) {
        fprintf(stderr, "%s: %s", sql, PQerrorMessage(c));
        exit(1);
    }
}

/* The last result that has rows, or the last one. */
static PGresult *answer(PGconn *c)
{
    PGresult *r, *kept = NULL;
    while ((r = PQgetResult(c))) {
        if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK) {
            fprintf(stderr, "%s", PQresultErrorMessage(r));
            exit(1);
        }
        PQclear(kept);
        kept = r;
    }
    return kept;
}

static void prepare(struct db *d, char **argv, const char *name)
{
    d->name = name;
    d->blue = open_line(argv[1], name);
    d->green = open_line(argv[2], name);
    d->admin = open_line(argv[3], "pgbouncer");
    ask(d->green, "SET default_transaction_read_only = off");
    PQclear(answer(d->green));
    ask(d->blue, "SET default_transaction_read_only = off; SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences");
    PGresult *r = answer(d->blue);
    for (int i = 0; i < PQntuples(r); i++) {
        char *s = PQgetvalue(r, i, 0), *literal = PQescapeLiteral(d->blue, s, strlen(s));
        snprintf(d->read + strlen(d->read), sizeof d->read - strlen(d->read), "%sSELECT %s, last_value, is_called FROM %s", i ? " UNION ALL " : "", literal, s);
        PQfreemem(literal);
    }
    PQclear(r);
}

static void pause_and_mark(struct db *d, const char *marker)
{
    char sql[500];
    for (int i = 0; i < n; i++) {
        snprintf(sql, sizeof sql, "PAUSE \"%s\"", d[i].name);
        ask(d[i].admin, sql);
    }
    for (int i = 0; i < n; i++)
        PQclear(answer(d[i].admin));
    if (getenv("FLOOR_PHASES"))
        fprintf(stderr, "paused at %lld\n", now_us() - zero);
    for (int i = 0; i < n; i++) {
        snprintf(sql, sizeof sql, "ALTER DATABASE \"%s\" SET default_transaction_read_only = on; INSERT INTO cutover.marker VALUES ('%s', now(), 'floor')", d[i].name, marker);
        ask(d[i].blue, sql);
    }
    for (int i = 0; i < n; i++)
        PQclear(answer(d[i].blue));
}

static void await_marker(struct db *d, const char *marker)
{
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM cutover.marker WHERE id = '%s'", marker);
    for (int there = 0; there < n;) {
        there = 0;
        for (int i = 0; i < n; i++)
            ask(d[i].green, sql);
        for (int i = 0; i < n; i++) {
            PGresult *r = answer(d[i].green);
            there += atoi(PQgetvalue(r, 0, 0));
            PQclear(r);
        }
        if (there < n)
            usleep(1000);
    }
}

static void carry_sequences(struct db *d)
{
    char sql[16384];
    PGresult *r = answer(d->blue);
    size_t len = (size_t)snprintf(sql, sizeof sql, "BEGIN; SELECT true");
    for (int i = 0; i < PQntuples(r); i++) {
        char *s = PQgetvalue(r, i, 0), *literal = PQescapeLiteral(d->green, s, strlen(s));
        len += (size_t)snprintf(sql + len, sizeof sql - len, ", setval(%s, %s, '%s')", literal, PQgetvalue(r, i, 1), PQgetvalue(r, i, 2));
        PQfreemem(literal);
    }
    snprintf(sql + len, sizeof sql - len, "; ALTER DATABASE \"%s\" RESET default_transaction_read_only; COMMIT", d->name);
    PQclear(r);
    ask(d->green, sql);
}

int main(int argc, char **argv)
{
    char marker[64], sql[300];
    if (argc < 7 || argc - 6 > MOST)
        return 2;
    for (n = 0; n < argc - 6; n++)
        prepare(&dbs[n], argv, argv[6 + n]);
    snprintf(marker, sizeof marker, "floor-%lld", now_us());
    long long began = now_us();
    zero = began;
    pause_and_mark(dbs, marker);
    long long t[4];
    t[0] = now_us();
    for (int i = 0; i < n; i++)
        ask(dbs[i].blue, dbs[i].read);
    await_marker(dbs, marker);
    t[1] = now_us();
    for (int i = 0; i < n; i++)
        carry_sequences(&dbs[i]);
    for (int i = 0; i < n; i++)
        PQclear(answer(dbs[i].green));
    t[2] = now_us();
    if (rename(argv[5], argv[4]) != 0) {
        perror(argv[4]);
        return 1;
    }
    ask(dbs[0].admin, "RELOAD");
    PQclear(answer(dbs[0].admin));
    t[3] = now_us();
    for (int i = 0; i < n; i++) {
        snprintf(sql, sizeof sql, "RESUME \"%s\"", dbs[i].name);
        ask(dbs[i].admin, sql);
    }
    for (int i = 0; i < n; i++)
        PQclear(answer(dbs[i].admin));
    printf("%lld\n", now_us() - began);
    if (getenv("FLOOR_PHASES"))
        fprintf(stderr, "floor: pause+mark %lld wait %lld open %lld reload %lld resume %lld\n", t[0]-began, t[1]-t[0], t[2]-t[1], t[3]-t[2], now_us()-t[3]);
    return 0;
}
