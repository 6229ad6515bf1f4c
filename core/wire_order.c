#include "core/wire_order.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

static char *clean(const char *text)
{
    char *word = xcalloc(WIRE_WORD, 1);
    text_line(word, WIRE_WORD, text, strlen(text));
    return word;
}

static bool take(const json_t *object, const char *const *names, char **words, int count, struct err *err)
{
    for (int i = 0; i < count; i++) {
        const json_t *value = json_object_get(object, names[i]);
        if (value && !json_is_string(value))
            return err_set(err, "The order was ignored: \"%s\" must be a text.", names[i]);
        words[i] = clean(value ? json_string_value(value) : "");
    }
    return words[0][0] || err_set(err, "The order was ignored: it has no \"%s\".", names[0]);
}

bool wire_order_read(const char *line, size_t len, const char *const *names, char **words, int count, struct err *err)
{
    json_error_t why;
    for (int i = 0; i < count; i++)
        words[i] = NULL;
    json_t *object = json_loadb(line, len, 0, &why);
    bool ok = json_is_object(object) ? take(object, names, words, count, err) : err_set(err, "The order was ignored: it isn't one JSON object on one line.");
    json_decref(object);
    if (!ok)
        wire_order_free(words, count);
    return ok;
}

void wire_order_free(char **words, int count)
{
    for (int i = 0; i < count; i++) {
        free(words[i]);
        words[i] = NULL;
    }
}
