/* The reading half: lines, chain, torn tail. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/journal.h"
#include "core/journal_chain.h"

#define MARK ",\"chain\":\""
#define MARK_LEN (sizeof MARK - 1)
#define TAIL_LEN (MARK_LEN + JOURNAL_CHAIN - 1 + 2) /* mark, digits, quote, brace */
#define LONGEST_LINE (16 << 20)

/* sha256(before + body + "}"), body being the line up to its last brace or its chain. */
static void compute(const char *before, const char *body, size_t len, char chain[JOURNAL_CHAIN])
{
    struct buf b = {0};
    buf_puts(&b, before);
    buf_add(&b, body, len);
    buf_puts(&b, "}");
    digest_sha256_hex(chain, b.text, b.len);
    buf_free(&b);
}

void journal_seal(struct buf *line, const char *before, char chain[JOURNAL_CHAIN])
{
    line->len--; /* the last brace */
    compute(before, line->text, line->len, chain);
    buf_printf(line, MARK "%s\"}\n", chain);
}

static bool broken(const struct journal_scan *s, struct err *err, const char *what)
{
    return err_set(err, "%s: line %lld %s, so this journal isn't the true record of its run. Look at that line; to begin a new run, move the file away.",
                   s->path, (long long)s->lines, what);
}

/* len is without the newline. */
static bool check_chain(struct journal_scan *s, const char *line, size_t len, struct err *err)
{
    char chain[JOURNAL_CHAIN];
    if (len <= TAIL_LEN || memcmp(line + len - TAIL_LEN, MARK, MARK_LEN) != 0 || memcmp(line + len - 2, "\"}", 2) != 0)
        return broken(s, err, "carries no chain");
    compute(s->chain, line, len - TAIL_LEN, chain);
    if (memcmp(chain, line + len - TAIL_LEN + MARK_LEN, JOURNAL_CHAIN - 1) != 0)
        return broken(s, err, "breaks the chain: it was changed, or a line before it was taken out or put in");
    copy_text(s->chain, sizeof s->chain, chain);
    return true;
}

static bool take_line(struct journal_scan *s, const char *line, size_t len, struct err *err)
{
    struct event_read read;
    struct err why;
    s->lines++;
    if (!check_chain(s, line, len, err))
        return false;
    if (!event_decode(line, len, &read, &why))
        return err_set(err, "%s: line %lld can't be understood: %.300s Was it written by a newer version?", s->path, (long long)s->lines, why.text);
    if (s->each)
        s->each(s->arg, &read.event, line, len);
    event_read_free(&read);
    s->good += (off_t)len + 1;
    return true;
}

/* Takes every whole line out of `b`; what is left is the beginning of the next one. */
static bool take_lines(struct journal_scan *s, struct buf *b, struct err *err)
{
    size_t from = 0;
    for (char *end; (end = memchr(b->text + from, '\n', b->len - from)); from = (size_t)(end - b->text) + 1)
        if (!take_line(s, b->text + from, (size_t)(end - b->text) - from, err))
            return false;
    memmove(b->text, b->text + from, b->len - from);
    b->len -= from;
    return true;
}

bool journal_scan(struct journal_scan *s, struct err *err)
{
    char part[65536];
    struct buf b = {0};
    ssize_t n;
    bool ok = true;
    while (ok && (n = pread(s->fd, part, sizeof part, s->seen)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            ok = err_set(err, "%s: the journal can't be read: %s.", s->path, strerror(errno));
            break;
        }
        s->seen += n;
        buf_add(&b, part, (size_t)n);
        ok = take_lines(s, &b, err);
        if (ok && b.len > LONGEST_LINE)
            ok = err_set(err, "%s: line %lld is longer than 16 MiB; this isn't a journal.", s->path, (long long)s->lines + 1);
    }
    buf_free(&b);
    return ok;
}

bool journal_read(const char *path, void (*each)(void *arg, const struct event *event, const char *line, size_t len), void *arg, struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0) {
        err_set(err, "%s: the journal can't be opened: %s.", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    struct journal_scan scan = {.fd = fd, .path = path, .each = each, .arg = arg};
    bool ok = S_ISREG(st.st_mode) ? journal_scan(&scan, err) : err_set(err, "%s isn't a regular file, so it isn't a journal.", path);
    close(fd);
    return ok;
}
