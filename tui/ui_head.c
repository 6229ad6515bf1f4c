/* The two lines at the top: where we are, and the one word that says whether to go on. Both are made of parts, and the
 * parts that matter least go first when it is narrow. */
#include "tui/ui.h"

#include <stdio.h>
#include <string.h>

struct part {
    char text[260];
    unsigned style;
    int keep;      /* the smallest goes first; 0 = not there */
    bool right;    /* stands at the right edge, in order */
    bool badge;    /* with a blank on either side, in its style */
    bool shrinks;  /* may be cut instead */
    bool tight;    /* one blank behind it, not two */
};
struct line {
    struct part part[16];
    int n;
};

static struct part *add(struct line *l, int keep, bool right, unsigned style, const char *fmt, ...) PRINTF(5, 6);
static struct part *add(struct line *l, int keep, bool right, unsigned style, const char *fmt, ...)
{
    struct part *p = &l->part[l->n < (int)ARRAY_LEN(l->part) ? l->n++ : l->n - 1];
    *p = (struct part){.style = style, .keep = keep, .right = right};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(p->text, sizeof p->text, fmt, ap);
    va_end(ap);
    return p;
}

static int width_of(const struct part *p)
{
    return canvas_width(p->text) + (p->badge ? 2 : 0);
}

static int total(const struct line *l, int w)
{
    int sum = 1;
    for (int i = 0; i < l->n; i++)
        if (l->part[i].keep)
            sum += (l->part[i].shrinks ? MIN(width_of(&l->part[i]), MAX(MIN(36, w - 12), 0)) : width_of(&l->part[i])) + 2;
    return sum - 1;
}

static void fit(struct line *l, int w)
{
    while (total(l, w) > w) {
        int worst = -1;
        for (int i = 0; i < l->n; i++)
            if (l->part[i].keep && (worst < 0 || l->part[i].keep < l->part[worst].keep))
                worst = i;
        if (worst < 0 || l->part[worst].keep >= 100)
            return;
        l->part[worst].keep = 0;
    }
}

static int put(struct area a, int x, int w, const struct part *p)
{
    if (!p->badge)
        return area_textw(a, x, 0, w, p->style, p->text);
    return area_printf(a, x, 0, p->style, " %s ", p->text);
}

static void draw_line(struct area a, struct line *l)
{
    fit(l, a.w);
    int right = a.w, x = 1;
    for (int i = l->n - 1; i >= 0; i--)
        if (l->part[i].keep && l->part[i].right) {
            right -= width_of(&l->part[i]) + 1;
            put(a, right, a.w, &l->part[i]);
            right--;
        }
    for (int i = 0; i < l->n; i++)
        if (l->part[i].keep && !l->part[i].right && x < right)
            x = put(a, x, right - x, &l->part[i]) + (l->part[i].badge || l->part[i].tight ? 1 : 2);
}

/* "step 7/12 RUNNING": the running step, else the next one and what it waits for. */
static void add_step(const struct ui *ui, struct line *l)
{
    const struct model *m = ui->model;
    int step = m->running >= 0 ? m->running : gate_next_step(m, ui->plan);
    if (m->ended || step < 0) {
        bool done = step < 0;
        add(l, 92, false, done ? ROLE_GO : ROLE_STOP, "%s", done ? "DONE" : strcmp(m->outcome, "returned") == 0 ? "RETURNED" : "STOPPED")->badge = true;
        add(l, 60, false, ROLE_TEXT, done ? "all %d steps" : "at step %d", done ? ui->plan->nsteps : step + 1);
        return;
    }
    enum step_state state = m->step[step].state;
    const char *word = m->running >= 0 && ui->engine_gone && ui_is_live(ui) ? "CUT OFF"
                     : m->running >= 0 && m->abort_asked ? "ABORTING"
                     : m->running >= 0 ? m->step[step].undoing ? "UNDOING" : m->step[step].probing ? "LOOKING" : "RUNNING"
                     : m->paused ? "PAUSED"
                     : state == STEP_FAILED ? m->step[step].aborted ? "STOPPED" : "FAILED"
                     : state == STEP_UNKNOWN ? "UNKNOWN" : "next";
    unsigned style = m->running >= 0 ? ROLE_RUN : state == STEP_FAILED ? ROLE_BAD : state == STEP_UNKNOWN || m->paused ? ROLE_WARN : ROLE_DIM;
    add(l, 90, false, ROLE_TEXT, "step %d/%d", step + 1, ui->plan->nsteps);
    l->part[l->n - 1].tight = true;
    struct part *state_part = add(l, 88, false, state == STEP_FAILED || state == STEP_UNKNOWN ? ROLE_STOP : style, "%s", word);
    state_part->badge = state_part->style == ROLE_STOP;
    state_part->tight = ui->layout.w >= 110;
    if (ui->layout.w >= 110)
        add(l, 30, false, ROLE_TEXT, "%s", ui->plan->steps[step].key);
}

