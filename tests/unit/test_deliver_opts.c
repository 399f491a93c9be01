/* tests/unit/test_deliver_opts.c - the command line of deliver(1), and what an address says. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "deliver/opts.h"
#include "deliver/target.h"

#define ARGS_MAX	8

static int
parse(const char *const *words, struct opts *o, struct diag *why)
{
	static char	 text[ARGS_MAX + 1][64];	/* the views look into it */
	char		*argv[ARGS_MAX + 2];
	int		 argc = 0;

	strlcpy(text[0], "deliver", sizeof(text[0]));
	argv[argc++] = text[0];
	for (; *words != NULL; words++, argc++) {
		ck_assert_uint_lt(strlcpy(text[argc], *words,
		    sizeof(text[argc])), sizeof(text[argc]));
		argv[argc] = text[argc];
	}
	argv[argc] = NULL;
	optind = 0;	/* glibc: from the beginning, and forget the last time */
	return opts_parse(o, argc, argv, why);
}

START_TEST(all_of_them)
{
	static const char *const words[] = { "-tv", "-fann@x.test", "-a", "ext",
	    "-s1K", "-m", "Work", "bob", NULL };
	struct opts	o;
	struct diag	why = { "" };

	ck_assert_int_eq(parse(words, &o, &why), 0);
	ck_assert(o.soft && o.verbose);
	ck_assert_str_eq(o.sender, "ann@x.test");
	ck_assert_str_eq(o.ext, "ext");
	ck_assert_int_eq(o.size, 1024);
	ck_assert_str_eq(o.folder, "Work");
	ck_assert_str_eq(o.user, "bob");
	ck_assert_ptr_null(o.conf);
	ck_assert_ptr_null(o.where);
	ck_assert_ptr_null(o.command);
	ck_assert_ptr_null(o.rcpt);
}
END_TEST

START_TEST(none_of_them)
{
	static const char *const words[] = { NULL };
	struct opts	o;
	struct diag	why = { "" };

	ck_assert_int_eq(parse(words, &o, &why), 0);
	ck_assert(!o.soft && !o.verbose);
	ck_assert_int_eq(o.size, -1);
	ck_assert_ptr_null(o.user);
	ck_assert_ptr_null(o.sender);
	ck_assert_ptr_null(o.folder);
}
END_TEST

static const struct {
	const char	*words[ARGS_MAX];
	bool		 ok;
} rows[] = {
	{ { "-f", "", "bob" },			true },
	{ { "-m", "", "bob" },			true },
	{ { "-m", "inbox" },			true },
	{ { "-s", "0" },			true },
	{ { "-o", "a", "-m", "b" },		true },
	{ { "--", "-f" },			true },
	{ { "-d", "a", "bob" },			true },
	{ { "bob", "ann" },			false },
	{ { "" },				false },
	{ { "b\nb" },				false },
	{ { "-x" },				false },
	{ { "-f" },				false },
	{ { "-f", "a\r\nb" },			false },
	{ { "-d", "" },				false },
	{ { "-d", "a\177" },			false },
	{ { "-o", "" },				false },
	{ { "-c", "" },				false },
	{ { "-p", "" },				false },
	{ { "-p", "x", "-o", "y" },		false },
	{ { "-p", "x", "-m", "y" },		false },
	{ { "-m", ".." },			false },
	{ { "-m", "a/b" },			false },
	{ { "-m", "a.b." },			false },
	{ { "-s", "1x" },			false },
	{ { "-s", "-1" },			false },
};

START_TEST(calls)
{
	struct opts	o;
	struct diag	why = { "" };

	ck_assert_int_eq(parse(rows[_i].words, &o, &why),
	    rows[_i].ok ? 0 : -1);
	ck_assert_int_eq(why.text[0] == '\0', rows[_i].ok);
}
END_TEST

static const struct {
	const char	*addr, *separator, *ext;
} exts[] = {
	{ "bob+lists@x.test", "+", "lists" },
	{ "bob+a+b@x.test", "+", "a+b" },
	{ "bob+lists", "+", "lists" },
	{ "bob@x+y.test", "+", "" },
	{ "bob", "+", "" },
	{ "+bob", "+", "" },
	{ "bob+", "+", "" },
	{ "bob+x", "", "" },
	{ "bob-x", "-", "x" },
	{ "\"a@b+c\"@x", "+", "c\"" },
	{ "", "+", "" },
};

START_TEST(sub_addresses)
{
	struct str	ext = target_ext(str_from(exts[_i].addr),
			    exts[_i].separator);

	ck_assert(str_eq(ext, str_from(exts[_i].ext)));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("deliver_opts");
	TCase	*t = tcase_create("deliver_opts");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_test(t, all_of_them);
	tcase_add_test(t, none_of_them);
	tcase_add_loop_test(t, calls, 0, nitems(rows));
	tcase_add_loop_test(t, sub_addresses, 0, nitems(exts));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
