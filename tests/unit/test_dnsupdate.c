#include "async.h"

#include "core/dns.h"
#include "core/dnsupdate.h"
#include "core/dnswire.h"

static struct owner o;
static char dir[64];
static int port;
static pid_t knot;
static struct dnsupdate_key key;

#define SECRET "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3I="

static void write_file(const char *name, const char *fmt, ...)
{
    char path[200];
    va_list ap;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    va_start(ap, fmt);
    vfprintf(f, fmt, ap);
    va_end(ap);
    fclose(f);
}

static bool read_key(struct dnsupdate_key *k, const char *text, struct err *err)
{
    char path[200];
    write_file("key", "%s", text);
    snprintf(path, sizeof path, "%s/key", dir);
    return dnsupdate_key_read(k, path, err);
}

static bool query_done(const void *q)
{
    return !dns_busy(q);
}

/* "value ttl" of www.shop.test, or the status. */
static const char *look(void)
{
    static char text[200];
    struct dns_server *s = dns_server_new(&o.loop, "127.0.0.1", port);
    struct dns_query *q = dns_ask(&o.task, s, "www.shop.test", DNS_A, false, 500);
    assert_true(turn_until(&o, query_done, q, 2000));
    const struct dns_answer *a = dns_answer(q);
    if (a->status == DNS_OK)
        snprintf(text, sizeof text, "%s %u", a->records[0].text, a->records[0].ttl);
    else
        copy_text(text, sizeof text, dns_status_name(a->status));
    dns_query_free(q);
    dns_server_free(s);
    return text;
}

static int begin(void **state)
{
    (void)state;
    struct err err;
    char conf[200];
    owner_open(&o);
    snprintf(dir, sizeof dir, "/tmp/test_dnsupdate.XXXXXX");
    assert_non_null(mkdtemp(dir));
    assert_true(read_key(&key, "cutover:hmac-sha256:" SECRET "\n", &err));
    if (access("/usr/sbin/knotd", X_OK))
        return 0;
    port = closed_port();
    write_file("shop.test.zone", "@ 3600 SOA ns.shop.test. admin.shop.test. 1 3600 600 86400 60\n@ 3600 NS ns\n"
                                 "ns 3600 A 127.0.0.1\nwww 60 A 127.0.2.1\n");
    write_file("knot.conf", "server:\n  rundir: %s\n  listen: 127.0.0.1@%d\n"
               "key:\n  - id: cutover\n    algorithm: hmac-sha256\n    secret: " SECRET "\n"
               "acl:\n  - id: update\n    key: cutover\n    action: update\n"
               "database:\n  storage: %s\n"
               "zone:\n  - domain: shop.test\n    storage: %s\n    file: shop.test.zone\n    acl: update\n",
               dir, port, dir, dir);
    snprintf(conf, sizeof conf, "%s/knot.conf", dir);
    knot = fork();
    if (!knot) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
            _exit(1);
        execl("/usr/sbin/knotd", "knotd", "-c", conf, (char *)NULL);
        _exit(1);
    }
    int64_t end = clock_mono() + 10000;
    while (strcmp(look(), "127.0.2.1 60") && clock_mono() < end)
        turn_until(&o, never, NULL, 20);
    assert_string_equal(look(), "127.0.2.1 60");
    return 0;
}

static int end(void **state)
{
    (void)state;
    char cmd[100];
    if (knot > 0) {
        kill(knot, SIGKILL);
        waitpid(knot, NULL, 0);
    }
    snprintf(cmd, sizeof cmd, "rm -r %s", dir);
    assert_int_equal(system(cmd), 0);
    owner_close(&o);
    return 0;
}

static bool is_done(const void *u)
{
    return !dnsupdate_busy(u);
}

