/* tests/unit/test_sendmail_opts.c - how programs call sendmail. */
#include "queue/sendmail_opts.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/fmt/esmtp.h"
#include "common/store/envelope.h"

#define ARGS_MAX	16

/* A call as a shell would split it; '_' stands for an empty argument. */
static const struct {
	const char		*call;
	enum sendmail_mode	 mode;
	bool			 extract, dots;
	const char		*sender, *name, *rest;	/* rest: the recipients, joined with '|' */
} rows[] = {
	/* cron, at, git send-email, PHP, mutt, s-nail, bsd-mailx, reportbug, logwatch, Python */
	{ "sendmail -FCronDaemon -i -B8BITMIME -oem root",
	    SENDMAIL_MAIL, false, true, NULL, "CronDaemon", "root" },
	{ "sendmail -i ann", SENDMAIL_MAIL, false, true, NULL, NULL, "ann" },
	{ "sendmail -f ann@a.test -i bob@b.test carol@c.test",
	    SENDMAIL_MAIL, false, true, "ann@a.test", NULL,
	    "bob@b.test|carol@c.test" },
	{ "sendmail -t -i", SENDMAIL_MAIL, true, true, NULL, NULL, "" },
	{ "sendmail -oem -oi -f ann@a.test -N delay,failure -R hdrs -- bob",
	    SENDMAIL_MAIL, false, true, "ann@a.test", NULL, "bob" },
	{ "sendmail -i -r ann@a.test -- bob@b.test",
	    SENDMAIL_MAIL, false, true, "ann@a.test", NULL, "bob@b.test" },
	{ "sendmail -i -m bob", SENDMAIL_MAIL, false, true, NULL, NULL, "bob" },
	{ "sendmail -oem -odb -oi -t", SENDMAIL_MAIL, true, true, NULL, NULL, "" },
	{ "/usr/lib/sendmail -t", SENDMAIL_MAIL, true, false, NULL, NULL, "" },
	{ "sendmail -t -oi", SENDMAIL_MAIL, true, true, NULL, NULL, "" },
	{ "sendmail -bs -odb -oem", SENDMAIL_SMTP, false, false, NULL, NULL, "" },
	/* clusters, glued and separate arguments */
	{ "sendmail -ti", SENDMAIL_MAIL, true, true, NULL, NULL, "" },
	{ "sendmail -tif ann", SENDMAIL_MAIL, true, true, "ann", NULL, "" },
	{ "sendmail -tifann bob", SENDMAIL_MAIL, true, true, "ann", NULL, "bob" },
	{ "sendmail -f _ bob", SENDMAIL_MAIL, false, false, "", NULL, "bob" },
	{ "sendmail -f <> bob", SENDMAIL_MAIL, false, false, "<>", NULL, "bob" },
	{ "sendmail -fann -F Ann bob", SENDMAIL_MAIL, false, false, "ann",
	    "Ann", "bob" },
	{ "sendmail -f -t bob", SENDMAIL_MAIL, false, false, "-t", NULL, "bob" },
	{ "sendmail -o i bob", SENDMAIL_MAIL, false, true, NULL, NULL, "bob" },
	{ "sendmail bob -t", SENDMAIL_MAIL, false, false, NULL, NULL, "bob|-t" },
	{ "sendmail -- -t", SENDMAIL_MAIL, false, false, NULL, NULL, "-t" },
	{ "sendmail - bob", SENDMAIL_MAIL, false, false, NULL, NULL, "-|bob" },
	{ "sendmail --", SENDMAIL_MAIL, false, false, NULL, NULL, "" },
	/* of no meaning here */
	{ "sendmail -G -U -v -n -m -c -Am -O DeliveryMode=b -oA/x -X /log -L tag "
	    "-p SMTP -h 3 -e m bob",
	    SENDMAIL_MAIL, false, false, NULL, NULL, "bob" },
	{ "sendmail -d0.1 bob", SENDMAIL_MAIL, false, false, NULL, NULL, "bob" },
	{ "sendmail -oQ/x -o7 -o8 bob", SENDMAIL_MAIL, false, false, NULL, NULL, "bob" },
	/* the other modes; the last one counts */
	{ "sendmail -bp", SENDMAIL_LIST, false, false, NULL, NULL, "" },
	{ "mailq", SENDMAIL_LIST, false, false, NULL, NULL, "" },
	{ "/usr/bin/newaliases", SENDMAIL_ALIASES, false, false, NULL, NULL, "" },
	{ "sendmail -bi", SENDMAIL_ALIASES, false, false, NULL, NULL, "" },
	{ "sendmail -I", SENDMAIL_ALIASES, false, false, NULL, NULL, "" },
	{ "sendmail -bi -bm bob", SENDMAIL_MAIL, false, false, NULL, NULL, "bob" },
	{ "sendmail -q", SENDMAIL_FLUSH, false, false, NULL, NULL, "" },
	{ "sendmail -q15m", SENDMAIL_FLUSH, false, false, NULL, NULL, "" },
	{ "sendmail -qIcr84b8gc2g2yhg9tknzj", SENDMAIL_FLUSH, false, false,
	    NULL, NULL, "" },
};

