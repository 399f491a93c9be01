/* tests/unit/test_submission.c - what a message is given where it is handed in: a new case is a row. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/complete.h"
#include "common/fmt/submission.h"

#define IN(s)	{ (s), sizeof(s) - 1 }
#define OWN	"From: x@y.test\r\nDate: z\r\nMessage-ID: <q>\r\n"
#define DATE	"Date: NOW\r\n"
#define ID	"Message-ID: <ID@HOST>\r\n"
#define FROM	"From: ME@HERE\r\n"
#define R_FROM	"Resent-From: ME@HERE\r\n"
#define R_DATE	"Resent-Date: NOW\r\n"
#define R_ID	"Resent-Message-ID: <ID@HOST>\r\n"
#define K	"0123456789abcde-0123456789abcde-0123456789abcde-0123456789abcde-"
#define K8	K K K K K K K K

static const struct { unsigned flags; struct str in, out; } rows[] = {
	/* nothing to do */
	{ 0, IN(OWN "\r\nbody\r\n"), IN(OWN "\r\nbody\r\n") },
	{ 0, IN(OWN "\r\nBcc: in the body\r\n\r\n"),
	    IN(OWN "\r\nBcc: in the body\r\n\r\n") },
	{ 0, IN(OWN "X: \xe4\xff\r\nSubject: Bcc: x\r\n Bcc: y\r\n\r\n\xe4"),
	    IN(OWN "X: \xe4\xff\r\nSubject: Bcc: x\r\n Bcc: y\r\n\r\n\xe4") },
	/* what is missing, at the end of the header */
	{ 0, IN("Subject: x\r\n\r\nbody\r\n"),
	    IN("Subject: x\r\n" FROM DATE ID "\r\nbody\r\n") },
	{ 0, IN("DATE : z\r\nfrom: x@y.test\r\n\r\n"),
	    IN("DATE : z\r\nfrom: x@y.test\r\n" ID "\r\n") },
	{ 0, IN("message-id:\r\n\r\n"), IN("message-id:\r\n" FROM DATE "\r\n") },
	{ 0, IN(""), IN(FROM DATE ID) },
	{ 0, IN("\r\n"), IN(FROM DATE ID "\r\n") },
	{ 0, IN("\n\nx"), IN(FROM DATE ID "\n\nx") },
	{ 0, IN("\r\nDate: z\r\n"), IN(FROM DATE ID "\r\nDate: z\r\n") },
	/* a header alone, its last line with and without an end */
	{ 0, IN("Subject: x\r\n"), IN("Subject: x\r\n" FROM DATE ID) },
	{ 0, IN("Subject: x"), IN("Subject: x\r\n" FROM DATE ID) },
	{ 0, IN("To: ann"), IN("To: ann@DOM\r\n" FROM DATE ID) },
	{ 0, IN(OWN "Bcc: b"), IN(OWN) },
	/* no header, or one that breaks off */
	{ 0, IN("hello Bob\r\nBcc: is\r\n"),
	    IN(FROM DATE ID "\r\nhello Bob\r\nBcc: is\r\n") },
	{ 0, IN("hello: Bob: x\r\nhello there: y\r\nDate: z\r\n"),
	    IN("hello: Bob: x\r\n" FROM DATE ID
	    "\r\nhello there: y\r\nDate: z\r\n") },
	{ 0, IN(OWN "To: ann\r\nhello"), IN(OWN "To: ann@DOM\r\n\r\nhello") },
	{ 0, IN(" folded: first\r\n"), IN(FROM DATE ID "\r\n folded: first\r\n") },
	{ 0, IN(": x\r\n"), IN(FROM DATE ID "\r\n: x\r\n") },
	{ 0, IN(OWN "\r x\r\n"), IN(OWN "\r\n\r x\r\n") },
	{ 0, IN(OWN "B\0cc: x\r\n\r\n"), IN(OWN "\r\nB\0cc: x\r\n\r\n") },
	{ 0, IN(OWN K8 K8 "\r\n\r\n"), IN(OWN "\r\n" K8 K8 "\r\n\r\n") },
	{ 0, IN(OWN K8 K8 ": x\r\n\r\n"), IN(OWN "\r\n" K8 K8 ": x\r\n\r\n") },
	{ 0, IN(OWN K8 K K ": x\r\nBcc: y\r\n\r\n"), IN(OWN K8 K K ": x\r\n\r\n") },
	/* the first line of a mailbox file is in nobody's way */
	{ 0, IN("From ann Tue Nov 24 10:00:00 2026\r\n>From b\r\n" OWN "Bcc: x\r\n\r\n"),
	    IN("From ann Tue Nov 24 10:00:00 2026\r\n>From b\r\n" OWN "\r\n") },
	{ 0, IN("From ann"), IN("From ann\r\n" FROM DATE ID) },
	{ 0, IN("From : ann\r\n\r\n"), IN("From : ann@DOM\r\n" DATE ID "\r\n") },
	{ 0, IN("Subject: x\r\nFrom ann\r\n"),
	    IN("Subject: x\r\n" FROM DATE ID "\r\nFrom ann\r\n") },
	/* what nobody but the sender sees */
	{ 0, IN("Bcc: a@b.test\r\n" OWN "BCC:\r\nbcc : c,\r\n d\r\n\te\r\nTo: f@g.test\r\n\r\n"),
	    IN(OWN "To: f@g.test\r\n\r\n") },
	{ 0, IN(OWN "Bcc: a\r\n \r\n x\r\n\r\nBcc: b\r\n"), IN(OWN "\r\nBcc: b\r\n") },
	{ 0, IN(OWN "Bcc-List: a\r\nX-Bcc: b\r\n\r\n"), IN(OWN "Bcc-List: a\r\nX-Bcc: b\r\n\r\n") },
	{ 0, IN(OWN "Return-Path: <a>\r\nContent-Length: 3\r\n\r\n"),
	    IN(OWN "Return-Path: <a>\r\nContent-Length: 3\r\n\r\n") },
	{ SUBMISSION_MAILBOX, IN(OWN "Return-Path: <a>\r\nContent-Length: 3\r\n\r\n"),
	    IN(OWN "\r\n") },
	/* addresses */
	{ 0, IN(OWN "To: ann, Bob <bob>,\r\n\tCarl (Carl, C) , d@e.test\r\n\r\n"),
	    IN(OWN "To: ann@DOM, Bob <bob@DOM>,\r\n\tCarl@DOM (Carl, C) , d@e.test\r\n\r\n") },
	{ 0, IN(OWN "Cc: \"Doe, J\" <j>, friends: f, g@h.test;, undisclosed:;\r\n\r\n"),
	    IN(OWN "Cc: \"Doe, J\" <j@DOM>, friends: f@DOM, g@h.test;, undisclosed:;\r\n\r\n") },
	{ 0, IN(OWN "Sender: s\r\nReply-to: r\r\nX-To: x\r\nSubject: y\r\n\r\n"),
	    IN(OWN "Sender: s@DOM\r\nReply-to: r@DOM\r\nX-To: x\r\nSubject: y\r\n\r\n") },
	{ 0, IN(OWN "To: \"a b\", =?utf-8?q?c?=, ann lee, <>, \xe4, a..b, \xc3\xa4\r\n\r\n"),
	    IN(OWN "To: \"a b\", =?utf-8?q?c?=, ann lee, <>, \xe4, a..b, \xc3\xa4@DOM\r\n\r\n") },
	{ 0, IN(OWN "To: <@r.test:ann>, a . b\r\n c, d (e\r\n\r\n"),
	    IN(OWN "To: <@r.test:ann@DOM>, a . b\r\n c, d@DOM (e\r\n\r\n") },
	{ 0, IN(OWN "To:\r\n\r\n"), IN(OWN "To:\r\n\r\n") },
	/* sent again: RFC 5322 3.6.6 */
	{ 0, IN("Resent-To: a\r\nResent-Bcc: s\r\n" OWN "\r\n"),
	    IN("Resent-To: a@DOM\r\n" OWN R_FROM R_DATE R_ID "\r\n") },
	{ 0, IN("Resent-From: r@s.test\r\nReceived: x\r\n" OWN "\r\n"),
	    IN("Resent-From: r@s.test\r\n" R_DATE R_ID "Received: x\r\n" OWN "\r\n") },
	{ 0, IN("Received: x\r\nResent-From: r@s.test\r\nResent-Date: y\r\n"
	    "Resent-From: t@u.test\r\nResent-Message-ID: v\r\nSubject: x\r\n\r\n"),
	    IN("Received: x\r\nResent-From: r@s.test\r\nResent-Date: y\r\n" R_ID
	    "Resent-From: t@u.test\r\nResent-Message-ID: v\r\nSubject: x\r\n"
	    FROM DATE ID "\r\n") },
	{ 0, IN(OWN "Resent-Message-ID: v\r\nResent-Date: x\r\nResent-From: t@u.test\r\n\r\n"),
	    IN(OWN "Resent-Message-ID: v\r\nResent-Date: x\r\nResent-From: t@u.test\r\n\r\n") },
};

