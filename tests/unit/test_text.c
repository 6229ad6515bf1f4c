#include "async.h"

#include "core/text.h"

#define DOT "\xc2\xb7"
#define BAD "\xef\xbf\xbd"
#define RET "\xe2\x8f\x8e"

static void what_comes_out(void **state)
{
    (void)state;
    static const struct { const char *in, *out; } cases[] = {
        {"", ""},
        {"plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\x98", "plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\x98"},
        {"a\tb", "a b"},
        {"a\nb\r\nc", "a" RET "b" RET "c"},
        {"a\rb", "a" DOT "b"},
        {"\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title" DOT},
        {"\xc2\x9b" "31m\x7f", DOT "31m" DOT},
        {"\xff\xfe\xc0\xaf", BAD BAD BAD BAD},
        {"\xed\xa0\x80", BAD BAD BAD},
        {"\xf4\x90\x80\x80", BAD BAD BAD BAD},
        {"cut \xe2\x82", "cut " BAD BAD},
        {"\xe2\x80\xae" "evil\xe2\x81\xa6", DOT "evil" DOT},
        {"zero\xe2\x80\x8bwidth\xef\xbb\xbf", "zero" DOT "width" DOT},
        {"tag\xf3\xa0\x81\x81", "tag" DOT},
        {"\xee\x80\x80 \xef\xb8\x8f", DOT " " DOT},
        {"e\xcc\x81", "e\xcc\x81"},
        {"e\xcc\x81\xcc\x81\xcc\x81", "e\xcc\x81" DOT DOT},
        {"\xcc\x81", DOT},
        {"\xe2\x80\xa8", RET},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[200];
        size_t n = text_clean_string(out, sizeof out, cases[i].in);
        assert_string_equal(out, cases[i].out);
        assert_int_equal(n, strlen(out));
    }
    assert_int_equal(text_clean_string((char[4]){0}, 4, NULL), 0);
}

static void nul_is_a_byte_like_others(void **state)
{
    (void)state;
    char out[20];
    text_clean(out, sizeof out, "a\0b", 3);
    assert_string_equal(out, "a" DOT "b");
}

static void a_cut_never_splits_a_character(void **state)
{
    (void)state;
    char out[8];
    const char *in = "ab\xe2\x82\xac" "cd";
    static const char *const at[] = {"", "", "a", "ab", "ab", "ab", "ab\xe2\x82\xac", ("ab\xe2\x82\xac" "c")};
    for (size_t size = 1; size < sizeof out; size++) {
        assert_int_equal(text_clean_string(out, size, in), strlen(at[size]));
        assert_string_equal(out, at[size]);
    }
    for (size_t size = 1; size < sizeof out; size++) { /* nor does the plain copy */
        static const char *const plain[] = {"", "", "a", "ab", "ab", "ab", "ab\xe2\x82\xac", ("ab\xe2\x82\xac" "c")};
        assert_int_equal(copy_text(out, size, plain[7]), 6);
        assert_string_equal(out, plain[MIN(size, (size_t)7)]);
    }
    copy_text(out, 5, "\x80\x80\x80\x80\x80\x80\x80\x80"); /* what is no UTF-8 loses no more than a character may have */
    assert_int_equal(strlen(out), 1);
    text_line(out, 8, "  abcdefghijk ", 14);
    assert_string_equal(out, "abcd\xe2\x80\xa6");
    text_line(out, 8, "\n abcdefg\n", 10);
    assert_string_equal(out, "abcdefg");
}

static void fuzz(void **state)
{
    (void)state;
    static const char *const seeds[] = {"\x1b[", "\xcc\x81", "\xe2\x80\xae", "\xf3\xa0\x81\x81", "\r\n", "\xc2\x85"};
    srand(20);
    for (int i = 0; i < 100000; i++) {
        char in[64], out[300], again[300];
        size_t len = (size_t)rand() % sizeof in, size = 1 + (size_t)rand() % sizeof out;
        for (size_t k = 0; k < len; k++)
            in[k] = (char)(rand() % 3 ? rand() : 'a' + rand() % 26);
        const char *seed = seeds[rand() % (int)ARRAY_LEN(seeds)];
        if (len > 8)
            memcpy(in + (size_t)rand() % (len - 4), seed, strlen(seed));
        size_t n = text_clean(out, size, in, len);
        assert_true(n < size && out[n] == '\0' && strlen(out) == n);
        assert_true(text_is_clean(out, n));
        assert_int_equal(text_clean(again, sizeof again, out, n), n);
        assert_memory_equal(again, out, n + 1);
        for (size_t k = 0, used; k < n; k += used) {
            uint32_t c;
            used = text_decode(&c, out + k, n - k);
            assert_true(used && c >= 0x20 && !(c >= 0x7f && c < 0xa0) && !(c >= 0x200b && c <= 0x200f) &&
                        !(c >= 0x2028 && c <= 0x202e) && c < 0xe0000);
        }
        size_t line = text_line(again, size, in, len);
        assert_true(line < size && strlen(again) == line && text_is_clean(again, line));
    }
}

static void masks_by_kind(void **state)
{
    (void)state;
    static const struct { enum text_kind kind; const char *in, *out; } cases[] = {
        {TEXT_PLAIN, "shop", "shop"},
        {TEXT_NUMBER, "42", "42"},
        {TEXT_HOST, "db-1.eu.example.com", "db-1." DOT DOT DOT},
        {TEXT_HOST, "db-1", "db-1"},
        {TEXT_ADDRESS, "10.20.30.40", "10.20." DOT "." DOT},
        {TEXT_ADDRESS, "2001:db8::1", "2001:db8:" DOT DOT DOT},
        {TEXT_ADDRESS, "nonsense", DOT DOT DOT},
        {TEXT_USER, "ben@bastion.example.com", "ben"},
        {TEXT_TOKEN, "s3cret", DOT DOT DOT},
        {TEXT_TOKEN, "", ""},
        {TEXT_DSN, "postgres://app:s3/c@ret@green-1/shop", "postgres://" DOT DOT DOT "@green-1/shop"},
        {TEXT_DSN, "postgres://green-1/shop?password=x&sslmode=require&user=u",
         "postgres://green-1/shop?password=" DOT DOT DOT "&sslmode=require&user=" DOT DOT DOT},
        {TEXT_DSN, "host=db password='a b\\'c' user = app dbname=shop",
         "host=db password=" DOT DOT DOT " user=" DOT DOT DOT " dbname=shop"},
        {TEXT_DSN, "s3cret", DOT DOT DOT},
        {TEXT_QUERY, "select * from t1 where name = 'O''Hara' and id = 42",
         "select * from t1 where name = '" DOT DOT DOT "' and id = " DOT DOT DOT},
        {TEXT_QUERY, "select E'a\\'b', $x$ 1 ' $x$, $1", "select E'" DOT DOT DOT "', '" DOT DOT DOT "', $" DOT DOT DOT},
        {TEXT_QUERY, "select 'open", "select '" DOT DOT DOT "'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[200];
        text_redact(out, sizeof out, cases[i].kind, cases[i].in);
        assert_string_equal(out, cases[i].out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_out),
        cmocka_unit_test(nul_is_a_byte_like_others),
        cmocka_unit_test(a_cut_never_splits_a_character),
        cmocka_unit_test(fuzz),
        cmocka_unit_test(masks_by_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
