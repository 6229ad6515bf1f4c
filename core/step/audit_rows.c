/* What one side is asked: data. A row that answers nothing has found nothing. */
#include "core/step/audit_inner.h"

const char audit_scope[] =
    "WITH RECURSIVE plan AS (SELECT $1::text[] AS tables, $2::text AS sub, $3::int AS blue_subs, $4::int AS green_subs, $5::int AS sync,"
    "  $6::int AS workers, $7::int AS blue_version, $8::bool AS same_role, $9::bool AS reverse),"
    " rel AS (SELECT c.oid, c.relname, c.relkind::text AS relkind, c.relpersistence::text AS persistence, c.relreplident::text AS ident,"
    "  c.reltuples, c.relowner, c.relacl, c.relispartition, c.relrowsecurity, n.nspname, format('%I.%I', n.nspname, c.relname) AS name"
    "  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    "  WHERE n.nspname NOT IN ('information_schema', 'cutover') AND n.nspname NOT LIKE 'pg\\_%'),"
    " named AS (SELECT rel.oid FROM rel, plan WHERE name = ANY (tables) OR nspname || '.' || relname = ANY (tables)),"
    " scope AS (SELECT rel.* FROM rel, plan WHERE relkind IN ('r', 'p') AND (cardinality(tables) = 0 OR rel.oid IN (SELECT oid FROM named)"
    "  OR EXISTS (SELECT FROM pg_partition_ancestors(rel.oid) a(o) WHERE a.o IN (SELECT oid FROM named)))),"
    " t AS (SELECT * FROM scope WHERE persistence = 'p') ";

#define NUMBER(setting) "current_setting('" setting "')::int"
/* What a limit must hold: others' use, ours. The first row is what it can't work below, the second what it wants. */
#define LIMIT_ROWS(side, where, min, max, setting, used, least, best) \
    {setting, AUDIT_BLOCKER, side, min, max, LIMIT_SQL(setting, used, least) "WHERE most - used < need", \
     "raise it on " where " and restart that server"}, \
    {setting, AUDIT_WARNING, side, min, max, LIMIT_SQL(setting, used, best) "WHERE most - used < need AND most - used >= " least, \
     "with fewer the first copy is slower; raise it on " where " and restart that server"}
#define LIMIT_SQL(setting, used, need) \
    "SELECT '" setting "', format('%s, of which %s are in use by others; %s are needed', most, used, need)" \
    " FROM plan, LATERAL (SELECT " NUMBER(setting) " AS most, (" used ") AS used, " need " AS need) x "

/* What the way back needs beside: without it the switch is refused. */
#define LIMIT_BACK(side, where, min, max, setting, used, least) \
    {setting, AUDIT_BLOCKER, side, min, max, LIMIT_SQL(setting, used, least) "WHERE most - used < need AND reverse", \
     "the way back needs them: raise it on " where " and restart that server, or set reverse = false"}

#define OURS(name) "(" name " = sub OR " name " LIKE 'cutover\\_%' OR " name " ~ '^pg_[0-9]+_sync_')"
#define USED_SLOTS "SELECT count(*)::int FROM pg_replication_slots WHERE NOT " OURS("slot_name::text")
#define USED_SENDERS "SELECT count(*)::int FROM pg_stat_replication WHERE application_name IS NULL OR NOT " OURS("application_name")
#define USED_APPLY "SELECT count(*)::int FROM pg_stat_subscription WHERE pid IS NOT NULL AND NOT " OURS("subname::text")
#define USED_PROCESSES \
    "SELECT (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type NOT IN ('client backend', 'autovacuum launcher', 'autovacuum worker'," \
    " 'background writer', 'checkpointer', 'startup', 'walreceiver', 'walsender', 'walwriter', 'archiver', 'logger', 'walsummarizer'," \
    " 'slotsync worker', 'io worker', 'parallel worker', 'standalone backend') AND backend_type NOT LIKE 'logical replication%worker')" \
    " + (" USED_APPLY ")"
#define USED_ORIGINS \
    "SELECT count(*)::int FROM pg_replication_origin WHERE NOT EXISTS (SELECT FROM pg_subscription s" \
    " WHERE " OURS("s.subname::text") " AND (roname = 'pg_' || s.oid OR roname LIKE 'pg\\_' || s.oid || '\\_%'))"
