/* switch: what the files step_switch.c and switch_*.c share; nobody else includes it.
 *
 * The step is a list of phases (switch_path). begin() sends, look() is called at each wake until it says what came;
 * what may run in parallel over databases and poolers is sent in one begin(). A failure before the commit point leads
 * to the phases of the way back, after it to a sentence.
 *
 * Why two sides never take writes: green is read-only from the first copy on; it is opened (promote) only after blue
 * is closed by its own setting and every session that began before that is gone (readonly); blue is opened again
 * only by settle, which first closes green when it may have been opened. Which of both happens is decided by the
 * watchdog alone (its answers to "committing" and "returning"), so a stopped engine that wakes late changes nothing.
 *
 * The fail-back is the undo: the same switch with the sides exchanged. It works on a mirrored plan (sw->plan), in which BLUE
 * is the side that writes leave and GREEN the side that takes them; only words and events (switch_name, switch_record_*) turn
 * that round again. Two channels: `out` brings the writes over and is closed after the commit point; `home` brings the new
 * side's writes back to the old one from then on. A home that does not live yet (before 16) starts at the moment at which the
 * new side opens: that place is kept while the side is still closed (settle_open_sql), so nothing that came over is carried back and
 * nothing that clients write is left out; it is enabled only when no worker of out is left, so that there is no loop. */
#ifndef CORE_STEP_SWITCH_H
#define CORE_STEP_SWITCH_H

#include "core/child.h"
#include "core/flag.h"
#include "core/pg.h"
#include "core/pooler.h"
#include "core/settle.h"
#include "core/step/pulse.h"
#include "core/step/step.h"
#include "core/watchdog.h"

enum { SWITCH_CONNECT_MS = 5000, SWITCH_ASK_MS = 5000, SWITCH_BACK_OFF_MS = 1000, SWITCH_POLL_MS = 1 };

enum look {
    LOOK_WAIT, /* call again at the next wake, or after sw->poll_ms */
    LOOK_NEXT,
    LOOK_FAIL, /* sw->why says why: back to blue, or noted when past the commit point */
    LOOK_OVER, /* step_end was called */
};

struct switch_sequence {
    const char *name;    /* with its schema, both quoted */
    const char *value;   /* NULL: not read */
    bool called;         /* false: the next call gives this value itself */
    bool set;            /* green was told so in the pause */
    int group;           /* of the prepared statement that reads it; -1 */
};

struct switch_sequences { /* of one database at one moment */
    struct arena texts;
    struct switch_sequence *list;
    int count, nunused;  /* unused: never called; the list does not tell their value, they are read one by one */
};

struct switch_db {
    const struct plan_database *plan;
    char home[64];           /* subscription on the side that is left, slot on the side that takes writes; "" without a way back */
    char place[32];          /* where it begins, when it does not live yet */
    bool home_lives;         /* it is enabled already, leaving out what came over */
    struct pg *side[SIDES];
    char started[SIDES][64]; /* pg_postmaster_start_time: which server answers through the pooler */
    struct switch_sequences known; /* read and set before the pause */
    struct switch_sequences now;   /* as they are behind the fence */
    struct switch_sequences there; /* as green has them then */
    enum { READ_LIST, READ_UNUSED, READ_ALL } reading; /* how far now is read */
    struct buf changes[3];         /* what is set on green: names, values, called, as text arrays for unnest() */
    int nchanges, sets;            /* sets: how often green was asked in the pause */
    int64_t unready;               /* tables that are still being copied */
    bool marked, asked, arrived; /* the marker is on blue, green was asked for it, it is there */
    struct child *repoint;
    struct pg *count[SIDES]; /* each keeps a snapshot of the moment at which writes moved */
    struct buf written;      /* how often each table had been written before the pause */
    bool counts;
};

struct switch_pooler {
    const struct plan_pooler *plan;
    struct switch_db *db;
    struct pg *admin; /* for all that answers at once */
    struct pg *fence; /* thrown away: a PAUSE may never answer (pgbouncer issue 715) */
    struct pg *probe; /* NULL when the plan has none */
    struct pulse *pulse; /* measures from the outside; NULL without a probe */
    enum { PROBE_WAIT, PROBE_CONNECT, PROBE_INSERT, PROBE_WHO, PROBE_OVER } probe_at;
    bool wrote; /* the marker of the probe */
    char retry[32]; /* its server_login_retry, see settle.h */
    char mode[16];  /* pool_mode; in "session" PAUSE waits until the clients have gone */
};

