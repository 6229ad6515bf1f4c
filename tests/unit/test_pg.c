#include "async.h"

#include <dirent.h>
#include <pwd.h>
#include <sys/stat.h>

#include "core/child.h"
#include "core/pg.h"

static struct owner o;
static char dir[64], bin[280], conninfo[300];
static int port;

/* ---- a real server in a directory of its own ---- */

static bool child_done(const void *c)
{
    return !child_busy(c);
}

static void sh(const char *fmt, ...)
{
    char script[2000];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(script, sizeof script, fmt, ap);
    va_end(ap);
    struct child *c = child_new(&o.task);
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    child_start(c, &(struct child_opts){.argv = argv, .timeout_ms = 60000});
    assert_true(turn_until(&o, child_done, c, 70000));
    if (child_failed(c))
        print_message("# %s\n", child_error(c));
    assert_false(child_failed(c));
    child_free(c);
}

static bool find_server(void)
{
    const char *root = "/usr/lib/postgresql";
    DIR *d = opendir(root);
    for (struct dirent *e; d && (e = readdir(d));) {
        snprintf(bin, sizeof bin, "%s/%.200s/bin", root, e->d_name);
        char path[300];
        snprintf(path, sizeof path, "%s/initdb", bin);
        if (e->d_name[0] != '.' && !access(path, X_OK)) {
            closedir(d);
            return true;
        }
    }
    if (d)
        closedir(d);
    return false;
}

static const char *as_user(void)
{
    return geteuid() ? "" : getpwnam("postgres") ? "setpriv --reuid=postgres --regid=postgres --clear-groups "
                                                 : "setpriv --reuid=65534 --regid=65534 --clear-groups ";
}

static int start_server(void **state)
{
    (void)state;
    owner_open(&o);
    if (!find_server())
        return 0;
    snprintf(dir, sizeof dir, "/tmp/test_pg.XXXXXX");
    assert_non_null(mkdtemp(dir));
    chmod(dir, 0777);
    port = closed_port();
    sh("cd %s && exec >/dev/null && %s%s/initdb -D %s/data -U app -A trust --no-sync -E UTF8 --locale=C", dir, as_user(),
       bin, dir);
    sh("cd %s && exec >/dev/null && %s%s/pg_ctl -w -D %s/data -l %s/data/log -o '-p %d -k %s -c "
       "listen_addresses=127.0.0.1 -c fsync=off' start", dir, as_user(), bin, dir, dir, port, dir);
    snprintf(conninfo, sizeof conninfo, "host=localhost port=%d user=app dbname=postgres", port);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    if (*dir)
        sh("cd %s && exec >/dev/null && %s%s/pg_ctl -w -m immediate -D %s/data stop; rm -rf %s", dir, as_user(), bin, dir,
           dir);
    owner_close(&o);
    return 0;
}

static bool is_done(const void *c)
{
    return !pg_busy(c);
}

static void await(struct pg *c)
{
    assert_true(turn_until(&o, is_done, c, 10000));
}

static struct pg *open_pg(const char *info)
{
    struct pg *c = pg_new(&o.task, info);
    pg_connect(c, 5000);
    await(c);
    return c;
}

static void run(struct pg *c, const char *sql)
{
    pg_query(c, sql, -1, NULL, 5000);
    await(c);
}

#define NEEDS_SERVER() do { if (!*dir) skip(); } while (0)

