/* Runs one part of a plan by hand, without an engine around it, and prints every event as a line of JSON.
 *
 *   drive PLAN run|undo|probe STEP [--with-sources] [--abort-after MS] [--again]
 *   drive PLAN watch SECONDS [SOURCE...]       all sources, or those whose name begins so ("blue of", "replication")
 *
 * DRIVE_GATE names a step whose gate is told as "gate: VERDICT sentence" when it changes, the predicted pause as "pause: words", and the log's entries as "log: LEVEL text".
 * DRIVE_PAST names a file with what such a program printed before: its events come first, untold. DRIVE_STATE names the directory in which a step may keep files (/tmp).
 * A step alone sees a model of its own, which nothing but its own events fill; with sources it sees the world, as in a run.
 * --again runs the step a second time in the same process and model. The last line is "result: sentence".
 * Ends 0 = done, before or after; 1 = anything else; 2 = could not begin. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/source/source.h"
#include "core/step/step.h"
#include "core/watchdog.h"

struct stage {
    struct door door; /* first */
    struct task clock;
    struct plan *plan;
    struct model *model;
    uv_loop_t *loop;
    int64_t told; /* of the model's log */
    int64_t seq, end; /* end: clock_mono when the clock rings; 0 = never */
    struct step_run *run;
    bool run_over;
    struct source *source[256];
    int nsources, open;
};

static void print_log(struct stage *g)
{
    for (; g->told < g->model->nlog; g->told++) {
        const struct model_log *l = &g->model->log[g->told % MODEL_LOG];
        if (getenv("DRIVE_GATE"))
            printf("log: %s %s\n", l->level, l->text);
    }
}

/* What the gate of the step DRIVE_GATE says, and the predicted pause, when it says something else than before. */
static void print_gate(struct stage *g, int64_t now)
{
    static char last[300], pause[300];
    const char *key = getenv("DRIVE_GATE");
    int i = key ? plan_find_step(g->plan, key) : -1;
    struct gate gate;
    char line[300];
    if (i < 0)
        return;
    gate_ask(g->model, g->plan, i, MODE_RUN, now, &gate);
    model_predict_text(g->model, g->plan, now, line, sizeof line);
    if (strcmp(line, pause) != 0)
        printf("pause: %s\n", line);
    copy_text(pause, sizeof pause, line);
    snprintf(line, sizeof line, "gate: %s %s", gate_verdict_names[gate.verdict], gate.why);
    if (strcmp(line, last) != 0)
        printf("%s\n", line);
    copy_text(last, sizeof last, line);
}

static void record(struct door *door, struct event *event)
{
    struct stage *g = (struct stage *)door;
    struct buf line = {0};
    event->at = event->at ? event->at : clock_wall();
    event->seq = ++g->seq;
    event_encode(event, &line);
    printf("%s\n", line.text);
    fflush(stdout);
    buf_free(&line);
    gate_follow(g->model, g->plan, event);
    print_log(g);
    print_gate(g, event->at);
}

/* ---- sources ---- */

static void source_over(struct source *s)
{
    struct stage *g = s->engine;
    for (int i = 0; i < g->nsources; i++)
        if (g->source[i] == s)
            g->source[i] = NULL;
    g->open--;
    source_free(s);
}

static bool is_wanted(const char *name, int n, char **wanted)
{
    for (int i = 0; i < n; i++)
        if (strncmp(name, wanted[i], strlen(wanted[i])) == 0)
            return true;
    return n == 0;
}

static void start_sources(struct stage *g, int nwanted, char **wanted)
{
    for (int k = 0; k < nsource_kinds; k++)
        for (int i = 0; i < source_kinds[k]->count(g->plan) && g->nsources < 256; i++) {
            char name[64];
            source_kinds[k]->name_of(g->plan, i, name, sizeof name);
            if (!is_wanted(name, nwanted, wanted))
                continue;
            struct source *s = xcalloc(1, sizeof *s);
            *s = (struct source){.loop = g->loop, .plan = g->plan, .model = g->model, .door = &g->door, .index = i, .kind = source_kinds[k],
                .over = source_over, .engine = g};
            g->source[g->nsources++] = s;
            g->open++;
            source_start(s);
        }
}

static void stop_sources(struct stage *g)
{
    for (int i = 0; i < g->nsources; i++)
        if (g->source[i])
            task_stop(&g->source[i]->task);
}

/* ---- a step ---- */

static void step_over(struct step_run *run)
{
    struct stage *g = run->engine;
    g->run_over = true;
    task_wake(&g->clock);
}

static void start_step(struct stage *g, const char *key, enum step_mode mode)
{
    int i = plan_find_step(g->plan, key);
    struct buf action = {0};
    g->run = xcalloc(1, sizeof *g->run);
    g->run_over = false;
    *g->run = (struct step_run){.loop = g->loop, .plan = g->plan, .model = g->model, .door = &g->door, .state_dir = getenv("DRIVE_STATE") ? getenv("DRIVE_STATE") : "/tmp", .index = i,
        .step = &g->plan->steps[i], .kind = step_kind_find(g->plan->steps[i].kind), .mode = mode, .over = step_over, .engine = g};
    g->run->kind->describe(g->plan, g->model, g->run->step, mode, &action);
    RECORD(&g->door, step_began, .step = key, .mode = step_mode_names[mode], .attempt = 1, .action = action.text ? action.text : "",
        .gate = "", .user = "drive", .typed = "");
    buf_free(&action);
    step_start(g->run);
}

