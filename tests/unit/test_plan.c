/* Plans: the example and the first plan load; every mistake is said with its line and what to do, all of them in one go;
 * no bytes crash the reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/plan.h"
#include "core/plan_metrics.h"
#include "core/plan_read.h"

static struct plan *load_text(const char *text, struct plan_problems *problems)
{
    return plan_parse("p.cfg", text, problems);
}

static void print_problems(const struct plan_problems *p)
{
    for (int i = 0; i < p->count; i++)
        print_message("  %s\n", p->lines[i]);
}

static struct plan *load_good(const char *text)
{
    struct plan_problems problems;
    struct plan *plan = load_text(text, &problems);
    if (!plan)
        print_problems(&problems);
    assert_non_null(plan);
    assert_int_equal(problems.count, 0);
    plan_problems_free(&problems);
    return plan;
}

/* ---- good plans ---- */

static const char first[] = "name = \"first\";\n"
                            "blue = { address = \"192.0.2.1\"; url = \"http://192.0.2.1/\"; };\n"
                            "green = { address = \"192.0.2.2\"; url = \"http://192.0.2.2\"; };\n"
                            "databases = ( { name = \"shop\"; blue = \"service=b\"; green = \"service=g\"; } );\n";

static void test_example(void **state)
{
    (void)state;
    struct plan_problems problems = {0};
    struct plan *p = load_good(plan_example);
    char hash[DIGEST_HEX_SIZE];
    digest_sha256_hex(hash, plan_example, strlen(plan_example));
    assert_string_equal(p->hash, hash);
    assert_string_equal(p->text, plan_example);
    assert_int_equal(p->nsteps, 13);
    assert_string_equal(p->steps[0].bind, "F2");
    assert_string_equal(p->steps[12].bind, "F12");
    assert_string_equal(p->steps[plan_find_step(p, "switch")].bind, "F7"); /* what one may leave out has no key of its own */
    assert_string_equal(p->steps[plan_find_step(p, "dry")].bind, "");
    assert_int_equal(p->steps[5].letter, 'f');
    assert_int_equal(p->dns.nresolvers, 4);
    assert_true(p->dns.resolvers[0].authoritative);
    assert_string_equal(p->dns.resolvers[0].address, "192.0.2.53");
    assert_string_equal(p->dns.records[0].value[GREEN], "192.0.2.2");
    assert_string_equal(p->dns.records[1].value[GREEN], "2001:db8::2");
    assert_int_equal(p->traffic.max_errors, 5000);
    assert_int_equal(p->traffic.stages[1], 50);
    assert_true(plan_metrics_check(p, &problems));
    plan_problems_free(&problems);
    plan_free(p);
}

static void assert_shown(const struct plan_part *part)
{
    for (int i = 0; i < part->nkeys; i++) {
        char assignment[64];
        snprintf(assignment, sizeof assignment, "%s = ", part->keys[i].name);
        if (!strstr(plan_example, assignment) && !(snprintf(assignment, sizeof assignment, "#   %s ", part->keys[i].name) > 0 && strstr(plan_example, assignment)))
            fail_msg("the example doesn't show %s of %s", part->keys[i].name, part->what);
        if (part->keys[i].part)
            assert_shown(part->keys[i].part);
    }
}

static void test_example_shows_every_key(void **state)
{
    (void)state;
    assert_shown(&plan_root);
    assert_shown(&plan_step_part);
}

static char *read_file(const char *path)
{
    static char text[1 << 16];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return text;
}

static bool is_inside_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* As a word of its own, whatever the markup around it is. */
static void assert_word(const char *manual, const char *word, const char *of)
{
    for (const char *p = manual; (p = strstr(p, word)); p++)
        if (!is_inside_word(p[-1]) && !is_inside_word(p[strlen(word)]))
            return;
    fail_msg("doc/cutover-plan.5 doesn't name %s of %s", word, of);
}

static void assert_words(const char *manual, const char *words, const char *of)
{
    char word[32];
    for (const char *w = words; *(w += strspn(w, " ")); w += strcspn(w, " ")) {
        copy_text(word, MIN(sizeof word, strcspn(w, " ") + 1), w);
        assert_word(manual, word, of);
    }
}

static void assert_part(const char *manual, const struct plan_part *part)
{
    for (int i = 0; i < part->nkeys; i++) {
        assert_word(manual, part->keys[i].name, part->what);
        if (part->keys[i].part)
            assert_part(manual, part->keys[i].part);
    }
}

/* The manual names every key, every kind and every option, and the plan in it loads. */
static void test_manual(void **state)
{
    (void)state;
    char *manual = read_file("doc/cutover-plan.5");
    assert_part(manual, &plan_root);
    assert_part(manual, &plan_step_part);
#define X(name, options, sentence) assert_word(manual, name, "the kinds of checks"), assert_words(manual, options, name);
    PLAN_CHECK_KINDS(X)
#undef X
#define X(name, undo, options, sentence) assert_word(manual, name, "the kinds of steps"), assert_words(manual, options, name);
    PLAN_STEP_KINDS(X)
#undef X
    char *plan = strstr(manual, "\nname = \""), *end = plan ? strstr(plan, ".Ed") : NULL;
    assert_non_null(end);
    *end = '\0';
    plan_free(load_good(plan + 1));
}

