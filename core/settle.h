/* settle: brings every database and pooler of a switch to ONE side and opens writes there, whatever state they are in.
 * The engine returns with it, its watchdog returns or completes with it: one implementation, on connections of its own,
 * opened before the pause. Every act may be repeated; each database goes its own way, so that one dead server does not
 * keep the others closed; what fails is tried again until settle_over() or the owner gives up.
 *
 * The order holds the rule that two sides never take writes:
 *   1. the switch's own sessions are ended on the server and waited for: a statement of a dead engine may still run
 *   2. the side that loses is made read-only, its clients are ended (to blue: only if green had been opened)
 *   3. the side that wins is made writable
 *      (to green: in the same transaction the place is kept at which the way back begins)
 *   4. the pooler's file, RELOAD (only if files may have moved), RESUME, and a look that it is so
 *      (when that is so everywhere: the applications' flags are taken back)
 *   5. to green: the way over is closed; when its workers are gone, the way back is opened on blue, if blue is there at all
 * PAUSE closes a server connection that is just logging in, and PgBouncer takes that for a failed login: after RESUME it
 * would open none for server_login_retry (15 s by default). So this is 0 during a switch, and is set back at the end.
 * If green can't be reached in step 2 for SETTLE_LOSER_MS, blue is opened all the same: no pooler leads to green, and
 * a server that doesn't answer takes no writes. It is tried on, and settle_error says so until it worked.
 *
 * It is part of its owner's task: call settle_step at each run, wait at most settle_wait_ms. */
#ifndef CORE_SETTLE_H
#define CORE_SETTLE_H

#include "core/plan.h"
#include "core/task.h"

#define SETTLE_LOSER_MS 1000
/* The sessions of a switch are told apart by their application_name. */
#define SETTLE_APP_SWITCH "cutover switch"
#define SETTLE_APP_SETTLE "cutover settle"

/* SQL that the switch has in common with this. Own sessions: same role, and a name that begins with cutover. */
#define SQL_ALTER(what) \
    "DO $cutover$BEGIN EXECUTE format('ALTER DATABASE %I " what "', current_database()); END$cutover$;"
#define SQL_CLOSE "BEGIN READ WRITE; SET LOCAL synchronous_commit = on; " SQL_ALTER("SET default_transaction_read_only = on") " COMMIT;"
#define SQL_CLOSE_LAZILY "BEGIN READ WRITE; SET LOCAL synchronous_commit = off; " SQL_ALTER("SET default_transaction_read_only = on") " COMMIT;" /* a later commit takes it to the disk */
#define SQL_TRY_CLOSE "BEGIN READ WRITE; " SQL_ALTER("SET default_transaction_read_only = on") " ROLLBACK;" /* so that a session has done it once */
/* FROM and WHERE: sessions of this database that are not ours. Not through the view pg_stat_activity, which takes twice the time. */
#define SQL_HERE "(SELECT oid FROM pg_database WHERE datname = current_database())"
#define SQL_STRANGERS \
    "pg_stat_get_activity(NULL) WHERE datid = " SQL_HERE " AND backend_type = 'client backend' AND pid <> pg_backend_pid()" \
    " AND NOT (usesysid = (SELECT oid FROM pg_roles WHERE rolname = current_user) AND application_name LIKE 'cutover%')"

/* The channel that brought the writes over is closed; then, when none of its workers is left, the way back is opened. */
#define SQL_DISABLE \
    "BEGIN READ WRITE; DO $cutover$DECLARE n name; BEGIN FOR n IN SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid" \
    " WHERE datname = current_database() AND subname LIKE 'cutover%' LOOP EXECUTE format('ALTER SUBSCRIPTION %I DISABLE', n); END LOOP; END$cutover$; COMMIT;"
#define SQL_WORKERS \
    "SELECT count(*) FROM pg_stat_subscription w JOIN pg_subscription s ON s.oid = w.subid JOIN pg_database d ON d.oid = s.subdbid" \
    " WHERE datname = current_database() AND s.subname LIKE 'cutover%' AND w.pid IS NOT NULL"

struct settle;

/* The way back begins where a side is opened: what came over before stays out of it. That place is written down as a row, in the transaction
 * that opens, when nobody follows yet; afterwards the slot is moved there, and who follows is told it too, because a server
 * that dies forgets where a slot was moved to since its last checkpoint (PostgreSQL, "pg_replication_slot_advance"). */
void settle_open_sql(struct buf *out, const char *slot);    /* slot "" = without a way back */
void settle_try_open_sql(struct buf *out, const char *slot); /* the same, rolled back: so that the session has done it once */
void settle_place_sql(struct buf *out, const char *slot);   /* moves it; answers with the place, "" when there is none */
/* place: as settle_place_sql answered. */
void settle_enable_sql(struct buf *out, const char *subscription, const char *place);
/* Before all that: moves it to now, if it is idle and the side still closed, so that there is less to read later. */
void settle_advance_sql(struct buf *out, const char *slot);

struct settle *settle_new(struct task *owner);
void settle_free(struct settle *s); /* NULL is fine */
/* The plan is a mirrored one (see step/switch.h): BLUE is what is left, green's name is "blue". Said once, before anything. */
void settle_set_back(struct settle *s, bool back);
/* Strings are copied. home: subscription and slot of the way back, "" = none. repoint: argv run when green has been opened; NULL = none. */
int settle_add_database(struct settle *s, const char *name, const char *home, const char *const conninfo[SIDES], const char *const *repoint, int nrepoint);
/* retry: the pooler's own server_login_retry. */
void settle_add_pooler(struct settle *s, int database, const struct plan_pooler *pooler, const char *retry);
void settle_add_flag(struct settle *s, const struct plan_flag *flag); /* is taken back when writes are open on either side */
/* The engine is dead, but a program or request that it began may still be on its way to a flag: they are told once more later. */
void settle_expect_strays(struct settle *s);
void settle_add_plan(struct settle *s, const struct plan *plan, bool back, const char *const *retries); /* in the order of the poolers */

/* Opens every connection; over when all are open, settle_error() names what isn't. */
void settle_connect(struct settle *s);
/* Begins; may be called again, also with the other side. opened: green may have been opened, files may have moved. */
void settle_go(struct settle *s, enum side side, bool opened);
/* Goes on. True when all is done. */
bool settle_step(struct settle *s);
int64_t settle_wait_ms(const struct settle *s);
bool settle_is_open(const struct settle *s);     /* every database takes writes on that side through its poolers */
const char *settle_error(const struct settle *s); /* the first thing that isn't done, a finished sentence; "" */

#endif
