/* tests/unit/test_imapd_list.c - LIST: its patterns, its arguments, its tree. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "imapd/list_args.h"
#include "imapd/list_match.h"
#include "imapd/list_tree.h"
#include "imapd/status_args.h"
#include "imapd/use.h"

static const struct {
	const char	*reference, *pattern, *name;
	bool		 match;
	size_t		 nocase;
} patterns[] = {
	{ "", "*", "a/b", true, 0 }, { "", "*", "", true, 0 },
	{ "", "%", "a", true, 0 }, { "", "%", "a/b", false, 0 },
	{ "", "%", "", true, 0 }, { "", "", "", true, 0 },
	{ "", "", "a", false, 0 }, { "", "a", "", false, 0 },
	{ "", "a/%", "a/b", true, 0 }, { "", "a/%", "a/b/c", false, 0 },
	{ "", "a/%", "a", false, 0 }, { "a/", "%", "a/b", true, 0 },
	{ "a", "/%", "a/b", true, 0 }, { "a", "%", "a", true, 0 },
	{ "", "a*", "a/b", true, 0 }, { "", "*b", "a/b", true, 0 },
	{ "", "*b", "a/bc", false, 0 }, { "", "%b", "a/b", false, 0 },
	{ "", "%/%", "a/b", true, 0 }, { "", "%/%", "a/b/c", false, 0 },
	{ "", "%/*", "a/b/c", true, 0 }, { "", "*%", "a/b/c", true, 0 },
	{ "", "%*", "a/b/c", true, 0 }, { "", "%%%", "a", true, 0 },
	{ "", "%%%", "a/b", false, 0 }, { "", "a%c", "abbc", true, 0 },
	{ "", "a%c", "a/c", false, 0 }, { "", "a*c", "a/c", true, 0 },
	{ "", "*a*b*", "xxaxxbxx", true, 0 },
	{ "", "*a*b*", "xxbxxaxx", false, 0 },
	{ "", "%a%/c", "xaya/c", true, 0 },
	{ "", "%a/b%", "xa/bx", true, 0 }, { "", "A", "a", false, 0 },
	{ "", "inbox", "INBOX", true, 5 }, { "", "inbox", "INBOX", false, 0 },
	{ "", "iNb%", "INBOX", true, 5 },
	{ "", "inbox/a", "INBOX/A", false, 5 },
	{ "", "inbox/%", "INBOX/A", true, 5 },
	{ "", "\xc3\xa4%", "\xc3\xa4\xc3\xb6", true, 0 },
	{ "0123456789012345678901234567890123456789012345678901234567890123",
	    "%x", "0123456789012345678901234567890123456789012345678901234"
	    "567890123yx", true, 0 },
	{ "012345678901234567890123456789012345678901234567890123456789012",
	    "%x", "0123456789012345678901234567890123456789012345678901234"
	    "56789012yx", true, 0 },
	{ "01234567890123456789012345678901234567890123456789012345678901234",
	    "*", "0123456789012345678901234567890123456789012345678901234"
	    "5678901234", true, 0 },
};

START_TEST(wildcards)
{
	struct list_pattern	p;
	struct arena		a;

	arena_init(&a, 1u << 20);
	ck_assert_int_eq(list_pattern_make(&p, &a,
	    str_from(patterns[_i].reference), str_from(patterns[_i].pattern),
	    '/'), 0);
	ck_assert_int_eq(list_pattern_match(&p, str_from(patterns[_i].name),
	    patterns[_i].nocase), patterns[_i].match);
	/* It is as it was before. */
	ck_assert_int_eq(list_pattern_match(&p, str_from(patterns[_i].name),
	    patterns[_i].nocase), patterns[_i].match);
	arena_free(&a);
}
END_TEST

START_TEST(too_long)
{
	static char		long_text[LIST_PATTERN_MAX + 1];
	struct list_pattern	p;
	struct arena		a;

	arena_init(&a, 1u << 20);
	memset(long_text, '*', sizeof(long_text));
	ck_assert_int_eq(list_pattern_make(&p, &a, STR(""),
	    (struct str){ long_text, sizeof(long_text) }, '/'), 0);
	ck_assert(!list_pattern_match(&p, STR("a"), 0));
	arena_free(&a);
}
END_TEST

