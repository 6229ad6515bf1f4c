/* "metric[(argument)] op value [for duration]". The unit of a value follows from the metric's own name, as units do in
 * the whole house: _ms, _bytes, _ppm, _percent; a metric without one counts, or is 0 and 1. */
#include "core/plan_read.h"
#include "core/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text;
    enum plan_op op;
} ops[] = {{"<=", OP_LE}, {">=", OP_GE}, {"==", OP_EQ}, {"!=", OP_NE}, {"<", OP_LT}, {">", OP_GT}};

static const struct {
    const char *prefix, *part;
} families[] = {{"pg.lag_ms", "heartbeat"}, {"pg.back_lag_ms", "heartbeat"}, {"pg.", "databases"}, {"switch.", "databases"},   {"dns.", "dns"},
                {"http.", "probes"},  {"traffic.", "balancer"}, {"checks.", "checks"}};

const char *plan_metric_part(const char *metric)
{
    for (size_t i = 0; i < ARRAY_LEN(families); i++)
        if (strncmp(metric, families[i].prefix, strlen(families[i].prefix)) == 0)
            return families[i].part;
    return NULL;
}

static bool ends_in(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

static bool parse_bytes(const char *text, int64_t *out)
{
    static const struct {
        const char *unit;
        int64_t factor;
    } units[] = {{"B", 1},          {"kB", 1000},          {"KB", 1000},          {"MB", 1000000},
                 {"GB", 1000000000}, {"TB", 1000000000000}, {"KiB", 1024},         {"MiB", 1 << 20},
                 {"GiB", 1 << 30}};
    char *end;
    double n = strtod(text, &end);
    for (size_t i = 0; end != text && isdigit((unsigned char)text[0]) && i < ARRAY_LEN(units); i++)
        if (strcmp(end, units[i].unit) == 0 && n * (double)units[i].factor < 9e18)
            return *out = (int64_t)(n * (double)units[i].factor + 0.5), true;
    return false;
}

static bool parse_whole(const char *text, int64_t *out)
{
    char *end;
    if (strcmp(text, "true") == 0 || strcmp(text, "yes") == 0 || strcmp(text, "false") == 0 || strcmp(text, "no") == 0)
        return *out = text[0] == 't' || text[0] == 'y', true;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return end != text && !*end && !errno && !isspace((unsigned char)text[0]);
}

/* NULL, or what it may be. */
static const char *parse_value(const char *metric, const char *text, int64_t *out)
{
    size_t n = strlen(text);
    if (parse_whole(text, out))
        return NULL;
    if (ends_in(metric, "_ms"))
        return plan_duration(text, out) ? NULL : "a number of milliseconds, or a duration such as 300ms or 5s";
    if (ends_in(metric, "_bytes"))
        return parse_bytes(text, out) ? NULL : "a number of bytes, or a size such as 64kB or 1MB";
    if (ends_in(metric, "_ppm"))
        return plan_share(text, out) ? NULL : "parts per million, or a share such as 0.5%";
    if (!ends_in(metric, "_percent"))
        return "a whole number";
    char number[24];
    copy_text(number, sizeof number, text);
    if (n && n < sizeof number && number[n - 1] == '%')
        number[n - 1] = '\0';
    return parse_whole(number, out) ? NULL : "a whole percentage such as 100";
}

/* ---- words ---- */

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t");
}

static const char *take_word(const char *p, const char *stop, char *out, size_t size)
{
    size_t n = strcspn(p, stop);
    copy_text(out, MIN(n + 1, size), p);
    return p + n;
}

/* Past the operator; NULL when there is none. */
static const char *take_op(const char *p, enum plan_op *op)
{
    for (size_t i = 0; i < ARRAY_LEN(ops); i++)
        if (strncmp(p, ops[i].text, strlen(ops[i].text)) == 0) {
            *op = ops[i].op;
            return p + strlen(ops[i].text);
        }
    return NULL;
}

static bool is_metric_name(const char *s)
{
    const char *dot = strchr(s, '.');
    return islower((unsigned char)s[0]) && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.") == strlen(s) && dot && dot[1];
}

struct words {
    char metric[48], argument[256], value[32], hold[32];
};

static const char *const form = "write  metric op value [for duration],  such as  pg.lag_ms < 1000 for 3s";

/* NULL, or the mistake. */
static const char *split(const char *p, struct words *w, enum plan_op *op)
{
    p = take_word(skip_space(p), " \t(<>=!", w->metric, sizeof w->metric);
    p = skip_space(p);
    if (!is_metric_name(w->metric))
        return "it doesn't begin with a metric";
    if (*p == '(') {
        p = take_word(skip_space(p + 1), ")", w->argument, sizeof w->argument);
        if (*p++ != ')')
            return "the ( is never closed";
        for (size_t n = strlen(w->argument); n && w->argument[n - 1] == ' '; n--)
            w->argument[n - 1] = '\0';
    }
    p = skip_space(p);
    if (p[0] == '=' && p[1] != '=')
        return "\"=\" isn't an operator, write \"==\"";
    if (!(p = take_op(p, op)))
        return "after the metric comes one of < <= == != >= >";
    p = skip_space(take_word(skip_space(p), " \t", w->value, sizeof w->value));
    if (!w->value[0] || strchr("<>=!", w->value[0]))
        return "after the operator comes a value";
    if (!*p)
        return NULL;
    if (strncmp(p, "for", 3) != 0 || (p[3] != ' ' && p[3] != '\t'))
        return "after the value only \"for\" and a duration may follow";
    p = skip_space(take_word(skip_space(p + 3), " \t", w->hold, sizeof w->hold));
    return *p ? "nothing may follow the duration" : !w->hold[0] ? "the duration after \"for\" is missing" : NULL;
}

bool plan_condition_parse(struct plan_reader *r, int line, const char *text, struct plan_condition *out)
{
    struct words w = {0};
    const char *mistake = split(text, &w, &out->op), *unit;
    if (mistake)
        return plan_complain(r, line, "The condition \"%.80s\" can't be read: %s; %s.", text, mistake, form), false;
    if ((unit = parse_value(w.metric, w.value, &out->value)))
        return plan_complain(r, line, "The condition \"%.80s\" can't be read: %s takes %s, not \"%s\".", text, w.metric, unit, w.value), false;
    if (w.hold[0] && !plan_duration(w.hold, &out->hold))
        return plan_complain(r, line, "The condition \"%.80s\" can't be read: \"%s\" isn't a duration such as 3s or 2m.", text, w.hold), false;
    const char *part = plan_metric_part(w.metric);
    if (part && strcmp(part, "heartbeat") == 0 && plan_has_part(r, "databases") && !plan_has_part(r, part))
        return plan_complain(r, line, "The condition \"%.80s\" would never hold: a database has heartbeat = false; ask for its bytes, pg.lag_bytes.", text), false;
    part = part && strcmp(part, "heartbeat") == 0 ? "databases" : part;
    if (part && !plan_has_part(r, part))
        return plan_complain(r, line, "The condition \"%.80s\" would never hold: the plan has no %s; add them or take it out.", text, part), false;
    struct arena *a = &r->plan->arena;
    out->text = arena_strdup(a, text);
    out->metric = arena_strdup(a, w.metric);
    out->argument = arena_strdup(a, w.argument);
    out->index = r->plan->nconditions++;
    out->line = r->builtin ? 0 : line;
    return true;
}
