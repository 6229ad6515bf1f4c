/* The wire with real sockets: who joins gets the backlog first and then every line; orders go up; nobody who is slow, rude
 * or gone holds the engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/wire.h"

/* ---- an engine that only writes down what it hears ---- */

struct engine {
    uv_loop_t loop;
    struct wire *wire;
    struct buf backlog;
    struct buf heard; /* one word per call: joined:1 left:1 ordered:run/switch/switch/1 */
    char user[64], order_user[64];
    bool assign;      /* gives roles when someone joins, and records it as an event would */
    bool close_on_order;
};
static struct engine e;
static char dir[64], path[128];

static void joined(void *arg, int64_t id, const char *user, const char *tty, bool observer)
{
    struct engine *g = arg;
    (void)tty;
    copy_text(g->user, sizeof g->user, user);
    buf_printf(&g->heard, "joined:%d%s ", (int)id, observer ? "o" : "");
    if (!g->assign)
        return;
    wire_set_role(g->wire, id, id == 1 ? "operator" : "observer");
    char line[64];
    snprintf(line, sizeof line, "{\"joined\":%d}\n", (int)id);
    buf_puts(&g->backlog, line);
    wire_send(g->wire, line, strlen(line));
}

static void left(void *arg, int64_t id, const char *user)
{
    struct engine *g = arg;
    assert_string_equal(user, g->user);
    buf_printf(&g->heard, "left:%d ", (int)id);
    wire_send(g->wire, "{\"left\":1}\n", 11);
}

static void ordered(void *arg, const struct order *o)
{
    struct engine *g = arg;
    copy_text(g->order_user, sizeof g->order_user, o->user);
    buf_printf(&g->heard, "%s/%s/%s/%s%s%s%s%s/%d ", o->order, o->step, o->typed, o->reason, o->decision, o->check, o->text, o->role, (int)o->screen);
    if (g->close_on_order) {
        wire_close(g->wire);
        g->wire = NULL;
    }
}

static const char *backlog(void *arg, size_t *len)
{
    struct engine *g = arg;
    *len = g->backlog.len;
    return g->backlog.len ? g->backlog.text : "";
}

static struct wire *listen_at(const char *where, struct err *err)
{
    struct wire_calls calls = {joined, left, ordered, backlog, &e};
    return wire_listen(&e.loop, where, &calls, err);
}

static int set_up(void **state)
{
    struct err err;
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    memset(&e, 0, sizeof e);
    strcpy(dir, "/tmp/test_wire.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/state/run.sock", dir);
    assert_int_equal(uv_loop_init(&e.loop), 0);
    e.wire = listen_at(path, &err);
    assert_non_null(e.wire);
    buf_puts(&e.heard, "");
    return 0;
}

static int tear_down(void **state)
{
    char sub[80];
    (void)state;
    if (e.wire)
        wire_close(e.wire);
    int64_t end = clock_mono() + 5000;
    while (uv_run(&e.loop, UV_RUN_NOWAIT) && clock_mono() < end)
        ;
    assert_int_equal(uv_loop_close(&e.loop), 0); /* no handle is left, so no memory either */
    assert_int_equal(access(path, F_OK), -1);    /* the socket is gone */
    buf_free(&e.backlog);
    buf_free(&e.heard);
    snprintf(sub, sizeof sub, "%s/state", dir);
    rmdir(sub);
    return rmdir(dir);
}

/* ---- a screen ---- */

struct client {
    int fd;
    bool gone;
    struct buf got;
};

static int connect_to(const char *where)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    copy_text(a.sun_path, sizeof a.sun_path, where);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static struct client join(void)
{
    struct client c = {.fd = connect_to(path)};
    buf_puts(&c.got, "");
    return c;
}

static void leave(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    buf_free(&c->got);
}

static void read_some(struct client *c)
{
    static char part[1 << 20];
    ssize_t n;
    while ((n = read(c->fd, part, sizeof part)) > 0)
        buf_add(&c->got, part, (size_t)n);
    c->gone |= n == 0 || (n < 0 && errno != EAGAIN);
}

static void say(struct client *c, const char *text)
{
    assert_int_equal(write(c->fd, text, strlen(text)), strlen(text));
}

/* Turns the loop, reading for the clients, until the condition holds or five seconds are over. */
#define UNTIL(...) UNTIL_(__VA_ARGS__, NULL)
#define UNTIL_(condition, ...) \
    do { \
        struct client *clients_[] = {__VA_ARGS__}; \
        int64_t end_ = clock_mono() + 5000; \
        while (!(condition) && clock_mono() < end_) { \
            uv_run(&e.loop, UV_RUN_NOWAIT); \
            for (size_t i_ = 0; clients_[i_]; i_++) \
                read_some(clients_[i_]); \
        } \
        assert_true(condition); \
    } while (0)