static const struct submission_set	set = {
	.from = IN("ME@HERE"), .date = IN("NOW"), .id = IN("ID"), .host = IN("HOST"),
	.domain = IN("DOM")
};

static void
pass(const struct submission_set *with, struct str in, size_t first,
    size_t step, struct buf *out)
{
	struct submission	s;
	struct str		piece;

	submission_init(&s, with);
	for (piece = in; in.n > 0; in.p += piece.n, in.n -= piece.n) {
		piece = (struct str){ in.p, in.n < first ? in.n : first };
		submission_add(&s, piece, out);
		first = step;
	}
	submission_end(&s, out);
	submission_free(&s);
	ck_assert(buf_ok(out));
}

/* Cut at each byte, and into pieces of each size. */
START_TEST(message)
{
	struct submission_set	with = set;
	struct buf		out;
	size_t			i;

	with.flags = rows[_i].flags;
	buf_init(&out, 1u << 20);
	for (i = 1; i <= rows[_i].in.n + 1; i++) {
		buf_reset(&out);
		pass(&with, rows[_i].in, i, SIZE_MAX, &out);
		ck_assert_msg(str_eq(buf_view(&out), rows[_i].out),
		    "row %d, cut at %zu: <%.*s>", _i, i, STR_ARG(buf_view(&out)));
		buf_reset(&out);
		pass(&with, rows[_i].in, i, i, &out);
		ck_assert_msg(str_eq(buf_view(&out), rows[_i].out),
		    "row %d, pieces of %zu: <%.*s>", _i, i, STR_ARG(buf_view(&out)));
	}
	buf_reset(&out);
	pass(&with, rows[_i].out, 7, 7, &out);
	ck_assert_msg(str_eq(buf_view(&out), rows[_i].out),
	    "row %d, again: <%.*s>", _i, STR_ARG(buf_view(&out)));
	buf_free(&out);
}
END_TEST

