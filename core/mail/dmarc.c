#include "core/mail/dmarc.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/mail/taglist.h"

static bool is_policy(const char *value)
{
    return strcasecmp(value, "none") == 0 || strcasecmp(value, "quarantine") == 0 || strcasecmp(value, "reject") == 0;
}

static bool is_one_of(const char *value, const char *letters)
{
    return strlen(value) == 1 && strchr(letters, tolower((unsigned char)*value));
}

static bool is_number(const char *value, unsigned long long most)
{
    char *end;
    if (!isdigit((unsigned char)*value))
        return false;
    errno = 0;
    unsigned long long n = strtoull(value, &end, 10);
    return !*end && !errno && n <= most;
}

/* ---- addresses of reports: URI ["!" size [k|m|g|t]] ---- */

static bool is_size(const char *text)
{
    size_t n = strspn(text, "0123456789");
    return n > 0 && n < 20 && (!text[n] || (strchr("kmgt", tolower((unsigned char)text[n])) && !text[n + 1]));
}

static bool is_uri(char *item)
{
    char *size = strchr(item, '!');
    if (size) {
        if (!is_size(size + 1))
            return false;
        *size = '\0';
    }
    for (const char *c = item; *c; c++)
        if (*c <= ' ' || *c > '~' || strchr("<>\"\\^`{|}", *c))
            return false;
    size_t scheme = strspn(item, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
    return isalpha((unsigned char)*item) && item[scheme] == ':' && item[scheme + 1];
}

static bool are_uris(const char *list, bool *any)
{
    char item[512];
    bool all = true;
    for (const char *at = list; taglist_item(&at, ',', item, sizeof item);) {
        bool is = strlen(item) < sizeof item - 1 && is_uri(item);
        *any |= is;
        all = all && is;
    }
    return all;
}

static bool are_options(const char *list)
{
    char item[8];
    for (const char *at = list; taglist_item(&at, ':', item, sizeof item);)
        if (!is_one_of(item, "01ds"))
            return false;
    return true;
}

/* Keywords of RFC 5321: letters, digits, inner hyphens. */
static bool are_formats(const char *list)
{
    char item[64];
    for (const char *at = list; taglist_item(&at, ':', item, sizeof item);) {
        size_t n = strlen(item);
        if (n == 0 || item[n - 1] == '-' || !isalnum((unsigned char)*item))
            return false;
        for (const char *c = item; *c; c++)
            if (!isalnum((unsigned char)*c) && *c != '-')
                return false;
    }
    return true;
}

/* ---- the table of tags ---- */

enum { OLD = 1 << DMARC_RFC7489, NEW = 1 << DMARC_RFC9989 };
static bool is_adkim(const char *v) { return is_one_of(v, "rs"); }
static bool is_yes(const char *v) { return is_one_of(v, "yn"); }
static bool is_psd(const char *v) { return is_one_of(v, "ynu"); }
static bool is_percent(const char *v) { return is_number(v, 100); }
static bool is_seconds(const char *v) { return is_number(v, UINT32_MAX); }
static bool has_uris(const char *v) { bool any = false; return are_uris(v, &any); }

/* p, sp and np are judged apart: a valid rua makes up for them. */
static const struct {
    const char *name;
    unsigned readings;
    bool (*is)(const char *value);
    const char *wants;
} tags[] = {
    {"adkim", OLD | NEW, is_adkim, "r or s"},
    {"aspf", OLD | NEW, is_adkim, "r or s"},
    {"fo", OLD | NEW, are_options, "0, 1, d or s, joined by colons"},
    {"rua", OLD | NEW, has_uris, "addresses such as mailto:dmarc@example.com"},
    {"ruf", OLD | NEW, has_uris, "addresses such as mailto:dmarc@example.com"},
    {"pct", OLD, is_percent, "a number from 0 to 100"},
    {"ri", OLD, is_seconds, "a number of seconds"},
    {"rf", OLD, are_formats, "names of formats such as afrf"},
    {"t", NEW, is_yes, "y or n"},
    {"psd", NEW, is_psd, "y, n or u"},
};

static bool judge_values(const struct taglist *l, enum dmarc_reading reading, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        const char *value = tags[i].readings & 1u << reading ? taglist_find(l, tags[i].name) : NULL;
        if (value && !tags[i].is(value))
            return err_set(err, "DMARC record: %s= must be %s; it is \"%.60s\".", tags[i].name, tags[i].wants, value);
    }
    return true;
}

/* The first of the three that is wrong, or p when it is missing. */
static const char *bad_policy(const struct taglist *l, enum dmarc_reading reading)
{
    const char *p = taglist_find(l, "p"), *sp = taglist_find(l, "sp"), *np = taglist_find(l, "np");
    if (!p || !is_policy(p))
        return "p";
    if (sp && !is_policy(sp))
        return "sp";
    return reading == DMARC_RFC9989 && np && !is_policy(np) ? "np" : NULL;
}

static void keep(struct dmarc *d, const struct taglist *l, bool has_policy)
{
    const char *p = has_policy ? taglist_find(l, "p") : "none", *sp = has_policy ? taglist_find(l, "sp") : NULL, *np = has_policy ? taglist_find(l, "np") : NULL;
    const char *adkim = taglist_find(l, "adkim"), *aspf = taglist_find(l, "aspf"), *t = taglist_find(l, "t"), *pct = taglist_find(l, "pct"), *rua = taglist_find(l, "rua");
    copy_text(d->p, sizeof d->p, p);
    copy_text(d->sp, sizeof d->sp, sp ? sp : d->p);
    copy_text(d->np, sizeof d->np, np ? np : d->sp);
    d->strict_dkim = adkim && tolower((unsigned char)*adkim) == 's';
    d->strict_spf = aspf && tolower((unsigned char)*aspf) == 's';
    d->testing = t && tolower((unsigned char)*t) == 'y';
    d->percent = pct ? atoi(pct) : 100;
    copy_text(d->rua, sizeof d->rua, rua ? rua : "");
}

static bool read_tags(struct dmarc *d, const struct taglist *l, enum dmarc_reading reading, struct err *err)
{
    const char *rua = taglist_find(l, "rua");
    if (strcmp(l->tag[0].name, "v") != 0 || strcmp(l->tag[0].value, "DMARC1") != 0)
        return err_set(err, "DMARC record: it must begin with v=DMARC1, in capitals.");
    if (rua)
        are_uris(rua, &d->reports);
    const char *bad = bad_policy(l, reading);
    if (bad && !d->reports)
        return err_set(err, taglist_find(l, bad) ? "DMARC record: %s= must be none, quarantine or reject." : "DMARC record: %s= is missing, so it asks for nothing.", bad);
    if (!bad && reading == DMARC_RFC7489 && strcmp(l->tag[1].name, "p") != 0)
        return err_set(err, "DMARC record: p= must stand right behind v=DMARC1 (RFC 7489; RFC 9989 takes it anywhere).");
    if (!judge_values(l, reading, err))
        return false;
    keep(d, l, !bad);
    return true;
}

bool dmarc_parse(struct dmarc *d, const char *record, enum dmarc_reading reading, struct err *err)
{
    static const struct taglist_rules rules = {.what = "DMARC record", .fold_names = true};
    struct taglist l;
    memset(d, 0, sizeof *d);
    bool ok = taglist_read(&l, record, &rules, err) && read_tags(d, &l, reading, err);
    taglist_free(&l);
    return ok;
}
