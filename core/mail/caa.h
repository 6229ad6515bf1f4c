/* caa: which certificate authority may issue for a name (RFC 8659; accounturi and validationmethods: RFC 8657; issuemail: RFC 9495). Pure.
 * A property is written as dnswire prints it: 0 issue "letsencrypt.org". */
#ifndef CORE_MAIL_CAA_H
#define CORE_MAIL_CAA_H

#include "core/base.h"

struct caa {
    int flags;
    char tag[32];    /* lower case */
    char value[512];
    char issuer[256];/* of the issue family; "" = nobody */
    char accounturi[256], methods[128];
};
/* False with a finished sentence when the value is none of its tag's kind. An unknown tag is valid: it counts when it is critical. */
bool caa_parse(struct caa *c, int flags, const char *tag, const char *value, struct err *err);
bool caa_read(struct caa *c, const char *text, struct err *err); /* 0 issue "ca.example; accounturi=..." */

enum caa_answer { CAA_ALLOWED, CAA_FORBIDDEN, CAA_CRITICAL }; /* CRITICAL: a property that a CA must know and does not */
/* May this CA issue for the name? wildcard: issuewild counts before issue (RFC 8659 4.3). No property of the kind: everybody may. */
enum caa_answer caa_allows(const struct caa *set, int n, const char *issuer, bool wildcard);

#endif
