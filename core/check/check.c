#include "core/check/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/text.h"

enum { EVIDENCE_MAX = 4000 };

/* One line per kind: add the file's constant here and its row to PLAN_CHECK_KINDS. */
extern const struct check_kind check_spf, check_dkim, check_dmarc, check_ptr, check_mx, check_caa, check_mtasts, check_tls, check_intercept, check_http, check_cron, check_storage, check_backup, check_command, check_person;

const struct check_kind *const check_kinds[] = {
    &check_spf, &check_dkim, &check_dmarc, &check_ptr, &check_mx, &check_caa, &check_mtasts, &check_tls, &check_intercept, &check_http, &check_cron, &check_storage, &check_backup, &check_command, &check_person,
};
const int ncheck_kinds = ARRAY_LEN(check_kinds);

const struct check_kind check_person = {.name = "person"}; /* no run: only a person can prove it */

const struct check_kind *check_kind_find(const char *name)
{
    for (int i = 0; i < ncheck_kinds; i++)
        if (strcmp(check_kinds[i]->name, name) == 0)
            return check_kinds[i];
    return NULL;
}

static void closed(struct task *task)
{
    struct check_run *run = (struct check_run *)task;
    if (run->kind->free_own)
        run->kind->free_own(run);
    run->over(run);
}

struct check_run *check_start(uv_loop_t *loop, const struct plan *plan, const struct model *model, struct door *door, const char *state_dir,
                              int index, void (*over)(struct check_run *), void *owner)
{
    const struct check_kind *kind = check_kind_find(plan->checks[index].kind);
    if (!kind || !kind->run)
        return NULL;
    struct check_run *run = xcalloc(1, sizeof *run);
    run->loop = loop;
    run->plan = plan;
    run->model = model;
    run->door = door;
    run->state_dir = state_dir;
    run->index = index;
    run->check = &plan->checks[index];
    run->kind = kind;
    run->started = clock_mono();
    run->own = xcalloc(1, kind->own_size);
    run->over = over;
    run->owner = owner;
    RECORD(door, check_began, .check = run->check->key);
    task_start(&run->task, loop, kind->run, closed);
    return run;
}

/* Whoever fills a record with 60 kB does not fill the journal with it: the rest is told by its digest. */
static char *bounded(const char *evidence)
{
    char begin[EVIDENCE_MAX], digest[DIGEST_HEX_SIZE];
    size_t len = strlen(evidence);
    if (len < sizeof begin)
        return xstrdup(evidence);
    digest_sha256_hex(digest, evidence, len);
    text_line(begin, sizeof begin, evidence, len);
    return xprintf("%s (%zu bytes in all, SHA-256 %s)", begin, len, digest);
}

void check_end(struct check_run *run, enum check_verdict verdict, const char *evidence, const char *fmt, ...)
{
    static const char *const names[] = {"unknown", "pass", "fail"};
    char sentence[400], whole[2000], *proof = bounded(evidence);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(whole, sizeof whole, fmt, ap);
    va_end(ap);
    text_line(sentence, sizeof sentence, whole, strlen(whole));
    run->verdict = verdict;
    run->ended = true;
    RECORD(run->door, check_ended, .check = run->check->key, .verdict = names[verdict], .sentence = sentence, .evidence = proof,
        .by = "machine", .expires = clock_wall() + run->check->expires, .took = clock_mono() - run->started);
    free(proof);
    task_stop(&run->task);
}

void check_free(struct check_run *run)
{
    free(run->own);
    free(run);
}

const char *check_option(const struct check_run *run, const char *name, const char *otherwise)
{
    return plan_option_text(run->check->options, run->check->noptions, name, otherwise);
}

enum check_verdict check_verdict_at(const struct model_check *c, int64_t now)
{
    return c->verdict == CHECK_PASS && now >= c->expires ? CHECK_UNKNOWN : c->verdict;
}
