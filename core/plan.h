/* plan: the libconfig file that names everything, read once into an immutable struct.
 *
 * plan_load reports every mistake of the file in one go, each as "file:line: sentence" with a suggestion for a
 * misspelt key; an unknown key is a mistake. Secrets never stand in a plan: connection strings name a service, a
 * passfile or the environment, a TSIG key is a file. Durations are written "300ms", "5s", "2m", "24h", "2d"
 * (or a plain number of seconds) and held in milliseconds; TTLs are held in seconds, as DNS does.
 * Syntax: the libconfig manual, chapter 2.  Everything lives in the plan's arena. */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include "core/base.h"

enum side { BLUE, GREEN };
#define SIDES 2
extern const char *const side_names[SIDES]; /* "blue", "green" */

/* "metric[(argument)] op value [for duration]", e.g. "pg.lag_ms < 1000 for 3s", "dns.new_percent(www.shop.test) == 100".
 * Values are integers, or a number with a unit that the metric understands: 1MB, 300ms, 5s, 0.5%. */
enum plan_op { OP_LT, OP_LE, OP_EQ, OP_NE, OP_GE, OP_GT };
struct plan_condition {
    const char *text;     /* as written */
    const char *metric;   /* name without the argument */
    const char *argument; /* "" when none */
    enum plan_op op;
    int64_t value; /* in the metric's own unit: bytes, ms, ppm, count */
    int64_t hold;  /* ms that it must have held without a break; 0 = now */
    int index;     /* its place among all conditions of the plan: model->held_since[index] */
    int line;      /* in the plan file; 0 in the built-in runbook */
};

struct plan_side {
    const char *address; /* the address that DNS names: "127.0.2.1" */
    const char *url;     /* base of the probes: "http://127.0.2.1:20080"; "" when the plan has no traffic */
    const char **egress; /* addresses that this side sends from: SPF and webhook allow-lists */
    int negress;
};

struct plan_pooler { /* PgBouncer, transaction pooling; pgbouncer(1), pgbouncer.ini(5) */
    const char *name;
    const char *admin;    /* conninfo of the admin console */
    const char *database; /* the pooler's database name, left of "=" */
    const char *file;     /* the ini file in which cutover rewrites the line of `database` */
    const char *target[SIDES]; /* right of "=": "host=... port=... dbname=..." */
    const char *probe;    /* conninfo through the pooler for the write that verifies; "" = none */
};

struct plan_database {
    const char *name;
    const char *conninfo[SIDES];
    const char *subscribe_from; /* conninfo with which green's server reaches blue; default conninfo[BLUE] */
    bool reverse;               /* green's writes flow back to blue after the switch, so that going back loses nothing */
    const char *subscribe_back_from; /* conninfo with which blue's server reaches green; default conninfo[GREEN] */
    bool heartbeat;             /* a row of the schema cutover is written each second, to tell the lag in time */
    int64_t wal_room;           /* bytes of WAL that a slot may keep on either server before its disk is full; 0 = not known */
    const char *baseline;       /* "copy": the subscription copies; "snapshot": a dump of the slot's snapshot */
    bool schema;                /* green gets blue's definitions when it has none of its own */
    const char *pg_bin;         /* directory of pg_dump and pg_restore; "" = the fitting one is looked for */
    const char **tables;        /* schema.table names; ntables 0 = FOR ALL TABLES */
    int ntables;
    struct plan_pooler *poolers;
    int npoolers;
    const char **repoint; /* argv for plans without a pooler; nrepoint 0 = none */
    int nrepoint;
};

struct plan_flag { /* an application's own switch that stops its writes (core/flag.h): run or url */
    const char *name;
    const char **run; /* argv; nrun 0 = by HTTP */
    int nrun;
    const char *url;
};

struct plan_record {
    const char *name; /* "www.shop.test", no trailing dot */
    const char *type; /* "A" or "AAAA" or "CNAME" */
    const char *value[SIDES];
};
struct plan_resolver {
    const char *name;    /* "Quad9" */
    const char *address; /* "9.9.9.9" or "127.0.1.1" or "2620:fe::fe" */
    int port;            /* 53 */
    bool authoritative;  /* asked without recursion; its answer is what is published */
    const char *region;  /* "CH": where its operator is at home; "" */
    bool filters;        /* it may lie about a domain that it holds for harmful */
};
struct plan_dns {
    const char *zone;
    const char *server; /* address that takes dynamic updates (RFC 2136) */
    int port;
    const char *key_file; /* TSIG: "name:hmac-sha256:base64", never in the plan itself; "" = unsigned */
    int64_t ttl_low, ttl_normal; /* seconds */
    int64_t interval;            /* between two questions to the same resolver, ms */
    bool filtering;              /* of the public resolvers, those that filter are asked too */
    struct plan_record *records;
    int nrecords;
    struct plan_resolver *servers; /* the zone's further authoritative servers: they stand among the resolvers too */
    int nservers;
    struct plan_resolver *resolvers; /* the authoritative servers are the first, added by plan_load; `server` is number 0 */
    int nresolvers;
    const int *resolver_order; /* their indexes, by name: events name them, a thousand times a second */
};

