/* The steps, the source and the check of DNS against a real authoritative server (Knot) and a real resolver (Unbound):
 * TTL, flip, undo, probes; somebody else changing a record before and between our updates; a server that is dead or
 * stands still. Everything on loopback. */
#include "tests/unit/async.h"

#include <inttypes.h>

#include "core/check/check.h"
#include "core/dns.h"
#include "core/dnsupdate.h"
#include "core/dnswire.h"
#include "core/source/source.h"
#include "core/step/step.h"

#define SECRET "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3I="

static struct owner o;
static char dir[64];
static int knot_port, unbound_port;
static pid_t knot, unbound;
static struct plan *plan;
static struct model *model;

/* ---- files and servers ---- */

static void write_file(const char *name, const char *fmt, ...)
{
    char path[200];
    va_list ap;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    va_start(ap, fmt);
    vfprintf(f, fmt, ap);
    va_end(ap);
    fclose(f);
}

static pid_t spawn(const char *log, const char *program, const char *option, const char *conf, const char *stay)
{
    char path[200], out[200];
    snprintf(path, sizeof path, "%s/%s", dir, conf);
    snprintf(out, sizeof out, "%s/%s", dir, log);
    pid_t pid = fork();
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!freopen(out, "a", stdout) || !freopen(out, "a", stderr))
        _exit(1);
    execl(program, program, option, path, stay, (char *)NULL);
    _exit(1);
}

static void stop(pid_t *pid)
{
    if (*pid > 0) {
        kill(*pid, SIGKILL);
        waitpid(*pid, NULL, 0);
    }
    *pid = 0;
}

static void write_zone(void)
{
    write_file("shop.test.zone", "@ 60 SOA ns.shop.test. admin.shop.test. 1 3600 600 86400 5\n@ 60 NS ns\nns 60 A 127.0.0.1\n"
                                 "www 20 A 127.0.2.1\napi 20 A 127.0.2.1\nboth 20 A 127.0.2.1\nboth 20 A 127.0.2.2\n"
                                 "alias 20 CNAME www\n"
                                 "@ 60 TXT \"v=spf1 ip4:127.0.2.1 ip4:127.0.2.2 -all\"\n"
                                 "narrow 60 TXT \"v=spf1 ip4:127.0.2.1 ~all\"\n"
                                 "moves 60 TXT \"v=spf1 a:www.shop.test ip4:127.0.2.2 -all\"\n"
                                 "away 60 TXT \"v=spf1 include:elsewhere.example -all\"\n");
    write_file("knot.conf", "server:\n  rundir: %s\n  listen: 127.0.0.1@%d\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n"
                            "key:\n  - id: cutover-key\n    algorithm: hmac-sha256\n    secret: " SECRET "\n"
                            "acl:\n  - id: update\n    key: cutover-key\n    action: update\n"
                            "database:\n  storage: %s\n"
                            "zone:\n  - domain: shop.test\n    storage: %s\n    file: shop.test.zone\n    acl: update\n"
                            "    zonefile-sync: -1\n    zonefile-load: whole\n    journal-content: none\n",
        dir, knot_port, dir, dir);
}

static void write_unbound(void)
{
    write_file("unbound.conf", "server:\n directory: \"%s\"\n chroot: \"\"\n username: \"\"\n pidfile: \"\"\n do-daemonize: no\n use-syslog: no\n"
                               " logfile: \"\"\n num-threads: 1\n interface: 127.0.0.1\n port: %d\n do-ip6: no\n do-not-query-localhost: no\n"
                               " module-config: \"iterator\"\n local-zone: \".\" refuse\n local-zone: \"test.\" transparent\n"
                               "stub-zone:\n name: \"shop.test\"\n stub-addr: 127.0.0.1@%d\n",
        dir, unbound_port, knot_port);
}

static bool query_done(const void *q)
{
    return !dns_busy(q);
}

/* "127.0.2.1 20" as a server answers it, or the status. */
static const char *look_at(int port, const char *name, bool recursion)
{
    static char text[4][200];
    static int slot;
    char *out = text[slot++ % 4];
    struct dns_server *s = dns_server_new(&o.loop, "127.0.0.1", port);
    struct dns_query *q = dns_ask(&o.task, s, name, DNS_A, recursion, 500);
    assert_true(turn_until(&o, query_done, q, 2000));
    const struct dns_answer *a = dns_answer(q);
    if (a->status == DNS_OK)
        snprintf(out, sizeof text[0], "%s %u", a->records[0].text, a->records[0].ttl);
    else
        copy_text(out, sizeof text[0], dns_status_name(a->status));
    dns_query_free(q);
    dns_server_free(s);
    return out;
}

