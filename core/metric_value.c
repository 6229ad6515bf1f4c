/* Values of metrics as text, and text as values: each unit has its own suffixes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/metric.h"

const char *metric_format(enum metric_unit unit, struct reading r, char *buf, size_t size)
{
    if (!r.known) {
        copy_text(buf, size, "?");
        return buf;
    }
    switch (unit) {
    case UNIT_BYTES:
        return format_bytes(r.value, buf, size);
    case UNIT_MS:
        return format_ms(r.value, buf, size);
    case UNIT_PPM:
        snprintf(buf, size, r.value == 0 ? "0 %%" : r.value < 100000 ? "%.2f %%" : "%.0f %%", (double)r.value / 10000);
        break;
    case UNIT_PERCENT:
        snprintf(buf, size, "%lld %%", (long long)r.value);
        break;
    case UNIT_BOOL:
        copy_text(buf, size, r.value ? "yes" : "no");
        break;
    case UNIT_COUNT:
        snprintf(buf, size, "%lld", (long long)r.value);
    }
    return buf;
}

struct suffix {
    const char *text;
    double factor;
};

static bool apply_suffix(const char *rest, double v, const struct suffix *known, size_t n, int64_t *value)
{
    while (*rest == ' ')
        rest++;
    for (size_t i = 0; i < n; i++)
        if (strcmp(rest, known[i].text) == 0 && fabs(v * known[i].factor) < 9e18) {
            *value = llround(v * known[i].factor);
            return true;
        }
    return false;
}

bool metric_parse_value(enum metric_unit unit, const char *text, int64_t *value)
{
    static const struct suffix bytes[] = {{"", 1}, {"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}};
    static const struct suffix times[] = {{"", 1}, {"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 86400e3}};
    static const struct suffix rates[] = {{"", 1}, {"ppm", 1}, {"%", 1e4}};
    static const struct suffix percent[] = {{"", 1}, {"%", 1}};
    static const struct suffix plain[] = {{"", 1}};
    char *rest;
    if (unit == UNIT_BOOL && (strcmp(text, "yes") == 0 || strcmp(text, "true") == 0 || strcmp(text, "no") == 0 || strcmp(text, "false") == 0)) {
        *value = text[0] == 'y' || text[0] == 't';
        return true;
    }
    double v = strtod(text, &rest);
    if (rest == text || !isfinite(v))
        return false;
    switch (unit) {
    case UNIT_BYTES:
        return apply_suffix(rest, v, bytes, ARRAY_LEN(bytes), value);
    case UNIT_MS:
        return apply_suffix(rest, v, times, ARRAY_LEN(times), value);
    case UNIT_PPM:
        return apply_suffix(rest, v, rates, ARRAY_LEN(rates), value);
    case UNIT_PERCENT:
        return apply_suffix(rest, v, percent, ARRAY_LEN(percent), value);
    default:
        return apply_suffix(rest, v, plain, ARRAY_LEN(plain), value);
    }
}
