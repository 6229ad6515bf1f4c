/* What changes the run. Nothing here runs by itself: each opens a question, and the answer leaves as an order. */
#include "tui/command_acts.h"

#include <stdio.h>
#include <string.h>

bool act_is_person(const struct ui *ui, int check)
{
    return strcmp(ui->plan->checks[check].kind, "person") == 0;
}

bool act_needs_decision(const struct ui *ui, int step)
{
    enum step_state s = ui->model->step[step].state;
    return s == STEP_UNKNOWN || s == STEP_FAILED;
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

void act_run_step(struct ui *ui, const char *argument, int key)
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

void act_undo_step(struct ui *ui, const char *argument, int key)
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

void act_abort_step(struct ui *ui, const char *argument, int key)
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

void act_pause_run(struct ui *ui, const char *argument, int key)
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

void act_skip_step(struct ui *ui, const char *argument, int key)
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
        snprintf(sentence, sizeof sentence, "The world looks as %s it ran: %.160s", strcmp(m->found, "before") == 0 ? "before" : strcmp(m->found, "after") == 0 ? "after" : "in the middle of it, or can't be seen, when", m->sentence);
    else
        copy_text(sentence, sizeof sentence, m->sentence);
    dialog_chooser(ui, title, sentence, choose_decision);
    for (int i = 0; i < DECISIONS; i++) {
        struct dialog_item item = {.key = 'a' + i, .value = step * DECISIONS + i, .style = ROLE_DIALOG};
        copy_text(item.text, sizeof item.text, texts[i]);
        if ((i == DECIDE_DONE && strcmp(m->found, "after") == 0) || (i == DECIDE_READY && strcmp(m->found, "before") == 0))
            copy_text(item.right, sizeof item.right, "fits what was found");
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

void act_tick(struct ui *ui, const char *argument, int key)
{
    int check = *argument ? plan_find_check(ui->plan, argument) : -1;
    (void)key;
    if (*argument) {
        if (check < 0 || !act_is_person(ui, check))
            ui_say(ui, true, "\"%s\" is no check that a person answers", argument);
        else
            ask_attest(ui, check);
        return;
    }
    dialog_chooser(ui, "say what a person knows", "steps that wait for a decision, and checks that only a person can answer", choose_tick);
    for (int i = 0, letter = 'a'; i < ui->plan->nsteps + ui->plan->nchecks; i++) {
        int c = i - ui->plan->nsteps;
        if (c < 0 ? !act_needs_decision(ui, i) : !act_is_person(ui, c))
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

void act_decide(struct ui *ui, const char *argument, int key)
{
    int step = plan_find_step(ui->plan, argument);
    (void)key;
    if (step < 0 || !act_needs_decision(ui, step))
        ui_say(ui, true, "\"%s\" is no step that waits for a decision", argument);
    else
        ask_decision(ui, step);
}

static void send_note(struct ui *ui, const char *text)
{
    ui_order(ui, "note", "text", text, NULL);
}

void act_note(struct ui *ui, const char *argument, int key)
{
    (void)key;
    if (!ui_is_live(ui))
        ui_say(ui, true, "this is the past: L goes back to live first");
    else if (*argument)
        send_note(ui, argument);
    else
        dialog_input(ui, "note", "It goes into the journal under your name:", send_note);
}

void act_run_checks(struct ui *ui, const char *argument, int key)
{
    (void)key;
    ui_order(ui, "check", "check", argument, NULL);
    ui_say(ui, false, *argument ? "asked for the check %s" : "asked for all checks again%s", argument);
}

void act_take(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    ui_order(ui, "role", "role", "operator", NULL);
}

void act_give(struct ui *ui, const char *argument, int key)
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

void act_stop_run(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    dialog_ask(ui, "end the run", "End this run for good? What is done stays done, nothing is undone.", send_stop, key);
}

void act_arm(struct ui *ui, const char *argument, int key)
{
    (void)argument;
    (void)key;
    if (ui_is_armed(ui)) {
        ui->armed_until = 0;
        ui_say(ui, false, "locked again");
    } else if (command_may_change(ui, COMMAND_FAST))
        ui->armed_until = ui->wall + UI_ARM_MS;
}
