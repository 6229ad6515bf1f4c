/* The fold's inner half: the run itself, its people, steps, checks and the switch. */
#include <string.h>

#include "core/model_fold.h"

void model_fold(struct model *m, const struct plan *p, const struct event *e)
{
    /* The log comes first: it tells changes, so it needs the state before. */
    fold_log(m, p, e);
    fold_run(m, p, e);
    fold_database(m, p, e);
    fold_dns(m, p, e);
    fold_traffic(m, p, e);
    fold_writers(m, p, e);
    m->last_at = e->at;
    m->last_seq = e->seq;
}

/* ---- steps ---- */

static void fold_step_began(struct model *m, const struct plan *p, const struct event *e)
{
    int i = plan_find_step(p, e->step_began.step);
    if (i < 0)
        return;
    struct model_step *s = &m->step[i];
    s->probing = strcmp(e->step_began.mode, "probe") == 0;
    if (s->probing)
        return;
    s->undoing = strcmp(e->step_began.mode, "undo") == 0;
    s->state = STEP_RUNNING;
    s->aborted = false;
    s->attempt = (int)e->step_began.attempt;
    s->began = e->at;
    s->ended = s->took = s->done = s->total = 0;
    s->sentence[0] = s->found[0] = s->unit[0] = '\0';
    KEEP(s->by, e->step_began.user);
    m->running = i;
    m->abort_asked = false;
    if (strncmp(p->steps[i].kind, "switch", 6) == 0)
        m->nphases = 0;
}

static enum step_state state_after(const char *mode, const char *result)
{
    bool undo = strcmp(mode, "undo") == 0, good = strcmp(result, "done") == 0 || strcmp(result, "undone") == 0;
    if (good)
        return undo ? STEP_UNDONE : STEP_DONE;
    return strcmp(result, "unknown") == 0 ? STEP_UNKNOWN : STEP_FAILED;
}

/* What followed a switch that was taken back has not happened to the next one: waits and holds are done again. A fail-back that
 * was given up leaves the switch as it was. */
static void fold_switch_undo(struct model *m, const struct plan *p, int step)
{
    struct model_step *s = &m->step[step];
    if (s->state == STEP_FAILED && m->committed)
        s->state = STEP_DONE;
    for (int i = step + 1; s->state == STEP_UNDONE && i < p->nsteps; i++)
        if (m->step[i].state == STEP_DONE && !p->steps[i].has_undo)
            m->step[i].state = STEP_NOT_BEGUN;
}

static void fold_step_ended(struct model *m, const struct plan *p, const struct event *e)
{
    int i = plan_find_step(p, e->step_ended.step);
    if (i < 0)
        return;
    struct model_step *s = &m->step[i];
    if (strcmp(e->step_ended.mode, "probe") == 0) {
        s->probing = false;
        return;
    }
    s->state = state_after(e->step_ended.mode, e->step_ended.result);
    s->aborted = strcmp(e->step_ended.result, "aborted") == 0;
    if (strcmp(p->steps[i].kind, "switch") == 0 && strcmp(e->step_ended.mode, "undo") == 0)
        fold_switch_undo(m, p, i);
    s->undoing = false;
    s->ended = e->at;
    s->took = e->step_ended.took;
    KEEP(s->sentence, e->step_ended.sentence);
    if (m->running == i)
        m->running = -1;
    m->abort_asked = false;
}

static void fold_step_fact(struct model *m, const struct plan *p, const struct event *e)
{
    const char *key = e->kind == EVENT_step_said ? e->step_said.step : e->kind == EVENT_step_progressed ? e->step_progressed.step
        : e->kind == EVENT_step_found ? e->step_found.step : e->kind == EVENT_step_decided ? e->step_decided.step : e->step_skipped.step;
    int i = plan_find_step(p, key);
    if (i < 0)
        return;
    struct model_step *s = &m->step[i];
    switch (e->kind) {
    case EVENT_step_said:
        KEEP(s->sentence, e->step_said.text);
        break;
    case EVENT_step_progressed:
        s->done = e->step_progressed.done;
        s->total = e->step_progressed.total;
        s->progressed = e->at;
        KEEP(s->unit, e->step_progressed.unit);
        break;
    case EVENT_step_found:
        KEEP(s->found, e->step_found.world);
        KEEP(s->sentence, e->step_found.sentence);
        break;
    case EVENT_step_decided:
        s->state = strcmp(e->step_decided.decision, "done") == 0 ? STEP_DONE
            : strcmp(e->step_decided.decision, "ready") == 0 ? STEP_NOT_BEGUN : STEP_FAILED;
        KEEP(s->by, e->step_decided.user);
        s->ended = e->at;
        break;
    default:
        s->state = STEP_SKIPPED;
        KEEP(s->by, e->step_skipped.user);
        KEEP(s->sentence, e->step_skipped.reason);
        s->ended = e->at;
    }
}

