/*
 * common/fmt/charset.h - text in other character sets becomes UTF-8. Pure: its tables are made by iconv(3) when Posthouse is
 * built, for a session in its sandbox can load no module.
 */
#ifndef FMT_CHARSET_H
#define FMT_CHARSET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"

struct charset;		/* static */

/* By its names in mail, ASCII case ignored ("utf-8", "ISO-8859-1", "cp1252", "x-sjis" ...); "" is US-ASCII. NULL: unknown. */
const struct charset *charset_find(struct str name);

/* A conversion of text that comes in pieces; what was begun at the end of a piece is remembered. */
struct charset_state {
	const struct charset	*set;
	unsigned char		 held[8];
	unsigned		 nheld;
	uint32_t		 mode;	/* of ISO-2022, UTF-7, UTF-16 */
};
void	charset_begin(struct charset_state *, const struct charset *);
/* Appends UTF-8; what makes no sense becomes U+FFFD. The result is always well-formed. -1: the buffer's errno. */
int	charset_feed(struct charset_state *, struct str, struct buf *) must_check;
int	charset_end(struct charset_state *, struct buf *) must_check;

#endif
