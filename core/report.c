#include "core/report.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/check/check.h"
#include "core/retell.h"

struct report {
    struct buf confirmed, people; /* rows collected while the journal is told */
};

static void stamp(int64_t at, char *buf, size_t size)
{
    time_t s = (time_t)(at / 1000);
    struct tm tm;
    gmtime_r(&s, &tm);
    size_t n = strftime(buf, size, "%H:%M:%S", &tm);
    if (n && n + 5 < size)
        snprintf(buf + n, size - n, ".%03d", (int)(at % 1000));
}

static void day(int64_t at, char *buf, size_t size)
{
    time_t s = (time_t)(at / 1000);
    struct tm tm;
    gmtime_r(&s, &tm);
    strftime(buf, size, "%Y-%m-%d %H:%M:%S UTC", &tm);
}

/* A cell of a Markdown table: the bar and line breaks would end it. */
static void cell(struct buf *out, const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c == '|')
            buf_puts(out, "\\|");
        else if (*c == '\n')
            buf_puts(out, "<br>");
        else if (*c == '<')
            buf_puts(out, "&lt;");
        else
            buf_add(out, c, 1);
}

static void tell_confirmed(struct report *r, const struct event *e)
{
    const struct event_step_began *s = &e->step_began;
    char at[32];
    if (strcmp(s->mode, "probe") == 0)
        return;
    stamp(e->at, at, sizeof at);
    buf_printf(&r->confirmed, "| %s | %s%s | ", at, strcmp(s->mode, "undo") == 0 ? "undo " : "", s->step);
    cell(&r->confirmed, s->user);
    buf_puts(&r->confirmed, " | ");
    cell(&r->confirmed, *s->typed ? s->typed : "key");
    buf_puts(&r->confirmed, " | ");
    cell(&r->confirmed, s->action);
    buf_puts(&r->confirmed, " | ");
    cell(&r->confirmed, s->gate);
    buf_puts(&r->confirmed, " |\n");
}

static void tell_person(struct report *r, const struct event *e)
{
    char at[32];
    stamp(e->at, at, sizeof at);
    if (e->kind == EVENT_note_said)
        buf_printf(&r->people, "- %s note by %s: %s\n", at, e->note_said.user, e->note_said.text);
    if (e->kind == EVENT_order_refused)
        buf_printf(&r->people, "- %s refused: %s %s by %s: %s\n", at, e->order_refused.order, e->order_refused.step, e->order_refused.user, e->order_refused.why);
    if (e->kind == EVENT_step_skipped)
        buf_printf(&r->people, "- %s **left out**: %s by %s: %s\n", at, e->step_skipped.step, e->step_skipped.user, e->step_skipped.reason);
    if (e->kind == EVENT_step_decided)
        buf_printf(&r->people, "- %s **decided**: %s counts as %s, by %s: %s\n", at, e->step_decided.step, e->step_decided.decision, e->step_decided.user, e->step_decided.reason);
    if (e->kind == EVENT_abort_asked)
        buf_printf(&r->people, "- %s abort of %s asked by %s\n", at, e->abort_asked.step, e->abort_asked.user);
    if (e->kind == EVENT_engine_started && e->engine_started.resumed)
        buf_printf(&r->people, "- %s an engine took the run up again\n", at);
}

static void each(struct retold *r, const struct event *e)
{
    struct report *rep = r->arg;
    if (e->kind == EVENT_step_began)
        tell_confirmed(rep, e);
    tell_person(rep, e);
}