static const char *look(const char *name)
{
    return look_at(knot_port, name, false);
}

static void await_server(int port, bool recursion)
{
    int64_t end = clock_mono() + 10000;
    while (strncmp(look_at(port, "ns.shop.test", recursion), "127.", 4) != 0)
        assert_true(clock_mono() < end);
}

static void start_knot(void)
{
    stop(&knot);
    write_zone();
    knot = spawn("knot.log", "/usr/sbin/knotd", "-c", "knot.conf", NULL);
    await_server(knot_port, false);
}

/* A profile of AppArmor goes by the program's path; a copy has none. */
static void start_unbound(void)
{
    char program[200], command[400];
    snprintf(program, sizeof program, "%s/unbound", dir);
    snprintf(command, sizeof command, "cp /usr/sbin/unbound %s", program);
    if (access(program, X_OK))
        assert_int_equal(system(command), 0);
    write_unbound();
    unbound = spawn("unbound.log", program, "-c", "unbound.conf", "-d");
    await_server(unbound_port, true);
}

/* ---- somebody else, with a loop of their own ---- */

static bool update_done(const void *u)
{
    return !dnsupdate_busy(u);
}

static void foreign(const char *name, const char *value, int ttl)
{
    struct owner other;
    struct dnsupdate_key key;
    struct err err;
    char path[200];
    const char *now = look(name), *old[] = {NULL}, *new[] = {value};
    char before[64];
    copy_text(before, sizeof before, now);
    *strchr(before, ' ') = '\0';
    old[0] = before;
    snprintf(path, sizeof path, "%s/tsig.key", dir);
    assert_true(dnsupdate_key_read(&key, path, &err));
    owner_open(&other);
    struct dnsupdate *u = dnsupdate_new(&other.task, "127.0.0.1", knot_port, &key);
    dnsupdate_send(u, &(struct dnsupdate_change){.zone = "shop.test", .name = name, .type = DNS_A, .old = old, .old_count = 1, .new = new,
        .new_count = 1, .ttl = (uint32_t)ttl}, 2000);
    assert_true(turn_until(&other, update_done, u, 4000));
    assert_string_equal(dnsupdate_error(u), "");
    dnsupdate_free(u);
    owner_close(&other);
}

/* ---- the door: folds, counts, and lets a test act in the middle of a step ---- */

static struct heard {
    struct door door;
    int changed, seen, failed, back;
    char last[400], said[2000], change[200];
    void (*on_change)(int nth);
} heard;
static struct step_run *running;

static void record(struct door *d, struct event *e)
{
    struct heard *h = (struct heard *)d;
    e->at = clock_wall();
    model_fold(model, plan, e);
    h->seen += e->kind == EVENT_dns_seen;
    h->failed += e->kind == EVENT_source_failed;
    h->back += e->kind == EVENT_source_back;
    if (e->kind == EVENT_source_failed)
        copy_text(h->last, sizeof h->last, e->source_failed.sentence);
    if (e->kind == EVENT_step_said)
        snprintf(h->said + strlen(h->said), sizeof h->said - strlen(h->said), "%s\n", e->step_said.text);
    if (e->kind != EVENT_dns_changed)
        return;
    h->changed++;
    snprintf(h->change, sizeof h->change, "%s %s->%s %" PRId64, e->dns_changed.record, e->dns_changed.from, e->dns_changed.to, e->dns_changed.ttl);
    if (h->on_change)
        h->on_change(h->changed);
}

/* ---- steps ---- */

