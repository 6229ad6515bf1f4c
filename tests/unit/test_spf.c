/* spf against the suite of RFC 7208 (read in place), and against what that half of the suite leaves out: macros, ptr,
 * the details of errors, the tree, and records that somebody made up to hurt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/dnswire.h"
#include "core/spf.h"
#include "core/text.h"

/* ---- a zone: rows of name, type, value; type "TIMEOUT" stands for a server that does not answer ---- */

struct row {
    const char *name, *type, *value;
};
struct zone {
    struct row row[600];
    int rows;
    struct arena arena;
};

static void add(struct zone *z, const char *name, const char *type, const char *value, size_t len)
{
    char clean[2000];
    assert_true(z->rows < (int)ARRAY_LEN(z->row));
    text_clean(clean, sizeof clean, value, len);
    z->row[z->rows++] = (struct row){arena_strdup(&z->arena, name), type, arena_strdup(&z->arena, clean)};
}

struct found {
    const char *value[64];
    struct spf_answer answer;
};

static void look_up(const struct zone *z, const struct spf_question *q, struct found *f)
{
    bool timeout = false;
    f->answer = (struct spf_answer){.values = f->value};
    for (int i = 0; i < z->rows; i++) {
        const struct row *r = &z->row[i];
        if (strcasecmp(r->name, q->name) != 0)
            continue;
        timeout |= strcmp(r->type, "TIMEOUT") == 0;
        if (dnswire_type(r->type) == q->type)
            f->value[f->answer.count++] = r->value;
    }
    f->answer.outcome = f->answer.count ? SPF_FOUND : timeout ? SPF_BROKEN : SPF_VOID;
}

/* Runs a check to its end; returns how many questions it took. */
static int run(struct spf *s, const struct zone *z, const struct spf_mail *mail)
{
    const struct spf_question *q;
    struct found f;
    int questions = 0;
    spf_begin(s, mail);
    while ((q = spf_next(s))) {
        assert_true(++questions < 400);
        look_up(z, q, &f);
        spf_feed(s, &f.answer);
    }
    return questions;
}

/* ---- the suite ---- */

static bool has_type(json_t *records, const char *type)
{
    size_t i;
    json_t *r;
    json_array_foreach(records, i, r)
        if (json_object_get(r, type))
            return true;
    return false;
}

/* A row "SPF" is served as TXT unless the name has a TXT of its own. */
static void add_vector(struct zone *z, const char *name, const char *type, json_t *value, bool has_txt)
{
    struct buf b = {0};
    size_t i;
    json_t *part;
    bool spf = strcmp(type, "SPF") == 0;
    if (spf && has_txt)
        return;
    buf_puts(&b, "");
    json_array_foreach(value, i, part) {
        if (json_is_integer(part))
            buf_printf(&b, "%d ", (int)json_integer_value(part));
        else
            buf_add(&b, json_string_value(part), json_string_length(part));
    }
    if (json_is_string(value))
        buf_add(&b, json_string_value(value), json_string_length(value));
    add(z, name, dnswire_type_name(dnswire_type(spf ? "TXT" : type)), b.text, b.len);
    buf_free(&b);
}

static void read_zone(struct zone *z, json_t *zonedata)
{
    const char *name, *type;
    json_t *records, *record, *value;
    size_t i;
    json_object_foreach(zonedata, name, records)
        json_array_foreach(records, i, record) {
            if (json_is_string(record))
                add(z, name, "TIMEOUT", "", 0);
            json_object_foreach(record, type, value)
                add_vector(z, name, type, value, has_type(records, "TXT"));
        }
}

static bool is_accepted(json_t *result, const char *name)
{
    size_t i;
    json_t *one;
    json_array_foreach(result, i, one)
        if (strcmp(json_string_value(one), name) == 0)
            return true;
    return json_is_string(result) && strcmp(json_string_value(result), name) == 0;
}

