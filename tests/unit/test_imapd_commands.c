/* tests/unit/test_imapd_commands.c - what commands answer in a selected mailbox, one after the other: what the one before left must not show. */
#include <sys/stat.h>

#include <check.h>

#include "common/base/attr.h"
#include "common/fmt/record.h"
#include "imapd/notify.h"
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

/* What is noted is answered once, however often one command asks for it: no answer is longer than all of it. */
START_TEST(many_notes)
{
	static char	value[65536];
	char		name[32], path[100];
	struct buf	b;
	int		fd, i;

	memset(value, 'x', sizeof(value));
	buf_init(&b, 16u << 20);
	record_puts(&b, 'P', "1");
	for (i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "/shared/a%d", i);
		record_puts(&b, 'E', name);
		record_put(&b, 'V', (struct str){ value, sizeof(value) });
	}
	record_puts(&b, 'E', "/shared/b");
	record_puts(&b, 'V', "x");
	ck_assert(buf_ok(&b));
	snprintf(path, sizeof(path), "%s/M/posthouse-metadata", top);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	ck_assert_int_eq(fdio_write(fd, b.p, b.n), 0);
	fdio_close(&fd);
	buf_free(&b);
	replies("a GETMETADATA INBOX /shared/a7 (MAXSIZE 5 DEPTH 1)", "BAD");
	replies("a GETMETADATA (MAXSIZE 5 DEPTH 1) INBOX (/shared /shared/b "
	    "/Shared /shared/a1)", "OK [METADATA LONGENTRIES 65536]");
	ck_assert_ptr_null(s.end);
	ck_assert_str_eq(said(), "* METADATA INBOX (/shared/b \"x\")\r\n");
}
END_TEST

/* What cannot be looked at just now is told as soon as it can be. */
START_TEST(told_later)
{
	struct rlimit	before;

	set.imap.notify_mailboxes = 10;
	replies("a CREATE F", "OK");
	replies("a NOTIFY SET (mailboxes F (MessageNew MessageExpunge))",
	    "OK");
	notify_send(&s);	/* the list once more, which would be too much */
	put_message("../.F/cur/1.b:2,", "Subject: x\n\nx\n");
	(void)said();
	use_up(&before);
	notify_send(&s);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_str_eq(said(), "");
	notify_send(&s);
	ck_assert_ptr_nonnull(strstr(said(), "* STATUS F (MESSAGES 1 "));
	notify_end(&s);
}
END_TEST

/* A search through many mailboxes ends with the server also where each of them is small. */
START_TEST(stops_between_mailboxes)
{
	volatile int	stop = 1;

	s.conn.stop = &stop;
	(void)run_command("a ESEARCH IN (personal) ALL");
	ck_assert_ptr_nonnull(s.end);
	ck_assert_str_eq(said(), "* BYE [UNAVAILABLE] the server stops, come "
	    "again\r\n");
	s.conn.stop = NULL;
}
END_TEST

/* Messages that the file system does not let go are not gone, and CLOSE says so. */
START_TEST(close_that_fails)
{
	static const char *const	dirs[] = { "", "/tmp", "/new", "/cur" };
	const bool			as_root = geteuid() == 0;
	char				path[100];
	size_t				i;

	replies("a STORE 1 FLAGS.SILENT (\\Deleted)", "OK");
	for (i = 0; i < nitems(dirs); i++) {
		snprintf(path, sizeof(path), "%s/M%s", top, dirs[i]);
		ck_assert_int_eq(chmod(path, 0555), 0);
	}
	if (as_root)
		ck_assert_int_eq(seteuid(65534), 0);
	replies("b CLOSE", "NO [NOPERM]");
	ck_assert_int_eq(s.state, S_SELECTED);
	if (as_root)
		ck_assert_int_eq(seteuid(0), 0);
	for (i = 0; i < nitems(dirs); i++) {
		snprintf(path, sizeof(path), "%s/M%s", top, dirs[i]);
		ck_assert_int_eq(chmod(path, 0700), 0);
	}
	replies("c CLOSE", "OK");
	replies("d SELECT INBOX", "OK");
	ck_assert_ptr_nonnull(strstr(said(), "* 0 EXISTS"));
}
END_TEST

