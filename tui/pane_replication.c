/* Pane 1: how far green is behind blue, in bytes and in time, and which side takes writes. */
#include "tui/pane.h"

#include <stdio.h>
#include <string.h>

/* The database that the large figures are about: the chosen one, else the one that lags most. */
static int shown_db(const struct view *v)
{
    int best = 0;
    if (v->state->selected >= 0 && v->state->selected < v->plan->ndatabases)
        return v->state->selected;
    for (int i = 1; i < v->plan->ndatabases; i++)
        if (v->model->db[i].lag_at && v->model->db[i].lag_bytes > v->model->db[best].lag_bytes)
            best = i;
    return best;
}

static const struct plan_database *plan_of(const struct view *v, const struct model_db *db)
{
    return &v->plan->databases[db - v->model->db];
}

/* A copy is over when every table is ready; green says nothing of it before the subscription exists. */
static bool is_copying(const struct model_db *db)
{
    return db->copy_at && db->tables_ready < db->tables_seen;
}

/* Nothing flows: no slot, or one that does not exist yet. */
static bool is_silent(const struct model_db *db)
{
    return !db->lag_at || (!db->slot[0] && db->lag_bytes < 0);
}

/* Bytes a second by which the lag shrank over the last 5 s; UNKNOWN. */
static int64_t drain_rate(const struct model_db *db, int64_t now)
{
    int64_t newest = history_at(&db->bytes, now / 1000, 0);
    int64_t before = history_at(&db->bytes, now / 1000, 5);
    if (newest < 0)
        newest = history_at(&db->bytes, now / 1000, 1);
    return newest < 0 || before < 0 ? UNKNOWN : (before - newest) / 5;
}

static int draw_lag(struct area a, int x, const struct view *v, const struct model_db *db)
{
    char bytes[32], ms[32], span[32];
    bool old = pane_is_old(db->lag_at, v->now, PANE_STALE_DB);
    unsigned style = old ? ROLE_UNKNOWN : db->lag_ms > 10000 ? ROLE_WARN : ROLE_BRIGHT;
    x = pane_pair(a, x, 0, "lag", style, format_bytes(db->lag_bytes, bytes, sizeof bytes));
    if (db->lag_ms < 0 && !plan_of(v, db)->heartbeat)
        x = area_text(a, x - (v->size <= LAYOUT_SMALL), 0, ROLE_DIM, v->size <= LAYOUT_SMALL ? "bytes only" : "bytes only, no heartbeat") + 2;
    if (db->lag_ms >= 0)
        x = area_text(a, x - (v->size <= LAYOUT_SMALL), 0, style, format_ms(db->lag_ms, ms, sizeof ms)) + 2;
    if (old)
        return pane_pair(a, x, 0, "?", ROLE_UNKNOWN, pane_age(db->lag_at, v->now, span, sizeof span));
    int64_t rate = drain_rate(db, v->now);
    if (rate > 0 && db->lag_bytes > 100000 && x + 6 <= a.w)
        x = pane_pair(a, x, 0, v->size <= LAYOUT_SMALL ? "→" : "zero in", ROLE_TEXT, format_span(db->lag_bytes * 1000 / rate, span, sizeof span));
    return x;
}

static void draw_graph(struct area a, const struct view *v, const struct model_db *db)
{
    int64_t values[MODEL_HISTORY];
    char full[32];
    int shown = v->size <= LAYOUT_SMALL ? 60 : v->size == LAYOUT_MEDIUM ? 120 : MODEL_HISTORY;
    struct graph g = {.live = pane_series(&db->bytes, v->now, shown, values), .shown = shown, .zero = true, .how = v->graph, .style = ROLE_GRAPH};
    g.full = graph_scale(MAX(series_max(&g.live, shown), 1000));
    bool axis = a.h >= 5;
    struct area plot = area_part(a, 0, 0, -1, axis ? a.h - 1 : a.h);
    graph_plot(plot, &g);
    if (!axis)
        return;
    area_printfr(a, a.w, 0, ROLE_DIM, " %s", format_bytes(g.full, full, sizeof full));
    area_printf(a, 0, a.h - 1, ROLE_DIM, "-%d min", shown / 60);
    area_textr(a, a.w, a.h - 1, ROLE_DIM, "now");
}

