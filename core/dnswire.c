#include "core/dnswire.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/text.h"

/* A reader that remembers that it ran over the end and returns zeros from then on. */
struct reader {
    const uint8_t *bytes;
    size_t len, at;
    bool failed;
};

static const uint8_t *take(struct reader *r, size_t n)
{
    if (r->failed || n > r->len - r->at) {
        r->failed = true;
        return NULL;
    }
    r->at += n;
    return r->bytes + r->at - n;
}

static int take_u8(struct reader *r)
{
    const uint8_t *p = take(r, 1);
    return p ? p[0] : 0;
}

static int take_u16(struct reader *r)
{
    const uint8_t *p = take(r, 2);
    return p ? p[0] << 8 | p[1] : 0;
}

static uint32_t take_u32(struct reader *r)
{
    uint32_t high = (uint32_t)take_u16(r);
    return high << 16 | (uint32_t)take_u16(r);
}

/* ---- names ---- */

static size_t put_label(char *out, const uint8_t *label, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)tolower(label[i]);
        if (c <= ' ' || c > '~')
            n += (size_t)sprintf(out + n, "\\%03d", c);
        else
            n += (size_t)sprintf(out + n, strchr(".\\\"();@$", c) ? "\\%c" : "%c", c);
    }
    return n;
}

/* Reads a name at r->at. A pointer must go back past every earlier one, so the walk ends (RFC 1035 4.1.4 says "prior").
 * 255 octets at 4 characters each fit in DNSWIRE_NAME_MAX. */
static void take_name(struct reader *r, char out[DNSWIRE_NAME_MAX])
{
    struct reader walk = *r;
    size_t n = 0, octets = 1, floor = r->at;
    bool jumped = false;
    for (int len; (len = take_u8(&walk)) != 0 && !walk.failed;) {
        if ((len & 0xc0) == 0xc0) {
            size_t target = (size_t)(len & 0x3f) << 8 | (size_t)take_u8(&walk);
            if (!jumped)
                r->at = walk.at;
            walk.failed = walk.failed || target >= floor;
            walk.at = floor = target;
            jumped = true;
            continue;
        }
        octets += (size_t)len + 1;
        const uint8_t *label = (len & 0xc0) || octets > 255 ? NULL : take(&walk, (size_t)len);
        if (!label) {
            walk.failed = true;
            break;
        }
        if (n)
            out[n++] = '.';
        n += put_label(out + n, label, (size_t)len);
    }
    if (walk.failed)
        r->failed = true;
    else if (!jumped)
        r->at = walk.at;
    copy_text(out + n, DNSWIRE_NAME_MAX - n, n ? "" : ".");
}

/* ---- rdata to text; the reader stands at the data and ends with it ---- */

static void add_name(struct buf *b, struct reader *r)
{
    char name[DNSWIRE_NAME_MAX];
    take_name(r, name);
    buf_puts(b, name);
}

static void add_address(struct buf *b, struct reader *r, int family, size_t size)
{
    char text[INET6_ADDRSTRLEN];
    const uint8_t *p = take(r, size);
    if (p)
        buf_puts(b, inet_ntop(family, p, text, sizeof text));
}

static void add_strings(struct buf *b, struct reader *r)
{
    while (r->at < r->len && !r->failed) {
        size_t n = (size_t)take_u8(r);
        const uint8_t *p = take(r, n);
        if (p)
            buf_add(b, (const char *)p, n);
    }
}

static void add_soa(struct buf *b, struct reader *r)
{
    add_name(b, r);
    buf_puts(b, " ");
    add_name(b, r);
    for (int i = 0; i < 5; i++)
        buf_printf(b, " %u", take_u32(r));
}

static void add_srv(struct buf *b, struct reader *r)
{
    for (int i = 0; i < 3; i++)
        buf_printf(b, "%d ", take_u16(r));
    add_name(b, r);
}

static void add_caa(struct buf *b, struct reader *r)
{
    int flags = take_u8(r);
    size_t tag = (size_t)take_u8(r);
    const uint8_t *p = take(r, tag);
    if (!p)
        return;
    buf_printf(b, "%d %.*s \"", flags, (int)tag, (const char *)p);
    buf_add(b, (const char *)r->bytes + r->at, r->len - r->at);
    buf_puts(b, "\"");
    r->at = r->len;
}

static void add_unknown(struct buf *b, struct reader *r)
{
    buf_printf(b, "\\# %zu", r->len - r->at);
    for (size_t i = 0; r->at < r->len; i++)
        buf_printf(b, i ? "%02x" : " %02x", take_u8(r));
}

