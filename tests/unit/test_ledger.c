/* tests/unit/test_ledger.c - lines and files that add up, and those that do not. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "queue/ledger.h"

static struct ledger	l;
static struct buf	why;
static struct id	id;
static char		name[ID_SIZE];

static void
setup(void)
{
	struct timespec	ts = { 1795643047, 0 };

	ledger_init(&l, 1795643000000);
	buf_init(&why, 4096);
	id = id_make(&ts);
	id_format(id, name);
}

static void
teardown(void)
{
	ledger_free(&l);
	buf_free(&why);
}

/* "@" stands for the id. */
static void
line(const char *text)
{
	struct logline	p;
	char		all[1024];
	const char	*at = strchr(text, '@');

	ck_assert_ptr_nonnull(at);
	snprintf(all, sizeof(all), "2026-11-25T21:44:07.414Z queue[8] info: "
	    "%.*s%s%s", (int)(at - text), text, name, at + 1);
	ck_assert(logline_parse(str_from(all), &p));
	ledger_line(&l, &p);
}

static void
check(const char *wrong)
{
	const struct account	*a = ledger_find(&l, id);
	const char		*text;

	ck_assert_ptr_nonnull(a);
	ledger_wrong(&l, a, &why);
	text = buf_cstr(&why);
	ck_assert_ptr_nonnull(text);
	if (wrong == NULL)
		ck_assert_str_eq(text, "");
	else
		ck_assert_msg(strstr(text, wrong) != NULL, "%s: %s", wrong,
		    text);
}

static int64_t
difference(void)
{
	struct ledger_sums	s;

	ledger_sum(&l, &s);
	return s.difference;
}

START_TEST(delivered)
{
	line("accepted id=@ nrcpts=2");
	ledger_file(&l, id, IN_INCOMING, 2, 2, false);
	check(NULL);
	line("queued id=@ nrcpts=2");
	line("queued id=@ nrcpts=2");	/* after a crash */
	line("delivered id=@ to=a");
	check("1 recipients have not got it by the log, 2 by its file");
	line("delivered id=@ to=b");
	line("done id=@ nrcpts=2");
	check("has ended by the log, and lies in the spool");
}
END_TEST

START_TEST(missing)
{
	line("accepted id=@ nrcpts=1");
	check("is missing");
	line("deferred id=@ to=a");
	check("is missing");
	ck_assert_int_eq(difference(), 1);
	line("delivered id=@ to=a");
	check("is done by its recipients, but no line says so");
	ck_assert_int_eq(difference(), 0);
	line("done id=@ nrcpts=1");
	check(NULL);
	ck_assert_int_eq(difference(), 0);
}
END_TEST

START_TEST(twice)
{
	line("accepted id=@ nrcpts=1");
	line("delivered id=@ to=a relay=h[192.0.2.1]:25");
	line("delivered id=@ to=a relay=h[192.0.2.1]:25");
	line("done id=@ nrcpts=1");
	check("1 more ends than recipients");
	ck_assert_int_eq(difference(), -1);
	ck_assert_uint_eq(l.relayed, 2);
	line("accepted id=@ nrcpts=1");
	check("was accepted 2 times");
}
END_TEST

START_TEST(expanded)
{
	line("accepted id=@ nrcpts=2");
	line("expanded id=@ was=2 nrcpts=4");
	ledger_file(&l, id, IN_QUEUE, 4, 4, false);
	check(NULL);
	ck_assert_int_eq(difference(), 0);
	ledger_free(&l);
	line("accepted id=@ nrcpts=2");
	line("expanded id=@ was=2 nrcpts=5 ended=1");
	ledger_file(&l, id, IN_QUEUE, 5, 4, false);
	check(NULL);
	ck_assert_int_eq(difference(), 0);
	ledger_free(&l);
	line("accepted id=@ nrcpts=2");
	line("expanded id=@ was=2 nrcpts=4");
	ledger_file(&l, id, IN_QUEUE, 4, 4, false);
	ledger_file(&l, id, IN_QUEUE, 5, 5, false);
	check("has 5 recipients in its file, 4 by the log");
	check("more than one place");
}
END_TEST

START_TEST(failed_and_told)
{
	line("accepted id=@ nrcpts=3");
	line("failed id=@ to=a");
	line("expired id=@ to=b");
	line("delivered id=@ to=c");
	line("done id=@ nrcpts=3");
	check("of 2 that failed nobody was told");
	line("discarded id=@ nrcpts=1");
	check("of 1 that failed");
	line("report id=00000000000000000001 kind=delayed of=@ nrcpts=1");
	check("of 1 that failed");
	line("report id=00000000000000000002 kind=failed of=@ nrcpts=1");
	check(NULL);
	line("report id=00000000000000000003 kind=failed of=@ nrcpts=1");
	check("more failures were reported");
}
END_TEST

