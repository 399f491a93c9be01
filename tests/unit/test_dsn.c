/* tests/unit/test_dsn.c - reports: a whole one, and what hostile words may not do to one. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/dsn.h"

static const struct dsn	plain = {
	.kind = DSN_FAILURE, .hostname = "mx.example.test",
	.id = "cr8b3w9p21zcbtxdy19s", .about = "cr8b3w9p21zcbtxdy000",
	.to = { "ann@example.org", 15 }, .envid = { "QQ+2B1", 6 },
	.subject = { "Hello", 5 }, .now_s = 1795550254,
	.arrival_s = 1795550000
};

static const struct dsn_rcpt	bob = {
	.addr = { "bob@example.net", 15 },
	.orcpt = { "rfc822;Bob+40example.net", 24 }, .action = "failed",
	.status = { "5.1.1", 5 }, .remote = { "mx.example.net", 14 },
	.diagnostic = { "550 5.1.1 no such user", 22 },
	.history = { "first\nsecond\n", 13 }, .last_s = 1795550200
};

static struct buf	out;

static void
setup(void)
{
	buf_init(&out, 1u << 20);
}

static void
teardown(void)
{
	buf_free(&out);
}

static const char *
report(const struct dsn *d, const struct dsn_rcpt *r, size_t n)
{
	const char	*text;

	ck_assert_int_eq(dsn_begin(&out, d, r, n), 0);
	ck_assert_int_eq(dsn_end(&out, d), 0);
	ck_assert_ptr_nonnull(text = buf_cstr(&out));
	return text;
}

START_TEST(whole)
{
	ck_assert_str_eq(report(&plain, &bob, 1),
	    "From: Mail Delivery System <MAILER-DAEMON@mx.example.test>\r\n"
	    "To: <ann@example.org>\r\n"
	    "Subject: Undelivered mail: returned to you\r\n"
	    "Date: Tue, 24 Nov 2026 19:57:34 +0000\r\n"
	    "Message-ID: <cr8b3w9p21zcbtxdy19s@mx.example.test>\r\n"
	    "Auto-Submitted: auto-replied\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    "\tboundary=\"=_cr8b3w9p21zcbtxdy19s\"\r\n"
	    "\r\n"
	    "--=_cr8b3w9p21zcbtxdy19s\r\n"
	    "Content-Description: Explanation\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n"
	    "\r\n"
	    "This is the mail system of mx.example.test.\r\n"
	    "\r\n"
	    "Your message could not be delivered to this recipient. It is "
	    "not tried\r\nagain.\r\n"
	    "\r\n"
	    "    Subject:  Hello\r\n"
	    "    Received: Tue, 24 Nov 2026 19:53:20 +0000\r\n"
	    "    Id:       cr8b3w9p21zcbtxdy000\r\n"
	    "\r\n"
	    "<bob@example.net>\r\n"
	    "    mx.example.net said: 550 5.1.1 no such user\r\n"
	    "    What was tried:\r\n"
	    "      first\r\n"
	    "      second\r\n"
	    "\r\n"
	    "The header of your message is attached.\r\n"
	    "If you cannot make out what to do, ask "
	    "postmaster@mx.example.test, and send\r\n"
	    "this report along.\r\n"
	    "\r\n"
	    "--=_cr8b3w9p21zcbtxdy19s\r\n"
	    "Content-Description: Delivery report\r\n"
	    "Content-Type: message/delivery-status\r\n"
	    "\r\n"
	    "Original-Envelope-Id: QQ+1\r\n"
	    "Reporting-MTA: dns;mx.example.test\r\n"
	    "Arrival-Date: Tue, 24 Nov 2026 19:53:20 +0000\r\n"
	    "X-Posthouse-Id: cr8b3w9p21zcbtxdy000\r\n"
	    "\r\n"
	    "Original-Recipient: rfc822;Bob@example.net\r\n"
	    "Final-Recipient: rfc822;bob@example.net\r\n"
	    "Action: failed\r\n"
	    "Status: 5.1.1\r\n"
	    "Remote-MTA: dns;mx.example.net\r\n"
	    "Diagnostic-Code: smtp;550 5.1.1 no such user\r\n"
	    "Last-Attempt-Date: Tue, 24 Nov 2026 19:56:40 +0000\r\n"
	    "\r\n"
	    "--=_cr8b3w9p21zcbtxdy19s\r\n"
	    "Content-Description: The header of your message\r\n"
	    "Content-Type: text/rfc822-headers\r\n"
	    "\r\n"
	    "\r\n"
	    "--=_cr8b3w9p21zcbtxdy19s--\r\n");
}
END_TEST

START_TEST(utf8_form)
{
	struct dsn	d = plain;
	struct dsn_rcpt	r = bob;
	const char	*text;

	d.utf8 = d.full = true;
	d.to = STR("\xc3\xa4nn@example.org");
	r.addr = STR("b\xc3\xb6" "b@example.net");
	text = report(&d, &r, 1);
	ck_assert_ptr_nonnull(strstr(text, "report-type=global-delivery-status"));
	ck_assert_ptr_nonnull(strstr(text, "To: <\xc3\xa4nn@example.org>\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "message/global-delivery-status\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "Content-Type: message/global\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "Final-Recipient: utf-8;b\xc3\xb6" "b@"));
	ck_assert_ptr_nonnull(strstr(text, "Your message is attached."));
}
END_TEST

static void
check_ascii(const char *p, const char *end)
{
	for (; p < end; p++)
		ck_assert((unsigned char)*p < 127 &&
		    ((unsigned char)*p >= ' ' || strchr("\t\r\n", *p) != NULL));
}

/* Only the part for a person has a charset, and then it is valid. */
START_TEST(ascii_form_has_no_other_bytes)
{
	struct dsn	d = plain;
	struct dsn_rcpt	r = bob;
	const char	*text, *words, *fields;

	ck_assert(!dsn_is_eightbit(&d, &r, 1));
	d.subject = STR("\xc3\xa4 \x01\xff\xe2\x82");
	r.diagnostic = STR("550 n\xc3\xb6");
	ck_assert(dsn_is_eightbit(&d, &r, 1));
	text = report(&d, &r, 1);
	words = strstr(text, "This is the mail system");
	fields = strstr(text, "Content-Description: Delivery report");
	ck_assert(words != NULL && fields != NULL);
	check_ascii(text, words);
	check_ascii(fields, text + strlen(text));
	ck_assert_ptr_nonnull(strstr(text, "charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n"));
	ck_assert_ptr_nonnull(strstr(words, "Subject:  \xc3\xa4 ?" "???\r\n"));
	ck_assert_ptr_nonnull(strstr(words, " 550 n\xc3\xb6\r\n"));
	ck_assert_ptr_nonnull(strstr(fields, "smtp;550 n??\r\n"));
}
END_TEST

