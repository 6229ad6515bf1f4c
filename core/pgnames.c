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
