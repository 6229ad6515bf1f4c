#include "tui/pane_dnscurve.h"

#include <stdio.h>
#include <string.h>

enum { SHORTEST = 10000 }; /* ms that the future shows at least */

static bool is_flipped(const struct view *v)
{
    for (int i = 0; i < v->plan->dns.nrecords; i++)
        if (v->model->record[i].flipped_at)
            return true;
    return false;
}

const char *pane_dnscurve_eta(const struct view *v, char *buf, size_t size)
{
    static const struct {
        int percent;
        const char *word;
    } marks[] = {{50, "half"}, {90, "90 %"}, {99, "99 %"}, {100, "all"}};
    struct buf out = {0};
    int said = 0;
    char span[ARRAY_LEN(marks)][32] = {{0}};
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        int64_t at = model_dns_eta(v->model, v->plan, marks[i].percent, v->now);
        if (at != UNKNOWN && at > v->now)
            format_span(at - v->now + 999, span[i], sizeof span[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) /* of those at the same time the last one says it */
        if (*span[i] && (i + 1 == ARRAY_LEN(marks) || strcmp(span[i], span[i + 1]) != 0)) {
            buf_printf(&out, "%s%s %s", out.len ? "  " : "", marks[i].word, span[i]);
            said++;
        }
    copy_text(buf, size, said > 1 ? out.text : "");
    buf_free(&out);
    return buf;
}

/* ---- the plot: the past at the left, the future at the right, on one scale ---- */

static void plot(struct area a, const struct view *v, const int64_t *values, int n, unsigned style)
{
    struct graph g = {.live = {values, n, 0, n}, .full = 1000000, .shown = n, .zero = true, .how = v->graph, .style = style};
    graph_plot(a, &g);
}

static void draw_past(struct area a, const struct view *v, int64_t step)
{
    int64_t values[MODEL_HISTORY];
    int n = MIN(a.w * 2, MODEL_HISTORY);
    for (int i = 0; i < n; i++) {
        int back = (int)((n - 1 - i) * step / 1000);
        int64_t value = history_at(&v->model->dns_old, v->now / 1000, back);
        if (value == UNKNOWN && back == 0) /* nothing was seen in this second yet */
            value = history_at(&v->model->dns_old, v->now / 1000, 1);
        values[i] = value == UNKNOWN ? GRAPH_UNKNOWN : value;
    }
    plot(a, v, values, n, ROLE_BLUE);
}

static void draw_future(struct area a, const struct view *v, int64_t step)
{
    int64_t values[MODEL_HISTORY];
    int n = MIN(a.w * 2, MODEL_HISTORY);
    for (int i = 0; i < n; i++)
        values[i] = model_dns_left_ppm(v->model, v->plan, v->now + i * step);
    plot(a, v, values, n, ROLE_GRAPH_OLD);
}

void pane_dnscurve_draw(struct area a, const struct view *v)
{
    char all[32], head[64];
    int half = a.w / 2;
    int64_t end = model_dns_eta(v->model, v->plan, 100, v->now);
    if (end == UNKNOWN || a.h < 3)
        return;
    int64_t span = MAX(end - v->now, (int64_t)SHORTEST), step = MAX(span / MAX(half * 2, 1), (int64_t)1);
    snprintf(head, sizeof head, "%s +%s", is_flipped(v) ? "foretold" : "if flipped now", format_span(span, all, sizeof all));
    area_text(a, 0, 0, ROLE_DIM, "still on blue, as seen");
    area_textr(a, a.w, 0, ROLE_DIM, head);
    draw_past(area_part(a, 0, 1, half, a.h - 1), v, step);
    draw_future(area_part(a, half + 1, 1, a.w - half - 1, a.h - 1), v, step);
    for (int y = 1; y < a.h; y++)
        area_text(a, half, y, ROLE_BORDER, v->graph == GRAPH_ASCII ? "|" : "│");
}

/* ---- what is wrong ---- */

int pane_dnscurve_reasons(struct area a, const struct view *v, const int *order, int n)
{
    int y = 0;
    char why[300], text[300];
    for (int i = 0; i < n && y < a.h; i++)
        for (int r = 0; r < v->plan->dns.nrecords && y < a.h; r++) {
            model_dns_why(v->model, v->plan, order[i], r, v->now, why, sizeof why);
            if (!*why)
                continue;
            int x = area_textw(a, 0, y, MIN(a.w, 16), ROLE_WARN, v->plan->dns.resolvers[order[i]].name);
            area_textw(a, x + 1, y, a.w - x - 1, ROLE_TEXT, pane_sentence(v, why, text, sizeof text));
            y++;
            break;
        }
    return y;
}