static void queries_of_both_protocols(void **state)
{
    (void)state;
    NEEDS_SERVER();
    struct pg *c = open_pg(conninfo);
    assert_string_equal(pg_error(c), "");
    assert_true(pg_is_connected(c));
    assert_true(pg_server_version(c) > 100000);
    run(c, "create table t(a int, b text); insert into t values (1,'x'),(2,null); select * from t order by a; "
           "set application_name to 'other'");
    assert_string_equal(pg_error(c), "");
    assert_int_equal(pg_results(c), 4);
    assert_int_equal(pg_rows(c), 2);
    assert_int_equal(pg_int(c, 1, pg_column(c, "a")), 2);
    assert_true(pg_is_null(c, 1, 1) && !pg_is_null(c, 0, 1));
    assert_string_equal(pg_value_of(c, 2, 0, 1), "x");
    assert_string_equal(pg_value(c, 9, 9), "");
    const char *params[] = {"41", NULL};
    pg_query(c, "select $1::int + 1, $2::text is null", 2, params, 5000);
    await(c);
    assert_int_equal(pg_int(c, 0, 0), 42);
    assert_true(pg_bool(c, 0, 1));
    assert_true(pg_elapsed_us(c) > 0);
    pg_prepare(c, "add", "insert into t values ($1::int, $2)", 5000);
    await(c);
    const char *row[] = {"3", "it's \xc3\xa4"};
    pg_exec_prepared(c, "add", 2, row, 5000);
    await(c);
    assert_false(pg_failed(c));
    assert_int_equal(pg_affected(c), 1);
    run(c, "drop table t; select current_setting('application_name')");
    pg_free(c);
}

static void the_name_is_cutover(void **state)
{
    (void)state;
    NEEDS_SERVER();
    struct pg *c = open_pg(conninfo);
    run(c, "select current_setting('application_name'), current_setting('client_encoding')");
    assert_string_equal(pg_value(c, 0, 0), "cutover");
    assert_string_equal(pg_value(c, 0, 1), "UTF8");
    pg_free(c);
}

static void an_error_is_one_clean_line(void **state)
{
    (void)state;
    NEEDS_SERVER();
    struct pg *c = open_pg(conninfo);
    run(c, "select * from \"no\x1b[31m\nsuch\"");
    assert_true(pg_failed(c));
    assert_string_equal(pg_sqlstate(c), "42P01");
    assert_non_null(strstr(pg_error(c), "does not exist"));
    assert_null(strchr(pg_error(c), '\n'));
    assert_null(strchr(pg_error(c), 0x1b));
    assert_true(pg_is_connected(c));
    run(c, "do $$ begin raise notice 'quiet'; end $$; select 1");
    assert_false(pg_failed(c));
    run(c, "copy (select 1) to stdout");
    assert_true(pg_failed(c));
    pg_free(c);
}

static void much_data_both_ways(void **state)
{
    (void)state;
    NEEDS_SERVER();
    struct pg *c = open_pg(conninfo);
    size_t size = 4 << 20;
    char *big = xcalloc(size + 1, 1);
    memset(big, 'x', size);
    const char *params[] = {big};
    pg_query(c, "select $1::text, length($1)", 1, params, 10000);
    await(c);
    assert_string_equal(pg_error(c), "");
    assert_int_equal(pg_int(c, 0, 1), size);
    assert_int_equal(strlen(pg_value(c, 0, 0)), size);
    free(big);
    pg_free(c);
}

static void a_deadline_closes_and_can_be_followed_by_connect(void **state)
{
    (void)state;
    NEEDS_SERVER();
    struct pg *c = open_pg(conninfo);
    int64_t start = clock_mono();
    pg_query(c, "select pg_sleep(60)", 0, NULL, 200);
    await(c);
    assert_true(clock_mono() - start < 1500);
    assert_true(pg_failed(c) && pg_timed_out(c) && !pg_is_connected(c));
    assert_non_null(strstr(pg_error(c), "no answer within 0.2 s"));
    run(c, "select 1");
    assert_non_null(strstr(pg_error(c), "not connected"));
    pg_connect(c, 5000);
    await(c);
    run(c, "select 1");
    assert_int_equal(pg_int(c, 0, 0), 1);
    pg_free(c);
}

static bool is_lost(const void *c)
{
    return !pg_is_connected(c);
}

