/* pooler: what the switch must know of PgBouncer: one line of its ini file, and a few verbs of its admin console.
 * pgbouncer(5), section [databases]: `name = host=... port=... dbname=...`; names and values may be quoted.
 *
 * The first half is pure. The second half owns two files beside the ini file, so that a change is one rename and a
 * return is one rename, by whoever is still alive (the engine or its watchdog):
 *   <file>.cutover-green   the new text, staged before the pause, same mode and owner
 *   <file>.cutover-blue    the text as it was
 * A symbolic link is followed first: the file behind it is replaced, not the link. Every act may be repeated. */
#ifndef CORE_POOLER_H
#define CORE_POOLER_H

#include "core/base.h"

/* Appends `text` to out with the right side of the database's line replaced; every other byte stays as it is. False
 * when the section has no such line, or two. */
bool pooler_rewrite(const char *text, size_t len, const char *database, const char *target, struct buf *out, struct err *err);
/* The right side of the database's line; false as above. */
bool pooler_line(const char *text, size_t len, const char *database, char *out, size_t size, struct err *err);
/* One value of a right side: key "host" of "host=10.0.0.1 port='6432'". False and "" when it has none. */
bool pooler_value(const char *target, const char *key, char *out, size_t size);
/* Does a server of SHOW DATABASES (host, port, database as it tells them) mean this target? */
bool pooler_is_target(const char *target, const char *host, const char *port, const char *database);
/* `PAUSE "shop";` Returns the length as snprintf does. */
size_t pooler_verb(char *out, size_t size, const char *verb, const char *database);

/* `SET server_login_retry = '15';` */
size_t pooler_retry(char *out, size_t size, const char *value);

struct pooler_edit {
    const char *database, *target;
};
/* Reads the ini file, makes every edit, leaves both files beside it. The lines must stand as `was` says. */
bool pooler_stage(const char *file, const struct pooler_edit *was, const struct pooler_edit *edits, int nedits, struct err *err);
/* Puts the new text in place. True at once when it already is; false when somebody changed the file meanwhile. */
bool pooler_install(const char *file, struct err *err);
/* Puts the old text back if the new one had been installed, and removes what was staged. True when nothing was staged. */
bool pooler_restore(const char *file, struct err *err);
/* Removes what was staged and leaves the ini file as it is. */
void pooler_unstage(const char *file);

#endif
