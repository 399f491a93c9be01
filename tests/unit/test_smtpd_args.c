/* tests/unit/test_smtpd_args.c - verbs, arguments and reply lines of smtpd. */
#include "smtpd/args.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/esmtp.h"
#include "common/store/envelope.h"
#include "smtpd/session.h"

#define S(lit)	{ (lit), sizeof(lit) - 1 }

static const struct {
	struct str	 line;
	const char	*verb;		/* NULL: none */
	const char	*rest;
} verbs[] = {
	{ S("NOOP"),			"NOOP",	"" },
	{ S("NOOP  \t"),		"NOOP",	"" },
	{ S("mail FROM:<a@b>  "),	"mail",	" FROM:<a@b>" },
	{ S("A\tb"),			"A",	"\tb" },
	{ S("ABCDEFGHIJKLMNOP x"),	"ABCDEFGHIJKLMNOP", " x" },
	{ S("ABCDEFGHIJKLMNOPQ x"),	NULL,	NULL },
	{ S(""),			NULL,	NULL },
	{ S("   "),			NULL,	NULL },
	{ S(" NOOP"),			NULL,	NULL },
	{ S("NOOP:"),			NULL,	NULL },
	{ S("X-Y"),			NULL,	NULL },
	{ S("NO\0OP"),			NULL,	NULL },
	{ S("\xff"),			NULL,	NULL },
};

START_TEST(verb)
{
	struct str	v;
	struct cur	rest;

	ck_assert_int_eq(args_verb(verbs[_i].line, &v, &rest),
	    verbs[_i].verb != NULL);
	if (verbs[_i].verb == NULL)
		return;
	ck_assert(str_eq(v, str_from(verbs[_i].verb)));
	ck_assert(str_eq(cur_rest(&rest), str_from(verbs[_i].rest)));
}
END_TEST

static const struct {
	struct str	 in;
	const char	*name;
} names[] = {
	{ S(" client.test"),		"client.test" },
	{ S(" [IPv6:2001:db8::1]"),	"[IPv6:2001:db8::1]" },
	{ S(" a_b"),			"a_b" },
	{ S(" a(b)\"c\\"),		"a?b??c?" },
	{ S(" \xc3\xbc\x7f"),		"???" },
	{ S(" a\0b"),			"a?b" },
	{ S(""),			NULL },
	{ S(" "),			NULL },
	{ S(" a b"),			NULL },
	{ S(" a\tb"),			NULL },
};

START_TEST(helo)
{
	struct cur	c = cur_from(names[_i].in);
	char		name[HELO_MAX + 1];

	ck_assert_int_eq(args_helo(&c, name), names[_i].name != NULL);
	if (names[_i].name != NULL)
		ck_assert_str_eq(name, names[_i].name);
}
END_TEST

START_TEST(helo_length)
{
	char		text[HELO_MAX + 2], name[HELO_MAX + 1];
	struct cur	c;

	memset(text, 'x', sizeof(text));
	text[0] = ' ';
	c = cur_from((struct str){ text, HELO_MAX + 1 });
	ck_assert(args_helo(&c, name));
	ck_assert_uint_eq(strlen(name), HELO_MAX);
	text[0] = 'x';
	c = cur_from((struct str){ text, HELO_MAX + 1 });
	ck_assert(!args_helo(&c, name));
}
END_TEST

static const struct {
	struct str	in;
	unsigned	code;		/* 0: right */
	unsigned	options;
	const char	*envid;
	unsigned long long size;
} mails[] = {
	{ S(" FROM:<a@b.test>"), 0, 0, "", 0 },
	{ S(" from: a@b.test"), 0, 0, "", 0 },
	{ S(" FROM:<>"), 0, 0, "", 0 },
	{ S(" FROM:<a@b.test> SIZE=77 BODY=8BITMIME RET=FULL ENVID=x+2By SMTPUTF8"),
	    0, ENV_8BITMIME | ENV_RET_FULL | ENV_SMTPUTF8, "x+2By", 77 },
	{ S(" FROM:<a@b.test> body=7bit ret=hdrs"), 0, ENV_RET_HDRS, "", 0 },
	{ S(" FROM:<a@b.test> SIZE=18446744073709551615"), 0, 0, "", UINT64_MAX },
	{ S(" FROM:<a@b.test> SIZE=99999999999999999999"), 0, 0, "", UINT64_MAX },
	{ S(" FROM:<\xc3\xbc@b.test> SMTPUTF8"), 0, ENV_SMTPUTF8, "", 0 },
	{ S(" FROM:<\xc3\xbc@b.test>"), 553, 0, "", 0 },
	{ S(" TO:<a@b.test>"), 501, 0, "", 0 },
	{ S(""), 501, 0, "", 0 },
	{ S(" FROM:"), 501, 0, "", 0 },
	{ S(" FROM:<a@b.test>x"), 501, 0, "", 0 },
	{ S(" FROM:<a@b.test> SIZE=1 SIZE=1"), 501, 0, "", 0 },
	{ S(" FROM:<a@b.test> SIZE=0x1"), 501, 0, "", 0 },
	{ S(" FROM:<a@b.test> ENVID=a+0A"), 501, 0, "", 0 },
	{ S(" FROM:<a@b.test> BODY=BINARYMIME"), 501, 0, "", 0 },
	{ S(" FROM:<a@b.test> =1"), 501, 0, "", 0 },
	{ S(" FROM:<a@b.test> AUTH=<>"), 0, 0, "", 0 },
	{ S(" FROM:<a@b.test> AUTH=e+3Dmc2@example.com SIZE=1"), 0, 0, "", 1 },
	{ S(" FROM:<a@b.test> AUTH=<> auth=<>"), 501, 0, "", 0 },
	{ S(" FROM:<a@b.test> AUTH="), 501, 0, "", 0 },
	{ S(" FROM:<a@b.test> AUTH"), 501, 0, "", 0 },
	{ S(" FROM:<a@b.test> AUTH=e+3dmc2@example.com"), 501, 0, "", 0 },
	{ S(" FROM:<a@b.test> AUTH=<a@b.test>"), 501, 0, "", 0 },
	{ S(" FROM:<a@b.test> AUTH=+00"), 501, 0, "", 0 },
	{ S(" FROM:<a@b.test> AUTH=a@b+0Ac"), 501, 0, "", 0 },
	{ S(" FROM:<a@b.test> X=1"), 555, 0, "", 0 },
};

