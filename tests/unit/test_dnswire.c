#include "async.h"

#include <dirent.h>

#include "core/dnswire.h"
#include "core/text.h"

static struct dnswire_out out;
static struct dnswire_message msg;
static struct err err;

static void values_survive_the_round_trip(void **state)
{
    (void)state;
    static const struct { int type; const char *value; } rows[] = {
        {DNS_A, "192.0.2.1"}, {DNS_AAAA, "2001:db8::1"}, {DNS_CNAME, "blue.shop.test"}, {DNS_NS, "ns1.shop.test"},
        {DNS_PTR, "www.shop.test"}, {DNS_MX, "10 mx.shop.test"}, {DNS_TXT, "v=spf1 ip4:192.0.2.0/24 -all"},
        {DNS_SRV, "1 2 443 www.shop.test"}, {DNS_CAA, "0 issue \"ca.test; x=y\""},
    };
    dnswire_begin(&out, 0x1234, 0x8580);
    dnswire_question(&out, "WWW.Shop.Test.", DNS_A, DNS_IN);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        dnswire_record(&out, 1, "www.shop.test", rows[i].type, DNS_IN, 60 + (uint32_t)i, rows[i].value);
    dnswire_edns(&out, 1232);
    assert_false(out.failed);
    assert_true(dnswire_parse(&msg, out.bytes, out.len, &err));
    assert_int_equal(msg.id, 0x1234);
    assert_true(msg.qr && msg.aa && msg.rd && msg.ra && !msg.tc && msg.has_opt);
    assert_string_equal(msg.question, "www.shop.test");
    assert_int_equal(msg.count, ARRAY_LEN(rows));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(msg.records[i].type, rows[i].type);
        assert_int_equal(msg.records[i].ttl, 60 + i);
        assert_string_equal(msg.records[i].text, rows[i].value);
        assert_string_equal(msg.records[i].name, "www.shop.test");
    }
    dnswire_free(&msg);
}

/* Two values that look alike on a screen are two. */
static void the_exact_form_tells_every_byte(void **state)
{
    (void)state;
    static const uint8_t txt[] = {3, 'a', '"', '\\', 0, 4, 0xe2, 0x80, 0x8b, 0x1b}, caa[] = {128, 4, 'i', '.', ' ', 'e', 'x', 7};
    dnswire_begin(&out, 1, 0x8400);
    for (int i = 0; i < 2; i++) {
        dnswire_record(&out, 1, "shop.test", i ? DNS_CAA : DNS_TXT, DNS_IN, 60, NULL);
        out.len -= 2;
        dnswire_put_u16(&out, i ? sizeof caa : sizeof txt);
        dnswire_put_bytes(&out, i ? caa : txt, i ? sizeof caa : sizeof txt);
    }
    dnswire_record(&out, 1, "shop.test", DNS_MX, DNS_IN, 60, "10 mx.shop.test");
    assert_true(dnswire_parse(&msg, out.bytes, out.len, &err));
    assert_string_equal(msg.records[0].exact, "\"a\\\"\\\\\" \"\" \"\\226\\128\\139\\027\"");
    assert_string_equal(msg.records[1].exact, "128 i\\046\\032e \"x\\007\"");
    assert_string_equal(msg.records[2].exact, "10 mx.shop.test");
    dnswire_free(&msg);
}

static void long_txt_is_split_and_joined(void **state)
{
    (void)state;
    char value[601];
    memset(value, 'k', 600);
    value[600] = '\0';
    dnswire_begin(&out, 1, 0x8000);
    dnswire_record(&out, 1, "k._domainkey.shop.test", DNS_TXT, DNS_IN, 5, value);
    assert_true(dnswire_parse(&msg, out.bytes, out.len, &err));
    assert_string_equal(msg.records[0].text, value);
    assert_int_equal(msg.records[0].len, 603);
    dnswire_free(&msg);
}

