/*
 * tests/unit/test_imap_front.c - what IMAP says before a login, against an
 * auth that is played; the words of commands, ID, and what is announced.
 */
#include "imapd/front.h"

#include "common/base/attr.h"
#include "imapd/capability.h"
#include "imapd/front_command.h"
#include "imapd/identify.h"

#define SETTINGS "hostname mx.test\nimap {\nerrors 3\ncleartext loopback\n" \
	"listen 127.0.0.1:1\nid name Post vendor \"a \\\"b\\\"\"\n}\n"
#define SERVICE	"imap"
#define PROGRAM	"imapd"
#define FRONT	imap_front_session
#include "tests/unit/played_auth.h"

#define CAPS	"IMAP4rev1 IMAP4rev2 LITERAL+ ID ENABLE SASL-IR"
#define SCRAMS	"AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256"
#define HELLO	"* OK [CAPABILITY " CAPS " AUTH=PLAIN AUTH=LOGIN " SCRAMS "] " \
	"mx.test IMAP server ready\r\n"
#define BYE	"* BYE until next time\r\nq OK logged out\r\n"
#define QUIT	"q LOGOUT\r\n"

static const struct { const char *say, *want; } rows[] = {
	{ "a LOGIN ann x\r\n", "session note=a LOGIN pending=0\r\n" },
	{ "a login \"a\\\"n\" \"x y\"\r\nb NOOP\r\n",
	    "session note=a LOGIN pending=8\r\n" },
	{ "1.x LOGIN {3+}\r\nann {1+}\r\nx\r\n",
	    "session note=1.x LOGIN pending=0\r\n" },
	{ "a LOGIN {3}\r\nann {1}\r\nx\r\n", "+ go ahead\r\n+ go ahead\r\n"
	    "session note=a LOGIN pending=0\r\n" },
	/* what looks like a command within a literal is none */
	{ "a LOGIN {10+}\r\nx\r\nb NOOP\r {1+}\r\nx\r\n",
	    "session note=a LOGIN pending=0\r\n" },
	{ "a LOGIN wrong x\r\n" QUIT, "a NO [AUTHENTICATIONFAILED] wrong user "
	    "name or password\r\n" BYE },
	{ "a LOGIN denied x\r\n" QUIT, "a NO [AUTHORIZATIONFAILED] not for "
	    "this user, or not from there\r\n" BYE },
	{ "a LOGIN blocked x\r\n" QUIT, "a NO [UNAVAILABLE] too many failures, "
	    "come again later\r\n" BYE },
	{ "a LOGIN cleartext x\r\n" QUIT, "a NO [PRIVACYREQUIRED] not without "
	    "an encrypted connection\r\n" BYE },
	{ "a LOGIN temp x\r\n" QUIT, "a NO [UNAVAILABLE] not now\r\n" BYE },
	{ "a LOGIN drop x\r\n" QUIT, "a NO [UNAVAILABLE] temporary failure\r\n"
	    BYE },
	{ "a LOGIN \"\" x\r\na LOGIN \xff x\r\n" QUIT,
	    "a NO [AUTHENTICATIONFAILED] this is no user name, or no password"
	    "\r\na BAD wrong arguments\r\n" BYE },
	{ "a AUTHENTICATE PLAIN YW5u\r\nb NOOP\r\n",
	    "session note=a AUTHENTICATE pending=8\r\n" },
	{ "a AUTHENTICATE PLAIN\r\nYW5u\r\n\r\n", "+ d2hvPw==\r\n"
	    "+ d2VsbCBkb25l\r\nsession note=a AUTHENTICATE pending=0\r\n" },
	{ "a AUTHENTICATE PLAIN\r\nYW5u\r\nx\r\n" QUIT, "+ d2hvPw==\r\n"
	    "+ d2VsbCBkb25l\r\na BAD this is not base64, or too long\r\n"
	    BYE },
	{ "a AUTHENTICATE PLAIN\r\nYW5u\r\nYW5u\r\n" QUIT, "+ d2hvPw==\r\n"
	    "+ d2VsbCBkb25l\r\na BAD an empty answer was expected\r\n" BYE },
	{ "a AUTHENTICATE PLAIN\r\n*\r\n" QUIT, "+ d2hvPw==\r\n"
	    "a BAD cancelled\r\n" BYE },
	/* RFC 9051, 6.2.2: the command has an end, whatever comes */
	{ "a AUTHENTICATE PLAIN\r\nYW5u\nb NOOP\r\n" QUIT, "+ d2hvPw==\r\n"
	    "a BAD bare CR, bare LF or NUL in a line\r\n"
	    "b OK nothing done\r\n" BYE },
	{ "a LOGIN {3+}\r\nann x\nb NOOP\r\n" QUIT,
	    "a BAD bare CR, bare LF or NUL in a line\r\n"
	    "b OK nothing done\r\n" BYE },
	{ "a AUTHENTICATE PLAIN YW5u=YW5\r\na AUTHENTICATE PLAIN {4+}\r\n"
	    "YW5u\r\n" QUIT, "a BAD this is not base64, or too long\r\n"
	    "a BAD wrong arguments\r\n" BYE },
	{ "a AUTHENTICATE PLAIN =\r\n" QUIT, "a NO [AUTHENTICATIONFAILED] "
	    "wrong user name or password\r\n" BYE },
	{ "a AUTHENTICATE PLAIN !\r\nb AUTHENTICATE PLAIN YW5\r\n" QUIT,
	    "a BAD wrong arguments\r\nb BAD this is not base64, or too long"
	    "\r\n" BYE },
	{ "a AUTHENTICATE KERBEROS_V4\r\n" QUIT,
	    "a NO [CANNOT] there is no such mechanism here\r\n" BYE },
	{ "a STARTTLS\r\n" QUIT, "a BAD there is no encryption here\r\n" BYE },
	{ "a CAPABILITY\r\nb noop\r\n" QUIT, "* CAPABILITY " CAPS
	    " AUTH=PLAIN AUTH=LOGIN " SCRAMS "\r\n"
	    "a OK that is all before the login\r\nb OK nothing done\r\n" BYE },
	{ "a ID NIL\r\nb ID (\"name\" \"x\")\r\nc ID\r\nd ID (\"x\")\r\n" QUIT,
	    "* ID (\"name\" \"Post\" \"vendor\" \"a \\\"b\\\"\")\r\n"
	    "a OK pleased to meet you\r\n"
	    "* ID (\"name\" \"Post\" \"vendor\" \"a \\\"b\\\"\")\r\n"
	    "b OK pleased to meet you\r\nc BAD wrong arguments\r\n"
	    "d BAD a list of fields and values was expected\r\n" BYE },
	{ "a SELECT INBOX\r\nb XYZ\r\nc\r\n+ NOOP\r\n", "a BAD log in first\r\n"
	    "b BAD unknown command\r\nc BAD unknown command\r\n"
	    "* BAD a command begins with a tag\r\n"
	    "* BYE too many errors\r\n" },
	{ "a NOOP x\r\nb NOOP\nc NOOP\r\n" QUIT, "a BAD wrong arguments\r\n"
	    "* BAD bare CR, bare LF or NUL in a line\r\nc OK nothing done\r\n"
	    BYE },
	{ "a LOGIN {4097}\r\n" QUIT, "a BAD literal of more than 4096 octets "
	    "before the login\r\n" BYE },
	{ "a APPEND x {4097+}\r\nb NOOP\r\n", "* BYE [TOOBIG] literal of more "
	    "than 4096 octets before the login\r\n" },
	{ "a LOGIN {18446744073709551616}\r\n" QUIT,
	    "a BAD wrong arguments\r\n" BYE },
	{ "a LOGIN {3}\r\nann", "+ go ahead\r\n" },
	{ "0123456789012345678901234567890123456789012345678901234567890123"
	    "0123456789012345678901234567890123456789012345678901234567890123"
	    "x NOOP\r\n" QUIT, "* BAD a command begins with a tag\r\n" BYE },
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
	session("a LOGIN ann x\r\nb AUTHENTICATE PLAIN YW5u\r\n"
	    "c AUTHENTICATE PLAIN\r\nq LOGOUT\r\n", "192.0.2.1");
	ck_assert_str_eq(got, "* OK [CAPABILITY " CAPS " LOGINDISABLED "
	    SCRAMS "] mx.test IMAP server ready\r\n"
	    "* BAD [ALERT] a password came without encryption, though it was "
	    "not to; whoever listens knows it now\r\n"
	    "a NO [PRIVACYREQUIRED] not without an encrypted connection\r\n"
	    "* BAD [ALERT] a password came without encryption, though it was "
	    "not to; whoever listens knows it now\r\n"
	    "b NO [PRIVACYREQUIRED] not without an encrypted connection\r\n"
	    "c NO [PRIVACYREQUIRED] not without an encrypted connection\r\n"
	    BYE);
}
END_TEST

