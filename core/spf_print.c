/* The tree of a check: whoever is over the limit wants to see which term costs what. Names and terms were made by
 * somebody else, macros put the sender's own words into them: every line is sanitised on its way out. */
#include <stdlib.h>
#include <string.h>

#include "core/spf.h"
#include "core/text.h"

static int sum_of(const struct spf_record *r, int (*cost)(const struct spf_term *))
{
    int sum = 0;
    for (int i = 0; r && i < r->nterms; i++)
        sum += cost(&r->terms[i]);
    return sum;
}

int spf_cost(const struct spf_term *term)
{
    return term->counted + sum_of(term->record, spf_cost);
}

int spf_void_cost(const struct spf_term *term)
{
    return term->empty + sum_of(term->record, spf_void_cost);
}

static void add_clean(struct buf *out, const char *text)
{
    size_t size = 4 * strlen(text) + 1; /* ESC becomes four characters; nothing grows more */
    char *clean = xcalloc(1, size);
    text_clean_string(clean, size, text);
    buf_puts(out, clean);
    free(clean);
}

static const char *state_text(const struct spf_term *t)
{
    static const char *const names[] = {"not reached", "asking", "no match", "match", "error"};
    if (t->kind == SPF_REDIRECT && t->state == SPF_MATCHED)
        return "followed";
    return t->kind == SPF_EXP || t->kind == SPF_OTHER ? "" : names[t->state];
}

static void print_record(const struct spf_record *r, int depth, struct buf *out);

static void print_term(const struct spf_term *t, int depth, struct buf *out)
{
    const char *state = state_text(t);
    int cost = spf_cost(t), voids = spf_void_cost(t);
    buf_printf(out, "%*s", depth * 2, "");
    add_clean(out, t->text);
    if (*state)
        buf_printf(out, "  %s", state);
    if (cost)
        buf_printf(out, "  %d lookup%s", cost, cost == 1 ? "" : "s");
    if (voids)
        buf_printf(out, cost ? ", %d void" : "  %d void", voids);
    buf_puts(out, "\n");
    if (t->record)
        print_record(t->record, depth + 1, out);
}

static const char *record_text(const struct spf_record *r)
{
    if (*r->text)
        return r->text;
    return !r->ended || r->result == SPF_TEMPERROR ? "not known" : r->result == SPF_PERMERROR && !r->redirected ? "no single record" : "no record";
}

static void print_record(const struct spf_record *r, int depth, struct buf *out)
{
    buf_printf(out, "%*s", depth * 2, "");
    add_clean(out, r->domain);
    buf_puts(out, ": ");
    add_clean(out, record_text(r));
    buf_puts(out, "\n");
    for (int i = 0; i < r->nterms; i++)
        print_term(&r->terms[i], depth + 1, out);
}

void spf_print(const struct spf *s, struct buf *out)
{
    if (s->root)
        print_record(s->root, 0, out);
    buf_printf(out, "%d of %d lookups, %d of %d void lookups\n", s->lookups, SPF_MAX_LOOKUPS, s->voids, SPF_MAX_VOIDS);
}

/* ---- what decided ---- */

static const struct spf_term *matched_in(const struct spf_record *r)
{
    for (int i = 0; i < r->nterms; i++)
        if (r->terms[i].state == SPF_MATCHED)
            return &r->terms[i];
    return NULL;
}

void spf_print_match(const struct spf *s, struct buf *out)
{
    struct buf way = {0}, line = {0};
    const struct spf_term *t = NULL;
    const struct spf_record *r = s->root;
    buf_puts(&way, "");
    while (r && (t = matched_in(r)) && t->record) {
        buf_printf(&way, "%s\"%s\" of %s", way.len ? ", " : "", t->text, r->domain);
        r = t->record;
    }
    buf_puts(&line, "");
    if (r && t)
        buf_printf(&line, "\"%s\" of %s%s%s", t->text, r->domain, way.len ? ", reached by " : "", way.text);
    add_clean(out, line.text);
    buf_free(&line);
    buf_free(&way);
}
