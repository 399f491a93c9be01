/*
 * tests/unit/test_smtpd_auth.c - AUTH in every order and shape, what is open
 * to those who have logged in, and what a message gets where it is handed in.
 */
#include "tests/unit/smtpd_fixture.h"

#define ALICE	"AGFsaWNlAHNlY3JldA=="		/* \0alice\0secret */
#define LOGIN	"EHLO c\r\nAUTH PLAIN " ALICE "\r\n"
#define IN	"220 250 235 "			/* the replies to it */
#define OPEN	"submission.cleartext yes\n"
#define KEYS	"auth.token-keys /k\nauth.token-issuer i\nauth.token-scope mail\n"

enum service { SUBMISSION, SMTP, LMTP };

static const struct {
	enum service	 service;
	const char	*conf, *in, *codes, *last;
} rows[] = {
	/* the way it should be */
	{ SUBMISSION, OPEN, LOGIN, IN, "2.7.0" },
	{ SUBMISSION, OPEN, "EHLO c\r\nauth plain " ALICE "\r\n", IN, "2.7.0" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN\r\n" ALICE "\r\n",
	    "220 250 334 235 ", "2.7.0" },
	{ SUBMISSION, "", "EHLO c\r\nAUTH SCRAM-SHA-256 b25l\r\ndHdv\r\n\r\n",
	    "220 250 334 334 235 ", "2.7.0" },
	{ SUBMISSION, "", "EHLO c\r\nAUTH SCRAM-SHA-256\r\nb25l\r\ndHdv\r\n"
	    "\r\n", "220 250 334 334 334 235 ", "2.7.0" },
	/* "=" is an empty message, which is not none */
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN =\r\n", "220 250 501 ",
	    "5.5.2" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN\r\n\r\n",
	    "220 250 334 501 ", "5.5.2" },
	/* given up */
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN\r\n*\r\nNOOP\r\n",
	    "220 250 334 501 250 ", "2.0.0" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN\r\n*\r\n",
	    "220 250 334 501 ", "5.0.0" },
	{ SUBMISSION, "", "EHLO c\r\nAUTH SCRAM-SHA-256 b25l\r\ndHdv\r\n*\r\n"
	    "MAIL FROM:<alice@x.test>\r\n",
	    "220 250 334 334 501 530 ", "5.7.0" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN *\r\n", "220 250 501 ",
	    "5.5.2" },
	{ SUBMISSION, "", "EHLO c\r\nAUTH SCRAM-SHA-256 b25l\r\ndHdv\r\nYQ==\r\n"
	    "MAIL FROM:<alice@x.test>\r\n",
	    "220 250 334 334 501 530 ", "5.7.0" },
	/* no base64, or not as it should be */
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN a\r\n", "220 250 501 ",
	    "5.5.2" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN !!!!\r\n", "220 250 501 ",
	    "5.5.2" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN AA=A\r\n", "220 250 501 ",
	    "5.5.2" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN\r\nYQ==YQ==\r\n",
	    "220 250 334 501 ", "5.5.2" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN\r\n=\r\n",
	    "220 250 334 501 ", "5.5.2" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN\r\n " ALICE "\r\n",
	    "220 250 334 501 ", "5.5.2" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN\r\nAGFs\rAAAA\r\n",
	    "220 250 334 501 ", "5.5.2" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN\r\nAGFs\nNOOP\r\n",
	    "220 250 334 501 250 ", "2.0.0" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN\r\n\377\376\r\n",
	    "220 250 334 501 ", "5.5.2" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN \303\244\r\n",
	    "220 250 501 ", "5.5.2" },
	/* bytes that are none of a user's: \0\377\0 and \0a\0b\0c */
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN AP8AeA==\r\n",
	    "220 250 535 ", "5.7.8" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN AGEAYgBj\r\n",
	    "220 250 535 ", "5.7.8" },
	/* words */
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH\r\n", "220 250 501 ", "5.5.4" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN!\r\n", "220 250 501 ",
	    "5.5.4" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN YQ== YQ==\r\n",
	    "220 250 501 ", "5.5.4" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH ABCDEFGHIJKLMNOPQRSTU\r\n",
	    "220 250 501 ", "5.5.4" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTHPLAIN\r\n", "220 250 500 ",
	    "5.5.2" },
	/* which mechanism */
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH GSSAPI\r\n", "220 250 504 ",
	    "5.5.4" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH EXTERNAL =\r\n", "220 250 504 ",
	    "5.5.4" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH SCRAM-SHA-256-PLUS\r\n",
	    "220 250 504 ", "5.5.4" },
	{ SUBMISSION, OPEN "auth.mechanisms LOGIN\n", LOGIN, "220 250 504 ",
	    "5.5.4" },
	{ SUBMISSION, "", LOGIN, "220 250 538 ", "5.7.11" },
	{ SUBMISSION, "submission.cleartext no\n", LOGIN, "220 250 538 ",
	    "5.7.11" },
	/* when */
	{ SUBMISSION, OPEN, "AUTH PLAIN " ALICE "\r\n", "220 503 ", "5.5.1" },
	{ SUBMISSION, OPEN, "HELO c\r\nAUTH PLAIN " ALICE "\r\n",
	    "220 250 503 ", "5.5.1" },
	{ SUBMISSION, OPEN, LOGIN "AUTH PLAIN " ALICE "\r\n", IN "503 ",
	    "5.5.1" },
	{ SUBMISSION, OPEN, LOGIN "EHLO c\r\nAUTH PLAIN " ALICE "\r\n",
	    IN "250 503 ", "5.5.1" },
	{ SUBMISSION, OPEN, LOGIN "MAIL FROM:<alice@x.test>\r\nAUTH PLAIN "
	    ALICE "\r\n", IN "250 503 ", "5.5.1" },
	{ SMTP, "smtp.auth yes\n" OPEN, "EHLO c\r\nMAIL FROM:<>\r\nAUTH PLAIN "
	    ALICE "\r\n", "220 250 250 503 ", "5.5.1" },
	/* where */
	{ SMTP, OPEN, LOGIN, "220 250 502 ", "5.5.1" },
	{ SMTP, "smtp.auth yes\n" OPEN, LOGIN, IN, "2.7.0" },
	{ LMTP, "smtp.auth yes\n" OPEN, "LHLO c\r\nAUTH PLAIN " ALICE "\r\n",
	    "220 250 502 ", "5.5.1" },
	/* what auth may say: \0a\0KIND */
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN AGEAd3Jvbmc=\r\n",
	    "220 250 535 ", "5.7.8" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN AGEAZGVuaWVk\r\n",
	    "220 250 535 ", "5.7.1" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN AGEAYmxvY2tlZA==\r\n",
	    "220 250 454 ", "4.7.0" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN AGEAY2xlYXJ0ZXh0\r\n",
	    "220 250 538 ", "5.7.11" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN AGEAbWVjaGFuaXNt\r\n",
	    "220 250 504 ", "5.5.4" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN AGEAb3RoZXI=\r\n",
	    "220 250 535 ", "5.7.8" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN AGEAdGVtcA==\r\nNOOP\r\n",
	    "220 250 454 250 ", "2.0.0" },
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN AGEAbXV0ZQ==\r\n" LOGIN,
	    "220 250 454 250 235 ", "2.7.0" },
	{ SUBMISSION, OPEN "auth.mechanisms XOAUTH2\n" KEYS, "EHLO c\r\nAUTH XOAUTH2 e30=\r\n"
	    "e30=\r\ne30=\r\ne30=\r\ne30=\r\ne30=\r\ne30=\r\ne30=\r\ne30=\r\n"
	    "e30=\r\ne30=\r\ne30=\r\ne30=\r\ne30=\r\ne30=\r\ne30=\r\ne30=\r\n",
	    "220 250 334 334 334 334 334 334 334 334 334 334 334 334 334 334 "
	    "334 334 454 ", "4.7.0" },
	/* again and again */
	{ SUBMISSION, OPEN, "EHLO c\r\nAUTH PLAIN AGEAd3Jvbmc=\r\n"
	    "AUTH PLAIN AGEAd3Jvbmc=\r\nAUTH PLAIN\r\n*\r\n"
	    "AUTH PLAIN AGEAd3Jvbmc=\r\nAUTH PLAIN AGEAd3Jvbmc=\r\nNOOP\r\n",
	    "220 250 535 535 334 501 535 535 421 ", "4.7.0" },
	/* only for those who have */
	{ SUBMISSION, OPEN, "EHLO c\r\nMAIL FROM:<>\r\n", "220 250 530 ",
	    "5.7.0" },
	{ SUBMISSION, OPEN, "EHLO c\r\nVRFY alice\r\nEXPN list\r\n",
	    "220 250 530 530 ", "5.7.0" },
	{ SUBMISSION, OPEN, LOGIN "VRFY alice\r\n", IN "250 ", "2.1.5" },
	{ SUBMISSION, OPEN, LOGIN "MAIL FROM:<bob@x.test>\r\n", IN "553 ",
	    "5.7.1" },
	{ SUBMISSION, OPEN, LOGIN "MAIL FROM:<>\r\n", IN "250 ", "2.1.0" },
	{ SUBMISSION, OPEN, LOGIN "MAIL FROM:<alice@x.test>\r\n"
	    "RCPT TO:<relay@other.test>\r\n", IN "250 250 ", "2.1.5" },
	{ SMTP, "", "EHLO c\r\nMAIL FROM:<alice@x.test>\r\n"
	    "RCPT TO:<relay@other.test>\r\n", "220 250 250 550 ", "5.1.1" },
	{ SMTP, "smtp.auth yes\n" OPEN, LOGIN "MAIL FROM:<alice@x.test>\r\n"
	    "RCPT TO:<relay@other.test>\r\n", IN "250 250 ", "2.1.5" },
	{ SMTP, "smtp.auth yes\n" OPEN, "EHLO c\r\nMAIL FROM:<bob@x.test>\r\n",
	    "220 250 250 ", "2.1.0" },
	/* AUTH= of MAIL (RFC 4954 5) */
	{ SUBMISSION, OPEN, LOGIN "MAIL FROM:<alice@x.test> AUTH=<>\r\n",
	    IN "250 ", "2.1.0" },
	{ SUBMISSION, OPEN, LOGIN "MAIL FROM:<alice@x.test> "
	    "AUTH=e+3Dmc2@example.com\r\n", IN "250 ", "2.1.0" },
	{ SUBMISSION, OPEN, LOGIN "MAIL FROM:<alice@x.test> AUTH=e+3dmc2@x\r\n",
	    IN "501 ", "5.5.4" },
	{ SUBMISSION, OPEN, LOGIN "MAIL FROM:<alice@x.test> AUTH=nobody\r\n",
	    IN "501 ", "5.5.4" },
	{ SUBMISSION, OPEN, LOGIN "MAIL FROM:<alice@x.test> AUTH\r\n",
	    IN "501 ", "5.5.4" },
	{ SUBMISSION, OPEN, LOGIN "MAIL FROM:<alice@x.test> AUTH=<> AUTH=<>\r\n",
	    IN "501 ", "5.5.4" },
	{ SMTP, "", "EHLO c\r\nMAIL FROM:<> AUTH=<>\r\n", "220 250 555 ",
	    "5.5.4" },
	/* TLS that is not there, or begun in another way */
	{ SMTP, "", "STARTTLS\r\n", "220 503 ", "5.5.1" },
	{ SMTP, "", "EHLO c\r\nSTARTTLS x\r\n", "220 250 501 ", "5.5.4" },
	{ SMTP, "", "EHLO c\r\nSTARTTLS\r\n", "220 250 454 ", "4.7.0" },
	{ LMTP, "", "LHLO c\r\nSTARTTLS\r\n", "220 250 454 ", "4.7.0" },
	{ SUBMISSION, "", "EHLO c\r\nSTARTTLS\r\nNOOP\r\n",
	    "220 250 454 250 ", "2.0.0" },
	{ SMTP, "", "\026\003\001\001\rhello\r\nNOOP\r\n", "220 554 ",
	    "5.5.1" },
	{ SMTP, "", "\026\003\001\001hello", "220 554 ", "5.5.1" },
};

