/* tests/unit/test_notify_parse.c - what NOTIFY asks for, or why it is wrong. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "imapd/notify_parse.h"

#define MSG	(NOTIFY_NEW | NOTIFY_EXPUNGE)

static const struct {
	const char	*in;
	size_t		 groups, names;		/* names: of the last group */
	enum notify_filter filter;		/* of the last one */
	unsigned	 events;
	const char	*atts;
	bool		 status, none, unknown;
} rows[] = {
	{ "NONE", 0, 0, 0, 0, "", false, true, false },
	{ "none", 0, 0, 0, 0, "", false, true, false },
	{ "SET (selected NONE)", 1, 0, FILTER_SELECTED, 0, "", false, false, false },
	{ "set status (SELECTED-DELAYED (messagenew MESSAGEEXPUNGE))", 1, 0, FILTER_DELAYED, MSG, "", true, false, false },
	{ "SET (selected MessageNew (uid body.peek[header.fields (from to subject)]) MessageExpunge)", 1, 0,
	    FILTER_SELECTED, MSG, "(uid body.peek[header.fields (from to subject)])", false, false, false },
	{ "SET (selected (MessageExpunge MessageNew (UID BODY[HEADER.FIELDS (\"a)\" {2}\r\n)()])))", 1, 0,
	    FILTER_SELECTED, MSG, "(UID BODY[HEADER.FIELDS (\"a)\" {2}\r\n)()])", false, false, false },
	{ "SET (selected (MessageNew MessageExpunge)) (mailboxes INBOX (MessageNew MessageExpunge FlagChange))", 2, 1,
	    FILTER_MAILBOXES, NOTIFY_MESSAGES, "", false, false, false },
	{ "SET (subtree (\"a b\" {1}\r\nc d) (MailboxName SubscriptionChange))", 1, 3, FILTER_SUBTREE,
	    NOTIFY_NAME | NOTIFY_SUBSCRIPTION, "", false, false, false },
	{ "SET (subtree-one a NONE)", 1, 1, FILTER_SUBTREE_ONE, 0, "", false, false, false },
	{ "SET (inboxes (MailboxMetadataChange)) (personal (ServerMetadataChange))", 2, 0, FILTER_PERSONAL, NOTIFY_SERVER,
	    "", false, false, false },
	{ "SET (subscribed (MailboxName Future))", 1, 0, FILTER_SUBSCRIBED, NOTIFY_NAME, "", false, false, true },
	{ "SET (personal (AnnotationChange))", 1, 0, FILTER_PERSONAL, 0, "", false, false, true },
	{ "SET (mailboxes NONE NONE)", 1, 1, FILTER_MAILBOXES, 0, "", false, false, false },
};

START_TEST(right)
{
	struct notify_request	 r;
	struct arena		 a;
	struct cur		 c = cur_from(str_from(rows[_i].in));
	const struct notify_asked *last;
	const char		*why;

	arena_init(&a, 1 << 20);
	ck_assert_msg(notify_parse(&c, &a, &r, &why), "%s", rows[_i].in);
	ck_assert(cur_done(&c));
	ck_assert_uint_eq(r.n, rows[_i].groups);
	ck_assert_int_eq(r.status, rows[_i].status);
	ck_assert_int_eq(r.none, rows[_i].none);
	ck_assert_int_eq(r.unknown, rows[_i].unknown);
	ck_assert(str_eq(r.atts, str_from(rows[_i].atts)));
	if (r.n > 0) {
		last = &r.groups[r.n - 1];
		ck_assert_int_eq((int)last->filter, (int)rows[_i].filter);
		ck_assert_uint_eq(last->events, rows[_i].events);
		ck_assert_uint_eq(last->n, rows[_i].names);
	}
	arena_free(&a);
}
END_TEST

static const char *const wrongs[] = {
	"", "SET", "SET ", "NONE x", "NONE ", "NONEX", "SETX", "SET STATUS", "SET STATUS ", "SETSTATUS (selected NONE)",
	"SET selected NONE", "SET (selected)", "SET (selected NONE", "SET (selected NONE) ", "SET (selected  NONE)",
	"SET (selected (NONE))x", "SET (selected ())", "SET (selected (MessageNew))", "SET (selected (MessageExpunge))",
	"SET (selected (FlagChange))", "SET (selected (MessageNew FlagChange))",
	"SET (selected (MessageNew MessageExpunge MailboxName))", "SET (selected (ServerMetadataChange))",
	"SET (selected NONE) (selected NONE)", "SET (selected NONE) (selected-delayed NONE)",
	"SET (personal (MessageNew (UID) MessageExpunge))", "SET (selected (MessageNew (UID MessageExpunge))",
	"SET (selected (MessageNew (X) MessageExpunge))", "SET (selected (MessageNew () MessageExpunge))",
	"SET (mailboxes (MessageNew MessageExpunge))", "SET (mailboxes () NONE)", "SET (mailboxes (a b NONE)",
	"SET (subtree NONE)", "SET (everything NONE)", "SET (selectedx NONE)", "SET (selected NONEXISTENT MessageNew)",
	"SET (mailboxes a* NONE)",
};

START_TEST(wrong)
{
	struct notify_request	 r;
	struct arena		 a;
	struct str		 in = str_from(wrongs[_i]);
	struct cur		 c = cur_from(in);
	const char		*why = NULL;

	arena_init(&a, 1 << 20);
	ck_assert_msg(!notify_parse(&c, &a, &r, &why), "%s", wrongs[_i]);
	ck_assert_ptr_nonnull(why);
	ck_assert_ptr_eq(c.p, in.p);
	arena_free(&a);
}
END_TEST

/* As many as may be, and one more. */
START_TEST(limits)
{
	struct notify_request	 r;
	struct arena		 a;
	struct buf		 b;
	struct cur		 c;
	const char		*why;
	int			 i, more;

	for (more = 0; more < 2; more++) {
		arena_init(&a, 1 << 22);
		buf_init(&b, 1 << 20);
		buf_adds(&b, "SET");
		for (i = 0; i < NOTIFY_GROUPS_MAX + more; i++)
			buf_adds(&b, " (personal NONE)");
		c = cur_from(buf_view(&b));
		ck_assert_int_eq(notify_parse(&c, &a, &r, &why), more == 0);
		buf_reset(&b);
		buf_adds(&b, "SET (mailboxes (a");
		for (i = 1; i < NOTIFY_NAMES_MAX + more; i++)
			buf_adds(&b, " a");
		buf_adds(&b, ") NONE)");
		c = cur_from(buf_view(&b));
		ck_assert_int_eq(notify_parse(&c, &a, &r, &why), more == 0);
		buf_free(&b);
		arena_free(&a);
	}
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("notify_parse");
	TCase	*t = tcase_create("notify_parse");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, right, 0, nitems(rows));
	tcase_add_loop_test(t, wrong, 0, nitems(wrongs));
	tcase_add_test(t, limits);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
