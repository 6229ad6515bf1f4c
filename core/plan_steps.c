/* steps = ( { ... } ): the runbook. What a step doesn't say follows from its kind. */
#include "core/plan_kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_STEPS 26
#define MOST_CONDITIONS 12

static const struct plan_kind kinds[] = {
#define X(name_, undo_, options_, sentence_) {.name = name_, .undo = undo_, .options = options_, .sentence = sentence_},
    PLAN_STEP_KINDS(X)
#undef X
};

static const struct usual { /* what counts for a kind when a step says nothing */
    const char *kind, *title;
    const char *part;   /* the plan must have it */
    const char *needed; /* options that must stand there */
    enum plan_confirm confirm;
    const char *timeout;
    bool no_return;
} usual[] = {
    {"dns.ttl", "Set the TTL of every record", "dns", "ttl", CONFIRM_KEY, "2m", false},
    {"pg.audit", "Audit the databases", "databases", "", CONFIRM_NONE, "2m", false},
    {"pg.replicate", "Replicate blue to green", "databases", "", CONFIRM_KEY, "24h", false},
    {"pg.verify", "Prove that both sides hold the same rows", "databases", "", CONFIRM_NONE, "24h", false},
    {"checks", "Prove the checklist", "checks", "", CONFIRM_NONE, "10m", false},
    {"traffic", "Shift reads to green", "balancer", "", CONFIRM_KEY, "10m", false},
    {"switch", "Switch writes to green", "databases", "", CONFIRM_TYPE, "2m", true},
    {"switch.dry", "Rehearse the pause of the switch", "databases", "", CONFIRM_TYPE, "2m", false},
    {"dns.flip", "Point the names at green", "dns", "", CONFIRM_TYPE, "2m", false},
    {"wait", "Wait", "", "verify", CONFIRM_NONE, "48h", false},
    {"hold", "Keep blue read-only", "databases", "", CONFIRM_KEY, "10m", false},
    {"pg.cleanup", "Remove what replication left", "databases", "", CONFIRM_TYPE, "5m", false},
    {"command", "Run a program", "", "run", CONFIRM_KEY, "10m", false},
    {"manual", "By hand", "", "say", CONFIRM_KEY, "24h", false},
};

static const struct usual *usual_of(const char *kind)
{
    for (size_t i = 0; i < ARRAY_LEN(usual); i++)
        if (strcmp(usual[i].kind, kind) == 0)
            return &usual[i];
    return NULL;
}

/* ---- reading one step ---- */

struct raw { /* a step as it stands in the file; the words become numbers when all steps are read */
    struct plan_step step;
    const char **needs;
    int nneeds;
    const char *confirm, *on_fail;
    const config_setting_t *group;
};

static const struct plan_key step_keys[] = {
    PLAN_KEY(PLAN_NAME, "key", struct raw, step.key, NULL),
    PLAN_KEY(PLAN_NAME, "kind", struct raw, step.kind, NULL),
    PLAN_KEY(PLAN_TEXT, "title", struct raw, step.title, ""),
    PLAN_LIST(PLAN_NAME, "needs", struct raw, needs, nneeds, ""),
    PLAN_LIST(PLAN_CONDITION, "gate", struct raw, step.gate, step.ngate, ""),
    PLAN_LIST(PLAN_CONDITION, "verify", struct raw, step.verify, step.nverify, ""),
    PLAN_KEY(PLAN_NAME, "confirm", struct raw, confirm, ""),
    PLAN_KEY(PLAN_DURATION, "timeout", struct raw, step.timeout, ""),
    PLAN_KEY(PLAN_NAME, "on_fail", struct raw, on_fail, "ask"),
    PLAN_KEY(PLAN_FLAG, "undo", struct raw, step.has_undo, ""),
    PLAN_KEY(PLAN_FLAG, "no_return", struct raw, step.no_return, ""),
    PLAN_KEY(PLAN_FLAG, "skippable", struct raw, step.skippable, "false"),
    PLAN_KEY(PLAN_NAME, "bind", struct raw, step.bind, ""),
    PLAN_KEY(PLAN_DURATION, "expect", struct raw, step.expect, ""),
};

static bool take_step(struct plan_reader *r, const config_setting_t *group, const config_setting_t *s, void *into)
{
    struct plan_step *step = &((struct raw *)into)->step;
    const struct plan_kind *kind = plan_kind_find(kinds, ARRAY_LEN(kinds), step->kind);
    (void)group;
    return kind ? plan_kind_take(r, s, kind, kinds, ARRAY_LEN(kinds), &step->options, &step->noptions) : plan_kind_forgives(s, kinds, ARRAY_LEN(kinds));
}

