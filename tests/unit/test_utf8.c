/* tests/unit/test_utf8.c - characters of UTF-8, and what only looks like one. */
#include <check.h>
#include <stdlib.h>

#include "common/base/attr.h"
#include "common/fmt/utf8.h"

static const struct {
	const char	*bytes;
	size_t		 n;
	uint32_t	 point;
} rows[] = {
	{ "", 0, 0 }, { "a", 0, 0 }, { "\x7f", 0, 0 },
	{ "\xc2\x80", 2, 0x80 }, { "\xc3\xb6x", 2, 0xf6 },
	{ "\xdf\xbf", 2, 0x7ff }, { "\xe0\xa0\x80", 3, 0x800 },
	{ "\xe2\x82\xac", 3, 0x20ac }, { "\xed\x9f\xbf", 3, 0xd7ff },
	{ "\xee\x80\x80", 3, 0xe000 }, { "\xef\xbf\xbf", 3, 0xffff },
	{ "\xf0\x90\x80\x80", 4, 0x10000 },
	{ "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
	/* cut short, overlong, surrogates, too large, a byte out of place */
	{ "\xc3", 0, 0 }, { "\xe2\x82", 0, 0 }, { "\xf0\x9f\x93", 0, 0 },
	{ "\xc0\x80", 0, 0 }, { "\xc1\xbf", 0, 0 },
	{ "\xe0\x9f\xbf", 0, 0 }, { "\xf0\x8f\xbf\xbf", 0, 0 },
	{ "\xed\xa0\x80", 0, 0 }, { "\xf4\x90\x80\x80", 0, 0 },
	{ "\xf5\x80\x80\x80", 0, 0 }, { "\x80", 0, 0 }, { "\xff", 0, 0 },
	{ "\xc3x", 0, 0 }, { "\xe2\x82x", 0, 0 },
};

START_TEST(characters)
{
	struct buf	b;
	size_t		n = utf8_length(str_from(rows[_i].bytes));

	ck_assert_uint_eq(n, rows[_i].n);
	if (n == 0)
		return;
	ck_assert_uint_eq(utf8_point(rows[_i].bytes, n), rows[_i].point);
	buf_init(&b, 8);
	ck_assert(utf8_put(&b, rows[_i].point));
	ck_assert(str_eq(buf_view(&b), (struct str){ rows[_i].bytes, n }));
	buf_free(&b);
}
END_TEST

START_TEST(no_characters)
{
	struct buf	b;

	buf_init(&b, 8);
	ck_assert(!utf8_put(&b, 0xd800));
	ck_assert(!utf8_put(&b, 0xdfff));
	ck_assert(!utf8_put(&b, 0x110000));
	ck_assert_uint_eq(b.n, 0);
	ck_assert(utf8_put(&b, 'a'));
	ck_assert(str_eq(buf_view(&b), STR("a")));
	ck_assert(utf8_is_ascii(STR("a\x7f")));
	ck_assert(!utf8_is_ascii(STR("a\x80")));
	ck_assert(utf8_is_ascii(STR("")));
	buf_free(&b);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("utf8");
	TCase	*t = tcase_create("utf8");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, characters, 0, nitems(rows));
	tcase_add_test(t, no_characters);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