static bool has(const struct client *c, const char *text)
{
    return strstr(c->got.text, text) != NULL;
}

static bool heard(const char *text)
{
    return strstr(e.heard.text, text) != NULL;
}

/* ---- tests ---- */

static void test_backlog_then_lines(void **state)
{
    (void)state;
    struct passwd *me = getpwuid(geteuid());
    buf_puts(&e.backlog, "{\"seq\":1}\n{\"seq\":2}\n");
    e.assign = true;
    struct client a = join(), b = {.fd = -1};
    UNTIL(has(&a, "joined"), &a);
    assert_string_equal(a.got.text, "{\"you\":{\"id\":1,\"role\":\"operator\"}}\n{\"seq\":1}\n{\"seq\":2}\n{\"joined\":1}\n");
    assert_string_equal(e.user, me ? me->pw_name : e.user);
    b = join();
    UNTIL(has(&b, "{\"joined\":2}"), &a, &b);
    UNTIL(has(&a, "{\"joined\":2}"), &a, &b);
    assert_string_equal(b.got.text, "{\"you\":{\"id\":2,\"role\":\"observer\"}}\n{\"seq\":1}\n{\"seq\":2}\n{\"joined\":1}\n{\"joined\":2}\n");
    assert_int_equal(wire_screens(e.wire), 2);
    wire_send(e.wire, "{\"seq\":3}\n", 10);
    wire_set_role(e.wire, 2, "operator");
    wire_set_role(e.wire, 77, "operator"); /* nobody */
    UNTIL(has(&b, "{\"seq\":3}\n{\"you\":{\"id\":2,\"role\":\"operator\"}}\n"), &a, &b);
    UNTIL(has(&a, "{\"seq\":3}\n"), &a);
    leave(&b);
    UNTIL(heard("left:2") && has(&a, "{\"left\":1}"), &a);
    assert_int_equal(wire_screens(e.wire), 1);
    leave(&a);
    UNTIL(heard("left:1"), &b);
    assert_string_equal(e.heard.text, "joined:1 joined:2 left:2 left:1 ");
}

