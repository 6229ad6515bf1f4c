/* bench-dns: what watching many resolvers costs. Each line: 1 question a second to each of N resolvers on loopback for some seconds, through the
 * project's own sources and fold (cutover), and through a bare loop with one socket per resolver that only looks at the id (yardstick).
 *
 *   dns_load [SECONDS]          default 60; prints a row for 1000 and one for 34 resolvers
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "core/dnswire.h"
#include "core/source/source.h"

enum { MOST = 1000, EVENTS = 64 };

extern const struct source_kind source_dns;
static const char name[] = "www.shop.test";

static struct sockaddr_in place_of(int i, int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(0x7f020001u + (unsigned)i)};
}

/* ---- the resolvers: one process, a socket each, the same answer always ---- */

static size_t make_answer(uint8_t *out, const uint8_t *question, size_t len)
{
    struct dnswire_out o;
    (void)len;
    dnswire_begin(&o, question[0] << 8 | question[1], 0x8180);
    dnswire_question(&o, name, DNS_A, DNS_IN);
    dnswire_record(&o, 1, name, DNS_A, DNS_IN, 60, "127.0.2.1");
    memcpy(out, o.bytes, o.len);
    return o.len;
}

static void serve(int n, int port, int ready)
{
    int ep = epoll_create1(0);
    struct epoll_event at[EVENTS];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < n; i++) {
        struct sockaddr_in a = place_of(i, port);
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
        if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) != 0)
            _exit(1);
    }
    if (write(ready, "r", 1) != 1)
        _exit(1);
    for (;;) {
        int got = epoll_wait(ep, at, EVENTS, -1);
        for (int i = 0; i < got; i++) {
            uint8_t in[512], out[512];
            struct sockaddr_in from;
            socklen_t size = sizeof from;
            ssize_t len = recvfrom(at[i].data.fd, in, sizeof in, 0, (struct sockaddr *)&from, &size);
            if (len > 12)
                sendto(at[i].data.fd, out, make_answer(out, in, (size_t)len), 0, (struct sockaddr *)&from, size);
        }
    }
}

static pid_t start_servers(int n, int port)
{
    int ready[2];
    char c;
    if (pipe(ready) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0)
        serve(n, port, ready[1]);
    close(ready[1]);
    bool ok = read(ready[0], &c, 1) == 1;
    close(ready[0]);
    if (!ok)
        die("port %d of 127.2.0.1 and the next is taken, or there are too few descriptors", port);
    return pid;
}

/* ---- figures ---- */

struct figures {
    double cpu; /* seconds */
    long rss;   /* kB, of all this process */
    long asked, answered, lost;
};