static void a_killed_backend_is_noticed_idle_and_busy(void **state)
{
    (void)state;
    NEEDS_SERVER();
    struct pg *c = open_pg(conninfo), *killer = open_pg(conninfo);
    char sql[100];
    snprintf(sql, sizeof sql, "select pg_terminate_backend(%d)", pg_backend_pid(c));
    run(killer, sql);
    assert_true(turn_until(&o, is_lost, c, 3000));
    run(c, "select 1");
    assert_non_null(strstr(pg_error(c), "administrator"));
    pg_connect(c, 5000);
    await(c);
    pg_query(c, "select pg_sleep(60)", 0, NULL, 8000);
    snprintf(sql, sizeof sql, "select pg_terminate_backend(%d)", pg_backend_pid(c));
    turn_until(&o, never, NULL, 50);
    run(killer, sql);
    await(c);
    assert_true(pg_failed(c) && !pg_is_connected(c) && !pg_timed_out(c));
    assert_string_equal(pg_sqlstate(c), "57P01");
    pg_free(c);
    pg_free(killer);
}

static void who_is_refused_hears_why(void **state)
{
    (void)state;
    NEEDS_SERVER();
    char info[400];
    snprintf(info, sizeof info, "postgresql://app:s3cret@127.0.0.1:%d/nosuchdb", port);
    struct pg *c = open_pg(info);
    assert_true(pg_failed(c));
    assert_non_null(strstr(pg_error(c), "database \"nosuchdb\" does not exist"));
    assert_null(strstr(pg_error(c), "s3cret"));
    pg_free(c);
    snprintf(info, sizeof info, "host=%s port=%d user=app dbname=postgres", dir, port); /* a unix socket */
    c = open_pg(info);
    assert_string_equal(pg_error(c), "");
    pg_free(c);
    snprintf(info, sizeof info, "host=127.0.0.1,localhost port=%d,%d user=app dbname=postgres", closed_port(), port);
    c = open_pg(info); /* the first of two is closed */
    assert_string_equal(pg_error(c), "");
    char where[64];
    snprintf(where, sizeof where, "localhost:%d", port);
    assert_string_equal(pg_where(c), where);
    pg_free(c);
}

static void a_service_file_is_read(void **state)
{
    (void)state;
    NEEDS_SERVER();
    char path[100];
    snprintf(path, sizeof path, "%s/services", dir);
    FILE *f = fopen(path, "w");
    fprintf(f, "[blue]\nhost=localhost\nport=%d\nuser=app\ndbname=postgres\n", port);
    fclose(f);
    setenv("PGSERVICEFILE", path, 1);
    struct pg *c = open_pg("service=blue");
    assert_string_equal(pg_error(c), "");
    assert_null(getenv("PGSERVICE"));
    pg_free(c);
    c = open_pg("service=purple");
    assert_non_null(strstr(pg_error(c), "purple"));
    pg_free(c);
    unsetenv("PGSERVICEFILE");
}

/* ---- peers that misbehave ---- */

static void hang(int fd)
{
    read_until(fd, "never");
}

static void hang_up(int fd)
{
    char c;
    if (read(fd, &c, 1) < 0)
        _exit(1);
}

static void babble(int fd)
{
    for (int i = 0; i < 1000; i++)
        say(fd, "HTTP/1.1 400 Bad Request\r\n\r\n");
    read_until(fd, "never");
}

static void refuses_tls_then_is_silent(int fd)
{
    char buf[8];
    if (read(fd, buf, 8) == 8)
        say(fd, "N");
    read_until(fd, "never");
}

