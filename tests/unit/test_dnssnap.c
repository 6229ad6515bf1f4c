/* dnssnap: an authoritative server whose zone changes while it is read, that drops questions, or that speaks without
 * authority; and what two snapshots differ in, whatever they hold. What a real server says is in tests/world/snapshot.test. */
#include "async.h"

#include "core/dnssnap.h"
#include "core/dnswire.h"
#include "core/text.h"

static int changes, drops; /* how many times the serial rises from one look to the next; how many questions are not heard */
static bool lame;

static void answer(int fd, const struct sockaddr *to, socklen_t len, const struct dnswire_message *m)
{
    static struct dnswire_out out;
    static int serial = 1;
    bool apex = dnswire_same_name(m->question, "shop.test"), here = apex || dnswire_same_name(m->question, "www.shop.test");
    dnswire_begin(&out, m->id, 0x8000 | (lame ? 0 : 0x400) | (here ? 0 : 3));
    dnswire_question(&out, m->question, m->qtype, DNS_IN);
    if (apex && m->qtype == DNS_SOA) {
        dnswire_record(&out, 1, "shop.test", DNS_SOA, DNS_IN, 60, NULL);
        out.len -= 2; /* the length of nothing; SOA is not among what dnswire builds */
        uint8_t data[22] = {0, 0, [5] = (uint8_t)serial};
        dnswire_put_u16(&out, sizeof data);
        dnswire_put_bytes(&out, data, sizeof data);
        serial += changes-- > 0;
    } else if (here && m->qtype == DNS_A) {
        dnswire_record(&out, 1, m->question, DNS_A, DNS_IN, 20, "127.0.2.1");
        dnswire_record(&out, 1, "elsewhere.test", DNS_A, DNS_IN, 20, "127.0.2.66");
    }
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
        if (n > 0 && dnswire_parse(&m, bytes, (size_t)n, &err) && drops-- <= 0)
            answer(fd, (struct sockaddr *)&from, len, &m);
        dnswire_free(&m);
    }
}

/* What a snapshot of such a server is, or the sentence. */
static const char *take(int some_changes, int some_drops, bool is_lame)
{
    static char said[2000];
    struct plan_problems problems = {0};
    struct dnssnap s = {0};
    struct buf out = {0};
    struct err err;
    changes = some_changes, drops = some_drops, lame = is_lame;
    struct peer peer = peer_start(SOCK_DGRAM, serve);
    char *text = xprintf("name = \"x\";\nblue = { address = \"127.0.2.1\"; };\ngreen = { address = \"127.0.2.2\"; };\n"
                         "dns = { zone = \"Shop.test\"; server = \"127.0.0.1\"; port = %d; records = ( { name = \"www.shop.test\"; } ); };\n", peer.port);
    struct plan *plan = plan_parse("x.cfg", text, &problems);
    for (int i = 0; i < problems.count; i++)
        print_message("%s\n", problems.lines[i]);
    assert_non_null(plan);
    if (dnssnap_take(&s, plan, &err))
        dnssnap_write(&s, "shop.test", &out);
    copy_text(said, sizeof said, out.text ? out.text : err.text);
    dnssnap_free(&s);
    buf_free(&out);
    plan_free(plan);
    plan_problems_free(&problems);
    free(text);
    peer_stop(&peer);
    return said;
}

static void a_zone_that_changes_is_read_again(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        char *wanted = xprintf("# cutover dns snapshot 1\n# zone shop.test, serial %d\nshop.test A 20 127.0.2.1\nshop.test SOA 60 . . %d 0 0 0 0\n"
                               "www.shop.test A 20 127.0.2.1\n", i + 1, i + 1);
        assert_string_equal(take(i, 0, false), wanted);
        free(wanted);
    }
    assert_non_null(strstr(take(1000, 0, false), "the zone changed each time while it was read. Try again when nobody changes it."));
}

static void a_lost_question_is_put_again(void **state)
{
    (void)state;
    assert_non_null(strstr(take(0, 1, false), "www.shop.test A 20 127.0.2.1\n"));
}

static void who_has_no_authority_is_not_believed(void **state)
{
    (void)state;
    const char *said = take(0, 0, true);
    assert_non_null(strstr(said, "does not speak with authority for Shop.test. Name the zone's authoritative server"));
    assert_null(strchr(said, '\n'));
}

/* ---- differences ---- */

static const char *diff(const char *const old[][2], const char *const new[][2])
{
    static char said[2000];
    struct dnssnap s[2] = {{0}, {0}};
    struct buf out = {0};
    for (int i = 0; i < 2; i++) {
        for (const char *const(*r)[2] = i ? new : old; (*r)[0]; r++)
            dnssnap_add(&s[i], "www.shop.test", (*r)[0], 60, (*r)[1], 0);
        dnssnap_sort(&s[i]);
    }
    dnssnap_diff(&s[0], &s[1], &out);
    copy_text(said, sizeof said, out.text);
    dnssnap_free(&s[0]);
    dnssnap_free(&s[1]);
    buf_free(&out);
    return said;
}