/* RFC 6533 3: addresses of the type utf-8 in a report that may hold UTF-8, and in one that may not. */
#define OE	"\xc3\xb6"
static const struct {
	const char	*addr, *orcpt;
	bool		 utf8;
	const char	*final, *original;
} addresses[] = {
	{ "b" OE "b@x.test", "", false, "utf-8;b\\x{F6}b@x.test", NULL },
	{ "b" OE "b@x.test", "", true, "utf-8;b" OE "b@x.test", NULL },
	{ "b\\" OE "+=@x.test", "", false,
	    "utf-8;b\\x{5C}\\x{F6}\\x{2B}\\x{3D}@x.test", NULL },
	{ "\"a b\"" OE "@x.test", "", false,
	    "utf-8;\"a\\x{20}b\"\\x{F6}@x.test", NULL },
	{ "\xf0\x9f\x93\xae@\xe2\x82\xac.test", "", false,
	    "utf-8;\\x{1F4EE}@\\x{20AC}.test", NULL },
	{ "b\xff@x.test", "", false, "utf-8;b?@x.test", NULL },
	{ "a+b@x.test", "rfc822;A+2Bb@x.test", false, "rfc822;a+b@x.test",
	    "rfc822;A+b@x.test" },
	{ "a", "x.400;/c=us", false, "rfc822;a", "x.400;/c=us" },
	{ "a", "utf-8;b" OE "b@x", false, "rfc822;a", "utf-8;b\\x{F6}b@x" },
	{ "a", "utf-8;b" OE "b@x", true, "rfc822;a", "utf-8;b" OE "b@x" },
	{ "a", "UTF-8;b\\x{F6}b@x", false, "rfc822;a", "UTF-8;b\\x{F6}b@x" },
	{ "a", "UTF-8;b\\x{F6}b@x", true, "rfc822;a", "UTF-8;b" OE "b@x" },
	{ "a", "utf-8;b\\x{2B}c@x", true, "rfc822;a", "utf-8;b+c@x" },
	/* none of the forms: copied as it is */
	{ "a", "utf-8;b\\x{D800}@x", true, "rfc822;a", "utf-8;b\\x{D800}@x" },
	{ "a", "utf-8;b\\x{0D}\\x{0A}X:y@x", true, "rfc822;a",
	    "utf-8;b\\x{0D}\\x{0A}X:y@x" },
	{ "a", "utf-8;b\\y@x", true, "rfc822;a", "utf-8;b\\y@x" },
	{ "a", "utf-8;b\\x{1234567}@x", true, "rfc822;a",
	    "utf-8;b\\x{1234567}@x" },
};

