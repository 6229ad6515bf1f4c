/* Pane 6: what happened, newest at the bottom. It follows its end until a row is chosen. */
#include "tui/pane.h"

#include <stdio.h>
#include <string.h>

static bool matches(const struct model_log *l, const char *filter)
{
    return !*filter || strcasestr(l->text, filter) || strcasestr(l->from, filter) || strcasestr(l->level, filter);
}

/* The kept lines that pass the filter; `at` takes their places. */
static int collect(const struct view *v, int at[MODEL_LOG])
{
    int n = 0;
    for (int i = 0; i < model_log_count(v->model); i++)
        if (matches(model_log_at(v->model, i), v->filter))
            at[n++] = i;
    return n;
}

static unsigned level_style(const char *level)
{
    static const struct {
        const char *level;
        unsigned style;
    } styles[] = {{"WARN", ROLE_WARN}, {"BAD", ROLE_BAD}, {"RUN", ROLE_RUN}, {"GATE", ROLE_KEY}, {"NOTE", ROLE_BRIGHT}, {"OK", ROLE_OK}};
    for (size_t i = 0; i < ARRAY_LEN(styles); i++)
        if (strcmp(level, styles[i].level) == 0)
            return styles[i].style;
    return ROLE_DIM;
}

static void draw_entry(struct area a, int y, const struct view *v, const struct model_log *l)
{
    char clock[32], text[300], words[300];
    unsigned style = level_style(l->level);
    bool is_short = a.w < 60;
    int x = area_text(a, 0, y, ROLE_LOG_TIME, pane_clock(l->at, !is_short, clock, sizeof clock)) + 1;
    area_textw(a, x, y, 4, style, l->level);
    x += 6;
    int from = is_short ? 8 : a.w >= 100 ? 15 : 11;
    const char *last = strrchr(l->from, ' '); /* "resolver lossy" is lossy where room is short */
    area_textw(a, x, y, from - 1, ROLE_DIM, last && canvas_width(l->from) >= from ? last + 1 : l->from);
    x += from;
    area_textw(a, x, y, a.w - x, style == ROLE_BAD || style == ROLE_WARN || style == ROLE_BRIGHT ? style : ROLE_TEXT, pane_sentence(v, pane_words(l->text, words, sizeof words), text, sizeof text));
}

static void draw(struct area a, const struct view *v)
{
    static int at[MODEL_LOG];
    int n = collect(v, at);
    if (n == 0)
        area_text(a, 0, 0, ROLE_DIM, *v->filter ? "no line passes the filter" : "nothing happened yet");
    if (v->state->selected < 0)
        v->state->offset = MAX(n - a.h, 0);
    int offset = pane_scroll(v->state, n, a.h);
    for (int i = 0; i < MIN(n - offset, a.h); i++) {
        draw_entry(a, i, v, model_log_at(v->model, at[offset + i]));
        if (v->focused && v->state->selected == offset + i)
            area_select(a, 0, i, a.w);
    }
}

static void fold(struct area a, const struct view *v)
{
    int n = model_log_count(v->model);
    if (n > 0)
        draw_entry(a, 0, v, model_log_at(v->model, n - 1));
}

static int rows(const struct view *v)
{
    static int at[MODEL_LOG];
    return collect(v, at);
}

static void title(const struct view *v, char *left, size_t lsize, char *right, size_t rsize)
{
    copy_text(left, lsize, "");
    if (*v->filter)
        snprintf(right, rsize, "/%s  %d of %d", v->filter, rows(v), model_log_count(v->model));
    else
        copy_text(right, rsize, v->state->selected >= 0 ? "held, G follows" : "all  / filter");
}

static void detail(const struct view *v, int row, struct buf *out)
{
    static int at[MODEL_LOG];
    char clock[32], text[300];
    if (row >= collect(v, at))
        return;
    const struct model_log *l = model_log_at(v->model, at[row]);
    buf_printf(out, "%sZ  %s  %s  (line %lld of the journal)\n\n%s\n", pane_clock(l->at, true, clock, sizeof clock), l->level, l->from,
               (long long)l->seq, pane_sentence(v, l->text, text, sizeof text));
}

const struct pane pane_log = {
    .name = "log", .number = PANE_LOG, .title = title, .draw = draw, .fold = fold, .rows = rows, .detail = detail,
};
