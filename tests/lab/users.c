/* users: the people of the shop. Each one resolves www.shop.test through a resolver of its own, keeps the answer as
 * long as its TTL says, logs in once, and then writes numbered rows, reads, and looks at its session.
 *
 *   users --resolvers "r1=127.0.1.1:20053 ..." --port EDGE_PORT --log FILE [-u users] [-r per second] [-t seconds]
 *
 * The log is the truth that tests compare with green's rows; a line per fact, times in ms since 1970:
 *   ACK <ms> <user> <n> <id> <latency_ms> <side> <database port>    this row is promised
 *   FAIL <ms> <user> <n> <what> <latency_ms>                        surely not written; the same n is tried again
 *   UNSURE <ms> <user> <n> <what> <latency_ms>                      perhaps written; never tried again
 *   READ <ms> <ok> <failed>                                         each second, all users together
 *   ME <ms> <user> <status>                                         a session that did not hold
 *   DNS <ms> <user> <resolver> <address> <ttl>                      whenever a user has asked
 *   NODNS <ms> <user> <resolver>                                    no answer; the user keeps its old address
 *   END <ms>
 * Planned times are fixed beforehand and spread evenly, so that the gaps between acknowledged writes are small and a
 * pause is seen as what it is. One thread per user. */
#include <curl/curl.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <time.h>

#include "tests/lab/ask.h"

#define MAX_USERS 200
#define MAX_RESOLVERS 32
#define WWW "www.shop.test"

struct resolver {
    char name[32];
    struct sockaddr_in at;
};

struct user {
    int no, n;      /* n: the number of the next row */
    long turn;
    bool logged_in;
    const struct resolver *resolver;
    struct ask_answer where;
    int64_t expires; /* monotonic ms */
    CURL *http;
    char body[256], side[16];
    size_t len;
    pthread_t thread;
};

static struct resolver resolvers[MAX_RESOLVERS];
static int nresolvers, nusers = 16, rate = 40, seconds = 1800, port;
static FILE *records;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int reads_ok, reads_failed;
static volatile sig_atomic_t stopped;
static int64_t began;

static int64_t ms_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
static int64_t mono(void) { return ms_of(CLOCK_MONOTONIC); }
static int64_t wall(void) { return ms_of(CLOCK_REALTIME); }

/* One line, whole and at once on its way to the file. */
__attribute__((format(printf, 1, 2))) static void note(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    pthread_mutex_lock(&lock);
    vfprintf(records, fmt, ap);
    fflush(records);
    pthread_mutex_unlock(&lock);
    va_end(ap);
}

/* ---- DNS: asked again when the TTL is over, never before ------------------------------------------------------------ */

static bool resolve(struct user *u)
{
    struct ask_answer got = {0};
    if (*u->where.address && mono() < u->expires)
        return true;
    if (ask(&u->resolver->at, WWW, 4, 700, &got)) {
        if (strcmp(got.address, u->where.address) != 0) /* a new place means a new connection */
            curl_easy_setopt(u->http, CURLOPT_FRESH_CONNECT, 1L);
        u->where = got;
        u->expires = mono() + (int64_t)got.ttl * 1000;
        note("DNS %lld %d %s %s %u\n", (long long)wall(), u->no, u->resolver->name, got.address, got.ttl);
    } else {
        u->expires = mono() + 1000;
        note("NODNS %lld %d %s\n", (long long)wall(), u->no, u->resolver->name);
    }
    return *u->where.address != '\0';
}

/* ---- HTTP ----------------------------------------------------------------------------------------------------------- */

static size_t keep_body(char *data, size_t size, size_t count, void *arg)
{
    struct user *u = arg;
    size_t all = size * count, room = sizeof u->body - 1 - u->len, n = all < room ? all : room;
    memcpy(u->body + u->len, data, n);
    u->len += n;
    u->body[u->len] = '\0';
    return all;
}

