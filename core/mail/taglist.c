#include "core/mail/taglist.h"

#include <ctype.h>
#include <string.h>

#include "core/text.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *trimmed(struct arena *arena, const char *from, const char *to)
{
    while (from < to && is_space(*from))
        from++;
    while (to > from && is_space(to[-1]))
        to--;
    return arena_strndup(arena, from, (size_t)(to - from));
}

static bool is_name(const char *name)
{
    if (!isalpha((unsigned char)*name) && !isdigit((unsigned char)*name))
        return false;
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("_-.", *c))
            return false;
    return true;
}

static void fold_case(char *name)
{
    for (char *c = name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
}

static bool complain(const struct taglist_rules *rules, struct err *err, const char *what, const char *about)
{
    char clean[80];
    text_line(clean, sizeof clean, about, strlen(about));
    return err_set(err, "%s: %s%s%s%s.", rules->what, what, *clean ? " \"" : "", clean, *clean ? "\"" : "");
}

/* One part, from..to. */
static bool read_tag(struct taglist *l, const char *from, const char *to, const struct taglist_rules *rules, struct err *err)
{
    const char *equals = memchr(from, '=', (size_t)(to - from)), *part = trimmed(&l->arena, from, to);
    if (!*part)
        return complain(rules, err, "there is nothing between two semicolons", "");
    if (!equals)
        return complain(rules, err, "a part has no \"=\":", part);
    if (rules->tight && ((equals > from && is_space(equals[-1])) || is_space(equals[1])))
        return complain(rules, err, "there is a space beside the \"=\" of", part);
    if (l->count == TAGLIST_MAX)
        return complain(rules, err, "there are too many tags", "");
    struct tag *t = &l->tag[l->count];
    char *name = arena_strdup(&l->arena, trimmed(&l->arena, from, equals));
    if (rules->fold_names)
        fold_case(name);
    t->name = name;
    t->value = trimmed(&l->arena, equals + 1, to);
    if (!is_name(t->name))
        return complain(rules, err, "this is no name of a tag:", t->name);
    if (taglist_find(l, t->name))
        return complain(rules, err, "a tag stands twice:", t->name);
    if (!*t->value && !rules->empty_values)
        return complain(rules, err, "a tag has no value:", t->name);
    l->count++;
    return true;
}

bool taglist_read(struct taglist *l, const char *text, const struct taglist_rules *rules, struct err *err)
{
    memset(l, 0, sizeof *l);
    for (const char *at = text;;) {
        const char *end = at + strcspn(at, ";");
        bool last = !*end;
        bool empty = at + strspn(at, " \t\r\n") == end;
        if (last && empty && at != text && (end == at || !rules->strict_end))
            return true; /* behind the last semicolon */
        if (!read_tag(l, at, end, rules, err))
            return false;
        if (last)
            return true;
        at = end + 1;
    }
}

void taglist_free(struct taglist *l)
{
    arena_free(&l->arena);
}

const char *taglist_find(const struct taglist *l, const char *name)
{
    for (int i = 0; i < l->count; i++)
        if (strcmp(l->tag[i].name, name) == 0)
            return l->tag[i].value;
    return NULL;
}

bool taglist_item(const char **at, char separator, char *buf, size_t size)
{
    if (!*at)
        return false;
    const char *from = *at, *to = strchr(from, separator);
    *at = to ? to + 1 : NULL;
    to = to ? to : from + strlen(from);
    while (from < to && is_space(*from))
        from++;
    while (to > from && is_space(to[-1]))
        to--;
    size_t n = MIN((size_t)(to - from), size - 1);
    memcpy(buf, from, n);
    buf[n] = '\0';
    return true;
}
