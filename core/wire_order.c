#include "core/wire_order.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

static const struct {
    const char *name;
    size_t at;
} fields[WIRE_WORDS] = {
    {"order", offsetof(struct order, order)},   {"step", offsetof(struct order, step)},         {"typed", offsetof(struct order, typed)},
    {"reason", offsetof(struct order, reason)}, {"decision", offsetof(struct order, decision)}, {"check", offsetof(struct order, check)},
    {"text", offsetof(struct order, text)},     {"role", offsetof(struct order, role)},
};

static char *clean(const char *text)
{
    char *word = xcalloc(WIRE_WORD, 1);
    text_line(word, WIRE_WORD, text, strlen(text));
    return word;
}

static bool take(struct wire_order *out, const json_t *object, struct err *err)
{
    for (size_t i = 0; i < WIRE_WORDS; i++) {
        const json_t *value = json_object_get(object, fields[i].name);
        if (value && !json_is_string(value))
            return err_set(err, "The order was ignored: \"%s\" must be a text.", fields[i].name);
        out->words[i] = clean(value ? json_string_value(value) : "");
        memcpy((char *)&out->order + fields[i].at, &out->words[i], sizeof(char *));
    }
    return out->order.order[0] || err_set(err, "The order was ignored: it has no \"order\".");
}

bool wire_order_read(struct wire_order *out, const char *line, size_t len, struct err *err)
{
    json_error_t why;
    *out = (struct wire_order){0};
    json_t *object = json_loadb(line, len, 0, &why);
    bool ok = json_is_object(object) ? take(out, object, err) : err_set(err, "The order was ignored: it isn't one JSON object on one line.");
    json_decref(object);
    if (!ok)
        wire_order_free(out);
    return ok;
}

void wire_order_free(struct wire_order *read)
{
    for (size_t i = 0; i < WIRE_WORDS; i++)
        free(read->words[i]);
    *read = (struct wire_order){0};
}
