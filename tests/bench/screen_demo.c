/* A cockpit with made-up figures, drawn with nothing but layout, canvas, table and graph: to look at themes, to measure
 * the screen, and to kill it.
 *
 *   screen_demo text|ansi|svg WxH [THEME] [ascii]   one picture on stdout
 *   screen_demo run [THEME]                         live under the guardian: 4 pictures a second; q ends,
 *                                                   s segfaults, e ends with status 3, t shows the cursor */
#include "tui/graph.h"
#include "tui/guardian.h"
#include "tui/layout.h"
#include "tui/screen.h"
#include "tui/table.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HISTORY = 512 };

static struct theme theme;
static enum graph_style how = GRAPH_BRAILLE;
static int64_t lag[HISTORY], old_lag[HISTORY], rate[HISTORY], errors[HISTORY];

/* A bell and a wave that need no libm. */
static double bell(double x, double sharp)
{
    double d = 1 + x * x * sharp / 2;
    return 1 / (d * d);
}

static double wave(double x)
{
    double turn = x / 6.2832, part = turn - (double)(int64_t)turn;
    part = part < 0 ? part + 1 : part;
    double half = part < 0.5 ? part * 2 : part * 2 - 1;
    return (part < 0.5 ? 4 : -4) * half * (1 - half);
}

static void make_history(int tick)
{
    for (int i = 0; i < HISTORY; i++) {
        double x = (i + tick - HISTORY) / 40.0;
        lag[i] = (int64_t)(8.4e6 * bell(x + 0.9, 12) + 1.3e6 * bell(x + 0.15, 60) + 9e4 * (2 + wave(x * 9)));
        old_lag[i] = (int64_t)(6.1e6 * bell(x + 0.75, 9) + 4e5);
        rate[i] = (int64_t)(600 + 300 * wave(x * 7) + 90 * wave(x * 23));
        errors[i] = (int64_t)(1800 + 900 * wave(x * 6) + (x > -0.68 && x < -0.56 ? 6500 : 0));
    }
}

static struct series history(const int64_t *v)
{
    return (struct series){v, HISTORY, 0, HISTORY};
}

static int key_hint(struct area a, int x, const char *key, const char *word, bool locked)
{
    x = area_text(a, x, 0, locked ? ROLE_KEY_LOCKED : ROLE_KEY, key);
    return area_text(a, x + 1, 0, locked ? ROLE_KEY_LOCKED : ROLE_TEXT, word) + 2;
}

static void draw_lines(struct area header, struct area gate, struct area footer)
{
    int x = area_text(header, 1, 0, ROLE_HEADER, "shop-eu PRODUCTION");
    x = area_text(header, x + 2, 0, ROLE_TEXT, "step 7/12 ");
    x = area_text(header, x, 0, ROLE_RUN, "RUNNING");
    x = area_text(header, x + 3, 0, ROLE_WARN, "paused 3.2/30 s");
    if (header.w >= 116)
        area_text(header, x + 3, 0, ROLE_DIM, "oper. ben  second ana");
    int right = area_textr(header, header.w - 1, 0, ROLE_BADGE, " REDACT ");
    right = area_textr(header, right - 1, 0, ROLE_BADGE, " REC ");
    right = area_textr(header, right - 1, 0, ROLE_TEXT, "02:14:32Z");
    if (header.w >= 116)
        area_textr(header, right - 2, 0, ROLE_DIM, "T+14:32");
    x = area_text(gate, 1, 0, ROLE_HOLD, " HOLD ");
    x = area_text(gate, x + 1, 0, ROLE_TEXT, "step 8: lag ");
    x = area_text(gate, x, 0, ROLE_BAD, "2.1 MB");
    x = area_text(gate, x, 0, ROLE_TEXT, ", needs 0 for 2 s");
    if (gate.w >= 116)
        area_text(gate, x + 3, 0, ROLE_DIM, "step 9: DNS NEW 17 of 20, needs 18");
    right = area_textr(gate, gate.w - 1, 0, ROLE_ARMED, " ARMED 0:48 ");
    right = area_textr(gate, right - 1, 0, ROLE_BADGE, " LIVE ");
    area_textr(gate, right - 2, 0, ROLE_UNDO, "undo ~2 s");
    x = key_hint(footer, 1, "x", "step", false);
    x = key_hint(footer, x, "a", "abort", false);
    x = key_hint(footer, x, "r", "roll back", true);
    x = key_hint(footer, x, "p", "pause", false);
    x = area_text(footer, x, 0, ROLE_BORDER, "│") + 1;
    static const char *const more[][2] = {{"1-6", "pane"}, {"z", "zoom"}, {"/", "find"}, {"[ ]", "past"},
                                          {"L", "live"},   {"m", "note"}, {":", "cmd"}, {"?", "help"}};
    for (size_t i = 0; i < ARRAY_LEN(more); i++)
        x = key_hint(footer, x, more[i][0], more[i][1], false);
}