static void test_first_plan(void **state)
{
    (void)state;
    struct plan *p = load_good(first);
    static const char *const keys[] = {"audit", "replicate", "verify", "dry", "switch", "hold", "cleanup"};
    assert_int_equal(p->nsteps, 7);
    for (int i = 0; i < 7; i++) {
        assert_string_equal(p->steps[i].key, keys[i]);
        assert_int_equal(p->steps[i].nneeds, i > 0);
        assert_int_equal(plan_find_step(p, keys[i]), i);
    }
    assert_int_equal(p->steps[4].ngate, 3); /* of the five, those that this plan has parts for */
    assert_int_equal(p->steps[4].confirm, CONFIRM_TYPE);
    assert_true(p->steps[4].no_return);
    assert_int_equal(p->pause_budget, 30000);
    assert_int_equal(p->hold, 48 * 3600000);
    assert_true(p->steps[5].timeout > p->hold);
    assert_string_equal(p->side[BLUE].url, "http://192.0.2.1");
    assert_string_equal(p->side[GREEN].egress[0], "192.0.2.2");
    assert_string_equal(p->databases[0].subscribe_from, "service=b");
    assert_true(p->databases[0].reverse);
    assert_string_equal(p->databases[0].subscribe_back_from, p->databases[0].conninfo[GREEN]);
    assert_string_equal(p->traffic.haproxy, "");
    assert_int_equal(p->dns.nrecords, 0);
    assert_int_equal(p->steps[4].gate[1].hold, 3000);
    for (int i = 0, n = 0; i < p->nsteps; i++)
        for (int k = 0; k < p->steps[i].ngate; k++)
            assert_true(p->steps[i].gate[k].index >= n && p->steps[i].gate[k].index < p->nconditions);
    plan_free(p);
}

static void test_public_resolvers(void **state)
{
    (void)state;
    char *text = xprintf("%sdns = { zone = \"shop.test\"; server = \"192.0.2.53\"; records = ( { name = \"www.shop.test.\"; } ); };", first);
    struct plan *p = load_good(text);
    int open = 0;
    for (int i = 0; i < plan_npublic_resolvers; i++)
        open += !plan_public_resolvers[i].filters;
    assert_int_equal(p->dns.nresolvers, open + 1);
    assert_true(open >= 20 && plan_npublic_resolvers >= 30);
    assert_string_equal(p->dns.records[0].name, "www.shop.test");
    assert_int_equal(plan_find_record(p, "WWW.shop.test", "A"), 0);
    assert_int_equal(plan_find_record(p, "www.shop.test", "AAAA"), -1);
    assert_int_equal(plan_find_resolver(p, "Google"), 1);
    assert_int_equal(p->dns.ttl_low, 60);
    plan_free(p);
    free(text);
    text = xprintf("%sdns = { zone = \"shop.test\"; server = \"192.0.2.53\"; records = ( { name = \"www.shop.test.\"; } ); resolvers = \"public\"; filtering = true; };", first);
    p = load_good(text);
    assert_int_equal(p->dns.nresolvers, plan_npublic_resolvers + 1);
    assert_true(p->dns.resolvers[plan_find_resolver(p, "OpenDNS")].filters);
    assert_string_equal(p->dns.resolvers[plan_find_resolver(p, "KT")].region, "KR");
    plan_free(p);
    free(text);
}

static void test_steps_of_a_plan(void **state)
{
    (void)state;
    char *text = xprintf("%ssteps = (\n"
                         "{ key = \"a\"; kind = \"command\"; run = [ \"true\" ]; undo_run = [ \"false\", \"2\" ]; bind = \"F3\"; },\n"
                         "{ key = \"b\"; kind = \"manual\"; say = \"look\"; needs = [ ]; confirm = \"none\"; gate = \"pg.lag_bytes(shop) <= 1MB\"; },\n"
                         "{ key = \"c\"; kind = \"wait\"; needs = [ \"a\", \"b\" ]; verify = [ \"step.age_ms(b) > 5s for 1m\" ]; timeout = 90; expect = 1.5; },\n"
                         "{ key = \"d\"; kind = \"hold\"; for = \"10s\"; on_fail = \"hold\"; skippable = true; } );",
                         first);
    struct plan *p = load_good(text);
    struct plan_problems problems = {0};
    assert_string_equal(p->steps[0].bind, "F3");
    assert_string_equal(p->steps[1].bind, "F2");
    assert_string_equal(p->steps[2].bind, "F4");
    assert_true(p->steps[0].has_undo && p->steps[1].has_undo && !p->steps[2].has_undo);
    assert_int_equal(p->steps[1].nneeds, 0);
    assert_int_equal(p->steps[2].nneeds, 2);
    assert_int_equal(p->steps[2].timeout, 90000);
    assert_int_equal(p->steps[2].expect, 1500);
    assert_int_equal(p->steps[1].gate[0].value, 1000000);
    assert_int_equal(p->steps[1].gate[0].op, OP_LE);
    assert_string_equal(p->steps[1].gate[0].argument, "shop");
    assert_int_equal(p->steps[2].verify[0].value, 5000);
    assert_int_equal(p->steps[2].verify[0].hold, 60000);
    assert_int_equal(p->steps[3].on_fail, ON_FAIL_HOLD);
    assert_int_equal(p->steps[3].timeout, 10000 + 600000);
    const struct plan_option *undo = plan_option_find(p->steps[0].options, p->steps[0].noptions, "undo_run");
    assert_int_equal(undo->nvalues, 2);
    assert_string_equal(undo->values[1], "2");
    assert_string_equal(plan_option_text(p->steps[0].options, p->steps[0].noptions, "none", "otherwise"), "otherwise");
    assert_true(plan_metrics_check(p, &problems));
    plan_problems_free(&problems);
    plan_free(p);
    free(text);
}