static void test_modes(void **state)
{
    (void)state;
    struct stat st;
    char sub[80];
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0600);
    snprintf(sub, sizeof sub, "%s/state", dir);
    assert_int_equal(stat(sub, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void test_orders(void **state)
{
    (void)state;
    struct client a = join();
    say(&a, "{\"order\":\"run\",\"step\":\"switch\",\"typed\":\"switch\"}\n{\"order\":\"note\",\"text\":\"two\\nlines\\u001b[2J\"}\n{\"order\":\"role\",\"role\":\"observer\"");
    UNTIL(heard("note/"), &a);
    assert_false(heard("role/"));
    say(&a, "}\n");
    UNTIL(heard("role/"), &a);
    assert_string_equal(e.heard.text, "joined:1 run/switch/switch//1 note///two\xe2\x8f\x8elines\\x1b[2J/1 role///observer/1 ");
    assert_string_equal(e.order_user, e.user);
    leave(&a);
}

/* Byte by byte, as a slow terminal line would bring it. */
static void test_order_in_pieces(void **state)
{
    (void)state;
    struct client a = join();
    for (const char *p = "{\"order\":\"pause\"}\n"; *p; p++) {
        assert_int_equal(write(a.fd, p, 1), 1);
        uv_run(&e.loop, UV_RUN_NOWAIT);
    }
    UNTIL(heard("pause////1"), &a);
    leave(&a);
}

static void test_garbage(void **state)
{
    (void)state;
    static const char *const bad[] = {"hello\n", "{\"order\":5}\n", "{}\n", "[]\n", "{\"order\":\"\"}\n", "{\"order\":\"run\"\n", "{\"order\":\"a\\u0000b\"}\n",
                                      "{\"order\":\"run\",\"step\":[]}\n", "\xff\xfe\n", "{\"order\":\"run\"} x\n"};
    struct client a = join();
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        a.got.len = 0, a.got.text[0] = '\0';
        say(&a, bad[i]);
        UNTIL(has(&a, "{\"refused\":\"The order was ignored"), &a);
    }
    say(&a, "\n\n{\"order\":\"pause\"}\n"); /* empty lines are nothing; a good order still counts */
    UNTIL(heard("pause/"), &a);
    assert_string_equal(e.heard.text, "joined:1 pause////1 ");
    for (int i = 0; i < 20; i++)
        say(&a, "garbage\n");
    UNTIL(a.gone && heard("left:1"), &a);
    leave(&a);
}

static void test_huge_line(void **state)
{
    (void)state;
    struct client a = join();
    char part[4096];
    memset(part, 'x', sizeof part);
    for (int i = 0; i < 256;) { /* 1 MiB without a newline */
        ssize_t n = write(a.fd, part, sizeof part);
        i += n > 0;
        uv_run(&e.loop, UV_RUN_NOWAIT);
    }
    UNTIL(has(&a, "longer than 64 KiB"), &a);
    say(&a, "\n{\"order\":\"pause\"}\n");
    UNTIL(heard("pause/"), &a);
    char *first = strstr(a.got.text, "refused");
    assert_null(strstr(first + 1, "refused")); /* said once */
    leave(&a);
}

/* A long text is cut, not refused. */
static void test_long_text(void **state)
{
    (void)state;
    struct client a = join();
    struct buf order = {0};
    buf_puts(&order, "{\"order\":\"note\",\"text\":\"");
    for (int i = 0; i < 20000; i++)
        buf_puts(&order, "y");
    buf_puts(&order, "\"}\n");
    say(&a, order.text);
    UNTIL(heard("note/"), &a);
    assert_true(e.heard.len < 2200);
    buf_free(&order);
    leave(&a);
}

static void test_slow_reader_is_cut_off(void **state)
{
    (void)state;
    struct client slow = join(), good = join();
    char *line = xcalloc(100001, 1);
    memset(line, 'z', 99999);
    line[99999] = '\n';
    UNTIL(wire_screens(e.wire) == 2, &good);
    size_t sent = 0, before = good.got.len;
    int64_t longest = 0;
    for (int i = 0; i < 200; i++) { /* 20 MB; the slow one reads none of it */
        int64_t t = clock_mono();
        wire_send(e.wire, line, 100000);
        longest = MAX(longest, clock_mono() - t);
        sent += 100000;
        UNTIL(good.got.len >= before + sent, &good);
    }
    assert_true(longest < 1000);
    UNTIL(heard("left:") && wire_screens(e.wire) == 1, &good);
    UNTIL(slow.gone, &slow);
    assert_true(slow.got.len < 10u << 20);
    assert_false(good.gone);
    free(line);
    leave(&slow);
    leave(&good);
}

/* A backlog that is larger than the bound is still delivered whole. */
static void test_large_backlog(void **state)
{
    (void)state;
    for (int i = 0; i < 200000; i++)
        buf_printf(&e.backlog, "{\"seq\":%d,\"filler\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}\n", i);
    assert_true(e.backlog.len > 12u << 20);
    struct client a = join();
    UNTIL(wire_screens(e.wire) == 1);
    wire_send(e.wire, "{\"last\":1}\n", 11);
    UNTIL(has(&a, "{\"last\":1}"), &a);
    char *body = strchr(a.got.text, '\n') + 1;
    assert_memory_equal(body, e.backlog.text, e.backlog.len);
    leave(&a);
}

/* Gone in the middle of the backlog, of an order, or before it was accepted. */
static void test_disconnects(void **state)
{
    (void)state;
    for (int i = 0; i < 300000; i++)
        buf_puts(&e.backlog, "{\"filler\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}\n");
    struct client a = join();
    UNTIL(wire_screens(e.wire) == 1);
    leave(&a);
    UNTIL(heard("left:1"));
    e.backlog.len = 0;
    struct client b = join();
    say(&b, "{\"order\":\"run\",");
    UNTIL(wire_screens(e.wire) == 1, &b);
    leave(&b);
    UNTIL(heard("left:2"));
    assert_false(heard("run/"));
    for (int i = 0; i < 50; i++)
        close(connect_to(path)), uv_run(&e.loop, UV_RUN_NOWAIT);
    UNTIL(wire_screens(e.wire) == 0);
    struct client c = join();
    UNTIL(wire_screens(e.wire) == 1, &c);
    say(&c, "{\"order\":\"pause\"}\n"); /* an order counts, also when its screen is gone before it is read */
    close(c.fd);
    c.fd = -1;
    UNTIL(heard("pause/") && wire_screens(e.wire) == 0);
    leave(&c);
}

static void test_close_inside_an_order(void **state)
{
    (void)state;
    struct client a = join();
    UNTIL(wire_screens(e.wire) == 1, &a);
    e.close_on_order = true;
    wire_send(e.wire, "{\"last\":1}\n", 11);
    say(&a, "{\"order\":\"stop\"}\n{\"order\":\"stop\"}\n");
    UNTIL(a.gone, &a);
    assert_true(has(&a, "{\"last\":1}"));
    assert_string_equal(e.heard.text, "joined:1 stop////1 "); /* the second order came too late; nobody is told that a left */
    leave(&a);
}

/* What was sent just before the end arrives, also when more than a socket's buffer of it is on its way. */
static void test_last_lines_arrive(void **state)
{
    (void)state;
    struct client a = join(), deaf = join();
    char *line = xcalloc(1, 1 << 20);
    memset(line, 'z', (1 << 20) - 1);
    line[(1 << 20) - 1] = '\n';
    UNTIL(wire_screens(e.wire) == 2, &a);
    for (int i = 0; i < 3; i++)
        wire_send(e.wire, line, 1 << 20);
    wire_send(e.wire, "{\"over\":1}\n", 11);
    wire_close(e.wire);
    e.wire = NULL;
    UNTIL(a.gone, &a);
    assert_true(has(&a, "{\"over\":1}"));
    int64_t began = clock_mono();
    while (uv_run(&e.loop, UV_RUN_NOWAIT) && clock_mono() - began < 5000)
        ;
    assert_true(clock_mono() - began < 3000); /* the deaf one doesn't hold the end */
    free(line);
    leave(&a);
    leave(&deaf);
}

static void test_living_engine(void **state)
{
    (void)state;
    struct err err;
    char pid[64];
    assert_null(listen_at(path, &err));
    snprintf(pid, sizeof pid, "another engine (process %ld) runs", (long)getpid());
    assert_non_null(strstr(err.text, pid));
    assert_int_equal(access(path, F_OK), 0);
    struct client a = join();
    UNTIL(has(&a, "you"), &a);
    leave(&a);
}

static void test_stale_socket(void **state)
{
    (void)state;
    struct err err;
    char stale[140];
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(stale, sizeof stale, "%s/state/old.sock", dir);
    copy_text(a.sun_path, sizeof a.sun_path, stale);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 1), 0);
    close(fd); /* as after kill -9: the name stays, nobody listens */
    assert_int_equal(access(stale, F_OK), 0);
    struct wire *w = listen_at(stale, &err);
    assert_non_null(w);
    close(connect_to(stale));
    wire_close(w);
    uv_run(&e.loop, UV_RUN_NOWAIT);
    assert_int_equal(access(stale, F_OK), -1);
}

