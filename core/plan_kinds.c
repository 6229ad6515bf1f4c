#include "core/plan_kinds.h"

#include <stdio.h>
#include <string.h>

const struct plan_kind *plan_kind_find(const struct plan_kind *kinds, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

static bool has_word(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *w = words; *(w += strspn(w, " ")); w += strcspn(w, " "))
        if (strcspn(w, " ") == len && strncmp(w, word, len) == 0)
            return true;
    return false;
}

static const struct plan_kind *owner_of(const char *option, const struct plan_kind *kinds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (has_word(kinds[i].options, option))
            return &kinds[i];
    return NULL;
}

bool plan_kind_forgives(const config_setting_t *s, const struct plan_kind *kinds, size_t n)
{
    return owner_of(config_setting_name(s), kinds, n) != NULL;
}

bool plan_kind_take(struct plan_reader *r, const config_setting_t *s, const struct plan_kind *kind, const struct plan_kind *kinds, size_t n,
                    struct plan_option **options, int *count)
{
    char hint[128];
    const char *name = config_setting_name(s);
    if (plan_take_option(r, s, kind->options, options, count))
        return true;
    const struct plan_kind *owner = owner_of(name, kinds, n);
    if (owner) {
        plan_complain(r, plan_line(s), "\"%s\" is an option of kind %s, not of %s; kind %s takes: %s.", name, owner->name, kind->name, kind->name,
                      kind->options[0] ? kind->options : "none");
        return true;
    }
    if (!plan_suggest(name, kind->options, hint, sizeof hint)[0])
        return false;
    plan_complain(r, plan_line(s), "\"%s\" isn't an option of kind %s%s", name, kind->name, hint);
    return true;
}

void plan_kind_complain(struct plan_reader *r, const config_setting_t *group, const char *what, const char *kind, const struct plan_kind *kinds, size_t n)
{
    struct buf names = {0};
    char hint[128];
    for (size_t i = 0; i < n; i++)
        buf_printf(&names, "%s%s", i ? " " : "", kinds[i].name);
    plan_suggest(kind, names.text, hint, sizeof hint);
    plan_complain(r, plan_line(config_setting_get_member((config_setting_t *)group, "kind")), "\"%s\" isn't a kind of %s%s%s%s", kind, what,
                  hint[0] ? hint : "; the kinds are: ", hint[0] ? "" : names.text, hint[0] ? "" : ".");
    buf_free(&names);
}

void plan_kind_require(struct plan_reader *r, const config_setting_t *group, const char *kind, const char *needed)
{
    char name[32];
    for (const char *w = needed; *(w += strspn(w, " ")); w += strcspn(w, " ")) {
        copy_text(name, MIN(sizeof name, strcspn(w, " ") + 1), w);
        if (!plan_has_key(group, name))
            plan_complain(r, plan_line(group), "Kind %s needs %s; add  %s = \"...\";", kind, name, name);
    }
}
