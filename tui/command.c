/* Finding and completing commands, and the footer. What they do stands in command_list.c. */
#include "tui/command.h"

#include <stdio.h>
#include <string.h>

/* ---- may it? ---- */

bool command_may_change(struct ui *ui, unsigned flags)
{
    if (ui->replay)
        ui_say(ui, false, "a replay changes nothing");
    else if (ui->past_at)
        ui_say(ui, true, "this is the past: L goes back to live first");
    else if (ui->engine_gone)
        ui_say(ui, true, "the engine is gone: nothing can be asked of it until it is back");
    else if (strcmp(ui->role, "observer") == 0)
        ui_say(ui, true, "you watch; the operator holds the keys (:take asks for them)");
    else if (!(flags & COMMAND_FAST) && !ui_is_armed(ui))
        ui_say(ui, true, "locked: ! arms the keys for 60 s");
    else
        return true;
    return false;
}

static bool is_here(const struct ui *ui, const struct command *c)
{
    return ui->replay ? !(c->flags & (COMMAND_LIVE | COMMAND_CHANGES | COMMAND_FAST)) : !(c->flags & COMMAND_REPLAY);
}

static bool does_something(const struct ui *ui, const struct command *c)
{
    return is_here(ui, c) && (!c->may || c->may(ui));
}

static void run(struct ui *ui, const struct command *c, const char *argument, int key)
{
    if (c->flags & (COMMAND_CHANGES | COMMAND_FAST) && !command_may_change(ui, c->flags))
        return;
    c->run(ui, argument, key);
}

/* ---- keys ---- */

static bool next_word(const char **list, char *word, size_t size)
{
    while (**list == ' ')
        (*list)++;
    size_t len = strcspn(*list, " ");
    copy_text(word, MIN(len + 1, size), *list);
    *list += len;
    return len > 0;
}

static bool has_key(const struct command *c, int code)
{
    const char *list = c->keys;
    char word[24];
    while (next_word(&list, word, sizeof word))
        if (key_from_name(word) == code)
            return true;
    return false;
}

/* A step's own key comes before every command: F10 is the step's when the plan gives it one. */
static int step_of_key(const struct ui *ui, int code)
{
    for (int i = 0; i < ui->plan->nsteps; i++)
        if (ui->plan->steps[i].bind && ui->plan->steps[i].bind[0] && key_from_name(ui->plan->steps[i].bind) == code)
            return i;
    return -1;
}

bool command_key(struct ui *ui, const struct key *key)
{
    int64_t gap = ui->last_us ? key->at_us - ui->last_us : SCREEN_BURST_US;
    bool burst = gap >= 0 && gap < SCREEN_BURST_US;
    int step = ui->replay ? -1 : step_of_key(ui, key->code);
    ui->last_us = key->at_us;
    if (step >= 0) {
        if (burst)
            ui_say(ui, true, "keys came faster than a hand types: not taken");
        else if (command_may_change(ui, COMMAND_CHANGES))
            dialog_confirm(ui, step, MODE_RUN, key->code);
        return true;
    }
    for (int i = 0; i < ncommands; i++) {
        const struct command *c = &commands[i];
        if (!is_here(ui, c) || !has_key(c, key->code))
            continue;
        if (burst && c->flags & (COMMAND_CHANGES | COMMAND_FAST))
            ui_say(ui, true, "keys came faster than a hand types: not taken");
        else
            run(ui, c, "", key->code);
        return true;
    }
    return false;
}

const char *command_keys(const struct command *c, char *buf, size_t size)
{
    const char *list = c->keys;
    char word[24], name[24];
    size_t n = 0;
    buf[0] = '\0';
    while (next_word(&list, word, sizeof word) && n < size)
        n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? " " : "", strlen(word) == 1 ? word : key_word(key_from_name(word), name, sizeof name));
    return buf;
}

/* ---- the line of ":" ---- */

