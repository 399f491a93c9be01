/* tests/unit/test_auth_sasl.c - the messages of each mechanism, with the examples of their RFCs, in every wrong shape. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "auth/sasl.h"
#include "common/base/attr.h"

#define IN(s)	{ (s), sizeof(s) - 1 }
#define NONE	{ NULL, 0 }	/* no message */
#define LONG256	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct facts	facts;

static const struct {
	enum mechanism		 mechanism;
	struct str		 in[3];		/* messages; the first may be none */
	size_t			 n;
	enum sasl_result	 result;	/* of the last; before it SASL_MORE */
	const char		*authzid, *user, *pass;
	const char		*challenge;	/* before the last, NULL: there is no "before" */
} rows[] = {
	/* RFC 4616 4 */
	{ MECHANISM_PLAIN, { IN("\0tim\0tanstaaftanstaaf") }, 1, SASL_PASSWORD,
	    "", "tim", "tanstaaftanstaaf", NULL },
	{ MECHANISM_PLAIN, { IN("Ursel\0Kurt\0xipj3plmq") }, 1, SASL_PASSWORD,
	    "Ursel", "Kurt", "xipj3plmq", NULL },
	{ MECHANISM_PLAIN, { NONE, IN("\0tim\0x") }, 2, SASL_PASSWORD,
	    "", "tim", "x", "" },
	{ MECHANISM_PLAIN, { IN("\0t\xc2\xadim\0 x \xc3\xa9") }, 1,
	    SASL_PASSWORD, "", "tim", " x \xc3\xa9", NULL },
	{ MECHANISM_PLAIN, { IN("\0" LONG256 "\0x") }, 1, SASL_PASSWORD,
	    "", LONG256, "x", NULL },
	{ MECHANISM_PLAIN, { IN("\0" LONG256 "a\0x") }, 1, SASL_WRONG,
	    "", "", "", NULL },
	{ MECHANISM_PLAIN, { IN("\0t\tim\0x") }, 1, SASL_WRONG, "", "", "", NULL },
	{ MECHANISM_PLAIN, { IN("\0tim\0x\ty") }, 1, SASL_WRONG,
	    "", "tim", "", NULL },
	{ MECHANISM_PLAIN, { IN("") }, 1, SASL_SYNTAX, "", "", "", NULL },
	{ MECHANISM_PLAIN, { IN("tim") }, 1, SASL_SYNTAX, "", "", "", NULL },
	{ MECHANISM_PLAIN, { IN("\0tim") }, 1, SASL_SYNTAX, "", "", "", NULL },
	{ MECHANISM_PLAIN, { IN("\0tim\0") }, 1, SASL_SYNTAX, "", "", "", NULL },
	{ MECHANISM_PLAIN, { IN("\0\0x") }, 1, SASL_SYNTAX, "", "", "", NULL },
	{ MECHANISM_PLAIN, { IN("\0\0") }, 1, SASL_SYNTAX, "", "", "", NULL },
	{ MECHANISM_PLAIN, { IN("\0tim\0x\0") }, 1, SASL_SYNTAX, "", "", "", NULL },
	{ MECHANISM_PLAIN, { IN("\0tim\0\xff") }, 1, SASL_SYNTAX, "", "", "", NULL },
	{ MECHANISM_PLAIN, { IN("a\tb\0tim\0x") }, 1, SASL_SYNTAX, "", "", "", NULL },
	{ MECHANISM_PLAIN, { IN(LONG256 "a\0tim\0x") }, 1, SASL_SYNTAX,
	    "", "", "", NULL },

	{ MECHANISM_LOGIN, { NONE, IN("tim"), IN("x y") }, 3, SASL_PASSWORD,
	    "", "tim", "x y", "Password:" },
	{ MECHANISM_LOGIN, { IN("tim"), IN("x") }, 2, SASL_PASSWORD,
	    "", "tim", "x", "Password:" },
	{ MECHANISM_LOGIN, { NONE, IN("tim") }, 2, SASL_MORE,
	    "", "tim", "", "Username:" },
	{ MECHANISM_LOGIN, { IN(""), IN("x") }, 2, SASL_WRONG, "", "", "",
	    "Password:" },
	{ MECHANISM_LOGIN, { IN("t\0m"), IN("x") }, 2, SASL_WRONG, "", "", "",
	    "Password:" },
	{ MECHANISM_LOGIN, { IN("t\xff"), IN("x") }, 2, SASL_WRONG, "", "", "",
	    "Password:" },
	{ MECHANISM_LOGIN, { IN("tim"), IN("") }, 2, SASL_WRONG, "", "tim", "",
	    "Password:" },
	{ MECHANISM_LOGIN, { IN("tim"), IN("x\0y") }, 2, SASL_WRONG, "", "tim",
	    "", "Password:" },

	/* RFC 4422 A.2 */
	{ MECHANISM_EXTERNAL, { IN("") }, 1, SASL_CERTIFICATE, "", "", "", NULL },
	{ MECHANISM_EXTERNAL, { NONE, IN("") }, 2, SASL_CERTIFICATE,
	    "", "", "", "" },
	{ MECHANISM_EXTERNAL, { IN("fred@example.com") }, 1, SASL_CERTIFICATE,
	    "fred@example.com", "", "", NULL },
	{ MECHANISM_EXTERNAL, { IN("a\0b") }, 1, SASL_SYNTAX, "", "", "", NULL },
	{ MECHANISM_EXTERNAL, { IN("\xff") }, 1, SASL_SYNTAX, "", "", "", NULL },
	{ MECHANISM_EXTERNAL, { IN(LONG256 "a") }, 1, SASL_SYNTAX,
	    "", "", "", NULL },

	/* RFC 7628 4.1, and its other spelling */
	{ MECHANISM_OAUTHBEARER, { IN("n,a=user@example.com,\001host=server."
	    "example.com\001port=143\001auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRh"
	    "dmlzdGEuY29tCg==\001\001") }, 1, SASL_TOKEN,
	    "", "user@example.com", "", NULL },
	{ MECHANISM_XOAUTH2, { IN("user=someuser@example.com\001auth=Bearer "
	    "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\001\001") }, 1,
	    SASL_TOKEN, "", "someuser@example.com", "", NULL },
	{ MECHANISM_OAUTHBEARER, { IN("n,,\001auth=Basic x\001\001") }, 1,
	    SASL_SYNTAX, "", "", "", NULL },
	{ MECHANISM_OAUTHBEARER, { IN("") }, 1, SASL_SYNTAX, "", "", "", NULL },

	{ MECHANISM_SCRAM_SHA_256, { IN("n,a=bob,n=t=2Cim,r=x") }, 1, SASL_SALT,
	    "bob", "t,im", "", NULL },
	{ MECHANISM_SCRAM_SHA_1, { NONE, IN("n,,n=tim,r=x") }, 2, SASL_SALT,
	    "", "tim", "", "" },
	{ MECHANISM_SCRAM_SHA_1, { IN("n,,n=t\tim,r=x") }, 1, SASL_SALT,
	    "", "", "", NULL },
	{ MECHANISM_SCRAM_SHA_1, { IN("n,,n=t\xffm,r=x") }, 1, SASL_SYNTAX,
	    "", "", "", NULL },
	{ MECHANISM_SCRAM_SHA_1, { IN("n,a=b\tc,n=tim,r=x") }, 1, SASL_SYNTAX,
	    "", "", "", NULL },
	{ MECHANISM_SCRAM_SHA_1, { IN("y,,n=tim,r=x") }, 1, SASL_SALT,
	    "", "tim", "", NULL },
	{ MECHANISM_SCRAM_SHA_1_PLUS, { IN("p=tls-unique,,n=t,r=x") }, 1,
	    SASL_TYPE, "", "", "", NULL },
};

