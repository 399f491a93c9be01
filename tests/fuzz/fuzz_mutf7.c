/* tests/fuzz/fuzz_mutf7.c - there is one way to write a name, and it is the one that is read. */
#include <stdint.h>
#include <stdlib.h>

#include "common/fmt/mutf7.h"
#include "common/fmt/utf8.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data, size };
	struct buf	a, b;

	buf_init(&a, 1u << 20);
	buf_init(&b, 1u << 20);
	if (mutf7_to_utf8(in, &a) && (!utf8_ok(buf_view(&a)) ||
	    !mutf7_from_utf8(buf_view(&a), &b) || !str_eq(buf_view(&b), in)))
		abort();
	buf_reset(&a);
	buf_reset(&b);
	if (mutf7_from_utf8(in, &a) != utf8_ok(in))
		abort();
	if (utf8_ok(in) && (!mutf7_to_utf8(buf_view(&a), &b) ||
	    !str_eq(buf_view(&b), in)))
		abort();
	buf_free(&a);
	buf_free(&b);
	return 0;
}
