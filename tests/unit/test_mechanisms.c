/* tests/unit/test_mechanisms.c - which SASL mechanisms are offered to which connection. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/proc/mechanisms.h"

#define KEYS	"auth.token-keys /k\nauth.token-issuer i\nauth.token-audience mail\n"

static const struct {
	const char		*conf;
	struct mechanism_facts	 facts;	/* encrypted, cleartext_ok, binding, certificate */
	const char		*text;
} rows[] = {
	{ "", { 0 }, "SCRAM-SHA-1 SCRAM-SHA-256" },
	{ "", { .cleartext_ok = true },
	    "PLAIN LOGIN SCRAM-SHA-1 SCRAM-SHA-256" },
	{ "", { .encrypted = true },
	    "PLAIN LOGIN SCRAM-SHA-1 SCRAM-SHA-256" },
	{ "", { .encrypted = true, .binding = true, .certificate = true },
	    "PLAIN LOGIN SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-1-PLUS "
	    "SCRAM-SHA-256-PLUS" },
	{ "", { .binding = true, .certificate = true },
	    "SCRAM-SHA-1 SCRAM-SHA-256" },
	{ "auth.mechanisms none\n", { .encrypted = true }, "" },
	{ "auth.mechanisms PLAIN\n", { 0 }, "" },
	{ "auth.mechanisms scram-sha-256 plain\n", { .encrypted = true },
	    "SCRAM-SHA-256 PLAIN" },
	{ "auth.mechanisms PLAIN plain PLAIN\n", { .encrypted = true },
	    "PLAIN" },
	/* tokens, where there is something to check them by */
	{ "auth.mechanisms EXTERNAL OAUTHBEARER XOAUTH2\n",
	    { .encrypted = true }, "" },
	{ "auth.mechanisms EXTERNAL OAUTHBEARER XOAUTH2\n" KEYS,
	    { .encrypted = true }, "OAUTHBEARER XOAUTH2" },
	{ "auth.mechanisms EXTERNAL OAUTHBEARER XOAUTH2\n"
	    "auth.introspection-url https://id.test/i\nauth.token-scope mail\n",
	    { .encrypted = true }, "OAUTHBEARER XOAUTH2" },
	{ "auth.mechanisms EXTERNAL OAUTHBEARER XOAUTH2\n" KEYS, { 0 }, "" },
	{ "auth.mechanisms EXTERNAL\n",
	    { .encrypted = true, .certificate = true }, "EXTERNAL" },
	{ "auth.mechanisms EXTERNAL\n",
	    { .cleartext_ok = true, .certificate = true }, "" },
};

static const char *const names[] = { "PLAIN", "LOGIN", "SCRAM-SHA-1",
	"SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "EXTERNAL",
	"OAUTHBEARER", "XOAUTH2" };

static struct settings *
conf(const char *text)
{
	struct settings	*s;
	struct diag	 why;
	char		 all[512];

	snprintf(all, sizeof(all), "hostname mx.test\n%s", text);
	ck_assert_msg(settings_parse(str_from(all), "t", &s, &why) == 0, "%s",
	    why.text);
	return s;
}

/* What is announced may be used, and nothing else. */
START_TEST(offered)
{
	struct settings	*s = conf(rows[_i].conf);
	char		 text[MECHANISMS_TEXT_SIZE], around[160], name[64];
	enum mechanism	 m;
	size_t		 i;

	ck_assert_str_eq(mechanisms_text(s, &rows[_i].facts, text),
	    rows[_i].text);
	snprintf(around, sizeof(around), " %s ", text);
	for (i = 0; i < nitems(names); i++) {
		ck_assert(mechanism_find(str_from(names[i]), &m));
		ck_assert_str_eq(mechanism_name(m), names[i]);
		snprintf(name, sizeof(name), " %s ", names[i]);
		ck_assert_int_eq(mechanism_ok(s, &rows[_i].facts, m),
		    strstr(around, name) != NULL);
	}
	ck_assert_int_eq(mechanism_ok(s, &rows[_i].facts, MECHANISM_NONE),
	    rows[_i].facts.encrypted || rows[_i].facts.cleartext_ok);
	settings_free(&s);
}
END_TEST

START_TEST(all_of_them)
{
	struct settings		*s;
	struct mechanism_facts	 f = { true, true, true, true };
	char			 text[MECHANISMS_TEXT_SIZE], line[256] = "";
	size_t			 i, n;

	strlcat(line, "auth.mechanisms", sizeof(line));
	for (i = 0; i < nitems(names); i++) {
		strlcat(line, " ", sizeof(line));
		strlcat(line, names[i], sizeof(line));
	}
	n = strlen(line);
	strlcat(line, "\n" KEYS, sizeof(line));
	s = conf(line);
	mechanisms_text(s, &f, text);
	ck_assert_uint_eq(strlen(text), n - strlen("auth.mechanisms "));
	settings_free(&s);
}
END_TEST

START_TEST(unknown)
{
	static const char *const bad[] = { "", "PLAI", "PLAINX", "password",
	    "SCRAM-SHA-512", "ANONYMOUS" };
	enum mechanism		 m;
	struct settings		*s;
	struct diag		 why;
	char			 line[64];

	ck_assert(!mechanism_find(str_from(bad[_i]), &m));
	snprintf(line, sizeof(line), "auth.mechanisms \"%s\"\n", bad[_i]);
	ck_assert_int_eq(settings_parse(str_from(line), "t", &s, &why), -1);
}
END_TEST

static const struct {
	const char	*how, *peer;
	bool		 ok;
} clear[] = {
	{ "yes", "192.0.2.1", true },
	{ "no", "127.0.0.1", false },
	{ "loopback", "127.0.0.1", true },
	{ "loopback", "127.9.9.9", true },
	{ "loopback", "::1", true },
	{ "loopback", "192.0.2.1", false },
	{ "loopback", "::2", false },
	{ "loopback", "2001:db8::1", false },
};

START_TEST(cleartext)
{
	struct addr	a;

	ck_assert_int_eq(addr_parse(str_from(clear[_i].peer), &a), 0);
	ck_assert_int_eq(mechanisms_cleartext_ok(clear[_i].how, &a), clear[_i].ok);
}
END_TEST

START_TEST(cleartext_keys)
{
	struct settings	*s = conf("pop3.cleartext yes\n"
			    "submission.cleartext no\n");

	ck_assert_str_eq(mechanisms_cleartext_of(s, "pop3"), "yes");
	ck_assert_str_eq(mechanisms_cleartext_of(s, "submission"), "no");
	ck_assert_str_eq(mechanisms_cleartext_of(s, "smtp"), "no");
	ck_assert_str_eq(mechanisms_cleartext_of(s, "gopher"), "no");
	settings_free(&s);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("mechanisms");
	TCase	*t = tcase_create("mechanisms");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, offered, 0, nitems(rows));
	tcase_add_test(t, all_of_them);
	tcase_add_loop_test(t, unknown, 0, 6);
	tcase_add_loop_test(t, cleartext, 0, nitems(clear));
	tcase_add_test(t, cleartext_keys);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
