/* base: the ground floor. Errors as finished sentences, memory that is freed at once, two clocks.
 *
 * Units in the whole house: times are int64_t milliseconds, sizes are bytes, rates are parts per million;
 * any other unit stands in the name. */
#ifndef CORE_BASE_H
#define CORE_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#undef MIN /* <sys/param.h>, which <uv.h> includes, has its own */
#undef MAX
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* One finished sentence: what, where, what to do. Written once, by who knows most. */
struct err {
    char text[1024];
};

/* Writes the sentence and returns false, so that a caller can say `return err_set(err, ...)`. */
bool err_set(struct err *err, const char *fmt, ...) PRINTF(2, 3);

/* A bug, or no memory. Runs the hook (which gives the terminal back), says why, ends with status 70. */
_Noreturn void die(const char *fmt, ...) PRINTF(1, 2);
void die_hook(void (*hook)(void));

/* Memory that can't fail: the program dies where it would. */
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *s);
char *xprintf(const char *fmt, ...) PRINTF(1, 2);

/* An arena owns many small things with one end. {0} is an empty arena; arena_free makes it empty again. */
struct arena {
    struct arena_block *head;
};
void *arena_alloc(struct arena *a, size_t size); /* zeroed, aligned for any type */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
void arena_free(struct arena *a);

/* A string that grows. {0} is empty; text is never NULL after the first call. */
struct buf {
    char *text;
    size_t len, cap;
};
void buf_add(struct buf *b, const char *s, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_free(struct buf *b);

/* Milliseconds since 1970 (CLOCK_REALTIME), and since some fixed start that never jumps (CLOCK_MONOTONIC).
 * Durations are measured with the second one. Only the engine's edges read them; the fold never does. */
int64_t clock_wall(void);
int64_t clock_mono(void);
int64_t clock_mono_us(void);

/* strlcpy that never splits a character of UTF-8: always ends in NUL, returns strlen(src), so `>= size` says that it did not fit. */
size_t copy_text(char *dst, size_t size, const char *src);

#endif