/* What was running when an engine died is unknown until a person has looked. */
static void fold_engine_started(struct model *m, const struct plan *p, const struct event *e)
{
    m->engine_running = true;
    m->engine_pid = e->engine_started.pid;
    m->npeople = 0; /* screens of the engine before are gone with its socket */
    for (int i = 0; i < p->nsteps; i++) {
        m->step[i].probing = false;
        if (m->step[i].state == STEP_RUNNING)
            m->step[i].state = STEP_UNKNOWN;
    }
    for (int i = 0; i < p->nchecks; i++)
        m->check[i].running = false;
    m->running = -1;
}

/* ---- people ---- */

static int find_person(const struct model *m, int64_t id)
{
    for (int i = 0; i < m->npeople; i++)
        if (m->person[i].id == id)
            return i;
    return -1;
}

static void fold_joined(struct model *m, const struct event *e)
{
    int i = find_person(m, e->screen_joined.id);
    if (i < 0) {
        if (m->npeople == MODEL_PEOPLE)
            return;
        i = m->npeople++;
    }
    struct model_person *who = &m->person[i];
    who->id = e->screen_joined.id;
    who->since = e->at;
    KEEP(who->user, e->screen_joined.user);
    KEEP(who->tty, e->screen_joined.tty);
    KEEP(who->role, e->screen_joined.role);
}

static void fold_left(struct model *m, int64_t id)
{
    int i = find_person(m, id);
    if (i < 0)
        return;
    memmove(&m->person[i], &m->person[i + 1], (size_t)(m->npeople - i - 1) * sizeof m->person[0]);
    m->npeople--;
}

/* ---- switch and checks ---- */

static void fold_phase(struct model *m, const struct event_switch_phase *e)
{
    if (m->nphases == MODEL_PHASES)
        return;
    struct model_phase *ph = &m->phase[m->nphases++];
    KEEP(ph->name, e->phase);
    ph->took_us = e->took_us;
    KEEP(ph->text, e->text);
}

static void fold_check_ended(struct model *m, const struct plan *p, const struct event *e)
{
    int i = plan_find_check(p, e->check_ended.check);
    if (i < 0)
        return;
    struct model_check *c = &m->check[i];
    c->running = false;
    c->at = e->at;
    c->verdict = strcmp(e->check_ended.verdict, "pass") == 0 ? CHECK_PASS : strcmp(e->check_ended.verdict, "fail") == 0 ? CHECK_FAIL : CHECK_UNKNOWN;
    KEEP(c->sentence, e->check_ended.sentence);
    KEEP(c->evidence, e->check_ended.evidence);
    KEEP(c->by, e->check_ended.by);
    c->expires = e->check_ended.expires;
    c->took = e->check_ended.took;
}

/* The switch itself says which side takes writes; the next look at each side confirms it a second later. */
static void set_writer(struct model *m, const struct plan *p, int64_t at, enum side writer)
{
    for (int i = 0; i < p->ndatabases; i++)
        for (int s = 0; s < SIDES; s++) {
            KEEP(m->db[i].side[s].writable, s == (int)writer ? "yes" : "no");
            m->db[i].side[s].at = at;
        }
}

