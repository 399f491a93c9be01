/* tests/unit/test_parts.c - the tree of a message's parts. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/parts.h"

#define MIXED(b)	"Content-Type: multipart/mixed; boundary=" b "\n\n"
#define IN(s)		{ (s), sizeof(s) - 1 }

/* For each part: kind, header..body..end, octets of header and body and lines of both when it is sent, children in [ ]. */
static const struct { struct str in; const char *tree; } rows[] = {
	{ IN(""), "L0..0..0 0+0 0+0" },
	{ IN("\n"), "L0..1..1 2+0 1+0" },
	{ IN("a: b"), "L0..4..4 4+0 0+0" },
	{ IN("a: b\r\n"), "L0..6..6 6+0 1+0" },
	{ IN("a: b\n\nx\r\ny\n\0\rz"), "L0..6..14 8+9 2+2" },
	{ IN("a: b\r\n\r\r\nx: y\n\nz\n"), "L0..15..17 17+3 4+1" },
	/* preamble, parts, epilogue */
	{ IN(MIXED("a") "pre\n--a\nc: d\n\nx\n--a\r\n\r\ny\r\n\r\n--a--\nepi\n"),
	    "M0..43..81 45+45 2+11[L51..57..58 8+1 2+0 L64..66..69 2+3 1+1]" },
	/* nothing between two boundaries, a boundary in a header, one behind the header's empty line */
	{ IN(MIXED("a") "--a\n--a\nc: d\n--a\n\n--a--\n"),
	    "M0..43..67 45+30 2+6[L47..47..47 0+0 0+0 L51..55..55 4+0 0+0 L60..61..61 2+0 1+0]" },
	/* no end, and no end of the line either: there is no part in what is not there */
	{ IN(MIXED("a") "--a\n\nx\n--a"), "M0..43..53 45+13 2+3[L47..48..49 2+1 1+0]" },
	{ IN(MIXED("a") "--a\n\nx"), "M0..43..49 45+8 2+2[L47..48..49 2+1 1+0]" },
	/* the beginning of a line is enough; what is behind the end is epilogue */
	{ IN(MIXED("a") "--ab\n\nx\n--a-- c\n--a\n\ny\n"),
	    "M0..43..66 45+30 2+7[L48..49..50 2+1 1+0]" },
	/* nested, the inner boundary begins with the outer one; the longest counts */
	{ IN(MIXED("a") "--a\n" MIXED("ab") "--abc\n\nx\n--ab--\n--a--\n"),
	    "M0..43..113 45+78 2+8[M47..91..106 46+18 2+3[L97..98..99 2+1 1+0]]" },
	/* the outer boundary ends what is in it */
	{ IN(MIXED("a") "--a\n" MIXED("b") "--b\n\nx\n--a\n\ny\n--b\nz\n--a--\n"),
	    "M0..43..116 45+85 2+12[M47..90..96 45+8 2+2[L94..95..96 2+1 1+0] L101..102..109 2+9 1+2]" },
	/* the same boundary in both */
	{ IN(MIXED("a") "--a\n" MIXED("a") "--a\n\nx\n--a--\n--a--\n"),
	    "M0..43..109 45+74 2+8[M47..90..102 45+15 2+3[L94..95..96 2+1 1+0]]" },
	/* no boundary, or none that could be one */
	{ IN("Content-Type: multipart/mixed\n\n--\n\nx\n"), "L0..31..37 33+9 2+3" },
	{ IN("Content-Type: multipart/mixed; boundary=\" \"\n\n--\n\nx\n"), "L0..45..51 47+9 2+3" },
	/* a boundary with blanks around it, in quotes, in pieces; one that ought to have been in quotes */
	{ IN(MIXED("\"a b \"") "--a b\n\nx\n--a b--\n"), "M0..48..65 50+21 2+4[L54..55..56 2+1 1+0]" },
	{ IN(MIXED("a/b:c; x=y") "--a/b:c\n\nx\n--a/b:c--\n"), "M0..52..73 54+25 2+4[L60..61..62 2+1 1+0]" },
	{ IN("Content-Type: multipart/mixed; boundary*0=a; boundary*1*=b\n\n--ab\n\nx\n--ab--\n"),
	    "M0..60..75 62+19 2+4[L65..66..67 2+1 1+0]" },
	/* the message in a message */
	{ IN("Content-Type: message/rfc822\n\nSubject: in\n\nx\ny"),
	    "R0..30..46 32+19 2+3[L30..43..46 15+4 2+1]" },
	{ IN("Content-Type: message/global\n\n"), "R0..30..30 32+0 2+0[L30..30..30 0+0 0+0]" },
	{ IN("Content-Type: message/rfc822"), "R0..28..28 28+0 0+0[L28..28..28 0+0 0+0]" },
	{ IN("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nSubject: in\n\nx\ny"),
	    "L0..64..80 67+19 3+3" },
	{ IN("Content-Type: message/rfc822\nContent-Transfer-Encoding: 8-bit\n\na: b\n\nx"),
	    "R0..63..70 66+9 3+2[L63..69..70 8+1 2+0]" },
	/* in a part of which only the header came, and that without its empty line */
	{ IN(MIXED("a") "--a\nContent-Type: message/rfc822\n--a\nContent-Type: message/rfc822\n\nb: c\n--a--\n"),
	    "M0..43..121 45+85 2+7[R47..75..75 28+0 0+0[L75..75..75 0+0 0+0] R80..110..114 32+4 2+0[L110..114..114 4+0 0+0]]" },
	/* parts of a digest are messages if they do not say otherwise */
	{ IN("Content-Type: multipart/digest; boundary=a\n\n--a\n\na: b\n\nx\n--a\nContent-Type: text/plain\n\ny\n--a--\n"),
	    "M0..44..95 46+61 2+10[R48..49..56 2+9 1+2[L49..55..56 8+1 2+0] L61..87..88 28+1 2+0]" },
	/* what is no Content-Type is text/plain (RFC 2045 5.2) */
	{ IN("Content-Type: multipart; boundary=a\n\n--a\n\nx\n"), "L0..37..44 39+10 2+3" },
};

