/*
 * tests/unit/test_smtpd_session.c - a session over a pair of sockets: what
 * ends in the spool, what the envelope says, limits, and trouble with disk,
 * route and time.
 */
#include "tests/unit/smtpd_fixture.h"

START_TEST(message)
{
	static const char	content[] =
	    "Subject: x\r\n\r\n.dot\r\nna\0me\r\n";
	struct buf	all = new_buf(), rec = new_buf();
	struct envelope	env;
	struct final	f;
	struct diag	why;
	struct str	id;
	char		path[512], text[2048];
	ssize_t		n;
	int		fd;

	configure("");
	ck_assert_str_eq(talk(STR("EHLO c.test\r\nMAIL FROM:<S@C.test> "
	    "BODY=8BITMIME RET=HDRS ENVID=a+2Bb\r\n"
	    "RCPT TO:<ALICE@X.test> NOTIFY=DELAY ORCPT=rfc822;o\r\n"
	    "DATA\r\nSubject: x\r\n\r\n..dot\r\nna\0me\r\n.\r\nQUIT\r\n"),
	    false, &all), "220 250 250 250 354 250 221 ");
	ck_assert_uint_eq(count("tmp", NULL, 0), 0);
	ck_assert_uint_eq(count("new", path, sizeof(path)), 1);
	ck_assert_int_ne(fd = open(path, O_RDONLY), -1);
	ck_assert_msg(envelope_load(fd, &env, &why) == 0, "%s", why.text);
	ck_assert_msg(envelope_verify(fd, &env, &why) == 0, "%s", why.text);
	ck_assert_str_eq(path + 4, env.id);
	ck_assert(str_eq(env.sender, STR("S@c.test")));
	ck_assert(str_eq(env.envid, STR("a+2Bb")));
	ck_assert(str_eq(env.client, STR("192.0.2.7")));
	ck_assert(str_eq(env.helo, STR("c.test")));
	ck_assert(str_eq(env.proto, STR("ESMTP")));
	ck_assert(str_eq(env.origin, STR("smtp")));
	ck_assert_uint_eq(env.options, ENV_8BITMIME | ENV_RET_HDRS);
	ck_assert_uint_eq(env.nrcpts, 1);
	ck_assert(str_eq(env.rcpts[0].addr, STR("ALICE@x.test")));
	ck_assert(str_eq(env.rcpts[0].orcpt, STR("rfc822;o")));
	ck_assert_uint_eq(env.rcpts[0].notify, NOTIFY_DELAY);
	ck_assert(final_decode(env.rcpts[0].final, &f) &&
	    f.kind == FINAL_USER && str_eq(f.user, STR("alice")));
	n = pread(fd, text, sizeof(text) - 1, env.content_at);
	ck_assert_int_gt(n, env.content_len);
	text[env.content_len] = '\0';
	ck_assert_int_eq(strncmp(text, "Received: from c.test ([192.0.2.7])\r\n"
	    "\tby mx.x.test (Posthouse) with ESMTP id ", 77), 0);
	ck_assert_ptr_nonnull(strstr(text, env.id));
	ck_assert_ptr_nonnull(strstr(text, "\r\n\tfor <ALICE@x.test>;\r\n\t"));
	ck_assert_int_eq(memcmp(text + env.content_len - (sizeof(content) - 1),
	    content, sizeof(content) - 1), 0);
	/* queue was told */
	ck_assert_int_ne(n = accept(queue, NULL, NULL), -1);
	ck_assert_int_eq(msg_recv((int)n, &rec, NULL), 1);
	ck_assert(record_get(buf_view(&rec), QUEUE_ID, &id));
	ck_assert(str_eq(id, str_from(env.id)));
	envelope_free(&env);
	buf_free(&rec);
	buf_free(&all);
}
END_TEST

