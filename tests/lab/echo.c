/* echo: a partner's webhook endpoint. Answers with the address that the request came from and its signature header,
 * and writes one line per request into a log.
 *   echo --port P --log FILE */
#include <arpa/inet.h>
#include <getopt.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *records;

static void peer_of(struct MHD_Connection *c, char *out, socklen_t size)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr_in *in = info ? (const void *)info->client_addr : NULL;
    if (!in || !inet_ntop(AF_INET, &in->sin_addr, out, size))
        snprintf(out, size, "unknown");
}

/* A header of the request in letters that can stand in JSON and in a log line; others become "?". */
static void header_of(struct MHD_Connection *c, const char *name, char *out, size_t size)
{
    const char *value = MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
    size_t n = 0;
    for (; value && value[n] && n + 1 < size; n++)
        out[n] = value[n] >= ' ' && value[n] < 127 && value[n] != '"' && value[n] != '\\' ? value[n] : '?';
    out[n] = '\0';
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *c, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **state)
{
    static int seen;
    (void)arg, (void)version, (void)upload, (void)url;
    if (!*state) {
        *state = &seen;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    char peer[INET_ADDRSTRLEN], signature[256], body[512];
    peer_of(c, peer, sizeof peer);
    header_of(c, "X-Signature", signature, sizeof signature);
    fprintf(records, "%s %s %s\n", method, peer, *signature ? signature : "-");
    fflush(records);
    int len = snprintf(body, sizeof body, "{\"peer\":\"%s\",\"signature\":\"%s\"}\n", peer, signature);
    struct MHD_Response *r = MHD_create_response_from_buffer((size_t)len, body, MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(r, "Content-Type", "application/json");
    enum MHD_Result result = MHD_queue_response(c, MHD_HTTP_OK, r);
    MHD_destroy_response(r);
    return result;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"port", 1, NULL, 'p'}, {"log", 1, NULL, 'l'}, {0}};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'p')
            at.sin_port = htons((uint16_t)atoi(optarg));
        else if (c == 'l')
            records = fopen(optarg, "a");
    }
    if (!at.sin_port || !records) {
        fprintf(stderr, "usage: echo --port P --log FILE\n");
        return 2;
    }
    sigset_t end;
    sigemptyset(&end), sigaddset(&end, SIGTERM), sigaddset(&end, SIGINT);
    sigprocmask(SIG_BLOCK, &end, NULL);
    struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, answer, NULL,
                                            MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at, MHD_OPTION_END);
    int which;
    if (!d) {
        fprintf(stderr, "echo: port %u can't be listened on.\n", ntohs(at.sin_port));
        return 1;
    }
    sigwait(&end, &which);
    MHD_stop_daemon(d);
    fclose(records);
    return 0;
}
