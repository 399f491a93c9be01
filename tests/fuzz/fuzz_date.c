/* tests/fuzz/fuzz_date.c - a date that was read is written so that it reads the same. */
#include <stdint.h>
#include <stdlib.h>

#include "common/fmt/date.h"
#include "common/fmt/header.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str		in = { (const char *)data, size };
	struct header_field	f;
	struct cur		c = cur_from(in);
	char			text[DATE_SIZE];
	int64_t			t, again;
	int			offset, same;

	if (date_parse(&c, &t, &offset) && date_format(t, offset, text) == 0) {
		c = cur_from(str_from(text));
		if (!date_parse(&c, &again, &same) || again != t ||
		    same != offset)
			abort();
	}
	c = cur_from(in);
	while (header_next(&c, &f))
		if (f.raw.n == 0 || f.name.n == 0 || f.raw.p + f.raw.n != c.p)
			abort();
	if (header_length(in) > in.n)
		abort();
	return 0;
}
