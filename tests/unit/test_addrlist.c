/* tests/unit/test_addrlist.c - header fields as people write them. */
#include <check.h>
#include <string.h>

#include "common/fmt/addrlist.h"

#define TEN	"abcdefghij"
#define LONG	TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct {
	const char	*in, *out;	/* out: the addresses, each with a '|' */
} rows[] = {
	{ "", "" },
	{ "a@b", "a@b|" },
	{ " a@b , c@d\r\n\t, e@f ", "a@b|c@d|e@f|" },
	{ "Ann <a@b>, \"Doe, J\" <j@d> (x, y)", "a@b|j@d|" },
	{ "friends: a@b, Bob <c@d>;, e@f", "a@b|c@d|e@f|" },
	{ "nobody:;", "" },
	{ "\"a b\"@c (nested (\\)) comment)", "\"a b\"@c|" },
	{ "<@x,@y:a@b>", "a@b|" },
	{ "(only a comment)", "" },
	{ "\"open", "\"open|" },
	{ "<a@b", "a@b|" },
	{ ",,;", "" },
	{ "a@[IPv6:2001:db8::1], b@c", "a@[IPv6:2001:db8::1]|b@c|" },
	{ "g: <a@[IPv6:::1]>;", "a@[IPv6:::1]|" },
	{ "a@[192.0.2.1", "a@[192.0.2.1|" },
	{ "a@[open, b@c", "a@[open|b@c|" },
	/* a name need not fit, its address must */
	{ LONG " <a@b>, c@d", "a@b|c@d|" },
	{ LONG ": a@b;", "a@b|" },
	{ LONG ", a@b", "a@b|" },
	{ "<" LONG "@x> <a@b>, c@d", "a@b|c@d|" },
	{ "ann bob", "ann bob|" },
	{ "ann (x) bob, c", "ann bob|c|" },
	{ "ann . b @ c . d", "ann.b@c.d|" },
	{ "\"a\" \"b\"@c", "\"a\" \"b\"@c|" },
	{ "a b@c", "a b@c|" },
	{ "\"a\r\n b\\\r\n\"@c", "\"a b\\\"@c|" },
	{ "Ann Lee <a@b>", "a@b|" },
	{ "< a@b >", "a@b|" },
	{ "Ann <a@b> Bob <c@d>, e", "a@b|c@d|e|" },
	{ "<a@b><c@d>", "a@b|c@d|" },
	{ "<> <a@b>", "a@b|" },
	{ "a@[IPv6:2001:db8::1], b@[192.0.2.1]", "a@[IPv6:2001:db8::1]|b@[192.0.2.1]|" },
	{ "x: <a@[IPv6:::1]>;", "a@[IPv6:::1]|" },
	{ "a@[open", "a@[open|" },
	{ "a@b (Ann: L)", "a@b|" },
	{ "<a@b> (x): y", "a@b|" },
};

static void
append(char *dst, size_t size, struct str s)
{
	size_t	n = strlen(dst);

	ck_assert_int_eq(str_copy(dst + n, size - n, s), 0);
}

START_TEST(list)
{
	struct cur	c = cur_from(str_from(rows[_i].in));
	struct buf	b;
	char		got[256] = "";

	buf_init(&b, 100);
	while (addrlist_next(&c, &b)) {
		ck_assert_uint_lt(strlen(got) + b.n + 2, sizeof(got));
		append(got, sizeof(got), buf_view(&b));
		strlcat(got, "|", sizeof(got));
	}
	ck_assert_str_eq(got, rows[_i].out);
	buf_free(&b);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("addrlist");
	TCase	*t = tcase_create("addrlist");
	SRunner	*sr;
	int	 failed;

	tcase_add_loop_test(t, list, 0, (int)nitems(rows));
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
