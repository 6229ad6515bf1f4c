/* Pane 4: what has to hold. First the gate of the next step with its live values, then the checklist with its evidence. */
#include "core/check/check.h"
#include "tui/pane.h"

#include <stdio.h>
#include <string.h>

enum { ROWS_MAX = 256 };

struct row {
    bool head;
    int line;  /* of the gate; -1 */
    int check; /* of the plan; -1 */
};
struct list {
    struct gate gate;
    int step; /* that the gate belongs to; -1 */
    struct row row[ROWS_MAX];
    int nrows, held, all;
};

/* A rule that is built in shows up when it stands in the way, or when there is room for all of them. */
static bool shows_line(const struct view *v, const struct gate_line *l)
{
    return !l->id[0] || !l->held || v->zoomed || v->size >= LAYOUT_LARGE;
}

static void add_row(struct list *l, struct row row, bool held)
{
    if (l->nrows < ROWS_MAX)
        l->row[l->nrows++] = row;
    l->held += !row.head && held;
    l->all += !row.head;
}

static void make_list(struct list *l, const struct view *v)
{
    l->nrows = l->held = l->all = 0;
    l->gate.nlines = 0;
    l->step = pane_next_step(v);
    if (l->step >= 0)
        gate_ask(v->model, v->plan, l->step, MODE_RUN, v->now, &l->gate);
    bool head = v->size >= LAYOUT_MEDIUM;
    if (head && l->gate.nlines > 0)
        add_row(l, (struct row){.head = true, .line = 0, .check = -1}, false);
    for (int i = 0; i < l->gate.nlines; i++)
        if (shows_line(v, &l->gate.line[i]))
            add_row(l, (struct row){.line = i, .check = -1}, l->gate.line[i].held);
    if (head && v->plan->nchecks > 0)
        add_row(l, (struct row){.head = true, .line = -1, .check = 0}, false);
    for (int i = 0; i < v->plan->nchecks; i++)
        add_row(l, (struct row){.line = -1, .check = i}, check_verdict_at(&v->model->check[i], v->now) == CHECK_PASS);
}

static void draw_line(struct area a, int y, const struct view *v, const struct gate_line *l)
{
    char age[32], value[64], text[200], words[200];
    unsigned style = l->held ? ROLE_OK : l->known ? ROLE_WARN : ROLE_UNKNOWN;
    bool wide = a.w >= 80;
    area_text(a, 0, y, style, l->held ? "✓" : l->known ? "✗" : "?");
    if (wide && l->at)
        area_printfr(a, a.w, y, ROLE_DIM, "%s ago", pane_age(l->at, v->now, age, sizeof age));
    int right = wide ? a.w - 12 : a.w;
    int x = area_textr(a, right, y, l->held ? ROLE_DIM : l->known ? ROLE_BRIGHT : ROLE_UNKNOWN, pane_sentence(v, l->value, value, sizeof value));
    area_textw(a, 2, y, x - 3, l->held ? ROLE_OK : ROLE_TEXT, pane_sentence(v, pane_words(l->text, words, sizeof words), text, sizeof text));
}

/* What stands at the right of an item: how old its evidence is, or what is missing. */
static void check_word(const struct view *v, int i, char *buf, size_t size, unsigned *style)
{
    const struct model_check *c = &v->model->check[i];
    enum check_verdict verdict = check_verdict_at(c, v->now);
    *style = verdict == CHECK_FAIL ? ROLE_BAD : ROLE_DIM;
    if (c->running)
        copy_text(buf, size, "looking");
    else if (c->at && verdict == CHECK_UNKNOWN && c->verdict != CHECK_UNKNOWN)
        copy_text(buf, size, "expired");
    else if (c->at)
        pane_age(c->at, v->now, buf, size);
    else
        copy_text(buf, size, strcmp(v->plan->checks[i].kind, "person") == 0 ? "by hand" : "not run");
}