static void open_plan(const char *records)
{
    struct plan_problems problems = {0};
    char *text = xprintf("name = \"dns\"; rehearsal = true; blue = { address = \"127.0.2.1\"; }; green = { address = \"127.0.2.2\"; };\n"
                         "dns = { zone = \"shop.test\"; server = \"127.0.0.1\"; port = %d; key_file = \"%s/tsig.key\"; ttl_low = 2; ttl_normal = 60;\n"
                         "interval = \"300ms\"; records = ( %s ); resolvers = ( { name = \"unbound\"; address = \"127.0.0.1\"; port = %d; } ); };\n"
                         "checks = ( { key = \"spf\"; kind = \"spf\"; title = \"a\"; domain = \"shop.test\"; },\n"
                         " { key = \"narrow\"; kind = \"spf\"; title = \"b\"; domain = \"narrow.shop.test\"; },\n"
                         " { key = \"moves\"; kind = \"spf\"; title = \"c\"; domain = \"moves.shop.test\"; },\n"
                         " { key = \"away\"; kind = \"spf\"; title = \"c\"; domain = \"away.shop.test\"; } );\n"
                         "steps = ( { key = \"lower\"; title = \"Lower\"; kind = \"dns.ttl\"; ttl = \"low\"; timeout = \"6s\"; },\n"
                         " { key = \"flip\"; title = \"Flip\"; kind = \"dns.flip\"; timeout = \"6s\"; },\n"
                         " { key = \"raise\"; title = \"Raise\"; kind = \"dns.ttl\"; ttl = \"normal\"; timeout = \"6s\"; },\n"
                         " { key = \"seven\"; title = \"Seven\"; kind = \"dns.ttl\"; ttl = \"7\"; timeout = \"6s\"; } );\n",
        knot_port, dir, records, unbound_port);
    plan = plan_parse("dns.cfg", text, &problems);
    for (int i = 0; i < problems.count; i++)
        print_error("%s\n", problems.lines[i]);
    assert_non_null(plan);
    plan_problems_free(&problems);
    free(text);
    model = model_new(plan);
}

static void close_plan(void)
{
    model_free(model);
    plan_free(plan);
    plan = NULL;
}

static void over(struct step_run *run)
{
    *(bool *)run->engine = true;
}

static bool is_true(const void *flag)
{
    return *(const bool *)flag;
}

static char sentence[400];
static const char *run_step(const char *key, enum step_mode mode)
{
    static char result[20];
    bool ended = false;
    struct step_run *run = running = xcalloc(1, sizeof *run);
    void (*hook)(int) = heard.on_change;
    heard = (struct heard){.door = {record}, .on_change = hook};
    run->loop = &o.loop;
    run->plan = plan;
    run->model = model;
    run->door = &heard.door;
    run->state_dir = dir;
    run->index = plan_find_step(plan, key);
    run->step = &plan->steps[run->index];
    run->kind = step_kind_find(run->step->kind);
    run->mode = mode;
    run->over = over;
    run->engine = &ended;
    step_start(run);
    assert_true(turn_until(&o, is_true, &ended, 30000));
    copy_text(result, sizeof result, run->result);
    copy_text(sentence, sizeof sentence, run->sentence);
    heard.on_change = NULL;
    step_free(run);
    return result;
}

static void assert_says(const char *part)
{
    if (!strstr(sentence, part))
        fail_msg("\"%s\" does not say \"%s\"", sentence, part);
}

static const char *describe(const char *key, enum step_mode mode)
{
    static char text[2000];
    struct buf b = {0};
    const struct plan_step *s = &plan->steps[plan_find_step(plan, key)];
    step_kind_find(s->kind)->describe(plan, model, s, mode, &b);
    copy_text(text, sizeof text, b.text);
    buf_free(&b);
    return text;
}

/* As the source would have told the model. */
static void see_published(const char *name, const char *value, int ttl)
{
    heard.door.record = record;
    RECORD(&heard.door, dns_seen, .resolver = plan->dns.resolvers[0].name, .record = name, .type = "A", .status = "ok", .answer = value,
        .ttl = ttl, .rtt_us = 100, .error = "");
}

static int begin(void **state)
{
    (void)state;
    write_file("tsig.key", "cutover-key:hmac-sha256:" SECRET "\n");
    start_knot();
    open_plan("{ name = \"www.shop.test\"; }, { name = \"api.shop.test\"; }");
    return 0;
}

static int end(void **state)
{
    (void)state;
    close_plan();
    return 0;
}

/* ---- what the steps do ---- */

