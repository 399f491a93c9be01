/*
 * common/fmt/surrogate.h - the header of a message with text beyond ASCII (RFC 6532), for a reader who has not said
 * that he knows it: a surrogate in ASCII (RFC 6856 2.1, RFC 6855 7). Text and names become encoded words (RFC 2047),
 * parameters what RFC 2231 has; an address that nobody can answer to without SMTPUTF8 becomes one that leads nowhere,
 * with what it was in a comment. What is no UTF-8 is called unknown-8bit (RFC 1428). Fields in ASCII stay as they are. Pure.
 */
#ifndef FMT_SURROGATE_H
#define FMT_SURROGATE_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"

/* Is there anything in it that is not ASCII? */
bool	surrogate_wanted(struct str header);
/* Appends the surrogate of a whole header. -1: the buffer's errno. */
int	surrogate_header(struct str header, struct buf *) must_check;

#endif
