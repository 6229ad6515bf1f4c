/* The options of a check or step: keys that only its kind knows. */
#include "core/plan_read.h"

#include <stdio.h>
#include <string.h>

/* What an option's value must look like, whichever kind has it; what isn't here is a text. */
static const struct {
    const char *name;
    enum plan_type type;
    bool list;
} types[] = {
    {"url", PLAN_URL, false},   {"domain", PLAN_HOST, false},       {"file", PLAN_PATH, false},  {"scratch", PLAN_CONNINFO, false},
    {"bake", PLAN_DURATION, false}, {"pace", PLAN_PERCENT, false}, {"sample", PLAN_PERCENT, false}, {"for", PLAN_DURATION, false}, {"tables", PLAN_TEXT, true}, {"stages", PLAN_PERCENT, true},
    {"hosts", PLAN_HOST, true}, {"helo", PLAN_HOST, false}, {"issuer", PLAN_HOST, false}, {"address", PLAN_ADDRESS, false}, {"port", PLAN_PORT, false}, {"cafile", PLAN_PATH, false}, {"days", PLAN_SECONDS, false}, {"private", PLAN_PATH, false},
    {"run", PLAN_TEXT, true},   {"undo_run", PLAN_TEXT, true},      {"command", PLAN_TEXT, true},
};

static bool is_known(const char *name, const char *known)
{
    size_t len = strlen(name);
    for (const char *w = known; *(w += strspn(w, " ")); w += strcspn(w, " "))
        if (strcspn(w, " ") == len && strncmp(w, name, len) == 0)
            return true;
    return false;
}

static bool is_number(const config_setting_t *s)
{
    return config_setting_is_number(s) || config_setting_type(s) == CONFIG_TYPE_BOOL;
}

/* One value, checked against the type of its option, kept as text. */
static const char *take_value(struct plan_reader *r, const char *name, enum plan_type type, const config_setting_t *s)
{
    union {
        const char *text;
        int64_t wide;
        struct plan_condition condition;
    } field;
    /* a status or a number of seconds may be written without quotes */
    const char *text = plan_scalar(r, name, type == PLAN_TEXT && is_number(s) ? config_setting_type(s) == CONFIG_TYPE_BOOL ? PLAN_FLAG : PLAN_DURATION : type, s);
    struct plan_key key = {.name = name, .type = type};
    return text && plan_put(r, plan_line(s), &key, text, &field) ? type == PLAN_HOST ? field.text : text : NULL;
}

static void take_values(struct plan_reader *r, const config_setting_t *s, enum plan_type type, struct plan_option *o)
{
    bool many = config_setting_is_list(s) || config_setting_is_array(s);
    int n = many ? config_setting_length(s) : 1;
    o->values = arena_alloc(&r->plan->arena, sizeof *o->values * (size_t)MAX(n, 1));
    for (int i = 0; i < n; i++) {
        const char *v = take_value(r, o->name, type, many ? config_setting_get_elem((config_setting_t *)s, (unsigned)i) : s);
        if (v)
            o->values[o->nvalues++] = v;
    }
    if (many && n == 0)
        plan_complain(r, o->line, "%s is an empty list; fill it or take it out.", o->name);
}

/* "argv, never a shell string" */
static void check_argv(struct plan_reader *r, const config_setting_t *s, const struct plan_option *o)
{
    bool is_argv = strcmp(o->name, "run") == 0 || strcmp(o->name, "undo_run") == 0 || strcmp(o->name, "command") == 0;
    if (is_argv && config_setting_type(s) == CONFIG_TYPE_STRING && strchr(config_setting_get_string(s), ' '))
        plan_complain(r, o->line, "%s isn't given to a shell; write each word by itself:  %s = [ \"program\", \"argument\" ];", o->name, o->name);
}

bool plan_take_option(struct plan_reader *r, const config_setting_t *s, const char *known, struct plan_option **options, int *count)
{
    const char *name = config_setting_name(s);
    enum plan_type type = PLAN_TEXT;
    bool list = false;
    if (!is_known(name, known))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (strcmp(types[i].name, name) == 0)
            type = types[i].type, list = types[i].list;
    struct plan_option *all = arena_alloc(&r->plan->arena, sizeof *all * (size_t)(*count + 1));
    for (int i = 0; i < *count; i++)
        all[i] = (*options)[i];
    struct plan_option *o = &all[(*count)++];
    *options = all;
    *o = (struct plan_option){.name = arena_strdup(&r->plan->arena, name), .line = r->builtin ? 0 : plan_line(s)};
    if (config_setting_is_group(s) || (!list && config_setting_is_aggregate(s)))
        plan_complain(r, plan_line(s), "%s must be %s.", name, list ? "a list: [ \"...\", \"...\" ]" : "a single value");
    else
        take_values(r, s, type, o);
    check_argv(r, s, o);
    return true;
}
