/* tests/unit/test_imapd_search_run.c - which messages of a folder match a program: each key, from the view, the index, the cache and the files. */
#include <check.h>
#include <errno.h>
#include <sys/stat.h>

#include "imapd/search_run.h"
#include "tests/unit/imapd_fixture.h"

static struct view	*v;

static void
set_time(const char *name, time_t when)
{
	struct timespec	times[2] = { { .tv_nsec = UTIME_OMIT },
			    { .tv_sec = when } };
	char		path[300];

	snprintf(path, sizeof(path), "%s/M/cur/%s", top, name);
	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void
setup(void)
{
	struct diag	why;
	char		path[300];
	int		fd;

	imapd_setup();
	put_message("1.a:2,S", "From: Ann <ann@example.org>\n"
	    "To: bob@example.org\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n"
	    "Date: Tue, 24 Nov 2026 23:30:00 -0500\nX-Empty:\n"
	    "no field =?utf-8?q?=C3=A4?=\n folded\nbad name: x\n"
	    "X-Behind: there\n\nhello WORLD\n");
	put_message("2.a:2,FTa", "From: carol@example.org\nCc: dan@x.example\n"
	    "Subject: two\nMessage-ID: <two@x>\n"
	    "Content-Transfer-Encoding: base64\n\n"
	    "bmVlZGxlIGluIGJhc2U2NA==\n");
	put_message("3.a:2,RD", "Subject: three\nX-Word: needle\n\nlong\n");
	put_message("4.a:2,", "\n\n");
	set_time("1.a:2,S", 1000000000);	/* 2001-09-09 */
	set_time("2.a:2,FTa", 1000086400);
	set_time("3.a:2,RD", 1795651200);	/* 2026-11-26 */
	set_time("4.a:2,", 1795651200);
	snprintf(path, sizeof(path), "%s/M/dovecot-keywords", top);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	ck_assert_int_eq(fdio_write(fd, "0 Work\n", 7), 0);
	fdio_close(&fd);
	ck_assert_msg(view_open(&v, place_store(&s, SPACE_OWN), "", false,
	    &why) == 0, "%s", why.text);
}

static void
teardown(void)
{
	view_close(&v);
	imapd_teardown();
}

static struct search_program
parse(const char *keys)
{
	struct search_program	 p;
	struct cur		 in = cur_from(str_from(keys));
	const char		*why = "";

	ck_assert_msg(search_parse(&in, &s.memory, charset_find(STR("UTF-8")),
	    &p, &why), "%s: %s", keys, why);
	return p;
}

static const char *
matches(struct search_run *r)
{
	static char	out[64];
	struct found	found;
	size_t		i;

	out[0] = '\0';
	ck_assert_int_eq(search_all(r, NULL, 0, &found), 0);
	for (i = 0; i < found.n; i++)
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s%u",
		    i > 0 ? " " : "", found.at[i] + 1);
	free(found.at);
	return out;
}

static const struct {
	const char	*keys, *found;
} rows[] = {
	{ "ALL",				"1 2 3 4" },
	{ "SEEN",				"1" },
	{ "UNSEEN UNDELETED",			"3 4" },
	{ "NOT SEEN",				"2 3 4" },
	{ "OR SEEN DRAFT",			"1 3" },
	{ "(OR (FLAGGED DELETED) ANSWERED)",	"2 3" },
	{ "KEYWORD Work",			"2" },
	{ "KEYWORD work UNKEYWORD none",	"2" },
	{ "KEYWORD none",			"" },
	{ "1:2",				"1 2" },
	{ "*",					"4" },
	{ "9:*",				"4" },
	{ "UID 2,4:9",				"2 4" },
	{ "NOT UID 1:*",			"" },
	{ "LARGER 60",				"1 2" },
	{ "SMALLER 5",				"4" },
	{ "NOT LARGER 60 NOT SMALLER 5",	"3" },
	{ "ON 9-Sep-2001",			"1" },
	{ "SINCE 10-Sep-2001",			"2 3 4" },
	{ "BEFORE 10-Sep-2001",			"1" },
	{ "SENTON 24-Nov-2026",			"1" },
	{ "SENTSINCE 25-Nov-2026",		"" },
	{ "SENTBEFORE 2-Jan-1970",		"2 3 4" },
	{ "OLDER 1000000000000",		"" },
	{ "YOUNGER 1000000000000",		"1 2 3 4" },
	{ "SUBJECT \"gr\303\274\303\237e\"",	"1" },
	{ "SUBJECT \"GR\303\234\303\237E\"",	"1" },
	{ "FROM \"ann <ANN\"",			"1" },
	{ "CC dan OR TO bob CC dan",		"2" },
	{ "HEADER X-Word need",			"3" },
	{ "HEADER X-Empty \"\"",		"1" },
	{ "HEADER Message-ID \"\"",		"2" },
	{ "HEADER X-None \"\"",			"" },
	{ "BODY needle",			"2" },
	/* lines that are no field end nothing, and are text */
	{ "HEADER X-Behind there",		"1" },
	{ "TEXT there",				"1" },
	{ "TEXT \"\303\244 folded\"",		"1" },
	{ "TEXT \"name: x\"",			"1" },
	{ "TEXT needle",			"2 3" },
	{ "BODY \"hello world\"",		"1" },
	{ "TEXT \"\"",				"1 2 3 4" },
	{ "NOT TEXT needle SEEN",		"1" },
	{ "OR BODY world HEADER X-Word needle",	"1 3" },
	{ "MODSEQ 1",				"1 2 3 4" },
	{ "MODSEQ 9223372036854775807",		"" },
	{ "THREADID T1",			"" },
	{ "EMAILID M0",				"" },
	{ "$",					"" },
	{ "NOT $",				"1 2 3 4" },
};