static const char *writable_word(const struct model_dbside *s, const struct view *v, unsigned *style)
{
    *style = ROLE_UNKNOWN;
    if (pane_is_old(s->at, v->now, PANE_STALE_DB))
        return s->at ? "? old" : "? not seen";
    if (!s->reachable) {
        *style = ROLE_BAD;
        return "✗ away";
    }
    *style = ROLE_TEXT;
    if (strcmp(s->writable, "yes") == 0)
        return "writable";
    if (strcmp(s->writable, "no") == 0)
        return "read-only";
    *style = ROLE_UNKNOWN;
    return "? writable";
}

/* "B writable  12 clients   G read-only  0 clients". */
static void draw_sides(struct area a, int y, const struct view *v, const struct model_db *db)
{
    int x = 0;
    bool bad = model_writers_are_bad(model_writers(v->model, v->plan, (int)(db - v->model->db), v->now));
    for (int s = 0; s < SIDES; s++) {
        const struct model_dbside *side = &db->side[s];
        unsigned style;
        const char *word = writable_word(side, v, &style);
        x = area_text(a, x, y, s == BLUE ? ROLE_BLUE : ROLE_GREEN, s == BLUE ? "B" : "G") + 1;
        x = area_text(a, x, y, bad && style == ROLE_TEXT ? ROLE_BAD : style, word) + 2;
        if (v->size >= LAYOUT_MEDIUM && a.w >= 34 && side->reachable && side->clients >= 0)
            x = area_printf(a, x - 1, y, ROLE_DIM, "%lld cl", (long long)side->clients) + 2;
        if (v->size >= LAYOUT_LARGE && side->reachable)
            x = area_printf(a, x - 1, y, ROLE_DIM, "PG %s", side->version) + 3;
    }
}

static void draw_pooler(struct area a, int y, const struct view *v, const struct model_db *db)
{
    char wait[32];
    if (!db->pooler_at)
        return;
    int x = pane_pair(a, 0, y, "pooler", ROLE_TEXT, "→") - 1;
    bool old = pane_is_old(db->pooler_at, v->now, PANE_STALE_DB);
    unsigned side = strcmp(db->pooler_target, "blue") == 0 ? ROLE_BLUE : strcmp(db->pooler_target, "green") == 0 ? ROLE_GREEN : ROLE_WARN;
    if (!db->pooler_reachable) {
        area_text(a, x, y, ROLE_BAD, "✗ away");
        return;
    }
    x = area_text(a, x, y, old ? ROLE_UNKNOWN : side, db->pooler_target) + 2;
    x = area_text(a, x, y, old ? ROLE_UNKNOWN : db->pooler_paused ? ROLE_WARN : ROLE_TEXT, db->pooler_paused ? "paused" : "open") + 2;
    if (db->pooler_waiting > 0) {
        x = area_printf(a, x, y, ROLE_WARN, "%lld wait", (long long)db->pooler_waiting) + 1;
        area_text(a, x, y, ROLE_DIM, format_ms(db->pooler_longest_wait, wait, sizeof wait));
    }
}

/* "full in 12 min": only what may come within a day is shown. Returns where it ends. */
static int draw_full(struct area a, int x, int y, const struct view *v, const struct model_db *db, enum side side)
{
    char span[32];
    int64_t full = model_wal_full_in(db, plan_of(v, db), side, v->now);
    if (full < 0 || full > INT64_C(24) * 3600 * 1000 || x + 10 > a.w)
        return x;
    return area_printf(a, x, y, full < INT64_C(30) * 60 * 1000 ? ROLE_BAD : ROLE_WARN, "full in %s", format_span(full, span, sizeof span)) + 2;
}

