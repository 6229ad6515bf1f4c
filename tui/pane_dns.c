/* Pane 2: what each resolver answers for each record: the old address, the new one, or an error, and how long a cached
 * old answer may still live. Trouble stands at the top: once the flip is out, an old answer is what people wait for. */
#include "tui/pane_dnscurve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS_MAX = 4096 };

struct counts {
    int of[CELL_ERROR + 1], all;
    int64_t out;    /* when the last cached old answer runs out, wall ms; 0 */
    int64_t gone;   /* when the last of them ought to be gone, where one outlives it; 0 */
};

static const struct model_dns *cell_at(const struct view *v, int resolver, int record)
{
    return model_cell(v->model, v->plan, resolver, record);
}

static bool is_stale(const struct view *v, const struct model_dns *c)
{
    return pane_is_old(c->at, v->now, MAX(v->plan->dns.interval * 3, 15000));
}

/* record -1: all records. */
static struct counts count_cells(const struct view *v, int record)
{
    struct counts n = {0};
    for (int r = 0; r < v->plan->dns.nresolvers; r++)
        for (int i = 0; i < v->plan->dns.nrecords; i++) {
            const struct model_dns *c = cell_at(v, r, i);
            if (record >= 0 && i != record)
                continue;
            n.of[c->state]++;
            n.all++;
            n.out = MAX(n.out, c->old_until);
            if (c->late_since)
                n.gone = MAX(n.gone, v->model->record[i].gone_by);
        }
    return n;
}

static bool is_flipped(const struct view *v)
{
    for (int i = 0; i < v->plan->dns.nrecords; i++)
        if (v->model->record[i].flipped_at)
            return true;
    return false;
}

static const char *cell_look(const struct view *v, const struct model_dns *c, unsigned *style)
{
    static const struct {
        const char *glyph;
        unsigned style;
    } looks[] = {
        [CELL_UNSEEN] = {"·", ROLE_UNKNOWN}, [CELL_OLD] = {"○", ROLE_BLUE},    [CELL_NEW] = {"●", ROLE_GREEN},
        [CELL_MIXED] = {"◐", ROLE_WARN},     [CELL_OTHER] = {"!", ROLE_WARN}, [CELL_ERROR] = {"✗", ROLE_BAD},
    };
    *style = looks[c->state].style;
    if (c->state != CELL_UNSEEN && is_stale(v, c)) {
        *style = ROLE_UNKNOWN;
        return "?";
    }
    return looks[c->state].glyph;
}

/* The sum in one line: NEW 17  OLD 2  ERR 1. */
static int draw_counts(struct area a, const struct view *v, struct counts n)
{
    static const enum cell_state order[] = {CELL_NEW, CELL_OLD, CELL_MIXED, CELL_OTHER, CELL_ERROR, CELL_UNSEEN};
    static const unsigned styles[] = {ROLE_GREEN, ROLE_BLUE, ROLE_WARN, ROLE_WARN, ROLE_BAD, ROLE_UNKNOWN};
    int x = 0;
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        int count = n.of[order[i]];
        if (count == 0 && order[i] != CELL_NEW && order[i] != CELL_OLD)
            continue;
        x = area_text(a, x, 0, count ? styles[i] : ROLE_DIM, order[i] == CELL_UNSEEN ? "·" : cell_state_names[order[i]]) + 1;
        x = area_printf(a, x, 0, count ? ROLE_BRIGHT : ROLE_DIM, "%d", count) + (v->size <= LAYOUT_SMALL ? 1 : 2);
    }
    return x;
}

