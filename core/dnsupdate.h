/* dnsupdate: change a record at its primary by dynamic update (RFC 2136), signed with TSIG (RFC 8945, hmac-sha256),
 * and only if it still is what the operator saw: the old values are a prerequisite of the same message. */
#ifndef CORE_DNSUPDATE_H
#define CORE_DNSUPDATE_H

#include "core/base.h"

struct task;

struct dnsupdate_key {
    char name[256];
    uint8_t secret[128];
    size_t len;
};
/* Reads a file with one line `name:algorithm:base64`; hmac-sha256 is the only algorithm. The error never quotes it. */
bool dnsupdate_key_read(struct dnsupdate_key *key, const char *path, struct err *err);

struct dnsupdate_change {
    const char *zone, *name;
    int type;                /* see dnswire.h */
    const char *const *old;  /* the values it must have now; old_count 0: the record must not exist */
    int old_count;
    const char *const *new;  /* the values afterwards, with the TTL below; new_count 0 deletes. Same as old: sets the TTL only */
    int new_count;
    uint32_t ttl;            /* seconds */
};

enum dnsupdate_result {
    DNSUPDATE_DONE,
    DNSUPDATE_CHANGED,   /* the record is not what was expected (NXRRSET, YXRRSET, NXDOMAIN): nothing was changed */
    DNSUPDATE_REFUSED,   /* the server said no for another reason: nothing was changed */
    DNSUPDATE_UNKNOWN,   /* no answer, or one that isn't signed by the key: look at the record before anything else */
    DNSUPDATE_BAD_ORDER, /* the change can't be written as a message: nothing was sent */
};

struct dnsupdate;
struct dnsupdate *dnsupdate_new(struct task *owner, const char *address, int port, const struct dnsupdate_key *key);
void dnsupdate_send(struct dnsupdate *u, const struct dnsupdate_change *change, int64_t timeout_ms); /* copies what it needs */
bool dnsupdate_busy(const struct dnsupdate *u);
enum dnsupdate_result dnsupdate_result(const struct dnsupdate *u);
const char *dnsupdate_rcode(const struct dnsupdate *u); /* "NOERROR", "NXRRSET", "" without an answer */
const char *dnsupdate_error(const struct dnsupdate *u); /* finished sentence unless done, else "" */
int64_t dnsupdate_elapsed_us(const struct dnsupdate *u);
void dnsupdate_free(struct dnsupdate *u); /* NULL is fine */

#endif
