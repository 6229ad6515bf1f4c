/* checks = ( { ... } ): the checklist. */
#include "core/plan_read.h"
#include "core/plan_kinds.h"

#include <string.h>

static const struct plan_kind kinds[] = {
#define X(name_, options_, sentence_) {.name = name_, .options = options_, .sentence = sentence_},
    PLAN_CHECK_KINDS(X)
#undef X
};

/* What a kind can't do without. */
static const struct {
    const char *kind, *needed;
} needs[] = {{"spf", "domain"}, {"dkim", "domain selector"}, {"dmarc", "domain"}, {"mx", "domain"}, {"caa", "domain issuer"}, {"mtasts", "domain"}, {"http", "url"}, {"storage", "from to"}, {"backup", "dump scratch"}, {"command", "run"}, {"person", "ask"}};

static bool take_check(struct plan_reader *r, const config_setting_t *group, const config_setting_t *s, void *into)
{
    struct plan_check *c = into;
    const struct plan_kind *kind = plan_kind_find(kinds, ARRAY_LEN(kinds), c->kind);
    (void)group;
    return kind ? plan_kind_take(r, s, kind, kinds, ARRAY_LEN(kinds), &c->options, &c->noptions) : plan_kind_forgives(s, kinds, ARRAY_LEN(kinds));
}

static void finish_check(struct plan_reader *r, const config_setting_t *group, void *into)
{
    struct plan_check *c = into;
    c->line = plan_line(group);
    if (c->kind[0] && !plan_kind_find(kinds, ARRAY_LEN(kinds), c->kind))
        plan_kind_complain(r, group, "check", c->kind, kinds, ARRAY_LEN(kinds));
    for (size_t i = 0; i < ARRAY_LEN(needs); i++)
        if (strcmp(needs[i].kind, c->kind) == 0)
            plan_kind_require(r, group, c->kind, needs[i].needed);
    if (strcmp(c->kind, "cron") == 0 && !plan_has_key(group, "file") && !plan_has_key(group, "command"))
        plan_complain(r, c->line, "A check of kind cron has no file and no command; add  file = \"/var/spool/cron/crontabs/...\";");
    if (!c->title[0])
        c->title = c->key;
}

static const struct plan_key check_keys[] = {
    PLAN_KEY(PLAN_NAME, "key", struct plan_check, key, NULL),
    PLAN_KEY(PLAN_NAME, "kind", struct plan_check, kind, NULL),
    PLAN_KEY(PLAN_TEXT, "title", struct plan_check, title, ""),
    PLAN_KEY(PLAN_DURATION, "expires", struct plan_check, expires, "24h"),
    PLAN_KEY(PLAN_FLAG, "required", struct plan_check, required, "true"),
};
const struct plan_part plan_check_part = {.what = "the check",
                                          .size = sizeof(struct plan_check),
                                          .keys = check_keys,
                                          .nkeys = ARRAY_LEN(check_keys),
                                          .take = take_check,
                                          .finish = finish_check};
