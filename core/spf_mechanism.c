#include <string.h>

#include "core/dnswire.h"
#include "core/spf_parts.h"

/* ---- names of the address (5.5): asked for once, for ptr and %{p} alike ---- */

static void ask_next_host(struct spf *s, void (*take)(struct spf *, const struct spf_answer *))
{
    spf_ask(s, s->hosts[s->host], s->ip.v6 ? DNS_AAAA : DNS_A, take);
}

static bool holds_ip(const struct spf *s, const struct spf_answer *a, int prefix)
{
    struct spf_ip ip;
    for (int i = 0; i < a->count && a->outcome == SPF_FOUND; i++)
        if (spf_ip_read(&ip, a->values[i]) && spf_ip_in(&s->ip, &ip, prefix))
            return true;
    return false;
}

static void take_validation(struct spf *s, const struct spf_answer *a)
{
    if (holds_ip(s, a, s->ip.v6 ? 128 : 32))
        s->validated[s->nvalidated++] = s->hosts[s->host];
    if (++s->host < s->nhosts)
        ask_next_host(s, take_validation);
}

static void take_names(struct spf *s, const struct spf_answer *a)
{
    s->validated_known = true;
    s->validated_void = a->outcome == SPF_VOID;
    s->hosts = arena_alloc(&s->arena, SPF_MAX_NAMES * sizeof *s->hosts);
    s->validated = arena_alloc(&s->arena, SPF_MAX_NAMES * sizeof *s->validated);
    s->nhosts = s->host = 0;
    for (int i = 0; a->outcome == SPF_FOUND && i < a->count && s->nhosts < SPF_MAX_NAMES; i++) {
        const char *name = spf_without_dot(&s->arena, a->values[i]);
        if (spf_name_ok(name))
            s->hosts[s->nhosts++] = name;
    }
    if (s->nhosts)
        ask_next_host(s, take_validation);
}

/* True when the names are known; else the question is out, and go_on comes back to the same place. */
bool spf_know_names(struct spf *s)
{
    if (!s->validated_known)
        spf_ask(s, spf_reverse_name(&s->arena, &s->ip), DNS_PTR, take_names);
    return s->validated_known;
}

/* ---- mechanisms (5) ---- */

static void take_address(struct spf *s, const struct spf_answer *a)
{
    struct spf_term *t = spf_term_of(s);
    if (spf_is_broken(s, a) || (a->outcome == SPF_VOID && !spf_count_void(s, t)))
        return;
    spf_match_if(s, holds_ip(s, a, s->ip.v6 ? t->prefix6 : t->prefix4));
}

static void take_existence(struct spf *s, const struct spf_answer *a)
{
    if (spf_is_broken(s, a) || (a->outcome == SPF_VOID && !spf_count_void(s, spf_term_of(s))))
        return;
    spf_match_if(s, a->outcome == SPF_FOUND);
}

/* The void limit counts terms (4.6.4), so a mail server without an address of this family costs nothing. */
static void take_mx_address(struct spf *s, const struct spf_answer *a)
{
    if (spf_is_broken(s, a))
        return;
    if (holds_ip(s, a, s->ip.v6 ? spf_term_of(s)->prefix6 : spf_term_of(s)->prefix4))
        spf_match_if(s, true);
    else if (++s->host < s->nhosts)
        ask_next_host(s, take_mx_address);
    else
        spf_match_if(s, false);
}

static void keep_mx_hosts(struct spf *s, const struct spf_answer *a)
{
    s->nhosts = s->host = 0;
    s->hosts = arena_alloc(&s->arena, SPF_MAX_NAMES * sizeof *s->hosts);
    for (int i = 0; i < a->count && s->nhosts < SPF_MAX_NAMES; i++) {
        const char *space = strchr(a->values[i], ' ');
        const char *name = spf_without_dot(&s->arena, space ? space + 1 : a->values[i]);
        if (spf_name_ok(name)) /* the null MX of RFC 7505 names nothing */
            s->hosts[s->nhosts++] = name;
    }
}

static void take_mx(struct spf *s, const struct spf_answer *a)
{
    if (spf_is_broken(s, a) || (a->outcome == SPF_VOID && !spf_count_void(s, spf_term_of(s))))
        return;
    if (a->outcome == SPF_FOUND && a->count > SPF_MAX_NAMES) {
        spf_say(s, "%s has %d MX records, and \"%.80s\" may ask for %d", s->question.name, a->count, spf_term_of(s)->text, SPF_MAX_NAMES);
        spf_fail_term(s, SPF_PERMERROR);
        return;
    }
    keep_mx_hosts(s, &(struct spf_answer){.values = a->values, .count = a->outcome == SPF_FOUND ? a->count : 0});
    if (s->nhosts)
        ask_next_host(s, take_mx_address);
    else
        spf_match_if(s, false);
}

static void look_at_names(struct spf *s, struct spf_term *t, const char *domain)
{
    bool below = false;
    if (!spf_know_names(s))
        return;
    if (s->validated_void && !t->empty && !spf_count_void(s, t))
        return;
    for (int i = 0; i < s->nvalidated; i++)
        below |= spf_name_under(s->validated[i], domain);
    spf_match_if(s, below);
}

/* A name that no server could be asked for leads nowhere: the term does not match (4.8). */
void spf_look_up(struct spf *s, struct spf_term *t)
{
    const char *current = spf_top(s)->record->domain;
    const char *domain = t->domain ? spf_expand_name(s, current, t->domain) : current;
    t->state = SPF_ASKING;
    if (t->kind == SPF_PTR)
        look_at_names(s, t, domain);
    else if (t->kind == SPF_INCLUDE)
        spf_open_record(s, domain, &t->record);
    else if (!spf_name_ok(domain))
        spf_match_if(s, false);
    else if (t->kind == SPF_MX)
        spf_ask(s, domain, DNS_MX, take_mx);
    else if (t->kind == SPF_A)
        spf_ask(s, domain, s->ip.v6 ? DNS_AAAA : DNS_A, take_address);
    else
        spf_ask(s, domain, DNS_A, take_existence);
}