static double cpu_now(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static long rss_now(void)
{
    long pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%ld %ld", &pages, &resident) != 2)
        resident = 0;
    if (f)
        fclose(f);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* ---- cutover: its own sources, its own fold ---- */

struct stage {
    struct door door; /* first */
    struct task clock;
    struct plan *plan;
    struct model *model;
    struct source **source;
    struct figures f;
    double began;
    int64_t warm_at, end_at, seq;
    bool warm;
};

static void record(struct door *door, struct event *event)
{
    struct stage *g = (struct stage *)door;
    event->at = clock_wall();
    event->seq = ++g->seq;
    if (event->kind == EVENT_dns_seen && g->warm) {
        g->f.asked++;
        g->f.answered += strcmp(event->dns_seen.status, "ok") == 0;
    }
    model_fold(g->model, g->plan, event);
}

static void over(struct source *s)
{
    struct stage *g = s->engine;
    g->source[s->index] = NULL;
    source_free(s);
}

/* Two seconds to warm up, then the figures, then everybody ends. */
static void clock_run(struct task *t)
{
    struct stage *g = (struct stage *)((char *)t - offsetof(struct stage, clock));
    int64_t now = clock_mono();
    if (!g->warm && now < g->warm_at) {
        task_sleep(t, g->warm_at - now);
        return;
    }
    if (!g->warm) {
        g->warm = true;
        g->began = cpu_now();
    }
    if (now < g->end_at) {
        task_sleep(t, g->end_at - now);
        return;
    }
    g->f.cpu = cpu_now() - g->began;
    g->f.rss = rss_now();
    for (int i = 0; i < g->plan->dns.nresolvers; i++)
        if (g->source[i])
            task_stop(&g->source[i]->task);
    task_stop(t);
}

static struct plan *make_plan(int n, int port)
{
    struct buf text = {0};
    struct plan_problems problems = {0};
    buf_printf(&text, "name = \"bench\"; rehearsal = true; blue = { address = \"127.0.2.1\"; }; green = { address = \"127.0.2.2\"; };\n"
        "dns = { zone = \"shop.test\"; server = \"127.2.0.1\"; port = %d; interval = \"1s\"; records = ( { name = \"%s\"; } ); resolvers = (", port, name);
    for (int i = 1; i < n; i++) {
        char address[INET_ADDRSTRLEN];
        struct sockaddr_in a = place_of(i, port);
        inet_ntop(AF_INET, &a.sin_addr, address, sizeof address);
        buf_printf(&text, "%s{ name = \"r%d\"; address = \"%s\"; port = %d; }", i > 1 ? ", " : "", i, address, port);
    }
    buf_puts(&text, "); };\n");
    struct plan *p = plan_parse("bench", text.text, &problems);
    if (!p)
        die("%s", problems.lines[0]);
    plan_problems_free(&problems);
    buf_free(&text);
    return p;
}

static struct figures run_cutover(int n, int port, int seconds)
{
    struct stage g = {.door = {record}};
    uv_loop_t loop;
    uv_loop_init(&loop);
    g.plan = make_plan(n, port);
    long before = rss_now();
    g.model = model_new(g.plan);
    g.source = xcalloc((size_t)n, sizeof *g.source);
    for (int i = 0; i < n; i++) {
        g.source[i] = xcalloc(1, sizeof **g.source);
        *g.source[i] = (struct source){.loop = &loop, .plan = g.plan, .model = g.model, .door = &g.door, .index = i, .kind = &source_dns, .over = over, .engine = &g};
        source_start(g.source[i]);
    }
    g.warm_at = clock_mono() + 2000;
    g.end_at = g.warm_at + seconds * 1000;
    task_start(&g.clock, &loop, clock_run, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    g.f.lost = g.f.asked - g.f.answered;
    g.f.rss -= before;
    model_free(g.model);
    plan_free(g.plan);
    free(g.source);
    return g.f;
}

/* ---- the yardstick: one connected socket per resolver, one question a second, spread over it ---- */

static struct figures run_bare(int n, int port, int seconds)
{
    struct figures f = {0};
    struct epoll_event at[EVENTS];
    int ep = epoll_create1(0);
    long before = rss_now();
    int *fd = xcalloc((size_t)n, sizeof *fd);
    struct dnswire_out o;
    dnswire_begin(&o, 1, 0x0100);
    dnswire_question(&o, name, DNS_A, DNS_IN);
    for (int i = 0; i < n; i++) {
        struct sockaddr_in a = place_of(i, port);
        fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        struct epoll_event e = {.events = EPOLLIN, .data.fd = fd[i]};
        if (fd[i] < 0 || connect(fd[i], (struct sockaddr *)&a, sizeof a) != 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd[i], &e) != 0)
            die("the yardstick can't open a socket: %s", strerror(errno));
    }
    double began = cpu_now();
    int64_t start = clock_mono_us(), sent = 0, all = (int64_t)n * seconds;
    for (int64_t now = start; now < start + (int64_t)seconds * 1000000 + 500000; now = clock_mono_us()) {
        for (; sent < all && sent * 1000000 / n <= now - start; sent++)
            f.asked += send(fd[sent % n], o.bytes, o.len, 0) == (ssize_t)o.len;
        int64_t next = start + sent * 1000000 / n;
        int got = epoll_wait(ep, at, EVENTS, sent < all ? (int)MAX((next - now) / 1000 + 1, (int64_t)1) : 50);
        for (int i = 0; i < got; i++) {
            uint8_t in[512];
            f.answered += recv(at[i].data.fd, in, sizeof in, 0) > 12 && in[1] == 1;
        }
    }
    f.cpu = cpu_now() - began;
    f.rss = rss_now() - before;
    f.lost = f.asked - f.answered;
    for (int i = 0; i < n; i++)
        close(fd[i]);
    close(ep);
    free(fd);
    return f;
}

/* ---- rows ---- */

static void print_row(const char *what, int n, int seconds, struct figures f)
{
    printf("%-10s %5d %9ld %6ld %8.2f %% %9.1f %9ld %10.1f\n", what, n, f.asked, f.lost, 100 * f.cpu / seconds, f.asked ? 1e6 * f.cpu / (double)f.asked : 0, f.rss, (double)f.rss / n);
    fflush(stdout);
}

/* Each in a process of its own, so that none inherits another's memory. */
static void measure(const char *what, struct figures (*run)(int, int, int), int n, int port, int seconds)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        print_row(what, n, seconds, run(n, port, seconds));
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
    static const int counts[] = {MOST, 34};
    int seconds = argc > 1 ? atoi(argv[1]) : 60, port = 20000 + getpid() % 20000;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    pid_t servers = start_servers(MOST, port);
    printf("%-10s %5s %9s %6s %10s %9s %9s %10s\n", "1 q/s each", "N", "questions", "lost", "of a core", "us each", "kB", "kB each");
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        measure("cutover", run_cutover, counts[i], port, seconds);
        measure("bare UDP", run_bare, counts[i], port, seconds);
    }
    kill(servers, SIGTERM);
    waitpid(servers, NULL, 0);
    return 0;
}
