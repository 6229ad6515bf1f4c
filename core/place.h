/* place: where a run keeps its files. One directory a user (0700): $CUTOVER_STATE, else $XDG_STATE_HOME/cutover, else
 * ~/.local/state/cutover (XDG Base Directory Specification). Inside it, by the run's name:
 *   NAME.jsonl   the journal      NAME.sock   the engine's socket      NAME.d/   files of the run (watchdog, evidence) */
#ifndef CORE_PLACE_H
#define CORE_PLACE_H

#include "core/base.h"

bool place_state_dir(const char *given, char *buf, size_t size, struct err *err); /* creates it; given "" or NULL: the default */
void place_slug(const char *name, char *buf, size_t size);                       /* "shop eu-west" -> "shop-eu-west" */
void place_of(const char *dir, const char *name, const char *ending, char *buf, size_t size);

/* The name of the only run in the directory; false with a sentence when there is none or more than one. */
bool place_only(const char *dir, char *name, size_t size, struct err *err);

/* Somebody listens at this socket (unix(7)). */
bool place_is_answered(const char *socket_path);

#endif
