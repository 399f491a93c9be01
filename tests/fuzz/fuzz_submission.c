/*
 * tests/fuzz/fuzz_submission.c - what is handed in: however it is cut, the same comes out; a second time nothing
 * changes; the body is what it was; no Bcc is left, and nothing that was there is there twice.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/header.h"
#include "common/fmt/submission.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
pass(const struct submission_set *set, struct str in, size_t step,
    struct buf *out)
{
	struct submission	s;
	struct str		piece;

	submission_init(&s, set);
	for (; in.n > 0; in.p += piece.n, in.n -= piece.n) {
		piece = (struct str){ in.p, in.n < step ? in.n : step };
		submission_add(&s, piece, out);
	}
	submission_end(&s, out);
	submission_free(&s);
	if (!buf_ok(out))
		abort();
}

static bool
is_mailbox_line(struct str s)
{
	return (s.n >= 5 && memcmp(s.p, "From ", 5) == 0) ||
	    (s.n >= 6 && memcmp(s.p, ">From ", 6) == 0);
}

/* The fields, and from where on nothing may change. */
static struct str
split(struct str msg, struct str *fields)
{
	struct cur		c = cur_from(msg), before;
	struct header_field	f;
	struct str		line;
	const char		*from;

	for (before = c; is_mailbox_line(cur_rest(&c)) &&
	    !header_next(&c, &f); before = c)
		if (!cur_until(&c, '\n', &line))
			c.p = c.end;
	c = before;
	from = c.p;
	/* a longer name ends it here, not there */
	for (before = c; header_next(&c, &f); before = c)
		if (f.body.p > f.raw.p + SUBMISSION_NAME_MAX)
			break;
	*fields = (struct str){ from, (size_t)(before.p - from) };
	return cur_rest(&before);
}

static bool
ends_with(struct str s, struct str tail)
{
	return s.n >= tail.n &&
	    memcmp(s.p + s.n - tail.n, tail.p, tail.n) == 0;
}

static void
check(struct str in, struct str out, bool all)
{
	static const char *const once[] = { "From", "Date", "Message-ID" };
	struct str	was, is, body = split(in, &was);
	size_t		i, n;

	if (!ends_with(out, body))
		abort();
	split(out, &is);
	if (header_count(is, "Bcc") + header_count(is, "Resent-Bcc") > 0)
		abort();
	for (i = 0; all && i < 3; i++) {
		n = header_count(was, once[i]);
		if (header_count(is, once[i]) != (n == 0 ? 1 : n))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct submission_set	set = { .flags = 0 };
	struct str		in;
	struct buf		whole, parts, again;
	bool			all;

	if (size == 0)
		return 0;
	all = (data[0] & 128) == 0;
	if (all)
		set = (struct submission_set){ .from = STR("me@here.test"),
		    .date = STR("now"), .id = STR("id"), .host = STR("host"),
		    .domain = STR("here.test") };
	in = (struct str){ (const char *)data + 1, size - 1 };
	buf_init(&whole, 64u << 20);
	buf_init(&parts, 64u << 20);
	buf_init(&again, 64u << 20);
	pass(&set, in, in.n + 1, &whole);
	pass(&set, in, data[0] % 13 + 1u, &parts);
	pass(&set, buf_view(&whole), 1000, &again);
	if (!str_eq(buf_view(&whole), buf_view(&parts)) ||
	    !str_eq(buf_view(&whole), buf_view(&again)))
		abort();
	check(in, buf_view(&whole), all);
	buf_free(&whole);
	buf_free(&parts);
	buf_free(&again);
	return 0;
}
