/* Pane 5: the runbook. Each step with its key, its state and its time; the line behind which going back loses writes. */
#include "tui/pane.h"

#include <stdio.h>
#include <string.h>

enum { NO_RETURN = -1 };

static int no_return_step(const struct view *v)
{
    for (int i = 0; i < v->plan->nsteps; i++)
        if (v->plan->steps[i].no_return)
            return i;
    return -1;
}

/* The step of a row, or NO_RETURN for the line that is drawn behind the step that passes it. */
static int step_of_row(const struct view *v, int row)
{
    int line = no_return_step(v);
    if (line >= 0 && row == line + 1)
        return NO_RETURN;
    return line >= 0 && row > line ? row - 1 : row;
}

static int row_of_step(const struct view *v, int step)
{
    int line = no_return_step(v);
    return line >= 0 && step > line ? step + 1 : step;
}

static int rows(const struct view *v)
{
    return v->plan->nsteps + (no_return_step(v) >= 0);
}

static const char *took_text(int64_t ms, char *buf, size_t size)
{
    if (ms < 1000)
        snprintf(buf, size, "%lld ms", (long long)MAX(ms, 0));
    else if (ms < 60000)
        snprintf(buf, size, "%lld.%lld s", (long long)(ms / 1000), (long long)(ms / 100 % 10));
    else
        format_span(ms, buf, size);
    return buf;
}

static void time_text(const struct view *v, int step, char *buf, size_t size, unsigned *style)
{
    const struct model_step *m = &v->model->step[step];
    char span[32];
    *style = ROLE_DIM;
    copy_text(buf, size, "");
    switch (m->state) {
    case STEP_RUNNING:
        *style = ROLE_RUN;
        format_span(MAX(v->now - m->began, 0), buf, size);
        break;
    case STEP_DONE:
        took_text(m->took, buf, size);
        break;
    case STEP_FAILED:
        *style = m->aborted ? ROLE_WARN : ROLE_BAD;
        copy_text(buf, size, m->aborted ? "STOPPED" : "FAILED");
        break;
    case STEP_UNKNOWN:
        *style = ROLE_WARN;
        copy_text(buf, size, "UNKNOWN");
        break;
    case STEP_SKIPPED:
        copy_text(buf, size, "skipped");
        break;
    case STEP_UNDONE:
        *style = ROLE_UNDO;
        copy_text(buf, size, "undone");
        break;
    case STEP_NOT_BEGUN:
        if (v->plan->steps[step].expect > 0)
            snprintf(buf, size, "~%s", format_span(v->plan->steps[step].expect, span, sizeof span));
    }
}

/* What a wide row says about its step: how it ended, what it does, or why it can't begin. */
static void note_text(const struct view *v, int step, char *buf, size_t size, unsigned *style)
{
    const struct model_step *m = &v->model->step[step];
    *style = m->state == STEP_FAILED ? ROLE_BAD : m->state == STEP_UNKNOWN ? ROLE_WARN : m->state == STEP_RUNNING ? ROLE_TEXT : ROLE_DIM;
    if (m->state != STEP_NOT_BEGUN && m->state != STEP_UNDONE) {
        pane_sentence(v, m->sentence, buf, size);
        return;
    }
    struct gate gate;
    const struct plan_step *s = &v->plan->steps[step];
    for (int i = 0; i < s->nneeds && step != pane_next_step(v); i++) {
        enum step_state need = v->model->step[s->needs[i]].state;
        if (need != STEP_DONE && need != STEP_SKIPPED) {
            snprintf(buf, size, "after %s", v->plan->steps[s->needs[i]].key);
            return;
        }
    }
    char why[sizeof gate.why];
    gate_ask(v->model, v->plan, step, MODE_RUN, v->now, &gate);
    *style = ROLE_TEXT;
    pane_sentence(v, gate.verdict == GATE_GO ? "ready" : pane_words(gate.why, why, sizeof why), buf, size);
}

/* The key of a step; one without a key of its own is behind x. */
static const char *key_of(const struct plan_step *s, char *buf, size_t size)
{
    if (s->bind && s->bind[0])
        copy_text(buf, size, s->bind);
    else
        snprintf(buf, size, s->letter ? "x %c" : "x", s->letter);
    return buf;
}