static void test_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms; /* -1: none */
    } rows[] = {{"300ms", 300}, {"5s", 5000}, {"1.5s", 1500}, {"2m", 120000}, {"24h", 86400000}, {"2d", 172800000}, {"7", 7000}, {"0", 0},
                {"", -1},       {"s", -1},    {"5 s", -1},    {"-5s", -1},    {"5x", -1},        {"1.2.3s", -1},    {"1e9s", -1}, {"99999d", -1}, {"5ms5", -1}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t ms = -1;
        assert_int_equal(plan_duration(rows[i].text, &ms), rows[i].ms >= 0);
        assert_int_equal(ms, rows[i].ms);
    }
}

/* ---- bad plans: one mistake each ---- */

struct bad {
    int instead; /* of this line of `first`; 0 = behind it, as line 5 */
    const char *text;
    int line;
    const char *words[3];
};

#define DNS(more) "dns = { zone = \"shop.test\"; server = \"192.0.2.53\"; " more " };"
#define POOLER(target) \
    "databases = ( { name = \"s\"; blue = \"service=b\"; green = \"service=g\"; poolers = ( { name = \"p\"; admin = \"service=p\"; database = \"s\";" \
    " file = \"/x\"; blue = \"" target "\"; green = \"host=g dbname='it''s a \\\\ name' pool_size=3\"; } ); } );"
#define REC "records = ( { name = \"www.shop.test\"; } ); "
#define TRAFFIC(more) "traffic = { " more " };"
#define STEP(more) "steps = ( { key = \"a\"; " more " } );"
#define GATE(text) STEP("kind = \"pg.audit\"; gate = [ \"" text "\" ];")
#define CHECK(more) "checks = ( { key = \"a\"; " more " } );"

