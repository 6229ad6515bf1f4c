/* haproxy: what the admin socket says and takes. haproxy-management, chapter 9.1 (statistics as CSV) and 9.3 (socket commands). */
#ifndef CORE_HAPROXY_H
#define CORE_HAPROXY_H

#include "core/plan.h"

struct haproxy_row { /* one server of one backend; counters since HAProxy began */
    int64_t weight, selected, good, in_flight;
    char status[16]; /* "UP", "DOWN", "UP 1/3", "no check" */
};
/* Finds backend/server in the answer to "show stat". Columns are found by their names. False when it is not there. */
bool haproxy_find(const char *csv, const char *backend, const char *server, struct haproxy_row *row);
/* Commands that set both weights in one write, the raised side first: never is the sum 0. */
void haproxy_weights(const struct plan_traffic *t, int green_percent, bool green_first, char *buf, size_t size);

#endif
