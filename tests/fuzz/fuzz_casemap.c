/*
 * tests/fuzz/fuzz_casemap.c - searching finds what a search in the folded text finds, however the text is cut, and
 * wherever it lies. The first line of the input is the word.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/casemap.h"
#include "common/fmt/utf8.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
need(bool truth)
{
	if (!truth)
		abort();
}

static bool
expected(struct str text, struct str word)
{
	struct buf	t, w;
	bool		found;

	buf_init(&t, 16 * text.n + 100);
	buf_init(&w, 16 * word.n + 100);
	need(casemap_put(&t, text) == 0 && casemap_put(&w, word) == 0);
	found = w.n == 0 ||
	    (t.n >= w.n && memmem(t.p, t.n, w.p, w.n) != NULL);
	buf_free(&t);
	buf_free(&w);
	return found;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data, size }, word;
	struct needle	n;
	struct buf	text;
	size_t		step, some, i, before;

	if (!str_take_line(&in, &word) || word.n == 0 || !utf8_ok(in) ||
	    size > 4096)
		return 0;
	step = (size_t)(unsigned char)word.p[0] + 1;
	before = step % 16 * 40;
	word.p++;
	word.n--;
	if (!utf8_ok(word))
		return 0;
	buf_init(&text, size + 10000);
	for (i = 0; i < before; i++)
		buf_addc(&text, word.n > 1 ? word.p[1] & 0x7f : 'x');
	buf_addstr(&text, in);
	need(needle_begin(&n, word) == 0);
	need(needle_in(&n, buf_view(&text)) ==
	    expected(buf_view(&text), word));
	needle_reset(&n);
	for (i = 0; i < text.n; i += some) {
		some = text.n - i < step ? text.n - i : step;
		while (i + some < text.n &&
		    ((unsigned char)text.p[i + some] & 0xc0) == 0x80)
			some++;
		need(needle_feed(&n, (struct str){ text.p + i, some }) == 0);
	}
	need(n.found == expected(buf_view(&text), word));
	needle_free(&n);
	buf_free(&text);
	return 0;
}