#define BLUE_LEAST "(blue_subs + 1)"
#define BLUE_BEST "greatest(blue_subs + 1, least(blue_subs * (1 + sync), workers))"
#define GREEN_LEAST "(green_subs + 1)"
#define GREEN_WISHED "(green_subs * (1 + sync))" /* workers; what they need beside is bounded by their number */
#define GREEN_BEST "greatest(green_subs + 1, least(" GREEN_WISHED ", workers))"

/* The room that the lock table has for sure; reading a sequence locks it until the end of the transaction. */
#define LOCKS_SQL \
    "SELECT 'max_locks_per_transaction', format('%s sequences are locked together when the switch reads them, and the server has room for %s locks', n, most)" \
    " FROM (SELECT count(*) AS n FROM rel WHERE relkind = 'S') s, (SELECT " NUMBER("max_locks_per_transaction") " * (" NUMBER("max_connections") " + " \
    NUMBER("max_prepared_transactions") ") AS most) m WHERE n > most"

#define ROLE(condition) "(SELECT " condition " FROM pg_roles WHERE rolname = current_user)"
#define MANAGED "EXISTS (SELECT FROM pg_roles r WHERE rolname IN ('rds_superuser', 'cloudsqlsuperuser', 'azure_pg_admin') AND pg_has_role(r.oid, 'MEMBER'))"
#define RDS_REPLICATION "EXISTS (SELECT FROM pg_roles r WHERE rolname = 'rds_replication' AND pg_has_role(r.oid, 'MEMBER'))"
#define NO_CREATE "SELECT current_user, 'no CREATE privilege on the database' WHERE NOT has_database_privilege(current_database(), 'CREATE')"
#define STANDBY "SELECT 'server', 'it is a standby' WHERE pg_is_in_recovery()"
#define VERSION "SELECT 'server', 'PostgreSQL ' || current_setting('server_version')"

/* A library that was updated since may sort in another way. */
#define COLLATION_OF_DATABASE \
    "SELECT datname, format('made with collation version %s, and the library has %s', datcollversion, pg_database_collation_actual_version(oid)) FROM pg_database" \
    " WHERE datname = current_database() AND datcollversion <> pg_database_collation_actual_version(oid)"
#define COLLATIONS \
    "SELECT format('%I.%I', nspname, collname), format('made with version %s, and the library has %s', collversion, pg_collation_actual_version(c.oid)) FROM pg_collation c" \
    " JOIN pg_namespace n ON n.oid = collnamespace WHERE collversion <> pg_collation_actual_version(c.oid) AND EXISTS (SELECT FROM pg_depend d" \
    " WHERE d.refclassid = 'pg_collation'::regclass AND d.refobjid = c.oid AND d.classid = 'pg_class'::regclass)"
/* What the service has instead of superusers and of files of settings. */
#define SERVICE \
    "SELECT rolname, CASE rolname WHEN 'rds_superuser' THEN 'RDS: rds.logical_replication stands for wal_level, rds_replication for REPLICATION'" \
    " WHEN 'cloudsqlsuperuser' THEN 'Cloud SQL: cloudsql.logical_decoding stands for wal_level'" \
    " ELSE 'Azure: wal_level is a server parameter' END FROM pg_roles WHERE rolname IN ('rds_superuser', 'cloudsqlsuperuser', 'azure_pg_admin')"

#define HAS_KEY "EXISTS (SELECT FROM pg_index i WHERE indrelid = t.oid AND indisprimary AND indimmediate AND indisvalid)"
#define CHANGES \
    "(SELECT format(' (%s updates, %s deletes)', n_tup_upd, n_tup_del) FROM pg_stat_user_tables s WHERE s.relid = t.oid)"
#define SUBSCRIBED \
    "EXISTS (SELECT FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database() AND subname::text = sub)"

/* The types that a column is made of, down to those that are compared by themselves: elements, bases, fields. What has
 * neither a btree nor a hash opclass by default, nor is binary coercible to one that has, can't be compared (4.2). */
