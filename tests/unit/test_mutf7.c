/* tests/unit/test_mutf7.c - names of mailboxes in modified UTF-7, and what only looks like it. */
#include <check.h>
#include <stdlib.h>

#include "common/base/attr.h"
#include "common/fmt/mutf7.h"

static const struct {
	struct str	coded, plain;
} pairs[] = {
	{ STR(""), STR("") },
	{ STR("INBOX"), STR("INBOX") },
	{ STR(" ~/.%*\"\\"), STR(" ~/.%*\"\\") },
	{ STR("A&-B"), STR("A&B") },
	{ STR("&-&-"), STR("&&") },
	{ STR("Entw&APw-rfe"), STR("Entw\xc3\xbcrfe") },
	{ STR("&U,BTFw-"), STR("\xe5\x8f\xb0\xe5\x8c\x97") },
	{ STR("~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
	    STR("~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/"
	    "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e") },
	{ STR("&2D3cqQ-"), STR("\xf0\x9f\x92\xa9") },
	{ STR("&2,,f,w-"), STR("\xf4\x8f\xbf\xbf") },
	{ STR("&AOQ-&-&APY-"), STR("\xc3\xa4&\xc3\xb6") },
	{ STR("&AAA-"), STR("\0") },
	{ STR("&AAoAfw-x"), STR("\n\x7fx") },
	{ STR("&,,8-"), STR("\xef\xbf\xbf") },
	{ STR("&AOQA9gD8-"), STR("\xc3\xa4\xc3\xb6\xc3\xbc") },
};

/* No modified UTF-7 in its one right form. */
static const struct str uncoded[] = {
	STR("&"), STR("a&"), STR("&A"), STR("&AOQ"), STR("&AOQ "),
	STR("&AO-"), STR("&A-"), STR("&AA-"),	/* cut short */
	STR("&AGE-"),			/* 'a' stands for itself */
	STR("&ACY-"),			/* so does '&', nearly */
	STR("&AOQAYQ-"),
	STR("&AOR-"), STR("&AOT-"),	/* bits behind the end */
	STR("&AOQA-"), STR("&AOQAA-"),	/* letters behind the end */
	STR("&AOQ-&APY-"),		/* two shifts for one */
	STR("&2D0-"), STR("&3Kk-"), STR("&2D0AYQ-"), STR("&3KnYPQ-"),
	STR("&2D3YPQ-"), STR("&2D0A5A-"),	/* half pairs */
	STR("&AO/-"), STR("&AOQ=-"), STR("\xc3\xa4"), STR("a\0"),
	STR("a\n"), STR("\x7f"), STR("&\xc3\xa4-"), STR("&U,BTFw"),
};

static const struct str no_utf8[] = {
	STR("\xc3"), STR("a\xff"), STR("\xc3\xa4\x80"), STR("\xed\xa0\x80"),
	STR("\xc0\x80"), STR("\xf4\x90\x80\x80"), STR("\xe2\x82"),
};

START_TEST(both_ways)
{
	struct buf	b;

	buf_init(&b, 256);
	buf_adds(&b, "x");
	ck_assert(mutf7_to_utf8(pairs[_i].coded, &b));
	buf_consume(&b, 1);
	ck_assert(str_eq(buf_view(&b), pairs[_i].plain));
	buf_reset(&b);
	buf_adds(&b, "x");
	ck_assert(mutf7_from_utf8(pairs[_i].plain, &b));
	buf_consume(&b, 1);
	ck_assert(str_eq(buf_view(&b), pairs[_i].coded));
	buf_free(&b);
}
END_TEST

START_TEST(refused)
{
	struct buf	b;

	buf_init(&b, 256);
	buf_adds(&b, "x");
	ck_assert(!mutf7_to_utf8(uncoded[_i], &b));
	ck_assert(str_eq(buf_view(&b), STR("x")));
	buf_free(&b);
}
END_TEST

START_TEST(refused_utf8)
{
	struct buf	b;

	buf_init(&b, 256);
	buf_adds(&b, "x");
	ck_assert(!mutf7_from_utf8(no_utf8[_i], &b));
	ck_assert(str_eq(buf_view(&b), STR("x")));
	buf_free(&b);
}
END_TEST

START_TEST(no_room)
{
	struct buf	b;

	buf_init(&b, 4);
	ck_assert(!mutf7_from_utf8(STR("\xc3\xa4"), &b));
	ck_assert_uint_eq(b.n, 0);
	buf_reset(&b);
	ck_assert(!mutf7_to_utf8(STR("abcde"), &b));
	ck_assert_uint_eq(b.n, 0);
	buf_free(&b);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("mutf7");
	TCase	*t = tcase_create("mutf7");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, both_ways, 0, nitems(pairs));
	tcase_add_loop_test(t, refused, 0, nitems(uncoded));
	tcase_add_loop_test(t, refused_utf8, 0, nitems(no_utf8));
	tcase_add_test(t, no_room);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