/* With nothing to add, only Bcc goes. */
START_TEST(nothing_set)
{
	const struct submission_set	none = { .flags = 0 };
	struct buf			out;

	buf_init(&out, 4096);
	pass(&none, STR("To: ann\r\nBcc: b\r\nResent-To: c\r\n\r\nx"), 5, 5, &out);
	ck_assert(str_eq(buf_view(&out),
	    STR("To: ann\r\nResent-To: c\r\n\r\nx")));
	buf_free(&out);
}
END_TEST

/* A field as long as may be held is completed; a longer one is not, and nothing of it is lost. */
START_TEST(long_field)
{
	struct submission	s;
	struct buf		in, out;
	size_t			n;

	buf_init(&in, 1u << 20);
	buf_init(&out, 1u << 20);
	for (n = SUBMISSION_FIELD_MAX; n <= SUBMISSION_FIELD_MAX + 1; n++) {
		buf_reset(&in);
		buf_reset(&out);
		buf_adds(&in, "To: first,\r\n");
		while (in.n < n - 7)
			buf_adds(&in, &" \r\n"[in.n % 3 == 0 ? 0 : 2]);
		in.n = n - 7;
		buf_adds(&in, " last\r\n");
		ck_assert_uint_eq(in.n, n);
		buf_adds(&in, OWN "Bcc: x\r\n\r\n");
		submission_init(&s, &set);
		submission_add(&s, buf_view(&in), &out);
		submission_end(&s, &out);
		ck_assert_uint_le(s.held.cap, 2 * SUBMISSION_FIELD_MAX);
		submission_free(&s);
		ck_assert(buf_ok(&out));
		ck_assert_int_eq(memmem(out.p, out.n, "first@DOM,", 10) != NULL,
		    n == SUBMISSION_FIELD_MAX);
		ck_assert_uint_eq(out.n, in.n - 8 +
		    (n == SUBMISSION_FIELD_MAX ? 8 : 0));
	}
	buf_free(&in);
	buf_free(&out);
}
END_TEST

/* No line grows beyond what a line may have. */
START_TEST(long_line)
{
	struct buf	out;

	buf_init(&out, 4096);
	buf_adds(&out, "x\r\nTo:");
	complete_addresses(STR(" ann, bob, carl,\r\n dan"), STR("d.test"), 30,
	    &out);
	ck_assert_str_eq(buf_cstr(&out),
	    "x\r\nTo: ann@d.test, bob, carl,\r\n dan@d.test");
	buf_free(&out);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("submission");
	TCase	*t = tcase_create("submission");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, message, 0, (int)nitems(rows));
	tcase_add_test(t, nothing_set);
	tcase_add_test(t, long_field);
	tcase_add_test(t, long_line);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
