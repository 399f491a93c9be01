/* tests/unit/test_submit_check.c - what a local user may put into an envelope. */
#include "queue/submit_check.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/record.h"

#define ID	"cr84b8gc2g2yhg9tknzj"

static const struct {
	const char	*in;
	bool		ok;
	size_t		nrcpts;
} heads[] = {
	{ "S1:a,\nr3:bob,\n\n", true, 1 },
	{ "S0:,\nE1:x,\nO8:8BITMIME,\nr1:b,\no8:rfc822;x,\nn1:4,\nr1:c,\n\n", true, 2 },
	{ "S1:a,\n\n", true, 0 },
	{ "S1:a,\nr3:bob,\n", false, 0 },
	{ "S1:a,\nr3:bob,\n\nx", false, 0 },
	{ "S1:a,\nr3:bob,\nf2:kP,\n\n", false, 0 },
	{ "S1:a,\nr3:bob,\ns1:d,\n\n", false, 0 },
	{ "S1:a,\nA4:root,\nr3:bob,\n\n", false, 0 },
	{ "S1:a,\nC3:::1,\nr3:bob,\n\n", false, 0 },
	{ "S1:a,\nT1:0,\nr3:bob,\n\n", false, 0 },
	{ "I1:0,\nS1:a,\nr3:bob,\n\n", false, 0 },
	{ "S1:a,\no1:x,\nr3:bob,\n\n", false, 0 },
	{ "S1:a,\nr3:bob,\nS1:b,\n\n", false, 0 },
	{ "", false, 0 },
};

START_TEST(head)
{
	struct envelope	env;
	struct diag	why;
	struct buf	out;
	int		r;

	buf_init(&out, 4096);
	r = submit_head(str_from(heads[_i].in), ID, 1, &out);
	ck_assert_int_eq(r == 0, heads[_i].ok);
	if (r == -1)
		ck_assert_int_eq(errno, EBADMSG);
	if (r == 0 && heads[_i].nrcpts > 0) {
		ck_assert_int_eq(envelope_parse(buf_view(&out), &env, &why), 0);
		ck_assert_str_eq(env.id, ID);
		ck_assert(str_eq(env.origin, STR("drop")));
		ck_assert_uint_eq(env.nrcpts, heads[_i].nrcpts);
		ck_assert_int_eq(env.rcpts[env.nrcpts - 1].state, RCPT_WAITING);
		envelope_free(&env);
	}
	buf_free(&out);
}
END_TEST

static const struct {
	const char	*sender, *rcpt;
	size_t		 nrcpts;
	off_t		 len;
	const char	*why;	/* a part of it; NULL: right */
} envs[] = {
	{ "", "bob", 1, 0, NULL },
	{ "ann@a.test", "bob@b.test", 100, 65536, NULL },
	{ "\xc3\xbc@a.test", "\"a b\"@[192.0.2.1]", 1, 0, NULL },
	{ "ann", "bob", 0, 0, "no recipient" },
	{ "ann", "bob", 101, 0, "smtp.recipients" },
	{ "ann", "bob", 1, 65537, "smtp.message-size" },
	{ "ann bob", "bob", 1, 0, "sender" },
	{ "<ann@a.test>", "bob", 1, 0, "sender" },
	{ "ann", "bob@", 1, 0, "a recipient" },
	{ "ann", "|sh", 1, 0, NULL },		/* a local part like any other */
	{ "ann", "/etc/passwd", 1, 0, NULL },
	{ "ann", "-f@b.test", 1, 0, NULL },
	{ "ann", "", 1, 0, "a recipient" },
};

START_TEST(check)
{
	struct settings		*set;
	struct envelope_rcpt	 rcpts[101] = { 0 };
	struct envelope		 env = { .rcpts = rcpts };
	struct diag		 why;
	const char		*got;
	size_t			 i;

	ck_assert_int_eq(settings_parse(STR("smtp.message-size 64K\n"
	    "smtp.recipients 100\n"), "test", &set, &why), 0);
	env.sender = str_from(envs[_i].sender);
	env.nrcpts = envs[_i].nrcpts;
	env.content_len = envs[_i].len;
	for (i = 0; i < env.nrcpts; i++)
		rcpts[i].addr = str_from(envs[_i].rcpt);
	got = submit_check(set, &env);
	if (envs[_i].why == NULL)
		ck_assert_ptr_null(got);
	else {
		ck_assert_ptr_nonnull(got);
		ck_assert_ptr_nonnull(strstr(got, envs[_i].why));
	}
	settings_free(&set);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("submit_check");
	TCase	*t = tcase_create("submit_check");
	SRunner	*sr;
	int	 failed;

	tcase_add_loop_test(t, head, 0, nitems(heads));
	tcase_add_loop_test(t, check, 0, nitems(envs));
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
