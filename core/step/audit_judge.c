/* Answers into findings. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/step/audit_inner.h"
#include "core/text.h"

const char *const audit_level_names[AUDIT_LEVELS] = {"blocker", "warning", "note"};

static struct audit_finding *grow(struct audit_findings *f)
{
    if (f->count == f->cap) {
        f->cap = f->cap ? 2 * f->cap : 32;
        f->item = xrealloc(f->item, (size_t)f->cap * sizeof *f->item);
    }
    return &f->item[f->count++];
}

static void keep(struct audit_findings *f, enum audit_level level, const char *object, const char *text)
{
    struct audit_finding *n = grow(f);
    n->level = level;
    text_line(n->object, sizeof n->object, object, strlen(object));
    text_line(n->text, sizeof n->text, text, strlen(text));
}

void audit_add(struct audit_findings *f, enum audit_level level, const char *object, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    f->total[level]++;
    if (f->kind[level]++ >= AUDIT_SHOWN)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    keep(f, level, object, text);
}

void audit_end_kind(struct audit_findings *f, const char *id)
{
    for (int l = 0; l < AUDIT_LEVELS; l++) {
        char text[80];
        snprintf(text, sizeof text, "and %" PRId64 " more of this kind", f->kind[l] - AUDIT_SHOWN);
        if (f->kind[l] > AUDIT_SHOWN)
            keep(f, l, id, text);
        f->kind[l] = 0;
    }
}

void audit_record(const struct audit_findings *f, struct door *door, const char *db)
{
    for (int l = 0; l < AUDIT_LEVELS; l++)
        for (int i = 0; i < f->count; i++)
            if ((int)f->item[i].level == l)
                RECORD(door, audit_found, .db = db, .level = audit_level_names[l], .object = f->item[i].object, .text = f->item[i].text);
}

void audit_clear(struct audit_findings *f)
{
    free(f->item);
    memset(f, 0, sizeof *f);
}

/* A question that is refused is as bad as its worst answer: nobody knows. */
static void add_refused(struct audit_findings *f, enum audit_level level, const char *id, enum side side, const struct pg *answer)
{
    audit_add(f, level, id, "%s could not be asked: %s", side_names[side], pg_error(answer));
}

void audit_judge_row(struct audit_findings *f, const struct audit_row *row, const struct pg *answer)
{
    if (pg_failed(answer))
        add_refused(f, row->level, row->id, row->side, answer);
    for (int i = 0; !pg_failed(answer) && i < pg_rows(answer); i++)
        audit_add(f, row->level, pg_value(answer, i, 0), "%s: %s", pg_value(answer, i, 1), row->advice);
    audit_end_kind(f, row->id);
}

/* ---- two sorted lists ---- */

enum { OWNER, PART, VALUE, LABEL, NEEDED, LEVEL };

struct merge {
    struct audit_findings *f;
    const struct audit_list *list;
    const struct pg *side[SIDES];
    int at[SIDES];
    const char *missing; /* the owner that green lacks */
    const char *shared;  /* the owner that both have */
};

static const char *field(const struct merge *m, enum side side, int column)
{
    return pg_value(m->side[side], m->at[side], column);
}

static bool is_over(const struct merge *m, enum side side)
{
    return m->at[side] >= pg_rows(m->side[side]);
}

static bool is_cut(const struct merge *m, enum side side)
{
    return pg_rows(m->side[side]) >= AUDIT_LIST_LIMIT;
}

static int order(const struct merge *m)
{
    if (is_over(m, BLUE) || is_over(m, GREEN))
        return is_over(m, BLUE) - is_over(m, GREEN);
    int c = strcmp(field(m, BLUE, OWNER), field(m, GREEN, OWNER));
    return c ? c : strcmp(field(m, BLUE, PART), field(m, GREEN, PART));
}

static void find(const struct merge *m, enum side side, const char *fmt, ...) PRINTF(3, 4);
static void find(const struct merge *m, enum side side, const char *fmt, ...)
{
    char object[400], text[600];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    snprintf(object, sizeof object, "%s%s", field(m, side, OWNER), field(m, side, PART));
    enum audit_level level = strcmp(field(m, side, LEVEL), "blocker") == 0 ? AUDIT_BLOCKER : AUDIT_WARNING;
    audit_add(m->f, level, object, "%s: %s", text, m->list->advice);
}

static void find_missing(struct merge *m)
{
    if (!*field(m, BLUE, PART))
        m->missing = field(m, BLUE, OWNER);
    else if (m->missing && strcmp(m->missing, field(m, BLUE, OWNER)) == 0)
        return;
    find(m, BLUE, "%s missing on green", field(m, BLUE, LABEL));
}

static void find_extra(struct merge *m)
{
    if (strcmp(field(m, GREEN, NEEDED), "t") == 0 && m->shared && strcmp(m->shared, field(m, GREEN, OWNER)) == 0)
        find(m, GREEN, "NOT NULL without default on green, and blue does not have it");
}

/* "1.10" is newer than "1.9": numbers by value, all else byte by byte. */
static int compare_versions(const char *a, const char *b)
{
    while (*a && *b) {
        char *a_end, *b_end;
        unsigned long long x = strtoull(a, &a_end, 10), y = strtoull(b, &b_end, 10);
        if (a_end == a || b_end == b) {
            if (*a != *b)
                return *a < *b ? -1 : 1;
            a_end = (char *)a + 1, b_end = (char *)b + 1;
        } else if (x != y) {
            return x < y ? -1 : 1;
        }
        a = a_end, b = b_end;
    }
    return (*a != '\0') - (*b != '\0');
}

static void judge_pair(struct merge *m)
{
    const char *blue = field(m, BLUE, VALUE), *green = field(m, GREEN, VALUE);
    if (!*field(m, BLUE, PART))
        m->shared = field(m, BLUE, OWNER);
    if (m->list->older_only ? compare_versions(green, blue) < 0 : strcmp(blue, green) != 0) {
        /* What both have is never worse than a warning where only its age differs. */
        if (m->list->older_only)
            audit_add(m->f, AUDIT_WARNING, field(m, BLUE, OWNER), "%s on blue, older on green (%s): update it on green first", blue, green);
        else
            find(m, BLUE, "%s on blue, %s on green", *blue ? blue : "nothing", *green ? green : "nothing");
    }
}

/* Where one list was cut, the other's rest can't be judged. */
static bool may_judge(const struct merge *m)
{
    return !(is_over(m, BLUE) && is_cut(m, BLUE)) && !(is_over(m, GREEN) && is_cut(m, GREEN));
}

static void merge(struct merge *m)
{
    while ((!is_over(m, BLUE) || !is_over(m, GREEN)) && may_judge(m)) {
        int c = order(m);
        if (c < 0)
            find_missing(m);
        else if (c > 0)
            find_extra(m);
        else
            judge_pair(m);
        m->at[BLUE] += c <= 0;
        m->at[GREEN] += c >= 0;
    }
    if (!may_judge(m))
        audit_add(m->f, AUDIT_WARNING, m->list->id, "only the first %d lines were compared: compare the rest with pg_dump -s", AUDIT_LIST_LIMIT);
}

void audit_judge_list(struct audit_findings *f, const struct audit_list *list, const struct pg *blue, const struct pg *green)
{
    struct merge m = {.f = f, .list = list, .side = {blue, green}};
    if (pg_failed(blue))
        add_refused(f, AUDIT_BLOCKER, list->id, BLUE, blue);
    else if (pg_failed(green))
        add_refused(f, AUDIT_BLOCKER, list->id, GREEN, green);
    else
        merge(&m);
    audit_end_kind(f, list->id);
}
