#include "core/httpwire.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/dns.h"
#include "core/task.h"
#include "core/text.h"

struct line {
    struct line *next;
    struct task_watch *watch;
};

struct httpwire {
    struct http *http;
    uv_loop_t *loop;
    CURLM *multi;
    CURL *easy;
    bool added;
    struct line *lines; /* watches, so that none outlives us */
    struct task_timer *timer;
    struct curl_slist *headers, *resolve, *connect_to;
    char error[CURL_ERROR_SIZE];
};

/* ---- places ---- */

static bool part(CURLU *u, CURLUPart what, char *out, size_t size)
{
    char *s = NULL;
    bool ok = curl_url_get(u, what, &s, what == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0) == CURLUE_OK;
    bool fits = copy_text(out, size, ok ? s : "") < size;
    curl_free(s);
    return ok && fits;
}

static void strip_brackets(char *host)
{
    size_t n = strlen(host);
    if (n > 1 && host[0] == '[' && host[n - 1] == ']') {
        memmove(host, host + 1, n - 2);
        host[n - 2] = '\0';
    }
}

static bool read_target(struct http_place *p, const char *connect_to, struct err *err)
{
    const char *colon = strrchr(connect_to, ':');
    int port = colon ? atoi(colon + 1) : 0;
    if (!colon || colon == connect_to || port < 1 || port > 65535)
        return err_set(err, "connect_to must be address:port or [v6]:port");
    snprintf(p->target, sizeof p->target, "%.*s", (int)(colon - connect_to), connect_to);
    strip_brackets(p->target);
    p->target_port = port;
    return true;
}

static bool read_url(struct http_place *p, CURLU *u, const char *url)
{
    char scheme[16], path[200], port[16];
    if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK || !part(u, CURLUPART_SCHEME, scheme, sizeof scheme))
        return false;
    bool host = part(u, CURLUPART_HOST, p->host, sizeof p->host);
    bool known = !strcasecmp(scheme, "http") || !strcasecmp(scheme, "https");
    part(u, CURLUPART_PATH, path, sizeof path);
    part(u, CURLUPART_PORT, port, sizeof port);
    p->port = atoi(port);
    snprintf(p->shown, sizeof p->shown, "%s://%.160s:%d%.180s", scheme, p->host, p->port, path);
    strip_brackets(p->host);
    return host && known && *p->host;
}

bool httpwire_place(struct http_place *p, const char *url, const char *connect_to, struct err *err)
{
    *p = (struct http_place){0};
    CURLU *u = curl_url();
    if (!u)
        die("out of memory");
    bool ok = read_url(p, u, url);
    curl_url_cleanup(u);
    if (!ok)
        return err_set(err, "that is no http:// or https:// address");
    copy_text(p->target, sizeof p->target, p->host);
    p->target_port = p->port;
    return !connect_to || read_target(p, connect_to, err);
}

/* ---- the loop ---- */

static const struct {
    CURLcode code;
    enum http_error error;
} kinds[] = {
    {CURLE_OK, HTTP_OK},
    {CURLE_COULDNT_RESOLVE_HOST, HTTP_DNS},
    {CURLE_COULDNT_CONNECT, HTTP_CONNECT},
    {CURLE_SEND_ERROR, HTTP_CONNECT},
    {CURLE_OPERATION_TIMEDOUT, HTTP_TIMEOUT},
    {CURLE_SSL_CONNECT_ERROR, HTTP_TLS},
    {CURLE_PEER_FAILED_VERIFICATION, HTTP_TLS},
    {CURLE_SSL_CERTPROBLEM, HTTP_TLS},
    {CURLE_SSL_CIPHER, HTTP_TLS},
    {CURLE_SSL_CACERT_BADFILE, HTTP_TLS},
    {CURLE_SSL_ISSUER_ERROR, HTTP_TLS},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, HTTP_TLS},
    {CURLE_SSL_SHUTDOWN_FAILED, HTTP_TLS},
    {CURLE_URL_MALFORMAT, HTTP_BAD_ORDER},
};

static enum http_error kind_of(CURLcode code)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i].code == code)
            return kinds[i].error;
    return HTTP_BODY; /* it answered, but not whole or not HTTP */
}

static void look_for_end(struct httpwire *w)
{
    int left;
    for (CURLMsg *m; w->added && (m = curl_multi_info_read(w->multi, &left));) {
        if (m->msg != CURLMSG_DONE)
            continue;
        CURLcode code = m->data.result;
        http_take_end(w->http, kind_of(code), *w->error ? w->error : curl_easy_strerror(code));
        return;
    }
}

