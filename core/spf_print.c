/* The tree of a check: whoever is over the limit wants to see which term costs what. */
#include <string.h>

#include "core/spf.h"

static int cost_of_record(const struct spf_record *r)
{
    int sum = 0;
    for (int i = 0; r && i < r->nterms; i++)
        sum += spf_cost(&r->terms[i]);
    return sum;
}

int spf_cost(const struct spf_term *term)
{
    return term->counted + cost_of_record(term->record);
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
    buf_printf(out, "%*s%s", depth * 2, "", t->text);
    if (*state)
        buf_printf(out, "  %s", state);
    if (spf_cost(t))
        buf_printf(out, "  %d lookup%s", spf_cost(t), spf_cost(t) == 1 ? "" : "s");
    if (t->empty)
        buf_puts(out, "  empty");
    buf_puts(out, "\n");
    if (t->record)
        print_record(t->record, depth + 1, out);
}

static void print_record(const struct spf_record *r, int depth, struct buf *out)
{
    buf_printf(out, "%*s%s: %s\n", depth * 2, "", r->domain, *r->text ? r->text : "no record");
    for (int i = 0; i < r->nterms; i++)
        print_term(&r->terms[i], depth + 1, out);
}

void spf_print(const struct spf *s, struct buf *out)
{
    if (s->root)
        print_record(s->root, 0, out);
    buf_printf(out, "%s, %d lookups, %d empty\n", spf_result_name(s->result), s->lookups, s->voids);
}
