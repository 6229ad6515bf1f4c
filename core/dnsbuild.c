/* The writing half of dnswire.h, and its names for numbers. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/dnswire.h"

static const struct {
    int type;
    const char *name;
} types[] = {
    {DNS_A, "A"},     {DNS_NS, "NS"},     {DNS_CNAME, "CNAME"}, {DNS_SOA, "SOA"}, {DNS_PTR, "PTR"},
    {DNS_MX, "MX"},   {DNS_TXT, "TXT"},   {DNS_AAAA, "AAAA"},   {DNS_SRV, "SRV"}, {DNS_OPT, "OPT"},
    {DNS_DS, "DS"},   {DNS_TSIG, "TSIG"}, {DNS_ANY, "ANY"},     {DNS_CAA, "CAA"}, {46, "RRSIG"},
    {48, "DNSKEY"},   {52, "TLSA"},       {64, "SVCB"},         {65, "HTTPS"},
};

static char *ring(void)
{
    static char buffers[4][24];
    static unsigned next;
    return buffers[next++ % ARRAY_LEN(buffers)];
}

int dnswire_type(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (!strcasecmp(types[i].name, name))
            return types[i].type;
    char *end;
    if (strncasecmp(name, "TYPE", 4) || !isdigit((unsigned char)name[4]))
        return -1;
    long n = strtol(name + 4, &end, 10);
    return *end || n > 65535 ? -1 : (int)n;
}

const char *dnswire_type_name(int type)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (types[i].type == type)
            return types[i].name;
    char *text = ring();
    snprintf(text, 24, "TYPE%d", type);
    return text;
}

const char *dnswire_rcode_name(int rcode)
{
    static const char *const names[] = {"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
                                        "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE"};
    if (rcode >= 0 && rcode < (int)ARRAY_LEN(names))
        return names[rcode];
    if (rcode >= 16 && rcode <= 18)
        return rcode == 16 ? "BADSIG" : rcode == 17 ? "BADKEY" : "BADTIME";
    char *text = ring();
    snprintf(text, 24, "RCODE %d", rcode);
    return text;
}

/* ---- names ---- */

static size_t bare_length(const char *name)
{
    size_t n = strlen(name);
    return n && name[n - 1] == '.' ? n - 1 : n;
}

bool dnswire_same_name(const char *a, const char *b)
{
    size_t n = bare_length(a);
    return n == bare_length(b) && !strncasecmp(a, b, n);
}

bool dnswire_name_is_under(const char *name, const char *zone)
{
    size_t n = bare_length(name), z = bare_length(zone);
    if (!z)
        return true;
    return n >= z && !strncasecmp(name + n - z, zone, z) && (n == z || name[n - z - 1] == '.');
}

/* ---- bytes ---- */

void dnswire_put_bytes(struct dnswire_out *o, const void *bytes, size_t len)
{
    if (o->failed || len > sizeof o->bytes - o->len) {
        o->failed = true;
        return;
    }
    if (len)
        memcpy(o->bytes + o->len, bytes, len);
    o->len += len;
}

