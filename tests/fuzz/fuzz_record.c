/* tests/fuzz/fuzz_record.c - what decodes encodes to the same bytes; a final, too. */
#include <stdint.h>
#include <stdlib.h>

#include "common/fmt/final.h"
#include "common/fmt/record.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data, size };
	struct str	taken;
	struct cur	c = cur_from(in);
	struct field	f;
	struct final	final, again;
	struct buf	b;

	buf_init(&b, 1u << 20);
	while (record_next(&c, &f))
		record_put(&b, f.tag, f.value);
	taken.p = in.p;
	taken.n = (size_t)(c.p - in.p);
	if (!buf_ok(&b) || !str_eq(buf_view(&b), taken))
		abort();
	if (record_ok(in) != cur_done(&c))
		abort();
	buf_reset(&b);
	if (final_decode(in, &final)) {
		final_encode(&b, &final);
		if (!buf_ok(&b) || !final_decode(buf_view(&b), &again) ||
		    again.kind != final.kind || !str_eq(again.arg, final.arg) ||
		    !str_eq(again.user, final.user) ||
		    !str_eq(again.ext, final.ext) ||
		    !str_eq(again.addr, final.addr))
			abort();
	}
	buf_free(&b);
	return 0;
}
