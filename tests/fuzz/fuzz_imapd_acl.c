/* tests/fuzz/fuzz_imapd_acl.c - what was read of dovecot-acl is written so that it gives the same. */
#include <stdint.h>
#include <stdlib.h>

#include "imapd/acl_file.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const groups[] = { "g", NULL };
	const struct acl_who	who = { "b", groups, false };
	struct acl		one, two;
	struct arena		a;
	struct buf		b;

	arena_init(&a, 1u << 20);
	buf_init(&b, 1u << 20);
	if (size < 65536 && acl_file_parse((struct str){ (const char *)data,
	    size }, &a, &one)) {
		acl_file_put(&b, &one);
		if (!buf_ok(&b) || !acl_file_parse(buf_view(&b), &a, &two) ||
		    one.n != two.n ||
		    acl_rights_of(&one, &who) != acl_rights_of(&two, &who))
			abort();
	}
	buf_free(&b);
	arena_free(&a);
	return 0;
}
