/* The journal: what was appended is read back; one writer; a torn tail goes, a broken chain is named; a full disk leaves
 * nothing half-written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/journal.h"

static char dir[64], path[96];

static int set_up(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/test_journal.XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/run.jsonl", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

/* ---- helpers ---- */

struct seen {
    int count;
    int64_t last;
    char text[256];
    struct buf lines;
};

static void see(void *arg, const struct event *e, const char *line, size_t len)
{
    struct seen *s = arg;
    s->count++;
    s->last = e->seq;
    if (e->kind == EVENT_note_said)
        copy_text(s->text, sizeof s->text, e->note_said.text);
    buf_add(&s->lines, line, len);
    buf_puts(&s->lines, "\n");
}

static bool append(struct journal *j, int64_t seq, const char *text, bool sync, struct err *err)
{
    struct buf line = {0};
    struct event e = {.kind = EVENT_note_said, .seq = seq, .at = 1000 + seq, .note_said = {.user = "ben", .text = text}};
    bool ok = journal_append(j, &e, sync, &line, err);
    assert_true(line.len > 80 && line.text[line.len - 1] == '\n' && strstr(line.text, "\"chain\":\""));
    buf_free(&line);
    return ok;
}

static struct journal *must_open(struct seen *seen)
{
    struct err err = {""};
    *seen = (struct seen){0};
    struct journal *j = journal_open(path, see, seen, &err);
    if (!j)
        fail_msg("%s", err.text);
    return j;
}

static void write_lines(int n)
{
    struct seen seen;
    struct err err;
    struct journal *j = must_open(&seen);
    for (int i = 1; i <= n; i++)
        assert_true(append(j, seen.last + i, "a \"note\"\n\xc3\xa9 \xe2\x97\x8f", i % 2, &err));
    journal_close(j);
    buf_free(&seen.lines);
}

static char *slurp(size_t *len)
{
    FILE *f = fopen(path, "rb");
    char *text = xcalloc(1 << 20, 1);
    assert_non_null(f);
    *len = fread(text, 1, (1 << 20) - 1, f);
    fclose(f);
    return text;
}

static void spill(const char *text, size_t len)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    fclose(f);
}

static bool readable(struct seen *seen, struct err *err)
{
    *seen = (struct seen){0};
    bool ok = journal_read(path, see, seen, err);
    buf_free(&seen->lines);
    return ok;
}

/* ---- tests ---- */

static void test_append_and_read(void **state)
{
    (void)state;
    struct seen seen;
    struct err err;
    struct stat st;
    size_t len;
    write_lines(5);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    struct journal *j = must_open(&seen);
    assert_string_equal(journal_path(j), path);
    assert_int_equal(seen.count, 5);
    assert_int_equal(seen.last, 5);
    assert_string_equal(seen.text, "a \"note\"\n\xc3\xa9 \xe2\x97\x8f");
    char *text = slurp(&len);
    assert_int_equal(seen.lines.len, len);
    assert_memory_equal(seen.lines.text, text, len);
    assert_true(append(j, 6, "six", true, &err));
    journal_close(j);
    free(text);
    buf_free(&seen.lines);
    assert_true(readable(&seen, &err));
    assert_int_equal(seen.count, 6);
    assert_string_equal(seen.text, "six");
}

