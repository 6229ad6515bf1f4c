/* cutover check: look once at everything, the audit of the databases included, say go or no-go for each, end. */
#include <stdio.h>
#include <string.h>

#include "core/check/check.h"
#include "core/serve.h"

enum { LOOK = 50, LOOK_FOR = 15000, PROVE_FOR = 60000, SETTLE = 1500, PATIENCE = 8000 };

struct preflight {
    struct task task; /* first */
    struct cutover *cutover;
    int64_t began, looked;
    bool could_look;
};

static bool has_answered(const struct model *m, const struct plan *p, int resolver)
{
    for (int i = 0; i < p->dns.nrecords; i++)
        if (model_cell(m, p, resolver, i)->answered_at)
            return true;
    return p->dns.nrecords == 0;
}

/* A lossy line may eat the first questions: a resolver is silent only when it has had its patience. */
static bool all_answered(const struct cutover *c)
{
    for (int r = 0; r < cutover_plan(c)->dns.nresolvers; r++)
        if (!has_answered(cutover_model(c), cutover_plan(c), r))
            return false;
    return true;
}

/* Sources first, then the checks, each with its own deadline. */
static void watch(struct task *task)
{
    struct preflight *f = (struct preflight *)task;
    int64_t now = clock_mono();
    switch (task->at) {
    case 0:
        f->began = now;
        cutover_run_checks(f->cutover, "");
        cutover_run_audit(f->cutover);
        task->at = 1;
        /* fall through */
    case 1:
        f->could_look = cutover_sources_looked(f->cutover);
        if (f->could_look && !f->looked)
            f->looked = now;
        if ((f->could_look && now - f->looked > (all_answered(f->cutover) ? SETTLE : PATIENCE)) || now - f->began > LOOK_FOR)
            task->at = 2;
        task_sleep(task, LOOK);
        return;
    default:
        if ((cutover_checks_running(f->cutover) || cutover_audit_running(f->cutover)) && now - f->began < PROVE_FOR) {
            task_sleep(task, LOOK);
            return;
        }
        cutover_stop(f->cutover, "looked once");
        task_stop(task);
    }
}

static bool print_sources(const struct model *m)
{
    bool all = true;
    for (int i = 0; i < m->nsources; i++) {
        if (!*m->source_error[i])
            continue;
        printf("?  %-24s %s\n", m->source_name[i], m->source_error[i]);
        all = false;
    }
    return all;
}

/* A resolver that has answered nothing is told here at once; its source waits for a third silence before it calls it a failure. */
static bool print_silent_resolvers(const struct model *m, const struct plan *p)
{
    bool all = true;
    for (int r = 0; r < p->dns.nresolvers && p->dns.nrecords; r++) {
        const char *error = "no answer";
        bool told = false, answered = has_answered(m, p, r);
        char name[64];
        for (int i = 0; i < p->dns.nrecords; i++) {
            const struct model_dns *c = model_cell(m, p, r, i);
            error = *c->error ? c->error : error;
        }
        snprintf(name, sizeof name, "resolver %s", p->dns.resolvers[r].name);
        for (int i = 0; i < m->nsources; i++)
            told = told || (strcmp(m->source_name[i], name) == 0 && *m->source_error[i]);
        if (!answered && !told)
            printf("?  %-24s %s\n", name, error);
        all = all && answered;
    }
    return all;
}

static bool print_checks(const struct model *m, const struct plan *p, int64_t now)
{
    static const char *const words[] = {"?      ", "go     ", "no-go  "};
    bool go = true;
    for (int i = 0; i < p->nchecks; i++) {
        enum check_verdict v = check_verdict_at(&m->check[i], now);
        bool person = strcmp(p->checks[i].kind, "person") == 0;
        printf("%s check %-18s %s\n", words[v], p->checks[i].key, *m->check[i].sentence ? m->check[i].sentence : person ? "a person has to say it" : "was not proven");
        go = go && (v == CHECK_PASS || !p->checks[i].required || person);
    }
    return go;
}

static void print_findings(const struct model_db *db, const char *name, const char *level, const char *word)
{
    for (int i = 0; i < db->nfindings; i++)
        if (strcmp(db->finding[i].level, level) == 0)
            printf("%s audit %-18s %s: %s\n", word, name, db->finding[i].object, db->finding[i].text);
}

/* Blockers first. Those that the model does not keep are counted. */
static bool print_audit(const struct model *m, const struct plan *p)
{
    bool go = true;
    for (int i = 0; i < p->ndatabases; i++) {
        const struct model_db *db = &m->db[i];
        const char *name = p->databases[i].name;
        print_findings(db, name, "blocker", "no-go  ");
        print_findings(db, name, "warning", "warn   ");
        print_findings(db, name, "note", "note   ");
        if (db->audited_at)
            printf("%s audit %-18s %lld blockers, %lld warnings, %lld notes in %lld tables\n", db->blockers ? "no-go  " : "go     ", name, (long long)db->blockers,
                   (long long)db->warnings, (long long)db->notes, (long long)db->tables_audited);
        else
            printf("?       audit %-18s was not made\n", name);
        go = go && db->audited_at && !db->blockers;
    }
    return go;
}

static bool print_gates(const struct model *m, const struct plan *p, int64_t now)
{
    int next = gate_next_step(m, p);
    bool go = true;
    for (int i = 0; i < p->nsteps; i++) {
        struct gate g;
        enum step_state state = m->step[i].state;
        if (state == STEP_DONE || state == STEP_SKIPPED) {
            printf("%-7s gate  %-18s\n", step_state_names[state], p->steps[i].key);
            continue;
        }
        gate_ask(m, p, i, MODE_RUN, now, &g);
        printf("%-7s gate  %-18s %s\n", i == next ? (g.verdict == GATE_GO ? "go" : "no-go") : "later", p->steps[i].key, g.why);
        if (i == next)
            go = g.verdict == GATE_GO;
    }
    return go;
}

int serve_check(const char *plan_path, const char *state_dir)
{
    uv_loop_t loop;
    struct err err;
    struct preflight f = {0};
    struct cutover_options options = {.plan_path = plan_path, .state_dir = state_dir, .watch_only = true};
    uv_loop_init(&loop);
    f.cutover = cutover_new(&loop, &options, &err);
    if (!f.cutover) {
        fprintf(stderr, "%s\n", err.text);
        uv_loop_close(&loop);
        return 2;
    }
    task_start(&f.task, &loop, watch, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    const struct model *m = cutover_model(f.cutover);
    const struct plan *p = cutover_plan(f.cutover);
    int64_t now = m->last_at;
    printf("%s: %d steps, %d checks\n", p->name, p->nsteps, p->nchecks);
    bool sources = print_sources(m), resolvers = print_silent_resolvers(m, p), seen = sources && resolvers && f.could_look;
    bool audit = print_audit(m, p), checks = print_checks(m, p, now), gates = print_gates(m, p, now);
    int status = !seen ? 2 : audit && checks && gates ? 0 : 1;
    printf("%s\n", status == 0 ? "GO" : status == 1 ? "NO-GO" : "NO-GO: not everything could be looked at");
    cutover_free(f.cutover);
    uv_loop_close(&loop);
    return status;
}
