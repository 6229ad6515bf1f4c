/* The one composite step in which writes move. The list of phases, and what drives them; see switch.h for why this is
 * safe, and the files switch_*.c for the phases. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/step/switch.h"

enum { PULSE_MS = 500 };

const struct phase switch_path[] = {
    [AT_CONNECT] = {"", switch_begin_connect, switch_look_connect, false},
    [AT_INSPECT] = {"", switch_begin_inspect, switch_look_inspect, false},
    [AT_PREPARE] = {"", switch_begin_prepare, switch_look_prepare, false},
    [AT_WRITTEN] = {"", switch_begin_written, switch_look_written, false},
    [AT_LIST] = {"", switch_begin_list, switch_look_list, false},
    [AT_LEARN] = {"", switch_begin_learn, switch_look_learn, false},
    [AT_PRESET] = {"", switch_begin_preset, switch_look_preset, false},
    [AT_STAGE] = {"", switch_begin_stage, switch_look_stage, false},
    [AT_WATCHDOG] = {"prepare", switch_begin_watchdog, switch_look_watchdog, false},
    [AT_DOORS] = {"", switch_begin_doors, switch_all_good, false},
    [AT_QUICK] = {"", switch_begin_hurry, switch_look_hurry, false},
    [AT_LOGINS] = {"", switch_begin_logins, switch_look_logins, false},
    [AT_FLAG] = {"", switch_begin_flag, switch_look_flag, true},
    [AT_FENCE] = {"fence", switch_begin_fence, switch_look_fence, true},
    [AT_UNFENCE] = {"", switch_begin_unfence, switch_look_unfence, true},
    [AT_BACK_OFF] = {"", switch_begin_back_off, switch_look_back_off, false},
    [AT_READONLY] = {"drain", switch_begin_readonly, switch_look_readonly, true},
    [AT_MARKER] = {"marker", switch_begin_marker, switch_look_marker, true},
    [AT_SEQUENCES] = {"sequences", switch_begin_sequences, switch_look_sequences, true},
    [AT_VERIFY] = {"verify", switch_begin_verify, switch_look_verify, true},
    [AT_ASK] = {"commit", switch_begin_ask, switch_look_ask, true},
    [AT_PROMOTE] = {"promote", switch_begin_promote, switch_all_good, true},
    [AT_REPOINT] = {"repoint", switch_begin_repoint, switch_look_repoint, true},
    [AT_RESUME] = {"unfence", switch_begin_resume, switch_look_resume, false}, /* the commit point: forward only */
    [AT_PROBE] = {"", NULL, switch_look_probe, false},
    [AT_LOOK] = {"proof", switch_begin_look, switch_look_look, false},
    [AT_DISABLE] = {"", switch_begin_disable, switch_look_disable, false},
    [AT_IDLE] = {"", switch_begin_idle, switch_look_idle, false},
    [AT_ENABLE] = {"", switch_begin_enable, switch_look_enable, false},
    [AT_CALM] = {"", switch_begin_calm, switch_look_hurry, false},
    [AT_TABLES] = {"", switch_begin_tables, switch_look_tables, false},
    [AT_COUNT] = {"", switch_begin_count, switch_look_count, false},
    [AT_FAREWELL] = {"", switch_begin_farewell, switch_look_farewell, false},
    [AT_ASK_BACK] = {"", switch_begin_ask_back, switch_look_ask_back, false},
    [AT_SETTLE] = {"return", switch_begin_settle, switch_look_settle, false},
    [AT_RETURNED] = {"", switch_begin_returned, switch_look_returned, false},
};

/* ---- what the phases share ---- */

enum look switch_fail(struct sw *sw, const char *fmt, ...)
{
    if (*sw->why)
        return LOOK_FAIL;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(sw->why, sizeof sw->why, fmt, ap);
    va_end(ap);
    return LOOK_FAIL;
}

static bool is_busy(const struct pg *pg)
{
    return pg && pg_busy(pg);
}

bool switch_is_busy(const struct sw *sw)
{
    FOR_DB(d)
        if (is_busy(d->side[BLUE]) || is_busy(d->side[GREEN]) || is_busy(d->count[BLUE]) || is_busy(d->count[GREEN]))
            return true;
    FOR_POOLER(p)
        if (is_busy(p->admin) || is_busy(p->fence) || is_busy(p->probe))
            return true;
    for (int i = 0; i < sw->plan->nflags; i++)
        if (flag_busy(sw->flags[i]))
            return true;
    return false;
}