static enum sasl_result
drive(struct sasl *s, size_t i, struct buf *out)
{
	enum sasl_result	r = SASL_SYNTAX;
	size_t			k;

	for (k = 0; k < rows[i].n; k++) {
		if (k > 0) {
			ck_assert_int_eq(r, SASL_MORE);
			if (k + 1 == rows[i].n)
				ck_assert(str_eq(buf_view(out),
				    str_from(rows[i].challenge)));
		}
		buf_reset(out);
		r = sasl_step(s, rows[i].in[k].p == NULL ? NULL :
		    &rows[i].in[k], out);
	}
	return r;
}

START_TEST(messages)
{
	struct sasl	s;
	struct buf	out;

	buf_init(&out, 4096);
	sasl_init(&s, rows[_i].mechanism, &facts, false);
	ck_assert_int_eq(drive(&s, (size_t)_i, &out), rows[_i].result);
	if (rows[_i].result != SASL_SYNTAX && rows[_i].result != SASL_TYPE) {
		ck_assert_str_eq(s.authzid, rows[_i].authzid);
		ck_assert_str_eq(s.user, rows[_i].user);
		ck_assert_str_eq(s.pass, rows[_i].pass);
	}
	if (rows[_i].result != SASL_MORE && rows[_i].result != SASL_SALT &&
	    rows[_i].mechanism < MECHANISM_OAUTHBEARER) {
		struct str	more = STR("more");

		ck_assert_int_eq(sasl_step(&s, &more, &out), SASL_SYNTAX);
	}
	ck_assert(rows[_i].result < SASL_SYNTAX || s.why != NULL);
	sasl_free(&s);
	buf_free(&out);
}
END_TEST

