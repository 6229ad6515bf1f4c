/* dnssnap: what a zone says about the names of a plan, as a text file that a repository keeps and that diff reads:
 *
 *     # cutover dns snapshot 1
 *     # zone shop.test, serial 7
 *     _dmarc.shop.test TXT 60 "v=DMARC1; p=reject"
 *     www.shop.test A 20 127.0.2.1
 *
 * One line is one record: name, type, TTL in seconds, value. The lines are sorted by their bytes, nothing in the file
 * depends on when or where it was made: the same zone is the same file. Values are exact (struct dns_record), names are
 * lower case without the last dot. Other lines that begin with # and empty lines may stand anywhere after the first. */
#ifndef CORE_DNSSNAP_H
#define CORE_DNSSNAP_H

#include "core/plan.h"

struct dnssnap_record {
    const char *name, *type, *value;
    int64_t ttl;
    int line; /* in the file; 0 when it comes from a server */
};
struct dnssnap { /* {0} is empty */
    struct dnssnap_record *records;
    int count, room;
    struct arena arena;
};

void dnssnap_add(struct dnssnap *s, const char *name, const char *type, int64_t ttl, const char *value, int line);
void dnssnap_sort(struct dnssnap *s);
int dnssnap_compare(const struct dnssnap_record *a, const struct dnssnap_record *b, bool value); /* by name, type, and value if asked */
bool dnssnap_serial(const struct dnssnap_record *r, uint32_t *serial);                            /* of a SOA */
void dnssnap_write(const struct dnssnap *s, const char *zone, struct buf *out);
/* "-" is standard input. False, with each mistake as "file:line: sentence", when it cannot be read. */
bool dnssnap_read(struct dnssnap *s, const char *file, struct plan_problems *problems);
void dnssnap_free(struct dnssnap *s);

/* What became of OLD, a line for each difference; returns how many. */
int dnssnap_diff(const struct dnssnap *old, const struct dnssnap *new, struct buf *out);

/* Asks the plan's authoritative server for everything that the file holds. Runs a loop of its own until that is done. */
bool dnssnap_take(struct dnssnap *s, const struct plan *plan, struct err *err);

/* `cutover dns snapshot PLAN`, `cutover dns diff OLD NEW`; argv[0] is "dns". Returns 0 (the same), 1 they (or the zone's servers) differ, 2 it
 * could not be read or asked, 64 wrong usage. */
int dnssnap_main(int argc, char **argv);

#endif
