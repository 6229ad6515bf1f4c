/* dns: questions to one named server each (resolvers, authoritative servers), and names through the system's
 * resolvers. The only user of c-ares. Nothing is cached here, nothing is retried behind the caller's back, and the
 * deadline is ours: see core/dnschannel.c for what c-ares would do otherwise. */
#ifndef CORE_DNS_H
#define CORE_DNS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct task;

enum dns_status {
    DNS_OK,
    DNS_NXDOMAIN,    /* the name does not exist */
    DNS_NODATA,      /* the name exists, this type does not */
    DNS_SERVFAIL,
    DNS_REFUSED,     /* rcode REFUSED or NOTAUTH/NOTIMP: the server will not answer this */
    DNS_TIMEOUT,     /* nothing came within the deadline */
    DNS_UNREACHABLE, /* port closed, no route, network error */
    DNS_BAD_ANSWER,  /* something came that is no DNS answer to the question */
};

struct dns_record {
    const char *name; /* without the last dot; "." is the root */
    int type;         /* 1 A, 28 AAAA, ...: see dnswire.h */
    uint32_t ttl;     /* seconds */
    const char *text; /* sanitised: "192.0.2.1", "10 mx.example", TXT strings joined */
    const char *exact; /* every byte told apart, in printable ASCII: TXT strings each in quotes, odd bytes as \DDD */
};

struct dns_answer {
    enum dns_status status;
    int rcode;           /* as in the message; -1 when there was none */
    int64_t rtt_us;      /* from question to answer or verdict, monotonic */
    bool aa, tc, ad;     /* flags of the message */
    int count;           /* records of the answer section, in order, CNAMEs included */
    const struct dns_record *records;
    uint32_t min_ttl;    /* over the whole chain; of the SOA's negative TTL (RFC 2308) when there is no record; 0 if unknown */
    uint32_t soa_serial; /* of a SOA in answer or authority; 0 if none */
    int ede_code;        /* RFC 8914, -1 if none */
    const char *ede_text;/* sanitised, "" if none */
    const char *error;   /* a finished sentence when status is not DNS_OK, else "" */
};

const char *dns_status_name(enum dns_status s); /* "ok", "NXDOMAIN", "no data", ... */

/* One server. address: IPv4 or IPv6 literal without brackets. NULL when it is none. */
struct dns_server; /* while it lives, its open socket may keep the loop alive */
struct dns_server *dns_server_new(uv_loop_t *loop, const char *address, int port);
void dns_server_free(struct dns_server *s); /* open questions end as unreachable; free them before or after */

/* The system's nameservers, in the order in which it asks them; returns how many there are, at most `most`. */
struct dns_place {
    char address[64];
    int port;
};
int dns_system_servers(struct dns_place *places, int most);

/* Asks. The owner is woken when dns_busy turns false. name without search list; type as in dnswire.h. A deadline
 * beyond 30 s counts as 30 s. */
struct dns_query;
struct dns_query *dns_ask(struct task *owner, struct dns_server *s, const char *name, int type, bool recursion,
                          int64_t timeout_ms);
/* Addresses of a name through hosts file and the system's resolvers: records are A and AAAA. A literal address and
 * "localhost" are answered at once. */
struct dns_query *dns_resolve(struct task *owner, const char *name, int64_t timeout_ms);

bool dns_busy(const struct dns_query *q);
const struct dns_answer *dns_answer(const struct dns_query *q); /* valid until dns_query_free, once not busy */
void dns_query_free(struct dns_query *q);                       /* at any time; NULL is fine */

#endif
