/* The masks of text.h: each kind of value knows how it looks when strangers watch. */
#include <ctype.h>
#include <string.h>

#include "core/base.h"
#include "core/text.h"

#define MASK "\xc2\xb7\xc2\xb7\xc2\xb7"
#define DOT "\xc2\xb7"

static void mask_host(struct buf *b, const char *v)
{
    size_t first = strcspn(v, ".");
    buf_add(b, v, first);
    if (v[first])
        buf_puts(b, "." MASK);
}

/* IPv4 keeps the first two numbers, IPv6 the first two groups: enough to tell one site from another. */
static void mask_address(struct buf *b, const char *v)
{
    char sep = strchr(v, ':') ? ':' : '.';
    const char *p = strchr(v, sep);
    p = p ? strchr(p + 1, sep) : NULL;
    if (!p) {
        buf_puts(b, MASK);
        return;
    }
    buf_add(b, v, (size_t)(p - v));
    buf_puts(b, sep == '.' ? "." DOT "." DOT : ":" MASK);
}

static void mask_user(struct buf *b, const char *v)
{
    buf_add(b, v, strcspn(v, "@"));
}

static bool is_secret_key(const char *key, size_t len)
{
    static const char *const open[] = {"host", "hostaddr", "port", "dbname", "sslmode", "service", "application_name",
                                       "connect_timeout", "target_session_attrs"};
    for (size_t i = 0; i < ARRAY_LEN(open); i++)
        if (strlen(open[i]) == len && !memcmp(open[i], key, len))
            return false;
    return true;
}

/* The end of a keyword's value: quoted with ', a backslash escapes the next byte. */
static const char *value_end(const char *p)
{
    bool quoted = *p == '\'';
    for (p += quoted; *p; p++) {
        if (*p == '\\' && p[1])
            p++;
        else if (quoted ? *p == '\'' : isspace((unsigned char)*p))
            break;
    }
    return p + (quoted && *p);
}

static void mask_keywords(struct buf *b, const char *v)
{
    while (*v) {
        size_t blanks = strspn(v, " \t\r\n");
        buf_add(b, v, blanks);
        v += blanks;
        size_t key = strcspn(v, "= \t\r\n");
        const char *p = v + key + strspn(v + key, " \t\r\n");
        if (*p != '=') { /* not a keyword: no telling what it is */
            buf_puts(b, *v ? MASK : "");
            return;
        }
        buf_add(b, v, key);
        buf_puts(b, "=");
        p += 1 + strspn(p + 1, " \t\r\n");
        const char *end = value_end(p);
        if (is_secret_key(v, key))
            buf_puts(b, MASK);
        else
            buf_add(b, p, (size_t)(end - p));
        v = end;
    }
}

static void mask_parameters(struct buf *b, const char *v)
{
    while (*v) {
        size_t len = strcspn(v, "&"), key = strcspn(v, "=&");
        buf_add(b, v, key);
        if (key < len && is_secret_key(v, key))
            buf_puts(b, "=" MASK);
        else
            buf_add(b, v + key, len - key);
        v += len;
        if (*v)
            buf_add(b, v++, 1);
    }
}

/* A password may hold '/', '@' and '?' unescaped by mistake: everything up to the last @ is taken for it. */
static void mask_dsn(struct buf *b, const char *v)
{
    const char *rest = strstr(v, "://");
    if (!rest) {
        mask_keywords(b, v);
        return;
    }
    rest += 3;
    buf_add(b, v, (size_t)(rest - v));
    const char *at = strrchr(rest, '@');
    if (at)
        buf_puts(b, MASK);
    rest = at ? at : rest;
    size_t path = strcspn(rest, "?");
    buf_add(b, rest, path);
    if (rest[path]) {
        buf_puts(b, "?");
        mask_parameters(b, rest + path + 1);
    }
}

/* Where a literal that opens at v ends: past the closing quote, doubled quotes and E'' backslashes read over. */
static const char *literal_end(const char *v, bool escapes)
{
    for (v++; *v; v++) {
        if (escapes && *v == '\\' && v[1])
            v++;
        else if (*v == '\'' && v[1] == '\'')
            v++;
        else if (*v == '\'')
            return v + 1;
    }
    return v;
}

/* $tag$ ... $tag$: NULL when v opens none. */
static const char *dollar_end(const char *v)
{
    size_t tag = 1;
    while (isalnum((unsigned char)v[tag]) || v[tag] == '_')
        tag++;
    if (v[tag] != '$' || isdigit((unsigned char)v[1]))
        return NULL;
    for (const char *p = v + tag + 1; *p; p++)
        if (!strncmp(p, v, tag + 1))
            return p + tag + 1;
    return v + strlen(v);
}

static void mask_query(struct buf *b, const char *v)
{
    const char *start = v;
    while (*v) {
        const char *end = *v == '$' ? dollar_end(v) : NULL;
        bool word = v > start && (isalnum((unsigned char)v[-1]) || v[-1] == '_');
        if (*v == '\'')
            end = literal_end(v, v > start && (v[-1] == 'E' || v[-1] == 'e'));
        else if (!end && isdigit((unsigned char)*v) && !word) {
            for (end = v; isdigit((unsigned char)*end) || *end == '.'; end++)
                ;
        }
        if (end)
            buf_puts(b, *v == '\'' || *v == '$' ? "'" MASK "'" : MASK);
        else
            buf_add(b, v, 1);
        v = end ? end : v + 1;
    }
}

size_t text_redact(char *out, size_t size, enum text_kind kind, const char *value)
{
    struct buf b = {0};
    const char *v = value ? value : "";
    switch (kind) {
    case TEXT_HOST: mask_host(&b, v); break;
    case TEXT_ADDRESS: mask_address(&b, v); break;
    case TEXT_USER: mask_user(&b, v); break;
    case TEXT_DSN: mask_dsn(&b, v); break;
    case TEXT_TOKEN: buf_puts(&b, *v ? MASK : ""); break;
    case TEXT_QUERY: mask_query(&b, v); break;
    case TEXT_PLAIN:
    case TEXT_NUMBER: buf_puts(&b, v); break;
    }
    size_t n = text_clean(out, size, b.text ? b.text : "", b.len);
    buf_free(&b);
    return n;
}