/* What people wait for: before the flip the low TTL, after it the last old answer. */
static void eta_text(const struct view *v, struct counts n, bool is_short, char *buf, size_t size, unsigned *style)
{
    char span[32], all[96];
    *style = ROLE_DIM;
    if (n.of[CELL_UNSEEN] == n.all)
        copy_text(buf, size, "not asked yet");
    else if (n.of[CELL_NEW] == n.all)
        copy_text(buf, size, is_short ? "all NEW" : "every answer is NEW");
    else if (!is_flipped(v))
        snprintf(buf, size, is_short ? "not flipped" : "not flipped yet");
    else if (n.gone) {
        *style = ROLE_BAD;
        snprintf(buf, size, is_short ? "! over TTL %s" : "! an old answer outlives its TTL by %s", format_span(v->now - n.gone, span, sizeof span));
    } else if (n.out > v->now) {
        *style = ROLE_TEXT;
        if (is_short)
            snprintf(buf, size, "TTL out %s", format_span(n.out - v->now, span, sizeof span));
        else
            copy_text(buf, size, v->size >= LAYOUT_LARGE ? pane_dnscurve_eta(v, all, sizeof all) : "");
        if (!*buf)
            snprintf(buf, size, "last TTL out in %s", format_span(n.out - v->now, span, sizeof span));
    } else if (n.out > 0) {
        *style = ROLE_WARN;
        snprintf(buf, size, is_short ? "! over TTL %s" : "! past its TTL by %s", format_span(v->now - n.out, span, sizeof span));
    } else
        copy_text(buf, size, "");
}

/* Rows of the grid: trouble first. After the flip old is trouble; errors always. */
static int rank_of(const struct view *v, int resolver)
{
    int best = 9;
    for (int i = 0; i < v->plan->dns.nrecords; i++) {
        enum cell_state s = cell_at(v, resolver, i)->state;
        int rank = s == CELL_ERROR ? 0 : s == CELL_OTHER ? 1 : s == CELL_MIXED ? 2 : s == CELL_OLD ? 3 : s == CELL_UNSEEN ? 4 : 5;
        best = MIN(best, rank);
    }
    return best;
}

static int sort_resolvers(const struct view *v, int *order)
{
    int n = 0;
    for (int rank = 0; rank <= 9; rank++)
        for (int r = 0; r < v->plan->dns.nresolvers && n < CELLS_MAX; r++)
            if (rank_of(v, r) == rank)
                order[n++] = r;
    return n;
}

/* "www" of "www.shop.test"; with its type where the same name has another. */
static void record_label(const struct view *v, int record, char *buf, size_t size)
{
    const struct plan_record *r = &v->plan->dns.records[record];
    int label = (int)strcspn(r->name, ".");
    snprintf(buf, size, "%.*s %s", label, r->name, r->type);
}

/* Small sizes: a line of dots for each record, or all resolvers in a block. */
static void draw_dots(struct area a, const struct view *v)
{
    int nrecords = v->plan->dns.nrecords, nresolvers = v->plan->dns.nresolvers;
    if (nrecords == 1 || a.h < nrecords) {
        int at = 0;
        for (int i = 0; i < nresolvers * nrecords && at < a.w * a.h; i++, at++) {
            unsigned style;
            const char *glyph = cell_look(v, cell_at(v, i % nresolvers, i / nresolvers), &style);
            area_text(a, at % a.w, at / a.w, style, glyph);
        }
        return;
    }
    for (int i = 0; i < nrecords; i++) {
        char label[64];
        record_label(v, i, label, sizeof label);
        int x = MIN(9, MAX(a.w - nresolvers, 4));
        area_textw(a, 0, i, x - 1, ROLE_DIM, label);
        for (int r = 0; r < nresolvers; r++) {
            unsigned style;
            const char *glyph = cell_look(v, cell_at(v, r, i), &style);
            area_text(a, x + r, i, style, glyph);
        }
    }
}

/* The grid. One record: state, resolver, [address, answer,] ttl [, rtt]. Several: resolver, [address,] a cell for each. */
struct grid {
    const struct view *v;
    int order[CELLS_MAX];
    int records, name; /* cells that fit, columns of the name */
    bool single, address, answer;
};
enum { STATE_W = 8, ADDRESS_W = 16, ANSWER_W = 15, TTL_W = 6, RTT_W = 7, CELL_W = 8, NAME_W = 11 };

