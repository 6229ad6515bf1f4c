/* audit: what the files step_pg_audit.c and audit_*.c share; nobody else includes it.
 *
 * Two tables of data and two small loops. A row (audit_rows.c) asks one side one question; each line of the answer is a
 * finding. A list (audit_lists.c) is asked on both sides in the same order; what differs is a finding.
 * Every SQL text stands behind audit_scope, which gives it the CTEs `plan` (the parameters), `rel` (every relation that
 * is not of the system or ours), `scope` (the tables that the plan moves) and `t` (those of them that can be published). */
#ifndef CORE_STEP_AUDIT_INNER_H
#define CORE_STEP_AUDIT_INNER_H

#include "core/pg.h"
#include "core/step/step.h"

enum audit_level { AUDIT_BLOCKER, AUDIT_WARNING, AUDIT_NOTE, AUDIT_LEVELS };
extern const char *const audit_level_names[AUDIT_LEVELS];

enum {
    AUDIT_SHOWN = 20,       /* findings of one kind that are named; the others are counted */
    AUDIT_ROW_LIMIT = 5000, /* lines read of one answer */
    AUDIT_LIST_LIMIT = 50000,
    AUDIT_PARAMS = 9,       /* of audit_scope */
};
extern const char audit_scope[];

struct audit_row {
    const char *id; /* what is named when the question itself fails */
    enum audit_level level;
    enum side side;
    int min, max;       /* server versions as 13, 18; 0 = any */
    const char *sql;    /* SELECT object, detail */
    const char *advice; /* follows the detail and a colon */
};
extern const struct audit_row audit_rows[];
extern const int audit_nrows;

struct audit_list {
    const char *id;
    bool older_only; /* a value that is newer on green is fine */
    bool comes_later; /* not asked where the step pg.replicate will bring it, with the schema */
    /* SELECT owner, part, value, label, needed, level. owner and part are the key; a missing owner (part '') says nothing
     * more of its parts. What only green has matters where needed says so, and its owner is on both sides. */
    const char *sql;
    const char *advice;
    const char *bare_sql; /* of green that will get blue's schema: what may come to stand there; NULL: as above */
};
extern const struct audit_list audit_lists[];
extern const int audit_nlists;

struct audit_finding {
    enum audit_level level;
    char object[160], text[400]; /* cleaned */
};
struct audit_findings {
    struct audit_finding *item;
    int count, cap;
    int64_t total[AUDIT_LEVELS]; /* also those that are not named */
    int64_t kind[AUDIT_LEVELS];  /* of the kind that is being asked */
};
void audit_add(struct audit_findings *f, enum audit_level level, const char *object, const char *fmt, ...) PRINTF(4, 5);
void audit_end_kind(struct audit_findings *f, const char *id); /* "and 13 more" */
void audit_record(const struct audit_findings *f, struct door *door, const char *db); /* blockers first */
void audit_clear(struct audit_findings *f);

void audit_judge_row(struct audit_findings *f, const struct audit_row *row, const struct pg *answer);
void audit_judge_list(struct audit_findings *f, const struct audit_list *list, const struct pg *blue, const struct pg *green);

#endif
