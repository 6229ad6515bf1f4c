#include "core/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <string.h>

#include "core/base.h"

void digest_sha256(uint8_t out[DIGEST_SIZE], const void *data, size_t len)
{
    if (!EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL))
        die("libcrypto cannot compute SHA-256");
}

void digest_sha256_hex(char out[DIGEST_HEX_SIZE], const void *data, size_t len)
{
    uint8_t raw[DIGEST_SIZE];
    digest_sha256(raw, data, len);
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        out[2 * i] = "0123456789abcdef"[raw[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[raw[i] & 15];
    }
    out[2 * DIGEST_SIZE] = '\0';
}

void digest_hmac_sha256(uint8_t out[DIGEST_SIZE], const void *key, size_t key_len, const struct digest_part *parts,
                        int count)
{
    static const uint8_t none[1];
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL, key_len ? key : none, key_len);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = DIGEST_SIZE;
    bool ok = pkey && ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1;
    for (int i = 0; ok && i < count; i++)
        ok = EVP_DigestSignUpdate(ctx, parts[i].data, parts[i].len) == 1;
    ok = ok && EVP_DigestSignFinal(ctx, out, &len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    if (!ok)
        die("libcrypto cannot compute HMAC-SHA-256");
}

bool digest_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void digest_wipe(void *secret, size_t len)
{
    OPENSSL_cleanse(secret, len);
}

void digest_random(void *out, size_t len)
{
    if (RAND_bytes(out, (int)len) != 1)
        die("libcrypto has no random numbers");
}

static int digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *p = c ? strchr(digits, c) : NULL;
    return p ? (int)(p - digits) : -1;
}

/* One group of four characters: returns how many bytes it holds, 0 if it is none. */
static size_t decode_group(uint8_t out[3], const char *in)
{
    size_t pad = in[3] != '=' ? 0 : in[2] != '=' ? 1 : 2;
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int d = i >= 4 - pad ? 0 : digit(in[i]);
        if (d < 0)
            return 0;
        bits = bits << 6 | (uint32_t)d;
    }
    out[0] = (uint8_t)(bits >> 16);
    out[1] = (uint8_t)(bits >> 8);
    out[2] = (uint8_t)bits;
    return 3 - pad;
}

bool digest_base64_decode(uint8_t *out, size_t size, size_t *len, const char *text)
{
    size_t n = strlen(text);
    *len = 0;
    if (n % 4)
        return false;
    for (size_t i = 0; i < n; i += 4) {
        uint8_t group[3];
        size_t bytes = decode_group(group, text + i);
        if (!bytes || (bytes < 3 && i + 4 < n) || *len + bytes > size)
            return false;
        memcpy(out + *len, group, bytes);
        *len += bytes;
    }
    return true;
}

/* ---- public keys ---- */

static EVP_PKEY *read_rsa(const uint8_t *der, size_t len)
{
    const unsigned char *at = der;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)len);
    at = der;
    if (!key)
        key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)len);
    if (key && EVP_PKEY_base_id(key) != EVP_PKEY_RSA) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

int digest_rsa_bits(const uint8_t *der, size_t len)
{
    EVP_PKEY *key = read_rsa(der, len);
    int bits = key ? EVP_PKEY_bits(key) : 0;
    EVP_PKEY_free(key);
    return bits;
}

bool digest_rsa_same(const uint8_t *a, size_t alen, const uint8_t *b, size_t blen)
{
    EVP_PKEY *x = read_rsa(a, alen), *y = read_rsa(b, blen);
    bool same = x && y && EVP_PKEY_eq(x, y) == 1;
    EVP_PKEY_free(x);
    EVP_PKEY_free(y);
    return same;
}

static int no_password(char *buf, int size, int writing, void *arg)
{
    (void)buf, (void)size, (void)writing, (void)arg;
    return 0;
}

bool digest_public_half(uint8_t *out, size_t size, size_t *len, const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    bool ok = false;
    *len = size;
    if (key && EVP_PKEY_base_id(key) == EVP_PKEY_ED25519) {
        ok = EVP_PKEY_get_raw_public_key(key, out, len) == 1;
    } else if (key && EVP_PKEY_base_id(key) == EVP_PKEY_RSA) {
        int n = i2d_PUBKEY(key, NULL);
        unsigned char *at = out;
        ok = n > 0 && (size_t)n <= size && i2d_PUBKEY(key, &at) == n;
        *len = (size_t)MAX(n, 0);
    }
    EVP_PKEY_free(key);
    BIO_free(bio);
    return ok;
}
