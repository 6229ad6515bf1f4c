#include "async.h"

#include "core/http.h"

static struct owner o;

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

static bool is_done(const void *h)
{
    return !http_busy(h);
}

static const struct http_result *get(struct http *h, const char *host, int port, const char *path,
                                     const struct http_opts *opts)
{
    char url[200];
    int64_t start = clock_mono();
    snprintf(url, sizeof url, "http://%s:%d%s", host, port, path);
    http_get(h, url, opts);
    assert_true(turn_until(&o, is_done, h, 8000));
    assert_true(clock_mono() - start < (opts && opts->timeout_ms ? opts->timeout_ms : 5000) + 500);
    return http_result(h);
}

/* ---- the peer: the path says what to do ---- */

static void reply(int fd, const char *status, const char *headers, const char *body)
{
    char out[2000];
    snprintf(out, sizeof out, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n%s", status, strlen(body), headers, body);
    say(fd, out);
}

static bool has(const char *request, const char *text)
{
    return strstr(request, text) != NULL;
}

static void serve_one(int fd, const char *r)
{
    if (has(r, " /hang"))
        read_until(fd, "never");
    else if (has(r, " /half"))
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), read_until(fd, "never");
    else if (has(r, " /cut"))
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), shutdown(fd, SHUT_RDWR);
    else if (has(r, " /garbage"))
        say(fd, "220 mail.test ESMTP\r\n\r\n"), shutdown(fd, SHUT_RDWR);
    else if (has(r, " /close"))
        shutdown(fd, SHUT_RDWR);
    else if (has(r, " /busy"))
        reply(fd, "503 Service Unavailable", "Retry-After: 5\r\n", "read only");
    else if (has(r, " /login"))
        reply(fd, "200 OK", "Set-Cookie: session=abc; HttpOnly\r\nset-cookie: lang=de; Path=/\r\n", "welcome");
    else if (has(r, " /me"))
        reply(fd, "200 OK", "", has(r, "Cookie: session=abc; lang=de") ? "it is me" : "who?");
    else if (has(r, " /move"))
        reply(fd, "302 Found", "Location: /me\r\n", "");
    else if (has(r, " /loop"))
        reply(fd, "302 Found", "Location: /loop\r\n", "");
    else if (has(r, "POST /echo"))
        reply(fd, "200 OK", "", has(r, "X-Mark: 7") ? "posted 7" : "posted");
    else
        reply(fd, "200 OK", "", has(r, "Host: shop.test") ? "shop" : "hello");
}

/* Keep-alive, one connection per process of its own, so that a hung one does not stop the others. */
static void serve(int fd)
{
    signal(SIGCHLD, SIG_IGN);
    if (fork())
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    char buf[8192];
    ssize_t n;
    while ((n = read(fd, buf, sizeof buf - 1)) > 0) {
        buf[n] = '\0';
        if (has(buf, " /endless")) {
            say(fd, "HTTP/1.1 200 OK\r\n\r\n");
            for (;;)
                say(fd, "0123456789012345678901234567890123456789012345678901234567890123456789\n");
        }
        serve_one(fd, buf);
    }
    _exit(0);
}

static void answers_and_timings(void **state)
{
    (void)state;
    struct peer p = peer_start(SOCK_STREAM, serve);
    struct http *h = http_new(&o.task);
    const struct http_result *r = get(h, "127.0.0.1", p.port, "/", NULL);
    assert_string_equal(r->sentence, "");
    assert_int_equal(r->error, HTTP_OK);
    assert_int_equal(r->status, 200);
    assert_string_equal(r->body, "hello");
    assert_false(r->reused);
    assert_true(r->connect_us > 0 && r->first_byte_us >= r->connect_us && r->total_us >= r->first_byte_us);
    char where[40];
    snprintf(where, sizeof where, "127.0.0.1:%d", p.port);
    assert_string_equal(r->address, where);
    r = get(h, "127.0.0.1", p.port, "/", NULL);
    assert_true(r->reused);
    r = get(h, "127.0.0.1", p.port, "/", &(struct http_opts){.fresh = true});
    assert_false(r->reused);
    r = get(h, "127.0.0.1", p.port, "/busy", NULL);
    assert_int_equal(r->error, HTTP_STATUS);
    assert_int_equal(r->status, 503);
    assert_string_equal(r->body, "read only");
    assert_string_equal(http_header(h, "retry-after"), "5");
    assert_non_null(strstr(r->sentence, "503"));
    assert_true(o.wakes >= 4);
    http_free(h);
    peer_stop(&p);
}