static int
split(const char *call, char *mem, size_t size, char *argv[ARGS_MAX + 16])
{
	char	*word, *next = mem;
	int	 argc = 0;

	ck_assert_uint_lt(strlcpy(mem, call, size), size);
	while ((word = strsep(&next, " ")) != NULL)
		argv[argc++] = strcmp(word, "_") == 0 ? word + 1 : word;
	argv[argc] = NULL;
	return argc;
}

START_TEST(calls)
{
	struct sendmail_opts	 o;
	struct diag		 why;
	char			 mem[512], rest[256] = "";
	char			*argv[ARGS_MAX + 16];
	int			 argc, i;

	argc = split(rows[_i].call, mem, sizeof(mem), argv);
	ck_assert_int_eq(sendmail_opts(argc, argv, &o, &why), 0);
	ck_assert_int_eq(o.mode, rows[_i].mode);
	ck_assert_int_eq(o.extract, rows[_i].extract);
	ck_assert_int_eq(o.dots, rows[_i].dots);
	ck_assert_pstr_eq(o.sender, rows[_i].sender);
	ck_assert_pstr_eq(o.name, rows[_i].name);
	for (i = o.first; i < argc; i++) {
		if (*rest != '\0')
			strlcat(rest, "|", sizeof(rest));
		strlcat(rest, argv[i], sizeof(rest));
	}
	ck_assert_str_eq(rest, rows[_i].rest);
}
END_TEST

static const char *const	wrong[] = {
	"sendmail -bd", "sendmail -bD", "sendmail -bv bob", "sendmail -bt",
	"sendmail -bx", "sendmail -f", "sendmail -tf", "sendmail -Z bob",
	"sendmail -B9BIT bob", "sendmail -N sometimes bob",
	"sendmail -N never,delay bob", "sendmail -R half bob",
	"sendmail -V _ bob", "sendmail -V \xc3\xbc bob", "sendmail -qSx",
	"sendmail -qRx", "sendmail -qI",
};

START_TEST(mistakes)
{
	struct sendmail_opts	 o;
	struct diag		 why = { "" };
	char			 mem[512], *argv[ARGS_MAX + 16];
	int			 argc;

	argc = split(wrong[_i], mem, sizeof(mem), argv);
	ck_assert_int_eq(sendmail_opts(argc, argv, &o, &why), EX_USAGE);
	ck_assert_str_ne(why.text, "");
}
END_TEST

START_TEST(values)
{
	struct sendmail_opts	 o;
	struct diag		 why;
	char			 mem[512], *argv[ARGS_MAX + 16];
	char			*none[] = { NULL };
	int			 argc;

	argc = split("sendmail -N Success,delay -R FULL -R hdrs -V a+b=c "
	    "-B 8bitmime -C /x bob", mem, sizeof(mem), argv);
	ck_assert_int_eq(sendmail_opts(argc, argv, &o, &why), 0);
	ck_assert_uint_eq(o.notify, NOTIFY_SUCCESS | NOTIFY_DELAY);
	ck_assert_uint_eq(o.options, ENV_8BITMIME | ENV_RET_HDRS);
	ck_assert_str_eq(o.envid, "a+b=c");
	ck_assert_str_eq(o.conf, "/x");
	argv[1] = mem;		/* blanks: cannot be split by the above */
	memcpy(mem, "-Ndelay, failure", sizeof("-Ndelay, failure"));
	ck_assert_int_eq(sendmail_opts(2, argv, &o, &why), 0);
	ck_assert_uint_eq(o.notify, NOTIFY_DELAY | NOTIFY_FAILURE);
	memcpy(mem, "-qIabc", sizeof("-qIabc"));
	ck_assert_int_eq(sendmail_opts(2, argv, &o, &why), 0);
	ck_assert_str_eq(o.flush, "abc");
	/* no name at all */
	ck_assert_int_eq(sendmail_opts(0, none, &o, &why), 0);
	ck_assert_int_eq(o.first, 0);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("sendmail_opts");
	TCase	*t = tcase_create("opts");
	SRunner	*sr;
	int	 failed;

	tcase_add_loop_test(t, calls, 0, nitems(rows));
	tcase_add_loop_test(t, mistakes, 0, nitems(wrong));
	tcase_add_test(t, values);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
