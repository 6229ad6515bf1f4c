/* What a comparison tells: how far it is, and each difference once. */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/step/verify_run.h"
#include "core/text.h"

enum { TOLD_EVERY_MS = 1000 };

void verify_tell_progress(struct step_run *run, bool now)
{
    struct verify_run *o = own_of(run);
    if (!now && clock_mono() - o->told < TOLD_EVERY_MS)
        return;
    o->told = clock_mono();
    int64_t total = MAX(o->total, o->rows);
    RECORD(run->door, verify_seen, .db = database(run)->name, .table = o->at < o->tables.count ? table(run)->shown : "", .rows = o->rows, .total = total,
        .tables = o->at, .all = o->tables.count, .differences = o->differences);
    step_progress(run, o->all_rows + o->rows, o->all_rows + total, "rows");
}

void verify_tell_difference(struct step_run *run, const char *key, const char *text)
{
    struct verify_run *o = own_of(run);
    char shown[120];
    o->differences++;
    if (o->table_differences++ >= VERIFY_SHOWN)
        return;
    text_line(shown, sizeof shown, key, strlen(key));
    RECORD(run->door, difference_found, .db = database(run)->name, .table = table(run)->shown, .key = shown, .text = text);
}

void verify_put_key(const struct verify_table *t, const struct verify_suspect *s, char *out, size_t size)
{
    size_t n = 0;
    for (int k = 0; k < t->nkeys && n < size; k++)
        n += (size_t)snprintf(out + n, size - n, "%s%s", k ? ", " : "", s->key[k]);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(a, b);
}

bool verify_is_told(struct verify_run *o, const struct verify_table *t, const struct verify_suspect *s)
{
    struct buf key = {0};
    for (int k = 0; k < t->nkeys; k++)
        buf_printf(&key, "%zu:%s", strlen(s->key[k]), s->key[k]);
    char **node = tsearch(key.text, &o->told_keys, compare_texts);
    bool before = !node || *node != key.text;
    if (before)
        buf_free(&key); /* else it lives in the tree */
    return before;
}

void verify_forget_keys(struct verify_run *o)
{
    tdestroy(o->told_keys, free);
    o->told_keys = NULL;
}
