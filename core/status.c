#include "core/status.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/check/check.h"
#include "core/retell.h"

static json_t *steps(const struct model *m, const struct plan *p, int64_t now)
{
    json_t *list = json_array();
    for (int i = 0; i < p->nsteps; i++) {
        const struct model_step *s = &m->step[i];
        struct gate g;
        gate_ask(m, p, i, MODE_RUN, now, &g);
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:i}", "key", p->steps[i].key, "state", step_state_names[s->state], "gate",
            gate_verdict_names[g.verdict], "why", g.why, "sentence", s->sentence, "took", (json_int_t)s->took, "attempt", s->attempt));
    }
    return list;
}

static json_t *checks(const struct model *m, const struct plan *p, int64_t now)
{
    static const char *const words[] = {"unknown", "pass", "fail"};
    json_t *list = json_array();
    for (int i = 0; i < p->nchecks; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:I}", "key", p->checks[i].key, "verdict", words[check_verdict_at(&m->check[i], now)],
            "sentence", m->check[i].sentence, "by", m->check[i].by, "expires", (json_int_t)m->check[i].expires));
    return list;
}

static json_t *readings(const struct model *m, const struct plan *p, int64_t now)
{
    json_t *all = json_object();
    for (int i = 0; i < nmetrics; i++) {
        struct reading r = metric_read(&metrics[i], m, p, "", now);
        json_object_set_new(all, metrics[i].name, r.known ? json_integer(r.value) : json_null());
    }
    return all;
}

static bool is_alive(int64_t pid)
{
    return pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

int status_print(const char *path)
{
    struct retold r = {0};
    struct err err;
    if (!retell(path, &r, &err)) {
        fprintf(stderr, "%s\n", err.text);
        retold_free(&r);
        return 2;
    }
    const struct model *m = r.model;
    int64_t now = m->ended || !m->engine_running ? m->last_at : clock_wall();
    int next = gate_next_step(m, r.plan);
    char price[120];
    json_t *o = json_pack("{s:s, s:s, s:b, s:b, s:s, s:s, s:s?, s:s?, s:b, s:b, s:I, s:I, s:s, s:o, s:o, s:o}", "name", m->name, "journal", path, "rehearsal",
        m->rehearsal, "engine_alive", m->engine_running && is_alive(m->engine_pid), "outcome", m->outcome, "outcome_sentence", m->outcome_sentence, "running",
        m->running >= 0 ? r.plan->steps[m->running].key : NULL, "next", next >= 0 ? r.plan->steps[next].key : NULL, "paused", m->paused, "committed", m->committed,
        "write_pause_us", (json_int_t)m->pause_us, "seq", (json_int_t)m->last_seq, "price", gate_price(m, r.plan, now, price, sizeof price), "steps",
        steps(m, r.plan, now), "checks", checks(m, r.plan, now), "metrics", readings(m, r.plan, now));
    json_dumpf(o, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(o);
    retold_free(&r);
    return 0;
}