static void
become(enum service service)
{
	d.lmtp = service == LMTP;
	d.submission = service == SUBMISSION;
}

START_TEST(dialogue)
{
	struct buf	all = new_buf();
	const char	*p;

	become(rows[_i].service);
	configure(rows[_i].conf);
	ck_assert_str_eq(talk(str_from(rows[_i].in), true, &all),
	    rows[_i].codes);
	for (p = all.p + all.n - 2; p > all.p && p[-1] != '\n'; p--)
		continue;
	ck_assert_msg(strncmp(p + 4, rows[_i].last,
	    strlen(rows[_i].last)) == 0, "%.*s", (int)all.n, all.p);
	buf_free(&all);
}
END_TEST

/* NUL, and lines of every length around the limits. */
START_TEST(lengths)
{
	static const struct {
		const char	*before;
		size_t		 n;	/* of the line, with its CRLF */
		const char	*codes;
	} lines[] = {
		{ "AUTH PLAIN ", 12285, "220 250 535 250 " },
		{ "AUTH PLAIN ", 12289, "220 250 500 250 " },
		{ "AUTH PLAIN ", 50003, "220 250 500 250 " },
		{ "AUTH PLAIN ", 100003, "220 250 500 250 " },
		{ "AUTH PLAIN\r\n", 12286, "220 250 334 535 250 " },
		{ "AUTH PLAIN\r\n", 12290, "220 250 334 500 250 " },
		{ "AUTH PLAIN\r\n", 80002, "220 250 334 500 250 " },
		{ "NOOP ", 2048, "220 250 250 250 " },
		{ "NOOP ", 2049, "220 250 500 250 " },
		{ "NOOP ", 12300, "220 250 500 250 " }
	};
	struct buf	all = new_buf(), in = new_buf();
	size_t		i, n, at;

	become(SUBMISSION);
	configure(OPEN);
	for (i = 0; i < nitems(lines); i++) {
		buf_reset(&in);
		buf_adds(&in, "EHLO c\r\n");
		at = in.n;
		buf_adds(&in, lines[i].before);
		if (in.p[in.n - 1] == '\n')
			at = in.n;
		/* all NULs: a user without a name, and no password */
		for (n = in.n - at + 2; n < lines[i].n; n++)
			buf_addc(&in, 'A');
		buf_adds(&in, "\r\nNOOP\r\n");
		ck_assert(buf_ok(&in));
		ck_assert_msg(strcmp(talk(buf_view(&in), true, &all),
		    lines[i].codes) == 0, "%zu: %.*s", i, (int)all.n, all.p);
	}
	ck_assert_str_eq(talk(STR("EHLO c\r\nAUTH PLAIN\r\nAGFs\0\r\nNOOP\r\n"),
	    true, &all), "220 250 334 501 250 ");
	ck_assert_str_eq(talk(STR("EHLO c\r\nAUTH PLAIN A\0A\r\nNOOP\r\n"),
	    true, &all), "220 250 500 250 ");
	buf_free(&in);
	buf_free(&all);
}
END_TEST

