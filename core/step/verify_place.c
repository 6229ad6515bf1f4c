/* Where the comparison stands. One line each, values of keys as hexadecimal digits:
 *
 *     cutover verify 1 <hash of the plan> <mode, tables>
 *     done <database> <subscription> <digest of the table> <rows>
 *     at <database> <subscription> <digest> <rows> <key> <key> ...
 *
 * A table that was made anew, or a subscription that was, has another digest or number: it is compared again. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/step/verify_inner.h"

enum { MOST_BYTES = 4 * 1024 * 1024, TOO_OLD_S = 24 * 3600, EVERY_MS = 1000 };

static char *read_file(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char *text = NULL;
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size < MOST_BYTES && time(NULL) - st.st_mtime < TOO_OLD_S) {
        text = xcalloc((size_t)st.st_size + 1, 1);
        if (read(fd, text, (size_t)st.st_size) != st.st_size) {
            free(text);
            text = NULL;
        }
    }
    if (fd >= 0)
        close(fd);
    return text;
}

void verify_place_open(struct verify_place *p, const char *state_dir, const char *step, const char *settings)
{
    snprintf(p->path, sizeof p->path, "%s/verify.%s", state_dir, step);
    buf_printf(&p->lines, "cutover verify 1 %s\n", settings);
    p->old = read_file(p->path);
    if (p->old && strncmp(p->old, p->lines.text, p->lines.len) != 0) {
        free(p->old);
        p->old = NULL;
    }
}

/* What follows on the line that begins so; NULL. */
static const char *find_line(const struct verify_place *p, const char *verb, int db, const char *subscription, const char *digest)
{
    char want[200];
    int len = snprintf(want, sizeof want, "\n%s %d %s %s ", verb, db, subscription, digest);
    const char *at = p->old ? strstr(p->old, want) : NULL;
    return at ? at + len : NULL;
}

bool verify_place_is_done(const struct verify_place *p, int db, const char *subscription, const char *digest, int64_t *rows)
{
    const char *at = find_line(p, "done", db, subscription, digest);
    if (at)
        *rows = strtoll(at, NULL, 10);
    return at != NULL;
}

static char *from_hex(const char *hex, size_t len)
{
    char *text = xcalloc(len / 2 + 1, 1);
    for (size_t i = 0; i + 1 < len; i += 2) {
        unsigned byte = 0;
        sscanf(hex + i, "%2x", &byte);
        text[i / 2] = (char)byte;
    }
    return text;
}

bool verify_place_inside(const struct verify_place *p, int db, const char *subscription, const struct verify_table *t, struct verify_range *r, int64_t *rows)
{
    char *end;
    int n = 0;
    const char *at = find_line(p, "at", db, subscription, t->digest);
    if (!at || !t->nkeys)
        return false;
    *rows = strtoll(at, &end, 10);
    for (at = end; *at == ' ' && n < t->nkeys; at += strcspn(at, " \n")) {
        size_t len = strcspn(++at, " \n");
        r->high[n++] = from_hex(at, len);
    }
    r->has_high = n == t->nkeys; /* its high becomes the next one's low */
    if (!r->has_high)
        verify_range_free(r);
    return r->has_high;
}

void verify_place_done(struct verify_place *p, int db, const char *subscription, const char *digest, int64_t rows)
{
    buf_printf(&p->lines, "done %d %s %s %" PRId64 "\n", db, subscription, digest, rows);
}

/* As a whole or not at all. What can't be written is only time lost: the next run compares again. */
static void write_file(const char *path, const struct buf *text)
{
    char *beside = xprintf("%s.new", path);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool whole = fd >= 0 && write(fd, text->text, text->len) == (ssize_t)text->len;
    if (fd >= 0)
        whole = close(fd) == 0 && whole;
    if (!whole || rename(beside, path) != 0)
        unlink(beside);
    free(beside);
}

void verify_place_keep(struct verify_place *p, int db, const char *subscription, const struct verify_table *t, const struct verify_range *r, int64_t rows)
{
    struct buf text = {0};
    buf_add(&text, p->lines.text, p->lines.len);
    if (t && r->has_high && t->nkeys) {
        buf_printf(&text, "at %d %s %s %" PRId64, db, subscription, t->digest, rows);
        for (int i = 0; i < t->nkeys; i++) {
            buf_puts(&text, " ");
            for (const char *c = r->high[i]; *c; c++)
                buf_printf(&text, "%02x", (unsigned char)*c);
        }
        buf_puts(&text, "\n");
    }
    buf_free(&p->latest);
    p->latest = text;
    if (clock_mono() - p->written >= EVERY_MS)
        verify_place_flush(p);
}

void verify_place_flush(struct verify_place *p)
{
    if (!p->latest.len)
        return;
    p->written = clock_mono();
    write_file(p->path, &p->latest);
    buf_free(&p->latest);
}

void verify_place_forget(struct verify_place *p)
{
    unlink(p->path);
    buf_free(&p->latest);
}

void verify_place_free(struct verify_place *p)
{
    free(p->old);
    buf_free(&p->latest);
    buf_free(&p->lines);
}