START_TEST(address_forms)
{
	struct dsn	d = plain;
	struct dsn_rcpt	r = bob;
	const char	*text;
	char		line[200];

	d.utf8 = addresses[_i].utf8;
	r.addr = str_from(addresses[_i].addr);
	r.orcpt = str_from(addresses[_i].orcpt);
	text = report(&d, &r, 1);
	snprintf(line, sizeof(line), "\r\nFinal-Recipient: %s\r\n",
	    addresses[_i].final);
	ck_assert_msg(strstr(text, line) != NULL, "%s not in %s", line, text);
	snprintf(line, sizeof(line), "\r\nOriginal-Recipient: %s\r\n",
	    addresses[_i].original == NULL ? "" : addresses[_i].original);
	if (addresses[_i].original == NULL)
		ck_assert_ptr_null(strstr(text, "Original-Recipient"));
	else
		ck_assert_msg(strstr(text, line) != NULL, "%s not in %s", line,
		    text);
}
END_TEST

START_TEST(to_the_postmaster)
{
	struct dsn	d = plain;
	const char	*text;

	d.postmaster = true;
	text = report(&d, &bob, 1);
	ck_assert_ptr_nonnull(strstr(text, "You get this as the postmaster."));
	ck_assert_ptr_nonnull(strstr(text, "\r\nThe header of the message is "
	    "attached.\r\n\r\n--=_"));
	ck_assert_ptr_null(strstr(text, "our message"));
	ck_assert_ptr_null(strstr(text, "ask postmaster"));
}
END_TEST

/* A reply must not end its line, a part, or the report. */
START_TEST(no_injection)
{
	struct dsn	d = plain;
	struct dsn_rcpt	r = bob;
	const char	*text;

	r.diagnostic = STR("550 x\r\nStatus: 2.0.0\r\n\r\n"
	    "--=_cr8b3w9p21zcbtxdy19s--\r\n");
	r.addr = STR("a\r\nAction: delivered\r\n@b");
	r.remote = STR("h\nx");
	r.orcpt = STR("rfc822;x+0D+0AAction:+20relayed");
	d.envid = STR("a+0D+0AX:+20y");
	d.subject = STR("s\r\n\r\nx");
	r.history = STR("h\r\n--=_cr8b3w9p21zcbtxdy19s--\r\n");
	text = report(&d, &r, 1);
	ck_assert_ptr_null(strstr(text, "\nStatus: 2"));
	ck_assert_ptr_null(strstr(text, "\nAction: d"));
	ck_assert_ptr_null(strstr(text, "\nAction: r"));
	ck_assert_ptr_null(strstr(text, "\nX: y"));
	text = strstr(text, "\n--=_cr8b3w9p21zcbtxdy19s--");
	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(text, "\n--=_cr8b3w9p21zcbtxdy19s--\r\n");
}
END_TEST