static bool
says(const struct buf *all, const char *text)
{
	return memmem(all->p, all->n, text, strlen(text)) != NULL;
}

START_TEST(announced)
{
	struct buf	all = new_buf();
	const char	*p;

	become(SUBMISSION);
	configure(OPEN "auth.mechanisms PLAIN SCRAM-SHA-1-PLUS XOAUTH2\n"
	    KEYS);
	talk(STR("EHLO c\r\n"), true, &all);
	ck_assert(says(&all, "250-AUTH PLAIN XOAUTH2\r\n"));
	ck_assert(!says(&all, "STARTTLS"));
	talk(STR(LOGIN "EHLO c\r\n"), true, &all);
	/* once only, before */
	p = memmem(all.p, all.n, "250-AUTH", 8);
	ck_assert_ptr_nonnull(p);
	p += 8;
	ck_assert_ptr_null(memmem(p, (size_t)(all.p + all.n - p), "250-AUTH",
	    8));
	configure("");
	talk(STR("EHLO c\r\nHELP\r\n"), true, &all);
	ck_assert(says(&all, "250-AUTH SCRAM-SHA-1 SCRAM-SHA-256\r\n"));
	ck_assert(says(&all, "EHLO HELO STARTTLS AUTH\r\n"));
	become(SMTP);
	talk(STR("EHLO c\r\nHELP\r\n"), true, &all);
	ck_assert(!says(&all, "AUTH"));
	buf_free(&all);
}
END_TEST