static void draw_replication(struct area a)
{
    a = area_box(a, "1 replication", "live", true);
    int x = area_text(a, 0, 0, ROLE_BLUE, "blue-1");
    x = area_text(a, x, 0, ROLE_DIM, " → ");
    x = area_text(a, x, 0, ROLE_GREEN, "green-1");
    x = area_text(a, x + 2, 0, ROLE_BRIGHT, "2.1 MB");
    area_text(a, x + 2, 0, ROLE_TEXT, "0.42 s");
    int below = a.h >= 10 ? 5 : 1;
    struct graph g = {.live = history(lag), .ghost = history(old_lag), .limit = 6000000, .zero = true, .how = how, .style = ROLE_GRAPH};
    struct area plot = area_part(a, 0, 1, -1, a.h - 1 - below);
    graph_plot(plot, &g);
    area_textr(plot, plot.w, 0, ROLE_DIM, " 10 MB");
    if (below == 1) {
        area_text(a, 0, a.h - 1, ROLE_TEXT, "drain 12.7 MB/s  slot ok");
        return;
    }
    area_text(a, 0, a.h - 5, ROLE_DIM, "-3 min");
    area_textr(a, a.w, a.h - 5, ROLE_DIM, "now");
    area_text(a, 0, a.h - 4, ROLE_TEXT, "sent 5A/1F00A2C0 replay 5A/1EDFE118");
    area_text(a, 0, a.h - 3, ROLE_TEXT, "in 0 MB/s (paused)  drain 12.7 MB/s");
    area_text(a, 0, a.h - 2, ROLE_TEXT, "zero in 0:01   slot cut_eu active");
    area_text(a, 0, a.h - 1, ROLE_DIM, "tables 214/214 seq +1000 conflicts 0");
}

static const char *const resolvers[][4] = {
    {"✗ ERR", "94.140.14.14", "AdGuard", "-"},     {"○ OLD", "9.9.9.9", "Quad9", "47 s"},
    {"○ OLD", "64.6.64.6", "Verisign", "22 s"},    {"● NEW", "1.1.1.1", "Cloudflare", "41 s"},
    {"● NEW", "8.8.8.8", "Google", "55 s"},        {"● NEW", "208.67.222.222", "OpenDNS", "33 s"},
    {"● NEW", "4.2.2.1", "Level3", "12 s"},        {"● NEW", "77.88.8.8", "Yandex", "51 s"},
    {"● NEW", "185.228.168.9", "CleanBr", "44 s"}, {"● NEW", "ns1 (auth)", "zone", "60 s"},
};

static unsigned resolver_cell(void *arg, int row, int col, char *buf, size_t size)
{
    (void)arg;
    copy_text(buf, size, resolvers[row][col]);
    bool new = resolvers[row][0][2] == "●"[2], error = row == 0;
    return col == 0 ? error ? ROLE_BAD : new ? ROLE_OK : ROLE_WARN : col == 2 ? ROLE_DIM : ROLE_TEXT;
}

