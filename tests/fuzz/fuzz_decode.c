/*
 * tests/fuzz/fuzz_decode.c - transfer encodings and HTML: however the text is cut, the same comes out, and no more than
 * can be in it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/decode.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
need(bool truth)
{
	if (!truth)
		abort();
}

static bool
decode(enum mime_encoding encoding, struct str in, size_t step,
    struct buf *out)
{
	struct decode	d;
	size_t		n;

	decode_begin(&d, encoding);
	for (; in.n > 0; in.p += n, in.n -= n) {
		n = in.n < step ? in.n : step;
		need(decode_feed(&d, (struct str){ in.p, n }, out) == 0);
	}
	need(decode_end(&d, out) == 0);
	return d.malformed;
}

/* More blanks than a line may have are kept or not, as they come. */
static bool
is_line(struct str in)
{
	size_t	i, blanks = 0;

	for (i = 0; i < in.n; i++) {
		blanks = in.p[i] == ' ' || in.p[i] == '\t' ? blanks + 1 : 0;
		if (blanks > 70)
			return false;
	}
	return true;
}

static void
untag(struct str in, size_t step, struct buf *out)
{
	struct untag	u;
	size_t		n;

	untag_begin(&u);
	for (; in.n > 0; in.p += n, in.n -= n) {
		n = in.n < step ? in.n : step;
		need(untag_feed(&u, (struct str){ in.p, n }, out) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf	whole, cut;
	struct str	in = { (const char *)data + 1, size - 1 };
	size_t		step;
	bool		bad;
	unsigned	e;

	if (size == 0)
		return 0;
	step = (size_t)data[0] + 1;
	buf_init(&whole, 2 * size + 100);
	buf_init(&cut, 2 * size + 100);
	for (e = MIME_7BIT; e <= MIME_UNKNOWN; e++) {
		buf_reset(&whole);
		buf_reset(&cut);
		bad = decode((enum mime_encoding)e, in, in.n, &whole);
		if (e == MIME_QP && !is_line(in))
			continue;
		need(decode((enum mime_encoding)e, in, step, &cut) == bad);
		need(str_eq(buf_view(&whole), buf_view(&cut)));
	}
	buf_reset(&whole);
	buf_reset(&cut);
	untag(in, in.n, &whole);
	untag(in, step, &cut);
	need(str_eq(buf_view(&whole), buf_view(&cut)));
	buf_free(&whole);
	buf_free(&cut);
	return 0;
}
