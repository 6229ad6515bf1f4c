/* Runs the step "switch" (or "switch.dry") of a plan once, without an engine around it, and prints every event as a line of JSON.
 *
 *   switch_drive PLAN STATE_DIR [--probe|--undo|--dry] [--at EVENT[:PHASE] kill|stop|abort|COMMAND]
 *
 * At the named event it kills itself, stops itself, asks for the abort, or runs a shell command and waits for it.
 * Ends 0 = done, 1 = failed or aborted. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/step/step.h"
#include "core/watchdog.h"

static const char *at_event, *at_phase, *at_what;
static const char *kind = "switch";
static struct step_run *the_run;
static bool over;

static bool is_the_moment(const struct event *e)
{
    if (!at_event || strcmp(event_name(e->kind), at_event) != 0)
        return false;
    return !at_phase || (e->kind == EVENT_switch_phase && strcmp(e->switch_phase.phase, at_phase) == 0);
}

static void strike(void)
{
    at_event = NULL;
    if (strcmp(at_what, "kill") == 0)
        raise(SIGKILL);
    else if (strcmp(at_what, "stop") == 0)
        raise(SIGSTOP);
    else if (strcmp(at_what, "abort") == 0) {
        the_run->abort_asked = true;
        task_wake(&the_run->task);
    } else if (system(at_what) != 0)
        fprintf(stderr, "the command failed: %s\n", at_what);
}

static void print(struct door *door, struct event *event)
{
    (void)door;
    struct buf line = {0};
    event->at = event->at ? event->at : clock_wall();
    event_encode(event, &line);
    printf("%s\n", line.text);
    fflush(stdout);
    buf_free(&line);
    if (is_the_moment(event))
        strike();
}

static void ended(struct step_run *run)
{
    (void)run;
    over = true;
}

static struct plan *load(const char *path)
{
    struct plan_problems problems = {0};
    struct plan *plan = plan_load(path, &problems);
    for (int i = 0; i < problems.count; i++)
        fprintf(stderr, "%s\n", problems.lines[i]);
    plan_problems_free(&problems);
    if (!plan)
        exit(2);
    return plan;
}

static void read_options(int argc, char **argv, enum step_mode *mode)
{
    for (int i = 3; i < argc; i++)
        if (strcmp(argv[i], "--probe") == 0)
            *mode = MODE_PROBE;
        else if (strcmp(argv[i], "--undo") == 0)
            *mode = MODE_UNDO;
        else if (strcmp(argv[i], "--dry") == 0)
            kind = "switch.dry";
        else if (strcmp(argv[i], "--at") == 0 && i + 2 < argc) {
            at_event = argv[i + 1];
            at_what = argv[i + 2];
            char *colon = strchr(argv[i + 1], ':');
            at_phase = colon ? colon + 1 : NULL;
            if (colon)
                *colon = '\0';
            i += 2;
        }
}

static int run_step(struct plan *plan, const char *state_dir, enum step_mode mode)
{
    struct door door = {print};
    uv_loop_t *loop = uv_default_loop();
    int index = 0;
    while (index < plan->nsteps && strcmp(plan->steps[index].kind, kind) != 0)
        index++;
    if (index == plan->nsteps)
        return 2;
    the_run = xcalloc(1, sizeof *the_run);
    *the_run = (struct step_run){.loop = loop, .plan = plan, .door = &door, .state_dir = state_dir, .index = index, .step = &plan->steps[index],
        .kind = step_kind_find(kind), .mode = mode, .over = ended};
    step_start(the_run);
    while (!over)
        uv_run(loop, UV_RUN_ONCE);
    uv_run(loop, UV_RUN_DEFAULT);
    printf("%s: %s\n", the_run->result, the_run->sentence);
    int status = strcmp(the_run->result, "done") != 0;
    step_free(the_run);
    uv_loop_close(loop);
    return status;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "watchdog") == 0)
        return watchdog_main(argc, argv);
    if (argc < 3) {
        fprintf(stderr, "usage: switch_drive PLAN STATE_DIR [--probe|--undo|--dry] [--at EVENT[:PHASE] kill|stop|abort|COMMAND]\n");
        return 2;
    }
    enum step_mode mode = MODE_RUN;
    read_options(argc, argv, &mode);
    signal(SIGPIPE, SIG_IGN);
    struct plan *plan = load(argv[1]);
    int status = run_step(plan, argv[2], mode);
    plan_free(plan);
    return status;
}
