/* tests/unit/test_path.c - paths and mailboxes; fuzz_path.c calls the same. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "common/base/attr.h"
#include "common/fmt/path.h"

#define IN(s)	{ (s), sizeof(s) - 1 }
#define A10	"aaaaaaaaaa"
#define A60	A10 A10 A10 A10 A10 A10

static const struct {
	struct str	 in;
	unsigned	 flags;
	bool		 ok;
	const char	*canonical;
} reverse[] = {
	{ IN("<>"),				0, true, "" },
	{ IN("<ann@example.org>"),		0, true, "ann@example.org" },
	{ IN("<Ann@EXAMPLE.org>"),		0, true, "Ann@example.org" },
	{ IN("<\"ann\"@example.org>"),		0, true, "ann@example.org" },
	{ IN("<\"a b\"@example.org>"),		0, true, "\"a b\"@example.org" },
	{ IN("<\"a\\\"b\"@example.org>"),	0, true, "\"a\\\"b\"@example.org" },
	{ IN("<@a.test,@b.test:ann@c.test>"),	0, true, "ann@c.test" },
	{ IN("<ann@[192.0.2.1]>"),		0, true, "ann@[192.0.2.1]" },
	{ IN("<ann@[IPv6:2001:db8::1]>"),	0, true, "ann@[ipv6:2001:db8::1]" },
	{ IN("<ann@[IPv6:::ffff:192.0.2.1]>"),	0, true, "ann@[ipv6:::ffff:192.0.2.1]" },
	{ IN("<ann@[IPv6:1:2:3:4:5:6:7:8]>"),	0, true, "ann@[ipv6:1:2:3:4:5:6:7:8]" },
	{ IN("<" A60 "aaaa@b.test>"),		0, true, A60 "aaaa@b.test" },
	{ IN("<" A60 "aaaaa@b.test>"),		0, false, NULL },
	{ IN("<ann@[IPv6:1:2:3:4:5:6:7]>"),	0, false, NULL },
	{ IN("<ann@[IPv6:1::2::3]>"),		0, false, NULL },
	{ IN("<ann@[IPv6:1:]>"),		0, false, NULL },
	{ IN("<ann@[256.0.2.1]>"),		0, false, NULL },
	{ IN("<ann@[192.0.2]>"),		0, false, NULL },
	{ IN("<ann\0@example.org>"),		0, false, NULL },
	{ IN("<ann@example.org\r>"),		0, false, NULL },
	{ IN("<ann@-example.org>"),		0, false, NULL },
	{ IN("<ann@example-.org>"),		0, false, NULL },
	{ IN("<ann@example..org>"),		0, false, NULL },
	{ IN("<ann@example.org.>"),		0, false, NULL },
	{ IN("<ann@" A60 "aaaa.test>"),		0, false, NULL },
	{ IN("<.ann@example.org>"),		0, false, NULL },
	{ IN("<ann.@example.org>"),		0, false, NULL },
	{ IN("<a..b@example.org>"),		0, false, NULL },
	{ IN("<a b@example.org>"),		0, false, NULL },
	{ IN("<\"ann@example.org>"),		0, false, NULL },
	{ IN("<ann>"),				0, false, NULL },
	{ IN("ann@example.org"),		0, false, NULL },
	{ IN("ann@example.org"),		PATH_LENIENT, true, "ann@example.org" },
	{ IN("<ann@example.org"),		PATH_LENIENT, false, NULL },
	{ IN("<\xc3\xa4@example.org>"),		0, false, NULL },
	{ IN("<\xc3\xa4@\xc3\xb6.org>"),	PATH_UTF8, true, "\xc3\xa4@\xc3\xb6.org" },
	{ IN("<\xc0\xaf@example.org>"),		PATH_UTF8, false, NULL },
	{ IN("<\xed\xa0\x80@example.org>"),	PATH_UTF8, false, NULL },
	{ IN("<\xc3@example.org>"),		PATH_UTF8, false, NULL },
	{ IN("<\xc3"),				PATH_UTF8, false, NULL },
	{ IN("<\"\xc3\xa4\"@example.org>"),	PATH_UTF8, true, "\xc3\xa4@example.org" },
	{ IN("<\"\xc3\xa4 b\"@example.org>"),	0, false, NULL },
	{ IN("<\"a\\"),				0, false, NULL },
	{ IN("<\"a\x07\"@example.org>"),	0, false, NULL },
	{ IN("<\"a\\\x07\"@example.org>"),	0, false, NULL },
	{ IN("<ann@\xc3\xa4.org>"),		0, false, NULL },
	{ IN("<ann@[IPv6:1:2:3:4:5:6:7:8:9]>"),	0, false, NULL },
	{ IN("<ann@[IPv6:1:2:3:4:5:6:7::]>"),	0, true, "ann@[ipv6:1:2:3:4:5:6:7::]" },
	{ IN("<ann@[IPv6:1::2:3:4:5:6:7:8]>"),	0, false, NULL },
	{ IN("<ann@[IPv6:12345::]>"),		0, false, NULL },
	{ IN("<ann@[IPv6:192.0.2.1]>"),		0, false, NULL },
	{ IN("<ann@[IPv6:::1>"),		0, false, NULL },
	{ IN("<ann@[192.0.2.1>"),		0, false, NULL },
	{ IN("<@a.test,b.test:ann@c.test>"),	0, false, NULL },
	{ IN("<@a.test ann@c.test>"),		0, false, NULL },
	{ IN("<@-a:ann@c.test>"),		0, false, NULL },
	{ IN("<a@" A60 "." A60 "." A60 "." A60 "." A10 ".b>"), 0, false, NULL },
	{ IN("<\"" A60 "\\a\\a\\a\\a\"@b.test>"), 0, true, A60 "aaaa@b.test" },
	{ IN("<\"" A60 "\\a\\a\\a\\a\\a\"@b.test>"), 0, false, NULL },
};

START_TEST(reverse_path)
{
	struct cur	c = cur_from(reverse[_i].in);
	struct path	p;
	struct buf	b;

	ck_assert_int_eq(path_reverse(&c, reverse[_i].flags, &p),
	    reverse[_i].ok);
	if (!reverse[_i].ok) {
		ck_assert_ptr_eq(c.p, reverse[_i].in.p);
		return;
	}
	ck_assert(cur_done(&c));
	buf_init(&b, 1024);
	ck_assert_int_eq(path_format(&p, &b), 0);
	ck_assert_str_eq(buf_cstr(&b), reverse[_i].canonical);
	buf_free(&b);
}
END_TEST

START_TEST(small_buffers)
{
	struct path	p = { .local = STR("ann"), .domain = STR("x.test") };
	struct buf	b;
	char		plain[4];
	size_t		max;

	ck_assert_int_eq(path_local_plain(STR("abc"), plain, 0), -1);
	ck_assert_int_eq(path_local_plain(STR("abc"), plain, 3), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert_int_eq(path_local_plain(STR("\"a\\\"b\""), plain, 4), 0);
	ck_assert_str_eq(plain, "a\"b");
	ck_assert_int_eq(path_local_plain(STR(""), plain, 0), -1);
	for (max = 0; max < 10; max++) {
		buf_init(&b, max);
		ck_assert_int_eq(path_format(&p, &b), -1);
		ck_assert_int_eq(errno, EMSGSIZE);
		buf_free(&b);
	}
	buf_init(&b, 10);
	ck_assert_int_eq(path_format(&p, &b), 0);
	buf_free(&b);
	p.local = STR(A60 A60 A60);	/* by hand: no parser gives that */
	buf_init(&b, 1000);
	ck_assert_int_eq(path_format(&p, &b), -1);
	buf_free(&b);
}
END_TEST

START_TEST(forward_path)
{
	struct cur	c = cur_from(STR("<PostMaster>"));
	struct path	p;

	ck_assert(path_forward(&c, 0, &p));
	ck_assert(str_eq(p.local, STR("PostMaster")));
	ck_assert_uint_eq(p.domain.n, 0);
	c = cur_from(STR("<>"));
	ck_assert(!path_forward(&c, 0, &p));
	c = cur_from(STR("<somebody>"));
	ck_assert(!path_forward(&c, 0, &p));
}
END_TEST

START_TEST(bare_local)
{
	struct cur	c = cur_from(STR("ann"));
	struct path	p;

	ck_assert(path_mailbox(&c, 0, true, &p));
	ck_assert_uint_eq(p.domain.n, 0);
	c = cur_from(STR("ann"));
	ck_assert(!path_mailbox(&c, 0, false, &p));
	c = cur_from(STR("ann@"));
	ck_assert(!path_mailbox(&c, 0, true, &p));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("path");
	TCase	*t = tcase_create("path");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, reverse_path, 0, nitems(reverse));
	tcase_add_test(t, small_buffers);
	tcase_add_test(t, forward_path);
	tcase_add_test(t, bare_local);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
