/* tests/unit/test_smtpd_parts.c - reply lines, and the memory of a transaction. */
#include "smtpd/session.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "smtpd/reception.h"
#include "smtpd/tx.h"

static const struct {
	unsigned	code;
	bool		more;
	const char	*status, *text, *want;
} lines[] = {
	{ 250, false, "2.0.0", "ok", "250 2.0.0 ok\r\n" },
	{ 250, true, "2.0.0", "ok", "250-2.0.0 ok\r\n" },
	{ 354, false, "", "go on", "354 go on\r\n" },
	{ 250, true, "", "SIZE", "250-SIZE\r\n" },
	{ 550, false, "5.1.1", "a\r\n250 b", "550 5.1.1 a??250 b\r\n" },
	{ 550, false, "5.1.1", "\t\x7f\x1b", "550 5.1.1 ???\r\n" },
	{ 550, false, "5.1.1", "\xc3\xa4", "550 5.1.1 \xc3\xa4\r\n" },
	{ 550, false, "5.1.1", "", "550 5.1.1 \r\n" },
};

START_TEST(reply_lines)
{
	char	out[REPLY_SIZE];
	size_t	n = reply_line(out, lines[_i].code, lines[_i].more,
		    lines[_i].status, lines[_i].text);

	ck_assert_str_eq(out, lines[_i].want);
	ck_assert_uint_eq(n, strlen(lines[_i].want));
}
END_TEST

START_TEST(reply_cut)	/* RFC 5321 4.5.3.1.5 */
{
	char	text[1000], out[REPLY_SIZE + 1];
	size_t	len, n;

	for (len = 490; len < 520; len++) {
		memset(text, 'x', len);
		text[len] = '\0';
		memset(out, '#', sizeof(out));
		n = reply_line(out, 250, false, "2.0.0", text);
		ck_assert_uint_le(n, 512);
		ck_assert_uint_eq(n, len + 12 < 512 ? len + 12 : 512);
		ck_assert_str_eq(out + n - 2, "\r\n");
		ck_assert_int_eq(out[REPLY_SIZE], '#');
	}
}
END_TEST

static struct envelope_rcpt
rcpt(const char *addr)
{
	return (struct envelope_rcpt){ .addr = str_from(addr),
	    .orcpt = STR("rfc822;o"), .final = STR(""), .notify = 3,
	    .state = RCPT_WAITING };
}

START_TEST(copies)
{
	char			name[] = "bob@x.test";
	struct envelope_rcpt	r = rcpt(name);
	struct tx		tx;

	tx_init(&tx);
	ck_assert_int_eq(tx_add(&tx, &r, STR("why"), false), 0);
	name[0] = 'X';		/* the line it came in is gone */
	ck_assert_uint_eq(tx.nrcpts, 1);
	ck_assert(str_eq(tx.rcpts[0].addr, STR("bob@x.test")));
	ck_assert(str_eq(tx.rcpts[0].orcpt, STR("rfc822;o")));
	ck_assert_uint_eq(tx.rcpts[0].notify, 3);
	ck_assert_int_eq(tx.rcpts[0].state, RCPT_WAITING);
	tx_reset(&tx);
	ck_assert_uint_eq(tx.nrcpts, 0);
	ck_assert_ptr_null(tx.rcpts);
	ck_assert_uint_eq(tx.sender.n + tx.envid.n + tx.options, 0);
	tx_reset(&tx);
}
END_TEST

static const struct { const char *a, *b; bool each; size_t n; } twice[] = {
	{ "a@x", "a@x", false, 1 },
	{ "a@x", "a@x", true, 2 },	/* LMTP: each has its reply */
	{ "a@x", "A@x", false, 2 },	/* local parts are the route's affair */
	{ "a@x", "b@x", false, 2 },
	{ "a@x", "a@xy", false, 2 },
};

START_TEST(duplicates)
{
	struct envelope_rcpt	a = rcpt(twice[_i].a), b = rcpt(twice[_i].b);
	struct tx		tx;

	tx_init(&tx);
	ck_assert_int_eq(tx_add(&tx, &a, STR("why"), twice[_i].each), 0);
	ck_assert_int_eq(tx_add(&tx, &b, STR("why"), twice[_i].each), 0);
	ck_assert_uint_eq(tx.nrcpts, twice[_i].n);
	tx_reset(&tx);
}
END_TEST

