/* tests/unit/test_saslprep.c - RFC 4013, with its own examples. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/saslprep.h"
#include "common/fmt/utf8.h"

#define IN(s)	{ (s), sizeof(s) - 1 }

static const struct { struct str in; const char *out; } rows[] = {
	/* section 3 */
	{ IN("I\xc2\xadX"), "IX" },
	{ IN("user"), "user" },
	{ IN("USER"), "USER" },
	{ IN("\xc2\xaa"), "a" },
	{ IN("\xe2\x85\xa8"), "IX" },
	{ IN("\x07"), NULL },
	{ IN("\xd8\xa7" "1"), NULL },
	/* 2.1: blanks, and what is not seen */
	{ IN("a\xc2\xa0" "b"), "a b" },
	{ IN("a\xe3\x80\x80" "b"), "a b" },
	{ IN("a\xe2\x80\x8b" "b"), "ab" },
	{ IN("a\xef\xbb\xbf"), "a" },
	{ IN("a b"), "a b" },
	/* 2.2: NFKC */
	{ IN("e\xcc\x81"), "\xc3\xa9" },
	{ IN("\xc3\xa9"), "\xc3\xa9" },
	{ IN("\xef\xac\x81"), "fi" },
	{ IN("\xef\xbc\xa1"), "A" },
	{ IN("q\xcc\xa3\xcc\x87"), "q\xcc\xa3\xcc\x87" },
	{ IN("q\xcc\x87\xcc\xa3"), "q\xcc\xa3\xcc\x87" },	/* in order */
	/* 2.3 */
	{ IN("a\0b"), NULL },
	{ IN("a\tb"), NULL },
	{ IN("a\x7f"), NULL },
	{ IN("a\xc2\x85"), NULL },
	{ IN("\xee\x80\x80"), NULL },			/* private */
	{ IN("\xef\xbf\xbd"), NULL },			/* U+FFFD */
	{ IN("\xef\xbf\xbe"), NULL },			/* U+FFFE */
	{ IN("\xe2\x80\x8e"), NULL },			/* turns */
	{ IN("\xe2\x80\xa8"), NULL },			/* line separator */
	{ IN("\xf3\xa0\x81\x81"), NULL },		/* tag */
	/* 2.4 */
	{ IN("\xd8\xa7\xd8\xa8"), "\xd8\xa7\xd8\xa8" },
	{ IN("\xd7\x90" "a"), NULL },
	{ IN("a\xd7\x90"), NULL },
	{ IN("\xd7\x90" "1\xd7\x90"), "\xd7\x90" "1\xd7\x90" },
	/* no UTF-8 */
	{ IN("\xff"), NULL },
	{ IN("a\xc3"), NULL },
	{ IN("\xc0\xaf"), NULL },
	{ IN("\xed\xa0\x80"), NULL },
	{ IN("\xf4\x90\x80\x80"), NULL },
	/* nothing left */
	{ IN(""), NULL },
	{ IN("\xc2\xad"), NULL },
};

START_TEST(prepared)
{
	char	out[64], again[64];

	if (rows[_i].out == NULL) {
		ck_assert_int_eq(saslprep(rows[_i].in, out, sizeof(out)), -1);
		ck_assert_str_eq(out, "");
		return;
	}
	ck_assert_int_eq(saslprep(rows[_i].in, out, sizeof(out)), 0);
	ck_assert_str_eq(out, rows[_i].out);
	/* what it has made stays as it is */
	ck_assert_int_eq(saslprep(str_from(out), again, sizeof(again)), 0);
	ck_assert_str_eq(again, out);
}
END_TEST

START_TEST(lengths)
{
	static char	in[SASLPREP_MAX + 2], out[2 * SASLPREP_MAX];
	size_t		i;

	memset(in, 'a', sizeof(in));
	ck_assert_int_eq(saslprep((struct str){ in, SASLPREP_MAX }, out,
	    SASLPREP_MAX + 1), 0);
	ck_assert_uint_eq(strlen(out), SASLPREP_MAX);
	ck_assert_int_eq(saslprep((struct str){ in, SASLPREP_MAX }, out,
	    SASLPREP_MAX), -1);
	ck_assert_int_eq(saslprep((struct str){ in, SASLPREP_MAX + 1 }, out,
	    sizeof(out)), -1);
	/* U+FDFA becomes 18 characters, with blanks between letters from the right */
	for (i = 0; i + 3 <= SASLPREP_MAX; i += 3)
		memcpy(in + i, "\xef\xb7\xba", 3);
	ck_assert_int_eq(saslprep((struct str){ in, i }, out, sizeof(out)), -1);
	ck_assert_int_eq(saslprep((struct str){ in, 9 }, out, sizeof(out)), 0);
}
END_TEST

START_TEST(utf8)
{
	ck_assert(utf8_ok(STR("")));
	ck_assert(utf8_ok(STR("a\0\xc3\xa9")));
	ck_assert(!utf8_ok(STR("a\xc3")));
	ck_assert(!utf8_ok(STR("\x80")));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("saslprep");
	TCase	*t = tcase_create("saslprep");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, prepared, 0, nitems(rows));
	tcase_add_test(t, lengths);
	tcase_add_test(t, utf8);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
