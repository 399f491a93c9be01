/* tests/unit/test_imapd_commands.c - what commands answer in a selected mailbox, one after the other: what the one before left must not show. */
#include <check.h>

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

int
main(void)
{
	Suite	*suite = suite_create("imapd_commands");
	TCase	*t = tcase_create("commands");
	SRunner	*r = srunner_create(suite);
	int	 failed;

	tcase_add_checked_fixture(t, setup, imapd_teardown);
	tcase_add_loop_test(t, partial, 0, (int)nitems(after_partial));
	suite_add_tcase(suite, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