void dnswire_put_u16(struct dnswire_out *o, int value)
{
    dnswire_put_bytes(o, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

void dnswire_put_u32(struct dnswire_out *o, uint32_t value)
{
    dnswire_put_u16(o, (int)(value >> 16));
    dnswire_put_u16(o, (int)(value & 0xffff));
}

static void put_u8(struct dnswire_out *o, int value)
{
    dnswire_put_bytes(o, (uint8_t[]){(uint8_t)value}, 1);
}

/* One character of a label: plain, \x or \DDD. Returns what was read, 0 if it is none. */
static size_t read_character(const char *p, uint8_t *c)
{
    *c = (uint8_t)tolower((unsigned char)*p);
    if (*p != '\\')
        return 1;
    if (isdigit((unsigned char)p[1]) && isdigit((unsigned char)p[2]) && isdigit((unsigned char)p[3])) {
        int n = (p[1] - '0') * 100 + (p[2] - '0') * 10 + p[3] - '0';
        *c = (uint8_t)n;
        return n > 255 ? 0 : 4;
    }
    *c = (uint8_t)p[1];
    return p[1] ? 2 : 0;
}

/* Reads one label into out; NULL if it is none. */
static const char *read_label(const char *p, uint8_t out[63], size_t *len)
{
    for (*len = 0; *p && *p != '.';) {
        uint8_t c;
        size_t used = read_character(p, &c);
        if (!used || *len == 63)
            return NULL;
        out[(*len)++] = c;
        p += used;
    }
    return *len ? p : NULL;
}

void dnswire_put_name(struct dnswire_out *o, const char *name)
{
    size_t start = o->len, len;
    const char *p = strcmp(name, ".") ? name : "";
    while (*p) {
        uint8_t label[63];
        p = read_label(p, label, &len);
        if (!p || o->len - start + len + 2 > 255) {
            o->failed = true;
            return;
        }
        put_u8(o, (int)len);
        dnswire_put_bytes(o, label, len);
        p += *p == '.';
    }
    put_u8(o, 0);
}

/* ---- messages ---- */

static void count_up(struct dnswire_out *o, int counter)
{
    size_t at = 4 + 2 * (size_t)counter;
    int n = (o->bytes[at] << 8 | o->bytes[at + 1]) + 1;
    o->bytes[at] = (uint8_t)(n >> 8);
    o->bytes[at + 1] = (uint8_t)n;
}

void dnswire_begin(struct dnswire_out *o, int id, int flags)
{
    o->len = 0;
    o->failed = false;
    dnswire_put_u16(o, id);
    dnswire_put_u16(o, flags);
    dnswire_put_u32(o, 0);
    dnswire_put_u32(o, 0);
}

void dnswire_question(struct dnswire_out *o, const char *name, int type, int class)
{
    dnswire_put_name(o, name);
    dnswire_put_u16(o, type);
    dnswire_put_u16(o, class);
    count_up(o, 0);
}

void dnswire_edns(struct dnswire_out *o, int payload)
{
    dnswire_record(o, 3, ".", DNS_OPT, payload, 0, NULL);
}

/* ---- values ---- */

static void put_address(struct dnswire_out *o, int family, size_t size, const char *value)
{
    uint8_t raw[16];
    if (inet_pton(family, value, raw) != 1)
        o->failed = true;
    else
        dnswire_put_bytes(o, raw, size);
}

static void put_target(struct dnswire_out *o, const char *name)
{
    if (!*name || strpbrk(name, " \t\r\n"))
        o->failed = true;
    dnswire_put_name(o, name);
}

/* `count` numbers of 16 bits, then a name: MX and SRV. */
static void put_numbers_and_name(struct dnswire_out *o, const char *value, int count)
{
    for (int i = 0; i < count; i++) {
        char *end;
        unsigned long n = strtoul(value, &end, 10);
        if (!isdigit((unsigned char)*value) || *end != ' ' || n > 65535) {
            o->failed = true;
            return;
        }
        dnswire_put_u16(o, (int)n);
        value = end + strspn(end, " ");
    }
    put_target(o, value);
}

static void put_strings(struct dnswire_out *o, const char *value)
{
    size_t left = strlen(value);
    do {
        size_t n = MIN(left, (size_t)255);
        put_u8(o, (int)n);
        dnswire_put_bytes(o, value, n);
        value += n;
        left -= n;
    } while (left);
}

static void put_caa(struct dnswire_out *o, const char *value)
{
    char *end;
    unsigned long flags = strtoul(value, &end, 10);
    const char *tag = end + strspn(end, " ");
    size_t tag_len = strcspn(tag, " ");
    const char *text = tag + tag_len + strspn(tag + tag_len, " ");
    size_t len = strlen(text);
    if (end == value || *end != ' ' || flags > 255 || !tag_len || tag_len > 15) {
        o->failed = true;
        return;
    }
    if (len > 1 && text[0] == '"' && text[len - 1] == '"')
        text++, len -= 2;
    put_u8(o, (int)flags);
    put_u8(o, (int)tag_len);
    dnswire_put_bytes(o, tag, tag_len);
    dnswire_put_bytes(o, text, len);
}

static void put_value(struct dnswire_out *o, int type, const char *value)
{
    switch (type) {
    case DNS_A: put_address(o, AF_INET, 4, value); break;
    case DNS_AAAA: put_address(o, AF_INET6, 16, value); break;
    case DNS_NS:
    case DNS_CNAME:
    case DNS_PTR: put_target(o, value); break;
    case DNS_MX: put_numbers_and_name(o, value, 1); break;
    case DNS_SRV: put_numbers_and_name(o, value, 3); break;
    case DNS_TXT: put_strings(o, value); break;
    case DNS_CAA: put_caa(o, value); break;
    default: o->failed = true; break;
    }
}

void dnswire_record(struct dnswire_out *o, int counter, const char *name, int type, int class, uint32_t ttl,
                    const char *value)
{
    dnswire_put_name(o, name);
    dnswire_put_u16(o, type);
    dnswire_put_u16(o, class);
    dnswire_put_u32(o, ttl);
    size_t at = o->len;
    dnswire_put_u16(o, 0);
    if (value)
        put_value(o, type, value);
    if (o->failed)
        return;
    size_t len = o->len - at - 2;
    o->bytes[at] = (uint8_t)(len >> 8);
    o->bytes[at + 1] = (uint8_t)len;
    count_up(o, counter);
}

bool dnswire_is_value(int type, const char *value)
{
    struct dnswire_out o = {0};
    dnswire_begin(&o, 0, 0);
    put_value(&o, type, value);
    return !o.failed;
}
