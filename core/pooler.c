#include "core/pooler.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/pg.h"

/* A stretch of the ini text that is being read. */
struct span {
    const char *at, *end;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct span *s)
{
    while (s->at < s->end && is_blank(*s->at))
        s->at++;
}

static struct span next_line(struct span *rest)
{
    struct span line = {rest->at, memchr(rest->at, '\n', (size_t)(rest->end - rest->at))};
    if (!line.end)
        line.end = rest->end;
    rest->at = line.end < rest->end ? line.end + 1 : rest->end;
    return line;
}

/* Takes one name, bare or in double quotes (a doubled quote stands for one), and compares it. */
static bool takes_name(struct span *s, const char *name)
{
    bool quoted = s->at < s->end && *s->at == '"', same = true;
    s->at += quoted;
    while (s->at < s->end) {
        if (quoted && *s->at == '"') {
            if (s->at + 1 < s->end && s->at[1] == '"')
                s->at++;
            else
                break;
        } else if (!quoted && (is_blank(*s->at) || *s->at == '=')) {
            break;
        }
        same = same && *name && *s->at == *name;
        name += *name != '\0';
        s->at++;
    }
    s->at += quoted && s->at < s->end;
    return same && !*name;
}

static bool is_section(struct span line, bool *databases)
{
    skip_blanks(&line);
    if (line.at == line.end || *line.at != '[')
        return false;
    static const char want[] = "[databases]";
    *databases = (size_t)(line.end - line.at) >= sizeof want - 1 && strncmp(line.at, want, sizeof want - 1) == 0;
    return true;
}

/* Is this the line of the database? Then `value` is its right side without the blanks at both ends. */
static bool is_line_of(struct span line, const char *database, struct span *value)
{
    skip_blanks(&line);
    if (line.at == line.end || *line.at == ';' || *line.at == '#' || !takes_name(&line, database))
        return false;
    skip_blanks(&line);
    if (line.at == line.end || *line.at != '=')
        return false;
    line.at++;
    skip_blanks(&line);
    while (line.end > line.at && is_blank(line.end[-1]))
        line.end--;
    *value = line;
    return true;
}

static bool find_line(const char *text, size_t len, const char *database, struct span *value, struct err *err)
{
    struct span rest = {text, text + len}, found;
    bool inside = false, includes = false;
    int count = 0;
    while (rest.at < rest.end) {
        struct span line = next_line(&rest);
        includes = includes || (line.end - line.at > 8 && strncmp(line.at, "%include", 8) == 0);
        if (!is_section(line, &inside) && inside && is_line_of(line, database, &found) && ++count == 1)
            *value = found;
    }
    if (count == 1)
        return true;
    if (count > 1)
        return err_set(err, "The section [databases] has %d lines for \"%s\"; leave one.", count, database);
    return err_set(err, "The section [databases] has no line for \"%s\"%s.", database,
                   includes ? "; the file includes others: name the one that holds the line" : "");
}

bool pooler_rewrite(const char *text, size_t len, const char *database, const char *target, struct buf *out, struct err *err)
{
    struct span value = {0};
    if (!find_line(text, len, database, &value, err))
        return false;
    buf_add(out, text, (size_t)(value.at - text));
    buf_puts(out, target);
    buf_add(out, value.end, (size_t)(text + len - value.end));
    return true;
}

bool pooler_line(const char *text, size_t len, const char *database, char *out, size_t size, struct err *err)
{
    struct span value = {0};
    if (!find_line(text, len, database, &value, err))
        return false;
    snprintf(out, size, "%.*s", (int)(value.end - value.at), value.at);
    return true;
}

/* Copies one value, bare or in single quotes (doubled for one); returns what follows. */
static const char *take_value(const char *s, char *out, size_t size)
{
    bool quoted = *s == '\'';
    size_t n = 0;
    for (s += quoted; *s; s++) {
        if (quoted && *s == '\'') {
            if (s[1] != '\'')
                break;
            s++;
        } else if (!quoted && isspace((unsigned char)*s)) {
            break;
        }
        if (n + 1 < size)
            out[n++] = *s;
    }
    out[n] = '\0';
    return s + (quoted && *s);
}

bool pooler_value(const char *target, const char *key, char *out, size_t size)
{
    size_t len = strlen(key);
    for (const char *s = target; *s;) {
        while (isspace((unsigned char)*s))
            s++;
        size_t name = strcspn(s, "= \t");
        const char *after = s + name + strspn(s + name, " \t");
        if (*after != '=')
            break;
        bool same = name == len && strncmp(s, key, len) == 0;
        after++;
        s = take_value(after + strspn(after, " \t"), out, size);
        if (same)
            return true;
    }
    out[0] = '\0';
    return false;
}

bool pooler_is_target(const char *target, const char *host, const char *port, const char *database)
{
    char want[256];
    if (!pooler_value(target, "host", want, sizeof want) ? *host && *host != '/' : strcmp(want, host) != 0)
        return false;
    if (strcmp(pooler_value(target, "port", want, sizeof want) ? want : "5432", port) != 0)
        return false;
    return !pooler_value(target, "dbname", want, sizeof want) || strcmp(want, database) == 0;
}

size_t pooler_verb(char *out, size_t size, const char *verb, const char *database)
{
    char name[256];
    pg_quote_name(name, sizeof name, database);
    return (size_t)snprintf(out, size, "%s %s;", verb, name);
}

size_t pooler_retry(char *out, size_t size, const char *value)
{
    char text[64];
    pg_quote_literal(text, sizeof text, value);
    return (size_t)snprintf(out, size, "SET server_login_retry = %s;", text);
}