/* The stopwatch of the write pause against its budget. */
static void add_pause(const struct ui *ui, struct line *l)
{
    const struct model *m = ui->model;
    int64_t budget = ui->plan->pause_budget, ms = ui->now - m->pause_began;
    char text[32];
    if (m->pause_began) {
        unsigned style = ms > budget ? ROLE_STOP : ms * 2 > budget ? ROLE_HOLD : ROLE_WARN;
        struct part *p = add(l, 95, false, style, "%s%lld.%lld/%lld s", ui->layout.w >= 80 ? "writes paused " : "paused ", (long long)(ms / 1000), (long long)(ms / 100 % 10), (long long)(budget / 1000));
        p->badge = style != ROLE_WARN;
    } else if (m->pause_us > 0 && m->committed) { /* the number that the whole evening was about */
        bool over = m->ended || gate_next_step(m, ui->plan) < 0;
        add(l, over ? 91 : 42, false, over ? ROLE_BRIGHT : ROLE_DIM, "write pause %s", format_ms((m->pause_us + 999) / 1000, text, sizeof text));
    }
}

/* Neither or both sides writable is red for as long as it is so; so is a writer where nobody may write. */
static void add_writers(const struct ui *ui, struct line *l)
{
    enum { RECENT = 15000 };
    const struct model *m = ui->model;
    enum model_writers worst = WRITERS_UNWATCHED;
    const char *name = "", *writer = "";
    for (int i = 0; i < ui->plan->ndatabases; i++) {
        enum model_writers w = model_writers(m, ui->plan, i, ui->now);
        if (w != WRITERS_ONE && w > worst)
            worst = w, name = ui->plan->databases[i].name;
        if (m->db[i].writer.at && ui->now - m->db[i].writer.at < RECENT)
            writer = m->db[i].writer.side;
    }
    const char *text = model_writers_text(m, worst);
    bool many = ui->plan->ndatabases > 1 && ui->layout.w >= 110;
    if (model_writers_are_bad(worst))
        add(l, 98, false, ROLE_STOP, "%s%s%s", many ? name : "", many ? ": " : "", text)->badge = true;
    else if (*writer)
        add(l, 97, false, ROLE_STOP, "A WRITER ON %s", strcmp(writer, side_names[BLUE]) == 0 ? "BLUE" : "GREEN")->badge = true;
    else if (*text && !m->ended && !(worst == WRITERS_STOPPED && m->pause_began))
        add(l, 58, false, ROLE_WARN, "%s", text);
}

static const char *operator_of(const struct model *m)
{
    for (int i = 0; i < m->npeople; i++)
        if (strcmp(m->person[i].role, "operator") == 0)
            return m->person[i].user;
    return "";
}

static void add_people(const struct ui *ui, struct line *l)
{
    const char *user = operator_of(ui->model);
    if (*user)
        add(l, 40, true, ROLE_DIM, "operator %s", user);
    if (strcmp(ui->role, "observer") == 0)
        add(l, 45, true, ROLE_DIM, "you watch");
    else if (ui->layout.w >= 180 && ui->model->npeople > 1)
        add(l, 10, true, ROLE_DIM, "%d attached", ui->model->npeople);
}

