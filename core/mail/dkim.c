#include "core/mail/dkim.h"

#include <string.h>
#include <strings.h>

#include "core/digest.h"
#include "core/mail/taglist.h"

enum { ED25519_LEN = 32 };

static bool has_item(const char *list, const char *item)
{
    char buf[64];
    for (const char *at = list; taglist_item(&at, ':', buf, sizeof buf);)
        if (strcasecmp(buf, item) == 0)
            return true;
    return false;
}

/* White space may stand anywhere in base64. */
static bool read_key(struct dkim_key *k, const char *p)
{
    struct buf text = {0};
    for (; *p; p++)
        if (!strchr(" \t\r\n", *p))
            buf_add(&text, p, 1);
    bool ok = text.len > 0 && digest_base64_decode(k->key, sizeof k->key, &k->key_len, text.text);
    buf_free(&text);
    return ok;
}

static bool judge_key(struct dkim_key *k, struct err *err)
{
    if (strcmp(k->algorithm, "ed25519") == 0) {
        k->bits = 256;
        return k->key_len == ED25519_LEN || err_set(err, "DKIM key record: an ed25519 key has 32 bytes, p= holds %zu.", k->key_len);
    }
    k->bits = digest_rsa_bits(k->key, k->key_len);
    return k->bits > 0 || err_set(err, "DKIM key record: p= holds no RSA public key.");
}

static bool read_tags(struct dkim_key *k, const struct taglist *l, struct err *err)
{
    const char *v = taglist_find(l, "v"), *h = taglist_find(l, "h"), *s = taglist_find(l, "s"), *t = taglist_find(l, "t"), *p = taglist_find(l, "p");
    const char *algorithm = taglist_find(l, "k");
    if (v && strcmp(l->tag[0].name, "v") != 0)
        return err_set(err, "DKIM key record: v= must stand first.");
    if (v && strcmp(v, "DKIM1") != 0)
        return err_set(err, "DKIM key record: v= must be DKIM1, in capitals.");
    if (!p)
        return err_set(err, "DKIM key record: p= is missing, so it holds no key.");
    copy_text(k->algorithm, sizeof k->algorithm, algorithm ? algorithm : "rsa");
    if (strcmp(k->algorithm, "rsa") != 0 && strcmp(k->algorithm, "ed25519") != 0)
        return err_set(err, "DKIM key record: k= names an algorithm that nobody knows; rsa and ed25519 are known.");
    k->sha256 = !h || has_item(h, "sha256");
    k->email = !s || has_item(s, "*") || has_item(s, "email");
    k->testing = t && has_item(t, "y");
    k->strict = t && has_item(t, "s");
    k->revoked = !*p;
    if (k->revoked)
        return true;
    return read_key(k, p) ? judge_key(k, err) : err_set(err, "DKIM key record: p= is no base64; strings of a long record must be joined without a gap.");
}

bool dkim_parse(struct dkim_key *k, const char *record, struct err *err)
{
    static const struct taglist_rules rules = {.what = "DKIM key record", .strict_end = true, .empty_values = true};
    struct taglist l;
    memset(k, 0, sizeof *k);
    bool ok = taglist_read(&l, record, &rules, err) && read_tags(k, &l, err);
    taglist_free(&l);
    return ok;
}
