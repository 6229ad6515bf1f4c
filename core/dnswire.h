/* dnswire: DNS messages as bytes (RFC 1035, 6891, 8914), read and written with bounds. Pure: no I/O, no clock. */
#ifndef CORE_DNSWIRE_H
#define CORE_DNSWIRE_H

#include "core/base.h"

enum {
    DNS_A = 1, DNS_NS = 2, DNS_CNAME = 5, DNS_SOA = 6, DNS_PTR = 12, DNS_MX = 15, DNS_TXT = 16, DNS_AAAA = 28,
    DNS_SRV = 33, DNS_OPT = 41, DNS_DS = 43, DNS_TSIG = 250, DNS_ANY = 255, DNS_CAA = 257,
};
enum { DNS_IN = 1, DNS_CLASS_NONE = 254, DNS_CLASS_ANY = 255 };
enum dnswire_section { DNSWIRE_ANSWER = 1, DNSWIRE_AUTHORITY, DNSWIRE_ADDITIONAL };

#define DNSWIRE_NAME_MAX 1024 /* a name as text: 255 octets, each at worst \DDD */

int dnswire_type(const char *name);          /* "A" -> 1, "TYPE65" -> 65; -1 if unknown */
const char *dnswire_type_name(int type);     /* "A"; "TYPE65" in a static ring of buffers */
const char *dnswire_rcode_name(int rcode);   /* "NXRRSET"; "RCODE 99" likewise */

struct dnswire_record {
    enum dnswire_section section;
    const char *name; /* lower case, no last dot, "." for the root; odd bytes as \DDD */
    int type, class;
    uint32_t ttl;     /* RFC 2181: a set top bit reads as 0 */
    const char *text; /* sanitised presentation form; TXT strings joined; "\# n hex" (RFC 3597) for other types */
    const char *exact; /* the same for people who compare: nothing joined or replaced, TXT and CAA as "\DDD" strings (RFC 1035 5.1) */
    const uint8_t *data; /* raw rdata, inside the message bytes: valid as long as they are */
    size_t len;
};

struct dnswire_message {
    int id, opcode, rcode; /* rcode with the upper bits of OPT */
    bool qr, aa, tc, rd, ra, ad, cd;
    const char *question; /* "" if there is none */
    int qtype, qclass;
    int count;
    struct dnswire_record *records; /* without OPT */
    bool has_opt;
    int ede_code;         /* -1 if none */
    const char *ede_text; /* sanitised */
    struct arena arena;   /* owns all strings */
};

/* False (with a reason) when the bytes are no whole message; never reads past len, never loops. Free in both cases. */
bool dnswire_parse(struct dnswire_message *m, const uint8_t *bytes, size_t len, struct err *err);
void dnswire_free(struct dnswire_message *m);

/* The TSIG record of a message, as far as a verifier needs it; false if there is none at the end. */
struct dnswire_tsig {
    size_t at;   /* where the record begins */
    char key[DNSWIRE_NAME_MAX], algorithm[DNSWIRE_NAME_MAX];
    uint64_t time_signed;
    int fudge, original_id, error;
    const uint8_t *mac, *other;
    size_t mac_len, other_len;
};
bool dnswire_find_tsig(struct dnswire_tsig *out, const uint8_t *bytes, size_t len);

bool dnswire_same_name(const char *a, const char *b); /* without case and last dot */
bool dnswire_name_is_under(const char *name, const char *zone);

/* Building. A message that does not fit, or a name or value that is none, sets failed; nothing is written past the end. */
struct dnswire_out {
    uint8_t bytes[4096];
    size_t len;
    bool failed;
};
void dnswire_begin(struct dnswire_out *o, int id, int flags);       /* flags: the whole second word of the header */
void dnswire_question(struct dnswire_out *o, const char *name, int type, int class);
/* counter: 1 answer (prerequisite), 2 authority (update), 3 additional. value NULL: no rdata. */
void dnswire_record(struct dnswire_out *o, int counter, const char *name, int type, int class, uint32_t ttl,
                    const char *value);
void dnswire_edns(struct dnswire_out *o, int payload);
void dnswire_put_name(struct dnswire_out *o, const char *name);     /* lower case, never compressed */
void dnswire_put_u16(struct dnswire_out *o, int value);
void dnswire_put_u32(struct dnswire_out *o, uint32_t value);
void dnswire_put_bytes(struct dnswire_out *o, const void *bytes, size_t len);
/* True if the text is a value of that type (A, AAAA, NS, CNAME, PTR, MX, TXT, CAA, SRV). */
bool dnswire_is_value(int type, const char *value);

#endif
