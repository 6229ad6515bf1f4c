/* What is read on both sides and compared: data. The order is made by whoever asks (bytes of owner, then of part). */
#include "core/step/audit_inner.h"

/* Columns begin with a dot, so that owner and part read as one name; everything else begins with a space. */
#define TABLES \
    "SELECT name, '', CASE persistence WHEN 'u' THEN 'unlogged table' ELSE 'table' END," \
    " CASE WHEN relispartition THEN coalesce('partition of ' || (SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = scope.oid LIMIT 1), 'partition')" \
    "  ELSE 'table' END, false, 'blocker' FROM scope"
#define COLUMNS \
    "SELECT name, '.' || attname, format_type(atttypid, atttypmod) || CASE WHEN attgenerated <> '' THEN ' generated' ELSE '' END," \
    " 'column', attnotnull AND NOT atthasdef AND attidentity = '', 'blocker'" \
    " FROM scope JOIN pg_attribute ON attrelid = scope.oid AND attnum > 0 AND NOT attisdropped"
/* The columns by which green finds the row that blue changed; the apply worker stops with an error when they don't fit. */
#define IDENTITY \
    "SELECT name, ' key', string_agg(attname, ', ' ORDER BY attname COLLATE \"C\"), 'replica identity', false, 'blocker'" \
    " FROM scope JOIN LATERAL (SELECT indexrelid FROM pg_index WHERE indrelid = scope.oid AND indisvalid AND indimmediate" \
    "   AND (indisprimary OR indisreplident) ORDER BY indisreplident DESC LIMIT 1) i ON true" \
    " JOIN pg_attribute ON attrelid = i.indexrelid WHERE relkind = 'r' AND ident IN ('d', 'i') GROUP BY name"
#define INDEXES \
    "SELECT name, ' index ' || x.relname, '', 'index', false, 'warning'" \
    " FROM scope JOIN pg_index i ON indrelid = scope.oid JOIN pg_class x ON x.oid = indexrelid WHERE NOT indisprimary"
#define TRIGGERS \
    "SELECT name, ' trigger ' || tgname, '', 'trigger', false, 'warning'" \
    " FROM scope JOIN pg_trigger ON tgrelid = scope.oid WHERE NOT tgisinternal"
#define OWNERS "SELECT name, ' owner', pg_get_userbyid(relowner), 'owner', false, 'warning' FROM scope"
/* MAINTAIN is new in 17. */
#define GRANTS \
    "SELECT name, ' grant to ' || who, string_agg(privilege_type, ' ' ORDER BY privilege_type COLLATE \"C\"), 'grant', false, 'warning'" \
    " FROM (SELECT name, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END AS who, privilege_type" \
    "   FROM scope, aclexplode(relacl) WHERE grantee <> relowner AND privilege_type <> 'MAINTAIN') g GROUP BY name, who"
#define ALSO " UNION ALL "

const struct audit_list audit_lists[] = {
    {"schema", false, true, TABLES ALSO COLUMNS ALSO IDENTITY ALSO INDEXES ALSO TRIGGERS ALSO OWNERS ALSO GRANTS,
     "give green the schema of blue (pg_dump -s)", NULL},
    {"sequences", false, true,
     "SELECT name, '', '', 'sequence', false, 'blocker' FROM rel, plan WHERE relkind = 'S' AND cardinality(tables) = 0",
     "the switch sets it on green; give green the schema of blue (pg_dump -s)", NULL},
    {"views and functions", false, true,
     "SELECT name, '', '', CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END, false, 'warning'"
     " FROM rel WHERE relkind IN ('v', 'm', 'f')"
     ALSO "SELECT p.oid::regprocedure::text, '', '', CASE prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, false, 'warning'"
     " FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace"
     " WHERE n.nspname NOT IN ('information_schema', 'cutover') AND n.nspname NOT LIKE 'pg\\_%'"
     " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')",
     "give green the schema of blue (pg_dump -s)", NULL},
    {"extensions", true, false, "SELECT extname, '', extversion, 'extension', false, 'blocker' FROM pg_extension",
     "install its package, then CREATE EXTENSION on green",
     "SELECT name, '', default_version, 'extension', false, 'blocker' FROM pg_available_extensions"},
    {"roles", false, false, "SELECT rolname, '', '', 'role', false, 'warning' FROM pg_roles WHERE rolname NOT LIKE 'pg\\_%'",
     "its logins fail on green: create it there (pg_dumpall -g)", NULL},
    {"privileges", false, true,
     "SELECT what, ' grant to ' || who, string_agg(privilege_type, ' ' ORDER BY privilege_type COLLATE \"C\"), 'grant', false, 'warning'"
     " FROM (SELECT 'schema ' || quote_ident(nspname) AS what, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END AS who, privilege_type, grantee, nspowner AS owner"
     "   FROM pg_namespace, aclexplode(nspacl) WHERE nspname NOT IN ('information_schema', 'cutover', 'public') AND nspname NOT LIKE 'pg\\_%'"
     "  UNION ALL SELECT 'sequence ' || name, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END, privilege_type, grantee, relowner"
     "   FROM rel, aclexplode(relacl) WHERE relkind = 'S') g WHERE grantee <> owner GROUP BY what, who",
     "GRANT it on green (pg_dump -s)", NULL},
    {"settings", false, false,
     "SELECT CASE setrole WHEN 0 THEN 'database' ELSE 'role ' || pg_get_userbyid(setrole) END, ' ' || split_part(c, '=', 1), substr(c, strpos(c, '=') + 1), 'setting', false, 'warning'"
     " FROM pg_db_role_setting s, unnest(setconfig) c WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))"
     " AND c NOT LIKE 'default_transaction_read_only=%'",
     "ALTER ROLE or ALTER DATABASE ... SET it on green (pg_dumpall -g)", NULL},
    {"locale", false, false,
     "SELECT v.name, '', coalesce(v.value, ''), 'setting', false, 'warning' FROM (SELECT pg_encoding_to_char(encoding) AS enc, to_jsonb(d) AS j"
     "  FROM pg_database d WHERE datname = current_database()) d, LATERAL (VALUES ('encoding', enc), ('collation', j->>'datcollate'),"
     "  ('character type', j->>'datctype'), ('locale provider', coalesce(j->>'datlocprovider', 'c')),"
     "  ('locale', coalesce(j->>'datlocale', j->>'daticulocale')), ('collation rules', j->>'daticurules')) v(name, value)",
     "order and uniqueness of text may differ: create green's database with the locale of blue", NULL},
    /* Of the library, not as it was when the database was made: the rows above compare these two. No side sorts C, POSIX or builtin by one. */
    {"sort order", false, false,
     "SELECT 'sort order', '', coalesce(CASE p WHEN 'i' THEN 'ICU ' || (SELECT pg_collation_actual_version(oid) FROM pg_collation WHERE collname = 'und-x-icu')"
     "  WHEN 'c' THEN 'libc ' || (SELECT max(pg_collation_actual_version(oid)) FROM pg_collation WHERE collprovider = 'c'"
     "   AND lower(replace(collcollate, '-', '')) = lower(replace(j->>'datcollate', '-', ''))) END, ''), 'library', false, 'warning'"
     " FROM (SELECT to_jsonb(d) AS j, coalesce(to_jsonb(d)->>'datlocprovider', 'c') AS p FROM pg_database d WHERE datname = current_database()) d",
     "the libraries may sort text differently: look at what relies on its order, and never copy an index's files", NULL},
};
const int audit_nlists = ARRAY_LEN(audit_lists);
