/* tests/unit/test_dot.c - the DATA stream, at every split of the input. */
#include <check.h>
#include <stdlib.h>

#include "common/base/attr.h"
#include "common/fmt/dot.h"
#include "common/fmt/line.h"

#define IN(s)	{ (s), sizeof(s) - 1 }

static const struct {
	struct str	in, out;
	bool		end, bare_lf, bare_cr, nul;
	size_t		longest;
} rows[] = {
	{ IN(".\r\n"), IN(""), true, false, false, false, 0 },
	{ IN("a\r\n.\r\n"), IN("a\r\n"), true, false, false, false, 1 },
	{ IN("..a\r\n.\r\n"), IN(".a\r\n"), true, false, false, false, 2 },
	{ IN("...\r\n.\r\n"), IN("..\r\n"), true, false, false, false, 2 },
	{ IN("\r\n..\r\n.\r\n"), IN("\r\n.\r\n"), true, false, false, false, 1 },
	{ IN("a\n.\n"), IN("a\n.\n"), false, true, false, false, 0 },
	{ IN("a\n.\r\nb"), IN("a\n.\r\nb"), false, true, false, false, 0 },
	{ IN("a\r\n.\nb"), IN("a\r\n\nb"), false, true, false, false, 0 },
	{ IN("a\r.\r\nb"), IN("a\r.\r\nb"), false, false, true, false, 0 },
	{ IN("a\r\n.\rb"), IN("a\r\n\rb"), false, false, true, false, 0 },
	{ IN("a\r\r\n.\r\n"), IN("a\r\r\n"), true, false, true, false, 0 },
	{ IN("a\0b\r\n.\r\n"), IN("a\0b\r\n"), true, false, false, true, 3 },
	{ IN(".x\r\n.\r\n"), IN("x\r\n"), true, false, false, false, 1 },
};

/* Feeds the input in two pieces; what comes out must not depend on where. */
static void
feed(size_t row, size_t split)
{
	struct str	all = rows[row].in, out, part;
	struct dot_in	d;
	struct buf	got;
	size_t		used, at = 0, stop;
	bool		end = false;

	dot_in_init(&d);
	buf_init(&got, 4096);
	while (at < all.n && !end) {
		stop = at < split ? split : all.n;
		part.p = all.p + at;
		part.n = stop - at;
		end = dot_in_next(&d, part, &out, &used);
		ck_assert_uint_le(used, part.n);
		ck_assert(used > 0 || out.n > 0);
		ck_assert_int_eq(buf_addstr(&got, out), 0);
		at += used;
	}
	ck_assert_int_eq(end, rows[row].end);
	ck_assert_int_eq(d.bare_lf, rows[row].bare_lf);
	ck_assert_int_eq(d.bare_cr, rows[row].bare_cr);
	ck_assert_int_eq(d.nul, rows[row].nul);
	if (rows[row].longest > 0)
		ck_assert_uint_eq(d.longest, rows[row].longest);
	ck_assert(str_eq(buf_view(&got), rows[row].out));
	buf_free(&got);
}

START_TEST(in_pieces)
{
	size_t	split;

	for (split = 0; split < rows[_i].in.n; split++)
		feed((size_t)_i, split);
}
END_TEST

START_TEST(way_out)
{
	struct dot_out	d;
	struct buf	b;

	buf_init(&b, 4096);
	dot_out_init(&d);
	ck_assert_int_eq(dot_out_add(&d, STR(".a\n"), true, &b), 0);
	ck_assert_int_eq(dot_out_add(&d, STR("..\n"), true, &b), 0);
	ck_assert_int_eq(dot_out_add(&d, STR("b\r"), true, &b), 0);
	ck_assert_int_eq(dot_out_add(&d, STR("\n.end"), true, &b), 0);
	ck_assert_int_eq(dot_out_end(&d, &b), 0);
	ck_assert(str_eq(buf_view(&b),
	    STR("..a\r\n...\r\nb\r\n..end\r\n.\r\n")));
	buf_free(&b);
}
END_TEST

