/* dkim: the public key of a selector, as it stands in SELECTOR._domainkey.DOMAIN (RFC 6376 3.6.1; ed25519: RFC 8463). Pure. */
#ifndef CORE_MAIL_DKIM_H
#define CORE_MAIL_DKIM_H

#include "core/base.h"

struct dkim_key {
    char algorithm[16]; /* rsa, ed25519 */
    int bits;           /* of the key; 0 when it was revoked */
    bool revoked;       /* p= is empty: no signature passes any more */
    bool testing;       /* t=y: receivers may treat it as if there was no signature */
    bool strict;        /* t=s: i= must be of the very domain */
    bool sha256;        /* h= allows it, or says nothing */
    bool email;         /* s= allows it */
    uint8_t key[1100];  /* the DER of p=, or the 32 bytes of ed25519 */
    size_t key_len;
};
/* False with a finished sentence when it is no key record. */
bool dkim_parse(struct dkim_key *k, const char *record, struct err *err);

#endif
