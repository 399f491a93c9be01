/* tests/fuzz/fuzz_deliver_input.c - the beginning of a message given to deliver(1): views stay inside, bytes are as they were. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/input.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
inside(struct str s, const char *from, size_t size)
{
	if (s.n > 0 && (s.p < from || s.p + s.n > from + size))
		abort();
}

/* What LF ends make of it, the slow way. */
static size_t
slowly(const char *p, size_t n, char *out)
{
	size_t	i, k = 0;

	for (i = 0; i < n; i++)
		if (p[i] != '\r' || i + 1 >= n || p[i + 1] != '\n')
			out[k++] = p[i];
	return k;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input		in = { .has_sender = false };
	struct header_facts	facts;
	char			*mem = malloc(size + 1);
	char			*copy = malloc(size + 1), *want;
	size_t			 n, lines;
	bool			 cr;

	want = malloc(size + 1);
	if (mem == NULL || copy == NULL || want == NULL)
		abort();
	if (size > 0)
		memcpy(mem, data, size);
	input_look(&in, (struct str){ mem, size });
	inside(in.content.begin, mem, size);
	if (in.has_sender) {
		inside(in.sender, mem, size);
		if (memchr(in.sender.p, '\n', in.sender.n) != NULL)
			abort();
	}
	/* only a line at the beginning may go */
	if (in.content.begin.p + in.content.begin.n != mem + size)
		abort();
	header_facts(in.content.begin, STR("a@b"), &facts);
	if (facts.handed && (!facts.loop || facts.hops < 2))
		abort();
	if (size > 0)
		memcpy(copy, mem, size);
	n = content_to_lf(copy, size, &cr, &lines);
	if (cr)
		copy[n++] = '\r';
	if (n != slowly(mem, size, want) || memcmp(copy, want, n) != 0)
		abort();
	free(mem);
	free(copy);
	free(want);
	return 0;
}
