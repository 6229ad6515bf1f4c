/* json: reads one JSON text from stdin and prints what stands at a path, so that the tests need no other program.
 *   json                    only whether it is JSON: 0 or 1
 *   json steps.2.state      members by name, elements by number; "#" = how many
 *   json steps.*.state      every element of a list, a line each
 * Texts are printed as they are, the rest as JSON. */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool print_at(const json_t *at, const char *path);

static bool print_each(const json_t *list, const char *rest)
{
    bool all = json_is_array(list);
    for (size_t i = 0; i < json_array_size(list); i++)
        all = print_at(json_array_get(list, i), rest) && all;
    return all;
}

static const json_t *member(const json_t *at, const char *word)
{
    return json_is_array(at) ? json_array_get(at, (size_t)strtoul(word, NULL, 10)) : json_object_get(at, word);
}

static bool print_value(const json_t *at)
{
    if (json_is_string(at))
        puts(json_string_value(at));
    else if (at && json_dumpf(at, stdout, JSON_ENCODE_ANY | JSON_COMPACT) == 0)
        putchar('\n');
    return at != NULL;
}

static bool print_at(const json_t *at, const char *path)
{
    char word[128];
    size_t len = strcspn(path, ".");
    const char *rest = path + len + (path[len] == '.');
    snprintf(word, sizeof word, "%.*s", (int)len, path);
    if (!*path)
        return print_value(at);
    if (strcmp(word, "*") == 0)
        return print_each(at, rest);
    if (strcmp(word, "#") == 0)
        return printf("%zu\n", json_is_array(at) ? json_array_size(at) : json_object_size(at)) > 0;
    return print_at(member(at, word), rest);
}

int main(int argc, char **argv)
{
    json_error_t why;
    json_t *all = json_loadf(stdin, 0, &why);
    bool found = all != NULL;
    if (!all)
        fprintf(stderr, "json: line %d: %s\n", why.line, why.text);
    else if (argc > 1)
        found = print_at(all, argv[1]);
    json_decref(all);
    return !found;
}
