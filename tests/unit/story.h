/* story: a made-up but complete run, second by second, through all phases: preparing, copying, checks, reads shifted, a
 * switch that returns, one that commits, resolvers that flip one after the other, hold. Always the same. */
#ifndef TESTS_STORY_H
#define TESTS_STORY_H

#include <stdio.h>
#include <string.h>

#include "core/event.h"
#include "core/plan.h"

static const char story_plan[] =
    "name = \"shop-eu\"; rehearsal = false; pause_budget = \"5s\"; hold = \"10m\";\n"
    "blue = { address = \"198.51.100.4\"; url = \"http://198.51.100.4\"; };\n"
    "green = { address = \"203.0.113.9\"; url = \"http://203.0.113.9\"; };\n"
    "databases = ( { name = \"shop\"; blue = \"service=shop_blue\"; green = \"service=shop_green\";\n"
    "  poolers = ( { name = \"pgb-1\"; admin = \"service=pgb\"; database = \"shop\"; file = \"/etc/pgbouncer/shop.ini\";\n"
    "    blue = \"host=10.20.0.5 port=5432\"; green = \"host=10.90.0.5 port=5432\"; } ); } );\n"
    "dns = { zone = \"shop.example\"; server = \"192.0.2.53\"; ttl_low = 20; ttl_normal = 60; interval = \"5s\";\n"
    "  records = ( { name = \"www.shop.example\"; } );\n"
    "  resolvers = ( { name = \"Cloudflare\"; address = \"1.1.1.1\"; }, { name = \"Google\"; address = \"8.8.8.8\"; },\n"
    "    { name = \"Quad9\"; address = \"9.9.9.9\"; }, { name = \"OpenDNS\"; address = \"208.67.222.222\"; },\n"
    "    { name = \"Verisign\"; address = \"64.6.64.6\"; }, { name = \"Yandex\"; address = \"77.88.8.8\"; },\n"
    "    { name = \"CleanBrowsing\"; address = \"185.228.168.9\"; }, { name = \"AdGuard\"; address = \"94.140.14.14\"; },\n"
    "    { name = \"office\"; address = \"192.0.2.10\"; } ); };\n"
    "traffic = { haproxy = \"unix:/run/haproxy/admin.sock\"; backend = \"reads\"; blue_server = \"blue\"; green_server = \"green\"; bake = \"6s\";\n"
    "  probes = ( { name = \"items\"; path = \"/items\"; } ); };\n"
    "checks = ( { key = \"spf\"; kind = \"spf\"; title = \"Mail from green passes SPF\"; domain = \"shop.example\"; },\n"
    "  { key = \"webhook\"; kind = \"http\"; title = \"Partner's webhook takes green\"; url = \"https://partner.example/echo\"; },\n"
    "  { key = \"cron\"; kind = \"cron\"; title = \"No cron is left on blue\"; file = \"/var/spool/cron/crontabs/shop\"; },\n"
    "  { key = \"storage\"; kind = \"storage\"; title = \"Object storage is the same\"; from = \"/srv/blue/\"; to = \"/srv/green/\"; },\n"
    "  { key = \"backup\"; kind = \"backup\"; title = \"The backup can be restored\"; dump = \"/var/backups/shop.dump\"; scratch = \"service=scratch\"; tables = [ \"items\" ]; },\n"
    "  { key = \"support\"; kind = \"person\"; title = \"Support is informed\"; ask = \"Customer support is informed\"; required = false; } );\n";

#define STORY_T0 INT64_C(1795227120000) /* 2026-11-21 02:12:00 UTC */

struct story {
    void (*emit)(void *arg, struct event *event);
    void *arg;
    const struct plan *plan;
    int64_t seq;
    uint32_t noise;
};

/* ---- what happens, in ms since the beginning ---- */