static void lower_and_raise(void **state)
{
    (void)state;
    char expected[300];
    snprintf(expected, sizeof expected, "update www.shop.test A TTL to 2 at 127.0.0.1:%d, value unchanged, only if it is 127.0.2.1 or 127.0.2.2 "
                                        "(signed cutover-key.)\n", knot_port);
    assert_memory_equal(describe("lower", MODE_RUN), expected, strlen(expected));
    see_published("www.shop.test", "127.0.2.1", 20);
    see_published("api.shop.test", "127.0.2.1", 20);
    snprintf(expected, sizeof expected, "update www.shop.test A TTL 20 -> 2 at 127.0.0.1:%d, value unchanged, only if it still is 127.0.2.1 "
                                        "(signed cutover-key.)\n", knot_port);
    assert_memory_equal(describe("lower", MODE_RUN), expected, strlen(expected));
    assert_string_equal(run_step("lower", MODE_PROBE), "before");
    assert_string_equal(run_step("lower", MODE_RUN), "done");
    assert_says("TTL is 2 s for 2 records at 127.0.0.1:");
    assert_says("in 20 s.");
    assert_int_equal(heard.changed, 2);
    assert_string_equal(heard.change, "api.shop.test 127.0.2.1->127.0.2.1 2");
    assert_string_equal(look("www.shop.test"), "127.0.2.1 2");
    assert_string_equal(look("api.shop.test"), "127.0.2.1 2");
    assert_string_equal(run_step("lower", MODE_PROBE), "after");
    assert_says("www.shop.test A is 127.0.2.1 TTL 2, api.shop.test A is 127.0.2.1 TTL 2");
    assert_string_equal(run_step("lower", MODE_RUN), "done");
    assert_says("Nothing to do: the TTL of all records is 2 s already");
    assert_int_equal(heard.changed, 0);
    assert_string_equal(run_step("lower", MODE_UNDO), "undone");
    assert_string_equal(look("www.shop.test"), "127.0.2.1 20"); /* what it was, not what the plan calls normal */
    assert_string_equal(run_step("raise", MODE_RUN), "done");
    assert_string_equal(look("www.shop.test"), "127.0.2.1 60");
    assert_string_equal(run_step("raise", MODE_UNDO), "undone");
    assert_string_equal(look("api.shop.test"), "127.0.2.1 2");
    assert_string_equal(run_step("seven", MODE_RUN), "done");
    assert_string_equal(look("api.shop.test"), "127.0.2.1 7");
    foreign("api.shop.test", "127.0.2.1", 9);
    assert_string_equal(run_step("seven", MODE_PROBE), "partial");
    foreign("api.shop.test", "127.0.2.9", 9);
    assert_string_equal(run_step("lower", MODE_RUN), "failed");
    assert_says("api.shop.test A is 127.0.2.9 at 127.0.0.1:");
    assert_says("its TTL is left alone. Nothing was changed.");
    assert_string_equal(look("www.shop.test"), "127.0.2.1 7");
}

static void flip_and_back(void **state)
{
    (void)state;
    char expected[300];
    snprintf(expected, sizeof expected,
        "update www.shop.test A 127.0.2.1 -> 127.0.2.2 TTL 2 at 127.0.0.1:%d, only if it still is 127.0.2.1 (signed cutover-key.)\n", knot_port);
    assert_memory_equal(describe("flip", MODE_RUN), expected, strlen(expected));
    assert_non_null(strstr(describe("flip", MODE_UNDO), "update www.shop.test A 127.0.2.2 -> 127.0.2.1 TTL 2"));
    assert_non_null(strstr(describe("flip", MODE_PROBE), "ask 127.0.0.1:"));
    assert_string_equal(run_step("flip", MODE_PROBE), "before");
    assert_string_equal(run_step("flip", MODE_RUN), "done");
    assert_says("2 of 2 records changed, all point at green");
    assert_int_equal(heard.changed, 2);
    assert_true(model->record[0].flipped_at > 0 && model->record[1].flipped_at > 0);
    assert_string_equal(look("www.shop.test"), "127.0.2.2 2");
    assert_string_equal(look("api.shop.test"), "127.0.2.2 2");
    assert_string_equal(run_step("flip", MODE_PROBE), "after");
    assert_string_equal(run_step("flip", MODE_RUN), "done");
    assert_says("Nothing to do: all records point at green already");
    foreign("api.shop.test", "127.0.2.1", 2);
    assert_string_equal(run_step("flip", MODE_PROBE), "partial");
    assert_string_equal(run_step("flip", MODE_UNDO), "undone");
    assert_string_equal(look("www.shop.test"), "127.0.2.1 2");
    assert_int_equal(model->record[0].flipped_at, 0);
    assert_string_equal(run_step("flip", MODE_PROBE), "before");
}