#define PARTS_OF_COLUMNS \
    "SELECT DISTINCT part.name || '.' || quote_ident(part.attname), format('REPLICA IDENTITY FULL, no key, and type %s', part.typ::regtype)" \
    " FROM (WITH RECURSIVE part(name, attname, typ) AS (" \
    "   SELECT t.name, a.attname, a.atttypid FROM t JOIN pg_attribute a ON attrelid = t.oid AND attnum > 0 AND NOT attisdropped" \
    "    WHERE ident = 'f' AND relkind = 'r' AND NOT " HAS_KEY \
    "   UNION SELECT p.name, p.attname, deeper.typ FROM part p JOIN pg_type y ON y.oid = p.typ, LATERAL (" \
    "    SELECT y.typbasetype WHERE y.typtype = 'd' UNION ALL SELECT y.typelem WHERE y.typcategory = 'A' AND y.typelem <> 0" \
    "    UNION ALL SELECT f.atttypid FROM pg_attribute f WHERE y.typtype = 'c' AND f.attrelid = y.typrelid AND attnum > 0 AND NOT attisdropped" \
    "   ) deeper(typ)) SELECT * FROM part) part JOIN pg_type y ON y.oid = part.typ" \
    " WHERE y.typtype = 'b' AND y.typcategory <> 'A' AND NOT EXISTS (SELECT FROM pg_opclass o JOIN pg_am ON pg_am.oid = opcmethod" \
    "  WHERE opcdefault AND amname IN ('btree', 'hash') AND (opcintype = y.oid OR EXISTS (SELECT FROM pg_cast" \
    "   WHERE castsource = y.oid AND casttarget = opcintype AND castmethod = 'b' AND castcontext = 'i')))"