struct sw {
    struct step_run *run;
    const struct plan *plan;  /* mirrored when back */
    struct plan mirror;
    bool back;                /* the fail-back */
    bool dry;                 /* the dry pause: instead of asking for the commit it goes back, as any failure would */
    bool proven;              /* it came as far as the commit point */
    struct switch_db *dbs;
    struct switch_pooler *poolers;
    int ndbs, npoolers;
    struct flag **flags;  /* plan->nflags */
    bool flags_off;       /* past the commit point they were told so */
    struct watchdog *watchdog;
    struct settle *settle;
    const struct phase *path;
    int next;             /* where LOOK_NEXT goes */
    bool begun;
    bool staged;          /* files stand beside the pooler's */
    bool asked_commit;    /* from here on the watchdog may have been told to go forward */
    bool returning, decided_back, past; /* past: the first RESUME onto green was sent */
    bool was_paused;      /* writes_paused was recorded and not yet writes_resumed */
    bool hurried;         /* server_login_retry may be 0 */
    bool aborted;
    int tries;
    int64_t poll_ms;      /* how long LOOK_WAIT waits when nothing wakes */
    int64_t seen_us;      /* the longest that a client saw; 0 = not measured */
    int64_t phase_us, paused_us, resumed_us, attempt, pause_us; /* attempt: clock_mono at which the pause began */
    int64_t until;        /* clock_mono: of a phase that has its own end */
    char marker[48];
    char told[600];       /* the watchdog's last line; "" when taken */
    char why[400];
    char trouble[300];    /* after the commit point */
    bool doubt;           /* it is of the counts alone: nothing is left to be settled */
    char returned_by[12];
};

struct phase {
    const char *name;  /* of switch_phase; "" = not told */
    void (*begin)(struct sw *sw); /* NULL: it only looks */
    enum look (*look)(struct sw *sw);
    bool paused;       /* the switch's deadline holds */
};
enum switch_at { /* rows of switch_path */
    AT_CONNECT, AT_INSPECT, AT_PREPARE, AT_WRITTEN, AT_LIST, AT_LEARN, AT_PRESET, AT_STAGE, AT_WATCHDOG, AT_DOORS, AT_QUICK, AT_LOGINS, AT_FLAG, AT_FENCE, AT_UNFENCE, AT_BACK_OFF, AT_READONLY, AT_MARKER,
    AT_SEQUENCES, AT_VERIFY, AT_ASK, AT_PROMOTE, AT_REPOINT, AT_RESUME, AT_PROBE, AT_LOOK, AT_DISABLE, AT_IDLE, AT_ENABLE, AT_CALM, AT_TABLES, AT_COUNT, AT_FAREWELL,
    AT_ASK_BACK, AT_SETTLE, AT_RETURNED,
};
extern const struct phase switch_path[];
extern const struct step_kind step_switch, step_switch_dry;

/* Writes the reason once (the first counts) and says LOOK_FAIL. */
enum look switch_fail(struct sw *sw, const char *fmt, ...) PRINTF(2, 3);
bool switch_holds_sessions(const struct switch_pooler *p);
bool switch_is_busy(const struct sw *sw);    /* any order on any connection of ours is on its way */
enum look switch_all_good(struct sw *sw);    /* waits for every connection; fails with the first error */
void switch_record_resumed(struct sw *sw, enum side side);
void switch_close_lines(struct sw *sw);
void switch_drop_flags(struct sw *sw); /* what is on its way to them is ended: settle speaks to them from now on */

bool switch_awaits_pulse(const struct sw *sw); /* writes flow again, and its answer is still to come */
void switch_record_pulse(struct sw *sw); /* and ends it */
void switch_record_committed(struct sw *sw, const char *text);
void switch_record_returned(struct sw *sw, const char *by, const char *why);
void switch_take_plan(struct sw *sw);
void switch_free_plan(struct sw *sw);
const char *switch_name(const struct sw *sw, enum side side); /* "blue", "green": of a side of the mirrored plan */
const char *switch_Name(const struct sw *sw, enum side side);

/* Every sequence with its value. Quoted always: which words need it differs between versions. From the catalogs themselves, which takes half
 * the time of pg_sequences. One that may not be read looks like one that was never called; the side that writes leave has been asked for
 * those before. */
#define SQL_SEQUENCES \
    "SELECT '\"' || replace(nspname::text, '\"', '\"\"') || '\".\"' || replace(relname::text, '\"', '\"\"') || '\"'," \
    " CASE WHEN has_sequence_privilege(c.oid, 'SELECT, USAGE') THEN pg_sequence_last_value(c.oid) END" \
    " FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'S' AND relpersistence <> 't' AND nspname <> 'cutover'"

#define FOR_DB(d) for (struct switch_db *d = sw->dbs; d < sw->dbs + sw->ndbs; d++)
#define FOR_POOLER(p) for (struct switch_pooler *p = sw->poolers; p < sw->poolers + sw->npoolers; p++)