static void nobody_is_overwritten(void **state)
{
    (void)state;
    foreign("api.shop.test", "127.0.2.9", 20);
    assert_string_equal(run_step("flip", MODE_RUN), "failed");
    assert_says("api.shop.test A is 127.0.2.9 at 127.0.0.1:");
    assert_says("neither 127.0.2.1 (blue) nor 127.0.2.2 (green): somebody else changed it. Nothing was changed.");
    assert_int_equal(heard.changed, 0);
    assert_string_equal(look("www.shop.test"), "127.0.2.1 20");
    assert_string_equal(run_step("flip", MODE_PROBE), "partial");
}

static void change_api(int nth)
{
    if (nth == 1)
        foreign("api.shop.test", "127.0.2.9", 20);
}

/* Between our reading and our update: the prerequisite refuses it, and the first record goes back. */
static void a_race_is_lost_cleanly(void **state)
{
    (void)state;
    heard.on_change = change_api;
    assert_string_equal(run_step("flip", MODE_RUN), "failed");
    assert_says("api.shop.test A is 127.0.2.9 at 127.0.0.1:");
    assert_says("not 127.0.2.1 any more: somebody else changed it, and the update was refused.");
    assert_says("changed back");
    assert_int_equal(heard.changed, 2); /* there and back */
    assert_string_equal(heard.change, "www.shop.test 127.0.2.2->127.0.2.1 20");
    assert_string_equal(look("www.shop.test"), "127.0.2.1 20");
    assert_string_equal(look("api.shop.test"), "127.0.2.9 20");
    assert_int_equal(model->record[0].flipped_at, 0);
}

static void ask_to_abort(int nth)
{
    (void)nth;
    running->abort_asked = true;
}

static void abort_leaves_nothing_half_done(void **state)
{
    (void)state;
    heard.on_change = ask_to_abort;
    assert_string_equal(run_step("flip", MODE_RUN), "aborted");
    assert_says("It was stopped before api.shop.test. Nothing is changed");
    assert_string_equal(look("www.shop.test"), "127.0.2.1 20");
    assert_string_equal(look("api.shop.test"), "127.0.2.1 20");
}

static void stop_answering(int nth)
{
    if (nth == 1)
        kill(knot, SIGSTOP);
}

/* What was sent while it stood still lies in its socket: the flip of api, and the way back of www. */
static void await_late_updates(void)
{
    int64_t end_at = clock_mono() + 10000;
    while (strcmp(look("api.shop.test"), "127.0.2.2 2") != 0 || strcmp(look("www.shop.test"), "127.0.2.1 20") != 0)
        assert_true(clock_mono() < end_at);
}

/* The server stands still between two updates: nobody knows what came of the second, and the step says that. */
static void a_server_that_stands_still(void **state)
{
    (void)state;
    int64_t began = clock_mono();
    heard.on_change = stop_answering;
    assert_string_equal(run_step("flip", MODE_RUN), "unknown");
    assert_true(clock_mono() - began < 12000);
    assert_says("api.shop.test");
    assert_says("can't be seen");
    assert_says("stayed changed");
    assert_string_equal(run_step("flip", MODE_PROBE), "unreachable");
    kill(knot, SIGCONT);
    await_late_updates();
    assert_string_equal(run_step("flip", MODE_PROBE), "partial");
    assert_string_equal(run_step("flip", MODE_UNDO), "undone");
    assert_string_equal(run_step("flip", MODE_PROBE), "before");
}

static void a_dead_server(void **state)
{
    (void)state;
    int64_t began = clock_mono();
    stop(&knot);
    assert_string_equal(run_step("flip", MODE_RUN), "failed");
    assert_says("www.shop.test A at 127.0.0.1:");
    assert_says("Nothing was changed.");
    assert_string_equal(run_step("lower", MODE_UNDO), "failed");
    assert_string_equal(run_step("flip", MODE_PROBE), "unreachable");
    assert_true(clock_mono() - began < 9000);
}

static void wrong_key_and_no_key(void **state)
{
    (void)state;
    write_file("tsig.key", "cutover-key:hmac-sha256:%s\n", "d3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3I=");
    assert_string_equal(run_step("flip", MODE_RUN), "failed");
    assert_says("the key cutover-key is not accepted");
    assert_string_equal(look("www.shop.test"), "127.0.2.1 20");
    char path[200];
    snprintf(path, sizeof path, "%s/tsig.key", dir);
    unlink(path);
    assert_string_equal(run_step("flip", MODE_RUN), "failed");
    assert_says("cannot read the TSIG key");
}