static void draw_dns(struct area a)
{
    a = area_box(a, a.w > 30 ? "2 dns  www.shop.example A" : "2 dns", "1s", false);
    int x = area_text(a, 0, 0, ROLE_BRIGHT, "NEW 17");
    x = area_text(a, x + 2, 0, ROLE_WARN, "OLD 2");
    x = area_text(a, x + 2, 0, ROLE_BAD, "ERR 1");
    area_textr(a, a.w, 0, ROLE_TEXT, "  TTL out 0:47");
    static const struct table_column columns[] = {{"state", 5, 9, false, false}, {"resolver", 12, 8, false, true},
                                                  {"where", 10, 2, false, false}, {"ttl", 4, 5, true, false}};
    struct table t = {columns, ARRAY_LEN(columns), ARRAY_LEN(resolvers), a.w > 50, 1, 0};
    table_draw(area_part(a, 0, 1, -1, -1), &t, resolver_cell, NULL);
}

static void draw_side(struct area a, const char *name, unsigned role, const char *figures, const int64_t *v, int64_t limit)
{
    int x = area_text(a, 0, 0, role, name);
    area_textr(area_part(a, x, 0, -1, 1), a.w - x, 0, ROLE_TEXT, figures);
    struct graph g = {.live = history(v), .full = limit ? 10000 : 0, .limit = limit, .how = how, .style = role};
    if (a.h > 2)
        graph_plot(area_part(a, 0, 1, -1, -1), &g);
    else
        graph_spark(a, 0, 1, a.w, history(v), 0, how, role & 0xff);
}

static void draw_traffic(struct area a)
{
    a = area_box(a, "3 traffic", "live", false);
    bool wide = a.w > 30;
    int each = wide ? (a.h - 3) / 2 : a.h / 2;
    draw_side(area_part(a, 0, wide ? 1 : 0, -1, each), "B blue", ROLE_BLUE, wide ? "95 %  0.02 %  41 ms  1244 " : "95% .02% 41ms", rate, 0);
    draw_side(area_part(a, 0, (wide ? 1 : 0) + each, -1, each), "G green", ROLE_GREEN, wide ? "5 %  0.05 %  44 ms    66 " : "5% .05% 44ms", errors, 5000);
    if (!wide)
        return;
    area_textr(a, a.w, 0, ROLE_HEADER, "share    5xx    p99   rps ");
    int x = area_text(a, 0, a.h - 2, ROLE_TEXT, "share  ");
    x = area_text(a, x, a.h - 2, ROLE_BLUE, "B ");
    graph_bar(a, x, a.h - 2, a.w - x - 2, 947000, how, ROLE_BLUE, ROLE_GREEN);
    area_textr(a, a.w, a.h - 2, ROLE_GREEN, " G");
    area_text(a, 0, a.h - 1, ROLE_DIM, "probe /healthz  B 200 9ms  G 200 9ms");
}

static const char *const steps[][4] = {
    {"✓", "1", "snapshot + backup check", "0:09"},      {"✓", "2", "freeze DDL on blue", "0:01"},
    {"✓", "3", "lower DNS TTL to 60 s", "0:02"},        {"✓", "4", "point DNS at the new edge", "0:01"},
    {"✓", "5", "canary: 5 % of reads to green", "3:00"}, {"✓", "6", "drain writers (pgbouncer PAUSE)", "0:02"},
    {"▶", "7", "wait until lag = 0", "0:03"},           {"·", "8", "promote green", "~0:02"},
    {"·", "9", "shift traffic blue 95 → 0 %", "~0:01"}, {"·", "10", "RESUME writers on green", "~0:01"},
    {"·", "11", "verify + soak", "~10:00"},             {"·", "12", "retire blue (keep 24 h)", "~0:10"},
};

static unsigned step_cell(void *arg, int row, int col, char *buf, size_t size)
{
    (void)arg;
    copy_text(buf, size, steps[row][col]);
    return row == 6 ? ROLE_RUN : row > 6 ? col == 2 ? ROLE_TEXT : ROLE_DIM : col == 0 ? ROLE_OK : ROLE_DIM;
}

static void draw_steps(struct area a)
{
    a = area_box(a, "5 steps", a.w > 60 ? "7/12  est. end 02:25" : "7/12", false);
    static const struct table_column columns[] = {{"", 1, 9, false, false}, {"", 2, 8, true, false}, {"", 10, 9, false, true}, {"", 6, 5, true, false}};
    struct table t = {columns, ARRAY_LEN(columns), ARRAY_LEN(steps), false, 6, a.h < 12 ? 4 : 0};
    table_draw(a, &t, step_cell, NULL);
}