/* Only what the phase has sent can have failed anew: every earlier failure has ended the way forward. */
enum look switch_all_good(struct sw *sw)
{
    if (*sw->why)
        return LOOK_FAIL;
    if (switch_is_busy(sw))
        return LOOK_WAIT;
    FOR_DB(d)
        for (int i = 0; i < SIDES; i++)
            if (pg_failed(d->side[i]))
                return switch_fail(sw, "%s of %s: %s.", switch_Name(sw, i), d->plan->name, pg_error(d->side[i]));
    FOR_POOLER(p)
        if (pg_failed(p->admin) || pg_failed(p->fence))
            return switch_fail(sw, "Pooler %s: %s.", p->plan->name, pg_error(pg_failed(p->admin) ? p->admin : p->fence));
    return LOOK_NEXT;
}

void switch_record_resumed(struct sw *sw, enum side side)
{
    if (!sw->was_paused)
        return;
    sw->was_paused = false;
    sw->resumed_us = clock_mono_us();
    sw->pause_us = sw->resumed_us - sw->paused_us;
    FOR_DB(d)
        RECORD(sw->run->door, writes_resumed, .db = d->plan->name, .side = switch_name(sw, side), .pause_us = sw->pause_us);
}

/* A dry pause is neither a switch nor one that came back: to the run nothing has moved. */
static void record_dry(struct sw *sw, const char *by)
{
    char text[200];
    if (sw->proven)
        snprintf(text, sizeof text, "everything was proven up to the commit point; writes were stopped for %.1f ms", (double)sw->pause_us / 1000);
    else
        snprintf(text, sizeof text, "brought back to blue by the %s: %.150s", by, sw->why);
    RECORD(sw->run->door, switch_rehearsed, .proven = sw->proven, .pause_us = sw->pause_us, .text = text);
}

/* To the run a fail-back that has committed is a switch that was taken back, and one that returned leaves it as it was. */
static void record_on_green(struct sw *sw, const char *text)
{
    RECORD(sw->run->door, switch_committed, .pause_us = sw->pause_us, .text = text);
}

static void record_on_blue(struct sw *sw, const char *by, const char *why)
{
    RECORD(sw->run->door, switch_returned, .by = by, .pause_us = sw->pause_us, .why = why);
}

bool switch_awaits_pulse(const struct sw *sw)
{
    if (!sw->resumed_us || clock_mono_us() - sw->resumed_us > PULSE_MS * 1000)
        return false;
    FOR_POOLER(p)
        if (p->pulse && !pulse_is_back(p->pulse, sw->resumed_us))
            return true;
    return false;
}

void switch_record_pulse(struct sw *sw)
{
    struct pulse_seen seen;
    FOR_POOLER(p) {
        if (!p->pulse)
            continue;
        pulse_read(p->pulse, &seen);
        RECORD(sw->run->door, pause_seen, .pooler = p->plan->name, .pause_us = seen.pause_us, .slowest_us = seen.slowest_us, .answers = seen.answers, .errors = seen.errors,
               .error = seen.error);
        sw->seen_us = MAX(sw->seen_us, seen.pause_us);
        pulse_free(p->pulse);
        p->pulse = NULL;
    }
}

void switch_record_committed(struct sw *sw, const char *text)
{
    if (sw->back)
        record_on_blue(sw, "fail-back", text);
    else
        record_on_green(sw, text);
}

void switch_record_returned(struct sw *sw, const char *by, const char *why)
{
    char text[460];
    if (sw->dry) {
        record_dry(sw, by);
        return;
    }
    snprintf(text, sizeof text, "the fail-back was given up by the %s, writes are on green as before: %s", by, why);
    if (sw->back)
        record_on_green(sw, text);
    else
        record_on_blue(sw, by, why);
}

static void close_line(struct pg *pg)
{
    if (pg)
        pg_close(pg);
}

void switch_drop_flags(struct sw *sw)
{
    for (int i = 0; sw->flags && i < sw->plan->nflags; i++) {
        flag_free(sw->flags[i]);
        sw->flags[i] = flag_new(&sw->run->task, &sw->plan->flags[i]);
    }
}

void switch_close_lines(struct sw *sw)
{
    FOR_DB(d) {
        close_line(d->side[BLUE]);
        close_line(d->side[GREEN]);
        close_line(d->count[BLUE]);
        close_line(d->count[GREEN]);
    }
    FOR_POOLER(p) {
        close_line(p->admin);
        close_line(p->fence);
        close_line(p->probe);
    }
}

/* ---- what drives them ---- */

static void hear(struct sw *sw)
{
    char line[sizeof sw->told];
    while (watchdog_hears(sw->watchdog, line, sizeof line))
        copy_text(sw->told, sizeof sw->told, line);
}