START_TEST(mail)
{
	struct cur		c = cur_from(mails[_i].in);
	struct mail_args	m;
	struct bad		b = { 0, "", "" };

	ck_assert_int_eq(args_mail(&c, &m, &b), mails[_i].code == 0);
	ck_assert_uint_eq(b.code, mails[_i].code);
	if (mails[_i].code != 0)
		return;
	ck_assert_uint_eq(m.options, mails[_i].options);
	ck_assert(str_eq(m.envid, str_from(mails[_i].envid)));
	ck_assert(m.size == mails[_i].size);
}
END_TEST

static const struct {
	struct str	in;
	bool		utf8;
	unsigned	code, notify;
	const char	*orcpt;
} rcpts[] = {
	{ S(" TO:<a@b.test>"), false, 0, 0, "" },
	{ S(" TO:<Postmaster>"), false, 0, 0, "" },
	{ S(" TO:<a@b.test> NOTIFY=NEVER ORCPT=rfc822;x"), false, 0,
	    NOTIFY_NEVER, "rfc822;x" },
	{ S(" to:<a@b.test> notify=DELAY,success"), false, 0,
	    NOTIFY_DELAY | NOTIFY_SUCCESS, "" },
	{ S(" TO:<\xc3\xbc@b.test>"), true, 0, 0, "" },
	{ S(" TO:<\xc3\xbc@b.test>"), false, 553, 0, "" },
	{ S(" TO:<>"), false, 501, 0, "" },
	{ S(" TO:<bob>"), false, 501, 0, "" },
	{ S(" TO:<a@b.test> NOTIFY="), false, 501, 0, "" },
	{ S(" TO:<a@b.test> NOTIFY=NEVER,DELAY"), false, 501, 0, "" },
	{ S(" TO:<a@b.test> ORCPT=rfc822"), false, 501, 0, "" },
	{ S(" TO:<a@b.test> SIZE=1"), false, 555, 0, "" },
};

START_TEST(rcpt)
{
	struct cur		c = cur_from(rcpts[_i].in);
	struct rcpt_args	r;
	struct bad		b = { 0, "", "" };

	ck_assert_int_eq(args_rcpt(&c, rcpts[_i].utf8, &r, &b),
	    rcpts[_i].code == 0);
	ck_assert_uint_eq(b.code, rcpts[_i].code);
	if (rcpts[_i].code != 0)
		return;
	ck_assert_uint_eq(r.notify, rcpts[_i].notify);
	ck_assert(str_eq(r.orcpt, str_from(rcpts[_i].orcpt)));
}
END_TEST

static const struct {
	struct str		in;
	bool			ok;
	unsigned long long	size;
	bool			last;
} chunks[] = {
	{ S(" 0"), true, 0, false },
	{ S(" 86 LAST"), true, 86, true },
	{ S("  86  last"), true, 86, true },
	{ S(" 9223372036854775807"), true, INT64_MAX, false },
	{ S(" 9223372036854775808"), false, 0, false },
	{ S(" 99999999999999999999999"), false, 0, false },
	{ S(""), false, 0, false },
	{ S(" "), false, 0, false },
	{ S("86"), false, 0, false },
	{ S(" -1"), false, 0, false },
	{ S(" +1"), false, 0, false },
	{ S(" 1x"), false, 0, false },
	{ S(" 0x10"), false, 0, false },
	{ S(" 1 LASTX"), false, 0, false },
	{ S(" 1 LAST 2"), false, 0, false },
};

START_TEST(bdat)
{
	struct cur		c = cur_from(chunks[_i].in);
	struct bdat_args	a;

	ck_assert_int_eq(args_bdat(&c, &a), chunks[_i].ok);
	if (chunks[_i].ok) {
		ck_assert(a.size == chunks[_i].size);
		ck_assert_int_eq(a.last, chunks[_i].last);
	}
}
END_TEST

