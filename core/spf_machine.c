/* The machine of spf.h: records, terms, limits, the explanation. The mechanisms are in spf_mechanism.c. */
#include "core/spf.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/dnswire.h"
#include "core/spf_parts.h"
#include "core/text.h"

const char *spf_result_name(enum spf_result result)
{
    static const char *const names[] = {"none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"};
    return names[result];
}

/* ---- small moves ---- */

struct spf_frame *spf_top(struct spf *s)
{
    return &s->frame[s->depth - 1];
}

struct spf_term *spf_term_of(struct spf *s)
{
    return &spf_top(s)->record->terms[spf_top(s)->at];
}

void spf_say(struct spf *s, const char *fmt, ...)
{
    char text[1200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    text_clean_string(s->detail, sizeof s->detail, text);
}

void spf_ask(struct spf *s, const char *name, int type, void (*take)(struct spf *, const struct spf_answer *))
{
    s->question = (struct spf_question){name, type};
    s->take = take;
    s->asking = true;
}

static void next_term(struct spf *s);
static void explain(struct spf *s);
static void finish_record(struct spf *s, enum spf_result result);

static void conclude(struct spf *s, enum spf_result result)
{
    s->result = result;
    s->done = true;
}

void spf_fail_term(struct spf *s, enum spf_result result)
{
    spf_term_of(s)->state = SPF_ERROR;
    finish_record(s, result);
}

static void no_match(struct spf *s)
{
    spf_term_of(s)->state = SPF_NO_MATCH;
    spf_top(s)->at++;
}

static void match(struct spf *s)
{
    struct spf_term *t = spf_term_of(s);
    t->state = SPF_MATCHED;
    if (s->depth == 1)
        spf_say(s, "\"%.80s\" in the record of %s matches", t->text, spf_top(s)->record->domain);
    finish_record(s, t->qualifier);
}

void spf_match_if(struct spf *s, bool matches)
{
    if (matches)
        match(s);
    else
        no_match(s);
}

/* An empty answer of the term's own question (4.6.4); false when it was one too many. */
bool spf_count_void(struct spf *s, struct spf_term *t)
{
    t->empty = true;
    if (++s->voids <= SPF_MAX_VOIDS)
        return true;
    spf_say(s, "more than %d lookups of the SPF record end empty; the one too many is \"%.80s\" of %s", SPF_MAX_VOIDS, t->text,
        spf_top(s)->record->domain);
    t->state = SPF_ERROR;
    finish_record(s, SPF_PERMERROR);
    return false;
}

/* Counts the term once; false when it is one too many. */
static bool count_lookup(struct spf *s, struct spf_term *t)
{
    if (t->counted)
        return true;
    if (s->lookups == SPF_MAX_LOOKUPS) {
        spf_say(s, "the SPF record needs more than %d lookups; the one too many is \"%.80s\" of %s", SPF_MAX_LOOKUPS, t->text,
            spf_top(s)->record->domain);
        t->state = SPF_ERROR;
        finish_record(s, SPF_PERMERROR);
        return false;
    }
    t->counted = true;
    s->lookups++;
    return true;
}

bool spf_is_broken(struct spf *s, const struct spf_answer *a)
{
    if (a->outcome != SPF_BROKEN)
        return false;
    spf_say(s, "%s %s could not be looked up", s->question.name, dnswire_type_name(s->question.type));
    spf_fail_term(s, SPF_TEMPERROR);
    return true;
}

/* ---- a record is fetched (4.4, 4.5) ---- */

static const char *only_record(struct spf *s, const struct spf_answer *a, int *found)
{
    const char *text = NULL;
    *found = 0;
    for (int i = 0; a->outcome == SPF_FOUND && i < a->count; i++)
        if (spf_is_record(a->values[i])) {
            text = a->values[i];
            ++*found;
        }
    if (*found > 1)
        spf_say(s, "%s has %d SPF records where one is allowed", s->question.name, *found);
    if (*found == 0)
        spf_say(s, "%s has no SPF record", s->question.name);
    return text;
}

static void take_record(struct spf *s, const struct spf_answer *a)
{
    struct err err;
    int found;
    if (a->outcome == SPF_BROKEN) {
        spf_say(s, "the SPF record of %s could not be looked up", s->question.name);
        finish_record(s, SPF_TEMPERROR);
        return;
    }
    const char *text = only_record(s, a, &found);
    if (found != 1) {
        finish_record(s, found ? SPF_PERMERROR : SPF_NONE);
    } else if (!spf_parse(spf_top(s)->record, &s->arena, text, &err)) {
        spf_say(s, "%s", err.text);
        finish_record(s, SPF_PERMERROR);
    }
}

/* Begins with the record in the topmost frame. */
static void begin_record(struct spf *s, const char *domain, struct spf_record **place, bool redirected)
{
    struct spf_record *r = *place = arena_alloc(&s->arena, sizeof *r);
    *r = (struct spf_record){.domain = domain, .text = "", .redirected = redirected};
    *spf_top(s) = (struct spf_frame){r, 0};
    if (spf_domain_ok(domain)) {
        spf_ask(s, domain, DNS_TXT, take_record);
    } else {
        spf_say(s, "\"%.80s\" is no domain", domain);
        finish_record(s, SPF_NONE);
    }
}

void spf_open_record(struct spf *s, const char *domain, struct spf_record **place)
{
    s->depth++;
    begin_record(s, domain, place, false);
}

/* ---- and ends ---- */

/* What the result of an included record means for the term (5.2). */
static void take_included(struct spf *s, enum spf_result result)
{
    switch (result) {
    case SPF_PASS:
        match(s);
        return;
    case SPF_TEMPERROR:
    case SPF_PERMERROR:
        spf_fail_term(s, result);
        return;
    case SPF_NONE:
        spf_say(s, "include:%s names a domain without an SPF record", spf_term_of(s)->record->domain);
        spf_fail_term(s, SPF_PERMERROR);
        return;
    default:
        no_match(s);
    }
}

static void finish_record(struct spf *s, enum spf_result result)
{
    struct spf_record *r = spf_top(s)->record;
    if (r->redirected && result == SPF_NONE)
        result = SPF_PERMERROR;
    r->result = result;
    r->ended = true;
    s->depth--;
    if (s->depth) {
        take_included(s, result);
    } else if (result == SPF_FAIL && r->exp) {
        s->result = result;
        s->failing = r;
        s->go_on = explain;
    } else {
        conclude(s, result);
    }
}

/* redirect= takes this record's place (6.1): its result is the result, its exp= is the explanation. */
static void follow(struct spf *s, struct spf_term *t)
{
    const char *domain = spf_expand_name(s, spf_top(s)->record->domain, t->domain);
    t->state = SPF_MATCHED;
    begin_record(s, domain, &t->record, true);
}

static bool has_all(const struct spf_record *r)
{
    for (int i = 0; i < r->nterms; i++)
        if (r->terms[i].kind == SPF_ALL)
            return true;
    return false;
}

static void evaluate(struct spf *s, struct spf_term *t)
{
    switch (t->kind) {
    case SPF_ALL:
        match(s);
        return;
    case SPF_IP4:
    case SPF_IP6:
        spf_match_if(s, t->net.v6 == (t->kind == SPF_IP6) && spf_ip_in(&s->ip, &t->net, t->kind == SPF_IP6 ? t->prefix6 : t->prefix4));
        return;
    case SPF_REDIRECT:
    case SPF_EXP:
    case SPF_OTHER:
        spf_top(s)->at++;
        return;
    default:
        break;
    }
    if (!count_lookup(s, t))
        return;
    if (!t->domain || !spf_macro_uses_p(t->domain) || spf_know_names(s))
        spf_look_up(s, t);
}

static void end_of_terms(struct spf *s)
{
    struct spf_record *r = spf_top(s)->record;
    if (!r->redirect || has_all(r)) {
        if (s->depth == 1)
            spf_say(s, "no term in the record of %s matches", r->domain);
        finish_record(s, SPF_NEUTRAL);
        return;
    }
    if (count_lookup(s, r->redirect) && (!spf_macro_uses_p(r->redirect->domain) || spf_know_names(s)))
        follow(s, r->redirect);
}

static void next_term(struct spf *s)
{
    struct spf_frame *f = spf_top(s);
    if (f->at < f->record->nterms)
        evaluate(s, &f->record->terms[f->at]);
    else
        end_of_terms(s);
}

/* ---- the explanation (6.2): whatever goes wrong here, the result stays ---- */

static void expand_explanation(struct spf *s)
{
    if (spf_macro_uses_p(s->exp_text) && !spf_know_names(s))
        return;
    s->explanation = spf_expand(s, s->failing->domain, s->exp_text, true);
    conclude(s, s->result);
}

static void take_explanation(struct spf *s, const struct spf_answer *a)
{
    if (a->outcome != SPF_FOUND || a->count != 1 || !spf_macro_ok(a->values[0], strlen(a->values[0]), true)) {
        conclude(s, s->result);
        return;
    }
    s->exp_text = arena_strdup(&s->arena, a->values[0]);
    s->go_on = expand_explanation;
}

static void explain(struct spf *s)
{
    const char *spec = s->failing->exp->domain;
    if (spf_macro_uses_p(spec) && !spf_know_names(s))
        return;
    const char *name = spf_expand_name(s, s->failing->domain, spec);
    if (spf_name_ok(name))
        spf_ask(s, name, DNS_TXT, take_explanation);
    else
        conclude(s, s->result);
}

/* ---- the room's doors ---- */

static void keep_sender(struct spf *s, const char *sender)
{
    const char *at = strrchr(sender, '@');
    s->domain = *sender ? spf_without_dot(&s->arena, at ? at + 1 : sender) : spf_without_dot(&s->arena, s->mail.helo);
    s->local = at && at > sender ? arena_strndup(&s->arena, sender, (size_t)(at - sender)) : "postmaster";
}

void spf_begin(struct spf *s, const struct spf_mail *mail)
{
    *s = (struct spf){.explanation = "", .go_on = next_term};
    s->mail = (struct spf_mail){.ip = arena_strdup(&s->arena, mail->ip), .now = mail->now};
    s->mail.helo = arena_strdup(&s->arena, mail->helo);
    s->mail.sender = arena_strdup(&s->arena, mail->sender);
    s->mail.receiver = arena_strdup(&s->arena, mail->receiver ? mail->receiver : "unknown");
    keep_sender(s, s->mail.sender);
    if (spf_ip_read(&s->ip, s->mail.ip)) {
        spf_open_record(s, mail->domain ? spf_without_dot(&s->arena, mail->domain) : s->domain, &s->root);
    } else {
        spf_say(s, "\"%.60s\" is no address", s->mail.ip);
        conclude(s, SPF_PERMERROR);
    }
}

const struct spf_question *spf_next(struct spf *s)
{
    while (!s->asking && !s->done)
        s->go_on(s);
    return s->done ? NULL : &s->question;
}

void spf_feed(struct spf *s, const struct spf_answer *answer)
{
    if (!s->asking)
        die("spf: an answer that nobody asked for");
    s->asking = false;
    s->take(s, answer);
}

void spf_free(struct spf *s)
{
    arena_free(&s->arena);
    *s = (struct spf){0};
}
