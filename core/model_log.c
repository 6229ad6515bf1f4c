/* The log: which events are told to a person, at what level, in which words. A value that is seen each second is not
 * told; a change of it is. Called before the rest of the fold, so the model still shows how it was. */
#include <stdio.h>
#include <string.h>

#include "core/format.h"
#include "core/model_fold.h"

void model_say(struct model *m, const struct event *e, const char *level, const char *from, const char *fmt, ...)
{
    struct model_log *l = &m->log[m->nlog++ % MODEL_LOG];
    l->at = e->at;
    l->seq = e->seq;
    KEEP(l->level, level);
    KEEP(l->from, from);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(l->text, sizeof l->text, fmt, ap);
    va_end(ap);
}

#define SOON (INT64_C(30) * 60 * 1000)

static const char *level_of(const char *said)
{
    return strcmp(said, "ok") == 0 ? "OK" : strcmp(said, "warn") == 0 ? "WARN" : strcmp(said, "bad") == 0 ? "BAD" : "INFO";
}

static void tell_step_ended(struct model *m, const struct event *e)
{
    const struct event_step_ended *s = &e->step_ended;
    bool good = strcmp(s->result, "done") == 0 || strcmp(s->result, "undone") == 0;
    char took[24];
    if (strcmp(s->mode, "probe") == 0)
        return;
    model_say(m, e, good ? "OK" : "BAD", s->step, "%s in %s%s%s", s->result, format_ms(s->took, took, sizeof took), *s->sentence ? ": " : "", s->sentence);
}

static void tell_step(struct model *m, const struct event *e)
{
    switch (e->kind) {
    case EVENT_step_began: {
        const struct event_step_began *s = &e->step_began;
        size_t first_line = strcspn(s->action, "\n");
        if (strcmp(s->mode, "probe") != 0)
            model_say(m, e, "RUN", s->step, "%s by %s%s%s%s: %.*s", strcmp(s->mode, "undo") == 0 ? "undo" : "begun", s->user,
                *s->typed ? " (typed " : "", s->typed, *s->typed ? ")" : "", (int)MIN(first_line, (size_t)140), s->action);
        break;
    }
    case EVENT_step_said:
        model_say(m, e, level_of(e->step_said.level), e->step_said.step, "%s", e->step_said.text);
        break;
    case EVENT_step_ended:
        tell_step_ended(m, e);
        break;
    case EVENT_step_found:
        model_say(m, e, "WARN", e->step_found.step, "was running when the engine died; the world says %s: %s", e->step_found.world, e->step_found.sentence);
        break;
    case EVENT_step_decided:
        model_say(m, e, "NOTE", e->step_decided.step, "%s decided: %s. %s", e->step_decided.user, e->step_decided.decision, e->step_decided.reason);
        break;
    case EVENT_step_skipped:
        model_say(m, e, "WARN", e->step_skipped.step, "left out by %s: %s", e->step_skipped.user, e->step_skipped.reason);
        break;
    case EVENT_abort_asked:
        model_say(m, e, "WARN", e->abort_asked.step, "%s asks it to stop", e->abort_asked.user);
        break;
    default:
        break;
    }
}

/* Before this look it was farther away. */
static void tell_full(struct model *m, const struct plan *p, const struct event *e, int i, enum side side)
{
    char span[24];
    const struct model_db *db = &m->db[i];
    int64_t full = model_wal_full_in(db, &p->databases[i], side, e->at);
    if (full < 0 || full >= SOON || db->told_full[side])
        return;
    m->db[i].told_full[side] = e->at;
    format_span(full, span, sizeof span);
    if (model_wal_is_given_up(db, &p->databases[i], side))
        model_say(m, e, "BAD", e->lag_seen.db, "%s keeps no more WAL for the slot in %s at the present rate: then the slot is lost", side_names[side], span);
    else
        model_say(m, e, "BAD", e->lag_seen.db, "the slot keeps WAL on %s, whose disk is full in %s at the present rate", side_names[side], span);
}

