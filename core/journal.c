/* The writing half: lock, append, sync. The reading half is core/journal_read.c. */
#include "core/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/journal_chain.h"

struct journal {
    int fd;
    char *path;
    off_t size;               /* where the last good line ends */
    bool torn;                /* something may stand behind `size` that could not be cut off */
    char chain[JOURNAL_CHAIN]; /* of the last good line */
};

/* ---- opening ---- */

/* Who holds the lock, as /proc/locks tells it (proc(5)); 0 when it isn't said. */
static long find_holder(int fd)
{
    struct stat st;
    FILE *f = fopen("/proc/locks", "re");
    char line[256], kind[16];
    long holder = 0, pid;
    unsigned major_, minor_;
    unsigned long inode;
    while (f && fstat(fd, &st) == 0 && fgets(line, sizeof line, f))
        if (sscanf(line, "%*d: %15s %*s %*s %ld %x:%x:%lu", kind, &pid, &major_, &minor_, &inode) == 5 && strcmp(kind, "FLOCK") == 0 &&
            inode == (unsigned long)st.st_ino && makedev(major_, minor_) == st.st_dev && pid > 0)
            holder = pid;
    if (f)
        fclose(f);
    return holder;
}

static bool lock(struct journal *j, struct err *err)
{
    if (flock(j->fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno != EWOULDBLOCK)
        return err_set(err, "%s: the journal can't be locked: %s.", j->path, strerror(errno));
    long pid = find_holder(j->fd);
    char who[40] = "another process";
    if (pid)
        snprintf(who, sizeof who, "process %ld", pid);
    return err_set(err, "%s: %s writes this journal already, so this run has its engine. Attach to it with  cutover attach,  or end it first.", j->path, who);
}

/* A new name is only on disk when its directory is (fsync(2)). */
static bool sync_directory(const char *path, struct err *err)
{
    char *copy = xstrdup(path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (!ok)
        err_set(err, "%s: the directory of the journal can't be synced to disk: %s.", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    free(copy);
    return ok;
}

static bool open_file(struct journal *j, struct err *err)
{
    const int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    struct stat st;
    j->fd = open(j->path, flags | O_CREAT | O_EXCL, 0600);
    bool created = j->fd >= 0;
    if (!created && errno == EEXIST)
        j->fd = open(j->path, flags);
    if (j->fd < 0 || fstat(j->fd, &st) < 0)
        return err_set(err, "%s: the journal can't be opened: %s.", j->path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(err, "%s: the journal isn't a regular file. Move it away or name another state directory.", j->path);
    if ((st.st_mode & 077) && fchmod(j->fd, 0600) < 0)
        return err_set(err, "%s: the journal can be read by others and its mode can't be changed: %s.", j->path, strerror(errno));
    return !created || sync_directory(j->path, err);
}

/* What stands behind the last whole line was never acknowledged to anybody. */
static bool cut_tail(struct journal *j, struct err *err)
{
    if (ftruncate(j->fd, j->size) == 0 && fsync(j->fd) == 0)
        return true;
    return err_set(err, "%s: the torn last line can't be cut off: %s.", j->path, strerror(errno));
}

static bool read_back(struct journal *j, void (*each)(void *arg, const struct event *event, const char *line, size_t len), void *arg, struct err *err)
{
    struct journal_scan scan = {.fd = j->fd, .path = j->path, .each = each, .arg = arg};
    if (!journal_scan(&scan, err))
        return false;
    j->size = scan.good;
    copy_text(j->chain, sizeof j->chain, scan.chain);
    return scan.seen == scan.good || cut_tail(j, err);
}

/* Past a file size limit (setrlimit(2)) write must fail with a reason, not kill the engine. */
static void survive_size_limit(void)
{
    struct sigaction now;
    if (sigaction(SIGXFSZ, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
        signal(SIGXFSZ, SIG_IGN);
}

struct journal *journal_open(const char *path, void (*each)(void *arg, const struct event *event, const char *line, size_t len), void *arg, struct err *err)
{
    struct journal *j = xcalloc(1, sizeof *j);
    j->path = xstrdup(path);
    j->fd = -1;
    survive_size_limit();
    if (open_file(j, err) && lock(j, err) && read_back(j, each, arg, err))
        return j;
    journal_close(j);
    return NULL;
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    if (j->fd >= 0)
        close(j->fd);
    free(j->path);
    free(j);
}

const char *journal_path(const struct journal *j)
{
    return j->path;
}

/* ---- appending ---- */

static bool write_all(int fd, const char *text, size_t len)
{
    while (len) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? ENOSPC : errno;
            return false;
        }
        text += n;
        len -= (size_t)n;
    }
    return true;
}

/* The file must be the one that this process left behind, and still have a name. */
static bool is_ours(struct journal *j, struct err *err)
{
    struct stat st;
    if (fstat(j->fd, &st) < 0)
        return err_set(err, "%s: the journal can't be looked at: %s.", j->path, strerror(errno));
    if (st.st_nlink == 0)
        return err_set(err, "%s: the journal was deleted while the run goes on. Stop the engine and start it again: a new journal begins.", j->path);
    if (j->torn && (ftruncate(j->fd, j->size) < 0))
        return err_set(err, "%s: the journal has a half-written line that can't be cut off: %s.", j->path, strerror(errno));
    if (!j->torn && st.st_size != j->size)
        return err_set(err, "%s: the journal was changed by somebody else: it has %lld bytes and should have %lld. Every step stays closed.", j->path,
                       (long long)st.st_size, (long long)j->size);
    j->torn = false;
    return true;
}

static bool give_back(struct journal *j, int why, struct err *err)
{
    j->torn = ftruncate(j->fd, j->size) < 0;
    return err_set(err, "The journal can't be written (%s): %s. Watching goes on, every step is closed. %s", strerror(why),
                   why == ENOSPC || why == EDQUOT || why == EFBIG ? "make room on its disk" : "look at its disk", j->path);
}

bool journal_append(struct journal *j, const struct event *event, bool sync, struct buf *line, struct err *err)
{
    char chain[JOURNAL_CHAIN];
    line->len = 0;
    event_encode(event, line);
    journal_seal(line, j->chain, chain);
    if (!is_ours(j, err))
        return false;
    if (!write_all(j->fd, line->text, line->len) || (sync && fdatasync(j->fd) < 0))
        return give_back(j, errno, err);
    j->size += (off_t)line->len;
    copy_text(j->chain, sizeof j->chain, chain);
    return true;
}
