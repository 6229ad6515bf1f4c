/* The mistakes of a plan: finished sentences in the order of the file. */
#include "core/plan_read.h"
#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 1000 /* more mistakes than that nobody reads */

/* The line number that stands in "file:12: sentence"; 0 when there is none. */
static int line_of(const char *problem, size_t file_len)
{
    return problem[file_len] == ':' ? atoi(problem + file_len + 1) : 0;
}

static bool is_there(const struct plan_problems *p, const char *text)
{
    for (int i = 0; i < p->count; i++)
        if (strcmp(p->lines[i], text) == 0)
            return true;
    return false;
}

static void insert(struct plan_problems *p, char *text, int line, size_t file_len)
{
    p->lines = xrealloc(p->lines, (size_t)(p->count + 1) * sizeof *p->lines);
    int at = p->count++;
    for (; at > 0 && line_of(p->lines[at - 1], file_len) > line; at--)
        p->lines[at] = p->lines[at - 1];
    p->lines[at] = text;
}

static void add(struct plan_problems *p, const char *file, int line, const char *fmt, va_list ap)
{
    if (p->count >= MOST)
        return;
    char raw[1024], sentence[1400];
    vsnprintf(raw, sizeof raw, fmt, ap);
    text_clean_string(sentence, sizeof sentence, raw);
    char *text = line ? xprintf("%s:%d: %s", file, line, sentence) : xprintf("%s: %s", file, sentence);
    if (is_there(p, text))
        free(text);
    else
        insert(p, text, line, strlen(file));
}

void plan_problems_add(struct plan_problems *problems, const char *file, int line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(problems, file, line, fmt, ap);
    va_end(ap);
}

void plan_complain(struct plan_reader *r, int line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    add(r->problems, r->file, line, fmt, ap);
    va_end(ap);
}

void plan_problems_free(struct plan_problems *problems)
{
    for (int i = 0; i < problems->count; i++)
        free(problems->lines[i]);
    free(problems->lines);
    *problems = (struct plan_problems){0};
}