/* A step that only waits counts down, each second, however seldom it tells how far it is. */
static int draw_left(struct area a, int y, int right, const struct view *v, const struct model_step *m)
{
    char span[32];
    int64_t done = m->done + MAX(v->now - m->progressed, (int64_t)0);
    return area_printfr(a, right, y, ROLE_TEXT, a.w < 90 ? "-%s" : "%s left", format_span(MAX(m->total - done, (int64_t)0), span, sizeof span));
}

/* "███████░░░ 7/12 tables" before column `right`; returns the new right edge. */
static int draw_progress(struct area a, int y, int right, const struct view *v, const struct model_step *m)
{
    if (m->state != STEP_RUNNING || m->total <= 0 || m->done < 0)
        return right;
    int64_t ppm = MIN(m->done * 1000000 / m->total, 1000000);
    int x = strcmp(m->unit, "ms") == 0 ? draw_left(a, y, right, v, m)
          : a.w < 60 ? area_printfr(a, right, y, ROLE_TEXT, "%lld %%", (long long)(ppm / 10000))
                     : area_printfr(a, right, y, ROLE_TEXT, "%lld/%lld %s", (long long)m->done, (long long)m->total, m->unit);
    int bar = a.w < 60 ? 0 : a.w < 90 ? 10 : 16;
    if (bar > 0)
        graph_bar(a, x - bar - 1, y, bar, ppm, v->graph, ROLE_GRAPH, ROLE_BORDER);
    return x - bar - 2;
}

static int longest_title(const struct plan *p)
{
    int longest = 0;
    for (int i = 0; i < p->nsteps; i++)
        longest = MAX(longest, canvas_width(p->steps[i].title));
    return longest;
}

/* A step that is done may have lost its way back since. */
static bool may_be_undone(const struct view *v, int step)
{
    struct gate gate;
    if (!v->plan->steps[step].has_undo || v->model->step[step].state != STEP_DONE)
        return v->plan->steps[step].has_undo;
    gate_ask(v->model, v->plan, step, MODE_UNDO, v->now, &gate);
    return gate.verdict != GATE_STOP || v->model->ended;
}

static void draw_step(struct area a, int y, const struct view *v, int step)
{
    const struct plan_step *s = &v->plan->steps[step];
    const struct model_step *m = &v->model->step[step];
    char text[260], key[8];
    unsigned style, time_style, note_style;
    const char *glyph = pane_step_glyph(v, step, &style);
    bool next = step == gate_next_step(v->model, v->plan) && m->state != STEP_RUNNING;
    bool over = m->state == STEP_DONE || m->state == STEP_SKIPPED;
    area_text(a, 0, y, style, glyph);
    area_textw(a, 2, y, 3, over ? ROLE_KEY_LOCKED : next ? ROLE_KEY : ROLE_KEY_LOCKED, key_of(s, key, sizeof key));
    time_text(v, step, text, sizeof text, &time_style);
    int right = area_textr(a, a.w, y, time_style, text);
    right = (a.w < 60 ? right : MIN(right, a.w - 7)) - 1;
    right = draw_progress(a, y, right, v, m);
    bool wide = a.w >= 84;
    int title = wide ? MIN(longest_title(v->plan), MIN(48, (right - 6) / 2)) : right - 6;
    unsigned title_style = m->state == STEP_RUNNING || next ? ROLE_BRIGHT : m->state == STEP_NOT_BEGUN || over ? ROLE_TEXT : style;
    area_textw(a, 6, y, title, title_style, s->title);
    if (!wide)
        return;
    if (a.w >= 84 && m->state != STEP_RUNNING) {
        bool undo = may_be_undone(v, step);
        area_textr(a, right, y, undo ? ROLE_DIM : ROLE_KEY_LOCKED, undo ? "undo r" : "no undo");
        right -= 9;
    }
    note_text(v, step, text, sizeof text, &note_style);
    area_textw(a, 7 + title, y, right - 8 - title, note_style, text);
}

static void draw_line(struct area a, int y, const struct view *v)
{
    static const char *const none[] = {" point of no return: after this line going back loses writes ",
                                       " point of no return: going back loses writes ", " point of no return "};
    static const char *const back[] = {" commit point: after this line going back is a switch of its own, until cleanup ",
                                       " commit point: going back is a switch, until cleanup ", " commit point "};
    const char *const *words = v->plan->ndatabases && v->plan->databases[0].reverse ? back : none;
    size_t i = 0;
    while (i < 2 && (int)strlen(words[i]) + 8 > a.w)
        i++;
    unsigned style = v->model->committed ? ROLE_DIM : ROLE_UNDO;
    area_hline(a, 0, y, a.w, style, "─");
    area_text(a, MAX((a.w - (int)strlen(words[i])) / 2, 0), y, style, words[i]);
}

