/* Looks for the pg_dump that fits: each candidate is asked for its version. */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/child.h"
#include "core/step/baseline_inner.h"

enum { ASK_MS = 5000 };

static void add(struct tools *t, const char *dir)
{
    t->dirs = xrealloc(t->dirs, (size_t)(t->ndirs + 1) * sizeof *t->dirs);
    t->dirs[t->ndirs++] = xstrdup(dir);
}

void tools_begin(struct tools *t, struct task *owner, const char *pg_bin, int need)
{
    static const char *const usual[] = {"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin"};
    *t = (struct tools){.owner = owner, .need = need};
    add(t, pg_bin);
    for (size_t i = 0; !*pg_bin && i < ARRAY_LEN(usual); i++) {
        glob_t found = {0};
        if (glob(usual[i], 0, NULL, &found) == 0)
            for (size_t k = 0; k < found.gl_pathc; k++)
                add(t, found.gl_pathv[k]);
        globfree(&found);
    }
}

static void ask(struct tools *t)
{
    char program[PATH_MAX];
    const char *dir = t->dirs[t->at];
    snprintf(program, sizeof program, "%s%spg_dump", dir, *dir ? "/" : "");
    const char *const argv[] = {program, "--version", NULL};
    t->child = child_new(t->owner);
    child_start(t->child, &(struct child_opts){.argv = argv, .timeout_ms = ASK_MS});
}

/* "pg_dump (PostgreSQL) 15.18 (Debian ...)" */
static int version_of(const char *said)
{
    const char *at = strstr(said, "(PostgreSQL) ");
    return at ? atoi(at + strlen("(PostgreSQL) ")) : 0;
}

static void take(struct tools *t)
{
    size_t len;
    int version = child_failed(t->child) ? 0 : version_of(child_output(t->child, &len));
    if (version > t->newest) {
        t->newest = version;
        snprintf(t->newest_bin, sizeof t->newest_bin, "%s", *t->dirs[t->at] ? t->dirs[t->at] : "PATH");
    }
    if (version >= t->need && (!t->best || version < t->best)) {
        t->best = version;
        snprintf(t->bin, sizeof t->bin, "%s", t->dirs[t->at]);
    }
}

bool tools_go(struct tools *t)
{
    for (; t->at < t->ndirs; t->at++) {
        if (!t->child)
            ask(t);
        if (child_busy(t->child))
            return false;
        take(t);
        child_free(t->child);
        t->child = NULL;
    }
    return true;
}

void tools_free(struct tools *t)
{
    child_free(t->child);
    for (int i = 0; i < t->ndirs; i++)
        free(t->dirs[i]);
    free(t->dirs);
    *t = (struct tools){0};
}
