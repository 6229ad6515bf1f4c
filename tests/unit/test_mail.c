/* The records of mail and certificates against what others hold for right (read in place): each row as its source expects it, or the reading
 * under which it differs, named here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/mail/caa.h"
#include "core/mail/dkim.h"
#include "core/mail/dmarc.h"
#include "core/mail/mtasts.h"

enum { COLUMNS = 5 };

/* ---- tables of others ---- */

/* The next row, cut at its tabs; \t \n \r \\ are taken back in the columns after the first. False at the end. */
static bool next_row(FILE *f, char *line, size_t size, char *column[COLUMNS])
{
    do {
        if (!fgets(line, (int)size, f))
            return false;
        line[strcspn(line, "\n")] = '\0';
    } while (*line == '#');
    char *at = line;
    for (int i = 0; i < COLUMNS; i++) {
        column[i] = at ? at : line + strlen(line);
        at = at ? strchr(at, '\t') : NULL;
        if (at)
            *at++ = '\0';
    }
    return true;
}

static void unescape(char *text)
{
    char *to = text;
    for (const char *at = text; *at; at++) {
        if (*at == '\\' && strchr("tnr\\", at[1]) && at[1]) {
            at++;
            *to++ = *at == 't' ? '\t' : *at == 'n' ? '\n' : *at == 'r' ? '\r' : '\\';
        } else {
            *to++ = *at;
        }
    }
    *to = '\0';
}

static FILE *open_vectors(const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "../shared/vectors/%s", name);
    FILE *f = fopen(path, "r");
    if (!f) {
        printf("# skipped: %s is not there\n", path);
        skip();
    }
    return f;
}

static int wrong;
static void judge(bool is, const char *expect, const char *text, const struct err *err)
{
    if (is == (strcmp(expect, "valid") == 0))
        return;
    printf("# expected %s: %s   (%s)\n", expect, text, err->text);
    wrong++;
}

static void every_dkim_row(void **state)
{
    (void)state;
    char line[4000], *c[COLUMNS];
    int rows = 0;
    wrong = 0;
    FILE *f = open_vectors("dkim_key_records.tsv");
    for (; next_row(f, line, sizeof line, c); rows++) {
        struct dkim_key k;
        struct err err = {0};
        unescape(c[1]);
        bool is = dkim_parse(&k, c[1], &err);
        judge(is, c[0], c[1], &err);
    }
    fclose(f);
    assert_int_equal(wrong, 0);
    assert_true(rows >= 12);
}

/* Where a row's source is more, or less, than the standard. */
static const struct {
    const char *record, *why;
} other_readings[] = {
    {"v=DMARC1; p=n;", "OpenDMARC takes what a word begins with; neither RFC does"},
    {"v=DMARC1; p=none; rf=bob;", "a format that nobody knows is no error of syntax in RFC 7489 6.4, and RFC 9989 has no rf"},
    {"v=DMARC1; p=none; rf=000000000000000000000000000000000", "the same"},
};

static const char *other_reading(const char *record)
{
    for (size_t i = 0; i < ARRAY_LEN(other_readings); i++)
        if (strcmp(other_readings[i].record, record) == 0)
            return other_readings[i].why;
    return NULL;
}

static void every_dmarc_row(void **state)
{
    (void)state;
    char line[4000], *c[COLUMNS];
    int rows = 0, others = 0;
    wrong = 0;
    FILE *f = open_vectors("dmarc_records.tsv");
    for (; next_row(f, line, sizeof line, c); rows++) {
        struct dmarc d;
        struct err err = {0};
        unescape(c[1]);
        bool is = dmarc_parse(&d, c[1], strstr(c[2], "Internet.nl") ? DMARC_RFC9989 : DMARC_RFC7489, &err);
        if (other_reading(c[1])) {
            assert_int_not_equal(is, strcmp(c[0], "valid") == 0);
            others++;
            continue;
        }
        judge(is, c[0], c[1], &err);
    }
    fclose(f);
    assert_int_equal(wrong, 0);
    assert_true(rows >= 69);
    assert_int_equal(others, (int)ARRAY_LEN(other_readings));
}

static void every_mtasts_row(void **state)
{
    (void)state;
    char line[4000], *c[COLUMNS], id[40];
    int rows = 0;
    wrong = 0;
    FILE *f = open_vectors("mtasts.tsv");
    static struct mtasts p;
    for (; next_row(f, line, sizeof line, c); rows++) {
        struct err err = {0};
        unescape(c[2]);
        bool is = strcmp(c[0], "txt") == 0 ? mtasts_parse_record(id, sizeof id, c[2], &err) : mtasts_parse_policy(&p, c[2], &err);
        judge(is, c[1], c[2], &err);
    }
    fclose(f);
    assert_int_equal(wrong, 0);
    assert_true(rows >= 42);
}

static void every_caa_row(void **state)
{
    (void)state;
    char line[4000], *c[COLUMNS];
    int rows = 0;
    wrong = 0;
    FILE *f = open_vectors("caa_records.tsv");
    for (; next_row(f, line, sizeof line, c); rows++) {
        struct caa caa;
        struct err err = {0};
        bool is = caa_parse(&caa, atoi(c[1]), c[2], c[3], &err);
        judge(is, c[0], c[3], &err);
    }
    fclose(f);
    assert_int_equal(wrong, 0);
    assert_true(rows >= 28);
}

