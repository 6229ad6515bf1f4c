/* A pooler's admin console, once a second: where it sends its clients, whether it is paused, who waits. pgbouncer(1), SHOW. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pooler.h"
#include "core/source/pgline.h"

enum { DATABASES, POOLS };
enum { INTERVAL = 1000 };

struct own {
    struct pgline line;
    bool found, paused;
    char target[8];
};

static const struct plan_pooler *pooler_at(const struct plan *p, int index, const struct plan_database **db)
{
    for (int i = 0; i < p->ndatabases; i++) {
        *db = &p->databases[i];
        if (index < (*db)->npoolers)
            return &(*db)->poolers[index];
        index -= (*db)->npoolers;
    }
    return NULL;
}

static int count(const struct plan *p)
{
    int n = 0;
    for (int i = 0; i < p->ndatabases; i++)
        n += p->databases[i].npoolers;
    return n;
}

static void name_of(const struct plan *p, int index, char *buf, size_t size)
{
    const struct plan_database *db;
    snprintf(buf, size, "pooler %s", pooler_at(p, index, &db)->name);
}

static const char *value(const struct pg *pg, int row, const char *column)
{
    int c = pg_column(pg, column);
    return c < 0 ? "" : pg_value(pg, row, c);
}

static void take_databases(struct own *o, const struct plan_pooler *p)
{
    const struct pg *pg = o->line.pg;
    o->found = false;
    for (int i = 0; i < pg_rows(pg); i++) {
        if (strcmp(value(pg, i, "name"), p->database) != 0)
            continue;
        const char *host = value(pg, i, "host"), *port = value(pg, i, "port"), *database = value(pg, i, "database");
        o->found = true;
        o->paused = atoi(value(pg, i, "paused")) != 0;
        copy_text(o->target, sizeof o->target, pooler_is_target(p->target[BLUE], host, port, database) ? "blue" : pooler_is_target(p->target[GREEN], host, port, database) ? "green" : "other");
    }
}

/* A pool is one database and user: their clients add, the longest wait is the longest of all. */
static void take_pools(struct source *s, const struct plan_database *db, const struct plan_pooler *p)
{
    struct own *o = s->own;
    const struct pg *pg = o->line.pg;
    int64_t active = 0, waiting = 0, longest = 0;
    for (int i = 0; i < pg_rows(pg); i++) {
        if (strcmp(value(pg, i, "database"), p->database) != 0)
            continue;
        active += atoll(value(pg, i, "cl_active"));
        waiting += atoll(value(pg, i, "cl_waiting"));
        longest = MAX(longest, (int64_t)atoll(value(pg, i, "maxwait")) * 1000 + atoll(value(pg, i, "maxwait_us")) / 1000);
    }
    RECORD(s->door, pooler_seen, .db = db->name, .pooler = p->name, .reachable = true, .paused = o->paused, .target = o->target, .active = active, .waiting = waiting,
        .longest_wait = longest, .error = "");
    source_worked(s);
}

/* A pooler that does not answer is recorded too: whether it is paused is then unknown. Said once a try. */
static void record_lost(struct source *s, const struct plan_database *db, const struct plan_pooler *p, const char *error)
{
    RECORD(s->door, pooler_seen, .db = db->name, .pooler = p->name, .reachable = false, .paused = false, .target = "", .active = UNKNOWN, .waiting = UNKNOWN,
        .longest_wait = UNKNOWN, .error = error);
}

static void run(struct task *task)
{
    struct source *s = (struct source *)task;
    struct own *o = s->own;
    const struct plan_database *db;
    const struct plan_pooler *p = pooler_at(s->plan, s->index, &db);
    int64_t looks = s->looks;
    if (!pgline_up(s, &o->line, p->admin) || !pgline_ask(s, &o->line, task->at == DATABASES ? "SHOW DATABASES" : "SHOW POOLS", -1, NULL)) {
        if (s->looks != looks) {
            task->at = DATABASES;
            record_lost(s, db, p, pg_error(o->line.pg));
        }
        return;
    }
    if (task->at == DATABASES) {
        take_databases(o, p);
        if (!o->found) {
            source_failed(s, "the pooler %s has no database \"%s\"; compare the plan with its configuration", p->name, p->database);
            task_sleep(task, s->pause);
            return;
        }
        task->at = POOLS;
        task_sleep(task, 0);
        return;
    }
    take_pools(s, db, p);
    task->at = DATABASES;
    task_sleep(task, INTERVAL);
}

static void free_own(struct source *s)
{
    pgline_free(&((struct own *)s->own)->line);
}

const struct source_kind source_pooler = {.name = "pooler", .own_size = sizeof(struct own), .count = count, .name_of = name_of, .run = run, .free_own = free_own};