static void expect_refused(const char *where, const char *words)
{
    struct err err = {""};
    assert_null(listen_at(where, &err));
    if (!strstr(err.text, words))
        fail_msg("expected \"%s\": %s", words, err.text);
}

static void test_bad_places(void **state)
{
    (void)state;
    char where[300], file[140];
    snprintf(where, sizeof where, "%s/", dir);
    for (size_t n = strlen(where); n < 120; n++)
        where[n] = 'a', where[n + 1] = '\0';
    expect_refused(where, "has 120 bytes, and the system takes at most 107");
    expect_refused("/no/such/dir/x.sock", "can't be made: No such file");
    snprintf(file, sizeof file, "%s/state/file", dir);
    close(open(file, O_CREAT | O_WRONLY, 0600));
    expect_refused(file, "isn't a socket");
    snprintf(where, sizeof where, "%s/x.sock", file);
    expect_refused(where, "isn't a directory");
    assert_int_equal(access(file, F_OK), 0); /* it is left as it was */
    unlink(file);
    snprintf(file, sizeof file, "%s/open", dir);
    mkdir(file, 0700);
    chmod(file, 0777);
    snprintf(where, sizeof where, "%s/x.sock", file);
    expect_refused(where, "chmod go-w");
    rmdir(file);
}

/* Root may make itself somebody else; that one is sent away without a word. Others can't even try: the socket is 0600. */
static void test_other_user(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    char sub[80];
    snprintf(sub, sizeof sub, "%s/state", dir);
    chmod(dir, 0755), chmod(sub, 0755), chmod(path, 0666);
    int result = -1, status;
    pid_t pid = fork();
    if (pid == 0) {
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        char byte;
        copy_text(a.sun_path, sizeof a.sun_path, path);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (setgid(65534) || setuid(65534) || connect(fd, (const struct sockaddr *)&a, sizeof a))
            _exit(2);
        _exit(read(fd, &byte, 1) == 0 ? 0 : 1); /* closed at once, nothing said */
    }
    UNTIL(result == pid || (result = waitpid(pid, &status, WNOHANG)) == pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_string_equal(e.heard.text, "");
    assert_int_equal(wire_screens(e.wire), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_backlog_then_lines), T(test_modes),       T(test_orders),       T(test_order_in_pieces),        T(test_garbage),
        T(test_huge_line),          T(test_long_text),   T(test_slow_reader_is_cut_off), T(test_large_backlog), T(test_disconnects),
        T(test_close_inside_an_order), T(test_last_lines_arrive), T(test_living_engine), T(test_stale_socket), T(test_bad_places),
        T(test_other_user),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
