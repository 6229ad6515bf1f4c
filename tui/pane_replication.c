/* Pane 1: how far green is behind blue, in bytes and in time, and which side takes writes. */
#include "tui/pane_replication.h"

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
    int64_t left = model_copy_left(db->table, db->ntables);
    char span[32];
    int bar = a.w - x;
    if (left >= 0 && bar >= 16) { /* how long the rest takes at the present rate */
        area_printfr(a, a.w, 0, ROLE_TEXT, "~%s", format_span(left, span, sizeof span));
        bar -= 7;
    }
    if (bar >= 8)
        graph_bar(a, x, 0, bar, total > 0 ? MIN(done * 1000000 / total, 1000000) : 0, v->graph, ROLE_GRAPH, ROLE_BORDER);
    int facts = a.h >= 9 ? 4 : 1;
    draw_tables(area_part(a, 0, 1, -1, MAX(a.h - 1 - facts, 0)), v, db);
    pane_replication_sides(a, a.h - MAX(facts - 1, 1), v, db);
    if (facts > 1) {
        pane_replication_pooler(a, a.h - 2, v, db);
        pane_replication_slot(a, a.h - 1, v, db);
    }
}

/* Why nothing flows, in one line. */
static const char *silence(const struct view *v)
{
    return v->model->committed ? "writes are on green" : "not replicating yet";
}

/* Behind the commit point: who writes, and that blue only keeps what was there. */
static void draw_after(struct area a, const struct view *v, const struct model_db *db)
{
    char text[200], span[32];
    area_text(a, 0, 0, ROLE_BRIGHT, a.w >= 40 ? silence(v) : a.w >= 30 ? "writes are on green" : "green takes the writes");
    pane_replication_sides(a, 1, v, db);
    pane_replication_pooler(a, 2, v, db);
    if (db->writer.at)
        pane_replication_writer(a, 3, v, db);
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
        y = pane_replication_way_back(a, y, v, db);
    } else {
        area_text(a, 0, y++, ROLE_DIM, db->slot[0] ? "replication is over; its slot waits" : "replication is over and removed");
        if (db->slot[0])
            area_text(a, 0, y++, ROLE_DIM, "for cleanup and replays nothing");
    }
    y++;
    if (db->sequences_at && y < a.h)
        area_printf(a, 0, y++, ROLE_DIM, "sequences %lld, %lld behind", (long long)db->sequences, (long long)db->sequences_behind);
    pane_replication_versions(a, y, db);
    for (int s = 0; s < SIDES; s++)
        if (db->side[s].error[0] && a.h > 8)
            area_textw(a, 0, a.h - 2 + s, a.w, ROLE_BAD, pane_sentence(v, db->side[s].error, text, sizeof text));
}

static void draw_before(struct area a, const struct view *v, const struct model_db *db)
{
    char text[200];
    area_text(a, 0, 0, ROLE_DIM, silence(v));
    pane_replication_sides(a, 1, v, db);
    pane_replication_pooler(a, 2, v, db);
    if (db->audited_at)
        area_printf(a, 0, 3, db->blockers ? ROLE_BAD : ROLE_DIM, a.w >= 34 ? "audit: %lld blockers, %lld warnings" : "audit: %lld blockers", (long long)db->blockers, (long long)db->warnings);
    if (a.h > 5)
        pane_replication_versions(a, db->audited_at ? 4 : 3, db);
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
    pane_replication_lag(a, 0, v, db);
    if (a.h < 8) {
        draw_graph(area_part(a, 0, 1, -1, MAX(a.h - 2, 0)), v, db);
        if (db->lag_error[0] || db->schema_drift > 0 || db->writer.at)
            pane_replication_trouble(a, a.h - 1, v, db);
        else if (db->pooler_paused || db->pooler_waiting > 0)
            pane_replication_pooler(a, a.h - 1, v, db);
        else
            pane_replication_sides(a, a.h - 1, v, db);
        return;
    }
    int tables = v->size >= LAYOUT_LARGE ? MIN(db->ntables, (a.h - 6) / 3) : 0;
    int y = a.h - 4 - tables - (tables > 0);
    draw_graph(area_part(a, 0, 1, -1, MAX(y - 1, 0)), v, db);
    pane_replication_sides(a, y, v, db);
    pane_replication_pooler(a, y + 1, v, db);
    pane_replication_slot(a, y + 2, v, db);
    pane_replication_trouble(a, y + 3, v, db);
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
        pane_replication_lag(a, 0, v, db);
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

/* One table of the first copy: rows and bytes of all, how fast, how long the rest takes. */
static void put_table(struct buf *out, const struct model_table *t)
{
    char so_far[32], all[32], span[32];
    buf_printf(out, "  %-24s %-9s %lld of %lld rows", t->name, t->state, (long long)t->rows, (long long)t->total);
    if (t->size > 0)
        buf_printf(out, ", %s of %s", format_bytes(t->bytes, so_far, sizeof so_far), format_bytes(t->size, all, sizeof all));
    int64_t rate = model_copy_rate(t), left = model_copy_left(t, 1);
    if (rate > 0)
        buf_printf(out, ", %lld rows/s, ~%s left", (long long)rate, format_span(MAX(left, (int64_t)0), span, sizeof span));
    buf_puts(out, "\n");
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
    if (*db->side[BLUE].oldest)
        buf_printf(out, "open      on blue for %s: %s%s%s\n", format_ms(db->side[BLUE].oldest_tx, age, sizeof age), pane_sentence(v, db->side[BLUE].oldest, text, sizeof text),
                   *db->side[BLUE].state ? ", " : "", db->side[BLUE].state);
    buf_printf(out, "slot      %s, sent %s, flushed %s%s%s\n", db->slot, db->sent_lsn, db->flushed_lsn, *db->wal_status ? ", WAL " : "", db->wal_status);
    if (!v->model->committed && db->probed_at)
        buf_printf(out, "pause     of a switch now: %s\n", model_predict_text(v->model, v->plan, v->now, text, sizeof text));
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
        put_table(out, &db->table[i]);
}

static bool present(const struct plan *plan)
{
    return plan->ndatabases > 0;
}

const struct pane pane_replication = {
    .name = "replication", .number = PANE_REPLICATION, .present = present, .title = title,
    .draw = draw, .fold = fold, .rows = rows, .detail = detail,
};