static void plan_grid(struct grid *g, int w)
{
    int n = g->v->plan->dns.nrecords;
    g->single = n == 1;
    g->records = g->single ? 1 : MIN(n, MAX(1, (w - NAME_W) / CELL_W));
    int rest = w - NAME_W - (g->single ? STATE_W + TTL_W : g->records * CELL_W);
    g->address = rest >= ADDRESS_W;
    g->answer = g->single && rest >= ADDRESS_W + ANSWER_W + RTT_W;
    rest -= (g->address ? ADDRESS_W : 0) + (g->answer ? ANSWER_W + RTT_W : 0);
    g->name = NAME_W + MAX(rest, 0);
}

static void ttl_text(const struct view *v, const struct model_dns *c, char *buf, size_t size)
{
    int64_t left = (c->expires - v->now + 999) / 1000;
    if (c->state == CELL_ERROR || c->state == CELL_UNSEEN)
        copy_text(buf, size, "-");
    else if (left >= 36000)
        snprintf(buf, size, "%lld h", (long long)(left / 3600));
    else if (left >= 1000)
        snprintf(buf, size, "%lld m", (long long)(left / 60));
    else
        snprintf(buf, size, "%lld s", (long long)MAX(left, 0));
}

static void draw_ttl(struct area a, int right, int y, const struct view *v, const struct model_dns *c)
{
    char text[32];
    ttl_text(v, c, text, sizeof text);
    unsigned style = is_stale(v, c) ? ROLE_UNKNOWN : c->late_since ? ROLE_BAD : c->holds ? ROLE_WARN : c->state == CELL_OLD && is_flipped(v) ? ROLE_TEXT : ROLE_DIM;
    int x = area_textr(a, right, y, style, text);
    if ((c->holds || c->late_since) && !is_stale(v, c))
        area_text(a, x - 1, y, style, "!");
}

/* "Google x3": the caches that were seen behind one address. */
static int caches_of(const struct view *v, int resolver)
{
    int most = 0;
    for (int i = 0; i < v->plan->dns.nrecords; i++)
        most = MAX(most, cell_at(v, resolver, i)->caches);
    return v->plan->dns.resolvers[resolver].authoritative ? 1 : most;
}

static int draw_name(struct area a, int x, int y, const struct grid *g, int resolver)
{
    const struct plan_resolver *r = &g->v->plan->dns.resolvers[resolver];
    int caches = caches_of(g->v, resolver);
    char text[100];
    area_textw(a, x, y, g->name - 1 - (caches > 1 ? 3 : 0), r->authoritative ? ROLE_BRIGHT : ROLE_TEXT, r->name);
    if (caches > 1)
        area_printfr(a, x + g->name - 1, y, ROLE_DIM, "×%d", caches);
    x += g->name;
    if (g->address)
        area_textw(a, x, y, ADDRESS_W - 1, ROLE_DIM, pane_private(g->v, TEXT_ADDRESS, r->address, text, sizeof text));
    return x + (g->address ? ADDRESS_W : 0);
}

static void draw_single(struct area a, int y, const struct grid *g, int resolver)
{
    const struct model_dns *c = cell_at(g->v, resolver, 0);
    char text[100];
    unsigned style;
    bool bad = c->state == CELL_ERROR;
    const char *glyph = cell_look(g->v, c, &style);
    area_text(a, 0, y, style, glyph);
    area_textw(a, 2, y, STATE_W - 3, style, c->state == CELL_UNSEEN ? "-" : cell_state_names[c->state]);
    int x = draw_name(a, STATE_W, y, g, resolver);
    if (g->answer) {
        const char *word = bad ? c->status : c->answer;
        area_textw(a, x, y, ANSWER_W - 1, bad ? ROLE_BAD : ROLE_TEXT, pane_private(g->v, bad ? TEXT_PLAIN : TEXT_ADDRESS, word, text, sizeof text));
        x += ANSWER_W;
        if (c->rtt_us > 0)
            area_printfr(a, a.w, y, ROLE_DIM, "%lld ms", (long long)((c->rtt_us + 999) / 1000));
    }
    draw_ttl(a, x + TTL_W, y, g->v, c);
}

