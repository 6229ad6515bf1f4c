/* pgrows: the statements that replicate, its undo and cleanup share. */
#ifndef CORE_STEP_PGROWS_H
#define CORE_STEP_PGROWS_H

#include "core/step/pgscript.h"

/* Comment on green's schema cutover, followed by the tables, while a copy from a snapshot goes on and no subscription is there yet. */
#define PGROWS_COPIES "cutover copies "

/* What stands there now: sets has_publication, has_slot on blue; has_subscription, has_copied, subscription_oid, tables on green. */
void pgrows_look_blue(struct pgscript *s, struct buf *out);
bool pgrows_saw_blue(struct pgscript *s);
void pgrows_look_green(struct pgscript *s, struct buf *out);
bool pgrows_saw_green(struct pgscript *s);

/* A slot that is being made waits on blue for every transaction that has written and is still open: asks there whose, and tells it
 * once each; told: 200 bytes, zeroed before. */
extern const char pgrows_ask_holder[];
void pgrows_say_holder(struct step_run *run, const char *db, const struct pg *answered, char *told, size_t size);

/* Taking it away again: each is harmless where there is nothing. The slot is never dropped through the subscription, so that
 * green can be cleaned also when blue is gone. */
void pgrows_drop_subscription(struct pgscript *s, struct buf *out);
void pgrows_put_slots(struct pgscript *s, struct buf *out); /* a condition on pg_replication_slots of blue: the slots that are ours */
void pgrows_drop_slot(struct pgscript *s, struct buf *out);
bool pgrows_dropped_slot(struct pgscript *s);
void pgrows_drop_publication(struct pgscript *s, struct buf *out);
void pgrows_drop_schema(struct pgscript *s, struct buf *out);

/* The way back: looks whether blue subscribes to green (has_back), and takes it all away. On green its slot goes before anything
 * is emptied there: a TRUNCATE must never travel back to blue. */
void pgrows_look_back(struct pgscript *s, struct buf *out);
bool pgrows_saw_back(struct pgscript *s);
void pgrows_drop_back_subscription(struct pgscript *s, struct buf *out);
void pgrows_drop_back_slot(struct pgscript *s, struct buf *out);
bool pgrows_dropped_back_slot(struct pgscript *s);

#endif
