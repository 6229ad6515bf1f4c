#include "tui/key.h"

#include "tui/canvas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What xterm, tmux, screen, rxvt, the Linux console and a VT100 send, behind the ESC. */
static const struct {
    const char *bytes;
    int code;
} sequences[] = {
    {"[A", K_UP},           {"[B", K_DOWN},         {"[C", K_RIGHT},         {"[D", K_LEFT},
    {"OA", K_UP},           {"OB", K_DOWN},         {"OC", K_RIGHT},         {"OD", K_LEFT},
    {"[1;2A", K_SHIFT_UP},  {"[1;2B", K_SHIFT_DOWN}, {"[1;2C", K_SHIFT_RIGHT}, {"[1;2D", K_SHIFT_LEFT},
    {"[a", K_SHIFT_UP},     {"[b", K_SHIFT_DOWN},   {"[c", K_SHIFT_RIGHT},   {"[d", K_SHIFT_LEFT},
    {"[Z", K_SHIFT_TAB},    {"[H", K_HOME},         {"[F", K_END},           {"OH", K_HOME},
    {"OF", K_END},          {"[1~", K_HOME},        {"[4~", K_END},          {"[7~", K_HOME},
    {"[8~", K_END},         {"[2~", K_INSERT},      {"[3~", K_DELETE},       {"[5~", K_PGUP},
    {"[6~", K_PGDN},        {"OP", K_F(1)},         {"OQ", K_F(2)},          {"OR", K_F(3)},
    {"OS", K_F(4)},         {"[11~", K_F(1)},       {"[12~", K_F(2)},        {"[13~", K_F(3)},
    {"[14~", K_F(4)},       {"[15~", K_F(5)},       {"[17~", K_F(6)},        {"[18~", K_F(7)},
    {"[19~", K_F(8)},       {"[20~", K_F(9)},       {"[21~", K_F(10)},       {"[23~", K_F(11)},
    {"[24~", K_F(12)},      {"[[A", K_F(1)},        {"[[B", K_F(2)},         {"[[C", K_F(3)},
    {"[[D", K_F(4)},        {"[[E", K_F(5)},        {"OM", K_ENTER},         {"[200~", K_PASTE_BEGIN},
    {"[201~", K_PASTE_END},
};

/* A control sequence: parameters and intermediates, then one final byte. 0: it isn't complete. */
static size_t csi_length(const char *bytes, size_t len)
{
    size_t i = 2;
    if (i < len && bytes[i] == '[')
        return len > 3 ? 4 : 0;
    while (i < len && bytes[i] >= 0x20 && bytes[i] < 0x40)
        i++;
    return i < len ? i + 1 : 0;
}

/* ESC [ < 64 ; x ; y M is the wheel up, 65 down. */
static int wheel(const char *bytes, size_t len)
{
    if (len < 6 || memcmp(bytes, "\033[<6", 4) != 0 || bytes[len - 1] != 'M')
        return K_NONE;
    return bytes[4] == '4' ? K_WHEEL_UP : bytes[4] == '5' ? K_WHEEL_DOWN : K_NONE;
}

static int find_sequence(const char *bytes, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(sequences); i++)
        if (strlen(sequences[i].bytes) == len - 1 && memcmp(sequences[i].bytes, bytes + 1, len - 1) == 0)
            return sequences[i].code;
    return wheel(bytes, len);
}

static size_t decode_escape(const char *bytes, size_t len, bool final, int *code)
{
    *code = K_ESC;
    if (len < 2)
        return final ? 1 : 0;
    if (bytes[1] != '[' && bytes[1] != 'O')
        return 1; /* Alt-letters aren't used: the Esc counts, then the letter. */
    size_t n = bytes[1] == '[' ? csi_length(bytes, len) : len >= 3 ? 3 : 0;
    if (n == 0 && len >= 32)
        n = len; /* Nobody's sequence is that long. */
    if (n == 0)
        return final ? 1 : 0;
    *code = find_sequence(bytes, n);
    return n;
}

