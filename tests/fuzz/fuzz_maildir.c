/* tests/fuzz/fuzz_maildir.c - names of files that others put into a Maildir. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/maildir.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	name = { (const char *)data, size };
	struct str	base = maildir_name_base(name);
	struct str	flags = maildir_name_flags(name);
	uint64_t	n = UINT64_MAX;

	if (base.p != name.p || base.n > name.n ||
	    (base.n > 0 && memchr(base.p, ':', base.n) != NULL) ||
	    (base.n < name.n && name.p[base.n] != ':'))
		abort();
	if (flags.n > 0 && (flags.p + flags.n != name.p + name.n ||
	    flags.n + base.n + 3 != name.n))
		abort();
	if (maildir_name_size(name, 'S', &n) != (n != UINT64_MAX) ||
	    (n != UINT64_MAX && n > INT64_MAX))
		abort();
	return 0;
}