static void draw_slot(struct area a, int y, const struct view *v, const struct model_db *db)
{
    char bytes[32], mask[48];
    bool lost = strcmp(db->wal_status, "lost") == 0;
    if (!db->slot[0])
        return;
    int x = pane_pair(a, 0, y, "slot", ROLE_TEXT, pane_private(v, TEXT_PLAIN, db->slot, mask, sizeof mask)) - 1;
    x = area_text(a, x, y, lost ? ROLE_BAD : db->slot_active ? ROLE_OK : ROLE_WARN, lost ? "✗ lost" : db->slot_active ? "active" : "! idle") + 2;
    if (db->retained >= 0 && !lost && x + 12 < a.w)
        x = pane_pair(a, x, y, "keeps", ROLE_TEXT, format_bytes(db->retained, bytes, sizeof bytes));
    if (!lost)
        draw_full(a, x, y, v, db, BLUE);
}

/* What the comparison of both sides has found, or how far it is; returns where it ends. */
static int draw_verified(struct area a, int x, int y, const struct model_db *db)
{
    if (!db->verify_at || x + 24 > a.w)
        return x;
    unsigned style = db->differences ? ROLE_BAD : db->verified_at ? ROLE_OK : ROLE_TEXT;
    if (db->verified_at)
        x = area_printf(a, x, y, style, db->differences ? "✗ %lld rows differ" : db->verified_ppm < 1000000 ? "✓ sample is the same" : "✓ rows are the same", (long long)db->differences);
    else
        x = area_printf(a, x, y, style, "compared %lld %%, %lld differ", (long long)(db->verify_total > 0 ? MIN(100 * db->verify_rows / db->verify_total, (int64_t)99) : 0), (long long)db->differences);
    return x + 2;
}

static void draw_facts(struct area a, int y, const struct view *v, const struct model_db *db)
{
    int x = 0;
    char rate_text[32];
    int64_t rate = drain_rate(db, v->now);
    if (db->tables_seen > 0)
        x = area_printf(a, x, y, ROLE_DIM, "tables %d/%d", db->tables_ready, db->tables_seen) + 2;
    if (db->conflicts > 0)
        x = area_printf(a, x, y, ROLE_BAD, "✗ %lld conflicts", (long long)db->conflicts) + 2;
    x = draw_verified(a, x, y, db);
    if (db->restarts > 0 && x + 18 < a.w)
        x = area_printf(a, x, y, ROLE_WARN, "worker anew %lld×", (long long)db->restarts) + 2;
    if (db->sequences_at)
        x = area_printf(a, x, y, db->sequences_behind ? ROLE_TEXT : ROLE_DIM, "sequences %lld, %lld behind", (long long)db->sequences, (long long)db->sequences_behind) + 2;
    if (rate > 1000 && x + 16 < a.w)
        pane_pair(a, x, y, "drain", ROLE_TEXT, format_bytes(rate, rate_text, sizeof rate_text));
}

/* "✗ blue: batch wrote, 10.0.0.9  02:14:32Z": where nobody may write. */
static void draw_writer(struct area a, int y, const struct view *v, const struct model_db *db)
{
    const struct model_writer *w = &db->writer;
    char role[80], address[64], clock[32];
    bool wrote = strcmp(w->how, "writes") == 0;
    int x = area_printf(a, 0, y, ROLE_BAD, "✗ %s: %s %s", w->side, pane_private(v, TEXT_USER, w->role, role, sizeof role), wrote ? "wrote" : "may write");
    if (wrote && x + 9 < a.w)
        x = area_printf(a, x, y, ROLE_BAD, ", %s", pane_private(v, TEXT_ADDRESS, w->address, address, sizeof address));
    if (x + 11 <= a.w)
        area_printf(a, x + 2, y, ROLE_DIM, "%sZ", pane_clock(w->at, false, clock, sizeof clock));
}

/* DDL on blue that green lacks: it stops the switch. */
static void draw_drift(struct area a, int y, const struct view *v, const struct model_db *db)
{
    char text[200], more[40] = "", name[120];
    if (db->schema_drift > 1)
        snprintf(more, sizeof more, " (%lld in all)", (long long)db->schema_drift);
    snprintf(text, sizeof text, "✗ DDL on blue: %s %s%s", db->schema_object, db->schema_change, more);
    area_textw(a, 0, y, a.w, ROLE_BAD, pane_sentence(v, text, name, sizeof name));
}

