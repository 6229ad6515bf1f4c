#include "tui/theme.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void reads_a_theme(void **state)
{
    (void)state;
    struct theme t;
    struct err err = {""};
    assert_true(theme_parse(&t, "x.cfg",
                            "name = \"x\";\nok = { fg = \"#12Ab34\"; bg = 17; underline = true; };\n"
                            "bad = { fg = \"default\"; reverse = true; bold = false; };\n",
                            &err));
    assert_string_equal(t.name, "x");
    assert_int_equal(t.role[ROLE_OK].fg, COLOUR_RGB | 0x12ab34);
    assert_int_equal(t.role[ROLE_OK].bg, 17);
    assert_int_equal(t.role[ROLE_OK].attrs, ATTR_UNDERLINE);
    assert_int_equal(t.role[ROLE_BAD].fg, COLOUR_DEFAULT);
    assert_int_equal(t.role[ROLE_BAD].attrs, ATTR_REVERSE);
    assert_int_equal(t.role[ROLE_WARN].fg, 220); /* not named: as built in */
}

static void reports_every_mistake_at_once(void **state)
{
    (void)state;
    struct theme t;
    struct err err = {""};
    assert_false(theme_parse(&t, "x.cfg",
                             "titel = { fg = 1; };\nok = { fgg = 3; };\nbad = { fg = 300; };\nwarn = 3;\n"
                             "run = { fg = \"red\"; bold = 1; };\n",
                             &err));
    assert_string_equal(err.text, "x.cfg:1: there is no role \"titel\"; did you mean \"title\"?\n"
                                  "x.cfg:2: \"fgg\" isn't a setting of a role; did you mean \"fg\"?\n"
                                  "x.cfg:3: colour 300 isn't in the palette; it goes from 0 to 255.\n"
                                  "x.cfg:4: warn must be a group: warn = { fg = 220; bold = true; };\n"
                                  "x.cfg:5: fg must be a number from 0 to 255, \"#rrggbb\" or \"default\".\n"
                                  "x.cfg:5: bold must be true or false.");
    assert_string_equal(t.name, "dark");
    assert_false(theme_parse(&t, "y.cfg", "ok = {\n fg = ;\n};", &err));
    assert_string_equal(err.text, "y.cfg:2: syntax error.");
}

static void the_built_in_theme_is_the_dark_file(void **state)
{
    (void)state;
    struct theme file, built_in;
    struct err err = {""};
    theme_builtin(&built_in);
    if (!theme_load(&file, "themes/dark.cfg", &err))
        fail_msg("%s", err.text);
    assert_string_equal(file.sentence, built_in.sentence);
    assert_int_equal(file.picture_bg, built_in.picture_bg);
    for (int i = 0; i < ROLE_COUNT; i++)
        if (memcmp(&file.role[i], &built_in.role[i], sizeof file.role[i]) != 0)
            fail_msg("role %s differs between themes/dark.cfg and the program", role_word((enum role)i));
}

/* Each file loads, names itself as it is called, and lets nobody mix up what must be told apart. */
static void every_shipped_theme_is_sound(void **state)
{
    (void)state;
    struct buf names = {0};
    int n = 0;
    theme_names(&names);
    for (char *name = strtok(names.text, "\n"); name; name = strtok(NULL, "\n"), n++) {
        struct theme t;
        struct err err = {""};
        if (!theme_load(&t, name, &err))
            fail_msg("%s", err.text);
        assert_string_equal(t.name, name);
        assert_true(t.sentence[0]);
        static const enum role pairs[][2] = {{ROLE_OK, ROLE_BAD},     {ROLE_WARN, ROLE_BAD},  {ROLE_OK, ROLE_WARN},
                                             {ROLE_BLUE, ROLE_GREEN}, {ROLE_GO, ROLE_HOLD},   {ROLE_HOLD, ROLE_STOP},
                                             {ROLE_KEY, ROLE_KEY_LOCKED}, {ROLE_GO, ROLE_STOP}, {ROLE_OK, ROLE_UNKNOWN}};
        for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
            if (memcmp(&t.role[pairs[i][0]], &t.role[pairs[i][1]], sizeof t.role[0]) == 0)
                fail_msg("%s: %s and %s look the same", name, role_word(pairs[i][0]), role_word(pairs[i][1]));
        struct look marked = theme_look(&t, ROLE_TEXT | ATTR_SELECTED);
        assert_true(marked.bg != COLOUR_DEFAULT || marked.attrs & ATTR_REVERSE);
    }
    assert_true(n >= 5);
    buf_free(&names);
}

static void finds_themes_in_the_persons_directory(void **state)
{
    (void)state;
    char dir[] = "/tmp/cutover-theme-XXXXXX", path[64];
    struct theme t;
    struct err err = {""};
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/mine.cfg", dir);
    FILE *f = fopen(path, "w");
    fputs("name = \"mine\"; ok = { fg = 5; };", f);
    fclose(f);
    setenv("CUTOVER_THEMES", dir, 1);
    struct buf names = {0};
    theme_names(&names);
    assert_non_null(strstr(names.text, "mine\n"));
    buf_free(&names);
    assert_true(theme_load(&t, "mine", &err));
    assert_int_equal(t.role[ROLE_OK].fg, 5);
    unlink(path);
    rmdir(dir);
    unsetenv("CUTOVER_THEMES");
    assert_false(theme_load(&t, "mine", &err));
    assert_non_null(strstr(err.text, "There is no theme \"mine\"; there are: "));
    assert_non_null(strstr(err.text, "dark"));
}

static void no_color_wins(void **state)
{
    (void)state;
    setenv("NO_COLOR", "1", 1);
    assert_string_equal(theme_choose("light"), "mono");
    setenv("NO_COLOR", "", 1);
    assert_string_equal(theme_choose("light"), "light");
    unsetenv("NO_COLOR");
    assert_string_equal(theme_choose(NULL), "dark");
}

static void maps_to_smaller_palettes(void **state)
{
    (void)state;
    assert_int_equal(theme_nearest(COLOUR_RGB | 0x5f87ff, 256), 69);
    assert_int_equal(theme_nearest(COLOUR_RGB | 0xff005f, 256), 197);
    assert_int_equal(theme_nearest(220, 8), 3);
    assert_int_equal(theme_nearest(197, 8), 1);
    assert_int_equal(theme_nearest(69, 8), 4);
    assert_int_equal(theme_nearest(156, 8), 2);
    assert_int_equal(theme_nearest(183, 8), 5); /* the accent must not turn blue */
    assert_int_equal(theme_nearest(223, 8), 3); /* nor the price of going back red */
    assert_int_equal(theme_nearest(69, 16), 12);
    assert_int_equal(theme_nearest(245, 8), COLOUR_DEFAULT);
    assert_int_equal(theme_nearest(COLOUR_DEFAULT, 256), COLOUR_DEFAULT);
    assert_int_equal(theme_nearest(197, 0), COLOUR_DEFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_theme),
        cmocka_unit_test(reports_every_mistake_at_once),
        cmocka_unit_test(the_built_in_theme_is_the_dark_file),
        cmocka_unit_test(every_shipped_theme_is_sound),
        cmocka_unit_test(finds_themes_in_the_persons_directory),
        cmocka_unit_test(no_color_wins),
        cmocka_unit_test(maps_to_smaller_palettes),
    };
    return cmocka_run_group_tests_name("theme", tests, NULL, NULL);
}