static void what_is_no_single_record(void **state)
{
    (void)state;
    close_plan();
    open_plan("{ name = \"both.shop.test\"; }");
    assert_string_equal(run_step("flip", MODE_RUN), "failed");
    assert_says("both.shop.test A is 127.0.2.1,127.0.2.2 at");
    close_plan();
    open_plan("{ name = \"alias.shop.test\"; }");
    assert_string_equal(run_step("flip", MODE_RUN), "failed");
    assert_says("alias.shop.test is an alias of www.shop.test at");
    close_plan();
    open_plan("{ name = \"missing.shop.test\"; }");
    assert_string_equal(run_step("flip", MODE_RUN), "failed");
    assert_says("missing.shop.test A at 127.0.0.1:");
    assert_says("the name does not exist");
    assert_string_equal(run_step("flip", MODE_PROBE), "partial");
    assert_says("missing.shop.test A is missing");
    close_plan();
    open_plan("{ name = \"alias.shop.test\"; type = \"CNAME\"; blue = \"www.shop.test\"; green = \"api.shop.test\"; }");
    assert_string_equal(run_step("flip", MODE_RUN), "done");
    assert_string_equal(run_step("flip", MODE_PROBE), "after");
    assert_says("alias.shop.test CNAME is api.shop.test TTL 2");
}

/* ---- the source ---- */

static struct source sources[2];
static int sources_over;

static void source_over(struct source *s)
{
    (void)s;
    sources_over++;
}

static bool both_over(const void *arg)
{
    (void)arg;
    return sources_over == 2;
}

static void start_sources(void)
{
    heard = (struct heard){.door = {record}};
    sources_over = 0;
    for (int i = 0; i < 2; i++) {
        sources[i] = (struct source){.loop = &o.loop, .plan = plan, .model = model, .door = &heard.door, .index = i,
            .kind = source_kinds[0], .over = source_over};
        for (int k = 0; k < nsource_kinds; k++)
            if (strcmp(source_kinds[k]->name, "dns") == 0)
                sources[i].kind = source_kinds[k];
        source_start(&sources[i]);
    }
    assert_int_equal(sources[0].kind->count(plan), 2);
}

static void stop_sources(void)
{
    for (int i = 0; i < 2; i++)
        task_stop(&sources[i].task);
    assert_true(turn_until(&o, both_over, NULL, 3000));
    for (int i = 0; i < 2; i++)
        free(sources[i].own);
}

static bool all_cells(const void *wanted)
{
    for (int r = 0; r < 2; r++)
        for (int i = 0; i < plan->dns.nrecords; i++)
            if (model_cell(model, plan, r, i)->state != *(const enum cell_state *)wanted)
                return false;
    return true;
}

static bool has_failed(const void *arg)
{
    (void)arg;
    return heard.failed > 0;
}

static bool has_come_back(const void *arg)
{
    (void)arg;
    return heard.back > 0;
}

static bool has_looked(const void *arg)
{
    (void)arg;
    return sources[0].looks > 0 && sources[1].looks > 0;
}

static void see_the_flip(void)
{
    static const enum cell_state new = CELL_NEW;
    foreign("www.shop.test", "127.0.2.2", 2);
    foreign("api.shop.test", "127.0.2.2", 2);
    int64_t began = clock_mono();
    assert_true(turn_until(&o, all_cells, &new, 6000));
    print_message("# resolver on the new answer %d ms after the flip, TTL 2 s\n", (int)(clock_mono() - began));
    assert_true(clock_mono() - began < 5000);
}

static void resolvers_are_watched(void **state)
{
    (void)state;
    static const enum cell_state old = CELL_OLD;
    foreign("www.shop.test", "127.0.2.1", 2);
    foreign("api.shop.test", "127.0.2.1", 2);
    start_unbound();
    start_sources();
    assert_true(turn_until(&o, all_cells, &old, 3000));
    assert_true(turn_until(&o, has_looked, NULL, 2000));
    const struct model_dns *cell = model_cell(model, plan, 1, 0);
    assert_string_equal(cell->status, "ok");
    assert_string_equal(cell->answer, "127.0.2.1");
    assert_true(cell->ttl >= 0 && cell->ttl <= 2 && cell->rtt_us > 0);
    assert_int_equal(model->record[0].published_ttl, 2);
    see_the_flip();
    stop(&unbound); /* a closed port: said once, however often it is asked */
    assert_true(turn_until(&o, has_failed, NULL, 5000));
    assert_string_equal(model_cell(model, plan, 1, 0)->status, "unreachable");
    assert_non_null(strstr(heard.last, "nobody answers there"));
    turn_until(&o, never, NULL, 1500);
    assert_int_equal(heard.failed, 1);
    start_unbound();
    assert_true(turn_until(&o, has_come_back, NULL, 6000));
    assert_int_equal(model_cell(model, plan, 0, 1)->state, CELL_NEW);
    stop_sources();
    stop(&unbound);
}