static void fold_switch(struct model *m, const struct plan *p, const struct event *e)
{
    switch (e->kind) {
    case EVENT_writes_paused:
        if (!m->pause_began) {
            m->predicted_us = model_predict_us(m, p, e->at);
            m->pause_began = e->at;
        }
        m->seen_us = 0;
        break;
    case EVENT_pause_seen:
        m->seen_us = MAX(m->seen_us, e->pause_seen.pause_us);
        break;
    case EVENT_writes_resumed:
        m->pause_began = 0;
        m->pause_us = e->writes_resumed.pause_us;
        break;
    case EVENT_switch_phase:
        fold_phase(m, &e->switch_phase);
        break;
    case EVENT_switch_committed:
        if (!m->committed) /* a fail-back that was given up tells it again */
            m->committed_at = e->at;
        m->committed = true;
        set_writer(m, p, e->at, GREEN);
        m->pause_began = 0;
        m->pause_us = e->switch_committed.pause_us;
        break;
    case EVENT_switch_returned:
        m->committed = false;
        m->returned_at = e->at;
        set_writer(m, p, e->at, BLUE);
        m->pause_began = 0;
        m->pause_us = e->switch_returned.pause_us;
        break;
    case EVENT_switch_rehearsed:
        m->pause_began = 0;
        if (!e->switch_rehearsed.proven)
            break;
        m->rehearsed_at = e->at;
        m->rehearsed_us = e->switch_rehearsed.pause_us;
        break;
    default:
        break;
    }
}

/* ---- the run ---- */

static void fold_opened(struct model *m, const struct event *e)
{
    m->opened = e->at;
    KEEP(m->name, e->run_opened.name);
    KEEP(m->host, e->run_opened.host);
    KEEP(m->user, e->run_opened.user);
    KEEP(m->version, e->run_opened.version);
    KEEP(m->plan_hash, e->run_opened.plan_hash);
    m->rehearsal = e->run_opened.rehearsal;
}

static void fold_source(struct model *m, const char *name, const char *sentence)
{
    int i = 0;
    while (i < m->nsources && strcmp(m->source_name[i], name) != 0)
        i++;
    if (i == m->nsources) {
        if (*sentence == '\0' || m->nsources == (int)ARRAY_LEN(m->source_name))
            return;
        KEEP(m->source_name[i], name);
        m->nsources++;
    }
    KEEP(m->source_error[i], sentence);
}

void fold_run(struct model *m, const struct plan *p, const struct event *e)
{
    switch (e->kind) {
    case EVENT_run_opened:
        fold_opened(m, e);
        break;
    case EVENT_engine_started:
        fold_engine_started(m, p, e);
        break;
    case EVENT_engine_stopped:
        m->engine_running = false;
        break;
    case EVENT_run_ended:
        m->ended = e->at;
        KEEP(m->outcome, e->run_ended.outcome);
        KEEP(m->outcome_sentence, e->run_ended.sentence);
        break;
    case EVENT_run_paused:
    case EVENT_run_continued:
        m->paused = e->kind == EVENT_run_paused;
        break;
    case EVENT_journal_failed:
    case EVENT_journal_recovered:
        m->journal_broken = e->kind == EVENT_journal_failed;
        break;
    case EVENT_screen_joined:
        fold_joined(m, e);
        break;
    case EVENT_screen_left:
        fold_left(m, e->screen_left.id);
        break;
    case EVENT_step_began:
        fold_step_began(m, p, e);
        break;
    case EVENT_step_ended:
        fold_step_ended(m, p, e);
        break;
    case EVENT_step_said:
    case EVENT_step_progressed:
    case EVENT_step_found:
    case EVENT_step_decided:
    case EVENT_step_skipped:
        fold_step_fact(m, p, e);
        break;
    case EVENT_abort_asked:
        m->abort_asked = true;
        break;
    case EVENT_check_began: {
        int i = plan_find_check(p, e->check_began.check);
        if (i >= 0)
            m->check[i].running = true;
        break;
    }
    case EVENT_check_ended:
        fold_check_ended(m, p, e);
        break;
    case EVENT_source_failed:
        fold_source(m, e->source_failed.source, e->source_failed.sentence);
        break;
    case EVENT_source_back:
        fold_source(m, e->source_back.source, "");
        break;
    case EVENT_cost_seen:
        m->cost_at = e->at;
        m->cost_cpu_ppm = e->cost_seen.cpu_ppm;
        m->cost_rss = e->cost_seen.rss;
        break;
    default:
        fold_switch(m, p, e);
    }
}
