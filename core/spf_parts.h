/* spf_parts: what the files of the SPF room share. Everybody else includes spf.h only. */
#ifndef CORE_SPF_PARTS_H
#define CORE_SPF_PARTS_H

#include "core/spf.h"

/* ---- spf_parse.c: a record's text into terms (RFC 7208 4.6, 12) ---- */

bool spf_is_record(const char *text); /* begins with "v=spf1" and a space or the end */
/* False, with the mistake as a sentence, when the text is not well formed. record->domain is set by the caller. */
bool spf_parse(struct spf_record *record, struct arena *arena, const char *text, struct err *err);

/* ---- spf_macro.c (RFC 7208 7) ---- */

/* True if the text is a macro-string; in an explanation spaces and the letters c, r, t are allowed too. */
bool spf_macro_ok(const char *text, size_t len, bool explanation);
/* True if it also ends as a domain-spec must: in a top label or a macro. */
bool spf_domain_spec_ok(const char *text, size_t len);
bool spf_macro_uses_p(const char *text);
const char *spf_expand(struct spf *s, const char *domain, const char *text, bool explanation);
/* The same as a name to ask for: no last dot, and without its first labels while it is longer than 253 (7.3). */
const char *spf_expand_name(struct spf *s, const char *domain, const char *text);

/* ---- spf_name.c: addresses and names ---- */

bool spf_ip_read(struct spf_ip *ip, const char *text);
bool spf_ip_in(const struct spf_ip *ip, const struct spf_ip *net, int prefix);
bool spf_name_ok(const char *name);      /* labels of 1 to 63, 253 in all */
bool spf_domain_ok(const char *name);    /* that, at least two labels, and no address literal (4.3) */
bool spf_name_under(const char *name, const char *domain); /* is it, or is below it */
const char *spf_without_dot(struct arena *arena, const char *name);
const char *spf_reverse_name(struct arena *arena, const struct spf_ip *ip); /* "4.3.2.1.in-addr.arpa" */

/* ---- spf_mechanism.c (RFC 7208 5) ---- */

/* Asks what the term needs; it ends in spf_match_if, spf_fail_term or spf_open_record. */
void spf_look_up(struct spf *s, struct spf_term *t);
/* True when the names of the sending address are known; else the question is out, and go_on comes back to the same place. */
bool spf_know_names(struct spf *s);

/* ---- spf_machine.c: moves of the machine ---- */

struct spf_frame *spf_top(struct spf *s);
struct spf_term *spf_term_of(struct spf *s); /* the term that is being evaluated */
void spf_say(struct spf *s, const char *fmt, ...) PRINTF(2, 3);
void spf_ask(struct spf *s, const char *name, int type, void (*take)(struct spf *, const struct spf_answer *));
void spf_match_if(struct spf *s, bool matches);
void spf_fail_term(struct spf *s, enum spf_result result);
bool spf_is_broken(struct spf *s, const struct spf_answer *a); /* says so, and ends the term with a temperror */
bool spf_count_void(struct spf *s, struct spf_term *t);        /* false: one too many, the check has ended */
void spf_open_record(struct spf *s, const char *domain, struct spf_record **place);

#endif
