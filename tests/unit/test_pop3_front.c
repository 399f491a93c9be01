/*
 * tests/unit/test_pop3_front.c - what POP3 says before a login, against an
 * auth that is played.
 */
#include "pop3d/front.h"

#define SETTINGS "hostname mx.test\npop3.errors 3\npop3.cleartext loopback\n" \
	"pop3.listen 127.0.0.1:1\n"
#define SERVICE	"pop3"
#define PROGRAM	"pop3d"
#define FRONT	pop3_front_session
#include "tests/unit/played_auth.h"

#define HELLO	"+OK mx.test POP3 server ready\r\n"
#define GONE	"session note=- pending=0\r\n"

static const struct { const char *say, *want; } rows[] = {
	{ "USER ann\r\nPASS x\r\n", "+OK send PASS\r\n" GONE },
	{ "UTF8\r\nUSER ann\r\nPASS x\r\nSTAT\r\n", "+OK UTF-8 it is\r\n"
	    "+OK send PASS\r\nsession note=utf8 pending=6\r\n" },
	{ "USER wrong\r\nPASS x\r\nPASS x\r\n", "+OK send PASS\r\n"
	    "-ERR [AUTH] wrong user name or password\r\n"
	    "-ERR send USER first\r\n" },
	{ "USER denied\r\nPASS x\r\n", "+OK send PASS\r\n"
	    "-ERR [AUTH] not for this user, or not from there\r\n" },
	{ "USER blocked\r\nPASS x\r\n", "+OK send PASS\r\n"
	    "-ERR [SYS/TEMP] too many failures, come again later\r\n" },
	{ "USER temp\r\nPASS x\r\nQUIT\r\n", "+OK send PASS\r\n"
	    "-ERR [SYS/TEMP] not now\r\n+OK bye\r\n" },
	{ "USER drop\r\nPASS x\r\nQUIT\r\n", "+OK send PASS\r\n"
	    "-ERR [SYS/TEMP] temporary failure\r\n+OK bye\r\n" },
	{ "AUTH PLAIN YW5u\r\nNOOP\r\n", "session note=- pending=6\r\n" },
	{ "AUTH PLAIN\r\nYW5u\r\n\r\n", "+ d2hvPw==\r\n+ d2VsbCBkb25l\r\n"
	    GONE },
	{ "AUTH PLAIN\r\nYW5u\r\nx\r\nQUIT\r\n", "+ d2hvPw==\r\n"
	    "+ d2VsbCBkb25l\r\n-ERR this is not base64, or too long\r\n"
	    "+OK bye\r\n" },
	{ "AUTH PLAIN\r\nYW5u\r\nYW5u\r\nQUIT\r\n", "+ d2hvPw==\r\n"
	    "+ d2VsbCBkb25l\r\n-ERR an empty answer was expected\r\n"
	    "+OK bye\r\n" },
	{ "AUTH PLAIN\r\n*\r\nQUIT\r\n", "+ d2hvPw==\r\n-ERR cancelled\r\n"
	    "+OK bye\r\n" },
	/* an empty response is one */
	{ "AUTH PLAIN =\r\nQUIT\r\n",
	    "-ERR [AUTH] wrong user name or password\r\n+OK bye\r\n" },
	{ "STLS\r\nQUIT\r\n", "-ERR there is no encryption here\r\n"
	    "+OK bye\r\n" },
	{ "STAT\r\nRETR 1\r\nTOP 1\r\nLAST\r\n", "-ERR log in first\r\n"
	    "-ERR log in first\r\n-ERR wrong arguments\r\n"
	    "-ERR unknown command\r\n-ERR too many errors, closing\r\n" },
	{ "LANG de\r\nLANG *\r\nLANG\r\n", "-ERR there are no texts in this "
	    "language\r\n+OK en texts are in English\r\n"
	    "+OK languages follow\r\nen English\r\ni-default English\r\n"
	    ".\r\n" },
};

START_TEST(says)
{
	session(rows[_i].say, "127.0.0.1");
	ck_assert_int_eq(strncmp(got, HELLO, strlen(HELLO)), 0);
	ck_assert_str_eq(got + strlen(HELLO), rows[_i].want);
}
END_TEST

/* Passwords in the clear only from this host, here. */
START_TEST(from_afar)
{
	session("USER ann\r\nAUTH PLAIN YW5u\r\nCAPA\r\nQUIT\r\n", "192.0.2.1");
	ck_assert_ptr_nonnull(strstr(got, "-ERR no password without an "
	    "encrypted connection\r\n-ERR there is no such mechanism here"
	    "\r\n"));
	ck_assert_ptr_null(strstr(got, "USER\r\nSASL"));
	ck_assert_ptr_null(strstr(got, "PLAIN"));
	ck_assert_ptr_nonnull(strstr(got, "\r\nSASL SCRAM-SHA-1 "));
	session("CAPA\r\n", "127.0.0.1");
	ck_assert_ptr_nonnull(strstr(got, "\r\nUSER\r\nSASL PLAIN "));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("pop3_front");
	TCase	*tc = tcase_create("front");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, says, 0, nitems(rows));
	tcase_add_test(tc, from_afar);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