static void write_head(struct buf *out, const struct retold *r)
{
    const struct model *m = r->model;
    char from[40], to[40], took[24];
    day(m->opened, from, sizeof from);
    day(m->ended ? m->ended : m->last_at, to, sizeof to);
    buf_printf(out, "# %s%s\n\n", m->name, m->rehearsal ? " (rehearsal)" : "");
    buf_printf(out, "- outcome: **%s**%s%s\n", m->ended ? m->outcome : "not ended", *m->outcome_sentence ? ": " : "", m->outcome_sentence);
    buf_printf(out, "- from %s to %s (%s)\n", from, to, format_span((m->ended ? m->ended : m->last_at) - m->opened, took, sizeof took));
    buf_printf(out, "- opened by %s on %s with cutover %s\n", m->user, m->host, m->version);
    buf_printf(out, "- plan %s, sha256 `%s`\n", r->plan->file, m->plan_hash);
}

static void write_pause(struct buf *out, const struct model *m)
{
    if (m->committed)
        buf_printf(out, "- write pause: **%.1f ms**\n", (double)m->pause_us / 1000);
    else
        buf_puts(out, "- writes were not moved to green\n");
    if (m->nphases == 0)
        return;
    buf_puts(out, "\n## Phases of the switch\n\n| phase | ms | |\n|---|--:|---|\n");
    for (int i = 0; i < m->nphases; i++) {
        buf_printf(out, "| %s | %.1f | ", m->phase[i].name, (double)m->phase[i].took_us / 1000);
        cell(out, m->phase[i].text);
        buf_puts(out, " |\n");
    }
}

static void write_steps(struct buf *out, const struct model *m, const struct plan *p)
{
    buf_puts(out, "\n## Steps\n\n| step | title | state | began | took | by | |\n|---|---|---|---|--:|---|---|\n");
    for (int i = 0; i < p->nsteps; i++) {
        const struct model_step *s = &m->step[i];
        char began[32] = "", took[24] = "";
        if (s->began)
            stamp(s->began, began, sizeof began);
        if (s->took)
            format_ms(s->took, took, sizeof took);
        buf_printf(out, "| %s | ", p->steps[i].key);
        cell(out, p->steps[i].title);
        buf_printf(out, " | %s | %s | %s | %s | ", step_state_names[s->state], began, took, s->by);
        cell(out, s->sentence);
        buf_puts(out, " |\n");
        if (p->steps[i].no_return)
            buf_puts(out, "| | *point of no return* | | | | | |\n");
    }
}

static void write_evidence(struct buf *out, const struct model *m, const struct plan *p)
{
    static const char *const words[] = {"unknown", "pass", "FAIL"};
    if (p->nchecks == 0)
        return;
    buf_puts(out, "\n## Evidence\n\n| check | verdict | proven at | by | sentence | evidence |\n|---|---|---|---|---|---|\n");
    for (int i = 0; i < p->nchecks; i++) {
        const struct model_check *c = &m->check[i];
        char at[32] = "never";
        if (c->at)
            stamp(c->at, at, sizeof at);
        buf_printf(out, "| %s | %s | %s | %s | ", p->checks[i].key, words[c->verdict], at, c->by);
        cell(out, c->sentence);
        buf_puts(out, " | ");
        cell(out, c->evidence);
        buf_puts(out, " |\n");
    }
}

bool report_write(const char *journal_path, struct buf *out, struct err *err)
{
    struct report rep = {0};
    struct retold r = {.each = each, .arg = &rep};
    bool ok = retell(journal_path, &r, err);
    if (ok) {
        write_head(out, &r);
        write_pause(out, r.model);
        write_steps(out, r.model, r.plan);
        write_evidence(out, r.model, r.plan);
        buf_puts(out, "\n## Who confirmed what\n\n| at | step | by | typed | what ran | what the gate said |\n|---|---|---|---|---|---|\n");
        buf_puts(out, rep.confirmed.text ? rep.confirmed.text : "");
        buf_puts(out, "\n## Notes, refusals, decisions\n\n");
        buf_puts(out, rep.people.text ? rep.people.text : "none\n");
        buf_printf(out, "\nJournal: %s, %lld events, hash chain whole.\n", journal_path, (long long)r.model->last_seq);
    }
    buf_free(&rep.confirmed);
    buf_free(&rep.people);
    retold_free(&r);
    return ok;
}
