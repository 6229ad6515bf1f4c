/* cutover: a cockpit that moves a live production stack from blue to green.
 *
 * The map of the house:
 *
 *   core/   knows no screen.     plan -> sources -> event -> cutover_record -> journal, model, wire
 *           base text digest format | event plan model metric gate | journal wire task pg dns http child sock
 *           source/ what watches    step/ what acts    check/ what proves    cutover the engine    serve its process
 *           spf an evaluator, spfask asks for it    spftell and dnssnap: commands that need no engine
 *   tui/    draws (model, plan, now) -> canvas -> screen, and sends orders up the wire. Knows no server.
 *           canvas theme layout table graph | pane_* | ui dialog command help frame | screen guardian | cockpit attach replay
 *   themes/ colours as data       tests/ unit, world (real servers), lab, e2e      screenshots/ pictures made by the program
 *
 * Processes: `cutover PLAN` starts the engine (its own session, no terminal) and a screen under a guardian; the engine starts
 * a watchdog during the switch. This file only finds out what was asked and calls it. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/check/check.h"
#include "core/dnssnap.h"
#include "core/place.h"
#include "core/plan_metrics.h"
#include "core/report.h"
#include "core/retell.h"
#include "core/serve.h"
#include "core/spftell.h"
#include "core/status.h"
#include "core/step/step.h"
#include "core/version.h"
#include "core/watchdog.h"
#include "tui/attach.h"
#include "tui/command.h"
#include "tui/guardian.h"
#include "tui/replay.h"

struct options {
    const char *state; /* --state DIR */
    const char *theme;
    bool yes, example, ascii, read_only;
    int ready_fd;
};

static int usage(FILE *out)
{
    fputs("cutover " CUTOVER_VERSION ": moves a live production stack from blue to green\n\n"
          "  cutover PLAN                 starts the engine of the run, or finds it, and opens the cockpit on it\n"
          "  cutover attach [PLAN|NAME]   a further screen for a running cutover\n"
          "  cutover run PLAN [--yes]     the engine without a screen; --yes confirms every step by itself\n"
          "  cutover check PLAN           looks at everything once: 0 go, 1 no-go, 2 could not look\n"
          "  cutover status [PLAN|NAME]   the state of a run as JSON\n"
          "  cutover report JOURNAL       the Markdown record of a run\n"
          "  cutover replay JOURNAL [--at TIME|end] [--screen WxH] [--ansi|--svg]\n"
          "  cutover spf ADDRESS DOMAIN [--helo NAME] [--sender LOCAL@DOMAIN] [--server ADDRESS[:PORT]]\n"
          "                               may the address send mail for the domain? The verdict of SPF, explained\n"
          "  cutover dns snapshot PLAN    every record of the plan's names as text, for a repository\n"
          "  cutover dns diff OLD NEW     what changed between two snapshots: 0 the same, 1 differs, 2 could not read\n"
          "  cutover plan --example       a complete, commented plan\n"
          "  cutover help [keys|steps|checks|metrics|events]\n\n"
          "  --state DIR     where journals and sockets live (default $XDG_STATE_HOME/cutover)\n"
          "  --theme NAME    colours       --ascii      no characters beyond ASCII\n"
          "  --read-only     a screen that only watches\n"
          "  --version       -h, --help\n", out);
    return out == stdout ? 0 : 64;
}

static int complain(const char *fmt, const char *what)
{
    fputs("cutover: ", stderr);
    fprintf(stderr, fmt, what);
    fputs("\nSee cutover --help.\n", stderr);
    return 64;
}

/* ---- which run is meant ---- */

static bool exists(const char *path)
{
    return access(path, R_OK) == 0;
}

static void print_problems(const struct plan_problems *problems)
{
    enum { MOST = 50 }; /* a file that is no plan at all has a mistake in every line */
    for (int i = 0; i < MIN(problems->count, MOST); i++)
        fprintf(stderr, "%s\n", problems->lines[i]);
    if (problems->count > MOST)
        fprintf(stderr, "... and %d more.\n", problems->count - MOST);
}