static const char *const checks[][3] = {
    {"✓", "backup younger than 1 h", "02:01:10"}, {"✓", "slot cut_eu active", "0.4 s"},
    {"✗", "lag = 0 for 2 s", "2.1 MB"},           {"✓", "no open tx on blue", "0.4 s"},
    {"!", "DNS NEW on >= 18 of 20", "17"},        {"✓", "green 5xx below 0.5 %", "0.05 %"},
    {"✓", "sequences ahead", "+1000"},            {"?", "cron on blue stopped", "by hand"},
    {"✓", "second present", "ana"},               {"✓", "rollback rehearsed", "3x"},
};

static unsigned check_cell(void *arg, int row, int col, char *buf, size_t size)
{
    (void)arg;
    copy_text(buf, size, checks[row][col]);
    char mark = checks[row][0][0];
    return row == 2 ? ROLE_BAD : mark == '!' ? ROLE_WARN : mark == '?' ? ROLE_UNKNOWN : col == 2 ? ROLE_DIM : ROLE_OK;
}

static void draw_checks(struct area a)
{
    a = area_box(a, "4 checks", "7/10", false);
    static const struct table_column columns[] = {{"", 1, 9, false, false}, {"", 10, 8, false, true}, {"", 8, 5, true, false}};
    struct table t = {columns, ARRAY_LEN(columns), ARRAY_LEN(checks), false, -1, 0};
    table_draw(a, &t, check_cell, NULL);
}

static const char *const events[][4] = {
    {"02:14:32.204", "WARN", "dns", "9.9.9.9 still answers 198.51.100.4, ttl 47"},
    {"02:14:31.918", "INFO", "repl", "lag 2.1 MB (0.42 s), draining 12.7 MB/s"},
    {"02:14:29.300", "RUN", "step7", "wait until lag = 0, give up after 0:30"},
    {"02:14:29.021", "OK", "step6", "paused: 0 active, 41 clients wait (rehearsal 38)"},
    {"02:14:27.100", "RUN", "step6", "PAUSE shop on pgb-1, pgb-2"},
    {"02:14:26.850", "OK", "step6", "confirmed by ben (typed: drain), second: ana"},
    {"02:14:26.011", "GATE", "step6", "HOLD → GO: 6 of 6 gates held 10 s"},
};

static unsigned event_cell(void *arg, int row, int col, char *buf, size_t size)
{
    (void)arg;
    copy_text(buf, size, events[row][col]);
    return col == 0 ? ROLE_LOG_TIME : col == 1 && row == 0 ? ROLE_WARN : col == 1 && row == 2 ? ROLE_RUN : col == 2 ? ROLE_DIM : ROLE_TEXT;
}

static void draw_log(struct area a)
{
    a = area_box(a, "6 log", "all  /filter", false);
    static const struct table_column columns[] = {{"", 12, 3, false, false}, {"", 4, 8, false, false}, {"", 6, 2, false, false}, {"", 20, 9, false, true}};
    struct table t = {columns, ARRAY_LEN(columns), ARRAY_LEN(events), false, -1, 0};
    table_draw(a, &t, event_cell, NULL);
}

static struct area at(struct canvas *c, struct rect r)
{
    return area_part(canvas_area(c), r.x, r.y, r.w, r.h);
}

static void draw_all(struct canvas *c, struct layout *l, int zoomed)
{
    static void (*const panes[])(struct area) = {NULL, draw_replication, draw_dns, draw_traffic, draw_checks, draw_steps, draw_log};
    canvas_clear(c);
    layout_compute(c->w, c->h, LAYOUT_ALL & ~LAYOUT_BIT(7), zoomed, l, l);
    draw_lines(at(c, l->header), at(c, l->gate), at(c, l->footer));
    for (int p = 1; p <= 6; p++)
        if (l->folded[p])
            area_printf(at(c, l->pane[p]), 0, 0, ROLE_TITLE, " %d folded", p);
        else
            panes[p](at(c, l->pane[p]));
}

/* ---- live ---- */