static bool may_turn_back(const struct sw *sw)
{
    return !sw->returning && !sw->past;
}

/* Reasons to go back that belong to no phase. */
static bool is_called_off(struct sw *sw)
{
    const struct phase *p = &switch_path[sw->run->task.at];
    if (sw->run->abort_asked) {
        sw->aborted = true;
        switch_fail(sw, "Stopped by the operator.");
    } else if (p->paused && sw->was_paused && clock_mono() - sw->attempt > sw->plan->switch_deadline) {
        switch_fail(sw, "The switch was not done within %lld ms: it was in the phase %s.", (long long)sw->plan->switch_deadline,
                    *p->name ? p->name : "fence");
    } else if (step_time_left(sw->run) == 0) {
        switch_fail(sw, "The step's time is over.");
    }
    return *sw->why != '\0';
}

static void go_to(struct sw *sw, int at)
{
    sw->run->task.at = at;
    sw->begun = false;
}

/* Without a watchdog nothing was paused: there is nothing to bring back. */
static bool turn_back(struct sw *sw)
{
    switch_turn_back(sw);
    if (sw->paused_us || sw->hurried) {
        go_to(sw, AT_ASK_BACK);
        return true;
    }
    watchdog_tell(sw->watchdog, "done");
    FOR_POOLER(p)
        if (sw->staged)
            pooler_unstage(p->plan->file);
    step_end(sw->run, sw->aborted ? "aborted" : "failed", "%.190s Nothing was paused, nothing is changed.", sw->why);
    return false;
}

static void note_phase(struct sw *sw)
{
    const struct phase *p = &switch_path[sw->run->task.at];
    int64_t now = clock_mono_us();
    if (*p->name) {
        RECORD(sw->run->door, switch_phase, .phase = p->name, .took_us = now - sw->phase_us, .text = "");
        sw->phase_us = now;
    }
}

static void wait(struct sw *sw)
{
    const struct phase *p = &switch_path[sw->run->task.at];
    int64_t ms = sw->poll_ms >= 0 ? sw->poll_ms : 100;
    if (p->paused)
        ms = MIN(ms, MAX(sw->attempt + sw->plan->switch_deadline - clock_mono() + 1, (int64_t)1));
    int fd = watchdog_fd(sw->watchdog);
    if (fd >= 0)
        task_wait_fd(&sw->run->task, fd, UV_READABLE, ms);
    else
        task_wait(&sw->run->task, ms);
}

static void run_switch(struct task *task)
{
    struct step_run *run = (struct step_run *)task;
    struct sw *sw = run->own;
    if (!sw->run) {
        sw->run = run;
        sw->dry = run->kind == &step_switch_dry;
        switch_take_plan(sw);
        sw->phase_us = clock_mono_us();
    }
    hear(sw);
    for (;;) {
        if (may_turn_back(sw) && is_called_off(sw) && !turn_back(sw))
            return;
        const struct phase *p = &switch_path[task->at];
        sw->poll_ms = -1;
        sw->next = task->at + 1;
        if (!sw->begun && p->begin)
            p->begin(sw);
        sw->begun = true;
        enum look l = p->look(sw);
        if (l == LOOK_OVER)
            return;
        if (l == LOOK_WAIT) {
            wait(sw);
            return;
        }
        if (l == LOOK_NEXT) {
            note_phase(sw);
            go_to(sw, sw->next);
        }
    }
}

static void free_sw(struct step_run *run)
{
    struct sw *sw = run->own;
    FOR_DB(d) {
        pg_free(d->side[BLUE]);
        pg_free(d->side[GREEN]);
        pg_free(d->count[BLUE]);
        pg_free(d->count[GREEN]);
        buf_free(&d->written);
        child_free(d->repoint);
        switch_free_sequences(d);
    }
    FOR_POOLER(p) {
        pg_free(p->admin);
        pg_free(p->fence);
        pg_free(p->probe);
        pulse_free(p->pulse);
    }
    for (int i = 0; sw->flags && i < sw->plan->nflags; i++)
        flag_free(sw->flags[i]);
    free(sw->flags);
    settle_free(sw->settle);
    watchdog_free(sw->watchdog);
    free(sw->dbs);
    free(sw->poolers);
    switch_free_plan(sw);
}

/* ---- the confirmation ---- */

static void describe_poolers(const struct plan_database *d, struct buf *out, const char *fmt)
{
    for (int j = 0; j < d->npoolers; j++)
        buf_printf(out, "  pooler %-10s %s \"%s\"\n", d->poolers[j].name, fmt, d->poolers[j].database);
}

