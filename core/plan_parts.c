/* The keys of a plan's top level, of a side and of a database. */
#include "core/plan_read.h"

#include <ctype.h>
#include <string.h>

/* ---- blue = { ... }, green = { ... } ---- */

static void finish_side(struct plan_reader *r, const config_setting_t *group, void *into)
{
    struct plan_side *side = into;
    (void)group;
    if (side->negress)
        return;
    side->egress = arena_alloc(&r->plan->arena, sizeof *side->egress);
    side->egress[side->negress++] = side->address;
}

static const struct plan_key side_keys[] = {
    PLAN_KEY(PLAN_ADDRESS, "address", struct plan_side, address, NULL),
    PLAN_KEY(PLAN_URL, "url", struct plan_side, url, ""),
    PLAN_LIST(PLAN_ADDRESS, "egress", struct plan_side, egress, negress, ""), /* its own address */
};
const struct plan_part plan_side_part = {
    .what = "the side (blue or green)", .size = sizeof(struct plan_side), .keys = side_keys, .nkeys = ARRAY_LEN(side_keys), .finish = finish_side};

/* ---- databases = ( { ... } ) ---- */

static const struct plan_key pooler_keys[] = {
    PLAN_KEY(PLAN_NAME, "name", struct plan_pooler, name, NULL),
    PLAN_KEY(PLAN_CONNINFO, "admin", struct plan_pooler, admin, NULL),
    PLAN_KEY(PLAN_TEXT, "database", struct plan_pooler, database, NULL),
    PLAN_KEY(PLAN_PATH, "file", struct plan_pooler, file, NULL),
    PLAN_KEY(PLAN_TARGET, "blue", struct plan_pooler, target[BLUE], NULL),
    PLAN_KEY(PLAN_TARGET, "green", struct plan_pooler, target[GREEN], NULL),
    PLAN_KEY(PLAN_CONNINFO, "probe", struct plan_pooler, probe, ""),
};
static const struct plan_part pooler_part = {
    .what = "the pooler", .size = sizeof(struct plan_pooler), .keys = pooler_keys, .nkeys = ARRAY_LEN(pooler_keys)};

static void check_tables(struct plan_reader *r, const config_setting_t *group, const struct plan_database *db)
{
    const config_setting_t *list = config_setting_get_member((config_setting_t *)group, "tables");
    for (int i = 0; list && i < db->ntables; i++)
        if (db->tables[i] && !strchr(db->tables[i], '.'))
            plan_complain(r, plan_line(list), "The table \"%s\" has no schema; write \"public.%s\".", db->tables[i], db->tables[i]);
}

static void finish_database(struct plan_reader *r, const config_setting_t *group, void *into)
{
    struct plan_database *db = into;
    if (!db->subscribe_from[0])
        db->subscribe_from = db->conninfo[BLUE];
    if (!db->subscribe_back_from[0])
        db->subscribe_back_from = db->conninfo[GREEN];
    else if (!db->reverse)
        plan_complain(r, plan_line(group), "The database has subscribe_back_from, but reverse = false; keep one of them.");
    if (db->npoolers && db->nrepoint)
        plan_complain(r, plan_line(group), "The database has poolers and repoint; keep the one that moves its clients.");
    if (db->conninfo[BLUE][0] && strcmp(db->conninfo[BLUE], db->conninfo[GREEN]) == 0)
        plan_complain(r, plan_line(group), "Blue and green of the database are the same connection \"%s\"; name the new server in green.", db->conninfo[BLUE]);
    if (db->baseline && strcmp(db->baseline, "copy") != 0 && strcmp(db->baseline, "snapshot") != 0)
        plan_complain(r, plan_line(config_setting_get_member((config_setting_t *)group, "baseline")), "baseline must be \"copy\" or \"snapshot\"; it is \"%s\".", db->baseline);
    check_tables(r, group, db);
    plan_unique(r, config_setting_get_member((config_setting_t *)group, "poolers"), "The pooler", db->poolers, sizeof *db->poolers, db->npoolers);
}

