/* The half of pooler that touches files: stage, install, restore, each one rename and each safe to repeat. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/pooler.h"

enum { FILE_LIMIT = 4 * 1024 * 1024 };

struct names {
    char real[PATH_MAX], green[PATH_MAX + 16], blue[PATH_MAX + 16];
};

static bool name_files(const char *file, struct names *n, struct err *err)
{
    if (!realpath(file, n->real))
        return err_set(err, "The pooler's file %s can't be found: %s.", file, strerror(errno));
    snprintf(n->green, sizeof n->green, "%s.cutover-green", n->real);
    snprintf(n->blue, sizeof n->blue, "%s.cutover-blue", n->real);
    return true;
}

static bool read_file(const char *path, struct buf *out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, "%s can't be read: %s.", path, strerror(errno));
    char chunk[16384];
    ssize_t n;
    while ((n = read(fd, chunk, sizeof chunk)) > 0 && out->len < FILE_LIMIT)
        buf_add(out, chunk, (size_t)n);
    int failed = n < 0 ? errno : 0;
    close(fd);
    if (failed || out->len >= FILE_LIMIT)
        return err_set(err, "%s can't be read: %s.", path, failed ? strerror(failed) : "it is no ini file, being larger than 4 MiB");
    return true;
}

static bool write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        text += n;
        len -= (size_t)n;
    }
    return true;
}

/* A new file as private as its model: created closed, opened up only once it has the right owner. */
static bool write_like(const char *path, const char *model, const struct buf *text, struct err *err)
{
    struct stat st;
    if (stat(model, &st) < 0)
        return err_set(err, "%s can't be looked at: %s.", model, strerror(errno));
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, "%s can't be written: %s. The pooler's directory must be writable for the switch.", path, strerror(errno));
    bool owned = fchown(fd, st.st_uid, st.st_gid) == 0 || (geteuid() != 0 && st.st_uid == geteuid());
    bool good = owned && write_all(fd, text->text ? text->text : "", text->len) && fchmod(fd, st.st_mode & 07777) == 0 && fsync(fd) == 0;
    int why = errno;
    close(fd);
    if (good)
        return true;
    unlink(path);
    return err_set(err, "%s can't be given the text, mode and owner of %s: %s.", path, model, strerror(why));
}

static void sync_directory(const char *path)
{
    char dir[PATH_MAX];
    copy_text(dir, sizeof dir, path);
    char *slash = strrchr(dir, '/');
    if (slash)
        slash[slash == dir] = '\0';
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

static bool same_text(const char *a, const char *b, bool *same, struct err *err)
{
    struct buf x = {0}, y = {0};
    bool good = read_file(a, &x, err) && read_file(b, &y, err);
    *same = good && x.len == y.len && (x.len == 0 || memcmp(x.text, y.text, x.len) == 0);
    buf_free(&x);
    buf_free(&y);
    return good;
}

/* The line must mean what the plan says of blue: host, port and name, however it is written. */
static bool check_line(const char *real, const struct buf *text, const struct pooler_edit *was, struct err *err)
{
    char line[1024], host[256], port[64], database[256];
    struct err why;
    if (!pooler_line(text->text, text->len, was->database, line, sizeof line, &why))
        return err_set(err, "%s: %.900s", real, why.text);
    if (!pooler_value(line, "port", port, sizeof port))
        copy_text(port, sizeof port, "5432");
    pooler_value(line, "host", host, sizeof host);
    if (!pooler_value(line, "dbname", database, sizeof database))
        copy_text(database, sizeof database, was->database);
    if (pooler_is_target(was->target, host, port, database))
        return true;
    return err_set(err, "%s: the line of \"%s\" leads to host %.100s port %.20s, not to the plan's blue.", real, was->database, host, port);
}

static bool edit_text(const char *real, struct buf *text, const struct pooler_edit *edit, struct err *err)
{
    struct buf out = {0};
    struct err why;
    if (!pooler_rewrite(text->text, text->len, edit->database, edit->target, &out, &why)) {
        buf_free(&out);
        return err_set(err, "%s: %.900s", real, why.text);
    }
    buf_free(text);
    *text = out;
    return true;
}

bool pooler_stage(const char *file, const struct pooler_edit *was, const struct pooler_edit *edits, int nedits, struct err *err)
{
    struct names n;
    struct buf text = {0};
    if (!name_files(file, &n, err))
        return false;
    buf_puts(&text, "");
    bool good = read_file(n.real, &text, err) && write_like(n.blue, n.real, &text, err);
    for (int i = 0; good && i < nedits; i++)
        good = check_line(n.real, &text, &was[i], err);
    for (int i = 0; good && i < nedits; i++)
        good = edit_text(n.real, &text, &edits[i], err);
    good = good && write_like(n.green, n.real, &text, err);
    buf_free(&text);
    if (!good)
        pooler_unstage(file);
    return good;
}

bool pooler_install(const char *file, struct err *err)
{
    struct names n;
    bool same;
    if (!name_files(file, &n, err))
        return false;
    if (access(n.green, F_OK) != 0 && access(n.blue, F_OK) == 0)
        return true;
    if (!same_text(n.real, n.blue, &same, err))
        return false;
    if (!same)
        return err_set(err, "%s was changed by somebody else since the switch staged its new text.", n.real);
    if (rename(n.green, n.real) < 0)
        return err_set(err, "%s can't be replaced: %s.", n.real, strerror(errno));
    sync_directory(n.real);
    return true;
}

bool pooler_restore(const char *file, struct err *err)
{
    struct names n;
    if (!name_files(file, &n, err))
        return false;
    if (access(n.blue, F_OK) != 0)
        return true;
    bool installed = access(n.green, F_OK) != 0;
    if (installed && rename(n.blue, n.real) < 0)
        return err_set(err, "%s can't be put back: %s. Its old text stands in %s.", n.real, strerror(errno), n.blue);
    unlink(n.green);
    unlink(n.blue);
    sync_directory(n.real);
    return true;
}

void pooler_unstage(const char *file)
{
    struct names n;
    struct err err;
    if (!name_files(file, &n, &err))
        return;
    unlink(n.green);
    unlink(n.blue);
}
