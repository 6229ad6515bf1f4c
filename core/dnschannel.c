/* c-ares is told everything, so that it reads nothing and adds nothing of its own:
 *   - from 1.31 on it caches answers for up to an hour unless ARES_OPT_QUERY_CACHE (bit 21, read from a struct that is
 *     longer than the one of our headers) says 0: hence the padded options;
 *   - without NOCHECKRESP 1.18 hides SERVFAIL and REFUSED behind "connection refused";
 *   - from 1.32 on its own timeout adapts to the mean answer time and gives up after 250 ms, exactly when a resolver
 *     recurses: there it may try again, and our own timer is the deadline;
 *   - a channel asks all of its servers in turn: one channel per server, and one more for questions without recursion;
 *   - a socket for each question costs more than the question: it stays open (STAYOPEN), and who uses the channel makes a new one
 *     now and then, so that the port does not stay the same for ever. */
#include "core/dnschannel.h"

#include <stdlib.h>
#include <string.h>

#include "core/task.h"

enum { EDNS_SIZE = 1232, QUERY_CACHE_BIT = 1 << 21, ADAPTS_SINCE = 0x012000 };

struct dnschannel_line {
    struct dnschannel_line *next;
    int fd;
    struct task_watch *watch;
};

void dnschannel_rearm(struct dnschannel *c)
{
    struct timeval tv, *next = ares_timeout(c->ares, NULL, &tv);
    task_timer_set(c->timer, next ? next->tv_sec * 1000 + next->tv_usec / 1000 + 1 : -1);
}

static void on_ready(void *arg, int fd, int events)
{
    struct dnschannel *c = arg;
    bool in = events < 0 || events & (UV_READABLE | UV_DISCONNECT), out = events < 0 || events & UV_WRITABLE;
    ares_process_fd(c->ares, in ? fd : ARES_SOCKET_BAD, out ? fd : ARES_SOCKET_BAD);
    dnschannel_rearm(c);
}

static void on_late(void *arg)
{
    struct dnschannel *c = arg;
    ares_process_fd(c->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    dnschannel_rearm(c);
}

static void drop_line(struct dnschannel_line **at)
{
    struct dnschannel_line *l = *at;
    *at = l->next;
    task_watch_free(l->watch);
    free(l);
}

static void on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct dnschannel *c = arg;
    struct dnschannel_line **at = &c->lines;
    while (*at && (*at)->fd != fd)
        at = &(*at)->next;
    int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
    if (!events) {
        if (*at)
            drop_line(at);
        return;
    }
    if (!*at) {
        *at = xcalloc(1, sizeof **at);
        (*at)->fd = fd;
        (*at)->watch = task_watch_new(c->loop, fd, on_ready, c);
    }
    task_watch_events((*at)->watch, events);
}

static void use_library(void)
{
    static bool ready;
    if (ready)
        return;
    int rc = ares_library_init(ARES_LIB_INIT_ALL);
    if (rc != ARES_SUCCESS)
        die("c-ares does not start: %s", ares_strerror(rc));
    ready = true;
}

struct dnschannel *dnschannel_new(uv_loop_t *loop, const char *csv, bool recursion)
{
    use_library();
    struct dnschannel *c = xcalloc(1, sizeof *c);
    union {
        struct ares_options o;
        char pad[1024];
    } u;
    int version, mask = ARES_OPT_FLAGS | ARES_OPT_SOCK_STATE_CB | QUERY_CACHE_BIT;
    ares_version(&version);
    memset(&u, 0, sizeof u);
    u.o.flags = ARES_FLAG_EDNS | ARES_FLAG_STAYOPEN | (recursion ? 0 : ARES_FLAG_NORECURSE);
    if (csv)
        u.o.flags |= ARES_FLAG_NOCHECKRESP | ARES_FLAG_PRIMARY | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
    u.o.ednspsz = EDNS_SIZE;
    u.o.sock_state_cb = on_socket;
    u.o.sock_state_cb_data = c;
    u.o.ndots = 1;
    u.o.lookups = "b";
    u.o.timeout = DNSCHANNEL_LONGEST_MS;
    u.o.tries = version >= ADAPTS_SINCE ? 4 : 1;
    mask |= ARES_OPT_EDNSPSZ;
    if (csv) /* SERVERS, DOMAINS and SORTLIST with nothing in them, and nothing is left to look up in /etc */
        mask |= ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_LOOKUPS | ARES_OPT_SERVERS |
                ARES_OPT_DOMAINS | ARES_OPT_SORTLIST;
    int rc = ares_init_options(&c->ares, &u.o, mask);
    if (rc == ARES_SUCCESS && csv)
        rc = ares_set_servers_ports_csv(c->ares, csv);
    if (rc != ARES_SUCCESS)
        die("c-ares cannot be set up for %s: %s", csv ? csv : "the system's resolvers", ares_strerror(rc));
    c->loop = loop;
    c->timer = task_timer_new(loop, on_late, c);
    return c;
}

void dnschannel_free(struct dnschannel *c)
{
    if (!c)
        return;
    ares_destroy(c->ares);
    while (c->lines)
        drop_line(&c->lines);
    task_timer_free(c->timer);
    free(c);
}

struct ares_addr_port_node *dnschannel_system_servers(void)
{
    ares_channel channel;
    struct ares_addr_port_node *list = NULL;
    use_library();
    if (ares_init(&channel) != ARES_SUCCESS)
        return NULL;
    if (ares_get_servers_ports(channel, &list) != ARES_SUCCESS)
        list = NULL;
    ares_destroy(channel);
    return list;
}
