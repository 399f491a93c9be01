/* tests/unit/test_imapd_catenate.c - messages that are put together of parts of others, and what of a header is refused. */
#include <check.h>
#include <dirent.h>
#include <errno.h>

#include "tests/unit/imapd_fixture.h"

static char	got[65536];

/* The one message of a folder, as it is on disk, with its trace of what is left in tmp/. */
static const char *
stored(const char *folder)
{
	char		 path[300];
	struct dirent	*d;
	DIR		*dir;
	ssize_t		 n = 0;
	int		 fd, files = 0;

	got[0] = '\0';
	snprintf(path, sizeof(path), "%s/M/.%s/cur", top, folder);
	ck_assert_ptr_nonnull(dir = opendir(path));
	while ((d = readdir(dir)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		files++;
		fd = openat(dirfd(dir), d->d_name, O_RDONLY);
		n = fdio_read(fd, got, sizeof(got) - 1);
		fdio_close(&fd);
	}
	closedir(dir);
	ck_assert_int_le(files, 1);
	got[n] = '\0';
	snprintf(path, sizeof(path), "%s/M/.%s/tmp", top, folder);
	ck_assert_ptr_nonnull(dir = opendir(path));
	while ((d = readdir(dir)) != NULL)
		ck_assert_int_eq(d->d_name[0], '.');
	closedir(dir);
	return got;
}

static void
setup(void)
{
	imapd_setup();
	put_message("1.a:2,", "Subject: one\n\nbody one\n");
	put_message("2.a:2,", "Subject: two\n"
	    "Content-Type: multipart/mixed; boundary=x\n\npreamble\n"
	    "--x\nContent-Type: text/plain\n\nfirst\n"
	    "--x\nContent-Type: message/rfc822\n\nSubject: in\n\ninner\n"
	    "--x--\n");
	replies("a CREATE D", "OK");
	replies("a CREATE E", "OK");
	replies("a SELECT INBOX", "OK");
	said();
}

#define TEN(x)	x x x x x x x x x x
#define THOUSAND	TEN(TEN(TEN("x")))

static const struct {
	const char	*parts;		/* up to the first literal */
	struct str	 more;
	const char	*content, *reply;
} rows[] = {
	{ "URL \"/INBOX/;UID=1\")", STR(""), "Subject: one\n\nbody one\n",
	    "OK [APPENDUID" },
	{ "URL \"/INBOX/;UID=1/;SECTION=HEADER\" URL "
	    "\"/INBOX/;UID=1/;SECTION=TEXT\")", STR(""),
	    "Subject: one\n\nbody one\n", "OK" },
	{ "TEXT {14+}", STR("Subject: s\r\n\r\n URL \"/INBOX/;UID=1/;"
	    "SECTION=TEXT\")\r\n"), "Subject: s\n\nbody one\n", "OK" },
	{ "URL \"/INBOX/;UID=2/;SECTION=1\")", STR(""), "first", "OK" },
	{ "URL \"/INBOX/;UID=2/;SECTION=1.MIME\")", STR(""),
	    "Content-Type: text/plain\n\n", "OK" },
	{ "URL \"/INBOX/;UID=2/;SECTION=2.TEXT\")", STR(""), "inner", "OK" },
	{ "URL \"/INBOX/;UID=2/;SECTION=2.HEADER\")", STR(""),
	    "Subject: in\n\n", "OK" },
	{ "URL \"/INBOX/;UID=2/;SECTION=2.HEADER.FIELDS%20(To%20SUBJECT)\")",
	    STR(""), "Subject: in\n\n", "OK" },
	{ "URL \"/INBOX/;UID=1/;SECTION=HEADER.FIELDS%20(To)\")", STR(""),
	    "\n", "OK" },
	{ "URL \"/INBOX/;UID=1/;SECTION=HEADER.FIELDS.NOT%20(To)/;PARTIAL=9\""
	    ")", STR(""), "one\n\n", "OK" },
	{ "URL \"/INBOX/;UID=2/;SECTION=1.HEADER.FIELDS%20(To)\")", STR(""),
	    "", "NO [BADURL" },
	/* the ranges are of what is sent, with CRLF */
	{ "URL \"/INBOX/;UID=1/;PARTIAL=12.6\")", STR(""), "\n\nbo", "OK" },
	{ "URL \"/INBOX/;UID=1/;SECTION=TEXT/;PARTIAL=5\")", STR(""),
	    "one\n", "OK" },
	{ "URL \"/INBOX/;UID=1/;PARTIAL=9000\")", STR(""), "", "OK" },
	{ "URL \"/INBOX/;UID=1/;PARTIAL=0.0\")", STR(""), "", "NO [BADURL" },
	{ "URL \"/INBOX/;UID=9\")", STR(""), "",
	    "NO [BADURL /INBOX/;UID=9]" },
	{ "URL \"/none/;UID=1\")", STR(""), "",
	    "NO [BADURL /none/;UID=1]" },
	{ "URL \"/INBOX;UIDVALIDITY=1/;UID=1\")", STR(""), "",
	    "NO [BADURL" },
	{ "URL \"/INBOX/;UID=2/;SECTION=7\")", STR(""), "", "NO [BADURL" },
	{ "URL \"/INBOX/;UID=1/;SECTION=1.TEXT\")", STR(""), "",
	    "NO [BADURL" },
	{ "URL \"imap://other.example/INBOX/;UID=1\")", STR(""), "",
	    "NO [BADURL" },
	{ "URL \"/a]\303\251 b\")", STR(""), "",
	    "NO [BADURL /a%5D%C3%A9 b] " },
	{ "URL \"\")", STR(""), "", "NO there" },
	{ "URL \"/INBOX/;UID=1\" FILE \"x\")", STR(""), "", "BAD" },
	{ "URL \"/INBOX/;UID=1\"", STR(""), "", "BAD" },
	{ "TEXT {3+}", STR("a\0b)\r\n"), "", "BAD" },
	{ "TEXT {3+}", STR("abc\r\n"), "", "BAD" },
	{ "TEXT {1010+}", STR(THOUSAND TEN("x") ")\r\n"), "",
	    "NO [TOOBIG]" },
	{ "", STR(""), "", "BAD" },
};

START_TEST(parts)
{
	char	first[1024];

	set.imap.append_limit = 1000;
	snprintf(first, sizeof(first), "a APPEND D CATENATE (%s",
	    rows[_i].parts);
	send_ahead(rows[_i].more);
	replies(first, rows[_i].reply);
	ck_assert_str_eq(stored("D"), rows[_i].content);
	/* whatever it was, the next command is found */
	send_ahead(STR("b NOOP\r\n"));
	if (conn_pending(&s.conn).n == 0)
		ck_assert_int_eq(conn_fill(&s.conn, 1000), 1);
	ck_assert(str_eq(conn_pending(&s.conn), STR("b NOOP\r\n")));
}
END_TEST

/* Another mailbox than the selected one is opened for it, and one that grows too large is not kept. */
START_TEST(elsewhere)
{
	replies("a COPY 1 D", "OK");
	replies("a UNSELECT", "OK");
	replies("a APPEND E CATENATE (URL \"/D/;UID=1\" URL \"/D/;UID=1\")",
	    "OK");
	ck_assert_str_eq(stored("E"), "Subject: one\n\nbody one\n"
	    "Subject: one\n\nbody one\n");
	set.imap.append_limit = 40;
	replies("a APPEND D CATENATE (URL \"/D/;UID=1\" URL \"/D/;UID=1\")",
	    "NO [TOOBIG]");
}
END_TEST

/* A file that has become shorter than it was when it was parsed: nothing is saved, and the reason is none of an earlier failure. */
START_TEST(shorter)
{
	replies("a FETCH 1 BODYSTRUCTURE", "OK");
	put_message("1.a:2,", "Subject: o");
	errno = ENOENT;
	replies("b APPEND D CATENATE (URL \"/INBOX/;UID=1\")",
	    "NO [SERVERBUG] cannot copy a part of a message: Input/output");
	ck_assert_str_eq(stored("D"), "");
}
END_TEST

/* imap.strict-headers (RFC 6855, 4): 8-bit headers are for those who have said that they know them. */
static const struct {
	bool		 strict;
	unsigned	 enabled;
	bool		 utf8;
	const char	*content, *reply;
} headers[] = {
	{ false, 0,		false, "Subject: \303\244\r\n\r\nx\r\n", "OK" },
	{ true,	 0,		false, "Subject: \303\244\r\n\r\nx\r\n",
	    "NO [CANNOT]" },
	{ true,	 0,		false, "Subject: a\r\n\r\n\303\244\r\n", "OK" },
	{ true,	 0,		false, "Subject: a\r\nX: \344\r\n\r\nx\r\n",
	    "NO [CANNOT]" },
	{ true,	 0,		false, "\303\244", "NO [CANNOT]" },
	{ true,	 0,		false, "\r\n\303\244", "OK" },
	{ true,	 ENABLED_UTF8,	false, "Subject: \303\244\r\n\r\nx\r\n", "OK" },
	{ true,	 ENABLED_REV2,	false, "Subject: \303\244\r\n\r\nx\r\n", "OK" },
	{ true,	 0,		true, "Subject: \303\244\r\n\r\nx\r\n", "OK" },
};

START_TEST(strict)
{
	const char	*text = headers[_i].content;
	char		 first[128], more[128];

	set.imap.strict_headers = headers[_i].strict;
	s.enabled = headers[_i].enabled;
	snprintf(first, sizeof(first), "a APPEND D %s{%zu+}",
	    headers[_i].utf8 ? "UTF8 (~" : "", strlen(text));
	snprintf(more, sizeof(more), "%s%s\r\n", text,
	    headers[_i].utf8 ? ")" : "");
	send_ahead(str_from(more));
	replies(first, headers[_i].reply);
	ck_assert_int_eq(*stored("D") != '\0', headers[_i].reply[0] == 'O');
}
END_TEST

int
main(void)
{
	Suite	*suite = suite_create("imapd_catenate");
	TCase	*t = tcase_create("catenate");
	SRunner	*r = srunner_create(suite);
	int	 failed;

	tcase_add_checked_fixture(t, setup, imapd_teardown);
	tcase_add_loop_test(t, parts, 0, (int)nitems(rows));
	tcase_add_test(t, elsewhere);
	tcase_add_test(t, shorter);
	tcase_add_loop_test(t, strict, 0, (int)nitems(headers));
	suite_add_tcase(suite, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