/* The only message in the spool; its content behind the envelope. */
static void
stored(struct envelope *env, char *text, size_t size)
{
	struct diag	why;
	char		path[512];
	ssize_t		n;
	int		fd;

	ck_assert_uint_eq(count("new", path, sizeof(path)), 1);
	ck_assert_int_ne(fd = open(path, O_RDONLY), -1);
	ck_assert_msg(envelope_load(fd, env, &why) == 0, "%s", why.text);
	n = pread(fd, text, size - 1, env->content_at);
	ck_assert_int_ge(n, env->content_len);
	text[env->content_len] = '\0';
	close(fd);
	ck_assert_int_eq(unlink(path), 0);
}

#define FROM	LOGIN "MAIL FROM:<alice@x.test>\r\n"
#define ONE	FROM "RCPT TO:<list@x.test>\r\n"

/* Who it was, what is added and what is taken away; DATA and BDAT. */
START_TEST(completed)
{
	static const char *const ways[] = {
		ONE "DATA\r\nBcc: x@y\r\nTo: bob\r\n\r\nbody\r\n.\r\n",
		ONE "BDAT 9\r\nBcc: x@y\nBDAT 1\r\n\n"
	};
	struct buf	all = new_buf();
	struct envelope	env;
	char		text[4096], id[128];

	become(SUBMISSION);
	configure(OPEN "domain dom.test\nsubmission.show-user yes\n");
	ck_assert_str_eq(talk(str_from(ways[0]), true, &all),
	    IN "250 250 354 250 ");
	stored(&env, text, sizeof(text));
	ck_assert(str_eq(env.auth, STR("alice")));
	ck_assert(str_eq(env.proto, STR("ESMTPA")));
	ck_assert(str_eq(env.origin, STR("smtp")));
	ck_assert_ptr_nonnull(strstr(text, "Received: from c ([192.0.2.7])\r\n"
	    "\t(Authenticated sender: alice)\r\n\tby mx.x.test (Posthouse) "
	    "with ESMTPA id "));
	ck_assert_ptr_null(strstr(text, "Bcc"));
	ck_assert_ptr_nonnull(strstr(text, "\r\nTo: bob@dom.test\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\nFrom: alice@x.test\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\nDate: "));
	snprintf(id, sizeof(id), "\r\nMessage-ID: <%s@mx.x.test>\r\n", env.id);
	ck_assert_ptr_nonnull(strstr(text, id));
	ck_assert_ptr_nonnull(strstr(text, "\r\n\r\nbody\r\n"));
	envelope_free(&env);
	/* bare LF */
	ck_assert_str_eq(talk(str_from(ways[1]), true, &all),
	    IN "250 250 550 503 ");
	ck_assert_uint_eq(count("new", NULL, 0), 0);
	/* a header only, in pieces, without an end */
	ck_assert_str_eq(talk(STR(ONE "BDAT 3\r\nBccBDAT 6\r\n: x@y\rBDAT 7 "
	    "LAST\r\n\nTo: jo"), true, &all), IN "250 250 250 250 250 ");
	stored(&env, text, sizeof(text));
	ck_assert_ptr_null(strstr(text, "Bcc"));
	ck_assert_ptr_nonnull(strstr(text, "\r\nTo: jo@dom.test\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\nMessage-ID: <"));
	envelope_free(&env);
	/* elsewhere nothing is changed */
	become(SMTP);
	ck_assert_str_eq(talk(STR(TX "DATA\r\nBcc: x\r\n\r\n.\r\n"), true,
	    &all), TX_OK "354 250 ");
	stored(&env, text, sizeof(text));
	ck_assert_uint_eq(env.auth.n, 0);
	ck_assert_ptr_nonnull(strstr(text, "Bcc: x\r\n\r\n"));
	ck_assert_ptr_null(strstr(text, "Message-ID"));
	envelope_free(&env);
	buf_free(&all);
}
END_TEST