static const struct bad bads[] = {
    /* keys */
    {5, "pause_budgt = \"3s\";", 5, {"pause_budgt", "did you mean \"pause_budget\""}},
    {5, "bake = \"3s\";", 5, {"\"bake\" isn't a key of the plan", "belongs into traffic"}},
    {5, "xyzzy = 1;", 5, {"xyzzy", "--example"}},
    {1, "", 1, {"the plan has no name"}},
    {2, "", 1, {"the plan has no blue", "blue = { ... }"}},
    {2, "\nblue = {\n};", 3, {"has no address"}},
    {4, "databases = ( {\n name = \"shop\"; blue = \"service=b\"; } );", 4, {"the database has no green"}},
    /* types */
    {1, "name = 5;", 1, {"name must be a text in quotes"}},
    {1, "name = \"\";", 1, {"name is empty"}},
    {5, "rehearsal = \"yes\";", 5, {"rehearsal must be true or false, without quotes"}},
    {5, "hold = [ 1 ];", 5, {"hold must be a duration"}},
    {5, "hold = \"two days\";", 5, {"hold must be a duration", "\"two days\""}},
    {5, "dns = 5;", 5, {"dns must be a group"}},
    {5, "checks = { key = \"a\"; };", 5, {"checks must be a list", "( { ... }, { ... } )"}},
    {4, "databases = ( 7 );", 4, {"Each entry of databases must be a group"}},
    {2, "blue = ( \"192.0.2.1\" );", 2, {"blue must be a group"}},
    /* values */
    {2, "blue = { address = \"192.0.2.256\"; };", 2, {"address must be an IPv4 or IPv6 address", "192.0.2.256"}},
    {2, "blue = { address = \"192.0.2.1\"; url = \"192.0.2.1\"; };", 2, {"url must be", "http://"}},
    {2, "blue = { address = \"192.0.2.1\"; egress = [ \"192.0.2.1\", \"x\" ]; };", 2, {"egress must be an IPv4"}},
    {5, "fence_deadline = \"8s\";", 5, {"fence_deadline is longer than switch_deadline"}},
    {5, "switch_deadline = \"1m\";", 5, {"switch_deadline is longer than pause_budget"}},
    {5, "fence_deadline = 0;", 5, {"deadline of 0"}},
    {5, "fence_tries = 0;", 5, {"fence_tries"}},
    {4, "databases = ( { name = \"shop\"; blue = \"service=b\"; green = \"service=g\"; baseline = \"dump\"; } );", 4, {"baseline must be \"copy\" or \"snapshot\""}},
    {5, "flags = ( { name = \"web\"; } );", 5, {"flag web has neither run nor url"}},
    {5, "flags = ( { name = \"web\"; url = \"http://a/b\"; run = [ \"c\" ]; } );", 5, {"flag web has run and url"}},
    {5, "flags = ( { name = \"web\"; run = [ \"flag on\" ]; } );", 5, {"isn't given to a shell"}},
    {5, "flags = ( { name = \"web\"; url = \"http://a/b\"; }, { name = \"web\"; run = [ \"c\" ]; } );", 5, {"The flag \"web\" stands twice"}},
    {1, "name = \"a\\x1b[2Jb\";", 1, {"control or invisible character"}},
    {1, "name = \"a\xe2\x80\xae"
        "b\";",
     1, {"control or invisible character"}},
    {5, "hold = 99999999999;", 5, {"99999999999 is too large"}},
    /* databases */
    {4, "databases = ( { name = \"shop\"; blue = \"hots=x\"; green = \"service=g\"; } );", 4, {"\"hots\" isn't a keyword", "did you mean \"host\""}},
    {4, "databases = ( { name = \"shop\"; blue = \"blue\"; green = \"service=g\"; } );", 4, {"keyword=value"}},
    {4, "databases = ( { name = \"shop\"; blue = \"host='x\"; green = \"service=g\"; } );", 4, {"' in the connection string is never closed"}},
    {4, "databases = ( { name = \"shop\"; blue = \"service=b\"; green = \"service=b\"; } );", 4, {"same connection"}},
    {4, "databases = ( { name = \"shop\"; blue = \"service=b\"; green = \"service=g\"; tables = [ \"items\" ]; } );", 4, {"items", "public.items"}},
    {4, "databases = (\n{ name = \"s\"; blue = \"service=b\"; green = \"service=g\"; },\n{ name = \"s\"; blue = \"service=b\"; green = \"service=h\"; } );", 6,
     {"The database \"s\" stands twice", "line 5"}},
    {4, "databases = (\n{ name = \"my-shop\"; blue = \"service=b\"; green = \"service=g\"; },\n{ name = \"My_Shop\"; blue = \"service=b\"; green = \"service=h\"; } );", 4,
     {"\"my-shop\" and \"My_Shop\" would have the same slot"}},
    {4, POOLER("host=h port"), 4, {"to the right of a database in PgBouncer's file"}},
    {4, POOLER("host=h dbname='it\\\\'s'"), 4, {"to the right of a database"}},
    {4, POOLER("host=h dbname='never"), 4, {"never closed"}},
    {4, POOLER("host=h poolsize=3"), 4, {"isn't a keyword of PgBouncer's section [databases]", "pool_size"}},
    {4, POOLER("host=h password=hunter2"), 4, {"A password stands here"}},
    /* secrets */
    {4, "databases = ( { name = \"shop\"; blue = \"host=x password=hunter2\"; green = \"service=g\"; } );", 4, {"A password stands here", "passfile"}},
    {4, "databases = ( { name = \"shop\"; blue = \"host=x pass\" \"word=hunter2\"; green = \"service=g\"; } );", 4, {"A password stands here"}},
    {4, "databases = ( { name = \"shop\"; blue = \"postgres://ben:hunter2@x/d\"; green = \"service=g\"; } );", 4, {"A password stands in this URI"}},
    {4, "databases = ( { name = \"shop\"; blue = \"postgres://x/d?password=hunter2\"; green = \"service=g\"; } );", 4, {"A password stands here"}},
    {5, "\n# old: host=x password=hunter2 dbname=y", 6, {"A password stands here"}},
    {5, "# cutover:hmac-sha256:aHVudGVyMmh1bnRlcjJodW50ZXIy", 5, {"A TSIG key stands here", "key_file"}},
    /* dns */
    {5, DNS(REC "sever = \"192.0.2.5\";"), 5, {"sever", "did you mean \"server\""}},
    {5, DNS(""), 5, {"dns has no records"}},
    {5, DNS("records = ( );"), 5, {"records is empty"}},
    {5, DNS("records = ( { name = \"www.shop.tset\"; } );"), 5, {"www.shop.tset isn't in the zone shop.test"}},
    {5, DNS("records = ( { name = \"a..b.shop.test\"; } );"), 5, {"name must be a domain name"}},
    {5, DNS("records = ( { name = \"www.shop.test\"; type = \"MX\"; } );"), 5, {"\"MX\" isn't a type of record", "A, AAAA and CNAME"}},
    {5, DNS("records = ( { name = \"www.shop.test\"; type = \"AAAA\"; } );"), 5, {"192.0.2.1", "IPv6"}},
    {5, DNS("records = ( { name = \"www.shop.test\"; green = \"192.0.2.1\"; } );"), 5, {"nothing to flip"}},
    {5, DNS(REC "ttl_low = 4000;"), 5, {"ttl_low (4000 s) isn't below ttl_normal (3600 s)"}},
    {5, DNS(REC "port = 70000;"), 5, {"port must be a number from 1 to 65535", "70000"}},
    {5, DNS(REC "key_file = \"tsig.key\";"), 5, {"key_file must be an absolute path"}},
    {5, DNS(REC "resolvers = ( { name = \"a\"; address = \"9.9.9.9\"; }, { name = \"a\"; address = \"8.8.8.8\"; } );"), 5, {"The resolver \"a\" stands twice"}},
    {5, DNS(REC "resolvers = ( { name = \"a\"; address = \"9.9.9.9\"; }, { name = \"b\"; address = \"9.9.9.9\"; } );"), 5, {"same address 9.9.9.9"}},
    {5, DNS(REC "resolvers = ( { name = \"authoritative\"; address = \"9.9.9.9\"; } );"), 5, {"kept for the server"}},
    {5, DNS(REC "resolvers = \"all\";"), 5, {"resolvers"}},
    {5, DNS(REC "servers = ( { name = \"authoritative\"; address = \"9.9.9.9\"; } );"), 5, {"give the server another one"}},
    {5, DNS(REC "servers = ( { name = \"ns1\"; address = \"192.0.2.53\"; } );"), 5, {"The server \"ns1\" is the one that  server  names already"}},
    {5, DNS(REC "servers = ( { name = \"a\"; address = \"9.9.9.9\"; } ); resolvers = ( { name = \"a\"; address = \"8.8.8.8\"; } );"), 5, {"both named \"a\""}},
    /* traffic */
    {5, TRAFFIC("haproxy = \"unix:/x\"; backend = \"r\"; blue_server = \"b\";"), 5, {"no green_server"}},
    {5, TRAFFIC("haproxy = \"/x\"; backend = \"r\"; blue_server = \"b\"; green_server = \"g\";"), 5, {"haproxy must be", "unix:"}},
    {5, TRAFFIC("stages = [ 10, 5, 100 ];"), 5, {"stages must rise"}},
    {5, TRAFFIC("stages = [ 10, 50 ];"), 5, {"last stage must be 100"}},
    {5, TRAFFIC("stages = [ 10, 500 ];"), 5, {"stages must be a percentage"}},
    {5, TRAFFIC("max_errors = \"half\";"), 5, {"max_errors must be a share"}},
    {5, TRAFFIC("prometheus = \"http://127.0.0.1\"; green_query = \"up\";"), 5, {"no blue_query"}},
    {5, TRAFFIC("probes = ( { name = \"a\"; path = \"items\"; } );"), 5, {"path must be an absolute path"}},
    {5, TRAFFIC("probes = ( { name = \"a\"; path = \"/\"; expect = 20; } );"), 5, {"expect must be an HTTP status"}},
    {3, "green = { address = \"192.0.2.2\"; };\ntraffic = { probes = ( { name = \"a\"; path = \"/\"; } ); };", 3, {"green has no url"}},
    /* checks */
    {5, CHECK("kind = \"sfp\"; domain = \"a.b\";"), 5, {"\"sfp\" isn't a kind of check", "did you mean \"spf\""}},
    {5, CHECK("kind = \"spf\";"), 5, {"Kind spf needs domain"}},
    {5, CHECK("kind = \"spf\"; domian = \"a.b\"; domain = \"a.b\";"), 5, {"domian", "did you mean \"domain\""}},
    {5, CHECK("kind = \"spf\"; domain = \"a.b\"; url = \"http://x\";"), 5, {"\"url\" is an option of kind http, not of spf"}},
    {5, CHECK("kind = \"http\"; url = \"x\";"), 5, {"url must be", "http://"}},
    {5, CHECK("kind = \"cron\";"), 5, {"no file and no command"}},
    {5, CHECK("kind = \"command\"; run = \"rm -rf x\";"), 5, {"isn't given to a shell"}},
    {5, CHECK("kind = \"backup\"; dump = \"/x\"; scratch = \"host=x passwort=y\";"), 5, {"\"passwort\" isn't a keyword"}},
    {5, "checks = ( { key = \"a b\"; kind = \"person\"; ask = \"x\"; } );", 5, {"key must be a word"}},
    {5, "checks = ( { key = \"a\"; kind = \"person\"; ask = \"x\"; },\n{ key = \"a\"; kind = \"person\"; ask = \"x\"; } );", 6, {"The check \"a\" stands twice"}},
    /* steps */
    {5, STEP("kind = \"swich\";"), 5, {"\"swich\" isn't a kind of step", "did you mean \"switch\""}},
    {5, STEP("kind = \"teleport\";"), 5, {"the kinds are: dns.ttl"}},
    {5, STEP("kind = \"dns.flip\";"), 5, {"needs dns, and the plan has none"}},
    {5, STEP("kind = \"traffic\";"), 5, {"needs traffic.haproxy"}},
    {5, STEP("kind = \"wait\";"), 5, {"Kind wait needs verify"}},
    {5, STEP("kind = \"manual\";"), 5, {"Kind manual needs say"}},
    {5, STEP("kind = \"pg.audit\"; ttl = \"low\";"), 5, {"\"ttl\" is an option of kind dns.ttl, not of pg.audit"}},
    {5, STEP("kind = \"pg.audit\"; confrim = \"key\";"), 5, {"did you mean \"confirm\""}},
    {5, STEP("kind = \"pg.audit\"; confirm = \"keys\";"), 5, {"confirm must be one of: none key type", "did you mean \"key\""}},
    {5, STEP("kind = \"pg.audit\"; on_fail = \"undo\";"), 5, {"this step has no undo"}},
    {5, STEP("kind = \"checks\"; undo = true;"), 5, {"can't be undone"}},
    {5, STEP("kind = \"command\"; run = [ \"x\" ]; undo = true;"), 5, {"can't be undone without undo_run"}},
    {5, STEP("kind = \"hold\"; for = \"1h\"; timeout = \"30m\";"), 5, {"timeout is too short", "3600 s"}},
    {5, STEP("kind = \"pg.audit\"; bind = \"F1\";"), 5, {"bind must be one of \"F2\" to \"F12\""}},
    {5, "steps = ( { key = \"a\"; kind = \"pg.audit\"; bind = \"F5\"; },\n{ key = \"b\"; kind = \"pg.audit\"; bind = \"F5\"; } );", 6, {"F5 is bound twice", "a and to b"}},
    {5, "steps = ( { key = \"a\"; kind = \"pg.audit\"; },\n{ key = \"a\"; kind = \"pg.audit\"; } );", 6, {"The step \"a\" stands twice"}},
    {5, STEP("kind = \"pg.audit\"; needs = [ \"a\" ];"), 5, {"which is itself"}},
    {5, "steps = ( { key = \"a\"; kind = \"pg.audit\"; needs = [ \"b\" ]; },\n{ key = \"b\"; kind = \"pg.audit\"; } );", 5, {"a needs b, which comes later"}},
    {5, "steps = ( { key = \"audit\"; kind = \"pg.audit\"; },\n{ key = \"b\"; kind = \"pg.audit\"; needs = [ \"adit\" ]; } );", 6, {"no step has that key", "did you mean \"audit\""}},
    {5, "steps = ( );", 5, {"There is no step to run"}},
    {4, "", 1, {"nothing to move"}},
    /* conditions */
    {5, GATE("pg.lag_ms = 5"), 5, {"write \"==\""}},
    {5, GATE("lag < 5"), 5, {"doesn't begin with a metric"}},
    {5, GATE("pg.lag_ms"), 5, {"one of < <= == != >= >"}},
    {5, GATE("pg.lag_ms <"), 5, {"after the operator comes a value"}},
    {5, GATE("pg.lag_ms(shop < 5"), 5, {"( is never closed"}},
    {5, GATE("pg.lag_ms < 5 until 3s"), 5, {"only \"for\""}},
    {5, GATE("pg.lag_ms < 5 for"), 5, {"\"for\" and a duration"}},
    {5, GATE("pg.lag_ms < 5 for ever"), 5, {"\"ever\" isn't a duration"}},
    {5, GATE("pg.lag_ms < 5 for 3s please"), 5, {"nothing may follow"}},
    {5, GATE("pg.lag_ms < 5MB"), 5, {"pg.lag_ms takes a number of milliseconds", "5MB"}},
    {5, GATE("pg.prepared == 0.5"), 5, {"takes a whole number"}},
    {5, GATE("dns.old == 0"), 5, {"would never hold", "no dns"}},
    /* the text itself */
    {5, "hold = ;", 5, {"Syntax error: a value is expected", "here stands: ;"}},
    {5, "hold \"1h\";", 5, {"after a key comes \"=\"", "a text in quotes"}},
    {5, "hold = \"1h\" rehearsal = true;", 5, {"a \";\" is missing", "rehearsal"}},
    {5, "hold = 1h;", 5, {"a value is expected", "1h"}},
    {5, "dns = { = 1; };", 5, {"a key or } is expected"}},
    {5, "checks = ( { } { } );", 5, {"separated by \",\""}},
    {5, "checks = ( { }, );", 5, {"comes no \",\""}},
    {5, "5 = 5;", 5, {"a key is expected"}},
    {5, "hold = \"1h\"; x.y = 5;", 5, {"after a key comes", "."}},
    {5, "hold = \"1h\";\nhold = \"2h\";", 6, {"stands twice in its group"}},
    {5, "hold = \"1h;\n", 5, {"isn't closed on its line"}},
    {5, "dns = {\n zone = \"x\";\n", 5, {"This { is never closed"}},
    {5, "dns = (\n }", 6, {"doesn't close the ( of line 5"}},
    {5, "};", 5, {"closes nothing"}},
    {5, "/* never\nended", 5, {"comment", "never closed"}},
    {5, "@include \"/etc/passwd\"", 5, {"@include isn't allowed"}},
    {5, "x = \"\xff\";", 5, {"0xff", "UTF-8"}},
    {5, "x = [ 1, \"a\" ];", 5, {"all be of one type"}},
    {5, "((((((((((((((((((", 5, {"nested more than"}},
};

