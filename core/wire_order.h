/* wire_order: one line from a screen, a flat JSON object of texts. Private to core/wire*.c. */
#ifndef CORE_WIRE_ORDER_H
#define CORE_WIRE_ORDER_H

#include "core/base.h"

#define WIRE_WORD 2048 /* bytes that one text may have when it is cleaned, its NUL included */

/* Fills words[i] with the text of names[i], "" where it is missing: clean (core/text.h), cut at WIRE_WORD, to be freed with
 * wire_order_free. False with a sentence, and nothing to free, when the line is no such object or its first word is "". */
bool wire_order_read(const char *line, size_t len, const char *const *names, char **words, int count, struct err *err);
void wire_order_free(char **words, int count);

#endif
