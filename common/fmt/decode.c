/* common/fmt/decode.c - transfer encodings undone; pure. */
#include "common/fmt/decode.h"

#include "common/fmt/decode_impl.h"

void
decode_begin(struct decode *d, enum mime_encoding encoding)
{
	*d = (struct decode){ .encoding = encoding };
}

int
decode_feed(struct decode *d, struct str s, struct buf *out)
{
	switch (d->encoding) {
	case MIME_BASE64:
		return decode_base64(d, s, out);
	case MIME_QP:
		return decode_qp(d, s, false, out);
	case MIME_7BIT:
	case MIME_8BIT:
	case MIME_BINARY:
	case MIME_UNKNOWN:
		break;
	}
	return buf_addstr(out, s);
}

int
decode_end(struct decode *d, struct buf *out)
{
	switch (d->encoding) {
	case MIME_BASE64:
		return decode_base64_end(d, out);
	case MIME_QP:
		return decode_qp(d, STR(""), true, out);
	case MIME_7BIT:
	case MIME_8BIT:
	case MIME_BINARY:
	case MIME_UNKNOWN:
		break;
	}
	return 0;
}
