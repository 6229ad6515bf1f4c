/* What the dialogs look like, but for the confirmation. */
#include <stdio.h>
#include <string.h>

#include "tui/key.h"
#include "tui/dialog.h"

static struct area box(struct area screen, int w, int h, const char *title, const char *right)
{
    w = MIN(w, screen.w);
    h = MIN(h, screen.h);
    struct area a = area_part(screen, (screen.w - w) / 2, MAX((screen.h - h) / 2, 0), w, h);
    return area_frame(a, title, right, ROLE_DIALOG_BORDER, ROLE_TITLE_FOCUS);
}

static void draw_ask(struct ui *ui, struct area screen)
{
    const struct dialog *d = &ui->dialog;
    int w = MAX(MIN(canvas_width(d->sentence) + 6, 78), 50);
    int64_t left = d->opened_at + DIALOG_DEAF_MS - ui->wall;
    char locked[40] = "";
    if (left > 0)
        snprintf(locked, sizeof locked, "locked %d.%d s", (int)(left / 1000), (int)(left / 100 % 10));
    struct area a = box(screen, w, 5, d->title, locked[0] ? locked : NULL);
    area_textw(a, 0, 0, a.w, ROLE_DIALOG, d->sentence);
    int x = area_text(a, 0, 2, ROLE_KEY, "y") + 1;
    x = area_text(a, x, 2, ROLE_DIALOG, "yes") + 3;
    x = area_text(a, x, 2, ROLE_KEY, "Esc") + 1;
    area_text(a, x, 2, ROLE_DIALOG, "no");
}

/* How many bytes of `rest` go on a line of w columns: up to the last blank that fits. */
static int break_line(const char *rest, int w)
{
    int n = (int)strlen(rest);
    if (canvas_width(rest) <= w || w <= 0)
        return n;
    char part[600];
    int cut = MIN(n, (int)sizeof part - 1);
    while (cut > 1) {
        copy_text(part, (size_t)cut + 1, rest);
        if (canvas_width(part) <= w && (rest[cut] == ' ' || cut <= w / 2))
            break;
        cut--;
    }
    while (cut > 1 && ((unsigned char)rest[cut] & 0xc0) == 0x80)
        cut--;
    return MAX(cut, 1);
}

int dialog_text(struct area a, const char *text, int offset)
{
    int lines = 0;
    while (*text) {
        size_t len = strcspn(text, "\n");
        char line[600], part[600];
        copy_text(line, MIN(len + 1, sizeof line), text);
        int indent = (int)strspn(line, " ");
        const char *rest = line;
        do {
            int x = rest == line ? 0 : indent + 2, cut = break_line(rest, a.w - x), y = lines++ - offset;
            copy_text(part, (size_t)cut + 1, rest);
            if (y >= 0 && y < a.h)
                area_text(a, x, y, ROLE_DIALOG, part);
            rest += cut;
            rest += strspn(rest, " ");
        } while (*rest);
        text += len + (text[len] == '\n');
    }
    return lines;
}

/* What is asked may take some lines; the text is typed below it. */
static int input_lines(const struct ui *ui, int w)
{
    return MIN(dialog_text((struct area){.w = MIN(78, w) - 4}, ui->dialog.sentence, 0), 4);
}

static void draw_input(struct ui *ui, struct area screen)
{
    const struct dialog *d = &ui->dialog;
    int lines = input_lines(ui, screen.w);
    struct area a = box(screen, 78, 5 + lines, d->title, NULL);
    dialog_text(area_part(a, 0, 0, -1, lines), d->sentence, 0);
    int width = canvas_width(d->input), skip = MAX(width - a.w + 3, 0);
    area_text(a, 0, lines + 1, ROLE_KEY, ">");
    area_text(area_part(a, 2, lines + 1, -1, 1), -skip, 0, ROLE_INPUT, d->input);
    area_text(a, 0, lines + 2, ROLE_DIM, "Enter sends it, Esc leaves");
}

static void draw_chooser(struct ui *ui, struct area screen)
{
    struct dialog *d = &ui->dialog;
    int lines = MAX(input_lines(ui, screen.w), 1);
    struct area a = box(screen, 78, d->nitems + 3 + lines, d->title, "Esc leaves");
    int h = MAX(a.h - 1 - lines, 1);
    dialog_text(area_part(a, 0, 0, -1, lines), d->sentence, 0);
    d->offset = MAX(0, MIN(MIN(d->offset, d->selected), d->nitems - h));
    if (d->selected >= d->offset + h)
        d->offset = d->selected - h + 1;
    for (int i = 0; i < MIN(h, d->nitems - d->offset); i++) {
        const struct dialog_item *item = &d->item[d->offset + i];
        char key[16] = "";
        int y = lines + 1 + i;
        if (item->key)
            key_word(item->key, key, sizeof key);
        area_text(a, 0, y, ROLE_KEY, key);
        area_text(a, 2, y, item->style, item->glyph);
        int right = item->right[0] ? MIN(canvas_width(item->right), a.w / 2) : 0;
        area_textw(a, 4, y, a.w - 5 - right, item->style, item->text);
        area_textw(a, a.w - right, y, right, ROLE_DIM, item->right);
        if (d->offset + i == d->selected)
            area_select(a, 0, y, a.w);
    }
}

static void draw_detail(struct ui *ui, struct area screen)
{
    struct dialog *d = &ui->dialog;
    const char *text = d->detail.text ? d->detail.text : "";
    int w = MIN(MAX(78, screen.w * 2 / 3), screen.w);
    int lines = dialog_text((struct area){.w = w - 4}, text, 0);
    struct area a = box(screen, w, lines + 2, d->title, "Esc closes");
    d->offset = MAX(0, MIN(d->offset, lines - a.h));
    dialog_text(a, text, d->offset);
}

void dialog_draw(struct ui *ui, struct area screen)
{
    switch (ui->dialog.kind) {
    case DIALOG_CONFIRM: dialog_draw_confirm(ui, screen); break;
    case DIALOG_ASK: draw_ask(ui, screen); break;
    case DIALOG_INPUT: draw_input(ui, screen); break;
    case DIALOG_CHOOSER: draw_chooser(ui, screen); break;
    case DIALOG_DETAIL: draw_detail(ui, screen); break;
    default: break; /* help is drawn by frame, the lines at the bottom belong to the footer */
    }
}

bool dialog_cursor(const struct ui *ui, int *x, int *y)
{
    const struct dialog *d = &ui->dialog;
    if (d->kind == DIALOG_PROMPT || d->kind == DIALOG_FILTER) {
        *x = 2 + canvas_width(d->input);
        *y = ui->layout.footer.y;
        return *x < ui->layout.w;
    }
    if (d->kind != DIALOG_INPUT)
        return false;
    int lines = input_lines(ui, ui->layout.w), w = MIN(78, ui->layout.w), h = MIN(5 + lines, ui->layout.h);
    *x = (ui->layout.w - w) / 2 + 4 + MIN(canvas_width(d->input), w - 7);
    *y = MAX((ui->layout.h - h) / 2, 0) + 2 + lines;
    return true;
}
