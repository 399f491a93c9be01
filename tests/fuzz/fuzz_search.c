/* tests/fuzz/fuzz_search.c - programs of SEARCH, RETURN options, and the scanner of raw messages. */
#include <stdint.h>
#include <stdlib.h>

#include "imapd/scan.h"
#include "imapd/search_answer.h"
#include "imapd/search_parse.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static unsigned
depth(const struct search_node *n)
{
	const struct search_node	*child;
	unsigned			 d, most = 0;

	for (child = n->child; child != NULL; child = child->next)
		if ((d = depth(child)) > most)
			most = d;
	return most + 1;
}

static void
scan(struct str in)
{
	struct scan_word	word;
	struct needle		needle;
	struct buf		scratch[2];

	buf_init(&scratch[0], 1 << 20);
	buf_init(&scratch[1], 1 << 20);
	if (needle_begin(&needle, STR("xyzzy")) == -1)
		abort();
	scan_word(&word, &needle);
	/* What is there as it stands is never refuted. */
	if (scan_refutes(&word, 1, in, scratch) &&
	    scan_find(in, STR("xyzzy")) != NULL)
		abort();
	needle_free(&needle);
	buf_free(&scratch[0]);
	buf_free(&scratch[1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str		 in = { (const char *)data, size };
	struct cur		 c = cur_from(in);
	struct search_return	 ret;
	struct search_program	 program;
	struct arena		 arena;
	const char		*why = NULL;

	arena_init(&arena, 16 << 20);
	if (!search_return_parse(&c, &arena, &ret, &why)) {
		if (why == NULL || c.p != in.p)
			abort();
	} else if (search_parse(&c, &arena, charset_find(STR("utf-8")),
	    &program, &why) && depth(program.root) > SEARCH_DEPTH_MAX + 2)
		abort();
	scan(in);
	arena_free(&arena);
	return 0;
}
