/* The reading half of theme: libconfig text -> struct theme, and where theme files are. */
#include "tui/theme.h"

#include <dirent.h>
#include <errno.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef CUTOVER_DATADIR
#define CUTOVER_DATADIR "/usr/local/share/cutover"
#endif

/* What a reading gathers: the theme as far as it is right, and every mistake. */
struct reading {
    struct theme *t;
    const char *file;
    struct buf wrong;
};

static void complain(struct reading *r, int line, const char *fmt, ...) PRINTF(3, 4);
static void complain(struct reading *r, int line, const char *fmt, ...)
{
    char sentence[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(sentence, sizeof sentence, fmt, ap);
    va_end(ap);
    buf_printf(&r->wrong, "%s%s:%d: %s", r->wrong.len ? "\n" : "", r->file, line, sentence);
}

/* Levenshtein, for words of at most 31 letters. */
static int differ(const char *a, const char *b)
{
    int la = (int)strlen(a), lb = (int)strlen(b), row[32];
    if (la > 31 || lb > 31)
        return 99;
    for (int j = 0; j <= lb; j++)
        row[j] = j;
    for (int i = 1; i <= la; i++) {
        int corner = row[0];
        row[0] = i;
        for (int j = 1; j <= lb; j++) {
            int replaced = corner + (a[i - 1] != b[j - 1]);
            corner = row[j];
            row[j] = MIN(replaced, MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[lb];
}

/* The end of a sentence: "; did you mean X?", or just its stop. */
static const char *suggest(char *out, size_t size, const char *word, const char *const *known, int n)
{
    int best = -1, least = 3;
    for (int i = 0; i < n; i++)
        if (differ(word, known[i]) < least) {
            best = i;
            least = differ(word, known[i]);
        }
    copy_text(out, size, ".");
    if (best >= 0)
        snprintf(out, size, "; did you mean \"%s\"?", known[best]);
    return out;
}

static bool is_hex(const char *s)
{
    return s[0] == '#' && strlen(s) == 7 && strspn(s + 1, "0123456789abcdefABCDEF") == 6;
}

static void read_colour(struct reading *r, const config_setting_t *s, int *out)
{
    int line = (int)config_setting_source_line(s);
    if (config_setting_type(s) == CONFIG_TYPE_INT) {
        int n = config_setting_get_int(s);
        if (n < 0 || n > 255)
            complain(r, line, "colour %d isn't in the palette; it goes from 0 to 255.", n);
        else
            *out = n;
        return;
    }
    const char *word = config_setting_get_string(s);
    if (word && strcmp(word, "default") == 0)
        *out = COLOUR_DEFAULT;
    else if (word && is_hex(word))
        *out = COLOUR_RGB | (int)strtol(word + 1, NULL, 16);
    else
        complain(r, line, "%s must be a number from 0 to 255, \"#rrggbb\" or \"default\".", config_setting_name(s));
}

static void read_attr(struct reading *r, const config_setting_t *s, unsigned bit, unsigned *out)
{
    if (config_setting_type(s) != CONFIG_TYPE_BOOL)
        complain(r, (int)config_setting_source_line(s), "%s must be true or false.", config_setting_name(s));
    else if (config_setting_get_bool(s))
        *out |= bit;
}

/* One group of colours and attributes. A role that is named starts from nothing, so that it needs no undoing. */
static void read_look(struct reading *r, const config_setting_t *group, struct look *look)
{
    static const char *const known[] = {"fg", "bg", "bold", "dim", "reverse", "underline"};
    static const unsigned bits[] = {0, 0, ATTR_BOLD, ATTR_DIM, ATTR_REVERSE, ATTR_UNDERLINE};
    *look = (struct look){COLOUR_DEFAULT, COLOUR_DEFAULT, 0};
    if (!config_setting_is_group(group)) {
        complain(r, (int)config_setting_source_line(group), "%s must be a group: %s = { fg = 220; bold = true; };",
                 config_setting_name(group), config_setting_name(group));
        return;
    }
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
        const char *name = config_setting_name(s);
        size_t k = 0;
        while (k < ARRAY_LEN(known) && strcmp(known[k], name) != 0)
            k++;
        char hint[64];
        if (k == ARRAY_LEN(known))
            complain(r, (int)config_setting_source_line(s), "\"%s\" isn't a setting of a role%s", name,
                     suggest(hint, sizeof hint, name, known, ARRAY_LEN(known)));
        else if (k < 2)
            read_colour(r, s, k == 0 ? &look->fg : &look->bg);
        else
            read_attr(r, s, bits[k], &look->attrs);
    }
}

static void read_text(struct reading *r, const config_setting_t *s, char *out, size_t size)
{
    const char *text = config_setting_get_string(s);
    if (!text || copy_text(out, size, text) >= size)
        complain(r, (int)config_setting_source_line(s), "%s must be a text of less than %zu bytes.",
                 config_setting_name(s), size);
}

static void read_setting(struct reading *r, const config_setting_t *s)
{
    static const char *known[ROLE_COUNT + 3] = {"name", "sentence", "picture"};
    const char *name = config_setting_name(s);
    for (int i = 0; i < ROLE_COUNT; i++) {
        known[i + 3] = role_word((enum role)i);
        if (strcmp(name, known[i + 3]) == 0) {
            read_look(r, s, &r->t->role[i]);
            return;
        }
    }
    struct look picture;
    char hint[64];
    if (strcmp(name, "name") == 0)
        read_text(r, s, r->t->name, sizeof r->t->name);
    else if (strcmp(name, "sentence") == 0)
        read_text(r, s, r->t->sentence, sizeof r->t->sentence);
    else if (strcmp(name, "picture") == 0) {
        read_look(r, s, &picture);
        r->t->picture_fg = picture.fg;
        r->t->picture_bg = picture.bg;
    } else
        complain(r, (int)config_setting_source_line(s), "there is no role \"%s\"%s", name,
                 suggest(hint, sizeof hint, name, known, ARRAY_LEN(known)));
}

bool theme_parse(struct theme *t, const char *file, const char *text, struct err *err)
{
    theme_builtin(t);
    struct reading r = {.t = t, .file = file};
    config_t config;
    config_init(&config);
    if (!config_read_string(&config, text))
        complain(&r, config_error_line(&config), "%s.", config_error_text(&config));
    else
        for (int i = 0; i < config_setting_length(config_root_setting(&config)); i++)
            read_setting(&r, config_setting_get_elem(config_root_setting(&config), (unsigned)i));
    config_destroy(&config);
    bool fine = r.wrong.len == 0;
    if (!fine) {
        err_set(err, "%s", r.wrong.text);
        theme_builtin(t);
    }
    buf_free(&r.wrong);
    return fine;
}

/* ---- where the files are ---- */

enum { PLACES = 5 };

/* Beside the program, so that an installed tree may be moved: BIN/../share/cutover/themes. NULL when that can't be told. */
static char *find_beside(void)
{
    char exe[400];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    char *slash = n > 0 ? memrchr(exe, '/', (size_t)n) : NULL;
    if (!slash)
        return NULL;
    *slash = '\0';
    return xprintf("%s/../share/cutover/themes", exe);
}

/* Directory number i of the search path, or NULL when its variable isn't set. The caller frees it. */
static char *find_place(int i)
{
    const char *own = getenv("CUTOVER_THEMES"), *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    switch (i) {
    case 0:
        return xstrdup("themes");
    case 1:
        return own && *own ? xstrdup(own) : NULL;
    case 2:
        if (xdg && *xdg)
            return xprintf("%s/cutover/themes", xdg);
        return home && *home ? xprintf("%s/.config/cutover/themes", home) : NULL;
    case 3:
        return find_beside();
    default:
        return xstrdup(CUTOVER_DATADIR "/themes");
    }
}

static bool read_file(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "r");
    if (!f)
        return false;
    char part[4096];
    size_t n;
    while ((n = fread(part, 1, sizeof part, f)) > 0 && out->len < 262144)
        buf_add(out, part, n);
    bool fine = !ferror(f);
    fclose(f);
    buf_puts(out, "");
    return fine;
}

static bool load_path(struct theme *t, const char *path, bool *found, struct err *err)
{
    struct buf text = {0};
    errno = 0;
    *found = read_file(path, &text);
    bool fine = *found && theme_parse(t, path, text.text, err);
    if (!*found)
        err_set(err, "Theme file %s can't be read: %s.", path, strerror(errno));
    buf_free(&text);
    return fine;
}

bool theme_load(struct theme *t, const char *name, struct err *err)
{
    theme_builtin(t);
    bool found = false;
    if (strchr(name, '/'))
        return load_path(t, name, &found, err);
    for (int i = 0; i < PLACES; i++) {
        char *place = find_place(i);
        char *path = place ? xprintf("%s/%s.cfg", place, name) : NULL;
        bool fine = path && load_path(t, path, &found, err);
        free(path);
        free(place);
        if (found)
            return fine;
    }
    if (strcmp(name, "dark") == 0)
        return true;
    struct buf names = {0};
    theme_names(&names);
    for (char *p = names.text; *p; p++)
        if (*p == '\n')
            *p = ' ';
    err_set(err, "There is no theme \"%s\"; there are: %s(see themes/ or $CUTOVER_THEMES).", name, names.text);
    buf_free(&names);
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_names(char *place, char ***names, int *n)
{
    DIR *dir = place ? opendir(place) : NULL;
    struct dirent *e;
    while (dir && (e = readdir(dir))) {
        char *dot = strrchr(e->d_name, '.');
        if (!dot || dot == e->d_name || strcmp(dot, ".cfg") != 0)
            continue;
        *dot = '\0';
        *names = xrealloc(*names, (size_t)(*n + 1) * sizeof **names);
        (*names)[(*n)++] = xstrdup(e->d_name);
    }
    if (dir)
        closedir(dir);
    free(place);
}

void theme_names(struct buf *out)
{
    char **names = xcalloc(1, sizeof *names);
    int n = 1;
    names[0] = xstrdup("dark");
    for (int i = 0; i < PLACES; i++)
        add_names(find_place(i), &names, &n);
    qsort(names, (size_t)n, sizeof *names, by_name);
    for (int i = 0; i < n; i++) {
        if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
            buf_printf(out, "%s\n", names[i]);
    }
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
}
