#include "core/pgnames.h"

#include <ctype.h>
#include <stdio.h>

static void name_it(const char *prefix, const struct plan_database *db, char *buf, size_t size)
{
    size_t n = (size_t)snprintf(buf, size, "%s", prefix);
    for (const char *c = db->name; *c && n + 1 < MIN(size, (size_t)64); c++)
        buf[n++] = isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '_';
    buf[n] = '\0';
}

void pgnames_slot(const struct plan_database *db, char *buf, size_t size)
{
    name_it("cutover_", db, buf, size);
}

void pgnames_back(const struct plan_database *db, char *buf, size_t size)
{
    name_it("cutover_back_", db, buf, size);
}

/* One part of a table's name, to the dot or to the end; in double quotes it may hold a dot, and a doubled quote for one. */
static const char *take_part(const char *at, bool is_last, char *out, size_t size)
{
    bool quoted = *at == '"';
    size_t n = 0;
    for (at += quoted; *at && (quoted || is_last || *at != '.'); at++) {
        if (quoted && *at == '"' && *++at != '"')
            break;
        if (n + 1 < size)
            out[n++] = *at;
    }
    out[n] = '\0';
    return at;
}

void pgnames_split(const char *name, char *schema, char *table, size_t size)
{
    const char *rest = take_part(name, false, schema, size);
    take_part(rest + (*rest == '.'), true, table, size);
}
