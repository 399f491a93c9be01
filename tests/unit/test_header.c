/* tests/unit/test_header.c - header fields and ESMTP parameters. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/esmtp.h"
#include "common/fmt/header.h"
#include "common/fmt/mboxrd.h"

START_TEST(fields)
{
	struct str		head = STR("To: a\r\nX-Y:\r\n b\r\n\tc\r\n"
				    "received : 1\nReceived: 2\r\n\r\nBody: no\r\n");
	struct header_field	f;
	struct buf		b;

	ck_assert_uint_eq(header_count(head, "RECEIVED"), 2);
	ck_assert_uint_eq(header_count(head, "Body"), 0);
	ck_assert(header_find(head, "x-y", &f));
	buf_init(&b, 100);
	ck_assert_int_eq(header_unfold(f.body, &b), 0);
	ck_assert_str_eq(buf_cstr(&b), "b\tc");
	buf_reset(&b);
	ck_assert_int_eq(header_unfold(STR("\r\n \r\n \t"), &b), 0);
	ck_assert_str_eq(buf_cstr(&b), "");
	buf_free(&b);
	ck_assert(str_eq(f.raw, STR("X-Y:\r\n b\r\n\tc\r\n")));
	ck_assert_uint_eq(header_length(head), head.n - strlen("Body: no\r\n"));
	ck_assert(!header_find(head, "Cc", &f));
}
END_TEST

START_TEST(no_field)
{
	static const struct str	bad[] = { STR("From ann\n"), STR(": x\n"),
	    STR("no colon"), STR("\x80: x\n"), STR("") };
	struct header_field	f;
	struct cur		c;
	size_t			i;

	for (i = 0; i < nitems(bad); i++) {
		c = cur_from(bad[i]);
		ck_assert(!header_next(&c, &f));
		ck_assert_ptr_eq(c.p, bad[i].p);
	}
	c = cur_from(STR("A: no end"));
	ck_assert(header_next(&c, &f));
	ck_assert(str_eq(str_trim(f.body), STR("no end")));
	ck_assert(cur_done(&c));
	c = cur_from(STR("\r\nA: x"));
	ck_assert(!header_next(&c, &f));
	ck_assert_uint_eq(cur_left(&c), 4);
}
END_TEST

static const struct { struct str in; size_t n; bool clean; } params[] = {
	{ STR(""), 0, true },
	{ STR("  "), 0, true },
	{ STR(" SIZE=10 BODY=8BITMIME"), 2, true },
	{ STR(" SMTPUTF8  RET=HDRS "), 2, true },
	{ STR("SIZE=10"), 0, false },
	{ STR(" SIZE="), 0, false },
	{ STR(" SIZE=1=2"), 0, false },
	{ STR(" -X"), 0, false },
	{ STR(" A B\x01"), 1, false },
};

START_TEST(parameters)
{
	struct cur		c = cur_from(params[_i].in);
	struct esmtp_param	p;
	size_t			n = 0;

	while (esmtp_param(&c, &p))
		n++;
	ck_assert_uint_eq(n, params[_i].n);
	ck_assert_int_eq(cur_done(&c), params[_i].clean);
}
END_TEST

START_TEST(dsn_values)
{
	unsigned	bits = 0;
	char		out[8];
	size_t		n;

	ck_assert(esmtp_notify(STR("never"), &bits));
	ck_assert_uint_eq(bits, NOTIFY_NEVER);
	ck_assert(esmtp_notify(STR("SUCCESS,DELAY"), &bits));
	ck_assert_uint_eq(bits, NOTIFY_SUCCESS | NOTIFY_DELAY);
	ck_assert(!esmtp_notify(STR("NEVER,DELAY"), &bits));
	ck_assert(!esmtp_notify(STR("SUCCESS,"), &bits));
	ck_assert(!esmtp_notify(STR(""), &bits));
	ck_assert_int_eq(esmtp_xtext_decode(STR("a+2Bb"), out, sizeof(out), &n), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_int_eq(memcmp(out, "a+b", 3), 0);
	ck_assert_int_eq(esmtp_xtext_decode(STR("a+2"), out, sizeof(out), &n), -1);
	ck_assert_int_eq(esmtp_xtext_decode(STR("a+2b"), out, sizeof(out), &n), -1);
	ck_assert_int_eq(esmtp_xtext_decode(STR("a=b"), out, sizeof(out), &n), -1);
	ck_assert_int_eq(esmtp_xtext_decode(STR("123456789"), out, sizeof(out), &n), -1);
	ck_assert(esmtp_orcpt_ok(STR("rfc822;ann@example.org"), false));
	ck_assert(!esmtp_orcpt_ok(STR("ann@example.org"), false));
	ck_assert(!esmtp_orcpt_ok(STR("rfc822;"), false));
	ck_assert(!esmtp_orcpt_ok(STR("utf-8;\xc3\xa4@x"), false));
	ck_assert(esmtp_orcpt_ok(STR("utf-8;\xc3\xa4@x"), true));
}
END_TEST

START_TEST(from_lines)
{
	ck_assert(mboxrd_is_from(STR("From x")));
	ck_assert(mboxrd_is_from(STR(">>From ")));
	ck_assert(!mboxrd_is_from(STR("From")));
	ck_assert(!mboxrd_is_from(STR(" From x")));
	ck_assert(!mboxrd_is_from(STR(">>>")));
	ck_assert(!mboxrd_is_from(STR("")));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("header");
	TCase	*t = tcase_create("header");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_test(t, fields);
	tcase_add_test(t, no_field);
	tcase_add_loop_test(t, parameters, 0, nitems(params));
	tcase_add_test(t, dsn_values);
	tcase_add_test(t, from_lines);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
