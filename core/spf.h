/* spf: check_host() of RFC 7208 as a pure state machine: no I/O, no clock. It asks for records and is fed answers.
 *
 *     struct spf s;
 *     spf_begin(&s, &(struct spf_mail){.ip = "192.0.2.1", .helo = "mx.shop.test", .sender = "info@shop.test"});
 *     const struct spf_question *q;
 *     while ((q = spf_next(&s)))
 *         spf_feed(&s, answer_to(q->name, q->type));
 *     ... s.result, s.detail, s.explanation, s.lookups, s.root ...
 *     spf_free(&s);
 *
 * Limits (4.6.4): 10 terms that look something up (include, a, mx, ptr, exists, redirect), 2 of them with an empty
 * answer, 10 MX records of one mx, 10 names of an address for ptr and %{p}. An 11th MX is an error, an 11th PTR is
 * ignored. The lookup of an explanation counts for nothing.
 * A record is read as a whole before any of its terms is evaluated: a mistake anywhere in it is a permerror (4.6). */
#ifndef CORE_SPF_H
#define CORE_SPF_H

#include "core/base.h"

enum spf_result { SPF_NONE, SPF_NEUTRAL, SPF_PASS, SPF_FAIL, SPF_SOFTFAIL, SPF_TEMPERROR, SPF_PERMERROR };
const char *spf_result_name(enum spf_result result); /* "none", "neutral", "pass", ... */

enum { SPF_MAX_LOOKUPS = 10, SPF_MAX_VOIDS = 2, SPF_MAX_NAMES = 10 };

struct spf_mail {
    const char *ip;       /* the address that sends: IPv4 or IPv6 literal */
    const char *helo;     /* what it says in HELO or EHLO */
    const char *sender;   /* MAIL FROM without brackets; "" checks postmaster@helo (2.4) */
    const char *receiver; /* %{r} in explanations; NULL reads as "unknown" */
    int64_t now;          /* %{t}: seconds since 1970 */
    const char *domain;   /* whose record is asked for; NULL: the sender's, as RFC 7208 2.4 has it */
};

struct spf_question {
    const char *name; /* without the last dot */
    int type;         /* of dnswire.h: A, AAAA, MX, PTR or TXT */
};
enum spf_outcome {
    SPF_FOUND,  /* rcode 0 with at least one record of the type */
    SPF_VOID,   /* NXDOMAIN, or no record of the type */
    SPF_BROKEN, /* anything else: SERVFAIL, no answer in time */
};
struct spf_answer {
    enum spf_outcome outcome;
    const char *const *values; /* of that type only, in order: "192.0.2.1", "10 mx.test", "host.test", TXT strings joined */
    int count;
};

enum spf_kind {
    SPF_ALL, SPF_INCLUDE, SPF_A, SPF_MX, SPF_PTR, SPF_IP4, SPF_IP6, SPF_EXISTS, /* mechanisms */
    SPF_REDIRECT, SPF_EXP, SPF_OTHER,                                           /* modifiers */
};
enum spf_state { SPF_NOT_REACHED, SPF_ASKING, SPF_NO_MATCH, SPF_MATCHED, SPF_ERROR };

struct spf_ip {
    bool v6;
    uint8_t bytes[16]; /* IPv4 uses four; a mapped ::ffff:1.2.3.4 is IPv4 (5) */
};
struct spf_term {
    const char *text;   /* as written: "~all" */
    enum spf_kind kind;
    enum spf_result qualifier;
    const char *domain; /* domain-spec before expansion; NULL: the current domain */
    int prefix4, prefix6;
    struct spf_ip net;  /* of ip4 and ip6 */
    enum spf_state state;
    bool counted, empty; /* it cost a lookup; its answer was empty */
    struct spf_record *record; /* of include and redirect, once asked for */
};
struct spf_record {
    const char *domain;
    const char *text; /* "" when there is none */
    struct spf_term *terms;
    int nterms;
    struct spf_term *redirect, *exp; /* among terms; NULL */
    enum spf_result result;
    bool ended;
    bool redirected; /* it was reached by redirect=: that it is not there is a permerror (6.1) */
};

struct spf {
    /* the verdict, once spf_next has returned NULL */
    enum spf_result result;
    char detail[400];        /* why, as a finished sentence */
    const char *explanation; /* of a fail with exp= (6.2); "" otherwise: the receiver says something of its own */
    int lookups, voids;
    struct spf_record *root; /* the tree of what was read, for display; NULL when nothing was asked */

    /* private */
    struct arena arena;
    struct spf_mail mail;
    struct spf_ip ip;
    const char *local, *domain; /* of the sender */
    struct spf_frame {
        struct spf_record *record;
        int at;
    } frame[SPF_MAX_LOOKUPS + 2];
    int depth;
    bool asking, done;
    struct spf_question question;
    void (*take)(struct spf *s, const struct spf_answer *a);
    void (*go_on)(struct spf *s);
    const char **hosts; /* of mx or ptr, still to be looked up */
    int nhosts, host;
    const char **validated; /* names of the address that lead back to it (5.5) */
    int nvalidated;
    bool validated_known, validated_void;
    struct spf_record *failing; /* whose exp= explains the fail */
    const char *exp_text;
};

void spf_begin(struct spf *s, const struct spf_mail *mail);
const struct spf_question *spf_next(struct spf *s); /* the open question; NULL: the verdict is there */
void spf_feed(struct spf *s, const struct spf_answer *answer);
void spf_free(struct spf *s);

/* The tree as text, one term a line: what it did, and how many lookups and void lookups it and everything below it cost;
 * the last line sums them. All of it is sanitised (core/text.h). */
void spf_print(const struct spf *s, struct buf *out);
/* The term that decided, and the includes that led to it, as one line; "" when none did. */
void spf_print_match(const struct spf *s, struct buf *out);
int spf_cost(const struct spf_term *term);
int spf_void_cost(const struct spf_term *term);

#endif
