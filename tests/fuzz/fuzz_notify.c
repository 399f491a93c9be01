/* tests/fuzz/fuzz_notify.c - what NOTIFY asks for; a list of attributes is one wherever it is looked at again. */
#include <stdint.h>
#include <stdlib.h>

#include "imapd/fetch_parse.h"
#include "imapd/notify_parse.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
is_selected(const struct notify_asked *g)
{
	return g->filter == FILTER_SELECTED || g->filter == FILTER_DELAYED;
}

static void
check(const struct notify_request *r, struct arena *a)
{
	struct fetch_request	 atts;
	struct cur		 c;
	const char		*why;
	size_t			 i, k, selected = 0;
	unsigned		 e;

	if (r->n > NOTIFY_GROUPS_MAX || r->none != (r->n == 0))
		abort();
	for (i = 0; i < r->n; i++) {
		e = r->groups[i].events;
		selected += is_selected(&r->groups[i]);
		if (r->groups[i].n > NOTIFY_NAMES_MAX ||
		    ((e & NOTIFY_NEW) != 0) != ((e & NOTIFY_EXPUNGE) != 0) ||
		    ((e & NOTIFY_FLAGS) != 0 && (e & NOTIFY_NEW) == 0) ||
		    (is_selected(&r->groups[i]) &&
		    (e & ~(unsigned)NOTIFY_MESSAGES) != 0))
			abort();
		for (k = 0; k < r->groups[i].n; k++)
			if (r->groups[i].names[k].n > 1u << 22)
				abort();
	}
	if (selected > 1 || (r->atts.n > 0 && selected == 0))
		abort();
	if (r->atts.n == 0)
		return;
	c = cur_from(r->atts);
	if (!fetch_parse_list(&c, a, &atts, &why) || !cur_done(&c))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str		 in = { (const char *)data, size };
	struct cur		 c = cur_from(in);
	struct notify_request	 r;
	struct arena		 a;
	const char		*why = NULL;

	arena_init(&a, 1 << 22);
	if (notify_parse(&c, &a, &r, &why)) {
		if (!cur_done(&c))
			abort();
		check(&r, &a);
	} else if (c.p != in.p || why == NULL)
		abort();
	arena_free(&a);
	return 0;
}
