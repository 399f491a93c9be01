/* tests/unit/test_line.c - CRLF ends a line and nothing else does: a new case is a row. */
#include <check.h>
#include <stdlib.h>

#include "common/base/attr.h"
#include "common/fmt/line.h"

#define MAX	10
#define IN(s)	{ (s), sizeof(s) - 1 }

static const struct { struct str in; enum line_status want; struct str line;
    size_t used; } rows[] = {
	{ IN(""), LINE_MORE, IN(""), 0 },
	{ IN("NOOP"), LINE_MORE, IN(""), 0 },
	{ IN("NOOP\r"), LINE_MORE, IN(""), 0 },
	{ IN("NOOP\r\n"), LINE_OK, IN("NOOP"), 6 },
	{ IN("NOOP\r\nQUIT\r\n"), LINE_OK, IN("NOOP"), 6 },
	{ IN("\r\n"), LINE_OK, IN(""), 2 },
	{ IN("12345678\r\n"), LINE_OK, IN("12345678"), 10 },
	{ IN("123456789\r\n"), LINE_LONG, IN("123456789"), 11 },
	{ IN("1234567890"), LINE_LONG, IN("1234567890"), 10 },
	{ IN("123456789\r"), LINE_LONG, IN("123456789"), 9 },	/* keeps half an end */
	{ IN("123456789\n"), LINE_BARE_LF, IN("123456789"), 10 },
	{ IN("1234567890\n"), LINE_LONG, IN("1234567890"), 11 },
	{ IN("NOOP\nQUIT\r\n"), LINE_BARE_LF, IN("NOOP"), 5 },
	{ IN("\n"), LINE_BARE_LF, IN(""), 1 },
	{ IN("\n\r\n"), LINE_BARE_LF, IN(""), 1 },
	{ IN("a\rb\r\n"), LINE_BARE_CR, IN("a\rb"), 5 },
	{ IN("\r\r\n"), LINE_BARE_CR, IN("\r"), 3 },
	{ IN("a\0b\r\n"), LINE_NUL, IN("a\0b"), 5 },
	{ IN("\0\r\r\n"), LINE_BARE_CR, IN("\0\r"), 4 },
	{ IN("a\r"), LINE_MORE, IN(""), 0 },
};

START_TEST(ends)
{
	struct str		line = { "", 0 };
	size_t			used = 0;
	enum line_status	got = line_scan(rows[_i].in, MAX, &line, &used);

	ck_assert_int_eq(got, rows[_i].want);
	ck_assert_uint_eq(used, rows[_i].used);
	if (got != LINE_MORE)
		ck_assert(str_eq(line, rows[_i].line));
}
END_TEST

/* However the bytes come in, the lines are the same. */
START_TEST(piecewise)
{
	static const struct str	text = IN("a\r\nbc\n\r\nd\re\r\n");
	struct str		line;
	size_t			from = 0, to, used;
	enum line_status	want[] = { LINE_OK, LINE_BARE_LF, LINE_OK,
				    LINE_BARE_CR };
	unsigned		n = 0;

	for (to = 0; to <= text.n; to++)
		while (line_scan((struct str){ text.p + from, to - from }, MAX,
		    &line, &used) == (n < 4 ? want[n] : LINE_OK)) {
			from += used;
			n++;
		}
	ck_assert_uint_eq(n, 4);
	ck_assert_uint_eq(from, text.n);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("line");
	TCase	*t = tcase_create("line");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, ends, 0, nitems(rows));
	tcase_add_test(t, piecewise);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