static size_t keep_side(char *data, size_t size, size_t count, void *arg)
{
    struct user *u = arg;
    char line[64];
    snprintf(line, sizeof line, "%.*s", (int)(size * count), data);
    if (strncasecmp(line, "x-side:", 7) == 0)
        sscanf(line + 7, " %15[a-z]", u->side);
    return size * count;
}

/* One request; the status, or 0 and curl's code. `latency` in ms. */
static long request(struct user *u, bool post, const char *path, CURLcode *code, int64_t *latency)
{
    char url[256];
    long status = 0;
    snprintf(url, sizeof url, "http://%s:%d%s", u->where.address, port, path);
    u->len = 0, *u->body = '\0', snprintf(u->side, sizeof u->side, "-");
    curl_easy_setopt(u->http, CURLOPT_URL, url);
    curl_easy_setopt(u->http, post ? CURLOPT_POST : CURLOPT_HTTPGET, 1L);
    if (post)
        curl_easy_setopt(u->http, CURLOPT_POSTFIELDSIZE, 0L);
    int64_t start = mono();
    *code = curl_easy_perform(u->http);
    *latency = mono() - start;
    curl_easy_setopt(u->http, CURLOPT_FRESH_CONNECT, 0L);
    if (*code == CURLE_OK)
        curl_easy_getinfo(u->http, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static void write_row(struct user *u)
{
    char path[64], what[32];
    CURLcode code;
    int64_t latency;
    long long id = 0;
    int db = 0;
    snprintf(path, sizeof path, "/items?user=%d&n=%d", u->no, u->n);
    long status = request(u, true, path, &code, &latency);
    if (status == 201 && sscanf(u->body, "{\"id\":%lld,\"port\":%d", &id, &db) == 2) {
        note("ACK %lld %d %d %lld %lld %s %d\n", (long long)wall(), u->no, u->n++, id, (long long)latency, u->side, db);
        return;
    }
    snprintf(what, sizeof what, status ? "http%ld" : "curl%ld", status ? status : (long)code);
    bool sure = status == 503 || status == 403 || status == 400 || code == CURLE_COULDNT_CONNECT;
    note("%s %lld %d %d %s %lld\n", sure ? "FAIL" : "UNSURE", (long long)wall(), u->no, u->n, what, (long long)latency);
    u->n += !sure;
}

static void count_read(bool ok)
{
    atomic_fetch_add(ok ? &reads_ok : &reads_failed, 1);
}

static void read_items(struct user *u)
{
    CURLcode code;
    int64_t latency;
    count_read(request(u, false, "/items", &code, &latency) == 200);
}

static void look_at_me(struct user *u)
{
    CURLcode code;
    int64_t latency;
    long status = request(u, false, "/me", &code, &latency);
    count_read(status == 200);
    if (status != 200)
        note("ME %lld %d %ld\n", (long long)wall(), u->no, status);
}

static void log_in(struct user *u)
{
    char path[32];
    CURLcode code;
    int64_t latency;
    snprintf(path, sizeof path, "/login?user=%d", u->no);
    u->logged_in = request(u, true, path, &code, &latency) == 200;
}

/* ---- a user's day: every turn has its planned time; turns that a slow answer has eaten are left out ------------------ */

static int64_t planned(const struct user *u)
{
    return began + (u->turn * nusers + u->no - 1) * 1000 / rate;
}

static bool next_turn(struct user *u)
{
    do
        u->turn++;
    while (planned(u) < mono());
    while (!stopped && mono() < planned(u)) {
        int64_t left = planned(u) - mono();
        left = left < 0 ? 0 : left > 100 ? 100 : left;
        nanosleep(&(struct timespec){.tv_nsec = left * 1000000}, NULL);
    }
    return !stopped && mono() < began + (int64_t)seconds * 1000;
}

static void take_turn(struct user *u)
{
    if (!resolve(u))
        return;
    if (!u->logged_in)
        log_in(u);
    else if ((u->turn + u->no) % 5 < 3)
        write_row(u);
    else if ((u->turn + u->no) % 5 == 3)
        read_items(u);
    else
        look_at_me(u);
}

static void *live(void *arg)
{
    struct user *u = arg;
    u->http = curl_easy_init();
    curl_easy_setopt(u->http, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(u->http, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(u->http, CURLOPT_TIMEOUT_MS, 10000L);
    curl_easy_setopt(u->http, CURLOPT_COOKIEFILE, "");
    curl_easy_setopt(u->http, CURLOPT_WRITEFUNCTION, keep_body);
    curl_easy_setopt(u->http, CURLOPT_WRITEDATA, u);
    curl_easy_setopt(u->http, CURLOPT_HEADERFUNCTION, keep_side);
    curl_easy_setopt(u->http, CURLOPT_HEADERDATA, u);
    /* The name stays in the Host header; cookies go by it, so a session goes along to another address. */
    struct curl_slist *host = curl_slist_append(NULL, "Host: " WWW);
    curl_easy_setopt(u->http, CURLOPT_HTTPHEADER, host);
    while (next_turn(u))
        take_turn(u);
    curl_easy_cleanup(u->http);
    curl_slist_free_all(host);
    return NULL;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------- */

static void stop(int sig) { (void)sig, stopped = 1; }

static void read_resolvers(const char *text)
{
    char word[96], where[64];
    int used;
    for (; nresolvers < MAX_RESOLVERS && sscanf(text, " %95s%n", word, &used) == 1; text += used) {
        struct resolver *r = &resolvers[nresolvers];
        if (sscanf(word, "%31[^=]=%63s", r->name, where) == 2 && ask_target(where, &r->at))
            nresolvers++;
    }
}

static int bounded(const char *text, int least, int most)
{
    int v = atoi(text);
    return v < least ? least : v > most ? most : v;
}

static bool read_options(int argc, char **argv)
{
    static const struct option options[] = {{"resolvers", 1, NULL, 'R'}, {"port", 1, NULL, 'p'}, {"log", 1, NULL, 'l'}, {0}};
    for (int c; (c = getopt_long(argc, argv, "u:r:t:", options, NULL)) != -1;)
        switch (c) {
        case 'R': read_resolvers(optarg); break;
        case 'p': port = bounded(optarg, 1, 65535); break;
        case 'l': records = fopen(optarg, "a"); break;
        case 'u': nusers = bounded(optarg, 1, MAX_USERS); break;
        case 'r': rate = bounded(optarg, 1, 2000); break;
        case 't': seconds = bounded(optarg, 1, 24 * 3600); break;
        default: return false;
        }
    return nresolvers > 0 && port > 0 && records;
}

static void write_seconds(void)
{
    while (!stopped && mono() < began + (int64_t)seconds * 1000) {
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
        note("READ %lld %d %d\n", (long long)wall(), atomic_exchange(&reads_ok, 0), atomic_exchange(&reads_failed, 0));
    }
}

int main(int argc, char **argv)
{
    static struct user users[MAX_USERS];
    if (!read_options(argc, argv)) {
        fprintf(stderr, "usage: users --resolvers \"NAME=ADDRESS:PORT ...\" --port P --log FILE [-u users] [-r rate] [-t seconds]\n");
        return 2;
    }
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = stop}, NULL);
    sigaction(SIGINT, &(struct sigaction){.sa_handler = stop}, NULL);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    began = mono();
    for (int i = 0; i < nusers; i++) {
        users[i] = (struct user){.no = i + 1, .n = 1, .resolver = &resolvers[i % nresolvers]};
        pthread_create(&users[i].thread, NULL, live, &users[i]);
    }
    write_seconds();
    for (int i = 0; i < nusers; i++)
        pthread_join(users[i].thread, NULL);
    note("READ %lld %d %d\n", (long long)wall(), atomic_exchange(&reads_ok, 0), atomic_exchange(&reads_failed, 0));
    note("END %lld\n", (long long)wall());
    curl_global_cleanup();
    return 0;
}
