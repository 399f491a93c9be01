/* common/fmt/words.h - text of header fields as people read it: encoded words (RFC 2047), parameters (RFC 2231). Pure. */
#ifndef FMT_WORDS_H
#define FMT_WORDS_H

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/parts.h"

/* Appends the body of an unstructured field (or a display name) as UTF-8: unfolded (a TAB at a fold is a blank), encoded words decoded, blanks between two of them gone; 8-bit bytes that are no UTF-8 as ISO-8859-1. */
int	words_decode(struct str, struct buf *) must_check;
/* Appends a parameter's value with continuations, charset and percent encoding (RFC 2231) or encoded words undone. -1 ENOENT: there is none of that name. */
int	words_param(const struct part_param *, const char *name, struct buf *) must_check;
/* The base subject of a decoded subject (RFC 5256 2.1), in i;ascii-casemap's upper case or as casemap.h folds; *reply: it was a reply or a forward. */
int	words_base_subject(struct str, struct buf *, bool *reply) must_check;

#endif