/* The phases of the switch with their times, as far as they fit on a line. */
static void draw_phases(struct area a, int y, const struct view *v)
{
    int x = area_text(a, 2, y, ROLE_DIM, "switch") + 2;
    for (int i = 0; i < v->model->nphases; i++) {
        const struct model_phase *p = &v->model->phase[i];
        char text[64];
        if (p->took_us < 10000)
            snprintf(text, sizeof text, "%.1f ms", (double)p->took_us / 1000);
        else
            snprintf(text, sizeof text, "%lld ms", (long long)(p->took_us / 1000));
        if (x + canvas_width(p->name) + 1 + canvas_width(text) > a.w)
            return;
        x = area_text(a, x, y, ROLE_DIM, p->name) + 1;
        x = area_text(a, x, y, ROLE_TEXT, text) + 3;
    }
}

/* Where there is room below the list: what happens now, what comes next, and how. */
static void draw_below(struct area a, const struct view *v)
{
    char text[300], span[32], of[32], key[8];
    int y = a.h > 3 ? 1 : 0, running = v->model->running, next = pane_next_step(v);
    if (v->model->nphases > 0 && y + 2 < a.h)
        draw_phases(a, y++, v);
    if (running >= 0 && y < a.h) {
        const struct model_step *m = &v->model->step[running];
        int x = area_text(a, 2, y, ROLE_DIM, "now") + 3;
        int right = area_printfr(a, a.w, y, ROLE_DIM, "%s of at most %s", format_span(MAX(v->now - m->began, 0), span, sizeof span),
                                 format_span(v->plan->steps[running].timeout, of, sizeof of)) - 2;
        area_textw(a, x + 2, y++, right - x - 2, ROLE_TEXT, pane_sentence(v, m->sentence[0] ? m->sentence : v->plan->steps[running].title, text, sizeof text));
    }
    if (next < 0 || next == running || y >= a.h)
        return;
    struct gate gate;
    char why[sizeof gate.why];
    gate_ask(v->model, v->plan, next, MODE_RUN, v->now, &gate);
    int x = area_text(a, 2, y, ROLE_DIM, "next") + 4;
    key_of(&v->plan->steps[next], key, sizeof key);
    if (gate.verdict == GATE_GO)
        snprintf(text, sizeof text, "! arms for 60 s, then %s opens \"%s\"", key, v->plan->steps[next].title);
    else if (running >= 0)
        snprintf(text, sizeof text, "%s  %s", key, v->plan->steps[next].title);
    else
        pane_sentence(v, pane_words(gate.why, why, sizeof why), text, sizeof text);
    area_textw(a, x, y, a.w - x, ROLE_TEXT, text);
}

static void draw_row(struct area a, int y, const struct view *v, int row)
{
    int step = step_of_row(v, row);
    if (step == NO_RETURN)
        draw_line(a, y, v);
    else
        draw_step(a, y, v, step);
}

/* "✓ F2 to F5: 4 steps are over" in place of the first rows. */
static void draw_over(struct area a, int y, const struct view *v, int hidden)
{
    int line = no_return_step(v), last = step_of_row(v, hidden - 1);
    char key[8], first[8];
    last = last == NO_RETURN ? line : last;
    area_text(a, 0, y, ROLE_OK, "✓");
    area_printf(a, 2, y, ROLE_DIM, "%s to %s  %d steps are over%s", key_of(&v->plan->steps[0], first, sizeof first), key_of(&v->plan->steps[last], key, sizeof key), last + 1,
                line >= 0 && hidden > line + 1 ? ", past the point of no return" : "");
}

/* What did not fit below; the line must not go unseen. */
static void draw_more(struct area a, int y, const struct view *v, int row)
{
    int line = no_return_step(v), left = rows(v) - row;
    bool behind = line >= 0 && row <= line + 1;
    area_hline(a, 0, y, a.w, behind ? ROLE_UNDO : ROLE_DIM, behind ? "─" : " ");
    area_printf(a, 2, y, behind ? ROLE_UNDO : ROLE_DIM, behind ? " %d more, past a point of no return " : "  … %d more", left - behind);
}

