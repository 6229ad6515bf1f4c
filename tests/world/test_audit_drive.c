/* Runs the step "pg.audit" of a plan once, without an engine around it.
 *
 *   test_audit_drive PLAN [--abort] [--describe] [--probe]
 *
 * Prints "found|db|level|object|text", "audited|db|blockers|warnings|notes|tables", "progress|done|total|unit", and at the
 * end "result|sentence". --abort asks for it at the first finding's database. Ends 0 when the result is "done". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/step/step.h"
#include "core/text.h"

static bool over, wants_abort;
static struct step_run *the_run;

static void print(struct door *door, struct event *e)
{
    (void)door;
    if (e->kind == EVENT_audit_found)
        printf("found|%s|%s|%s|%s%s\n", e->audit_found.db, e->audit_found.level, e->audit_found.object, e->audit_found.text,
            text_is_clean(e->audit_found.text, strlen(e->audit_found.text)) ? "" : "|NOT CLEAN");
    else if (e->kind == EVENT_audited)
        printf("audited|%s|%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId64 "\n", e->audited.db, e->audited.blockers, e->audited.warnings,
            e->audited.notes, e->audited.tables);
    else if (e->kind == EVENT_step_progressed)
        printf("progress|%" PRId64 "|%" PRId64 "|%s\n", e->step_progressed.done, e->step_progressed.total, e->step_progressed.unit);
    if (e->kind == EVENT_audited && wants_abort) {
        the_run->abort_asked = true;
        task_wake(&the_run->task);
    }
}

static void ended(struct step_run *run)
{
    (void)run;
    over = true;
}

static int find_step(const struct plan *plan)
{
    for (int i = 0; i < plan->nsteps; i++)
        if (strcmp(plan->steps[i].kind, "pg.audit") == 0)
            return i;
    fprintf(stderr, "the plan has no step of kind pg.audit\n");
    exit(2);
}

static int run_step(struct plan *plan, enum step_mode mode)
{
    struct door door = {print};
    uv_loop_t *loop = uv_default_loop();
    int i = find_step(plan);
    the_run = xcalloc(1, sizeof *the_run);
    *the_run = (struct step_run){.loop = loop, .plan = plan, .door = &door, .state_dir = "/nonexistent", .index = i, .step = &plan->steps[i],
        .kind = step_kind_find("pg.audit"), .mode = mode, .over = ended};
    step_start(the_run);
    while (!over)
        uv_run(loop, UV_RUN_ONCE);
    uv_run(loop, UV_RUN_DEFAULT);
    printf("%s|%s\n", the_run->result, the_run->sentence);
    int status = strcmp(the_run->result, "done") != 0;
    step_free(the_run);
    uv_loop_close(loop);
    return status;
}

static void describe(const struct plan *plan)
{
    struct buf out = {0};
    step_kind_find("pg.audit")->describe(plan, NULL, &plan->steps[find_step(plan)], MODE_RUN, &out);
    printf("%s\n", out.text);
    buf_free(&out);
}

static bool has(int argc, char **argv, const char *option)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], option) == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    struct plan_problems problems = {0};
    struct plan *plan = argc > 1 ? plan_load(argv[1], &problems) : NULL;
    int status = 0;
    for (int i = 0; i < problems.count; i++)
        fprintf(stderr, "%s\n", problems.lines[i]);
    plan_problems_free(&problems);
    if (!plan)
        return 2;
    wants_abort = has(argc, argv, "--abort");
    if (has(argc, argv, "--describe"))
        describe(plan);
    else
        status = run_step(plan, has(argc, argv, "--probe") ? MODE_PROBE : MODE_RUN);
    plan_free(plan);
    return status;
}
