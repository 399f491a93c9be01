/* tests/fuzz/fuzz_imap_url.c - what the client says about a message of ours: every number is within its bounds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/imap_url.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena	a;
	struct imap_url	u;
	size_t		i;

	arena_init(&a, 1u << 20);
	if (size > 0 && imap_url((struct str){ (const char *)data, size }, &a,
	    &u)) {
		if (u.uid == 0 || u.mailbox.n == 0 || u.mailbox.n > size ||
		    str_has_control(u.mailbox) || u.nnumbers > IMAP_URL_PARTS ||
		    (u.partial && (u.length == 0 || u.offset > INT64_MAX)) ||
		    (u.text == IMAP_URL_MIME && u.nnumbers == 0) ||
		    u.nnames > IMAP_URL_NAMES ||
		    (u.nnames > 0) != (u.text == IMAP_URL_FIELDS ||
		    u.text == IMAP_URL_FIELDS_NOT))
			abort();
		for (i = 0; i < u.nnumbers; i++)
			if (u.numbers[i] == 0)
				abort();
	}
	arena_free(&a);
	return 0;
}
