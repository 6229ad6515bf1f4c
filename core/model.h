/* model: what the events of a run add up to. model_fold is pure: no clock, no input or output; it allocates only in
 * model_new, arrays sized from the plan. The same journal always gives the same model.
 *
 * Everything that was seen has `at`, the wall-clock ms of its event; 0 = never seen. Who reads decides with its own
 * `now` whether that is too old: stale is unknown, unknown never passes (metric.h does it for gates). */
#ifndef CORE_MODEL_H
#define CORE_MODEL_H

#include "core/event.h"
#include "core/plan.h"

#define UNKNOWN (-1)
#define MODEL_HISTORY 240 /* points of a graph, one a second */

/* A ring of the last values, one a second; a second without a value is UNKNOWN. */
struct history {
    int64_t value[MODEL_HISTORY];
    int64_t last_second; /* wall second of the newest value; 0 = empty */
};
/* The value `back` seconds before the wall second `second`; UNKNOWN when there is none. */
int64_t history_at(const struct history *h, int64_t second, int back);
/* By how much it grew each second over the last `seconds`, or over what of them is known; false when that is less than 5 s. */
bool history_growth(const struct history *h, int64_t second, int seconds, int64_t *each);

struct model_table { /* first copy of one table */
    char name[132]; /* schema and table have up to 63 bytes each */
    char state[12];
    int64_t rows, total, bytes, size; /* of about total; bytes carried, and the size on blue */
    int64_t at, since, first;         /* wall ms of the last look, and of the first that saw it being copied; rows at that time */
};
struct model_finding {
    char level[8];
    char object[64];
    char text[160];
};
struct model_difference {
    char table[64], key[64], text[96];
};
struct model_dbside {
    int64_t at;
    bool reachable;
    char version[24];
    char writable[8]; /* "yes", "no", "unknown" */
    int64_t clients, open_tx, oldest_tx, prepared;
    char oldest[160]; /* whose that transaction is: "pid 4711, app, psql from 10.0.0.9" */
    char state[32];   /* what its session does: "active", "idle in transaction" */
    char told[160];   /* the one of which the log spoke last */
    char error[160];
};
/* A session that writes on the side where nobody may (how is "writes"), or a role that could ("role"). */
struct model_writer {
    int64_t at, pid; /* at: seen last; 0 = none since the sides changed places */
    bool wrote;      /* one of them did */
    char side[8], role[64], application[64], address[48], how[8];
};
enum model_writers { WRITERS_UNWATCHED, WRITERS_UNSEEN, WRITERS_ONE, WRITERS_STOPPED, WRITERS_NONE, WRITERS_BOTH, WRITERS_WRONG };
#define MODEL_LONG_TX 5000 /* ms from which on an open transaction is spoken of */
#define MODEL_TABLES 64
#define MODEL_FINDINGS 48
#define MODEL_DIFFERENCES 24
struct model_db {
    struct model_dbside side[SIDES];
    enum model_writers writers; /* as it was judged last */
    struct model_writer writer; /* the last one that was seen */
    int64_t lag_at, lag_bytes, lag_ms, retained, wal_left; /* wal_left: bytes until blue gives the slot up; UNKNOWN */
    int64_t apply_errors, conflicts, restarts;             /* of green's workers */
    bool slot_active;
    char slot[40], sent_lsn[24], flushed_lsn[24], wal_status[12], lag_error[240];
    struct history bytes, ms, kept;
    /* the way back, after the commit: what green has not yet sent home */
    int64_t back_at, back_bytes, back_ms, back_retained, back_left;
    bool back_active;
    char back_slot[40], back_error[240];
    struct history back_kept;
    int64_t told_full[SIDES]; /* when it was said last that WAL fills this side; 0 = it is not near */
    struct model_table table[MODEL_TABLES];
    int ntables; /* kept here */
    int64_t copy_at;
    int tables_seen, tables_ready; /* of all, also those that do not fit above */
    struct model_finding finding[MODEL_FINDINGS];
    int nfindings;
    int64_t audited_at, blockers, warnings, notes, tables_audited;
    /* DDL on blue since replication began that green lacks */
    int64_t schema_at, schema_objects, schema_drift;
    char schema_base[40], schema_object[96], schema_change[12];
    int64_t sequences_at, sequences, sequences_behind;
    int64_t probed_at, probe_marker, probe_commit[SIDES], probe_reading, probe_sequences; /* us, UNKNOWN: what a switch would wait for */
    /* the comparison of both sides: the running one, or the last */
    int64_t verify_at, verify_rows, verify_total, verify_tables, verify_all, differences;
    int64_t verified_at, verified_ppm, busy_rows; /* of the last one that ended; 0 */
    struct model_difference difference[MODEL_DIFFERENCES];
    int ndifferences; /* kept here */
    /* pooler: the last look at the first pooler of this database */
    int64_t pooler_at;
    bool pooler_reachable, pooler_paused;
    char pooler_target[8]; /* blue, green, other */
    int64_t pooler_active, pooler_waiting, pooler_longest_wait;
    char pooler_error[160];
};

