/* tests/unit/test_history.c - the lines of a status file, by recipient. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "queue/history.h"

static const char	text[] =
	"100 bob@example.test 4.2.1 first: of bob\n"
	"nonsense\n"
	"101 \"a \\\" b\"@example.test 5.1.1 of the quoted one\n"
	"102 ann@example.test 5.2.2 \n"
	"x bob@example.test 4.2.1 no time\n"
	"103 bob@example.test 5.1.1 second  of bob\n"
	"104 \"open bob@example.test 5.1.1 never ends\n"
	"105 bob@example.test 4.0.0 cut at the en";

/* What another host replied is told from our own words. */
static const struct { const char *text, *host, *reply; } replies[] = {
	{ "mx.example.org[192.0.2.1]:25 said: 550 5.1.1 no", "mx.example.org",
	    "550 5.1.1 no" },
	{ "[2001:db8::1]:25 said: 450 later", "[2001:db8::1]", "450 later" },
	{ "mx.example.org[192.0.2.1]:25 said: ", "mx.example.org", "" },
	{ "mx.example.org[192.0.2.1]:25: timed out", "", "" },
	{ "he said: no", "", "" },
	{ "a[b said: no", "", "" },
	{ "[]: said: no", "[]", "no" },
	{ "a[b]:c said:", "", "" },
	{ "", "", "" },
	{ " said: x", "", "" },
};

START_TEST(reply)
{
	const struct history_line	*l;
	struct history			 h;
	char				 line[200];
	size_t				 n;

	snprintf(line, sizeof(line), "1 a@b 5.0.0 %s\n", replies[_i].text);
	ck_assert_int_eq(history_read(&h, str_from(line)), 0);
	l = history_of(&h, STR("a@b"), &n);
	ck_assert_uint_eq(n, 1);
	ck_assert(str_eq(l->host, str_from(replies[_i].host)));
	ck_assert(str_eq(l->reply, str_from(replies[_i].reply)));
	ck_assert(str_eq(l->text, str_from(replies[_i].text)));
	history_free(&h);
}
END_TEST

static const struct {
	const char	*addr;
	size_t		 n;
	int64_t		 last;
	const char	*status, *words;
} rows[] = {
	{ "bob@example.test", 3, 105, "4.0.0", "cut at the en" },
	{ "\"a \\\" b\"@example.test", 1, 101, "5.1.1", "of the quoted one" },
	{ "ann@example.test", 1, 102, "5.2.2", "" },
	{ "nobody@example.test", 0, 0, "", "" },
	{ "bob", 0, 0, "", "" },
	{ "", 0, 0, "", "" },
};

START_TEST(of_one)
{
	const struct history_line	*l;
	struct history			 h;
	size_t				 n;

	ck_assert_int_eq(history_read(&h, str_from(text)), 0);
	ck_assert_uint_eq(h.n, 5);
	l = history_of(&h, str_from(rows[_i].addr), &n);
	ck_assert_uint_eq(n, rows[_i].n);
	ck_assert((l == NULL) == (n == 0));
	if (n > 0) {
		l += n - 1;
		ck_assert_int_eq(l->at_s, rows[_i].last);
		ck_assert(str_eq(l->status, str_from(rows[_i].status)));
		ck_assert(str_eq(l->text, str_from(rows[_i].words)));
	}
	history_free(&h);
	ck_assert_uint_eq(h.n, 0);
}
END_TEST

START_TEST(in_their_order)
{
	const struct history_line	*l;
	struct history			 h;
	char				 many[64 * 200], *p = many;
	size_t				 i, n;

	for (i = 0; i < 200; i++)
		p += snprintf(p, 64, "%zu %s@x 4.0.0 t\n", 1000 + i,
		    i % 3 == 0 ? "b" : i % 3 == 1 ? "a" : "c");
	ck_assert_int_eq(history_read(&h, str_from(many)), 0);
	l = history_of(&h, STR("b@x"), &n);
	ck_assert_uint_eq(n, 67);
	for (i = 0; i < n; i++)
		ck_assert_int_eq(l[i].at_s, 1000 + 3 * (int64_t)i);
	history_free(&h);
}
END_TEST

START_TEST(nothing)
{
	struct history	h;
	size_t		n = 9;

	ck_assert_int_eq(history_read(&h, STR("")), 0);
	ck_assert_ptr_null(history_of(&h, STR("a@b"), &n));
	ck_assert_uint_eq(n, 0);
	history_free(&h);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("history");
	TCase	*t = tcase_create("history");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, reply, 0, nitems(replies));
	tcase_add_loop_test(t, of_one, 0, nitems(rows));
	tcase_add_test(t, in_their_order);
	tcase_add_test(t, nothing);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