#define AT(ms, name_, ...) {ms, {.kind = EVENT_##name_, .name_ = {__VA_ARGS__}}}
#define BEGAN(ms, key, by, word, does) AT(ms, step_began, .step = key, .mode = "run", .attempt = 1, .action = does, .gate = "GO", .user = by, .typed = word)
#define SAID(ms, key, words) AT(ms, step_said, .step = key, .level = "info", .text = words)
#define DONE(ms, key, words, took_) AT(ms, step_ended, .step = key, .mode = "run", .result = "done", .sentence = words, .took = took_)
#define MOVED(ms, key, part, all, what) AT(ms, step_progressed, .step = key, .done = part, .total = all, .unit = what)
#define COPY(ms, table_, state_, part, all) AT(ms, copy_seen, .db = "shop", .table = table_, .state = state_, .rows = part, .total = all)
#define CHECK(ms, key, verdict_, words, proof, who, took_) \
    AT((ms) - 300, check_began, .check = key), \
    AT(ms, check_ended, .check = key, .verdict = verdict_, .sentence = words, .evidence = proof, .by = who, .expires = STORY_T0 + 86400000, .took = took_)
#define PHASE(ms, name__, us, words) AT(ms, switch_phase, .phase = name__, .took_us = us, .text = words)

static const struct {
    int64_t ms;
    struct event event;
} story_script[] = {
    AT(120, engine_started, .pid = 4711, .resumed = false),
    AT(400, screen_joined, .id = 1, .user = "ben", .tty = "pts/3", .role = "operator"),
    AT(1500, screen_joined, .id = 2, .user = "ana", .tty = "pts/5", .role = "observer"),
    AT(4200, note_said, .user = "ana", .text = "customer support informed"),
    BEGAN(6000, "ttl.lower", "ben", "y", "UPDATE www.shop.example A TTL 20 on 192.0.2.53"),
    AT(6250, dns_changed, .record = "www.shop.example", .type = "A", .from = "198.51.100.4", .to = "198.51.100.4", .ttl = 20),
    DONE(6900, "ttl.lower", "1 record now has a TTL of 20 s", 900),
    BEGAN(8000, "audit", "ben", "", "read the catalogues of shop on blue"),
    AT(8300, audit_found, .db = "shop", .level = "warning", .object = "public.sessions", .text = "unlogged table: its rows stay on blue"),
    AT(8320, audit_found, .db = "shop", .level = "note", .object = "public.order_seq", .text = "sequence: the switch carries its value"),
    AT(8500, audited, .db = "shop", .blockers = 0, .warnings = 1, .notes = 1, .tables = 4),
    DONE(8600, "audit", "4 tables, no blocker, 1 warning, 1 note", 600),
    BEGAN(12000, "replicate", "ben", "y", "CREATE PUBLICATION, slot and SUBSCRIPTION cutover_shop; copy 4 tables"),
    SAID(12200, "replicate", "publication, slot and subscription cutover_shop are made"),
    COPY(12500, "public.orders", "init", 0, 412230), COPY(12501, "public.order_items", "init", 0, 1184402),
    COPY(12502, "public.customers", "init", 0, 61205), COPY(12503, "public.items", "init", 0, 9120),
    COPY(13500, "public.items", "copying", 6000, 9120), COPY(14000, "public.customers", "copying", 9000, 61205),
    COPY(15000, "public.items", "ready", 9120, 9120), MOVED(15000, "replicate", 1, 4, "tables"),
    COPY(16000, "public.orders", "copying", 40000, 412230), COPY(18500, "public.customers", "ready", 61205, 61205),
    MOVED(18500, "replicate", 2, 4, "tables"), COPY(19000, "public.order_items", "copying", 180000, 1184402),
    COPY(21000, "public.orders", "copying", 260000, 412230), COPY(24000, "public.order_items", "copying", 610000, 1184402),
    COPY(26000, "public.orders", "ready", 412230, 412230), MOVED(26000, "replicate", 3, 4, "tables"),
    COPY(29000, "public.order_items", "copying", 990000, 1184402), COPY(33000, "public.order_items", "ready", 1184402, 1184402),
    MOVED(33000, "replicate", 4, 4, "tables"),
    AT(33200, sequences_seen, .db = "shop", .count = 3, .behind = 3),
    DONE(34000, "replicate", "4 tables are copied and follow blue", 22000),
    BEGAN(34500, "verify", "ben", "", "compare shop on blue with shop on green, row by row"),
    AT(36200, verified, .db = "shop", .rows = 1666957, .tables = 4, .differences = 0, .sample = 1000000),
    DONE(36300, "verify", "1 666 957 rows of 4 tables are the same on both sides", 1800),
    BEGAN(37000, "checks", "ben", "", "spf, webhook, cron, storage, backup"),
    CHECK(37900, "spf", "pass", "203.0.113.9 passes SPF of shop.example", "v=spf1 ip4:198.51.100.4 ip4:203.0.113.9 -all", "machine", 61),
    CHECK(38200, "webhook", "pass", "answered 200", "HTTP 200 in 84 ms", "machine", 84),
    CHECK(38600, "cron", "fail", "1 line is still active: */5 * * * * /srv/bin/feed", "crontab of shop, 9 lines", "machine", 4),
    CHECK(39400, "storage", "pass", "rsync would carry nothing", "8 421 files, 0 differ", "machine", 920),
    CHECK(41500, "backup", "pass", "restored, items has 9 120 rows", "shop.dump of 01:40", "machine", 2400),
    MOVED(41600, "checks", 4, 5, "checks"),
    CHECK(43500, "cron", "pass", "no active line is left", "crontab of shop, 9 lines", "machine", 4),
    DONE(43900, "checks", "5 of 5 required checks pass", 6900),
    CHECK(45200, "support", "pass", "told Mia at 02:11, she stays on call", "", "ana", 0),
    BEGAN(47000, "shift", "ben", "y", "weights of backend reads: 10, 50, 100 % on green"), AT(47200, weights_set, .blue = 90, .green = 10), SAID(47300, "shift", "10 % of the reads are on green, bake 6 s"),
    MOVED(47300, "shift", 10, 100, "%"),
    AT(54000, weights_set, .blue = 50, .green = 50), SAID(54100, "shift", "50 % of the reads are on green, bake 6 s"), MOVED(54100, "shift", 50, 100, "%"),
    AT(61000, weights_set, .blue = 0, .green = 100), SAID(61100, "shift", "100 % of the reads are on green, bake 6 s"), MOVED(61100, "shift", 100, 100, "%"),
    DONE(67500, "shift", "all reads are on green, errors 0.03 %", 20500),
    BEGAN(68500, "dry", "ben", "y", "PAUSE shop on pgb-1, drain, marker, sequences, verify, RESUME on blue"), AT(68540, writes_paused, .db = "shop"),
    AT(68602, writes_resumed, .db = "shop", .side = "blue", .pause_us = 61800),
    AT(68603, switch_rehearsed, .proven = true, .pause_us = 61800, .text = "everything was proven up to the commit point; writes were stopped for 61.8 ms"),
    DONE(68700, "dry", "writes were stopped for 61.8 ms; blue takes them as before", 200),
    /* the first switch returns by itself */
    BEGAN(72000, "switch", "ben", "switch", "PAUSE shop on pgb-1, drain, marker, sequences, promote, repoint, RESUME"), AT(72040, writes_paused, .db = "shop"), PHASE(72180, "fence", 140000, "pooler paused, blue read-only"),
    SAID(72200, "switch", "waiting for green: 2.8 MB behind"),
    AT(74180, switch_returned, .by = "engine", .pause_us = 2140000, .why = "the drain took longer than its 2 s: one transaction wrote 2.8 MB"),
    AT(74190, writes_resumed, .db = "shop", .side = "blue", .pause_us = 2140000),
    AT(74300, step_ended, .step = "switch", .mode = "run", .result = "failed",
       .sentence = "the drain took longer than its 2 s; everything is back on blue, nothing lost", .took = 2300),
    AT(77000, note_said, .user = "ben", .text = "nightly import was running, stopped it"),
    /* the second one commits */
    BEGAN(84000, "switch", "ben", "switch", "PAUSE shop on pgb-1, drain, marker, sequences, promote, repoint, RESUME"), AT(84020, writes_paused, .db = "shop"), PHASE(84031, "fence", 11200, "pooler paused, 0 active, 41 clients wait"),
    PHASE(84053, "drain", 22100, "green has replayed all of blue"), PHASE(84058, "marker", 4800, "row 2 of cutover.marker is on green"),
    PHASE(84067, "sequences", 9300, "3 sequences set ahead"), SAID(84068, "switch", "verifying green"), PHASE(84071, "verify", 3900, "4 tables compared"),
    AT(84072, switch_committing, .marker = "2"), PHASE(84075, "promote", 2600, "green takes writes"), PHASE(84084, "repoint", 8700, "pgb-1 points at green"),
    PHASE(84087, "unfence", 3100, "clients go on"), AT(84088, switch_committed, .pause_us = 67700, .text = "writes are on green"),
    AT(84089, writes_resumed, .db = "shop", .side = "green", .pause_us = 67700), AT(84090, sequences_seen, .db = "shop", .count = 3, .behind = 0),
    DONE(84120, "switch", "writes are on green after a pause of 68 ms", 120),
    BEGAN(90000, "dns.flip", "ben", "dns.flip", "UPDATE www.shop.example A 198.51.100.4 -> 203.0.113.9"),
    AT(90210, dns_changed, .record = "www.shop.example", .type = "A", .from = "198.51.100.4", .to = "203.0.113.9", .ttl = 20),
    DONE(90400, "dns.flip", "www.shop.example A is 203.0.113.9", 400),
    BEGAN(92000, "watch", "ben", "", "wait for dns.new_percent == 100"), SAID(92100, "watch", "waiting until every resolver answers green"),
    DONE(122500, "watch", "10 of 10 resolvers answer green", 30500),
    BEGAN(125000, "hold", "ben", "y", "keep blue read-only for 10 m"), SAID(125100, "hold", "blue is read-only; nobody writes there"), MOVED(126000, "hold", 1000, 600000, "ms"),
    MOVED(134000, "hold", 9000, 600000, "ms"),
    AT(135000, cost_seen, .cpu_ppm = 3100, .rss = 5200000),
};

