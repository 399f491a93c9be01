/* tests/unit/test_exim.c - spool files of Exim: those in tests/data were made by Debian's 4.96, others are written here. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/fdio.h"
#include "common/fmt/exim.h"

static void
load(const char *path, struct buf *b)
{
	buf_init(b, 1u << 20);
	ck_assert_msg(fdio_slurp_at(AT_FDCWD, path, b) == 0, "%s", path);
}

START_TEST(real)
{
	struct exim_mail	m;
	struct exim_rcpt	r;
	struct buf		h, d;
	struct str		body, text;
	struct cur		c;
	const char		*why = "?";

	load("tests/data/exim/input/1xWKgm-00032c-2O-H", &h);
	load("tests/data/exim/input/1xWKgm-00032c-2O-D", &d);
	ck_assert_msg(exim_read(buf_view(&h), &m, &why), "%s", why);
	ck_assert(str_eq(m.name, STR("1xWKgm-00032c-2O")));
	ck_assert(str_eq(m.sender, STR("ann@example.net")));
	ck_assert_int_eq(m.arrival_s, 1795642684);
	ck_assert(str_eq(m.client, STR("127.0.0.1")));
	ck_assert(str_eq(m.helo, STR("client.example.net")));
	ck_assert(str_eq(m.proto, STR("esmtp")));
	ck_assert(str_eq(m.envid, STR("id+3D7")));
	ck_assert(m.ret == 2 && !m.utf8 && !m.wire && m.nrcpts == 3);
	c = cur_from(m.rcpts);
	ck_assert(exim_rcpt_next(&c, &r));
	ck_assert(str_eq(r.addr, STR("alice@example.test")));
	ck_assert(str_eq(r.orcpt, STR("rfc822;al+2Bx@example.test")));
	ck_assert_uint_eq(r.notify, 2 | 4);
	ck_assert(exim_rcpt_next(&c, &r));
	ck_assert(str_eq(r.addr, STR("bob@example.test")));
	ck_assert_uint_eq(r.notify, 1);
	ck_assert(exim_rcpt_next(&c, &r));
	ck_assert(str_eq(r.addr, STR("carol@example.test")) && r.notify == 0);
	ck_assert(!exim_rcpt_next(&c, &r));
	c = cur_from(m.header);
	ck_assert(exim_header_next(&c, &text) && text.n == 187);
	ck_assert(exim_header_next(&c, &text) &&
	    str_eq(text, STR("From: Ann <ann@example.net>\n")));
	ck_assert(exim_body(buf_view(&d), m.name, &body) && body.n == 5020);
	ck_assert(!exim_body(buf_view(&d), STR("other"), &body));
	buf_free(&h);
	buf_free(&d);
}
END_TEST

START_TEST(some_have_got_it)
{
	struct exim_mail	m;
	struct buf		h;
	const char		*why = "?";

	load("tests/data/exim/input/1xWKgn-00033b-1J-H", &h);
	ck_assert_msg(exim_read(buf_view(&h), &m, &why), "%s", why);
	ck_assert(m.utf8 && m.nrcpts == 2 && m.ngot == 1);
	ck_assert(exim_got(&m, STR(""), STR("alice@EXAMPLE.test")));
	ck_assert(!exim_got(&m, STR(""), STR("Alice@example.test")));
	ck_assert(!exim_got(&m, STR(""), STR("bob@example.test")));
	ck_assert(exim_got(&m, STR("bob@example.test\n"),
	    STR("bob@example.test")));
	ck_assert(!exim_got(&m, STR("bob@example.test"),
	    STR("bob@example.test")));
	buf_free(&h);
}
END_TEST

/* No cut file is taken for a whole one with all its recipients; no changed one crashes. */
START_TEST(torn)
{
	struct exim_mail	m;
	struct exim_rcpt	r;
	struct buf		h;
	struct cur		c;
	const char		*why;
	size_t			i, whole;

	load("tests/data/exim/input/1xWKgn-00033b-1J-H", &h);
	ck_assert(exim_read(buf_view(&h), &m, &why));
	whole = (size_t)(m.header.p - h.p);
	for (i = 0; i < h.n; i++) {
		why = NULL;
		if (!exim_read((struct str){ h.p, i }, &m, &why))
			ck_assert_ptr_nonnull(why);
		else
			ck_assert(i >= whole && m.nrcpts == 2);
	}
	for (i = 0; i < h.n; i++) {
		h.p[i] ^= 0x15;
		if (exim_read(buf_view(&h), &m, &why))
			for (c = cur_from(m.rcpts); exim_rcpt_next(&c, &r);)
				(void)exim_got(&m, STR(""), r.addr);
		h.p[i] ^= 0x15;
	}
	buf_free(&h);
}
END_TEST