/* A plan's file, a run's name, or nothing when there is only one run: -> the run's name. */
static bool run_name(const char *given, const char *dir, char *name, size_t size, struct err *err)
{
    if (!given)
        return place_only(dir, name, size, err);
    if (!exists(given)) {
        copy_text(name, size, given);
        return true;
    }
    struct plan_problems problems = {0};
    struct plan *plan = plan_load(given, &problems);
    if (plan)
        copy_text(name, size, plan->name);
    else
        err_set(err, "%s", problems.count ? problems.lines[0] : "the plan does not load");
    bool ok = plan != NULL;
    plan_problems_free(&problems);
    plan_free(plan);
    return ok;
}

/* ---- the screen ---- */

struct screen_order {
    char socket[600];
    struct attach_options options;
};

static int screen_main(void *arg)
{
    struct screen_order *o = arg;
    return attach_main(o->socket, &o->options);
}

/* Whoever leaves a screen may wonder what becomes of the run. */
static void say_farewell(const struct options *o, const char *dir, const char *name, const char *socket, bool over)
{
    char journal[640];
    place_of(dir, name, ".jsonl", journal, sizeof journal);
    if (over)
        printf("The run \"%s\" is over. Its report: cutover report %s\n", name, journal);
    else if (place_is_answered(socket))
        printf("The run \"%s\" goes on without this screen. To see it again: cutover attach \"%s\"%s%s\n", name, name, o->state ? " --state " : "", o->state ? o->state : "");
    else
        printf("No engine runs for \"%s\": nothing is watched. To go on: cutover PLAN. So far: cutover report %s\n", name, journal);
}

static int open_screen(const struct options *o, const char *dir, const char *name)
{
    struct screen_order order = {.options = {.theme = o->theme, .ascii = o->ascii, .observer = o->read_only, .frames_path = getenv("CUTOVER_FRAMES")}};
    place_of(dir, name, ".sock", order.socket, sizeof order.socket);
    int status = guardian_run(screen_main, &order);
    say_farewell(o, dir, name, order.socket, status == ATTACH_RUN_OVER);
    return status == ATTACH_RUN_OVER ? 0 : status;
}

/* ---- the engine as a process of its own: new session, no terminal, its words in NAME.d/engine.log ---- */

static void become_engine(const char *plan_path, const char *dir, const char *log_path, int ready_fd)
{
    char fd_text[16];
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    setsid();
    dup2(null, 0);
    dup2(log >= 0 ? log : null, 1);
    dup2(log >= 0 ? log : null, 2);
    snprintf(fd_text, sizeof fd_text, "%d", ready_fd);
    execl("/proc/self/exe", "cutover", "engine", plan_path, "--state", dir, "--ready-fd", fd_text, (char *)NULL);
    _exit(127);
}

