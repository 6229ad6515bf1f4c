/* watchdog: a second process that returns writes to blue when the engine can't: killed, stopped, or too slow. PgBouncer
 * stays paused when the one who paused it dies, so a switch without it is not begun.
 *
 * It lives only during a switch, in a session of its own, with its own connections that are open before the pause. It
 * hears the engine over one socket pair, a line per message; the end of that pipe is the engine's death.
 *
 *   engine -> watchdog                         watchdog -> engine
 *   {json: what to settle}                     ready | failed <sentence>
 *   pausing      its deadline runs from here   (none)
 *   resumed      the fence was given up        (none)
 *   committing   may I go forward?             committing | returned
 *   returning    may I go back?                returning | returned | completed
 *   done         all is settled: end           (end of file)
 *
 * It decides alone between forward and back, so exactly one of both happens: what it answers is what it will do itself
 * when the engine dies. Before "committing" was answered: blue. Then: green, until "returning" was answered. The
 * deadline does the same as a death, and the engine hears of it at its next question. After an act of its own it
 * waits for "done" or the end of the pipe and settles once more then, since a woken engine may have gone on a bit.
 * What it did stands as one JSON line in <state_dir>/watchdog.log: at, engine, did, took_us, pause_us, error. */
#ifndef CORE_WATCHDOG_H
#define CORE_WATCHDOG_H

#include "core/plan.h"

#define WATCHDOG_GRACE_MS 2000 /* beyond the switch's deadline, until it acts although the engine lives */

struct watchdog;
/* Starts this very program as `cutover watchdog`. retries: as for settle_add_plan. NULL and a sentence when
 * it can't be started. */
struct watchdog *watchdog_start(const struct plan *plan, bool back, const char *const *retries, const char *state_dir, struct err *err);
int watchdog_fd(const struct watchdog *w); /* to wait for; -1 when it has ended */
void watchdog_tell(struct watchdog *w, const char *word);
/* The next line it said; false when there is none now. */
bool watchdog_hears(struct watchdog *w, char *line, size_t size);
bool watchdog_is_gone(const struct watchdog *w); /* its end of the pipe is closed */
void watchdog_kill(struct watchdog *w);          /* KILL and wait: afterwards it does nothing more */
void watchdog_free(struct watchdog *w);          /* closes the pipe: without "done" before, it will settle */

/* The last line of watchdog.log of this state directory; false when there is none. did: "returned", "completed", "tries" */
struct watchdog_entry {
    int64_t at, engine, took_us, pause_us;
    char did[16], error[300];
};
bool watchdog_last(const char *state_dir, struct watchdog_entry *entry);

/* The child: main() calls it when argv[1] is "watchdog". Its end of the pipe is descriptor 3. */
int watchdog_main(int argc, char **argv);

#endif
