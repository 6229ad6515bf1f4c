/* traffic: reads move to green in stages through the balancer. Raise before lower, never both at zero, read back after each;
 * each stage bakes, and green's errors above the limit move everything back to blue. Before the switch only reads move:
 * the plan's backend is the one for them. haproxy-management, chapter 9.3: set server, get weight. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/haproxy.h"
#include "core/sock.h"
#include "core/step/step.h"
#include "core/text.h"

enum { BEGIN, SET, SET_ANSWER, READ_ANSWER, BAKE };
enum { TIMEOUT = 3000, LOOK = 500, TOO_FEW = 3, STAGES = 32 };

struct own {
    struct sock *sock;
    int stage[STAGES], nstages, at;
    int64_t bake, baked_since;
    int percent;       /* that is being set */
    bool going_back;   /* green failed, or somebody asked: blue gets everything again */
    char why[200];
};

static const struct plan_traffic *traffic_of(const struct step_run *run)
{
    return &run->plan->traffic;
}

static void read_stages(const struct plan *p, const struct plan_step *s, int *stage, int *n)
{
    const struct plan_option *o = plan_option_find(s->options, s->noptions, "stages");
    *n = 0;
    for (int i = 0; o && i < o->nvalues && *n < STAGES; i++)
        stage[(*n)++] = atoi(o->values[i]);
    for (int i = 0; !o && i < p->traffic.nstages && *n < STAGES; i++)
        stage[(*n)++] = p->traffic.stages[i];
}

static int64_t bake_of(const struct plan *p, const struct plan_step *s)
{
    int64_t ms;
    const char *text = plan_option_text(s->options, s->noptions, "bake", "");
    return *text && plan_duration(text, &ms) ? ms : p->traffic.bake;
}

static void describe(const struct plan *p, const struct model *m, const struct plan_step *s, enum step_mode mode, struct buf *out)
{
    int stage[STAGES], n;
    char command[400], span[24];
    (void)m;
    read_stages(p, s, stage, &n);
    if (mode == MODE_UNDO)
        n = 1, stage[0] = 0;
    for (int i = 0; i < n; i++) {
        haproxy_weights(&p->traffic, stage[i], mode != MODE_UNDO, command, sizeof command);
        buf_printf(out, "%.*s", (int)strcspn(command, "\n"), command);
        if (mode == MODE_RUN)
            buf_printf(out, ", then bake %s", format_span(bake_of(p, s), span, sizeof span));
        buf_puts(out, "\n");
    }
    buf_printf(out, "at %s", p->traffic.haproxy);
}

static void converse(struct step_run *run, const char *text, int then)
{
    struct own *o = run->own;
    sock_free(o->sock);
    o->sock = sock_new(&run->task);
    sock_converse(o->sock, traffic_of(run)->haproxy, text, TIMEOUT);
    run->task.at = then;
    task_wait(&run->task, TIMEOUT + 1000);
}

static void set_weights(struct step_run *run)
{
    struct own *o = run->own;
    char command[400];
    haproxy_weights(traffic_of(run), o->percent, !o->going_back, command, sizeof command);
    converse(run, command, SET_ANSWER);
}

static void read_weights(struct step_run *run)
{
    char command[300];
    const struct plan_traffic *t = traffic_of(run);
    snprintf(command, sizeof command, "get weight %s/%s; get weight %s/%s\n", t->backend, t->server[BLUE], t->backend, t->server[GREEN]);
    converse(run, command, READ_ANSWER);
}

/* "90 (initial 100)\n\n10 (initial 0)\n" */
static bool parse_weights(const char *answer, int weight[SIDES])
{
    char *end;
    weight[BLUE] = (int)strtol(answer, &end, 10);
    const char *next = strchr(end, '\n');
    if (end == answer || !next)
        return false;
    next += strspn(next, "\n");
    weight[GREEN] = (int)strtol(next, &end, 10);
    return end != next;
}

static bool answered(struct step_run *run)
{
    struct own *o = run->own;
    if (!sock_busy(o->sock))
        return true;
    task_wait(&run->task, TIMEOUT + 1000);
    return false;
}

/* ---- going back ---- */

static void go_back(struct step_run *run, const char *why)
{
    struct own *o = run->own;
    copy_text(o->why, sizeof o->why, why);
    step_say(run, "warn", "moving reads back to blue: %s", why);
    o->going_back = true;
    o->percent = 0;
    set_weights(run);
}

static void end_bad(struct step_run *run, const char *what)
{
    struct own *o = run->own;
    if (o->going_back || run->mode == MODE_UNDO)
        step_end(run, "failed", "%s. Look at the balancer's weights by hand.", what);
    else
        go_back(run, what);
}

/* ---- verdict of a stage ---- */

/* Why green may not keep its share now; NULL when nothing speaks against it. */
static const char *trouble(const struct step_run *run, char *buf, size_t size)
{
    const struct model_traffic *g = &run->model->traffic[GREEN];
    const struct plan_traffic *t = traffic_of(run);
    int64_t now = clock_wall(), ok, failed;
    struct latency l;
    char rate[24];
    if (g->balancer_at && now - g->balancer_at < 5000 && strncmp(g->status, "UP", 2) != 0 && strncmp(g->status, "no check", 8) != 0) {
        snprintf(buf, size, "the balancer says green is %s", g->status);
        return buf;
    }
    model_probes(run->model, GREEN, now, 10, &ok, &failed, &l);
    const int64_t all = ok + failed, ppm = all ? failed * 1000000 / all : 0;
    if (failed >= TOO_FEW && ppm > t->max_errors) {
        snprintf(buf, size, "%lld of %lld probes of green failed: %s", (long long)failed, (long long)all, g->error);
        return buf;
    }
    struct reading r = metric_read(metric_find("traffic.error_ppm"), run->model, run->plan, "green", now);
    if (r.known && g->recent_failed >= TOO_FEW * 1000 && r.value > t->max_errors) {
        snprintf(buf, size, "green fails %s of the real requests", metric_format(UNIT_PPM, r, rate, sizeof rate));
        return buf;
    }
    return NULL;
}