#define TOP	"n-H\nu 1 1\n<a@b>\n12 0\n"
static const struct {
	const char	*text;
	bool		 ok;
	size_t		 nrcpts, ngot;
} rows[] = {
	{ TOP "XX\n1\nx@y\n\n", true, 1, 0 },
	{ TOP "-frozen 3\n-acl 0 3\na\nb\nXX\n1\nx@y\n\n004F ab:\n", true, 1, 0 },
	{ TOP "YY m@y\nNN a@y\nYN z@y\nNN k@y\n2\nx@y\nz@y\n\n", true, 2, 4 },
	{ TOP "YN m@y\n1\nx@y\n\n", false, 0, 0 },
	{ TOP "-aclm x 300\na\nXX\n1\nx@y\n\n", false, 0, 0 },
	{ TOP "-aclm x\na\nXX\n1\nx@y\n\n", false, 0, 0 },
	{ TOP "XX\n2\nx@y\n\n", false, 0, 0 },
	{ TOP "XX\n1\nx@y\n\n009F ab:\n", false, 0, 0 },
	{ TOP "XX\n1\nx@y\n\n000F \n", false, 0, 0 },
	{ TOP "XX\n99999999999\nx@y\n\n", false, 0, 0 },
	{ "n-D\nu 1 1\n<a@b>\n12 0\nXX\n1\nx@y\n\n", false, 0, 0 },
	{ "n-H\nu 1 1\na@b\n12 0\nXX\n1\nx@y\n\n", false, 0, 0 },
	{ "", false, 0, 0 },
};

START_TEST(heads)
{
	struct exim_mail	m;
	const char		*why = "?";

	ck_assert_msg(exim_read(str_from(rows[_i].text), &m, &why) ==
	    rows[_i].ok, "%d: %s", _i, why);
	if (rows[_i].ok) {
		ck_assert_uint_eq(m.nrcpts, rows[_i].nrcpts);
		ck_assert_uint_eq(m.ngot, rows[_i].ngot);
	}
}
END_TEST

static const struct {
	const char	*line, *addr, *orcpt;
	unsigned	 notify;
} rcpts[] = {
	{ "x@y\n", "x@y", "", 0 },
	{ "x@y e@z 3,-1#1\n", "x@y", "", 0 },
	{ "x@y  0,7#1\n", "x@y", "", 0 },
	{ "x@y rfc822;q@r 10,16 e@z 3,4#3\n", "x@y", "rfc822;q@r", 8 },
	{ "\"a b\"@y  0,2  0,-1#3\n", "\"a b\"@y", "", 1 },
	{ "x@y#1\n", "x@y#1", "", 0 },
	{ "x@y e@z 9,-1#1\n", "x@y e@z 9,-1#1", "", 0 },
	{ "x@y 1,#3\n", "x@y 1,#3", "", 0 },
};

START_TEST(recipients)
{
	struct cur		c = cur_from(str_from(rcpts[_i].line));
	struct exim_rcpt	r;

	ck_assert(exim_rcpt_next(&c, &r));
	ck_assert_msg(str_eq(r.addr, str_from(rcpts[_i].addr)), "%.*s",
	    STR_ARG(r.addr));
	ck_assert(str_eq(r.orcpt, str_from(rcpts[_i].orcpt)));
	ck_assert_uint_eq(r.notify, rcpts[_i].notify);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("exim");
	TCase	*t = tcase_create("exim");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_test(t, real);
	tcase_add_test(t, some_have_got_it);
	tcase_add_test(t, torn);
	tcase_add_loop_test(t, heads, 0, nitems(rows));
	tcase_add_loop_test(t, recipients, 0, nitems(rcpts));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
