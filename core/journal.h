/* journal: the append-only JSON Lines file of a run; the run's only truth. 0600, one writer (flock, flock(2)), each line
 * carries chain = sha256(chain of the line before + this line without its chain). Reading stops at a torn last line,
 * which an opening writer cuts off; a broken chain is said with its line number. */
#ifndef CORE_JOURNAL_H
#define CORE_JOURNAL_H

#include "core/event.h"

struct journal;
/* Opens for writing, creating it (and syncing the directory); reads what is there, one call of `each` per event. */
struct journal *journal_open(const char *path, void (*each)(void *arg, const struct event *event, const char *line, size_t len), void *arg, struct err *err);
/* Appends one line; `sync` waits until it is on disk (fdatasync). False: the disk refused; nothing half-written stays. The
 * finished line (with newline) is left in `line` for the screens, also when the disk refused. */
bool journal_append(struct journal *j, const struct event *event, bool sync, struct buf *line, struct err *err);
void journal_close(struct journal *j);
const char *journal_path(const struct journal *j);

/* Reads a journal that someone else may be writing. False with a sentence when it can't be read or its chain is broken. */
bool journal_read(const char *path, void (*each)(void *arg, const struct event *event, const char *line, size_t len), void *arg, struct err *err);

#endif