static void test_mode_is_narrowed(void **state)
{
    (void)state;
    struct stat st;
    write_lines(1);
    chmod(path, 0644);
    write_lines(1);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_second_writer(void **state)
{
    (void)state;
    struct seen seen, none;
    struct err err;
    char pid[32];
    struct journal *j = must_open(&seen);
    assert_null(journal_open(path, see, &none, &err));
    assert_non_null(strstr(err.text, "writes this journal already"));
    assert_non_null(strstr(err.text, "cutover attach"));
    snprintf(pid, sizeof pid, "process %ld ", (long)getpid());
    FILE *locks = fopen("/proc/locks", "r");
    if (locks && fgetc(locks) != EOF) /* in some containers the kernel doesn't say */
        assert_non_null(strstr(err.text, pid));
    if (locks)
        fclose(locks);
    journal_close(j);
    j = must_open(&seen);
    journal_close(j);
}

/* Reading needs no lock: screens and reports read while the engine writes. */
static void test_read_beside_the_writer(void **state)
{
    (void)state;
    struct seen seen, other;
    struct err err;
    struct journal *j = must_open(&seen);
    for (int i = 1; i <= 50; i++) {
        assert_true(append(j, i, "x", false, &err));
        assert_true(readable(&other, &err));
        assert_int_equal(other.count, i);
    }
    journal_close(j);
}

static void test_every_torn_tail(void **state)
{
    (void)state;
    struct seen seen;
    struct err err;
    size_t len, last;
    write_lines(3);
    char *text = slurp(&len);
    for (last = len - 1; text[last - 1] != '\n'; last--)
        ;
    for (size_t cut = last; cut < len; cut++) {
        spill(text, cut);
        assert_true(readable(&seen, &err));
        assert_int_equal(seen.count, 2);
        struct journal *j = must_open(&seen);
        struct stat st;
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_size, last);
        assert_int_equal(seen.count, 2);
        buf_free(&seen.lines);
        assert_true(append(j, 3, "again", true, &err));
        journal_close(j);
        assert_true(readable(&seen, &err));
        assert_int_equal(seen.count, 3);
        assert_string_equal(seen.text, "again");
    }
    free(text);
}

static void expect_broken(const char *text, size_t len, int line)
{
    struct seen seen;
    struct err err;
    char where[32];
    spill(text, len);
    assert_false(readable(&seen, &err));
    snprintf(where, sizeof where, "line %d ", line);
    if (!strstr(err.text, where))
        fail_msg("expected line %d: %s", line, err.text);
    assert_int_equal(seen.count, line - 1);
    assert_null(journal_open(path, see, &seen, &err));
    assert_non_null(strstr(err.text, where));
    buf_free(&seen.lines);
}

/* Any flipped byte of any line is found, in that line. */
static void test_every_flipped_byte(void **state)
{
    (void)state;
    size_t len;
    write_lines(4);
    char *text = slurp(&len);
    int line = 1;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n') {
            line++;
            continue;
        }
        text[i] ^= 1; /* never makes a newline of what stands in JSON */
        expect_broken(text, len, line);
        text[i] ^= 1;
    }
    free(text);
}

static void test_missing_doubled_swapped_lines(void **state)
{
    (void)state;
    size_t len, at[5] = {0};
    write_lines(4);
    char *text = slurp(&len), *bad = xcalloc(2 * len, 1);
    for (size_t i = 0, n = 1; i < len && n < 5; i++)
        if (text[i] == '\n')
            at[n++] = i + 1;
    memcpy(bad, text, at[1]); /* without the second line */
    memcpy(bad + at[1], text + at[2], len - at[2]);
    expect_broken(bad, len - (at[2] - at[1]), 2);
    memcpy(bad, text, at[2]); /* the second line twice */
    memcpy(bad + at[2], text + at[1], len - at[1]);
    expect_broken(bad, len + (at[2] - at[1]), 3);
    memcpy(bad, text + at[1], len - at[1]); /* without the first line */
    expect_broken(bad, len - at[1], 1);
    memcpy(bad, text, len); /* a foreign line behind it */
    memcpy(bad + len, "{}\n", 3);
    expect_broken(bad, len + 3, 5);
    free(bad);
    free(text);
}