START_TEST(hidden)
{
	struct buf	all = new_buf();
	struct envelope	env;
	char		text[4096];

	become(SUBMISSION);
	configure(OPEN "submission.hide-client yes\n");
	ck_assert_str_eq(talk(STR(ONE "DATA\r\n\r\nx\r\n.\r\n"), true, &all),
	    IN "250 250 354 250 ");
	stored(&env, text, sizeof(text));
	ck_assert_int_eq(strncmp(text, "Received: by mx.x.test (Posthouse) "
	    "with ESMTPA id ", 49), 0);
	ck_assert_ptr_null(strstr(text, "192.0.2.7"));
	ck_assert_ptr_null(strstr(text, "Authenticated"));
	/* the envelope knows it */
	ck_assert(str_eq(env.client, STR("192.0.2.7")));
	envelope_free(&env);
	buf_free(&all);
}
END_TEST

#define SEND	"MAIL FROM:<alice@x.test>\r\nRCPT TO:<list@x.test>\r\n" \
		"DATA\r\n\r\n.\r\n"
#define SENT	"250 250 354 250 "

/* What was not used does not count. */
START_TEST(allowance)
{
	struct buf	all = new_buf();

	become(SUBMISSION);
	ck_assert_ptr_nonnull(d.allowance = allowance_new());
	configure(OPEN "submission.user-messages 2\n"
	    "submission.user-day-recipients 4\n");
	ck_assert_str_eq(talk(STR(LOGIN "MAIL FROM:<alice@x.test>\r\nRSET\r\n"
	    "MAIL FROM:<alice@x.test>\r\nRSET\r\n" SEND
	    "MAIL FROM:<alice@x.test>\r\nRCPT TO:<nobody@x.test>\r\n"
	    "RCPT TO:<nobody@x.test>\r\nRCPT TO:<nobody@x.test>\r\n"
	    "RCPT TO:<list@x.test>\r\nRCPT TO:<alice@x.test>\r\n"
	    "RCPT TO:<list1@x.test>\r\nRCPT TO:<list2@x.test>\r\n"), true,
	    &all), IN "250 250 250 250 " SENT
	    "250 550 550 550 250 250 250 452 ");
	ck_assert(says(&all, "452 4.7.1 you have sent to 4 recipients within "
	    "a day, the limit; try again in 24 hours\r\n"));
	/* of the second message nothing was used */
	ck_assert_str_eq(talk(STR(LOGIN SEND SEND), true, &all),
	    IN SENT "450 503 503 500 500 ");
	ck_assert(says(&all, "450 4.7.1 you have sent 2 messages within "
	    "an hour, the limit; try again in 60 minutes\r\n"));
	buf_free(&all);
}
END_TEST