#define ROWS(...) (const char *const[][2]){__VA_ARGS__, {NULL, NULL}}
#define NO_ROWS (const char *const[][2]){{NULL, NULL}}

static void what_took_whose_place(void **state)
{
    (void)state;
    assert_string_equal(diff(NO_ROWS, NO_ROWS), "no difference in 0 records\n");
    assert_string_equal(diff(ROWS({"A", "1"}), ROWS({"A", "2"})), "changed  www.shop.test A 1 -> 2\n0 added, 0 removed, 1 changed, 0 with another TTL\n");
    assert_string_equal(diff(ROWS({"A", "1"}, {"A", "3"}), ROWS({"A", "3"}, {"A", "2"})),
        "changed  www.shop.test A 1 -> 2\n0 added, 0 removed, 1 changed, 0 with another TTL\n");
    assert_string_equal(diff(ROWS({"A", "1"}, {"A", "3"}), ROWS({"A", "2"})),
        "removed  www.shop.test A 60 1\nremoved  www.shop.test A 60 3\nadded    www.shop.test A 60 2\n1 added, 2 removed, 0 changed, 0 with another TTL\n");
    assert_string_equal(diff(ROWS({"A", "1"}), ROWS({"CNAME", "x"})),
        "removed  www.shop.test A 60 1\nadded    www.shop.test CNAME 60 x\n1 added, 1 removed, 0 changed, 0 with another TTL\n");
    assert_string_equal(diff(ROWS({"SOA", "a b 1 2 3 4 5"}), ROWS({"SOA", "a b 9 2 3 4 5"})),
        "serial   www.shop.test 1 -> 9\n0 added, 0 removed, 0 changed, 0 with another TTL, another serial\n");
    assert_string_equal(diff(ROWS({"SOA", "a b 1 2 3 4 5"}), ROWS({"SOA", "a c 9 2 3 4 5"})),
        "changed  www.shop.test SOA a b 1 2 3 4 5 -> a c 9 2 3 4 5\n0 added, 0 removed, 1 changed, 0 with another TTL\n");
}

/* ---- files ---- */

/* Whatever stands in a file, it is read or complained about in lines that can be shown, and what was read can be written
 * and read again. */
static void made_up_files_end(void **state)
{
    (void)state;
    static const char *const words[] = {"www.shop.test", "A", "TXT", "SOA", "20", "99999999999", "-1", "127.0.2.1", "\"x\"", " ", " ", " ", "\n", "\n", "\n",
                                        "#", "\033[2J", "\xff", "\r", "\t", "a b 1 2 3", ".", "TYPE65535", "TYPE65536"};
    char path[] = "/tmp/cutover-snap.XXXXXX";
    int fd = mkstemp(path), whole = 0;
    srand(1035);
    assert_true(fd >= 0);
    for (int i = 0; i < 4000; i++) {
        struct plan_problems problems = {0};
        struct dnssnap s = {0}, again = {0};
        struct buf text = {0};
        buf_puts(&text, "# cutover dns snapshot 1\n");
        for (int n = rand() % 6; n > 0; n--)
            buf_printf(&text, "%s%s %s %d %s\n", rand() % 2 ? "www." : "", "Shop.test.", rand() % 2 ? "A" : "SOA", rand() % 30 ? 20 : 60, words[(size_t)rand() % ARRAY_LEN(words)]);
        for (int n = rand() % 2 ? rand() % 24 : 0; n > 0; n--)
            buf_puts(&text, words[(size_t)rand() % ARRAY_LEN(words)]);
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, text.text, text.len, 0), (ssize_t)text.len);
        bool ok = dnssnap_read(&s, path, &problems);
        assert_int_equal(ok, problems.count == 0);
        for (int p = 0; p < problems.count; p++)
            assert_true(text_is_clean(problems.lines[p], strlen(problems.lines[p])));
        text.len = 0;
        if (ok) {
            dnssnap_write(&s, "shop.test", &text);
            assert_int_equal(ftruncate(fd, 0), 0);
            assert_int_equal(pwrite(fd, text.text, text.len, 0), (ssize_t)text.len);
            assert_true(dnssnap_read(&again, path, &problems));
            text.len = 0;
            assert_int_equal(dnssnap_diff(&s, &again, &text), 0);
            whole += s.count > 0;
        }
        dnssnap_free(&s);
        dnssnap_free(&again);
        buf_free(&text);
        plan_problems_free(&problems);
    }
    close(fd);
    remove(path);
    assert_true(whole > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_that_changes_is_read_again), cmocka_unit_test(a_lost_question_is_put_again),
        cmocka_unit_test(who_has_no_authority_is_not_believed), cmocka_unit_test(what_took_whose_place),
        cmocka_unit_test(made_up_files_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