static void
dump(struct buf *b, const struct part *p, size_t i)
{
	size_t	c;

	buf_addf(b, "%c%llu..%llu..%llu %llu+%llu %u+%u", "LMR"[p[i].kind],
	    (unsigned long long)p[i].header, (unsigned long long)p[i].body,
	    (unsigned long long)p[i].end, (unsigned long long)p[i].header_wire,
	    (unsigned long long)p[i].body_wire, p[i].header_lines,
	    p[i].body_lines);
	if (p[i].child != 0)
		buf_addc(b, '[');
	for (c = p[i].child; c != 0; c = p[c].next) {
		ck_assert_uint_eq(p[c].parent, i);
		dump(b, p, c);
		buf_addc(b, p[c].next == 0 ? ']' : ' ');
	}
}

/* In pieces of that many bytes, the first of them of so many. */
static void
tree_of(struct str in, size_t first, size_t piece, struct buf *out)
{
	struct arena		 a;
	struct parts		*p;
	const struct part	*list;
	size_t			 n, at = 0;

	arena_init(&a, PARTS_ARENA_MAX);
	ck_assert_ptr_nonnull(p = parts_begin(&a));
	for (n = first; at < in.n; at += n, n = piece) {
		if (n > in.n - at)
			n = in.n - at;
		ck_assert_int_eq(parts_feed(p, (struct str){ in.p + at, n }), 0);
	}
	ck_assert_int_eq(parts_end(p), 0);
	list = parts_list(p, &n);
	buf_reset(out);
	dump(out, list, 0);
	arena_free(&a);
}

START_TEST(tree)
{
	struct buf	b;
	size_t		i;

	buf_init(&b, 1u << 20);
	tree_of(rows[_i].in, rows[_i].in.n, 1, &b);
	ck_assert_str_eq(buf_cstr(&b), rows[_i].tree);
	for (i = 1; i < rows[_i].in.n; i++) {
		tree_of(rows[_i].in, i, rows[_i].in.n, &b);
		ck_assert_str_eq(buf_cstr(&b), rows[_i].tree);
		tree_of(rows[_i].in, i, i, &b);
		ck_assert_str_eq(buf_cstr(&b), rows[_i].tree);
	}
	buf_free(&b);
}
END_TEST

