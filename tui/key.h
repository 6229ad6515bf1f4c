/* key: codes and names of keys. No terminal here. A code is a Unicode code point (control keys are 1..26, as typed),
 * or one of the K_ codes above the Unicode range. */
#ifndef TUI_KEY_H
#define TUI_KEY_H

#include "core/base.h"

#define K_CTRL(letter) ((letter) & 0x1f)

enum {
    K_NONE = 0,
    K_TAB = 9,
    K_ENTER = 13, /* also what a newline becomes */
    K_ESC = 27,
    K_BACKSPACE = 127, /* also what Ctrl-H becomes */
    K_UP = 0x110000,
    K_DOWN,
    K_LEFT,
    K_RIGHT,
    K_SHIFT_UP,
    K_SHIFT_DOWN,
    K_SHIFT_LEFT,
    K_SHIFT_RIGHT,
    K_SHIFT_TAB,
    K_PGUP,
    K_PGDN,
    K_HOME,
    K_END,
    K_INSERT,
    K_DELETE,
    K_WHEEL_UP,
    K_WHEEL_DOWN,
    K_PASTE_BEGIN, /* only out of key_decode */
    K_PASTE_END,
    K_F0, /* K_F(1) .. K_F(12) follow */
    K_LAST = K_F0 + 12
};
#define K_F(n) (K_F0 + (n))

struct key {
    int code;
    bool pasted;   /* came between the marks of a bracketed paste */
    int64_t at_us; /* clock_mono_us() when the bytes were read */
};

/* Takes one key off the bytes that a terminal sent: returns how many bytes it took and sets *code (K_NONE for a
 * sequence that means nothing here). 0: more bytes may follow; with `final` (the wait for them is over) never 0.
 * K_PASTE_BEGIN and K_PASTE_END are the marks of a bracketed paste. */
size_t key_decode(const char *bytes, size_t len, bool final, int *code);

/* "F5", "Ctrl-L", "PgUp", "Enter", "x", "é". Returns buf. */
const char *key_word(int code, char *buf, size_t size);
/* The code of a name as above (case of words doesn't matter, "^L" is Ctrl-L); K_NONE when there is no such key. */
int key_from_name(const char *name);

#endif
