#include "core/spftell.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dns.h"
#include "core/dnsview.h"
#include "core/spfask.h"
#include "core/task.h"
#include "core/text.h"

enum { ALL_MS = 45000, MAX_SERVERS = 3, USAGE = 64 };

struct options {
    const char *ip, *domain, *helo, *sender, *server;
};

struct look {
    struct task task; /* first */
    struct options o;
    struct dns_place place[MAX_SERVERS];
    int nplaces;
    struct plan_resolver server[MAX_SERVERS]; /* the same, as who asks wants them */
    struct plan_dns dns;
    struct spfask *ask;
    int64_t began;
    int status;
};

/* ---- what was asked ---- */

static const char usage[] = "cutover spf ADDRESS DOMAIN [--helo NAME] [--sender LOCAL@DOMAIN] [--server ADDRESS[:PORT]]\n";

/* One sentence on stderr, sanitised; false. */
static bool complain(const char *fmt, ...) PRINTF(1, 2);
static bool complain(const char *fmt, ...)
{
    char text[2000], clean[2400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    text_line(clean, sizeof clean, text, strlen(text));
    fprintf(stderr, "%s\n", clean);
    return false;
}

static bool is_address(const char *text)
{
    uint8_t raw[16];
    return inet_pton(AF_INET, text, raw) == 1 || inet_pton(AF_INET6, text, raw) == 1;
}

/* "192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:5353" */
static bool read_place(struct dns_place *p, const char *text)
{
    const char *end = *text == '[' ? strchr(text, ']') : NULL, *colon = strchr(text, ':');
    const char *from = end ? text + 1 : text, *port = end ? end + 1 : colon && !strchr(colon + 1, ':') ? colon : "";
    size_t len = end ? (size_t)(end - from) : *port ? (size_t)(port - text) : strlen(text);
    p->port = 53;
    if (len >= sizeof p->address)
        return false;
    memcpy(p->address, from, len);
    p->address[len] = '\0';
    if (*port) {
        size_t digits = strspn(port + 1, "0123456789");
        p->port = *port == ':' && digits && digits <= 5 && !port[1 + digits] ? atoi(port + 1) : 0;
    }
    return is_address(p->address) && p->port >= 1 && p->port <= 65535;
}

static bool is_sender(const char *text)
{
    const char *at = strrchr(text, '@');
    return !*text || (at && at > text && at[1]);
}

static bool take_options(struct options *o, int argc, char **argv)
{
    static const struct option longs[] = {{"helo", required_argument, NULL, 'e'}, {"sender", required_argument, NULL, 's'},
                                          {"server", required_argument, NULL, 'a'}, {0}};
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;)
        switch (c) {
        case 'e': o->helo = optarg; break;
        case 's': o->sender = optarg; break;
        case 'a': o->server = optarg; break;
        default: return complain("spf does not know \"%s\", or it lacks its value; write %s", argv[optind - 1], usage);
        }
    if (optind + 2 != argc)
        return complain("spf needs the address that sends and the domain that it sends for; write %s", usage);
    o->ip = argv[optind];
    o->domain = argv[optind + 1];
    return true;
}

static bool check_options(struct look *l)
{
    const struct options *o = &l->o;
    if (!is_address(o->ip))
        return complain("\"%s\" is no IPv4 or IPv6 address; write the address of the machine that sends, like 192.0.2.1.", o->ip);
    if (!*o->domain)
        return complain("The domain is empty; write the one that the mail is from, like shop.test.");
    if (o->sender && !is_sender(o->sender))
        return complain("\"%s\" is no sender; write --sender LOCAL@DOMAIN, without brackets.", o->sender);
    if (!o->server)
        l->nplaces = dns_system_servers(l->place, MAX_SERVERS);
    else if (read_place(&l->place[0], o->server))
        l->nplaces = 1;
    else
        return complain("\"%s\" is no address of a DNS server; write --server 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:5353.", o->server);
    return true;
}

/* ---- what is told ---- */

static void put_clean(struct buf *out, const char *what, const char *text)
{
    char line[1400];
    text_line(line, sizeof line, text, strlen(text));
    buf_printf(out, "%s%s\n", what, line);
}

