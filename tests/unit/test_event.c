/* Every event of the list: what goes into a line comes out of it again; a broken line is a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/event.h"

/* Fills each field by its type with something that is easy to lose: quotes, newlines, UTF-8, extremes. */
#define TEXT(f) e->f = "a \"b\"\n\\ \u00e9 \u25cf " #f;
#define NUM(f) e->f = INT64_MIN + 7;
#define FLAG(f) e->f = true;
#define LATENCY(f) e->f.count[0] = 3, e->f.count[LATENCY_BUCKETS - 1] = 2000000000;
#define EVENT(name, help, fields) \
    static void fill_##name(struct event_##name *e) { fields }
#include "core/event_list.h"
#undef EVENT
#undef TEXT
#undef NUM
#undef FLAG
#undef LATENCY

#define TEXT(f) assert_string_equal(a->f, b->f);
#define NUM(f) assert_true(a->f == b->f);
#define FLAG(f) assert_true(a->f == b->f);
#define LATENCY(f) assert_memory_equal(&a->f, &b->f, sizeof a->f);
#define EVENT(name, help, fields) \
    static void same_##name(const struct event_##name *a, const struct event_##name *b) { fields }
#include "core/event_list.h"
#undef EVENT
#undef TEXT
#undef NUM
#undef FLAG
#undef LATENCY

static void fill(struct event *e)
{
    switch (e->kind) {
#define EVENT(name, help, fields) case EVENT_##name: fill_##name(&e->name); break;
#include "core/event_list.h"
#undef EVENT
    default: fail();
    }
}

static void compare(const struct event *a, const struct event *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_true(a->seq == b->seq && a->at == b->at);
    switch (a->kind) {
#define EVENT(name, help, fields) case EVENT_##name: same_##name(&a->name, &b->name); break;
#include "core/event_list.h"
#undef EVENT
    default: fail();
    }
}

static void every_event_survives_its_line(void **state)
{
    (void)state;
    for (int k = 1; k < EVENT_KINDS; k++) {
        struct event e = {.kind = (enum event_kind)k, .seq = 42, .at = 1795227124367};
        struct buf line = {0}, again = {0};
        struct event_read read;
        struct err err;
        fill(&e);
        event_encode(&e, &line);
        assert_null(strchr(line.text, '\n'));
        assert_true(event_decode(line.text, line.len, &read, &err));
        compare(&e, &read.event);
        event_encode(&read.event, &again);
        assert_string_equal(line.text, again.text);
        event_read_free(&read);
        buf_free(&line);
        buf_free(&again);
        assert_true(strlen(event_help((enum event_kind)k)) > 5);
    }
}

static void empty_fields_are_empty_not_null(void **state)
{
    (void)state;
    struct event e = {.kind = EVENT_lag_seen}, left_out = {.kind = EVENT_step_began};
    event_complete(&left_out);
    assert_string_equal(left_out.step_began.typed, "");
    struct buf line = {0};
    struct event_read read;
    struct err err;
    event_encode(&e, &line);
    assert_true(event_decode(line.text, line.len, &read, &err));
    assert_string_equal(read.event.lag_seen.error, "");
    event_read_free(&read);
    buf_free(&line);
}

static void bytes_that_are_no_utf8_do_not_break_the_line(void **state)
{
    (void)state;
    struct event e = {.kind = EVENT_note_said, .note_said = {.user = "ben", .text = "bad \xff\xfe bytes \x1b[2J"}};
    struct buf line = {0};
    struct event_read read;
    struct err err;
    event_encode(&e, &line);
    assert_true(event_decode(line.text, line.len, &read, &err));
    assert_null(strchr(read.event.note_said.text, 0x1b));
    event_read_free(&read);
    buf_free(&line);
}

static void broken_lines_are_sentences(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "{", "[]", "null", "{\"seq\":1}", "{\"seq\":1,\"event\":\"moon_seen\"}", "{\"event\":3}", "\x00", "{\"event\":\"lag_seen\"} x"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct event_read read;
        struct err err = {""};
        assert_false(event_decode(bad[i], strlen(bad[i]), &read, &err));
        assert_true(strlen(err.text) > 10);
        event_read_free(&read);
    }
}

static void wrong_types_are_read_as_empty(void **state)
{
    (void)state;
    const char *line = "{\"seq\":1,\"at\":2,\"event\":\"http_seen\",\"side\":7,\"ok\":\"x\",\"latency\":[99,1,-1,4,2]}";
    struct event_read read;
    struct err err;
    assert_true(event_decode(line, strlen(line), &read, &err));
    assert_string_equal(read.event.http_seen.side, "");
    assert_true(latency_total(&read.event.http_seen.latency) == 0);
    event_read_free(&read);
}

static void latency_buckets_add_and_rank(void **state)
{
    (void)state;
    struct latency a = {0}, b = {0};
    for (int i = 0; i < 99; i++)
        latency_add(&a, 10000);
    latency_add(&b, 2000000);
    latency_sum(&a, &b);
    assert_true(latency_total(&a) == 100);
    assert_in_range(latency_percentile_us(&a, 500000), 10000, 12600);
    assert_in_range(latency_percentile_us(&a, 990000), 10000, 12600);
    assert_in_range(latency_percentile_us(&a, 1000000), 2000000, 2600000);
    assert_true(latency_percentile_us(&(struct latency){0}, 500000) == -1);
    for (int i = 1; i < LATENCY_BUCKETS; i++)
        assert_true(latency_bound_us(i) > latency_bound_us(i - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_survives_its_line),   cmocka_unit_test(empty_fields_are_empty_not_null),
        cmocka_unit_test(bytes_that_are_no_utf8_do_not_break_the_line), cmocka_unit_test(broken_lines_are_sentences),
        cmocka_unit_test(wrong_types_are_read_as_empty),   cmocka_unit_test(latency_buckets_add_and_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
