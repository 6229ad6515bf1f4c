#include "async.h"

#include "core/dns.h"
#include "core/dnswire.h"

static struct owner o;
static struct peer peer;
static struct dns_server *server;

/* ---- the peer: what it does is asked for in the first label ---- */

static void answer(int fd, const struct sockaddr *to, socklen_t len, const struct dnswire_message *m)
{
    static struct dnswire_out out;
    const char *q = m->question;
    int rcode = !strncmp(q, "nx", 2) ? 3 : !strncmp(q, "fail", 4) ? 2 : !strncmp(q, "refused", 7) ? 5 : 0;
    dnswire_begin(&out, !strncmp(q, "wrongid", 7) ? m->id ^ 1 : m->id, 0x8400 | (m->rd ? 0x100 : 0) | rcode);
    dnswire_question(&out, q, m->qtype, DNS_IN);
    if (!strncmp(q, "www", 3)) {
        dnswire_record(&out, 1, q, DNS_CNAME, DNS_IN, 300, "blue.shop.test");
        dnswire_record(&out, 1, "blue.shop.test", DNS_A, DNS_IN, 20, "127.0.2.1");
        dnswire_record(&out, 1, "blue.shop.test", DNS_A, DNS_IN, 20, "127.0.2.2");
    } else if (!strncmp(q, "txt", 3)) {
        dnswire_record(&out, 1, q, DNS_TXT, DNS_IN, 20, m->rd ? "recursion\033" : "no recursion");
    }
    if (!strncmp(q, "fail", 4)) { /* EDE 22, and a word with it */
        dnswire_edns(&out, 1232);
        out.bytes[out.len - 1] = 8;
        dnswire_put_bytes(&out, (uint8_t[]){0, 15, 0, 4, 0, 22, 'h', 'i'}, 8);
    } else if (m->has_opt)
        dnswire_edns(&out, 1232);
    if (!strncmp(q, "late", 4))
        usleep(300 * 1000);
    if (!strncmp(q, "garbage", 7))
        out.len = 14;
    sendto(fd, out.bytes, out.len, 0, to, len);
}

static void serve(int fd)
{
    uint8_t bytes[2000];
    struct sockaddr_storage from;
    for (;;) {
        socklen_t len = sizeof from;
        ssize_t n = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &len);
        struct dnswire_message m;
        struct err err;
        if (n > 0 && dnswire_parse(&m, bytes, (size_t)n, &err) && strncmp(m.question, "silent", 6))
            answer(fd, (struct sockaddr *)&from, len, &m);
        dnswire_free(&m);
    }
}

static int begin(void **state)
{
    (void)state;
    peer = peer_start(SOCK_DGRAM, serve);
    owner_open(&o);
    server = dns_server_new(&o.loop, "127.0.0.1", peer.port);
    assert_non_null(server);
    return 0;
}

static int end(void **state)
{
    (void)state;
    dns_server_free(server);
    owner_close(&o);
    peer_stop(&peer);
    return 0;
}

static bool is_done(const void *q)
{
    return !dns_busy(q);
}

static struct dns_query *ask(const char *name, int type, int64_t timeout_ms)
{
    int64_t start = clock_mono();
    struct dns_query *q = dns_ask(&o.task, server, name, type, true, timeout_ms);
    assert_true(turn_until(&o, is_done, q, 5000));
    assert_true(clock_mono() - start < timeout_ms + 500);
    return q;
}

static void a_chain_and_its_ttl(void **state)
{
    (void)state;
    struct dns_query *q = ask("WWW.shop.test", DNS_A, 2000);
    const struct dns_answer *a = dns_answer(q);
    assert_string_equal(a->error, "");
    assert_int_equal(a->status, DNS_OK);
    assert_true(a->aa);
    assert_int_equal(a->count, 3);
    assert_string_equal(a->records[0].text, "blue.shop.test");
    assert_string_equal(a->records[2].text, "127.0.2.2");
    assert_int_equal(a->min_ttl, 20);
    assert_int_equal(a->ede_code, -1);
    assert_true(a->rtt_us > 0 && a->rtt_us < 2000000);
    dns_query_free(q);
}

