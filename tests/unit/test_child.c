#include "async.h"

#include "core/child.h"

static struct owner o;

static int open_loop(void **state)
{
    (void)state;
    owner_open(&o);
    return 0;
}

static int close_loop(void **state)
{
    (void)state;
    owner_close(&o);
    return 0;
}

static bool is_done(const void *c)
{
    return !child_busy(c);
}

static struct child *shell(const char *script, int64_t timeout_ms)
{
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    const char *env[] = {"GREETING=hello", "HOME=/nowhere", NULL};
    struct child *c = child_new(&o.task);
    child_start(c, &(struct child_opts){.argv = argv, .env = env, .timeout_ms = timeout_ms, .grace_ms = 200});
    return c;
}

static void lines_and_status(void **state)
{
    (void)state;
    struct child *c = shell("echo \"$GREETING $HOME\"; printf '\\033[31mred\\n' >&2; printf 'no newline'; exit 3", 5000);
    assert_true(turn_until(&o, is_done, c, 5000));
    struct child_line l;
    int seen = 0;
    while (child_read(c, &l)) {
        if (l.is_err)
            assert_string_equal(l.text, "\\x1b[31mred");
        else
            assert_string_equal(l.text, strstr(l.text, "hello") ? "hello /nowhere" : "no newline");
        seen++;
    }
    assert_int_equal(seen, 3);
    assert_true(o.wakes > 0);
    assert_true(child_failed(c));
    assert_int_equal(child_exit_status(c), 3);
    assert_string_equal(child_error(c), "/bin/sh ended with status 3: \\x1b[31mred");
    assert_string_equal(child_output(c, NULL), "hello /nowhere\nno newline");
    assert_true(child_elapsed_us(c) > 0);
    child_free(c);
}

static void success_says_nothing_and_can_be_repeated(void **state)
{
    (void)state;
    const char *argv[] = {"true", NULL};
    struct child *c = child_new(&o.task);
    for (int i = 0; i < 3; i++) {
        child_start(c, &(struct child_opts){.argv = argv, .timeout_ms = 5000});
        assert_true(turn_until(&o, is_done, c, 5000));
        assert_false(child_failed(c));
        assert_string_equal(child_error(c), "");
        assert_int_equal(child_exit_status(c), 0);
    }
    child_free(c);
}

static void what_cannot_start(void **state)
{
    (void)state;
    const char *argv[] = {"/no/such/program", NULL};
    struct child *c = child_new(&o.task);
    child_start(c, &(struct child_opts){.argv = argv, .timeout_ms = 5000});
    assert_true(turn_until(&o, is_done, c, 5000));
    assert_true(child_failed(c));
    assert_non_null(strstr(child_error(c), "no such file"));
    child_free(c);
}

/* The shell and its child both ignore TERM: KILL must reach the whole group. */
static void time_out_kills_the_group(void **state)
{
    (void)state;
    struct child *c = shell("trap '' TERM; sh -c 'trap \"\" TERM; echo $$; sleep 100' & wait; sleep 100", 300);
    int64_t start = clock_mono();
    assert_true(turn_until(&o, is_done, c, 5000));
    assert_true(clock_mono() - start < 2500);
    assert_true(child_timed_out(c) && child_failed(c));
    assert_non_null(strstr(child_error(c), "did not end within 0.3 s"));
    assert_int_equal(child_signal(c), SIGKILL);
    struct child_line l;
    assert_true(child_read(c, &l));
    int pid = atoi(l.text);
    assert_true(pid > 1);
    int64_t end = clock_mono() + 2000;
    while (kill(pid, 0) == 0 && clock_mono() < end) { /* until init has reaped it, or it is a zombie there */
        char path[64], text[256] = "";
        snprintf(path, sizeof path, "/proc/%d/stat", pid);
        FILE *f = fopen(path, "r");
        if (f && fgets(text, sizeof text, f) && strstr(text, ") Z"))
            end = 0;
        if (f)
            fclose(f);
    }
    assert_true(end == 0 || kill(pid, 0) < 0);
    child_free(c);
}

/* A daemon that keeps the pipes open must not keep us, and is not killed after a good end. */
static void a_daemon_left_behind(void **state)
{
    (void)state;
    struct child *c = shell("sleep 30 & echo $!", 5000);
    int64_t start = clock_mono();
    assert_true(turn_until(&o, is_done, c, 5000));
    assert_true(clock_mono() - start < 2000);
    assert_false(child_failed(c));
    int pid = atoi(child_output(c, NULL));
    assert_int_equal(kill(pid, 0), 0);
    kill(pid, SIGKILL);
    child_free(c);
}

static void endless_output_is_bounded(void **state)
{
    (void)state;
    struct child *c = shell("yes 'a line that goes on' | head -c 3000000", 10000);
    assert_true(turn_until(&o, is_done, c, 10000));
    size_t len;
    child_output(c, &len);
    assert_int_equal(len, 65536);
    assert_true(child_lines_lost(c) > 1000);
    child_free(c);
}

static void no_terminal_and_no_input(void **state)
{
    (void)state;
    struct child *c = shell("cat; test -t 0 || test -t 1 || test -t 2 || echo none; : </dev/tty", 5000);
    assert_true(turn_until(&o, is_done, c, 5000));
    assert_string_equal(child_output(c, NULL), "none\n");
    assert_true(child_failed(c));
    child_free(c);
}

static void freed_or_killed_in_the_middle(void **state)
{
    (void)state;
    child_free(shell("sleep 100", 60000));
    child_free(child_new(&o.task));
    child_free(NULL);
    struct child *c = shell("sleep 100", 60000);
    assert_false(turn_until(&o, is_done, c, 50));
    child_kill(c);
    assert_true(turn_until(&o, is_done, c, 3000));
    assert_int_equal(child_signal(c), SIGTERM);
    assert_false(child_timed_out(c));
    child_free(c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_loop, close_loop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(lines_and_status), T(success_says_nothing_and_can_be_repeated), T(what_cannot_start),
        T(time_out_kills_the_group), T(a_daemon_left_behind), T(endless_output_is_bounded),
        T(no_terminal_and_no_input), T(freed_or_killed_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
