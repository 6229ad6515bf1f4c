/* DDL on blue while replication runs: logical replication carries rows, not definitions. Blue's schema is read object by object when
 * the slot is first seen; from then on a cheap sum over the catalogs says every few seconds whether anything was defined anew, and
 * only then the objects are read again. What changed is named, and stays a drift until green shows the same: the same DDL was run
 * there; then that is the beginning of what comes next. Large objects belong to it: they are not carried either, so one that came or went must be copied by hand.
 *
 * An engine that took the run up again knows the sum of the schema at the beginning from the journal, not its objects: if that
 * differs, what differs between blue and green now is taken for what changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/source/pgline.h"
#include "core/text.h"

enum { SUM, OBJECTS, GREEN_OBJECTS };
enum { INTERVAL = 2000, TELL_EVERY = 15000, IDLE = 1000 };

struct objects { /* sorted by name, byte by byte */
    struct arena arena;
    struct object {
        const char *name, *hash;
    } *object;
    int count;
};
struct own {
    struct pgline line[SIDES];
    struct objects base, blue, green;
    bool has_base;
    char base_hash[40], sum[40];
    int drift;
    char object[96], change[12];
    int64_t told; /* clock_mono of the last record */
    bool changed; /* since then */
};

/* What is of the plan: `tables` empty = everything. */
#define REL \
    "rel AS (SELECT c.oid, c.xmin, c.relkind::text AS kind, n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, plan" \
    "  WHERE n.nspname NOT IN ('information_schema', 'cutover') AND n.nspname NOT LIKE 'pg\\_%' AND c.relpersistence <> 't'" \
    "  AND (cardinality(tables) = 0 OR n.nspname || '.' || c.relname = ANY (tables) OR EXISTS (SELECT FROM pg_partition_ancestors(c.oid) a(o) JOIN pg_class p ON p.oid = a.o" \
    "   JOIN pg_namespace m ON m.oid = p.relnamespace WHERE m.nspname || '.' || p.relname = ANY (tables)))) "
#define USERS_OWN "n.nspname NOT IN ('information_schema', 'cutover') AND n.nspname NOT LIKE 'pg\\_%'"
#define ADDED_UP "count(*) || ':' || coalesce(sum(x.xmin::text::bigint), 0)"
static const char sum_sql[] =
    REL "SELECT md5(concat_ws('/', (SELECT " ADDED_UP " FROM rel x),"
    " (SELECT " ADDED_UP " FROM pg_attribute x JOIN rel ON attrelid = oid), (SELECT " ADDED_UP " FROM pg_index x JOIN rel ON indrelid = oid),"
    " (SELECT " ADDED_UP " FROM pg_constraint x JOIN rel ON conrelid = rel.oid), (SELECT " ADDED_UP " FROM pg_trigger x JOIN rel ON tgrelid = rel.oid),"
    " (SELECT " ADDED_UP " FROM pg_attrdef x JOIN rel ON adrelid = rel.oid), (SELECT " ADDED_UP " FROM pg_enum x), (SELECT " ADDED_UP " FROM pg_extension x),"
    " (SELECT " ADDED_UP " FROM pg_rewrite x JOIN rel ON ev_class = rel.oid), (SELECT " ADDED_UP " FROM pg_proc x JOIN pg_namespace n ON n.oid = pronamespace WHERE " USERS_OWN "),"
    " (SELECT count(*) || ':' || coalesce(max(oid::bigint), 0) FROM pg_largeobject_metadata)))";

