/* tests/unit/test_reply.c - replies and offers of servers, who may send anything: a new case is a row. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/ehlo.h"
#include "common/fmt/reply.h"

#define IN(s)	{ (s), sizeof(s) - 1 }

/* Lines, separated by LF; the last one is the one asked about. */
static const struct { struct str in; enum reply_step want; unsigned code;
    const char *status, *text; } rows[] = {
	{ IN("250 ok"), REPLY_END, 250, "2.0.0", "250 ok" },
	{ IN("250"), REPLY_END, 250, "2.0.0", "250 " },
	{ IN("250-ok"), REPLY_MORE, 250, "2.0.0", "250 ok" },
	{ IN("250-"), REPLY_MORE, 250, "2.0.0", "250 " },
	{ IN("550 5.1.1 no such user"), REPLY_END, 550, "5.1.1",
	    "550 5.1.1 no such user" },
	{ IN("550-5.1.1 no\n550-5.1.1 such\n550 5.1.1 user"), REPLY_END, 550,
	    "5.1.1", "550 5.1.1 no such user" },
	{ IN("550-no\n550 5.1.1 such"), REPLY_END, 550, "5.0.0",
	    "550 no 5.1.1 such" },
	{ IN("550 4.1.1 another class"), REPLY_END, 550, "5.0.0",
	    "550 4.1.1 another class" },
	{ IN("450 4.1234.1 x"), REPLY_END, 450, "4.0.0", "450 4.1234.1 x" },
	{ IN("450 4.7.1"), REPLY_END, 450, "4.7.1", "450 4.7.1" },
	{ IN("450 4.7.1x"), REPLY_END, 450, "4.0.0", "450 4.7.1x" },
	{ IN("550 a\0b\xff\x1b[2J\tc"), REPLY_END, 550, "5.0.0",
	    "550 a?b??[2J c" },
	{ IN("250-a\n251 b"), REPLY_BAD, 250, "2.0.0", "250 a" },
	{ IN(""), REPLY_BAD, 0, NULL, "" },
	{ IN("25"), REPLY_BAD, 0, NULL, "" },
	{ IN("250ok"), REPLY_BAD, 0, NULL, "" },
	{ IN("199 low"), REPLY_BAD, 0, NULL, "" },
	{ IN("650 high"), REPLY_BAD, 0, NULL, "" },
	{ IN("2x0 no digit"), REPLY_BAD, 0, NULL, "" },
	{ IN("SSH-2.0-x"), REPLY_BAD, 0, NULL, "" },
};

START_TEST(replies)
{
	struct reply	r;
	struct str	in = rows[_i].in, line, rest;
	const char	*lf;
	char		status[12];
	enum reply_step	step = REPLY_MORE;

	reply_init(&r);
	do {
		lf = memchr(in.p, '\n', in.n);
		line = (struct str){ in.p, lf == NULL ? in.n :
		    (size_t)(lf - in.p) };
		step = reply_take(&r, line, &rest);
		in.p += line.n + 1;
		in.n -= line.n + (lf != NULL);
	} while (lf != NULL && step == REPLY_MORE);
	ck_assert_int_eq(step, rows[_i].want);
	ck_assert_uint_eq(r.code, rows[_i].code);
	ck_assert_str_eq(r.text, rows[_i].text);
	ck_assert_uint_eq(r.n, strlen(r.text));
	reply_status(&r, status);
	if (rows[_i].status != NULL)
		ck_assert_str_eq(status, rows[_i].status);
}
END_TEST

START_TEST(bounds)
{
	struct reply	r;
	struct str	rest, line = STR("250-a line of a reply that does not end");
	unsigned	i;

	reply_init(&r);
	for (i = 0; i < REPLY_LINES; i++)
		ck_assert_int_eq(reply_take(&r, line, &rest), REPLY_MORE);
	ck_assert_int_eq(reply_take(&r, line, &rest), REPLY_BAD);
	ck_assert_uint_eq(r.n, REPLY_TEXT);
	ck_assert_uint_eq(strlen(r.text), REPLY_TEXT);
}
END_TEST

START_TEST(offer)
{
	static const char *const lines[] = {
		"PIPELINING", "size 12345", "8bitMIME", "SMTPUTF8", "CHUNKING",
		"DSN", "STARTTLS", "AUTH PLAIN  LOGIN X SCRAM-SHA-256",
		"LIMITS RCPTMAX=20 MAILMAX=0 RCPTDOMAINMAX=1 X=2", "", "XYZ",
		"AUTH=SCRAM-SHA-1"
	};
	struct ehlo	e = { .pipelining = false };
	size_t		i;

	for (i = 0; i < nitems(lines); i++)
		ehlo_line(&e, str_from(lines[i]));
	ck_assert(e.pipelining && e.size && e.eightbit && e.utf8 &&
	    e.chunking && e.dsn && e.starttls);
	ck_assert_uint_eq(e.size_max, 12345);
	ck_assert_uint_eq(e.auth, EHLO_PLAIN | EHLO_LOGIN | EHLO_SCRAM_SHA256 |
	    EHLO_SCRAM_SHA1);
	ck_assert_uint_eq(e.rcpt_max, 20);
	ck_assert_uint_eq(e.mail_max, 0);
	ck_assert_uint_eq(e.rcpt_domain_max, 1);
}
END_TEST

/* What makes no sense is not offered. */
static const struct { const char *line; } lies[] = {
	{ "SIZE -1" }, { "SIZE 99999999999999999999999999" }, { "SIZE x" },
	{ "SIZE" }, { "LIMITS RCPTMAX=1234567 MAILMAX RCPTDOMAINMAX=x" },
	{ "LIMITS RCPTMAX= RCPTMAX=-1 RCPTMAX=1x" }, { "AUTH" },
	{ "AUTH XPLAIN" }, { "XAUTH PLAIN" }, { "AUTHPLAIN" },
};

START_TEST(nonsense)
{
	struct ehlo	e = { .pipelining = false };

	ehlo_line(&e, str_from(lies[_i].line));
	ck_assert_uint_eq(e.size_max, 0);
	ck_assert_uint_eq(e.auth, 0);
	ck_assert_uint_eq(e.rcpt_max + e.mail_max + e.rcpt_domain_max, 0);
}
END_TEST

START_TEST(name)
{
	struct str	n;

	ck_assert(ehlo_name(STR("mx.example.org at your service"), &n));
	ck_assert(str_eq(n, STR("mx.example.org")));
	ck_assert(ehlo_name(STR("  mx"), &n));
	ck_assert(str_eq(n, STR("mx")));
	ck_assert(!ehlo_name(STR(""), &n));
	ck_assert(!ehlo_name(STR(" \t"), &n));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("reply");
	TCase	*t = tcase_create("reply");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, replies, 0, nitems(rows));
	tcase_add_loop_test(t, nonsense, 0, nitems(lies));
	tcase_add_test(t, bounds);
	tcase_add_test(t, offer);
	tcase_add_test(t, name);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