/* What keeps replication from working comes before its figures. */
static void draw_trouble(struct area a, int y, const struct view *v, const struct model_db *db)
{
    char text[200];
    if (db->lag_error[0])
        area_textw(a, 0, y, a.w, ROLE_BAD, pane_sentence(v, db->lag_error, text, sizeof text));
    else if (db->schema_drift > 0)
        draw_drift(a, y, v, db);
    else if (db->writer.at)
        draw_writer(a, y, v, db);
    else
        draw_facts(a, y, v, db);
}

/* One table of the first copy: name, bar, rows. */
static void draw_table(struct area a, int y, const struct view *v, const struct model_table *t)
{
    char rows[32];
    bool ready = strcmp(t->state, "ready") == 0 || strcmp(t->state, "synced") == 0;
    int64_t ppm = ready ? 1000000 : t->total > 0 ? MIN(t->rows * 1000000 / t->total, 1000000) : 0;
    int name = MIN(26, MAX(10, a.w / 3)), bar = a.w - name - 12;
    const char *dot = strncmp(t->name, "public.", 7) == 0 ? t->name + 7 : t->name;
    if (bar < 4)
        name = a.w - 10;
    area_text(a, 0, y, ready ? ROLE_OK : ROLE_RUN, ready ? "✓" : strcmp(t->state, "init") == 0 ? "·" : "▶");
    area_textw(a, 2, y, name - 2, ready ? ROLE_DIM : ROLE_TEXT, dot);
    if (bar >= 4 && ready)
        area_text(a, name + 1, y, ROLE_DIM, "ready");
    else if (bar >= 4)
        graph_bar(a, name + 1, y, bar, ppm, v->graph, ROLE_GRAPH, ROLE_BORDER);
    area_textr(a, a.w, y, ready ? ROLE_DIM : ROLE_TEXT, t->rows < 0 || (ready && t->rows == 0) ? "" : pane_count(t->rows, rows, sizeof rows));
}

/* Tables that are being copied first, those that wait next, the ready ones last. */
static int table_rank(const struct model_table *t)
{
    if (strcmp(t->state, "ready") == 0 || strcmp(t->state, "synced") == 0)
        return 2;
    return strcmp(t->state, "init") == 0 ? 1 : 0;
}

static void draw_tables(struct area a, const struct view *v, const struct model_db *db)
{
    int y = 0, more = 0;
    for (int rank = 0; rank < 3; rank++)
        for (int i = 0; i < db->ntables; i++) {
            if (table_rank(&db->table[i]) != rank)
                continue;
            if (y < a.h)
                draw_table(a, y++, v, &db->table[i]);
            else
                more++;
        }
    if (more > 0 && a.h > 0) {
        area_hline(a, 0, a.h - 1, a.w, ROLE_DIM, " ");
        area_printf(a, 2, a.h - 1, ROLE_DIM, "… %d more", more + 1);
    }
}

static void draw_copy(struct area a, const struct view *v, const struct model_db *db)
{
    int64_t done = 0, total = 0;
    for (int i = 0; i < db->ntables; i++) {
        done += MAX(db->table[i].rows, 0);
        total += MAX(db->table[i].total, 0);
    }
    int x = area_printf(a, 0, 0, ROLE_BRIGHT, "copying %d/%d tables", db->tables_ready, db->tables_seen) + 2;
    if (a.w - x >= 10)
        graph_bar(a, x, 0, a.w - x, total > 0 ? MIN(done * 1000000 / total, 1000000) : 0, v->graph, ROLE_GRAPH, ROLE_BORDER);
    int facts = a.h >= 9 ? 4 : 1;
    draw_tables(area_part(a, 0, 1, -1, MAX(a.h - 1 - facts, 0)), v, db);
    draw_sides(a, a.h - MAX(facts - 1, 1), v, db);
    if (facts > 1) {
        draw_pooler(a, a.h - 2, v, db);
        draw_slot(a, a.h - 1, v, db);
    }
}

/* Why nothing flows, in one line. */
static const char *silence(const struct view *v)
{
    return v->model->committed ? "writes are on green" : "not replicating yet";
}

