/* What the model foretold at the flip, and what came: folds the events that `drive PLAN watch` printed.
 *
 *   propagation PLAN EVENTS
 *
 * One line for each resolver of the first record, times in ms after the flip (when every server of the zone had been seen with green's value):
 *   NAME foretold FORETOLD old LAST came CAME caches N holds SECONDS silent-turns N
 * foretold: when its last old answer runs out, as known at the flip, or by its first answer afterwards where the one before had run out; old: its last old answer; came: when it was new for good, -1 never. silent-turns: how often it went
 * to old or new with an event that was no answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/event.h"
#include "core/model.h"

struct seen {
    int64_t foretold, old, came, holds, turns;
    int caches;
    enum cell_state state;
};

static bool is_flipped(const struct model *m)
{
    return m->record[0].gone_by != 0;
}

static void at_the_flip(const struct model *m, const struct plan *p, struct seen *seen, int64_t at)
{
    for (int r = 0; r < p->dns.nresolvers; r++) {
        const struct model_dns *c = model_cell(m, p, r, 0);
        seen[r].foretold = c->old_until > at ? c->old_until - at : 0;
        seen[r].holds = c->holds;
        seen[r].caches = c->caches;
    }
}

static void follow(const struct model *m, const struct plan *p, struct seen *seen, int64_t at, int64_t flip, bool answered)
{
    for (int r = 0; r < p->dns.nresolvers; r++) {
        enum cell_state s = model_cell(m, p, r, 0)->state;
        if (s != seen[r].state && !answered && (s == CELL_OLD || s == CELL_NEW))
            seen[r].turns++;
        if (s == CELL_NEW && seen[r].state != CELL_NEW)
            seen[r].came = flip ? at - flip : 0;
        else if (s != CELL_NEW)
            seen[r].came = -1;
        if (s == CELL_OLD || s == CELL_MIXED)
            seen[r].old = model_cell(m, p, r, 0)->answered_at - flip;
        if (flip && !seen[r].foretold && seen[r].old > 0)
            seen[r].foretold = MAX(model_cell(m, p, r, 0)->old_until - flip, (int64_t)0);
        seen[r].state = s;
    }
}

int main(int argc, char **argv)
{
    struct plan_problems problems = {0};
    struct plan *p = argc == 3 ? plan_load(argv[1], &problems) : NULL;
    FILE *f = p ? fopen(argv[2], "r") : NULL;
    if (!f) {
        fprintf(stderr, "usage: propagation PLAN EVENTS\n");
        return 2;
    }
    struct model *m = model_new(p);
    struct seen *seen = xcalloc((size_t)p->dns.nresolvers, sizeof *seen);
    int64_t flip = 0;
    char *line = NULL;
    size_t size = 0;
    for (ssize_t len; (len = getline(&line, &size, f)) > 0;) {
        struct event_read read = {0};
        struct err err = {0};
        if (!event_decode(line, (size_t)len, &read, &err))
            continue;
        const struct event *e = &read.event;
        model_fold(m, p, e);
        if (!flip && is_flipped(m)) {
            flip = e->at;
            at_the_flip(m, p, seen, flip);
        }
        follow(m, p, seen, e->at, flip, e->kind == EVENT_dns_seen && strcmp(e->dns_seen.status, "ok") == 0);
        event_read_free(&read);
    }
    for (int r = 0; r < p->dns.nresolvers; r++)
        if (!p->dns.resolvers[r].authoritative)
            printf("%s foretold %lld old %lld came %lld caches %d holds %lld silent-turns %lld\n", p->dns.resolvers[r].name, (long long)seen[r].foretold, (long long)seen[r].old,
                (long long)seen[r].came, seen[r].caches, (long long)seen[r].holds, (long long)seen[r].turns);
    free(line);
    free(seen);
    fclose(f);
    model_free(m);
    plan_free(p);
    return flip ? 0 : 1;
}
