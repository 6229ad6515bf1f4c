/* The confirmation: what will run, where, what it touches, how long it takes, what undoing costs, and the gate as it is
 * at this moment. */
#include <stdio.h>
#include <string.h>

#include "core/step/step.h"
#include "tui/dialog.h"

struct page {
    struct area a;
    struct view v;
    int y, bottom; /* next line; the first one that belongs to the foot */
};

static void say(struct page *p, const char *name, unsigned style, const char *text)
{
    char masked[400];
    if (p->y >= p->bottom)
        return;
    area_text(p->a, 1, p->y, ROLE_DIM, name);
    area_textw(p->a, 10, p->y++, p->a.w - 10, style, pane_sentence(&p->v, text, masked, sizeof masked));
}

/* What the kind says itself: all of it, in `room` lines that scroll. */
static void say_what(struct page *p, struct dialog *d, const char *text, int lines, int room)
{
    d->offset = MAX(0, MIN(d->offset, lines - room));
    area_text(p->a, 1, p->y, ROLE_DIM, "does");
    dialog_text(area_part(p->a, 10, p->y, -1, room), text, d->offset);
    p->y += room;
    if (lines > room) {
        int left = lines - room - d->offset;
        area_hline(p->a, 0, p->y, p->a.w, ROLE_DIM, " ");
        area_printf(p->a, 10, p->y++, ROLE_KEY, left > 0 ? "↓ %d more lines, arrows scroll" : "↑ the end, arrows scroll", left);
    }
}

/* The exact action, masked as the view is. */
static void what_text(struct ui *ui, struct buf *out)
{
    const struct plan_step *s = &ui->plan->steps[ui->dialog.step];
    const struct step_kind *kind = step_kind_find(s->kind);
    struct view v = ui_view(ui, PANE_STEPS);
    struct buf raw = {0};
    char line[600];
    if (kind && kind->describe)
        kind->describe(ui->plan, ui->model, s, ui->dialog.mode, &raw);
    for (const char *at = raw.len ? raw.text : s->title; *at;) {
        size_t len = strcspn(at, "\n");
        char one[600], words[600];
        copy_text(one, MIN(len + 1, sizeof one), at);
        buf_puts(out, pane_sentence(&v, pane_words(one, words, sizeof words), line, sizeof line));
        buf_puts(out, "\n");
        at += len + (at[len] == '\n');
    }
    buf_free(&raw);
}

static void where_text(const struct plan *p, const struct plan_step *s, char *buf, size_t size)
{
    const char *kind = s->kind;
    if (strncmp(kind, "dns.", 4) == 0)
        snprintf(buf, size, "zone %s on %s port %d, %d record%s", p->dns.zone, p->dns.server, p->dns.port, p->dns.nrecords, p->dns.nrecords == 1 ? "" : "s");
    else if (strcmp(kind, "traffic") == 0)
        snprintf(buf, size, "balancer %s, backend %s", p->traffic.haproxy, p->traffic.backend ? p->traffic.backend : "");
    else if (strncmp(kind, "pg.", 3) == 0 || strncmp(kind, "switch", 6) == 0 || strcmp(kind, "hold") == 0) {
        size_t n = (size_t)snprintf(buf, size, "database");
        for (int i = 0; i < p->ndatabases && n < size; i++) {
            n += (size_t)snprintf(buf + n, size - n, "%s %s", i ? "," : "", p->databases[i].name);
            if (p->databases[i].npoolers > 0 && n < size)
                n += (size_t)snprintf(buf + n, size - n, " (pooler %s)", p->databases[i].poolers[0].name);
        }
    } else
        copy_text(buf, size, strcmp(kind, "manual") == 0 ? "with a person" : "on this machine");
}