const struct command *command_find(const char *name)
{
    for (int i = 0; i < ncommands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

void command_line(struct ui *ui, const char *line)
{
    char name[40];
    if (!next_word(&line, name, sizeof name))
        return;
    while (*line == ' ')
        line++;
    const struct command *c = command_find(name);
    if (!c || !is_here(ui, c))
        ui_say(ui, true, "there is no command \"%s\" here; ? shows them all", name);
    else
        run(ui, c, line, K_ENTER);
}

struct matches {
    const char *prefix;
    char common[80], *all;
    size_t all_size, n;
};

static void match(struct matches *m, const char *word)
{
    if (strncmp(word, m->prefix, strlen(m->prefix)) != 0)
        return;
    size_t len = strlen(m->all);
    if (m->n == 0)
        copy_text(m->common, sizeof m->common, word);
    for (size_t i = 0; m->common[i]; i++)
        if (m->common[i] != word[i])
            m->common[i] = '\0';
    if (len + strlen(word) + 2 < m->all_size)
        snprintf(m->all + len, m->all_size - len, "%s%s", len ? " " : "", word);
    m->n++;
}

void command_complete(const struct ui *ui, char *line, size_t size, char *all, size_t all_size)
{
    char *blank = strchr(line, ' ');
    char name[40];
    struct matches m = {.prefix = blank ? blank + 1 : line, .all = all, .all_size = all_size};
    all[0] = '\0';
    copy_text(name, blank ? MIN((size_t)(blank - line) + 1, sizeof name) : 1, line);
    const struct command *c = blank ? command_find(name) : NULL;
    for (int i = 0; i < ncommands && !blank; i++)
        if (does_something(ui, &commands[i]))
            match(&m, commands[i].name);
    for (int i = 0; c && c->flags & COMMAND_STEP && i < ui->plan->nsteps; i++)
        match(&m, ui->plan->steps[i].key);
    for (int i = 0; c && c->flags & COMMAND_CHECK && i < ui->plan->nchecks; i++)
        match(&m, ui->plan->checks[i].key);
    if (m.n == 0)
        return;
    char whole[200];
    snprintf(whole, sizeof whole, "%.*s%s%s", (int)(m.prefix - line), line, m.common, m.n == 1 ? " " : "");
    copy_text(line, size, whole);
    if (m.n == 1)
        all[0] = '\0';
}

/* ---- footer ---- */

static const char *label_of(const struct ui *ui, const struct command *c)
{
    if (strcmp(c->name, "arm") == 0 && ui_is_armed(ui))
        return "lock";
    return strcmp(c->name, "pause") == 0 && ui->model->paused ? "continue" : c->label;
}

static int item_width(const struct ui *ui, const struct command *c, bool wide)
{
    char keys[64];
    const char *list = c->keys;
    next_word(&list, keys, sizeof keys);
    return canvas_width(keys) + 1 + canvas_width(label_of(ui, c)) + (wide ? 2 : 1);
}

static bool is_shown(const struct ui *ui, const struct command *c, int keep)
{
    return c->label[0] && c->keep > keep && does_something(ui, c);
}

static int footer_width(const struct ui *ui, int keep, bool wide)
{
    int w = 4;
    for (int i = 0; i < ncommands; i++)
        if (is_shown(ui, &commands[i], keep))
            w += item_width(ui, &commands[i], wide);
    return w;
}

/* Armed: the key of the next step comes first, with its name. */
static int draw_opening(const struct ui *ui, struct area a)
{
    int step = gate_next_step(ui->model, ui->plan);
    if (!ui_is_armed(ui) || step < 0 || ui->model->running >= 0)
        return 1;
    const struct plan_step *s = &ui->plan->steps[step];
    char key[8];
    snprintf(key, sizeof key, s->letter ? "x %c" : "x", s->letter);
    int x = area_text(a, 1, 0, ROLE_KEY, s->bind && s->bind[0] ? s->bind : key) + 1;
    x = area_text(a, x, 0, ROLE_BRIGHT, s->key) + 1;
    return area_text(a, x, 0, ROLE_BORDER, "│") + 1;
}

static void draw_keys(struct ui *ui, struct area a)
{
    bool wide = a.w >= 110, changing = true;
    int keep = 0, x = draw_opening(ui, a), first = x;
    while (keep < 100 && footer_width(ui, keep, wide) > a.w - x)
        keep++;
    for (int i = 0; i < ncommands; i++) {
        const struct command *c = &commands[i];
        char key[64];
        const char *list = c->keys;
        if (!is_shown(ui, c, keep))
            continue;
        bool changes = c->flags & (COMMAND_CHANGES | COMMAND_FAST);
        if (changing && !changes && x > first)
            x = area_text(a, x, 0, ROLE_BORDER, "│") + 1;
        changing = changes;
        bool locked = c->flags & COMMAND_CHANGES && !ui_is_armed(ui);
        next_word(&list, key, sizeof key);
        if (strlen(key) > 1)
            copy_text(key, sizeof key, key_word(key_from_name(key), (char[24]){0}, 24));
        x = area_text(a, x, 0, locked ? ROLE_KEY_LOCKED : ROLE_KEY, key) + (c->label[0] != '-');
        x = area_text(a, x, 0, locked ? ROLE_KEY_LOCKED : ROLE_DIM, label_of(ui, c)) + (wide ? 2 : 1);
    }
}

static void draw_typed(const struct ui *ui, struct area a)
{
    const struct dialog *d = &ui->dialog;
    area_text(a, 1, 0, ROLE_KEY, d->kind == DIALOG_PROMPT ? ":" : "/");
    int x = area_text(a, 2, 0, ROLE_INPUT, d->input);
    if (d->sentence[0])
        area_textw(a, x + 3, 0, a.w - x - 3, ROLE_DIM, d->sentence);
    else if (x + 40 < a.w)
        area_textr(a, a.w - 1, 0, ROLE_DIM, d->kind == DIALOG_PROMPT ? "Tab completes, Esc leaves" : "Enter keeps it, Esc clears it");
}

void command_draw_footer(struct ui *ui, struct area a)
{
    if (ui->dialog.kind == DIALOG_PROMPT || ui->dialog.kind == DIALOG_FILTER)
        draw_typed(ui, a);
    else if (ui->message[0])
        area_textw(a, 1, 0, a.w - 2, ui->message_bad ? ROLE_WARN : ROLE_BRIGHT, ui->message);
    else
        draw_keys(ui, a);
}

void command_print_keys(void)
{
    printf("| key | by name | does |\n|---|---|---|\n");
    printf("| F2 ... F12 | :run STEP | the steps of the plan, each with its own key (bind); opens its confirmation |\n");
    for (int i = 0; i < ncommands; i++) {
        char keys[80], shown[120] = "";
        command_keys(&commands[i], keys, sizeof keys);
        for (size_t k = 0, n = 0; keys[k] && n + 2 < sizeof shown; k++) { /* a bar would end the cell */
            if (keys[k] == '|')
                shown[n++] = '\\';
            shown[n++] = keys[k];
        }
        printf("| %s | :%s | %s |\n", shown, commands[i].name, commands[i].sentence);
    }
}
