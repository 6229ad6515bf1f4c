/* flag: an application's own switch that stops its writes, set by a program or by an HTTP request: a fence for what no pooler
 * and no server can hold back with good manners. Setting it twice the same way must be harmless.
 *
 * A program gets CUTOVER_FENCE=on or off in its environment and says by its status whether it is done; a URL gets a POST with
 * {"fence":"on"} or {"fence":"off"} as JSON, and any status below 400 says done. The object belongs to a task, see task.h. */
#ifndef CORE_FLAG_H
#define CORE_FLAG_H

#include "core/plan.h"
#include "core/task.h"

#define FLAG_OFF_MS 2000 /* what an "off" may take; it is tried again by who must have it */

struct flag;
struct flag *flag_new(struct task *owner, const struct plan_flag *plan); /* its strings are copied */
/* A setting that is still on its way is ended first: the last word counts. */
void flag_set(struct flag *f, bool on, int64_t timeout_ms);
bool flag_busy(const struct flag *f);
bool flag_failed(const struct flag *f);
const char *flag_error(const struct flag *f); /* a finished sentence; "" unless failed */
const char *flag_name(const struct flag *f);
void flag_free(struct flag *f); /* ends what is on its way; NULL is fine */

#endif