START_TEST(removed_and_revived)
{
	line("accepted id=@ nrcpts=2");
	line("failed id=@ to=a");
	line("held id=@ why=x");
	ledger_file(&l, id, IN_HOLD, 2, 1, false);
	check(NULL);
	line("released id=@ nrcpts=2 revived=1");
	check("2 recipients have not got it by the log, 1 by its file");
	ledger_free(&l);
	line("accepted id=@ nrcpts=2");
	line("failed id=@ to=a");
	line("released id=@ nrcpts=2 revived=1");
	line("removed id=@ nrcpts=2 why=x");
	check(NULL);
	ck_assert_int_eq(difference(), 0);
}
END_TEST

/* What a local user may not send is nobody's credit, and if it is removed no debit. */
START_TEST(refused)
{
	line("held id=@ uid=1000 why=x");
	ledger_file(&l, id, IN_HOLD, 2, 2, false);
	check(NULL);
	ck_assert_int_eq(difference(), 0);
	ledger_free(&l);
	line("held id=@ uid=1000 why=x");
	check("is missing");
	line("released id=@ nrcpts=2 revived=0");
	line("held id=@ uid=1000 why=x");
	line("removed id=@ nrcpts=2 why=x");
	check(NULL);
	ck_assert_int_eq(difference(), 0);
	ledger_free(&l);
	line("accepted id=@ nrcpts=1");
	line("held id=@ uid=1000 why=x");
	line("done id=@ nrcpts=1");
	check("have no line of their end");
	ck_assert_int_eq(difference(), 1);
}
END_TEST

START_TEST(origins)
{
	ledger_file(&l, id, IN_DROP, 1, 1, false);
	check(NULL);
	line("accepted id=00000000000000000009 drop=@ uid=1 nrcpts=1");
	check("has ended by the log");
	ledger_free(&l);
	ledger_file(&l, id, IN_QUEUE, 1, 1, false);
	check("no line says that it was accepted");
	ledger_free(&l);
	ledger_file(&l, id, IN_HOLD, 1, 1, true);
	check(NULL);
	ck_assert_int_eq(difference(), 0);
	ledger_free(&l);
	line("queued id=@ nrcpts=1 origin=import");
	line("delivered id=@ to=a");
	line("done id=@ nrcpts=1");
	check(NULL);
	ck_assert_int_eq(difference(), 0);
}
END_TEST

/* It came before the log that we have: only what is missing can be seen. */
START_TEST(carried)
{
	ledger_free(&l);
	ledger_init(&l, 1795643048000);
	line("delivered id=@ to=a");
	check("is missing");
	line("done id=@ nrcpts=7");
	check(NULL);
	ck_assert_int_eq(difference(), 0);
	ledger_file(&l, id, IN_QUEUE, 7, 3, false);
	check("has ended by the log");
}
END_TEST

START_TEST(not_ours)
{
	line("refused code=550 id=@");
	line("accepted code=250 id=@");
	line("stored id=@");
	ck_assert_ptr_null(ledger_find(&l, id));
	ck_assert_uint_eq(l.n, 0);
}
END_TEST

START_TEST(many)
{
	struct timespec		 ts = { 1795643047, 0 };
	struct ledger_sums	 s;
	struct id		 one;
	size_t			 i;

	for (i = 0; i < 5000; i++) {
		ts.tv_nsec = (long)i * 1000;
		one = id_make(&ts);
		id_format(one, name);
		line("accepted id=@ nrcpts=1");
		ledger_file(&l, one, IN_QUEUE, 1, 1, false);
		ck_assert_ptr_nonnull(ledger_find(&l, one));
	}
	ledger_sum(&l, &s);
	ck_assert_uint_eq(s.spool, 5000);
	ck_assert_uint_eq(s.messages[ACCOUNT_SMTP], 5000);
	ck_assert_int_eq(s.difference, 0);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("ledger");
	TCase	*t = tcase_create("ledger");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, delivered);
	tcase_add_test(t, missing);
	tcase_add_test(t, twice);
	tcase_add_test(t, expanded);
	tcase_add_test(t, failed_and_told);
	tcase_add_test(t, removed_and_revived);
	tcase_add_test(t, refused);
	tcase_add_test(t, origins);
	tcase_add_test(t, carried);
	tcase_add_test(t, not_ours);
	tcase_add_test(t, many);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
