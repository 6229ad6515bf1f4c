#include "core/place.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* mkdir -p, each part 0700. */
static bool make_dirs(const char *path, struct err *err)
{
    char part[512];
    if (copy_text(part, sizeof part, path) >= sizeof part)
        return err_set(err, "%s: the path is too long for a state directory", path);
    char *slash = part;
    do {
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return err_set(err, "%s: can't make the state directory: %s. Name another with --state DIR.", part, strerror(errno));
        if (slash)
            *slash = '/';
    } while (slash);
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return err_set(err, "%s: is not a directory. Name another with --state DIR.", path);
    return true;
}

bool place_state_dir(const char *given, char *buf, size_t size, struct err *err)
{
    const char *own = getenv("CUTOVER_STATE"), *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (given && *given)
        copy_text(buf, size, given);
    else if (own && *own)
        copy_text(buf, size, own);
    else if (xdg && *xdg)
        snprintf(buf, size, "%s/cutover", xdg);
    else
        snprintf(buf, size, "%s/.local/state/cutover", home && *home ? home : "/tmp");
    return make_dirs(buf, err);
}

void place_slug(const char *name, char *buf, size_t size)
{
    size_t n = 0;
    buf[0] = '\0';
    for (const char *c = name; *c && n + 1 < MIN(size, (size_t)64); c++) {
        bool plain = isalnum((unsigned char)*c) || *c == '_' || *c == '.';
        if (plain)
            buf[n++] = (char)tolower((unsigned char)*c);
        else if (n && buf[n - 1] != '-')
            buf[n++] = '-';
    }
    while (n && buf[n - 1] == '-')
        n--;
    buf[n] = '\0';
    if (n == 0 || buf[0] == '.')
        copy_text(buf, size, "run");
}

void place_of(const char *dir, const char *name, const char *ending, char *buf, size_t size)
{
    char slug[80];
    place_slug(name, slug, sizeof slug);
    snprintf(buf, size, "%s/%s%s", dir, slug, ending);
}

/* Every run has its NAME.d, also when its engine is gone and its socket with it. */
bool place_only(const char *dir, char *name, size_t size, struct err *err)
{
    DIR *d = opendir(dir);
    int found = 0;
    for (struct dirent *e; d && (e = readdir(d));) {
        size_t len = strlen(e->d_name);
        if (len <= 2 || strcmp(e->d_name + len - 2, ".d") != 0 || e->d_name[0] == '.')
            continue;
        found++;
        copy_text(name, MIN(size, len - 1), e->d_name);
    }
    if (d)
        closedir(d);
    if (found > 1)
        return err_set(err, "%s: %d runs are here; name the one you mean", dir, found);
    return found == 1 || err_set(err, "%s: no run is here; start one with: cutover PLAN", dir);
}

/* A socket of another type can't be connected, but the refusal tells whether somebody holds the name: the engine sees
 * nothing of it, so that asking makes no screen that joins and leaves. */
bool place_is_answered(const char *socket_path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (copy_text(to.sun_path, sizeof to.sun_path, socket_path) >= sizeof to.sun_path)
        return false;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool yes = fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) != 0 && errno == EPROTOTYPE;
    if (fd >= 0)
        close(fd);
    return yes;
}