static void draw_check(struct area a, int y, const struct view *v, int i)
{
    const struct plan_check *plan = &v->plan->checks[i];
    const struct model_check *c = &v->model->check[i];
    enum check_verdict verdict = check_verdict_at(c, v->now);
    char word[40], text[240];
    unsigned style = verdict == CHECK_PASS ? ROLE_OK : verdict == CHECK_FAIL ? ROLE_BAD : ROLE_UNKNOWN, word_style;
    area_text(a, 0, y, c->running ? ROLE_RUN : style, c->running ? "▶" : verdict == CHECK_PASS ? "✓" : verdict == CHECK_FAIL ? "✗" : "?");
    check_word(v, i, word, sizeof word, &word_style);
    int right = area_textr(a, a.w, y, word_style, word) - 1;
    int longest = 0;
    for (int k = 0; k < v->plan->nchecks; k++)
        longest = MAX(longest, canvas_width(v->plan->checks[k].title));
    int title = MIN(longest, a.w >= 80 || (a.w >= 48 && verdict == CHECK_FAIL) ? (right - 2) / 2 : right - 2); /* a failure needs its sentence */
    area_textw(a, 2, y, title, verdict == CHECK_UNKNOWN ? ROLE_TEXT : style, plan->title);
    if (a.w < 48 || right - title - 4 < 14)
        return;
    const char *sentence = c->sentence[0] ? c->sentence : !plan->required ? "not required" : "";
    area_textw(a, title + 4, y, right - title - 4, verdict == CHECK_FAIL ? ROLE_TEXT : ROLE_DIM, pane_sentence(v, sentence, text, sizeof text));
}

static void draw_row(struct area a, int y, const struct view *v, const struct list *l, struct row row)
{
    if (row.head && row.check < 0)
        area_printf(a, 0, y, ROLE_DIM, "gate of %s", v->plan->steps[l->step].key);
    else if (row.head)
        area_text(a, 0, y, ROLE_DIM, "checklist");
    else if (row.check >= 0)
        draw_check(a, y, v, row.check);
    else
        draw_line(a, y, v, &l->gate.line[row.line]);
}

static void draw(struct area a, const struct view *v)
{
    struct list l;
    make_list(&l, v);
    if (l.nrows == 0)
        area_text(a, 0, 0, ROLE_DIM, "nothing to hold");
    int offset = pane_scroll(v->state, l.nrows, a.h);
    for (int i = 0; i < MIN(l.nrows - offset, a.h); i++) {
        draw_row(a, i, v, &l, l.row[offset + i]);
        if (v->focused && v->state->selected == offset + i)
            area_select(a, 0, i, a.w);
    }
}

static void fold(struct area a, const struct view *v)
{
    struct list l;
    make_list(&l, v);
    int x = area_printf(a, 0, 0, ROLE_TEXT, "%d of %d hold", l.held, l.all) + 2;
    for (int i = 0; i < l.gate.nlines; i++)
        if (!l.gate.line[i].held) {
            area_textw(a, x, 0, a.w - x, ROLE_DIM, l.gate.line[i].text);
            return;
        }
}

static void title(const struct view *v, char *left, size_t lsize, char *right, size_t rsize)
{
    struct list l;
    make_list(&l, v);
    copy_text(left, lsize, "");
    snprintf(right, rsize, "%d/%d", l.held, l.all);
}

static int rows(const struct view *v)
{
    struct list l;
    make_list(&l, v);
    return l.nrows;
}

static void detail(const struct view *v, int row, struct buf *out)
{
    struct list l;
    char text[256], age[32];
    make_list(&l, v);
    if (row >= l.nrows || l.row[row].head)
        return;
    if (l.row[row].check < 0) {
        const struct gate_line *g = &l.gate.line[l.row[row].line];
        buf_printf(out, "%s %s\n\nnow %s, %s, seen %s ago\n", g->id, g->text, g->value, g->held ? "holds" : "does not hold", pane_age(g->at, v->now, age, sizeof age));
        return;
    }
    const struct plan_check *plan = &v->plan->checks[l.row[row].check];
    const struct model_check *c = &v->model->check[l.row[row].check];
    buf_printf(out, "%s  %s (kind %s)%s\n\n", plan->key, plan->title, plan->kind, plan->required ? ", required" : "");
    buf_printf(out, "sentence  %s\nevidence  %s\n", pane_sentence(v, c->sentence, text, sizeof text), c->evidence);
    buf_printf(out, "by        %s, %s ago, took %lld ms\n", c->by, pane_age(c->at, v->now, age, sizeof age), (long long)c->took);
    if (c->expires)
        buf_printf(out, "expires   %sZ\n", pane_clock(c->expires, false, age, sizeof age));
    if (strcmp(plan->kind, "person") == 0)
        buf_printf(out, "\nasks      %s\nt says that it is so, with a note.\n", plan_option_text(plan->options, plan->noptions, "ask", plan->title));
}

const struct pane pane_checks = {
    .name = "checks", .number = PANE_CHECKS, .title = title, .draw = draw, .fold = fold, .rows = rows, .detail = detail,
};
