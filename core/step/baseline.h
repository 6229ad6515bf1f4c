/* baseline: what pg_dump and pg_restore bring to green before the subscription follows, for every database of a step side by side.
 *
 * BASELINE_SCHEMA: blue's definitions, where green has no table, view or sequence of its own yet.
 * BASELINE_ROWS: a slot is made on a replication connection and exports its snapshot; exactly what that shows is dumped and
 * restored, and the subscription follows from the slot on: nothing is missing between the two, and nothing comes twice
 * (PostgreSQL, "Replication Commands": CREATE_REPLICATION_SLOT; pg_dump --snapshot). The slot always comes first. The connection
 * stays open and idle meanwhile, since the snapshot lives as long as it.
 *
 * pg_dump refuses a server that is newer than itself, so the oldest one is taken that is as new as blue: of pg_bin when the plan
 * names it, else of PATH and the usual directories. What can't be restored is named, each object with its reason. */
#ifndef CORE_STEP_BASELINE_H
#define CORE_STEP_BASELINE_H

#include "core/step/step.h"

/* The session of pg_restore on green. It may outlive an engine that is killed. */
#define BASELINE_APP "cutover baseline"
enum baseline_what { BASELINE_SCHEMA, BASELINE_ROWS };
enum baseline_state { BASELINE_BUSY, BASELINE_DONE, BASELINE_FAILED };

struct baseline;
struct baseline *baseline_new(struct step_run *run, enum baseline_what what);
void baseline_add(struct baseline *b, int database);
/* Goes on as far as it can; while busy the task is woken by what it waits for: wait at most baseline_wait_ms. */
enum baseline_state baseline_go(struct baseline *b);
int64_t baseline_wait_ms(const struct baseline *b);
const char *baseline_error(const struct baseline *b); /* a finished sentence */
void baseline_free(struct baseline *b); /* ends what runs; NULL is fine */

#endif
