/* model_fold: the private floor of model: the fold's parts, one file per part of the world. Nobody but model_*.c includes this. */
#ifndef CORE_MODEL_FOLD_H
#define CORE_MODEL_FOLD_H

#include "core/model.h"

#define KEEP(array, text) copy_text(array, sizeof(array), text)

void fold_run(struct model *m, const struct plan *p, const struct event *e);     /* model_run.c: run, people, steps, switch, checks */
void fold_database(struct model *m, const struct plan *p, const struct event *e);/* model_database.c */
void fold_writers(struct model *m, const struct plan *p, const struct event *e); /* model_writers.c; after the others */
void fold_dns(struct model *m, const struct plan *p, const struct event *e);     /* model_dns.c */
void fold_traffic(struct model *m, const struct plan *p, const struct event *e); /* model_world.c */
void fold_log(struct model *m, const struct plan *p, const struct event *e);     /* model_log.c: which events are told, in which words */

void model_say(struct model *m, const struct event *e, const char *level, const char *from, const char *fmt, ...) PRINTF(5, 6);
int fold_side(const char *name); /* of an event: blue or green */
void history_put(struct history *h, int64_t at, int64_t value);

#endif