const struct audit_row audit_rows[] = {
    /* blockers */
    {"server", AUDIT_BLOCKER, BLUE, 0, 12, VERSION, "logical replication by cutover begins with 13"},
    {"server", AUDIT_BLOCKER, GREEN, 0, 12, VERSION, "logical replication by cutover begins with 13"},
    {"server", AUDIT_BLOCKER, BLUE, 0, 0, STANDBY, "name the primary in the plan"},
    {"server", AUDIT_BLOCKER, GREEN, 0, 0, STANDBY, "name the primary in the plan"},
    {"wal_level", AUDIT_BLOCKER, BLUE, 0, 0,
     "SELECT 'wal_level', current_setting('wal_level') || ' on blue' WHERE current_setting('wal_level') <> 'logical'",
     "set wal_level = logical on blue and restart it"},
    LIMIT_ROWS(BLUE, "blue", 0, 0, "max_replication_slots", USED_SLOTS, BLUE_LEAST, BLUE_BEST),
    LIMIT_ROWS(BLUE, "blue", 0, 0, "max_wal_senders", USED_SENDERS, BLUE_LEAST, BLUE_BEST),
    LIMIT_ROWS(GREEN, "green", 0, 0, "max_logical_replication_workers", USED_APPLY, GREEN_LEAST, GREEN_WISHED),
    LIMIT_ROWS(GREEN, "green", 0, 0, "max_worker_processes", USED_PROCESSES, GREEN_LEAST, GREEN_BEST),
    LIMIT_ROWS(GREEN, "green", 0, 17, "max_replication_slots", USED_ORIGINS, GREEN_LEAST, GREEN_BEST),
    LIMIT_ROWS(GREEN, "green", 18, 0, "max_active_replication_origins", USED_ORIGINS, GREEN_LEAST, GREEN_BEST),
    {"wal_level", AUDIT_BLOCKER, GREEN, 0, 0,
     "SELECT 'wal_level', current_setting('wal_level') || ' on green' FROM plan WHERE reverse AND current_setting('wal_level') <> 'logical'",
     "the way back needs logical: set it on green and restart it, or set reverse = false"},
    LIMIT_BACK(GREEN, "green", 0, 0, "max_replication_slots", USED_SLOTS, "green_subs"),
    LIMIT_BACK(GREEN, "green", 0, 0, "max_wal_senders", USED_SENDERS, "green_subs"),
    LIMIT_BACK(BLUE, "blue", 0, 0, "max_logical_replication_workers", USED_APPLY, "blue_subs"),
    LIMIT_BACK(BLUE, "blue", 0, 0, "max_worker_processes", USED_PROCESSES, "(blue_subs + 1)"),
    LIMIT_BACK(BLUE, "blue", 0, 17, "max_replication_slots", USED_ORIGINS, "blue_subs"),
    LIMIT_BACK(BLUE, "blue", 18, 0, "max_active_replication_origins", USED_ORIGINS, "blue_subs"),
    {"role", AUDIT_BLOCKER, BLUE, 0, 0,
     "SELECT current_user, 'neither superuser nor REPLICATION on blue' WHERE NOT " ROLE("rolsuper OR rolreplication") " AND NOT " RDS_REPLICATION,
     "ALTER ROLE ... REPLICATION (RDS: GRANT rds_replication)"},
    {"role", AUDIT_BLOCKER, BLUE, 0, 0,
     "SELECT current_user, 'not a superuser on blue, and FOR ALL TABLES needs one' FROM plan"
     " WHERE cardinality(tables) = 0 AND NOT " ROLE("rolsuper") " AND NOT " MANAGED,
     "name the tables in the plan, or connect as a superuser"},
    {"role", AUDIT_BLOCKER, BLUE, 0, 0, NO_CREATE, "GRANT CREATE ON DATABASE: publication and schema cutover need it"},
    {"role", AUDIT_BLOCKER, GREEN, 0, 15,
     "SELECT current_user, 'not a superuser on green' WHERE NOT " ROLE("rolsuper") " AND NOT " MANAGED,
     "CREATE SUBSCRIPTION needs one before 16"},
    {"role", AUDIT_BLOCKER, GREEN, 16, 0,
     "SELECT current_user, 'neither superuser nor member of pg_create_subscription on green' WHERE NOT " ROLE("rolsuper")
     " AND NOT pg_has_role('pg_create_subscription', 'MEMBER') AND NOT " MANAGED,
     "GRANT pg_create_subscription to it"},
    {"role", AUDIT_BLOCKER, GREEN, 0, 0, NO_CREATE, "GRANT CREATE ON DATABASE: subscription and schema cutover need it"},
    {"tables of the plan", AUDIT_BLOCKER, BLUE, 0, 0,
     "SELECT p, 'no permanent table of blue' FROM plan, unnest(tables) p"
     " WHERE NOT EXISTS (SELECT FROM t WHERE name = p OR nspname || '.' || relname = p)",
     "correct the plan (schema.table)"},
    {"owner", AUDIT_BLOCKER, BLUE, 0, 0,
     "SELECT name, format('owned by %s, and we may not act as this role', pg_get_userbyid(relowner)) FROM t, plan"
     " WHERE cardinality(tables) > 0 AND NOT pg_has_role(relowner, 'USAGE')",
     "publishing a table needs its owner: GRANT that role to ours"},
    {"replica identity", AUDIT_BLOCKER, BLUE, 0, 0,
     "SELECT name, CASE WHEN ident = 'n' THEN 'replica identity NOTHING' WHEN ident = 'i' THEN 'identity index is gone'"
     " WHEN EXISTS (SELECT FROM pg_index i WHERE indrelid = t.oid AND indisprimary) THEN 'primary key is deferrable'"
     " ELSE 'no primary key' END || coalesce(" CHANGES ", '') FROM t WHERE relkind = 'r' AND CASE ident WHEN 'f' THEN false"
     " WHEN 'd' THEN NOT " HAS_KEY
     " WHEN 'i' THEN NOT EXISTS (SELECT FROM pg_index i WHERE indrelid = t.oid AND indisreplident AND indimmediate AND indisvalid) ELSE true END",
     "once published, UPDATE and DELETE fail on blue: add a key (unless it is insert-only: unknown)"},
    {"full identity", AUDIT_BLOCKER, BLUE, 0, 0, PARTS_OF_COLUMNS, "its values can't be compared, so no UPDATE or DELETE can be applied: add a key"},
    {"sequence privilege", AUDIT_BLOCKER, BLUE, 0, 0,
     "SELECT name, 'we may not read this sequence' FROM rel"
     " WHERE CASE relkind WHEN 'S' THEN NOT has_sequence_privilege(oid, 'SELECT') ELSE false END",
     "GRANT SELECT on it; else green starts it anew"},
    {"table privilege", AUDIT_BLOCKER, BLUE, 0, 0,
     "SELECT name, 'we may not read this table' FROM t, plan WHERE same_role AND relkind = 'r' AND NOT has_table_privilege(oid, 'SELECT')",
     "GRANT SELECT on it; else its first copy fails"},
    {"row security", AUDIT_BLOCKER, BLUE, 0, 0,
     "SELECT name, 'row level security applies to our role' FROM t, plan WHERE same_role AND relrowsecurity AND row_security_active(oid)",
     "the first copy would lack rows without an error: connect as a role with BYPASSRLS"},
    {"rows on green", AUDIT_BLOCKER, GREEN, 0, 0,
     "SELECT name, 'it holds rows on green, and no subscription of ours is there' FROM t, plan WHERE relkind = 'r' AND NOT " SUBSCRIBED
     " AND CASE WHEN pg_relation_size(t.oid) = 0 THEN false WHEN NOT has_table_privilege(t.oid, 'SELECT') THEN true"
     " ELSE query_to_xml(format('SELECT 1 AS row FROM ONLY %s LIMIT 1', name), false, true, '')::text LIKE '%row%' END",
     "the first copy would collide or double them; TRUNCATE it on green"},

    /* warnings */
    {"server", AUDIT_WARNING, GREEN, 0, 0, VERSION " || ' on green, older than blue' FROM plan WHERE " NUMBER("server_version_num") " / 10000 < blue_version / 10000",
     "types and functions of blue may be missing there"},
    {"full identity", AUDIT_WARNING, BLUE, 0, 0,
     "SELECT name, format('REPLICA IDENTITY FULL, about %s rows', greatest(reltuples, 0)::bigint) || coalesce(" CHANGES ", '')"
     " FROM t WHERE relkind = 'r' AND ident = 'f' AND NOT " HAS_KEY,
     "each UPDATE or DELETE may read the whole table on green; better a key"},
    {"max_locks_per_transaction", AUDIT_WARNING, BLUE, 0, 0, LOCKS_SQL, "raise it on blue and restart that server, or the switch may stop before its pause"},
    {"max_locks_per_transaction", AUDIT_WARNING, GREEN, 0, 0, LOCKS_SQL, "raise it on green and restart that server, or the switch may stop before its pause"},
    {"unlogged", AUDIT_WARNING, BLUE, 0, 0, "SELECT name, 'unlogged' FROM scope WHERE persistence = 'u'",
     "its rows are not carried; SET LOGGED, or fill it on green"},
    {"foreign tables", AUDIT_WARNING, BLUE, 0, 0, "SELECT name, 'foreign table' FROM rel WHERE relkind = 'f'",
     "not carried; green must reach its server too"},
    {"materialized views", AUDIT_WARNING, BLUE, 0, 0, "SELECT name, 'materialized view' FROM rel WHERE relkind = 'm'",
     "not carried; REFRESH it on green before the switch"},
    {"large objects", AUDIT_WARNING, BLUE, 0, 0,
     "SELECT 'large objects', format('%s of them, the newest has oid %s; %s', count(*), max(oid), (SELECT CASE WHEN sum(n_tup_ins + n_tup_upd + n_tup_del) > 0"
     " THEN format('they change: %s writes since statistics began', sum(n_tup_ins + n_tup_upd + n_tup_del)) ELSE 'none was written since statistics began' END"
     " FROM pg_stat_sys_tables WHERE relname = 'pg_largeobject')) FROM pg_largeobject_metadata HAVING count(*) > 0",
     "not carried; copy them by hand (pg_dump -b) and again before the switch"},
    {"triggers", AUDIT_WARNING, GREEN, 0, 0,
     "SELECT name || ' ' || quote_ident(tgname), CASE tgenabled WHEN 'A' THEN 'ALWAYS trigger' ELSE 'REPLICA trigger' END"
     " FROM t JOIN pg_trigger ON tgrelid = t.oid WHERE NOT tgisinternal AND tgenabled IN ('A', 'R')",
     "it fires on green for each replicated row"},
    {"row security", AUDIT_WARNING, BLUE, 0, 0, "SELECT name, 'row level security' FROM t WHERE relrowsecurity",
     "a copying role without BYPASSRLS gets fewer rows and no error"},
    {"subscriptions", AUDIT_WARNING, BLUE, 0, 0,
     "SELECT subname, 'blue itself subscribes to something' FROM pg_subscription JOIN pg_database d ON d.oid = subdbid"
     " WHERE datname = current_database() AND subname NOT LIKE 'cutover\\_%'",
     "green does not take it over; plan how it moves"},
    {"leftover slots", AUDIT_WARNING, BLUE, 0, 0,
     "SELECT slot_name, 'left by a first copy that is over' FROM plan, pg_replication_slots WHERE database = current_database() AND NOT active"
     " AND slot_name ~ '^pg_[0-9]+_sync_' AND NOT EXISTS (SELECT FROM pg_replication_slots o WHERE o.slot_name::text = sub)",
     "it pins WAL until the disk is full; pg_drop_replication_slot when nobody needs it"},
    {"prepared transactions", AUDIT_WARNING, BLUE, 0, 0,
     "SELECT gid, format('prepared by %s %s min ago', owner, (extract(epoch FROM now() - prepared) / 60)::int)"
     " FROM pg_prepared_xacts WHERE database = current_database()",
     "the slot waits for it and the switch refuses it; COMMIT or ROLLBACK PREPARED"},
    {"old transactions", AUDIT_WARNING, BLUE, 0, 0,
     "SELECT 'pid ' || pid, format('%s of %s, %s, open for %s', coalesce(nullif(application_name, ''), 'a session'), usename,"
     " coalesce(state, 'unknown'), date_trunc('second', clock_timestamp() - xact_start)) FROM pg_stat_activity"
     " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
     " AND xact_start < clock_timestamp() - CASE WHEN state LIKE 'idle in%' THEN interval '5 s' ELSE interval '5 min' END"
     " AND (datname = current_database() OR backend_xid IS NOT NULL)",
     "the slot and the switch wait for it; end it"},
    {"max_slot_wal_keep_size", AUDIT_WARNING, BLUE, 0, 0,
     "SELECT 'max_slot_wal_keep_size', current_setting('max_slot_wal_keep_size') || ' on blue' WHERE current_setting('max_slot_wal_keep_size') <> '-1'",
     "a green that is further behind loses its slot, and the copy begins anew"},
    {"idle_replication_slot_timeout", AUDIT_WARNING, BLUE, 18, 0,
     "SELECT 'idle_replication_slot_timeout', current_setting('idle_replication_slot_timeout') || ' on blue'"
     " WHERE current_setting('idle_replication_slot_timeout') <> '0'",
     "a subscription that stands still for longer loses its slot"},

    {"collation version", AUDIT_WARNING, BLUE, 15, 0, COLLATION_OF_DATABASE, "indexes on text may be broken: REINDEX, REFRESH COLLATION VERSION"},
    {"collation version", AUDIT_WARNING, GREEN, 15, 0, COLLATION_OF_DATABASE, "indexes on text may be broken on green: REINDEX, REFRESH COLLATION VERSION"},
    {"collation version", AUDIT_WARNING, BLUE, 0, 0, COLLATIONS, "indexes that use it may be broken: REINDEX, REFRESH VERSION"},
    {"collation version", AUDIT_WARNING, GREEN, 0, 0, COLLATIONS, "indexes that use it may be broken on green: REINDEX, REFRESH VERSION"},

    /* notes */
    {"managed service", AUDIT_NOTE, BLUE, 0, 0, SERVICE, "on blue: name the tables in the plan if ALL TABLES is refused"},
    {"managed service", AUDIT_NOTE, GREEN, 0, 0, SERVICE, "on green: it subscribes with a password over there"},
    {"server", AUDIT_NOTE, BLUE, 19, 0, VERSION, "newer than what cutover was tested with (13 to 18)"},
    {"server", AUDIT_NOTE, GREEN, 19, 0, VERSION, "newer than what cutover was tested with (13 to 18)"},
    {"slots", AUDIT_NOTE, BLUE, 0, 0,
     "SELECT slot_name, format('logical slot of others (%s)', plugin) FROM plan, pg_replication_slots"
     " WHERE slot_type = 'logical' AND database = current_database() AND NOT " OURS("slot_name::text"),
     "its consumer must be moved to green too"},
    {"full identity", AUDIT_NOTE, BLUE, 0, 0, "SELECT name, 'REPLICA IDENTITY FULL beside a key' FROM t WHERE relkind = 'r' AND ident = 'f' AND " HAS_KEY,
     "whole old rows are sent; the key alone (DEFAULT) would do"},
    {"event triggers", AUDIT_NOTE, BLUE, 0, 0, "SELECT evtname, format('event trigger on %s', evtevent) FROM pg_event_trigger WHERE evtenabled <> 'D'",
     "DDL of cutover on blue fires it"},
    {"event triggers", AUDIT_NOTE, GREEN, 0, 0,
     "SELECT evtname, format('event trigger on %s, on green', evtevent) FROM pg_event_trigger WHERE evtenabled <> 'D'",
     "DDL of cutover on green fires it"},
    {"generated columns", AUDIT_NOTE, BLUE, 0, 0,
     "SELECT name || '.' || quote_ident(attname), 'generated column' FROM t JOIN pg_attribute ON attrelid = t.oid WHERE attgenerated <> '' AND NOT attisdropped",
     "computed anew on green, by green's own expression"},
    {"tables outside", AUDIT_NOTE, BLUE, 0, 0,
     "SELECT 'tables', format('%s of blue are not in the plan', count(*)) FROM rel, plan WHERE cardinality(tables) > 0 AND relkind = 'r'"
     " AND oid NOT IN (SELECT oid FROM scope) HAVING count(*) > 0",
     "they stay where they are"},
};
const int audit_nrows = ARRAY_LEN(audit_rows);
