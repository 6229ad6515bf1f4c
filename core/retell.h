/* retell: a journal read from its beginning into a plan and a model, for whoever looks at a run from outside. */
#ifndef CORE_RETELL_H
#define CORE_RETELL_H

#include "core/gate.h"
#include "core/journal.h"

struct retold {
    struct plan *plan;
    struct model *model;
    /* called after each event, if set */
    void (*each)(struct retold *r, const struct event *event);
    void *arg;
    bool failed;
};
bool retell(const char *path, struct retold *r, struct err *err); /* r zeroed, each and arg as wished */
void retold_free(struct retold *r);

#endif
