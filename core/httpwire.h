/* httpwire: the curl half of the http room: one multi handle on the loop with one transfer in it. It hands what comes
 * to http_take_*, always from the loop. */
#ifndef CORE_HTTPWIRE_H
#define CORE_HTTPWIRE_H

#include <uv.h>

#include "core/base.h"
#include "core/http.h"

struct dns_answer;
struct httpwire;

/* Where a URL leads. */
struct http_place {
    char shown[400];                /* scheme, host, port, path: without user, password and query */
    char host[256], target[256];    /* of the URL; where the connection goes to: bare, without brackets */
    int port, target_port;
};
bool httpwire_place(struct http_place *p, const char *url, const char *connect_to, struct err *err);

struct httpwire *httpwire_new(uv_loop_t *loop, struct http *h);
/* addresses: of place->target; NULL if it is a literal address. Strings must live until the end. */
void httpwire_start(struct httpwire *w, const char *url, const struct http_place *place, const struct http_opts *opts,
                    const struct dns_answer *addresses);
void httpwire_stop(struct httpwire *w); /* takes the transfer back; harmless when there is none */
void httpwire_free(struct httpwire *w);

const char *httpwire_redirect(struct httpwire *w); /* where the answer points to, NULL if nowhere */
/* Fills the timings (all plus offset_us), the reuse flag and the address. */
void httpwire_info(struct httpwire *w, struct http_result *r, char *address, size_t size, int64_t offset_us);
void httpwire_cert(struct httpwire *w, struct http_result *r, struct arena *a);

size_t http_take_body(struct http *h, const char *data, size_t len);
size_t http_take_header(struct http *h, const char *data, size_t len);
void http_take_end(struct http *h, enum http_error error, const char *why);

#endif
