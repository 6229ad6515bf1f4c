/* The pooler's ini file: what is replaced, what stays, what is refused; and the files beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/pooler.h"

static const char INI[] = "; shop = host=not.this\r\n[pgbouncer]\nshop = 1\n[databases]\n"
                          "#shop = x\n  shop  =  host=10.0.0.1 port=5432 dbname=shop \t\r\n"
                          "shopping = host=10.0.0.9\n\"odd \"\"name\" = host='a b'\n* = host=any\n[users]\nshop = y";

static void rewrites(const char *text, const char *database, const char *want)
{
    struct buf out = {0};
    struct err err = {{0}};
    assert_true(pooler_rewrite(text, strlen(text), database, "NEW", &out, &err));
    assert_int_equal(out.len, strlen(want));
    assert_memory_equal(out.text, want, out.len);
    buf_free(&out);
}

static void one_line_changes(void **state)
{
    (void)state;
    rewrites(INI, "shop",
             "; shop = host=not.this\r\n[pgbouncer]\nshop = 1\n[databases]\n"
             "#shop = x\n  shop  =  NEW \t\r\n"
             "shopping = host=10.0.0.9\n\"odd \"\"name\" = host='a b'\n* = host=any\n[users]\nshop = y");
    rewrites("[databases]\na=", "a", "[databases]\na=NEW");
    rewrites("[databases]\na = 1\nb = 2", "b", "[databases]\na = 1\nb = NEW");
    rewrites("[databases]\n\"o \"\"n\" = 1\n", "o \"n", "[databases]\n\"o \"\"n\" = NEW\n");
    rewrites("[databases]\n* = 1\n", "*", "[databases]\n* = NEW\n");
}

static void refuses(const char *text, const char *database, const char *says)
{
    struct buf out = {0};
    struct err err = {{0}};
    assert_false(pooler_rewrite(text, strlen(text), database, "NEW", &out, &err));
    assert_non_null(strstr(err.text, says));
    assert_int_equal(out.len, 0);
    buf_free(&out);
}

static void what_is_not_there_is_said(void **state)
{
    (void)state;
    refuses("", "shop", "no line for \"shop\"");
    refuses("[pgbouncer]\nshop = 1\n", "shop", "no line");
    refuses("[databases]\n;shop = 1\nshopping = 2\nsho = 3\nshop\n", "shop", "no line");
    refuses("[databases]\nshop = 1\nshop = 2\n", "shop", "2 lines");
    refuses("[databases]\n%include other.ini\n", "shop", "includes others");
}

static void a_value(const char *target, const char *key, const char *want)
{
    char out[32];
    assert_int_equal(pooler_value(target, key, out, sizeof out), want != NULL);
    assert_string_equal(out, want ? want : "");
}

static void values_may_be_quoted(void **state)
{
    (void)state;
    a_value("host=10.0.0.1 port=6432", "port", "6432");
    a_value("host = 'it''s here'  port = 1", "host", "it's here");
    a_value("host='a port=9' port=1", "port", "1");
    a_value("localhost=1 host=2", "host", "2");
    a_value("host=", "host", "");
    a_value("host='open", "host", "open");
    a_value("", "host", NULL);
    a_value("dbname=x", "db", NULL);
}

static void targets_are_compared(void **state)
{
    (void)state;
    assert_true(pooler_is_target("host=10.0.0.1 dbname=shop", "10.0.0.1", "5432", "shop"));
    assert_false(pooler_is_target("host=10.0.0.1 dbname=shop", "10.0.0.2", "5432", "shop"));
    assert_false(pooler_is_target("host=10.0.0.1 port=1 dbname=shop", "10.0.0.1", "5432", "shop"));
    assert_false(pooler_is_target("host=10.0.0.1 dbname=shop", "10.0.0.1", "5432", "shop2"));
    assert_true(pooler_is_target("dbname=shop", "", "5432", "shop"));
    char verb[64];
    pooler_verb(verb, sizeof verb, "PAUSE", "o\"n");
    assert_string_equal(verb, "PAUSE \"o\"\"n\";");
}

/* ---- files ---- */

