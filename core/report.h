/* report: the Markdown record of a run, made from its journal alone: who confirmed what and when, how long each step took, the
 * measured write pause with its phases, the evidence of every check, what was refused, skipped or decided, the notes. */
#ifndef CORE_REPORT_H
#define CORE_REPORT_H

#include "core/base.h"

bool report_write(const char *journal_path, struct buf *out, struct err *err);

#endif
