/*
 * tests/fuzz/fuzz_surrogate.c - whatever the header: the surrogate is ASCII,
 * one of ASCII is what it was, and it grows within bounds.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/surrogate.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data, size };
	struct buf	out;

	/* an address of one byte becomes one that leads nowhere */
	buf_init(&out, 100 * size + 1000);
	if (surrogate_header(in, &out) == -1)
		abort();
	if (surrogate_wanted(buf_view(&out)))
		abort();
	if (!surrogate_wanted(in) && (out.n != size ||
	    memcmp(out.n > 0 ? out.p : "", in.p, size) != 0))
		abort();
	buf_free(&out);
	return 0;
}
