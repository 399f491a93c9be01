/* tests/unit/test_imapd_incoming.c - arguments of commands that stream: what is taken, what is asked for, and what is read away. */
#include <check.h>

#include "imapd/incoming.h"
#include "tests/unit/imapd_fixture.h"

static struct incoming	in;

static void
begin(const char *text)
{
	const struct command_row	*row;

	buf_free(&c.text);
	memset(&c, 0, sizeof(c));
	buf_init(&c.text, REPLY_MAX);
	strlcpy(line, text, sizeof(line));
	ck_assert(command_begin(&s, str_from(line), &c, &row));
	incoming_begin(&in, &s, &c);
}

/* Behind the first line comes more; what are the strings, how does it end, what is left for the next command? */
static const struct {
	const char	*first;
	struct str	 more;
	const char	*strings, *said;
	int		 reply;		/* after as many strings as there are */
	struct str	 left;
} rows[] = {
	{ "a APPEND INBOX", STR(""), "INBOX", "", REPLY_NONE, STR("") },
	{ "a APPEND \"a b\"", STR(""), "a b", "", REPLY_NONE, STR("") },
	{ "a APPEND {5}", STR("INBOX\r\n"), "INBOX", "+ go ahead\r\n",
	    REPLY_NONE, STR("") },
	{ "a APPEND {5+}", STR("INBOX\r\nb NOOP\r\n"), "INBOX", "", REPLY_NONE,
	    STR("b NOOP\r\n") },
	{ "a APPEND {0+}", STR("\r\n"), "", "", REPLY_NONE, STR("") },
	{ "a APPEND {1+}", STR("x {2+}\r\nyz\r\n"), "x yz", "", REPLY_NONE,
	    STR("") },
	{ "a APPEND {1}", STR("x {2}\r\nyz\r\nb NOOP\r\n"), "x yz",
	    "+ go ahead\r\n+ go ahead\r\n", REPLY_NONE, STR("b NOOP\r\n") },
	/* refused, and read away */
	{ "a APPEND {21+}", STR("123456789012345678901\r\nb NOOP\r\n"), NULL,
	    "", REPLY_BAD, STR("b NOOP\r\n") },
	{ "a APPEND {21+}", STR("123456789012345678901 {3+}\r\nxyz\r\nb\r\n"),
	    NULL, "", REPLY_BAD, STR("b\r\n") },
	/* one that waits to be asked never comes */
	{ "a APPEND {21}", STR("b NOOP\r\n"), NULL, "", REPLY_BAD,
	    STR("b NOOP\r\n") },
	{ "a APPEND {3+}", STR("x\0y\r\nb\r\n"), NULL, "", REPLY_BAD,
	    STR("b\r\n") },
	{ "a APPEND 123456789012345678901", STR(""), NULL, "", REPLY_BAD,
	    STR("") },
	{ "a APPEND (x)", STR(""), NULL, "", REPLY_BAD, STR("") },
	/* what stands behind */
	{ "a APPEND {1+}", STR("xy\r\nb\r\n"), "x", "", REPLY_BAD,
	    STR("b\r\n") },
	{ "a APPEND {1+}", STR("x\0\r\nb\r\n"), NULL, "", REPLY_BAD,
	    STR("b\r\n") },
};

START_TEST(strings)
{
	char		got[256] = "";
	struct str	one;
	bool		ok;

	begin(rows[_i].first);
	send_ahead(rows[_i].more);
	while ((ok = incoming_astring(&in, 20, &one)) && imap_sp(&in.in) &&
	    strlen(got) < strlen(rows[_i].strings))
		snprintf(got + strlen(got), sizeof(got) - strlen(got),
		    "%.*s ", STR_ARG(one));
	if (ok) {
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%.*s",
		    STR_ARG(one));
		ck_assert_int_eq(incoming_done(&in),
		    rows[_i].reply == REPLY_NONE);
	}
	if (rows[_i].strings == NULL)
		ck_assert(!ok);
	else
		ck_assert_str_eq(got, rows[_i].strings);
	ck_assert_int_eq(c.reply, rows[_i].reply);
	incoming_end(&in);
	ck_assert_str_eq(said(), rows[_i].said);
	ck_assert_ptr_null(s.end);
	if (rows[_i].left.n > 0 && conn_pending(&s.conn).n == 0)
		ck_assert_int_eq(conn_fill(&s.conn, 1000), 1);
	ck_assert(str_eq(conn_pending(&s.conn), rows[_i].left));
}
END_TEST

/* A command that has used up its memory is not done: it may not go on as if it were. */
static const struct {
	const char	*first;
	struct str	 more;
} full[] = {
	{ "a APPEND INBOX", STR("") },
	{ "a APPEND \"a \\\\ b\"", STR("") },
	{ "a APPEND {5+}", STR("INBOX\r\n") },
};

START_TEST(no_memory)
{
	struct str	one;

	begin(full[_i].first);
	send_ahead(full[_i].more);
	arena_free(&s.memory);
	arena_init(&s.memory, 0);
	ck_assert(!incoming_astring(&in, 20, &one));
	ck_assert_int_ne(c.reply, REPLY_NONE);
	ck_assert_int_ne(c.reply, REPLY_OK);
	incoming_end(&in);
	ck_assert_ptr_null(s.end);
}
END_TEST

/* The client goes in the middle of a literal, or asks for more to be thrown away than anybody would. */
START_TEST(the_end)
{
	struct str	one;

	begin("a APPEND {5+}");
	send_ahead(STR("IN"));
	shutdown(client, SHUT_WR);
	ck_assert(!incoming_astring(&in, 20, &one));
	ck_assert_ptr_nonnull(s.end);
	ck_assert_int_eq(c.reply, REPLY_NONE);
	incoming_end(&in);
}
END_TEST

START_TEST(too_much)
{
	struct str	one;

	begin("a APPEND {4294967295+}");
	ck_assert(!incoming_astring(&in, 20, &one));
	incoming_end(&in);
	ck_assert_ptr_nonnull(s.end);
	ck_assert_ptr_nonnull(strstr(said(), "* BYE [LIMIT]"));
}
END_TEST

START_TEST(long_line)
{
	char		text[3000];
	struct str	one;

	begin("a APPEND {1+}");
	memset(text, 'y', sizeof(text));
	memcpy(text, "x ", 2);
	memcpy(text + sizeof(text) - 6, "\r\nb\r\n", 6);
	send_ahead((struct str){ text, sizeof(text) - 1 });
	/* longer than a command may be, and yet the next one is found */
	ck_assert(!incoming_astring(&in, 20, &one));
	ck_assert_int_eq(c.reply, REPLY_BAD);
	incoming_end(&in);
	ck_assert_ptr_null(s.end);
	ck_assert(str_eq(conn_pending(&s.conn), STR("b\r\n")));
}
END_TEST

int
main(void)
{
	Suite	*suite = suite_create("imapd_incoming");
	TCase	*t = tcase_create("incoming");
	SRunner	*r = srunner_create(suite);
	int	 failed;

	tcase_add_checked_fixture(t, imapd_setup, imapd_teardown);
	tcase_add_loop_test(t, strings, 0, (int)nitems(rows));
	tcase_add_loop_test(t, no_memory, 0, (int)nitems(full));
	tcase_add_test(t, the_end);
	tcase_add_test(t, too_much);
	tcase_add_test(t, long_line);
	suite_add_tcase(suite, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
