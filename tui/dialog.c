#include "tui/dialog.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


enum { REPEAT_MIN_US = 20000, REPEAT_MAX_US = 80000, REPEAT_JITTER_US = 12000 };

/* ---- opening and closing ---- */

static struct dialog *open_dialog(struct ui *ui, enum dialog_kind kind, const char *title, const char *sentence)
{
    struct dialog *d = &ui->dialog;
    dialog_close(ui);
    d->kind = kind;
    d->opened_us = ui->last_us;
    d->opened_at = ui->wall;
    d->step = -1;
    copy_text(d->title, sizeof d->title, title);
    copy_text(d->sentence, sizeof d->sentence, sentence);
    return d;
}

void dialog_close(struct ui *ui)
{
    buf_free(&ui->dialog.detail);
    memset(&ui->dialog, 0, sizeof ui->dialog);
}

void dialog_confirm(struct ui *ui, int step, enum step_mode mode, int opening_key)
{
    struct dialog *d = open_dialog(ui, DIALOG_CONFIRM, "", "");
    struct gate gate;
    d->step = step;
    d->mode = mode;
    d->opening_key = opening_key;
    d->last_code = opening_key;
    d->last_us = ui->last_us;
    gate_ask(ui->model, ui->plan, step, mode, ui->now, &gate);
    d->was_go = gate.verdict == GATE_GO;
    d->was_armed = ui_is_armed(ui);
}

void dialog_ask(struct ui *ui, const char *title, const char *sentence, void (*entered)(struct ui *, const char *), int opening_key)
{
    struct dialog *d = open_dialog(ui, DIALOG_ASK, title, sentence);
    d->entered = entered;
    d->opening_key = opening_key;
    d->last_code = opening_key;
    d->last_us = ui->last_us;
}

void dialog_input(struct ui *ui, const char *title, const char *sentence, void (*entered)(struct ui *, const char *))
{
    open_dialog(ui, DIALOG_INPUT, title, sentence)->entered = entered;
}

void dialog_chooser(struct ui *ui, const char *title, const char *sentence, void (*chosen)(struct ui *, int value, int key))
{
    open_dialog(ui, DIALOG_CHOOSER, title, sentence)->chosen = chosen;
}

void dialog_add(struct ui *ui, struct dialog_item item)
{
    if (ui->dialog.nitems < DIALOG_ITEMS)
        ui->dialog.item[ui->dialog.nitems++] = item;
}

void dialog_detail(struct ui *ui, const char *title, struct buf *text)
{
    struct dialog *d = open_dialog(ui, DIALOG_DETAIL, title, "");
    d->detail = *text;
    *text = (struct buf){0};
}

void dialog_help(struct ui *ui)
{
    open_dialog(ui, DIALOG_HELP, "help", "");
}

void dialog_prompt(struct ui *ui, enum dialog_kind kind, const char *text)
{
    copy_text(open_dialog(ui, kind, "", "")->input, sizeof ui->dialog.input, text);
}

/* ---- the careful hand: what a confirmation takes for a key ---- */

bool dialog_is_deaf(const struct ui *ui, int64_t at)
{
    return at - ui->dialog.opened_at < DIALOG_DEAF_MS;
}

enum plan_confirm dialog_needs(const struct ui *ui)
{
    const struct dialog *d = &ui->dialog;
    if (d->kind == DIALOG_CONFIRM && d->mode == MODE_UNDO)
        return CONFIRM_TYPE;
    return d->kind == DIALOG_CONFIRM ? ui->plan->steps[d->step].confirm : CONFIRM_KEY;
}

static bool repeats(const struct dialog *d, int code, int64_t gap)
{
    if (code != d->last_code || code == K_BACKSPACE || gap < REPEAT_MIN_US || gap > REPEAT_MAX_US)
        return false;
    bool confirms = code == K_ENTER || code == 'y';
    return confirms || (llabs(gap - d->last_gap) < REPEAT_JITTER_US && d->last_gap <= REPEAT_MAX_US);
}

