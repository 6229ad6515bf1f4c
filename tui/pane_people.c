/* Pane 7, on wide screens: who is here, what they noted, and what the run and the program cost. */
#include "tui/pane.h"

#include <stdio.h>
#include <string.h>

static int draw_persons(struct area a, int y, const struct view *v)
{
    for (int i = 0; i < v->model->npeople && y < a.h; i++, y++) {
        const struct model_person *p = &v->model->person[i];
        char user[48], clock[32];
        bool operates = strcmp(p->role, "operator") == 0;
        area_textw(a, 0, y, 9, operates ? ROLE_BRIGHT : ROLE_DIM, operates ? "operator" : "watching");
        area_textw(a, 10, y, 10, ROLE_TEXT, pane_private(v, TEXT_USER, p->user, user, sizeof user));
        area_textw(a, 21, y, MAX(a.w - 30, 0), ROLE_DIM, p->tty);
        area_textr(a, a.w, y, ROLE_DIM, pane_clock(p->since, false, clock, sizeof clock));
    }
    return y;
}

static int draw_notes(struct area a, int y, int bottom, const struct view *v)
{
    int n = model_log_count(v->model), shown = 0, first = n;
    while (first > 0 && shown < bottom - y) {
        first--;
        shown += strcmp(model_log_at(v->model, first)->level, "NOTE") == 0;
    }
    for (int i = first; i < n && y < bottom; i++) {
        const struct model_log *l = model_log_at(v->model, i);
        char clock[32], text[300];
        if (strcmp(l->level, "NOTE") != 0)
            continue;
        int x = area_text(a, 0, y, ROLE_LOG_TIME, pane_clock(l->at, false, clock, sizeof clock)) + 1;
        x = area_textw(a, x, y, 8, ROLE_DIM, l->from) + 1;
        area_textw(a, x, y++, a.w - x, ROLE_TEXT, pane_sentence(v, l->text, text, sizeof text));
    }
    return y;
}

static void draw_bar(struct area a, int y, const struct view *v, const char *name, int64_t part, int64_t all, const char *words, unsigned style)
{
    area_text(a, 0, y, ROLE_DIM, name);
    graph_bar(a, 9, y, 10, all > 0 ? MIN(part * 1000000 / all, 1000000) : 0, v->graph, style, ROLE_BORDER);
    area_textw(a, 21, y, a.w - 21, ROLE_TEXT, words);
}

static void draw_pause(struct area a, int y, const struct view *v)
{
    const struct model *m = v->model;
    int64_t ms = m->pause_began ? v->now - m->pause_began : m->pause_us / 1000;
    char part[32], all[32], words[80];
    snprintf(words, sizeof words, "%s of %s", format_ms(ms, part, sizeof part), pane_span(v->plan->pause_budget, all, sizeof all));
    draw_bar(a, y, v, "paused", ms, v->plan->pause_budget, words, m->pause_began ? ROLE_WARN : ROLE_GRAPH);
}

static void draw_cost(struct area a, int y, const struct view *v)
{
    char cpu[32], rss[32];
    if (!v->model->cost_at)
        return;
    area_text(a, 0, y, ROLE_DIM, "engine");
    area_printf(a, 9, y, ROLE_DIM, "%s of a core, %s", pane_ppm(v->model->cost_cpu_ppm, cpu, sizeof cpu), format_bytes(v->model->cost_rss, rss, sizeof rss));
}

static void draw(struct area a, const struct view *v)
{
    int y = draw_persons(a, 0, v);
    if (v->model->npeople == 0)
        area_text(a, 0, y++, ROLE_DIM, "nobody is attached");
    draw_notes(a, y + 1, a.h - 4, v);
    if (a.h - 3 <= y)
        return;
    int done = 0;
    char words[64];
    for (int i = 0; i < v->plan->nsteps; i++)
        done += v->model->step[i].state == STEP_DONE || v->model->step[i].state == STEP_SKIPPED;
    snprintf(words, sizeof words, "%d of %d", done, v->plan->nsteps);
    draw_bar(a, a.h - 3, v, "steps", done, v->plan->nsteps, words, ROLE_GRAPH);
    draw_pause(a, a.h - 2, v);
    draw_cost(a, a.h - 1, v);
}

static void fold(struct area a, const struct view *v)
{
    area_printf(a, 0, 0, ROLE_TEXT, "%d attached", v->model->npeople);
}

static void title(const struct view *v, char *left, size_t lsize, char *right, size_t rsize)
{
    copy_text(left, lsize, "and notes");
    snprintf(right, rsize, "%d", v->model->npeople);
}

const struct pane pane_people = {
    .name = "people", .number = PANE_PEOPLE, .title = title, .draw = draw, .fold = fold,
};