static void draw_several(struct area a, int y, const struct grid *g, int resolver)
{
    int x = draw_name(a, 0, y, g, resolver);
    for (int i = 0; i < g->records; i++, x += CELL_W) {
        const struct model_dns *c = cell_at(g->v, resolver, i);
        unsigned style;
        const char *glyph = cell_look(g->v, c, &style);
        area_text(a, x, y, style, glyph);
        draw_ttl(a, x + CELL_W - 1, y, g->v, c);
    }
}

static void draw_head(struct area a, const struct grid *g)
{
    int x = g->single ? STATE_W : 0;
    if (g->single)
        area_text(a, 2, 0, ROLE_DIM, "state");
    area_text(a, x, 0, ROLE_DIM, "resolver");
    x += g->name;
    if (g->address)
        area_text(a, x, 0, ROLE_DIM, "address");
    x += g->address ? ADDRESS_W : 0;
    for (int i = 0; i < g->records && !g->single; i++) {
        char label[64];
        record_label(g->v, i, label, sizeof label);
        area_textw(a, x + i * CELL_W, 0, CELL_W - 1, ROLE_DIM, label);
    }
    if (g->answer) {
        area_text(a, x, 0, ROLE_DIM, "answer");
        area_textr(a, a.w, 0, ROLE_DIM, "rtt");
        x += ANSWER_W;
    }
    if (g->single)
        area_textr(a, x + TTL_W, 0, ROLE_DIM, "ttl");
}

/* Below the rows, where there is room: what is wrong, in words, and the curve at the bottom. */
static void draw_rest(struct area a, const struct view *v, const int *order, int n)
{
    if (a.h < 1)
        return;
    int curve = a.h >= PANE_DNSCURVE_LEAST + 1 ? MIN(MAX(a.h * 2 / 3, PANE_DNSCURVE_LEAST), 12) : 0;
    pane_dnscurve_reasons(area_part(a, 0, 0, -1, a.h - curve), v, order, n);
    if (curve)
        pane_dnscurve_draw(area_part(a, 0, a.h - curve, -1, curve), v);
}

static void draw_grid(struct area a, const struct view *v)
{
    static struct grid g; /* a screen draws one pane at a time */
    memset(&g, 0, sizeof g);
    g.v = v;
    plan_grid(&g, a.w);
    int n = sort_resolvers(v, g.order);
    bool head = v->plan->dns.nrecords > 1 || v->size >= LAYOUT_LARGE || v->zoomed;
    if (head)
        draw_head(a, &g);
    struct area body = area_part(a, 0, head, -1, -1);
    int offset = pane_scroll(v->state, n, body.h), shown = MIN(n - offset, body.h);
    bool more = n - offset > body.h && body.h > 1;
    for (int i = 0; i < shown - more; i++) {
        (g.single ? draw_single : draw_several)(body, i, &g, g.order[offset + i]);
        if (v->focused && v->state->selected == offset + i)
            area_select(body, 0, i, body.w);
    }
    if (more)
        area_printf(body, 0, body.h - 1, ROLE_DIM, "… %d more  (2 to zoom)", n - offset - shown + 1);
    int y = shown + (body.h - shown > 1);
    draw_rest(area_part(body, 0, y, -1, body.h - y), v, g.order, n);
}

static void draw(struct area a, const struct view *v)
{
    struct counts n = count_cells(v, -1);
    char eta[64];
    unsigned style;
    if (n.all == 0)
        return;
    int x = draw_counts(a, v, n);
    bool below = a.h <= 6;
    eta_text(v, n, !below && a.w - x < 24, eta, sizeof eta, &style);
    if (below) {
        area_textw(a, 0, a.h - 1, a.w, style, eta);
        draw_dots(area_part(a, 0, 1, -1, MAX(a.h - 2, 0)), v);
        return;
    }
    if (x + canvas_width(eta) <= a.w)
        area_textr(a, a.w, 0, style, eta);
    draw_grid(area_part(a, 0, 1, -1, -1), v);
}

