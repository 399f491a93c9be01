/* tests/unit/test_lines.c - line ends as programs write them. */
#include "queue/lines.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define S(lit)	{ (lit), sizeof(lit) - 1 }

#define SMTP	(LINES_DOT | LINES_STUFFED | LINES_CRLF)
#define LF_SMTP	(LINES_DOT | LINES_STUFFED)

static const struct {
	unsigned	flags;
	struct str	in, out;
	size_t		used;	/* 0: there was no end */
} rows[] = {
	{ 0, S(""), S(""), 0 },
	{ 0, S("a\nb\n"), S("a\r\nb\r\n"), 0 },
	{ 0, S("a\r\nb"), S("a\r\nb\r\n"), 0 },
	{ 0, S("a\r"), S("a\r\n"), 0 },
	{ 0, S("\n\n"), S("\r\n\r\n"), 0 },
	{ 0, S("a\rb\n"), S("a b\r\n"), 0 },
	{ 0, S("a\r\r\nb\n"), S("a \r\nb\r\n"), 0 },
	{ 0, S("a\0b\0\n"), S("ab\r\n"), 0 },
	{ 0, S(".\nb\n"), S(".\r\nb\r\n"), 0 },
	{ 0, S("\xc3\xbc\xff\n"), S("\xc3\xbc\xff\r\n"), 0 },
	/* without -i */
	{ LINES_DOT, S("a\n.\nb\n"), S("a\r\n"), 4 },
	{ LINES_DOT, S(".\n"), S(""), 2 },
	{ LINES_DOT, S("a\r\n.\r\nb"), S("a\r\n"), 6 },
	{ LINES_DOT, S("a\n."), S("a\r\n"), 0 },
	{ LINES_DOT, S("a\n..\n.b\n"), S("a\r\n..\r\n.b\r\n"), 0 },
	{ LINES_DOT, S("a.\n . \n"), S("a.\r\n . \r\n"), 0 },
	{ LINES_DOT, S("a\n.\rb\n"), S("a\r\n. b\r\n"), 0 },
	{ LINES_DOT, S("a\r.\nb\n"), S("a .\r\nb\r\n"), 0 },
	{ LINES_DOT, S("a\n\0.\nb"), S("a\r\n.\r\nb\r\n"), 0 },
	/* -bs of a client with CRLF: nothing else ends the message */
	{ SMTP, S("a\r\n.\r\nQUIT"), S("a\r\n"), 6 },
	{ SMTP, S(".\r\n"), S(""), 3 },
	{ SMTP, S("..\r\n.a\r\n"), S(".\r\na\r\n"), 0 },
	{ SMTP, S("a\n.\nb"), S("a\r\n.\r\nb\r\n"), 0 },
	{ SMTP, S("a\n.\r\nb"), S("a\r\n.\r\nb\r\n"), 0 },
	{ SMTP, S("a\r\n.\nb\r\n"), S("a\r\n\r\nb\r\n"), 0 },
	{ SMTP, S("a\r.\r\nb"), S("a .\r\nb\r\n"), 0 },
	{ SMTP, S("a\r\n.\r\r\nb"), S("a\r\n \r\nb\r\n"), 0 },
	{ SMTP, S("a\n..b\r\n"), S("a\r\n..b\r\n"), 0 },
	/* and of one with LF */
	{ LF_SMTP, S("a\n..\n.\nQUIT"), S("a\r\n.\r\n"), 7 },
};

static bool
run(struct lines *l, struct str in, size_t step, size_t *at, struct buf *out)
{
	size_t	n, used;
	bool	end = false;

	for (*at = 0; *at < in.n && !end; *at += used) {
		n = in.n - *at < step ? in.n - *at : step;
		end = lines_add(l, (struct str){ in.p + *at, n }, &used, out);
		ck_assert(end || used == n);
	}
	if (!end)
		lines_end(l, out);
	ck_assert(buf_ok(out));
	return end;
}

START_TEST(table)
{
	struct lines	l;
	struct buf	out;
	size_t		step, at;
	bool		end;

	for (step = 1; step <= rows[_i].in.n + 1; step++) {
		buf_init(&out, 1000);
		lines_init(&l, rows[_i].flags, 998);
		end = run(&l, rows[_i].in, step, &at, &out);
		ck_assert_int_eq(end, rows[_i].used > 0);
		if (end)
			ck_assert_uint_eq(at, rows[_i].used);
		ck_assert_uint_eq(out.n, rows[_i].out.n);
		ck_assert_int_eq(memcmp(out.n > 0 ? out.p : "",
		    rows[_i].out.p, out.n), 0);
		buf_free(&out);
	}
}
END_TEST

/* What comes out goes through unchanged: drop does it a second time. */
START_TEST(twice)
{
	struct lines	l;
	struct buf	once, again;
	size_t		at;

	buf_init(&once, 1000);
	buf_init(&again, 1000);
	lines_init(&l, rows[_i].flags, 998);
	(void)run(&l, rows[_i].in, 1000, &at, &once);
	lines_init(&l, 0, 998);
	(void)run(&l, buf_view(&once), 3, &at, &again);
	ck_assert(str_eq(buf_view(&once), buf_view(&again)));
	buf_free(&once);
	buf_free(&again);
}
END_TEST

/* A long line goes on behind a fold, and no character is cut in two. */
START_TEST(long_lines)
{
	struct lines	l;
	struct buf	out;
	struct str	rest, line;
	char		in[6000];
	const char	*lf;
	size_t		i, at, kept = 0;

	for (i = 0; i < sizeof(in); i += 2)
		memcpy(in + i, "\xc3\xbc", 2);
	buf_init(&out, 10000);
	lines_init(&l, LINES_DOT, 998);
	ck_assert(!run(&l, (struct str){ in, sizeof(in) }, 7, &at, &out));
	for (rest = buf_view(&out); rest.n > 0;) {
		ck_assert_ptr_nonnull(lf = memchr(rest.p, '\n', rest.n));
		line = (struct str){ rest.p, (size_t)(lf - rest.p) - 1 };
		ck_assert_uint_le(line.n, 998);
		rest.n -= line.n + 2;
		rest.p = lf + 1;
		if (kept > 0) {
			ck_assert_int_eq(line.p[0], ' ');
			line.p++;
			line.n--;
		}
		ck_assert_uint_eq(line.n % 2, 0);
		ck_assert_int_eq(memcmp(line.p, in, line.n), 0);
		kept += line.n;
	}
	ck_assert_uint_eq(kept, sizeof(in));
	buf_free(&out);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("lines");
	TCase	*t = tcase_create("lines");
	SRunner	*sr;
	int	 failed;

	tcase_add_loop_test(t, table, 0, nitems(rows));
	tcase_add_loop_test(t, twice, 0, nitems(rows));
	tcase_add_test(t, long_lines);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
