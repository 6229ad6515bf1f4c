#include "core/check/names.h"

#include <string.h>
#include <strings.h>

#include "core/dnswire.h"

enum { NEXT, ANSWER }; /* task.at */
enum { ALL_MS = 45000 };

static void ask_next(struct check_run *run, const struct names_kind *kind)
{
    struct names *n = run->own;
    run->task.at = ANSWER;
    if (kind->next(run, n))
        dnsasker_ask(n->asker, &run->task, n->name, n->type);
}

static bool begin(struct check_run *run)
{
    struct names *n = run->own;
    if (!run->plan->dns.nresolvers) {
        check_end(run, CHECK_UNKNOWN, "", "%s can't be looked at: the plan has no dns with a server or resolvers.", run->check->kind);
        return false;
    }
    n->asker = dnsasker_new(run->loop, &run->plan->dns);
    return true;
}

void names_go(struct check_run *run, const struct names_kind *kind)
{
    struct names *n = run->own;
    if (run->task.at == NEXT) {
        if (begin(run))
            ask_next(run, kind);
        return;
    }
    if (dnsasker_busy(n->asker))
        return;
    const struct dns_answer *a = dnsasker_answer(n->asker);
    if (!dnsasker_knows(a)) {
        check_end(run, CHECK_UNKNOWN, "", "%s %s could not be looked at: %s.", dnswire_type_name(n->type), n->name, a ? a->error : "no server of the plan has an address");
        return;
    }
    if (clock_mono() - run->started > ALL_MS) {
        check_end(run, CHECK_UNKNOWN, "", "%s could not be looked at within %d s.", run->check->kind, ALL_MS / 1000);
        return;
    }
    kind->take(run, a);
    if (!run->ended)
        ask_next(run, kind);
}

void names_free(struct names *n)
{
    dnsasker_free(n->asker);
}

const char *names_text(const struct dns_answer *a, int type, int i)
{
    for (int r = 0; r < a->count; r++)
        if (a->records[r].type == type && i-- == 0)
            return a->records[r].text;
    return NULL;
}

int names_find(const struct dns_answer *a, int type, const char *prefix, const char **text)
{
    int n = 0;
    const char *at;
    for (int i = 0; (at = names_text(a, type, i)); i++)
        if (strncasecmp(at, prefix, strlen(prefix)) == 0 && n++ == 0)
            *text = at;
    return n;
}

const char *names_domain(const struct check_run *run)
{
    return check_option(run, "domain", run->plan->dns.zone ? run->plan->dns.zone : "");
}

const char *names_egress(const struct check_run *run, enum side side, int i)
{
    const struct plan_side *s = &run->plan->side[side];
    if (s->negress)
        return i < s->negress ? s->egress[i] : NULL;
    return i == 0 && s->address && *s->address ? s->address : NULL;
}