/* What another has put into the cache of a shared folder is not said if it would be more than an item of the response. */
static const struct {
	const char	*item, *envelope, *structure;
} written_over[] = {
	{ "ENVELOPE", "(NIL)\r\n* BYE (", "()" },
	{ "BODYSTRUCTURE", "()", "(NIL)\r\n* BYE (" },
	{ "BODY", "()", "(\"text\" \"pl\r\n* BYE\" NIL NIL NIL \"7bit\" 1 1 NIL NIL NIL NIL)" },
};

static void
put_shared(const char *name, const char *text)
{
	char	path[100];
	int	fd;

	snprintf(path, sizeof(path), "%s/S/.F/%s", top, name);
	ck_assert_int_ne(fd = open(path, O_WRONLY | O_CREAT, 0600), -1);
	ck_assert_int_eq(fdio_write(fd, text, strlen(text)), 0);
	fdio_close(&fd);
}

/* Shared.F, with one message, is selected. */
static void
select_shared(void)
{
	static const char *const	dirs[] = { "", "/cur", "/new", "/tmp",
	    "/.F", "/.F/cur", "/.F/new", "/.F/tmp" };
	static char			shared[100];
	struct diag			why;
	char				path[100];
	size_t				i;

	for (i = 0; i < nitems(dirs); i++) {
		snprintf(path, sizeof(path), "%s/S%s", top, dirs[i]);
		ck_assert_int_eq(mkdir(path, 0700), 0);
	}
	put_shared("dovecot-acl", "anyone lrwstipekxa\n");
	put_shared("cur/1.a:2,", "Subject: one\n\ntext\n");
	replies("s UNSELECT", "OK");
	places_close(&s);
	snprintf(shared, sizeof(shared), "%s/S", top);
	set.imap.shared = shared;
	ck_assert_msg(places_open(&s, &why) == 0, "%s", why.text);
	replies("s SELECT Shared.F", "OK");
	said();
}

START_TEST(cache_of_others)
{
	const struct part	 part = { .kind = PART_LEAF };
	const struct cache_head	 head = { .references = STR(""), .message_id = STR(""),
	    .envelope = str_from(written_over[_i].envelope) };
	const struct cache_body	 body = { .parts = &part, .nparts = 1,
	    .bodystructure = str_from(written_over[_i].structure) };
	struct cache		*cache;
	char			 path[100];
	int			 dir;

	select_shared();
	snprintf(path, sizeof(path), "%s/S/.F", top);
	ck_assert_int_ne(dir = open(path, O_RDONLY | O_DIRECTORY), -1);
	ck_assert_ptr_nonnull(cache = cache_open(dir,
	    view_uidvalidity(s.view), false));
	ck_assert_int_eq(cache_put_head(cache, 1, &head), 0);
	ck_assert_int_eq(cache_put_body(cache, 1, &body), 0);
	cache_close(&cache);
	close(dir);
	snprintf(path, sizeof(path), "b FETCH 1 %s", written_over[_i].item);
	replies(path, "NO [SERVERBUG]");
	ck_assert_str_eq(said(), "");
	replies("c FETCH 1 BODY.PEEK[]<0.1>", "OK");
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
	tcase_add_test(t, many_notes);
	tcase_add_test(t, told_later);
	tcase_add_test(t, stops_between_mailboxes);
	tcase_add_test(t, close_that_fails);
	tcase_add_loop_test(t, cache_of_others, 0,
	    (int)nitems(written_over));
	tcase_add_loop_test(t, partial, 0, (int)nitems(after_partial));
	suite_add_tcase(suite, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