static const struct plan_key database_keys[] = {
    PLAN_KEY(PLAN_NAME, "name", struct plan_database, name, NULL),
    PLAN_KEY(PLAN_CONNINFO, "blue", struct plan_database, conninfo[BLUE], NULL),
    PLAN_KEY(PLAN_CONNINFO, "green", struct plan_database, conninfo[GREEN], NULL),
    PLAN_KEY(PLAN_CONNINFO, "subscribe_from", struct plan_database, subscribe_from, ""),
    PLAN_KEY(PLAN_FLAG, "reverse", struct plan_database, reverse, "true"),
    PLAN_KEY(PLAN_CONNINFO, "subscribe_back_from", struct plan_database, subscribe_back_from, ""),
    PLAN_KEY(PLAN_FLAG, "heartbeat", struct plan_database, heartbeat, "true"),
    PLAN_KEY(PLAN_SIZE, "wal_room", struct plan_database, wal_room, ""),
    PLAN_KEY(PLAN_TEXT, "baseline", struct plan_database, baseline, "copy"),
    PLAN_KEY(PLAN_FLAG, "schema", struct plan_database, schema, "false"),
    PLAN_KEY(PLAN_PATH, "pg_bin", struct plan_database, pg_bin, ""),
    PLAN_LIST(PLAN_TEXT, "tables", struct plan_database, tables, ntables, ""),
    {.name = "poolers", .type = PLAN_PART, .at = offsetof(struct plan_database, poolers), .count_at = offsetof(struct plan_database, npoolers),
     .otherwise = "", .part = &pooler_part},
    PLAN_LIST(PLAN_TEXT, "repoint", struct plan_database, repoint, nrepoint, ""),
};
const struct plan_part plan_database_part = {.what = "the database",
                                             .size = sizeof(struct plan_database),
                                             .keys = database_keys,
                                             .nkeys = ARRAY_LEN(database_keys),
                                             .finish = finish_database};

/* ---- flags = ( { ... } ) ---- */

static void finish_flag(struct plan_reader *r, const config_setting_t *group, void *into)
{
    struct plan_flag *f = into;
    if (!f->nrun == !*f->url)
        plan_complain(r, plan_line(group), "The flag %s %s; give it one of them.", f->name ? f->name : "", f->nrun ? "has run and url" : "has neither run nor url");
    if (f->nrun == 1 && f->run[0] && strchr(f->run[0], ' '))
        plan_complain(r, plan_line(group), "run isn't given to a shell; write each word by itself:  run = [ \"program\", \"argument\" ];");
}

static const struct plan_key flag_keys[] = {
    PLAN_KEY(PLAN_NAME, "name", struct plan_flag, name, NULL),
    PLAN_LIST(PLAN_TEXT, "run", struct plan_flag, run, nrun, ""),
    PLAN_KEY(PLAN_URL, "url", struct plan_flag, url, ""),
};
static const struct plan_part flag_part = {
    .what = "the flag", .size = sizeof(struct plan_flag), .keys = flag_keys, .nkeys = ARRAY_LEN(flag_keys), .finish = finish_flag};

/* Slots and subscriptions are named after the database, in the few signs that a slot's name may have (pgnames.h). */
static bool is_same_slot(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if ((isalnum((unsigned char)*a) ? tolower((unsigned char)*a) : '_') != (isalnum((unsigned char)*b) ? tolower((unsigned char)*b) : '_'))
            return false;
    return *a == *b;
}

static void check_slots(struct plan_reader *r, const config_setting_t *list, const struct plan *p)
{
    for (int i = 1; list && i < p->ndatabases; i++)
        for (int j = 0; j < i; j++) {
            const char *a = p->databases[i].name, *b = p->databases[j].name;
            if (a && b && a[0] && strcmp(a, b) != 0 && is_same_slot(a, b))
                plan_complain(r, plan_line(list), "The databases \"%s\" and \"%s\" would have the same slot: names must differ in letters or digits, other than in case.", b, a);
        }
}

/* ---- the top level ---- */

static void check_times(struct plan_reader *r, const config_setting_t *group, const struct plan *p)
{
    const config_setting_t *fence = config_setting_get_member((config_setting_t *)group, "fence_deadline");
    const config_setting_t *whole = config_setting_get_member((config_setting_t *)group, "switch_deadline");
    int line = fence ? plan_line(fence) : whole ? plan_line(whole) : 1;
    if (p->fence_deadline > p->switch_deadline)
        plan_complain(r, line, "fence_deadline is longer than switch_deadline, within which the fence must stand; shorten it.");
    if (p->switch_deadline > p->pause_budget)
        plan_complain(r, whole ? plan_line(whole) : 1, "switch_deadline is longer than pause_budget, so one attempt alone may use up the budget; shorten it.");
    if (p->fence_deadline == 0 || p->switch_deadline == 0)
        plan_complain(r, line, "A deadline of 0 leaves the switch no time; give it at least \"300ms\".");
}