enum cell_state { CELL_UNSEEN, CELL_OLD, CELL_NEW, CELL_MIXED, CELL_OTHER, CELL_ERROR };
extern const char *const cell_state_names[]; /* "-", "OLD", "NEW", "MIXED", "OTHER", "ERR" */
#define MODEL_CACHES 8
/* One filling of one cache behind a resolver's address. "Time of the answer + its TTL" stays the same while one cache counts down, so
 * answers with another expiry came out of another cache, or out of the same one filled anew. */
struct model_cache {
    int64_t first, last; /* wall ms of the first and of the last answer out of it */
    int64_t least, most; /* wall ms: the expiry as its answers say it */
    int64_t expires;     /* wall ms, between the two: what was rounded down to seconds is a second longer with some servers (Unbound gives a
                            last second with a TTL of 0), and a second shorter with others */
    int returns;         /* how often it answered again after another one had */
    enum cell_state state;
};
struct model_dns { /* one resolver x record; cell[resolver * nrecords + record] */
    int64_t at, answered_at;
    enum cell_state state;
    char status[12];   /* as the event said */
    char answer[80];
    int64_t ttl;       /* seconds, as answered */
    int64_t max_ttl;   /* largest ever seen */
    int64_t expires;   /* wall ms when this cached answer runs out: answered_at + ttl */
    int64_t rtt_us;
    int64_t new_since; /* wall ms since which every answer was new; 0 */
    struct model_cache cache[MODEL_CACHES];
    int ncaches;       /* fillings kept */
    int caches;        /* the most that were ever seen to answer side by side; 0 before the first answer */
    int64_t old_until; /* wall ms when the last of its caches that hold the old value runs out; 0 = none does */
    int64_t holds;     /* seconds: a TTL that no cache can have which keeps to what was published; 0 */
    int64_t late_since;/* wall ms: the old value although every cache must have dropped it; 0 */
    int64_t suspect_at, suspect_ttl; /* too long a TTL, until the servers were asked once more */
    int64_t low_since; /* of an authoritative server: wall ms since which it was seen with ttl <= ttl_low; 0 */
    char error[120];
    int64_t asked, lost;
};
struct model_record { /* what the authoritative servers publish, all of them together */
    int64_t low_since;     /* wall ms since which every one was seen serving ttl <= ttl_low without a break; 0 */
    int64_t old_ttl;       /* largest TTL that one was ever seen with, seconds */
    int64_t published_at, published_ttl; /* the oldest of their last answers, 0 = one never answered; the largest TTL of them, seconds */
    int64_t ttl_since, carry_ttl; /* wall ms since when it is that; what a cache may have had left then, seconds */
    int64_t fills[SIDES];  /* fillings of resolvers' caches with each side's value, since the record was changed last */
    int64_t gone_by;       /* wall ms by which no cache may have blue's value any more; 0 = a server still publishes it */
    int64_t flipped_at;    /* wall ms of our dns_changed to green; 0 */
};

#define MODEL_SOURCES 256 /* that failed; further ones are not kept */
#define MODEL_SECONDS 60
struct model_second { /* one second of probes */
    int64_t second;
    int64_t ok, failed;
    struct latency latency;
};
struct model_traffic { /* one side */
    struct model_second second[MODEL_SECONDS]; /* slot = second % 60 */
    int64_t probe_at;
    char error[160];       /* the last failure, named */
    struct history p95_us, error_ppm, rps;
    int64_t total, total_failed;
    int64_t balancer_at, weight, requests, failed, sessions; /* requests and failed: since the run began */
    char status[16];
    struct history share_ppm; /* measured share of the balancer's requests */
    int64_t recent_requests, recent_failed; /* decaying sums over about 10 s, for the measured share */
    int64_t prometheus_at, prometheus_ppm;
};

