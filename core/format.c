/* Human forms of values: short, steady in width, with the unit. */
#include <stdio.h>
#include <stdlib.h>

#include "core/format.h"

const char *format_bytes(int64_t bytes, char *buf, size_t size)
{
    static const char *const unit[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    double v = (double)bytes;
    size_t u = 0;
    while (v >= 999.5 && u < ARRAY_LEN(unit) - 1) {
        v /= 1000;
        u++;
    }
    snprintf(buf, size, u == 0 || v >= 9.95 ? "%.0f %s" : "%.1f %s", v, unit[u]);
    return buf;
}

const char *format_ms(int64_t ms, char *buf, size_t size)
{
    if (ms < 1000)
        snprintf(buf, size, "%lld ms", (long long)ms);
    else if (ms < 60000)
        snprintf(buf, size, ms < 10000 ? "%.2f s" : "%.1f s", (double)ms / 1000);
    else
        return format_span(ms, buf, size);
    return buf;
}

const char *format_span(int64_t ms, char *buf, size_t size)
{
    long long s = (ms + (ms > 0 ? 500 : 0)) / 1000;
    const char *sign = s < 0 ? "-" : "";
    s = llabs(s);
    if (s < 3600)
        snprintf(buf, size, "%s%lld:%02lld", sign, s / 60, s % 60);
    else if (s < 86400)
        snprintf(buf, size, "%s%lld:%02lld:%02lld", sign, s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(buf, size, "%s%lldd %02lld:%02lld", sign, s / 86400, s / 3600 % 24, s / 60 % 60);
    return buf;
}