static volatile sig_atomic_t resized, stopped, continued, interrupted;

static void note_signal(int sig)
{
    resized |= sig == SIGWINCH;
    stopped |= sig == SIGTSTP;
    continued |= sig == SIGCONT;
    interrupted |= sig == SIGINT;
}

static bool take_keys(bool *cursor, int *zoomed)
{
    struct key k;
    while (screen_key(&k)) {
        if (k.code == 'q')
            return false;
        if (k.code == 'e')
            exit(3);
        if (k.code == 's')
            raise(SIGSEGV);
        if (k.code == 't')
            *cursor = !*cursor;
        if (k.code >= '0' && k.code <= '6')
            *zoomed = k.code == '0' + *zoomed ? 0 : k.code - '0';
        if (k.code == K_CTRL('L'))
            screen_repaint();
    }
    return !screen_gone();
}

static void take_signals(struct canvas *c)
{
    if (stopped)
        screen_suspend();
    if (continued)
        screen_continued();
    stopped = continued = 0;
    resized = 0;
    screen_resized();
    int w, h;
    screen_size(&w, &h);
    if (w != c->w || h != c->h)
        canvas_resize(c, w, h);
}

static int run(void *arg)
{
    (void)arg;
    struct err err;
    struct canvas c = {0};
    struct layout l = {0};
    bool cursor = false;
    int zoomed = 0;
    static const int signals[] = {SIGWINCH, SIGTSTP, SIGCONT, SIGINT};
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        sigaction(signals[i], &(struct sigaction){.sa_handler = note_signal}, NULL);
    if (!screen_open(&(struct screen_options){0}, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    die_hook(screen_close);
    screen_title("cutover demo");
    c.ascii = screen_ascii();
    int64_t next = clock_mono();
    for (int tick = 0; !interrupted && take_keys(&cursor, &zoomed); ) {
        take_signals(&c);
        if (clock_mono() >= next) {
            next += 250;
            tick++;
        }
        make_history(tick);
        draw_all(&c, &l, zoomed);
        screen_cursor(cursor ? 3 : -1, 2);
        if (!screen_draw(&c, &theme))
            break;
        int wait = (int)MAX(next - clock_mono(), 1), held = screen_key_timeout();
        struct pollfd p = {.fd = screen_fd(), .events = (short)(POLLIN | (screen_wants_write() ? POLLOUT : 0))};
        if (poll(&p, 1, held >= 0 ? MIN(held, wait) : wait) > 0 && p.revents & (POLLHUP | POLLERR))
            break;
        screen_flush();
    }
    screen_close();
    struct screen_cost cost = screen_cost();
    printf("frames %lld dropped %lld writes %lld bytes %lld\n", (long long)cost.frames, (long long)cost.dropped,
           (long long)cost.writes, (long long)cost.bytes);
    canvas_free(&c);
    return 0;
}

static int show(int argc, char **argv)
{
    struct canvas c = {0};
    struct layout l = {0};
    struct buf out = {0};
    int w = 120, h = 40;
    if (argc > 2 && sscanf(argv[2], "%dx%d", &w, &h) != 2)
        return 2;
    canvas_resize(&c, w, h);
    c.ascii = argc > 4 && strcmp(argv[4], "ascii") == 0;
    make_history(0);
    draw_all(&c, &l, 0);
    if (strcmp(argv[1], "svg") == 0)
        canvas_svg(&c, &theme, &out);
    else if (strcmp(argv[1], "ansi") == 0)
        canvas_ansi(&c, &theme, 256, &out);
    else
        canvas_text(&c, &out);
    fwrite(out.text, 1, out.len, stdout);
    buf_free(&out);
    canvas_free(&c);
    return 0;
}

int main(int argc, char **argv)
{
    struct err err;
    setlocale(LC_ALL, "");
    bool live = argc < 2 || strcmp(argv[1], "run") == 0;
    const char *name = live ? argc > 2 ? argv[2] : NULL : argc > 3 ? argv[3] : NULL;
    if (!theme_load(&theme, theme_choose(name), &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    make_history(0);
    return live ? guardian_run(run, NULL) : show(argc, argv);
}
