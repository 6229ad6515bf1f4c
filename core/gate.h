/* gate: the one answer to "may this step run now, and if not, why not". Everybody asks here: the screen to show it, the
 * confirmation to live by it, the engine again right before it acts. Pure: (model, plan, now) -> verdict and sentences. */
#ifndef CORE_GATE_H
#define CORE_GATE_H

#include "core/metric.h"

enum gate_verdict { GATE_GO, GATE_HOLD, GATE_STOP }; /* HOLD: wait, it may come. STOP: it won't without a person */
extern const char *const gate_verdict_names[]; /* "GO", "HOLD", "STOP" */

enum step_mode { MODE_RUN, MODE_UNDO, MODE_PROBE };
extern const char *const step_mode_names[]; /* "run", "undo", "probe" */

struct gate_line { /* one condition as it is shown */
    bool held, known;
    char id[8];      /* "S1" of a built-in rule; "" of a condition of the plan */
    char text[120];  /* what must hold */
    char value[40];  /* what is: "2.1 MB", "?" */
    int64_t at;      /* when it was last seen; 0 = never, or a fact of the run itself */
    int64_t held_for;
};
#define GATE_LINES 24
struct gate {
    enum gate_verdict verdict;
    char why[240]; /* the first thing in the way, as a sentence with number and limit; "" when GO */
    struct gate_line line[GATE_LINES];
    int nlines;
};

/* May `step` be run (or undone) now? */
void gate_ask(const struct model *m, const struct plan *p, int step, enum step_mode mode, int64_t now, struct gate *out);
/* Do the step's verify conditions hold now? Lines and verdict as above. */
void gate_verify(const struct model *m, const struct plan *p, int step, int64_t now, struct gate *out);
/* The step that x would open: the first that is neither done nor skipped; -1 when all are. */
int gate_next_step(const struct model *m, const struct plan *p);
/* The step that r would undo: the last done one that has an undo; -1. */
int gate_undo_step(const struct model *m, const struct plan *p);
/* What going back costs now: "undo: nothing to undo", "writes return to blue in about 1 s", "not without losing ...". Returns buf. */
const char *gate_price(const struct model *m, const struct plan *p, int64_t now, char *buf, size_t size);

/* Folds the event and then notes for every condition of the plan since when it holds: the way in which engine, screen
 * and replay all take an event. */
void gate_follow(struct model *m, const struct plan *p, const struct event *event);

#endif
