#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/spf_parts.h"

enum argument { NOTHING, DOMAIN_SPEC, DOMAIN_SPEC_OR_NOTHING, DOMAIN_AND_PREFIX, NETWORK };

static const struct mechanism {
    const char *name;
    enum spf_kind kind;
    enum argument argument;
} mechanisms[] = {
    {"all", SPF_ALL, NOTHING},          {"include", SPF_INCLUDE, DOMAIN_SPEC}, {"a", SPF_A, DOMAIN_AND_PREFIX},
    {"mx", SPF_MX, DOMAIN_AND_PREFIX},  {"ptr", SPF_PTR, DOMAIN_SPEC_OR_NOTHING},
    {"ip4", SPF_IP4, NETWORK},          {"ip6", SPF_IP6, NETWORK},             {"exists", SPF_EXISTS, DOMAIN_SPEC},
};

struct reader {
    struct spf_record *record;
    struct spf_term *term;
    struct arena *arena;
    struct err *err;
};

static bool refuse(const struct reader *r, const char *why)
{
    return err_set(r->err, "%s: the term \"%.100s\" is no SPF: %s", r->record->domain, r->term->text, why);
}

bool spf_is_record(const char *text)
{
    return strncasecmp(text, "v=spf1", 6) == 0 && (text[6] == ' ' || text[6] == '\0');
}

/* ---- arguments ---- */

/* A number without leading zeros, up to max; -1 when it is none. */
static int read_prefix(const char *digits, size_t len, int max)
{
    if (!len || len > 3 || (len > 1 && *digits == '0'))
        return -1;
    int n = 0;
    for (size_t i = 0; i < len; i++) {
        if (!isdigit((unsigned char)digits[i]))
            return -1;
        n = n * 10 + digits[i] - '0';
    }
    return n <= max ? n : -1;
}

/* Where "<slashes>digits" at the end of text begins; text + len when there is none. */
static const char *find_prefix(const char *text, size_t len, const char *slashes)
{
    const char *end = text + len, *at = end;
    size_t n = strlen(slashes);
    while (at > text && isdigit((unsigned char)at[-1]))
        at--;
    if (at == end || (size_t)(at - text) < n || strncmp(at - n, slashes, n) != 0)
        return end;
    return at - n;
}

/* Takes [ "/" n ] [ "//" m ] from the end of text (5.3, dual-cidr-length); len becomes what is left. */
static bool take_prefixes(struct reader *r, const char *text, size_t *len)
{
    const char *end = text + *len, *six = find_prefix(text, *len, "//");
    if (six < end && (r->term->prefix6 = read_prefix(six + 2, (size_t)(end - six - 2), 128)) < 0)
        return refuse(r, "the IPv6 prefix length must be 0 to 128, without leading zeros");
    const char *four = find_prefix(text, (size_t)(six - text), "/");
    if (four < six && (r->term->prefix4 = read_prefix(four + 1, (size_t)(six - four - 1), 32)) < 0)
        return refuse(r, "the IPv4 prefix length must be 0 to 32, without leading zeros");
    *len = (size_t)(four - text);
    return true;
}

static bool is_address(const struct reader *r, const char *text, size_t len)
{
    struct spf_ip ip;
    return spf_ip_read(&ip, arena_strndup(r->arena, text, len));
}

static bool take_domain(struct reader *r, const char *text, size_t len)
{
    if (!len)
        return refuse(r, "the domain behind the colon is missing");
    if (is_address(r, text, len))
        return refuse(r, "this is an address; an address is written with ip4: or ip6:");
    if (!spf_macro_ok(text, len, false))
        return refuse(r, "a macro in it is not well formed, or a character is not allowed");
    if (!spf_domain_spec_ok(text, len))
        return refuse(r, "the domain must end in a dot and a top label, or in a macro");
    r->term->domain = arena_strndup(r->arena, text, len);
    return true;
}

static bool take_network(struct reader *r, const char *text)
{
    bool v6 = r->term->kind == SPF_IP6;
    const char *slash = strchr(text, '/');
    const char *address = arena_strndup(r->arena, text, slash ? (size_t)(slash - text) : strlen(text));
    int *prefix = v6 ? &r->term->prefix6 : &r->term->prefix4;
    if (slash && (*prefix = read_prefix(slash + 1, strlen(slash + 1), v6 ? 128 : 32)) < 0)
        return refuse(r, "the prefix length is too large or not written as a number");
    if (!spf_ip_read(&r->term->net, address) || v6 != (strchr(address, ':') != NULL))
        return refuse(r, v6 ? "this is no IPv6 address" : "this is no IPv4 address");
    return true;
}