/* False for a key that no careful hand has typed. What began a burst is taken back with it. */
static bool is_typed(struct dialog *d, const struct key *key)
{
    int64_t gap = d->last_us ? key->at_us - d->last_us : INT64_MAX;
    bool burst = gap >= 0 && gap < SCREEN_BURST_US;
    bool deaf = key->at_us - d->opened_us < DIALOG_DEAF_MS * 1000;
    bool fine = !key->pasted && !deaf && !burst && !repeats(d, key->code, gap);
    if (burst) {
        size_t len = strlen(d->input);
        if (len > 0 && d->pending_us == 0 && d->last_code == (unsigned char)d->input[len - 1])
            d->input[len - 1] = '\0';
        d->pending_us = 0;
    }
    d->last_gap = gap;
    d->last_code = key->code;
    d->last_us = key->at_us;
    d->dropped += !fine;
    return fine;
}

/* ---- lines of text ---- */

static void take_back(char *text)
{
    size_t len = strlen(text);
    while (len > 0 && ((unsigned char)text[len - 1] & 0xc0) == 0x80)
        len--;
    if (len > 0)
        text[len - 1] = '\0';
    else
        text[0] = '\0';
}

static void put_in(char *text, size_t size, int code)
{
    size_t len = strlen(text);
    char raw[5] = {0}, clean[16];
    if (code < 0x20 || code == 0x7f || code > 0x10ffff)
        return;
    if (code < 0x80)
        raw[0] = (char)code;
    else if (code < 0x800) {
        raw[0] = (char)(0xc0 | code >> 6);
        raw[1] = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        raw[0] = (char)(0xe0 | code >> 12);
        raw[1] = (char)(0x80 | (code >> 6 & 0x3f));
        raw[2] = (char)(0x80 | (code & 0x3f));
    } else {
        raw[0] = (char)(0xf0 | code >> 18);
        raw[1] = (char)(0x80 | (code >> 12 & 0x3f));
        raw[2] = (char)(0x80 | (code >> 6 & 0x3f));
        raw[3] = (char)(0x80 | (code & 0x3f));
    }
    text_clean_string(clean, sizeof clean, raw);
    if (len + strlen(clean) < size)
        copy_text(text + len, size - len, clean);
}

static bool edit(char *text, size_t size, int code)
{
    if (code == K_BACKSPACE)
        take_back(text);
    else if (code == K_CTRL('u'))
        text[0] = '\0';
    else if (code >= 0x20 && code < K_UP)
        put_in(text, size, code);
    else
        return false;
    return true;
}

static void move(int *at, int code, int n, int page)
{
    switch (code) {
    case K_UP: case 'k': case K_WHEEL_UP: *at -= 1; break;
    case K_DOWN: case 'j': case K_WHEEL_DOWN: *at += 1; break;
    case K_PGUP: *at -= page; break;
    case K_PGDN: case ' ': *at += page; break;
    case K_HOME: *at = 0; break;
    case K_END: *at = n - 1; break;
    default: break;
    }
    *at = MAX(0, MIN(*at, n - 1));
}

/* ---- confirming ---- */

static void run_confirmed(struct ui *ui)
{
    struct dialog *d = &ui->dialog;
    const char *step = ui->plan->steps[d->step].key;
    char typed[sizeof d->input];
    copy_text(typed, sizeof typed, dialog_needs(ui) == CONFIRM_TYPE ? d->input : step);
    enum step_mode mode = d->mode;
    int index = d->step;
    dialog_close(ui);
    ui_order(ui, mode == MODE_UNDO ? "undo" : "run", "step", step, "typed", typed, NULL);
    ui_say(ui, false, "%s asked for: %s", mode == MODE_UNDO ? "undo" : "run", ui->plan->steps[index].title);
}

static void run_asked(struct ui *ui)
{
    void (*entered)(struct ui *, const char *) = ui->dialog.entered;
    dialog_close(ui);
    entered(ui, "y");
}

void dialog_tick(struct ui *ui, int64_t now_us)
{
    struct dialog *d = &ui->dialog;
    if (!ui->model || d->pending_us == 0 || now_us - d->pending_us < SCREEN_BURST_US)
        return;
    d->pending_us = 0;
    if (d->kind == DIALOG_ASK)
        run_asked(ui);
    else if (d->kind == DIALOG_CONFIRM && d->was_go)
        run_confirmed(ui);
}