static void what_cannot_be_written_is_refused(void **state)
{
    (void)state;
    static const struct { int type; const char *value; } bad[] = {
        {DNS_A, "192.0.2"}, {DNS_A, "::1"}, {DNS_AAAA, "192.0.2.1"}, {DNS_MX, "mx.test"}, {DNS_MX, "70000 mx.test"},
        {DNS_CNAME, ""}, {DNS_CNAME, "a..b"}, {DNS_CNAME, "two words"}, {DNS_CAA, "issue x"}, {DNS_SOA, "x"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(dnswire_is_value(bad[i].type, bad[i].value));
    char label[70] = {0}, huge[5000] = {0};
    memset(label, 'a', 64);
    assert_false(dnswire_is_value(DNS_CNAME, label));
    label[63] = '\0';
    assert_true(dnswire_is_value(DNS_CNAME, label));
    memset(huge, 'a', sizeof huge - 1);
    assert_false(dnswire_is_value(DNS_TXT, huge));
    char name[600] = "";
    for (int i = 0; i < 128; i++)
        strcat(name, "a.");
    assert_false(dnswire_is_value(DNS_CNAME, name)); /* 257 octets */
    assert_true(dnswire_is_value(DNS_CNAME, name + 2));
}

static void odd_names_are_escaped(void **state)
{
    (void)state;
    dnswire_begin(&out, 1, 0x8000);
    dnswire_question(&out, "a\\.b.\\027x.\\\\.test", DNS_A, DNS_IN);
    assert_true(dnswire_parse(&msg, out.bytes, out.len, &err));
    assert_string_equal(msg.question, "a\\.b.\\027x.\\\\.test");
    dnswire_free(&msg);
}

/* A pointer to itself, two that point at each other, and one that points forward. */
static void pointers_cannot_loop(void **state)
{
    (void)state;
    static const uint8_t self[] = {0, 1, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1};
    static const uint8_t forward[] = {0, 1, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 18, 0, 1, 0, 1, 0};
    static const uint8_t label[] = {0, 1, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0xc0, 12, 0, 1, 0, 1};
    assert_false(dnswire_parse(&msg, self, sizeof self, &err));
    dnswire_free(&msg);
    assert_false(dnswire_parse(&msg, forward, sizeof forward, &err));
    dnswire_free(&msg);
    assert_false(dnswire_parse(&msg, label, sizeof label, &err));
    dnswire_free(&msg);
}

static void ede_and_its_text(void **state)
{
    (void)state;
    static const uint8_t option[] = {0, 15, 0, 9, 0, 22, 'n', 'o', 'b', 'o', 'd', 'y', 0x1b};
    dnswire_begin(&out, 1, 0x8002);
    dnswire_question(&out, "shop.test", DNS_A, DNS_IN);
    dnswire_edns(&out, 1232);
    out.bytes[out.len - 1] = sizeof option;
    dnswire_put_bytes(&out, option, sizeof option);
    assert_true(dnswire_parse(&msg, out.bytes, out.len, &err));
    assert_int_equal(msg.rcode, 2);
    assert_int_equal(msg.ede_code, 22);
    assert_string_equal(msg.ede_text, "nobody\\x1b");
    dnswire_free(&msg);
}

static void names_and_numbers(void **state)
{
    (void)state;
    assert_int_equal(dnswire_type("aaaa"), DNS_AAAA);
    assert_int_equal(dnswire_type("TYPE65280"), 65280);
    assert_int_equal(dnswire_type("TYPE70000"), -1);
    assert_int_equal(dnswire_type("NONE"), -1);
    assert_string_equal(dnswire_type_name(65281), "TYPE65281");
    assert_string_equal(dnswire_rcode_name(8), "NXRRSET");
    assert_true(dnswire_same_name("Shop.Test.", "shop.test"));
    assert_false(dnswire_same_name("shop.test", "hop.test"));
    assert_true(dnswire_name_is_under("www.shop.test", "SHOP.test."));
    assert_false(dnswire_name_is_under("wwwshop.test", "shop.test"));
    assert_true(dnswire_name_is_under("shop.test", "."));
}

/* ---- fuzz: each file as it is, each prefix, and a few hundred mutants, in a buffer of exactly that length ---- */

static void swallow(const uint8_t *bytes, size_t len)
{
    uint8_t *exact = malloc(len ? len : 1);
    struct dnswire_tsig t;
    memcpy(exact, bytes, len);
    dnswire_parse(&msg, exact, len, &err);
    for (int i = 0; i < msg.count; i++)
        assert_true(text_is_clean(msg.records[i].text, strlen(msg.records[i].text)) && text_is_clean(msg.records[i].exact, strlen(msg.records[i].exact)));
    assert_true(text_is_clean(msg.question, strlen(msg.question)));
    dnswire_free(&msg);
    dnswire_find_tsig(&t, exact, len);
    free(exact);
}

static void mutate(const uint8_t *bytes, size_t len, int rounds)
{
    uint8_t copy[65536];
    for (size_t n = 0; n <= len; n += 1 + len / 1000)
        swallow(bytes, n);
    swallow(bytes, len);
    for (int i = 0; i < rounds; i++) {
        memcpy(copy, bytes, len);
        for (int k = rand() % 4; k >= 0 && len; k--)
            copy[(size_t)rand() % len] = (uint8_t)(rand() % 2 ? rand() : 0xc0);
        swallow(copy, len);
    }
}

static void fuzz(void **state)
{
    (void)state;
    srand(7);
    dnswire_begin(&out, 7, 0x8400);
    dnswire_question(&out, "www.shop.test", DNS_A, DNS_IN);
    dnswire_record(&out, 1, "www.shop.test", DNS_CNAME, DNS_IN, 60, "blue.shop.test");
    dnswire_record(&out, 1, "blue.shop.test", DNS_MX, DNS_IN, 60, "10 mx.shop.test");
    dnswire_record(&out, 2, "shop.test", DNS_CAA, DNS_IN, 60, "0 issue ca.test");
    dnswire_edns(&out, 1232);
    mutate(out.bytes, out.len, 20000);
}

static void recorded_messages(void **state)
{
    (void)state;
    const char *folder = "../shared/vectors/dns-messages";
    DIR *d = opendir(folder);
    if (!d)
        skip();
    int files = 0;
    for (struct dirent *e; (e = readdir(d));) {
        char path[600];
        uint8_t bytes[65536];
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        FILE *f = e->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (!f)
            continue;
        size_t n = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        mutate(bytes, n, n > 4096 ? 20 : 200);
        files++;
    }
    closedir(d);
    assert_true(files > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_survive_the_round_trip),
        cmocka_unit_test(the_exact_form_tells_every_byte), cmocka_unit_test(long_txt_is_split_and_joined),
        cmocka_unit_test(what_cannot_be_written_is_refused),
        cmocka_unit_test(odd_names_are_escaped),
        cmocka_unit_test(pointers_cannot_loop),
        cmocka_unit_test(ede_and_its_text),
        cmocka_unit_test(names_and_numbers),
        cmocka_unit_test(fuzz),
        cmocka_unit_test(recorded_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