/* `first` with one line of it replaced, or with a line behind it. */
static char *build(const struct bad *b)
{
    struct buf text = {0};
    const char *p = first;
    for (int line = 1; *p; line++) {
        size_t n = strcspn(p, "\n");
        if (line == b->instead)
            buf_puts(&text, b->text);
        else
            buf_add(&text, p, n);
        buf_puts(&text, "\n");
        p += n + 1;
    }
    if (b->instead >= 5)
        buf_printf(&text, "%s\n", b->text);
    return text.text;
}

static bool says(const char *problem, int line, const char *const *words)
{
    char head[32];
    snprintf(head, sizeof head, "p.cfg:%d: ", line);
    if (strncmp(problem, head, strlen(head)) != 0)
        return false;
    for (int i = 0; i < 3 && words[i]; i++)
        if (!strstr(problem, words[i]))
            return false;
    return true;
}

static void test_one_mistake_each(void **state)
{
    (void)state;
    assert_true(ARRAY_LEN(bads) >= 40);
    for (size_t i = 0; i < ARRAY_LEN(bads); i++) {
        struct plan_problems problems;
        char *text = build(&bads[i]);
        struct plan *plan = load_text(text, &problems);
        bool said = false;
        for (int k = 0; k < problems.count; k++)
            said |= says(problems.lines[k], bads[i].line, bads[i].words);
        if (plan || !said) {
            print_message("row %zu: %s\nexpected line %d: %s\n", i, bads[i].text, bads[i].line, bads[i].words[0]);
            print_problems(&problems);
            fail();
        }
        for (int k = 0; k < problems.count; k++)
            assert_null(strstr(problems.lines[k], "hunter2"));
        plan_problems_free(&problems);
        free(text);
    }
}

