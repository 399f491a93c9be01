/* tests/unit/test_postfix.c - queue files of Postfix: those in tests/data were made by Debian's 3.7.11, others are torn here. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/fdio.h"
#include "common/fmt/postfix.h"

struct got {
	struct buf	rcpts, text;
	bool		stop;
};

static bool
rcpt(void *arg, const struct postfix_rcpt *r)
{
	struct got	*g = arg;

	buf_addf(&g->rcpts, "%.*s,%.*s,%u;", STR_ARG(r->addr),
	    STR_ARG(r->orcpt), r->notify);
	return !g->stop;
}

static bool
text(void *arg, struct str piece, bool end)
{
	struct got	*g = arg;

	buf_addstr(&g->text, piece);
	if (end)
		buf_addc(&g->text, '\n');
	return true;
}

static const struct postfix_ops	ops = { rcpt, text };

static bool
read_text(struct str file, struct got *g, struct postfix_mail *m,
    const char **why)
{
	buf_init(&g->rcpts, 65536);
	buf_init(&g->text, 1u << 20);
	return postfix_read(file, &ops, g, m, why);
}

static void
got_free(struct got *g)
{
	buf_free(&g->rcpts);
	buf_free(&g->text);
}

static void
load(const char *path, struct buf *b)
{
	buf_init(b, 1u << 20);
	ck_assert_msg(fdio_slurp_at(AT_FDCWD, path, b) == 0, "%s", path);
}

START_TEST(real)
{
	struct got		g = { .stop = false };
	struct postfix_mail	m;
	struct buf		b;
	const char		*why = NULL;

	load("tests/data/postfix/deferred/7/7DC39A88542", &b);
	ck_assert(read_text(buf_view(&b), &g, &m, &why));
	ck_assert(str_eq(m.sender, STR("ann@example.net")));
	ck_assert_int_eq(m.arrival_us, 1795642645514548);
	ck_assert(str_eq(m.helo, STR("client.example.net")));
	ck_assert(str_eq(m.client, STR("127.0.0.1")));
	ck_assert(str_eq(m.proto, STR("ESMTP")));
	ck_assert(str_eq(m.envid, STR("id=7")));
	ck_assert_uint_eq(m.ret, 2);
	ck_assert(m.eightbit && !m.utf8);
	ck_assert_uint_eq(m.todo, 2);
	ck_assert_uint_eq(m.done, 1);
	ck_assert(str_eq(buf_view(&g.rcpts),
	    STR("bob@example.test,rfc822;bob@example.test,1;"
	    "carol@example.test,rfc822;carol@example.test,0;")));
	ck_assert_uint_eq(g.text.n, 5308);
	ck_assert_int_eq(memcmp(g.text.p, "Received: from ", 15), 0);
	ck_assert_int_eq(memcmp(g.text.p + g.text.n - 9, "xxxx\nend\n", 9), 0);
	got_free(&g);
	buf_free(&b);
}
END_TEST

/* Whatever is missing or changed: no crash, and nothing short is taken for whole. */
START_TEST(torn)
{
	struct got		g = { .stop = false };
	struct postfix_mail	m;
	struct buf		b;
	struct str		cut;
	const char		*why;
	size_t			i;

	load("tests/data/postfix/deferred/7/7CA9FA88521", &b);
	for (i = 0; i < b.n; i++) {
		cut = (struct str){ b.p, i };
		why = NULL;
		ck_assert(!read_text(cut, &g, &m, &why));
		ck_assert_ptr_nonnull(why);
		got_free(&g);
	}
	for (i = 0; i < b.n; i++) {
		b.p[i] ^= 0x55;
		(void)read_text(buf_view(&b), &g, &m, &why);
		b.p[i] ^= 0x55;
		got_free(&g);
	}
	g.stop = true;
	ck_assert(!read_text(buf_view(&b), &g, &m, &why));
	ck_assert_str_eq(why, "stopped");
	got_free(&g);
	buf_free(&b);
}
END_TEST

#define HEAD	"T\0011" "S\003a@b"
static const struct {
	struct str	file;
	bool		ok;
	const char	*text;
} rows[] = {
	{ STR(HEAD "R\003c@dM\0N\001xX\0E\0"), true, "x\n" },
	{ STR(HEAD "R\003c@dM\0L\001xN\001yX\0E\0"), true, "xy\n" },
	{ STR(HEAD "M\0N\001xX\0R\003c@dE\0"), true, "x\n" },
	{ STR(HEAD "R\003c@dE\0"), false, NULL },
	{ STR(HEAD "R\003c@dM\0X\0M\0E\0"), false, NULL },
	{ STR("R\003c@dM\0X\0E\0"), false, NULL },
	{ STR("T\0011R\003c@dM\0X\0E\0"), false, NULL },
	{ STR(HEAD "R\377\377\377\377\377\003c@dM\0X\0E\0"), false, NULL },
	{ STR(HEAD "R\377\377\377\177c@d"), false, NULL },
	{ STR(HEAD "M\0R\003c@dX\0E\0"), false, NULL },
	/* to the front, in circles */
	{ STR(HEAD "p\0010R\003c@dp\0013"), false, NULL },
	{ STR(HEAD "p\00299"), false, NULL },
	{ STR(HEAD "p\001x"), false, NULL },
	/* a line elsewhere, and back */
	{ STR(HEAD "R\003c@dM\0N\001xp\00226X\0E\0N\001yp\00222"), true, "x\ny\n" },
};

START_TEST(records)
{
	struct got		g = { .stop = false };
	struct postfix_mail	m;
	const char		*why = "?";

	ck_assert_msg(read_text(rows[_i].file, &g, &m, &why) == rows[_i].ok,
	    "%d: %s", _i, why);
	if (rows[_i].ok) {
		ck_assert(str_eq(buf_view(&g.text),
		    str_from(rows[_i].text)));
		ck_assert_uint_eq(m.todo, 1);
	}
	got_free(&g);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("postfix");
	TCase	*t = tcase_create("postfix");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_test(t, real);
	tcase_add_test(t, torn);
	tcase_add_loop_test(t, records, 0, nitems(rows));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
