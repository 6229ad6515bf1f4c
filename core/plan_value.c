/* What a value may look like: text -> field, one row per type. */
#include "core/plan_read.h"
#include "core/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define YEAR_MS (INT64_C(366) * 24 * 3600 * 1000)

/* ---- numbers with units ---- */

struct unit {
    const char *name;
    double factor;
};

/* A number, then one of the units; `plain` is the factor of a number alone, 0 = it needs a unit. */
static bool scale(const char *text, const struct unit *units, int nunits, double plain, double most, int64_t *out)
{
    size_t digits = strspn(text, "0123456789.");
    char number[32], *end;
    if (!digits || digits >= sizeof number)
        return false;
    copy_text(number, digits + 1, text);
    double value = strtod(number, &end), factor = text[digits] ? 0 : plain;
    for (int i = 0; i < nunits; i++)
        if (strcmp(text + digits, units[i].name) == 0)
            factor = units[i].factor;
    if (*end || factor == 0 || value * factor > most)
        return false;
    *out = (int64_t)(value * factor + 0.5);
    return true;
}

bool plan_duration(const char *text, int64_t *ms)
{
    static const struct unit units[] = {{"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"min", 60e3}, {"h", 3600e3}, {"d", 86400e3}};
    return scale(text, units, ARRAY_LEN(units), 1e3, 10.0 * YEAR_MS, ms);
}

bool plan_share(const char *text, int64_t *ppm)
{
    static const struct unit units[] = {{"%", 1e4}, {" %", 1e4}, {"ppm", 1}, {" ppm", 1}};
    return scale(text, units, ARRAY_LEN(units), 0, 1e6, ppm);
}

static bool plan_size(const char *text, int64_t *bytes)
{
    static const struct unit units[] = {{"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}};
    return scale(text, units, ARRAY_LEN(units), 0, 1e18, bytes) && *bytes > 0;
}

/* ---- one function per type: NULL, or what it must be ---- */

static void put_text(struct plan_reader *r, const char *text, size_t len, void *field)
{
    char *copy = arena_strndup(&r->plan->arena, text, len);
    memcpy(field, &copy, sizeof copy);
}

static bool is_name(const char *s)
{
    size_t n = strlen(s);
    return n && n <= 40 && isalnum((unsigned char)s[0]) &&
           strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

/* RFC 1035 section 2.3.4 for the lengths; underscores stand in names of services. */
static bool is_host(const char *s)
{
    size_t label = 0, n = strlen(s);
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '.' && label == 0)
            return false;
        label = s[i] == '.' ? 0 : label + 1;
        if (label > 63 || !(isalnum((unsigned char)s[i]) || strchr("-_.*", s[i])))
            return false;
    }
    return n && n <= 253;
}

static bool is_address(const char *s)
{
    unsigned char raw[16];
    return inet_pton(AF_INET, s, raw) == 1 || inet_pton(AF_INET6, s, raw) == 1;
}

static bool is_url(const char *s)
{
    size_t scheme = strncmp(s, "http://", 7) == 0 ? 7 : strncmp(s, "https://", 8) == 0 ? 8 : 0;
    return scheme && s[scheme] && s[scheme] != '/' && !strpbrk(s, " \"<>");
}

static bool put_string(struct plan_reader *r, enum plan_type type, const char *text, void *field)
{
    size_t len = strlen(text);
    if (type == PLAN_HOST && len > 1 && text[len - 1] == '.')
        len--;
    while (type == PLAN_URL && len && text[len - 1] == '/')
        len--;
    put_text(r, text, len, field);
    const char *kept;
    memcpy(&kept, field, sizeof kept);
    bool ok = type == PLAN_NAME      ? is_name(kept)
              : type == PLAN_HOST    ? is_host(kept)
              : type == PLAN_ADDRESS ? is_address(kept)
              : type == PLAN_URL     ? is_url(kept)
              : type == PLAN_PATH    ? kept[0] == '/'
                                     : true;
    if (!ok)
        put_text(r, "", 0, field); /* so that nothing further is said about a bad value */
    return ok;
}

static bool put_int(const char *text, int least, int most, void *field)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (*end || end == text || errno || n < least || n > most)
        return false;
    memcpy(field, &(int){(int)n}, sizeof(int));
    return true;
}

static bool put_wide(enum plan_type type, const char *text, void *field)
{
    int64_t n = 0;
    bool ok = type == PLAN_SHARE ? plan_share(text, &n) : type == PLAN_SIZE ? plan_size(text, &n) : plan_duration(text, &n);
    if (type == PLAN_SECONDS) {
        ok = ok && n % 1000 == 0 && n / 1000 <= INT32_MAX;
        n /= 1000;
    }
    if (ok)
        memcpy(field, &n, sizeof n);
    return ok;
}

static bool put_flag(const char *text, void *field)
{
    bool on = strcmp(text, "true") == 0;
    memcpy(field, &on, sizeof on);
    return true;
}

static bool put_number(enum plan_type type, const char *text, void *field)
{
    switch (type) {
    case PLAN_COUNT: return put_int(text, 1, 1000000, field);
    case PLAN_PORT: return put_int(text, 1, 65535, field);
    case PLAN_STATUS: return put_int(text, 100, 599, field);
    case PLAN_PERCENT: return put_int(text, 1, 100, field);
    case PLAN_FLAG: return put_flag(text, field);
    default: return put_wide(type, text, field);
    }
}

/* ---- the rows ---- */

enum { STRING = 1, WHOLE = 2, BROKEN = 4, TRUTH = 8 };
static const struct row {
    const char *must_be;
    unsigned takes;
    size_t size;
} rows[PLAN_TYPES] = {
    [PLAN_TEXT] = {"a text in quotes", STRING, sizeof(char *)},
    [PLAN_NAME] = {"a word of at most 40 letters, digits, dots, dashes and underscores, in quotes", STRING, sizeof(char *)},
    [PLAN_HOST] = {"a domain name such as \"www.shop.example\"", STRING, sizeof(char *)},
    [PLAN_ADDRESS] = {"an IPv4 or IPv6 address such as \"192.0.2.1\" or \"2001:db8::1\"", STRING, sizeof(char *)},
    [PLAN_URL] = {"an address that begins with http:// or https://", STRING, sizeof(char *)},
    [PLAN_PATH] = {"an absolute path, because the engine doesn't run where you stand", STRING, sizeof(char *)},
    [PLAN_TARGET] = {"the right side of a line of PgBouncer's [databases] such as \"host=192.0.2.1 port=5432\"", STRING, sizeof(char *)},
    [PLAN_CONNINFO] = {"a connection string such as \"service=shop_blue\" or \"host=... dbname=...\"", STRING, sizeof(char *)},
    [PLAN_FLAG] = {"true or false, without quotes", TRUTH, sizeof(bool)},
    [PLAN_COUNT] = {"a whole number of 1 or more, without quotes", WHOLE, sizeof(int)},
    [PLAN_PORT] = {"a number from 1 to 65535, without quotes", WHOLE, sizeof(int)},
    [PLAN_STATUS] = {"an HTTP status from 100 to 599, without quotes", WHOLE, sizeof(int)},
    [PLAN_PERCENT] = {"a percentage from 1 to 100, a whole number without quotes", WHOLE, sizeof(int)},
    [PLAN_DURATION] = {"a duration such as \"300ms\", \"5s\", \"2m\", \"24h\" or \"2d\"", STRING | WHOLE | BROKEN, sizeof(int64_t)},
    [PLAN_SECONDS] = {"a number of whole seconds such as 60 or \"1h\"", STRING | WHOLE, sizeof(int64_t)},
    [PLAN_SHARE] = {"a share such as \"0.5%\", from 0% to 100%", STRING, sizeof(int64_t)},
    [PLAN_SIZE] = {"a size such as \"500MB\" or \"20GB\"", STRING, sizeof(int64_t)},
    [PLAN_CONDITION] = {"a condition in quotes such as \"pg.lag_ms < 1000 for 3s\"", STRING, sizeof(struct plan_condition)},
};

size_t plan_type_size(enum plan_type type)
{
    return rows[type].size;
}

static unsigned type_of(const config_setting_t *s)
{
    switch (config_setting_type(s)) {
    case CONFIG_TYPE_STRING: return STRING;
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64: return WHOLE;
    case CONFIG_TYPE_FLOAT: return BROKEN;
    case CONFIG_TYPE_BOOL: return TRUTH;
    default: return 0;
    }
}

const char *plan_scalar(struct plan_reader *r, const char *name, enum plan_type type, const config_setting_t *s)
{
    struct arena *a = &r->plan->arena;
    unsigned is = type_of(s);
    if (!(is & rows[type].takes)) {
        plan_complain(r, plan_line(s), "%s must be %s.", name, rows[type].must_be);
        return NULL;
    }
    return is == STRING   ? arena_strdup(a, config_setting_get_string(s))
           : is == BROKEN ? arena_printf(a, "%.9f", config_setting_get_float(s))
           : is == TRUTH  ? (config_setting_get_bool(s) ? "true" : "false")
                          : arena_printf(a, "%lld", config_setting_get_int64(s));
}

static bool put(struct plan_reader *r, int line, const struct plan_key *key, const char *text, void *field)
{
    char shown[80];
    text_line(shown, sizeof shown, text, strlen(text));
    if (!text_is_clean(text, strlen(text)))
        return plan_complain(r, line, "%s holds a control or invisible character: \"%s\"; write it without.", key->name, shown), false;
    if (!text[0])
        return plan_complain(r, line, "%s is empty; it must be %s.", key->name, rows[key->type].must_be), false;
    if (key->type == PLAN_CONDITION)
        return plan_condition_parse(r, line, text, field);
    if (key->type == PLAN_CONNINFO && !plan_conninfo_check(r, line, key->name, text))
        return false;
    if (key->type == PLAN_TARGET && !plan_target_check(r, line, key->name, text))
        return false;
    bool ok = key->type <= PLAN_CONNINFO ? put_string(r, key->type, text, field) : put_number(key->type, text, field);
    if (!ok)
        plan_complain(r, line, "%s must be %s; it is \"%s\".", key->name, rows[key->type].must_be, shown);
    return ok;
}

bool plan_put(struct plan_reader *r, int line, const struct plan_key *key, const char *text, void *field)
{
    const char *secret = line ? plan_secret_in(text) : NULL;
    if (secret)
        return plan_complain(r, line, "%s", secret), false;
    if (line || text[0])
        return put(r, line, key, text, field);
    put_text(r, "", 0, field);
    return true;
}
