/* pulse: a client of a pooler, as an application is one, while writes move: every few milliseconds it begins a transaction that could
 * write, and knows for how long no side that takes writes answered it. So the pause is also measured from the outside. That a row is
 * written too is the probe's to show, afterwards (switch_commit.c).
 *
 * One for each PgBouncer. A task of its own, since it must not wait for whoever started it. */
#ifndef CORE_STEP_PULSE_H
#define CORE_STEP_PULSE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/task.h"

struct pulse;
struct pulse_seen {
    int64_t pause_us;   /* the longest time between two answers */
    int64_t slowest_us; /* the slowest of its requests */
    int64_t answers, errors;
    const char *error;  /* the first one; "" */
};

struct pulse *pulse_start(uv_loop_t *loop, const char *conninfo);
void pulse_read(const struct pulse *p, struct pulse_seen *seen);
bool pulse_is_back(const struct pulse *p, int64_t since_us); /* has been answered after that (clock_mono_us) */
void pulse_free(struct pulse *p); /* NULL is fine; the memory goes with the task's last handle */

#endif
