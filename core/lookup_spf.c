#include "core/lookup.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dnsasker.h"
#include "core/dnswire.h"
#include "core/spf.h"
#include "core/task.h"
#include "core/text.h"

enum { BEGIN, ANSWER }; /* task.at */
enum { VALUES_MAX = 64, SERVERS_MAX = 3, DNS_PORT = 53 };

struct look {
    struct task task; /* first */
    struct spf spf;
    struct plan_resolver server[SERVERS_MAX];
    char place[SERVERS_MAX][64];
    struct plan_dns dns;
    struct dnsasker *asker;
};

/* ---- who is asked ---- */

static void add_server(struct look *l, const char *address, int port)
{
    int i = l->dns.nresolvers++;
    copy_text(l->place[i], sizeof l->place[i], address);
    l->server[i] = (struct plan_resolver){.name = "server", .address = l->place[i], .port = port};
    l->dns.resolvers = l->server;
}

static bool is_address(const char *text)
{
    uint8_t raw[16];
    return inet_pton(AF_INET, text, raw) == 1 || inet_pton(AF_INET6, text, raw) == 1;
}

/* "192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:5353" */
static bool take_server(struct look *l, const char *text)
{
    char address[64];
    const char *end = *text == '[' ? strchr(text, ']') : NULL, *colon = strrchr(text, ':');
    int port = DNS_PORT;
    if (is_address(text)) {
        add_server(l, text, port);
        return true;
    }
    if (!colon || (*text == '[' && colon != (end ? end + 1 : NULL)))
        return false;
    const char *from = text + (end != NULL), *to = end ? end : colon;
    snprintf(address, sizeof address, "%.*s", (int)(to - from), from);
    char *rest;
    long n = strtol(colon + 1, &rest, 10);
    port = (int)n;
    if (!is_address(address) || *rest || n < 1 || n > 65535)
        return false;
    add_server(l, address, port);
    return true;
}

static void take_system(struct look *l)
{
    FILE *f = fopen("/etc/resolv.conf", "r");
    char line[256], address[64];
    while (f && fgets(line, sizeof line, f) && l->dns.nresolvers < SERVERS_MAX)
        if (sscanf(line, "nameserver %63s", address) == 1 && is_address(address))
            add_server(l, address, DNS_PORT);
    if (f)
        fclose(f);
}

/* ---- the evaluation ---- */

static void feed(struct look *l)
{
    const struct spf_question *q = spf_next(&l->spf);
    const struct dns_answer *a = dnsasker_answer(l->asker);
    const char *values[VALUES_MAX];
    struct spf_answer answer = {.outcome = SPF_BROKEN, .values = values};
    for (int i = 0; a && a->status == DNS_OK && i < a->count && answer.count < VALUES_MAX; i++)
        if (a->records[i].type == q->type)
            values[answer.count++] = a->records[i].text;
    if (dnsasker_knows(a))
        answer.outcome = answer.count ? SPF_FOUND : SPF_VOID;
    spf_feed(&l->spf, &answer);
}

static void go_on(struct look *l)
{
    const struct spf_question *q = spf_next(&l->spf);
    if (!q) {
        task_stop(&l->task);
        return;
    }
    l->task.at = ANSWER;
    dnsasker_ask(l->asker, &l->task, q->name, q->type);
}

static void run(struct task *task)
{
    struct look *l = (struct look *)task;
    if (task->at == ANSWER) {
        if (dnsasker_busy(l->asker))
            return;
        feed(l);
    }
    go_on(l);
}

/* A server's open socket would keep the loop alive. */
static void ended(struct task *task)
{
    struct look *l = (struct look *)task;
    dnsasker_free(l->asker);
}

static void print_verdict(const struct look *l, const struct lookup_spf *o)
{
    struct buf tree = {0};
    char line[600];
    spf_print(&l->spf, &tree);
    fputs(tree.text, stdout);
    buf_free(&tree);
    text_line(line, sizeof line, l->spf.detail, strlen(l->spf.detail));
    printf("%s for mail of %s from %s: %s\n", spf_result_name(l->spf.result), o->domain, o->address, line);
    if (*l->spf.explanation) {
        text_line(line, sizeof line, l->spf.explanation, strlen(l->spf.explanation));
        printf("explanation: %s\n", line);
    }
    if (l->spf.lookups > SPF_MAX_LOOKUPS || l->spf.voids > SPF_MAX_VOIDS)
        printf("the limits are %d lookups and %d empty ones\n", SPF_MAX_LOOKUPS, SPF_MAX_VOIDS);
}

static int evaluate(struct look *l, const struct lookup_spf *o)
{
    uv_loop_t loop;
    struct buf sender = {0};
    if (o->sender)
        buf_puts(&sender, o->sender);
    else
        buf_printf(&sender, "postmaster@%s", o->domain);
    spf_begin(&l->spf, &(struct spf_mail){.ip = o->address, .helo = o->helo ? o->helo : o->domain, .sender = sender.text, .now = clock_wall() / 1000});
    uv_loop_init(&loop);
    l->dns.zone = "";
    l->asker = dnsasker_new(&loop, &l->dns);
    task_start(&l->task, &loop, run, ended);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    print_verdict(l, o);
    int status = l->spf.result == SPF_PASS ? 0 : l->spf.result == SPF_TEMPERROR ? 2 : 1;
    spf_free(&l->spf);
    buf_free(&sender);
    return status;
}

int lookup_spf(const struct lookup_spf *o)
{
    static struct look l;
    memset(&l, 0, sizeof l);
    if (!is_address(o->address)) {
        fprintf(stderr, "\"%.80s\" is no address; write the address that sends, then the domain: cutover spf 192.0.2.1 shop.example\n", o->address);
        return 64;
    }
    if (o->server && !take_server(&l, o->server)) {
        fprintf(stderr, "\"%.80s\" is no server; write --server 192.0.2.53 or 192.0.2.53:5353.\n", o->server);
        return 64;
    }
    if (!o->server)
        take_system(&l);
    if (!l.dns.nresolvers) {
        fputs("/etc/resolv.conf names no nameserver; name one with --server ADDRESS.\n", stderr);
        return 2;
    }
    return evaluate(&l, o);
}
