/* plan_read: how the plan's own files read libconfig (the manual's chapter 2). Private to core/plan*.c.
 *
 * A part of the plan (a group such as dns = { ... }) is one struct plan_part: a table of its keys. A row says name,
 * type, where the value goes, and what counts when the key is missing; from the same rows come the complaints about
 * unknown, missing and wrong keys. What a row can't say stands in the part's `finish`. */
#ifndef CORE_PLAN_READ_H
#define CORE_PLAN_READ_H

#include "core/plan.h"
#include <libconfig.h>

enum plan_type {
    PLAN_TEXT,       /* const char *: clean, printable */
    PLAN_NAME,       /* const char *: letters, digits, . _ - and at most 40 of them: what people type */
    PLAN_HOST,       /* const char *: a domain name; a dot at its end is dropped */
    PLAN_ADDRESS,    /* const char *: IPv4 or IPv6 */
    PLAN_URL,        /* const char *: http:// or https://; slashes at its end are dropped */
    PLAN_PATH,       /* const char *: absolute */
    PLAN_TARGET,     /* const char *: the right side of a line of PgBouncer's [databases], without a secret */
    PLAN_CONNINFO,   /* const char *: libpq's keyword=value or URI, without a secret */
    PLAN_FLAG,       /* bool */
    PLAN_COUNT,      /* int, 1 or more */
    PLAN_PORT,       /* int */
    PLAN_STATUS,     /* int: of HTTP */
    PLAN_PERCENT,    /* int, 1..100 */
    PLAN_DURATION,   /* int64_t ms */
    PLAN_SECONDS,    /* int64_t s: a TTL */
    PLAN_SHARE,      /* int64_t ppm */
    PLAN_SIZE,       /* int64_t bytes, 1 or more */
    PLAN_CONDITION,  /* struct plan_condition */
    PLAN_PART,       /* a group, read by `part` into the struct itself */
    PLAN_TYPES
};

struct plan_reader {
    struct plan *plan;
    const char *file;
    const config_setting_t *root;  /* of the plan file, also while the built-in runbook is read */
    bool builtin;                  /* the built-in runbook: what the plan has no parts for is left out */
    struct plan_problems *problems;
};

struct plan_part;
struct plan_key {
    const char *name;
    enum plan_type type;
    size_t at;               /* offset in the part's struct */
    size_t count_at;         /* of a list: offset of its int; 0 = a single value */
    const char *otherwise;   /* what counts when it is missing, as one would write it; "" = nothing; NULL = it must be there */
    const struct plan_part *part;
};
struct plan_part {
    const char *what; /* "the record", as a sentence names it */
    size_t size;
    const struct plan_key *keys;
    int nkeys;
    /* Takes a key that is in no row (options of a kind); false: it is unknown. `known` gets the names to suggest from. */
    bool (*take)(struct plan_reader *r, const config_setting_t *group, const config_setting_t *s, void *into);
    void (*finish)(struct plan_reader *r, const config_setting_t *group, void *into);
};

#define PLAN_KEY(type_, name_, struct_, field_, otherwise_) \
    {.name = name_, .type = type_, .at = offsetof(struct_, field_), .otherwise = otherwise_}
#define PLAN_LIST(type_, name_, struct_, field_, count_, otherwise_) \
    {.name = name_, .type = type_, .at = offsetof(struct_, field_), .count_at = offsetof(struct_, count_), .otherwise = otherwise_}

extern const struct plan_part plan_root;                /* plan_parts.c */
extern const struct plan_part plan_side_part, plan_database_part;
extern const struct plan_part plan_dns_part, plan_traffic_part; /* plan_net.c */
extern const struct plan_part plan_check_part, plan_step_part;  /* plan_checks.c, plan_steps.c */

/* Reads the group into the struct, all mistakes reported. group NULL: only what counts when keys are missing. */
void plan_read_part(struct plan_reader *r, const config_setting_t *group, const struct plan_part *part, void *into);
/* One row alone. */
void plan_read_key(struct plan_reader *r, const config_setting_t *group, const struct plan_part *part, const struct plan_key *key, void *into);
void plan_complain(struct plan_reader *r, int line, const char *fmt, ...) PRINTF(3, 4);
int plan_line(const config_setting_t *s);
bool plan_has_key(const config_setting_t *group, const char *name);
/* Does the plan hold what a metric or step of this family needs: "databases", "heartbeat" (of every database), "dns", "probes", "balancer", "checks"? */
bool plan_has_part(const struct plan_reader *r, const char *part);
/* Complains about every name that stands twice in an array of structs whose first member is that name. */
void plan_unique(struct plan_reader *r, const config_setting_t *list, const char *what, const void *first, size_t size, int count);

/* plan_value.c: text -> field. Complains with the key's name and returns false where the text is none of the type. */
bool plan_put(struct plan_reader *r, int line, const struct plan_key *key, const char *text, void *field);
/* A scalar as text; NULL and a complaint where the type doesn't take it. Lives in the plan's arena. */
const char *plan_scalar(struct plan_reader *r, const char *name, enum plan_type type, const config_setting_t *s);
size_t plan_type_size(enum plan_type type);
bool plan_share(const char *text, int64_t *ppm); /* "0.5%" -> 5000 */

/* plan_condition.c */
bool plan_condition_parse(struct plan_reader *r, int line, const char *text, struct plan_condition *out);
/* The part of the plan without which the metric is never known; NULL = none. */
const char *plan_metric_part(const char *metric);

/* plan_options.c: the options of a kind. `known` is a row's list of names, separated by spaces. */
bool plan_take_option(struct plan_reader *r, const config_setting_t *s, const char *known, struct plan_option **options, int *count);

/* plan_secret.c. A sentence that says why not, NULL when all is well; the secret itself is never in it. */
const char *plan_secret_in(const char *text);
bool plan_conninfo_check(struct plan_reader *r, int line, const char *name, const char *text);
bool plan_target_check(struct plan_reader *r, int line, const char *name, const char *text);

/* plan_layout.c: what libconfig would say badly or not at all. False when reading on is useless. */
bool plan_layout_check(struct plan_reader *r, const char *text);
/* plan_syntax.c: the grammar, after the layout. */
bool plan_syntax_check(struct plan_reader *r, const char *text);

/* plan_suggest.c: '; did you mean "x"?' or "". words: separated by spaces. */
const char *plan_suggest(const char *word, const char *words, char *buf, size_t size);
/* The same as the end of a sentence: "." when there is nothing to suggest. */
const char *plan_hint(const char *word, const char *words, char *buf, size_t size);

extern const char plan_runbook[];                    /* plan_runbook.c: steps = ( ... ), as libconfig */
extern const struct plan_resolver plan_public_resolvers[]; /* plan_resolvers.c */
extern const int plan_npublic_resolvers;

#endif
