#include "async.h"

#include "core/digest.h"

static void sha256_matches_fips_180(void **state)
{
    (void)state;
    char hex[DIGEST_HEX_SIZE];
    digest_sha256_hex(hex, "abc", 3);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_sha256_hex(hex, "", 0);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void hmac_matches_rfc_4231(void **state)
{
    (void)state;
    static const uint8_t case2[] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24,
                                    0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
                                    0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
    uint8_t out[DIGEST_SIZE];
    struct digest_part parts[] = {{"what do ya want ", 16}, {"for nothing?", 12}};
    digest_hmac_sha256(out, "Jefe", 4, parts, 2);
    assert_true(digest_equal(out, case2, sizeof case2));
    out[31] ^= 1;
    assert_false(digest_equal(out, case2, sizeof case2));
}

static void base64_is_strict(void **state)
{
    (void)state;
    static const struct { const char *text, *bytes; } good[] = {
        {"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"}, {"Zm9vYmFy", "foobar"}, {"+/+/", "\xfb\xff\xbf"}};
    static const char *const bad[] = {"Zg", "Zg=", "Z===", "Zg==Zg==", "Zm9v\n", "Zm9*", "====", "Zm9v====", "=m9v"};
    uint8_t out[16];
    size_t len;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(digest_base64_decode(out, sizeof out, &len, good[i].text));
        assert_int_equal(len, strlen(good[i].bytes));
        assert_memory_equal(out, good[i].bytes, len);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(digest_base64_decode(out, sizeof out, &len, bad[i]));
    assert_false(digest_base64_decode(out, 5, &len, "Zm9vYmFy"));
    assert_true(digest_base64_decode(out, 6, &len, "Zm9vYmFy"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_matches_fips_180),
        cmocka_unit_test(hmac_matches_rfc_4231),
        cmocka_unit_test(base64_is_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