static void peers_that_misbehave(void **state)
{
    (void)state;
    static const struct { void (*serve)(int); const char *says; } rows[] = {
        {hang, "no connection within 0.3 s"}, {refuses_tls_then_is_silent, "no connection within 0.3 s"},
        {hang_up, "closed the connection"}, {babble, "cannot connect"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer p = peer_start(SOCK_STREAM, rows[i].serve);
        char info[200];
        snprintf(info, sizeof info, "host=127.0.0.1 port=%d user=app password=s3cret", p.port);
        struct pg *c = pg_new(&o.task, info);
        int64_t start = clock_mono();
        pg_connect(c, 300);
        await(c);
        assert_true(clock_mono() - start < 1000);
        assert_true(pg_failed(c) && !pg_is_connected(c));
        assert_non_null(strstr(pg_error(c), rows[i].says));
        assert_null(strstr(pg_error(c), "s3cret"));
        pg_free(c);
        peer_stop(&p);
    }
}

static void nobody_there(void **state)
{
    (void)state;
    static const struct { const char *info, *says; } rows[] = {
        {"host=127.0.0.1 port=%d user=x", "Connection refused"}, {"host=/no/such/dir port=%d user=x", "No such file"},
        {"host=nothing.invalid port=%d user=x", "nothing.invalid"}, {"passwort=s3cret port=%d", "cannot be read"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char info[200];
        snprintf(info, sizeof info, rows[i].info, closed_port());
        struct pg *c = pg_new(&o.task, info);
        pg_connect(c, 500);
        await(c);
        assert_true(pg_failed(c));
        assert_non_null(strstr(pg_error(c), rows[i].says));
        assert_null(strstr(pg_error(c), "s3cret"));
        pg_free(c);
    }
}

static void freed_in_the_middle(void **state)
{
    (void)state;
    struct peer p = peer_start(SOCK_STREAM, hang);
    char info[200];
    snprintf(info, sizeof info, "host=127.0.0.1 port=%d user=x", p.port);
    struct pg *c = pg_new(&o.task, info);
    pg_connect(c, 5000);
    pg_free(c);
    c = pg_new(&o.task, info);
    pg_connect(c, 5000);
    turn_until(&o, never, NULL, 50);
    pg_close(c);
    assert_false(pg_busy(c));
    assert_true(pg_failed(c));
    pg_connect(c, 5000);
    turn_until(&o, never, NULL, 50);
    pg_free(c);
    pg_free(pg_new(&o.task, ""));
    pg_free(NULL);
    peer_stop(&p);
}

static void quoting(void **state)
{
    (void)state;
    char out[40];
    assert_int_equal(pg_quote_literal(out, sizeof out, "O'Hara"), 9);
    assert_string_equal(out, "'O''Hara'");
    pg_quote_literal(out, sizeof out, "a\\'b");
    assert_string_equal(out, "E'a\\\\''b'");
    pg_quote_name(out, sizeof out, "we\"ird");
    assert_string_equal(out, "\"we\"\"ird\"");
    assert_int_equal(pg_quote_name(out, 4, "abcdef"), 8);
    assert_string_equal(out, "\"ab");
    struct buf sql = {0};
    pg_put_literal(&sql, "O'Hara");
    assert_string_equal(sql.text, "'O''Hara'");
    buf_free(&sql);
}

static void is_with(const char *plain, const char *name, const char *value, const char *want)
{
    char *all = pg_conninfo_with(plain, name, value), *said = pg_conninfo_value(all, name);
    assert_string_equal(all, want);
    assert_string_equal(said, value);
    free(all);
    free(said);
}

static void words(void **state)
{
    (void)state;
    is_with("host=a", "options", "-c a='b\\c'", "host=a options='-c a=\\'b\\\\c\\''");
    is_with("host=a options='-c x=1'", "options", "-c y=2", "host=a options='-c x=1' options='-c y=2'");
    is_with("host=a", "application_name", "", "host=a application_name=''");
    is_with("postgresql://u@a/d", "application_name", "a b", "postgresql://u@a/d?application_name=%61%20%62");
    is_with("postgresql://a/d?options=-cx%3D1", "options", "'", "postgresql://a/d?options=-cx%3D1&options=%27");
    char *none = pg_conninfo_value("host=a", "options"), *broken = pg_conninfo_value("host=", "no such word");
    assert_string_equal(none, "");
    assert_string_equal(broken, "");
    free(none);
    free(broken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_of_both_protocols), cmocka_unit_test(the_name_is_cutover),
        cmocka_unit_test(an_error_is_one_clean_line), cmocka_unit_test(much_data_both_ways),
        cmocka_unit_test(a_deadline_closes_and_can_be_followed_by_connect),
        cmocka_unit_test(a_killed_backend_is_noticed_idle_and_busy), cmocka_unit_test(who_is_refused_hears_why),
        cmocka_unit_test(a_service_file_is_read), cmocka_unit_test(peers_that_misbehave),
        cmocka_unit_test(nobody_there), cmocka_unit_test(freed_in_the_middle), cmocka_unit_test(quoting), cmocka_unit_test(words),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
