/* backup: the dump can be restored, into a database of its own in a scratch cluster, and the tables named in the plan hold
 * rows there. pg_restore(1); the time that it took is the measured restore time. */
#include <stdio.h>
#include <string.h>

#include "core/check/check.h"
#include "core/child.h"
#include "core/format.h"
#include "core/pg.h"
#include "core/text.h"

#define SCRATCH "cutover_restore"

enum { CONNECT, DROP, CREATE, RESTORE, RESTORED, CONNECTED, COUNTED };
enum { SQL_TIMEOUT = 20000, RESTORE_TIMEOUT = 3600000 };

struct own {
    struct pg *pg;
    struct child *child;
    char into[900];
    int table;
    int64_t rows, took;
};

static void wait_pg(struct check_run *run, int then)
{
    run->task.at = then;
    task_wait(&run->task, SQL_TIMEOUT + 1000);
}

static void query(struct check_run *run, const char *sql, int then)
{
    pg_query(((struct own *)run->own)->pg, sql, 0, NULL, SQL_TIMEOUT);
    wait_pg(run, then);
}

static void connect_to(struct check_run *run, const char *conninfo, int then)
{
    struct own *o = run->own;
    pg_free(o->pg);
    o->pg = pg_new(&run->task, conninfo);
    pg_connect(o->pg, SQL_TIMEOUT);
    wait_pg(run, then);
}

static void restore(struct check_run *run)
{
    struct own *o = run->own;
    const char *argv[] = {"pg_restore", "--exit-on-error", "--no-owner", "--no-privileges", "--dbname", o->into, check_option(run, "dump", ""), NULL};
    o->child = child_new(&run->task);
    child_start(o->child, &(struct child_opts){.argv = argv, .timeout_ms = RESTORE_TIMEOUT});
    run->task.at = RESTORED;
    task_wait(&run->task, RESTORE_TIMEOUT + 5000);
}

static void count_table(struct check_run *run, const struct plan_option *tables)
{
    struct own *o = run->own;
    char evidence[160], took[24];
    if (!tables || o->table == tables->nvalues) {
        snprintf(evidence, sizeof evidence, "restored in %s; %d tables, %lld rows", format_ms(o->took, took, sizeof took), o->table, (long long)o->rows);
        check_end(run, CHECK_PASS, evidence, "the backup restores: %lld rows in %s", (long long)o->rows, took);
        return;
    }
    char sql[320], name[150];
    pg_quote_literal(name, sizeof name, tables->values[o->table]);
    snprintf(sql, sizeof sql, "select (xpath('/row/n/text()', query_to_xml('select count(*) as n from ' || %s::regclass, false, true, '')))[1]::text", name);
    query(run, sql, COUNTED);
}

static void judge_count(struct check_run *run, const struct plan_option *tables)
{
    struct own *o = run->own;
    int64_t n = pg_int(o->pg, 0, 0);
    if (n == 0) {
        check_end(run, CHECK_FAIL, "", "the restored table %s is empty", tables->values[o->table]);
        return;
    }
    o->rows += n;
    o->table++;
    count_table(run, tables);
}

static void judge_restore(struct check_run *run)
{
    struct own *o = run->own;
    o->took = child_elapsed_us(o->child) / 1000;
    if (child_failed(o->child))
        check_end(run, CHECK_FAIL, "", "the backup can't be restored: %s", child_error(o->child));
    else
        connect_to(run, o->into, CONNECTED);
}

static bool is_waiting(struct check_run *run)
{
    struct own *o = run->own;
    bool child = run->task.at == RESTORED;
    if (run->task.at == CONNECT || !(child ? child_busy(o->child) : pg_busy(o->pg)))
        return false;
    task_wait(&run->task, child ? RESTORE_TIMEOUT + 5000 : SQL_TIMEOUT + 1000);
    return true;
}

static void work(struct task *task)
{
    struct check_run *run = (struct check_run *)task;
    struct own *o = run->own;
    const struct plan_option *tables = plan_option_find(run->check->options, run->check->noptions, "tables");
    if (is_waiting(run))
        return;
    if (task->at != CONNECT && task->at != RESTORED && pg_failed(o->pg)) {
        check_end(run, task->at == COUNTED ? CHECK_FAIL : CHECK_UNKNOWN, "", "%s", pg_error(o->pg));
        return;
    }
    switch (task->at) {
    case CONNECT: /* in a conninfo string the last dbname counts */
        snprintf(o->into, sizeof o->into, "%s dbname=" SCRATCH, check_option(run, "scratch", ""));
        connect_to(run, check_option(run, "scratch", ""), DROP);
        return;
    case DROP:
        query(run, "drop database if exists " SCRATCH, CREATE);
        return;
    case CREATE:
        query(run, "create database " SCRATCH " template template0", RESTORE);
        return;
    case RESTORE:
        restore(run);
        return;
    case RESTORED:
        judge_restore(run);
        return;
    case CONNECTED:
        count_table(run, tables);
        return;
    case COUNTED:
        judge_count(run, tables);
        return;
    }
}

static void free_own(struct check_run *run)
{
    struct own *o = run->own;
    pg_free(o->pg);
    child_free(o->child);
}

const struct check_kind check_backup = {.name = "backup", .own_size = sizeof(struct own), .run = work, .free_own = free_own};