static void describe_flags(const struct plan *p, struct buf *out, const char *word)
{
    for (int i = 0; i < p->nflags; i++)
        buf_printf(out, "  flag   %-10s %s: %s\n", p->flags[i].name, p->flags[i].nrun ? p->flags[i].run[0] : p->flags[i].url, word);
}

static bool is_dry(const struct plan_step *s)
{
    return strcmp(s->kind, step_switch_dry.name) == 0;
}

static void describe_databases(const struct plan *p, const char *from, const char *to, bool dry, struct buf *out)
{
    for (int i = 0; i < p->ndatabases; i++)
        buf_printf(out, "  %-5s %s: ALTER DATABASE ... SET default_transaction_read_only = on; pg_terminate_backend(every client);"
                        " INSERT INTO cutover.marker\n", from, p->databases[i].name);
    for (int i = 0; i < p->ndatabases; i++) {
        buf_printf(out, "  %-5s %s: wait for the marker; setval(every sequence); compare\n", to, p->databases[i].name);
        if (!dry)
            buf_printf(out, "  %-5s %s: ALTER DATABASE ... RESET default_transaction_read_only\n", to, p->databases[i].name);
    }
}

/* What a dry pause does instead of the commit. */
static void describe_return(const struct plan *p, struct buf *out)
{
    buf_puts(out, "and back, before the commit point:\n");
    for (int i = 0; i < p->ndatabases; i++) {
        buf_printf(out, "  %-5s %s: ALTER DATABASE ... RESET default_transaction_read_only\n", side_names[BLUE], p->databases[i].name);
        describe_poolers(&p->databases[i], out, "RESUME");
    }
    describe_flags(p, out, "off");
    buf_puts(out, "green stays read-only and no pooler's file is changed; a watchdog does the same when the engine can't\n");
}

static bool has_way_back(const struct plan *p)
{
    bool any = false;
    for (int i = 0; i < p->ndatabases; i++)
        any = any || p->databases[i].reverse;
    return any;
}

static void describe(const struct plan *p, const struct model *m, const struct plan_step *s, enum step_mode mode, struct buf *out)
{
    (void)m;
    if (mode == MODE_PROBE) {
        buf_puts(out, "looks, and changes nothing: where the poolers lead, whether they are paused, which side takes writes, the watchdog's log\n");
        return;
    }
    enum side to = mode == MODE_UNDO ? BLUE : GREEN;
    buf_printf(out, "fence, at most %lld ms, up to %d tries:\n", (long long)p->fence_deadline, p->fence_tries);
    describe_flags(p, out, "on");
    for (int i = 0; i < p->ndatabases; i++)
        describe_poolers(&p->databases[i], out, "PAUSE");
    describe_databases(p, side_names[!to], side_names[to], is_dry(s), out);
    if (is_dry(s)) {
        describe_return(p, out);
        return;
    }
    for (int i = 0; i < p->ndatabases; i++)
        for (int j = 0; j < p->databases[i].npoolers; j++)
            buf_printf(out, "  pooler %-10s %s: %s = %s; RELOAD\n", p->databases[i].poolers[j].name, p->databases[i].poolers[j].file,
                       p->databases[i].poolers[j].database, p->databases[i].poolers[j].target[to]);
    buf_puts(out, "commit point:\n");
    for (int i = 0; i < p->ndatabases; i++) {
        describe_poolers(&p->databases[i], out, "RESUME");
        if (p->databases[i].npoolers == 0 && p->databases[i].nrepoint > 0)
            buf_printf(out, "  run %s ... with CUTOVER_TO=%s\n", p->databases[i].repoint[0], side_names[to]);
    }
    describe_flags(p, out, "off");
    buf_printf(out, "before it, any failure or %lld ms in all put everything back to %s; then ALTER SUBSCRIPTION ... DISABLE on %s\n",
               (long long)p->switch_deadline, side_names[!to], side_names[to]);
    if (has_way_back(p))
        buf_printf(out, "and ENABLE on %s: what is written on %s flows back\n", side_names[!to], side_names[to]);
}

const struct step_kind step_switch = {
    .name = "switch",
    .own_size = sizeof(struct sw),
    .describe = describe,
    .run = run_switch,
    .undo = run_switch,
    .probe = switch_probe,
    .free_own = free_sw,
};
/* The same phases and the same watchdog, so that what it measures is what the switch will take. */
const struct step_kind step_switch_dry = {
    .name = "switch.dry",
    .own_size = sizeof(struct sw),
    .describe = describe,
    .run = run_switch,
    .probe = switch_probe,
    .free_own = free_sw,
};