static int run_vector(const struct zone *z, const char *name, json_t *t)
{
    struct spf s;
    struct spf_mail mail = {.ip = json_string_value(json_object_get(t, "host")),
                            .helo = json_string_value(json_object_get(t, "helo")),
                            .sender = json_string_value(json_object_get(t, "mailfrom"))};
    const char *explanation = json_string_value(json_object_get(t, "explanation"));
    run(&s, z, &mail);
    const char *got = *s.explanation ? s.explanation : "DEFAULT";
    bool ok = is_accepted(json_object_get(t, "result"), spf_result_name(s.result)) && (!explanation || strcmp(got, explanation) == 0) &&
              *s.detail;
    if (!ok)
        print_error("%s: %s (%s), explanation \"%s\"\n", name, spf_result_name(s.result), s.detail, got);
    spf_free(&s);
    return ok;
}

static void suite_of_rfc7208(void **state)
{
    (void)state;
    json_error_t error;
    json_t *root = json_load_file("../shared/vectors/spf-rfc7208.json", JSON_ALLOW_NUL, &error);
    if (!root) {
        print_message("# skipped: the suite's file is not here\n");
        skip();
    }
    int cases = 0, good = 0;
    size_t i;
    json_t *scenario, *t;
    const char *name;
    json_array_foreach(json_object_get(root, "scenarios"), i, scenario) {
        struct zone *z = xcalloc(1, sizeof *z);
        read_zone(z, json_object_get(scenario, "zonedata"));
        json_object_foreach(json_object_get(scenario, "tests"), name, t) {
            cases++;
            good += run_vector(z, name, t);
        }
        arena_free(&z->arena);
        free(z);
    }
    json_decref(root);
    print_message("# %d of %d cases of the suite accepted\n", good, cases);
    assert_int_equal(cases, 125);
    assert_int_equal(good, cases);
}

/* ---- our own zone ---- */

static const struct row rows[] = {
    {"email.example.com", "TXT", "v=spf1 -all exp=why.%{d}"},
    {"ip.test", "TXT", "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"},
    {"exists4.test", "TXT", "v=spf1 exists:%{ir}.%{v}._spf.%{d2} -all"},
    {"3.2.0.192.in-addr._spf.exists4.test", "A", "127.0.0.2"},
    {"lp.test", "TXT", "v=spf1 exists:%{l1r-}.lp._spf.%{d} -all"},
    {"strong.lp._spf.lp.test", "A", "127.0.0.2"},
    {"bad.lp._spf.lp.test", "A", "127.0.0.2"},
    {"exists6.test", "TXT", "v=spf1 exists:%{ir}.%{v}._spf.%{d} -all"},
    {"1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.exists6.test", "A", "127.0.0.2"},
    {"ptr.test", "TXT", "v=spf1 ptr -all"},
    {"9.2.0.192.in-addr.arpa", "PTR", "liar.test."},
    {"9.2.0.192.in-addr.arpa", "PTR", "mx.ptr.test."},
    {"liar.test", "A", "192.0.2.200"},
    {"mx.ptr.test", "A", "192.0.2.9"},
    {"p.test", "TXT", "v=spf1 exists:%{p}.ok.test -all exp=p.why.test"},
    {"mx.ptr.test.ok.test", "A", "127.0.0.2"},
    {"p.why.test", "TXT", "%{p} from %{c}"},
    {"why.test", "TXT", "v=spf1 -all exp=text.why.test"},
    {"text.why.test", "TXT", "%{S} may not %% send%_from %{c} to %{r} at %{t} %{h}"},
    {"temp.test", "TXT", "v=spf1 include:dead.test -all"},
    {"dead.test", "TIMEOUT", ""},
    {"none.test", "TXT", "v=spf1 include:nothing.test -all"},
    {"soft.test", "TXT", "v=spf1 include:ip.test ~all"},
    {"typo.test", "TXT", "v=spf1 ipv4:192.0.2.1 -all"},
    {"number.test", "TXT", "v=spf1 a:192.0.2.1 -all"},
    {"two.test", "TXT", "v=spf1 -all"},
    {"two.test", "TXT", "v=spf1 +all"},
    {"mx6.test", "TXT", "v=spf1 mx mx:a.mx6.test mx:b.mx6.test mx:c.mx6.test ip6:2001:db8::1 -all"},
    {"mx6.test", "MX", "10 four.test"},
    {"a.mx6.test", "MX", "10 four.test"},
    {"b.mx6.test", "MX", "10 four.test"},
    {"c.mx6.test", "MX", "10 four.test"},
    {"four.test", "A", "192.0.2.4"},
    {"c.test", "TXT", "v=spf1 a:%{c}.test -all"},
    {"zero.test", "TXT", "v=spf1 a:%{d0}.test -all"},
    {"open.test", "TXT", "v=spf1 a:%{d.test -all"},
    {"long.test", "TXT", "v=spf1 exists:%{l}.%{l}.%{l}.%{l}.%{l}.tail.test -all"},
    {"dots.test", "TXT", "v=spf1 a:a..b.test ?all"},
    {"selfish.test", "TXT", "v=spf1 redirect=%{d}"},
};