/* Several recipients: no "for"; an alias has no hint. */
START_TEST(recipients)
{
	struct buf	all = new_buf();
	struct envelope	env;
	struct diag	why;
	char		path[512], text[2048];
	int		fd;

	configure("");
	ck_assert_str_eq(talk(STR("HELO [192.0.2.7]\r\nMAIL FROM:<>\r\n"
	    "RCPT TO:<alice@x.test>\r\nRCPT TO:<list@x.test>\r\n"
	    "RCPT TO:<nobody@x.test>\r\nRCPT TO:<alice@x.test>\r\n"
	    "BDAT 4\r\nS: xBDAT 0 LAST\r\n"), true, &all),
	    "220 250 250 250 250 550 250 250 250 ");
	ck_assert_uint_eq(count("new", path, sizeof(path)), 1);
	ck_assert_int_ne(fd = open(path, O_RDONLY), -1);
	ck_assert_msg(envelope_load(fd, &env, &why) == 0, "%s", why.text);
	ck_assert_uint_eq(env.sender.n, 0);
	ck_assert(str_eq(env.proto, STR("SMTP")));
	ck_assert_uint_eq(env.nrcpts, 2);
	ck_assert_uint_gt(env.rcpts[0].final.n, 0);
	ck_assert_uint_eq(env.rcpts[1].final.n, 0);
	ck_assert_int_gt(pread(fd, text, sizeof(text), env.content_at), 0);
	text[env.content_len] = '\0';
	ck_assert_ptr_null(strstr(text, "\tfor "));
	ck_assert_str_eq(text + env.content_len - 6, "S: x\r\n");
	envelope_free(&env);
	buf_free(&all);
}
END_TEST

START_TEST(route_trouble)
{
	struct buf	all = new_buf();

	configure("");
	ck_assert_str_eq(talk(STR(TX "RCPT TO:<mad@x.test>\r\nNOOP\r\n"
	    "RCPT TO:<alice@x.test>\r\n"), true, &all),
	    TX_OK "451 250 250 ");
	/* what route says stays on its line */
	ck_assert_ptr_nonnull(memmem(all.p, all.n, "said??250 route\r\n", 17));
	kill(router, SIGKILL);
	waitpid(router, NULL, 0);
	ck_assert_str_eq(talk(STR(TX "NOOP\r\nDATA\r\nQUIT\r\n"), true, &all),
	    "220 250 250 451 250 554 221 ");
	buf_free(&all);
}
END_TEST

START_TEST(disk_trouble)
{
	struct buf	all = new_buf();
	char		big[20000];

	configure("");
	/* EFBIG stands in for ENOSPC; the whole message is read */
	signal(SIGXFSZ, SIG_IGN);
	file_max = 4096;
	memset(big, 'x', sizeof(big));
	memcpy(big, TX "DATA\r\n", sizeof(TX "DATA\r\n") - 1);
	memcpy(big + sizeof(big) - 17, "\r\n.\r\nNOOP\r\nQUIT\r\n", 17);
	ck_assert_str_eq(talk((struct str){ big, sizeof(big) }, false, &all),
	    TX_OK "354 452 250 221 ");
	ck_assert_uint_eq(count("tmp", NULL, 0), 0);
	ck_assert_uint_eq(count("new", NULL, 0), 0);
	/* no directory: neither DATA nor BDAT get anywhere */
	ck_assert_int_eq(rmdir("tmp"), 0);
	ck_assert_str_eq(talk(STR(TX "DATA\r\nMAIL FROM:<s@c.test>\r\n"
	    "RCPT TO:<alice@x.test>\r\nBDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\n"
	    "QUIT\r\nNOOP\r\nQUIT\r\n"), false, &all),
	    TX_OK "451 250 250 451 503 250 221 ");
	buf_free(&all);
}
END_TEST

