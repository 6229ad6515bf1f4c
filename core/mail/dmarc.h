/* dmarc: the policy record of _dmarc.DOMAIN, read by both generations of the standard: RFC 7489 (2015: p right behind v; pct, rf, ri) and
 * RFC 9989 (2026: any order; t, np, psd; pct, rf and ri mean nothing). Receivers of both kinds live side by side. Pure.
 *
 * A record without a valid p, or with a sp or np that is none, still asks for reports when it has a valid rua: it counts as p=none
 * (RFC 7489 6.6.3, RFC 9989 4.10.1). */
#ifndef CORE_MAIL_DMARC_H
#define CORE_MAIL_DMARC_H

#include "core/base.h"

enum dmarc_reading { DMARC_RFC7489, DMARC_RFC9989 };
struct dmarc {
    char p[12], sp[12], np[12]; /* none, quarantine, reject; sp and np default to p (np to sp) */
    bool strict_dkim, strict_spf;
    bool testing;               /* t=y, RFC 9989 */
    int percent;                /* pct, RFC 7489; 100 */
    bool reports;               /* rua has a valid address */
    char rua[256];
};
/* False with a finished sentence when a receiver of that reading takes it for no policy, or when a value is none. */
bool dmarc_parse(struct dmarc *d, const char *record, enum dmarc_reading reading, struct err *err);

#endif
