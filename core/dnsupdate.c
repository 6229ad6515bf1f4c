#include "core/dnsupdate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/dnswire.h"
#include "core/task.h"
#include "core/text.h"

enum { IDLE, WAITING };                      /* task.at */
enum { OPCODE_UPDATE = 5 << 11, FUDGE = 300 };
#define ALGORITHM "hmac-sha256"

struct dnsupdate {
    struct task task;
    struct task *owner;
    struct dnsupdate_key key;
    struct sockaddr_storage to;
    socklen_t to_len;
    char where[INET6_ADDRSTRLEN + 16], what[400], rcode[24], error[700];
    int fd, id;
    uint8_t mac[DIGEST_SIZE]; /* of the request: the answer's signature covers it */
    bool busy;
    enum dnsupdate_result result;
    int64_t started_us, elapsed_us, deadline_ms, timeout_ms;
};

/* ---- the key ---- */

static bool split_key(struct dnsupdate_key *key, char *line)
{
    char *algorithm = strchr(line, ':'), *secret = algorithm ? strchr(algorithm + 1, ':') : NULL;
    if (!secret)
        return false;
    *algorithm++ = *secret++ = '\0';
    struct dnswire_out o = {0};
    dnswire_put_name(&o, line);
    size_t n = strlen(algorithm);
    if (n && algorithm[n - 1] == '.')
        algorithm[n - 1] = '\0';
    return *line && !o.failed && !strcasecmp(algorithm, ALGORITHM) &&
           copy_text(key->name, sizeof key->name, line) < sizeof key->name &&
           digest_base64_decode(key->secret, sizeof key->secret, &key->len, secret) && key->len;
}

bool dnsupdate_key_read(struct dnsupdate_key *key, const char *path, struct err *err)
{
    char line[600] = "";
    *key = (struct dnsupdate_key){0};
    FILE *f = fopen(path, "re");
    if (!f)
        return err_set(err, "cannot read the TSIG key %s: %s", path, strerror(errno));
    char *got = fgets(line, sizeof line, f);
    fclose(f);
    line[strcspn(line, " \t\r\n")] = '\0';
    bool ok = got && split_key(key, line);
    digest_wipe(line, sizeof line);
    return ok || err_set(err, "the TSIG key %s must be one line, name:hmac-sha256:base64", path);
}

/* ---- the message (RFC 2136 2.4 and 2.5) ---- */

static void put_prerequisites(struct dnswire_out *o, const struct dnsupdate_change *c)
{
    if (!c->old_count) /* the rrset must not exist */
        dnswire_record(o, 1, c->name, c->type, DNS_CLASS_NONE, 0, NULL);
    for (int i = 0; i < c->old_count; i++) /* it must be exactly this */
        dnswire_record(o, 1, c->name, c->type, DNS_IN, 0, c->old[i]);
}

static void put_update(struct dnswire_out *o, const struct dnsupdate_change *c)
{
    dnswire_record(o, 2, c->name, c->type, DNS_CLASS_ANY, 0, NULL);
    for (int i = 0; i < c->new_count; i++)
        dnswire_record(o, 2, c->name, c->type, DNS_IN, c->ttl, c->new[i]);
}

/* The part of a TSIG record that is signed besides the message (RFC 8945 4.3.3). */
static void put_variables(struct dnswire_out *o, const char *key, uint64_t when, int fudge, int error,
                          const uint8_t *other, size_t other_len)
{
    dnswire_put_name(o, key);
    dnswire_put_u16(o, DNS_CLASS_ANY);
    dnswire_put_u32(o, 0);
    dnswire_put_name(o, ALGORITHM);
    dnswire_put_u16(o, (int)(when >> 32));
    dnswire_put_u32(o, (uint32_t)when);
    dnswire_put_u16(o, fudge);
    dnswire_put_u16(o, error);
    dnswire_put_u16(o, (int)other_len);
    dnswire_put_bytes(o, other, other_len);
}

static void sign(struct dnsupdate *u, struct dnswire_out *o)
{
    struct dnswire_out vars = {0}, rdata = {0};
    uint64_t now = (uint64_t)(clock_wall() / 1000);
    put_variables(&vars, u->key.name, now, FUDGE, 0, NULL, 0);
    struct digest_part parts[] = {{o->bytes, o->len}, {vars.bytes, vars.len}};
    digest_hmac_sha256(u->mac, u->key.secret, u->key.len, parts, 2);
    dnswire_put_name(&rdata, ALGORITHM);
    dnswire_put_u16(&rdata, (int)(now >> 32));
    dnswire_put_u32(&rdata, (uint32_t)now);
    dnswire_put_u16(&rdata, FUDGE);
    dnswire_put_u16(&rdata, DIGEST_SIZE);
    dnswire_put_bytes(&rdata, u->mac, DIGEST_SIZE);
    dnswire_put_u16(&rdata, u->id);
    dnswire_put_u32(&rdata, 0); /* no error, no other data */
    dnswire_record(o, 3, u->key.name, DNS_TSIG, DNS_CLASS_ANY, 0, NULL);
    o->len -= 2; /* the empty length: it is written again with the data */
    dnswire_put_u16(o, (int)rdata.len);
    dnswire_put_bytes(o, rdata.bytes, rdata.len);
}

