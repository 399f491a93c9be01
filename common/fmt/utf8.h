/* common/fmt/utf8.h - well-formed UTF-8 (RFC 3629): no overlong forms, surrogates, nor anything beyond U+10FFFF. */
#ifndef FMT_UTF8_H
#define FMT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"

/* Length of the character of more than one byte that begins here; 0: ASCII, no UTF-8, or the end. */
size_t	utf8_length(struct str);
/* The code point of such a character; n is what utf8_length said. */
uint32_t utf8_point(const char *, size_t n);
/* Appends a code point; false (and nothing appended): there is no such character. */
bool	utf8_put(struct buf *, uint32_t);
bool	utf8_is_ascii(struct str);
/* Bytes that it begins with and that are ASCII; well-formed. */
size_t	utf8_ascii_run(struct str);
size_t	utf8_run(struct str);
/* Is all of it well-formed? */
bool	utf8_ok(struct str);

#endif
