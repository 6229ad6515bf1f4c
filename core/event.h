/* event: one fact, past tense. The list is core/event_list.h; structs, encoder, decoder and help come from its rows.
 *
 * A line of the journal is one event as JSON (RFC 8259) on one line:
 *   {"seq":12,"at":1795227124367,"event":"lag_seen","db":"shop","bytes":0,...,"chain":"<sha256>"}
 * The strings of an event are borrowed for the duration of the call; who keeps one copies it. */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include "core/base.h"

/* Latency as bucket counts: they add, percentiles do not. Bucket i holds answers up to latency_bound_us(i). */
#define LATENCY_BUCKETS 48
struct latency {
    int32_t count[LATENCY_BUCKETS];
};
int64_t latency_bound_us(int bucket); /* 200 us * 2^(i/3); the last one is open */
void latency_add(struct latency *l, int64_t us);
void latency_sum(struct latency *into, const struct latency *more);
int64_t latency_total(const struct latency *l);
int64_t latency_percentile_us(const struct latency *l, int64_t ppm); /* 500000 = median; -1 when empty */

#define TEXT(f) const char *f;
#define NUM(f) int64_t f;
#define FLAG(f) bool f;
#define LATENCY(f) struct latency f;
#define EVENT(name, help, fields) struct event_##name { fields };
#include "core/event_list.h"
#undef EVENT
#undef TEXT
#undef NUM
#undef FLAG
#undef LATENCY

enum event_kind {
    EVENT_NONE,
#define EVENT(name, help, fields) EVENT_##name,
#include "core/event_list.h"
#undef EVENT
    EVENT_KINDS
};

struct event {
    enum event_kind kind;
    int64_t seq; /* 1, 2, 3 ... in the journal; set by the door */
    int64_t at;  /* wall clock, set by the door where 0 */
    union {
#define EVENT(name, help, fields) struct event_##name name;
#include "core/event_list.h"
#undef EVENT
    };
};

/* The one way in. cutover_record is its only implementation in the program; tests have their own. */
struct door {
    void (*record)(struct door *door, struct event *event);
};
/* RECORD(door, lag_seen, .db = "shop", .bytes = 0): stamps nothing, forgets nothing, journals, folds, tells the screens. */
#define RECORD(door_, name_, ...) \
    (door_)->record((door_), &(struct event){.kind = EVENT_##name_, .name_ = {__VA_ARGS__}})

const char *event_name(enum event_kind kind);
const char *event_help(enum event_kind kind);

/* A text that was left out becomes "", as it will read back: the door calls it before anybody folds the event. */
void event_complete(struct event *event);
/* One line of JSON without a newline and without the chain, appended to `line`. NULL texts become "". */
void event_encode(const struct event *event, struct buf *line);

/* An event read from a line, with what its strings live in. */
struct event_read {
    struct event event;
    void *json;     /* a json_t; freed by event_read_free */
    char chain[65]; /* as the line says; "" when it has none */
};
bool event_decode(const char *line, size_t len, struct event_read *out, struct err *err);
void event_read_free(struct event_read *read);
/* Prints "name  sentence  fields" of every event, for `cutover help events`. */
void event_print_list(void);

#endif
