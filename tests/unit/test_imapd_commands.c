/* tests/unit/test_imapd_commands.c - what commands answer in a selected mailbox, one after the other: what the one before left must not show. */
#include <check.h>

#include "common/base/attr.h"
#include "tests/unit/imapd_fixture.h"

#define LINES	6000	/* of the large message: more than a piece of its file (fetch_file.h) */

static void
setup(void)
{
	const char	line_of[] = "a line of text\n";
	char		*text;
	size_t		 i, n;

	imapd_setup();
	ck_assert_ptr_nonnull(text = malloc(64 + LINES * sizeof(line_of)));
	n = strlcpy(text, "Subject: large\nTo: bob\n\n", 64);
	for (i = 0; i < LINES; i++, n += sizeof(line_of) - 1)
		memcpy(text + n, line_of, sizeof(line_of));
	put_message("1.a:2,", text);
	free(text);
	replies("a SELECT INBOX", "OK");
	said();
}

/* A partial leaves the file of a large message open; what is asked for next is read from it all the same. */
static const struct {
	const char	*items, *told;
} after_partial[] = {
	{ "BODY.PEEK[HEADER]", "BODY[HEADER] {27}\r\nSubject: large\r\n" },
	{ "BODY.PEEK[HEADER.FIELDS (TO)]", "{11}\r\nTo: bob\r\n\r\n" },
	{ "BODY.PEEK[]<0.7>", "{7}\r\nSubject)" },
	{ "BODY.PEEK[TEXT]<0.6>", "{6}\r\na line)" },
	{ "BODY.PEEK[1]<0.6>", "{6}\r\na line)" },
	{ "PREVIEW", "PREVIEW \"a line of text a line" },
};

START_TEST(partial)
{
	char	text[100];

	replies("a FETCH 1 BODY.PEEK[]<70000.10>", "OK");
	said();
	snprintf(text, sizeof(text), "b FETCH 1 %s", after_partial[_i].items);
	replies(text, "OK");
	ck_assert_msg(strstr(said(), after_partial[_i].told) != NULL, "%s: %s",
	    text, heard);
}
END_TEST

/* RFC 7162 3.1: the first command that shows that the client knows of CONDSTORE makes the server say HIGHESTMODSEQ, of the selected mailbox. */
static const struct {
	const char	*command, *reply;
	unsigned	 enabled;
	bool		 told;
} condstore[] = {
	{ "a ENABLE CONDSTORE", "OK", ENABLED_CONDSTORE, true },
	{ "a ENABLE QRESYNC", "OK", ENABLED_CONDSTORE | ENABLED_QRESYNC, true },
	{ "a ENABLE CONDSTORE (", "BAD", 0, false },
	{ "a ENABLE UIDONLY", "OK", ENABLED_UIDONLY, false },
	{ "a STATUS INBOX (HIGHESTMODSEQ)", "OK", ENABLED_CONDSTORE, true },
	{ "a STATUS INBOX (MESSAGES)", "OK", 0, false },
	{ "a SEARCH MODSEQ 1", "OK", ENABLED_CONDSTORE, true },
	{ "a FETCH 1 MODSEQ", "OK", ENABLED_CONDSTORE, true },
	{ "a FETCH 1 FLAGS (CHANGEDSINCE 1)", "OK", ENABLED_CONDSTORE, true },
	{ "a STORE 1 (UNCHANGEDSINCE 99) FLAGS (\\Seen)", "OK",
	    ENABLED_CONDSTORE, true },
	{ "a SELECT INBOX (CONDSTORE)", "OK", ENABLED_CONDSTORE, true },
	{ "a SELECT INBOX (CONDSTORE", "BAD", 0, false },
};

START_TEST(knows_condstore)
{
	const char	*first;

	replies(condstore[_i].command, condstore[_i].reply);
	ck_assert_uint_eq(s.enabled, condstore[_i].enabled);
	first = strstr(said(), "* OK [HIGHESTMODSEQ ");
	ck_assert_msg((first != NULL) == condstore[_i].told, "%s: %s",
	    condstore[_i].command, heard);
	/* once */
	replies("b STATUS INBOX (HIGHESTMODSEQ)", "OK");
	ck_assert_int_eq(strstr(said(), "* OK [HIGHESTMODSEQ ") == NULL,
	    condstore[_i].told);
	/* and only where something is selected */
	s.enabled = 0;
	replies("c UNSELECT", "OK");
	replies("d ENABLE CONDSTORE", "OK");
	ck_assert_ptr_null(strstr(said(), "HIGHESTMODSEQ"));
}
END_TEST

int
main(void)
{
	Suite	*suite = suite_create("imapd_commands");
	TCase	*t = tcase_create("commands");
	SRunner	*r = srunner_create(suite);
	int	 failed;

	tcase_add_checked_fixture(t, setup, imapd_teardown);
	tcase_add_loop_test(t, knows_condstore, 0, (int)nitems(condstore));
	tcase_add_loop_test(t, partial, 0, (int)nitems(after_partial));
	suite_add_tcase(suite, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
