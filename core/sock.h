/* sock: one question, one answer over a stream socket: connect, send, read until the other end closes
 * (HAProxy's admin socket, a health port). Bounded in time and size. */
#ifndef CORE_SOCK_H
#define CORE_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOCK_ANSWER_MAX (1024 * 1024)

struct task;
struct sock;

struct sock *sock_new(struct task *owner);
/* address: "unix:/path", "/path", "host:port" or "[v6]:port". The request is sent as it stands (end it with \n). */
void sock_converse(struct sock *s, const char *address, const char *request, int64_t timeout_ms);
bool sock_busy(const struct sock *s);
bool sock_failed(const struct sock *s);
const char *sock_error(const struct sock *s);             /* finished sentence, "" if not failed */
const char *sock_answer(const struct sock *s, size_t *len); /* raw: clean it; what came so far when failed; NUL-terminated */
int64_t sock_elapsed_us(const struct sock *s);
void sock_free(struct sock *s); /* at any time; NULL is fine */

#endif
