/*
 * tests/fuzz/fuzz_charset.c - character sets: what comes out is UTF-8, and the same however the text is cut. The first
 * line of the input is the set's name.
 */
#include <stdint.h>
#include <stdlib.h>

#include "common/fmt/charset.h"
#include "common/fmt/utf8.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
need(bool truth)
{
	if (!truth)
		abort();
}

static void
convert(const struct charset *set, struct str in, size_t step, struct buf *out)
{
	struct charset_state	cs;
	size_t			n;

	charset_begin(&cs, set);
	for (; in.n > 0; in.p += n, in.n -= n) {
		n = in.n < step ? in.n : step;
		need(charset_feed(&cs, (struct str){ in.p, n }, out) == 0);
	}
	need(charset_end(&cs, out) == 0);
	need(utf8_ok(buf_view(out)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {
		"utf-8", "", "utf-16", "utf-16le", "utf-32", "utf-7",
		"iso-2022-jp", "iso-2022-kr", "hz", "euc-jp", "sjis", "euc-kr",
		"gb18030", "big5", "koi8-r", "tis-620"
	};
	const struct charset	*set;
	struct buf		 whole, cut;
	struct str		 in = { (const char *)data, size }, line;

	if (!str_take_line(&in, &line) || line.n < 2)
		return 0;
	set = charset_find((struct str){ line.p + 1, line.n - 1 });
	if (set == NULL)
		set = charset_find(str_from(names[line.p[1] & 15]));
	buf_init(&whole, 8 * size + 100);
	buf_init(&cut, 8 * size + 100);
	convert(set, in, size, &whole);
	convert(set, in, (size_t)(unsigned char)line.p[0] % 16 + 1, &cut);
	need(str_eq(buf_view(&whole), buf_view(&cut)));
	buf_free(&whole);
	buf_free(&cut);
	return 0;
}