/* Before the commit point such a transaction makes the pause longer, or lets the attempt fail. */
static void tell_long(struct model *m, const struct event *e, int i)
{
    const struct event_db_seen *d = &e->db_seen;
    struct model_dbside *blue = &m->db[i].side[BLUE];
    char span[24];
    if (strcmp(d->side, "blue") != 0 || m->committed || d->oldest_tx < MODEL_LONG_TX || !d->oldest || !*d->oldest || strcmp(blue->told, d->oldest) == 0)
        return;
    KEEP(blue->told, d->oldest);
    model_say(m, e, "WARN", d->db, "a transaction on blue is open for %s, and a switch would wait for it: %s%s%s", format_ms(d->oldest_tx, span, sizeof span), d->oldest,
        d->oldest_state && *d->oldest_state ? ", " : "", d->oldest_state ? d->oldest_state : "");
}

static void tell_lag(struct model *m, const struct plan *p, const struct event *e)
{
    const struct event_lag_seen *l = &e->lag_seen;
    int i = plan_find_database(p, l->db);
    bool back = l->direction && strcmp(l->direction, "back") == 0;
    if (i < 0)
        return;
    const struct model_db *db = &m->db[i];
    const char *was = back ? db->back_error : db->lag_error, *what = back ? "the way back" : "replication";
    if (*l->error && strcmp(was, l->error) != 0)
        model_say(m, e, "BAD", l->db, "%s: %s", what, l->error);
    if (!*l->error && *was && l->active)
        model_say(m, e, "OK", l->db, "%s works again", what);
    if (!back && l->restarts > db->restarts)
        model_say(m, e, "WARN", l->db, "green's worker was begun anew, %lld times so far", (long long)l->restarts);
    if (!back && l->conflicts > db->conflicts)
        model_say(m, e, "BAD", l->db, "green's worker met rows that it could not apply as they are, %lld so far", (long long)l->conflicts);
    tell_full(m, p, e, i, back ? GREEN : BLUE);
}

static void tell_database(struct model *m, const struct plan *p, const struct event *e)
{
    switch (e->kind) {
    case EVENT_db_seen: {
        int i = plan_find_database(p, e->db_seen.db);
        if (i < 0)
            break;
        const struct model_dbside *was = &m->db[i].side[strcmp(e->db_seen.side, "green") == 0];
        tell_long(m, e, i);
        if (was->at && strcmp(was->writable, e->db_seen.writable) != 0)
            model_say(m, e, "INFO", e->db_seen.db, "%s accepts writes: %s (was %s)", e->db_seen.side, e->db_seen.writable, was->writable);
        break;
    }
    case EVENT_lag_seen:
        tell_lag(m, p, e);
        break;
    case EVENT_copy_seen:
        if (strcmp(e->copy_seen.state, "ready") == 0)
            model_say(m, e, "OK", e->copy_seen.db, "table %s is copied and streams", e->copy_seen.table);
        break;
    case EVENT_audit_found: {
        const char *level = strcmp(e->audit_found.level, "blocker") == 0 ? "BAD" : strcmp(e->audit_found.level, "warning") == 0 ? "WARN" : "INFO";
        model_say(m, e, level, e->audit_found.db, "%s %s: %s", e->audit_found.level, e->audit_found.object, e->audit_found.text);
        break;
    }
    case EVENT_schema_seen: {
        int i = plan_find_database(p, e->schema_seen.db);
        if (i >= 0 && *e->schema_seen.object && strcmp(m->db[i].schema_object, e->schema_seen.object) != 0)
            model_say(m, e, "BAD", e->schema_seen.db, "DDL on blue: %s is %s, and green lacks it", e->schema_seen.object, e->schema_seen.change);
        if (i >= 0 && !e->schema_seen.drift && m->db[i].schema_drift)
            model_say(m, e, "OK", e->schema_seen.db, "green has every change of blue's schema now");
        break;
    }
    case EVENT_difference_found:
        model_say(m, e, "BAD", e->difference_found.db, "%s%s%s: %s", e->difference_found.table, *e->difference_found.key ? " " : "", e->difference_found.key, e->difference_found.text);
        break;
    case EVENT_verified:
        model_say(m, e, e->verified.differences ? "BAD" : "OK", e->verified.db, "compared %lld rows of %lld tables: %lld differences", (long long)e->verified.rows,
            (long long)e->verified.tables, (long long)e->verified.differences);
        break;
    case EVENT_audited:
        model_say(m, e, e->audited.blockers ? "BAD" : "OK", e->audited.db, "audit of %lld tables: %lld blockers, %lld warnings, %lld notes",
            (long long)e->audited.tables, (long long)e->audited.blockers, (long long)e->audited.warnings, (long long)e->audited.notes);
        break;
    default:
        break;
    }
}

