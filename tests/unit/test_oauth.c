/* tests/unit/test_oauth.c - OAUTHBEARER and XOAUTH2: the client's messages and the errors. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/form.h"
#include "common/fmt/oauth.h"

#define IN(s)	{ (s), sizeof(s) - 1 }
#define A	"\x01"
#define T	"vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg=="
#define U64	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define B	OAUTH_BEARER
#define X	OAUTH_X2

static const struct {
	enum oauth_form	 form;
	struct str	 in;
	bool		 ok;
	const char	*user, *token;
} rows[] = {
	/* RFC 7628 4.1 */
	{ B, IN("n,a=user@example.com," A "host=server.example.com" A
	    "port=143" A "auth=Bearer " T A A), true, "user@example.com", T },
	{ B, IN("n,," A "auth=Bearer " T A A), true, "", T },
	{ B, IN("y,," A "auth=bearer  " T A A), true, "", T },
	{ B, IN("n,a=a=2Cb=3dc," A "auth=Bearer x" A A), true, "a,b=c", "x" },
	{ B, IN("n,a=J\xc3\xbcrgen," A "auth=Bearer x" A A), true,
	    "J\xc3\xbcrgen", "x" },
	{ B, IN("n,," A "other=\t any\r\n" A "auth=Bearer x" A A), true, "", "x" },
	/* only a question, 4.3 */
	{ B, IN("n,," A "host=h" A "auth=" A A), true, "", "" },
	{ B, IN("n,a=" U64 U64 U64 U64 "," A "auth=Bearer x" A A), true,
	    U64 U64 U64 U64, "x" },
	{ B, IN("n,a=" U64 U64 U64 U64 "b," A "auth=Bearer x" A A), false, 0, 0 },
	{ B, IN(""), false, 0, 0 },
	{ B, IN(A), false, 0, 0 },
	{ B, IN("n,," A A), false, 0, 0 },
	{ B, IN("n,," A "host=h" A A), false, 0, 0 },
	{ B, IN("p=tls-exporter,," A "auth=Bearer x" A A), false, 0, 0 },
	{ B, IN("F,n,," A "auth=Bearer x" A A), false, 0, 0 },
	{ B, IN("n,a=," A "auth=Bearer x" A A), false, 0, 0 },
	{ B, IN("n,a=a=2Db," A "auth=Bearer x" A A), false, 0, 0 },
	{ B, IN("n,a=a=," A "auth=Bearer x" A A), false, 0, 0 },
	{ B, IN("n,a=a\0b," A "auth=Bearer x" A A), false, 0, 0 },
	{ B, IN("n,a=a\nb," A "auth=Bearer x" A A), false, 0, 0 },
	{ B, IN("n,b=a," A "auth=Bearer x" A A), false, 0, 0 },
	{ B, IN("n," A "auth=Bearer x" A A), false, 0, 0 },
	{ B, IN("n,,auth=Bearer x" A A), false, 0, 0 },
	{ B, IN("n,," A "auth=Bearer x" A), false, 0, 0 },
	{ B, IN("n,," A "auth=Bearer x"), false, 0, 0 },
	{ B, IN("n,," A "auth=Bearer x" A A "y"), false, 0, 0 },
	{ B, IN("n,," A "auth=Bearer x" A A A), false, 0, 0 },
	{ B, IN("n,," A "auth=Bearer x" A "auth=Bearer y" A A), false, 0, 0 },
	{ B, IN("n,," A "auth=" A "auth=Bearer y" A A), false, 0, 0 },
	{ B, IN("n,," A "auth=Bearer" A A), false, 0, 0 },
	{ B, IN("n,," A "auth=Bearer " A A), false, 0, 0 },
	{ B, IN("n,," A "auth=Bearer =" A A), false, 0, 0 },
	{ B, IN("n,," A "auth=Bearer x=y" A A), false, 0, 0 },
	{ B, IN("n,," A "auth=Bearer x y" A A), false, 0, 0 },
	{ B, IN("n,," A "auth=Bearer x\0y" A A), false, 0, 0 },
	{ B, IN("n,," A "auth=MAC x" A A), false, 0, 0 },
	{ B, IN("n,," A "auth=Basic Zm9v" A A), false, 0, 0 },
	{ B, IN("n,," A "ho st=x" A "auth=Bearer x" A A), false, 0, 0 },
	{ B, IN("n,," A "=x" A "auth=Bearer x" A A), false, 0, 0 },
	{ B, IN("n,," A "host=a\0b" A "auth=Bearer x" A A), false, 0, 0 },
	{ B, IN("n,," A "host=\xc3\xbc" A "auth=Bearer x" A A), false, 0, 0 },
	{ B, IN("user=a" A "auth=Bearer x" A A), false, 0, 0 },

	{ X, IN("user=someuser@example.com" A "auth=Bearer " T A A), true,
	    "someuser@example.com", T },
	{ X, IN("user=" A "auth=Bearer x" A A), true, "", "x" },
	{ X, IN("user=a,b=c" A "auth=Bearer x" A A), true, "a,b=c", "x" },
	{ X, IN("user=a" A "auth=Bearer x" A), false, 0, 0 },
	{ X, IN("user=a" A A), false, 0, 0 },
	{ X, IN("user=a\0b" A "auth=Bearer x" A A), false, 0, 0 },
	{ X, IN("user=a\rb" A "auth=Bearer x" A A), false, 0, 0 },
	{ X, IN("user=" U64 U64 U64 U64 "b" A "auth=Bearer x" A A), false, 0, 0 },
	{ X, IN("auth=Bearer x" A "user=a" A A), false, 0, 0 },
	{ X, IN("n,a=a," A "auth=Bearer x" A A), false, 0, 0 },
	{ X, IN(""), false, 0, 0 },
};

