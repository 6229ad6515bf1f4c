/* What became of a snapshot. A name and type that had one value and has another has changed; of several values each that
 * went is removed and each that came is added, since nothing says which one took whose place. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/dnssnap.h"

struct set { /* the records of one name and type */
    const struct dnssnap_record *at; /* NULL when there are none */
    int count;
};
struct tally {
    struct buf *out;
    int added, removed, changed, ttls, serials;
};

static struct set take_set(const struct dnssnap *s, int from)
{
    struct set set = {s->records + from, 0};
    while (from + set.count < s->count && dnssnap_compare(set.at, &s->records[from + set.count], false) == 0)
        set.count++;
    return set;
}

static bool holds(const struct set *s, const struct dnssnap_record *r)
{
    for (int i = 0; i < s->count; i++)
        if (strcmp(s->at[i].value, r->value) == 0)
            return true;
    return false;
}

/* The n-th value of `in` that `other` has not; NULL after the last. */
static const struct dnssnap_record *only_in(const struct set *in, const struct set *other, int n)
{
    for (int i = 0; i < in->count; i++)
        if (!holds(other, &in->at[i]) && n-- == 0)
            return &in->at[i];
    return NULL;
}

static int tell_all(struct tally *t, const char *word, const struct set *in, const struct set *other)
{
    const struct dnssnap_record *r;
    int n = 0;
    for (; (r = only_in(in, other, n)); n++)
        buf_printf(t->out, "%s%s %s %" PRId64 " %s\n", word, r->name, r->type, r->ttl, r->value);
    return n;
}

/* True when nothing but the serial differs, as it does after each change of a zone. */
static bool is_serial_only(const struct dnssnap_record *a, const struct dnssnap_record *b, uint32_t serial[2])
{
    if (!dnssnap_serial(a, &serial[0]) || !dnssnap_serial(b, &serial[1]))
        return false;
    const char *x = strchr(a->value, ' '), *y = strchr(b->value, ' ');
    x = strchr(x + 1, ' '), y = strchr(y + 1, ' ');
    size_t before = (size_t)(x - a->value);
    return before == (size_t)(y - b->value) && memcmp(a->value, b->value, before) == 0 &&
           strcmp(x + 1 + strspn(x + 1, "0123456789"), y + 1 + strspn(y + 1, "0123456789")) == 0;
}

static void tell_change(struct tally *t, const struct dnssnap_record *a, const struct dnssnap_record *b)
{
    uint32_t serial[2];
    if (is_serial_only(a, b, serial)) {
        buf_printf(t->out, "serial   %s %" PRIu32 " -> %" PRIu32 "\n", a->name, serial[0], serial[1]);
        t->serials++;
        return;
    }
    buf_printf(t->out, "changed  %s %s %s -> %s\n", a->name, a->type, a->value, b->value);
    t->changed++;
}

static void tell_set(struct tally *t, const struct set *old, const struct set *new)
{
    const struct dnssnap_record *gone = only_in(old, new, 0), *came = only_in(new, old, 0);
    if (gone && came && !only_in(old, new, 1) && !only_in(new, old, 1)) {
        tell_change(t, gone, came);
    } else {
        t->removed += tell_all(t, "removed  ", old, new);
        t->added += tell_all(t, "added    ", new, old);
    }
    if (old->at && new->at && old->at->ttl != new->at->ttl) {
        buf_printf(t->out, "ttl      %s %s %" PRId64 " -> %" PRId64 "\n", old->at->name, old->at->type, old->at->ttl, new->at->ttl);
        t->ttls++;
    }
}

static void tell_sum(struct tally *t, int records)
{
    if (t->added + t->removed + t->changed + t->ttls + t->serials == 0)
        buf_printf(t->out, "no difference in %d record%s\n", records, records == 1 ? "" : "s");
    else
        buf_printf(t->out, "%d added, %d removed, %d changed, %d with another TTL%s\n", t->added, t->removed, t->changed, t->ttls,
            t->serials ? ", another serial" : "");
}

int dnssnap_diff(const struct dnssnap *old, const struct dnssnap *new, struct buf *out)
{
    struct tally t = {.out = out};
    for (int i = 0, j = 0; i < old->count || j < new->count;) {
        int order = i == old->count ? 1 : j == new->count ? -1 : dnssnap_compare(&old->records[i], &new->records[j], false);
        struct set a = {0}, b = {0};
        if (order <= 0)
            a = take_set(old, i);
        if (order >= 0)
            b = take_set(new, j);
        tell_set(&t, &a, &b);
        i += a.count;
        j += b.count;
    }
    tell_sum(&t, new->count);
    return t.added + t.removed + t.changed + t.ttls + t.serials;
}