struct plan_probe {
    const char *name;
    const char *path;   /* "/items" */
    int expect;         /* status code */
    const char *body;   /* text that the body must contain; "" = any */
    int64_t interval, timeout;
};
struct plan_traffic {
    const char *haproxy;  /* "unix:/run/haproxy/admin.sock" or "127.0.0.1:9999"; "" = no balancer */
    const char *backend;  /* "reads" */
    const char *server[SIDES];
    int *stages; /* percent of reads on green: 10 50 100 */
    int nstages;
    int64_t bake;         /* per stage */
    int64_t max_errors;   /* ppm of green's requests above which a stage stops */
    const char *prometheus;       /* base url; "" = none */
    const char *query[SIDES];     /* PromQL of the error share, 0..1 */
    struct plan_probe *probes;
    int nprobes;
};

/* A free option of a check or step: `name = value`, where the kind's row says which names it knows. */
struct plan_option {
    const char *name;
    const char **values; /* a scalar is a list of one; numbers and booleans as text */
    int nvalues;
    int line;
};

struct plan_check {
    const char *key, *title, *kind;
    int64_t expires; /* how long its evidence counts, ms */
    bool required;   /* counts for the go / no-go before the switch */
    struct plan_option *options;
    int noptions;
    int line;
};

enum plan_confirm { CONFIRM_NONE, CONFIRM_KEY, CONFIRM_TYPE };
enum plan_on_fail { ON_FAIL_ASK, ON_FAIL_UNDO, ON_FAIL_HOLD };
struct plan_step {
    const char *key;   /* "dns.flip": the name that is typed */
    const char *title; /* "Point www at green" */
    const char *kind;  /* a row of PLAN_STEP_KINDS */
    int *needs;        /* indexes of earlier steps that must be done or skipped; default: the step before */
    int nneeds;
    struct plan_condition *gate;
    int ngate;
    struct plan_condition *verify;
    int nverify;
    enum plan_confirm confirm;
    int64_t timeout;
    enum plan_on_fail on_fail;
    bool has_undo;
    bool no_return;   /* the point of no return is passed when this step has committed */
    bool skippable;
    char letter;      /* 'a', 'b', ... in order: x and then this letter */
    const char *bind; /* "F2" ... */
    int64_t expect;   /* planned duration, ms; 0 = unknown */
    struct plan_option *options; /* of its action */
    int noptions;
    int line;
};

struct plan {
    struct arena arena;
    const char *file;
    const char *text; /* the whole file, as it stands in the journal */
    char hash[65];    /* sha256 of text */
    const char *name;
    bool rehearsal;   /* REHEARSAL instead of PRODUCTION in the header */
    int64_t pause_budget; /* how long writes may be stopped before going back is offered */
    int64_t switch_deadline; /* one attempt of the switch up to its commit point */
    int64_t fence_deadline;  /* how long the drain may take within it */
    int fence_tries;         /* how often the fence is tried; between two of them everybody writes on */
    int64_t hold;            /* how long blue is kept read-only */
    struct plan_side side[SIDES];
    struct plan_database *databases;
    int ndatabases;
    struct plan_flag *flags;
    int nflags;
    struct plan_dns dns;         /* nrecords 0: the plan has no dns */
    struct plan_traffic traffic; /* nprobes 0 and haproxy "": the plan has no traffic */
    struct plan_check *checks;
    int nchecks;
    struct plan_step *steps;
    int nsteps;
    int nconditions; /* of all gates and verifies together */
};

/* The kinds that a plan may name. The code behind a step kind is a row of step_kinds (core/step/step.h), behind a
 * check kind a row of check_kinds (core/check/check.h); tests hold the lists against each other.
 * Columns: name, undo possible (0/1), options ("a b c"), sentence. */