static int end_step(struct stage *g)
{
    const char *result = g->run->result ? g->run->result : "nothing";
    bool good = strcmp(result, "done") == 0 || strcmp(result, "before") == 0 || strcmp(result, "after") == 0;
    RECORD(&g->door, step_ended, .step = g->run->step->key, .mode = step_mode_names[g->run->mode], .result = result, .sentence = g->run->sentence,
        .took = clock_mono() - g->run->started);
    printf("%s: %s\n", result, g->run->sentence);
    fflush(stdout);
    step_free(g->run);
    g->run = NULL;
    return good ? 0 : 1;
}

/* ---- the clock: the end of watching, or a person who aborts ---- */

static void tick(struct task *task)
{
    struct stage *g = (struct stage *)((char *)task - offsetof(struct stage, clock));
    if (g->end && clock_mono() >= g->end) {
        g->end = 0;
        if (g->run && !g->run_over) {
            g->run->abort_asked = true;
            task_wake(&g->run->task);
        }
    }
    if (g->end)
        task_wait(task, MAX(g->end - clock_mono(), (int64_t)1));
    else
        task_wait(task, 1000);
}

static void close_stage(struct stage *g)
{
    stop_sources(g);
    task_stop(&g->clock);
    uv_run(g->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(g->loop) != 0)
        fprintf(stderr, "a handle was left open\n");
    model_free(g->model);
    plan_free(g->plan);
}

static void fold_past(struct stage *g, const char *path)
{
    FILE *f = path ? fopen(path, "r") : NULL;
    char *line = NULL;
    size_t size = 0;
    for (ssize_t n; f && (n = getline(&line, &size, f)) > 0;) {
        struct event_read read;
        struct err err;
        if (line[0] != '{' || !event_decode(line, (size_t)n - (line[n - 1] == '\n'), &read, &err))
            continue;
        gate_follow(g->model, g->plan, &read.event);
        event_read_free(&read);
    }
    free(line);
    if (f)
        fclose(f);
    g->told = g->model->nlog;
}

static bool open_stage(struct stage *g, const char *path)
{
    struct plan_problems problems = {0};
    g->plan = plan_load(path, &problems);
    for (int i = 0; i < problems.count; i++)
        fprintf(stderr, "%s\n", problems.lines[i]);
    plan_problems_free(&problems);
    if (!g->plan)
        return false;
    g->door.record = record;
    g->loop = uv_default_loop();
    g->model = model_new(g->plan);
    fold_past(g, getenv("DRIVE_PAST"));
    task_start(&g->clock, g->loop, tick, NULL);
    return true;
}

static void watch(struct stage *g, int argc, char **argv)
{
    start_sources(g, argc - 4, argv + 4);
    g->end = clock_mono() + (int64_t)(atof(argv[3]) * 1000);
    while (g->end)
        uv_run(g->loop, UV_RUN_ONCE);
}

static int run_step(struct stage *g, int argc, char **argv)
{
    enum step_mode mode = strcmp(argv[2], "undo") == 0 ? MODE_UNDO : strcmp(argv[2], "probe") == 0 ? MODE_PROBE : MODE_RUN;
    int times = 1, status = 0;
    int64_t abort_after = 0;
    for (int i = 4; i < argc; i++) {
        if (strcmp(argv[i], "--with-sources") == 0)
            start_sources(g, 0, NULL);
        else if (strcmp(argv[i], "--again") == 0)
            times = 2;
        else if (strcmp(argv[i], "--abort-after") == 0 && i + 1 < argc)
            abort_after = atoll(argv[++i]);
    }
    for (; times > 0; times--) {
        g->end = abort_after ? clock_mono() + abort_after : 0;
        start_step(g, argv[3], mode);
        while (!g->run_over)
            uv_run(g->loop, UV_RUN_ONCE);
        status = end_step(g);
    }
    return status;
}

int main(int argc, char **argv)
{
    static struct stage g;
    if (argc > 1 && strcmp(argv[1], "watchdog") == 0) /* of a switch that is run here */
        return watchdog_main(argc, argv);
    bool watches = argc > 3 && strcmp(argv[2], "watch") == 0;
    if (argc < 4 || (!watches && strcmp(argv[2], "run") && strcmp(argv[2], "undo") && strcmp(argv[2], "probe"))) {
        fprintf(stderr, "usage: drive PLAN run|undo|probe STEP [--with-sources] [--abort-after MS] [--again]\n       drive PLAN watch SECONDS [SOURCE...]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    if (!open_stage(&g, argv[1]))
        return 2;
    int status = 0;
    if (watches)
        watch(&g, argc, argv);
    else if (plan_find_step(g.plan, argv[3]) < 0)
        status = 2;
    else
        status = run_step(&g, argc, argv);
    close_stage(&g);
    return status;
}