void ui_draw_header(const struct ui *ui, struct area a)
{
    struct line l = {.n = 0};
    char clock[32], span[32];
    const struct model *m = ui->model;
    add(&l, 100, false, ROLE_BRIGHT, "%s", ui->plan->name);
    add(&l, 96, false, m->rehearsal || ui->plan->rehearsal ? ROLE_BADGE : ROLE_STOP, "%s", m->rehearsal || ui->plan->rehearsal ? "REHEARSAL" : "PRODUCTION")->badge = true;
    add_step(ui, &l);
    add_pause(ui, &l);
    add_writers(ui, &l);
    add_people(ui, &l);
    if (m->opened)
        add(&l, 50, true, ROLE_DIM, "T+%s", format_span(MAX((m->ended ? m->ended : ui->now) - m->opened, 0), span, sizeof span));
    add(&l, 80, true, ROLE_TEXT, "%sZ", pane_clock(ui->now, false, clock, sizeof clock));
    if (!ui->replay)
        add(&l, 60, true, m->journal_broken ? ROLE_STOP : ROLE_DIM, "%s", m->journal_broken ? "NO JOURNAL" : "REC");
    if (ui->redact)
        add(&l, 70, true, ROLE_BADGE, "REDACT")->badge = true;
    draw_line(a, &l);
}

/* "F7", "x d": what opens a step. */
static const char *opening_key(const struct plan_step *s, char *buf, size_t size)
{
    if (s->bind && s->bind[0])
        copy_text(buf, size, s->bind);
    else
        snprintf(buf, size, s->letter ? "x %c" : "x", s->letter);
    return buf;
}

static bool holds_keys(const struct ui *ui)
{
    return ui_is_live(ui) && !ui->engine_gone && strcmp(ui->role, "observer") != 0;
}

/* GO, and which keys go. */
static void say_go(const struct ui *ui, int step, char *sentence, size_t size)
{
    const struct plan_step *s = &ui->plan->steps[step];
    char key[8];
    opening_key(s, key, sizeof key);
    if (!holds_keys(ui))
        snprintf(sentence, size, "%s  %s", key, s->title);
    else
        snprintf(sentence, size, "press %s%s: %s", ui_is_armed(ui) ? "" : "! then ", key, s->title);
}

/* A step that failed or is unknown: what is known of it, and which keys lead on. */
static void say_trouble(const struct ui *ui, int step, char *sentence, size_t size)
{
    const struct model_step *s = &ui->model->step[step];
    const char *bang = ui_is_armed(ui) ? "" : "! then ", *key = ui->plan->steps[step].key;
    char keys[120] = "", open[8];
    const char *what = s->state == STEP_UNKNOWN ? "is unknown" : s->aborted ? "was stopped" : "failed";
    const char *found = s->state == STEP_UNKNOWN && !s->found[0] ? "" : s->sentence;
    if (holds_keys(ui) && s->state == STEP_UNKNOWN)
        snprintf(keys, sizeof keys, " (%st decides)", bang);
    else if (holds_keys(ui))
        snprintf(keys, sizeof keys, " (%s%s again, t decides%s)", bang, opening_key(&ui->plan->steps[step], open, sizeof open), gate_undo_step(ui->model, ui->plan) == step ? ", r undoes" : "");
    snprintf(sentence, size, "%s %s%s%s%s", key, what, keys, *found ? ": " : "", found);
}

/* While a step runs the line speaks of it first. */
static void say_running(const struct ui *ui, int step, char *sentence, size_t size)
{
    const struct model_step *s = &ui->model->step[step];
    const struct plan_step *plan = &ui->plan->steps[step];
    char words[260];
    const char *what = s->undoing ? "undoing " : s->probing ? "looking at " : "";
    if (s->sentence[0])
        snprintf(sentence, size, "%s%s: %s", what, plan->key, pane_words(s->sentence, words, sizeof words));
    else if (s->total > 0)
        snprintf(sentence, size, "%s%s: %lld %% of it is done", what, plan->key, (long long)(MIN(s->done, s->total) * 100 / s->total));
    else
        snprintf(sentence, size, "%s%s runs", what, plan->key);
}

