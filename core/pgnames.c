#include "core/pgnames.h"

#include <ctype.h>
#include <stdio.h>

void pgnames_slot(const struct plan_database *db, char *buf, size_t size)
{
    size_t n = (size_t)snprintf(buf, size, "cutover_");
    for (const char *c = db->name; *c && n + 1 < MIN(size, (size_t)64); c++)
        buf[n++] = isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '_';
    buf[n] = '\0';
}
