/* Pane 3: blue and green side by side, on the same scales: share of the reads, errors, latency, requests. */
#include "tui/pane.h"

#include <stdio.h>
#include <string.h>

enum { WINDOW = 10 }; /* seconds that the figures sum */

static const unsigned side_style[SIDES] = {ROLE_BLUE, ROLE_GREEN};

struct figures {
    bool seen, old;
    int64_t share, error_ppm, p50, p95, p99, rps; /* ppm, ppm, us, us, us, requests a second; UNKNOWN */
};

/* The measured share of the balancer's requests; without a balancer's figures the weight that was set. */
static int64_t measured_share(const struct view *v, int side)
{
    const struct model_traffic *t = v->model->traffic;
    int64_t sum = t[BLUE].recent_requests + t[GREEN].recent_requests;
    int64_t weights = t[BLUE].weight + t[GREEN].weight;
    if (sum > 0)
        return t[side].recent_requests * 1000000 / sum;
    return t[BLUE].balancer_at && weights > 0 ? t[side].weight * 1000000 / weights : UNKNOWN;
}

static struct figures figures_of(const struct view *v, int side)
{
    struct figures f = {.share = measured_share(v, side), .error_ppm = UNKNOWN, .p50 = UNKNOWN, .p95 = UNKNOWN, .p99 = UNKNOWN, .rps = UNKNOWN};
    const struct model_traffic *t = &v->model->traffic[side];
    struct latency latency = {0};
    int64_t ok = 0, failed = 0;
    f.seen = t->probe_at || t->balancer_at;
    f.old = pane_is_old(MAX(t->probe_at, t->balancer_at), v->now, PANE_STALE_HTTP);
    model_probes(v->model, (enum side)side, v->now, WINDOW, &ok, &failed, &latency);
    if (ok + failed > 0)
        f.error_ppm = failed * 1000000 / (ok + failed);
    f.p50 = latency_percentile_us(&latency, 500000);
    f.p95 = latency_percentile_us(&latency, 950000);
    f.p99 = latency_percentile_us(&latency, 990000);
    f.rps = history_at(&t->rps, v->now / 1000, 1);
    return f;
}

static const char *latency_text(int64_t us, char *buf, size_t size)
{
    if (us < 0)
        copy_text(buf, size, "-");
    else if (us < 10000)
        snprintf(buf, size, "%.1f ms", (double)us / 1000);
    else if (us < 10000000)
        snprintf(buf, size, "%lld ms", (long long)(us / 1000));
    else
        snprintf(buf, size, "%lld s", (long long)(us / 1000000));
    return buf;
}

/* Whole percents; a trace of traffic is not nothing. */
static const char *share_text(int64_t ppm, char *buf, size_t size)
{
    if (ppm > 0 && ppm < 10000)
        copy_text(buf, size, "<1 %");
    else if (ppm < 0)
        copy_text(buf, size, "- %");
    else
        snprintf(buf, size, "%lld %%", (long long)((ppm + 5000) / 10000));
    return buf;
}

static unsigned error_style(const struct view *v, const struct figures *f)
{
    if (f->old || f->error_ppm < 0)
        return ROLE_UNKNOWN;
    if (f->error_ppm > v->plan->traffic.max_errors)
        return ROLE_BAD;
    return f->error_ppm > v->plan->traffic.max_errors / 2 ? ROLE_WARN : ROLE_TEXT;
}

/* Columns of the wide forms, right edges from the side's name on; the ones that matter less go first. */
struct column {
    const char *head;
    int width, keep;
};
static const struct column columns[] = {
    {"share", 7, 9}, {"errors", 9, 8}, {"p50", 8, 2}, {"p95", 9, 7}, {"p99", 9, 3}, {"rps", 7, 4}, {"weight", 8, 1},
};

static void column_text(const struct figures *f, const struct model_traffic *t, size_t col, char *buf, size_t size)
{
    switch (col) {
    case 0: share_text(f->share, buf, size); break;
    case 1: pane_ppm(f->error_ppm, buf, size); break;
    case 2: latency_text(f->p50, buf, size); break;
    case 3: latency_text(f->p95, buf, size); break;
    case 4: latency_text(f->p99, buf, size); break;
    case 5: pane_count(f->rps, buf, size); break;
    default:
        if (t->balancer_at)
            pane_count(t->weight, buf, size);
        else
            copy_text(buf, size, "-");
    }
}

static unsigned column_bits(int w)
{
    unsigned bits = (1u << ARRAY_LEN(columns)) - 1;
    for (;;) {
        int need = 9, worst = -1;
        for (size_t i = 0; i < ARRAY_LEN(columns); i++)
            if (bits & 1u << i) {
                need += columns[i].width;
                if (worst < 0 || columns[i].keep < columns[worst].keep)
                    worst = (int)i;
            }
        if (need <= w || worst < 0)
            return bits;
        bits &= ~(1u << worst);
    }
}

