#include "core/mail/mtasts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/mail/taglist.h"

enum { NAME_MAX_LEN = 32, AGE_DIGITS = 10 };

/* (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".") */
static bool is_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");
    return isalnum((unsigned char)*name) && !name[n] && n <= NAME_MAX_LEN;
}

static bool is_id(const char *id)
{
    size_t n = strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    return n > 0 && n <= NAME_MAX_LEN && !id[n];
}

/* Printable ASCII without a space, "=" and ";". */
static bool is_extension(const char *value)
{
    for (const char *c = value; *c; c++)
        if (*c <= ' ' || *c > '~' || *c == '=' || *c == ';')
            return false;
    return *value;
}

static bool read_record(char *id, size_t size, const struct taglist *l, struct err *err)
{
    const char *value = taglist_find(l, "id");
    if (strcmp(l->tag[0].name, "v") != 0 || strcmp(l->tag[0].value, "STSv1") != 0)
        return err_set(err, "MTA-STS record: it must begin with v=STSv1.");
    if (!value || !is_id(value))
        return err_set(err, "MTA-STS record: id= must be 1 to 32 letters and digits.");
    for (int i = 1; i < l->count; i++)
        if (!is_name(l->tag[i].name) || !is_extension(l->tag[i].value))
            return err_set(err, "MTA-STS record: \"%.40s\" is no tag with a value that may stand there.", l->tag[i].name);
    copy_text(id, size, value);
    return true;
}

bool mtasts_parse_record(char *id, size_t size, const char *record, struct err *err)
{
    static const struct taglist_rules rules = {.what = "MTA-STS record", .tight = true};
    struct taglist l;
    bool ok = taglist_read(&l, record, &rules, err) && read_record(id, size, &l, err);
    taglist_free(&l);
    return ok;
}

/* ---- the policy: lines of "name: value" ---- */

static bool is_label(const char *from, size_t n)
{
    if (n == 0 || n > 63 || !isalnum((unsigned char)from[0]) || !isalnum((unsigned char)from[n - 1]))
        return false;
    for (size_t i = 0; i < n; i++)
        if (((unsigned char)from[i] & 0x80) || (!isalnum((unsigned char)from[i]) && from[i] != '-'))
            return false;
    return true;
}

static bool is_host(const char *host)
{
    for (;;) {
        size_t n = strcspn(host, ".");
        if (!is_label(host, n))
            return false;
        if (!host[n])
            return true;
        host += n + 1;
    }
}

static bool take_age(struct mtasts *p, const char *value)
{
    size_t n = strspn(value, "0123456789");
    p->max_age = strtoll(value, NULL, 10);
    return n > 0 && n <= AGE_DIGITS && !value[n];
}

static bool take_mx(struct mtasts *p, const char *value)
{
    if (p->nmx == MTASTS_MX_MAX || strlen(value) >= sizeof p->mx[0] || !is_host(strncmp(value, "*.", 2) == 0 ? value + 2 : value))
        return false;
    copy_text(p->mx[p->nmx++], sizeof p->mx[0], value);
    return true;
}

static bool is_mode(const char *value)
{
    return strcmp(value, "enforce") == 0 || strcmp(value, "testing") == 0 || strcmp(value, "none") == 0;
}

static bool take_line(struct mtasts *p, bool *version, bool *age, char *line, struct err *err)
{
    char *colon = strchr(line, ':'), value[600];
    if (!colon)
        return err_set(err, "MTA-STS policy: the line \"%.60s\" has no colon.", line);
    *colon = '\0';
    const char *at = colon + 1;
    taglist_item(&at, '\n', value, sizeof value);
    bool ok = *value;
    if (strcmp(line, "version") == 0)
        ok = *version = strcmp(value, "STSv1") == 0;
    else if (strcmp(line, "mode") == 0 && (ok = is_mode(value)))
        copy_text(p->mode, sizeof p->mode, value);
    else if (strcmp(line, "max_age") == 0)
        ok = *age = take_age(p, value);
    else if (strcmp(line, "mx") == 0)
        ok = take_mx(p, value);
    else
        ok = ok && is_name(line);
    return ok || err_set(err, "MTA-STS policy: %.40s: can't be \"%.60s\".", line, value);
}

bool mtasts_parse_policy(struct mtasts *p, const char *text, struct err *err)
{
    bool version = false, age = false;
    memset(p, 0, sizeof *p);
    for (const char *at = text; *at;) {
        size_t n = strcspn(at, "\r\n");
        char line[600];
        if (n >= sizeof line)
            return err_set(err, "MTA-STS policy: a line is longer than %zu characters.", sizeof line - 1);
        memcpy(line, at, n);
        line[n] = '\0';
        if (n && !take_line(p, &version, &age, line, err))
            return false;
        at += n + strspn(at + n, "\r\n");
    }
    if (!version)
        return err_set(err, "MTA-STS policy: version: STSv1 is missing.");
    if (!*p->mode)
        return err_set(err, "MTA-STS policy: mode is missing; it is enforce, testing or none.");
    if (!age)
        return err_set(err, "MTA-STS policy: max_age is missing.");
    return p->nmx || strcmp(p->mode, "none") == 0 || err_set(err, "MTA-STS policy: it names no mx, so no mail would come.");
}

bool mtasts_lists(const struct mtasts *p, const char *host)
{
    for (int i = 0; i < p->nmx; i++) {
        const char *rest = strchr(host, '.');
        if (strcasecmp(p->mx[i], host) == 0 || (strncmp(p->mx[i], "*.", 2) == 0 && rest && strcasecmp(p->mx[i] + 1, rest) == 0))
            return true;
    }
    return false;
}