/* Text that the server writes in the same way in 13 to 18. NOT NULL stands in the columns; from 18 on it is a constraint (n) as well. */
static const char objects_sql[] =
    REL "SELECT o.name, md5(o.text) FROM ("
    "SELECT 'table ' || name AS name, string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull, attgenerated, attidentity, pg_get_expr(adbin, adrelid)), ','"
    "   ORDER BY attname::text COLLATE \"C\") AS text FROM rel JOIN pg_attribute ON attrelid = oid AND attnum > 0 AND NOT attisdropped"
    "   LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum WHERE kind IN ('r', 'p', 'f') GROUP BY name"
    " UNION ALL SELECT 'index ' || indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM rel JOIN pg_index ON indrelid = oid WHERE kind IN ('r', 'p', 'm')"
    " UNION ALL SELECT 'constraint ' || conname || ' of ' || name, pg_get_constraintdef(c.oid) FROM rel JOIN pg_constraint c ON conrelid = rel.oid WHERE contype NOT IN ('n', 't')"
    " UNION ALL SELECT 'trigger ' || tgname || ' of ' || name, pg_get_triggerdef(t.oid) FROM rel JOIN pg_trigger t ON tgrelid = rel.oid WHERE NOT tgisinternal"
    " UNION ALL SELECT 'view ' || name, pg_get_viewdef(oid) FROM rel WHERE kind IN ('v', 'm')"
    " UNION ALL SELECT 'sequence ' || name, '' FROM rel, plan WHERE kind = 'S' AND cardinality(tables) = 0"
    " UNION ALL SELECT 'function ' || p.oid::regprocedure::text, concat_ws('/', prosrc, pg_get_function_result(p.oid), lanname) FROM pg_proc p JOIN pg_language l ON l.oid = prolang JOIN pg_namespace n ON n.oid = pronamespace, plan"
    "   WHERE " USERS_OWN " AND cardinality(tables) = 0 AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')"
    " UNION ALL SELECT 'type ' || enumtypid::regtype::text, string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum GROUP BY enumtypid"
    " UNION ALL SELECT 'extension ' || extname, extversion FROM pg_extension"
    " UNION ALL SELECT 'large objects', count(*) || ' ' || max(oid::bigint) FROM pg_largeobject_metadata HAVING count(*) > 0"
    ") o ORDER BY o.name COLLATE \"C\"";

static int count(const struct plan *p)
{
    return p->ndatabases;
}

static void name_of(const struct plan *p, int index, char *buf, size_t size)
{
    snprintf(buf, size, "schema of %s", p->databases[index].name);
}

static const struct plan_database *db_of(const struct source *s)
{
    return &s->plan->databases[s->index];
}

static const struct model_db *model_of(const struct source *s)
{
    return s->model ? &s->model->db[s->index] : NULL;
}

static void forget(struct objects *o)
{
    arena_free(&o->arena);
    *o = (struct objects){0};
}

static void take(struct objects *o, const struct pg *pg)
{
    forget(o);
    o->count = pg_rows(pg);
    o->object = arena_alloc(&o->arena, sizeof *o->object * (size_t)MAX(o->count, 1));
    for (int i = 0; i < o->count; i++)
        o->object[i] = (struct object){arena_strdup(&o->arena, pg_value(pg, i, 0)), arena_strdup(&o->arena, pg_value(pg, i, 1))};
}

static void hash_of(const struct objects *o, char out[40])
{
    uint64_t h[2] = {14695981039346656037u, 1099511628211u}; /* FNV-1a, twice: it only tells same from other */
    for (int i = 0; i < o->count; i++)
        for (int half = 0; half < 2; half++)
            for (const char *c = half ? o->object[i].hash : o->object[i].name; *c; c++) {
                h[0] = (h[0] ^ (unsigned char)*c) * 1099511628211u;
                h[1] = (h[1] ^ (unsigned char)*c) * 6364136223846793005u + 1;
            }
    snprintf(out, 40, "%016llx%016llx", (unsigned long long)h[0], (unsigned long long)h[1]);
}

static const char *find(const struct objects *o, const char *name)
{
    int low = 0, high = o->count - 1;
    while (low <= high) {
        int mid = (low + high) / 2, c = strcmp(name, o->object[mid].name);
        if (c == 0)
            return o->object[mid].hash;
        low = c > 0 ? mid + 1 : low;
        high = c > 0 ? high : mid - 1;
    }
    return NULL;
}

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* One object that is not as it was: a drift as long as green shows something else than blue. */
static void judge(struct own *o, const char *name, const char *before, const char *now)
{
    if (is_same(before, now) || is_same(now, find(&o->green, name)))
        return;
    if (o->drift++ > 0)
        return;
    text_line(o->object, sizeof o->object, name, strlen(name));
    copy_text(o->change, sizeof o->change, !before ? "new" : !now ? "dropped" : "altered");
}

static void compare(struct own *o)
{
    o->drift = 0;
    o->object[0] = o->change[0] = '\0';
    for (int i = 0; i < o->blue.count; i++)
        judge(o, o->blue.object[i].name, find(&o->base, o->blue.object[i].name), o->blue.object[i].hash);
    for (int i = 0; i < o->base.count; i++)
        if (!find(&o->blue, o->base.object[i].name))
            judge(o, o->base.object[i].name, o->base.object[i].hash, NULL);
}

