/* shop: the lab's web shop, one process per side, in front of it HAProxy and behind it PgBouncer.
 *
 *   shop --side blue --port 20030 --write CONNINFO --read CONNINFO --secret FILE
 *
 *   GET  /health                     the process lives
 *   GET  /ready                      the database answers (else 503)
 *   GET  /items                      the latest 20 rows as JSON
 *   POST /items?user=U&n=N           writes one numbered row; 201 {"id":..,"port":..,"side":..} once it is committed
 *   POST /login?user=U, GET /me      a session cookie signed with a secret that both sides share
 *   POST /admin/readonly?on=1|0      writes answer 503 with Retry-After
 *   POST /admin/fault?error_ppm=&delay_ms=    for tests
 *   GET  /admin/state
 *
 * 503 always means that nothing was written. When the connection broke after the INSERT was sent, nobody can know;
 * that is answered 500, so that the users' record calls such a write unsure and does not send it again.
 * A write held by a paused pooler occupies only its own thread: this program is a thread per connection. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <libpq-fe.h>
#include <microhttpd.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a pool of connections: one per request in flight -------------------------------------------------------- */

#define POOL 64
struct pool {
    const char *dsn;
    PGconn *conn[POOL];
    bool busy[POOL];
    pthread_mutex_t lock;
};
static struct pool writes = {.lock = PTHREAD_MUTEX_INITIALIZER}, reads = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int take(struct pool *p)
{
    int got = -1;
    pthread_mutex_lock(&p->lock);
    for (int i = 0; i < POOL && got < 0; i++)
        if (!p->busy[i])
            got = i;
    if (got >= 0)
        p->busy[got] = true;
    pthread_mutex_unlock(&p->lock);
    return got;
}

static void give_back(struct pool *p, int i)
{
    if (PQstatus(p->conn[i]) != CONNECTION_OK || PQtransactionStatus(p->conn[i]) != PQTRANS_IDLE) {
        PQfinish(p->conn[i]);
        p->conn[i] = NULL;
    }
    pthread_mutex_lock(&p->lock);
    p->busy[i] = false;
    pthread_mutex_unlock(&p->lock);
}

/* The connection of slot i, opened when there is none. NULL when the database can't be reached. */
static PGconn *connected(struct pool *p, int i)
{
    if (p->conn[i] && PQstatus(p->conn[i]) == CONNECTION_OK)
        return p->conn[i];
    PQfinish(p->conn[i]);
    p->conn[i] = PQconnectdb(p->dsn);
    return PQstatus(p->conn[i]) == CONNECTION_OK ? p->conn[i] : NULL;
}

/* ---- state that tests change -------------------------------------------------------------------------------- */

static const char *side = "blue";
static atomic_bool readonly;
static atomic_int error_ppm, delay_ms;
static unsigned char secret[128];
static size_t secret_len;

/* ---- answers -------------------------------------------------------------------------------------------------- */

static enum MHD_Result answer_with(struct MHD_Connection *c, unsigned status, const char *text, const char *header,
                                   const char *value)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(r, "X-Side", side);
    MHD_add_response_header(r, "Content-Type", *text == '{' || *text == '[' ? "application/json" : "text/plain");
    if (status == 503)
        MHD_add_response_header(r, "Retry-After", "1");
    if (header)
        MHD_add_response_header(r, header, value);
    enum MHD_Result result = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return result;
}

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, const char *text)
{
    return answer_with(c, status, text, NULL, NULL);
}

/* The whole number of a query argument; false when it is missing or something else. */
static bool number(struct MHD_Connection *c, const char *name, int *out)
{
    const char *text = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, name);
    char *end = NULL;
    errno = 0;
    long value = text ? strtol(text, &end, 10) : -1;
    *out = (int)value;
    return text && *text && !*end && errno == 0 && value >= 0 && value <= INT32_MAX;
}

/* ---- pages ---------------------------------------------------------------------------------------------------- */

static enum MHD_Result health(struct MHD_Connection *c) { return answer(c, 200, "alive\n"); }

/* A query of the reading pool whose one value is the page. */
static enum MHD_Result page(struct MHD_Connection *c, const char *sql)
{
    int i = take(&reads);
    PGconn *db = i < 0 ? NULL : connected(&reads, i);
    PGresult *r = db ? PQexec(db, sql) : NULL;
    bool ok = PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1;
    enum MHD_Result result = answer(c, ok ? 200 : 503, ok ? PQgetvalue(r, 0, 0) : "the database does not answer\n");
    PQclear(r);
    if (i >= 0)
        give_back(&reads, i);
    return result;
}