static const config_setting_t *member(const config_setting_t *group, const char *name)
{
    return config_setting_get_member((config_setting_t *)group, name);
}

/* The place of `word` in `words`; complains where it is none of them. */
static int read_word(struct plan_reader *r, const config_setting_t *group, const char *name, const char *word, const char *const *words, int n)
{
    char hint[64];
    struct buf all = {0};
    for (int i = 0; i < n; i++) {
        if (strcmp(words[i], word) == 0) {
            buf_free(&all);
            return i;
        }
        buf_printf(&all, "%s%s", i ? " " : "", words[i]);
    }
    if (member(group, name))
        plan_complain(r, plan_line(member(group, name)), "%s must be one of: %s; it is \"%s\"%s", name, all.text, word, plan_hint(word, all.text, hint, sizeof hint));
    buf_free(&all);
    return 0;
}

static void read_words(struct plan_reader *r, struct raw *raw, const struct usual *u)
{
    static const char *const confirms[] = {"none", "key", "type"}, *const fails[] = {"ask", "undo", "hold"};
    raw->step.confirm = plan_has_key(raw->group, "confirm") ? (enum plan_confirm)read_word(r, raw->group, "confirm", raw->confirm, confirms, 3) : u->confirm;
    raw->step.on_fail = (enum plan_on_fail)read_word(r, raw->group, "on_fail", raw->on_fail, fails, 3);
}

static void read_undo(struct plan_reader *r, struct raw *raw, const struct plan_kind *kind)
{
    struct plan_step *s = &raw->step;
    bool can = kind->undo && (strcmp(kind->name, "command") != 0 || plan_has_key(raw->group, "undo_run"));
    const config_setting_t *undo = member(raw->group, "undo");
    if (undo && s->has_undo && !can)
        plan_complain(r, plan_line(undo), "A step of kind %s can't be undone%s.", kind->name,
                      kind->undo ? " without undo_run; add  undo_run = [ \"program\" ]" : "; take out undo = true");
    if (!undo)
        s->has_undo = can;
    if (s->on_fail == ON_FAIL_UNDO && !s->has_undo)
        plan_complain(r, plan_line(member(raw->group, "on_fail")), "on_fail is \"undo\", but this step has no undo; write \"ask\" or \"hold\".");
}

/* ---- times ---- */

/* What the step spends by its own definition, without any work. */
static int64_t least_time(const struct plan *p, const struct plan_step *s)
{
    const struct plan_option *stages = plan_option_find(s->options, s->noptions, "stages");
    int64_t bake = p->traffic.bake, hold = p->hold;
    plan_duration(plan_option_text(s->options, s->noptions, "bake", ""), &bake);
    plan_duration(plan_option_text(s->options, s->noptions, "for", ""), &hold);
    if (strcmp(s->kind, "hold") == 0)
        return hold;
    return strcmp(s->kind, "traffic") == 0 ? bake * (stages ? stages->nvalues : p->traffic.nstages) : 0;
}

static void read_timeout(struct plan_reader *r, struct raw *raw, const struct usual *u)
{
    const config_setting_t *timeout = member(raw->group, "timeout");
    int64_t least = least_time(r->plan, &raw->step), slack = 0;
    plan_duration(u->timeout, &slack);
    if (!timeout || !raw->step.timeout)
        raw->step.timeout = least + slack;
    else if (raw->step.timeout <= least)
        plan_complain(r, plan_line(timeout), "timeout is too short: this step takes at least %lld s by its own times.", (long long)(least / 1000));
}

/* ---- one step against its kind ---- */

static void check_option_values(struct plan_reader *r, const struct plan_step *s)
{
    const struct plan_option *ttl = plan_option_find(s->options, s->noptions, "ttl");
    int64_t seconds;
    if (ttl && ttl->nvalues && strcmp(ttl->values[0], "low") != 0 && strcmp(ttl->values[0], "normal") != 0 &&
        !(plan_duration(ttl->values[0], &seconds) && seconds >= 1000))
        plan_complain(r, ttl->line, "ttl must be \"low\", \"normal\" or a number of seconds; it is \"%.60s\".", ttl->values[0]);
    const struct plan_option *stages = plan_option_find(s->options, s->noptions, "stages");
    for (int i = 1; stages && i < stages->nvalues; i++)
        if (atoi(stages->values[i]) <= atoi(stages->values[i - 1]))
            plan_complain(r, stages->line, "stages must rise: %s comes after %s.", stages->values[i], stages->values[i - 1]);
}

