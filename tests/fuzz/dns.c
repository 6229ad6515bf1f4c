/* What comes over the wire from a resolver, as libFuzzer makes it up (make fuzz-dns): the message, what a record of the plan reads out of it, and
 * every text in it as a record of mail. Nothing may crash, leak, or come out unclean. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dnsview.h"
#include "core/dnswire.h"
#include "core/mail/caa.h"
#include "core/mail/dkim.h"
#include "core/mail/dmarc.h"
#include "core/mail/mtasts.h"
#include "core/spf.h"
#include "core/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must_be_clean(const char *text)
{
    if (!text_is_clean(text, strlen(text)))
        die("a text came through unclean");
}

/* ---- a text as each of the records that may stand there ---- */

static void read_mail(const char *text)
{
    struct dkim_key key;
    struct dmarc policy;
    struct caa property;
    char id[40];
    static struct mtasts sts;
    struct err err;
    dkim_parse(&key, text, &err);
    dmarc_parse(&policy, text, DMARC_RFC7489, &err);
    dmarc_parse(&policy, text, DMARC_RFC9989, &err);
    mtasts_parse_record(id, sizeof id, text, &err);
    mtasts_parse_policy(&sts, text, &err);
    caa_read(&property, text, &err);
}

/* The same text is the answer to every question. */
static void read_spf(const char *text)
{
    struct spf s;
    struct buf tree = {0};
    const char *values[] = {text};
    spf_begin(&s, &(struct spf_mail){.ip = "192.0.2.1", .helo = "mx.shop.test", .sender = "info@shop.test"});
    for (int i = 0; spf_next(&s) && i < 100; i++)
        spf_feed(&s, &(struct spf_answer){SPF_FOUND, values, 1});
    spf_print(&s, &tree);
    buf_free(&tree);
    spf_free(&s);
}

/* ---- the message as an answer ---- */

static void view(const struct dnswire_message *m)
{
    static const struct plan_record records[] = {
        {"www.shop.test", "A", {"192.0.2.1", "192.0.2.2"}}, {"www.shop.test", "AAAA", {"2001:db8::1", "2001:db8::2"}}, {"www.shop.test", "CNAME", {"a.test", "b.test"}}};
    struct dns_record *list = xcalloc((size_t)m->count + 1, sizeof *list);
    struct dns_answer a = {.status = DNS_OK, .records = list, .ede_text = m->ede_text, .error = ""};
    for (int i = 0; i < m->count; i++)
        list[a.count++] = (struct dns_record){m->records[i].name, m->records[i].type, m->records[i].ttl, m->records[i].text};
    for (size_t i = 0; i < ARRAY_LEN(records); i++) {
        struct dnsview v;
        struct plan_record r = records[i];
        if (*m->question)
            r.name = m->question;
        dnsview_read(&v, &r, &a);
        must_be_clean(v.values);
    }
    free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct dnswire_message m;
    struct dnswire_tsig tsig;
    struct err err = {{0}};
    dnswire_find_tsig(&tsig, bytes, len);
    if (!dnswire_parse(&m, bytes, len, &err) && !*err.text)
        die("a refusal without a sentence");
    for (int i = 0; i < m.count; i++) {
        must_be_clean(m.records[i].text);
        must_be_clean(m.records[i].name);
        if (m.records[i].type == DNS_TXT || m.records[i].type == DNS_CAA) {
            read_mail(m.records[i].text);
            read_spf(m.records[i].text);
        }
    }
    if (m.ede_text)
        must_be_clean(m.ede_text);
    if (m.question)
        view(&m);
    dnswire_free(&m);
    return 0;
}