/* No data is never success. */
static bool has_data(const struct step_run *run)
{
    if (run->plan->traffic.nprobes == 0)
        return true;
    return metric_read(metric_find("http.error_ppm"), run->model, run->plan, "green", clock_wall()).known;
}

static void bake(struct step_run *run)
{
    struct own *o = run->own;
    char why[240];
    int64_t baked = clock_mono() - o->baked_since;
    if (run->abort_asked) {
        go_back(run, "a person asked it to stop");
        return;
    }
    if (trouble(run, why, sizeof why)) {
        go_back(run, why);
        return;
    }
    step_progress(run, MIN(baked, o->bake), o->bake, "ms");
    if (baked < o->bake || (!has_data(run) && step_time_left(run) > 0)) {
        task_sleep(&run->task, MIN((int64_t)LOOK, MAX(o->bake - baked, (int64_t)50)));
        return;
    }
    if (!has_data(run)) {
        go_back(run, "nothing is known of green: no probe has answered");
        return;
    }
    o->at++;
    if (o->at == o->nstages) {
        step_end(run, "done", "%d %% of the reads are on green", o->percent);
        return;
    }
    o->percent = o->stage[o->at];
    set_weights(run);
}

static void stage_is_set(struct step_run *run)
{
    struct own *o = run->own;
    int weight[SIDES];
    size_t len;
    char text[160];
    if (sock_failed(o->sock) || !parse_weights(sock_answer(o->sock, &len), weight)) {
        text_line(text, sizeof text, sock_answer(o->sock, &len), len);
        end_bad(run, sock_failed(o->sock) ? sock_error(o->sock) : text);
        return;
    }
    RECORD(run->door, weights_set, .blue = weight[BLUE], .green = weight[GREEN]);
    if (weight[GREEN] != o->percent || weight[BLUE] != 100 - o->percent) {
        snprintf(text, sizeof text, "the balancer shows weights %d/%d instead of %d/%d", weight[BLUE], weight[GREEN], 100 - o->percent, o->percent);
        end_bad(run, text);
        return;
    }
    if (run->mode == MODE_UNDO) {
        step_end(run, "done", "all reads are on blue");
        return;
    }
    if (o->going_back) {
        step_end(run, run->abort_asked ? "aborted" : "failed", "reads are back on blue: %s", o->why);
        return;
    }
    step_say(run, "ok", "%d %% of the reads are on green", o->percent);
    o->baked_since = clock_mono();
    run->task.at = BAKE;
    task_sleep(&run->task, 50);
}

/* Success prints nothing; anything else is the reason. */
static bool refused(const struct sock *sock, char *why, size_t size)
{
    size_t len;
    const char *said = sock_answer(sock, &len);
    if (sock_failed(sock))
        copy_text(why, size, sock_error(sock));
    else
        text_line(why, size, said, len);
    return sock_failed(sock) || strspn(said, " \n") != len;
}

static void work(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    struct own *o = run->own;
    char why[240];
    switch (task->at) {
    case BEGIN:
        read_stages(run->plan, run->step, o->stage, &o->nstages);
        o->bake = bake_of(run->plan, run->step);
        o->going_back = run->mode == MODE_UNDO;
        o->percent = o->going_back ? 0 : o->stage[0];
        if (!o->going_back && trouble(run, why, sizeof why)) {
            step_end(run, "failed", "nothing was moved: %s", why);
            return;
        }
        /* fall through */
    case SET:
        set_weights(run);
        return;
    case SET_ANSWER:
        if (!answered(run))
            return;
        if (refused(o->sock, why, sizeof why)) {
            end_bad(run, why);
            return;
        }
        read_weights(run);
        return;
    case READ_ANSWER:
        if (answered(run))
            stage_is_set(run);
        return;
    case BAKE:
        bake(run);
        return;
    }
}

static void probe(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    struct own *o = run->own;
    int weight[SIDES];
    size_t len;
    if (task->at == BEGIN) {
        read_stages(run->plan, run->step, o->stage, &o->nstages);
        read_weights(run);
        return;
    }
    if (!answered(run))
        return;
    if (sock_failed(o->sock) || !parse_weights(sock_answer(o->sock, &len), weight))
        step_end(run, "unreachable", "the balancer does not tell its weights");
    else
        step_end(run, weight[GREEN] == 0 ? "before" : weight[GREEN] == o->stage[o->nstages - 1] ? "after" : "partial", "reads: blue %d, green %d", weight[BLUE], weight[GREEN]);
}

static void free_own(struct step_run *run)
{
    sock_free(((struct own *)run->own)->sock);
}

const struct step_kind step_traffic = {.name = "traffic", .own_size = sizeof(struct own), .describe = describe, .run = work, .undo = work, .probe = probe, .free_own = free_own};
