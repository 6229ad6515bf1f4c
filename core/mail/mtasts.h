/* mtasts: the record of _mta-sts.DOMAIN (RFC 8461 3.1) and the policy at https://mta-sts.DOMAIN/.well-known/mta-sts.txt (3.2). Pure. */
#ifndef CORE_MAIL_MTASTS_H
#define CORE_MAIL_MTASTS_H

#include "core/base.h"

enum { MTASTS_MX_MAX = 64 };
struct mtasts {
    char mode[8];       /* enforce, testing, none */
    int64_t max_age;    /* seconds for which senders keep it */
    char mx[MTASTS_MX_MAX][256]; /* "mail.example.com" or "*.example.com" */
    int nmx;
};
/* False with a finished sentence. id: 33 bytes; changes whenever the policy does. */
bool mtasts_parse_record(char *id, size_t size, const char *record, struct err *err);
bool mtasts_parse_policy(struct mtasts *p, const char *text, struct err *err);
/* Whether a policy lists a mail server: a leading "*." stands for exactly one label (RFC 8461 4.1). */
bool mtasts_lists(const struct mtasts *p, const char *host);

#endif
