#include "tui/replay.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/journal.h"
#include "tui/cockpit.h"
#include "tui/tape.h"

enum output { AS_TEXT, AS_ANSI, AS_SVG };
struct options {
    const char *journal, *at, *theme;
    int w, h;
    enum output output;
    bool ascii;
};

struct replay {
    struct cockpit cockpit;
    struct tape tape;
    struct reel reel;
    int64_t wall; /* when past_at was last moved on */
};

/* ---- reading ---- */

struct reading_in {
    struct tape *tape;
    struct err err;
    bool failed;
};

static void take_line(void *arg, const struct event *event, const char *line, size_t len)
{
    struct reading_in *in = arg;
    (void)event;
    while (len > 0 && line[len - 1] == '\n')
        len--;
    if (!in->failed && !tape_add(in->tape, line, len, NULL, NULL, &in->err))
        in->failed = true;
}

/* What stands before a torn or broken place is shown all the same. */
static bool read_journal(const char *path, struct tape *tape)
{
    struct reading_in in = {.tape = tape};
    struct err err;
    bool ok = journal_read(path, take_line, &in, &err);
    if (!ok)
        fprintf(stderr, "cutover: %s\n", err.text);
    else if (in.failed)
        fprintf(stderr, "cutover: %s: %s\n", path, in.err.text);
    else if (!tape->plan)
        fprintf(stderr, "cutover: %s is empty: there is nothing to replay.\n", path);
    return tape->plan != NULL;
}

/* ---- one frame ---- */

struct instant {
    int64_t now, until, seq;
};

static const struct tape_line *line_of_seq(const struct tape *t, int64_t seq)
{
    for (int i = 0; i < t->count; i++)
        if (t->line[i].seq == seq)
            return &t->line[i];
    return NULL;
}

static bool parse_line_number(const char *text, const struct tape *t, struct instant *out)
{
    char *end;
    long long seq = strtoll(text + 1, &end, 10);
    const struct tape_line *l = line_of_seq(t, seq);
    if (!l || (*end && *end != '@'))
        return false;
    *out = (struct instant){.now = *end ? strtoll(end + 1, NULL, 10) : l->at, .until = TAPE_END, .seq = seq};
    return true;
}

static bool parse_instant(const char *text, const struct tape *t, struct instant *out)
{
    int h = 0, m = 0, s = 0, ms = 0;
    if (strcmp(text, "end") == 0) {
        *out = (struct instant){tape_last(t), TAPE_END, TAPE_END};
        return true;
    }
    if (text[0] == '#')
        return parse_line_number(text, t, out);
    int n = sscanf(text, "%d:%d:%d.%3d", &h, &m, &s, &ms);
    if (n < 3 || h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60)
        return false;
    int64_t day = tape_first(t) / 86400000 * 86400000, at = day + ((h * 60 + m) * 60 + s) * (int64_t)1000 + ms;
    if (at + 999 < tape_first(t))
        at += 86400000;
    *out = (struct instant){at, at, TAPE_END};
    return true;
}

static int print_frame(const struct options *o, const struct tape *t)
{
    struct instant at;
    if (!parse_instant(o->at, t, &at)) {
        fprintf(stderr, "cutover: --at takes HH:MM:SS, end, or #SEQ of a line that the journal has; not \"%s\".\n", o->at);
        return 64;
    }
    struct reel reel = {0};
    struct ui ui;
    struct canvas canvas = {0};
    struct theme theme;
    struct buf out = {0};
    struct err err;
    frame_init(&ui, NULL, NULL);
    copy_text(ui.role, sizeof ui.role, "operator");
    ui.graph = o->ascii ? GRAPH_ASCII : GRAPH_BRAILLE;
    tape_fold(t, &reel, at.until, at.seq);
    canvas_resize(&canvas, o->w, o->h);
    canvas.ascii = o->ascii;
    if (!theme_load(&theme, theme_choose(o->theme), &err))
        fprintf(stderr, "cutover: %s\n", err.text);
    frame_draw(&ui, reel.model, t->plan, at.now, &canvas);
    if (o->output == AS_TEXT)
        canvas_text(&canvas, &out);
    else if (o->output == AS_ANSI)
        canvas_ansi(&canvas, &theme, 256, &out);
    else
        canvas_svg(&canvas, &theme, &out);
    fwrite(out.text, 1, out.len, stdout);
    buf_free(&out);
    canvas_free(&canvas);
    ui_free(&ui);
    reel_free(&reel);
    return fflush(stdout) == 0 ? 0 : 1;
}