static void check_against_kind(struct plan_reader *r, struct raw *raw, const struct plan_kind *kind, const struct usual *u)
{
    plan_kind_require(r, raw->group, kind->name, u->needed);
    if (u->part[0] && !plan_has_part(r, u->part))
        plan_complain(r, plan_line(raw->group), "A step of kind %s needs %s, and the plan has none; add it or take the step out.", kind->name,
                      strcmp(u->part, "balancer") == 0 ? "traffic.haproxy" : u->part);
    if (raw->step.ngate > MOST_CONDITIONS || raw->step.nverify > MOST_CONDITIONS)
        plan_complain(r, plan_line(raw->group), "A step has at most %d conditions in gate and in verify; join or split them.", MOST_CONDITIONS);
    check_option_values(r, &raw->step);
}

static void finish_step(struct plan_reader *r, const config_setting_t *group, void *into)
{
    struct raw *raw = into;
    struct plan_step *s = &raw->step;
    const struct plan_kind *kind = plan_kind_find(kinds, ARRAY_LEN(kinds), s->kind);
    raw->group = group;
    s->line = r->builtin ? 0 : plan_line(group);
    if (!kind) {
        if (s->kind[0])
            plan_kind_complain(r, group, "step", s->kind, kinds, ARRAY_LEN(kinds));
        return;
    }
    const struct usual *u = usual_of(kind->name);
    if (!s->title[0])
        s->title = u->title;
    if (!plan_has_key(group, "no_return"))
        s->no_return = u->no_return;
    check_against_kind(r, raw, kind, u);
    read_words(r, raw, u);
    read_undo(r, raw, kind);
    read_timeout(r, raw, u);
}

const struct plan_part plan_step_part = {.what = "the step",
                                         .size = sizeof(struct raw),
                                         .keys = step_keys,
                                         .nkeys = ARRAY_LEN(step_keys),
                                         .take = take_step,
                                         .finish = finish_step};

/* ---- all steps together ---- */

struct steps {
    struct plan_reader *r;
    struct raw *raw;
    int n;
};

static int index_of(const struct steps *all, int n, const char *key)
{
    for (int i = 0; i < n; i++)
        if (all->raw[i].step.key && strcmp(all->raw[i].step.key, key) == 0)
            return i;
    return -1;
}

static void complain_need(const struct steps *all, int i, const char *need)
{
    struct buf keys = {0};
    char hint[128];
    buf_puts(&keys, "");
    for (int k = 0; k < i; k++)
        buf_printf(&keys, "%s ", all->raw[k].step.key ? all->raw[k].step.key : "");
    int line = plan_line(member(all->raw[i].group, "needs")), at = index_of(all, all->n, need);
    if (at >= 0)
        plan_complain(all->r, line, "%s needs %s, which %s; move one of them.", all->raw[i].step.key, need, at == i ? "is itself" : "comes later");
    else
        plan_complain(all->r, line, "%s needs \"%s\", and no step has that key%s", all->raw[i].step.key, need, plan_hint(need, keys.text, hint, sizeof hint));
    buf_free(&keys);
}

static void link_needs(const struct steps *all, int i)
{
    struct raw *raw = &all->raw[i];
    bool named = raw->group && plan_has_key(raw->group, "needs");
    raw->step.needs = arena_alloc(&all->r->plan->arena, sizeof(int) * (size_t)MAX(raw->nneeds, 1));
    if (!named && i > 0)
        raw->step.needs[raw->step.nneeds++] = i - 1;
    for (int k = 0; k < raw->nneeds; k++) {
        int at = raw->needs[k] ? index_of(all, i, raw->needs[k]) : -1;
        if (at >= 0)
            raw->step.needs[raw->step.nneeds++] = at;
        else if (raw->needs[k])
            complain_need(all, i, raw->needs[k]);
    }
}

static bool is_bound(const struct steps *all, const char *key)
{
    for (int i = 0; i < all->n; i++)
        if (all->raw[i].step.bind && strcmp(all->raw[i].step.bind, key) == 0)
            return true;
    return false;
}

