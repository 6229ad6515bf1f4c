/* pauseprobe: what a switch would wait for, measured now and then while writes flow: the heartbeat's own commit on blue and its way to green,
 * a commit on green, a reading of blue's sequences. A piece of the replication source, which asks; here are its clock and its words. */
#ifndef CORE_SOURCE_PAUSEPROBE_H
#define CORE_SOURCE_PAUSEPROBE_H

#include "core/source/pgline.h"

struct pauseprobe {
    bool now;      /* this round measures */
    int64_t next;  /* clock_mono before which none does */
    int64_t asked; /* clock_mono_us of the order whose answer is awaited */
    int64_t marker_us, blue_us, green_us, reading_us, sequences; /* UNKNOWN */
};

/* Every 15 s, and not in a pause: true for the round that begins. */
bool pauseprobe_begin(struct pauseprobe *p, const struct source *s);
/* It could not be had: the lag is looked at for a while without it. */
void pauseprobe_give_up(struct pauseprobe *p);
/* pgline_ask, and how long the answer took. */
bool pauseprobe_ask(struct pauseprobe *p, struct source *s, struct pgline *l, const char *sql, int64_t *took_us);
/* On green: a commit that waits for its flush and changes no row, nor needs a table. */
extern const char pauseprobe_commit_sql[];
/* On blue: two columns, how many sequences there are, and how many of them were read just now. */
extern const char pauseprobe_read_sql[];
void pauseprobe_take_reading(struct pauseprobe *p, const struct pg *pg, int64_t took_us);
void pauseprobe_record(struct pauseprobe *p, struct source *s, const char *db);

#endif