/* A boundary that is cut, and a line of which more would have to be seen than is kept. */
START_TEST(long_boundary)
{
	struct buf	 b, whole, again;
	const size_t	 lengths[] = { 70, 255, 256, 257, 1000 };
	size_t		 i, k;

	buf_init(&b, 1u << 20);
	buf_init(&whole, 1u << 20);
	buf_init(&again, 1u << 20);
	for (i = 0; i < nitems(lengths); i++) {
		buf_reset(&b);
		buf_adds(&b, "Content-Type: multipart/mixed; boundary=");
		for (k = 0; k < lengths[i]; k++)
			buf_addc(&b, 'b');
		buf_adds(&b, "\n\n--");
		for (k = 0; k < lengths[i]; k++)
			buf_addc(&b, 'b');
		buf_adds(&b, "\n\nx\n--bbb\n");
		tree_of(buf_view(&b), b.n, 1, &whole);
		ck_assert_ptr_nonnull(strstr(buf_cstr(&whole), "[L"));
		for (k = 1; k < b.n; k += 7) {
			tree_of(buf_view(&b), k, 3, &again);
			ck_assert_str_eq(buf_cstr(&again), buf_cstr(&whole));
		}
	}
	buf_free(&b);
	buf_free(&whole);
	buf_free(&again);
}
END_TEST

static size_t
count_parts(struct str in, size_t *deepest)
{
	struct arena		 a;
	struct parts		*p;
	const struct part	*list;
	size_t			 i, n, k, depth;

	arena_init(&a, PARTS_ARENA_MAX);
	ck_assert_ptr_nonnull(p = parts_begin(&a));
	ck_assert_int_eq(parts_feed(p, in), 0);
	ck_assert_int_eq(parts_end(p), 0);
	list = parts_list(p, &n);
	*deepest = 0;
	for (i = 0; i < n; i++) {
		for (depth = 0, k = i; k != 0; k = list[k].parent)
			depth++;
		if (depth > *deepest)
			*deepest = depth;
	}
	arena_free(&a);
	return n;
}

/* Deeper and more than is taken; in time that a test can wait for. */
START_TEST(bounds)
{
	struct buf	b;
	size_t		i, k, depth;

	buf_init(&b, 1u << 28);
	for (i = 0; i < 100000; i++)
		buf_addf(&b, "Content-Type: multipart/mixed; boundary=b%zuz\n\n"
		    "--b%zuz\n", i, i);
	ck_assert_uint_eq(count_parts(buf_view(&b), &depth), PARTS_DEPTH_MAX);
	ck_assert_uint_eq(depth, PARTS_DEPTH_MAX - 1);
	buf_reset(&b);
	for (i = 0; i < 100000; i++)
		buf_adds(&b, "Content-Type: message/rfc822\n\n");
	ck_assert_uint_eq(count_parts(buf_view(&b), &depth), PARTS_DEPTH_MAX);
	buf_reset(&b);
	buf_adds(&b, MIXED("a"));
	for (i = 0; i < 100000; i++)
		buf_adds(&b, "--a\nContent-Type: message/rfc822\n\n");
	ck_assert_uint_eq(count_parts(buf_view(&b), &depth), PARTS_MAX);
	/* a hundred boundaries that begin alike, and lines that begin like them */
	buf_reset(&b);
	for (i = 0; i < 100; i++)
		buf_addf(&b, "Content-Type: multipart/mixed; boundary=%0*d\n\n"
		    "--%0*d\n", (int)(250 - i), 0, (int)(250 - i), 0);
	for (i = 0; i < 100000; i++)
		buf_adds(&b, "--00000000000000000000000000000000000000000x\n");
	count_parts(buf_view(&b), &depth);
	/* a header that does not end, lines that do not, and headers of which there are too many */
	buf_reset(&b);
	for (i = 0; i < 400000; i++)
		buf_adds(&b, "Content-Type: a/b;\n");
	ck_assert_uint_eq(count_parts(buf_view(&b), &depth), 1);
	buf_reset(&b);
	buf_adds(&b, MIXED("a"));
	for (i = 0; i < 2000000; i++)
		buf_addc(&b, '-');
	ck_assert_uint_eq(count_parts(buf_view(&b), &depth), 1);
	buf_reset(&b);
	buf_adds(&b, MIXED("a"));
	for (i = 0; i < 9000; i++) {
		buf_adds(&b, "--a\nContent-Type: text/plain;");
		for (k = 0; k < 700; k++)
			buf_adds(&b, "a=b;");
		buf_adds(&b, "\n\nx\n");
	}
	ck_assert_uint_eq(count_parts(buf_view(&b), &depth), 9001);
	buf_free(&b);
}
END_TEST

