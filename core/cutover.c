/* The engine's frame: what it opens, its one door, its heartbeat, its end. Steps, orders and the unattended run are in
 * cutover_steps.c, cutover_orders.c and cutover_unattended.c. */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/engine.h"
#include "core/place.h"
#include "core/plan_metrics.h"
#include "core/version.h"

enum { TICK = 200, COST_EVERY = 10000, TRY_EVERY = 1000 };

/* ---- the door ---- */

/* These must be on disk before anything goes on: intents, results and decisions. */
static bool must_sync(enum event_kind kind)
{
    switch (kind) {
    case EVENT_run_opened:
    case EVENT_engine_started:
    case EVENT_step_began:
    case EVENT_step_ended:
    case EVENT_step_decided:
    case EVENT_step_skipped:
    case EVENT_switch_committing:
    case EVENT_run_ended:
        return true;
    default:
        return false;
    }
}

/* Fold and screens only: for what can't be journalled because the journal itself is broken. */
static void tell(struct cutover *c, struct event *e)
{
    event_complete(e);
    e->seq = c->seq;
    e->at = c->last_at;
    gate_follow(c->model, c->plan, e);
    if (!c->wire)
        return;
    c->line.len = 0;
    event_encode(e, &c->line);
    buf_puts(&c->line, "\n");
    wire_send(c->wire, c->line.text, c->line.len);
}

/* What could not be written is told to the screens all the same. */
static void encode_only(struct cutover *c, const struct event *e)
{
    c->line.len = 0;
    event_encode(e, &c->line);
    buf_puts(&c->line, "\n");
}

void cutover_record(struct cutover *c, struct event *e)
{
    struct err err;
    event_complete(e);
    c->last_at = MAX(c->last_at, e->at ? e->at : clock_wall()); /* time in a journal never runs backwards */
    e->at = c->last_at;
    e->seq = c->seq + 1;
    bool may_write = c->journal && (!c->model->journal_broken || e->kind == EVENT_journal_recovered);
    bool written = may_write && journal_append(c->journal, e, must_sync(e->kind), &c->line, &err);
    if (!written && e->kind == EVENT_journal_recovered)
        return; /* still broken: said already */
    if (!written && c->wire)
        encode_only(c, e);
    c->seq++;
    gate_follow(c->model, c->plan, e);
    if (c->wire)
        wire_send(c->wire, c->line.text, c->line.len);
    if (may_write && !written)
        tell(c, &(struct event){.kind = EVENT_journal_failed, .journal_failed = {.sentence = err.text}});
}

/* While the journal is broken nothing is written but the one line that says it is whole again: a short line that happens to fit
 * must not make it look so. */
static void try_journal(struct cutover *c)
{
    int64_t now = clock_mono();
    if (!c->model->journal_broken || now < c->next_try)
        return;
    c->next_try = now + TRY_EVERY;
    RECORD(&c->door, journal_recovered, .sentence = "the journal is written again; what was seen meanwhile is not in it");
}

/* Rehearsing the worst: CUTOVER_DIE_AT=switch_phase:3 kills the engine right after its third switch_phase is journalled. Only
 * a plan with rehearsal = true listens to it. */
static void die_if_rehearsed(const struct cutover *c, enum event_kind kind)
{
    static int seen;
    const char *at = getenv("CUTOVER_DIE_AT"), *name = event_name(kind);
    size_t len = strlen(name);
    if (!at || !c->plan->rehearsal || strncmp(at, name, len) != 0 || (at[len] != ':' && at[len] != '\0'))
        return;
    if (++seen == (at[len] == ':' ? atoi(at + len + 1) : 1))
        raise(SIGKILL);
}

static void record(struct door *door, struct event *e)
{
    cutover_record((struct cutover *)door, e);
    die_if_rehearsed((struct cutover *)door, e->kind);
}

/* ---- heartbeat ---- */