/* Twice: what was cached the first time answers the second. */
START_TEST(programs)
{
	struct search_program	 p = parse(rows[_i].keys);
	struct search_run	*r;
	int			 i;

	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(search_begin(&r, &s, v, &p), 0);
		ck_assert_str_eq(matches(r), rows[_i].found);
		search_free(&r);
	}
}
END_TEST

/* One that is gone does not match, whatever is asked; nor is that an error. */
START_TEST(gone)
{
	static const char *const	keys[] = { "BODY needle",
	    "NOT BODY needle", "LARGER 60", "NOT LARGER 60", "FROM carol",
	    "OR FROM carol SEEN", "ON 10-Sep-2001", "EMAILID M0" };
	static const char *const	found[] = { "", "1 3 4", "1", "3 4",
	    "", "1", "", "" };
	struct search_program		 p;
	struct search_run		*r;
	char				 path[300];
	size_t				 i;

	snprintf(path, sizeof(path), "%s/M/cur/2.a:2,FTa", top);
	ck_assert_int_eq(unlink(path), 0);
	for (i = 0; i < nitems(keys); i++) {
		p = parse(keys[i]);
		ck_assert_int_eq(search_begin(&r, &s, v, &p), 0);
		ck_assert_str_eq(matches(r), found[i]);
		search_free(&r);
	}
}
END_TEST

/* What cannot be read is an error, and found by none of what came before it. */
START_TEST(unreadable)
{
	struct search_program	 p = parse("TEXT needle");
	struct search_run	*r;
	struct found		 found;
	bool			 match;
	char			 path[300];

	snprintf(path, sizeof(path), "%s/M/cur/2.a:2,FTa", top);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("/nonexistent", path), 0);
	ck_assert_int_eq(search_begin(&r, &s, v, &p), 0);
	ck_assert_int_eq(search_match(r, 1, &match), -1);
	ck_assert_int_eq(errno, ELOOP);
	ck_assert_int_eq(search_all(r, NULL, 0, &found), -1);
	ck_assert_ptr_null(found.at);
	ck_assert_int_eq(search_match(r, 2, &match), 0);
	ck_assert(match);
	search_free(&r);
}
END_TEST

/* Where a search begins that may look at so many (RFC 9738 3.1): from the first message, or from which number on. */
static const struct {
	const char	*keys;
	uint64_t	 most;
	size_t		 from;
} limits[] = {
	{ "ALL", 0, 0 }, { "ALL", 4, 0 }, { "ALL", 3, 1 }, { "ALL", 1, 3 },
	{ "SEEN", 3, 1 },
	{ "1:3", 3, 0 }, { "1:3", 2, 1 }, { "UID 2:*", 3, 0 },
	{ "UID 1:3 UID 2:4", 2, 0 }, { "UID 1:3 UID 2:4", 1, 2 },
	{ "(UID 1:2) SEEN", 2, 0 }, { "(SEEN (1:2)) ALL", 1, 1 },
	{ "NOT UID 1:2", 2, 2 }, { "OR UID 1 UID 2", 2, 2 },
	{ "UIDAFTER 2", 2, 0 }, { "UIDAFTER 1", 2, 2 },
	{ "UIDBEFORE 3", 2, 0 }, { "UIDBEFORE 4", 2, 1 },
	{ "UID 1,3", 2, 0 }, { "UID 1,3", 1, 2 }, { "$", 1, 0 },
};

START_TEST(limited)
{
	struct search_program	 p = parse(limits[_i].keys);
	struct search_run	*r;
	struct found		 found;
	size_t			 from;

	ck_assert_int_eq(search_begin(&r, &s, v, &p), 0);
	from = search_limit(r, limits[_i].most);
	ck_assert_uint_eq(from, limits[_i].from);
	ck_assert_int_eq(search_all(r, NULL, from, &found), 0);
	ck_assert_uint_eq(found.limited, from == 0 ? 0 :
	    view_message(v, from)->uid);
	ck_assert(found.n == 0 || found.at[0] >= from);
	free(found.at);
	search_free(&r);
}
END_TEST

/* A program that is kept learns of keywords that are made later. */
START_TEST(again)
{
	struct search_program	 p = parse("KEYWORD later");
	struct search_run	*r;
	size_t			 at = 3;
	uint64_t		 bit;

	ck_assert_int_eq(search_begin(&r, &s, v, &p), 0);
	ck_assert_str_eq(matches(r), "");
	ck_assert_uint_ne(bit = view_keyword_bit(v, STR("later"), true), 0);
	ck_assert_int_eq(view_store(v, &at, 1, VIEW_ADD, 0, bit, UINT64_MAX),
	    0);
	search_again(r);
	ck_assert_str_eq(matches(r), "4");
	search_free(&r);
}
END_TEST

int
main(void)
{
	Suite	*suite = suite_create("imapd_search_run");
	TCase	*t = tcase_create("search");
	SRunner	*r = srunner_create(suite);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, programs, 0, (int)nitems(rows));
	tcase_add_test(t, gone);
	tcase_add_test(t, unreadable);
	tcase_add_test(t, again);
	tcase_add_loop_test(t, limited, 0, (int)nitems(limits));
	suite_add_tcase(suite, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