/* switch_prepare.c: nothing is stopped yet */
void switch_begin_connect(struct sw *sw);
enum look switch_look_connect(struct sw *sw);
void switch_begin_inspect(struct sw *sw);
enum look switch_look_inspect(struct sw *sw);
void switch_begin_prepare(struct sw *sw);
enum look switch_look_prepare(struct sw *sw);
void switch_begin_stage(struct sw *sw);
enum look switch_look_stage(struct sw *sw);
void switch_begin_watchdog(struct sw *sw);
enum look switch_look_watchdog(struct sw *sw);
/* switch_fence.c: writes stop */
void switch_begin_doors(struct sw *sw);
void switch_begin_hurry(struct sw *sw);
enum look switch_look_hurry(struct sw *sw);
void switch_begin_logins(struct sw *sw);
enum look switch_look_logins(struct sw *sw);
void switch_begin_flag(struct sw *sw);
enum look switch_look_flag(struct sw *sw);
void switch_set_flags(struct sw *sw, bool on);
void switch_begin_fence(struct sw *sw);
enum look switch_look_fence(struct sw *sw);
void switch_begin_unfence(struct sw *sw);
enum look switch_look_unfence(struct sw *sw);
void switch_begin_back_off(struct sw *sw);
enum look switch_look_back_off(struct sw *sw);
void switch_put_looks(struct buf *sql); /* prepares what is asked of blue in it */
void switch_begin_readonly(struct sw *sw);
enum look switch_look_readonly(struct sw *sw);
/* switch_carry.c: everything is on green */
void switch_put_statements(const struct sw *sw, enum side side, struct buf *sql); /* prepares what is asked in the pause */
void switch_warm_up_green(struct sw *sw, struct switch_db *d);                    /* and asks it in advance */
void switch_begin_marker(struct sw *sw);
enum look switch_look_marker(struct sw *sw);
void switch_begin_sequences(struct sw *sw);
enum look switch_look_sequences(struct sw *sw);
void switch_begin_verify(struct sw *sw);
enum look switch_look_verify(struct sw *sw);
/* switch_sequences.c: before the pause, and in it */
void switch_begin_list(struct sw *sw);
enum look switch_look_list(struct sw *sw);
void switch_begin_learn(struct sw *sw);
enum look switch_look_learn(struct sw *sw);
void switch_begin_preset(struct sw *sw);
enum look switch_look_preset(struct sw *sw);
void switch_ask_list(struct sw *sw, struct switch_db *d);     /* of blue; meanwhile the marker travels */
enum look switch_read_on(struct sw *sw, struct switch_db *d); /* LOOK_NEXT when all of blue's are read */
void switch_take_there(struct switch_db *d);                  /* green's, as cutover_arrived answered */
int switch_put_changes(struct switch_db *d, struct buf *sql); /* sets on green what differs as far as known; how many */
const char *switch_first_change(const struct switch_db *d);
enum look switch_look_set(struct sw *sw, struct switch_db *d); /* were there so many? */
void switch_free_sequences(struct switch_db *d);
/* switch_commit.c: writes move */
void switch_begin_ask(struct sw *sw);
enum look switch_look_ask(struct sw *sw);
void switch_begin_promote(struct sw *sw);
void switch_begin_repoint(struct sw *sw);
enum look switch_look_repoint(struct sw *sw);
void switch_begin_resume(struct sw *sw);
enum look switch_look_resume(struct sw *sw);
enum look switch_look_probe(struct sw *sw);
void switch_begin_look(struct sw *sw);
enum look switch_look_look(struct sw *sw);
void switch_begin_disable(struct sw *sw);
enum look switch_look_disable(struct sw *sw);
void switch_begin_idle(struct sw *sw);
enum look switch_look_idle(struct sw *sw);
void switch_begin_enable(struct sw *sw);
enum look switch_look_enable(struct sw *sw);
void switch_begin_calm(struct sw *sw);
void switch_begin_farewell(struct sw *sw);
enum look switch_look_farewell(struct sw *sw);
/* switch_proof.c: the same number of rows */
void switch_begin_written(struct sw *sw);
enum look switch_look_written(struct sw *sw);
void switch_try_snapshots(struct sw *sw);
void switch_take_snapshot(struct sw *sw, struct switch_db *d, enum side side);
void switch_begin_tables(struct sw *sw);
enum look switch_look_tables(struct sw *sw);
void switch_begin_count(struct sw *sw);
enum look switch_look_count(struct sw *sw);
/* switch_back.c: everything back to blue, or forward by the watchdog's word */
void switch_turn_back(struct sw *sw);
void switch_end_dry(struct sw *sw); /* all is proven: sw->next leads back */
void switch_begin_ask_back(struct sw *sw);
enum look switch_look_ask_back(struct sw *sw);
void switch_begin_settle(struct sw *sw);
enum look switch_look_settle(struct sw *sw);
void switch_begin_returned(struct sw *sw);
enum look switch_look_returned(struct sw *sw);
/* switch_probe.c: after a crash */
void switch_probe(struct task *task);

#endif