/* rest: what follows the mechanism's name. */
static bool take_argument(struct reader *r, enum argument argument, const char *rest)
{
    bool colon = *rest == ':';
    size_t len = strlen(rest);
    if (argument == NOTHING || (argument == DOMAIN_SPEC_OR_NOTHING && !len))
        return !len || refuse(r, "it takes no argument");
    if (argument == NETWORK)
        return colon ? take_network(r, rest + 1) : refuse(r, "the address behind the colon is missing");
    if (argument == DOMAIN_AND_PREFIX && !take_prefixes(r, rest, &len))
        return false;
    if (argument == DOMAIN_AND_PREFIX && !len)
        return true;
    if (!colon)
        return refuse(r, argument == DOMAIN_SPEC ? "the domain behind the colon is missing" : "it is not written as name:domain/prefix");
    return take_domain(r, rest + 1, len - 1);
}

/* ---- terms ---- */

static bool take_mechanism(struct reader *r)
{
    static const char signs[] = "+-~?";
    static const enum spf_result results[] = {SPF_PASS, SPF_FAIL, SPF_SOFTFAIL, SPF_NEUTRAL};
    const char *name = r->term->text, *sign = strchr(signs, *name);
    r->term->qualifier = sign ? results[sign - signs] : SPF_PASS;
    name += sign != NULL;
    size_t len = strcspn(name, ":/");
    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++) {
        const struct mechanism *m = &mechanisms[i];
        if (strlen(m->name) == len && strncasecmp(m->name, name, len) == 0) {
            r->term->kind = m->kind;
            return take_argument(r, m->argument, name + len);
        }
    }
    return refuse(r, "there is no such mechanism");
}

static bool is_modifier_name(const char *name, size_t len)
{
    if (!len || !isalpha((unsigned char)*name))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("-_.", name[i]))
            return false;
    return true;
}

static bool take_known_modifier(struct reader *r, enum spf_kind kind, struct spf_term **place, const char *value)
{
    r->term->kind = kind;
    if (*place)
        return refuse(r, "it may stand only once in a record");
    *place = r->term;
    return take_domain(r, value, strlen(value));
}

static bool take_modifier(struct reader *r)
{
    const char *name = r->term->text;
    size_t len = strcspn(name, "=");
    const char *value = name + len + 1;
    if (!is_modifier_name(name, len))
        return refuse(r, "a modifier's name begins with a letter");
    if (len == 8 && strncasecmp(name, "redirect", len) == 0)
        return take_known_modifier(r, SPF_REDIRECT, &r->record->redirect, value);
    if (len == 3 && strncasecmp(name, "exp", len) == 0)
        return take_known_modifier(r, SPF_EXP, &r->record->exp, value);
    r->term->kind = SPF_OTHER;
    return spf_macro_ok(value, strlen(value), false) || refuse(r, "a macro in it is not well formed");
}

static bool take_term(struct reader *r, const char *text, size_t len)
{
    *r->term = (struct spf_term){.text = arena_strndup(r->arena, text, len), .prefix4 = 32, .prefix6 = 128};
    const char *first = strpbrk(r->term->text, ":/=");
    return first && *first == '=' ? take_modifier(r) : take_mechanism(r);
}

static bool is_plain(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
            return false;
    return true;
}

bool spf_parse(struct spf_record *record, struct arena *arena, const char *text, struct err *err)
{
    record->text = arena_strdup(arena, text);
    if (!is_plain(text))
        return err_set(err, "%s: the SPF record holds characters that are not printable ASCII", record->domain);
    struct reader r = {.record = record, .arena = arena, .err = err};
    record->terms = arena_alloc(arena, (strlen(text) / 2 + 1) * sizeof *record->terms);
    for (const char *at = text + 6; *(at += strspn(at, " "));) {
        size_t len = strcspn(at, " ");
        r.term = &record->terms[record->nterms++];
        if (!take_term(&r, at, len))
            return false;
        at += len;
    }
    return true;
}