/* Versions where a line has room for them. */
static void draw_versions(struct area a, int y, const struct model_db *db)
{
    const struct model_dbside *s = db->side;
    if (s[BLUE].reachable && s[GREEN].reachable && y < a.h)
        area_printf(a, 0, y, ROLE_DIM, "PG %s on blue, %s on green", s[BLUE].version, s[GREEN].version);
}

/* What going back rests on: green's writes arrive on blue, or do not. */
static int draw_way_back(struct area a, int y, const struct view *v, const struct model_db *db)
{
    char text[200], lag[24], kept[24];
    bool old = pane_is_old(db->back_at, v->now, PANE_STALE_DB), runs = !old && db->back_active && (db->back_ms >= 0 || !plan_of(v, db)->heartbeat) && !db->back_error[0];
    if (runs)
        area_printf(a, 0, y++, ROLE_TEXT, "green flows back to blue, lag %s", db->back_ms < 0 ? format_bytes(db->back_bytes, lag, sizeof lag) : format_ms(db->back_ms, lag, sizeof lag));
    else
        area_textw(a, 0, y++, a.w, old ? ROLE_UNKNOWN : ROLE_BAD, db->back_error[0] ? pane_sentence(v, db->back_error, text, sizeof text) : "green does not flow back to blue");
    if (db->back_retained >= 0) {
        int x = area_printf(a, 0, y, ROLE_DIM, "its slot keeps %s on green", format_bytes(db->back_retained, kept, sizeof kept)) + 2;
        draw_full(a, x, y++, v, db, GREEN);
    }
    return y;
}

/* Behind the commit point: who writes, and that blue only keeps what was there. */
static void draw_after(struct area a, const struct view *v, const struct model_db *db)
{
    char text[200], span[32];
    area_text(a, 0, 0, ROLE_BRIGHT, a.w >= 40 ? silence(v) : a.w >= 30 ? "writes are on green" : "green takes the writes");
    draw_sides(a, 1, v, db);
    draw_pooler(a, 2, v, db);
    if (db->writer.at)
        draw_writer(a, 3, v, db);
    if (a.h < 5 && db->writer.at)
        return;
    if (a.h < 5) {
        area_printf(a, 0, 3, ROLE_DIM, "since %s", format_span(MAX(v->now - v->model->committed_at, 0), span, sizeof span));
        return;
    }
    int y = 4;
    area_printf(a, 0, y++, ROLE_TEXT, "green has taken writes for %s", format_span(MAX(v->now - v->model->committed_at, 0), span, sizeof span));
    area_printf(a, 0, y++, ROLE_DIM, "write pause %s, at the pooler", format_ms((v->model->pause_us + 999) / 1000, span, sizeof span));
    if (db->back_at && db->back_slot[0]) {
        y = draw_way_back(a, y, v, db);
    } else {
        area_text(a, 0, y++, ROLE_DIM, db->slot[0] ? "replication is over; its slot waits" : "replication is over and removed");
        if (db->slot[0])
            area_text(a, 0, y++, ROLE_DIM, "for cleanup and replays nothing");
    }
    y++;
    if (db->sequences_at && y < a.h)
        area_printf(a, 0, y++, ROLE_DIM, "sequences %lld, %lld behind", (long long)db->sequences, (long long)db->sequences_behind);
    draw_versions(a, y, db);
    for (int s = 0; s < SIDES; s++)
        if (db->side[s].error[0] && a.h > 8)
            area_textw(a, 0, a.h - 2 + s, a.w, ROLE_BAD, pane_sentence(v, db->side[s].error, text, sizeof text));
}

