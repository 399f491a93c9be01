/*
 * tests/fuzz/fuzz_downgrade.c - what was converted to 7 bits needs no conversion, however it is cut; and what
 * needs none is not touched.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/downgrade.h"
#include "common/fmt/downgrade_impl.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
pass(struct downgrade *d, struct str in, size_t step)
{
	struct str	piece;

	for (; in.n > 0; in.p += piece.n, in.n -= piece.n) {
		piece = (struct str){ in.p, in.n < step ? in.n : step };
		if (downgrade_add(d, piece) == -1)
			abort();
	}
	return downgrade_end(d);
}

/* -1: it cannot be converted; else whether something had to be. */
static int
convert(struct str in, size_t step, struct buf *out)
{
	static struct downgrade	d;
	size_t			i;
	int			r = 0;

	downgrade_init(&d);
	if (pass(&d, in, step) == -1)
		r = -1;
	for (i = 0; r != -1 && i < d.part && i < DOWNGRADE_PARTS; i++)
		if (d.how[i] != HOW_KEEP)
			r = 1;
	if (r != -1) {
		downgrade_write(&d, out);
		if (pass(&d, in, step) == -1)
			abort();
	}
	downgrade_free(&d);
	return r;
}

static bool
is_seven(struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] > 127)
			return false;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data + 1, size - 1 };
	struct buf	whole, parts, again;
	int		r;

	if (size == 0)
		return 0;
	buf_init(&whole, 64u << 20);
	buf_init(&parts, 64u << 20);
	buf_init(&again, 64u << 20);
	r = convert(in, in.n + 1, &whole);
	if (convert(in, data[0] % 13 + 1u, &parts) != r ||
	    !str_eq(buf_view(&whole), buf_view(&parts)))
		abort();
	if (r == 1 && convert(buf_view(&whole), 1000, &again) == 1)
		abort();
	if (is_seven(in) && r != -1 && !is_seven(buf_view(&whole)))
		abort();
	buf_free(&whole);
	buf_free(&parts);
	buf_free(&again);
	return 0;
}