/* A hundred stars that could each stand for anything. */
START_TEST(linear)
{
	char			pattern[600], name[1000];
	struct list_pattern	p;
	struct arena		a;
	int			i;

	for (i = 0; i < 600; i += 2) {
		pattern[i] = '*';
		pattern[i + 1] = 'a';
	}
	memset(name, 'a', sizeof(name));
	name[999] = 'b';
	arena_init(&a, 1u << 20);
	ck_assert_int_eq(list_pattern_make(&p, &a, STR(""),
	    (struct str){ pattern, sizeof(pattern) }, '/'), 0);
	for (i = 0; i < 100; i++)
		ck_assert(!list_pattern_match(&p,
		    (struct str){ name, sizeof(name) }, 0));
	ck_assert(list_pattern_match(&p, (struct str){ name, 999 }, 0));
	arena_free(&a);
}
END_TEST

static const struct {
	const char	*text;
	bool		 ok, extended;
	unsigned	 select, give;
	size_t		 patterns;
	unsigned	 status;
	size_t		 entries;
} args[] = {
	{ "\"\" *", true, false, 0, GIVE_CHILDREN | GIVE_SPECIAL_USE, 1, 0, 0 },
	{ "\"\" \"\"", true, false, 0, GIVE_CHILDREN | GIVE_SPECIAL_USE, 1, 0,
	    0 },
	{ "a {3}\r\nb c", true, false, 0, GIVE_CHILDREN | GIVE_SPECIAL_USE, 1,
	    0, 0 },
	{ "() \"\" *", true, true, 0, 0, 1, 0, 0 },
	{ "(SUBSCRIBED) \"\" *", true, true, LIST_SUBSCRIBED, GIVE_SUBSCRIBED,
	    1, 0, 0 },
	{ "(subscribed REMOTE recursivematch) \"\" (a b%)", true, true,
	    LIST_SUBSCRIBED | LIST_REMOTE | LIST_RECURSIVE, GIVE_SUBSCRIBED, 2,
	    0, 0 },
	{ "(SPECIAL-USE) \"\" *", true, true, LIST_SPECIAL_USE,
	    GIVE_SPECIAL_USE, 1, 0, 0 },
	{ "\"\" % RETURN ()", true, true, 0, 0, 1, 0, 0 },
	{ "\"\" % RETURN (CHILDREN SUBSCRIBED MYRIGHTS SPECIAL-USE)", true,
	    true, 0, GIVE_CHILDREN | GIVE_SUBSCRIBED | GIVE_MYRIGHTS |
	    GIVE_SPECIAL_USE, 1, 0, 0 },
	{ "\"\" % RETURN (STATUS (MESSAGES deleted-storage) CHILDREN)", true,
	    true, 0, GIVE_STATUS | GIVE_CHILDREN, 1,
	    STATUS_MESSAGES | STATUS_DELETED_STORAGE, 0 },
	{ "\"\" % RETURN (METADATA (/shared/a \"/private/b\"))", true, true, 0,
	    GIVE_METADATA, 1, 0, 2 },
	{ "\"\" % RETURN (METADATA /shared/a)", true, true, 0, GIVE_METADATA,
	    1, 0, 1 },
	{ .text = "" }, { .text = "\"\"" }, { .text = "\"\" " },
	{ .text = "\"\" a b" }, { .text = "(RECURSIVEMATCH) \"\" *" },
	{ .text = "(REMOTE RECURSIVEMATCH) \"\" *" },
	{ .text = "(FOO) \"\" *" }, { .text = "(SUBSCRIBED \"\" *" },
	{ .text = "(SUBSCRIBED )\"\" *" }, { .text = "() *" },
	{ .text = "\"\" ()" }, { .text = "\"\" (a" }, { .text = "\"\" (a )" },
	{ .text = "\"\" * RETURN" }, { .text = "\"\" * RETURN (FOO)" },
	{ .text = "\"\" * RETURN (STATUS)" },
	{ .text = "\"\" * RETURN (STATUS ())" },
	{ .text = "\"\" * RETURN (STATUS (FOO))" },
	{ .text = "\"\" * RETURN (STATUS (MESSAGES)" },
	{ .text = "\"\" * RETURN (METADATA ())" },
	{ .text = "\"\" * RETURN (METADATA (/other/a))" },
	{ .text = "\"\" * RETURN (METADATA (/shared/a/))" },
	{ .text = "\"\" * RETURN (METADATA (/shared//a))" },
	{ .text = "\"\" * RETURN (CHILDREN) x" },
};

