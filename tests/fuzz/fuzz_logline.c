/* tests/fuzz/fuzz_logline.c - a line of the log: views stay within it, and the sentence that a trace makes of it is one for a terminal. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/logline.h"
#include "queue/trace_text.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_within(struct str all, struct str v)
{
	if (v.p < all.p || v.n > all.n || v.p > all.p + all.n - v.n)
		abort();
}

static void
check_text(const struct logline *l)
{
	struct buf	text;
	size_t		i;

	buf_init(&text, 1u << 22);
	trace_text(l, &text);
	for (i = 0; i < text.n; i++)
		if (((unsigned char)text.p[i] < ' ' && text.p[i] != '\n') ||
		    text.p[i] == 127)
			abort();
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	all = { (const char *)data, size }, key, value, first;
	struct logline	l;
	struct cur	c;
	struct buf	plain;
	char		name[65];

	if (!logline_parse(all, &l))
		return 0;
	check_within(all, l.event);
	check_within(all, l.rest);
	buf_init(&plain, 1u << 22);
	for (c = cur_from(l.rest); logline_next(&c, &key, &value);) {
		check_within(l.rest, key);
		check_within(l.rest, value);
		if (str_copy(name, sizeof(name), key) == -1 ||
		    !logline_get(&l, name, &first) || first.p > value.p)
			abort();
		buf_reset(&plain);
		logline_plain(value, &plain);
		if (plain.n > value.n)
			abort();
	}
	buf_free(&plain);
	check_text(&l);
	return 0;
}
