/* What an answer says about a record of the plan: chains, several values, spellings, and answers that make no sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/dnsview.h"
#include "core/dnswire.h"

static const struct plan_record www = {"www.shop.test", "A", {"192.0.2.1", "192.0.2.2"}};
static const struct plan_record six = {"www.shop.test", "AAAA", {"2001:DB8::0001", "2001:db8::2"}};
static const struct plan_record alias = {"www.shop.test", "CNAME", {"blue.shop.test", "green.shop.test"}};

static struct dnsview view(const struct plan_record *r, const struct dns_record *records, int count)
{
    struct dnsview v;
    struct dns_answer a = {.status = DNS_OK, .records = records, .count = count};
    dnsview_read(&v, r, &a);
    return v;
}

static void values_are_sorted_and_joined(void **state)
{
    (void)state;
    struct dns_record r[] = {{"WWW.shop.test", DNS_A, 30, "192.0.2.2", ""}, {"www.shop.test", DNS_A, 20, "192.0.2.1", ""},
                             {"other.test", DNS_A, 1, "192.0.2.9", ""}};
    struct dnsview v = view(&www, r, ARRAY_LEN(r));
    assert_string_equal(v.values, "192.0.2.1,192.0.2.2");
    assert_int_equal(v.count, 2);
    assert_int_equal(v.ttl, 20);
    assert_string_equal(v.alias, "");
}

static void chains_are_followed_in_any_order(void **state)
{
    (void)state;
    struct dns_record r[] = {{"edge.cdn.test", DNS_A, 300, "192.0.2.1", ""}, {"cdn.test", DNS_CNAME, 7, "edge.cdn.test", ""},
                             {"www.shop.test", DNS_CNAME, 60, "cdn.test", ""}};
    struct dnsview v = view(&www, r, ARRAY_LEN(r));
    assert_string_equal(v.values, "192.0.2.1");
    assert_int_equal(v.ttl, 7);
    assert_string_equal(v.alias, "cdn.test");
    v = view(&alias, r, ARRAY_LEN(r)); /* the record is the alias itself */
    assert_string_equal(v.values, "cdn.test");
    assert_int_equal(v.ttl, 60);
}

static void chains_that_lead_nowhere(void **state)
{
    (void)state;
    struct dns_record loop[] = {{"www.shop.test", DNS_CNAME, 60, "a.test", ""}, {"a.test", DNS_CNAME, 60, "www.shop.test", ""},
                                {"b.test", DNS_A, 60, "192.0.2.1", ""}};
    struct dnsview v = view(&www, loop, ARRAY_LEN(loop));
    assert_int_equal(v.count, 0);
    assert_int_equal(v.ttl, -1);
    assert_string_equal(v.values, "");
    v = view(&www, NULL, 0);
    assert_int_equal(v.count, 0);
}

static void spelling_is_the_plans(void **state)
{
    (void)state;
    struct dns_record r[] = {{"www.shop.test", DNS_AAAA, 30, "2001:db8::1", ""}};
    assert_string_equal(view(&six, r, 1).values, "2001:DB8::0001");
    struct dns_record c[] = {{"www.shop.test", DNS_CNAME, 30, "Green.shop.TEST.", ""}};
    assert_string_equal(view(&alias, c, 1).values, "green.shop.test");
    assert_true(dnsview_same("AAAA", "::1", "0:0:0:0:0:0:0:1"));
    assert_false(dnsview_same("A", "192.0.2.1", "192.0.2.10"));
    assert_false(dnsview_same("A", "nonsense", "nonsense")); /* no address is no address */
}

static void many_values_are_cut_not_overrun(void **state)
{
    (void)state;
    struct dns_record r[64];
    char text[64][40];
    for (int i = 0; i < 64; i++) {
        snprintf(text[i], sizeof text[i], "198.51.100.%d", i + 100);
        r[i] = (struct dns_record){"www.shop.test", DNS_A, 60, text[i], ""};
    }
    struct dnsview v = view(&www, r, 64);
    assert_int_equal(v.count, 32);
    assert_true(strlen(v.values) < sizeof v.values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_sorted_and_joined), cmocka_unit_test(chains_are_followed_in_any_order),
        cmocka_unit_test(chains_that_lead_nowhere),     cmocka_unit_test(spelling_is_the_plans),
        cmocka_unit_test(many_values_are_cut_not_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