static void draw_columns(struct area a, int y, const struct view *v, int side, unsigned bits)
{
    struct figures f = side >= 0 ? figures_of(v, side) : (struct figures){0};
    int right = 8;
    if (side >= 0)
        area_text(a, 0, y, side_style[side], side == BLUE ? "B blue" : "G green");
    for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
        char text[32];
        if (!(bits & 1u << i))
            continue;
        right += columns[i].width;
        if (side < 0) {
            area_textr(a, right, y, ROLE_DIM, columns[i].head);
            continue;
        }
        column_text(&f, &v->model->traffic[side], i, text, sizeof text);
        unsigned style = f.old ? ROLE_UNKNOWN : i == 1 ? error_style(v, &f) : i == 0 ? ROLE_BRIGHT : ROLE_TEXT;
        area_textr(a, right, y, style, f.seen ? text : "-");
    }
}

static int64_t p95_scale(const struct view *v, int shown)
{
    int64_t values[MODEL_HISTORY], max = 1000;
    for (int s = 0; s < SIDES; s++) {
        struct series series = pane_series(&v->model->traffic[s].p95_us, v->now, shown, values);
        max = MAX(max, series_max(&series, shown));
    }
    return graph_scale(max * 3 / 2);
}

static void draw_latency(struct area a, const struct view *v, int side, int shown)
{
    int64_t values[MODEL_HISTORY];
    char full[32];
    struct graph g = {.live = pane_series(&v->model->traffic[side].p95_us, v->now, shown, values), .full = p95_scale(v, shown),
                      .shown = shown, .how = v->graph, .style = side_style[side]};
    graph_plot(a, &g);
    if (a.h >= 3)
        area_printfr(a, a.w, 0, ROLE_DIM, " p95, full %s", latency_text(g.full, full, sizeof full));
}

static int64_t worst_of(const struct series *s, int from, int to)
{
    int64_t worst = series_at(s, from);
    for (int i = from; i < to; i++)
        worst = MAX(worst, series_at(s, i));
    return worst;
}

/* One line of errors; where there were none it says so instead of drawing a row of nothing. */
static void draw_errors(struct area a, int y, const struct view *v, int side, int shown)
{
    int64_t values[MODEL_HISTORY], bins[MODEL_HISTORY];
    char worst[32];
    int w = a.w - 8 - (a.w >= 34 ? 13 : 0);
    struct series s = pane_series(&v->model->traffic[side].error_ppm, v->now, shown, values);
    int64_t max = series_max(&s, s.count);
    area_text(a, 0, y, ROLE_DIM, "errors");
    if (max <= 0) {
        area_printf(a, 8, y, ROLE_DIM, "none in %d min", shown / 60);
        return;
    }
    unsigned style = max > v->plan->traffic.max_errors ? ROLE_THRESHOLD : ROLE_GRAPH;
    struct series all = {.v = bins, .size = MODEL_HISTORY, .count = MAX(MIN(w, MODEL_HISTORY), 0)};
    for (int i = 0; i < all.count; i++)
        bins[i] = worst_of(&s, i * s.count / all.count, (i + 1) * s.count / all.count);
    graph_spark(a, 8, y, w, all, max, v->graph, style);
    if (a.w >= 34)
        area_printfr(a, a.w, y, ROLE_DIM, "worst %s", pane_ppm(max, worst, sizeof worst));
}

static void draw_share(struct area a, int y, const struct view *v)
{
    int64_t blue = measured_share(v, BLUE);
    char text[SIDES][32];
    area_text(a, 0, y, ROLE_DIM, "reads");
    int x = area_text(a, 7, y, ROLE_BLUE, "B") + 1;
    int right = area_textr(a, a.w, y, ROLE_GREEN, "G") - 1;
    if (a.w >= 34 && blue >= 0) {
        x = area_text(a, x, y, ROLE_TEXT, share_text(blue, text[BLUE], sizeof text[BLUE])) + 1;
        right = area_textr(a, right, y, ROLE_TEXT, share_text(measured_share(v, GREEN), text[GREEN], sizeof text[GREEN])) - 1;
    }
    graph_bar(a, x, y, right - x, blue, v->graph, ROLE_BLUE, ROLE_GREEN);
}

/* The last failure is news for a minute. */
static void draw_foot(struct area a, int y, const struct view *v)
{
    char limit[32], text[200];
    const char *error = "";
    for (int s = 0; s < SIDES; s++) {
        int64_t ok = 0, failed = 0;
        model_probes(v->model, (enum side)s, v->now, MODEL_SECONDS, &ok, &failed, &(struct latency){0});
        if (failed > 0)
            error = v->model->traffic[s].error;
    }
    int x = area_printf(a, 0, y, ROLE_DIM, "error limit %s", pane_ppm(v->plan->traffic.max_errors, limit, sizeof limit)) + 2;
    if (*error)
        area_textw(a, x, y, a.w - x, ROLE_WARN, pane_sentence(v, error, text, sizeof text));
}

static bool draw_nothing(struct area a, const struct view *v)
{
    if (figures_of(v, BLUE).seen || figures_of(v, GREEN).seen)
        return false;
    area_text(a, 0, 0, ROLE_DIM, "not probed yet");
    return true;
}

