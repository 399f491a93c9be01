/*
 * tests/fuzz/fuzz_dot.c - the end of a message is CRLF.CRLF wherever the input
 * is cut, and what goes out stuffed comes in the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/dot.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Pieces of at most `step` bytes; how many bytes were taken. */
static size_t
run(struct str in, size_t step, struct dot_in *d, struct buf *out, bool *end)
{
	struct str	part, piece;
	size_t		at = 0, used;

	dot_in_init(d);
	*end = false;
	while (at < in.n && !*end) {
		part.p = in.p + at;
		part.n = in.n - at < step ? in.n - at : step;
		*end = dot_in_next(d, part, &piece, &used);
		if (used > part.n || (used == 0 && piece.n == 0))
			abort();
		if (buf_addstr(out, piece) == -1)
			abort();
		at += used;
	}
	return at;
}

/* Where the message really ends: found the slow way. */
static size_t
true_end(struct str in)
{
	char	*at;

	if (in.n >= 3 && memcmp(in.p, ".\r\n", 3) == 0)
		return 3;
	at = memmem(in.p, in.n, "\r\n.\r\n", 5);
	return at == NULL ? 0 : (size_t)(at - in.p) + 5;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data + 1, size - 1 };
	struct dot_in	whole, parts;
	struct dot_out	d;
	struct buf	a, b, wire;
	bool		end_a, end_b;
	size_t		n;

	if (size == 0)
		return 0;
	buf_init(&a, 1u << 20);
	buf_init(&b, 1u << 20);
	buf_init(&wire, 1u << 22);
	n = run(in, in.n + 1, &whole, &a, &end_a);
	if (run(in, data[0] % 7 + 1u, &parts, &b, &end_b) != n ||
	    end_a != end_b || !str_eq(buf_view(&a), buf_view(&b)) ||
	    whole.bare_lf != parts.bare_lf ||
	    whole.bare_cr != parts.bare_cr || whole.nul != parts.nul)
		abort();
	if ((end_a ? n : 0) != true_end(in))
		abort();
	dot_out_init(&d);
	if (dot_out_add(&d, in, false, &wire) == -1 ||
	    dot_out_end(&d, &wire) == -1)
		abort();
	buf_reset(&a);
	n = run(buf_view(&wire), wire.n + 1, &whole, &a, &end_a);
	if (!end_a || n != wire.n || a.n < in.n ||
	    (in.n > 0 && memcmp(a.p, in.p, in.n) != 0))
		abort();
	buf_free(&a);
	buf_free(&b);
	buf_free(&wire);
	return 0;
}
