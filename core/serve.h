/* serve: the engine as a process. serve_run lives as long as the run; serve_check looks once and judges. */
#ifndef CORE_SERVE_H
#define CORE_SERVE_H

#include "core/cutover.h"

/* Runs the engine until the run is over (or SIGTERM, SIGINT). ready_fd >= 0: one line is written there, "ready" or the
 * error, and it is closed. echo: log lines go to standard output. Returns the exit status: 0 done, 1 stopped, 2 could not
 * start, 3 returned to blue. */
int serve_run(const struct cutover_options *options, int ready_fd, bool echo);

/* Observes everything once; prints go or no-go per gate and check. 0 go, 1 no-go, 2 could not look. */
int serve_check(const char *plan_path, const char *state_dir);

#endif
