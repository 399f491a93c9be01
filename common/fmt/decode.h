/*
 * common/fmt/decode.h - a part's body on its way to text: transfer encoding undone (RFC 2045 6), then the charset, in
 * pieces. Pure. Also for BINARY (RFC 3516), which stops before the charset and refuses what is malformed.
 */
#ifndef FMT_DECODE_H
#define FMT_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/charset.h"
#include "common/fmt/mime.h"

struct decode {
	enum mime_encoding	encoding;
	bool			malformed;	/* something that the encoding does not allow was passed over */
	unsigned char		held[80];
	unsigned		nheld, bits;
	uint32_t		acc;
	bool			ended;		/* base64's padding has come */
};

void	decode_begin(struct decode *, enum mime_encoding);
/* Appends bytes. LF and CRLF in encoded text are the same; 7bit, 8bit and binary pass as they are. -1: the buffer's errno. */
int	decode_feed(struct decode *, struct str, struct buf *) must_check;
int	decode_end(struct decode *, struct buf *) must_check;

/* Text without HTML's tags, scripts and entities, in pieces, for PREVIEW. */
struct untag {
	unsigned	state, skip;
	char		name[12];
	unsigned	nname;
};
void	untag_begin(struct untag *);
int	untag_feed(struct untag *, struct str utf8, struct buf *) must_check;

#endif
