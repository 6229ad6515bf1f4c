/* Conditions in the words of people: a metric's name stands for what it measures, its value gets a unit. */
#include "tui/pane.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *metric, *words;
} words[] = {
    {"pg.lag_ms", "lag"},
    {"pg.lag_bytes", "lag"},
    {"pg.blockers", "audit blockers"},
    {"pg.tables_ready_percent", "tables ready"},
    {"pg.prepared", "prepared transactions"},
    {"pg.writers", "sides that accept writes"},
    {"pg.open_tx", "open transactions"},
    {"checks.passed_percent", "required checks passed"},
    {"http.error_ppm", "errors"},
    {"switch.committed", "writes are on green"},
    {"dns.ttl_aged", "old TTL has run out"},
    {"dns.new_percent", "DNS on green"},
    {"dns.auth_new", "authoritative answer is green's"},
    {"dns.auth_ttl_low", "low TTL published"},
    {"dns.auth_ttl_normal", "normal TTL published"},
};

/* The metric whose name stands at `text`, as a whole word; its length in *len. */
static const struct metric *metric_here(const char *text, size_t *len)
{
    char name[64];
    size_t n = 0;
    while (n + 1 < sizeof name && (islower((unsigned char)text[n]) || isdigit((unsigned char)text[n]) || text[n] == '_' || text[n] == '.'))
        n++;
    while (n > 0 && text[n - 1] == '.')
        n--;
    copy_text(name, n + 1, text);
    *len = n;
    return memchr(name, '.', n) ? metric_find(name) : NULL;
}

static size_t put_name(const struct metric *m, const char *argument, size_t arglen, char *buf, size_t size)
{
    const char *name = m->name;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(words[i].metric, m->name) == 0)
            name = words[i].words;
    int n = arglen ? snprintf(buf, size, "%s on %.*s", name, (int)arglen, argument) : snprintf(buf, size, "%s", name);
    return MIN((size_t)MAX(n, 0), size - 1);
}

/* " < 1000": the operator and the value with its unit; returns what was read. "== 1" of a yes or no needs no words, and
 * "lag is 2.1 MB" reads better as "lag 2.1 MB". */
static size_t put_value(const struct metric *m, const char *text, char *buf, size_t size, size_t *put)
{
    size_t op = strspn(text, " <>=!"), n = 0, digits = strcspn(text + op, " ,;");
    char value[40], shown[40];
    *put = 0;
    if (strncmp(text, " is ", 4) == 0 && strncmp(text, " is not", 7) != 0)
        return 3;
    if (op < 2 || !isdigit((unsigned char)text[op]))
        return 0;
    copy_text(value, MIN(digits + 1, sizeof value), text + op);
    struct reading r = {.known = true};
    if (!metric_parse_value(m->unit, value, &r.value))
        return 0;
    if (m->unit == UNIT_BOOL && strncmp(text, " == 1", 5) == 0)
        return op + digits;
    if (m->unit == UNIT_MS)
        pane_span(r.value, shown, sizeof shown);
    else
        metric_format(m->unit, r, shown, sizeof shown);
    bool equal = strncmp(text, " == ", 4) == 0;
    n = (size_t)snprintf(buf, size, "%.*s%s", equal ? 3 : (int)op, equal ? " = " : text, shown);
    *put = MIN(n, size - 1);
    return op + digits;
}

/* Does "for 12" end here? */
static bool after_for(const char *buf, size_t n)
{
    while (n > 0 && isdigit((unsigned char)buf[n - 1]))
        n--;
    return n >= 4 && memcmp(buf + n - 4, "for ", 4) == 0;
}

const char *pane_words(const char *text, char *buf, size_t size)
{
    size_t n = 0;
    bool fresh = true; /* at the beginning of a word */
    while (*text && n + 1 < size) {
        size_t len, put;
        const struct metric *m = fresh ? metric_here(text, &len) : NULL;
        if (!m) {
            if (strchr("smh", *text) && n >= 5 && isdigit((unsigned char)buf[n - 1]) && !isalnum((unsigned char)text[1]) && after_for(buf, n))
                buf[n++] = ' '; /* "for 3s", as a plan writes it */
            if (n + 1 >= size)
                break;
            fresh = !isalnum((unsigned char)*text) && *text != '_' && *text != '.';
            buf[n++] = *text++;
            continue;
        }
        text += len;
        size_t arglen = *text == '(' ? strcspn(text + 1, ")") : 0;
        n += put_name(m, text + 1, arglen, buf + n, size - n);
        text += arglen ? arglen + 1 + (text[arglen + 1] == ')') : 0;
        text += put_value(m, text, buf + n, size - n, &put);
        n += put;
        fresh = false;
    }
    buf[n] = '\0';
    return buf;
}
