/* THE list of commands, and what each does. Everything that changes the run only opens a question here. */
#include "tui/command.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- predicates ---- */

static bool may_arm(const struct ui *ui)
{
    return ui_is_live(ui) && strcmp(ui->role, "observer") != 0 && !ui->model->ended;
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

static bool is_person(const struct ui *ui, int check)
{
    return strcmp(ui->plan->checks[check].kind, "person") == 0;
}

static bool needs_decision(const struct ui *ui, int step)
{
    enum step_state s = ui->model->step[step].state;
    return s == STEP_UNKNOWN || s == STEP_FAILED;
}

static bool may_tick(const struct ui *ui)
{
    for (int i = 0; i < ui->plan->nchecks; i++)
        if (is_person(ui, i))
            return may_arm(ui);
    for (int i = 0; i < ui->plan->nsteps; i++)
        if (needs_decision(ui, i))
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

/* ---- steps ---- */

static void choose_step(struct ui *ui, int step, int key)
{
    dialog_confirm(ui, step, MODE_RUN, key);
}

static void add_step_item(struct ui *ui, int i)
{
    const struct plan_step *s = &ui->plan->steps[i];
    struct view v = ui_view(ui, PANE_STEPS);
    struct dialog_item item = {.key = s->letter, .value = i};
    struct gate gate;
    unsigned style;
    copy_text(item.glyph, sizeof item.glyph, pane_step_glyph(&v, i, &style));
    item.style = style == ROLE_DIM ? ROLE_DIALOG : style;
    snprintf(item.text, sizeof item.text, "%-4s%s", s->bind ? s->bind : "", s->title);
    gate_ask(ui->model, ui->plan, i, MODE_RUN, ui->now, &gate);
    char why[sizeof gate.why], words[sizeof gate.why];
    pane_sentence(&v, gate.verdict == GATE_GO ? "ready" : pane_words(gate.why, words, sizeof words), why, sizeof why);
    copy_text(item.right, sizeof item.right, why);
    dialog_add(ui, item);
}

static void run_step(struct ui *ui, const char *argument, int key)
{
    int step = *argument ? plan_find_step(ui->plan, argument) : gate_next_step(ui->model, ui->plan);
    if (*argument && step < 0) {
        ui_say(ui, true, "the plan has no step \"%s\"", argument);
        return;
    }
    if (*argument) {
        dialog_confirm(ui, step, MODE_RUN, key);
        return;
    }
    dialog_chooser(ui, "run a step", "x or Enter opens the next one, a letter any other; nothing runs yet", choose_step);
    for (int i = 0; i < ui->plan->nsteps; i++)
        add_step_item(ui, i);
    ui->dialog.opening_key = key;
    ui->dialog.selected = MAX(step, 0);
}

static void undo_step(struct ui *ui, const char *argument, int key)
{
    int step = *argument ? plan_find_step(ui->plan, argument) : gate_undo_step(ui->model, ui->plan);
    if (step < 0)
        ui_say(ui, true, *argument ? "the plan has no step \"%s\"" : "no step is done that can be undone", argument);
    else
        dialog_confirm(ui, step, MODE_UNDO, key);
}

static void send_abort(struct ui *ui, const char *text)
{
    (void)text;
    if (ui->model->running >= 0)
        ui_order(ui, "abort", "step", ui->plan->steps[ui->model->running].key, NULL);
}

static void abort_step(struct ui *ui, const char *argument, int key)
{
    char sentence[200];
    (void)argument;
    if (ui->model->running < 0) {
        ui_say(ui, false, "no step is running");
        return;
    }
    snprintf(sentence, sizeof sentence, "Stop %s at its next safe place? It leaves nothing half done.", ui->plan->steps[ui->model->running].key);
    dialog_ask(ui, "abort", sentence, send_abort, key);
}

static void send_continue(struct ui *ui, const char *text)
{
    (void)text;
    ui_order(ui, "continue", NULL);
}

static void pause_run(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    if (ui->model->paused)
        dialog_ask(ui, "continue", "Let steps begin again?", send_continue, key);
    else
        ui_order(ui, "pause", NULL);
}

static void send_skip(struct ui *ui, const char *reason)
{
    ui_order(ui, "skip", "step", ui->plan->steps[ui->dialog.value].key, "reason", reason, NULL);
}

static void skip_step(struct ui *ui, const char *argument, int key)
{
    int step = *argument ? plan_find_step(ui->plan, argument) : gate_next_step(ui->model, ui->plan);
    char sentence[200];
    (void)key;
    if (step < 0 || step == ui->model->running) {
        ui_say(ui, true, step < 0 ? "there is no such step left" : "it is running: a aborts it");
        return;
    }
    if (!ui->plan->steps[step].skippable) {
        ui_say(ui, true, "the plan does not let %s be skipped", ui->plan->steps[step].key);
        return;
    }
    snprintf(sentence, sizeof sentence, "Leave out \"%s\". The reason goes into the journal:", ui->plan->steps[step].title);
    dialog_input(ui, "skip a step", sentence, send_skip);
    ui->dialog.value = step;
}

/* ---- what a person says ---- */

static void send_attest(struct ui *ui, const char *text)
{
    ui_order(ui, "attest", "check", ui->plan->checks[ui->dialog.value].key, "text", text, NULL);
}

static void send_decision(struct ui *ui, const char *reason)
{
    char decision[sizeof ui->dialog.word];
    copy_text(decision, sizeof decision, ui->dialog.word);
    ui_order(ui, "decide", "step", ui->plan->steps[ui->dialog.value].key, "decision", decision, "reason", reason, NULL);
}

static void ask_attest(struct ui *ui, int check)
{
    const struct plan_check *c = &ui->plan->checks[check];
    dialog_input(ui, c->title, plan_option_text(c->options, c->noptions, "ask", "Say that it is so; your name and this note go into the journal:"), send_attest);
    ui->dialog.value = check;
}

enum { DECIDE_DONE, DECIDE_READY, DECIDE_FAILED, DECISIONS };
static const char *const decision_words[] = {"done", "ready", "failed"};

static void choose_decision(struct ui *ui, int value, int key)
{
    char sentence[200];
    (void)key;
    int step = value / DECISIONS;
    snprintf(sentence, sizeof sentence, "%s shall count as %s. Why?", ui->plan->steps[step].key, decision_words[value % DECISIONS]);
    dialog_input(ui, "decide", sentence, send_decision);
    ui->dialog.value = step;
    copy_text(ui->dialog.word, sizeof ui->dialog.word, decision_words[value % DECISIONS]);
}

static void ask_decision(struct ui *ui, int step)
{
    static const char *const texts[] = {"done: the world shows what the step should do", "ready: nothing happened, it may be run again", "failed: it counts as failed"};
    const struct model_step *m = &ui->model->step[step];
    char sentence[240], title[80];
    snprintf(title, sizeof title, "decide %s", ui->plan->steps[step].key);
    if (m->found[0])
        snprintf(sentence, sizeof sentence, "found: %s. %.180s", m->found, m->sentence);
    else
        copy_text(sentence, sizeof sentence, m->sentence);
    dialog_chooser(ui, title, sentence, choose_decision);
    for (int i = 0; i < DECISIONS; i++) {
        struct dialog_item item = {.key = 'a' + i, .value = step * DECISIONS + i, .style = ROLE_DIALOG};
        copy_text(item.text, sizeof item.text, texts[i]);
        dialog_add(ui, item);
    }
}

/* Values below the number of steps are steps to decide, the others are checks. */
static void choose_tick(struct ui *ui, int value, int key)
{
    (void)key;
    if (value < ui->plan->nsteps)
        ask_decision(ui, value);
    else
        ask_attest(ui, value - ui->plan->nsteps);
}

static void tick(struct ui *ui, const char *argument, int key)
{
    int check = *argument ? plan_find_check(ui->plan, argument) : -1;
    (void)key;
    if (*argument) {
        if (check < 0 || !is_person(ui, check))
            ui_say(ui, true, "\"%s\" is no check that a person answers", argument);
        else
            ask_attest(ui, check);
        return;
    }
    dialog_chooser(ui, "say what a person knows", "steps that wait for a decision, and checks that only a person can answer", choose_tick);
    for (int i = 0, letter = 'a'; i < ui->plan->nsteps + ui->plan->nchecks; i++) {
        int c = i - ui->plan->nsteps;
        if (c < 0 ? !needs_decision(ui, i) : !is_person(ui, c))
            continue;
        struct dialog_item item = {.key = letter <= 'z' ? letter++ : 0, .value = i, .style = ROLE_DIALOG};
        snprintf(item.text, sizeof item.text, "%s", c < 0 ? ui->plan->steps[i].title : ui->plan->checks[c].title);
        snprintf(item.right, sizeof item.right, "%s", c < 0 ? step_state_names[ui->model->step[i].state] : ui->model->check[c].at ? ui->model->check[c].by : "not said");
        dialog_add(ui, item);
    }
    if (ui->dialog.nitems == 1)
        choose_tick(ui, ui->dialog.item[0].value, 't');
    else if (ui->dialog.nitems == 0) {
        dialog_close(ui);
        ui_say(ui, false, "nothing waits for a person's word");
    }
}

static void decide(struct ui *ui, const char *argument, int key)
{
    int step = plan_find_step(ui->plan, argument);
    (void)key;
    if (step < 0 || !needs_decision(ui, step))
        ui_say(ui, true, "\"%s\" is no step that waits for a decision", argument);
    else
        ask_decision(ui, step);
}

static void send_note(struct ui *ui, const char *text)
{
    ui_order(ui, "note", "text", text, NULL);
}

static void note(struct ui *ui, const char *argument, int key)
{
    (void)key;
    if (!ui_is_live(ui))
        ui_say(ui, true, "this is the past: L goes back to live first");
    else if (*argument)
        send_note(ui, argument);
    else
        dialog_input(ui, "note", "It goes into the journal under your name:", send_note);
}

static void run_checks(struct ui *ui, const char *argument, int key)
{
    (void)key;
    ui_order(ui, "check", "check", argument, NULL);
    ui_say(ui, false, *argument ? "asked for the check %s" : "asked for all checks again%s", argument);
}

static void take(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    ui_order(ui, "role", "role", "operator", NULL);
}

static void give(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    ui->armed_until = 0;
    ui_order(ui, "role", "role", "observer", NULL);
}

static void send_stop(struct ui *ui, const char *text)
{
    (void)text;
    ui_order(ui, "stop", NULL);
}

static void stop_run(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    dialog_ask(ui, "stop the engine", "End the engine? What is done stays done; nothing is undone.", send_stop, key);
}

static void arm(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    if (ui_is_armed(ui)) {
        ui->armed_until = 0;
        ui_say(ui, false, "locked again");
    } else if (command_may_change(ui, COMMAND_FAST))
        ui->armed_until = ui->wall + UI_ARM_MS;
}

/* ---- moving about ---- */

static void set_focus(struct ui *ui, int pane)
{
    if (!(panes_present(ui->plan) & LAYOUT_BIT(pane)))
        return;
    if (ui->focus == pane)
        ui->zoom = ui->zoom ? 0 : pane;
    else if (ui->zoom)
        ui->zoom = pane;
    ui->focus = pane;
}

static void focus_number(struct ui *ui, const char *argument, int key)
{
    int pane = *argument ? atoi(argument) : key - '0';
    if (pane >= 1 && pane <= LAYOUT_PANES)
        set_focus(ui, pane);
}

static void focus_next(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    unsigned present = panes_present(ui->plan);
    int pane = ui->focus;
    do
        pane = key == K_SHIFT_TAB ? (pane + LAYOUT_PANES - 2) % LAYOUT_PANES + 1 : pane % LAYOUT_PANES + 1;
    while (!(present & LAYOUT_BIT(pane)) && pane != ui->focus);
    if (ui->zoom)
        ui->zoom = pane;
    ui->focus = pane;
}

static void zoom(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    ui->zoom = ui->zoom ? 0 : ui->focus;
}

static int count_rows(struct ui *ui)
{
    struct view v = ui_view(ui, ui->focus);
    return panes[ui->focus]->rows ? panes[ui->focus]->rows(&v) : 0;
}

static void move(struct ui *ui, const char *argument, int key)
{
    struct pane_state *s = &ui->pane[ui->focus];
    int n = count_rows(ui), page = MAX(ui->layout.pane[ui->focus].h - 3, 1), by = 0;
    (void)argument;
    switch (key) {
    case 'j': case K_DOWN: case K_WHEEL_DOWN: by = 1; break;
    case 'k': case K_UP: case K_WHEEL_UP: by = -1; break;
    case K_PGDN: by = page; break;
    case K_PGUP: by = -page; break;
    case 'g': case K_HOME: by = -n; break;
    default: by = n; break;
    }
    if (n == 0)
        return;
    if (s->selected < 0) /* from where the eye is: the end of the log, the step that matters, else the top */
        s->selected = ui->focus == PANE_LOG ? n - 1 : ui->focus == PANE_STEPS ? MAX(gate_next_step(ui->model, ui->plan), 0) : 0;
    else
        s->selected += by;
    s->selected = MAX(0, MIN(s->selected, n - 1));
    if (ui->focus == PANE_LOG && (key == 'G' || key == K_END))
        s->selected = -1;
}

static void details(struct ui *ui, const char *argument, int key)
{
    struct view v = ui_view(ui, ui->focus);
    const struct pane *p = panes[ui->focus];
    struct pane_state *s = &ui->pane[ui->focus];
    struct buf text = {0};
    char title[40];
    (void)argument;
    (void)key;
    if (p->detail && s->selected >= 0 && s->selected < count_rows(ui))
        p->detail(&v, s->selected, &text);
    if (!text.len) {
        buf_free(&text);
        ui->zoom = ui->zoom ? 0 : ui->focus;
        return;
    }
    snprintf(title, sizeof title, "%s", p->name);
    dialog_detail(ui, title, &text);
}

/* One level back: message, selection, zoom, filter, past. It never leaves. */
static void back(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    if (ui->pane[ui->focus].selected >= 0)
        ui->pane[ui->focus].selected = -1;
    else if (ui->zoom)
        ui->zoom = 0;
    else
        ui->filter[0] = '\0';
}

static void filter(struct ui *ui, const char *argument, int key)
{
    (void)key;
    if (*argument)
        copy_text(ui->filter, sizeof ui->filter, argument);
    else
        dialog_prompt(ui, DIALOG_FILTER, ui->filter);
    ui->focus = PANE_LOG;
    if (ui->zoom)
        ui->zoom = PANE_LOG;
}

/* ---- time ---- */

enum { STEP_BACK_MS = 5000, LEAP_MS = 50000 };

static void seek(struct ui *ui, int64_t at)
{
    ui->past_at = MAX(ui->first_at, MIN(at, ui->last_at));
    ui->frozen = false;
    ui->armed_until = 0;
    if (!ui->replay && at >= ui->last_at)
        ui->past_at = 0;
}

static void history(struct ui *ui, const char *argument, int key)
{
    int64_t by = key == '[' ? -STEP_BACK_MS : key == ']' ? STEP_BACK_MS : key == K_SHIFT_LEFT ? -LEAP_MS : LEAP_MS;
    (void)argument;
    if (by > 0 && ui_is_live(ui))
        return;
    seek(ui, (ui->past_at ? ui->past_at : MIN(ui->now, ui->last_at)) + by);
}

static void go_to(struct ui *ui, const char *argument, int key)
{
    int h = 0, m = 0, s = 0;
    (void)key;
    if (sscanf(argument, "%d:%d:%d", &h, &m, &s) < 2 || h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 59) {
        ui_say(ui, true, "a time is written HH:MM:SS, in UTC");
        return;
    }
    int64_t day = ui->first_at / 86400000 * 86400000, at = day + ((h * 60 + m) * 60 + s) * (int64_t)1000;
    seek(ui, at < ui->first_at ? at + 86400000 : at);
}

static void live(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    ui->frozen = false;
    if (ui->replay) {
        seek(ui, ui->last_at);
        ui->playing = false;
    } else
        ui->past_at = 0;
}

static void freeze(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    if (ui->frozen) {
        live(ui, "", 0);
        return;
    }
    ui->past_at = ui->now;
    ui->frozen = true;
    ui->frozen_wall = ui->wall;
    ui->armed_until = 0;
}

static void play(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    ui->playing = !ui->playing;
    if (ui->playing && ui->past_at >= ui->last_at)
        seek(ui, ui->first_at);
}

static void set_speed(struct ui *ui, const char *argument, int key)
{
    static const int speeds[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};
    size_t i = 0;
    if (*argument) {
        ui->speed = MAX(1, MIN(atoi(argument), 1000));
        return;
    }
    while (i + 1 < ARRAY_LEN(speeds) && speeds[i] < ui->speed)
        i++;
    if (key == '-')
        ui->speed = speeds[i > 0 ? i - 1 : 0];
    else
        ui->speed = speeds[MIN(i + 1, ARRAY_LEN(speeds) - 1)];
}

static void next_event(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    ui->wants_event++;
    ui->playing = false;
}

/* ---- the screen itself ---- */

static void help(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    dialog_help(ui);
}

static void quit(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    ui->wants_quit = true;
}

static void repaint(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    ui->wants_repaint = true;
}

static void suspend(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    ui->wants_suspend = true;
}

static void unmask(struct ui *ui, const char *text)
{
    (void)text;
    ui->redact = false;
}

static void redact(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    if (ui->redact)
        dialog_ask(ui, "show addresses", "Show hosts and addresses on this screen again?", unmask, key);
    else
        ui->redact = true;
}

static void set_theme(struct ui *ui, const char *argument, int key)
{
    (void)key;
    struct buf names = {0};
    if (!*argument) {
        theme_names(&names);
        for (size_t i = 0; i < names.len; i++)
            if (names.text[i] == '\n')
                names.text[i] = ' ';
        ui_say(ui, false, "themes: %s", names.text ? names.text : "dark");
        buf_free(&names);
        return;
    }
    copy_text(ui->theme, sizeof ui->theme, argument);
    ui->wants_theme = true;
}

static void set_graph(struct ui *ui, const char *argument, int key)
{
    (void)key;
    if (!graph_style_parse(argument, &ui->graph))
        ui_say(ui, true, "graphs are braille, block or ascii");
}

static void prompt(struct ui *ui, const char *argument, int key)
{
    (void)key;
    dialog_prompt(ui, DIALOG_PROMPT, argument);
}

static void copy_line(struct ui *ui, const char *argument, int key)
{
    struct view v = ui_view(ui, ui->focus);
    struct pane_state *s = &ui->pane[ui->focus];
    (void)argument;
    (void)key;
    buf_free(&ui->copy);
    if (panes[ui->focus]->detail && s->selected >= 0)
        panes[ui->focus]->detail(&v, s->selected, &ui->copy);
    ui_say(ui, false, ui->copy.len ? "copied" : "choose a line first (j, k)");
}

const struct command commands[] = {
    {"arm", "!", COMMAND_LIVE, "arm", 60, "arm for 60 s what changes the run; again: lock", may_arm, arm},
    {"run", "x", COMMAND_CHANGES | COMMAND_STEP, "step", 90, "choose a step; x again: the next one", may_step, run_step},
    {"abort", "a", COMMAND_FAST, "abort", 89, "stop the running step at a safe place (y)", may_abort, abort_step},
    {"undo", "r", COMMAND_CHANGES | COMMAND_STEP, "undo", 80, "undo the last step that can be (its word)", may_undo, undo_step},
    {"pause", "p", COMMAND_FAST, "pause", 70, "no further step begins; again: continue (y)", may_arm, pause_run},
    {"skip", "s", COMMAND_CHANGES | COMMAND_STEP, "skip", 20, "leave the next step out, with a reason", may_step, skip_step},
    {"attest", "t", COMMAND_CHANGES | COMMAND_CHECK, "tick", 40, "answer a check by hand, or decide a step", may_tick, tick},
    {"decide", "", COMMAND_CHANGES | COMMAND_STEP, "", 0, "say what a failed or unknown step counts as", NULL, decide},
    {"stop", "", COMMAND_FAST, "", 0, "end the engine (y)", may_arm, stop_run},
    {"play", "Space", COMMAND_REPLAY, "play", 95, "play or pause the replay", NULL, play},
    {"speed", "+ -", COMMAND_REPLAY, "speed", 85, "faster, slower: 1 to 1000 times", NULL, set_speed},
    {"next", "n", COMMAND_REPLAY, "next event", 84, "go to the next thing that a step did", NULL, next_event},
    {"check", "c", COMMAND_LIVE | COMMAND_CHECK, "checks", 30, "run all checks again, or one by name", may_check, run_checks},
    {"focus", "1 2 3 4 5 6 7", 0, "-7 pane", 50, "focus a pane; the same number again zooms", NULL, focus_number},
    {"focus-next", "Tab Shift-Tab", 0, "", 0, "focus the next or previous pane", NULL, focus_next},
    {"zoom", "z", 0, "zoom", 55, "show one pane alone, or all again", NULL, zoom},
    {"details", "Enter", 0, "", 0, "all about the chosen line; without one: zoom", NULL, details},
    {"move", "j k g G Down Up Home End PgDn PgUp WheelDown WheelUp", 0, "", 0, "choose a line: down, up, top, end", NULL, move},
    {"back", "Esc", 0, "", 0, "one level back; it never leaves", NULL, back},
    {"filter", "/", 0, "filter", 45, "only lines of the log with this text", NULL, filter},
    {"history", "[ ] Shift-Left Shift-Right", 0, "] past", 35, "5 s back, 5 s forward; Shift-arrows 50 s", NULL, history},
    {"goto", "", 0, "", 0, "show the instant HH:MM:SS", NULL, go_to},
    {"live", "L", 0, "live", 92, "back to now; in a replay: to its end", is_elsewhere, live},
    {"freeze", "f", COMMAND_LIVE, "freeze", 10, "freeze the picture; again: live", NULL, freeze},
    {"note", "m", COMMAND_LIVE, "note", 25, "write a note into the journal", NULL, note},
    {"redact", "H", 0, "redact", 5, "hide hosts and addresses; again: show (y)", NULL, redact},
    {"copy", "y", 0, "", 0, "copy the chosen line to the clipboard", NULL, copy_line},
    {"take", "", COMMAND_LIVE, "", 0, "ask for the controls, when nobody holds them", NULL, take},
    {"give", "", COMMAND_LIVE, "", 0, "give the controls back and watch", NULL, give},
    {"theme", "", 0, "", 0, "change the colours; without a name: list", NULL, set_theme},
    {"graph", "", 0, "", 0, "draw graphs in braille, block or ascii", NULL, set_graph},
    {"command", ":", 0, "command", 15, "every action by name, completed with Tab", NULL, prompt},
    {"repaint", "Ctrl-L", 0, "", 0, "draw the screen anew", NULL, repaint},
    {"suspend", "Ctrl-Z", 0, "", 0, "suspend this screen; the run goes on", NULL, suspend},
    {"help", "? F1", 0, "help", 97, "this help", NULL, help},
    {"quit", "q F10 Ctrl-C", 0, "quit", 96, "leave this screen; the run goes on", NULL, quit},
};
const int ncommands = ARRAY_LEN(commands);