static struct zone *own_zone(void)
{
    struct zone *z = xcalloc(1, sizeof *z);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        add(z, rows[i].name, rows[i].type, rows[i].value, strlen(rows[i].value));
    return z;
}

static void free_zone(struct zone *z)
{
    arena_free(&z->arena);
    free(z);
}

static void verdicts(void **state)
{
    (void)state;
    static const struct {
        const char *ip, *sender, *result, *detail, *explanation;
    } cases[] = {
        {"192.0.2.3", "a@ip.test", "pass", "\"ip4:192.0.2.0/24\" in the record of ip.test matches", ""},
        {"198.51.100.1", "a@ip.test", "fail", "\"-all\" in the record of ip.test matches", ""},
        {"2001:db8:5::1", "a@ip.test", "pass", "ip6:", ""},
        {"::ffff:192.0.2.3", "a@ip.test", "pass", "ip4:", ""},
        {"192.0.2.3", "a@exists4.test", "pass", "exists:", ""},
        {"192.0.2.4", "a@exists4.test", "fail", "-all", ""},
        {"192.0.2.4", "strong-bad@lp.test", "pass", "exists:", ""},
        {"192.0.2.4", "other@lp.test", "fail", "-all", ""},
        {"2001:db8::cb01", "a@exists6.test", "pass", "exists:", ""},
        {"192.0.2.9", "a@ptr.test", "pass", "\"ptr\"", ""},
        {"192.0.2.8", "a@ptr.test", "fail", "-all", ""},
        {"192.0.2.9", "a@p.test", "pass", "exists:%{p}", ""},
        {"192.0.2.8", "a@p.test", "fail", "-all", "unknown from 192.0.2.8"},
        {"2001:db8::9", "jack&jill@why.test", "fail", "-all",
         "jack%26jill%40why.test may not % send from 2001:db8::9 to mx.there.test at 1700000000 helo.test"},
        {"192.0.2.1", "a@temp.test", "temperror", "the SPF record of dead.test could not be looked up", ""},
        {"192.0.2.1", "a@none.test", "permerror", "include:nothing.test names a domain without an SPF record", ""},
        {"192.0.2.1", "a@soft.test", "pass", "include:ip.test", ""},
        {"198.51.100.1", "a@soft.test", "softfail", "~all", ""},
        {"192.0.2.1", "a@typo.test", "permerror", "typo.test: the term \"ipv4:192.0.2.1\" is no SPF: there is no such mechanism", ""},
        {"192.0.2.1", "a@number.test", "permerror", "an address is written with ip4:", ""},
        {"192.0.2.1", "a@two.test", "permerror", "two.test has 2 SPF records where one is allowed", ""},
        {"192.0.2.1", "a@nothing.test", "none", "nothing.test has no SPF record", ""},
        {"2001:db8::1", "a@mx6.test", "pass", "ip6:", ""}, /* four mail servers without IPv6 cost no empty lookup */
        {"192.0.2.1", "a@c.test", "permerror", "macro", ""},
        {"192.0.2.1", "a@zero.test", "permerror", "macro", ""},
        {"192.0.2.1", "a@open.test", "permerror", "macro", ""},
        {"192.0.2.1", "a@dots.test", "neutral", "?all", ""},
        {"192.0.2.1", "a@selfish.test", "permerror", "needs more than 10 lookups", ""},
        {"192.0.2.1", "", "pass", "ip4:", ""}, /* postmaster@helo */
        {"nonsense", "a@ip.test", "permerror", "\"nonsense\" is no address", ""},
    };
    struct zone *z = own_zone();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct spf s;
        struct spf_mail mail = {cases[i].ip, *cases[i].sender ? "helo.test" : "ip.test", cases[i].sender, "mx.there.test", 1700000000, NULL};
        run(&s, z, &mail);
        if (strcmp(spf_result_name(s.result), cases[i].result) != 0 || !strstr(s.detail, cases[i].detail))
            fail_msg("%s from %s: %s, %s", cases[i].sender, cases[i].ip, spf_result_name(s.result), s.detail);
        assert_string_equal(s.explanation, cases[i].explanation);
        spf_free(&s);
    }
    free_zone(z);
}