static bool is_confirming(const struct ui *ui, int code)
{
    const struct dialog *d = &ui->dialog;
    if (d->kind == DIALOG_CONFIRM && !d->was_go)
        return false;
    switch (dialog_needs(ui)) {
    case CONFIRM_TYPE:
        return code == K_ENTER && strcmp(d->input, ui->plan->steps[d->step].key) == 0;
    case CONFIRM_NONE:
        return (code == K_ENTER || code == 'y') && code != d->opening_key;
    default:
        return code == 'y' && code != d->opening_key;
    }
}

static void key_confirm(struct ui *ui, const struct key *key)
{
    struct dialog *d = &ui->dialog;
    if (key->code == K_ESC || key->code == K_CTRL('c')) {
        dialog_close(ui);
        return;
    }
    if (key->code >= K_UP && key->code < K_F0) { /* reading on is no confirming */
        move(&d->offset, key->code, 1000, 5);
        return;
    }
    if (!is_typed(d, key))
        return;
    if (d->was_armed) /* a hand at work keeps the keys unlocked */
        ui->armed_until = MAX(ui->armed_until, ui->wall + UI_ARM_MS);
    d->pending_us = 0;
    bool types = d->kind == DIALOG_CONFIRM && dialog_needs(ui) == CONFIRM_TYPE;
    if (is_confirming(ui, key->code))
        d->pending_us = key->at_us;
    else if (types && d->was_go && key->code != K_ENTER)
        edit(d->input, sizeof d->input, key->code);
    else if ((types && key->code == K_ENTER && d->input[0]) || (!types && (key->code == 'n' || key->code == 'q'))) {
        dialog_close(ui);
        ui_say(ui, false, "nothing was run");
    }
}

/* A box that nobody has touched for the time of arming is locked with the keys, and says so. */
static bool ran_out(struct ui *ui)
{
    struct dialog *d = &ui->dialog;
    if (!d->was_armed || !d->was_go || ui_is_armed(ui) || d->pending_us)
        return false;
    const char *key = ui->plan->steps[d->step].key;
    bool typed = d->input[0];
    dialog_close(ui);
    ui_say(ui, true, "%s closed, nothing was run: 60 s without a key%s; ! arms again", key, typed ? ", what was typed is gone" : "");
    return true;
}

/* The box lives by its gate. One that opened on a closed gate stays shut; it only shows why. */
void dialog_look(struct ui *ui)
{
    struct dialog *d = &ui->dialog;
    if (d->kind != DIALOG_CONFIRM || ran_out(ui))
        return;
    struct gate gate;
    char title[64], why[sizeof gate.why];
    gate_ask(ui->model, ui->plan, d->step, d->mode, ui->now, &gate);
    if (d->was_go && (gate.verdict != GATE_GO || !ui_is_live(ui) || ui->engine_gone)) {
        copy_text(title, sizeof title, ui->plan->steps[d->step].key);
        dialog_close(ui);
        ui_say(ui, true, "%s closed, nothing was run: %s", title, ui->engine_gone ? "the engine is gone" : gate.verdict != GATE_GO ? pane_words(gate.why, why, sizeof why) : "this is the past");
    }
}

/* ---- the others ---- */

static void key_input(struct ui *ui, const struct key *key)
{
    struct dialog *d = &ui->dialog;
    char text[sizeof d->input];
    if (key->code == K_ESC || key->code == K_CTRL('c'))
        dialog_close(ui);
    else if (key->code == K_ENTER && d->input[0] && !key->pasted) {
        void (*entered)(struct ui *, const char *) = d->entered;
        int value = d->value;
        char word[sizeof d->word];
        copy_text(text, sizeof text, d->input);
        copy_text(word, sizeof word, d->word);
        dialog_close(ui);
        d->value = value;
        copy_text(d->word, sizeof d->word, word);
        entered(ui, text);
    } else
        edit(d->input, sizeof d->input, key->code);
}