static void build(struct dnsupdate *u, struct dnswire_out *o, const struct dnsupdate_change *c)
{
    uint16_t id;
    digest_random(&id, sizeof id);
    u->id = id;
    dnswire_begin(o, id, OPCODE_UPDATE);
    dnswire_question(o, c->zone, DNS_SOA, DNS_IN);
    put_prerequisites(o, c);
    put_update(o, c);
    if (!o->failed)
        sign(u, o);
}

/* ---- the end ---- */

static void hang_up(struct dnsupdate *u)
{
    if (u->fd >= 0)
        close(u->fd);
    u->fd = -1;
}

static void finish(struct dnsupdate *u, enum dnsupdate_result result)
{
    hang_up(u);
    u->busy = false;
    u->result = result;
    u->elapsed_us = clock_mono_us() - u->started_us;
    task_wake(u->owner);
}

static void fail(struct dnsupdate *u, enum dnsupdate_result result, const char *why)
{
    char line[700];
    snprintf(line, sizeof line, "%s: %s", u->where, why);
    text_line(u->error, sizeof u->error, line, strlen(line));
    finish(u, result);
}

static int64_t left(const struct dnsupdate *u)
{
    return MAX(u->deadline_ms - clock_mono(), (int64_t)0);
}

static void fail_late(struct dnsupdate *u)
{
    char why[200];
    snprintf(why, sizeof why, "no answer within %.1f s; look whether the record has changed before trying again",
             (double)u->timeout_ms / 1000);
    fail(u, DNSUPDATE_UNKNOWN, why);
}

/* ---- the answer ---- */

/* RFC 8945 5.3: the request's MAC with its length, the message without its TSIG and with the original id, the
 * variables. A TSIG with an error and no MAC proves nothing. */
static bool is_signed(struct dnsupdate *u, const uint8_t *bytes, size_t len, const struct dnswire_tsig *t)
{
    uint8_t head[12], mac[DIGEST_SIZE], mac_size[2] = {0, DIGEST_SIZE};
    struct dnswire_out vars = {0};
    int64_t now = clock_wall() / 1000, skew = now - (int64_t)t->time_signed;
    if (t->mac_len != DIGEST_SIZE || !dnswire_same_name(t->key, u->key.name) ||
        !dnswire_same_name(t->algorithm, ALGORITHM) || len < sizeof head)
        return false;
    memcpy(head, bytes, sizeof head);
    head[0] = (uint8_t)(t->original_id >> 8);
    head[1] = (uint8_t)t->original_id;
    int additional = (head[10] << 8 | head[11]) - 1;
    head[10] = (uint8_t)(additional >> 8);
    head[11] = (uint8_t)additional;
    put_variables(&vars, u->key.name, t->time_signed, t->fudge, t->error, t->other, t->other_len);
    struct digest_part parts[] = {{mac_size, 2}, {u->mac, DIGEST_SIZE}, {head, sizeof head},
                                  {bytes + sizeof head, t->at - sizeof head}, {vars.bytes, vars.len}};
    digest_hmac_sha256(mac, u->key.secret, u->key.len, parts, ARRAY_LEN(parts));
    return !vars.failed && digest_equal(mac, t->mac, DIGEST_SIZE) && llabs(skew) <= t->fudge;
}

static void judge(struct dnsupdate *u, int rcode, const struct dnswire_tsig *t)
{
    char why[600];
    copy_text(u->rcode, sizeof u->rcode, dnswire_rcode_name(rcode));
    if (rcode == 0) {
        finish(u, DNSUPDATE_DONE);
    } else if (rcode == 3 || rcode == 6 || rcode == 7 || rcode == 8) {
        snprintf(why, sizeof why, "refused: %s any more (%s)", u->what, u->rcode);
        fail(u, DNSUPDATE_CHANGED, why);
    } else if (rcode == 9 && t && t->error) {
        snprintf(why, sizeof why, "refused: the key %s is not accepted (%s)", u->key.name, dnswire_rcode_name(t->error));
        fail(u, DNSUPDATE_REFUSED, why);
    } else {
        snprintf(why, sizeof why, "refused: the server answers %s to the update", u->rcode);
        fail(u, DNSUPDATE_REFUSED, why);
    }
}

/* An unsigned "no" is believed only where RFC 8945 5.2 cannot sign it: the server does not know the key, the time or
 * the signature is wrong, or it does not speak TSIG. An unsigned "yes" is never believed. */
