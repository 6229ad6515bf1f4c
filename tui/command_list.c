/* THE list of commands, and when each does anything. */
#include "tui/command_acts.h"

#include <string.h>

/* ---- predicates ---- */

static bool may_arm(const struct ui *ui)
{
    return ui_is_live(ui) && !ui->engine_gone && strcmp(ui->role, "observer") != 0 && !ui->model->ended;
}

static bool may_step(const struct ui *ui)
{
    return may_arm(ui) && gate_next_step(ui->model, ui->plan) >= 0;
}

static bool may_abort(const struct ui *ui)
{
    return may_arm(ui) && ui->model->running >= 0;
}

static bool may_undo(const struct ui *ui)
{
    return may_arm(ui) && ui->model->running < 0 && gate_undo_step(ui->model, ui->plan) >= 0;
}

static bool may_tick(const struct ui *ui)
{
    for (int i = 0; i < ui->plan->nchecks; i++)
        if (act_is_person(ui, i))
            return may_arm(ui);
    for (int i = 0; i < ui->plan->nsteps; i++)
        if (act_needs_decision(ui, i))
            return may_arm(ui);
    return false;
}

static bool may_check(const struct ui *ui)
{
    return may_arm(ui) && ui->plan->nchecks > 0;
}

static bool is_elsewhere(const struct ui *ui)
{
    return ui->past_at != 0;
}

const struct command commands[] = {
    {"arm", "!", COMMAND_LIVE, "arm", 91, "arm for 60 s what changes the run; again: lock", may_arm, act_arm},
    {"run", "x", COMMAND_CHANGES | COMMAND_STEP, "step", 90, "choose a step; x again: the next one", may_step, act_run_step},
    {"abort", "a", COMMAND_FAST, "abort", 89, "stop the running step at a safe place (y)", may_abort, act_abort_step},
    {"undo", "r", COMMAND_CHANGES | COMMAND_STEP, "undo", 80, "undo the last step that can be (its word)", may_undo, act_undo_step},
    {"pause", "p", COMMAND_FAST, "pause", 70, "no further step begins; again: continue (y)", may_arm, act_pause_run},
    {"skip", "s", COMMAND_CHANGES | COMMAND_STEP, "skip", 20, "leave the next step out, with a reason", may_step, act_skip_step},
    {"attest", "t", COMMAND_CHANGES | COMMAND_CHECK, "tick", 40, "answer a check by hand, or decide a step", may_tick, act_tick},
    {"decide", "", COMMAND_CHANGES | COMMAND_STEP, "", 0, "say what a failed or unknown step counts as", NULL, act_decide},
    {"stop", "", COMMAND_FAST, "", 0, "end the run for good, and its engine (y)", may_arm, act_stop_run},
    {"play", "Space", COMMAND_REPLAY, "play", 95, "play or pause the replay", NULL, act_play},
    {"speed", "+ -", COMMAND_REPLAY, "speed", 85, "faster, slower: 1 to 1000 times", NULL, act_set_speed},
    {"next", "n", COMMAND_REPLAY, "next event", 84, "go to the next thing that a step did", NULL, act_next_event},
    {"check", "c", COMMAND_LIVE | COMMAND_CHECK, "checks", 30, "run all checks again, or one by name", may_check, act_run_checks},
    {"focus", "1 2 3 4 5 6 7", 0, "-7 pane", 50, "focus a pane; the same number again zooms", NULL, act_focus_number},
    {"focus-next", "Tab Shift-Tab", 0, "", 0, "focus the next or previous pane", NULL, act_focus_next},
    {"zoom", "z", 0, "zoom", 55, "show one pane alone, or all again", NULL, act_zoom},
    {"details", "Enter", 0, "", 0, "all about the chosen line; without one: zoom", NULL, act_details},
    {"move", "j k g G Down Up Home End PgDn PgUp WheelDown WheelUp", 0, "", 0, "choose a line: down, up, top, end", NULL, act_move},
    {"back", "Esc", 0, "", 0, "one level back; it never leaves", NULL, act_back},
    {"filter", "/", 0, "filter", 45, "only lines of the log with this text", NULL, act_filter},
    {"history", "[ ] Shift-Left Shift-Right", 0, "] past", 35, "5 s back, 5 s forward; Shift-arrows 50 s", NULL, act_history},
    {"goto", "", 0, "", 0, "show the instant HH:MM:SS", NULL, act_go_to},
    {"live", "L", 0, "live", 92, "back to now; in a replay: to its end", is_elsewhere, act_live},
    {"freeze", "f", COMMAND_LIVE, "freeze", 10, "freeze the picture; again: live", NULL, act_freeze},
    {"note", "m", COMMAND_LIVE, "note", 25, "write a note into the journal", NULL, act_note},
    {"redact", "H", 0, "redact", 5, "hide hosts and addresses; again: show (y)", NULL, act_redact},
    {"copy", "y", 0, "", 0, "copy the chosen line to the clipboard", NULL, act_copy_line},
    {"take", "", COMMAND_LIVE, "", 0, "ask for the controls, when nobody holds them", NULL, act_take},
    {"give", "", COMMAND_LIVE, "", 0, "give the controls back and watch", NULL, act_give},
    {"theme", "", 0, "", 0, "change the colours; without a name: list", NULL, act_set_theme},
    {"graph", "", 0, "", 0, "draw graphs in braille, block or ascii", NULL, act_set_graph},
    {"command", ":", 0, "command", 15, "every action by name, completed with Tab", NULL, act_prompt},
    {"repaint", "Ctrl-L", 0, "", 0, "draw the screen anew", NULL, act_repaint},
    {"suspend", "Ctrl-Z", 0, "", 0, "suspend this screen; the run goes on", NULL, act_suspend},
    {"help", "? F1", 0, "help", 97, "this help", NULL, act_help},
    {"quit", "q F10 Ctrl-C", 0, "quit", 96, "leave this screen; the run goes on", NULL, act_quit},
};
const int ncommands = ARRAY_LEN(commands);