/* An arena that is too small is an error, not a crash. */
START_TEST(no_room)
{
	struct arena	 a;
	struct parts	*p;
	size_t		 max;

	for (max = 0; max < 40000; max += 100) {
		arena_init(&a, max);
		if ((p = parts_begin(&a)) != NULL &&
		    parts_feed(p, rows[6].in) == 0 &&
		    parts_end(p) == 0)
			break;
		arena_free(&a);
	}
	ck_assert_uint_lt(max, 40000);
	ck_assert_uint_gt(max, 1000);
	arena_free(&a);
}
END_TEST

static const char nested[] = MIXED("a")
    "--a\n\nx\n"				/* 1 */
    "--a\nContent-Type: message/rfc822\n\n"	/* 2 */
    MIXED("b") "--b\n\ny\n--b\n\nz\n--b--\n"	/* 2.1, 2.2 */
    "--a\nContent-Type: message/rfc822\n\ns: t\n\nu\n"	/* 3, 3.1 */
    "--a--\n";
static const struct {
	size_t		n;
	uint32_t	numbers[4];
	bool		ok;
	size_t		part;
} finds[] = {
	{ 0, { 0 }, true, 0 },
	{ 1, { 1 }, true, 1 },
	{ 2, { 1, 1 }, false, 0 },
	{ 1, { 2 }, true, 2 },
	{ 2, { 2, 1 }, true, 4 },
	{ 2, { 2, 2 }, true, 5 },
	{ 3, { 2, 2, 1 }, false, 0 },
	{ 2, { 2, 3 }, false, 0 },
	{ 1, { 3 }, true, 6 },
	{ 2, { 3, 1 }, true, 7 },
	{ 2, { 3, 2 }, false, 0 },
	{ 3, { 3, 1, 1 }, false, 0 },
	{ 1, { 4 }, false, 0 },
	{ 1, { 0 }, false, 0 },
	{ 1, { UINT32_MAX }, false, 0 },
};

START_TEST(find)
{
	struct arena		 a;
	struct parts		*p;
	const struct part	*list;
	size_t			 n, at = 99;

	arena_init(&a, PARTS_ARENA_MAX);
	ck_assert_ptr_nonnull(p = parts_begin(&a));
	ck_assert_int_eq(parts_feed(p, (struct str){ nested,
	    sizeof(nested) - 1 }), 0);
	ck_assert_int_eq(parts_end(p), 0);
	list = parts_list(p, &n);
	ck_assert_uint_eq(n, 8);
	ck_assert_int_eq(parts_find(list, n, finds[_i].numbers, finds[_i].n,
	    &at), finds[_i].ok);
	if (finds[_i].ok)
		ck_assert_uint_eq(at, finds[_i].part);
	arena_free(&a);
}
END_TEST

START_TEST(find_single)
{
	const struct part	one = { .kind = PART_LEAF };
	const uint32_t		numbers[] = { 1, 1 };
	size_t			at = 99;

	ck_assert(parts_find(&one, 1, numbers, 1, &at));
	ck_assert_uint_eq(at, 0);
	ck_assert(!parts_find(&one, 1, numbers, 2, &at));
	ck_assert(!parts_find(&one, 0, numbers, 1, &at));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("parts");
	TCase	*t = tcase_create("parts");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, tree, 0, nitems(rows));
	tcase_add_test(t, long_boundary);
	tcase_add_test(t, bounds);
	tcase_add_test(t, no_room);
	tcase_add_loop_test(t, find, 0, nitems(finds));
	tcase_add_test(t, find_single);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