START_TEST(bounded)
{
	struct envelope_rcpt	r = rcpt("");
	struct tx		tx;
	char			*big = calloc(1, 1 << 20);
	size_t			i;

	ck_assert_ptr_nonnull(big);
	tx_init(&tx);
	r.addr = (struct str){ big, 1 << 20 };
	for (i = 0; i < 100 && tx_add(&tx, &r, STR("why"), true) == 0; i++)
		;
	ck_assert_uint_gt(i, 50);
	ck_assert_uint_lt(i, 100);
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert_uint_eq(tx.nrcpts, i);	/* no half one */
	tx_reset(&tx);
	ck_assert_int_eq(tx_add(&tx, &r, STR("why"), true), 0);
	tx_reset(&tx);
	free(big);
}
END_TEST

START_TEST(many)
{
	struct envelope_rcpt	r;
	struct tx		tx;
	char			name[32];
	unsigned		i;

	tx_init(&tx);
	for (i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "u%u@x", i);
		r = rcpt(name);
		ck_assert_int_eq(tx_add(&tx, &r, STR("why"), false), 0);
	}
	ck_assert_uint_eq(tx.nrcpts, 5000);
	ck_assert(str_eq(tx.rcpts[4999].addr, STR("u4999@x")));
	ck_assert(str_eq(tx.rcpts[0].addr, STR("u0@x")));
	tx_reset(&tx);
}
END_TEST

/* A head that nobody would read again leaves no file; fewer recipients fit. */
START_TEST(large_head)
{
	static char		orcpt[2000];
	static struct envelope_rcpt	r[10000];
	char			dir[] = "/tmp/test_smtpd_parts.XXXXXX";
	struct spool_in		in = { .tmp = -1, .new = -1 };
	struct reception	rx;
	struct envelope		env = {
		.arrival_ms = 1795550254000, .origin = STR("smtp"),
		.client = STR(""), .helo = STR(""), .proto = STR(""),
		.auth = STR(""), .sender = STR(""), .envid = STR(""),
		.rcpts = r
	};
	size_t			i;

	memset(orcpt, 'x', sizeof(orcpt));
	memcpy(orcpt, "rfc822;", 7);
	strlcpy(env.id, "cr8b3w9p21zcbtxdy19s", sizeof(env.id));
	for (i = 0; i < nitems(r); i++) {
		r[i] = rcpt("u@x");
		r[i].orcpt = (struct str){ orcpt, sizeof(orcpt) };
	}
	env.nrcpts = nitems(r);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	in.tmp = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rx_init(&rx, 1000, 20);
	ck_assert_int_eq(rx_begin(&rx, &in, &env, STR("X: y\r\n")), -1);
	ck_assert_uint_eq(rx.code, 452);
	ck_assert_str_eq(rx.status, "4.5.3");
	env.nrcpts = 100;
	rx_init(&rx, 1000, 20);
	ck_assert_int_eq(rx_begin(&rx, &in, &env, STR("X: y\r\n")), 0);
	rx_abort(&rx, &in);
	ck_assert_int_eq(rmdir(dir), 0);
	close(in.tmp);
	/* the directory is none, which is our own affair */
	in.tmp = -1;
	rx_init(&rx, 1000, 20);
	ck_assert_int_eq(rx_begin(&rx, &in, &env, STR("X: y\r\n")), -1);
	ck_assert_uint_eq(rx.code, 451);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("smtpd_parts");
	TCase	*tc = tcase_create("smtpd_parts");
	SRunner	*sr;
	int	 failed;

	tcase_add_loop_test(tc, reply_lines, 0, nitems(lines));
	tcase_add_test(tc, reply_cut);
	tcase_add_test(tc, copies);
	tcase_add_loop_test(tc, duplicates, 0, nitems(twice));
	tcase_add_test(tc, bounded);
	tcase_add_test(tc, many);
	tcase_add_test(tc, large_head);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
