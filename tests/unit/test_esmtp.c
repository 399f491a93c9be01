/* tests/unit/test_esmtp.c - parameters of MAIL and RCPT: a new case is a row. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/esmtp.h"

#define IN(s)	{ (s), sizeof(s) - 1 }

/* "KEY=value;KEY;" and "!" where the rest is malformed. */
static const struct { struct str in; const char *want; } rows[] = {
	{ IN(""), "" },
	{ IN("  \t"), "" },
	{ IN(" SIZE=100"), "SIZE=100;" },
	{ IN(" SIZE=100 body=8BITMIME  SMTPUTF8 "),
	    "SIZE=100;body=8BITMIME;SMTPUTF8;" },
	{ IN("SIZE=1"), "!" },
	{ IN(" =1"), "!" },
	{ IN(" -A=1"), "!" },
	{ IN(" SIZE="), "!" },
	{ IN(" A=b=c"), "!" },
	{ IN(" A=b\0c"), "!" },
	{ IN(" A=\x01"), "!" },
	{ IN(" X A_B=1"), "X;!" },
	{ IN(" ORCPT=utf-8;\xc3\xa4@d"), "ORCPT=utf-8;\xc3\xa4@d;" },
	{ IN(" X-9=~"), "X-9=~;" },
};

START_TEST(params)
{
	struct cur		c = cur_from(rows[_i].in);
	struct esmtp_param	p;
	char			got[256] = "";
	size_t			n = 0;

	while (esmtp_param(&c, &p))
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%.*s%s%.*s;",
		    STR_ARG(p.key), p.has_value ? "=" : "", STR_ARG(p.value));
	if (!cur_done(&c))
		snprintf(got + n, sizeof(got) - n, "!");
	ck_assert_str_eq(got, rows[_i].want);
}
END_TEST

static const struct { const char *in; unsigned want; } notifies[] = {
	{ "NEVER", NOTIFY_NEVER },
	{ "never", NOTIFY_NEVER },
	{ "SUCCESS", NOTIFY_SUCCESS },
	{ "Success,FAILURE,delay",
	    NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY },
	{ "DELAY,DELAY", NOTIFY_DELAY },
	{ "NEVER,SUCCESS", 0 },
	{ "SUCCESS,NEVER", 0 },
	{ "SUCCESS,", 0 },
	{ ",SUCCESS", 0 },
	{ "SUCCESS FAILURE", 0 },
	{ "SUCCESSFUL", 0 },
	{ "", 0 },
};

START_TEST(notify)
{
	unsigned	bits = 0;

	ck_assert_int_eq(esmtp_notify(str_from(notifies[_i].in), &bits),
	    notifies[_i].want != 0);
	ck_assert_uint_eq(bits, notifies[_i].want);
}
END_TEST

static const struct { const char *in; int error; struct str want; } xtexts[] = {
	{ "", 0, IN("") },
	{ "abc", 0, IN("abc") },
	{ "a+2Bb+3D", 0, IN("a+b=") },
	{ "+00+FF", 0, IN("\0\xff") },
	{ "a=b", EINVAL, IN("") },
	{ "a b", EINVAL, IN("") },
	{ "+2b", EINVAL, IN("") },	/* RFC 3461 4: upper case */
	{ "+2", EINVAL, IN("") },
	{ "+", EINVAL, IN("") },
	{ "+G0", EINVAL, IN("") },
	{ "12345678", 0, IN("12345678") },
	{ "123456789", EMSGSIZE, IN("") },
	{ "1234567+38", 0, IN("12345678") },
};

START_TEST(xtext)
{
	char	dst[8];
	size_t	n = 0;

	errno = 0;
	ck_assert_int_eq(esmtp_xtext_decode(str_from(xtexts[_i].in), dst,
	    sizeof(dst), &n), xtexts[_i].error ? -1 : 0);
	ck_assert_int_eq(errno, xtexts[_i].error);
	if (xtexts[_i].error == 0)
		ck_assert(str_eq((struct str){ dst, n }, xtexts[_i].want));
}
END_TEST

static const struct { const char *in; bool utf8, ok; } orcpts[] = {
	{ "rfc822;ann@example.test", false, true },
	{ "rfc822;ann+2Bx@example.test", false, true },
	{ "rfc822;ann+x@example.test", false, false },
	{ "rfc822;ann+20x@example.test", false, true },
	{ "rfc822;ann+0D+0AX-Y:+20z", false, false },	/* no further field */
	{ "rfc822;ann+00", false, false },
	{ "x400;ann+7F", false, false },
	{ "rfc822;", false, false },
	{ ";x", false, false },
	{ "rfc822", false, false },
	{ "rfc822;a=b", false, false },
	{ "rfc822;\xc3\xa4", true, false },
	{ "utf-8;\\x{E4}@example.test", false, true },
	{ "utf-8;\xc3\xa4@example.test", true, true },
	{ "utf-8;\xc3\xa4@example.test", false, false },
	{ "utf-8;a b", true, false },
};

START_TEST(orcpt)
{
	ck_assert_int_eq(esmtp_orcpt_ok(str_from(orcpts[_i].in),
	    orcpts[_i].utf8), orcpts[_i].ok);
}
END_TEST

START_TEST(orcpt_length)
{
	char	text[ORCPT_MAX + 2];

	memset(text, 'a', sizeof(text));
	memcpy(text, "rfc822;", 7);
	ck_assert(esmtp_orcpt_ok((struct str){ text, ORCPT_MAX }, false));
	ck_assert(!esmtp_orcpt_ok((struct str){ text, ORCPT_MAX + 1 }, false));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("esmtp");
	TCase	*t = tcase_create("esmtp");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, params, 0, nitems(rows));
	tcase_add_loop_test(t, notify, 0, nitems(notifies));
	tcase_add_loop_test(t, xtext, 0, nitems(xtexts));
	tcase_add_loop_test(t, orcpt, 0, nitems(orcpts));
	tcase_add_test(t, orcpt_length);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