static size_t decode_character(const char *bytes, size_t len, bool final, int *code)
{
    unsigned char first = (unsigned char)bytes[0];
    size_t need = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    if (len < need && !final)
        return 0;
    char text[5] = {0};
    memcpy(text, bytes, MIN(need, len));
    const char *p = text;
    uint32_t cp = canvas_decode(&p);
    *code = cp == 0xfffd ? K_NONE : (int)cp;
    return p == text ? 1 : (size_t)(p - text);
}

size_t key_decode(const char *bytes, size_t len, bool final, int *code)
{
    *code = K_NONE;
    if (len == 0)
        return 0;
    switch (bytes[0]) {
    case '\033':
        return decode_escape(bytes, len, final, code);
    case '\n':
    case '\r':
        *code = K_ENTER;
        return 1;
    case '\b':
    case 127:
        *code = K_BACKSPACE;
        return 1;
    default:
        return decode_character(bytes, len, final, code);
    }
}

/* ---- names ---- */

static const struct {
    const char *name;
    int code;
} names[] = {
    {"Tab", K_TAB},
    {"Enter", K_ENTER},
    {"Esc", K_ESC},
    {"Backspace", K_BACKSPACE},
    {"Space", ' '},
    {"Up", K_UP},
    {"Down", K_DOWN},
    {"Left", K_LEFT},
    {"Right", K_RIGHT},
    {"Shift-Up", K_SHIFT_UP},
    {"Shift-Down", K_SHIFT_DOWN},
    {"Shift-Left", K_SHIFT_LEFT},
    {"Shift-Right", K_SHIFT_RIGHT},
    {"Shift-Tab", K_SHIFT_TAB},
    {"PgUp", K_PGUP},
    {"PgDn", K_PGDN},
    {"Home", K_HOME},
    {"End", K_END},
    {"Insert", K_INSERT},
    {"Delete", K_DELETE},
    {"WheelUp", K_WHEEL_UP},
    {"WheelDown", K_WHEEL_DOWN},
};

static void write_utf8(int cp, char out[5])
{
    int n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    memset(out, 0, 5);
    for (int i = n - 1; i > 0; i--, cp >>= 6)
        out[i] = (char)(0x80 | (cp & 0x3f));
    out[0] = (char)(lead[n] | cp);
}

const char *key_word(int code, char *buf, size_t size)
{
    char letter[5];
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].code == code) {
            copy_text(buf, size, names[i].name);
            return buf;
        }
    if (code > K_F0 && code <= K_LAST)
        snprintf(buf, size, "F%d", code - K_F0);
    else if (code > 0 && code < 32)
        snprintf(buf, size, "Ctrl-%c", code + 64);
    else if (code > 32 && code < 0x110000) {
        write_utf8(code, letter);
        copy_text(buf, size, letter);
    } else
        copy_text(buf, size, "?");
    return buf;
}

static int control_from(const char *letter)
{
    int up = letter[0] >= 'a' && letter[0] <= 'z' ? letter[0] - 32 : letter[0];
    if (letter[0] == '\0' || letter[1] != '\0' || up < 'A' || up > '_')
        return K_NONE;
    int code = K_CTRL(up);
    return code == '\n' ? K_ENTER : code == '\b' ? K_BACKSPACE : code;
}

int key_from_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcasecmp(names[i].name, name) == 0)
            return names[i].code;
    if (strncasecmp(name, "ctrl-", 5) == 0)
        return control_from(name + 5);
    if (name[0] == '^' && name[1])
        return control_from(name + 1);
    if ((name[0] == 'F' || name[0] == 'f') && name[1] >= '1' && name[1] <= '9') {
        char *end;
        long n = strtol(name + 1, &end, 10);
        return *end == '\0' && n <= 12 ? K_F((int)n) : K_NONE;
    }
    const char *p = name;
    if (!*p)
        return K_NONE;
    uint32_t cp = canvas_decode(&p);
    return *p || cp < 32 || cp == 0xfffd || cp == 127 ? K_NONE : (int)cp;
}
