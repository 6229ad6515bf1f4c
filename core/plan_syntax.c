/* The grammar of libconfig (manual, chapter 2 and 5), checked before libconfig reads the text: its own complaint is
 * "syntax error", and it keeps the memory of what it read so far. plan_layout_check has passed, so quotes, comments and
 * brackets are whole. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/plan_read.h"

#define MOST 10000 /* keys of a group, entries of a list: beyond it this is no plan */

struct syntax {
    struct plan_reader *r;
    const char *at;
    int line;      /* of `at` */
    int last_line; /* of the token before it */
    bool bad;
};

/* ---- tokens ---- */

static void skip_blank(struct syntax *s)
{
    for (;;) {
        const char *end;
        if (*s->at == '#' || strncmp(s->at, "//", 2) == 0)
            end = s->at + strcspn(s->at, "\n");
        else if (strncmp(s->at, "/*", 2) == 0)
            end = strstr(s->at + 2, "*/") + 2;
        else
            end = s->at + strspn(s->at, " \t\r\n\f");
        if (end == s->at)
            return;
        for (; s->at < end; s->at++)
            s->line += *s->at == '\n';
    }
}

static void go(struct syntax *s, size_t len)
{
    s->last_line = s->line;
    s->at += len;
    skip_blank(s);
}

/* What stands there, for a sentence. */
static const char *shown(const struct syntax *s, char *buf, size_t size)
{
    size_t n = isalnum((unsigned char)*s->at) ? strspn(s->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") : 1;
    if (!*s->at)
        copy_text(buf, size, "the end of the file");
    else if (*s->at == '"')
        copy_text(buf, size, "a text in quotes");
    else
        copy_text(buf, MIN(size, n + 1), s->at);
    return buf;
}

static bool wrong(struct syntax *s, int line, const char *what)
{
    char found[40];
    if (!s->bad)
        plan_complain(s->r, line, "Syntax error: %s, but here stands: %s", what, shown(s, found, sizeof found));
    s->bad = true;
    return false;
}

static size_t name_length(const char *p)
{
    size_t n = isalpha((unsigned char)*p) ? strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-*") : 0;
    bool truth = (n == 4 && strncasecmp(p, "true", 4) == 0) || (n == 5 && strncasecmp(p, "false", 5) == 0);
    return truth ? 0 : n;
}

/* One letter for the kind of scalar at p: t(ext) i(nteger) l(ong) f(loat) b(ool); 0 = none. */
static char scalar_length(const char *p, size_t *len)
{
    static const char *const words[] = {"true", "false"};
    size_t sign = *p == '-' || *p == '+', digits = strspn(p + sign, "0123456789");
    for (size_t i = 0; i < 2; i++)
        if (strncasecmp(p, words[i], strlen(words[i])) == 0 && !isalnum((unsigned char)p[strlen(words[i])]))
            return *len = strlen(words[i]), 'b';
    if (!digits || isalpha((unsigned char)p[sign + digits]) || p[sign + digits] == '_')
        return *len = 0, '\0';
    *len = sign + digits;
    if (p[*len] != '.')
        return 'i';
    *len += 1 + strspn(p + *len + 1, "0123456789");
    return isalpha((unsigned char)p[*len]) || p[*len] == '.' ? '\0' : 'f';
}

static void skip_texts(struct syntax *s)
{
    while (*s->at == '"') {
        const char *p = s->at + 1;
        while (*p != '"')
            p += p[0] == '\\' ? 2 : 1;
        go(s, (size_t)(p + 1 - s->at));
    }
}

static char take_scalar(struct syntax *s)
{
    size_t len;
    if (*s->at == '"')
        return skip_texts(s), 't';
    char kind = scalar_length(s->at, &len);
    if (kind)
        go(s, len);
    return kind;
}

/* ---- the grammar ---- */

static bool take_settings(struct syntax *s);
static bool take_value(struct syntax *s);

static bool take_entry(struct syntax *s, bool array, char *kind)
{
    if (!array)
        return take_value(s);
    int line = s->line;
    char k = take_scalar(s);
    if (!k)
        return wrong(s, line, "an entry of [ ] is a text in quotes, a number, true or false");
    if (*kind && *kind != k) {
        plan_complain(s->r, line, "The entries of [ ] must all be of one type; use quotes on all of them or on none.");
        s->bad = true;
    }
    *kind = k;
    return true;
}

/* ( value, value ) or [ scalar, scalar ]; `at` stands on the bracket. */
static bool take_list(struct syntax *s)
{
    bool array = *s->at == '[';
    char close = array ? ']' : ')', kind = '\0';
    go(s, 1);
    for (int n = 0; *s->at != close; n++) {
        if (n && *s->at != ',')
            return wrong(s, s->last_line, "entries of a list are separated by \",\"");
        if (n)
            go(s, 1);
        if (n && *s->at == close)
            return wrong(s, s->last_line, "after the last entry of a list comes no \",\"");
        if (n >= MOST)
            return wrong(s, s->line, "a list has at most 10000 entries");
        if (!take_entry(s, array, &kind))
            return false;
    }
    go(s, 1);
    return true;
}

static bool take_group(struct syntax *s)
{
    go(s, 1);
    if (!take_settings(s))
        return false;
    if (*s->at != '}')
        return wrong(s, s->line, "a key or } is expected");
    go(s, 1);
    return true;
}

static bool take_value(struct syntax *s)
{
    if (*s->at == '{')
        return take_group(s);
    if (*s->at == '(' || *s->at == '[')
        return take_list(s);
    return take_scalar(s) || wrong(s, s->last_line, "a value is expected: a text in quotes, a number, true, false, { }, ( ) or [ ]");
}

struct names {
    const char **start;
    size_t *len;
    int count;
};

/* False when the name stands in the group already. */
static bool add_name(struct names *n, const char *name, size_t len)
{
    for (int i = 0; i < n->count; i++)
        if (n->len[i] == len && strncmp(n->start[i], name, len) == 0)
            return false;
    n->start = xrealloc(n->start, sizeof *n->start * (size_t)(n->count + 1));
    n->len = xrealloc(n->len, sizeof *n->len * (size_t)(n->count + 1));
    n->start[n->count] = name;
    n->len[n->count++] = len;
    return true;
}

static bool take_setting(struct syntax *s, struct names *names)
{
    const char *name = s->at;
    size_t len = name_length(name);
    int line = s->line;
    if (!add_name(names, name, len)) {
        plan_complain(s->r, line, "The key \"%.*s\" stands twice in its group; take one out.", (int)MIN(len, (size_t)40), name);
        s->bad = true;
    }
    go(s, len);
    if (*s->at != '=' && *s->at != ':')
        return wrong(s, s->last_line, "after a key comes \"=\"");
    go(s, 1);
    if (!take_value(s))
        return false;
    if (*s->at == ';' || *s->at == ',')
        go(s, 1);
    else if (*s->at && *s->at != '}' && s->line == s->last_line)
        return wrong(s, s->line, "a \";\" is missing");
    return true;
}

static bool take_settings(struct syntax *s)
{
    struct names names = {0};
    bool ok = true;
    while (ok && name_length(s->at))
        ok = names.count < MOST ? take_setting(s, &names) : wrong(s, s->line, "a group has at most 10000 keys");
    free(names.start);
    free(names.len);
    return ok;
}

bool plan_syntax_check(struct plan_reader *r, const char *text)
{
    struct syntax s = {.r = r, .at = text, .line = 1, .last_line = 1};
    skip_blank(&s);
    if (take_settings(&s) && *s.at)
        wrong(&s, s.line, "a key is expected");
    return !s.bad;
}