enum check_verdict { CHECK_UNKNOWN, CHECK_PASS, CHECK_FAIL };
struct model_check {
    enum check_verdict verdict;
    bool running;
    char sentence[200], evidence[200], by[32];
    int64_t at, expires, took; /* expires: wall ms */
};

/* Facts only; pending, blocked and ready are derived by the gate. */
enum step_state { STEP_NOT_BEGUN, STEP_RUNNING, STEP_DONE, STEP_FAILED, STEP_SKIPPED, STEP_UNDONE, STEP_UNKNOWN };
extern const char *const step_state_names[];
struct model_step {
    enum step_state state;
    bool undoing;         /* the running attempt is an undo */
    bool aborted;         /* it failed because a person stopped it */
    bool probing;
    int attempt;
    int64_t began, ended, took, progressed; /* progressed: when done was told */
    char by[32];
    char sentence[240];   /* of its end, or the last thing it said */
    char found[12];       /* after a crash: before, after, partial, unreachable */
    int64_t done, total;  /* progress */
    char unit[12];
};

struct model_log {
    int64_t at, seq;
    char level[6];  /* INFO OK WARN BAD RUN GATE NOTE */
    char from[14];  /* step key, resolver, side, person */
    char text[240];
};
#define MODEL_LOG 512

#define MODEL_PEOPLE 16
struct model_person {
    int64_t id, since;
    char user[32], tty[24], role[12];
};

#define MODEL_PHASES 16
struct model_phase {
    char name[16];
    int64_t took_us;
    char text[96];
};

struct model {
    char name[64], host[64], user[32], version[24], plan_hash[65];
    bool rehearsal;
    int64_t opened, ended, last_at, last_seq;
    char outcome[12], outcome_sentence[200];
    bool engine_running; /* between engine_started and engine_stopped */
    int64_t engine_pid;
    bool paused;         /* between steps, by a person */
    bool journal_broken;
    int running;         /* index of the running step; -1 */
    bool abort_asked;

    struct model_db *db;         /* plan->ndatabases */
    struct model_dns *dns;       /* nresolvers * nrecords */
    struct model_record *record; /* nrecords */
    struct model_traffic traffic[SIDES];
    int64_t weights_at, weight[SIDES];
    struct model_check *check;   /* nchecks */
    struct model_step *step;     /* nsteps */

    int64_t pause_began;   /* wall ms; 0 = writes flow */
    int64_t pause_us;      /* of the last pause that ended */
    int64_t predicted_us;  /* of the pause that runs, as it was told before; UNKNOWN */
    bool committed;        /* the commit point of the switch is passed */
    int64_t committed_at, returned_at;
    int64_t turned_at, turns; /* writes were stopped, moved or let go: when last, how often */
    int64_t seen_us;                    /* the pause as clients of the poolers saw it, of the last switch; 0 = not measured */
    int64_t rehearsed_at, rehearsed_us; /* the last dry pause that came as far as the commit point */
    struct model_phase phase[MODEL_PHASES];
    int nphases;

    struct model_log log[MODEL_LOG]; /* ring: entry i (0 = oldest kept) by model_log_at */
    int64_t nlog;                    /* ever written */
    struct model_person person[MODEL_PEOPLE];
    int npeople;
    int64_t cost_at, cost_cpu_ppm, cost_rss;

    struct history dns_old; /* share of the resolvers whose last answer is blue's, ppm; one that gives both counts half */
    int64_t *held_since; /* per plan condition: wall ms since when it holds without a break; 0. Kept by gate_follow */
    /* sources that can't look now: source_error[i] is "" when it looks again */
    int nsources;
    char source_name[MODEL_SOURCES][40], source_error[MODEL_SOURCES][160]; /* those that failed at least once */
};

struct model *model_new(const struct plan *plan);
void model_free(struct model *model);
void model_fold(struct model *model, const struct plan *plan, const struct event *event);