static void check_traffic_urls(struct plan_reader *r, const config_setting_t *group, const struct plan *p)
{
    for (int side = 0; p->traffic.nprobes && side < SIDES; side++) {
        const config_setting_t *s = config_setting_get_member((config_setting_t *)group, side_names[side]);
        if (s && config_setting_is_group(s) && !plan_has_key(s, "url"))
            plan_complain(r, plan_line(s), "%s has no url, so its probes have nowhere to go; add  url = \"http://...\";", side_names[side]);
    }
}

static void finish_root(struct plan_reader *r, const config_setting_t *group, void *into)
{
    struct plan *p = into;
    check_times(r, group, p);
    check_traffic_urls(r, group, p);
    plan_unique(r, config_setting_get_member((config_setting_t *)group, "checks"), "The check", p->checks, sizeof *p->checks, p->nchecks);
    plan_unique(r, config_setting_get_member((config_setting_t *)group, "databases"), "The database", p->databases, sizeof *p->databases, p->ndatabases);
    plan_unique(r, config_setting_get_member((config_setting_t *)group, "flags"), "The flag", p->flags, sizeof *p->flags, p->nflags);
    check_slots(r, config_setting_get_member((config_setting_t *)group, "databases"), p);
}

/* Read in this order: a record's default is the address of its side, the steps come last, by plan_steps_read. */
static const struct plan_key root_keys[] = {
    PLAN_KEY(PLAN_TEXT, "name", struct plan, name, NULL),
    PLAN_KEY(PLAN_FLAG, "rehearsal", struct plan, rehearsal, "false"),
    PLAN_KEY(PLAN_DURATION, "pause_budget", struct plan, pause_budget, "30s"),
    PLAN_KEY(PLAN_DURATION, "switch_deadline", struct plan, switch_deadline, "5s"),
    PLAN_KEY(PLAN_DURATION, "fence_deadline", struct plan, fence_deadline, "300ms"),
    PLAN_KEY(PLAN_COUNT, "fence_tries", struct plan, fence_tries, "3"),
    PLAN_KEY(PLAN_DURATION, "hold", struct plan, hold, "48h"),
    {.name = "blue", .type = PLAN_PART, .at = offsetof(struct plan, side[BLUE]), .part = &plan_side_part},
    {.name = "green", .type = PLAN_PART, .at = offsetof(struct plan, side[GREEN]), .part = &plan_side_part},
    {.name = "databases", .type = PLAN_PART, .at = offsetof(struct plan, databases), .count_at = offsetof(struct plan, ndatabases),
     .otherwise = "", .part = &plan_database_part},
    {.name = "flags", .type = PLAN_PART, .at = offsetof(struct plan, flags), .count_at = offsetof(struct plan, nflags), .otherwise = "", .part = &flag_part},
    {.name = "dns", .type = PLAN_PART, .at = offsetof(struct plan, dns), .otherwise = "", .part = &plan_dns_part},
    {.name = "traffic", .type = PLAN_PART, .at = offsetof(struct plan, traffic), .otherwise = "", .part = &plan_traffic_part},
    {.name = "checks", .type = PLAN_PART, .at = offsetof(struct plan, checks), .count_at = offsetof(struct plan, nchecks),
     .otherwise = "", .part = &plan_check_part},
};

/* `steps` is read by hand, because the built-in runbook may take its place. */
static bool take_steps(struct plan_reader *r, const config_setting_t *group, const config_setting_t *s, void *into)
{
    (void)r, (void)group, (void)into;
    return strcmp(config_setting_name(s), "steps") == 0;
}

const struct plan_part plan_root = {.what = "the plan",
                                    .size = sizeof(struct plan),
                                    .keys = root_keys,
                                    .nkeys = ARRAY_LEN(root_keys),
                                    .take = take_steps,
                                    .finish = finish_root};