/* The word for the whole run, and the sentence behind it. */
const char *ui_verdict(const struct ui *ui, char *sentence, size_t size)
{
    const struct model *m = ui->model;
    int step = m->running >= 0 ? m->running : gate_next_step(m, ui->plan);
    char span[32], why[300];
    struct gate gate;
    if (m->ended || step < 0) {
        if (m->pause_us > 0 && m->committed)
            snprintf(sentence, size, "%s; writes stood for %s", m->ended ? m->outcome_sentence : "every step is done", format_ms((m->pause_us + 999) / 1000, span, sizeof span));
        else
            copy_text(sentence, size, m->ended ? m->outcome_sentence : "every step is done");
        return step < 0 || strcmp(m->outcome, "done") == 0 ? "DONE" : gate_verdict_names[GATE_STOP];
    }
    if (ui->engine_gone) {
        copy_text(sentence, size, "no engine watches: q, then start cutover PLAN");
        return gate_verdict_names[GATE_STOP];
    }
    if (m->running >= 0) {
        say_running(ui, step, sentence, size);
        return gate_verdict_names[GATE_HOLD];
    }
    gate_ask(m, ui->plan, step, MODE_RUN, ui->now, &gate);
    if (m->step[step].state == STEP_UNKNOWN || (gate.verdict == GATE_GO && m->step[step].state == STEP_FAILED)) {
        say_trouble(ui, step, sentence, size); /* a person decides, whatever the gate says */
        return gate_verdict_names[GATE_STOP];
    }
    if (gate.verdict == GATE_GO) {
        say_go(ui, step, sentence, size);
        return gate_verdict_names[GATE_GO];
    }
    pane_words(gate.why, why, sizeof why);
    bool whole_run = m->paused || m->journal_broken;
    snprintf(sentence, size, "%s%s%s", whole_run ? "" : ui->plan->steps[step].key, whole_run ? "" : ": ", why);
    return gate_verdict_names[gate.verdict];
}

static void add_time_badge(const struct ui *ui, struct line *l)
{
    char span[32];
    struct part *p;
    if (ui->replay)
        p = add(l, 85, true, ui->playing ? ROLE_BADGE : ROLE_FROZEN, ui->playing ? "REPLAY x%d" : "REPLAY paused", ui->speed);
    else if (ui->frozen)
        p = add(l, 97, true, ROLE_FROZEN, "FROZEN %s", format_span(MAX(ui->wall - ui->frozen_wall, 0), span, sizeof span));
    else if (ui->past_at)
        p = add(l, 97, true, ROLE_FROZEN, "PAST %s", pane_clock(ui->past_at, false, span, sizeof span));
    else if (ui->engine_gone && ui->model->ended)
        p = add(l, 60, true, ROLE_DIM, "ENDED");
    else if (ui->engine_gone)
        p = add(l, 98, true, ROLE_STOP, "ENGINE GONE %s", format_span(MAX(ui->wall - ui->gone_at, 0), span, sizeof span));
    else
        p = add(l, 60, true, ROLE_DIM, "LIVE");
    p->badge = p->style != ROLE_DIM;
}

/* The price of going back stays in sight on a narrow screen: its last words go. */
static const char *short_price(char *price, int w)
{
    static const char *const ends[] = {" of writes", " (lag", ", nothing changed", ", cleanup done"};
    for (size_t i = 0; i < ARRAY_LEN(ends) && w < 100; i++) {
        char *end = strstr(price, ends[i]);
        if (end)
            *end = '\0';
    }
    return price;
}

void ui_draw_gate(const struct ui *ui, struct area a)
{
    struct line l = {.n = 0};
    char sentence[260], masked[300], price[120], span[32];
    const char *word = ui_verdict(ui, sentence, sizeof sentence);
    struct view v = ui_view((struct ui *)ui, PANE_STEPS);
    unsigned style = word[0] == 'G' || word[0] == 'D' ? ROLE_GO : word[0] == 'H' ? ROLE_HOLD : ROLE_STOP;
    add(&l, 100, false, style, "%s", word)->badge = true;
    add(&l, 99, false, ROLE_TEXT, "%s", pane_sentence(&v, sentence, masked, sizeof masked))->shrinks = true;
    const struct model *m = ui->model;
    int next = pane_next_step(&v);
    char key[8];
    if (m->running >= 0 && next >= 0 && next != m->running && ui->layout.w >= 100)
        add(&l, 5, false, ROLE_DIM, "then %s %s", opening_key(&ui->plan->steps[next], key, sizeof key), ui->plan->steps[next].key);
    gate_price(ui->model, ui->plan, ui->now, price, sizeof price);
    if (ui->layout.size > LAYOUT_TINY)
        add(&l, 70, true, ROLE_UNDO, "%s", short_price(price, ui->layout.w));
    add_time_badge(ui, &l);
    if (ui_is_armed(ui))
        add(&l, 98, true, ROLE_ARMED, "ARMED %s", format_span(ui->armed_until - ui->wall, span, sizeof span))->badge = true;
    draw_line(a, &l);
}
