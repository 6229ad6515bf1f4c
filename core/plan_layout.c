/* A first look at the plan's text, before libconfig: it says what libconfig would say badly (a quote or bracket that is
 * never closed), and refuses what it would take silently (a number that does not fit, @include). */
#include "core/plan_read.h"
#include "core/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define DEEPEST 16

struct layout {
    struct plan_reader *r;
    const char *at;
    int line;
    int depth;
    struct {
        char bracket;
        int line;
    } open[DEEPEST];
    bool bad;
};

static void wrong(struct layout *l, int line, const char *fmt, ...) PRINTF(3, 4);
static void wrong(struct layout *l, int line, const char *fmt, ...)
{
    struct err e;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e.text, sizeof e.text, fmt, ap);
    va_end(ap);
    plan_complain(l->r, line, "%s", e.text);
    l->bad = true;
}

static void skip_line(struct layout *l)
{
    l->at += strcspn(l->at, "\n");
}

static void skip_comment(struct layout *l)
{
    int began = l->line;
    const char *end = strstr(l->at + 2, "*/");
    for (const char *p = l->at; *p && p != end; p++)
        l->line += *p == '\n';
    if (!end)
        wrong(l, began, "The comment that begins with /* is never closed; add */.");
    l->at = end ? end + 2 : l->at + strlen(l->at);
}

static void skip_string(struct layout *l)
{
    for (l->at++; *l->at && *l->at != '"' && *l->at != '\n'; l->at++)
        if (l->at[0] == '\\' && l->at[1] && l->at[1] != '\n')
            l->at++;
    if (*l->at == '"')
        l->at++;
    else
        wrong(l, l->line, "The text in quotes isn't closed on its line; add the missing \" (a long text is written as \"one\" \"two\").");
}

/* libconfig keeps 32 bits of a number without L and forgets the others. */
static void skip_number(struct layout *l)
{
    size_t n = strspn(l->at, "+-0123456789");
    const char *digits = l->at + strspn(l->at, "+-0");
    bool whole = !strchr(".eExXL", l->at[n]) || !l->at[n];
    if (whole && (strspn(digits, "0123456789") > 10 || (strspn(digits, "0123456789") == 10 && strncmp(digits, "2147483647", 10) > 0)))
        wrong(l, l->line, "The number %.*s is too large; numbers go to 2147483647.", (int)MIN(n, (size_t)40), l->at);
    l->at += strspn(l->at, "+-0123456789.abcdefABCDEFxXL");
}

static void open_bracket(struct layout *l)
{
    if (l->depth == DEEPEST) {
        wrong(l, l->line, "Groups and lists are nested more than %d deep; a plan needs no more than six.", DEEPEST);
        l->at += strlen(l->at);
        l->depth = 0; /* to blame the outer ones as well would help nobody */
        return;
    }
    l->open[l->depth].bracket = *l->at++;
    l->open[l->depth++].line = l->line;
}

static void close_bracket(struct layout *l)
{
    char c = *l->at++, opener = c == '}' ? '{' : c == ')' ? '(' : '[';
    if (l->depth && l->open[l->depth - 1].bracket == opener) {
        l->depth--;
        return;
    }
    if (!l->depth)
        wrong(l, l->line, "This %c closes nothing; take it out, or add the %c that is missing before it.", c, opener);
    else
        wrong(l, l->line, "This %c doesn't close the %c of line %d; close that one first.", c, l->open[l->depth - 1].bracket,
              l->open[l->depth - 1].line);
    l->at += strlen(l->at); /* from here on every further bracket would be blamed wrongly */
    l->depth = 0;
}

static void skip_word(struct layout *l)
{
    while (isalnum((unsigned char)*l->at) || (*l->at && strchr("_-*", *l->at)))
        l->at++;
}

static void take(struct layout *l)
{
    char c = *l->at;
    if (c == '\n')
        l->line++, l->at++;
    else if (c == '#' || (c == '/' && l->at[1] == '/'))
        skip_line(l);
    else if (c == '/' && l->at[1] == '*')
        skip_comment(l);
    else if (c == '"')
        skip_string(l);
    else if (strchr("{([", c))
        open_bracket(l);
    else if (strchr("})]", c))
        close_bracket(l);
    else if (isdigit((unsigned char)c) || ((c == '-' || c == '+') && isdigit((unsigned char)l->at[1])))
        skip_number(l);
    else if (isalpha((unsigned char)c))
        skip_word(l);
    else if (strncmp(l->at, "@include", 8) == 0)
        wrong(l, l->line, "@include isn't allowed: the journal carries the plan as one text; copy the other file in here."), skip_line(l);
    else
        l->at++;
}

/* Bytes that are no UTF-8 could not be written into the journal as they are. */
static void check_line(struct layout *l, const char *text, size_t len, int line)
{
    uint32_t c;
    for (size_t i = 0, n; i < len; i += n)
        if (!(n = text_decode(&c, text + i, len - i)) || (c < 0x20 && c != '\t' && c != '\r')) {
            wrong(l, line, "Column %zu holds the byte 0x%02x, which is no printable UTF-8; save the file as UTF-8 text.", i + 1, (unsigned char)text[i]);
            return;
        }
    char copy[1024];
    copy_text(copy, MIN(sizeof copy, len + 1), text);
    const char *secret = plan_secret_in(copy);
    if (secret)
        plan_complain(l->r, line, "%s", secret);
}

bool plan_layout_check(struct plan_reader *r, const char *text)
{
    struct layout l = {.r = r, .at = text, .line = 1};
    int line = 1;
    for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n')
        check_line(&l, p, strcspn(p, "\n"), line++);
    while (*l.at)
        take(&l);
    for (int i = 0; i < l.depth; i++)
        wrong(&l, l.open[i].line, "This %c is never closed; add the missing %c.", l.open[i].bracket,
              l.open[i].bracket == '{' ? '}' : l.open[i].bracket == '(' ? ')' : ']');
    return !l.bad;
}
