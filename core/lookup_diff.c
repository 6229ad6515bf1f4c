#include "core/lookup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "core/text.h"

struct entry {
    char *name_type; /* "www.shop.test A" */
    char *value;
    long ttl;
    bool met;
};
struct entries {
    struct entry *entry;
    int count;
};

/* "name TYPE ttl value" */
static bool read_line(struct entries *e, const char *path, int line, const char *text)
{
    char name[1100], type[32], *clean;
    long ttl;
    int at = 0;
    if (sscanf(text, "%1099s %31s %ld %n", name, type, &ttl, &at) != 3 || !at || ttl < 0) {
        char shown[100];
        text_line(shown, sizeof shown, text, strlen(text));
        fprintf(stderr, "%s:%d: \"%s\" is no line of a snapshot; it has a name, a type, a TTL and a value.\n", path, line, shown);
        return false;
    }
    size_t size = strlen(text + at) * 4 + 1;
    clean = xcalloc(size, 1);
    text_clean_string(clean, size, text + at);
    e->entry = xrealloc(e->entry, (size_t)(e->count + 1) * sizeof *e->entry);
    char *key = xprintf("%s %s", name, type), *key_clean = xcalloc(strlen(key) * 4 + 1, 1);
    text_clean_string(key_clean, strlen(key) * 4 + 1, key);
    free(key);
    e->entry[e->count++] = (struct entry){.name_type = key_clean, .value = clean, .ttl = ttl};
    return true;
}

static bool read_file(struct entries *e, const char *path)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    char *line = NULL;
    size_t size = 0;
    bool ok = true;
    if (!f) {
        fprintf(stderr, "%s can't be read: %s.\n", path, strerror(errno));
        return false;
    }
    for (int n = 1; getline(&line, &size, f) > 0; n++) {
        line[strcspn(line, "\r\n")] = '\0';
        if (*line && *line != '#')
            ok = read_line(e, path, n, line) && ok;
    }
    free(line);
    if (f != stdin)
        fclose(f);
    return ok;
}

static void free_entries(struct entries *e)
{
    for (int i = 0; i < e->count; i++) {
        free(e->entry[i].name_type);
        free(e->entry[i].value);
    }
    free(e->entry);
}

static struct entry *find(struct entries *e, const char *name_type, const char *value)
{
    for (int i = 0; i < e->count; i++)
        if (!e->entry[i].met && strcmp(e->entry[i].name_type, name_type) == 0 && (!value || strcmp(e->entry[i].value, value) == 0))
            return &e->entry[i];
    return NULL;
}

/* The same value first, so that what is left of a name and type has changed, came or went. */
static int tell(struct entries *old, struct entries *new)
{
    int differences = 0;
    for (int i = 0; i < old->count; i++) {
        struct entry *o = &old->entry[i], *n = find(new, o->name_type, o->value);
        if (!n)
            continue;
        o->met = n->met = true;
        if (o->ttl != n->ttl && ++differences)
            printf("ttl      %s %s: %ld -> %ld\n", o->name_type, o->value, o->ttl, n->ttl);
    }
    for (int i = 0; i < old->count; i++) {
        struct entry *o = &old->entry[i], *n = o->met ? NULL : find(new, o->name_type, NULL);
        if (o->met)
            continue;
        differences++;
        if (n) {
            n->met = true;
            printf("changed  %s: %s -> %s\n", o->name_type, o->value, n->value);
        } else {
            printf("gone     %s %s\n", o->name_type, o->value);
        }
    }
    for (int i = 0; i < new->count; i++)
        if (!new->entry[i].met && ++differences)
            printf("new      %s %s\n", new->entry[i].name_type, new->entry[i].value);
    return differences;
}

int lookup_diff(const char *old_path, const char *new_path)
{
    struct entries old = {0}, new = {0};
    bool ok = read_file(&old, old_path);
    ok = read_file(&new, new_path) && ok;
    int status = !ok ? 2 : tell(&old, &new) ? 1 : 0;
    free_entries(&old);
    free_entries(&new);
    return status;
}