static enum MHD_Result ready(struct MHD_Connection *c) { return page(c, "SELECT 1"); }

static enum MHD_Result items(struct MHD_Connection *c)
{
    return page(c, "SELECT coalesce(json_agg(t), '[]') FROM"
                   " (SELECT id, user_no, n, body, side FROM items ORDER BY id DESC LIMIT 20) t");
}

/* Is it certain that the failed statement wrote nothing? Yes when the server itself refused it, with a state that does
 * not speak of a lost connection (class 08, also all of PgBouncer's) or of a server that ends (57P). */
static bool surely_nothing(const PGresult *r)
{
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    return state && strncmp(state, "08", 2) != 0 && strncmp(state, "57P", 3) != 0;
}

static enum MHD_Result inserted(struct MHD_Connection *c, const PGresult *r)
{
    char text[160];
    if (PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1) {
        snprintf(text, sizeof text, "{\"id\":%s,\"port\":%s,\"side\":\"%s\"}\n", PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1), side);
        return answer(c, 201, text);
    }
    fprintf(stderr, "write: %s", PQresultErrorMessage(r));
    return surely_nothing(r) ? answer(c, 503, "not written\n") : answer(c, 500, "nobody knows whether it was written\n");
}

static enum MHD_Result write_item(struct MHD_Connection *c)
{
    int user, n;
    if (!number(c, "user", &user) || !number(c, "n", &n))
        return answer(c, 400, "user and n must be whole numbers\n");
    if (readonly)
        return answer(c, 503, "read-only\n");
    char a[16], b[16];
    snprintf(a, sizeof a, "%d", user), snprintf(b, sizeof b, "%d", n);
    const char *values[] = {a, b, side};
    int i = take(&writes);
    PGconn *db = i < 0 ? NULL : connected(&writes, i);
    PGresult *r = !db ? NULL : PQexecParams(db, "INSERT INTO items (user_no, n, side) VALUES ($1, $2, $3)"
                                                " RETURNING id, inet_server_port()", 3, NULL, values, NULL, NULL, 0);
    enum MHD_Result result = db ? inserted(c, r) : answer(c, 503, "the database can't be reached\n");
    PQclear(r);
    if (i >= 0)
        give_back(&writes, i);
    return result;
}

/* ---- sessions: "U.hex(HMAC-SHA256(secret, U))" ------------------------------------------------------------------ */

static void sign(const char *user, char hex[65])
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    HMAC(EVP_sha256(), secret, (int)secret_len, (const unsigned char *)user, strlen(user), mac, &len);
    for (unsigned i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", mac[i]);
}

static enum MHD_Result login(struct MHD_Connection *c)
{
    char user[16], hex[65], cookie[128];
    int no;
    if (!number(c, "user", &no))
        return answer(c, 400, "user must be a whole number\n");
    snprintf(user, sizeof user, "%d", no);
    sign(user, hex);
    snprintf(cookie, sizeof cookie, "session=%s.%s; Path=/; HttpOnly", user, hex);
    return answer_with(c, 200, "welcome\n", "Set-Cookie", cookie);
}

static enum MHD_Result me(struct MHD_Connection *c)
{
    const char *cookie = MHD_lookup_connection_value(c, MHD_COOKIE_KIND, "session");
    char user[16] = "", hex[65], text[64];
    const char *dot = cookie ? strchr(cookie, '.') : NULL;
    if (dot && (size_t)(dot - cookie) < sizeof user)
        memcpy(user, cookie, (size_t)(dot - cookie));
    sign(user, hex);
    if (!*user || strlen(dot + 1) != 64 || CRYPTO_memcmp(dot + 1, hex, 64) != 0)
        return answer(c, 401, "log in first\n");
    snprintf(text, sizeof text, "{\"user\":%s}\n", user);
    return answer(c, 200, text);
}

/* ---- the operators' pages: only from this machine, never through the balancer ----------------------------------- */

static bool is_local(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr_in *in = (const void *)info->client_addr;
    return ntohl(in->sin_addr.s_addr) >> 24 == 127 && !MHD_lookup_connection_value(c, MHD_HEADER_KIND, "X-Forwarded-For");
}