static void record(struct source *s)
{
    struct own *o = s->own;
    if (!o->changed && clock_mono() - o->told < TELL_EVERY)
        return;
    o->changed = false;
    o->told = clock_mono();
    RECORD(s->door, schema_seen, .db = db_of(s)->name, .base = o->base_hash, .objects = o->blue.count, .drift = o->drift, .object = o->object, .change = o->change);
}

/* The statement with the plan's tables, and names written in full. */
static bool ask(struct source *s, enum side side, const char *sql)
{
    struct own *o = s->own;
    struct buf names = {0}, text = {0};
    if (!pgline_up(s, &o->line[side], db_of(s)->conninfo[side]))
        return false;
    for (int i = 0; i < db_of(s)->ntables; i++)
        pg_array_add(&names, db_of(s)->tables[i]);
    pg_array_end(&names);
    buf_puts(&text, "SET search_path = pg_catalog; SET statement_timeout = '5s'; WITH plan AS (SELECT ");
    pg_put_literal(&text, names.text);
    buf_printf(&text, "::text[] AS tables), %s", sql);
    bool answered = pgline_ask(s, &o->line[side], text.text, -1, NULL);
    buf_free(&names);
    buf_free(&text);
    return answered;
}

/* Before the first copy nothing is compared, and after the commit blue is closed to everybody. */
static bool is_wanted(const struct source *s)
{
    const struct model_db *m = model_of(s);
    return m && *m->slot && !s->model->committed;
}

static void start_over(struct own *o)
{
    forget(&o->base);
    forget(&o->blue);
    forget(&o->green);
    o->has_base = false;
    o->sum[0] = o->base_hash[0] = '\0';
    o->drift = 0;
}

static void take_base(struct source *s)
{
    struct own *o = s->own;
    const struct model_db *m = model_of(s);
    char now[40];
    hash_of(&o->blue, now);
    o->has_base = true;
    bool resumed = m && *m->schema_base && strcmp(m->schema_base, now) != 0;
    copy_text(o->base_hash, sizeof o->base_hash, resumed ? m->schema_base : now);
    take(&o->base, o->line[resumed ? GREEN : BLUE].pg);
}

/* What green has too is the beginning of what comes next. */
static void begin_anew(struct own *o)
{
    forget(&o->base);
    o->base = o->blue;
    o->blue = (struct objects){.count = o->base.count};
    hash_of(&o->base, o->base_hash);
}

static void next_look(struct source *s)
{
    record(s);
    source_worked(s);
    s->task.at = SUM;
    task_sleep(&s->task, INTERVAL);
}

static void run(struct task *task)
{
    struct source *s = (struct source *)task;
    struct own *o = s->own;
    if (task->at == SUM && !is_wanted(s)) {
        start_over(o);
        source_worked(s);
        task_sleep(task, IDLE);
        return;
    }
    switch (task->at) {
    case SUM:
        if (!ask(s, BLUE, sum_sql))
            return;
        /* A drift is looked at again in any case: green may have it by now. */
        if (o->has_base && !o->drift && strcmp(o->sum, pg_value(o->line[BLUE].pg, 0, 0)) == 0) {
            next_look(s);
            return;
        }
        copy_text(o->sum, sizeof o->sum, pg_value(o->line[BLUE].pg, 0, 0));
        task->at = OBJECTS;
        /* fall through */
    case OBJECTS:
        if (!ask(s, BLUE, objects_sql))
            return;
        take(&o->blue, o->line[BLUE].pg);
        task->at = GREEN_OBJECTS;
        /* fall through */
    case GREEN_OBJECTS: {
        int drift = o->drift;
        char object[sizeof o->object];
        if (!ask(s, GREEN, objects_sql))
            return;
        take(&o->green, o->line[GREEN].pg);
        if (!o->has_base)
            take_base(s), o->changed = true;
        copy_text(object, sizeof object, o->object);
        compare(o);
        o->changed = o->changed || drift != o->drift || strcmp(object, o->object) != 0;
        if (!o->drift)
            begin_anew(o);
        next_look(s);
    }
    }
}

static void free_own(struct source *s)
{
    struct own *o = s->own;
    start_over(o);
    pgline_free(&o->line[BLUE]);
    pgline_free(&o->line[GREEN]);
}

const struct source_kind source_schema = {.name = "schema", .own_size = sizeof(struct own), .count = count, .name_of = name_of, .run = run, .free_own = free_own};