static void sessions_posts_and_redirects(void **state)
{
    (void)state;
    struct peer p = peer_start(SOCK_STREAM, serve);
    struct http *h = http_new(&o.task);
    char cookie[100], url[100];
    const struct http_result *r = get(h, "127.0.0.1", p.port, "/login", NULL);
    assert_string_equal(r->set_cookie, "session=abc; lang=de");
    copy_text(cookie, sizeof cookie, r->set_cookie);
    r = get(h, "127.0.0.1", p.port, "/me", &(struct http_opts){.cookie = cookie});
    assert_string_equal(r->body, "it is me");
    r = get(h, "127.0.0.1", p.port, "/move", &(struct http_opts){.cookie = cookie});
    assert_int_equal(r->status, 302);
    assert_string_equal(r->location, "/me");
    r = get(h, "127.0.0.1", p.port, "/move", &(struct http_opts){.cookie = cookie, .follow = 3});
    assert_int_equal(r->status, 200);
    assert_string_equal(r->body, "it is me");
    r = get(h, "127.0.0.1", p.port, "/loop", &(struct http_opts){.follow = 3});
    assert_int_equal(r->status, 302);
    const char *headers[] = {"X-Mark: 7", NULL};
    snprintf(url, sizeof url, "http://127.0.0.1:%d/echo", p.port);
    http_post(h, url, "a=b", &(struct http_opts){.headers = headers});
    assert_true(turn_until(&o, is_done, h, 3000));
    assert_string_equal(http_result(h)->body, "posted 7");
    http_free(h);
    peer_stop(&p);
}

static void another_way_to_the_same_name(void **state)
{
    (void)state;
    struct peer p = peer_start(SOCK_STREAM, serve);
    struct http *h = http_new(&o.task);
    char to[40];
    snprintf(to, sizeof to, "127.0.0.1:%d", p.port);
    const struct http_result *r = get(h, "shop.test", 80, "/", &(struct http_opts){.connect_to = to});
    assert_string_equal(r->sentence, "");
    assert_string_equal(r->body, "shop");
    snprintf(to, sizeof to, "localhost:%d", p.port);
    r = get(h, "shop.test", 80, "/", &(struct http_opts){.connect_to = to, .fresh = true});
    assert_string_equal(r->body, "shop");
    r = get(h, "localhost", p.port, "/", NULL);
    assert_string_equal(r->body, "hello");
    http_free(h);
    peer_stop(&p);
}

static void peers_that_misbehave(void **state)
{
    (void)state;
    static const struct { const char *path; enum http_error error; const char *says; } rows[] = {
        {"/hang", HTTP_TIMEOUT, "no answer within 0.3 s"}, {"/half", HTTP_TIMEOUT, "the answer did not end within 0.3 s"},
        {"/cut", HTTP_BODY, ""}, {"/garbage", HTTP_BODY, ""}, {"/close", HTTP_BODY, ""}};
    struct peer p = peer_start(SOCK_STREAM, serve);
    struct http *h = http_new(&o.task);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct http_result *r = get(h, "127.0.0.1", p.port, rows[i].path, &(struct http_opts){.timeout_ms = 300});
        assert_int_equal(r->error, rows[i].error);
        assert_non_null(strstr(r->sentence, rows[i].says));
        assert_non_null(strstr(r->sentence, rows[i].path));
    }
    const struct http_result *r = get(h, "127.0.0.1", p.port, "/endless", &(struct http_opts){.body_limit = 100000});
    assert_int_equal(r->error, HTTP_OK);
    assert_true(r->truncated);
    assert_int_equal(r->body_len, 100000);
    r = get(h, "127.0.0.1", p.port, "/", NULL); /* and the handle is as good as new */
    assert_string_equal(r->body, "hello");
    http_free(h);
    peer_stop(&p);
}

