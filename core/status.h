/* status: the state of a run as one JSON object on standard output, read from its journal. For scripts: names are stable. */
#ifndef CORE_STATUS_H
#define CORE_STATUS_H

#include "core/base.h"

/* 0 printed; 2 there is no such run, or its journal can't be read (the sentence goes to standard error). */
int status_print(const char *journal_path);

#endif