/* ---- our own ---- */

static void the_generations_of_dmarc_differ(void **state)
{
    struct dmarc d;
    struct err err = {0};
    (void)state;
    assert_false(dmarc_parse(&d, "v=DMARC1; sp=reject; p=quarantine", DMARC_RFC7489, &err));
    assert_non_null(strstr(err.text, "right behind"));
    assert_true(dmarc_parse(&d, "v=DMARC1; sp=reject; p=quarantine", DMARC_RFC9989, &err));
    assert_string_equal(d.p, "quarantine");
    assert_string_equal(d.sp, "reject");
    assert_string_equal(d.np, "reject");
    assert_true(dmarc_parse(&d, "v=DMARC1; p=none; pct=many", DMARC_RFC9989, &err));
    assert_false(dmarc_parse(&d, "v=DMARC1; p=none; pct=many", DMARC_RFC7489, &err));
    assert_true(dmarc_parse(&d, "v=DMARC1; p=reject; t=y; np=none", DMARC_RFC9989, &err));
    assert_true(d.testing);
    assert_string_equal(d.np, "none");
    assert_false(dmarc_parse(&d, "v=DMARC1; p=none; rua=mailto:a b@example.com", DMARC_RFC9989, &err));
    assert_true(dmarc_parse(&d, "v=DMARC1; p=perhaps; rua=mailto:a@example.com", DMARC_RFC9989, &err));
    assert_string_equal(d.p, "none");
}

static void a_dkim_key_says_what_it_is(void **state)
{
    struct dkim_key k;
    struct err err = {0};
    (void)state;
    assert_true(dkim_parse(&k, "v=DKIM1; k=ed25519; t=y:s; s=email; p=JDcbZ0Hpba5NKXI4UAW3G0IDhhFOxhJTDybZEwe1FeA=", &err));
    assert_true(k.testing && k.strict && k.email && k.sha256 && k.key_len == 32 && !k.revoked);
    assert_true(dkim_parse(&k, "v=DKIM1; h=sha1; s=tlsrpt; p=", &err));
    assert_true(k.revoked && !k.sha256 && !k.email);
    assert_false(dkim_parse(&k, "v=DKIM1; p=AAA*", &err));
    assert_non_null(strstr(err.text, "base64"));
    assert_false(dkim_parse(&k, "v=DKIM1; p=;;", &err));
    assert_non_null(strstr(err.text, "nothing between two semicolons"));
}

static void a_policy_lists_its_servers(void **state)
{
    static struct mtasts p;
    struct err err = {0};
    (void)state;
    assert_true(mtasts_parse_policy(&p, "version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmax_age: 86400\n", &err));
    assert_true(mtasts_lists(&p, "MAIL.example.com"));
    assert_true(mtasts_lists(&p, "a.example.net"));
    assert_false(mtasts_lists(&p, "a.b.example.net"));
    assert_false(mtasts_lists(&p, "example.net"));
    assert_false(mtasts_lists(&p, "other.example.com"));
    assert_true(p.max_age == 86400);
}

static int read_set(struct caa *set, const char *const *text, int n)
{
    struct err err = {0};
    for (int i = 0; i < n; i++)
        assert_true(caa_read(&set[i], text[i], &err));
    return n;
}

static void who_may_issue(void **state)
{
    static const char *const both[] = {"0 issue \"ca.example; accounturi=https://ca.example/1; validationmethods=dns-01\"", "0 issuewild \";\"", "0 iodef \"mailto:a@b.example\""};
    static const char *const unknown[] = {"0 issue \"ca.example\"", "128 tbs \"Unknown\""};
    static const char *const other[] = {"0 iodef \"mailto:a@b.example\""};
    struct caa set[4];
    (void)state;
    int n = read_set(set, both, 3);
    assert_string_equal(set[0].accounturi, "https://ca.example/1");
    assert_int_equal(caa_allows(set, n, "ca.example", false), CAA_ALLOWED);
    assert_int_equal(caa_allows(set, n, "CA.example", false), CAA_ALLOWED);
    assert_int_equal(caa_allows(set, n, "other.example", false), CAA_FORBIDDEN);
    assert_int_equal(caa_allows(set, n, "ca.example", true), CAA_FORBIDDEN);
    n = read_set(set, unknown, 2);
    assert_int_equal(caa_allows(set, n, "ca.example", false), CAA_CRITICAL);
    n = read_set(set, other, 1);
    assert_int_equal(caa_allows(set, n, "anybody.example", true), CAA_ALLOWED);
    assert_int_equal(caa_allows(set, 0, "anybody.example", false), CAA_ALLOWED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_dkim_row), cmocka_unit_test(every_dmarc_row), cmocka_unit_test(every_mtasts_row), cmocka_unit_test(every_caa_row),
        cmocka_unit_test(the_generations_of_dmarc_differ), cmocka_unit_test(a_dkim_key_says_what_it_is), cmocka_unit_test(a_policy_lists_its_servers),
        cmocka_unit_test(who_may_issue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
