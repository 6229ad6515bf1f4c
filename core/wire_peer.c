#include "core/wire_peer.h"

#include <errno.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/text.h"

/* ---- the place ---- */

static bool check_directory(const char *dir, struct err *err)
{
    struct stat st;
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return err_set(err, "%s: the directory of the socket can't be made: %s.", dir, strerror(errno));
    if (stat(dir, &st) < 0)
        return err_set(err, "%s: the directory of the socket can't be looked at: %s.", dir, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return err_set(err, "%s isn't a directory; name another state directory.", dir);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return err_set(err, "%s belongs to another user, who could replace the socket; name a directory of your own.", dir);
    if ((st.st_mode & 022) && !(st.st_mode & S_ISVTX))
        return err_set(err, "%s can be written by others, who could replace the socket; run  chmod go-w %s.", dir, dir);
    return true;
}

/* The pid of the process that listens there; 0: nobody does; -1: it can't be known. */
static long find_listener(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct ucred cred;
    socklen_t len = sizeof cred;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    long pid = -1;
    copy_text(name.sun_path, sizeof name.sun_path, path);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&name, sizeof name) == 0)
        pid = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 && cred.pid > 0 ? (long)cred.pid : -1;
    else if (errno == ECONNREFUSED || errno == ENOENT)
        pid = 0;
    if (fd >= 0)
        close(fd);
    return pid;
}

static bool check_socket(const char *path, struct err *err)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT || err_set(err, "%s: the socket can't be looked at: %s.", path, strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, "%s is there already and isn't a socket; move it away.", path);
    long pid = find_listener(path);
    char who[32] = "";
    if (pid > 0)
        snprintf(who, sizeof who, " (process %ld)", pid);
    if (pid)
        return err_set(err, "%s: another engine%s runs this already. Attach to it with  cutover attach,  or end it first.", path, who);
    if (unlink(path) < 0 && errno != ENOENT)
        return err_set(err, "%s: the socket of an engine that is gone can't be taken away: %s.", path, strerror(errno));
    return true;
}

bool wire_peer_clear(const char *path, struct err *err)
{
    struct sockaddr_un name;
    if (strlen(path) >= sizeof name.sun_path)
        return err_set(err, "%s: the path of the socket has %zu bytes, and the system takes at most %zu; name a shorter state directory.", path,
                       strlen(path), sizeof name.sun_path - 1);
    char *copy = xstrdup(path);
    bool ok = check_directory(dirname(copy), err);
    free(copy);
    return ok && check_socket(path, err);
}

/* ---- the other end ---- */

static void name_user(uid_t uid, char *out, size_t size)
{
    char room[16384];
    struct passwd entry, *found = NULL;
    if (getpwuid_r(uid, &entry, room, sizeof room, &found) == 0 && found && found->pw_name[0])
        text_line(out, size, found->pw_name, strlen(found->pw_name));
    else
        snprintf(out, size, "uid %lu", (unsigned long)uid);
}

/* Its terminal is what its standard input, output or error is open on. */
static void name_tty(pid_t pid, char *out, size_t size)
{
    char link[64], raw[256];
    out[0] = '\0';
    for (int fd = 0; fd < 3 && !out[0]; fd++) {
        snprintf(link, sizeof link, "/proc/%ld/fd/%d", (long)pid, fd);
        ssize_t n = readlink(link, raw, sizeof raw - 1);
        if (n > 0 && (strncmp(raw, "/dev/pts/", MIN((size_t)n, 9)) == 0 || strncmp(raw, "/dev/tty", MIN((size_t)n, 8)) == 0))
            text_line(out, size, raw, (size_t)n);
    }
}

bool wire_peer_ask(int fd, struct wire_peer *peer)
{
    struct ucred cred;
    socklen_t len = sizeof cred;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
        return false;
    peer->allowed = cred.uid == geteuid() || cred.uid == 0;
    name_user(cred.uid, peer->user, sizeof peer->user);
    name_tty(cred.pid, peer->tty, sizeof peer->tty);
    return true;
}