static struct dnsupdate *swap_with(const struct dnsupdate_key *k, const char *old, const char *new, uint32_t ttl)
{
    struct dnsupdate *u = dnsupdate_new(&o.task, "127.0.0.1", port, k);
    struct dnsupdate_change c = {.zone = "shop.test", .name = "www.shop.test", .type = DNS_A, .old = &old,
                                 .old_count = old != NULL, .new = &new, .new_count = new != NULL, .ttl = ttl};
    dnsupdate_send(u, &c, 500);
    assert_true(turn_until(&o, is_done, u, 2000));
    return u;
}

#define NEEDS_SERVER() do { if (knot <= 0) skip(); } while (0)

static void compare_and_swap(void **state)
{
    (void)state;
    NEEDS_SERVER();
    struct dnsupdate *u = swap_with(&key, "127.0.2.1", "127.0.2.2", 20);
    assert_string_equal(dnsupdate_error(u), "");
    assert_int_equal(dnsupdate_result(u), DNSUPDATE_DONE);
    assert_string_equal(look(), "127.0.2.2 20");
    dnsupdate_free(u);
    u = swap_with(&key, "127.0.2.1", "127.0.2.3", 20); /* somebody was faster */
    assert_int_equal(dnsupdate_result(u), DNSUPDATE_CHANGED);
    assert_non_null(strstr(dnsupdate_error(u), "refused: www.shop.test A is not 127.0.2.1 any more (NXRRSET)"));
    assert_string_equal(dnsupdate_rcode(u), "NXRRSET");
    assert_string_equal(look(), "127.0.2.2 20");
    dnsupdate_free(u);
    u = swap_with(&key, "127.0.2.2", "127.0.2.2", 5); /* the TTL alone */
    assert_int_equal(dnsupdate_result(u), DNSUPDATE_DONE);
    assert_string_equal(look(), "127.0.2.2 5");
    dnsupdate_free(u);
    u = swap_with(&key, "127.0.2.2", NULL, 0);
    assert_int_equal(dnsupdate_result(u), DNSUPDATE_DONE);
    assert_string_equal(look(), "NXDOMAIN");
    dnsupdate_free(u);
    u = swap_with(&key, NULL, "127.0.2.1", 60); /* it must not exist, and does not */
    assert_int_equal(dnsupdate_result(u), DNSUPDATE_DONE);
    dnsupdate_free(u);
    u = swap_with(&key, NULL, "127.0.2.9", 60); /* and now it does */
    assert_int_equal(dnsupdate_result(u), DNSUPDATE_CHANGED);
    assert_string_equal(look(), "127.0.2.1 60");
    dnsupdate_free(u);
}

static void a_wrong_key_changes_nothing(void **state)
{
    (void)state;
    NEEDS_SERVER();
    struct dnsupdate_key other = key, stranger = key;
    other.secret[0] ^= 1;
    copy_text(stranger.name, sizeof stranger.name, "stranger");
    struct dnsupdate *u = swap_with(&other, "127.0.2.1", "127.0.2.2", 60);
    assert_int_equal(dnsupdate_result(u), DNSUPDATE_REFUSED);
    assert_non_null(strstr(dnsupdate_error(u), "BADSIG"));
    dnsupdate_free(u);
    u = swap_with(&stranger, "127.0.2.1", "127.0.2.2", 60);
    assert_int_equal(dnsupdate_result(u), DNSUPDATE_REFUSED);
    assert_non_null(strstr(dnsupdate_error(u), "BADKEY"));
    dnsupdate_free(u);
    assert_string_equal(look(), "127.0.2.1 60");
}

