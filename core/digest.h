/* digest: SHA-256, HMAC-SHA-256 and base64, for TSIG and the journal's hash chain; public keys, for DKIM. The only user of libcrypto. */
#ifndef CORE_DIGEST_H
#define CORE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE 32
#define DIGEST_HEX_SIZE 65

void digest_sha256(uint8_t out[DIGEST_SIZE], const void *data, size_t len);
void digest_sha256_hex(char out[DIGEST_HEX_SIZE], const void *data, size_t len); /* lower case, NUL-terminated */

struct digest_part {
    const void *data;
    size_t len;
};
void digest_hmac_sha256(uint8_t out[DIGEST_SIZE], const void *key, size_t key_len, const struct digest_part *parts,
                        int count);
bool digest_equal(const uint8_t *a, const uint8_t *b, size_t len); /* in constant time */
void digest_wipe(void *secret, size_t len);
void digest_random(void *out, size_t len);

/* Bits of an RSA public key in DER: SubjectPublicKeyInfo (RFC 5280 4.1.2.7) or RSAPublicKey (RFC 8017 A.1.1); 0 when it is none. */
int digest_rsa_bits(const uint8_t *der, size_t len);
/* The public half of a private key: DER of SubjectPublicKeyInfo for RSA, the 32 raw bytes for ed25519. pem: the text of the file; a key
 * behind a password is none. */
bool digest_public_half(uint8_t *out, size_t size, size_t *len, const char *pem);
/* Do two RSA public keys in DER have the same numbers? */
bool digest_rsa_same(const uint8_t *a, size_t alen, const uint8_t *b, size_t blen);

/* RFC 4648 with padding; false if the text is none or the bytes do not fit. */
bool digest_base64_decode(uint8_t *out, size_t size, size_t *len, const char *text);

#endif
