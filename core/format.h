/* format: human forms of values, short, steady in width, with the unit. All return buf. */
#ifndef CORE_FORMAT_H
#define CORE_FORMAT_H

#include "core/base.h"

const char *format_bytes(int64_t bytes, char *buf, size_t size); /* 912 B, 4.2 MB, 18 GB */
const char *format_ms(int64_t ms, char *buf, size_t size);       /* 42 ms, 3.20 s, 12.4 s, then as a span */
const char *format_span(int64_t ms, char *buf, size_t size);     /* 0:47, 12:05, 1:02:33, 2d 03:10 */

#endif
