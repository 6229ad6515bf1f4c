/* metric: a named, unit-bearing reading of the model with the time it was last seen. Gates, `cutover check`, the JSON
 * status and the help all read this one table. A metric older than its `stale` is unknown; unknown never passes. */
#ifndef CORE_METRIC_H
#define CORE_METRIC_H

#include "core/format.h"
#include "core/model.h"

enum metric_unit { UNIT_COUNT, UNIT_BYTES, UNIT_MS, UNIT_PPM, UNIT_PERCENT, UNIT_BOOL };

struct reading {
    bool known;
    int64_t value; /* in the metric's unit: count, bytes, ms, ppm, percent, 0/1 */
    int64_t at;    /* wall ms of the oldest thing that it rests on */
};

struct metric {
    const char *name;
    enum metric_unit unit;
    int64_t stale;        /* ms after which it counts as unknown; 0 = never (facts of the run itself) */
    const char *argument; /* what may stand in brackets: "", "database", "record", "side", "check", "step" */
    const char *help;
    struct reading (*read)(const struct model *m, const struct plan *p, const char *argument, int64_t now);
};
extern const struct metric metrics[];
extern const int nmetrics;

const struct metric *metric_find(const char *name); /* NULL when there is none */
/* Reads it; known is false where it was never seen or is stale at `now`. */
struct reading metric_read(const struct metric *metric, const struct model *m, const struct plan *p, const char *argument, int64_t now);
/* Wall ms from which on no compliant cache can hold an answer with the old TTL: the low TTL was first seen then, plus the old
 * TTL and a second. 0 while the low TTL is not published. */
int64_t dns_safe_after(const struct model_record *r, const struct plan *p);
/* "2.1 MB", "0.42 s", "0.05 %", "17", "yes"; "?" when unknown. Returns buf. */
const char *metric_format(enum metric_unit unit, struct reading r, char *buf, size_t size);
/* "1MB" -> 1000000 for UNIT_BYTES, "300ms", "0.5%" -> 5000 ppm, plain integers for all; false when it is none. */
bool metric_parse_value(enum metric_unit unit, const char *text, int64_t *value);

#endif