/* Where one mistake may not drag others behind it. */
static void test_one_mistake_is_one_sentence(void **state)
{
    (void)state;
    int more = 0;
    for (size_t i = 0; i < ARRAY_LEN(bads); i++) {
        struct plan_problems problems;
        char *text = build(&bads[i]);
        plan_free(load_text(text, &problems));
        if (problems.count > 1) {
            more++;
            print_message("row %zu: %s\n", i, bads[i].text);
            print_problems(&problems);
        }
        plan_problems_free(&problems);
        free(text);
    }
    assert_true(more <= 3);
}

/* ---- files in which everything is wrong at once ---- */

/* A file says itself what is wrong with it: a line that ends in "#! words | words" has a problem that holds them all;
 * a line may have several, "#! one #! another". */
static int check_line(const char *path, int line, char *expectations, const struct plan_problems *problems)
{
    int n = 0;
    for (char *one, *save = NULL; (one = strtok_r(n ? NULL : expectations, "!", &save)); n++) {
        bool said = false;
        size_t len = strlen(one);
        if (len && one[len - 1] == '#')
            one[len - 1] = '\0';
        for (int k = 0; k < problems->count; k++) {
            char head[600], *copy = xstrdup(one), *inner = NULL;
            snprintf(head, sizeof head, "%s:%d: ", path, line);
            bool all = strncmp(problems->lines[k], head, strlen(head)) == 0;
            for (char *w = strtok_r(copy, "|", &inner); w; w = strtok_r(NULL, "|", &inner)) {
                w += strspn(w, " ");
                for (size_t m = strlen(w); m && w[m - 1] == ' '; m--)
                    w[m - 1] = '\0';
                all = all && strstr(problems->lines[k], w);
            }
            said |= all;
            free(copy);
        }
        if (!said) {
            print_problems(problems);
            fail_msg("%s:%d: nobody said:%s", path, line, one);
        }
    }
    return n;
}

