#include "async.h"

#include <sys/un.h>

#include "core/sock.h"

static struct owner o;
static char where[64];

static int open_loop(void **state)
{
    (void)state;
    owner_open(&o);
    return 0;
}

static int close_loop(void **state)
{
    (void)state;
    owner_close(&o);
    return 0;
}

static bool is_done(const void *s)
{
    return !sock_busy(s);
}

static const char *at(int port)
{
    snprintf(where, sizeof where, "127.0.0.1:%d", port);
    return where;
}

static struct sock *ask(const char *address, int64_t timeout_ms)
{
    struct sock *s = sock_new(&o.task);
    int64_t start = clock_mono();
    sock_converse(s, address, "show stat\n", timeout_ms);
    assert_true(turn_until(&o, is_done, s, 5000));
    assert_true(clock_mono() - start < timeout_ms + 500);
    return s;
}

static void answer(int fd)
{
    if (read_until(fd, "\n"))
        say(fd, "backend,green,UP\n");
}

static void hang(int fd)
{
    read_until(fd, "never");
}

static void talk_for_ever(int fd)
{
    char block[4096];
    memset(block, 'x', sizeof block);
    while (write(fd, block, sizeof block) > 0)
        ;
}

static void half_then_hang(int fd)
{
    say(fd, "half");
    read_until(fd, "never");
}

static void reset(int fd)
{
    read_until(fd, "\n");
    say(fd, "half");
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
}

static void a_question_and_its_answer(void **state)
{
    (void)state;
    struct peer p = peer_start(SOCK_STREAM, answer);
    struct sock *s = ask(at(p.port), 2000);
    assert_string_equal(sock_error(s), "");
    assert_string_equal(sock_answer(s, NULL), "backend,green,UP\n");
    snprintf(where, sizeof where, "localhost:%d", p.port);
    sock_converse(s, where, "again\n", 2000); /* the object is used again */
    assert_true(turn_until(&o, is_done, s, 3000));
    assert_false(sock_failed(s));
    assert_true(o.wakes >= 2);
    sock_free(s);
    peer_stop(&p);
}

static void peers_that_misbehave(void **state)
{
    (void)state;
    static const struct { void (*serve)(int); const char *says; } rows[] = {
        {hang, "no answer within 0.3 s"}, {half_then_hang, "the answer did not end within 0.3 s"},
        {talk_for_ever, "longer than 1 MiB"}, {reset, "cut off"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer p = peer_start(SOCK_STREAM, rows[i].serve);
        struct sock *s = ask(at(p.port), i == 2 ? 3000 : 300);
        assert_true(sock_failed(s));
        assert_non_null(strstr(sock_error(s), rows[i].says));
        sock_free(s);
        peer_stop(&p);
    }
}

static void nobody_there(void **state)
{
    (void)state;
    static const char *const bad[] = {"unix:/no/such/socket", "nonsense", "127.0.0.1:", ":80", "[::1]x:5"};
    struct sock *s = ask(at(closed_port()), 1000);
    assert_non_null(strstr(sock_error(s), "refused"));
    sock_free(s);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        s = ask(bad[i], 1000);
        assert_true(sock_failed(s));
        assert_non_null(strstr(sock_error(s), bad[i] + 1));
        sock_free(s);
    }
}

static void a_unix_socket(void **state)
{
    (void)state;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "/tmp/test_sock.%d", (int)getpid());
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 5), 0);
    pid_t pid = fork();
    if (!pid) {
        int c = accept(fd, NULL, NULL);
        answer(c);
        _exit(0);
    }
    char address[128];
    snprintf(address, sizeof address, "unix:%s", a.sun_path);
    struct sock *s = ask(address, 2000);
    assert_string_equal(sock_error(s), "");
    assert_string_equal(sock_answer(s, NULL), "backend,green,UP\n");
    sock_free(s);
    waitpid(pid, NULL, 0);
    close(fd);
    unlink(a.sun_path);
}

static void freed_in_the_middle(void **state)
{
    (void)state;
    struct peer p = peer_start(SOCK_STREAM, hang);
    struct sock *s = sock_new(&o.task);
    sock_converse(s, at(p.port), "x\n", 10000);
    turn_until(&o, never, NULL, 30);
    sock_free(s);
    s = sock_new(&o.task);
    sock_converse(s, at(p.port), "x\n", 10000);
    sock_free(s);
    sock_free(NULL);
    peer_stop(&p);
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_loop, close_loop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_question_and_its_answer), T(peers_that_misbehave), T(nobody_there), T(a_unix_socket), T(freed_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
