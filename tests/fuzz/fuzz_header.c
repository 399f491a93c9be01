/*
 * tests/fuzz/fuzz_header.c - fields lie in the header and make it up; what
 * has addresses gives them without blanks; CRLF or LF does not matter to
 * where the header ends.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/addrlist.h"
#include "common/fmt/header.h"
#include "deliver/content.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
need(bool truth)
{
	if (!truth)
		abort();
}

static void
addresses(struct str body)
{
	struct cur	c = cur_from(body);
	const char	*at = NULL;
	struct buf	b;

	buf_init(&b, 64);	/* some do not fit */
	while (addrlist_next(&c, &b)) {
		need(b.n > 0 && b.n <= 64 && c.p != at);
		at = c.p;
	}
	need(cur_done(&c));
	buf_free(&b);
}

static void
fields(struct str msg)
{
	struct cur		c = cur_from(msg);
	struct header_field	f;
	struct header_facts	facts;
	struct buf		b;
	const char		*from = c.p;
	size_t			n = 0, received = 0;

	buf_init(&b, msg.n + 1);
	while (header_next(&c, &f)) {
		need(f.raw.p == from && f.raw.p + f.raw.n == c.p);
		need(f.name.n > 0 && f.body.p > f.name.p + f.name.n - 1 &&
		    f.body.p + f.body.n <= c.p);
		need(memchr(f.name.p, ':', f.name.n) == NULL);
		buf_reset(&b);
		need(header_unfold(f.body, &b) == 0);
		need(b.n == 0 || (memchr(b.p, '\n', b.n) == NULL &&
		    memchr(b.p, '\r', b.n) == NULL));
		need(str_eq(buf_view(&b), str_trim(buf_view(&b))));
		addresses(f.body);
		from = c.p;
		n++;
		received += str_eq_nocase(f.name, STR("Received"));
	}
	need(received == header_count(msg, "Received"));
	need((received > 0) == header_find(msg, "received", &f));
	need((size_t)(c.p - msg.p) <= header_length(msg));
	header_facts(msg, STR("a@b"), &facts);
	/* Delivered-To fields of the address are hops, too */
	need(facts.hops >= received && facts.hops <= n &&
	    facts.loop == (facts.hops > received));
	buf_free(&b);
}

/* LF for CRLF, as it is stored: the same header then (unless CRs stand alone). */
static void
both_ends(struct str msg)
{
	char	*copy, *again;
	size_t	 n, m, lines, more;
	bool	 cr;

	if (memmem(msg.p, msg.n, "\r\r", 2) != NULL)
		return;
	copy = malloc(msg.n + 1);
	again = malloc(msg.n + 1);
	need(copy != NULL && again != NULL);
	memcpy(copy, msg.p, msg.n);
	n = content_to_lf(copy, msg.n, &cr, &lines);
	need(n + cr <= msg.n);
	m = header_length(msg);
	memcpy(again, msg.p, m);
	m = content_to_lf(again, m, &cr, &more);
	need(header_length((struct str){ copy, n }) == m ||
	    header_length(msg) == msg.n);
	need(more <= lines && memcmp(copy, again, m) == 0);
	free(copy);
	free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data, size };

	if (size == 0)
		return 0;
	fields(in);
	addresses(in);
	both_ends(in);
	return 0;
}
