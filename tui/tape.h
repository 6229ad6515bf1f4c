/* tape: the lines of a run's journal, kept in memory with their times, so that any instant of the run can be shown.
 * Live history ([ and ]) and replay both fold a reel from it. The plan comes out of the first line, run_opened. */
#ifndef TUI_TAPE_H
#define TUI_TAPE_H

#include "core/gate.h"

struct tape_line {
    size_t offset, len;
    int64_t at, seq;
    enum event_kind kind;
};
struct tape {
    struct buf text;
    struct tape_line *line;
    int count, capacity;
    struct plan *plan; /* NULL until the first line is there */
};

/* {0} is an empty tape. Adds one line (without its newline); false with a sentence when it is no event, or when the
 * first one doesn't open a run whose plan loads. `event`, when given, is called with what was read, before it is freed. */
bool tape_add(struct tape *t, const char *line, size_t len, void (*event)(void *arg, const struct event *event), void *arg, struct err *err);
void tape_free(struct tape *t);
int64_t tape_first(const struct tape *t); /* times of the first and last line; 0 when empty */
int64_t tape_last(const struct tape *t);

/* A model at some place of the tape. {NULL, 0} is at its beginning. Going forward folds only what is new. */
struct reel {
    struct model *model;
    int next; /* lines folded so far */
};
enum { TAPE_END = -1 };
/* Folds all lines up to the instant and the number, both included; TAPE_END: no bound. The tape has a plan. */
void tape_fold(const struct tape *t, struct reel *reel, int64_t until_ms, int64_t until_seq);
/* Folds the event that tape_add has just read, if the reel stands right before it: spares its line a second reading. */
void tape_follow(const struct tape *t, struct reel *reel, const struct event *event);
void reel_free(struct reel *reel);

#endif
