/* tests/unit/test_final.c - final recipients as records: a new case is a row. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/final.h"
#include "common/fmt/record.h"

#define IN(s)	{ (s), sizeof(s) - 1 }

static const struct { struct final f; bool ok; } rows[] = {
	{ { FINAL_USER, IN("alice"), IN(""), IN("alice@d"), IN("") }, true },
	{ { FINAL_USER, IN("alice"), IN("t,\n1:x"), IN("a@d"), IN("") }, true },
	{ { FINAL_USER, IN(""), IN(""), IN("alice@d"), IN("x") }, false },
	{ { FINAL_PIPE, IN("bob"), IN(""), IN("a@d"), IN("cat \0") }, true },
	{ { FINAL_PIPE, IN("bob"), IN(""), IN("a@d"), IN("") }, false },
	{ { FINAL_FILE, IN("bob"), IN(""), IN("a@d"), IN("/x/") }, true },
	{ { FINAL_FILE, IN("bob"), IN(""), IN("a@d"), IN("") }, false },
	{ { FINAL_REMOTE, IN(""), IN(""), IN("a@d"), IN("a@d") }, true },
	{ { FINAL_REMOTE, IN(""), IN(""), IN("a@d"), IN("") }, false },
};

START_TEST(round_trip)
{
	struct final	in = rows[_i].f, out;
	struct buf	b;

	buf_init(&b, 4096);
	final_encode(&b, &in);
	ck_assert(buf_ok(&b));
	ck_assert_int_eq(final_decode(buf_view(&b), &out), rows[_i].ok);
	if (rows[_i].ok) {
		ck_assert_int_eq(out.kind, in.kind);
		ck_assert(str_eq(out.user, in.user));
		ck_assert(str_eq(out.ext, in.ext));
		ck_assert(str_eq(out.addr, in.addr));
		ck_assert(str_eq(out.arg, in.arg));
	}
	buf_free(&b);
}
END_TEST

static const struct { const char *in; bool ok; } texts[] = {
	{ "k1:U,\nu1:a,\ne0:,\na3:a@d,\ng0:,\n", true },
	/* what a later version adds is no fault */
	{ "k1:U,\nu1:a,\ne0:,\na3:a@d,\ng0:,\nz1:?,\n", true },
	{ "k1:Z,\nu1:a,\ne0:,\na3:a@d,\ng0:,\n", false },
	{ "k0:,\nu1:a,\ne0:,\na3:a@d,\ng0:,\n", false },
	{ "k2:UP,\nu1:a,\ne0:,\na3:a@d,\ng0:,\n", false },
	{ "u1:a,\ne0:,\na3:a@d,\ng0:,\n", false },
	{ "k1:U,\ne0:,\na3:a@d,\ng0:,\n", false },
	{ "k1:U,\nu1:a,\na3:a@d,\ng0:,\n", false },
	{ "k1:U,\nu1:a,\ne0:,\ng0:,\n", false },
	{ "k1:U,\nu1:a,\ne0:,\na3:a@d,\n", false },
	{ "k1:U,\nu1:a,\ne0:,\na3:a@d,\ng0:,\nx", false },
	{ "", false },
};

START_TEST(decode)
{
	struct final	f;

	ck_assert_int_eq(final_decode(str_from(texts[_i].in), &f),
	    texts[_i].ok);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("final");
	TCase	*t = tcase_create("final");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, round_trip, 0, nitems(rows));
	tcase_add_loop_test(t, decode, 0, nitems(texts));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
