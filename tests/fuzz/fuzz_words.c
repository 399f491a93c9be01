/*
 * tests/fuzz/fuzz_words.c - encoded words, parameters and base subjects: what is decoded is UTF-8 without line ends; a
 * base subject is its own.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/utf8.h"
#include "common/fmt/words.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
need(bool truth)
{
	if (!truth)
		abort();
}

static void
subject(struct str decoded)
{
	struct buf	once, again;
	bool		reply;

	buf_init(&once, 12 * decoded.n + 100);
	buf_init(&again, 144 * decoded.n + 100);
	need(words_base_subject(decoded, &once, &reply) == 0);
	/* folding may give what is cut off ("fi" of one character) */
	need(words_base_subject(buf_view(&once), &again, &reply) == 0);
	need(again.n <= 12 * once.n);
	if (utf8_is_ascii(decoded))
		need(str_eq(buf_view(&once), buf_view(&again)) && !reply);
	buf_free(&once);
	buf_free(&again);
}

static void
parameters(struct str in)
{
	struct part_param	p[16];
	struct buf		b;
	struct str		line;
	size_t			n = 0;

	memset(p, 0, sizeof(p));
	while (n < 16 && str_take_line(&in, &line)) {
		p[n].name = (struct str){ line.p, line.n < 3 ? line.n : 3 };
		p[n].value = (struct str){ line.p + p[n].name.n,
		    line.n - p[n].name.n };
		if (n > 0)
			p[n - 1].next = &p[n];
		n++;
	}
	if (n == 0)
		return;
	buf_init(&b, 16 * in.n + 100000);
	if (words_param(p, "a", &b) == 0)
		need(utf8_ok(buf_view(&b)) &&
		    (b.n == 0 || memchr(b.p, '\n', b.n) == NULL));
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data, size };
	struct buf	b;

	buf_init(&b, 8 * size + 100);
	need(words_decode(in, &b) == 0 && utf8_ok(buf_view(&b)));
	if (b.n > 0)
		need(memchr(b.p, '\n', b.n) == NULL &&
		    memchr(b.p, '\r', b.n) == NULL);
	subject(buf_view(&b));
	subject(in);
	if (size < 4096)
		parameters(in);
	buf_free(&b);
	return 0;
}
