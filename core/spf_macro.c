#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/spf_parts.h"

#define DELIMITERS ".-+,/_="

/* ---- syntax (RFC 7208 7.1) ---- */

struct macro {
    char letter; /* lower case */
    bool escape; /* it was upper case: percent-encode the value */
    int keep;    /* labels from the right; 0 = all */
    bool reverse;
    char delimiters[8];
    size_t len;  /* of the whole "%{...}" */
};

static bool read_delimiters(struct macro *m, const char **at)
{
    size_t n = strspn(*at, DELIMITERS);
    for (size_t i = 0; i < n; i++)
        if (!strchr(m->delimiters, (*at)[i]))
            m->delimiters[strlen(m->delimiters)] = (*at)[i];
    *at += n;
    if (!*m->delimiters)
        m->delimiters[0] = '.';
    return **at == '}';
}

/* text points at "%{". */
static bool read_macro(struct macro *m, const char *text, bool explanation)
{
    const char *at = text + 2;
    *m = (struct macro){.letter = (char)tolower((unsigned char)*at), .escape = isupper((unsigned char)*at)};
    if (!m->letter || !strchr(explanation ? "slodiphvcrt" : "slodiphv", m->letter))
        return false;
    at++;
    if (isdigit((unsigned char)*at)) {
        char *end;
        long n = strtol(at, &end, 10);
        if (n < 1)
            return false;
        m->keep = (int)MIN(n, 1000);
        at = end;
    }
    if (*at == 'r' || *at == 'R') {
        m->reverse = true;
        at++;
    }
    bool ok = read_delimiters(m, &at);
    m->len = (size_t)(at + 1 - text);
    return ok;
}

/* Length of the macro-expand at text, which begins with '%'; 0 when it is none. */
static size_t expand_len(const char *text, bool explanation)
{
    struct macro m;
    if (text[1] == '%' || text[1] == '_' || text[1] == '-')
        return 2;
    return text[1] == '{' && read_macro(&m, text, explanation) ? m.len : 0;
}

/* Goes through the text; *tail is what stands after the last macro. */
static bool scan(const char *text, size_t len, bool explanation, const char **tail)
{
    const char *end = text + len;
    *tail = text;
    for (const char *at = text; at < end;) {
        unsigned char c = (unsigned char)*at;
        if (c == '%') {
            size_t n = expand_len(at, explanation);
            if (!n || at + n > end)
                return false;
            *tail = at += n;
        } else if (c > 0x7e || c < (explanation ? 0x20 : 0x21)) {
            return false;
        } else {
            at++;
        }
    }
    return true;
}

bool spf_macro_ok(const char *text, size_t len, bool explanation)
{
    const char *tail;
    return scan(text, len, explanation, &tail);
}

/* toplabel: letters, digits and inner hyphens, at least one of them no digit. */
static bool is_top_label(const char *label, const char *end)
{
    bool other = false;
    if (label == end || *label == '-' || end[-1] == '-')
        return false;
    for (const char *at = label; at < end; at++) {
        if (!isalnum((unsigned char)*at) && *at != '-')
            return false;
        other |= !isdigit((unsigned char)*at);
    }
    return other;
}

bool spf_domain_spec_ok(const char *text, size_t len)
{
    const char *tail, *end = text + len;
    if (!len || !scan(text, len, false, &tail))
        return false;
    if (tail == end)
        return true;
    if (end[-1] == '.')
        end--;
    const char *label = end;
    while (label > tail && label[-1] != '.')
        label--;
    return label > tail && is_top_label(label, end);
}

bool spf_macro_uses_p(const char *text)
{
    for (const char *at = text; (at = strchr(at, '%')); at += at[1] ? 2 : 1)
        if (at[1] == '{' && (at[2] == 'p' || at[2] == 'P'))
            return true;
    return false;
}

/* ---- values (RFC 7208 7.2, 7.3) ---- */

/* IPv6 is written nibble by nibble, so that it can be reversed. */
static void put_ip(struct buf *b, const struct spf_ip *ip)
{
    for (int i = 0; i < (ip->v6 ? 16 : 4); i++) {
        if (ip->v6)
            buf_printf(b, "%s%x.%x", i ? "." : "", ip->bytes[i] >> 4, ip->bytes[i] & 15);
        else
            buf_printf(b, "%s%d", i ? "." : "", ip->bytes[i]);
    }
}