static void see_cost(struct cutover *c)
{
    int64_t now = clock_mono();
    struct rusage use;
    if (now < c->next_cost || getrusage(RUSAGE_SELF, &use) != 0)
        return;
    int64_t cpu = (int64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000 + use.ru_utime.tv_usec + use.ru_stime.tv_usec;
    if (c->next_cost)
        RECORD(&c->door, cost_seen, .cpu_ppm = (cpu - c->last_cpu_us) * 1000 / COST_EVERY, .rss = (int64_t)use.ru_maxrss * 1024);
    c->last_cpu_us = cpu;
    c->next_cost = now + COST_EVERY;
}

static void tick(struct task *task)
{
    struct cutover *c = (struct cutover *)((char *)task - offsetof(struct cutover, tick));
    buf_free(&c->backlog); /* a screen that came has its copy */
    if (!c->options.watch_only) {
        see_cost(c);
        try_journal(c);
        engine_tick_steps(c);
        if (c->options.unattended)
            engine_tick_unattended(c);
    }
    if (c->stopping)
        task_stop(task);
    else
        task_sleep(task, TICK);
}

/* ---- opening ---- */

static void replay(void *arg, const struct event *e, const char *line, size_t len)
{
    struct cutover *c = arg;
    (void)line, (void)len;
    gate_follow(c->model, c->plan, e);
    c->seq = e->seq;
    c->last_at = e->at;
}

static void put_aside(const char *path, int64_t opened)
{
    char to[600], stamp[32];
    time_t s = (time_t)(opened / 1000);
    struct tm tm;
    gmtime_r(&s, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
    snprintf(to, sizeof to, "%.*s-%s.jsonl", (int)(strlen(path) - strlen(".jsonl")), path, stamp);
    rename(path, to);
}

static void forget(struct cutover *c)
{
    model_free(c->model);
    c->model = model_new(c->plan);
    c->seq = 0;
}

static bool is_of_this_plan(const struct cutover *c, const char *path, struct err *err)
{
    if (!c->seq || strcmp(c->model->plan_hash, c->plan->hash) == 0)
        return true;
    return err_set(err, "%s: the journal %s was begun with another version of this plan. Restore the plan, or move the journal away to begin a new run.", c->plan->file, path);
}

static bool open_journal(struct cutover *c, struct err *err)
{
    char path[512];
    place_of(c->state_dir, c->plan->name, ".jsonl", path, sizeof path);
    c->journal = journal_open(path, replay, c, err);
    if (c->journal && c->model->ended) { /* that run is over: keep its journal, begin a new one */
        journal_close(c->journal);
        put_aside(path, c->model->opened);
        forget(c);
        c->journal = journal_open(path, replay, c, err);
    }
    return c->journal && is_of_this_plan(c, path, err);
}

static void open_run(struct cutover *c, bool resumed)
{
    char host[64] = "";
    gethostname(host, sizeof host - 1);
    if (!resumed)
        RECORD(&c->door, run_opened, .name = c->plan->name, .plan_file = c->plan->file, .plan_hash = c->plan->hash, .plan = c->plan->text,
            .host = host, .user = c->user, .version = CUTOVER_VERSION, .rehearsal = c->plan->rehearsal);
    RECORD(&c->door, engine_started, .pid = getpid(), .resumed = resumed);
}

/* cutover check looks at the world from where the run of this plan stands, if there is one; what the engine would refuse to
 * go on with, check refuses too. */
static bool follow_journal(struct cutover *c, struct err *err)
{
    char dir[512], path[600];
    if (!place_state_dir(c->options.state_dir, dir, sizeof dir, err))
        return false;
    place_of(dir, c->plan->name, ".jsonl", path, sizeof path);
    if (access(path, F_OK) != 0)
        return true;
    if (!journal_read(path, replay, c, err))
        return false;
    if (c->model->ended)
        forget(c);
    return is_of_this_plan(c, path, err);
}

static bool open_wire(struct cutover *c, struct err *err)
{
    char path[512];
    struct wire_calls calls = engine_calls(c);
    place_of(c->state_dir, c->plan->name, ".sock", path, sizeof path);
    c->wire = wire_listen(c->loop, path, &calls, err);
    return c->wire != NULL;
}

static bool load_plan(struct cutover *c, struct err *err)
{
    struct plan_problems problems = {0};
    c->plan = plan_metrics_load(c->options.plan_path, &problems);
    if (!c->plan) {
        size_t used = 0;
        for (int i = 0; i < problems.count && used < sizeof err->text; i++)
            used += (size_t)snprintf(err->text + used, sizeof err->text - used, "%s%s", i ? "\n" : "", problems.lines[i]);
    }
    plan_problems_free(&problems);
    return c->plan != NULL;
}

static void who_am_i(char *buf, size_t size)
{
    struct passwd *pw = getpwuid(getuid());
    if (pw)
        copy_text(buf, size, pw->pw_name);
    else
        snprintf(buf, size, "uid %d", (int)getuid());
}

struct cutover *cutover_new(uv_loop_t *loop, const struct cutover_options *options, struct err *err)
{
    struct cutover *c = xcalloc(1, sizeof *c);
    *c = (struct cutover){.door = {record}, .loop = loop, .options = *options, .undo_wanted = -1};
    char dir[512] = "", run_dir[560] = "";
    who_am_i(c->user, sizeof c->user);
    bool ok = load_plan(c, err);
    if (ok && !options->watch_only) {
        ok = place_state_dir(options->state_dir, dir, sizeof dir, err);
        c->state_dir = xstrdup(dir);
        place_of(dir, c->plan->name, ".d", run_dir, sizeof run_dir);
        if (ok && mkdir(run_dir, 0700) != 0 && errno != EEXIST)
            ok = err_set(err, "%s: can't make the directory of the run: %s.", run_dir, strerror(errno));
    }
    if (ok) {
        c->model = model_new(c->plan);
        c->checks = xcalloc((size_t)c->plan->nchecks, sizeof(struct check_run *));
        ok = options->watch_only ? follow_journal(c, err) : open_journal(c, err);
    }
    bool resumed = c->seq > 0;
    if (ok && !options->watch_only)
        ok = open_wire(c, err);
    if (!ok) {
        cutover_free(c);
        return NULL;
    }
    free(c->state_dir);
    c->state_dir = xstrdup(options->watch_only ? "/tmp" : run_dir);
    if (!options->watch_only)
        open_run(c, resumed);
    engine_start_sources(c);
    if (!options->watch_only)
        engine_probe_unknown(c);
    task_start(&c->tick, loop, tick, NULL);
    return c;
}

/* ---- the end ---- */

void cutover_stop(struct cutover *c, const char *why)
{
    if (c->stopping)
        return;
    c->stopping = true;
    RECORD(&c->door, engine_stopped, .why = *c->left_why ? c->left_why : why);
    for (int i = 0; i < c->nsources; i++)
        if (c->sources[i])
            task_stop(&c->sources[i]->task);
    for (int i = 0; i < c->plan->nchecks; i++)
        if (c->checks[i])
            task_stop(&c->checks[i]->task);
    if (c->audit)
        task_stop(&c->audit->task);
    task_wake(&c->tick);
    if (c->wire)
        wire_close(c->wire);
    c->wire = NULL;
}

bool cutover_is_over(const struct cutover *c, int *exit_status)
{
    *exit_status = c->exit_status;
    return c->over;
}

int cutover_screens(const struct cutover *c)
{
    return c->wire ? wire_screens(c->wire) : 0;
}

/* The loop has run empty (or was never run): nothing of ours is left in it. */
void cutover_free(struct cutover *c)
{
    if (!c)
        return;
    if (c->journal)
        journal_close(c->journal);
    free(c->checks);
    model_free(c->model);
    plan_free(c->plan);
    buf_free(&c->line);
    buf_free(&c->backlog);
    free(c->state_dir);
    free(c->sources);
    free(c);
}

const struct model *cutover_model(const struct cutover *c)
{
    return c->model;
}

const struct plan *cutover_plan(const struct cutover *c)
{
    return c->plan;
}
