/* gate_inner: what the gate's own files share. Nobody but gate*.c includes this. */
#ifndef CORE_GATE_INNER_H
#define CORE_GATE_INNER_H

#include "core/gate.h"

struct gate_line *gate_add_line(struct gate *g, const char *id, bool held, const char *text);
/* The first obstacle gives the sentence; STOP outweighs HOLD. */
void gate_object(struct gate *g, enum gate_verdict verdict, const char *fmt, ...) PRINTF(3, 4);
bool gate_has_kind(const struct plan *p, int step, const char *kind);

void gate_rules_switch(struct gate *g, const struct model *m, const struct plan *p, int64_t now); /* gate_pg.c: S1, S16, S17, S18 */
void gate_rule_way_back(struct gate *g, const struct model *m, const struct plan *p, int step, int64_t now); /* S8 */

#endif
