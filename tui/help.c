#include "tui/help.h"

#include <stdio.h>
#include <string.h>

#include "tui/command.h"

struct column {
    struct area a;
    int y, offset, w;
    const char *search;
};

static void put(struct column *c, unsigned key_style, const char *keys, const char *sentence)
{
    if (*c->search && !strcasestr(keys, c->search) && !strcasestr(sentence, c->search))
        return;
    int y = c->y++ - c->offset, key_w = 12;
    if (y < 0 || y >= c->a.h)
        return;
    area_textw(c->a, 0, y, key_w - 1, key_style, keys);
    area_textw(c->a, key_w, y, c->a.w - key_w, ROLE_DIALOG, sentence);
}

static void head(struct column *c, const char *text)
{
    int y = c->y - c->offset + (c->y > 0);
    if (*c->search)
        return;
    if (y >= 0 && y < c->a.h)
        area_textw(c->a, 0, y, c->a.w, ROLE_HEADER, text);
    c->y += 1 + (c->y > 0);
}

static void put_commands(struct column *c, const struct ui *ui, bool changing)
{
    for (int i = 0; i < ncommands; i++) {
        const struct command *k = &commands[i];
        bool changes = k->flags & (COMMAND_CHANGES | COMMAND_FAST) || strcmp(k->name, "arm") == 0;
        char keys[64];
        if (changes != changing || (ui->replay ? changes : (k->flags & COMMAND_REPLAY) != 0))
            continue;
        command_keys(k, keys, sizeof keys);
        char *second = strchr(keys, ' ');
        if (strlen(keys) > 10 && second)
            *second = '\0';
        if (strcmp(k->name, "move") == 0)
            copy_text(keys, sizeof keys, "j k g G");
        if (strcmp(k->name, "focus") == 0)
            copy_text(keys, sizeof keys, "1 ... 7");
        if (strcmp(k->name, "history") == 0)
            copy_text(keys, sizeof keys, "[ ]");
        if (!keys[0])
            snprintf(keys, sizeof keys, ":%s", k->name);
        put(c, ROLE_KEY, keys, k->sentence);
    }
}

static void put_steps(struct column *c, const struct ui *ui)
{
    for (int i = 0; i < ui->plan->nsteps; i++) {
        const struct plan_step *s = &ui->plan->steps[i];
        char keys[32];
        snprintf(keys, sizeof keys, "%-4s x %c", s->bind && s->bind[0] ? s->bind : "", s->letter ? s->letter : '-');
        put(c, ROLE_KEY, keys, s->title);
    }
}

static void put_glyphs(struct column *c)
{
    put(c, ROLE_TEXT, "✓ ✗ ?", "holds, does not, not known or too old");
    put(c, ROLE_TEXT, "▶ · !", "runs, to come, near a limit");
    put(c, ROLE_TEXT, "● ○ ◐", "new answer, old answer, both");
    put(c, ROLE_TEXT, "B G", "blue: production now; green: where it goes");
}

static void put_safe(struct column *c, const struct ui *ui)
{
    head(c, "ALWAYS SAFE");
    put_commands(c, ui, false);
}

static void put_changing(struct column *c, const struct ui *ui)
{
    if (!ui->replay) {
        head(c, "CHANGES THE RUN: armed, then confirmed");
        put_commands(c, ui, true);
        head(c, "STEPS OF THIS PLAN: each opens its confirmation");
        put_steps(c, ui);
    }
    head(c, "GLYPHS");
    put_glyphs(c);
}

void help_draw(struct ui *ui, struct area screen)
{
    struct dialog *d = &ui->dialog;
    char title[120];
    int w = MIN(screen.w, 120), h = MIN(screen.h, 36);
    snprintf(title, sizeof title, d->input[0] ? "help  search: %s" : "help  type to search, arrows scroll, Esc closes%s", d->input);
    struct area a = area_frame(area_part(screen, (screen.w - w) / 2, (screen.h - h) / 2, w, h), title, "man cutover", ROLE_DIALOG_BORDER, ROLE_TITLE_FOCUS);
    bool two = a.w >= 96 && !d->input[0];
    struct column left = {.a = two ? area_part(a, 0, 0, a.w / 2 - 1, -1) : a, .offset = d->offset, .search = d->input};
    put_changing(&left, ui);
    int lines = left.y;
    if (two) {
        struct column right = {.a = area_part(a, a.w / 2 + 1, 0, -1, -1), .offset = d->offset, .search = d->input};
        put_safe(&right, ui);
        lines = MAX(lines, right.y);
    } else {
        put_safe(&left, ui);
        lines = left.y;
    }
    d->offset = MAX(0, MIN(d->offset, lines - a.h));
    if (lines - d->offset > a.h)
        area_textr(a, a.w, a.h - 1, ROLE_KEY, " ↓ more");
}
