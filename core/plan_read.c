/* Walks a group by its table of keys. */
#include "core/plan_read.h"

#include <stdio.h>
#include <string.h>

int plan_line(const config_setting_t *s)
{
    int line = (int)config_setting_source_line(s);
    return line ? line : 1;
}

static const config_setting_t *member(const config_setting_t *group, const char *name)
{
    return group ? config_setting_get_member((config_setting_t *)group, name) : NULL;
}

bool plan_has_key(const config_setting_t *group, const char *name)
{
    return member(group, name) != NULL;
}

/* ---- lists ---- */

static bool is_list(const config_setting_t *s)
{
    return config_setting_is_list(s) || config_setting_is_array(s);
}

static const config_setting_t *element(const config_setting_t *s, int i)
{
    return config_setting_get_elem((config_setting_t *)s, (unsigned)i);
}

static void read_element(struct plan_reader *r, const struct plan_key *key, const config_setting_t *s, void *field)
{
    if (key->type == PLAN_PART) {
        if (config_setting_is_group(s))
            plan_read_part(r, s, key->part, field);
        else
            plan_complain(r, plan_line(s), "Each entry of %s must be a group: %s = ( { ... }, { ... } );", key->name, key->name);
        return;
    }
    const char *text = plan_scalar(r, key->name, key->type, s);
    if (text)
        plan_put(r, plan_line(s), key, text, field);
}

/* The built-in runbook names what only some plans have; those conditions go without a word. */
static bool is_left_out(const struct plan_reader *r, const struct plan_key *key, const config_setting_t *s)
{
    const char *text = config_setting_get_string(s), *part;
    if (!r->builtin || key->type != PLAN_CONDITION || !text)
        return false;
    part = plan_metric_part(text);
    return part && !plan_has_part(r, part);
}

static void read_list(struct plan_reader *r, const struct plan_key *key, const config_setting_t *s, char *into)
{
    size_t size = key->type == PLAN_PART ? key->part->size : plan_type_size(key->type);
    int n = is_list(s) ? config_setting_length(s) : 1, taken = 0;
    char *array = arena_alloc(&r->plan->arena, size * (size_t)MAX(n, 1));
    for (int i = 0; i < n; i++) {
        const config_setting_t *e = is_list(s) ? element(s, i) : s;
        if (!is_left_out(r, key, e))
            read_element(r, key, e, array + size * (size_t)taken++);
    }
    memcpy(into + key->at, &array, sizeof array);
    memcpy(into + key->count_at, &taken, sizeof taken);
}

void plan_unique(struct plan_reader *r, const config_setting_t *list, const char *what, const void *first, size_t size, int count)
{
    for (int i = 1; list && i < count; i++)
        for (int j = 0; j < i; j++) {
            const char *a, *b;
            memcpy(&a, (const char *)first + size * (size_t)i, sizeof a);
            memcpy(&b, (const char *)first + size * (size_t)j, sizeof b);
            if (!a || !b || !a[0] || strcmp(a, b) != 0)
                continue;
            plan_complain(r, plan_line(element(list, i)), "%s \"%s\" stands twice, first in line %d; give one of them another name.", what, a,
                          plan_line(element(list, j)));
            break;
        }
}

/* ---- one key ---- */

/* What counts when the key is missing goes the same way as what was written. */
static void put_default(struct plan_reader *r, const struct plan_key *key, char *into)
{
    if (key->count_at)
        return;
    if (key->type == PLAN_PART)
        plan_read_part(r, NULL, key->part, into + key->at);
    else if (key->type <= PLAN_CONNINFO || (key->otherwise && key->otherwise[0]))
        plan_put(r, 0, key, key->otherwise ? key->otherwise : "", into + key->at);
}

static void complain_missing(struct plan_reader *r, const config_setting_t *group, const struct plan_part *part, const struct plan_key *key)
{
    const char *shape = key->type == PLAN_PART ? key->count_at ? "( { ... } )" : "{ ... }" : key->count_at ? "[ \"...\" ]" : "\"...\"";
    plan_complain(r, plan_line(group), "%s has no %s; add  %s = %s;", part->what, key->name, key->name, shape);
}

