/* tests/unit/test_surrogate.c - headers for readers of ASCII. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/surrogate.h"
#include "common/fmt/utf8.h"

static const struct {
	const char	*in, *out;
} rows[] = {
	/* ASCII stays, whatever it is */
	{ "Subject: a\r\n b\r\nX\r\n\r\n", "Subject: a\r\n b\r\nX\r\n\r\n" },
	{ "Subject: \xc3\xa4\r\n", "Subject: =?utf-8?B?w6Q=?=\r\n" },
	{ "Subject: one \xc3\xa4 two\n", "Subject: one =?utf-8?B?w6Q=?= two\n" },
	/* words side by side are one, with what is between them */
	{ "Subject: \xc3\xa4 \xc3\xb6 x\n", "Subject: =?utf-8?B?w6Qgw7Y=?= x\n" },
	{ "Subject: \xc3\xa4\r\n \xc3\xb6\r\n", "Subject: =?utf-8?B?w6Qgw7Y=?=\r\n" },
	/* Latin-1 is called what it is: unknown */
	{ "Subject: \xe4\n", "Subject: =?unknown-8bit?B?5A==?=\n" },
	{ "no field \xc3\xa4\n", "no field =?utf-8?B?w6Q=?=\n" },
	{ "f\xc3\xa4: x\n", "=?utf-8?B?ZsOkOg==?= x\n" },
	/* names and addresses */
	{ "From: J\xc3\xbc M\xc3\xbc <a@b.test>\n",
	    "From: =?utf-8?B?SsO8IE3DvA==?= <a@b.test>\n" },
	{ "To: \"M\xc3\xbc, J\" <a@b.test>, \"x, y\" <c@d.test>\n",
	    "To: =?utf-8?B?TcO8LCBK?= <a@b.test>, \"x, y\" <c@d.test>\n" },
	{ "Cc: a@b.test (J\xc3\xbc), c@d.test\n",
	    "Cc: a@b.test (=?utf-8?B?SsO8?=), c@d.test\n" },
	{ "From: <j\xc3\xbc@b.test>\n",
	    "From: <internationalized-address@invalid>\n (=?utf-8?B?asO8QGIudGVzdA==?=)\n" },
	{ "From: j\xc3\xbc@b.test, c@d.test\n",
	    "From: internationalized-address@invalid\n (=?utf-8?B?asO8QGIudGVzdA==?=), c@d.test\n" },
	{ "To: \xc3\x9c: a@b.test;\n", "To: =?utf-8?B?w5w=?=: a@b.test;\n" },
	{ "To: \"\xc3\xa4\\\"b\" <a@b.test>\n", "To: =?utf-8?B?w6QiYg==?= <a@b.test>\n" },
	/* parameters */
	{ "Content-Disposition: attachment; filename=\"\xc3\x9c 1.pdf\"; size=3\n",
	    "Content-Disposition: attachment; filename*=utf-8''%C3%9C%201.pdf; size=3\n" },
	{ "Content-Type: text/plain; name=\xc3\x9c\r\n",
	    "Content-Type: text/plain; name*=utf-8''%C3%9C\r\n" },
	{ "Content-Type: text/plain; name*=\xc3\x9c\n",
	    "Content-Type: text/plain; name*=%C3%9C\n" },
	{ "Content-Type: text/plain; x=\"a;b\"; n=\"\xe4\"\n",
	    "Content-Type: text/plain; x=\"a;b\"; n*=unknown-8bit''%E4\n" },
	/* what does not end */
	{ "To: \"\xc3\xa4", "To: =?utf-8?B?w6Q=?=" },
	{ "To: (\xc3\xa4", "To: (=?utf-8?B?w6Q=?=)" },
	{ "Content-Type: \xc3\xa4; n=\"\xc3\xa4", "Content-Type: =?utf-8?B?w6Q=?=; n*=utf-8''%C3%A4" }
};

START_TEST(rewritten)
{
	struct str	in = str_from(rows[_i].in);
	struct buf	out;

	buf_init(&out, 1000);
	ck_assert_int_eq(surrogate_header(in, &out), 0);
	ck_assert_str_eq(buf_cstr(&out), rows[_i].out);
	ck_assert(!surrogate_wanted(buf_view(&out)));
	buf_free(&out);
}
END_TEST

/* Lines stay short, no character is divided, and nothing is lost. */
START_TEST(long_ones)
{
	static char	in[4000];
	struct buf	out;
	const char	*p, *lf;
	size_t		n = 0;

	n = strlcpy(in, "Subject: ", sizeof(in));
	while (n + 8 < sizeof(in))
		n += strlcpy(in + n, "\xe2\x82\xac\xc3\xa4", sizeof(in) - n);
	buf_init(&out, 100000);
	ck_assert_int_eq(surrogate_header((struct str){ in, n }, &out), 0);
	for (p = buf_cstr(&out); (lf = strchr(p, '\n')) != NULL; p = lf + 1)
		ck_assert_int_le(lf - p, 76);
	ck_assert_ptr_null(strstr(out.p, "unknown"));
	/* four base64 letters of each three bytes */
	ck_assert_uint_gt(out.n, n / 3 * 4);
	buf_free(&out);
	/* a buffer that is too small is told */
	buf_init(&out, 100);
	ck_assert_int_eq(surrogate_header((struct str){ in, n }, &out), -1);
	buf_free(&out);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("surrogate");
	TCase	*t = tcase_create("surrogate");
	SRunner	*r;
	int	 failed;

	tcase_add_loop_test(t, rewritten, 0, nitems(rows));
	tcase_add_test(t, long_ones);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
