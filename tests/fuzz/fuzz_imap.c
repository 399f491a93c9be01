/* tests/fuzz/fuzz_imap.c - words of IMAP, one after the other; what matches moves on, what does not stays. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/imap.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
one(struct cur *c, struct arena *a, unsigned which)
{
	struct imap_set	set;
	struct str	out;
	int64_t		t;
	uint32_t	n;
	int		zone;
	bool		nil;

	switch (which % 8) {
	case 0:
		return imap_astring(c, a, &out);
	case 1:
		return imap_nstring(c, a, &out, &nil);
	case 2:
		return imap_date_time(c, &t, &zone);
	case 3:
		return imap_date(c, &t);
	case 4:
		return imap_flag(c, &out);
	case 5:
		return imap_nz_number(c, &n);
	case 6:
		return imap_list_mailbox(c, a, &out);
	default:
		if (!imap_set(c, a, &set))
			return false;
		imap_set_end(&set, 1000);
		/* in order, and no two of them touch */
		for (n = 0; n < set.n; n++)
			if (set.r[n].from == 0 || set.r[n].from > set.r[n].to ||
			    (n > 0 && set.r[n].from - 1 <= set.r[n - 1].to))
				abort();
		return true;
	}
}

/* Once they are out there are no more, and there is no announcement that was none. */
static void
without_blanks(const uint8_t *data, size_t size)
{
	char			*p = malloc(size + 1);
	struct imap_literal	 l;
	struct str		 line;
	size_t			 n;
	bool			 was;

	if (p == NULL)
		return;
	memcpy(p, data, size);
	line = (struct str){ p, size };
	was = imap_literal_at_end(&line, &l);
	n = imap_blanks(p, size);
	line = (struct str){ p, n };
	if (n > size || imap_literal_at_end(&line, &l) != was ||
	    imap_blanks(p, n) != n)
		abort();
	free(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cur		c = { (const char *)data,
				    (const char *)data + size };
	struct str		line = cur_rest(&c);
	struct imap_literal	l;
	struct arena		a;
	unsigned		which;

	without_blanks(data, size);
	arena_init(&a, 1 << 20);
	(void)imap_literal_at_end(&line, &l);
	while (!cur_done(&c)) {
		const char	*before = c.p;

		which = (unsigned char)*c.p;
		if (!one(&c, &a, which)) {
			if (c.p != before)
				abort();
			c.p++;
		} else if (c.p <= before || c.p > c.end)
			abort();
	}
	arena_free(&a);
	return 0;
}
