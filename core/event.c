#include "core/event.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

/* ---- latency: 48 buckets, each 26 % wider than the one before ---- */

int64_t latency_bound_us(int bucket)
{
    static const int64_t third[3] = {1000, 1260, 1587}; /* 2^(0/3), 2^(1/3), 2^(2/3), in thousandths */
    return ((int64_t)200 << (bucket / 3)) * third[bucket % 3] / 1000;
}

void latency_add(struct latency *l, int64_t us)
{
    int i = 0;
    while (i < LATENCY_BUCKETS - 1 && us > latency_bound_us(i))
        i++;
    l->count[i]++;
}

void latency_sum(struct latency *into, const struct latency *more)
{
    for (int i = 0; i < LATENCY_BUCKETS; i++)
        into->count[i] += more->count[i];
}

int64_t latency_total(const struct latency *l)
{
    int64_t n = 0;
    for (int i = 0; i < LATENCY_BUCKETS; i++)
        n += l->count[i];
    return n;
}

int64_t latency_percentile_us(const struct latency *l, int64_t ppm)
{
    int64_t total = latency_total(l);
    if (total == 0)
        return -1;
    int64_t rank = (total * ppm + 999999) / 1000000;
    int64_t seen = 0;
    for (int i = 0; i < LATENCY_BUCKETS; i++) {
        seen += l->count[i];
        if (seen >= MAX(rank, 1))
            return latency_bound_us(i);
    }
    return latency_bound_us(LATENCY_BUCKETS - 1);
}

/* ---- one row, many uses: names and help ---- */

static const char *const names[EVENT_KINDS] = {
    "none",
#define EVENT(name, help, fields) #name,
#include "core/event_list.h"
#undef EVENT
};
static const char *const helps[EVENT_KINDS] = {
    "",
#define EVENT(name, help, fields) help,
#include "core/event_list.h"
#undef EVENT
};

const char *event_name(enum event_kind kind)
{
    return names[kind];
}

const char *event_help(enum event_kind kind)
{
    return helps[kind];
}

static enum event_kind find_kind(const char *name)
{
    for (int i = 1; i < EVENT_KINDS; i++)
        if (strcmp(names[i], name) == 0)
            return (enum event_kind)i;
    return EVENT_NONE;
}

/* ---- encoder: one small function per row ---- */

static void put(json_t *o, const char *key, json_t *value)
{
    if (!value || json_object_set_new(o, key, value) != 0)
        die("event: no memory for the field %s", key);
}

static void put_text(json_t *o, const char *key, const char *text)
{
    if (!text)
        text = "";
    json_t *s = json_string(text);
    if (!s) { /* not UTF-8: somebody forgot text_clean on the way in */
        size_t len = strlen(text);
        char *clean = xcalloc(len * 4 + 16, 1);
        text_clean(clean, len * 4 + 16, text, len);
        s = json_string(clean);
        free(clean);
    }
    put(o, key, s);
}

/* Pairs of bucket and count, empty buckets left out: [9,4,10,1] */
static void put_latency(json_t *o, const char *key, const struct latency *l)
{
    json_t *pairs = json_array();
    for (int i = 0; i < LATENCY_BUCKETS; i++)
        if (l->count[i]) {
            json_array_append_new(pairs, json_integer(i));
            json_array_append_new(pairs, json_integer(l->count[i]));
        }
    put(o, key, pairs);
}

#define TEXT(f) put_text(o, #f, e->f);
#define NUM(f) put(o, #f, json_integer(e->f));
#define FLAG(f) put(o, #f, json_boolean(e->f));
#define LATENCY(f) put_latency(o, #f, &e->f);
#define EVENT(name, help, fields) \
    static void encode_##name(json_t *o, const struct event_##name *e) { fields }
#include "core/event_list.h"
#undef EVENT
#undef TEXT
#undef NUM
#undef FLAG
#undef LATENCY

/* ---- what was left out ---- */

#define TEXT(f) if (!e->f) e->f = "";
#define NUM(f) (void)e;
#define FLAG(f) (void)e;
#define LATENCY(f) (void)e;
#define EVENT(name, help, fields) \
    static void complete_##name(struct event_##name *e) { fields }