/* RFC 5322 2.1.1: no line is longer than 998 bytes, each ends with CRLF. */
START_TEST(long_words)
{
	static char	word[70000];
	struct dsn	d = plain;
	struct dsn_rcpt	r = bob;
	const char	*text, *lf, *p;

	memset(word, _i == 0 ? 'x' : '\xa4', sizeof(word));
	d.utf8 = _i == 2;
	d.subject = r.diagnostic = r.history = r.remote = r.addr = d.to =
	    (struct str){ word, sizeof(word) };
	text = report(&d, &r, 1);
	for (p = text; (lf = strchr(p, '\n')) != NULL; p = lf + 1) {
		ck_assert_int_le(lf - p, 999);
		ck_assert(lf > text && lf[-1] == '\r');
	}
	ck_assert_str_eq(p, "");
}
END_TEST

/* Wherever a long word is cut, no line begins within a character. */
START_TEST(long_word_of_utf8)
{
	char		word[3000];
	struct dsn	d = plain;
	struct dsn_rcpt	r = bob;
	const char	*p;
	size_t		i, lines = 0;

	for (i = 0; i < sizeof(word); i++)
		word[i] = "\xe2\x82\xac"[i % 3];
	d.utf8 = true;
	d.subject = (struct str){ word, sizeof(word) };
	r.diagnostic = r.history = (struct str){ word, sizeof(word) - (size_t)_i * 3 };
	for (p = report(&d, &r, 1); (p = strchr(p, '\n')) != NULL; lines++) {
		p += 1 + strspn(p + 1, " ");
		ck_assert((*p & 0xc0) != 0x80);
	}
	ck_assert_uint_gt(lines, 40);
}
END_TEST

static const struct {
	enum dsn_kind	 kind;
	const char	*given, *shown;
} statuses[] = {
	{ DSN_FAILURE, "5.7.1", "5.7.1" },
	{ DSN_FAILURE, "5.7", "5.0.0" },
	{ DSN_FAILURE, "", "5.0.0" },
	{ DSN_FAILURE, "5.7.1x", "5.0.0" },
	{ DSN_FAILURE, "3.7.1", "5.0.0" },
	{ DSN_FAILURE, "5.1000.1", "5.0.0" },
	{ DSN_DELAY, "x", "4.0.0" },
	{ DSN_SUCCESS, "x", "2.0.0" },
};

START_TEST(status)
{
	struct dsn	d = plain;
	struct dsn_rcpt	r = bob;
	char		want[40];

	d.kind = statuses[_i].kind;
	r.status = str_from(statuses[_i].given);
	snprintf(want, sizeof(want), "\r\nStatus: %s\r\n", statuses[_i].shown);
	ck_assert_ptr_nonnull(strstr(report(&d, &r, 1), want));
}
END_TEST

START_TEST(delay_has_its_end)
{
	struct dsn	d = plain;
	struct dsn_rcpt	r[2] = { bob, bob };
	const char	*text;

	d.kind = DSN_DELAY;
	r[0].until_s = 1795950254;
	r[1].remote = STR("");
	text = report(&d, r, 2);
	ck_assert_ptr_nonnull(strstr(text,
	    "Will-Retry-Until: Sun, 29 Nov 2026 11:04:14 +0000\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "until Sun, 29 Nov 2026 11:04:14"));
	ck_assert_ptr_nonnull(strstr(text,
	    "Diagnostic-Code: x-posthouse;550 5.1.1 no such user\r\n"));
}
END_TEST

START_TEST(too_large)
{
	buf_free(&out);
	buf_init(&out, 900);
	ck_assert_int_eq(dsn_begin(&out, &plain, &bob, 1), -1);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("dsn");
	TCase	*t = tcase_create("dsn");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, whole);
	tcase_add_test(t, utf8_form);
	tcase_add_test(t, ascii_form_has_no_other_bytes);
	tcase_add_loop_test(t, address_forms, 0, nitems(addresses));
	tcase_add_test(t, to_the_postmaster);
	tcase_add_test(t, no_injection);
	tcase_add_loop_test(t, long_words, 0, 3);
	tcase_add_loop_test(t, long_word_of_utf8, 0, 2);
	tcase_add_loop_test(t, status, 0, nitems(statuses));
	tcase_add_test(t, delay_has_its_end);
	tcase_add_test(t, too_large);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
