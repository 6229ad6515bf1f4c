/* The lines of which pane 1 is made: one function a line, whatever stands around it. */
#include "tui/pane_replication.h"

#include <stdio.h>
#include <string.h>

static const struct plan_database *plan_of(const struct view *v, const struct model_db *db)
{
    return &v->plan->databases[db - v->model->db];
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

int pane_replication_lag(struct area a, int x, const struct view *v, const struct model_db *db)
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
void pane_replication_sides(struct area a, int y, const struct view *v, const struct model_db *db)
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

void pane_replication_pooler(struct area a, int y, const struct view *v, const struct model_db *db)
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

/* "full in 12:00", or "lost in" where the server gives the slot up before: only what may come within a day is shown. Returns where it ends. */
static int draw_full(struct area a, int x, int y, const struct view *v, const struct model_db *db, enum side side)
{
    char span[32];
    int64_t full = model_wal_full_in(db, plan_of(v, db), side, v->now);
    if (full < 0 || full > INT64_C(24) * 3600 * 1000 || x + 10 > a.w)
        return x;
    return area_printf(a, x, y, full < INT64_C(30) * 60 * 1000 ? ROLE_BAD : ROLE_WARN, model_wal_is_given_up(db, plan_of(v, db), side) ? "lost in %s" : "full in %s", format_span(full, span, sizeof span)) + 2;
}

void pane_replication_slot(struct area a, int y, const struct view *v, const struct model_db *db)
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
    if (db->sequences_at && x + 24 <= a.w)
        x = area_printf(a, x, y, db->sequences_behind ? ROLE_TEXT : ROLE_DIM, "sequences %lld, %lld behind", (long long)db->sequences, (long long)db->sequences_behind) + 2;
    if (rate > 1000 && x + 16 < a.w)
        pane_pair(a, x, y, "drain", ROLE_TEXT, format_bytes(rate, rate_text, sizeof rate_text));
}

/* "✗ blue: batch wrote, 10.0.0.9  02:14:32Z": where nobody may write. */
void pane_replication_writer(struct area a, int y, const struct view *v, const struct model_db *db)
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

/* A transaction on blue that a switch would wait for. */
static bool is_held(const struct view *v, const struct model_db *db)
{
    const struct model_dbside *blue = &db->side[BLUE];
    return !v->model->committed && *blue->oldest && blue->oldest_tx >= MODEL_LONG_TX && !pane_is_old(blue->at, v->now, PANE_STALE_DB);
}

static void draw_holder(struct area a, int y, const struct view *v, const struct model_db *db)
{
    char span[24], text[240], whose[200];
    const struct model_dbside *blue = &db->side[BLUE];
    snprintf(whose, sizeof whose, "%s%s%s", blue->oldest, *blue->state ? ", " : "", blue->state);
    int x = area_printf(a, 0, y, ROLE_WARN, "! open %s: ", format_span(blue->oldest_tx, span, sizeof span));
    area_textw(a, x, y, a.w - x, ROLE_TEXT, pane_sentence(v, whose, text, sizeof text));
}

/* What keeps replication from working comes before its figures. */
void pane_replication_trouble(struct area a, int y, const struct view *v, const struct model_db *db)
{
    char text[200];
    if (db->lag_error[0])
        area_textw(a, 0, y, a.w, ROLE_BAD, pane_sentence(v, db->lag_error, text, sizeof text));
    else if (db->schema_drift > 0)
        draw_drift(a, y, v, db);
    else if (db->writer.at)
        pane_replication_writer(a, y, v, db);
    else if (is_held(v, db))
        draw_holder(a, y, v, db);
    else
        draw_facts(a, y, v, db);
}

/* Versions where a line has room for them. */
void pane_replication_versions(struct area a, int y, const struct model_db *db)
{
    const struct model_dbside *s = db->side;
    if (s[BLUE].reachable && s[GREEN].reachable && y < a.h)
        area_printf(a, 0, y, ROLE_DIM, "PG %s on blue, %s on green", s[BLUE].version, s[GREEN].version);
}

/* What going back rests on: green's writes arrive on blue, or do not. */
int pane_replication_way_back(struct area a, int y, const struct view *v, const struct model_db *db)
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