/* RFC 7208 7.4, with its own figures. */
static void macros_of_the_rfc(void **state)
{
    (void)state;
    static const struct {
        const char *ip, *spec, *name;
    } cases[] = {
        {"192.0.2.3", "%{s}.x.test", "strong-bad@email.example.com.x.test"},
        {"192.0.2.3", "%{o}", "email.example.com"},
        {"192.0.2.3", "%{d4}", "email.example.com"},
        {"192.0.2.3", "%{d2}", "example.com"},
        {"192.0.2.3", "%{d1}", "com"},
        {"192.0.2.3", "%{dr}", "com.example.email"},
        {"192.0.2.3", "%{d2r}", "example.email"},
        {"192.0.2.3", "%{l}", "strong-bad"},
        {"192.0.2.3", "%{l-}", "strong.bad"},
        {"192.0.2.3", "%{lr}", "strong-bad"},
        {"192.0.2.3", "%{lr-}", "bad.strong"},
        {"192.0.2.3", "%{l1r-}", "strong"},
        {"192.0.2.3", "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
        {"192.0.2.3", "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
        {"192.0.2.3", "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
        {"192.0.2.3", "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"},
        {"192.0.2.3", "%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"},
        {"2001:db8::cb01", "%{ir}.%{v}._spf.%{d2}",
         "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[300];
        snprintf(text, sizeof text, "v=spf1 exists:%s -all", cases[i].spec);
        struct spf s;
        const char *values[] = {text};
        spf_begin(&s, &(struct spf_mail){cases[i].ip, "h.test", "strong-bad@email.example.com", NULL, 0, NULL});
        assert_string_equal(spf_next(&s)->name, "email.example.com");
        spf_feed(&s, &(struct spf_answer){SPF_FOUND, values, 1});
        const struct spf_question *q = spf_next(&s);
        assert_non_null(q);
        assert_string_equal(q->name, cases[i].name);
        assert_int_equal(q->type, DNS_A);
        spf_free(&s);
    }
}

/* A name that grows past 253 loses labels on its left (7.3). */
static void long_names_lose_their_head(void **state)
{
    (void)state;
    struct zone *z = own_zone();
    char sender[128];
    struct spf s;
    snprintf(sender, sizeof sender, "%060d@long.test", 1);
    spf_begin(&s, &(struct spf_mail){"192.0.2.1", "h.test", sender, NULL, 0, NULL});
    struct found f;
    look_up(z, spf_next(&s), &f);
    spf_feed(&s, &f.answer);
    const struct spf_question *q = spf_next(&s);
    assert_int_equal(strlen(q->name), 253); /* one of five local parts is gone */
    spf_free(&s);
    free_zone(z);
}

static void the_tree_shows_what_costs(void **state)
{
    (void)state;
    struct zone *z = own_zone();
    struct buf b = {0};
    struct spf s;
    run(&s, z, &(struct spf_mail){"198.51.100.1", "h.test", "a@soft.test", NULL, 0, NULL});
    spf_print(&s, &b);
    assert_string_equal(b.text, "soft.test: v=spf1 include:ip.test ~all\n"
                                "  include:ip.test  no match  1 lookup\n"
                                "    ip.test: v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all\n"
                                "      ip4:192.0.2.0/24  no match\n"
                                "      ip6:2001:db8::/32  no match\n"
                                "      -all  match\n"
                                "  ~all  match\n"
                                "1 of 10 lookups, 0 of 2 void lookups\n");
    assert_int_equal(s.lookups, 1);
    buf_free(&b);
    spf_free(&s);
    free_zone(z);
}

/* Whatever stands in records, a check ends: at most 10 terms of at most 11 questions each, and the text of the tree
 * can always be drawn. */
static const char *const words[] = {
    "v=spf1 ", "a", "mx", "ptr", "all", "include:", "exists:", "redirect=", "exp=", "ip4:", "ip6:", "%{", "}", "%%", "%", "p", "d", "i",
    "r", "1", "0", "/", "//", "24", "x.test", "y.test", ".", " ", " ", " ", "-", "~", "?", "+", "=", ":", "\xc3\xa4", "v=spf1", "%{p}.x.test",
    "%{ir}.x.test", "a:%{d}", "mx:x.test", "include:y.test", "include:x.test", "redirect=y.test", "exp=x.test", "ptr:x.test", "192.0.2.1",
};

static const char *const terms[] = {
    "a", "mx", "ptr", "include:y.test", "include:%{d}", "exists:%{ir}.%{p}.x.test", "ip4:198.51.100.0/24", "mx:%{l1r-}.z.test//64",
    "a:x.test/24", "redirect=z.test", "exp=why.%{d}", "other=%{h}", "?ip6:2001:db8:1::/48", "ptr:%{o}", "~a:y.test", "-all",
};

/* Half of the records are well formed and go deep, the other half are not. */
static void made_up_text(struct buf *b)
{
    bool good = rand() % 2;
    b->len = 0;
    buf_puts(b, good || rand() % 8 ? "v=spf1 " : "");
    for (int n = rand() % (good ? 5 : 14); n >= 0; n--) {
        buf_puts(b, good ? terms[(size_t)rand() % ARRAY_LEN(terms)] : words[(size_t)rand() % ARRAY_LEN(words)]);
        buf_puts(b, good ? " " : "");
    }
}

static int made_up_check(struct buf *b, struct buf *tree)
{
    struct spf s;
    const struct spf_question *q;
    int questions = 0;
    spf_begin(&s, &(struct spf_mail){rand() % 2 ? "192.0.2.1" : "2001:db8::1", "h.test", rand() % 4 ? "a.b-c@x.test" : "", NULL, 0, NULL});
    while ((q = spf_next(&s))) {
        assert_true(++questions <= 200);
        made_up_text(b);
        const char *text = q->type == DNS_TXT ? b->text : q->type == DNS_A ? "192.0.2.77" : q->type == DNS_AAAA ? "2001:db8::2" : "10 y.test";
        const char *values[] = {text, text, text};
        enum spf_outcome outcome = rand() % 12 ? SPF_FOUND : rand() % 3 ? SPF_VOID : SPF_BROKEN;
        spf_feed(&s, &(struct spf_answer){outcome, values, outcome != SPF_FOUND ? 0 : q->type == DNS_TXT ? 1 : 1 + rand() % 3});
    }
    assert_true(s.lookups <= SPF_MAX_LOOKUPS && *s.detail);
    tree->len = 0;
    spf_print(&s, tree);
    spf_free(&s);
    return questions;
}

static void made_up_records_end(void **state)
{
    (void)state;
    struct buf b = {0}, tree = {0};
    int most = 0;
    srand(7208);
    for (int i = 0; i < 20000; i++)
        most = MAX(most, made_up_check(&b, &tree));
    print_message("# the longest of 20000 checks asked %d questions\n", most);
    assert_true(most > 10);
    buf_free(&b);
    buf_free(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suite_of_rfc7208),   cmocka_unit_test(verdicts),
        cmocka_unit_test(macros_of_the_rfc),  cmocka_unit_test(long_names_lose_their_head),
        cmocka_unit_test(the_tree_shows_what_costs), cmocka_unit_test(made_up_records_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