static void check_bind(const struct steps *all, int i)
{
    const struct raw *raw = &all->raw[i];
    const char *bind = raw->step.bind;
    if (!bind || !bind[0])
        return;
    int line = plan_line(member(raw->group, "bind")), n = bind[0] == 'F' ? atoi(bind + 1) : 0;
    char right[8];
    snprintf(right, sizeof right, "F%d", n);
    if (n < 2 || n > 12 || strcmp(right, bind) != 0)
        plan_complain(all->r, line, "bind must be one of \"F2\" to \"F12\"; it is \"%s\".", bind);
    for (int k = 0; k < i; k++)
        if (all->raw[k].step.bind && strcmp(all->raw[k].step.bind, bind) == 0)
            plan_complain(all->r, line, "%s is bound twice, to %s and to %s; give one of them another key.", bind, all->raw[k].step.key, raw->step.key);
}

/* What the plan doesn't bind gets the free keys from F2 on, in order. */
static void bind_keys(const struct steps *all)
{
    int next = 2;
    for (int i = 0; i < all->n; i++) {
        struct plan_step *s = &all->raw[i].step;
        if (s->bind && s->bind[0])
            continue;
        char *key = arena_printf(&all->r->plan->arena, "F%d", next);
        while (next <= 12 && is_bound(all, key))
            key = arena_printf(&all->r->plan->arena, "F%d", ++next);
        s->bind = next <= 12 ? key : "";
        next++;
    }
}

static void keep(const struct steps *all)
{
    struct plan *p = all->r->plan;
    p->steps = arena_alloc(&p->arena, sizeof *p->steps * (size_t)MAX(all->n, 1));
    p->nsteps = all->n;
    for (int i = 0; i < all->n; i++) {
        p->steps[i] = all->raw[i].step;
        p->steps[i].letter = (char)('a' + i % MOST_STEPS);
    }
}

static void connect(struct steps *all, const config_setting_t *list)
{
    plan_unique(all->r, config_setting_is_group(list) ? NULL : list, "The step", all->raw, sizeof *all->raw, all->n);
    for (int i = 0; i < all->n; i++)
        if (all->raw[i].group)
            check_bind(all, i), link_needs(all, i);
    bind_keys(all);
    keep(all);
    if (all->n > MOST_STEPS)
        plan_complain(all->r, plan_line(list), "The plan has %d steps; each has a letter of its own, so there can be %d.", all->n, MOST_STEPS);
    if (all->n == 0)
        plan_complain(all->r, plan_line(list), "There is no step to run; name steps, or a part that the built-in runbook moves: databases, dns, traffic.");
}

/* The runbook's steps for which the plan has the parts; the others are left out. */
static void read_builtin(struct plan_reader *r, const config_setting_t *list, struct steps *all)
{
    all->raw = arena_alloc(&r->plan->arena, sizeof *all->raw * (size_t)config_setting_length(list));
    for (int i = 0; i < config_setting_length(list); i++) {
        const config_setting_t *group = config_setting_get_elem((config_setting_t *)list, (unsigned)i);
        const char *kind = "";
        config_setting_lookup_string((config_setting_t *)group, "kind", &kind);
        const struct usual *u = usual_of(kind);
        if (!u)
            die("the built-in runbook has a step of unknown kind");
        bool wanted = strcmp(kind, "wait") == 0 ? plan_has_part(r, "dns") : !u->part[0] || plan_has_part(r, u->part);
        if (wanted)
            plan_read_part(r, group, &plan_step_part, &all->raw[all->n++]);
    }
}

static void read_runbook(struct plan_reader *r)
{
    struct plan_reader own = *r;
    struct steps all = {.r = &own};
    config_t config;
    config_init(&config);
    if (!config_read_string(&config, plan_runbook))
        die("the built-in runbook can't be read: line %d: %s", config_error_line(&config), config_error_text(&config));
    const config_setting_t *list = config_lookup(&config, "steps");
    own.builtin = true;
    read_builtin(&own, list, &all);
    if (all.n)
        connect(&all, list);
    else
        plan_complain(r, 1, "There is nothing to move: the plan has no databases, no dns and no traffic.haproxy; add one, or steps.");
    config_destroy(&config);
}

void plan_steps_read(struct plan_reader *r, const config_setting_t *root)
{
    struct steps all = {.r = r};
    const struct plan_key key = {.name = "steps", .type = PLAN_PART, .at = offsetof(struct steps, raw), .count_at = offsetof(struct steps, n), .otherwise = "", .part = &plan_step_part};
    const config_setting_t *list = member(root, "steps");
    if (!list) {
        read_runbook(r);
        return;
    }
    plan_read_key(r, root, &plan_root, &key, &all);
    if (!config_setting_is_group(list))
        connect(&all, list);
}