/* "0.25%": without its blank. */
static const char *short_ppm(int64_t ppm, char *buf, size_t size)
{
    pane_ppm(ppm, buf, size);
    char *blank = strchr(buf, ' ');
    if (blank)
        copy_text(blank, 2, "%");
    return buf;
}

/* Two lines a side: the figures, and a sparkline of the latency. */
static void draw_small(struct area a, const struct view *v)
{
    for (int s = 0; s < SIDES; s++) {
        struct figures f = figures_of(v, s);
        int64_t values[MODEL_HISTORY];
        char share[32], error[32], p95[32];
        int y = s * 2;
        if (y >= a.h)
            return;
        area_text(a, 0, y, side_style[s], s == BLUE ? "B" : "G");
        area_textr(a, 7, y, f.old ? ROLE_UNKNOWN : ROLE_BRIGHT, share_text(f.share, share, sizeof share));
        area_text(a, 8, y, ROLE_DIM, "err");
        area_textr(a, 17, y, error_style(v, &f), short_ppm(f.error_ppm, error, sizeof error));
        area_textr(a, a.w, y, f.old ? ROLE_UNKNOWN : ROLE_TEXT, latency_text(f.p95, p95, sizeof p95));
        if (y + 1 < a.h)
            graph_spark(a, 0, y + 1, a.w, pane_series(&v->model->traffic[s].p95_us, v->now, a.w, values), p95_scale(v, a.w), v->graph, side_style[s]);
    }
}

static void draw(struct area a, const struct view *v)
{
    if (draw_nothing(a, v))
        return;
    if (a.h < 9) {
        draw_small(a, v);
        return;
    }
    int shown = v->size >= LAYOUT_LARGE ? MODEL_HISTORY : 120;
    unsigned bits = column_bits(a.w);
    int plot = (a.h - 1 - 2 - 4) / 2; /* head, foot lines, two lines of figures and two of errors */
    draw_columns(a, 0, v, -1, bits);
    for (int s = 0, y = 1; s < SIDES; s++, y += plot + 2) {
        draw_columns(a, y, v, s, bits);
        draw_latency(area_part(a, 0, y + 1, -1, plot), v, s, shown);
        draw_errors(a, y + 1 + plot, v, s, shown);
    }
    draw_share(a, a.h - 2, v);
    draw_foot(a, a.h - 1, v);
}

static void fold(struct area a, const struct view *v)
{
    if (draw_nothing(a, v))
        return;
    for (int s = 0, x = 0; s < SIDES; s++) {
        struct figures f = figures_of(v, s);
        char share[32], error[32];
        x = area_text(a, x, 0, side_style[s], s == BLUE ? "B" : "G") + 1;
        x = area_text(a, x, 0, f.old ? ROLE_UNKNOWN : ROLE_TEXT, share_text(f.share, share, sizeof share)) + 1;
        x = area_printf(a, x, 0, error_style(v, &f), "err %s", pane_ppm(f.error_ppm, error, sizeof error)) + 3;
    }
}

static void title(const struct view *v, char *left, size_t lsize, char *right, size_t rsize)
{
    const struct model_traffic *t = v->model->traffic;
    int64_t at = MAX(MAX(t[BLUE].probe_at, t[GREEN].probe_at), t[BLUE].balancer_at);
    copy_text(left, lsize, v->size >= LAYOUT_LARGE ? "last 10 s" : "");
    copy_text(right, rsize, at == 0 ? "" : pane_is_old(at, v->now, PANE_STALE_HTTP) ? "stale" : "live");
}

static bool present(const struct plan *plan)
{
    return plan->traffic.nprobes > 0 || plan->traffic.haproxy[0];
}

static int rows(const struct view *v)
{
    (void)v;
    return SIDES;
}

static void detail(const struct view *v, int row, struct buf *out)
{
    const struct model_traffic *t = &v->model->traffic[row];
    struct figures f = figures_of(v, row);
    char a[32], b[32], c[32], text[200];
    buf_printf(out, "%s  %s\n\n", side_names[row], pane_sentence(v, v->plan->side[row].url, text, sizeof text));
    buf_printf(out, "probes      %lld, %lld failed, since the run began\n", (long long)t->total, (long long)t->total_failed);
    buf_printf(out, "last 10 s   p50 %s  p95 %s  p99 %s\n", latency_text(f.p50, a, sizeof a), latency_text(f.p95, b, sizeof b), latency_text(f.p99, c, sizeof c));
    buf_printf(out, "balancer    weight %lld, status %s, %lld requests, %lld failed, %lld sessions\n", (long long)t->weight, t->status,
               (long long)t->requests, (long long)t->failed, (long long)t->sessions);
    buf_printf(out, "prometheus  %s errors\n", pane_ppm(t->prometheus_at ? t->prometheus_ppm : UNKNOWN, a, sizeof a));
    buf_printf(out, "last error  %s\n", t->error[0] ? pane_sentence(v, t->error, text, sizeof text) : "none");
}

const struct pane pane_traffic = {
    .name = "traffic", .number = PANE_TRAFFIC, .present = present, .title = title,
    .draw = draw, .fold = fold, .rows = rows, .detail = detail,
};