/* ---- playing ---- */

static bool is_step_event(enum event_kind k)
{
    return k == EVENT_step_began || k == EVENT_step_ended || k == EVENT_step_found || k == EVENT_step_skipped || k == EVENT_step_decided ||
           k == EVENT_writes_paused || k == EVENT_writes_resumed || k == EVENT_switch_committed || k == EVENT_switch_returned || k == EVENT_run_ended;
}

static void go_to_event(struct replay *r)
{
    struct ui *ui = &r->cockpit.ui;
    for (int i = 0; i < r->tape.count; i++)
        if (r->tape.line[i].at > ui->past_at && is_step_event(r->tape.line[i].kind)) {
            ui->past_at = r->tape.line[i].at;
            return;
        }
    ui->past_at = ui->last_at;
}

static void look(struct cockpit *c, int64_t wall)
{
    struct replay *r = c->owner;
    struct ui *ui = &c->ui;
    for (; ui->wants_event > 0; ui->wants_event--)
        go_to_event(r);
    if (ui->playing)
        ui->past_at = MIN(ui->past_at + (wall - r->wall) * ui->speed, ui->last_at);
    r->wall = wall;
    if (ui->past_at >= ui->last_at)
        ui->playing = false;
    c->lively = ui->playing;
    tape_fold(&r->tape, &r->reel, ui->past_at, TAPE_END);
    frame_look(ui, r->reel.model, r->tape.plan, ui->past_at, wall);
}

static void typed(struct cockpit *c)
{
    look(c, clock_wall());
}

static int play(const struct options *o, struct replay *r)
{
    struct err err;
    struct ui *ui = &r->cockpit.ui;
    frame_init(ui, NULL, NULL);
    ui->replay = ui->playing = true;
    ui->past_at = ui->first_at = tape_first(&r->tape);
    ui->last_at = tape_last(&r->tape);
    r->wall = clock_wall();
    r->cockpit.owner = r;
    r->cockpit.look = look;
    r->cockpit.typed = typed;
    if (!cockpit_open(&r->cockpit, &(struct cockpit_options){o->theme, o->ascii}, &err)) {
        fprintf(stderr, "cutover: %s  (--at end prints a frame without one.)\n", err.text);
        return 1;
    }
    cockpit_run(&r->cockpit);
    cockpit_close(&r->cockpit);
    reel_free(&r->reel);
    return 0;
}

/* ---- options ---- */

static bool parse_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {{"at", required_argument, NULL, 'a'},    {"screen", required_argument, NULL, 's'},
                                          {"ansi", no_argument, NULL, 'n'},        {"svg", no_argument, NULL, 'v'},
                                          {"theme", required_argument, NULL, 't'}, {"ascii", no_argument, NULL, 'c'},
                                          {NULL, 0, NULL, 0}};
    int c;
    *o = (struct options){.w = 80, .h = 24};
    optind = 0;
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
        switch (c) {
        case 'a': o->at = optarg; break;
        case 's':
            if (sscanf(optarg, "%dx%d", &o->w, &o->h) != 2 || o->w < 1 || o->h < 1)
                return false;
            break;
        case 'n': o->output = AS_ANSI; break;
        case 'v': o->output = AS_SVG; break;
        case 't': o->theme = optarg; break;
        case 'c': o->ascii = true; break;
        default: return false;
        }
    o->journal = optind + 1 == argc ? argv[optind] : NULL;
    if (!o->at && o->output != AS_TEXT)
        o->at = "end";
    return o->journal != NULL;
}

int replay_main(int argc, char **argv)
{
    struct options o;
    if (!parse_options(argc, argv, &o)) {
        fputs("cutover replay JOURNAL [--at HH:MM:SS|end|#SEQ] [--screen WxH] [--ansi|--svg] [--theme NAME] [--ascii]\n", stderr);
        return 64;
    }
    struct replay *r = xcalloc(1, sizeof *r);
    int status = 1;
    if (read_journal(o.journal, &r->tape))
        status = o.at ? print_frame(&o, &r->tape) : play(&o, r);
    tape_free(&r->tape);
    free(r);
    return status;
}