static void touches_text(const struct model *m, const struct plan *p, const struct plan_step *s, int64_t now, char *buf, size_t size)
{
    static const struct {
        const char *kind, *text;
    } rows[] = {
        {"dns.ttl", "the TTL of the records; the addresses stay"},
        {"pg.audit", "nothing, it only reads"},
        {"pg.replicate", "a publication and a slot on blue; the tables of green are filled"},
        {"pg.verify", "nothing, it reads; a marker row now and then"},
        {"checks", "nothing of production; evidence is gathered"},
        {"dns.flip", "every user: caches follow within the TTL"},
        {"wait", "nothing, it only looks"},
        {"hold", "nothing; blue stays read-only meanwhile"},
        {"pg.cleanup", "subscription, slot and publication go; so does the way back"},
        {"command", "what the program touches"},
        {"manual", "what the person touches"},
    };
    char span[32];
    copy_text(buf, size, "");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(rows[i].kind, s->kind) == 0)
            copy_text(buf, size, rows[i].text);
    char caches[120];
    if (strcmp(s->kind, "dns.flip") == 0 && *model_dns_span(m, p, now, caches, sizeof caches))
        snprintf(buf, size, "every user: caches follow %s", caches);
    if (strcmp(s->kind, "traffic") == 0)
        snprintf(buf, size, "reads of users move to green in %d stage%s; writes stay", p->traffic.nstages, p->traffic.nstages == 1 ? "" : "s");
    if (strncmp(s->kind, "switch", 6) == 0)
        snprintf(buf, size, "writes of %lld clients stop for at most %s, then %s",
                 (long long)MAX(m->db ? m->db[0].side[BLUE].clients : 0, 0), pane_span(p->switch_deadline, span, sizeof span),
                 strcmp(s->kind, "switch") == 0 ? "green takes them" : "go on on blue");
}

static void takes_text(const struct model *m, const struct plan_step *s, const struct plan *p, enum step_mode mode, char *buf, size_t size)
{
    char about[32], most[32];
    size_t n = 0;
    if (strncmp(s->kind, "switch", 6) == 0 && m->rehearsed_at)
        n = (size_t)snprintf(buf, size, "rehearsed: writes stopped for %s; ", format_ms((m->rehearsed_us + 999) / 1000, about, sizeof about));
    else if (s->expect > 0 && mode != MODE_UNDO)
        n = (size_t)snprintf(buf, size, "about %s, ", format_span(s->expect, about, sizeof about));
    n += (size_t)snprintf(buf + n, size - n, "given up after %s", format_span(s->timeout, most, sizeof most));
    if (strncmp(s->kind, "switch", 6) == 0 && n < size)
        snprintf(buf + n, size - n, "; the pause budget is %s", pane_span(p->pause_budget, about, sizeof about));
}

/* Only a switch to green has one. */
static bool has_prediction(const struct ui *ui, const struct plan_step *s)
{
    return strncmp(s->kind, "switch", 6) == 0 && ui->dialog.mode == MODE_RUN && ui->plan->ndatabases && !ui->model->committed;
}

static void undo_text(const struct model *m, const struct plan *p, const struct plan_step *s, enum step_mode mode, int64_t now, char *buf, size_t size)
{
    char price[160], caches[120];
    gate_price(m, p, now, price, sizeof price);
    if (mode == MODE_UNDO && strcmp(s->kind, "switch") == 0)
        copy_text(buf, size, "this is the undo: writes go back to blue, nothing is lost; the switch can be run again");
    else if (mode == MODE_UNDO)
        copy_text(buf, size, m->committed ? "this is the undo; writes stay on green, whatever it moves back" : "this is the undo; the step can be run again");
    else if (s->no_return && s->has_undo && p->ndatabases && p->databases[0].reverse)
        snprintf(buf, size, "until it commits all goes back to blue by itself; then r, as long as green's writes flow back");
    else if (s->no_return)
        snprintf(buf, size, "until it commits all goes back to blue by itself; then no way back");
    else if (strcmp(s->kind, "dns.flip") == 0 && s->has_undo && *model_dns_span(m, p, now, caches, sizeof caches))
        snprintf(buf, size, "r undoes it, and caches follow back %s; going back now%s", caches, price + strcspn(price, ":"));
    else
        snprintf(buf, size, "%s; %s now%s", s->has_undo ? "r undoes it" : "nothing to undo", "going back", price + strcspn(price, ":"));
}

