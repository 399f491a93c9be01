/* tests/unit/test_imapd_list.c - LIST's patterns. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "imapd/list_match.h"

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
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
