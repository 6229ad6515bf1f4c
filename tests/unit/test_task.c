#include "async.h"

/* A task that writes down why it ran; `plan` says what it does next at each step. */
struct diary {
    struct task task;
    enum { SLEEP_20, WAIT_20, WAIT_LONG, WAIT_WOKEN, STOP } plan[8];
    enum woke woke[8];
    int64_t at[8];
    int runs, ends;
};

static void run(struct task *t)
{
    struct diary *d = (struct diary *)t;
    d->woke[d->runs] = t->woke;
    d->at[d->runs] = clock_mono();
    switch (d->plan[d->runs++]) {
    case SLEEP_20: task_sleep(t, 20); return;
    case WAIT_20: task_wait(t, 20); return;
    case WAIT_LONG: task_wait(t, 10000); return;
    case WAIT_WOKEN:
        task_wake(t); /* as a library does that calls back before it returns */
        task_wait(t, 10000);
        return;
    case STOP: task_stop(t); return;
    }
}

static void ended(struct task *t)
{
    ((struct diary *)t)->ends++;
}

static void a_task_runs_from_top_to_bottom(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct diary d = {.plan = {SLEEP_20, WAIT_20, WAIT_WOKEN, STOP}};
    uv_loop_init(&loop);
    assert_true(task_is_over(&d.task));
    task_start(&d.task, &loop, run, ended);
    assert_int_equal(d.runs, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(d.runs, 4);
    assert_int_equal(d.ends, 1);
    assert_int_equal(d.woke[0], WOKE_START);
    assert_int_equal(d.woke[1], WOKE_TIME);
    assert_int_equal(d.woke[2], WOKE_TIME);
    assert_int_equal(d.woke[3], WOKE_CALL);
    assert_true(d.at[1] - d.at[0] >= 19 && d.at[2] - d.at[1] >= 19);
    assert_true(d.at[3] - d.at[2] < 1000);
    assert_true(task_is_over(&d.task));
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void a_sleep_drops_wakes_and_a_wait_takes_them(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct diary d = {.plan = {SLEEP_20, WAIT_LONG, WAIT_20, STOP}};
    uv_loop_init(&loop);
    task_start(&d.task, &loop, run, ended);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(d.runs, 1);
    task_wake(&d.task);
    uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(d.runs, 2);
    assert_int_equal(d.woke[1], WOKE_TIME);
    task_wake(&d.task);
    task_wake(&d.task);
    assert_int_equal(d.runs, 2); /* never from inside task_wake */
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(d.runs, 4);
    assert_int_equal(d.woke[2], WOKE_CALL);
    assert_int_equal(d.woke[3], WOKE_TIME); /* two wakes are one */
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void a_stopped_task_is_silent_and_can_start_again(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct diary d = {.plan = {WAIT_LONG, STOP}};
    uv_loop_init(&loop);
    task_wake(NULL);
    task_wake(&d.task);
    task_stop(&d.task);
    task_start(&d.task, &loop, run, ended);
    task_stop(&d.task);
    task_stop(&d.task);
    task_wake(&d.task);
    assert_false(task_is_over(&d.task));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(task_is_over(&d.task));
    assert_int_equal(d.runs, 0);
    assert_int_equal(d.ends, 1);
    task_start(&d.task, &loop, run, ended);
    uv_run(&loop, UV_RUN_NOWAIT);
    task_wake(&d.task);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(d.runs, 2);
    assert_int_equal(d.ends, 2);
    assert_int_equal(uv_loop_close(&loop), 0);
}

struct reader {
    struct task task;
    int fd, runs;
    enum woke woke[4];
};

static void read_once(struct task *t)
{
    struct reader *r = (struct reader *)t;
    r->woke[r->runs++] = t->woke;
    switch (t->at++) {
    case 0: task_wait_fd(t, r->fd, UV_READABLE, 20); return;
    case 1: task_wait_fd(t, r->fd, UV_READABLE, 10000); return;
    case 2:
        close(r->fd);
        task_stop(t);
        return;
    }
}

static bool has_run_twice(const void *arg)
{
    return ((const struct reader *)arg)->runs == 2;
}

static void a_descriptor_or_the_deadline(void **state)
{
    (void)state;
    struct owner o;
    struct reader r = {0};
    int fds[2];
    owner_open(&o);
    assert_int_equal(pipe(fds), 0);
    r.fd = fds[0];
    task_start(&r.task, &o.loop, read_once, NULL);
    assert_true(turn_until(&o, has_run_twice, &r, 2000));
    assert_int_equal(r.woke[1], WOKE_TIME);
    assert_int_equal(write(fds[1], "x", 1), 1);
    while (r.runs < 3)
        uv_run(&o.loop, UV_RUN_ONCE);
    assert_int_equal(r.woke[2], WOKE_FD);
    close(fds[1]);
    owner_close(&o);
}

struct guest {
    struct task_timer *timer;
    struct task_watch *watch;
    int fires, reads;
};

static void on_fire(void *arg)
{
    struct guest *g = arg;
    if (++g->fires < 3)
        task_timer_set(g->timer, 1);
}

static void on_read(void *arg, int fd, int events)
{
    struct guest *g = arg;
    char c;
    assert_true(events & UV_READABLE);
    assert_int_equal(read(fd, &c, 1), 1);
    g->reads++;
    task_watch_free(g->watch);
    close(fd);
}

static bool has_seen_all(const void *arg)
{
    const struct guest *g = arg;
    return g->fires == 3 && g->reads == 1;
}

static void watches_and_timers_for_libraries(void **state)
{
    (void)state;
    struct owner o;
    struct guest g = {0};
    int fds[2];
    owner_open(&o);
    assert_int_equal(pipe(fds), 0);
    g.timer = task_timer_new(&o.loop, on_fire, &g);
    g.watch = task_watch_new(&o.loop, fds[0], on_read, &g);
    task_timer_set(g.timer, 0);
    task_watch_events(g.watch, UV_READABLE);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_true(turn_until(&o, has_seen_all, &g, 2000));
    task_timer_set(g.timer, 5);
    task_timer_set(g.timer, -1);
    assert_false(turn_until(&o, never, NULL, 30));
    assert_int_equal(g.fires, 3);
    task_timer_free(g.timer);
    close(fds[1]);
    owner_close(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_runs_from_top_to_bottom),
        cmocka_unit_test(a_sleep_drops_wakes_and_a_wait_takes_them),
        cmocka_unit_test(a_stopped_task_is_silent_and_can_start_again),
        cmocka_unit_test(a_descriptor_or_the_deadline),
        cmocka_unit_test(watches_and_timers_for_libraries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