#define PLAN_STEP_KINDS(X) \
    X("dns.ttl", 1, "ttl", "lowers or raises the TTL of every record of the plan (ttl: low, normal or seconds)") \
    X("pg.audit", 0, "", "finds what logical replication does not carry, read-only") \
    X("pg.replicate", 1, "", "publication, slot, subscription and the first copy, until every table is ready") \
    X("pg.verify", 0, "sample pace tables", "proves that both sides hold the same rows, range by range, while writes go on") \
    X("checks", 0, "", "runs every item of the checklist and waits until all required ones pass") \
    X("traffic", 1, "stages bake", "moves reads to green in stages through the balancer, each with a bake time") \
    X("switch", 1, "", "fence, drain, marker, sequences, promote, repoint, unfence: writes move to green; its undo moves them back to blue, nothing lost") \
    X("switch.dry", 0, "", "a dry pause: the whole switch up to its commit point, and back to blue; nothing moves, its pause is measured") \
    X("dns.flip", 1, "", "points every record at green by compare-and-swap") \
    X("wait", 0, "", "waits until its verify conditions hold") \
    X("hold", 0, "for", "keeps blue read-only for the hold time and watches that nobody writes there") \
    X("pg.cleanup", 0, "", "drops subscription, slot, publication and the schema cutover") \
    X("command", 1, "run undo_run", "runs a program: argv, never a shell string") \
    X("manual", 1, "say", "a person does it and says so")

#define PLAN_CHECK_KINDS(X) \
    X("spf", "domain", "SPF (RFC 7208) passes for every egress address of green, and still for blue") \
    X("dkim", "domain selector private", "the public key of a DKIM selector is there, not revoked, and the half of green's private key") \
    X("dmarc", "domain", "the domain's DMARC policy is one by RFC 7489 and by RFC 9989") \
    X("ptr", "helo", "every address that green sends from has one name that leads back to it and is what green says in HELO") \
    X("mx", "domain hosts", "every server that takes the domain's mail has an address of its own; green's are among them") \
    X("caa", "domain issuer", "the authority of green's certificates may issue for the name (RFC 8659)") \
    X("mtasts", "domain hosts address port cafile", "the MTA-STS policy (RFC 8461) can be fetched and lists the servers that take mail after the move") \
    X("tls", "hosts address port cafile days", "green serves valid certificates for the real names before DNS moves, with days left") \
    X("intercept", "address port", "no box on the way answers in the resolvers' name: an address where no server can be stays silent") \
    X("http", "url expect body", "a request is answered as expected; a webhook's echo shows an egress address of green") \
    X("cron", "file command", "no active line is left in blue's crontab") \
    X("storage", "from to", "rsync would carry nothing more from blue to green (dry run with checksums)") \
    X("backup", "dump scratch tables", "the backup can be restored into a scratch cluster and its tables hold rows") \
    X("command", "run", "a program ends with status 0") \
    X("person", "ask", "a named person says that it is so")

struct plan_problems { /* every mistake of the file, each a finished "file:line: sentence" */
    char **lines;
    int count;
};
/* NULL and the problems when it does not load. */
struct plan *plan_load(const char *path, struct plan_problems *problems);
/* The same, and `also` adds what else is wrong: it may be handed a plan that has other mistakes. */
struct plan *plan_load_also(const char *path, struct plan_problems *problems, bool (*also)(const struct plan *, struct plan_problems *));
/* The same from text; `file` names it in the sentences. Attach and replay read the plan out of the journal so. */
struct plan *plan_parse(const char *file, const char *text, struct plan_problems *problems);
void plan_free(struct plan *plan);
void plan_problems_free(struct plan_problems *problems);
/* Adds "file:line: sentence" (line 0: "file: sentence") in the order of the lines; what the sentence quotes is cleaned. */
void plan_problems_add(struct plan_problems *problems, const char *file, int line, const char *fmt, ...) PRINTF(4, 5);

extern const char plan_example[]; /* complete, commented, loads */

int plan_find_step(const struct plan *plan, const char *key);   /* -1 when there is none; so do the next ones */
int plan_find_check(const struct plan *plan, const char *key);
int plan_find_database(const struct plan *plan, const char *name);
int plan_find_resolver(const struct plan *plan, const char *name);
int plan_find_record(const struct plan *plan, const char *name, const char *type);
/* The option's first value, or `otherwise`. */
const char *plan_option_text(const struct plan_option *options, int noptions, const char *name, const char *otherwise);
const struct plan_option *plan_option_find(const struct plan_option *options, int noptions, const char *name);
/* "5s" -> 5000; false when it is none. */
bool plan_duration(const char *text, int64_t *ms);

#endif
