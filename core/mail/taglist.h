/* taglist: "name=value; name=value" as DKIM (RFC 6376 3.2), DMARC (RFC 9989 4.7, RFC 7489 6.4) and MTA-STS (RFC 8461 3.1) write it.
 * What they agree on stands here; each says the rest itself. Pure. */
#ifndef CORE_MAIL_TAGLIST_H
#define CORE_MAIL_TAGLIST_H

#include "core/base.h"

enum { TAGLIST_MAX = 64 };
struct tag {
    const char *name, *value; /* without the white space around them */
};
struct taglist {
    struct tag tag[TAGLIST_MAX];
    int count;
    struct arena arena;
};
struct taglist_rules {
    const char *what;   /* "DKIM key record": begins every sentence */
    bool fold_names;    /* P is p */
    bool tight;         /* no white space around "=" */
    bool strict_end;    /* nothing behind a last ";" */
    bool empty_values;  /* "p=" is a value */
};
/* False with a finished sentence: an empty part, no "=", a name that is none, the same name twice. Free in both cases. */
bool taglist_read(struct taglist *l, const char *text, const struct taglist_rules *rules, struct err *err);
void taglist_free(struct taglist *l);
const char *taglist_find(const struct taglist *l, const char *name); /* NULL when there is none */

/* Goes through "a : b : c". Starts with *at at the value; false at the end; the item without white space lands in buf. */
bool taglist_item(const char **at, char separator, char *buf, size_t size);

#endif
