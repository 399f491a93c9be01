/* tests/unit/test_record.c - tagged netstrings: a new case is a row. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/final.h"
#include "common/fmt/record.h"

#define IN(s)	{ (s), sizeof(s) - 1 }

static const struct { struct str in; bool ok; size_t fields; } rows[] = {
	{ IN(""),				true,	0 },
	{ IN("F15:ann@example.org,\n"),		true,	1 },
	{ IN("A0:,\nB3:a\0c,\n"),		true,	2 },
	{ IN("A1:x,"),				false,	0 },
	{ IN("A1:xy,\n"),			false,	0 },
	{ IN("A01:x,\n"),			false,	0 },
	{ IN("A-1:x,\n"),			false,	0 },
	{ IN("A99999999999999999999:x,\n"),	false,	0 },
	{ IN("A4294967295:x,\n"),		false,	0 },
	{ IN("11:x,\n"),			false,	0 },
	{ IN("A1:x,\nB"),			false,	1 },
};

START_TEST(decode)
{
	struct cur	c = cur_from(rows[_i].in);
	struct field	f;
	size_t		n = 0;

	while (record_next(&c, &f))
		n++;
	ck_assert_uint_eq(n, rows[_i].fields);
	ck_assert_int_eq(cur_done(&c), rows[_i].ok);
	ck_assert_int_eq(record_ok(rows[_i].in), rows[_i].ok);
}
END_TEST

START_TEST(round_trip)
{
	struct buf	b;
	struct str	v;
	uint64_t	n;
	char		small[3];

	buf_init(&b, 4096);
	record_put(&b, 'a', STR("x\0,\n9:"));
	record_putu(&b, 'n', UINT64_MAX);
	record_putf(&b, 'f', "%d-%s", 7, "seven");
	ck_assert(buf_ok(&b));
	ck_assert(record_get(buf_view(&b), 'a', &v));
	ck_assert(str_eq(v, STR("x\0,\n9:")));
	ck_assert(record_getu(buf_view(&b), 'n', UINT64_MAX, &n));
	ck_assert_uint_eq(n, UINT64_MAX);
	ck_assert(!record_getu(buf_view(&b), 'n', 5, &n));
	ck_assert(record_get(buf_view(&b), 'f', &v));
	ck_assert(str_eq(v, STR("7-seven")));
	ck_assert(!record_gets(buf_view(&b), 'f', small, sizeof(small)));
	ck_assert(!record_get(buf_view(&b), 'z', &v));
	buf_free(&b);
}
END_TEST

START_TEST(too_much_is_noted)
{
	struct buf	b;

	buf_init(&b, 8);
	record_puts(&b, 'a', "longer than eight");
	ck_assert(!buf_ok(&b));
	buf_free(&b);
}
END_TEST

START_TEST(finals)
{
	struct final	in = { FINAL_PIPE, STR("bob"), STR("x"),
	    STR("bob@example.test"), STR("cat > \"a,b\"") };
	struct final	out;
	struct buf	b;

	buf_init(&b, 4096);
	final_encode(&b, &in);
	ck_assert(final_decode(buf_view(&b), &out));
	ck_assert_int_eq(out.kind, FINAL_PIPE);
	ck_assert(str_eq(out.user, in.user));
	ck_assert(str_eq(out.arg, in.arg));
	buf_reset(&b);
	in.arg.n = 0;		/* a pipe without a command is nothing */
	final_encode(&b, &in);
	ck_assert(!final_decode(buf_view(&b), &out));
	ck_assert(!final_decode(STR("k1:Z,\nu0:,\ne0:,\na0:,\ng1:x,\n"), &out));
	buf_free(&b);
}
END_TEST

START_TEST(texts)
{
	struct buf	b;
	char		out[6] = "?";

	buf_init(&b, 100);
	record_puts(&b, 'a', "hello");
	record_puts(&b, 'b', "hello!");
	record_puts(&b, 'c', "a\nb");
	record_put(&b, 'd', STR("a\0"));
	ck_assert(record_get_text(buf_view(&b), 'a', out, sizeof(out)));
	ck_assert_str_eq(out, "hello");
	ck_assert(!record_get_text(buf_view(&b), 'b', out, sizeof(out)));
	ck_assert(!record_get_text(buf_view(&b), 'c', out, sizeof(out)));
	ck_assert(!record_get_text(buf_view(&b), 'd', out, sizeof(out)));
	ck_assert(record_get_text(buf_view(&b), 'e', out, sizeof(out)));
	ck_assert_str_eq(out, "");
	buf_free(&b);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("record");
	TCase	*t = tcase_create("record");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, decode, 0, nitems(rows));
	tcase_add_test(t, round_trip);
	tcase_add_test(t, too_much_is_noted);
	tcase_add_test(t, finals);
	tcase_add_test(t, texts);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