/* What a source asks in 3 s at an interval of 300 ms; silence makes it slower. */
static void the_rate_is_kept(void **state)
{
    (void)state;
    start_sources(); /* the resolver is dead by now: only the authoritative server answers */
    turn_until(&o, never, NULL, 3000);
    int asked = (int)(model_cell(model, plan, 0, 0)->asked + model_cell(model, plan, 0, 1)->asked);
    print_message("# %d questions in 3 s to the authoritative server, two records, every 300 ms\n", asked);
    assert_in_range(asked, 12, 26);
    assert_in_range(model_cell(model, plan, 1, 0)->asked, 4, 8); /* two at 0, 0.3, 0.9, 2.1 s: pauses double */
    stop_sources();
}

/* ---- SPF ---- */

static void check_over(struct check_run *run)
{
    *(bool *)run->owner = true;
}

static const struct model_check *run_check(const char *key)
{
    bool ended = false;
    heard = (struct heard){.door = {record}};
    struct check_run *run = check_start(&o.loop, plan, model, &heard.door, dir, plan_find_check(plan, key), check_over, &ended);
    assert_non_null(run);
    assert_true(turn_until(&o, is_true, &ended, 20000));
    check_free(run);
    return &model->check[plan_find_check(plan, key)];
}

static void prove(const char *key, enum check_verdict verdict, const char *part, const char *evidence)
{
    const struct model_check *c = run_check(key);
    if (c->verdict != verdict || !strstr(c->sentence, part) || !strstr(c->evidence, evidence))
        fail_msg("%s: %d, %s | %s", key, c->verdict, c->sentence, c->evidence);
}

static void spf_of_every_address(void **state)
{
    (void)state;
    start_unbound();
    prove("spf", CHECK_PASS, "SPF of shop.test passes for all 2 addresses of green and blue; at most 0 of 10 lookups.",
        "v=spf1 ip4:127.0.2.1 ip4:127.0.2.2 -all; green 127.0.2.2 pass 0/0; blue 127.0.2.1 pass 0/0");
    prove("narrow", CHECK_FAIL, "SPF of narrow.shop.test does not pass for green's 127.0.2.2: softfail, \"~all\" in the record",
        "green 127.0.2.2 softfail 0/0; blue 127.0.2.1 pass");
    prove("moves", CHECK_FAIL, "SPF of moves.shop.test will not pass for blue's 127.0.2.1 after the flip: fail", "blue 127.0.2.1 pass 1/0");
    prove("away", CHECK_UNKNOWN, "the SPF record of elsewhere.example could not be looked up", "temperror");
    stop(&unbound);
    stop(&knot);
    prove("spf", CHECK_UNKNOWN, "SPF of shop.test could not be evaluated for green's 127.0.2.2: temperror", "no SPF record");
}

/* ---- all of it ---- */

static int open_world(void **state)
{
    (void)state;
    owner_open(&o);
    snprintf(dir, sizeof dir, "/tmp/test_dns_world.XXXXXX");
    assert_non_null(mkdtemp(dir));
    knot_port = closed_port();
    unbound_port = closed_port();
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    char command[100];
    stop(&knot);
    stop(&unbound);
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
    owner_close(&o);
    return 0;
}

#define WORLD(f) cmocka_unit_test_setup_teardown(f, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD(lower_and_raise),        WORLD(flip_and_back),
        WORLD(nobody_is_overwritten),  WORLD(a_race_is_lost_cleanly),
        WORLD(abort_leaves_nothing_half_done), WORLD(a_server_that_stands_still),
        WORLD(a_dead_server),          WORLD(wrong_key_and_no_key),
        WORLD(what_is_no_single_record), WORLD(resolvers_are_watched),
        WORLD(the_rate_is_kept),       WORLD(spf_of_every_address),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