START_TEST(windows)
{
	struct allowance	*a = allowance_new();
	struct allowance_limits	 l = { .hour = { 2, 0 }, .day = { 3, 0 } };
	struct allowance_spent	 spent;
	char			 name[32];
	int64_t			 t = 1000000;
	int			 i;

	ck_assert_ptr_nonnull(a);
	for (i = 0; i < 2; i++)
		ck_assert(allowance_take(a, STR("ann"), ALLOWANCE_MESSAGES,
		    &l, t, &spent));
	ck_assert(!allowance_take(a, STR("ann"), ALLOWANCE_MESSAGES, &l,
	    t + 600000, &spent));
	ck_assert(spent.limit == 2 && !spent.day && spent.wait_ms == 3000000);
	/* another one, and something else */
	ck_assert(allowance_take(a, STR("bob"), ALLOWANCE_MESSAGES, &l, t,
	    &spent));
	for (i = 0; i < 100; i++)
		ck_assert(allowance_take(a, STR("ann"), ALLOWANCE_RECIPIENTS,
		    &l, t, &spent));
	/* given back, taken again */
	allowance_give_back(a, STR("ann"), ALLOWANCE_MESSAGES);
	ck_assert(allowance_take(a, STR("ann"), ALLOWANCE_MESSAGES, &l, t,
	    &spent));
	/* the next hour, until the day is used up */
	t += 3600000;
	ck_assert(allowance_take(a, STR("ann"), ALLOWANCE_MESSAGES, &l, t,
	    &spent));
	ck_assert(!allowance_take(a, STR("ann"), ALLOWANCE_MESSAGES, &l, t,
	    &spent));
	ck_assert(spent.limit == 3 && spent.day &&
	    spent.wait_ms == 23 * 3600000);
	/* a clock that goes back, more users than there is room for */
	ck_assert(allowance_take(a, STR("ann"), ALLOWANCE_MESSAGES, &l, 5,
	    &spent));
	for (i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		ck_assert(allowance_take(a, str_from(name), ALLOWANCE_MESSAGES,
		    &l, t + i, &spent));
	}
	/* who was forgotten has nothing to give back */
	allowance_give_back(a, STR("user0"), ALLOWANCE_MESSAGES);
	allowance_free(&a);
	ck_assert_ptr_null(a);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("smtpd_auth");
	TCase	*t = tcase_create("session");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, dialogue, 0, nitems(rows));
	tcase_add_test(t, lengths);
	tcase_add_test(t, announced);
	tcase_add_test(t, completed);
	tcase_add_test(t, hidden);
	tcase_add_test(t, allowance);
	tcase_add_test(t, windows);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
