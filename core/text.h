/* text: the one sanitiser. Whatever comes from outside (DNS answers, HTTP bodies, SQL errors, command output,
 * the plan's own strings) passes text_clean before anything else: before an event, before a width is counted.
 *
 * What comes out is strict UTF-8 made of printable characters only:
 *   a byte that is no UTF-8     U+FFFD            ESC                             the four characters \x1b
 *   TAB                         one space         newline (LF, CR LF, U+2028/9)   U+23CE
 *   C0, C1, DEL, bidi controls, zero width, tags, private use, variation selectors,
 *   noncharacters, a second combining mark on the same base                       U+00B7 (middle dot)
 * Cleaning what is clean changes nothing. */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes at most size - 1 bytes and a NUL; never splits a character; returns the bytes written without the NUL.
 * out and in must not overlap. */
size_t text_clean(char *out, size_t size, const char *in, size_t len);

/* The same for a C string; NULL reads as "". */
size_t text_clean_string(char *out, size_t size, const char *in);

/* One line for a sentence: cleaned, white space at both ends gone, cut with an ellipsis when it does not fit. */
size_t text_line(char *out, size_t size, const char *in, size_t len);

/* Decodes one character strictly (RFC 3629): returns its length in bytes, 0 for a byte that is none. */
size_t text_decode(uint32_t *cp, const char *in, size_t len);
bool text_is_clean(const char *in, size_t len);

/* Every value that may be private has a kind, and the kind knows its mask, before the line is made. */
enum text_kind {
    TEXT_PLAIN,   /* shown as it is */
    TEXT_NUMBER,  /* shown as it is */
    TEXT_HOST,    /* db-1.eu.example.com      db-1.··· */
    TEXT_ADDRESS, /* 10.20.30.40              10.20.·.·      2001:db8::1  2001:db8:··· */
    TEXT_USER,    /* ben@example.com          ben */
    TEXT_DSN,     /* postgres://u:p@h/d       postgres://···@h/d;  user=u password=p host=h  user=··· password=··· host=h */
    TEXT_TOKEN,   /* anything                 ··· */
    TEXT_QUERY,   /* where name = 'x'         where name = '···' */
};

/* The masked form of a value (cleaned on the way). Returns the bytes written without the NUL. */
size_t text_redact(char *out, size_t size, enum text_kind kind, const char *value);

#endif
