/* source: something that watches. A kind is one file source_x.c that ends in one `const struct source_kind` and one row
 * in source.c; count() says how many of it a plan needs, each is a task of its own that never ends by itself: it looks,
 * records what it saw, sleeps until its next instant. When it can't look it says so once (source_failed), keeps trying
 * with growing pauses (at most 10 s), and says source_back. A dead server never stops the others. */
#ifndef CORE_SOURCE_SOURCE_H
#define CORE_SOURCE_SOURCE_H

#include "core/gate.h"
#include "core/task.h"

struct source {
    struct task task; /* first */
    uv_loop_t *loop;
    const struct plan *plan;
    const struct model *model;
    struct door *door;
    int index;        /* 0 .. count-1 */
    const struct source_kind *kind;
    bool failing;     /* source_failed was recorded and not yet source_back */
    int64_t pause;    /* of the next try while failing */
    int64_t looks;    /* completed looks, good or bad: `cutover check` waits until each source has one */
    void *own;        /* zeroed, kind->own_size bytes */
    void (*over)(struct source *source); /* the engine's; called when the task has closed */
    void *engine;
};
struct source_kind {
    const char *name;
    size_t own_size;
    int (*count)(const struct plan *p);
    void (*name_of)(const struct plan *p, int index, char *buf, size_t size); /* "replication shop", "resolver Quad9" */
    void (*run)(struct task *task);
    void (*free_own)(struct source *source);
};
extern const struct source_kind *const source_kinds[];
extern const int nsource_kinds;

void source_start(struct source *source);
/* After a look. Both count it; failed records source_failed once and doubles the pause; worked resets it. */
void source_failed(struct source *source, const char *fmt, ...) PRINTF(2, 3);
void source_worked(struct source *source);
void source_free(struct source *source);

#endif
