#include "core/mail/caa.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/mail/taglist.h"

enum { CRITICAL = 128 };

/* (ALPHA / DIGIT) *( *("-") (ALPHA / DIGIT) ) */
static bool is_label(const char *from, size_t n)
{
    if (n == 0 || !isalnum((unsigned char)from[0]) || !isalnum((unsigned char)from[n - 1]))
        return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)from[i] > '~' || (!isalnum((unsigned char)from[i]) && from[i] != '-'))
            return false;
    return true;
}

static bool is_domain(const char *name)
{
    for (;;) {
        size_t n = strcspn(name, ".");
        if (!is_label(name, n))
            return false;
        if (!name[n])
            return true;
        name += n + 1;
    }
}

static bool is_plain(const char *value)
{
    for (const char *c = value; *c; c++)
        if (*c <= ' ' || *c > '~' || *c == ';')
            return false;
    return true;
}

/* Names of ACME's registry; what begins with "ca-" is a CA's own (RFC 8657 4). */
static bool are_methods(const char *list)
{
    static const char *const known[] = {"http-01", "dns-01", "tls-alpn-01", "tls-sni-01", "tls-sni-02", "dns-account-01", "dns-persist-01", "email-reply-00", "tkauth-01",
        "onion-csr-01", "bp-nodeid-00"};
    char item[64];
    for (const char *at = list; taglist_item(&at, ',', item, sizeof item);) {
        bool is = strncmp(item, "ca-", 3) == 0 && is_label(item, strlen(item));
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            is = is || strcmp(item, known[i]) == 0;
        if (!is)
            return false;
    }
    return true;
}

/* ---- [issuer] [; name=value; ...] ---- */

static bool take_parameter(struct caa *c, const char *part, struct err *err)
{
    const char *equals = strchr(part, '=');
    char name[64], value[256];
    if (!equals)
        return err_set(err, "CAA %s: the parameter \"%.60s\" has no value.", c->tag, part);
    const char *at = part;
    taglist_item(&at, '=', name, sizeof name);
    at = equals + 1;
    taglist_item(&at, ';', value, sizeof value);
    if (!is_label(name, strlen(name)) || !is_plain(value))
        return err_set(err, "CAA %s: \"%.60s\" is no parameter.", c->tag, part);
    if (strcasecmp(name, "accounturi") == 0)
        copy_text(c->accounturi, sizeof c->accounturi, value);
    if (strcasecmp(name, "validationmethods") == 0)
        copy_text(c->methods, sizeof c->methods, value);
    if (strcasecmp(name, "validationmethods") == 0 && !are_methods(value))
        return err_set(err, "CAA %s: validationmethods names something that is no method: \"%.60s\".", c->tag, value);
    return true;
}

static bool take_issuer(struct caa *c, struct err *err)
{
    char part[512];
    const char *at = c->value;
    taglist_item(&at, ';', part, sizeof part);
    if (*part && !is_domain(part))
        return err_set(err, "CAA %s: \"%.60s\" is no domain of an issuer.", c->tag, part);
    copy_text(c->issuer, sizeof c->issuer, part);
    while (taglist_item(&at, ';', part, sizeof part))
        if (*part && !take_parameter(c, part, err))
            return false;
    return true;
}

/* ---- who is told ---- */

static bool is_email(const char *value)
{
    const char *at = strchr(value, '@');
    return at && at > value && is_plain(value) && is_domain(at + 1);
}

static bool is_url(const char *value)
{
    const char *host = strncasecmp(value, "https://", 8) == 0 ? value + 8 : strncasecmp(value, "http://", 7) == 0 ? value + 7 : NULL;
    char name[256];
    if (strncasecmp(value, "mailto:", 7) == 0)
        return is_email(value + 7);
    if (!host || !is_plain(value))
        return false;
    snprintf(name, sizeof name, "%.*s", (int)MIN(strcspn(host, ":/?#"), sizeof name - 1), host);
    return is_domain(name);
}

static bool is_phone(const char *value)
{
    size_t n = strspn(value + (*value == '+'), "0123456789 -.()");
    return *value && value[(*value == '+') + n] == '\0' && strpbrk(value, "0123456789");
}

static bool is_issue(const char *tag)
{
    return strcmp(tag, "issue") == 0 || strcmp(tag, "issuewild") == 0 || strcmp(tag, "issuevmc") == 0 || strcmp(tag, "issuemail") == 0;
}

bool caa_parse(struct caa *c, int flags, const char *tag, const char *value, struct err *err)
{
    memset(c, 0, sizeof *c);
    c->flags = flags;
    copy_text(c->tag, sizeof c->tag, tag);
    copy_text(c->value, sizeof c->value, value);
    for (char *t = c->tag; *t; t++)
        *t = (char)tolower((unsigned char)*t);
    if (flags & ~CRITICAL)
        return err_set(err, "CAA %s: the flags %d set bits that are reserved; 0 and 128 are known.", c->tag, flags);
    if (is_issue(c->tag))
        return take_issuer(c, err);
    if (strcmp(c->tag, "iodef") == 0)
        return is_url(value) || err_set(err, "CAA iodef: \"%.60s\" is no http, https or mailto address.", value);
    if (strcmp(c->tag, "contactemail") == 0)
        return is_email(value) || err_set(err, "CAA contactemail: \"%.60s\" is no address of mail.", value);
    if (strcmp(c->tag, "contactphone") == 0)
        return is_phone(value) || err_set(err, "CAA contactphone: \"%.60s\" is no number.", value);
    return true;
}

bool caa_read(struct caa *c, const char *text, struct err *err)
{
    int flags, at = 0;
    char tag[32];
    if (sscanf(text, "%d %31s %n", &flags, tag, &at) != 2 || text[at] != '"')
        return err_set(err, "CAA: \"%.60s\" is no property.", text);
    char *value = xstrdup(text + at + 1);
    size_t n = strlen(value);
    if (n && value[n - 1] == '"')
        value[n - 1] = '\0';
    bool ok = caa_parse(c, flags, tag, value, err);
    free(value);
    return ok;
}

enum caa_answer caa_allows(const struct caa *set, int n, const char *issuer, bool wildcard)
{
    bool any_wild = false, any = false, allowed = false;
    for (int i = 0; i < n; i++)
        any_wild = any_wild || strcmp(set[i].tag, "issuewild") == 0;
    const char *counts = wildcard && any_wild ? "issuewild" : "issue";
    for (int i = 0; i < n; i++) {
        bool known = is_issue(set[i].tag) || strcmp(set[i].tag, "iodef") == 0 || strncmp(set[i].tag, "contact", 7) == 0;
        if (!known && set[i].flags & CRITICAL)
            return CAA_CRITICAL;
        if (strcmp(set[i].tag, counts) != 0)
            continue;
        any = true;
        allowed = allowed || (*set[i].issuer && strcasecmp(set[i].issuer, issuer) == 0);
    }
    return allowed || !any ? CAA_ALLOWED : CAA_FORBIDDEN;
}