/* Reads the engine's one word. True: it runs (or ran already). */
static bool await_engine(int fd, const char *log_path, struct err *err)
{
    char text[1024];
    size_t len = 0;
    ssize_t n;
    while (len < sizeof text - 1 && (n = read(fd, text + len, sizeof text - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = '\0';
    if (strcmp(text, "ready") == 0)
        return true;
    if (len)
        return err_set(err, "%s", text);
    return err_set(err, "the engine ended before it was ready; its last words are in %s", log_path);
}

static bool start_engine(const char *plan_path, const char *dir, const char *name, struct err *err)
{
    char log_path[640];
    int pipe_fd[2];
    place_of(dir, name, ".log", log_path, sizeof log_path);
    if (pipe(pipe_fd) != 0)
        return err_set(err, "can't make a pipe for the engine: %s", strerror(errno));
    fcntl(pipe_fd[0], F_SETFD, FD_CLOEXEC);
    pid_t first = fork();
    if (first == 0) {
        pid_t second = fork(); /* so that the engine is nobody's child and leaves no zombie */
        if (second == 0)
            become_engine(plan_path, dir, log_path, pipe_fd[1]);
        _exit(second < 0);
    }
    close(pipe_fd[1]);
    if (first > 0)
        waitpid(first, NULL, 0);
    bool ok = first > 0 && await_engine(pipe_fd[0], log_path, err);
    close(pipe_fd[0]);
    return ok;
}

/* ---- subcommands ---- */

static int open_cockpit(const char *plan_path, const struct options *o)
{
    char dir[512], name[128], socket[640];
    struct err err;
    if (!place_state_dir(o->state, dir, sizeof dir, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    struct plan_problems problems = {0};
    struct plan *plan = plan_metrics_load(plan_path, &problems);
    print_problems(&problems);
    plan_problems_free(&problems);
    if (!plan)
        return 2;
    copy_text(name, sizeof name, plan->name);
    plan_free(plan);
    place_of(dir, name, ".sock", socket, sizeof socket);
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        fputs("The cockpit needs a terminal; nothing was started. Without one: cutover run PLAN.\n", stderr);
        return 2;
    }
    if (!place_is_answered(socket) && !start_engine(plan_path, dir, name, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    return open_screen(o, dir, name);
}

static int do_attach(int argc, char **argv, const struct options *o)
{
    char dir[512], name[128], socket[640];
    struct err err;
    if (!place_state_dir(o->state, dir, sizeof dir, &err) || !run_name(argc > 0 ? argv[0] : NULL, dir, name, sizeof name, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    place_of(dir, name, ".sock", socket, sizeof socket);
    if (!place_is_answered(socket)) {
        fprintf(stderr, "No engine answers for \"%s\" (%s). Start it with: cutover PLAN\n", name, socket);
        return 2;
    }
    return open_screen(o, dir, name);
}

static int do_run(int argc, char **argv, const struct options *o)
{
    if (argc != 1)
        return complain("run needs one plan%s", "");
    return serve_run(&(struct cutover_options){.plan_path = argv[0], .state_dir = o->state, .unattended = o->yes}, -1, true);
}

static int do_engine(int argc, char **argv, const struct options *o)
{
    if (argc != 1)
        return complain("engine needs one plan%s", "");
    return serve_run(&(struct cutover_options){.plan_path = argv[0], .state_dir = o->state}, o->ready_fd, false);
}

static int do_check(int argc, char **argv, const struct options *o)
{
    return argc == 1 ? serve_check(argv[0], o->state) : complain("check needs one plan%s", "");
}

static int do_status(int argc, char **argv, const struct options *o)
{
    char dir[512], name[128], path[640];
    struct err err;
    if (argc > 0 && strstr(argv[0], ".jsonl"))
        return status_print(argv[0]);
    if (!place_state_dir(o->state, dir, sizeof dir, &err) || !run_name(argc > 0 ? argv[0] : NULL, dir, name, sizeof name, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    place_of(dir, name, ".jsonl", path, sizeof path);
    return status_print(path);
}

static int do_report(int argc, char **argv, const struct options *o)
{
    struct buf out = {0};
    struct err err;
    (void)o;
    if (argc != 1)
        return complain("report needs one journal%s", "");
    bool ok = report_write(argv[0], &out, &err);
    if (ok)
        fputs(out.text, stdout);
    else
        fprintf(stderr, "%s\n", err.text);
    buf_free(&out);
    return ok ? 0 : 2;
}

static int do_plan(int argc, char **argv, const struct options *o)
{
    (void)argc, (void)argv;
    if (!o->example)
        return complain("plan prints a complete plan with --example%s", "");
    fputs(plan_example, stdout);
    return 0;
}

static void print_steps(void)
{
#define ROW(name, undo, options, help) printf("%-14s %s%s%s%s\n", name, help, undo ? "; can be undone" : "", *options ? "; options: " : "", options);
    PLAN_STEP_KINDS(ROW)
#undef ROW
}

static void print_checks(void)
{
#define ROW(name, options, help) printf("%-10s %s%s%s\n", name, help, *options ? "; options: " : "", options);
    PLAN_CHECK_KINDS(ROW)
#undef ROW
}

static void print_metrics(void)
{
    for (int i = 0; i < nmetrics; i++)
        printf("%-24s %s%s%s%s\n", metrics[i].name, metrics[i].help, *metrics[i].argument ? " (of one " : "", metrics[i].argument, *metrics[i].argument ? ", or all)" : "");
}

static int do_help(int argc, char **argv, const struct options *o)
{
    static const struct {
        const char *topic;
        void (*print)(void);
    } topics[] = {{"keys", command_print_keys}, {"steps", print_steps}, {"checks", print_checks}, {"metrics", print_metrics}, {"events", event_print_list}};
    (void)o;
    if (argc == 0)
        return usage(stdout);
    for (size_t i = 0; i < ARRAY_LEN(topics); i++)
        if (strcmp(argv[0], topics[i].topic) == 0) {
            topics[i].print();
            return 0;
        }
    return complain("there is no help on \"%s\"", argv[0]);
}

/* ---- the door ---- */

enum { OPT_STATE = 256, OPT_THEME, OPT_YES, OPT_EXAMPLE, OPT_ASCII, OPT_READ_ONLY, OPT_READY_FD, OPT_VERSION };

static const struct option longopts[] = {
    {"state", required_argument, NULL, OPT_STATE}, {"theme", required_argument, NULL, OPT_THEME}, {"yes", no_argument, NULL, OPT_YES},
    {"example", no_argument, NULL, OPT_EXAMPLE}, {"ascii", no_argument, NULL, OPT_ASCII}, {"read-only", no_argument, NULL, OPT_READ_ONLY},
    {"ready-fd", required_argument, NULL, OPT_READY_FD}, {"version", no_argument, NULL, OPT_VERSION}, {"help", no_argument, NULL, 'h'}, {0},
};

static bool take_option(int opt, struct options *o)
{
    switch (opt) {
    case OPT_STATE:
        o->state = optarg;
        break;
    case OPT_THEME:
        o->theme = optarg;
        break;
    case OPT_YES:
        o->yes = true;
        break;
    case OPT_EXAMPLE:
        o->example = true;
        break;
    case OPT_ASCII:
        o->ascii = true;
        break;
    case OPT_READ_ONLY:
        o->read_only = true;
        break;
    case OPT_READY_FD:
        o->ready_fd = atoi(optarg);
        break;
    default:
        return false;
    }
    return true;
}

static const struct {
    const char *name;
    int (*run)(int argc, char **argv, const struct options *o);
} subcommands[] = {
    {"attach", do_attach}, {"run", do_run}, {"engine", do_engine}, {"check", do_check}, {"status", do_status}, {"report", do_report},
    {"plan", do_plan}, {"help", do_help},
};

static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
} with_own_options[] = {{"watchdog", watchdog_main}, {"replay", replay_main}, {"spf", spftell_main}, {"dns", dnssnap_main}};

int main(int argc, char **argv)
{
    struct options o = {.ready_fd = -1};
    setlocale(LC_ALL, "");
    for (size_t i = 0; argc > 1 && i < ARRAY_LEN(with_own_options); i++)
        if (strcmp(argv[1], with_own_options[i].name) == 0)
            return with_own_options[i].main(argc - 1, argv + 1);
    for (int opt; (opt = getopt_long(argc, argv, "h", longopts, NULL)) != -1;) {
        if (opt == 'h')
            return usage(stdout);
        if (opt == OPT_VERSION) {
            puts("cutover " CUTOVER_VERSION);
            return 0;
        }
        if (!take_option(opt, &o))
            return usage(stderr);
    }
    if (optind == argc)
        return usage(stderr);
    for (size_t i = 0; i < ARRAY_LEN(subcommands); i++)
        if (strcmp(argv[optind], subcommands[i].name) == 0)
            return subcommands[i].run(argc - optind - 1, argv + optind + 1, &o);
    if (optind + 1 != argc || !exists(argv[optind]))
        return complain("there is no plan file and no command \"%s\"", argv[optind]);
    return open_cockpit(argv[optind], &o);
}