static void draw_gate(struct page *p, const struct gate *g, int64_t now)
{
    for (int i = 0; i < g->nlines && p->y < p->bottom; i++, p->y++) {
        const struct gate_line *l = &g->line[i];
        char text[200], words[200], value[80], age[32];
        unsigned style = l->held ? ROLE_OK : l->known ? ROLE_WARN : ROLE_UNKNOWN;
        int w = p->a.w;
        area_text(p->a, 3, p->y, style, l->held ? "✓" : l->known ? "✗" : "?");
        if (l->at)
            area_printfr(p->a, w, p->y, ROLE_DIM, "%s ago", pane_age(l->at, now, age, sizeof age));
        area_textw(p->a, 5, p->y, w - 5 - 26, ROLE_DIALOG, pane_sentence(&p->v, pane_words(l->text, words, sizeof words), text, sizeof text));
        area_textw(p->a, w - 24, p->y, 14, l->held ? ROLE_TEXT : ROLE_BRIGHT, pane_sentence(&p->v, l->value, value, sizeof value));
    }
}

/* What a person can do about a gate that is shut. */
static const char *advice(const struct ui *ui, const struct gate *g)
{
    const struct dialog *d = &ui->dialog;
    if (g->verdict == GATE_GO)
        return "leaves; then open it anew, its gate holds now";
    if (d->mode == MODE_UNDO)
        return "leaves; nothing was changed";
    if (ui->model->ended)
        return "leaves; a new run begins with: cutover PLAN";
    if (ui->model->running >= 0)
        return "leaves; wait until the running step ends, or a aborts it";
    if (ui->model->paused)
        return "leaves; then p and y let steps begin again";
    if (ui->model->step[d->step].state == STEP_UNKNOWN)
        return "leaves; then t shows what was found, and asks what it counts as";
    for (int i = 0; i < g->nlines; i++)
        if (!g->line[i].held && !g->line[i].at && !g->line[i].id[0] && strstr(g->line[i].text, " is done"))
            return "leaves; open that step first, or skip it with s";
    return g->verdict == GATE_HOLD ? "leaves; wait until the lines with ✗ turn to ✓, then open it again" : "leaves; it can't be confirmed while this stands in the way";
}

/* A box that opened on a shut gate stays shut: it says why, and what leads on. */
static void draw_shut(const struct ui *ui, struct area a, int y, const struct gate *g)
{
    char why[300], words[300];
    struct view v = ui_view((struct ui *)ui, PANE_STEPS);
    int x = area_printf(a, 1, y, g->verdict == GATE_GO ? ROLE_GO : g->verdict == GATE_HOLD ? ROLE_HOLD : ROLE_STOP, " %s ", gate_verdict_names[g->verdict]) + 1;
    area_textw(a, x, y, a.w - x, ROLE_DIALOG, g->verdict == GATE_GO ? "its gate holds now; this box opened before it did and stays shut" : pane_sentence(&v, pane_words(g->why, words, sizeof words), why, sizeof why));
    x = area_text(a, 1, y + 1, ROLE_KEY, "Esc") + 1;
    area_text(a, x, y + 1, ROLE_DIM, advice(ui, g));
    area_text(a, 1, y + 2, ROLE_DIM, "This box can't run anything.");
}

/* The last lines: what to press, what has been typed, and what is not taken. */
static void draw_foot(struct ui *ui, struct area a, const struct gate *g)
{
    const struct dialog *d = &ui->dialog;
    enum plan_confirm needs = dialog_needs(ui);
    const char *key = ui->plan->steps[d->step].key;
    int y = a.h - 3, x = 1;
    if (g->verdict != GATE_GO || !d->was_go) {
        draw_shut(ui, a, y, g);
        return;
    }
    if (needs == CONFIRM_TYPE) {
        x = area_text(a, x, y, ROLE_DIALOG, "type") + 2;
        x = area_text(a, x, y, ROLE_BRIGHT, key) + 2;
        area_text(a, x, y, ROLE_DIALOG, d->mode == MODE_UNDO ? "and Enter to undo it.  Esc or any other word leaves." : "and Enter to run.  Esc or any other word leaves.");
        area_text(a, 1, y + 1, ROLE_KEY, ">");
        x = area_text(a, 3, y + 1, ROLE_INPUT, d->input);
        area_text(a, x, y + 1, ROLE_DIM, "_");
    } else {
        x = area_text(a, x, y, ROLE_KEY, needs == CONFIRM_NONE && d->opening_key != K_ENTER ? "Enter or y" : "y") + 2;
        x = area_text(a, x, y, ROLE_DIALOG, d->mode == MODE_UNDO ? "undoes it" : "runs it") + 4;
        x = area_text(a, x, y, ROLE_KEY, "Esc") + 2;
        area_text(a, x, y, ROLE_DIALOG, "leaves");
    }
    if (d->dropped > 0)
        area_textw(a, 1, y + 2, a.w - 1, ROLE_WARN, "Dropped: keys of the first 0.8 s, pasted or repeating ones. Type by hand.");
    else
        area_textw(a, 1, y + 2, a.w - 1, ROLE_DIM, "Keys of the first 0.8 s, pasted text and auto-repeat are not taken.");
}