static void draw_before(struct area a, const struct view *v, const struct model_db *db)
{
    char text[200];
    area_text(a, 0, 0, ROLE_DIM, silence(v));
    draw_sides(a, 1, v, db);
    draw_pooler(a, 2, v, db);
    if (db->audited_at)
        area_printf(a, 0, 3, db->blockers ? ROLE_BAD : ROLE_DIM, a.w >= 34 ? "audit: %lld blockers, %lld warnings" : "audit: %lld blockers", (long long)db->blockers, (long long)db->warnings);
    if (a.h > 5)
        draw_versions(a, db->audited_at ? 4 : 3, db);
    int y = 6;
    for (int i = 0; i < db->nfindings && y < a.h; i++, y++) {
        const struct model_finding *f = &db->finding[i];
        bool blocker = strcmp(f->level, "blocker") == 0;
        unsigned style = blocker ? ROLE_BAD : strcmp(f->level, "warning") == 0 ? ROLE_WARN : ROLE_DIM;
        area_text(a, 0, y, style, blocker ? "✗" : style == ROLE_WARN ? "!" : "·");
        int x = area_textw(a, 2, y, a.w - 2, ROLE_TEXT, pane_sentence(v, f->object, text, sizeof text)) + 2;
        area_textw(a, x, y, a.w - x, ROLE_DIM, pane_sentence(v, f->text, text, sizeof text));
    }
    for (int s = 0; s < SIDES && a.h > 7; s++)
        if (db->side[s].error[0])
            area_textw(a, 0, a.h - 2 + s, a.w, ROLE_BAD, pane_sentence(v, db->side[s].error, text, sizeof text));
}

static void draw_streaming(struct area a, const struct view *v, const struct model_db *db)
{
    draw_lag(a, 0, v, db);
    if (a.h < 8) {
        draw_graph(area_part(a, 0, 1, -1, MAX(a.h - 2, 0)), v, db);
        if (db->lag_error[0] || db->schema_drift > 0 || db->writer.at)
            draw_trouble(a, a.h - 1, v, db);
        else if (db->pooler_paused || db->pooler_waiting > 0)
            draw_pooler(a, a.h - 1, v, db);
        else
            draw_sides(a, a.h - 1, v, db);
        return;
    }
    int tables = v->size >= LAYOUT_LARGE ? MIN(db->ntables, (a.h - 6) / 3) : 0;
    int y = a.h - 4 - tables - (tables > 0);
    draw_graph(area_part(a, 0, 1, -1, MAX(y - 1, 0)), v, db);
    draw_sides(a, y, v, db);
    draw_pooler(a, y + 1, v, db);
    draw_slot(a, y + 2, v, db);
    draw_trouble(a, y + 3, v, db);
    if (tables > 0)
        draw_tables(area_part(a, 0, y + 5, -1, tables), v, db);
}

/* One line for each database, when there are several and room. */
static int draw_list(struct area a, const struct view *v)
{
    char bytes[32], ms[32];
    int n = v->plan->ndatabases, chosen = shown_db(v);
    if (n < 2 || a.h < n + 8)
        return 0;
    for (int i = 0; i < n; i++) {
        const struct model_db *db = &v->model->db[i];
        area_textw(a, 0, i, a.w / 2, i == chosen ? ROLE_BRIGHT : ROLE_TEXT, v->plan->databases[i].name);
        unsigned style = pane_is_old(db->lag_at, v->now, PANE_STALE_DB) ? ROLE_UNKNOWN : ROLE_TEXT;
        area_textr(a, a.w - 10, i, style, !is_silent(db) ? format_bytes(db->lag_bytes, bytes, sizeof bytes) : "-");
        area_textr(a, a.w, i, style, !is_silent(db) && db->lag_ms >= 0 ? format_ms(db->lag_ms, ms, sizeof ms) : "-");
    }
    return n + 1;
}

static void draw(struct area a, const struct view *v)
{
    if (v->plan->ndatabases == 0)
        return;
    int top = draw_list(a, v);
    struct area rest = area_part(a, 0, top, -1, -1);
    const struct model_db *db = &v->model->db[shown_db(v)];
    if (v->model->committed)
        draw_after(rest, v, db);
    else if (is_copying(db))
        draw_copy(rest, v, db);
    else if (is_silent(db))
        draw_before(rest, v, db);
    else
        draw_streaming(rest, v, db);
}

static void fold(struct area a, const struct view *v)
{
    const struct model_db *db = &v->model->db[shown_db(v)];
    if (v->model->committed || is_silent(db))
        area_text(a, 0, 0, ROLE_DIM, silence(v));
    else if (is_copying(db))
        area_printf(a, 0, 0, ROLE_TEXT, "copying %d/%d tables", db->tables_ready, db->tables_seen);
    else
        draw_lag(a, 0, v, db);
}