struct place {
    char dir[64], file[96], link[96];
};

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void holds(const char *path, const char *want)
{
    char text[512] = "";
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    assert_string_equal(text, want);
}

static bool is_alone(const struct place *p)
{
    char path[128];
    snprintf(path, sizeof path, "%s.cutover-green", p->file);
    bool green = access(path, F_OK) == 0;
    snprintf(path, sizeof path, "%s.cutover-blue", p->file);
    return !green && access(path, F_OK) != 0;
}

#define BLUE_INI "[databases]\na = host=b dbname=a\nc = host=b dbname=c\n"
#define GREEN_INI "[databases]\na = host=g dbname=a\nc = host=g dbname=c\n"

static int begin(void **state)
{
    struct place *p = xcalloc(1, sizeof *p);
    strcpy(p->dir, "/tmp/test_pooler.XXXXXX");
    if (!mkdtemp(p->dir))
        return 1;
    snprintf(p->file, sizeof p->file, "%s/real.ini", p->dir);
    snprintf(p->link, sizeof p->link, "%s/link.ini", p->dir);
    put(p->file, BLUE_INI);
    *state = p;
    return chmod(p->file, 0640) || symlink("real.ini", p->link);
}

static int end(void **state)
{
    struct place *p = *state;
    pooler_unstage(p->file);
    unlink(p->link);
    unlink(p->file);
    rmdir(p->dir);
    free(p);
    return 0;
}

static bool stage(const struct place *p, struct err *err)
{
    static const struct pooler_edit was[] = {{"a", "host=b dbname=a"}, {"c", "host=b dbname=c"}};
    static const struct pooler_edit edits[] = {{"a", "host=g dbname=a"}, {"c", "host=g dbname=c"}};
    return pooler_stage(p->link, was, edits, 2, err);
}

static void installed_and_back(void **state)
{
    struct place *p = *state;
    struct err err;
    struct stat st;
    assert_true(stage(p, &err));
    holds(p->file, BLUE_INI);
    for (int twice = 0; twice < 2; twice++) {
        assert_true(pooler_install(p->link, &err));
        holds(p->file, GREEN_INI);
    }
    assert_int_equal(stat(p->file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(lstat(p->link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    for (int twice = 0; twice < 2; twice++) {
        assert_true(pooler_restore(p->link, &err));
        holds(p->file, BLUE_INI);
    }
    assert_true(is_alone(p));
}

static void never_installed(void **state)
{
    struct place *p = *state;
    struct err err;
    assert_true(stage(p, &err));
    put(p->file, "edited by somebody");
    assert_false(pooler_install(p->file, &err));
    assert_non_null(strstr(err.text, "changed by somebody else"));
    assert_true(pooler_restore(p->file, &err));
    holds(p->file, "edited by somebody");
    assert_true(is_alone(p));
}

static void wrong_line_is_not_staged(void **state)
{
    struct place *p = *state;
    struct err err;
    put(p->file, "[databases]\na = host=elsewhere dbname=a\nc = host=b dbname=c\n");
    assert_false(stage(p, &err));
    assert_non_null(strstr(err.text, "elsewhere"));
    assert_true(is_alone(p));
    put(p->file, "");
    assert_false(stage(p, &err));
    assert_non_null(strstr(err.text, "no line"));
    assert_false(pooler_install("/nowhere/at/all.ini", &err));
    assert_non_null(strstr(err.text, "/nowhere/at/all.ini"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_changes),
        cmocka_unit_test(what_is_not_there_is_said),
        cmocka_unit_test(values_may_be_quoted),
        cmocka_unit_test(targets_are_compared),
        cmocka_unit_test_setup_teardown(installed_and_back, begin, end),
        cmocka_unit_test_setup_teardown(never_installed, begin, end),
        cmocka_unit_test_setup_teardown(wrong_line_is_not_staged, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
