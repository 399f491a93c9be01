/* tests/fuzz/fuzz_imapd_metadata.c - what was read of posthouse-metadata is written so that it reads the same. */
#include <stdint.h>
#include <stdlib.h>

#include "imapd/metadata_file.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct metadata	one, two;
	struct arena	a;
	struct buf	b;
	size_t		i;

	arena_init(&a, 1u << 20);
	buf_init(&b, 1u << 22);
	if (metadata_file_parse((struct str){ (const char *)data, size }, &a,
	    &one)) {
		metadata_file_put(&b, &one);
		if (!buf_ok(&b) ||
		    !metadata_file_parse(buf_view(&b), &a, &two) ||
		    one.n != two.n)
			abort();
		for (i = 0; i < one.n; i++)
			if (!str_eq(one.e[i].name, two.e[i].name) ||
			    !str_eq(one.e[i].user, two.e[i].user) ||
			    !str_eq(one.e[i].value, two.e[i].value))
				abort();
	}
	buf_free(&b);
	arena_free(&a);
	return 0;
}