static void fold(struct area a, const struct view *v)
{
    struct counts n = count_cells(v, -1);
    char eta[64];
    unsigned style;
    int x = draw_counts(a, v, n);
    eta_text(v, n, true, eta, sizeof eta, &style);
    if (x + canvas_width(eta) <= a.w)
        area_textr(a, a.w, 0, style, eta);
}

static void title(const struct view *v, char *left, size_t lsize, char *right, size_t rsize)
{
    int64_t newest = 0;
    char age[32];
    for (int i = 0; i < v->plan->dns.nresolvers * v->plan->dns.nrecords; i++)
        newest = MAX(newest, v->model->dns[i].at);
    if (v->size < LAYOUT_MEDIUM)
        copy_text(left, lsize, "");
    else if (v->plan->dns.nrecords == 1)
        snprintf(left, lsize, "%s %s", v->plan->dns.records[0].name, v->plan->dns.records[0].type);
    else
        copy_text(left, lsize, v->plan->dns.zone);
    if (newest == 0)
        copy_text(right, rsize, "");
    else if (pane_is_old(newest, v->now, MAX(v->plan->dns.interval * 3, 15000)))
        copy_text(right, rsize, "stale");
    else
        snprintf(right, rsize, "%s", v->size < LAYOUT_MEDIUM ? "live" : pane_age(newest, v->now, age, sizeof age));
}

static int rows(const struct view *v)
{
    return v->plan->dns.nresolvers;
}

static void detail(const struct view *v, int row, struct buf *out)
{
    static int order[CELLS_MAX];
    char address[100], text[300], why[300], age[32], left[32];
    if (row >= sort_resolvers(v, order))
        return;
    const struct plan_resolver *r = &v->plan->dns.resolvers[order[row]];
    buf_printf(out, "resolver %s%s%s%s  %s port %d%s\n", r->name, r->region && *r->region ? "  " : "", r->region ? r->region : "", r->filters ? ", filters" : "", pane_private(v, TEXT_ADDRESS, r->address, address, sizeof address), r->port,
               r->authoritative ? "  (authoritative, asked without recursion)" : "");
    for (int i = 0; i < v->plan->dns.nrecords; i++) {
        const struct model_dns *c = cell_at(v, order[row], i);
        ttl_text(v, c, left, sizeof left);
        buf_printf(out, "\n%s %s\n", v->plan->dns.records[i].name, v->plan->dns.records[i].type);
        buf_printf(out, "  state    %s (%s), asked %s ago\n", cell_state_names[c->state], c->status, pane_age(c->at, v->now, age, sizeof age));
        buf_printf(out, "  answer   %s\n", pane_private(v, TEXT_ADDRESS, c->answer, text, sizeof text));
        buf_printf(out, "  ttl      %lld s as answered, %s left, at most %lld s ever\n", (long long)c->ttl, left, (long long)c->max_ttl);
        buf_printf(out, "  rtt      %.1f ms, %lld asked, %lld lost\n", (double)c->rtt_us / 1000, (long long)c->asked, (long long)c->lost);
        struct dns_share share;
        if (v->model->record[i].fills[BLUE] && model_dns_share(v->model, i, &share) && share.share)
            buf_printf(out, "  green    %s of all resolvers' fillings, %s to %s is sure (%lld of them)\n", pane_ppm(share.share, text, sizeof text),
                       pane_ppm(share.low, left, sizeof left), pane_ppm(share.high, age, sizeof age), (long long)share.fills);
        if (c->caches > 1)
            buf_printf(out, "  caches   %d answer in turn behind this address; it is done when all of them are\n", c->caches);
        if (c->old_until > v->now)
            buf_printf(out, "  old      for %s more at the latest\n", format_span(c->old_until - v->now, left, sizeof left));
        if (*model_dns_why(v->model, v->plan, order[row], i, v->now, why, sizeof why))
            buf_printf(out, "  why      %s\n", pane_sentence(v, why, text, sizeof text));
    }
}

static bool present(const struct plan *plan)
{
    return plan->dns.nrecords > 0;
}

const struct pane pane_dns = {
    .name = "dns", .number = PANE_DNS, .present = present, .title = title,
    .draw = draw, .fold = fold, .rows = rows, .detail = detail,
};
