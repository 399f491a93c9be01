/* common/fmt/json.h - values of JSON (RFC 8259), the way out only. Pure. */
#ifndef FMT_JSON_H
#define FMT_JSON_H

#include "common/base/buf.h"
#include "common/base/str.h"

/* A string with its quotes, on one line and in ASCII but for well-formed UTF-8; what is not becomes U+FFFD. */
void	json_quote(struct str, struct buf *);

#endif
