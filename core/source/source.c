#include "core/source/source.h"

#include <stdio.h>
#include <stdlib.h>

/* One line per kind: add the file's constant here. */
extern const struct source_kind source_database, source_replication, source_copy, source_schema, source_pooler, source_dns, source_http,
    source_haproxy, source_prometheus;

const struct source_kind *const source_kinds[] = {
    &source_database, &source_replication, &source_copy, &source_schema, &source_pooler, &source_dns, &source_http, &source_haproxy, &source_prometheus,
};
const int nsource_kinds = ARRAY_LEN(source_kinds);

enum { FIRST_PAUSE = 500, LONGEST_PAUSE = 10000 };

static void closed(struct task *task)
{
    struct source *s = (struct source *)task;
    if (s->kind->free_own)
        s->kind->free_own(s);
    s->over(s);
}

void source_start(struct source *s)
{
    s->own = xcalloc(1, s->kind->own_size);
    s->pause = FIRST_PAUSE;
    task_start(&s->task, s->loop, s->kind->run, closed);
}

void source_failed(struct source *s, const char *fmt, ...)
{
    s->looks++;
    if (s->failing) {
        s->pause = MIN(s->pause * 2, (int64_t)LONGEST_PAUSE);
        return;
    }
    char sentence[400], name[64];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(sentence, sizeof sentence, fmt, ap);
    va_end(ap);
    s->failing = true;
    s->pause = FIRST_PAUSE;
    s->kind->name_of(s->plan, s->index, name, sizeof name);
    RECORD(s->door, source_failed, .source = name, .sentence = sentence);
}

void source_worked(struct source *s)
{
    s->looks++;
    s->pause = FIRST_PAUSE;
    if (!s->failing)
        return;
    char name[64];
    s->failing = false;
    s->kind->name_of(s->plan, s->index, name, sizeof name);
    RECORD(s->door, source_back, .source = name);
}

void source_free(struct source *s)
{
    free(s->own);
    free(s);
}