START_TEST(messages)
{
	struct oauth_message	m;

	ck_assert_int_eq(oauth_parse(rows[_i].form, rows[_i].in, &m),
	    rows[_i].ok);
	if (!rows[_i].ok)
		return;
	ck_assert_str_eq(m.user, rows[_i].user);
	ck_assert(str_eq(m.token, str_from(rows[_i].token)));
}
END_TEST

START_TEST(ends)
{
	ck_assert(oauth_is_end(STR(A)));
	ck_assert(oauth_is_end(STR("")));
	ck_assert(!oauth_is_end(STR(A A)));
	ck_assert(!oauth_is_end(STR("x")));
}
END_TEST

static const struct {
	enum oauth_form		 form;
	enum oauth_error	 error;
	const char		*scope, *discovery, *json;
} errors[] = {
	{ B, OAUTH_INVALID_TOKEN, "", "", "{\"status\":\"invalid_token\"}" },
	{ B, OAUTH_INSUFFICIENT_SCOPE, "mail", "https://a.example/b",
	    "{\"status\":\"insufficient_scope\",\"scope\":\"mail\","
	    "\"openid-configuration\":\"https://a.example/b\"}" },
	{ B, OAUTH_INVALID_REQUEST, "a\"b", "",
	    "{\"status\":\"invalid_request\",\"scope\":\"a\\\"b\"}" },
	{ X, OAUTH_INVALID_TOKEN, "", "",
	    "{\"status\":\"401\",\"schemes\":\"bearer\"}" },
	{ X, OAUTH_INVALID_REQUEST, "mail", "",
	    "{\"status\":\"400\",\"schemes\":\"bearer\",\"scope\":\"mail\"}" },
};

START_TEST(json)
{
	struct buf	b, small;

	buf_init(&b, 1024);
	ck_assert_int_eq(oauth_error_json(&b, errors[_i].form,
	    errors[_i].error, errors[_i].scope, errors[_i].discovery), 0);
	ck_assert_str_eq(buf_cstr(&b), errors[_i].json);
	buf_init(&small, b.n - 1);
	(void)!oauth_error_json(&small, errors[_i].form, errors[_i].error,
	    errors[_i].scope, errors[_i].discovery);
	ck_assert(!buf_ok(&small));
	buf_free(&small);
	buf_free(&b);
}
END_TEST

static const struct { struct str in; const char *out; } forms[] = {
	{ IN(""), "" },
	{ IN("aZ09-._"), "aZ09-._" },
	{ IN("~ +/=&%"), "%7E%20%2B%2F%3D%26%25" },
	{ IN("\0\xff\n"), "%00%FF%0A" },
};

START_TEST(values_of_forms)
{
	struct buf	b, small;

	buf_init(&b, 100);
	buf_addc(&b, '=');
	form_encode(&b, forms[_i].in);
	ck_assert(str_eq((struct str){ b.p + 1, b.n - 1 },
	    str_from(forms[_i].out)));
	ck_assert_uint_le(b.n - 1, FORM_LEN(forms[_i].in.n));
	buf_init(&small, b.n - 1);
	buf_addc(&small, '=');
	form_encode(&small, forms[_i].in);
	ck_assert_int_eq(buf_ok(&small), false);
	buf_free(&small);
	buf_free(&b);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("oauth");
	TCase	*t = tcase_create("oauth");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, messages, 0, nitems(rows));
	tcase_add_test(t, ends);
	tcase_add_loop_test(t, json, 0, nitems(errors));
	tcase_add_loop_test(t, values_of_forms, 0, nitems(forms));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