static const struct {
	struct str	in;
	unsigned	code;
} vrfys[] = {
	{ S(" alice"), 0 }, { S(" <alice@b.test>"), 0 },
	{ S(" a@b.test SMTPUTF8"), 0 }, { S(" \xc3\xbc SMTPUTF8"), 0 },
	{ S(" \xc3\xbc"), 553 }, { S(""), 501 }, { S(" <alice"), 501 },
	{ S(" alice x"), 501 }, { S(" <alice>x"), 501 },
};

START_TEST(vrfy)
{
	struct cur	c = cur_from(vrfys[_i].in);
	struct path	p;
	struct bad	b = { 0, "", "" };

	ck_assert_int_eq(args_vrfy(&c, &p, &b), vrfys[_i].code == 0);
	ck_assert_uint_eq(b.code, vrfys[_i].code);
}
END_TEST

START_TEST(replies)
{
	char	line[REPLY_SIZE], text[2000];
	size_t	n;

	ck_assert_uint_eq(reply_line(line, 250, false, "2.0.0", "ok"), 14);
	ck_assert_str_eq(line, "250 2.0.0 ok\r\n");
	reply_line(line, 250, true, "", "SIZE 5");
	ck_assert_str_eq(line, "250-SIZE 5\r\n");
	reply_line(line, 550, false, "5.1.1", "a\r\n250 b\x7f");
	ck_assert_str_eq(line, "550 5.1.1 a??250 b?\r\n");
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	n = reply_line(line, 550, false, "5.1.1", text);
	ck_assert_uint_le(n, 512);
	ck_assert_uint_eq(n, strlen(line));
	ck_assert_str_eq(line + n - 2, "\r\n");
}
END_TEST

static const struct {
	struct str	in;
	bool		ok, has;
	const char	*mechanism, *initial;
} auths[] = {
	{ S(" PLAIN"), true, false, "PLAIN", "" },
	{ S("\tscram-sha-256  =" ), true, true, "scram-sha-256", "=" },
	{ S(" X_1-2 YQ=="), true, true, "X_1-2", "YQ==" },
	{ S(" ABCDEFGHIJKLMNOPQRST"), true, false, "ABCDEFGHIJKLMNOPQRST", "" },
	{ S(" ABCDEFGHIJKLMNOPQRSTU"), false, false, "", "" },
	{ S(""), false, false, "", "" },
	{ S("PLAIN"), false, false, "", "" },
	{ S(" PLAIN!"), false, false, "", "" },
	{ S(" PLAIN YQ== YQ=="), false, false, "", "" },
	{ S(" PLAIN YQ==\tx"), false, false, "", "" },
	{ S(" \xc3\xa4"), false, false, "", "" },
};

START_TEST(words_of_auth)
{
	struct cur		c = cur_from(auths[_i].in);
	struct auth_args	a;

	ck_assert_int_eq(args_auth(&c, &a), auths[_i].ok);
	if (!auths[_i].ok)
		return;
	ck_assert(str_eq(a.mechanism, str_from(auths[_i].mechanism)));
	ck_assert_int_eq(a.has_initial, auths[_i].has);
	ck_assert(str_eq(a.initial, str_from(auths[_i].initial)));
}
END_TEST

static const struct {
	struct str	in;
	bool		initial, ok;
	struct str	out;
} responses[] = {
	{ S("AGEAYg=="), true, true, S("\0a\0b") },
	{ S("AGEAYg=="), false, true, S("\0a\0b") },
	{ S("="), true, true, S("") },
	{ S("="), false, false, S("") },
	{ S(""), false, true, S("") },
	{ S(""), true, false, S("") },
	{ S("YQ"), true, false, S("") },
	{ S("YR=="), true, false, S("") },
	{ S("YQ==YQ=="), true, false, S("") },
	{ S("Y Q="), true, false, S("") },
	{ S("YQ==\0"), true, false, S("") },
	{ S("Y-_="), true, false, S("") },
};

START_TEST(response)
{
	struct buf	out;

	buf_init(&out, 64);
	ck_assert_int_eq(args_auth_decode(responses[_i].in,
	    responses[_i].initial, &out), responses[_i].ok);
	if (responses[_i].ok)
		ck_assert(str_eq(buf_view(&out), responses[_i].out));
	buf_wipe(&out);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("smtpd_args");
	TCase	*t = tcase_create("args");
	SRunner	*sr;
	int	 failed;

	tcase_add_loop_test(t, verb, 0, nitems(verbs));
	tcase_add_loop_test(t, helo, 0, nitems(names));
	tcase_add_test(t, helo_length);
	tcase_add_loop_test(t, mail, 0, nitems(mails));
	tcase_add_loop_test(t, rcpt, 0, nitems(rcpts));
	tcase_add_loop_test(t, bdat, 0, nitems(chunks));
	tcase_add_loop_test(t, vrfy, 0, nitems(vrfys));
	tcase_add_test(t, replies);
	tcase_add_loop_test(t, words_of_auth, 0, nitems(auths));
	tcase_add_loop_test(t, response, 0, nitems(responses));
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