void dialog_draw_confirm(struct ui *ui, struct area screen)
{
    struct dialog *d = &ui->dialog;
    const struct plan_step *s = &ui->plan->steps[d->step];
    struct buf what = {0};
    char title[160], right[60], text[300];
    struct gate g;
    gate_ask(ui->model, ui->plan, d->step, d->mode, ui->now, &g);
    int64_t left = d->opened_at + DIALOG_DEAF_MS - ui->wall;
    if (left > 0)
        snprintf(right, sizeof right, "locked %d.%d s", (int)(left / 1000), (int)(left / 100 % 10));
    else
        copy_text(right, sizeof right, !d->was_go ? "shut" : dialog_needs(ui) == CONFIRM_TYPE ? "type the word" : "press the key");
    snprintf(title, sizeof title, "%s%s%s  step %d of %d  %s", d->mode == MODE_UNDO ? "undo" : "confirm", s->bind && s->bind[0] ? "  " : "", s->bind ? s->bind : "", d->step + 1, ui->plan->nsteps, s->key);
    what_text(ui, &what);
    int w = MIN(screen.w >= 116 ? 96 : 80, screen.w), lines = dialog_text((struct area){.w = w - 14}, what.text ? what.text : "", 0);
    int fixed = 2 + 1 + 4 + has_prediction(ui, s) + 1 + g.nlines + 4, blanks = screen.h >= fixed + MIN(lines, 6) + 2 ? 2 : 0; /* frame, name, facts, gate, foot */
    int room = MAX(MIN(lines, screen.h - fixed - blanks - 1), 1), h = MIN(fixed + blanks + room + (lines > room), screen.h);
    struct area a = area_frame(area_part(screen, (screen.w - w) / 2, (screen.h - h) / 2, w, h), title, right, ROLE_DIALOG_BORDER, ROLE_TITLE_FOCUS);
    struct page p = {.a = a, .v = ui_view(ui, PANE_STEPS), .bottom = a.h - 4};
    int x = area_text(a, 1, p.y, ROLE_BRIGHT, ui->plan->name) + 2;
    bool rehearsal = ui->model->rehearsal || ui->plan->rehearsal;
    x = area_text(a, x, p.y, rehearsal ? ROLE_BADGE : ROLE_STOP, rehearsal ? " REHEARSAL " : " PRODUCTION ") + 2;
    area_textw(a, x, p.y, a.w - x, ROLE_DIALOG, s->title);
    p.y += blanks ? 2 : 1;
    say_what(&p, d, what.text ? what.text : "", lines, room);
    buf_free(&what);
    where_text(ui->plan, s, text, sizeof text);
    say(&p, "where", ROLE_DIALOG, text);
    touches_text(ui->model, ui->plan, s, ui->now, text, sizeof text);
    say(&p, "touches", ROLE_DIALOG, d->mode == MODE_UNDO && strcmp(s->kind, "switch") == 0 ? "writes of all clients stop for a moment, then blue takes them" : d->mode == MODE_UNDO ? "the same things as the step, back to what they were" : text);
    takes_text(ui->model, s, ui->plan, d->mode, text, sizeof text);
    say(&p, "takes", ROLE_DIALOG, text);
    if (has_prediction(ui, s))
        say(&p, "pause", ROLE_DIALOG, model_predict_text(ui->model, ui->plan, ui->now, text, sizeof text));
    undo_text(ui->model, ui->plan, s, d->mode, ui->now, text, sizeof text);
    say(&p, "undo", ROLE_UNDO, text);
    p.y += blanks ? 1 : 0;
    if (p.y < p.bottom)
        area_textw(a, 1, p.y++, a.w - 1, ROLE_DIM, d->mode == MODE_UNDO ? "the word is asked for, since an undo moves things too" : g.nlines ? "gate, read again with every frame; the box closes when it falls" : "no condition stands in this step's gate");
    draw_gate(&p, &g, ui->now);
    draw_foot(ui, a, &g);
}