static void add_rdata(struct buf *b, struct reader *r, int type)
{
    switch (type) {
    case DNS_A: add_address(b, r, AF_INET, 4); break;
    case DNS_AAAA: add_address(b, r, AF_INET6, 16); break;
    case DNS_NS:
    case DNS_CNAME:
    case DNS_PTR: add_name(b, r); break;
    case DNS_MX: buf_printf(b, "%d ", take_u16(r)); add_name(b, r); break;
    case DNS_SOA: add_soa(b, r); break;
    case DNS_SRV: add_srv(b, r); break;
    case DNS_TXT: add_strings(b, r); break;
    case DNS_CAA: add_caa(b, r); break;
    default: add_unknown(b, r); break;
    }
}

/* ---- rdata as a zone file has it, when text would lose something; the bytes have been read once and are well formed ---- */

static void add_quoted(struct buf *b, struct reader *r, size_t n)
{
    const uint8_t *p = take(r, n);
    buf_puts(b, "\"");
    for (size_t i = 0; p && i < n; i++)
        if (p[i] < ' ' || p[i] > '~')
            buf_printf(b, "\\%03d", p[i]);
        else
            buf_printf(b, strchr("\"\\", p[i]) ? "\\%c" : "%c", p[i]);
    buf_puts(b, "\"");
}

static void add_exact_strings(struct buf *b, struct reader *r)
{
    while (r->at < r->len && !r->failed) {
        buf_puts(b, b->len ? " " : "");
        add_quoted(b, r, (size_t)take_u8(r));
    }
}

static void add_exact_caa(struct buf *b, struct reader *r)
{
    int flags = take_u8(r);
    size_t tag = (size_t)take_u8(r);
    const uint8_t *p = take(r, tag);
    buf_printf(b, "%d ", flags);
    for (size_t i = 0; p && i < tag; i++)
        buf_printf(b, isalnum(p[i]) ? "%c" : "\\%03d", p[i]);
    buf_puts(b, " ");
    add_quoted(b, r, r->len - r->at);
}

static const char *exact_of(struct arena *a, const struct dnswire_record *rec)
{
    struct reader r = {.bytes = rec->data, .len = rec->len};
    struct buf b = {0};
    if (rec->type != DNS_TXT && rec->type != DNS_CAA)
        return rec->text;
    if (rec->type == DNS_TXT)
        add_exact_strings(&b, &r);
    else
        add_exact_caa(&b, &r);
    const char *exact = arena_strdup(a, b.text ? b.text : "");
    buf_free(&b);
    return exact;
}

static const char *keep_clean(struct arena *a, const char *text, size_t len)
{
    size_t size = 4 * len + 1; /* ESC becomes four characters; nothing grows more */
    char *out = arena_alloc(a, size);
    text_clean(out, size, text, len);
    return out;
}

/* Updates carry records without data (RFC 2136 2.4), so that an empty one is no error outside class IN. */
static bool read_data(struct dnswire_message *m, struct dnswire_record *rec, struct reader whole, size_t end)
{
    rec->data = whole.bytes + whole.at;
    rec->len = end - whole.at;
    rec->text = rec->exact = "";
    if (!rec->len && rec->class != DNS_IN)
        return true;
    whole.len = end;
    struct buf b = {0};
    buf_puts(&b, "");
    add_rdata(&b, &whole, rec->type);
    rec->text = keep_clean(&m->arena, b.text, b.len);
    buf_free(&b);
    if (whole.failed || whole.at != end)
        return false;
    rec->exact = exact_of(&m->arena, rec);
    return true;
}

/* ---- OPT ---- */

static void read_options(struct dnswire_message *m, struct reader r)
{
    while (r.at < r.len && !r.failed) {
        int code = take_u16(&r);
        size_t len = (size_t)take_u16(&r);
        const uint8_t *p = take(&r, len);
        if (code != 15 || !p || len < 2 || m->ede_code >= 0)
            continue;
        m->ede_code = p[0] << 8 | p[1];
        m->ede_text = keep_clean(&m->arena, (const char *)p + 2, len - 2);
    }
}

static void read_opt(struct dnswire_message *m, struct reader r, uint32_t ttl, size_t end)
{
    m->has_opt = true;
    m->rcode |= (int)(ttl >> 24) << 4;
    r.len = end;
    read_options(m, r);
}

/* ---- the message ---- */

