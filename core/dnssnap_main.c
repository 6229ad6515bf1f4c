/* cutover dns: the command line of snapshots. */
#include <stdio.h>
#include <string.h>

#include "core/dnssnap.h"
#include "core/text.h"

static const char usage[] = "cutover dns snapshot PLAN      every record of the plan's names, as text\n"
                            "cutover dns diff OLD NEW       what changed between two snapshots; - is standard input\n";

static int complain(const char *fmt, const char *what)
{
    char text[1200], clean[1600];
    snprintf(text, sizeof text, fmt, what);
    text_line(clean, sizeof clean, text, strlen(text));
    fprintf(stderr, "%s\n", clean);
    return 2;
}

static int wrong(const char *fmt, const char *what)
{
    complain(fmt, what);
    return 64;
}

static void print_problems(struct plan_problems *problems)
{
    for (int i = 0; i < problems->count; i++)
        fprintf(stderr, "%s\n", problems->lines[i]);
    plan_problems_free(problems);
}

/* All of it or nothing that looks like all. */
static int put(struct buf *out, int status)
{
    bool ok = fwrite(out->text, 1, out->len, stdout) == out->len && fflush(stdout) == 0;
    buf_free(out);
    return ok ? status : complain("Standard output takes no more%s; is the disk full? What was written is not whole.", "");
}

/* What another server of the zone says otherwise goes to standard error. 0 all agree, 1 one differs, 2 one could not be asked. */
static int ask_the_others(const struct plan *plan, const struct dnssnap *first)
{
    int status = 0;
    for (int i = 0; i < plan->dns.nservers; i++) {
        struct plan one = *plan;
        struct dnssnap s = {0};
        struct buf out = {0};
        struct err err;
        one.dns.server = plan->dns.servers[i].address;
        one.dns.port = plan->dns.servers[i].port;
        if (!dnssnap_take(&s, &one, &err)) {
            status = complain("%s", err.text);
        } else if (dnssnap_diff(first, &s, &out)) {
            fprintf(stderr, "%s says something else:\n%s", plan->dns.servers[i].name, out.text);
            status = MAX(status, 1);
        }
        buf_free(&out);
        dnssnap_free(&s);
    }
    return status;
}

static int snapshot(const char *plan_path)
{
    struct plan_problems problems = {0};
    struct plan *plan = plan_load(plan_path, &problems);
    struct dnssnap s = {0};
    struct buf out = {0};
    struct err err;
    int status = 2;
    print_problems(&problems);
    if (plan && dnssnap_take(&s, plan, &err)) {
        dnssnap_write(&s, plan->dns.zone, &out);
        status = put(&out, ask_the_others(plan, &s));
    } else if (plan) {
        complain("%s", err.text);
    }
    dnssnap_free(&s);
    plan_free(plan);
    return status;
}

static int diff(const char *old_path, const char *new_path)
{
    struct plan_problems problems = {0};
    struct dnssnap old = {0}, new = {0};
    struct buf out = {0};
    int status = 2;
    if (strcmp(old_path, "-") == 0 && strcmp(new_path, "-") == 0)
        return wrong("Only one of the two snapshots can come from standard input; name a file for the other%s.", "");
    bool read_old = dnssnap_read(&old, old_path, &problems), read_new = dnssnap_read(&new, new_path, &problems);
    print_problems(&problems);
    if (read_old && read_new) {
        int differences = dnssnap_diff(&old, &new, &out);
        status = put(&out, differences > 0);
    }
    dnssnap_free(&old);
    dnssnap_free(&new);
    return status;
}

int dnssnap_main(int argc, char **argv)
{
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return fputs(usage, stdout) < 0;
    if (argc == 3 && strcmp(argv[1], "snapshot") == 0)
        return snapshot(argv[2]);
    if (argc == 4 && strcmp(argv[1], "diff") == 0)
        return diff(argv[2], argv[3]);
    if (argc < 2)
        return wrong("dns needs to know what to do%s; write cutover dns snapshot PLAN, or cutover dns diff OLD NEW.", "");
    if (strcmp(argv[1], "snapshot") == 0)
        return wrong("dns snapshot needs one plan%s; write cutover dns snapshot PLAN.", "");
    if (strcmp(argv[1], "diff") == 0)
        return wrong("dns diff needs two snapshots%s; write cutover dns diff OLD NEW.", "");
    return wrong("dns does not know \"%.200s\"; write cutover dns snapshot PLAN, or cutover dns diff OLD NEW.", argv[1]);
}
