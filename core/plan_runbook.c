/* The region move: what is run when a plan names no steps. The same reader reads it; plan_example shows it. */
#include "core/plan_read.h"

const char plan_runbook[] =
#include "core/plan_runbook.inc"
    ;