static void act(struct httpwire *w, int fd, int bits)
{
    int running;
    curl_multi_socket_action(w->multi, fd, bits, &running);
    look_for_end(w);
}

static void on_ready(void *arg, int fd, int events)
{
    int bits = events < 0 ? CURL_CSELECT_ERR : 0;
    if (events > 0)
        bits = (events & (UV_READABLE | UV_DISCONNECT) ? CURL_CSELECT_IN : 0) |
               (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
    act(arg, fd, bits);
}

static void on_time(void *arg)
{
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer_wish(CURLM *multi, long ms, void *arg)
{
    struct httpwire *w = arg;
    (void)multi;
    task_timer_set(w->timer, ms);
    return 0;
}

static void drop_line(struct httpwire *w, struct line *l)
{
    struct line **at = &w->lines;
    while (*at && *at != l)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = l->next;
    task_watch_free(l->watch);
    free(l);
}

static int on_socket_wish(CURL *easy, curl_socket_t fd, int what, void *arg, void *mine)
{
    struct httpwire *w = arg;
    struct line *l = mine;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        drop_line(w, l);
        curl_multi_assign(w->multi, fd, NULL);
        return 0;
    }
    if (!l) {
        l = xcalloc(1, sizeof *l);
        l->next = w->lines;
        l->watch = task_watch_new(w->loop, fd, on_ready, w);
        w->lines = l;
        curl_multi_assign(w->multi, fd, l);
    }
    task_watch_events(l->watch, (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0));
    return 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    return http_take_body(((struct httpwire *)arg)->http, data, size * count);
}

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
    return http_take_header(((struct httpwire *)arg)->http, data, size * count);
}

/* ---- one transfer ---- */

struct httpwire *httpwire_new(uv_loop_t *loop, struct http *h)
{
    static bool ready;
    if (!ready && curl_global_init(CURL_GLOBAL_DEFAULT))
        die("libcurl does not start");
    ready = true;
    struct httpwire *w = xcalloc(1, sizeof *w);
    w->http = h;
    w->loop = loop;
    w->multi = curl_multi_init();
    w->easy = curl_easy_init();
    if (!w->multi || !w->easy)
        die("out of memory");
    w->timer = task_timer_new(loop, on_time, w);
    curl_multi_setopt(w->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wish);
    curl_multi_setopt(w->multi, CURLMOPT_SOCKETDATA, w);
    curl_multi_setopt(w->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish);
    curl_multi_setopt(w->multi, CURLMOPT_TIMERDATA, w);
    return w;
}

static void free_lists(struct httpwire *w)
{
    curl_slist_free_all(w->headers);
    curl_slist_free_all(w->resolve);
    curl_slist_free_all(w->connect_to);
    w->headers = w->resolve = w->connect_to = NULL;
}

static void set_plumbing(struct httpwire *w)
{
    CURL *e = w->easy;
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, w);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, w);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, w->error);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_PROXY, "");
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_USERAGENT, "cutover");
    w->error[0] = '\0';
}

static void set_request(struct httpwire *w, const char *url, const struct http_opts *o)
{
    CURL *e = w->easy;
    curl_easy_setopt(e, CURLOPT_URL, url);
    if (o->body) {
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)o->body_len);
        curl_easy_setopt(e, CURLOPT_POSTFIELDS, o->body);
    }
    if (o->method && !strcasecmp(o->method, "HEAD"))
        curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
    else if (o->method)
        curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, o->method);
    for (const char *const *p = o->headers; p && *p; p++)
        w->headers = curl_slist_append(w->headers, *p);
    w->headers = curl_slist_append(w->headers, "Expect:");
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, w->headers);
    if (o->cookie)
        curl_easy_setopt(e, CURLOPT_COOKIE, o->cookie);
    curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, o->fresh || o->want_cert ? 1L : 0L);
}

