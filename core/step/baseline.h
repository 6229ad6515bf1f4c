/* baseline: what pg_dump and pg_restore bring to green before the subscription follows, for every database of a step side by side.
 *
 * BASELINE_SCHEMA: blue's definitions, where green has no table, view or sequence of its own yet. While they are made, the empty schema
 * BASELINE_UNFINISHED stands on green: a part of blue's definitions must never pass for a green of somebody's making, since keys and
 * indexes come last. It goes when everything is there; else green's database has to be made anew.
 * BASELINE_ROWS: a slot is made on a replication connection and exports its snapshot; exactly what that shows is dumped and
 * restored, and the subscription follows from the slot on: nothing is missing between the two, and nothing comes twice
 * (PostgreSQL, "Replication Commands": CREATE_REPLICATION_SLOT; pg_dump --snapshot). The slot always comes first. The connection
 * stays open and idle meanwhile, since the snapshot lives as long as it.
 *
 * pg_dump refuses a server that is newer than itself, so the oldest one is taken that is as new as blue: of pg_bin when the plan
 * names it, else of PATH and the usual directories. What can't be restored is named, each object with its reason. */
#ifndef CORE_STEP_BASELINE_H
#define CORE_STEP_BASELINE_H

#include "core/pgnames.h"
#include "core/step/step.h"

/* The session of pg_restore on green. It may outlive an engine that is killed. */
#define BASELINE_APP PGNAMES_BASELINE
#define BASELINE_UNFINISHED "cutover_unfinished"
/* How many relations green has: those of extensions may have come with the database. */
#define BASELINE_RELATIONS \
    "(SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relpersistence <> 't'" \
    " AND nspname NOT IN ('information_schema', '" PGNAMES_SCHEMA "') AND nspname NOT LIKE 'pg\\_%'" \
    " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))"
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