/* A command is the same however it comes: 16 KiB of a token, and no more than there may be. */
START_TEST(long_lines)
{
	char	*line = malloc(70000);

	ck_assert_ptr_nonnull(line);
	memcpy(line, "a AUTHENTICATE PLAIN ", 21);
	memset(line + 21, 'A', 16384);
	strlcpy(line + 21 + 16384, "\r\n" QUIT, 100);
	session(line, "127.0.0.1");
	/* auth, as it is played, makes no name of so much */
	ck_assert_str_eq(got + strlen(HELLO), "a NO [UNAVAILABLE] temporary "
	    "failure\r\n" BYE);
	memset(line + 21, 'A', 16388);
	strlcpy(line + 21 + 16388, "\r\n" QUIT, 100);
	session(line, "127.0.0.1");
	ck_assert_str_eq(got + strlen(HELLO), "a BAD this is not base64, or "
	    "too long\r\n" BYE);
	memset(line + 21, 'A', 60000);
	strlcpy(line + 21 + 60000, "\r\n" QUIT, 100);
	session(line, "127.0.0.1");
	ck_assert_str_eq(got + strlen(HELLO), "* BAD line is longer than "
	    "16549 octets\r\n" BYE);
	free(line);
}
END_TEST

static const struct {
	const char	*in, *text;
	bool		 ok;
} ids[] = {
	{ "NIL", "", true },
	{ "()", "", true },
	{ "(\"name\" \"Mutt\" \"version\" NIL)", "name=Mutt", true },
	{ "({4}\r\nname \"a\\\\b\" \"os\" \"x\")", "name=a\\b os=x", true },
	{ "(\"name\")", "", false },
	{ "(\"name\" \"x\"", "", false },
	{ "(name x)", "", false },
	{ "\"name\"", "", false },
	{ "(\"0123456789012345678901234567890\" \"x\")", "", false },
};

