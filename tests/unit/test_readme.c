/* What a stranger reads first must be true: the README's first plan loads and gets the built-in runbook, and the manual page
 * of plans says the defaults that the reader takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plan_metrics.h"
#include "core/plan_read.h"

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char *text = xcalloc(1, 1 << 17);
    size_t n = fread(text, 1, (1 << 17) - 1, f);
    assert_true(n > 0 && n < (1 << 17) - 1);
    fclose(f);
    return text;
}

/* The first block in ``` of the README, cut out in place. */
static char *cut_plan(char *readme)
{
    char *fence = strstr(readme, "\n```\n"), *end = fence ? strstr(fence + 5, "\n```\n") : NULL;
    assert_non_null(end);
    end[1] = '\0';
    return fence + 5;
}

static int count_lines(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void test_first_plan(void **state)
{
    static const char *const keys[] = {"ttl.lower", "audit", "replicate", "verify", "checks", "shift", "dry", "switch", "dns.flip", "watch", "hold", "cleanup", "ttl.raise"};
    char path[] = "/tmp/cutover-readme.XXXXXX";
    int fd = mkstemp(path);
    FILE *f = fdopen(fd, "w");
    char *readme = read_file("README.md"), *text = cut_plan(readme);
    struct plan_problems problems = {0};
    (void)state;
    assert_in_range(count_lines(text), 20, 40);
    fputs(text, f);
    fclose(f);
    struct plan *plan = plan_metrics_load(path, &problems);
    for (int i = 0; i < problems.count; i++)
        print_message("%s\n", problems.lines[i]);
    assert_non_null(plan);
    assert_int_equal(plan->nsteps, (int)ARRAY_LEN(keys));
    for (int i = 0; i < plan->nsteps; i++) {
        assert_string_equal(plan->steps[i].key, keys[i]);
        assert_int_equal(plan->steps[i].line, 0); /* built in */
    }
    plan_free(plan);
    plan_problems_free(&problems);
    remove(path);
    free(readme);
}

/* The table of the README names each step of the built-in runbook, in its order. */
static void test_runbook_in_order(void **state)
{
    static const char *const keys[] = {"`ttl.lower`", "`audit`", "`replicate`", "`checks`", "`shift`", "`switch`", "`dns.flip`", "`watch`", "`hold`", "`cleanup`", "`ttl.raise`"};
    char *readme = read_file("README.md"), *at = strstr(readme, "## What happens when"), *end = at ? strstr(at + 1, "\n## ") : NULL;
    (void)state;
    assert_non_null(end);
    *end = '\0';
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        at = strstr(at, keys[i]);
        if (!at)
            fail_msg("%s is missing, or out of order", keys[i]);
    }
    free(readme);
}

/* ---- defaults ---- */

static bool names(const char *entry, const char *key)
{
    char line[200], *rest = line, *word;
    copy_text(line, MIN(sizeof line, strcspn(entry, "\n") + 1), entry);
    while ((word = strtok_r(rest, " ,", &rest)))
        if (strcmp(word, key) == 0)
            return true;
    return false;
}

/* Some entry of the key in this section says "Default: X." */
static bool tells_default(const char *section, const char *key, const char *otherwise)
{
    char *wanted = xprintf("\nDefault: %s.\n", otherwise);
    bool found = false;
    for (const char *e = section; !found && (e = strstr(e, "\n.It Ic ")); e++) {
        const char *next = strstr(e + 1, "\n.It "), *list = strstr(e + 1, "\n.El"), *told = strstr(e, wanted);
        const char *end = next && next < list ? next : list;
        found = names(e + strlen("\n.It Ic "), key) && told && told < end;
    }
    free(wanted);
    return found;
}

static int check_defaults(const char *manual, const char *title, const struct plan_part *part)
{
    char *text = strdup(manual), *section = strstr(text, title), *end = section ? strstr(section + 1, "\n.Sh ") : NULL;
    int n = 0;
    assert_non_null(end);
    *end = '\0';
    for (int i = 0; i < part->nkeys; i++) {
        const struct plan_key *k = &part->keys[i];
        if (!k->otherwise || !k->otherwise[0])
            continue;
        n++;
        if (!tells_default(section, k->name, k->otherwise))
            fail_msg("doc/cutover-plan.5, %s: %s of %s has no line \"Default: %s.\"", title + 1, k->name, part->what, k->otherwise);
    }
    for (int i = 0; i < part->nkeys; i++)
        if (part->keys[i].part && part != &plan_root)
            n += check_defaults(manual, title, part->keys[i].part);
    free(text);
    return n;
}

static void test_defaults(void **state)
{
    char *manual = read_file("doc/cutover-plan.5");
    int n = check_defaults(manual, "\n.Sh TOP LEVEL", &plan_root) + check_defaults(manual, "\n.Sh DNS", &plan_dns_part) +
            check_defaults(manual, "\n.Sh TRAFFIC", &plan_traffic_part) + check_defaults(manual, "\n.Sh CHECKS", &plan_check_part) +
            check_defaults(manual, "\n.Sh STEPS", &plan_step_part);
    (void)state;
    assert_true(n >= 18); /* so many had one when this was written */
    free(manual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_plan),
        cmocka_unit_test(test_runbook_in_order),
        cmocka_unit_test(test_defaults),
    };
    return cmocka_run_group_tests_name("readme", tests, NULL, NULL);
}