static bool read_record(struct dnswire_message *m, struct reader *r, enum dnswire_section section)
{
    struct dnswire_record *rec = &m->records[m->count];
    char name[DNSWIRE_NAME_MAX];
    take_name(r, name);
    rec->section = section;
    rec->type = take_u16(r);
    rec->class = take_u16(r);
    uint32_t ttl = take_u32(r);
    size_t len = (size_t)take_u16(r);
    if (r->failed || !take(r, len))
        return false;
    struct reader data = *r;
    data.at -= len;
    if (rec->type == DNS_OPT) {
        read_opt(m, data, ttl, r->at);
        return true;
    }
    rec->name = arena_strdup(&m->arena, name);
    rec->ttl = ttl > INT32_MAX ? 0 : ttl;
    m->count++;
    return read_data(m, rec, data, r->at);
}

static void read_header(struct dnswire_message *m, struct reader *r, int counts[4])
{
    m->id = take_u16(r);
    int flags = take_u16(r);
    m->qr = flags & 0x8000;
    m->opcode = flags >> 11 & 15;
    m->aa = flags & 0x400;
    m->tc = flags & 0x200;
    m->rd = flags & 0x100;
    m->ra = flags & 0x80;
    m->ad = flags & 0x20;
    m->cd = flags & 0x10;
    m->rcode = flags & 15;
    for (int i = 0; i < 4; i++)
        counts[i] = take_u16(r);
}

static void read_questions(struct dnswire_message *m, struct reader *r, int count)
{
    for (int i = 0; i < count && !r->failed; i++) {
        char name[DNSWIRE_NAME_MAX];
        take_name(r, name);
        int type = take_u16(r), class = take_u16(r);
        if (i)
            continue;
        m->question = arena_strdup(&m->arena, name);
        m->qtype = type;
        m->qclass = class;
    }
}

bool dnswire_parse(struct dnswire_message *m, const uint8_t *bytes, size_t len, struct err *err)
{
    struct reader r = {.bytes = bytes, .len = len};
    int counts[4];
    *m = (struct dnswire_message){.question = "", .ede_code = -1, .ede_text = ""};
    read_header(m, &r, counts);
    read_questions(m, &r, counts[0]);
    if (r.failed)
        return err_set(err, "the message of %zu bytes ends within its header or question", len);
    size_t claimed = (size_t)counts[1] + (size_t)counts[2] + (size_t)counts[3];
    m->records = arena_alloc(&m->arena, (MIN(claimed, len / 11) + 1) * sizeof *m->records);
    for (int section = 1; section <= 3; section++)
        for (int i = 0; i < counts[section]; i++)
            if (!read_record(m, &r, (enum dnswire_section)section)) {
                m->count -= m->count && m->tc; /* a truncated answer may end within a record (RFC 2181 9) */
                return m->tc || err_set(err, "record %d of the message of %zu bytes cannot be read", i + 1, len);
            }
    return true;
}

void dnswire_free(struct dnswire_message *m)
{
    arena_free(&m->arena);
    m->records = NULL;
    m->count = 0;
}

/* ---- TSIG (RFC 8945 4.2): the last record of the additional section ---- */

static bool read_tsig(struct dnswire_tsig *t, struct reader *r)
{
    take_name(r, t->algorithm);
    t->time_signed = (uint64_t)take_u16(r) << 32;
    t->time_signed |= take_u32(r);
    t->fudge = take_u16(r);
    t->mac_len = (size_t)take_u16(r);
    t->mac = take(r, t->mac_len);
    t->original_id = take_u16(r);
    t->error = take_u16(r);
    t->other_len = (size_t)take_u16(r);
    t->other = take(r, t->other_len);
    return !r->failed;
}

bool dnswire_find_tsig(struct dnswire_tsig *t, const uint8_t *bytes, size_t len)
{
    struct reader r = {.bytes = bytes, .len = len};
    struct dnswire_message m = {0};
    int counts[4], type = 0;
    *t = (struct dnswire_tsig){0};
    read_header(&m, &r, counts);
    read_questions(&m, &r, counts[0]);
    dnswire_free(&m);
    int records = counts[1] + counts[2] + counts[3];
    for (int i = 0; i < records && !r.failed; i++) {
        t->at = r.at;
        take_name(&r, t->key);
        type = take_u16(&r);
        take(&r, 6);
        size_t data = (size_t)take_u16(&r);
        if (i + 1 == records && type == DNS_TSIG && counts[3])
            return !r.failed && read_tsig(t, &r);
        take(&r, data);
    }
    return false;
}