static const struct {
	const char	*conf, *in, *codes, *last;
	bool		 half;
} limits[] = {
	{ "smtp.idle-timeout 1s\n", "EHLO c.test\r\nNOO", "220 250 421 ",
	    "4.4.2", false },
	{ "smtp.session-timeout 1s\n", "EHLO c.test\r\n", "220 250 421 ",
	    "4.4.2", false },
	{ "smtp.data-timeout 1s\n", TX "DATA\r\nhalf", TX_OK "354 421 ",
	    "4.4.2", false },
	{ "smtp.data-timeout 1s\n", TX "BDAT 5\r\nhalf", TX_OK "421 ",
	    "4.4.2", false },
	{ "smtp.errors 2\n", "X\r\nX\r\nX\r\nNOOP\r\n",
	    "220 500 500 500 421 ", "4.7.0", false },
	{ "smtp.commands 10\n", "NOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\n"
	    "NOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\n",
	    "220 250 250 250 250 250 250 250 250 250 250 250 421 ", "4.7.0",
	    false },
	{ "smtp.client-message-rate 1\n", TX "RSET\r\nMAIL FROM:<>\r\nQUIT\r\n",
	    TX_OK "250 450 221 ", "2.0.0", false },
	{ "smtp.client-recipient-rate 1\n", TX "RCPT TO:<list@x.test>\r\n"
	    "QUIT\r\n", TX_OK "450 221 ", "2.0.0", false },
	{ "smtp.message-size 64K\n", "EHLO c\r\nMAIL FROM:<> SIZE=65537\r\n"
	    "MAIL FROM:<> SIZE=65536\r\n", "220 250 552 250 ", "2.1.0", true },
	{ "smtp.vrfy no\nsmtp.expn yes\n", "EHLO c\r\nVRFY alice\r\n"
	    "EXPN list\r\nEXPN nobody\r\n", "220 250 252 250 550 ", "5.1.1",
	    true },
	{ "smtp.banner \"no spam\"\n", "", "220 ", "mx.x.test ESMTP no spam",
	    true },
	{ "", "CONNECT x:25 HTTP/1.1\r\nNOOP\r\n", "220 554 ", "5.5.1",
	    false },
	{ "", TX "BDAT x\r\nNOOP\r\n", TX_OK "501 ", "5.5.4", false },
};

START_TEST(limit)
{
	struct buf	all = new_buf();
	const char	*p;

	configure(limits[_i].conf);
	ck_assert_str_eq(talk(str_from(limits[_i].in), limits[_i].half, &all),
	    limits[_i].codes);
	ck_assert_uint_gt(all.n, 2);
	for (p = all.p + all.n - 2; p > all.p && p[-1] != '\n'; p--)
		continue;
	ck_assert_msg(strncmp(p + 4, limits[_i].last,
	    strlen(limits[_i].last)) == 0, "%.*s", (int)all.n, all.p);
	ck_assert_uint_eq(count("tmp", NULL, 0), 0);
	ck_assert_uint_eq(count("new", NULL, 0), 0);
	buf_free(&all);
}
END_TEST

START_TEST(told_to_stop)
{
	struct buf	all = new_buf();

	configure("");
	stop = 1;
	ck_assert_str_eq(talk(STR(""), false, &all), "220 421 ");
	buf_free(&all);
}
END_TEST

/* Each recipient is answered, and is one mistake for all of them. */
START_TEST(lmtp)
{
	struct buf	all = new_buf();

	configure("smtp.errors 2\n");
	d.lmtp = true;
	ck_assert_str_eq(talk(STR("EHLO c\r\nLHLO c\r\nMAIL FROM:<>\r\n"
	    "RCPT TO:<alice@x.test>\r\nRCPT TO:<alice@x.test>\r\n"
	    "RCPT TO:<list@x.test>\r\nDATA\r\na\nb\r\n.\r\n"
	    "MAIL FROM:<>\r\nRCPT TO:<alice@x.test>\r\n"
	    "RCPT TO:<alice@x.test>\r\nBDAT 0 LAST\r\nQUIT\r\n"), false, &all),
	    "220 500 250 250 250 250 250 354 550 550 550 250 250 250 250 250 "
	    "221 ");
	ck_assert_uint_eq(count("new", NULL, 0), 1);
	buf_free(&all);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("smtpd_session");
	TCase	*t = tcase_create("session");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, message);
	tcase_add_test(t, recipients);
	tcase_add_test(t, route_trouble);
	tcase_add_test(t, disk_trouble);
	tcase_add_loop_test(t, limit, 0, nitems(limits));
	tcase_add_test(t, told_to_stop);
	tcase_add_test(t, lmtp);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