/* ---- what is seen meanwhile, each second ---- */

static int64_t story_noise(struct story *s, int64_t below)
{
    s->noise = s->noise * 1664525u + 1013904223u;
    return (int64_t)(s->noise >> 8) % below;
}

static void story_tell(struct story *s, int64_t ms, struct event event)
{
    event.at = STORY_T0 + ms;
    event.seq = ++s->seq;
    s->emit(s->arg, &event);
}
#define TELL(ms, name_, ...) story_tell(s, ms, (struct event){.kind = EVENT_##name_, .name_ = {__VA_ARGS__}})

static int64_t story_lag(struct story *s, int t)
{
    if (t < 20)
        return (t - 12) * 900000;
    if (t < 36)
        return 7200000 - (t - 20) * 440000 + story_noise(s, 300000);
    if (t >= 66 && t < 76)
        return 600000 + (t < 72 ? t - 66 : 76 - t) * 420000 + story_noise(s, 200000);
    return t >= 84 ? 0 : 20000 + story_noise(s, 120000);
}

static void story_databases(struct story *s, int t)
{
    int64_t ms = t * 1000 + 210;
    bool fenced = (t >= 72 && t < 74) || t >= 84, moved = t >= 84;
    TELL(ms, db_seen, .db = "shop", .side = "blue", .reachable = true, .version = "15.10", .writable = fenced ? "no" : "yes",
         .clients = moved ? 2 : 41 + story_noise(s, 5), .open_tx = fenced ? 0 : story_noise(s, 4), .oldest_tx = fenced ? 0 : story_noise(s, 300));
    TELL(ms + 8, db_seen, .db = "shop", .side = "green", .reachable = true, .version = "17.2", .writable = moved ? "yes" : "no",
         .clients = moved ? 42 : 3, .open_tx = moved ? story_noise(s, 4) : 0);
    TELL(ms + 16, pooler_seen, .db = "shop", .pooler = "pgb-1", .reachable = true, .paused = t >= 72 && t < 74, .target = moved ? "green" : "blue",
         .active = 4, .waiting = t >= 72 && t < 74 ? 41 : 0, .longest_wait = t >= 72 && t < 74 ? (t - 72) * 1000 + 180 : 0);
    if (t < 13) { /* there is no slot yet, and so the source says */
        TELL(ms + 24, lag_seen, .db = "shop", .bytes = -1, .lag = -1, .retained = -1, .active = false, .slot = "");
        return;
    }
    int64_t lag = story_lag(s, t);
    if (moved) {
        TELL(ms + 24, lag_seen, .db = "shop", .direction = "back", .bytes = 304, .lag = 9 + t % 7, .retained = 1800000, .active = true, .slot = "cutover_back_shop",
             .sent_lsn = "5A/2000A2C0", .flushed_lsn = "5A/2000A190");
        return;
    }
    if (t % 15 == 6 && !fenced)
        TELL(ms + 30, pause_probed, .db = "shop", .marker_us = lag / 5500 * 1000 + 412, .blue_us = 2107, .green_us = 1893, .sequences = 7, .reading_us = 905);
    TELL(ms + 24, lag_seen, .db = "shop", .direction = "forward", .bytes = lag, .lag = lag / 5500, .retained = lag + 18000000, .active = true, .slot = "cutover_shop",
         .sent_lsn = "5A/1F00A2C0", .flushed_lsn = "5A/1EDFE118");
}