/* From the outside: what a client of the pooler saw. */
static void tell_seen(struct model *m, const struct event *e, const struct event_pause_seen *seen)
{
    if (seen->errors)
        model_say(m, e, "WARN", "switch", "a client of %s was answered nothing for %.1f ms and saw %lld errors, the first: %s", seen->pooler, (double)seen->pause_us / 1000,
            (long long)seen->errors, seen->error);
    else
        model_say(m, e, "OK", "switch", "a client of %s was answered nothing for %.1f ms, and saw no error", seen->pooler, (double)seen->pause_us / 1000);
}

static void tell_switch(struct model *m, const struct event *e)
{
    char took[48] = "";
    switch (e->kind) {
    case EVENT_writes_paused:
        model_say(m, e, "RUN", "switch", "writes are paused");
        break;
    case EVENT_writes_resumed:
        if (m->predicted_us > 0)
            snprintf(took, sizeof took, ", predicted %lld ms", (long long)((m->predicted_us + 999) / 1000));
        model_say(m, e, "OK", "switch", "writes flow again on %s after %lld.%lld ms%s", e->writes_resumed.side, (long long)(e->writes_resumed.pause_us / 1000),
            (long long)(e->writes_resumed.pause_us / 100 % 10), took);
        break;
    case EVENT_switch_phase:
        model_say(m, e, "INFO", "switch", "%s %lld.%01lld ms  %s", e->switch_phase.phase, (long long)(e->switch_phase.took_us / 1000),
            (long long)(e->switch_phase.took_us / 100 % 10), e->switch_phase.text);
        break;
    case EVENT_switch_committing:
        model_say(m, e, "RUN", "switch", "everything is proven; from here on only forward (marker %s)", e->switch_committing.marker);
        break;
    case EVENT_switch_committed:
        model_say(m, e, "OK", "switch", "%s", e->switch_committed.text);
        break;
    case EVENT_pause_seen:
        tell_seen(m, e, &e->pause_seen);
        break;
    case EVENT_switch_rehearsed:
        model_say(m, e, e->switch_rehearsed.proven ? "OK" : "WARN", "switch", "dry pause: %s", e->switch_rehearsed.text);
        break;
    case EVENT_switch_returned:
        model_say(m, e, "WARN", "switch", "back on blue by the %s after %s: %s", e->switch_returned.by,
            format_ms(e->switch_returned.pause_us / 1000, took, sizeof took), e->switch_returned.why);
        break;
    default:
        break;
    }
}

static void tell_dns_seen(struct model *m, const struct plan *p, const struct event *e)
{
    const struct event_dns_seen *d = &e->dns_seen;
    int resolver = plan_find_resolver(p, d->resolver), record = plan_find_record(p, d->record, d->type);
    if (resolver < 0 || record < 0)
        return;
    const struct model_dns *c = model_cell(m, p, resolver, record);
    bool ok = strcmp(d->status, "ok") == 0;
    if (ok && c->answer[0] && strcmp(c->answer, d->answer) != 0) {
        bool new = strcmp(d->answer, p->dns.records[record].value[GREEN]) == 0;
        model_say(m, e, new ? "OK" : "WARN", d->resolver, "%s now answers %s, ttl %lld (was %s)", d->record, d->answer, (long long)d->ttl, c->answer);
    }
    if (!ok && strcmp(d->status, "timeout") != 0 && strcmp(c->status, d->status) != 0)
        model_say(m, e, "WARN", d->resolver, "%s: %s %s", d->record, d->status, d->error);
}

/* "resolver lossy" -> "lossy": the column is narrow, and the last word is the name. */
static const char *short_name(const char *source)
{
    return strncmp(source, "resolver ", 9) == 0 ? source + 9 : source;
}