/* A client that could have bound the channel, and was offered it. */
START_TEST(downgrade)
{
	struct str	first = STR("y,,n=tim,r=x");
	struct sasl	s;
	struct buf	out;

	buf_init(&out, 4096);
	sasl_init(&s, MECHANISM_SCRAM_SHA_256, &facts, true);
	ck_assert_int_eq(sasl_step(&s, &first, &out), SASL_WRONG);
	ck_assert_ptr_nonnull(strstr(s.why, "-PLUS"));
	sasl_free(&s);
	buf_free(&out);
}
END_TEST

static const struct { struct str user, pass; enum sasl_result result; }
    logins[] = {
	{ IN("tim"), IN("x"), SASL_PASSWORD },
	{ IN("tim"), IN(""), SASL_WRONG },
	{ IN(""), IN("x"), SASL_WRONG },
	{ IN("t\0m"), IN("x"), SASL_WRONG },
	{ IN("tim"), IN("x\0y"), SASL_WRONG },
	{ IN("tim"), IN("x\xff"), SASL_PASSWORD },	/* an old one, perhaps */
	{ IN("t\xff"), IN("x"), SASL_WRONG },
	{ IN("tim"), IN("x\ry"), SASL_WRONG },
};

START_TEST(without_mechanism)
{
	struct sasl	s;

	sasl_init(&s, MECHANISM_NONE, &facts, false);
	ck_assert_int_eq(sasl_login(&s, logins[_i].user, logins[_i].pass),
	    logins[_i].result);
	sasl_free(&s);
}
END_TEST

START_TEST(wiped)
{
	struct str	message = STR("\0tim\0password");
	struct sasl	s;
	struct buf	out;
	size_t		i;

	buf_init(&out, 16);
	sasl_init(&s, MECHANISM_PLAIN, &facts, false);
	ck_assert_int_eq(sasl_step(&s, &message, &out), SASL_PASSWORD);
	sasl_free(&s);
	for (i = 0; i < sizeof(s); i++)
		ck_assert_int_eq(((const char *)&s)[i], 0);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("auth_sasl");
	TCase	*t = tcase_create("auth_sasl");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, messages, 0, nitems(rows));
	tcase_add_test(t, downgrade);
	tcase_add_loop_test(t, without_mechanism, 0, nitems(logins));
	tcase_add_test(t, wiped);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
