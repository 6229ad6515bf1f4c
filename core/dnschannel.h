/* dnschannel: a c-ares channel on the loop, with everything that c-ares would do on its own turned off. Part of the
 * dns room. */
#ifndef CORE_DNSCHANNEL_H
#define CORE_DNSCHANNEL_H

#include <ares.h>
#include <uv.h>

#include "core/base.h"

enum { DNSCHANNEL_LONGEST_MS = 30 * 1000 }; /* no question waits longer */

struct dnschannel {
    ares_channel ares;
    uv_loop_t *loop;
    struct dnschannel_line *lines; /* one per open socket */
    struct task_timer *timer;
};

/* where: "address:port" or "[v6]:port"; NULL: the system's resolvers, its hosts file and search order. */
struct dnschannel *dnschannel_new(uv_loop_t *loop, const char *where, bool recursion);
void dnschannel_rearm(struct dnschannel *c); /* after each ares_query */
/* Ends the open questions with ARES_EDESTRUCTION, before the memory goes. NULL is fine. */
void dnschannel_free(struct dnschannel *c);

/* The nameservers of the system's configuration; the caller frees the list with ares_free_data. NULL: none can be read. */
struct ares_addr_port_node *dnschannel_system_servers(void);

#endif
