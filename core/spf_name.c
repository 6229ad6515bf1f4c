#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "core/spf_parts.h"

bool spf_ip_read(struct spf_ip *ip, const char *text)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    uint8_t raw[16];
    *ip = (struct spf_ip){0};
    if (inet_pton(AF_INET, text, ip->bytes) == 1)
        return true;
    if (inet_pton(AF_INET6, text, raw) != 1)
        return false;
    ip->v6 = memcmp(raw, mapped, sizeof mapped) != 0;
    memcpy(ip->bytes, ip->v6 ? raw : raw + sizeof mapped, ip->v6 ? 16 : 4);
    return true;
}

bool spf_ip_in(const struct spf_ip *ip, const struct spf_ip *net, int prefix)
{
    if (ip->v6 != net->v6)
        return false;
    int whole = prefix / 8, rest = prefix % 8;
    if (memcmp(ip->bytes, net->bytes, (size_t)whole) != 0)
        return false;
    return !rest || (ip->bytes[whole] ^ net->bytes[whole]) >> (8 - rest) == 0;
}

bool spf_name_ok(const char *name)
{
    size_t len = strlen(name);
    if (!len || len > 253)
        return false;
    for (const char *at = name;; at++) {
        size_t label = strcspn(at, ".");
        if (!label || label > 63)
            return false;
        at += label;
        if (!*at)
            return true;
    }
}

bool spf_domain_ok(const char *name)
{
    return spf_name_ok(name) && strchr(name, '.') && !strchr(name, '[') && !strchr(name, ']');
}

bool spf_name_under(const char *name, const char *domain)
{
    size_t n = strlen(name), d = strlen(domain);
    if (n < d || strcasecmp(name + n - d, domain) != 0)
        return false;
    return n == d || name[n - d - 1] == '.';
}

const char *spf_without_dot(struct arena *arena, const char *name)
{
    size_t len = strlen(name);
    return arena_strndup(arena, name, len && name[len - 1] == '.' ? len - 1 : len);
}

const char *spf_reverse_name(struct arena *arena, const struct spf_ip *ip)
{
    struct buf b = {0};
    for (int i = ip->v6 ? 15 : 3; i >= 0; i--) {
        if (ip->v6)
            buf_printf(&b, "%x.%x.", ip->bytes[i] & 15, ip->bytes[i] >> 4);
        else
            buf_printf(&b, "%d.", ip->bytes[i]);
    }
    buf_puts(&b, ip->v6 ? "ip6.arpa" : "in-addr.arpa");
    const char *name = arena_strdup(arena, b.text);
    buf_free(&b);
    return name;
}