/* The rows around the one that matters: those that are over above it become one line, the last ones another. */
static void draw_folded(struct area a, const struct view *v, int row)
{
    int n = rows(v), over = 0;
    while (over < row && (step_of_row(v, over) == NO_RETURN || v->model->step[step_of_row(v, over)].state == STEP_DONE || v->model->step[step_of_row(v, over)].state == STEP_SKIPPED))
        over++;
    int keep = MIN(2, a.h / 5); /* of what is over stays in sight */
    int hidden = MIN(MAX(over - keep, 0), n - a.h + 1);
    if (hidden < 2)
        hidden = 0;
    int y = 0;
    if (hidden)
        draw_over(a, y++, v, hidden);
    bool more = n - hidden > a.h - y;
    for (int i = hidden; i < n && y < a.h - more; i++)
        draw_row(a, y++, v, i);
    if (more)
        draw_more(a, y, v, hidden + a.h - 1 - (hidden > 0));
}

static void draw(struct area a, const struct view *v)
{
    int n = rows(v), step = v->model->running >= 0 ? v->model->running : gate_next_step(v->model, v->plan);
    if (v->state->selected < 0 && n > a.h && a.h > 2) { /* nobody has chosen: what is over folds, the step that matters stays */
        draw_folded(a, v, step < 0 ? n - 1 : row_of_step(v, step));
        return;
    }
    int offset = pane_scroll(v->state, n, a.h);
    for (int i = 0; i < MIN(n - offset, a.h); i++) {
        draw_row(a, i, v, offset + i);
        if (v->focused && v->state->selected == offset + i)
            area_select(a, 0, i, a.w);
    }
    if (a.h > n)
        draw_below(area_part(a, 0, n, -1, -1), v);
}

static void fold(struct area a, const struct view *v)
{
    int step = v->model->running >= 0 ? v->model->running : gate_next_step(v->model, v->plan);
    if (step >= 0)
        draw_step(a, 0, v, step);
    else
        area_text(a, 0, 0, ROLE_OK, "✓ every step is done");
}

static void title(const struct view *v, char *left, size_t lsize, char *right, size_t rsize)
{
    int over = 0;
    int64_t rest = 0;
    char clock[32];
    for (int i = 0; i < v->plan->nsteps; i++) {
        const struct model_step *m = &v->model->step[i];
        over += m->state == STEP_DONE || m->state == STEP_SKIPPED;
        if (m->state == STEP_NOT_BEGUN)
            rest += v->plan->steps[i].expect;
        if (m->state == STEP_RUNNING)
            rest += MAX(v->plan->steps[i].expect - (v->now - m->began), 0);
    }
    copy_text(left, lsize, "");
    if (rest > 0 && v->size >= LAYOUT_MEDIUM)
        snprintf(right, rsize, "%d/%d  est. end %sZ", over, v->plan->nsteps, pane_clock(v->now + rest, false, clock, sizeof clock));
    else
        snprintf(right, rsize, "%d/%d", over, v->plan->nsteps);
}

static void detail(const struct view *v, int row, struct buf *out)
{
    int step = step_of_row(v, row);
    if (step == NO_RETURN)
        return;
    const struct plan_step *s = &v->plan->steps[step];
    const struct model_step *m = &v->model->step[step];
    char text[300], clock[32];
    struct gate gate;
    buf_printf(out, "%s  %s\nkind %s, key %s, letter %c, %s\n\n", s->key, s->title, s->kind, s->bind ? s->bind : "-", s->letter ? s->letter : '-',
               s->has_undo ? "can be undone" : "no undo");
    buf_printf(out, "state     %s, attempt %d%s%s\n", step_state_names[m->state], m->attempt, m->by[0] ? ", by " : "", m->by);
    if (m->began)
        buf_printf(out, "began     %sZ\n", pane_clock(m->began, true, clock, sizeof clock));
    if (m->sentence[0])
        buf_printf(out, "said      %s\n", pane_sentence(v, m->sentence, text, sizeof text));
    if (m->found[0])
        buf_printf(out, "found     the world looks as %s it ran\n", m->found);
    gate_ask(v->model, v->plan, step, MODE_RUN, v->now, &gate);
    buf_printf(out, "\ngate      %s %s\n", gate_verdict_names[gate.verdict], pane_sentence(v, gate.why, text, sizeof text));
    for (int i = 0; i < gate.nlines; i++)
        buf_printf(out, "  %s %-52s %s\n", gate.line[i].held ? "✓" : gate.line[i].known ? "✗" : "?", gate.line[i].text, gate.line[i].value);
}

const struct pane pane_steps = {
    .name = "steps", .number = PANE_STEPS, .title = title, .draw = draw, .fold = fold, .rows = rows, .detail = detail,
};
