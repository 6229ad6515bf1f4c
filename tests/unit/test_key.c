#include "tui/key.h"

#include <locale.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *bytes, bool final, size_t taken, int code)
{
    int got;
    assert_int_equal(key_decode(bytes, strlen(bytes), final, &got), taken);
    if (taken)
        assert_int_equal(got, code);
}

static void decodes_what_terminals_send(void **state)
{
    (void)state;
    expect("x", false, 1, 'x');
    expect("\r", false, 1, K_ENTER);
    expect("\x7f", false, 1, K_BACKSPACE);
    expect("\x0c", false, 1, K_CTRL('L'));
    expect("é!", false, 2, 0xe9);
    expect("\033[A", false, 3, K_UP);
    expect("\033OA", false, 3, K_UP);
    expect("\033[1;2Brest", false, 6, K_SHIFT_DOWN);
    expect("\033[15~", false, 5, K_F(5));
    expect("\033[[A", false, 4, K_F(1));
    expect("\033OP", false, 3, K_F(1));
    expect("\033[24~", false, 5, K_F(12));
    expect("\033[200~x", false, 6, K_PASTE_BEGIN);
    expect("\033[<64;10;5M", false, 11, K_WHEEL_UP);
    expect("\033[<0;10;5M", false, 10, K_NONE);
    expect("\033[99;99R", false, 8, K_NONE);
}

static void waits_for_the_rest(void **state)
{
    (void)state;
    expect("\033", false, 0, 0);
    expect("\033", true, 1, K_ESC);
    expect("\033[", false, 0, 0);
    expect("\033[1;", false, 0, 0);
    expect("\033[1;", true, 1, K_ESC);
    expect("\033x", false, 1, K_ESC);
    expect("\xc3", false, 0, 0);
    expect("\xc3", true, 1, K_NONE);
    expect("\xff", true, 1, K_NONE);
}

/* With `final`, every input is eaten up, never past its end. */
static void eats_any_bytes(void **state)
{
    (void)state;
    srand(3);
    for (int round = 0; round < 20000; round++) {
        static const char likely[] = "\033[O0;~A<M\xc3\xa9";
        size_t len = 1 + (size_t)(rand() % 40);
        char *bytes = malloc(len);
        for (size_t i = 0; i < len; i++)
            bytes[i] = rand() % 3 ? likely[rand() % (int)(sizeof likely - 1)] : (char)rand();
        for (size_t at = 0; at < len;) {
            int code = -1;
            size_t n = key_decode(bytes + at, len - at, true, &code);
            assert_true(n >= 1 && n <= len - at);
            assert_true(code >= 0 && code <= K_LAST);
            at += n;
        }
        free(bytes);
    }
}

static void names_go_both_ways(void **state)
{
    (void)state;
    char name[32];
    for (int code = 1; code <= K_LAST; code = code == 0x2ff ? 0x110000 : code + 1) {
        if (code == '\n' || code == '\b' || (code > 126 && code < 161 && code != K_BACKSPACE) || code == 0xad ||
            code == K_PASTE_BEGIN || code == K_PASTE_END || code == K_F0)
            continue;
        key_word(code, name, sizeof name);
        if (key_from_name(name) != code)
            fail_msg("%d is called %s, which is %d", code, name, key_from_name(name));
    }
    assert_int_equal(key_from_name("f5"), K_F(5));
    assert_int_equal(key_from_name("^l"), K_CTRL('L'));
    assert_int_equal(key_from_name("F13"), K_NONE);
    assert_int_equal(key_from_name("nonsense"), K_NONE);
    assert_int_equal(key_from_name(""), K_NONE);
}

int main(void)
{
    setlocale(LC_ALL, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_what_terminals_send),
        cmocka_unit_test(waits_for_the_rest),
        cmocka_unit_test(eats_any_bytes),
        cmocka_unit_test(names_go_both_ways),
    };
    return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
