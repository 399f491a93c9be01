/*
 * tests/fuzz/fuzz_pop3.c - command lines, TOP's end wherever the message is
 * cut, UIDL's alphabet.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/cur.h"
#include "pop3d/command.h"
#include "pop3d/send.h"
#include "pop3d/uidl.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static size_t
shown(struct str in, size_t step, uint64_t lines)
{
	struct top	t;
	size_t		at = 0, n;

	top_init(&t, lines);
	while (at < in.n && !t.done) {
		n = in.n - at < step ? in.n - at : step;
		n = top_take(&t, (struct str){ in.p + at, n });
		if (n == 0 && !t.done)
			abort();
		at += n;
	}
	return at;
}

static void
names(struct str in)
{
	char	text[UIDL_MAX + 1];
	size_t	i, n;

	uidl_text(in, in, text);
	n = strlen(text);
	if (n == 0 || n > UIDL_MAX)
		abort();
	for (i = 0; i < n; i++)
		if (!is_vchar((unsigned char)text[i]))
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data + 1, size - 1 };
	struct command	c;

	if (size == 0)
		return 0;
	if (command_parse(in, &c) == COMMAND_OK) {
		if (c.n > 2 || (c.text.n > 0 && (c.text.p < in.p ||
		    c.text.p + c.text.n != in.p + in.n)))
			abort();
		if (c.verb == VERB_TOP && c.n != 2)
			abort();
		if ((c.verb == VERB_STLS || c.verb == VERB_UTF8) &&
		    (c.n != 0 || c.text.n != 0))
			abort();
	}
	if (shown(in, in.n + 1, data[0] % 5) !=
	    shown(in, data[0] % 7 + 1u, data[0] % 5))
		abort();
	names(in);
	return 0;
}
