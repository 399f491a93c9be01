/* tests/fuzz/fuzz_imap_fetch.c - what FETCH asks for; lines and fields wherever the pieces end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/fetch_parse.h"
#include "imapd/fetch_wire.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
request(struct str in, bool uid)
{
	struct arena		memory;
	struct cur		c = cur_from(in);
	struct fetch_request	r;
	const char		*why = NULL;
	size_t			i;

	arena_init(&memory, 1 << 22);
	if (!fetch_parse(&c, &memory, uid, &r, &why)) {
		if (c.p != in.p || why == NULL)
			abort();
	} else {
		if (!cur_done(&c) || r.natts > FETCH_ATTS ||
		    r.nsections > FETCH_SECTIONS_MAX ||
		    (!uid && (r.vanished || r.slice)))
			abort();
		for (i = 0; i < r.nsections; i++)
			if (r.sections[i].nnames > FETCH_NAMES_MAX ||
			    r.sections[i].npart > FETCH_DEPTH_MAX)
				abort();
	}
	arena_free(&memory);
}

/* What is counted is what comes, in one piece or two. */
static void
lines(struct str in, size_t cut)
{
	struct buf	whole, parts;
	char		a = 0, b = 0, c = 0;

	buf_init(&whole, 1 << 22);
	buf_init(&parts, 1 << 22);
	if (wire_put(&whole, in, &a) == -1 ||
	    wire_put(&parts, (struct str){ in.p, cut }, &b) == -1 ||
	    wire_put(&parts, (struct str){ in.p + cut, in.n - cut }, &b) == -1)
		abort();
	if (!str_eq(buf_view(&whole), buf_view(&parts)) ||
	    wire_count(in, &c) != whole.n || a != c || (in.n > 0 && a != b))
		abort();
	buf_free(&whole);
	buf_free(&parts);
}

/* A field is asked for or is not: together it is all of the header, but for the empty line, which is in both. */
static void
fields(struct str in)
{
	struct str		name = STR("X");
	struct wire_fields	only, others;
	struct buf		a, b;
	size_t			n, m, to;
	uint64_t		wire, empty = 0;
	char			last = 0;

	if (wire_header_end(in, true, &to))
		empty = 2;
	in.n = to;
	wire = wire_count(in, &last);
	buf_init(&a, 1 << 22);
	buf_init(&b, 1 << 22);
	wire_fields_begin(&only, &name, 1, false);
	wire_fields_begin(&others, &name, 1, true);
	if (wire_fields_take(&only, in, true, &a, &n) == -1 ||
	    wire_fields_take(&others, in, true, &b, &m) == -1 ||
	    n != in.n || m != in.n || a.n + b.n != wire + empty)
		abort();
	buf_free(&a);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in;

	if (size == 0)
		return 0;
	in = (struct str){ (const char *)data + 1, size - 1 };
	request(in, data[0] & 1);
	lines(in, in.n * data[0] / 255);
	fields(in);
	return 0;
}
