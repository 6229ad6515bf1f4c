/* pgline: the connection of a source. It comes up by itself, is asked, and comes up again when it was lost; what goes wrong
 * becomes source_failed. Every function that returns false has arranged the task's next wake: return at once. */
#ifndef CORE_SOURCE_PGLINE_H
#define CORE_SOURCE_PGLINE_H

#include "core/pg.h"
#include "core/source/source.h"

struct pgline {
    struct pg *pg;
    bool trying; /* pg_connect was called and its end not yet seen */
    bool asked;  /* pgline_ask was called and its end not yet seen */
    bool at_once; /* go on at once after a failure: the source has other work, and keeps the pauses itself */
    const char *tolerates; /* SQLSTATE that is an answer too: pg_failed() then tells; NULL */
};

/* True when it is connected. */
bool pgline_up(struct source *s, struct pgline *l, const char *conninfo);
/* Sends when nothing was sent; true when the answer is there. */
bool pgline_ask(struct source *s, struct pgline *l, const char *sql, int nparams, const char *const *params);
void pgline_free(struct pgline *l);

#endif
