/* The way back. The watchdog is asked first: if it has completed the switch meanwhile, back is no longer possible. */
#include <stdio.h>
#include <string.h>

#include "core/step/switch.h"

enum { ANSWER_MS = 500, SETTLE_MS = 15000, FAREWELL_MS = 1000 };

void switch_turn_back(struct sw *sw)
{
    sw->returning = true;
    switch_drop_flags(sw);
    switch_close_lines(sw);
}

void switch_end_dry(struct sw *sw)
{
    sw->proven = true;
    switch_turn_back(sw);
    sw->next = AT_ASK_BACK;
}

void switch_begin_ask_back(struct sw *sw)
{
    sw->told[0] = '\0';
    sw->until = clock_mono() + ANSWER_MS;
    copy_text(sw->returned_by, sizeof sw->returned_by, "engine");
    watchdog_tell(sw->watchdog, "returning");
}

/* One that does not answer is ended, so that it can't decide otherwise later. If its deadline has passed by then, it may
 * have gone forward already, which is only possible after it had agreed to commit: then forward it is. */
static bool must_go_forward(struct sw *sw)
{
    bool may_have = sw->asked_commit && sw->attempt && clock_mono() - sw->attempt > sw->plan->switch_deadline + WATCHDOG_GRACE_MS - ANSWER_MS;
    watchdog_kill(sw->watchdog);
    return may_have;
}

enum look switch_look_ask_back(struct sw *sw)
{
    bool forward = false;
    if (watchdog_is_gone(sw->watchdog) || clock_mono() >= sw->until)
        forward = must_go_forward(sw);
    else if (strcmp(sw->told, "completed") == 0)
        forward = true;
    else if (strcmp(sw->told, "returned") == 0)
        copy_text(sw->returned_by, sizeof sw->returned_by, "watchdog");
    else if (strcmp(sw->told, "returning") != 0)
        return LOOK_WAIT;
    sw->decided_back = !forward;
    return LOOK_NEXT;
}

void switch_begin_settle(struct sw *sw)
{
    sw->until = clock_mono() + SETTLE_MS;
    settle_go(sw->settle, sw->decided_back ? BLUE : GREEN, sw->asked_commit);
}

enum look switch_look_settle(struct sw *sw)
{
    bool over = settle_step(sw->settle);
    sw->poll_ms = settle_wait_ms(sw->settle);
    if (settle_is_open(sw->settle) && sw->was_paused)
        switch_record_resumed(sw, sw->decided_back ? BLUE : GREEN);
    if (over && switch_awaits_pulse(sw)) {
        sw->poll_ms = SWITCH_POLL_MS;
        return LOOK_WAIT;
    }
    return over || clock_mono() > sw->until ? LOOK_NEXT : LOOK_WAIT;
}

void switch_begin_returned(struct sw *sw)
{
    sw->until = clock_mono() + FAREWELL_MS;
    switch_record_pulse(sw);
    if (sw->decided_back)
        switch_record_returned(sw, sw->returned_by, sw->why);
    else
        switch_record_committed(sw, "the watchdog completed the switch while the engine was late");
    if (!*settle_error(sw->settle))
        watchdog_tell(sw->watchdog, "done");
}

/* What is not settled yet stays with the watchdog: it is not told "done", so the end of the pipe sets it to work. */
static enum look end(struct sw *sw)
{
    const char *error = settle_error(sw->settle), *result = sw->aborted ? "aborted" : "failed";
    if (!sw->decided_back)
        step_end(sw->run, "done", "The watchdog completed the switch: writes are on %s. %.150s", switch_name(sw, GREEN), error);
    else if (*error && sw->proven)
        step_end(sw->run, "failed", "All was proven, but not everything is back yet, the watchdog goes on trying: %.130s", error);
    else if (sw->proven)
        step_end(sw->run, "done", "Writes were stopped for %.1f ms and all was proven up to the commit point; blue takes writes as before.", (double)sw->pause_us / 1000);
    else if (*error)
        step_end(sw->run, result, "%.100s Not everything is back yet, the watchdog goes on trying: %.110s", sw->why, error);
    else
        step_end(sw->run, result, "%.170s %s takes writes%s.", sw->why, switch_Name(sw, BLUE), sw->paused_us ? " again" : "; nothing was paused");
    return LOOK_OVER;
}

enum look switch_look_returned(struct sw *sw)
{
    if (!*settle_error(sw->settle) && !watchdog_is_gone(sw->watchdog) && clock_mono() < sw->until)
        return LOOK_WAIT;
    watchdog_free(sw->watchdog);
    sw->watchdog = NULL;
    return end(sw);
}