static void what_cannot_be_sent(void **state)
{
    (void)state;
    static const struct { const char *zone, *name, *value; int type; } rows[] = {
        {"shop.test", "www.shop.test", "127.0.2", DNS_A}, {"shop.test", "www.other.test", "127.0.2.1", DNS_A},
        {"shop.test", "a..shop.test", "127.0.2.1", DNS_A}, {"shop.test", "shop.test", "x", DNS_SOA}};
    struct dnsupdate *u = dnsupdate_new(&o.task, "127.0.0.1", 53, &key);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dnsupdate_change c = {.zone = rows[i].zone, .name = rows[i].name, .type = rows[i].type,
                                     .new = &rows[i].value, .new_count = 1};
        dnsupdate_send(u, &c, 500);
        assert_true(turn_until(&o, is_done, u, 2000));
        assert_int_equal(dnsupdate_result(u), DNSUPDATE_BAD_ORDER);
        assert_string_not_equal(dnsupdate_error(u), "");
    }
    dnsupdate_free(u);
}

/* ---- peers that misbehave ---- */

static void silent(int fd)
{
    char c[600];
    while (recv(fd, c, sizeof c, 0) >= 0)
        ;
}

/* Says yes to everything: once with nothing but the header, once with the request's own TSIG sent back. */
static void yes_man(int fd)
{
    uint8_t b[2000];
    struct sockaddr_storage from;
    for (;;) {
        socklen_t len = sizeof from;
        ssize_t n = recvfrom(fd, b, sizeof b, 0, (struct sockaddr *)&from, &len);
        bool replay = b[n - 8] & 1; /* a byte of the MAC: both ways come up */
        b[2] |= 0x80;
        b[3] = 0;
        if (!replay) {
            memset(b + 4, 0, 8);
            n = 12;
        }
        sendto(fd, b, (size_t)n, 0, (struct sockaddr *)&from, len);
    }
}

static void an_answer_that_proves_nothing(void **state)
{
    (void)state;
    int before = port;
    struct peer p = peer_start(SOCK_DGRAM, yes_man);
    port = p.port;
    for (int i = 0; i < 12; i++) {
        struct dnsupdate *u = swap_with(&key, "127.0.2.1", "127.0.2.2", 60);
        assert_int_equal(dnsupdate_result(u), DNSUPDATE_UNKNOWN);
        assert_non_null(strstr(dnsupdate_error(u), "not signed"));
        dnsupdate_free(u);
    }
    peer_stop(&p);
    p = peer_start(SOCK_DGRAM, silent);
    port = p.port;
    struct dnsupdate *u = swap_with(&key, "127.0.2.1", "127.0.2.2", 60);
    assert_int_equal(dnsupdate_result(u), DNSUPDATE_UNKNOWN);
    assert_non_null(strstr(dnsupdate_error(u), "no answer within 0.5 s"));
    dnsupdate_free(u);
    u = dnsupdate_new(&o.task, "127.0.0.1", port, &key);
    const char *v = "127.0.2.1";
    dnsupdate_send(u, &(struct dnsupdate_change){"shop.test", "www.shop.test", DNS_A, &v, 1, &v, 1, 5}, 5000);
    dnsupdate_free(u); /* in the middle */
    peer_stop(&p);
    u = swap_with(&key, "127.0.2.1", "127.0.2.2", 60); /* the port is closed now */
    assert_int_equal(dnsupdate_result(u), DNSUPDATE_REFUSED);
    dnsupdate_free(u);
    port = before;
}

static void key_files(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "cutover", ("cutover:hmac-md5:" SECRET), "cutover:hmac-sha256:???", ":hmac-sha256:AAAA",
                                      "cutover:hmac-sha256:", "a..b:hmac-sha256:AAAA"};
    struct dnsupdate_key k;
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(read_key(&k, bad[i], &err));
        assert_null(strstr(err.text, "c2Vj"));
        assert_non_null(strstr(err.text, dir));
    }
    assert_false(dnsupdate_key_read(&k, "/no/such/key", &err));
    assert_true(read_key(&k, "cutover.:HMAC-SHA256.:" SECRET, &err));
    assert_int_equal(k.len, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compare_and_swap), cmocka_unit_test(a_wrong_key_changes_nothing),
        cmocka_unit_test(what_cannot_be_sent), cmocka_unit_test(an_answer_that_proves_nothing),
        cmocka_unit_test(key_files),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
