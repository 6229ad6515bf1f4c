/* http: requests with a deadline, on the loop. The only user of libcurl.
 *
 * A `struct http` keeps its connection alive between requests to the same place. One request at a time.
 * Names are resolved by c-ares first (libcurl would start a thread); proxies of the environment are not used. */
#ifndef CORE_HTTP_H
#define CORE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct task;
struct http;

enum http_error { HTTP_OK, HTTP_DNS, HTTP_CONNECT, HTTP_TLS, HTTP_TIMEOUT, HTTP_STATUS, HTTP_BODY, HTTP_BAD_ORDER };
const char *http_error_name(enum http_error e); /* "ok", "dns", "connect", "tls", "timeout", "status", "body", "order" */

/* Zeroed is a plain request with 5 s, 64 kB, no redirects. Strings are copied before the call returns. */
struct http_opts {
    int64_t timeout_ms;          /* the whole request; 0: 5000 */
    const char *const *headers;  /* "Name: value", NULL-terminated; NULL: none */
    const char *body;            /* for POST and the like */
    size_t body_len;             /* 0 with a body: strlen */
    const char *method;          /* NULL: GET, or POST with a body */
    const char *connect_to;      /* "address:port" or "[v6]:port": where to go in spite of the URL's host (SNI and Host stay) */
    const char *cookie;          /* "a=b; c=d" */
    const char *cafile;          /* NULL: the system's */
    const char *unix_socket;     /* path; NULL: TCP */
    int follow;                  /* redirects to follow, 0: none */
    size_t body_limit;           /* bytes of the answer that are kept; more is cut (see truncated); 0: 65536 */
    bool fresh;                  /* a new connection in any case */
    bool insecure;               /* do not verify the certificate */
    bool want_cert;              /* fill cert_* */
};

struct http_result {
    enum http_error error;   /* HTTP_STATUS: the answer is whole, its status is 400 or more */
    const char *sentence;    /* finished, sanitised; "" if ok */
    int status;              /* 0: no answer */
    int64_t total_us, dns_us, connect_us, tls_us, first_byte_us; /* since the start of the request; 0: not reached */
    bool reused;             /* an old connection was used */
    const char *address;     /* who answered: "127.0.0.1:8080", "" if nobody */
    const char *set_cookie;  /* "name=value" pairs of all Set-Cookie headers joined by "; ": ready for opts.cookie */
    const char *location;    /* of a redirect that was not followed, raw */
    const char *body;        /* raw: clean it before use; always NUL-terminated */
    size_t body_len;
    bool truncated;          /* the answer was longer than body_limit */
    const char *cert_subject, *cert_names, *cert_until; /* sanitised; names is the subjectAltName line; "" if not asked */
    int64_t cert_until_ms;   /* end of validity, wall clock; 0 unknown */
};

struct http *http_new(struct task *owner);
void http_request(struct http *h, const char *url, const struct http_opts *opts); /* opts may be NULL */
void http_get(struct http *h, const char *url, const struct http_opts *opts);
void http_post(struct http *h, const char *url, const char *body, const struct http_opts *opts);
bool http_busy(const struct http *h);
const struct http_result *http_result(const struct http *h); /* stands until the next request */
/* First value of a header of the last answer (name without case), raw; "" if there is none. */
const char *http_header(const struct http *h, const char *name);
void http_cancel(struct http *h); /* the running request ends as HTTP_TIMEOUT, without a wake */
void http_free(struct http *h);   /* at any time; NULL is fine */

#endif