static void story_traffic(struct story *s, int t)
{
    int green = t < 47 ? 0 : t < 54 ? 10 : t < 61 ? 50 : 100;
    for (int side = 0; side < SIDES; side++) {
        struct event e = {.kind = EVENT_http_seen, .http_seen = {.side = side_names[side], .probe = "items", .error = ""}};
        int64_t base = side == BLUE ? 8000 : 9500 + green * 20, swell = (t % 40 < 20 ? t % 40 : 40 - t % 40) * 900;
        for (int i = 0; i < 20; i++)
            latency_add(&e.http_seen.latency, base + swell + story_noise(s, 9000));
        e.http_seen.failed = side == GREEN && t == 57;
        e.http_seen.ok = 20 - e.http_seen.failed;
        e.http_seen.error = e.http_seen.failed ? "GET /items: no answer within 2 s" : "";
        story_tell(s, t * 1000 + 300 + side, e);
        int part = side == GREEN ? green : 100 - green;
        TELL(t * 1000 + 310 + side, haproxy_seen, .side = side_names[side], .weight = part, .status = "UP", .requests = part * 13 / 10 + (part ? story_noise(s, 8) : 0),
             .failed = 0, .sessions = part / 4);
    }
}

static void story_resolver(struct story *s, int t, int r)
{
    static const int flips[] = {91, 95, 99, 97, 112, 101, 118, 93, 104, 96}; /* when each of them forgets the old answer */
    const struct plan_resolver *p = &s->plan->dns.resolvers[r];
    int since = flips[r % 10];
    bool is_new = t >= since, silent = strcmp(p->name, "AdGuard") == 0 && t > 78 && t < 108;
    int full = t < 7 ? 60 : 20, phase = (r * 7 + t) % full;
    TELL(t * 1000 + 400 + r, dns_seen, .resolver = p->name, .record = "www.shop.example", .type = "A", .status = silent ? "servfail" : "ok",
         .answer = silent ? "" : is_new ? "203.0.113.9" : "198.51.100.4",
         .ttl = p->authoritative ? full : t >= 90 && !is_new ? since - t : full - phase, .rtt_us = 1000 + r * 4100 + story_noise(s, 3000),
         .error = silent ? "SERVFAIL" : "");
}

/* Tells everything up to `until` ms, in order of time. */
static void story_run(struct story *s, int64_t until)
{
    size_t next = 0;
    TELL(0, run_opened, .name = "shop-eu", .plan_file = "shop-eu.cfg", .plan_hash = "", .plan = story_plan, .host = "ops-1", .user = "ben", .version = "1.0", .rehearsal = false);
    for (int t = 0; t * 1000 <= until; t++) {
        bool sensed = false;
        while (!sensed || (next < ARRAY_LEN(story_script) && story_script[next].ms < t * 1000 + 1000)) {
            bool before = next < ARRAY_LEN(story_script) && story_script[next].ms < t * 1000 + 200;
            if (!before && !sensed) {
                if (t * 1000 + 450 > until)
                    return;
                story_databases(s, t);
                story_traffic(s, t);
                for (int r = 0; r < s->plan->dns.nresolvers; r++)
                    if ((t + r) % 5 == 0)
                        story_resolver(s, t, r);
                sensed = true;
                continue;
            }
            if (story_script[next].ms > until)
                return;
            story_tell(s, story_script[next].ms, story_script[next].event);
            next++;
        }
    }
}

#endif