START_TEST(arguments)
{
	struct list_request	r;
	struct arena		a;
	struct cur		c = cur_from(str_from(args[_i].text));

	arena_init(&a, 1u << 20);
	ck_assert_int_eq(list_args(&c, &a, &r) == NULL, args[_i].ok);
	if (args[_i].ok) {
		ck_assert(cur_done(&c));
		ck_assert_int_eq(r.extended, args[_i].extended);
		ck_assert_uint_eq(r.select, args[_i].select);
		ck_assert_uint_eq(r.give, args[_i].give);
		ck_assert_uint_eq(r.npatterns, args[_i].patterns);
		ck_assert_uint_eq(r.status, args[_i].status);
		ck_assert_uint_eq(r.nentries, args[_i].entries);
	}
	arena_free(&a);
}
END_TEST

static const struct {
	const char	*text;
	bool		 ok, unknown;
	char		 use;
} uses[] = {
	{ "(USE ())", true, false, '\0' },
	{ "(USE (\\Drafts))", true, false, 'D' },
	{ "(use (\\all))", true, false, 'a' },
	{ "(USE (\\Important))", true, false, 'I' },
	{ "(USE (\\Foo))", true, true, '\0' },
	{ "(USE (\\Sent \\Trash))", true, true, 'S' },
	{ "(USE (Drafts)", false, false, '\0' },
	{ "(USE (Drafts))", false, false, '\0' },	/* RFC 6154 6: each begins with a backslash */
	{ "(USE \\Drafts)", false, false, '\0' },
	{ "USE (\\Drafts)", false, false, '\0' },
	{ "(USE (\\Drafts)) x", false, false, '\0' },
	{ "()", false, false, '\0' },
};

START_TEST(special_uses)
{
	struct cur	c = cur_from(str_from(uses[_i].text));
	bool		unknown;
	char		use;

	ck_assert_int_eq(use_to_create(&c, &use, &unknown) == NULL, uses[_i].ok);
	if (uses[_i].ok) {
		ck_assert_int_eq(unknown, uses[_i].unknown);
		ck_assert_int_eq(use, uses[_i].use);
	}
}
END_TEST

START_TEST(tree)
{
	struct list_row	r[] = {
		{ .folder = "" , .marks = ROW_EXISTS },
		{ .folder = "a-b", .marks = ROW_EXISTS },
		{ .folder = "a.b", .marks = 0 },
		{ .folder = "a", .marks = ROW_MATCHES },
		{ .folder = "a.b.c", .marks = ROW_EXISTS | ROW_MEETS },
		{ .folder = "a-b", .marks = ROW_SUBSCRIBED, .use = 'J' },
		{ .folder = "INBOX.x", .marks = ROW_EXISTS },
	};
	size_t		n = list_tree_link(r, nitems(r), false);

	ck_assert_uint_eq(n, 6);
	list_tree_sum(r, n);
	ck_assert_str_eq(r[1].folder, "INBOX.x");
	ck_assert_uint_eq(r[0].marks, ROW_EXISTS | ROW_CHILDREN);
	ck_assert_str_eq(r[2].folder, "a");
	ck_assert_uint_eq(r[2].parent, 2);
	ck_assert_uint_eq(r[2].marks, ROW_MATCHES | ROW_CHILDREN |
	    ROW_MEETS_BELOW | ROW_LOST_BELOW);
	ck_assert_str_eq(r[4].folder, "a.b.c");
	ck_assert_uint_eq(r[4].parent, 3);
	ck_assert_str_eq(r[5].folder, "a-b");
	ck_assert_uint_eq(r[5].parent, 5);
	ck_assert_uint_eq(r[5].marks, ROW_EXISTS | ROW_SUBSCRIBED);
	ck_assert_int_eq(r[5].use, 'J');
	/* With a prefix all is below the inbox. */
	ck_assert_uint_eq(list_tree_link(r, n, true), 6);
	ck_assert_uint_eq(r[2].parent, 0);
	ck_assert_uint_eq(r[5].parent, 0);
	ck_assert_uint_eq(r[4].parent, 3);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("imapd_list");
	TCase	*t = tcase_create("imapd_list");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, wildcards, 0, nitems(patterns));
	tcase_add_test(t, too_long);
	tcase_add_test(t, linear);
	tcase_add_loop_test(t, arguments, 0, nitems(args));
	tcase_add_loop_test(t, special_uses, 0, nitems(uses));
	tcase_add_test(t, tree);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
