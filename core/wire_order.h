/* wire_order: one line from a screen -> an order. Private to core/wire*.c. */
#ifndef CORE_WIRE_ORDER_H
#define CORE_WIRE_ORDER_H

#include "core/wire.h"

#define WIRE_WORDS 8
#define WIRE_WORD 2048 /* bytes that one text of an order may have, cleaned */

struct wire_order {
    struct order order; /* user and screen are the caller's to set */
    char *words[WIRE_WORDS];
};
/* False with a sentence when the line is no order. Every text of it is clean (core/text.h) and cut at WIRE_WORD. */
bool wire_order_read(struct wire_order *out, const char *line, size_t len, struct err *err);
void wire_order_free(struct wire_order *read);

#endif