static void every_verdict_is_told_apart(void **state)
{
    (void)state;
    static const struct { const char *name; enum dns_status status; const char *says; } rows[] = {
        {"nx.shop.test", DNS_NXDOMAIN, "does not exist"}, {"empty.shop.test", DNS_NODATA, "no record of this type"},
        {"fail.shop.test", DNS_SERVFAIL, "SERVFAIL"}, {"refused.shop.test", DNS_REFUSED, "refuses"},
        {"silent.shop.test", DNS_TIMEOUT, "no answer within 0.2 s"}, {"wrongid.shop.test", DNS_TIMEOUT, "no answer"},
        {"a..b", DNS_BAD_ANSWER, "no domain name"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dns_query *q = ask(rows[i].name, DNS_A, 200);
        assert_int_equal(dns_answer(q)->status, rows[i].status);
        assert_non_null(strstr(dns_answer(q)->error, rows[i].says));
        if (rows[i].status == DNS_SERVFAIL) {
            assert_int_equal(dns_answer(q)->ede_code, 22);
            assert_string_equal(dns_answer(q)->ede_text, "hi");
        }
        dns_query_free(q);
    }
}

static void garbage_is_no_answer(void **state)
{
    (void)state;
    struct dns_query *q = ask("garbage.shop.test", DNS_A, 300);
    enum dns_status s = dns_answer(q)->status;
    assert_true(s == DNS_BAD_ANSWER || s == DNS_TIMEOUT);
    dns_query_free(q);
}

static void recursion_is_asked_for_or_not(void **state)
{
    (void)state;
    struct dns_query *yes = ask("txt.shop.test", DNS_TXT, 2000);
    assert_string_equal(dns_answer(yes)->records[0].text, "recursion\\x1b");
    struct dns_query *no = dns_ask(&o.task, server, "txt.shop.test", DNS_TXT, false, 2000);
    assert_true(turn_until(&o, is_done, no, 3000));
    assert_string_equal(dns_answer(no)->records[0].text, "no recursion");
    dns_query_free(yes);
    dns_query_free(no);
}

/* Three fast answers teach newer c-ares a short timeout: the slow one must still get ours. */
static void a_slow_answer_within_the_deadline_counts(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        dns_query_free(ask("www.shop.test", DNS_A, 2000));
    struct dns_query *q = ask("late.shop.test", DNS_A, 2000);
    assert_int_equal(dns_answer(q)->status, DNS_NODATA);
    assert_true(dns_answer(q)->rtt_us >= 290000);
    dns_query_free(q);
}

static void a_late_answer_is_not_heard(void **state)
{
    (void)state;
    struct dns_query *q = ask("late.shop.test", DNS_A, 50);
    assert_int_equal(dns_answer(q)->status, DNS_TIMEOUT);
    turn_until(&o, never, NULL, 400);
    assert_int_equal(dns_answer(q)->status, DNS_TIMEOUT);
    dns_query_free(q);
    dns_query_free(dns_ask(&o.task, server, "late.shop.test", DNS_A, true, 5000)); /* freed before its answer */
    turn_until(&o, never, NULL, 400);
    dns_query_free(NULL);
}

static void nobody_there(void **state)
{
    (void)state;
    struct dns_server *s = dns_server_new(&o.loop, "127.0.0.1", closed_port());
    struct dns_query *q = dns_ask(&o.task, s, "www.shop.test", DNS_A, true, 1000);
    assert_true(turn_until(&o, is_done, q, 3000));
    assert_int_equal(dns_answer(q)->status, DNS_UNREACHABLE);
    assert_true(dns_answer(q)->rtt_us < 500000);
    dns_query_free(q);
    q = dns_ask(&o.task, s, "www.shop.test", DNS_A, true, 1000); /* the server goes first */
    dns_server_free(s);
    assert_false(dns_busy(q));
    dns_query_free(q);
    assert_null(dns_server_new(&o.loop, "resolver.test", 53));
    assert_null(dns_server_new(&o.loop, "127.0.0.1", 0));
}

static void many_at_once(void **state)
{
    (void)state;
    struct dns_query *q[200];
    for (int i = 0; i < 200; i++)
        q[i] = dns_ask(&o.task, server, "www.shop.test", DNS_A, true, 3000);
    for (int i = 0; i < 200; i++) {
        assert_true(turn_until(&o, is_done, q[i], 4000));
        assert_int_equal(dns_answer(q[i])->status, DNS_OK);
        dns_query_free(q[i]);
    }
}

static void names_of_the_system(void **state)
{
    (void)state;
    static const struct { const char *name, *text; } rows[] = {
        {"127.0.0.9", "127.0.0.9"}, {"::1", "::1"}, {"localhost", "127.0.0.1"}, {"LocalHost.", "127.0.0.1"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dns_query *q = dns_resolve(&o.task, rows[i].name, 1000);
        assert_true(turn_until(&o, is_done, q, 2000));
        assert_string_equal(dns_answer(q)->records[0].text, rows[i].text);
        dns_query_free(q);
    }
    struct dns_query *q = dns_resolve(&o.task, "nothing.invalid", 300);
    assert_true(turn_until(&o, is_done, q, 2000));
    assert_int_not_equal(dns_answer(q)->status, DNS_OK);
    dns_query_free(q);
    dns_query_free(dns_resolve(&o.task, "nothing.invalid", 30000));
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_chain_and_its_ttl), T(every_verdict_is_told_apart), T(garbage_is_no_answer), T(recursion_is_asked_for_or_not),
        T(a_slow_answer_within_the_deadline_counts), T(a_late_answer_is_not_heard), T(nobody_there), T(many_at_once),
        T(names_of_the_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