static void tell_world(struct model *m, const struct plan *p, const struct event *e)
{
    switch (e->kind) {
    case EVENT_dns_seen:
        tell_dns_seen(m, p, e);
        break;
    case EVENT_dns_changed:
        model_say(m, e, "OK", "dns", "%s %s is %s with ttl %lld on the authoritative server", e->dns_changed.record, e->dns_changed.type,
            e->dns_changed.to, (long long)e->dns_changed.ttl);
        break;
    case EVENT_haproxy_seen: {
        const struct model_traffic *t = &m->traffic[strcmp(e->haproxy_seen.side, "green") == 0];
        if (t->balancer_at && strcmp(t->status, e->haproxy_seen.status) != 0)
            model_say(m, e, strncmp(e->haproxy_seen.status, "UP", 2) == 0 ? "OK" : "BAD", e->haproxy_seen.side, "the balancer says %s (was %s)", e->haproxy_seen.status, t->status);
        break;
    }
    case EVENT_weights_set:
        model_say(m, e, "RUN", "traffic", "weights: blue %lld, green %lld", (long long)e->weights_set.blue, (long long)e->weights_set.green);
        break;
    case EVENT_check_ended: {
        const struct event_check_ended *c = &e->check_ended;
        model_say(m, e, strcmp(c->verdict, "pass") == 0 ? "OK" : strcmp(c->verdict, "fail") == 0 ? "BAD" : "WARN", c->check, "%s%s%s: %s",
            strcmp(c->by, "machine") == 0 ? "" : "by ", strcmp(c->by, "machine") == 0 ? "check" : c->by, "", c->sentence);
        break;
    }
    case EVENT_source_failed:
        model_say(m, e, "WARN", short_name(e->source_failed.source), "%s", e->source_failed.sentence);
        break;
    case EVENT_source_back:
        model_say(m, e, "OK", short_name(e->source_back.source), "answers again");
        break;
    default:
        break;
    }
}

static void tell_run(struct model *m, const struct event *e)
{
    switch (e->kind) {
    case EVENT_run_opened:
        model_say(m, e, "INFO", "run", "%s opened by %s on %s", e->run_opened.name, e->run_opened.user, e->run_opened.host);
        break;
    case EVENT_engine_started:
        if (e->engine_started.resumed)
            model_say(m, e, "WARN", "engine", "an engine took the run up again (pid %lld); nothing runs by itself", (long long)e->engine_started.pid);
        break;
    case EVENT_engine_stopped:
        model_say(m, e, "INFO", "engine", "stopped: %s", e->engine_stopped.why);
        break;
    case EVENT_run_ended:
        model_say(m, e, "OK", "run", "%s: %s", e->run_ended.outcome, e->run_ended.sentence);
        break;
    case EVENT_run_paused:
        model_say(m, e, "NOTE", "run", "paused by %s: no further step may begin", e->run_paused.user);
        break;
    case EVENT_run_continued:
        model_say(m, e, "NOTE", "run", "continued by %s", e->run_continued.user);
        break;
    case EVENT_journal_failed:
        model_say(m, e, "BAD", "journal", "%s", e->journal_failed.sentence);
        break;
    case EVENT_journal_recovered:
        model_say(m, e, "OK", "journal", "%s", e->journal_recovered.sentence);
        break;
    case EVENT_screen_joined:
        model_say(m, e, "INFO", e->screen_joined.user, "joined as %s%s%s", e->screen_joined.role, *e->screen_joined.tty ? " on " : "", e->screen_joined.tty);
        break;
    case EVENT_note_said:
        model_say(m, e, "NOTE", e->note_said.user, "%s", e->note_said.text);
        break;
    case EVENT_order_refused:
        model_say(m, e, "WARN", *e->order_refused.step ? e->order_refused.step : "order", "refused: %s", e->order_refused.why);
        break;
    default:
        break;
    }
}

void fold_log(struct model *m, const struct plan *p, const struct event *e)
{
    tell_run(m, e);
    tell_step(m, e);
    tell_switch(m, e);
    tell_database(m, p, e);
    tell_world(m, p, e);
}
