/*
 * tests/fuzz/fuzz_structure.c - any bytes as a message, or as what was kept of one. What is written of a message is read
 * back: well-formed IMAP, BODY is what is left of BODYSTRUCTURE, and nothing in it that a client cannot take.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/cur.h"
#include "common/fmt/structure.h"

#define OUT_MAX	(1u << 26)

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Strictly, unlike structure_item: what RFC 3501 9 lets a server send. */
static void
skip_item(struct cur *c, size_t depth)
{
	unsigned long long	n;
	struct str		s;

	if (cur_byte(c, '"')) {
		for (; cur_peek(c) != '"'; c->p++) {
			if (cur_done(c) || (*c->p & 0x80) != 0 ||
			    memchr("\r\n\0", *c->p, 3) != NULL)
				abort();
			if (*c->p == '\\' && (cur_left(c) < 2 ||
			    memchr("\\\"", *++c->p, 2) == NULL))
				abort();
		}
		c->p++;
	} else if (cur_byte(c, '{')) {
		if (!cur_number(c, OUT_MAX, &n) || !cur_word(c, STR("}\r\n")) ||
		    n > cur_left(c) || memchr(c->p, '\0', (size_t)n) != NULL)
			abort();
		c->p += n;
	} else if (cur_byte(c, '(')) {
		if (depth > 1000)
			abort();
		while (!cur_byte(c, ')')) {
			skip_item(c, depth + 1);
			/* bodies and addresses follow each other without a blank */
			if (!cur_byte(c, ' ') && cur_peek(c) != ')' &&
			    cur_peek(c) != '(')
				abort();
		}
	} else if (!cur_word(c, STR("NIL")) && !cur_span(c, is_digit, 20, &s))
		abort();
}

static void
check_whole(const struct buf *b)
{
	struct cur	c = cur_from(buf_view(b));

	if (cur_peek(&c) != '(')
		abort();
	skip_item(&c, 0);
	if (!cur_done(&c) || !structure_may_be_sent(buf_view(b)))
		abort();
}

static void
check_items(const struct buf *b, size_t want)
{
	struct cur	c = cur_from((struct str){ b->p + 1, b->n - 2 });
	struct arena	a;
	struct str	s;
	bool		is_list;
	size_t		n = 0;

	arena_init(&a, OUT_MAX);
	while (structure_item(&c, &a, &s, &is_list))
		n++;
	if (n != want || !cur_done(&c))
		abort();
	arena_free(&a);
}

static void
check_references(struct str header)
{
	struct buf	b, again;
	struct cur	c;
	struct str	id;

	buf_init(&b, OUT_MAX);
	buf_init(&again, OUT_MAX);
	if (references_put(&b, header) == -1)
		abort();
	for (c = cur_from(buf_view(&b)); !cur_done(&c); ) {
		if (!cur_byte(&c, '<') || cur_peek(&c) == '>')
			abort();
		id = cur_rest(&c);
		buf_reset(&again);
		buf_addc(&again, '<');
		buf_addstr(&again, id);
		/* what was normalized stays as it is */
		id = buf_view(&again);
		buf_init(&again, OUT_MAX);
		if (references_put_first(&again, id) == -1 ||
		    again.n == 0 || again.n > id.n ||
		    memcmp(again.p, id.p, again.n) != 0)
			abort();
		c.p += again.n - 1;
		(void)cur_byte(&c, ' ');
		free((void *)(uintptr_t)id.p);
	}
	buf_free(&b);
	buf_free(&again);
}

static void
message(struct str in)
{
	struct buf	envelope, structure, body, reduced;
	struct arena	a;
	struct parts	*p;

	arena_init(&a, PARTS_ARENA_MAX);
	buf_init(&envelope, OUT_MAX);
	buf_init(&structure, OUT_MAX);
	buf_init(&body, OUT_MAX);
	buf_init(&reduced, OUT_MAX);
	if ((p = parts_begin(&a)) == NULL || parts_feed(p, in) == -1 ||
	    parts_end(p) == -1 ||
	    envelope_put(&envelope, parts_fields(p, 0)->header) == -1 ||
	    structure_put(&structure, p, true) == -1 ||
	    structure_put(&body, p, false) == -1 ||
	    structure_reduce(&reduced, buf_view(&structure)) == -1)
		abort();
	check_whole(&envelope);
	check_items(&envelope, 10);
	check_whole(&structure);
	check_whole(&body);
	if (!str_eq(buf_view(&body), buf_view(&reduced)))
		abort();
	check_references(parts_fields(p, 0)->header);
	arena_free(&a);
	buf_free(&envelope);
	buf_free(&structure);
	buf_free(&body);
	buf_free(&reduced);
}

static void
kept(struct str in)
{
	struct buf	b;
	struct arena	a;
	struct cur	c = cur_from(in);
	struct str	s;
	bool		is_list;

	buf_init(&b, OUT_MAX);
	if (structure_reduce(&b, in) == 0 && b.n > in.n)
		abort();
	(void)structure_may_be_sent(in);
	arena_init(&a, OUT_MAX);
	while (structure_item(&c, &a, &s, &is_list))
		;
	arena_free(&a);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data, size };

	if (size == 0)
		return 0;
	if (data[0] == '(')
		kept(in);
	message(in);
	return 0;
}