static void put_readable_ip(struct buf *b, const struct spf_ip *ip)
{
    char text[INET6_ADDRSTRLEN];
    buf_puts(b, inet_ntop(ip->v6 ? AF_INET6 : AF_INET, ip->bytes, text, sizeof text));
}

/* The validated name that is the domain; else one below it; else any; else "unknown". */
static const char *validated_name(const struct spf *s, const char *domain)
{
    const char *best = s->nvalidated ? s->validated[0] : "unknown";
    for (int i = s->nvalidated - 1; i >= 0; i--)
        if (spf_name_under(s->validated[i], domain))
            best = s->validated[i];
    for (int i = 0; i < s->nvalidated; i++)
        if (spf_name_under(s->validated[i], domain) && strlen(s->validated[i]) == strlen(domain))
            best = s->validated[i];
    return best;
}

static void put_value(struct buf *b, const struct spf *s, const char *domain, char letter)
{
    switch (letter) {
    case 's': buf_printf(b, "%s@%s", s->local, s->domain); break;
    case 'l': buf_puts(b, s->local); break;
    case 'o': buf_puts(b, s->domain); break;
    case 'd': buf_puts(b, domain); break;
    case 'i': put_ip(b, &s->ip); break;
    case 'p': buf_puts(b, validated_name(s, domain)); break;
    case 'h': buf_puts(b, s->mail.helo); break;
    case 'v': buf_puts(b, s->ip.v6 ? "ip6" : "in-addr"); break;
    case 'c': put_readable_ip(b, &s->ip); break;
    case 'r': buf_puts(b, s->mail.receiver); break;
    case 't': buf_printf(b, "%" PRId64, s->mail.now); break;
    }
}

static void put_escaped(struct buf *b, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x80 && (isalnum(c) || strchr("-._~", c)))
            buf_add(b, text + i, 1);
        else
            buf_printf(b, "%%%02X", c);
    }
}

struct span {
    const char *at;
    size_t len;
};

/* Splits at the delimiters; returns the number of parts, at most max: a longer value loses its first parts. */
static int split(struct span *part, int max, const char *value, const char *delimiters)
{
    int n = 0;
    for (const char *at = value;; at++) {
        if (n == max)
            memmove(part, part + 1, (size_t)--n * sizeof *part);
        part[n++] = (struct span){at, strcspn(at, delimiters)};
        at += part[n - 1].len;
        if (!*at)
            return n;
    }
}

static void put_macro(struct buf *out, const struct spf *s, const char *domain, const struct macro *m)
{
    struct span part[256];
    struct buf value = {0};
    buf_puts(&value, "");
    put_value(&value, s, domain, m->letter);
    int n = split(part, ARRAY_LEN(part), value.text, m->delimiters);
    int keep = m->keep && m->keep < n ? m->keep : n;
    for (int i = n - keep; i < n; i++) {
        const struct span *p = &part[m->reverse ? n - 1 - i : i];
        if (i > n - keep)
            buf_puts(out, ".");
        m->escape ? put_escaped(out, p->at, p->len) : buf_add(out, p->at, p->len);
    }
    buf_free(&value);
}

static void expand_at(struct buf *out, const struct spf *s, const char *domain, const char **at)
{
    struct macro m;
    switch ((*at)[1]) {
    case '%': buf_puts(out, "%"); *at += 2; return;
    case '_': buf_puts(out, " "); *at += 2; return;
    case '-': buf_puts(out, "%20"); *at += 2; return;
    }
    read_macro(&m, *at, true);
    put_macro(out, s, domain, &m);
    *at += m.len;
}

const char *spf_expand(struct spf *s, const char *domain, const char *text, bool explanation)
{
    struct buf out = {0};
    buf_puts(&out, "");
    if (!spf_macro_ok(text, strlen(text), explanation))
        die("spf: expansion of a text that was not checked");
    for (const char *at = text; *at;) {
        if (*at == '%')
            expand_at(&out, s, domain, &at);
        else
            buf_add(&out, at++, 1);
    }
    const char *kept = arena_strdup(&s->arena, out.text);
    buf_free(&out);
    return kept;
}

const char *spf_expand_name(struct spf *s, const char *domain, const char *text)
{
    const char *name = spf_expand(s, domain, text, false);
    size_t len = strlen(name);
    if (len && name[len - 1] == '.')
        name = arena_strndup(&s->arena, name, --len);
    while (strlen(name) > 253 && strchr(name, '.'))
        name = strchr(name, '.') + 1;
    return name;
}
