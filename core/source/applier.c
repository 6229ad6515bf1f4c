#include "core/source/applier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "core/text.h"

enum { PATIENCE = 8000 };

/* Workers that apply a large transaction for another have a leader (16). */
#define WORKER \
    "(SELECT bool_or(s.subenabled) FROM pg_subscription s WHERE s.subname = $1)," \
    " coalesce((SELECT max(w.pid) FROM pg_stat_subscription w WHERE w.subname = $1 AND w.relid IS NULL AND to_jsonb(w)->>'leader_pid' IS NULL), 0)"
#define OF_STATS(sum) ", (SELECT coalesce(sum(" sum "), 0) FROM pg_stat_subscription_stats e WHERE e.subname = $1)"

const char *applier_columns(int server_version)
{
    if (server_version >= 180000)
        return WORKER OF_STATS("e.apply_error_count + e.sync_error_count")
            OF_STATS("e.confl_insert_exists + e.confl_update_exists + e.confl_update_missing + e.confl_delete_missing + e.confl_multiple_unique_conflicts");
    return server_version >= 150000 ? WORKER OF_STATS("e.apply_error_count + e.sync_error_count") ", 0" : WORKER ", 0, 0";
}

/* A worker that fails is started again every 5 s, for ever; and a new subscription may wait as long for its first one. */
void applier_judge(struct applier *a, const struct pg *pg, int first)
{
    bool enabled = pg_bool(pg, 0, first);
    int64_t now = clock_mono(), pid = pg_int(pg, 0, first + 1), errors = pg_int(pg, 0, first + 2);
    bool anew = pid && a->pid && pid != a->pid;
    a->counts = pg_server_version(pg) >= 150000;
    bool failed = a->counts ? a->judged && errors > a->errors : anew;
    a->restarts += anew;
    a->asks_log = a->asks_log || anew || failed || (enabled && !pid && !a->absent_since);
    a->failed_at = failed ? now : a->failed_at;
    a->errors = errors;
    a->conflicts = pg_int(pg, 0, first + 3);
    a->pid = pid ? pid : a->pid;
    a->judged = true;
    if (pid || !enabled)
        a->absent_since = 0;
    else if (!a->absent_since)
        a->absent_since = now;
    if (!enabled)
        a->failed_at = 0;
}

void applier_sentence(const struct applier *a, const char *side, char *buf, size_t size)
{
    int64_t now = clock_mono();
    char times[48] = "";
    bool fails = a->failed_at && now - a->failed_at < PATIENCE, gone = a->absent_since && now - a->absent_since > PATIENCE;
    buf[0] = '\0';
    if (!fails && !gone)
        return;
    if (a->errors)
        snprintf(times, sizeof times, " (%lld times so far)", (long long)a->errors);
    if (*a->words)
        snprintf(buf, size, "%s's worker fails%s: %s", side, times, a->words);
    else if (fails)
        snprintf(buf, size, "%s's workers fail%s; the reason stands in %s's server log", side, times, side);
    else
        snprintf(buf, size, "%s's apply worker is not running%s; its reason stands in %s's server log", side, times, side);
}

/* ---- the server's log ---- */

const char applier_log_sql[] =
    "SELECT encode(pg_read_binary_file(f, greatest(coalesce((pg_stat_file(f, true)).size, 0) - 65536, 0), 65536, true), 'escape')"
    " FROM pg_current_logfile('stderr') f WHERE f IS NOT NULL";

/* bytea's escape format: \\ for a backslash, \ooo for a byte with its high bit or 0. */
static void unescape(char *s)
{
    char *out = s;
    for (; *s; s++) {
        bool octal = s[0] == '\\' && strspn(s + 1, "01234567") >= 3;
        if (octal) {
            *out++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
            s += 3;
        } else {
            s += s[0] == '\\' && s[1] == '\\';
            *out++ = *s;
        }
    }
    *out = '\0';
}

void applier_read_log(struct applier *a, const struct pg *pg)
{
    a->asks_log = false;
    a->no_log = pg_failed(pg) || pg_rows(pg) == 0 || pg_is_null(pg, 0, 0);
    if (a->no_log)
        return;
    char *log = xstrdup(pg_value(pg, 0, 0));
    unescape(log);
    applier_find(log, a->words, sizeof a->words);
    free(log);
}

/* The last place before `end` where `word` begins; NULL. */
static const char *last_before(const char *log, const char *end, const char *word)
{
    const char *found = NULL;
    for (const char *at = strstr(log, word); at && at < end; at = strstr(at + 1, word))
        found = at;
    return found;
}

static const char *line_of(const char *log, const char *at)
{
    while (at > log && at[-1] != '\n')
        at--;
    return at;
}

/* The ERROR that ended the process: its line bears the pid where log_line_prefix has one, else it is the last before its end. */
static const char *error_of(const char *log, const char *end, const char *pid)
{
    const char *last = last_before(log, end, "ERROR:  ");
    for (const char *e = last; e; e = last_before(log, line_of(log, e), "ERROR:  ")) {
        const char *in = strstr(line_of(log, e), pid);
        if (in && in < e)
            return e;
    }
    return last;
}

bool applier_find(const char *log, char *words, size_t size)
{
    static const char dead[] = "background worker \"logical replication", detail[] = "DETAIL:  ";
    const char *end = last_before(log, log + strlen(log), dead);
    char pid[24] = "";
    if (!end || sscanf(end, "%*[^(](PID %20[0-9])", pid) != 1)
        return false;
    const char *error = error_of(log, end, pid);
    if (!error)
        return false;
    error += strlen("ERROR:  ");
    size_t n = strcspn(error, "\n");
    const char *next = error[n] ? error + n + 1 : "", *why = strstr(next, detail);
    struct buf text = {0};
    buf_add(&text, error, n);
    if (why && why < next + strcspn(next, "\n"))
        buf_printf(&text, ". %.*s", (int)strcspn(why + strlen(detail), "\n"), why + strlen(detail));
    text_line(words, size, text.text ? text.text : "", text.len);
    buf_free(&text);
    return true;
}