static void check_file(const char *path)
{
    struct plan_problems problems;
    FILE *f = fopen(path, "r");
    char line[2048];
    int expected = 0;
    assert_null(plan_load(path, &problems));
    assert_non_null(f);
    for (int n = 1; fgets(line, sizeof line, f); n++) {
        char *mark = strstr(line, "#!");
        line[strcspn(line, "\n")] = '\0';
        if (mark)
            expected += check_line(path, n, mark + 2, &problems);
    }
    fclose(f);
    if (problems.count != expected)
        print_problems(&problems);
    assert_int_equal(problems.count, expected);
    for (int i = 1; i < problems.count; i++)
        assert_true(atoi(problems.lines[i - 1] + strlen(path) + 1) <= atoi(problems.lines[i] + strlen(path) + 1));
    plan_problems_free(&problems);
}

static void test_all_mistakes_together(void **state)
{
    (void)state;
    DIR *d = opendir("tests/plans");
    int files = 0;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        char path[512];
        size_t len = strlen(e->d_name);
        if (len < 4 || strcmp(e->d_name + len - 4, ".cfg") != 0)
            continue;
        snprintf(path, sizeof path, "tests/plans/%s", e->d_name);
        check_file(path);
        files++;
    }
    closedir(d);
    assert_true(files >= 4);
}

/* ---- metrics ---- */