static void set_tls(struct httpwire *w, const struct http_opts *o)
{
    CURL *e = w->easy;
    if (o->cafile)
        curl_easy_setopt(e, CURLOPT_CAINFO, o->cafile);
    if (o->insecure) {
        curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    curl_easy_setopt(e, CURLOPT_CERTINFO, o->want_cert ? 1L : 0L);
}

/* host:port:address,address: curl finds the name in its cache and starts no resolver thread. */
static struct curl_slist *resolve_list(const struct http_place *p, const struct dns_answer *a)
{
    struct buf b = {0};
    buf_printf(&b, "%s:%d:", p->target, p->target_port);
    for (int i = 0; i < a->count; i++)
        buf_printf(&b, strchr(a->records[i].text, ':') ? "%s[%s]" : "%s%s", i ? "," : "", a->records[i].text);
    struct curl_slist *list = curl_slist_append(NULL, b.text);
    buf_free(&b);
    return list;
}

static void set_way(struct httpwire *w, const struct http_place *p, const struct http_opts *o,
                    const struct dns_answer *addresses)
{
    char to[300];
    if (o->unix_socket)
        curl_easy_setopt(w->easy, CURLOPT_UNIX_SOCKET_PATH, o->unix_socket);
    if (addresses) {
        w->resolve = resolve_list(p, addresses);
        curl_easy_setopt(w->easy, CURLOPT_RESOLVE, w->resolve);
    }
    if (!o->connect_to)
        return;
    snprintf(to, sizeof to, strchr(p->target, ':') ? "::[%s]:%d" : "::%s:%d", p->target, p->target_port);
    w->connect_to = curl_slist_append(NULL, to);
    curl_easy_setopt(w->easy, CURLOPT_CONNECT_TO, w->connect_to);
}

void httpwire_start(struct httpwire *w, const char *url, const struct http_place *place, const struct http_opts *opts,
                    const struct dns_answer *addresses)
{
    free_lists(w);
    curl_easy_reset(w->easy);
    set_plumbing(w);
    set_request(w, url, opts);
    set_tls(w, opts);
    set_way(w, place, opts, addresses);
    CURLMcode rc = curl_multi_add_handle(w->multi, w->easy);
    if (rc != CURLM_OK)
        die("libcurl takes no request: %s", curl_multi_strerror(rc));
    w->added = true;
}

void httpwire_stop(struct httpwire *w)
{
    if (w->added)
        curl_multi_remove_handle(w->multi, w->easy);
    w->added = false;
}

void httpwire_free(struct httpwire *w)
{
    httpwire_stop(w);
    curl_easy_cleanup(w->easy);
    curl_multi_cleanup(w->multi);
    while (w->lines)
        drop_line(w, w->lines);
    task_timer_free(w->timer);
    free_lists(w);
    free(w);
}

/* ---- what curl knows afterwards ---- */

const char *httpwire_redirect(struct httpwire *w)
{
    char *url = NULL;
    curl_easy_getinfo(w->easy, CURLINFO_REDIRECT_URL, &url);
    return url;
}

static int64_t timing(CURL *e, CURLINFO what, int64_t offset_us)
{
    curl_off_t us = 0;
    curl_easy_getinfo(e, what, &us);
    return us > 0 ? us + offset_us : 0;
}

void httpwire_info(struct httpwire *w, struct http_result *r, char *address, size_t size, int64_t offset_us)
{
    char *ip = NULL;
    long port = 0, connects = 0;
    r->connect_us = timing(w->easy, CURLINFO_CONNECT_TIME_T, offset_us);
    r->tls_us = timing(w->easy, CURLINFO_APPCONNECT_TIME_T, offset_us);
    r->first_byte_us = timing(w->easy, CURLINFO_STARTTRANSFER_TIME_T, offset_us);
    curl_easy_getinfo(w->easy, CURLINFO_PRIMARY_IP, &ip);
    curl_easy_getinfo(w->easy, CURLINFO_PRIMARY_PORT, &port);
    curl_easy_getinfo(w->easy, CURLINFO_NUM_CONNECTS, &connects);
    r->reused = r->status && !connects;
    if (ip && *ip && port)
        snprintf(address, size, strchr(ip, ':') ? "[%s]:%ld" : "%s:%ld", ip, port);
}

static const char *keep_line(struct arena *a, const char *text)
{
    char line[2048];
    text_line(line, sizeof line, text, strlen(text));
    return arena_strdup(a, line);
}

void httpwire_cert(struct httpwire *w, struct http_result *r, struct arena *a)
{
    struct curl_certinfo *info = NULL;
    curl_easy_getinfo(w->easy, CURLINFO_CERTINFO, &info);
    for (struct curl_slist *l = info && info->num_of_certs ? info->certinfo[0] : NULL; l; l = l->next) {
        const char *value = strchr(l->data, ':');
        if (!value++)
            continue;
        if (!strncmp(l->data, "Subject:", 8))
            r->cert_subject = keep_line(a, value);
        else if (!strncmp(l->data, "X509v3 Subject Alternative Name:", 32))
            r->cert_names = keep_line(a, value);
        else if (!strncmp(l->data, "Expire date:", 12)) {
            time_t until = curl_getdate(value, NULL);
            r->cert_until = keep_line(a, value);
            r->cert_until_ms = until > 0 ? (int64_t)until * 1000 : 0;
        }
    }
}