static enum MHD_Result state(struct MHD_Connection *c)
{
    char text[160];
    if (!is_local(c))
        return answer(c, 403, "only from this machine\n");
    snprintf(text, sizeof text, "{\"side\":\"%s\",\"readonly\":%s,\"error_ppm\":%d,\"delay_ms\":%d}\n", side,
             readonly ? "true" : "false", error_ppm, delay_ms);
    return answer(c, 200, text);
}

static enum MHD_Result set_readonly(struct MHD_Connection *c)
{
    int on;
    if (!is_local(c) || !number(c, "on", &on))
        return answer(c, 400, "on=1 or on=0, from this machine\n");
    readonly = on != 0;
    return state(c);
}

static enum MHD_Result set_fault(struct MHD_Connection *c)
{
    int ppm, delay;
    if (!is_local(c))
        return answer(c, 403, "only from this machine\n");
    if (number(c, "error_ppm", &ppm))
        error_ppm = ppm;
    if (number(c, "delay_ms", &delay))
        delay_ms = delay;
    return state(c);
}

/* ---- the door ---------------------------------------------------------------------------------------------------- */

static const struct route {
    const char *method, *path;
    enum MHD_Result (*serve)(struct MHD_Connection *c);
    bool faulty; /* is open to injected faults */
} routes[] = {
    {"GET", "/health", health, false},
    {"GET", "/ready", ready, false},
    {"GET", "/items", items, true},
    {"POST", "/items", write_item, true},
    {"POST", "/login", login, true},
    {"GET", "/me", me, true},
    {"GET", "/admin/state", state, false},
    {"POST", "/admin/readonly", set_readonly, false},
    {"POST", "/admin/fault", set_fault, false},
};

static enum MHD_Result serve(const struct route *route, struct MHD_Connection *c)
{
    if (!route->faulty)
        return route->serve(c);
    if (delay_ms > 0)
        usleep((useconds_t)delay_ms * 1000);
    /* Before anything was written: so a failed write is a certain one. */
    if (error_ppm > 0 && random() % 1000000 < error_ppm)
        return answer(c, *route->method == 'P' ? 503 : 500, "injected fault\n");
    return route->serve(c);
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *c, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **seen)
{
    static int once;
    (void)arg, (void)version, (void)upload;
    if (!*seen) {
        *seen = &once;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strcmp(routes[i].path, url) == 0 && strcmp(routes[i].method, method) == 0)
            return serve(&routes[i], c);
    return answer(c, 404, "no such page\n");
}

static bool read_secret(const char *path)
{
    FILE *f = fopen(path, "r");
    secret_len = f ? fread(secret, 1, sizeof secret, f) : 0;
    if (f)
        fclose(f);
    return secret_len >= 16;
}

static uint16_t read_options(int argc, char **argv)
{
    static const struct option options[] = {{"side", 1, NULL, 's'}, {"port", 1, NULL, 'p'}, {"write", 1, NULL, 'w'},
                                            {"read", 1, NULL, 'r'}, {"secret", 1, NULL, 'k'}, {0}};
    int port = 0;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (c) {
        case 's': side = optarg; break;
        case 'p': port = atoi(optarg); break;
        case 'w': writes.dsn = optarg; break;
        case 'r': reads.dsn = optarg; break;
        case 'k': read_secret(optarg); break;
        default: return 0;
        }
    return writes.dsn && reads.dsn && secret_len >= 16 && port > 0 && port < 65536 ? (uint16_t)port : 0;
}

int main(int argc, char **argv)
{
    uint16_t port = read_options(argc, argv);
    if (!port) {
        fprintf(stderr, "usage: shop --side SIDE --port P --write CONNINFO --read CONNINFO --secret FILE\n");
        return 2;
    }
    sigset_t end;
    sigemptyset(&end), sigaddset(&end, SIGTERM), sigaddset(&end, SIGINT);
    sigprocmask(SIG_BLOCK, &end, NULL);
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_port = htons(port)};
    struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL,
                                            NULL, handle, NULL, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at,
                                            MHD_OPTION_CONNECTION_LIMIT, 512u, MHD_OPTION_END);
    int which;
    if (!d) {
        fprintf(stderr, "shop: port %u can't be listened on.\n", port);
        return 1;
    }
    sigwait(&end, &which);
    /* Requests that a paused pooler holds would hold the end as well; what is not acknowledged is not promised. */
    _exit(0);
}
