/* tests/fuzz/fuzz_path.c - a path that was read is written so that it reads the same. */
#include <stdint.h>
#include <stdlib.h>

#include "common/fmt/esmtp.h"
#include "common/fmt/path.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(struct path p, unsigned flags)
{
	struct buf	one, two;
	struct cur	c;
	struct path	again;

	buf_init(&one, 4096);
	buf_init(&two, 4096);
	if (path_format(&p, &one) == -1)
		abort();
	c = cur_from(buf_view(&one));
	if (!path_mailbox(&c, flags, true, &again) || !cur_done(&c) ||
	    path_format(&again, &two) == -1 ||
	    !str_eq(buf_view(&one), buf_view(&two)))
		abort();
	buf_free(&one);
	buf_free(&two);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str		in = { (const char *)data + 1, size - 1 };
	struct esmtp_param	param;
	struct cur		c;
	struct path		p;
	unsigned		flags;

	if (size == 0)
		return 0;
	flags = data[0] & (PATH_UTF8 | PATH_LENIENT);
	c = cur_from(in);
	if (!path_reverse(&c, flags, &p)) {
		if (c.p != in.p)
			abort();
	} else if (p.local.n > 0)
		check(p, flags);
	while (esmtp_param(&c, &param))
		if (param.key.n == 0 || (param.has_value && param.value.n == 0))
			abort();
	c = cur_from(in);
	if (path_forward(&c, flags, &p) && p.local.n == 0)
		abort();
	c = cur_from(in);
	if (path_mailbox(&c, flags, true, &p))
		check(p, flags);
	return 0;
}
