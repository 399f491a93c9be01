/*
 * tests/fuzz/fuzz_sendmail.c - what programs feed to sendmail: however it is cut,
 * the same lines come out, all of them end with CRLF, and the header's
 * recipients are found again in the header that is sent.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/header.h"
#include "common/fmt/json.h"
#include "common/fmt/record.h"
#include "queue/compose.h"
#include "queue/filter.h"
#include "queue/lines.h"

#define LINE_MAX_HERE	100u

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static size_t
convert(unsigned flags, struct str in, size_t step, struct buf *out, bool *end)
{
	struct lines	l;
	size_t		at = 0, n, used;

	lines_init(&l, flags, LINE_MAX_HERE);
	for (*end = false; at < in.n && !*end; at += used) {
		n = in.n - at < step ? in.n - at : step;
		*end = lines_add(&l, (struct str){ in.p + at, n }, &used, out);
		if (used > n || (!*end && used != n))
			abort();
	}
	if (!*end)
		lines_end(&l, out);
	if (!buf_ok(out))
		abort();
	return at;
}

/* Only CRLF ends lines, there is no NUL, and no line is too long. */
static void
check_lines(struct str s)
{
	size_t	i, n = 0;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\0')
			abort();
		if (s.p[i] == '\r') {
			if (i + 1 == s.n || s.p[++i] != '\n')
				abort();
			n = 0;
		} else if (s.p[i] == '\n' || ++n > LINE_MAX_HERE)
			abort();
	}
	if (n > 0)
		abort();
}

static void
check_header(struct str text)
{
	struct compose		o = { .set = { .flags = SUBMISSION_MAILBOX,
				    .from = STR("me"), .date = STR("now") },
				    .extract = true };
	struct compose_scan	scan = { 0, 0 };
	struct header_field	f;
	struct field		r;
	struct buf		out, rcpts;
	struct cur		c;
	size_t			skip;

	if (!compose_scan(&scan, text, true, &skip) || scan.from > scan.at ||
	    scan.at + skip > text.n)
		abort();
	buf_init(&out, text.n * 2 + 4096);
	buf_init(&rcpts, text.n * 40 + 4096);
	compose_fields(&o, (struct str){ text.p + scan.from,
	    scan.at - scan.from }, &out, &rcpts);
	if (!buf_ok(&out) || !buf_ok(&rcpts))
		abort();
	/* nothing but fields, and none that was to go */
	for (c = cur_from(buf_view(&out)); header_next(&c, &f);)
		if (str_eq_nocase(f.name, STR("Bcc")))
			abort();
	if (!cur_done(&c) || !header_find(buf_view(&out), "From", &f))
		abort();
	for (c = cur_from(buf_view(&rcpts)); record_next(&c, &r);)
		if (r.value.n == 0 || memchr(r.value.p, '\n', r.value.n))
			abort();
	if (!cur_done(&c))
		abort();
	buf_free(&out);
	buf_free(&rcpts);
}

static void
check_rest(struct str in)
{
	struct buf	out;
	struct str	half = { in.p, in.n / 2 };
	size_t		i;

	buf_init(&out, in.n * 8 + 4096);
	json_quote(in, &out);
	for (i = 0; i < out.n; i++)
		if ((unsigned char)out.p[i] < ' ')
			abort();
	buf_reset(&out);
	compose_mailbox(in, STR("a@b"), &out);
	if (!buf_ok(&out))
		abort();
	if (in.n < 2000 && !filter_glob(STR("*"), in))
		abort();
	if (in.n < 2000)
		(void)filter_glob(half, in);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data + 1, size - 1 };
	struct buf	whole, parts, again;
	bool		end_a, end_b;
	unsigned	flags;

	if (size == 0)
		return 0;
	flags = data[0] & 7;
	buf_init(&whole, in.n * 4 + 16);
	buf_init(&parts, in.n * 4 + 16);
	buf_init(&again, in.n * 4 + 16);
	if (convert(flags, in, in.n + 1, &whole, &end_a) !=
	    convert(flags, in, (data[0] >> 3) + 1u, &parts, &end_b) ||
	    end_a != end_b || !str_eq(buf_view(&whole), buf_view(&parts)))
		abort();
	check_lines(buf_view(&whole));
	/* drop does it once more */
	convert(0, buf_view(&whole), 5, &again, &end_b);
	if (!str_eq(buf_view(&whole), buf_view(&again)))
		abort();
	check_header(buf_view(&whole));
	check_rest(in);
	buf_free(&whole);
	buf_free(&parts);
	buf_free(&again);
	return 0;
}
