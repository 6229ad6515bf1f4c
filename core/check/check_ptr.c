/* ptr: every address that green sends mail from has one name, the name leads back to the address, and it is what green says in HELO
 * (RFC 1912 2.1, RFC 8601 2.7.3 "iprev"). The reverse zone belongs to green's provider, so this takes its time. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/check/names.h"
#include "core/dnswire.h"

struct work {
    struct names names; /* first */
    int egress;
    char host[256];     /* that the address is called; "" while that is asked */
    struct buf evidence;
};

static bool is_v6(const char *address)
{
    return strchr(address, ':');
}

static bool reverse_name(const char *address, char *buf, size_t size)
{
    uint8_t raw[16];
    struct buf b = {0};
    if (inet_pton(is_v6(address) ? AF_INET6 : AF_INET, address, raw) != 1)
        return false;
    if (is_v6(address))
        for (int i = 15; i >= 0; i--)
            buf_printf(&b, "%x.%x.", raw[i] & 15, raw[i] >> 4);
    else
        buf_printf(&b, "%d.%d.%d.%d.", raw[3], raw[2], raw[1], raw[0]);
    snprintf(buf, size, "%s%s", b.text, is_v6(address) ? "ip6.arpa" : "in-addr.arpa");
    buf_free(&b);
    return true;
}

static void pass(struct check_run *run)
{
    const struct work *w = run->own;
    const char *helo = check_option(run, "helo", "");
    check_end(run, CHECK_PASS, w->evidence.text ? w->evidence.text : "", "Each of the %d addresses that green sends from has a name that leads back to it%s%s.", w->egress, *helo ? ", and is " : "", helo);
}

static bool next(struct check_run *run, struct names *n)
{
    struct work *w = run->own;
    const char *address = names_egress(run, GREEN, w->egress);
    if (*w->host) {
        copy_text(n->name, sizeof n->name, w->host);
        n->type = is_v6(address) ? DNS_AAAA : DNS_A;
        return true;
    }
    n->type = DNS_PTR;
    if (address && reverse_name(address, n->name, sizeof n->name))
        return true;
    if (address)
        check_end(run, CHECK_UNKNOWN, "", "%s is no address, so it has no reverse name.", address);
    else if (w->egress)
        pass(run);
    else
        check_end(run, CHECK_UNKNOWN, "", "The plan names no address that green sends from; add  egress = [ ... ]  to green.");
    return false;
}

static void take_name(struct check_run *run, const struct dns_answer *a)
{
    struct work *w = run->own;
    const char *address = names_egress(run, GREEN, w->egress), *name = names_text(a, DNS_PTR, 0), *helo = check_option(run, "helo", "");
    if (!name)
        check_end(run, CHECK_FAIL, "", "%s, which green sends from, has no name (%s PTR): many receivers refuse its mail. Ask green's provider for one.", address, w->names.name);
    else if (names_text(a, DNS_PTR, 1))
        check_end(run, CHECK_FAIL, name, "%s has more than one name; receivers take any of them. Leave one.", address);
    else if (*helo && !dnswire_same_name(helo, name))
        check_end(run, CHECK_FAIL, name, "%s is called %s, but green says %s in HELO; make them the same.", address, name, helo);
    else
        copy_text(w->host, sizeof w->host, name);
}

static bool leads_back(const struct dns_answer *a, const char *address)
{
    uint8_t want[16] = {0}, have[16] = {0};
    int family = is_v6(address) ? AF_INET6 : AF_INET;
    const char *text;
    inet_pton(family, address, want);
    for (int i = 0; (text = names_text(a, is_v6(address) ? DNS_AAAA : DNS_A, i)); i++)
        if (inet_pton(family, text, have) == 1 && memcmp(want, have, sizeof want) == 0)
            return true;
    return false;
}

static void take(struct check_run *run, const struct dns_answer *a)
{
    struct work *w = run->own;
    const char *address = names_egress(run, GREEN, w->egress);
    if (!*w->host) {
        take_name(run, a);
        return;
    }
    buf_printf(&w->evidence, "%s%s is %s", w->egress ? "; " : "", address, w->host);
    if (names_text(a, DNS_CNAME, 0))
        check_end(run, CHECK_FAIL, w->evidence.text, "%s is called %s, which is an alias (CNAME); a name of mail must have the address itself.", address, w->host);
    else if (!leads_back(a, address))
        check_end(run, CHECK_FAIL, w->evidence.text, "%s is called %s, but that name does not lead back to it; add  %s %s %s.", address, w->host, w->host, is_v6(address) ? "AAAA" : "A", address);
    w->host[0] = '\0';
    w->egress++;
}

static void work(struct task *task)
{
    static const struct names_kind kind = {next, take};
    names_go((struct check_run *)task, &kind);
}

static void free_own(struct check_run *run)
{
    struct work *w = run->own;
    names_free(&w->names);
    buf_free(&w->evidence);
}

const struct check_kind check_ptr = {.name = "ptr", .own_size = sizeof(struct work), .run = work, .free_own = free_own};
