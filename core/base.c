#include "core/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool err_set(struct err *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    return false;
}

static void (*before_death)(void);

void die_hook(void (*hook)(void))
{
    before_death = hook;
}

_Noreturn void die(const char *fmt, ...)
{
    if (before_death)
        before_death();
    va_list ap;
    va_start(ap, fmt);
    fputs("cutover: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(70);
}

void *xcalloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);
    if (!p)
        die("out of memory");
    return p;
}

void *xrealloc(void *old, size_t size)
{
    void *p = realloc(old, size ? size : 1);
    if (!p)
        die("out of memory");
    return p;
}

char *xstrdup(const char *s)
{
    size_t len = strlen(s);
    char *p = xcalloc(len + 1, 1);
    memcpy(p, s, len + 1);
    return p;
}

char *xprintf(const char *fmt, ...)
{
    struct buf b = {0};
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        die("xprintf: bad format %s", fmt);
    b.text = xcalloc((size_t)n + 1, 1);
    va_start(ap, fmt);
    vsnprintf(b.text, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return b.text;
}

/* ---- arena: blocks of at least 16 KiB, handed out from the front one ---- */

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    max_align_t data[];
};

void *arena_alloc(struct arena *a, size_t size)
{
    size_t align = sizeof(max_align_t);
    size = (size + align - 1) / align * align;
    struct arena_block *b = a->head;
    if (!b || b->size - b->used < size) {
        size_t room = MAX(size, (size_t)16384);
        b = xcalloc(1, sizeof *b + room);
        b->size = room;
        b->next = a->head;
        a->head = b;
    }
    void *p = (char *)b->data + b->used;
    b->used += size;
    return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
    char *p = arena_alloc(a, len + 1);
    memcpy(p, s, len);
    return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        die("arena_printf: bad format %s", fmt);
    char *p = arena_alloc(a, (size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return p;
}

void arena_free(struct arena *a)
{
    while (a->head) {
        struct arena_block *b = a->head;
        a->head = b->next;
        free(b);
    }
}

/* ---- buf ---- */

static void make_room(struct buf *b, size_t more)
{
    if (b->len + more + 1 <= b->cap)
        return;
    b->cap = MAX(b->len + more + 1, b->cap * 2);
    b->text = xrealloc(b->text, b->cap);
}

void buf_add(struct buf *b, const char *s, size_t len)
{
    make_room(b, len);
    if (len)
        memcpy(b->text + b->len, s, len);
    b->len += len;
    b->text[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        die("buf_printf: bad format %s", fmt);
    make_room(b, (size_t)n);
    va_start(ap, fmt);
    vsnprintf(b->text + b->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
}

void buf_free(struct buf *b)
{
    free(b->text);
    *b = (struct buf){0};
}

/* ---- clocks ---- */

static int64_t read_us(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_wall(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_mono(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

size_t copy_text(char *dst, size_t size, const char *src)
{
    size_t len = strlen(src);
    if (size) {
        size_t n = MIN(len, size - 1);
        for (size_t least = n > 3 ? n - 3 : 0; n < len && n > least && ((unsigned char)src[n] & 0xc0) == 0x80;) /* no half of a character is left */
            n--;
        memcpy(dst, src, n);
        dst[n] = '\0';
    }
    return len;
}
