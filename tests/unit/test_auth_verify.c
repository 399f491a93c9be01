/* tests/unit/test_auth_verify.c - does the password fit the record? A new case is a row. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "auth/verify.h"
#include "common/base/attr.h"
#include "common/proc/proto_auth.h"

/* of "secret" */
#define SHA512	"$6$posthouse$6zgA4adpU4/0HmE14JfsiFKPKiV4s8JkkBjeGr9KKXPuX" \
		"m9tN5sLepA9s7sggHuBUHGNPc0GHqKRSRYBzzEgc0"

static const struct { const char *record, *password; bool ok; } rows[] = {
	{ "{PLAIN}secret", "secret", true },
	{ "{plain}secret", "secret", true },
	{ "{CLEARTEXT}secret", "secret", true },
	{ "{PLAIN}secret", "secre", false },
	{ "{PLAIN}secret", "secrets", false },
	{ "{PLAIN}secret", "Secret", false },
	{ "{PLAIN}secret", "", false },
	{ "{PLAIN}", "", false },
	{ "{PLAIN}", "x", false },
	{ "{PLAIN}!secret", "!secret", true },	/* only hashes can be locked */
	{ SHA512, "secret", true },
	{ "{CRYPT}" SHA512, "secret", true },
	{ "{SHA512-CRYPT}" SHA512, "secret", true },
	{ "{CRYPT}" SHA512, "secreT", false },
	{ "{CRYPT}" SHA512, "", false },
	{ "{CRYPT}!" SHA512, "secret", false },
	{ "!" SHA512, "secret", false },
	{ "*", "*", false },
	{ "!", "!", false },
	{ "x", "x", false },		/* of passwd(5): the hash is elsewhere */
	{ "secret", "secret", false },	/* no scheme is no plain text */
	{ "", "", false },
	{ "", "secret", false },
	{ "{CRYPT}", "secret", false },
	{ "{CRYPT}$6$", "secret", false },
	{ "{CRYPT}*0", "*0", false },
	{ "{SSHA}c2VjcmV0", "secret", false },	/* as long as no hash */
	{ "{PLAIN", "secret", false },
	{ "{}secret", "secret", false },
};

static struct crypt_data	scratch;

START_TEST(records)
{
	ck_assert_msg(verify_password(str_from(rows[_i].record),
	    str_from(rows[_i].password), &scratch) == rows[_i].ok,
	    "%s with \"%s\"", rows[_i].record, rows[_i].password);
}
END_TEST

/* Every method that this libcrypt makes is understood. */
START_TEST(methods)
{
	static const char *const prefix[] = { "$y$", "$gy$", "$7$", "$2b$",
	    "$6$", "$5$", "$1$" };
	char		setting[CRYPT_GENSALT_OUTPUT_SIZE], record[1024];
	const char	*hash;

	if (crypt_gensalt_rn(prefix[_i], 0, NULL, 0, setting,
	    sizeof(setting)) == NULL) {
		printf("skipped methods: no %s\n", prefix[_i]);
		return;
	}
	ck_assert_ptr_nonnull(hash = crypt_r("pass word", setting, &scratch));
	ck_assert_int_lt(snprintf(record, sizeof(record), "{CRYPT}%s", hash),
	    (int)sizeof(record));
	ck_assert(verify_password(str_from(record), STR("pass word"),
	    &scratch));
	ck_assert(!verify_password(str_from(record), STR("pass wore"),
	    &scratch));
}
END_TEST

START_TEST(bytes_that_no_string_has)
{
	ck_assert(!verify_password(STR("{PLAIN}sec\0ret"), STR("sec"),
	    &scratch));
	ck_assert(!verify_password(STR("{PLAIN}sec"), STR("sec\0ret"),
	    &scratch));
	ck_assert(!verify_password(str_from(SHA512), STR("secret\0x"),
	    &scratch));
}
END_TEST

START_TEST(bounds)
{
	static char	record[4096], password[4096];
	size_t		n;

	memcpy(record, "{PLAIN}", 7);
	memset(record + 7, 'a', sizeof(record) - 7);
	memset(password, 'a', sizeof(password));
	for (n = 1; n < 2000; n++)
		ck_assert_int_eq(verify_password((struct str){ record, n + 7 },
		    (struct str){ password, n }, &scratch),
		    n <= AUTH_PASS_MAX);
}
END_TEST

START_TEST(scratch_is_wiped)
{
	const char	*p = (const char *)&scratch;
	size_t		i;

	ck_assert(verify_password(str_from(SHA512), STR("secret"), &scratch));
	for (i = 0; i < sizeof(scratch); i++)
		ck_assert_int_eq(p[i], 0);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("auth_verify");
	TCase	*t = tcase_create("auth_verify");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, records, 0, nitems(rows));
	tcase_add_loop_test(t, methods, 0, 7);
	tcase_add_test(t, bytes_that_no_string_has);
	tcase_add_test(t, bounds);
	tcase_add_test(t, scratch_is_wiped);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