START_TEST(identities)
{
	struct cur	in = cur_from(str_from(ids[_i].in));
	struct arena	a;
	struct buf	text;

	arena_init(&a, 65536);
	buf_init(&text, 1024);
	ck_assert_int_eq(identify_take(&in, &a, &text), ids[_i].ok);
	if (ids[_i].ok) {
		ck_assert(cur_done(&in));
		ck_assert(str_eq(buf_view(&text), str_from(ids[_i].text)));
	} else
		ck_assert_ptr_eq(in.p, ids[_i].in);
	buf_free(&text);
	arena_free(&a);
}
END_TEST

static const struct capability_facts kinds[] = {
	{ .compressed = false },
	{ .compressed = true },
	{ .by_master = true },
	{ .may_go_back = true }
};

/* What a session announces begins with what the front does; nothing twice. */
START_TEST(announced)
{
	struct mechanism_facts	facts = { .encrypted = true };
	struct buf		front, after;
	struct diag		why;
	struct settings		*s;

	ck_assert_int_eq(settings_parse(STR("hostname mx.test\n"), "t", &s,
	    &why), 0);
	buf_init(&front, 1024);
	buf_init(&after, 4096);
	ck_assert_int_eq(capability_front(&front, s, &facts, true), 0);
	ck_assert_str_eq(buf_cstr(&front), CAPS " STARTTLS AUTH=PLAIN "
	    "AUTH=LOGIN " SCRAMS);
	ck_assert_int_eq(capability_session(&after, s, &kinds[_i]), 0);
	ck_assert_int_eq(strncmp(buf_cstr(&after), "IMAP4rev1 ", 10), 0);
	ck_assert_ptr_null(strstr(buf_cstr(&after), "AUTH="));
	ck_assert_ptr_null(strstr(buf_cstr(&after), "STARTTLS"));
	ck_assert_int_eq(strstr(buf_cstr(&after), " COMPRESS=") != NULL,
	    !kinds[_i].compressed);
	ck_assert_int_eq(strstr(buf_cstr(&after), " QUOTASET") != NULL,
	    kinds[_i].by_master);
	/* RFC 8437: only where the front goes on */
	ck_assert_int_eq(strstr(buf_cstr(&after), " UNAUTHENTICATE") != NULL,
	    kinds[_i].may_go_back);
	ck_assert_ptr_null(strstr(buf_cstr(&front), " UNAUTHENTICATE"));
	buf_free(&front);
	buf_free(&after);
	settings_free(&s);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("imap_front");
	TCase	*tc = tcase_create("front"), *words = tcase_create("words");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, says, 0, nitems(rows));
	tcase_add_test(tc, from_afar);
	tcase_add_test(tc, long_lines);
	suite_add_tcase(s, tc);
	tcase_add_loop_test(words, identities, 0, nitems(ids));
	tcase_add_loop_test(words, announced, 0,
	    nitems(kinds));
	suite_add_tcase(s, words);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