#define TEXT(s)	{ (s), sizeof(s) - 1 }
/* in; what becomes of it when LF alone is a line end; when it is not */
static const struct { struct str in, lf, crlf; } out_rows[] = {
	{ TEXT(""), TEXT(".\r\n"), TEXT(".\r\n") },
	{ TEXT("."), TEXT("..\r\n.\r\n"), TEXT("..\r\n.\r\n") },
	{ TEXT("\n"), TEXT("\r\n.\r\n"), TEXT("\n\r\n.\r\n") },
	{ TEXT("\r"), TEXT("\r\n.\r\n"), TEXT("\r\n.\r\n") },
	{ TEXT("a\n.\n..b\n"), TEXT("a\r\n..\r\n...b\r\n.\r\n"),
	    TEXT("a\n.\n..b\n\r\n.\r\n") },
	{ TEXT("a\r\n.\r\n"), TEXT("a\r\n..\r\n.\r\n"),
	    TEXT("a\r\n..\r\n.\r\n") },
	{ TEXT("\r\r\n\r.\n."), TEXT("\r\r\n\r.\r\n..\r\n.\r\n"),
	    TEXT("\r\r\n\r.\n.\r\n.\r\n") },
	{ TEXT("a\0\n.b"), TEXT("a\0\r\n..b\r\n.\r\n"),
	    TEXT("a\0\n.b\r\n.\r\n") },
};

static void
send_out(size_t row, bool lf, size_t split, size_t room)
{
	struct str	in = out_rows[row].in, head = in, tail = in;
	struct str	want = lf ? out_rows[row].lf : out_rows[row].crlf;
	struct dot_out	d;
	struct buf	b;

	head.n = split;
	tail.p += split;
	tail.n -= split;
	buf_init(&b, 4096);
	ck_assert_int_eq(buf_reserve(&b, room), 0);
	dot_out_init(&d);
	ck_assert_int_eq(dot_out_add(&d, head, lf, &b), 0);
	ck_assert_int_eq(dot_out_add(&d, tail, lf, &b), 0);
	ck_assert_int_eq(dot_out_end(&d, &b), 0);
	ck_assert_msg(str_eq(buf_view(&b), want), "row %zu split %zu", row,
	    split);
	buf_free(&b);
}

/* With and without room for all of it in the buffer. */
START_TEST(way_out_in_pieces)
{
	size_t	split;

	for (split = 0; split <= out_rows[_i].in.n; split++) {
		send_out((size_t)_i, true, split, 0);
		send_out((size_t)_i, false, split, 0);
		send_out((size_t)_i, true, split, 1000);
		send_out((size_t)_i, false, split, 1000);
	}
}
END_TEST

START_TEST(no_room_out)	/* whatever does not fit is said */
{
	struct dot_out	d;
	struct buf	b;
	size_t		max;

	for (max = 0; max < 13; max++) {
		buf_init(&b, max);
		dot_out_init(&d);
		ck_assert(dot_out_add(&d, STR(".a\n.b\n"), true, &b) == -1 ||
		    dot_out_add(&d, STR("c"), true, &b) == -1 ||
		    dot_out_end(&d, &b) == -1);
		buf_free(&b);
	}
}
END_TEST

static const struct {
	struct str		in;
	enum line_status	status;
	size_t			line, used;
} lines[] = {
	{ IN("NOOP\r\nx"), LINE_OK, 4, 6 },
	{ IN("\r\n"), LINE_OK, 0, 2 },
	{ IN("NOOP"), LINE_MORE, 0, 0 },
	{ IN("NOOP\r"), LINE_MORE, 0, 0 },
	{ IN("NOOP\nQUIT\r\n"), LINE_BARE_LF, 4, 5 },
	{ IN("NO\rOP\r\n"), LINE_BARE_CR, 5, 7 },
	{ IN("NO\0OP\r\n"), LINE_NUL, 5, 7 },
	{ IN("0123456789\r\n"), LINE_LONG, 10, 12 },
	{ IN("0123456789"), LINE_LONG, 0, 10 },
	{ IN("012345678\r"), LINE_LONG, 0, 9 },
};

START_TEST(command_line)
{
	struct str	line;
	size_t		used = 0;

	ck_assert_int_eq(line_scan(lines[_i].in, 10, &line, &used),
	    lines[_i].status);
	if (lines[_i].status != LINE_MORE)
		ck_assert_uint_eq(used, lines[_i].used);
	if (lines[_i].line > 0)
		ck_assert_uint_eq(line.n, lines[_i].line);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("dot");
	TCase	*t = tcase_create("dot");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, in_pieces, 0, nitems(rows));
	tcase_add_loop_test(t, way_out_in_pieces, 0, nitems(out_rows));
	tcase_add_test(t, way_out);
	tcase_add_test(t, no_room_out);
	tcase_add_loop_test(t, command_line, 0, nitems(lines));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