int model_log_count(const struct model *m);                             /* kept: at most MODEL_LOG */
const struct model_log *model_log_at(const struct model *m, int i);     /* 0 = oldest kept */
const struct model_dns *model_cell(const struct model *m, const struct plan *p, int resolver, int record);
/* model_dns.c: seconds that a cache which keeps to the published TTLs may have left at that time. */
int64_t model_dns_bound(const struct model_record *r, int64_t at);
/* Why a resolver's answer for a record is not what is waited for, in a few words; "" when nothing is wrong. Returns buf. */
const char *model_dns_why(const struct model *m, const struct plan *p, int resolver, int record, int64_t now, char *buf, size_t size);
/* Of a record with weights: green's share of what caches were filled with, and the interval in which the true one lies in 95 of 100 cases
 * (Wilson 1927, ppm). Each filling is one sample: asking a cache again says nothing new. False when there was none. */
struct dns_share {
    int64_t fills, share, low, high;
};
bool model_dns_share(const struct model *m, int record, struct dns_share *out);
/* Seconds until every cache has what is published next, each way: "within 0:20, overholder 1:00". "" before anything was published. Returns buf. */
const char *model_dns_span(const struct model *m, const struct plan *p, int64_t now, char *buf, size_t size);
/* The share of caches, each resolver counting once, that by their own expiry still hold blue's value at a time from the last answers on, if
 * all servers have green's; UNKNOWN when nobody has answered. eta: wall ms when at least `percent` of them have let go. */
int64_t model_dns_left_ppm(const struct model *m, const struct plan *p, int64_t at);
int64_t model_dns_eta(const struct model *m, const struct plan *p, int percent, int64_t now);
/* Sum of the probes of one side over the last `seconds` whole seconds before `now`. */
void model_probes(const struct model *m, enum side side, int64_t now, int seconds, int64_t *ok, int64_t *failed, struct latency *latency);
/* Do the sides take writes as they should? Bad: neither, both, or the other one. Stopped: neither, on purpose. */
enum model_writers model_writers(const struct model *m, const struct plan *p, int db, int64_t now);
bool model_writers_are_bad(enum model_writers w);
const char *model_writers_text(const struct model *m, enum model_writers w); /* a few words for the screen's head; "" when all is well */
enum side model_closed_side(const struct model *m);                          /* where nobody but us may write */
bool model_is_guarded(const struct model *m, const struct plan *p);          /* that side is watched now: not before replicate, not in a switch */
/* The pause that a switch would have now, in parts; UNKNOWN where one is not known, and then the total is not. open: until the oldest open
 * transaction is over, a guess. measured: lately. */
struct prediction {
    bool measured;
    int64_t at, marker_us, commits_us, reading_us, open_us, total_us, sequences;
};
struct prediction model_predict(const struct model *m, const struct plan *p, int db, int64_t now);
int64_t model_predict_us(const struct model *m, const struct plan *p, int64_t now); /* of all databases, which stop together: the longest; UNKNOWN */
/* "about 39 ms: open 18, marker 12, commits 8.0, 12 sequences 0.9", of the database with the longest. Returns buf. */
/* Of the first copy: rows a second of a table, 0 when none; and ms until the rest of n tables is there at their present rates, UNKNOWN. */
int64_t model_copy_rate(const struct model_table *t);
int64_t model_copy_left(const struct model_table *t, int n);
const char *model_predict_text(const struct model *m, const struct plan *p, int64_t now, char *buf, size_t size);
/* WAL that a slot keeps; side: whose slot, blue's on the way there, green's on the way back. left: bytes that may still come until its server
 * is full or gives the slot up; UNKNOWN when no limit is known. full_in: ms until then at the rate of the last minute; UNKNOWN also when
 * it does not grow. */
int64_t model_wal_left(const struct model_db *db, const struct plan_database *plan, enum side side);
/* The nearer limit is the server's own: then it is not the disk that is full, the slot is lost. */
bool model_wal_is_given_up(const struct model_db *db, const struct plan_database *plan, enum side side);
int64_t model_wal_full_in(const struct model_db *db, const struct plan_database *plan, enum side side, int64_t now);
/* Writes the whole model as text, field by field: tests compare it. */
void model_dump(const struct model *m, const struct plan *p, struct buf *out);

#endif