static void test_metrics(void **state)
{
    (void)state;
    static const struct {
        const char *condition, *words;
    } rows[] = {{"pg.lga_ms < 5", "there is no metric pg.lga_ms; did you mean \"pg.lag_ms\"?"},
                {"pg.lag_ms(shpo) < 5", "no database \"shpo\""},
                {"switch.committed(x) == 1", "takes no argument"},
                {"pg.clients(red) == 0", "no side \"red\""},
                {"step.age_ms > 5", "needs a step"},
                {"pg.zzzzzzzzz > 5", "cutover help metrics"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct plan_problems problems = {0};
        char *text = xprintf("%s\nsteps = (\n{ key = \"a\"; kind = \"pg.audit\"; gate = [ \"pg.prepared == 0\",\n\"%s\" ]; } );", first, rows[i].condition);
        struct plan *p = load_good(text);
        assert_false(plan_metrics_check(p, &problems));
        assert_int_equal(problems.count, 1);
        assert_int_equal(strncmp(problems.lines[0], "p.cfg:8: ", 9), 0);
        char *words = xstrdup(rows[i].words);
        for (char *q; (q = strchr(words, '\\'));)
            memmove(q, q + 1, strlen(q));
        if (!strstr(problems.lines[0], words))
            fail_msg("%s", problems.lines[0]);
        free(words);
        plan_problems_free(&problems);
        plan_free(p);
        free(text);
    }
}

/* ---- files ---- */

static void expect_unloadable(const char *path, const char *words)
{
    struct plan_problems problems;
    assert_null(plan_load(path, &problems));
    assert_int_equal(problems.count, 1);
    if (!strstr(problems.lines[0], words))
        fail_msg("%s", problems.lines[0]);
    plan_problems_free(&problems);
}

static void test_unreadable_files(void **state)
{
    (void)state;
    char dir[] = "/tmp/test_plan.XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    expect_unloadable("/no/such/plan.cfg", "/no/such/plan.cfg: The plan can't be opened: No such file");
    expect_unloadable(dir, "isn't a regular file");
    snprintf(path, sizeof path, "%s/fifo", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_unloadable(path, "isn't a regular file");
    unlink(path);
    snprintf(path, sizeof path, "%s/nul", dir);
    FILE *f = fopen(path, "w");
    fwrite("name = \"\0\";", 1, 11, f);
    fclose(f);
    expect_unloadable(path, "NUL byte");
    f = fopen(path, "w");
    for (int i = 0; i < 20000; i++)
        fprintf(f, "# a long and tedious comment that says nothing at all, again and again\n");
    fclose(f);
    expect_unloadable(path, "larger than 1 MiB");
    unlink(path);
    rmdir(dir);
}

/* ---- fuzz ---- */

static uint64_t seed = 88172645463325252u;

static size_t dice(size_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (size_t)(seed % n);
}

/* Flips, cuts, doubles or inserts a few bytes; the alphabet is what the grammar reacts to. */
static void mutate(struct buf *b)
{
    static const char alphabet[] = "{}()[]\"\\;=,#/*\n 0129.-+@axX\xc3\xff\x01%<>";
    for (size_t n = 1 + dice(4); n && b->len > 8; n--) {
        size_t at = dice(b->len), most = 1 + dice(12), len = MIN(most, b->len - at);
        switch (dice(5)) {
        case 0: b->text[at] = alphabet[dice(sizeof alphabet - 1)]; break;
        case 1: b->text[at] = (char)(1 + dice(255)); break;
        case 2:
            memmove(b->text + at, b->text + at + len, b->len - at - len + 1);
            b->len -= len;
            break;
        case 3: {
            char *copy = xcalloc(len + 1, 1);
            memcpy(copy, b->text + at, len);
            buf_add(b, copy, len);
            free(copy);
            break;
        }
        default: {
            size_t line = strcspn(b->text + at, "\n");
            memmove(b->text + at, b->text + at + line, b->len - at - line + 1);
            b->len -= line;
        }
        }
    }
}

static void test_no_bytes_crash_it(void **state)
{
    (void)state;
    int loaded = 0, rounds = getenv("PLAN_FUZZ_ROUNDS") ? atoi(getenv("PLAN_FUZZ_ROUNDS")) : 4000;
    for (int i = 0; i < rounds; i++) {
        struct plan_problems problems;
        struct buf b = {0};
        buf_puts(&b, i % 4 ? plan_example : first);
        mutate(&b);
        struct plan *plan = load_text(b.text, &problems);
        loaded += plan != NULL;
        assert_true((plan != NULL) == (problems.count == 0));
        for (int k = 0; k < problems.count; k++) /* libconfig's own sentence: our grammar let something through */
            if (strstr(problems.lines[k], "this line can't be read ("))
                fail_msg("%s\n%s", problems.lines[k], b.text);
        plan_free(plan);
        plan_problems_free(&problems);
        buf_free(&b);
    }
    assert_true(loaded > 0 && loaded < rounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example),
        cmocka_unit_test(test_example_shows_every_key),
        cmocka_unit_test(test_manual),
        cmocka_unit_test(test_first_plan),
        cmocka_unit_test(test_public_resolvers),
        cmocka_unit_test(test_steps_of_a_plan),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_one_mistake_each),
        cmocka_unit_test(test_one_mistake_is_one_sentence),
        cmocka_unit_test(test_all_mistakes_together),
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_unreadable_files),
        cmocka_unit_test(test_no_bytes_crash_it),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
