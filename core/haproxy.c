#include "core/haproxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The field `n` of a CSV line; HAProxy quotes only fields with commas or quotes, none of which are read here. */
static bool field(const char *line, int n, char *buf, size_t size)
{
    while (n-- > 0) {
        line += strcspn(line, ",\n");
        if (*line != ',')
            return false;
        line++;
    }
    snprintf(buf, size, "%.*s", (int)MIN(strcspn(line, ",\n"), size - 1), line);
    return true;
}

static int column(const char *header, const char *name)
{
    char f[64];
    for (int i = 0; field(header, i, f, sizeof f); i++)
        if (strcmp(f, name) == 0)
            return i;
    return -1;
}

static int64_t number(const char *header, const char *line, const char *name)
{
    char f[64];
    int i = column(header, name);
    return i >= 0 && field(line, i, f, sizeof f) ? strtoll(f, NULL, 10) : 0;
}

static bool names(const char *line, const char *backend, const char *server)
{
    char f[128];
    return field(line, 0, f, sizeof f) && strcmp(f, backend) == 0 && field(line, 1, f, sizeof f) && strcmp(f, server) == 0;
}

bool haproxy_find(const char *csv, const char *backend, const char *server, struct haproxy_row *row)
{
    const char *header = csv + (strncmp(csv, "# ", 2) == 0 ? 2 : 0);
    for (const char *line = strchr(csv, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
        const char *l = line + 1;
        if (!names(l, backend, server))
            continue;
        row->weight = number(header, l, "weight");
        row->selected = number(header, l, "lbtot");
        row->in_flight = number(header, l, "scur");
        row->good = number(header, l, "hrsp_1xx") + number(header, l, "hrsp_2xx") + number(header, l, "hrsp_3xx") + number(header, l, "hrsp_4xx");
        return field(l, column(header, "status"), row->status, sizeof row->status);
    }
    return false;
}

void haproxy_weights(const struct plan_traffic *t, int green_percent, bool green_first, char *buf, size_t size)
{
    enum side first = green_first ? GREEN : BLUE, then = green_first ? BLUE : GREEN;
    int weight[SIDES] = {100 - green_percent, green_percent};
    snprintf(buf, size, "set server %s/%s weight %d; set server %s/%s weight %d\n", t->backend, t->server[first], weight[first], t->backend, t->server[then], weight[then]);
}