static void choose(struct ui *ui, int i, int code)
{
    void (*chosen)(struct ui *, int, int) = ui->dialog.chosen;
    int value = ui->dialog.item[i].value;
    char word[sizeof ui->dialog.word];
    copy_text(word, sizeof word, ui->dialog.word);
    dialog_close(ui);
    copy_text(ui->dialog.word, sizeof ui->dialog.word, word);
    chosen(ui, value, code);
}

static void key_chooser(struct ui *ui, const struct key *key)
{
    struct dialog *d = &ui->dialog;
    if (key->pasted || (ui->last_us && key->at_us - ui->last_us < SCREEN_BURST_US))
        return;
    if (key->code == K_ESC || key->code == K_CTRL('c')) {
        dialog_close(ui);
        return;
    }
    if (key->code == K_ENTER && d->nitems > 0) {
        choose(ui, d->selected, key->code);
        return;
    }
    for (int i = 0; i < d->nitems; i++)
        if (d->item[i].key == key->code && key->code) {
            choose(ui, i, key->code);
            return;
        }
    if (key->code == d->opening_key && d->nitems > 0) /* x again: the next one */
        choose(ui, d->selected, key->code);
    else if (key->code >= K_UP)
        move(&d->selected, key->code, d->nitems, 10);
}

static void key_detail(struct ui *ui, const struct key *key)
{
    if (key->code == K_ESC || key->code == 'q' || key->code == K_ENTER || key->code == K_CTRL('c'))
        dialog_close(ui);
    else
        move(&ui->dialog.offset, key->code, 10000, 10);
}

static void key_help(struct ui *ui, const struct key *key)
{
    struct dialog *d = &ui->dialog;
    if (key->code == K_ESC || key->code == K_F(1) || key->code == K_CTRL('c') || (!d->input[0] && (key->code == '?' || key->code == 'q' || key->code == K_ENTER)))
        dialog_close(ui);
    else if (key->code >= K_UP)
        move(&d->offset, key->code, 200, 10);
    else if (edit(d->input, sizeof d->input, key->code))
        d->offset = 0;
}

static void key_prompt(struct ui *ui, const struct key *key)
{
    struct dialog *d = &ui->dialog;
    char line[sizeof d->input], all[240];
    if (key->code == K_ESC || key->code == K_CTRL('c') || (key->code == K_BACKSPACE && !d->input[0]))
        dialog_close(ui);
    else if (key->code == K_ENTER && !key->pasted) {
        copy_text(line, sizeof line, d->input);
        dialog_close(ui);
        ui->line(ui, line);
    } else if (key->code == K_TAB) {
        ui->complete(ui, d->input, sizeof d->input, all, sizeof all);
        copy_text(d->sentence, sizeof d->sentence, all);
    } else if (edit(d->input, sizeof d->input, key->code))
        d->sentence[0] = '\0';
}

/* The filter works while it is typed. */
static void key_filter(struct ui *ui, const struct key *key)
{
    struct dialog *d = &ui->dialog;
    if (key->code == K_ENTER) {
        dialog_close(ui);
        return;
    }
    if (key->code == K_ESC || key->code == K_CTRL('c') || (key->code == K_BACKSPACE && !d->input[0])) {
        dialog_close(ui);
        ui->filter[0] = '\0';
        return;
    }
    edit(d->input, MIN(sizeof d->input, sizeof ui->filter), key->code);
    copy_text(ui->filter, sizeof ui->filter, d->input);
    ui->pane[PANE_LOG].selected = -1;
}

void dialog_key(struct ui *ui, const struct key *key)
{
    static void (*const takes[])(struct ui *, const struct key *) = {
        [DIALOG_CONFIRM] = key_confirm, [DIALOG_ASK] = key_confirm, [DIALOG_INPUT] = key_input,   [DIALOG_CHOOSER] = key_chooser,
        [DIALOG_DETAIL] = key_detail,   [DIALOG_HELP] = key_help,   [DIALOG_PROMPT] = key_prompt, [DIALOG_FILTER] = key_filter,
    };
    takes[ui->dialog.kind](ui, key);
}