static const char *sender_of(const struct options *o, char *buf, size_t size)
{
    snprintf(buf, size, "postmaster@%.300s", o->domain);
    return o->sender ? o->sender : buf;
}

static void put_head(const struct look *l, const struct spf *s, struct buf *out)
{
    char sender[320], line[1400];
    const struct options *o = &l->o;
    snprintf(line, sizeof line, "%s for mail of %.300s from %s (MAIL FROM %.300s, HELO %.300s)", spf_result_name(s->result), o->domain, o->ip,
        sender_of(o, sender, sizeof sender), o->helo ? o->helo : o->domain);
    put_clean(out, "", line);
    put_clean(out, "because ", s->detail);
}

static void put_servers(const struct look *l, struct buf *out)
{
    char place[100];
    buf_puts(out, "asked: ");
    for (int i = 0; i < l->nplaces; i++)
        buf_printf(out, "%s%s", i ? ", " : "", dnsview_place(l->place[i].address, l->place[i].port, place, sizeof place));
    buf_puts(out, "\n");
}

static void tell(struct look *l)
{
    const struct spf *s = spfask_spf(l->ask);
    struct buf out = {0}, match = {0};
    put_head(l, s, &out);
    buf_puts(&out, "\n");
    spf_print(s, &out);
    spf_print_match(s, &match);
    buf_printf(&out, "\nmatching term: %s\n", *match.text ? match.text : "none");
    if (*s->explanation)
        put_clean(&out, "explanation: ", s->explanation);
    put_servers(l, &out);
    fputs(out.text, stdout);
    buf_free(&match);
    buf_free(&out);
    l->status = s->result == SPF_PASS ? 0 : s->result == SPF_TEMPERROR ? 2 : 1;
    if (s->result == SPF_TEMPERROR)
        complain("SPF of %s could not be evaluated: %s. Try again, or ask another server with --server ADDRESS[:PORT].", l->o.domain,
            *spfask_trouble(l->ask) ? spfask_trouble(l->ask) : s->detail);
}

/* ---- the task ---- */

static void begin(struct look *l)
{
    char sender[320];
    const struct options *o = &l->o;
    for (int i = 0; i < l->nplaces; i++)
        l->server[i] = (struct plan_resolver){.name = "", .address = l->place[i].address, .port = l->place[i].port};
    l->dns = (struct plan_dns){.zone = "", .resolvers = l->server, .nresolvers = l->nplaces};
    l->ask = spfask_new(&l->task, &(struct spfask_setup){.dns = &l->dns});
    spfask_begin(l->ask, &(struct spf_mail){.ip = o->ip, .helo = o->helo ? o->helo : o->domain, .sender = sender_of(o, sender, sizeof sender),
                             .now = clock_wall() / 1000, .domain = o->domain});
    l->began = clock_mono();
}

static void run(struct task *task)
{
    struct look *l = (struct look *)task;
    if (task->woke == WOKE_START)
        begin(l);
    l->status = 2;
    if (clock_mono() - l->began > ALL_MS)
        complain("SPF of %s could not be evaluated within %d s. Try again, or ask another server with --server ADDRESS[:PORT].",
            l->o.domain, ALL_MS / 1000);
    else if (spfask_go_on(l->ask))
        tell(l);
    else
        return;
    spfask_free(l->ask);
    task_stop(task);
}

int spftell_main(int argc, char **argv)
{
    struct look l = {.o = {.ip = "", .domain = ""}};
    uv_loop_t loop;
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return fputs(usage, stdout) < 0;
    if (!take_options(&l.o, argc, argv))
        return USAGE;
    if (!check_options(&l))
        return USAGE;
    if (!l.nplaces) {
        complain("The system names no DNS server; name one with --server ADDRESS[:PORT].");
        return 2;
    }
    uv_loop_init(&loop);
    task_start(&l.task, &loop, run, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    if (fflush(stdout) == 0)
        return l.status;
    complain("The verdict could not be written to standard output; is the disk full?");
    return 2;
}
