/* tests/unit/test_casemap.c - text folded (RFC 5051), and words found in it however it is cut. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/casemap.h"

static const struct {
	const char	*in, *out;
} folds[] = {
	{ "", "" }, { "abc xyz {|}~`@[", "ABC XYZ {|}~`@[" },
	{ "0123456789abcdefghijklmnopqrstuvwxyzABC",
	    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZABC" },
	{ "\xc3\xb6", "O\xcc\x88" },			/* o umlaut */
	{ "\xc3\x96", "O\xcc\x88" },
	{ "\xc7\x84", "Dz\xcc\x8c" },			/* RFC 5051 2 */
	{ "\xc3\x9f", "\xc3\x9f" },			/* sharp s */
	{ "\xd0\xb6", "\xd0\x96" },			/* zhe */
	{ "\xd0\x90\xd0\xbf\xd1\x8f\xd0\xb9\xd1\x91.",
	    "\xd0\x90\xd0\x9f\xd0\xaf\xd0\x98\xcc\x86\xd0\x95\xcc\x88." },
	{ "\xd0", "\xd0" }, { "\xd0\x90\xd0", "\xd0\x90\xd0" },
	{ "\xe4\xb8\xad", "\xe4\xb8\xad" },
	{ "\xe4\xb8\xad\xe4\xb8", "\xe4\xb8\xad\xe4\xb8" },
	{ "\xea\xb0\x81", "\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8" },
	{ "\xef\xac\x81", "fi" },			/* a ligature */
	{ "\xef\xbd\x81", "A" },			/* full width */
	{ "\xf0\x90\x90\xa8", "\xf0\x90\x90\x80" },
	{ "a\xffz\xc3", "A\xffZ\xc3" },			/* not UTF-8 */
};

START_TEST(folded)
{
	struct buf	b;

	buf_init(&b, 1000);
	ck_assert_int_eq(casemap_put(&b, str_from(folds[_i].in)), 0);
	ck_assert_msg(str_eq(buf_view(&b), str_from(folds[_i].out)),
	    "%d: %.*s", _i, STR_ARG(buf_view(&b)));
	buf_free(&b);
}
END_TEST

static const struct {
	const char	*word, *text;
	bool		 found;
} rows[] = {
	{ "", "", true }, { "", "abc", true }, { "a", "", false },
	{ "a", "bcA", true }, { "abc", "xxABCxx", true },
	{ "abc", "ababab", false }, { "AbAc", "abABabac", true },
	{ "zebra", "the ZEbra", true }, { "zebra", "the zEbr", false },
	{ "{", "[", false }, { "@", "`", false },	/* 0x20 apart */
	{ "M\xc3\x9cLLER", "f\xc3\xbcr m\xc3\xbcller.", true },
	{ "mu\xcc\x88ller", "M\xc3\x9cLLER", true },
	{ "muller", "M\xc3\x9cLLER", false },
	{ "\xd0\xb6\xd1\x83", "\xd0\x90\xd0\x96\xd0\xa3", true },
	{ "\xd0\x96", "plain text", false },
	{ "\xc2\xaa", "A", false },	/* folds to "a" (RFC 5051) */
	{ "\xc2\xaa", "\xc2\xaa", true },
	{ "longer than the text", "longer than", false },
};

/* The text between two runs of so many characters, in pieces of at most step bytes. */
static bool
find(struct needle *n, const char *text, size_t around, size_t step)
{
	struct buf	b;
	size_t		i, at, some;

	buf_init(&b, 100000);
	for (i = 0; i < 2 * around; i++) {
		if (i == around)
			buf_adds(&b, text);
		buf_addc(&b, '.');
	}
	if (around == 0)
		buf_adds(&b, text);
	needle_reset(n);
	for (at = 0; at < b.n; at += some) {
		some = b.n - at < step ? b.n - at : step;
		while (at + some < b.n &&
		    ((unsigned char)b.p[at + some] & 0xc0) == 0x80)
			some++;
		ck_assert_int_eq(needle_feed(n,
		    (struct str){ b.p + at, some }), 0);
	}
	buf_free(&b);
	return n->found;
}

START_TEST(found)
{
	static const size_t	around[] = { 0, 1, 7, 255, 256, 1030, 3000 };
	struct needle		n;
	size_t			i, step;

	ck_assert_int_eq(needle_begin(&n, str_from(rows[_i].word)), 0);
	for (i = 0; i < nitems(around); i++)
		for (step = 1; step < 10000; step = step * 3 / 2 + 1)
			ck_assert_msg(find(&n, rows[_i].text, around[i],
			    step) == rows[_i].found, "%s in %s, %zu by %zu",
			    rows[_i].word, rows[_i].text, around[i], step);
	ck_assert_int_eq(needle_in(&n, str_from(rows[_i].text)),
	    rows[_i].found);
	needle_free(&n);
}
END_TEST

/* Text that is made to be slow. */
START_TEST(hostile)
{
	const size_t	 size = 4u << 20;
	char		*text = malloc(size), word[5001];
	struct needle	 n;

	ck_assert_ptr_nonnull(text);
	memset(text, 'a', size);
	memset(word, 'A', sizeof(word));
	word[0] = 'B';
	ck_assert_int_eq(needle_begin(&n,
	    (struct str){ word, sizeof(word) }), 0);
	ck_assert(!needle_in(&n, (struct str){ text, size }));
	memset(word, 'A', sizeof(word));
	word[2500] = 'B';
	needle_free(&n);
	ck_assert_int_eq(needle_begin(&n,
	    (struct str){ word, sizeof(word) }), 0);
	ck_assert(!needle_in(&n, (struct str){ text, size }));
	memset(text, 'b', size);
	memset(text + 1, 'a', size - 1);
	memset(word, 'A', sizeof(word));
	word[sizeof(word) - 1] = 'C';
	needle_free(&n);
	ck_assert_int_eq(needle_begin(&n,
	    (struct str){ word, sizeof(word) }), 0);
	ck_assert(!needle_in(&n, (struct str){ text, size }));
	text[size - 1] = 'c';
	ck_assert(needle_in(&n, (struct str){ text, size }));
	needle_free(&n);
	free(text);
}
END_TEST

START_TEST(long_word)
{
	static char	word[70000];
	struct needle	n;

	memset(word, 'x', sizeof(word));
	ck_assert_int_eq(needle_begin(&n,
	    (struct str){ word, sizeof(word) }), -1);
	needle_free(&n);
	ck_assert_int_eq(needle_begin(&n, (struct str){ word, 60000 }), 0);
	ck_assert(needle_in(&n, (struct str){ word, sizeof(word) }));
	ck_assert(!needle_in(&n, (struct str){ word, 59999 }));
	needle_free(&n);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("casemap");
	TCase	*t = tcase_create("casemap");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, folded, 0, nitems(folds));
	tcase_add_loop_test(t, found, 0, nitems(rows));
	tcase_add_test(t, hostile);
	tcase_add_test(t, long_word);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
