/* dkim: the public key that receivers find under SELECTOR._domainkey.DOMAIN (RFC 6376) is one, has not been revoked, and belongs to the
 * private key that green signs with, where the plan names its file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/check/names.h"
#include "core/digest.h"
#include "core/dnswire.h"
#include "core/mail/dkim.h"

enum { SHORT_RSA = 2048, KEY_FILE_MAX = 16384 };


static bool next(struct check_run *run, struct names *n)
{
    snprintf(n->name, sizeof n->name, "%s._domainkey.%s", check_option(run, "selector", ""), names_domain(run));
    n->type = DNS_TXT;
    return true;
}

/* False when it has ended the check: the file can't be read, or is no key. */
static bool read_private(struct check_run *run, const char *path, uint8_t *out, size_t size, size_t *len)
{
    char text[KEY_FILE_MAX];
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f)
        fclose(f);
    text[n] = '\0';
    bool ok = n && digest_public_half(out, size, len, text);
    digest_wipe(text, sizeof text);
    if (!ok)
        check_end(run, CHECK_UNKNOWN, "", f ? "The key %s is no private key in PEM without a password (RSA or ed25519)." : "The key %s can't be read.", path);
    return ok;
}

static bool is_same(const struct dkim_key *k, const uint8_t *ours, size_t len)
{
    if (strcmp(k->algorithm, "ed25519") == 0)
        return len == k->key_len && memcmp(ours, k->key, len) == 0;
    return digest_rsa_same(ours, len, k->key, k->key_len);
}

static void judge_private(struct check_run *run, const struct dkim_key *k, const char *record)
{
    const char *path = check_option(run, "private", "");
    uint8_t ours[1100];
    size_t len = 0;
    const char *name = ((struct names *)run->own)->name, *weak = strcmp(k->algorithm, "rsa") == 0 && k->bits < SHORT_RSA ? "; 2048 is the usual" : "";
    if (*path && !read_private(run, path, ours, sizeof ours, &len))
        return;
    if (*path && !is_same(k, ours, len))
        check_end(run, CHECK_FAIL, record, "The key at %s is not the public half of %s: what green signs will not pass. Publish green's key under a selector of its own.", name, path);
    else
        check_end(run, CHECK_PASS, record, "%s holds a key (%s, %d bits%s)%s%s.", name, k->algorithm, k->bits, weak, *path ? ", the public half of green's" : "", k->testing ? "; t=y: receivers may ignore it" : "");
}

static void take(struct check_run *run, const struct dns_answer *a)
{
    const struct names *n = run->own;
    const char *record = NULL;
    struct dkim_key k;
    struct err err = {0};
    int found = names_find(a, DNS_TXT, "", &record);
    if (found == 0)
        check_end(run, CHECK_FAIL, "", "There is no key at %s: mail that green signs with this selector will not pass.", n->name);
    else if (found > 1)
        check_end(run, CHECK_FAIL, record, "%s has %d TXT records; a receiver may take any of them. Leave one.", n->name, found);
    else if (!dkim_parse(&k, record, &err))
        check_end(run, CHECK_FAIL, record, "%s: %s", n->name, err.text);
    else if (k.revoked)
        check_end(run, CHECK_FAIL, record, "The key at %s was revoked (p= is empty): nothing that is signed with it passes.", n->name);
    else if (!k.email || !k.sha256)
        check_end(run, CHECK_FAIL, record, "The key at %s is not for mail signed with SHA-256 (%s).", n->name, k.email ? "h=" : "s=");
    else
        judge_private(run, &k, record);
}

static void work(struct task *task)
{
    static const struct names_kind kind = {next, take};
    names_go((struct check_run *)task, &kind);
}

static void free_own(struct check_run *run)
{
    names_free(run->own);
}

const struct check_kind check_dkim = {.name = "dkim", .own_size = sizeof(struct names), .run = work, .free_own = free_own};
