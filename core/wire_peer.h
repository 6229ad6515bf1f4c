/* wire_peer: the socket's place in the file system, and who is at its other end. Private to core/wire*.c. */
#ifndef CORE_WIRE_PEER_H
#define CORE_WIRE_PEER_H

#include "core/base.h"

/* Makes the directory (0700) if it isn't there, and takes a socket away on which nobody listens any more. False with a
 * sentence when the path can't be used, or when an engine listens on it. */
bool wire_peer_clear(const char *path, struct err *err);

struct wire_peer {
    char user[64]; /* login name by uid, "uid 1000" when it has none */
    char tty[64];  /* "/dev/pts/3", "" when it has none */
    bool allowed;  /* our own user, or root */
};
bool wire_peer_ask(int fd, struct wire_peer *peer);

#endif
