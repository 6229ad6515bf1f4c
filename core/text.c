#include "core/text.h"

#include <string.h>

#include "core/base.h"

/* ---- decoding (RFC 3629: shortest form, no surrogates, up to U+10FFFF) ---- */

static size_t sequence_length(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if ((lead & 0xf0) == 0xe0)
        return 3;
    return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

size_t text_decode(uint32_t *cp, const char *in, size_t len)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    if (!len)
        return 0;
    size_t n = sequence_length((unsigned char)in[0]);
    if (!n || n > len)
        return 0;
    uint32_t c = (unsigned char)in[0] & mask[n];
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)in[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | ((unsigned char)in[i] & 0x3f);
    }
    if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *cp = c;
    return n;
}

/* ---- what may be shown ---- */

struct range {
    uint32_t first, last;
};

static bool is_in(const struct range *r, size_t count, uint32_t c)
{
    for (size_t i = 0; i < count; i++)
        if (c >= r[i].first && c <= r[i].last)
            return true;
    return false;
}

/* Characters that move, hide or reorder what stands around them, or that have no shape of their own. */
static bool is_hidden(uint32_t c)
{
    static const struct range hidden[] = {
        {0x00, 0x1f},       {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},     {0x61c, 0x61c},
        {0x115f, 0x1160},   {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},
        {0x2060, 0x206f},   {0x3164, 0x3164},   {0xe000, 0xf8ff},   {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},
        {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb},   {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
        {0xe0000, 0x10ffff},
    };
    return is_in(hidden, ARRAY_LEN(hidden), c) || (c & 0xfffe) == 0xfffe;
}

/* wcwidth is not asked, because it follows the locale and this must not. */
static bool is_combining(uint32_t c)
{
    static const struct range marks[] = {
#include "core/textmarks.inc"
    };
    size_t low = 0, high = ARRAY_LEN(marks);
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (c > marks[mid].last)
            low = mid + 1;
        else
            high = mid;
    }
    return low < ARRAY_LEN(marks) && c >= marks[low].first;
}

/* ---- the sanitiser ---- */

#define BAD "\xef\xbf\xbd"
#define DOT "\xc2\xb7"
#define RETURN "\xe2\x8f\x8e"

struct piece {
    const char *text;
    size_t len;
    bool is_base; /* a combining mark may follow */
};

static struct piece literal(const char *s)
{
    return (struct piece){s, strlen(s), false};
}

/* What stands for the character at in; *used says how many bytes it took. */
static struct piece replace(const char *in, size_t len, bool base, size_t *used)
{
    uint32_t c;
    *used = text_decode(&c, in, len);
    if (!*used) {
        *used = 1;
        return literal(BAD);
    }
    if (c == '\r' && len > 1 && in[1] == '\n')
        *used = 2;
    if (c == '\n' || (*used == 2 && c == '\r') || c == 0x85 || c == 0x2028 || c == 0x2029)
        return literal(RETURN);
    if (c == '\t')
        return literal(" ");
    if (c == 0x1b)
        return literal("\\x1b");
    if (is_hidden(c) || (is_combining(c) && !base))
        return literal(DOT);
    return (struct piece){in, *used, !is_combining(c) && c != ' '};
}

/* Returns how much of the input found room; *written is what it became. */
static size_t clean(char *out, size_t size, const char *in, size_t len, size_t *written)
{
    size_t n = 0, i = 0, used;
    bool base = false;
    for (; i < len; i += used) {
        struct piece p = replace(in + i, len - i, base, &used);
        if (n + p.len >= size)
            break;
        memcpy(out + n, p.text, p.len);
        n += p.len;
        base = p.is_base;
    }
    if (size)
        out[n] = '\0';
    *written = n;
    return i;
}

size_t text_clean(char *out, size_t size, const char *in, size_t len)
{
    size_t n;
    clean(out, size, in, len, &n);
    return n;
}

size_t text_clean_string(char *out, size_t size, const char *in)
{
    return text_clean(out, size, in ? in : "", in ? strlen(in) : 0);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The last place at or before n where a character begins. */
static size_t step_back(const char *s, size_t n)
{
    while (n && ((unsigned char)s[n] & 0xc0) == 0x80)
        n--;
    return n;
}

size_t text_line(char *out, size_t size, const char *in, size_t len)
{
    while (len && is_blank(in[0]))
        in++, len--;
    while (len && is_blank(in[len - 1]))
        len--;
    size_t n;
    if (clean(out, size, in, len, &n) == len || size < sizeof "\xe2\x80\xa6")
        return n;
    n = step_back(out, MIN(n, size - sizeof "\xe2\x80\xa6"));
    memcpy(out + n, "\xe2\x80\xa6", sizeof "\xe2\x80\xa6");
    return n + 3;
}

bool text_is_clean(const char *in, size_t len)
{
    bool base = false;
    for (size_t i = 0, used; i < len; i += used) {
        struct piece p = replace(in + i, len - i, base, &used);
        bool same = p.text == in + i || (p.len == used && !memcmp(p.text, in + i, used));
        if (!same)
            return false;
        base = p.is_base;
    }
    return true;
}