void plan_read_key(struct plan_reader *r, const config_setting_t *group, const struct plan_part *part, const struct plan_key *key, void *into)
{
    const config_setting_t *s = member(group, key->name);
    put_default(r, key, into); /* so that a mistake leaves nothing unset */
    if (!s && group && !key->otherwise)
        complain_missing(r, group, part, key);
    const char *word = s && key->count_at ? config_setting_get_string(s) : NULL;
    if (!s || (word && key->otherwise && key->otherwise[0] && strcmp(word, key->otherwise) == 0))
        return;
    if (key->count_at && config_setting_is_group(s))
        plan_complain(r, plan_line(s), "%s must be a list; write  %s = %s;", key->name, key->name, key->type == PLAN_PART ? "( { ... }, { ... } )" : "[ \"...\" ]");
    else if (key->count_at)
        read_list(r, key, s, into);
    else if (key->type == PLAN_PART && !config_setting_is_group(s))
        plan_complain(r, plan_line(s), "%s must be a group; write  %s = { ... };", key->name, key->name);
    else if (key->type == PLAN_PART)
        plan_read_part(r, s, key->part, (char *)into + key->at);
    else
        read_element(r, key, s, (char *)into + key->at);
}

/* ---- one part ---- */

static const struct plan_part *const all_parts[] = {&plan_root,        &plan_side_part,  &plan_database_part, &plan_dns_part,
                                                    &plan_traffic_part, &plan_check_part, &plan_step_part};

static const struct plan_key *find(const struct plan_part *part, const char *name)
{
    for (int i = 0; i < part->nkeys; i++)
        if (strcmp(part->keys[i].name, name) == 0)
            return &part->keys[i];
    return NULL;
}

/* A key that is right, but in the wrong place. */
static const struct plan_part *home_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(all_parts); i++)
        if (find(all_parts[i], name))
            return all_parts[i];
    return NULL;
}

static void complain_unknown(struct plan_reader *r, const struct plan_part *part, const config_setting_t *s)
{
    struct buf words = {0};
    char hint[128];
    const char *name = config_setting_name(s);
    for (int i = 0; i < part->nkeys; i++)
        buf_printf(&words, "%s ", part->keys[i].name);
    plan_suggest(name, words.text, hint, sizeof hint);
    const struct plan_part *home = hint[0] ? NULL : home_of(name);
    if (home)
        plan_complain(r, plan_line(s), "\"%s\" isn't a key of %s; it belongs into %s.", name, part->what, home->what);
    else
        plan_complain(r, plan_line(s), "\"%s\" isn't a key of %s%s", name, part->what, hint[0] ? hint : "; see  cutover plan --example");
    buf_free(&words);
}

void plan_read_part(struct plan_reader *r, const config_setting_t *group, const struct plan_part *part, void *into)
{
    for (int i = 0; i < part->nkeys; i++)
        plan_read_key(r, group, part, &part->keys[i], into);
    if (!group)
        return;
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *s = element(group, i);
        if (!find(part, config_setting_name(s)) && !(part->take && part->take(r, group, s, into)))
            complain_unknown(r, part, s);
    }
    if (part->finish)
        part->finish(r, group, into);
}

static bool has_heartbeats(const struct plan *p)
{
    for (int i = 0; i < p->ndatabases; i++)
        if (!p->databases[i].heartbeat)
            return false;
    return p->ndatabases > 0;
}

bool plan_has_part(const struct plan_reader *r, const char *part)
{
    const config_setting_t *traffic = member(r->root, "traffic");
    if (strcmp(part, "balancer") == 0)
        return traffic && plan_has_key(traffic, "haproxy");
    if (strcmp(part, "heartbeat") == 0)
        return has_heartbeats(r->plan);
    const config_setting_t *s = strcmp(part, "probes") == 0 ? member(traffic, "probes") : member(r->root, part);
    return s && (strcmp(part, "dns") == 0 || config_setting_length(s) > 0);
}
