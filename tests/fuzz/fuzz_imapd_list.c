/*
 * tests/fuzz/fuzz_imapd_list.c - arguments of LIST, and patterns against a
 * slow matcher that tries everything.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/list_args.h"
#include "imapd/list_match.h"
#include "imapd/metadata_args.h"
#include "imapd/status_args.h"
#include "imapd/use.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
slow_match(struct str p, struct str n)
{
	size_t	i;

	if (p.n == 0)
		return n.n == 0;
	if (*p.p != '*' && *p.p != '%')
		return n.n > 0 && *p.p == *n.p &&
		    slow_match((struct str){ p.p + 1, p.n - 1 },
		    (struct str){ n.p + 1, n.n - 1 });
	for (i = 0; i <= n.n; i++) {
		if (slow_match((struct str){ p.p + 1, p.n - 1 },
		    (struct str){ n.p + i, n.n - i }))
			return true;
		if (i < n.n && *p.p == '%' && n.p[i] == '/')
			return false;
	}
	return false;
}

static void
match(struct str all, struct arena *a)
{
	const char		*end = memchr(all.p, '\n', all.n);
	struct list_pattern	 p;
	struct str		 pattern, name;

	if (end == NULL || all.n > 24)
		return;
	pattern = (struct str){ all.p, (size_t)(end - all.p) };
	name = (struct str){ end + 1, all.n - pattern.n - 1 };
	if (list_pattern_make(&p, a, STR(""), pattern, '/') == -1)
		return;
	if (list_pattern_match(&p, name, 0) != slow_match(pattern, name))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str		in = { (const char *)data, size };
	struct cur		c = cur_from(in);
	struct list_request	r;
	struct arena		a;
	unsigned		items;
	bool			unknown;
	char			use;

	arena_init(&a, 1u << 20);
	if (size > 0)
		match(in, &a);
	if (list_args(&c, &a, &r) == NULL && (!cur_done(&c) ||
	    r.npatterns == 0 || r.npatterns > LIST_PATTERNS_MAX ||
	    r.nentries > METADATA_ASKED_MAX))
		abort();
	c = cur_from(in);
	if (lsub_args(&c, &a, &r) == NULL && r.npatterns != 1)
		abort();
	c = cur_from(in);
	if (status_items(&c, &items) == NULL && items == 0)
		abort();
	c = cur_from(in);
	if (use_to_create(&c, &use, &unknown) == NULL && use != '\0' &&
	    use_name(use) == NULL)
		abort();
	arena_free(&a);
	return 0;
}