static void nobody_there(void **state)
{
    (void)state;
    struct http *h = http_new(&o.task);
    const struct http_result *r = get(h, "127.0.0.1", closed_port(), "/?token=s3cret", NULL);
    assert_int_equal(r->error, HTTP_CONNECT);
    assert_null(strstr(r->sentence, "s3cret"));
    r = get(h, "nothing.invalid", 80, "/", &(struct http_opts){.timeout_ms = 300});
    assert_true(r->error == HTTP_DNS || r->error == HTTP_TIMEOUT);
    static const char *const bad[] = {"", "ftp://x/", "http://", "file:///etc/passwd", "not a url"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        http_get(h, bad[i], NULL);
        assert_true(turn_until(&o, is_done, h, 3000));
        assert_int_equal(http_result(h)->error, HTTP_BAD_ORDER);
    }
    http_free(h);
}

static void freed_or_cancelled_in_the_middle(void **state)
{
    (void)state;
    struct peer p = peer_start(SOCK_STREAM, serve);
    struct http *h = http_new(&o.task);
    char url[100];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/hang", p.port);
    http_get(h, url, NULL);
    turn_until(&o, never, NULL, 50);
    http_cancel(h);
    assert_false(http_busy(h));
    http_get(h, url, NULL);
    turn_until(&o, never, NULL, 50);
    http_free(h);
    h = http_new(&o.task);
    http_get(h, url, NULL);
    http_free(h);
    http_free(NULL);
    peer_stop(&p);
}

/* ---- TLS: a certificate of our own, served by openssl ---- */

static bool answers(const char *ca, int port, struct http *h, const char *name)
{
    char url[100], to[40];
    snprintf(url, sizeof url, "https://%s:%d/", name, port);
    snprintf(to, sizeof to, "127.0.0.1:%d", port);
    http_get(h, url, &(struct http_opts){.connect_to = to, .cafile = ca, .want_cert = true, .timeout_ms = 3000});
    assert_true(turn_until(&o, is_done, h, 5000));
    return http_result(h)->error == HTTP_OK;
}

static void certificates(void **state)
{
    (void)state;
    char dir[] = "/tmp/test_http.XXXXXX", cmd[700], ca[64];
    assert_non_null(mkdtemp(dir));
    snprintf(cmd, sizeof cmd,
             "cd %s && openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out c -days 20 -subj /CN=shop.test "
             "-addext subjectAltName=DNS:shop.test,DNS:www.shop.test >/dev/null 2>&1", dir);
    if (system("command -v openssl >/dev/null") || system(cmd))
        skip();
    int port = closed_port();
    pid_t pid = fork();
    if (!pid) {
        char number[8];
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        snprintf(number, sizeof number, "%d", port);
        if (chdir(dir) || !freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
            _exit(1);
        execlp("openssl", "openssl", "s_server", "-accept", number, "-key", "k", "-cert", "c", "-www", (char *)NULL);
        _exit(1);
    }
    struct http *h = http_new(&o.task);
    snprintf(ca, sizeof ca, "%s/c", dir);
    int64_t end = clock_mono() + 5000;
    while (!answers(ca, port, h, "shop.test") && http_result(h)->error == HTTP_CONNECT && clock_mono() < end)
        ;
    const struct http_result *r = http_result(h);
    assert_string_equal(r->sentence, "");
    assert_non_null(strstr(r->cert_subject, "shop.test"));
    assert_non_null(strstr(r->cert_names, "www.shop.test"));
    assert_true(r->cert_until_ms > clock_wall() + (int64_t)19 * 86400000);
    assert_true(r->cert_until_ms < clock_wall() + (int64_t)21 * 86400000);
    assert_true(r->tls_us > r->connect_us);
    assert_false(answers(ca, port, h, "other.test"));
    assert_int_equal(http_result(h)->error, HTTP_TLS);
    assert_false(answers(NULL, port, h, "shop.test"));
    assert_int_equal(http_result(h)->error, HTTP_TLS);
    http_free(h);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    snprintf(cmd, sizeof cmd, "rm -r %s", dir);
    assert_int_equal(system(cmd), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_loop, close_loop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(answers_and_timings), T(sessions_posts_and_redirects), T(another_way_to_the_same_name), T(peers_that_misbehave),
        T(nobody_there), T(freed_or_cancelled_in_the_middle), T(certificates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
