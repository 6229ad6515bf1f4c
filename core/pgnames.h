/* pgnames: what cutover makes in a database has the same name everywhere. Publication and schema are per database; the
 * slot is per server, so its name carries the database's. */
#ifndef CORE_PGNAMES_H
#define CORE_PGNAMES_H

#include "core/plan.h"

#define PGNAMES_PUBLICATION "cutover_pub"
#define PGNAMES_SCHEMA "cutover"
#define PGNAMES_BASELINE "cutover baseline" /* application_name of the pg_restore that copies to green */

/* Subscription and slot: "cutover_shop"; at most 63 bytes of [a-z0-9_], as a slot's name must be. */
void pgnames_slot(const struct plan_database *db, char *buf, size_t size);

/* The way back: subscription on blue and slot on green, "cutover_back_shop". */
void pgnames_back(const struct plan_database *db, char *buf, size_t size);

/* Both parts of a table's name as the plan has it: public.items, "Schéma"."my.table"; without quotes as it is, not in lower case. */
void pgnames_split(const char *name, char *schema, char *table, size_t size);

#endif
