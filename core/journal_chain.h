/* journal_chain: the chain of a journal's lines and the scan that checks it. Private to core/journal*.c.
 *
 * A line on disk is what event_encode wrote, with `,"chain":"<64 hex digits>"` put in before its last brace. The digits
 * are sha256(chain of the line before, as text + the line without its chain); the first line follows the empty text. */
#ifndef CORE_JOURNAL_CHAIN_H
#define CORE_JOURNAL_CHAIN_H

#include <sys/types.h>

#include "core/event.h"

#define JOURNAL_CHAIN 65

struct journal_scan {
    int fd;
    const char *path;
    void (*each)(void *arg, const struct event *event, const char *line, size_t len);
    void *arg;
    /* what came out */
    off_t seen, good; /* bytes read, bytes up to the end of the last whole line */
    int64_t lines;
    char chain[JOURNAL_CHAIN];
};
bool journal_scan(struct journal_scan *scan, struct err *err);
/* Puts the chain into the encoded line and a newline behind it; `chain` gets the line's own. */
void journal_seal(struct buf *line, const char *before, char chain[JOURNAL_CHAIN]);

#endif