#include "core/event_list.h"
#undef EVENT
#undef TEXT
#undef NUM
#undef FLAG
#undef LATENCY

void event_complete(struct event *event)
{
    switch (event->kind) {
#define EVENT(name, help, fields)               \
    case EVENT_##name:                          \
        complete_##name(&event->name);          \
        break;
#include "core/event_list.h"
#undef EVENT
    default:
        die("event: kind %d is not in the list", (int)event->kind);
    }
}

static int add_to_buf(const char *text, size_t len, void *line)
{
    buf_add(line, text, len);
    return 0;
}

void event_encode(const struct event *event, struct buf *line)
{
    json_t *o = json_object();
    put(o, "seq", json_integer(event->seq));
    put(o, "at", json_integer(event->at));
    put(o, "event", json_string(names[event->kind]));
    switch (event->kind) {
#define EVENT(name, help, fields)               \
    case EVENT_##name:                          \
        encode_##name(o, &event->name);         \
        break;
#include "core/event_list.h"
#undef EVENT
    default:
        die("event: kind %d is not in the list", (int)event->kind);
    }
    if (json_dump_callback(o, add_to_buf, line, JSON_COMPACT) != 0)
        die("event: %s can't be written as JSON", names[event->kind]);
    json_decref(o);
}

/* ---- decoder: missing fields are empty, so that an old journal still reads ---- */

static const char *get_text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static void get_latency(const json_t *o, const char *key, struct latency *l)
{
    const json_t *pairs = json_object_get(o, key);
    for (size_t i = 0; i + 1 < json_array_size(pairs); i += 2) {
        json_int_t bucket = json_integer_value(json_array_get(pairs, i));
        json_int_t count = json_integer_value(json_array_get(pairs, i + 1));
        if (bucket >= 0 && bucket < LATENCY_BUCKETS && count > 0 && count < INT32_MAX)
            l->count[bucket] = (int32_t)count;
    }
}

#define TEXT(f) e->f = get_text(o, #f);
#define NUM(f) e->f = json_integer_value(json_object_get(o, #f));
#define FLAG(f) e->f = json_is_true(json_object_get(o, #f));
#define LATENCY(f) get_latency(o, #f, &e->f);
#define EVENT(name, help, fields) \
    static void decode_##name(const json_t *o, struct event_##name *e) { fields }
#include "core/event_list.h"
#undef EVENT
#undef TEXT
#undef NUM
#undef FLAG
#undef LATENCY

bool event_decode(const char *line, size_t len, struct event_read *out, struct err *err)
{
    memset(out, 0, sizeof *out);
    json_error_t why;
    json_t *o = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
    if (!o)
        return err_set(err, "the line is no JSON: %s (column %d)", why.text, why.column);
    const char *name = get_text(o, "event");
    enum event_kind kind = find_kind(name);
    if (kind == EVENT_NONE) {
        err_set(err, "the line holds no event that this version knows: \"%.40s\"", name);
        json_decref(o);
        return false;
    }
    out->json = o;
    out->event.kind = kind;
    out->event.seq = json_integer_value(json_object_get(o, "seq"));
    out->event.at = json_integer_value(json_object_get(o, "at"));
    copy_text(out->chain, sizeof out->chain, get_text(o, "chain"));
    switch (kind) {
#define EVENT(name, help, fields)                \
    case EVENT_##name:                           \
        decode_##name(o, &out->event.name);      \
        break;
#include "core/event_list.h"
#undef EVENT
    default:
        break;
    }
    return true;
}

void event_read_free(struct event_read *read)
{
    json_decref(read->json);
    read->json = NULL;
}

#define TEXT(f) " " #f
#define NUM(f) " " #f
#define FLAG(f) " " #f "?"
#define LATENCY(f) " " #f "[]"
void event_print_list(void)
{
#define EVENT(name, help, fields) printf("%-18s %s\n%-18s %s\n", #name, help, "", "fields:" fields);
#include "core/event_list.h"
#undef EVENT
}
#undef TEXT
#undef NUM
#undef FLAG
#undef LATENCY