/* A limit on the file's size is a full disk that every user can make. */
static void test_full_disk(void **state)
{
    (void)state;
    struct seen seen;
    struct err err;
    struct stat st;
    struct rlimit before, tight;
    struct journal *j = must_open(&seen);
    assert_true(append(j, 1, "one", true, &err));
    assert_int_equal(stat(path, &st), 0);
    getrlimit(RLIMIT_FSIZE, &before);
    for (rlim_t room = 0; room < 120; room += 7) {
        tight = (struct rlimit){(rlim_t)st.st_size + room, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
        bool ok = append(j, 2, "this line is longer than the room that is left for it on the disk", true, &err);
        setrlimit(RLIMIT_FSIZE, &before);
        assert_false(ok);
        assert_non_null(strstr(err.text, "can't be written"));
        assert_non_null(strstr(err.text, "make room"));
        struct stat now;
        assert_int_equal(stat(path, &now), 0);
        assert_int_equal(now.st_size, st.st_size);
    }
    assert_true(append(j, 2, "two", true, &err));
    journal_close(j);
    assert_true(readable(&seen, &err));
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.text, "two");
}

static void test_changed_behind_the_back(void **state)
{
    (void)state;
    struct seen seen;
    struct err err;
    struct journal *j = must_open(&seen);
    assert_true(append(j, 1, "one", true, &err));
    int fd = open(path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "x\n", 2), 2);
    assert_false(append(j, 2, "two", true, &err));
    assert_non_null(strstr(err.text, "changed by somebody else"));
    assert_int_equal(ftruncate(fd, lseek(fd, 0, SEEK_END) - 2), 0);
    close(fd);
    assert_true(append(j, 2, "two", true, &err));
    unlink(path);
    assert_false(append(j, 3, "three", true, &err));
    assert_non_null(strstr(err.text, "was deleted"));
    journal_close(j);
}

static void test_what_is_no_journal(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct err err;
    char target[128];
    assert_false(journal_read(path, see, &seen, &err));
    assert_non_null(strstr(err.text, "No such file"));
    assert_null(journal_open("/no/such/dir/run.jsonl", see, &seen, &err));
    assert_non_null(strstr(err.text, "/no/such/dir/run.jsonl: the journal can't be opened"));
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(journal_read(path, see, &seen, &err));
    assert_non_null(strstr(err.text, "isn't a regular file"));
    assert_null(journal_open(path, see, &seen, &err));
    assert_non_null(strstr(err.text, "isn't a regular file"));
    unlink(path);
    snprintf(target, sizeof target, "%s/target", dir);
    assert_int_equal(symlink(target, path), 0); /* nobody's link is followed when writing */
    assert_null(journal_open(path, see, &seen, &err));
    assert_int_equal(access(target, F_OK), -1);
}

/* kill -9 at any time: what was appended with sync is there, and the next engine can take the journal up. */
static void test_killed_writer(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        int to_parent[2];
        int64_t told = 0, got;
        assert_int_equal(pipe(to_parent), 0);
        pid_t pid = fork();
        if (pid == 0) {
            struct seen seen = {0};
            struct err err;
            struct journal *j = journal_open(path, see, &seen, &err);
            for (int64_t i = seen.last + 1; j; i++)
                if (!append(j, i, "x", true, &err) || write(to_parent[1], &i, sizeof i) != sizeof i)
                    break;
            _exit(1);
        }
        close(to_parent[1]);
        for (int n = 0; n < 3 + round && read(to_parent[0], &got, sizeof got) == sizeof got; n++)
            told = got;
        kill(pid, SIGKILL);
        while (read(to_parent[0], &got, sizeof got) == sizeof got)
            told = got;
        waitpid(pid, NULL, 0);
        close(to_parent[0]);
        struct seen seen;
        struct journal *j = must_open(&seen);
        assert_true(told > 0 && seen.last >= told && seen.last <= told + 1);
        journal_close(j);
        buf_free(&seen.lines);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_append_and_read),     T(test_mode_is_narrowed), T(test_second_writer),
        T(test_read_beside_the_writer), T(test_every_torn_tail), T(test_every_flipped_byte),
        T(test_missing_doubled_swapped_lines), T(test_full_disk), T(test_changed_behind_the_back),
        T(test_what_is_no_journal),  T(test_killed_writer),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