static void take_answer(struct dnsupdate *u, const uint8_t *bytes, size_t len)
{
    struct dnswire_message m;
    struct dnswire_tsig t;
    struct err err;
    bool ours = dnswire_parse(&m, bytes, len, &err) && m.qr && m.id == u->id && m.opcode == 5;
    int rcode = m.rcode;
    dnswire_free(&m);
    if (!ours)
        return; /* somebody else's: keep waiting */
    bool has_tsig = dnswire_find_tsig(&t, bytes, len);
    if (has_tsig && is_signed(u, bytes, len, &t))
        judge(u, rcode, &t);
    else if (rcode == 9 || rcode == 1 || rcode == 4 || rcode == 5)
        judge(u, rcode, has_tsig ? &t : NULL);
    else
        fail(u, DNSUPDATE_UNKNOWN, "the answer is not signed by the key; look whether the record has changed");
}

static void receive(struct dnsupdate *u)
{
    uint8_t bytes[4096];
    while (u->busy) {
        ssize_t n = recv(u->fd, bytes, sizeof bytes, 0);
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            char why[200];
            snprintf(why, sizeof why, "nobody takes updates there: %s", strerror(errno));
            fail(u, errno == ECONNREFUSED ? DNSUPDATE_REFUSED : DNSUPDATE_UNKNOWN, why);
        } else {
            take_answer(u, bytes, (size_t)n);
        }
    }
}

static void run(struct task *t)
{
    struct dnsupdate *u = (struct dnsupdate *)t;
    if (u->busy)
        receive(u);
    if (u->busy && left(u) == 0)
        fail_late(u);
    if (u->busy) {
        task_wait_fd(t, u->fd, UV_READABLE, left(u));
        return;
    }
    t->at = IDLE;
    task_wait(t, -1);
}

/* ---- orders ---- */

static void release(struct task *t)
{
    free(t);
}

static bool read_address(struct dnsupdate *u, const char *address, int port)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&u->to;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&u->to;
    snprintf(u->where, sizeof u->where, strchr(address, ':') ? "[%.45s]:%d" : "%.45s:%d", address, port);
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        u->to_len = sizeof *v4;
    } else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        u->to_len = sizeof *v6;
    }
    return u->to_len > 0;
}

struct dnsupdate *dnsupdate_new(struct task *owner, const char *address, int port, const struct dnsupdate_key *key)
{
    struct dnsupdate *u = xcalloc(1, sizeof *u);
    u->owner = owner;
    u->fd = -1;
    u->key = *key;
    read_address(u, address, port);
    task_start(&u->task, owner->loop, run, release);
    return u;
}

static void describe(struct dnsupdate *u, const struct dnsupdate_change *c)
{
    struct buf b = {0};
    buf_printf(&b, "%s %s %s", c->name, dnswire_type_name(c->type), c->old_count ? "is not " : "is not absent");
    for (int i = 0; i < c->old_count; i++)
        buf_printf(&b, "%s%s", i ? ", " : "", c->old[i]);
    text_line(u->what, sizeof u->what, b.text, b.len);
    buf_free(&b);
}

static bool dispatch(struct dnsupdate *u, const struct dnswire_out *o)
{
    u->fd = socket(u->to.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return u->fd >= 0 && !connect(u->fd, (struct sockaddr *)&u->to, u->to_len) &&
           send(u->fd, o->bytes, o->len, 0) == (ssize_t)o->len;
}

void dnsupdate_send(struct dnsupdate *u, const struct dnsupdate_change *change, int64_t timeout_ms)
{
    struct dnswire_out o;
    if (u->busy)
        die("dnsupdate: an update for %s while another one runs", u->where);
    u->busy = true;
    u->error[0] = u->rcode[0] = '\0';
    u->timeout_ms = MAX(timeout_ms, (int64_t)0);
    u->started_us = clock_mono_us();
    u->deadline_ms = clock_mono() + u->timeout_ms;
    u->task.at = WAITING;
    describe(u, change);
    build(u, &o, change);
    if (!u->to_len)
        fail(u, DNSUPDATE_BAD_ORDER, "the server of an update must be an address");
    else if (o.failed || !dnswire_name_is_under(change->name, change->zone))
        fail(u, DNSUPDATE_BAD_ORDER, "a name, type or value of the update is none that can be sent");
    else if (!dispatch(u, &o))
        fail(u, DNSUPDATE_REFUSED, strerror(errno));
    task_wait(&u->task, 0);
}

bool dnsupdate_busy(const struct dnsupdate *u)
{
    return u->busy;
}

enum dnsupdate_result dnsupdate_result(const struct dnsupdate *u)
{
    return u->result;
}

const char *dnsupdate_rcode(const struct dnsupdate *u)
{
    return u->rcode;
}

const char *dnsupdate_error(const struct dnsupdate *u)
{
    return u->error;
}

int64_t dnsupdate_elapsed_us(const struct dnsupdate *u)
{
    return u->elapsed_us;
}

void dnsupdate_free(struct dnsupdate *u)
{
    if (!u)
        return;
    u->owner = NULL;
    u->busy = false;
    task_stop(&u->task);
    hang_up(u);
    digest_wipe(&u->key, sizeof u->key);
}