static void title(const struct view *v, char *left, size_t lsize, char *right, size_t rsize)
{
    const struct model_db *db = v->plan->ndatabases ? &v->model->db[shown_db(v)] : NULL;
    copy_text(left, lsize, v->size >= LAYOUT_MEDIUM && db ? v->plan->databases[shown_db(v)].name : "");
    if (!db || (!db->lag_at && !db->side[BLUE].at))
        copy_text(right, rsize, "");
    else if (pane_is_old(MAX(db->lag_at, db->side[BLUE].at), v->now, PANE_STALE_DB))
        copy_text(right, rsize, "stale");
    else
        copy_text(right, rsize, "live");
}

static int rows(const struct view *v)
{
    return v->plan->ndatabases;
}

static void detail(const struct view *v, int row, struct buf *out)
{
    const struct model_db *db = &v->model->db[row];
    char text[260], address[64], age[32];
    buf_printf(out, "database %s\n\n", v->plan->databases[row].name);
    for (int s = 0; s < SIDES; s++)
        buf_printf(out, "%-9s PostgreSQL %s, writable %s, %lld clients, %lld open transactions, seen %s ago\n", side_names[s],
                   db->side[s].version, db->side[s].writable, (long long)db->side[s].clients, (long long)db->side[s].open_tx,
                   pane_age(db->side[s].at, v->now, age, sizeof age));
    buf_printf(out, "slot      %s, sent %s, flushed %s%s%s\n", db->slot, db->sent_lsn, db->flushed_lsn, *db->wal_status ? ", WAL " : "", db->wal_status);
    if (!v->plan->databases[row].heartbeat)
        buf_printf(out, "lag       in bytes only: the plan has heartbeat = false\n");
    if (db->lag_at && (db->apply_errors || db->restarts || db->conflicts))
        buf_printf(out, "worker    %lld errors, begun anew %lld times, %lld conflicts\n", (long long)db->apply_errors, (long long)db->restarts, (long long)db->conflicts);
    if (db->lag_error[0])
        buf_printf(out, "error     %s\n", pane_sentence(v, db->lag_error, text, sizeof text));
    if (db->back_at)
        buf_printf(out, "back      %s%s%s\n", db->back_slot, *db->back_error ? ": " : "", pane_sentence(v, db->back_error, text, sizeof text));
    if (db->writer.at)
        buf_printf(out, "%-9s %s %s (%s) from %s, pid %lld, seen %s ago\n", "writer", db->writer.side, pane_private(v, TEXT_USER, db->writer.role, text, sizeof text), db->writer.application,
                   pane_private(v, TEXT_ADDRESS, db->writer.address, address, sizeof address), (long long)db->writer.pid, pane_age(db->writer.at, v->now, age, sizeof age));
    buf_printf(out, "\naudit: %lld blockers, %lld warnings, %lld notes, %lld tables\n", (long long)db->blockers, (long long)db->warnings,
               (long long)db->notes, (long long)db->tables_audited);
    for (int i = 0; i < db->nfindings; i++)
        buf_printf(out, "  %-8s %s: %s\n", db->finding[i].level, db->finding[i].object, pane_sentence(v, db->finding[i].text, text, sizeof text));
    if (db->verify_at)
        buf_printf(out, "\ncompared: %lld of %lld tables, %lld rows, %lld differ, %lld changed too fast\n", (long long)db->verify_tables, (long long)db->verify_all,
                   (long long)db->verify_rows, (long long)db->differences, (long long)db->busy_rows);
    for (int i = 0; i < db->ndifferences; i++)
        buf_printf(out, "  %s %s: %s\n", db->difference[i].table, db->difference[i].key, pane_sentence(v, db->difference[i].text, text, sizeof text));
    for (int i = 0; i < db->ntables; i++)
        buf_printf(out, "  %-24s %-9s %lld of %lld rows\n", db->table[i].name, db->table[i].state, (long long)db->table[i].rows, (long long)db->table[i].total);
}

static bool present(const struct plan *plan)
{
    return plan->ndatabases > 0;
}

const struct pane pane_replication = {
    .name = "replication", .number = PANE_REPLICATION, .present = present, .title = title,
    .draw = draw, .fold = fold, .rows = rows, .detail = detail,
};
