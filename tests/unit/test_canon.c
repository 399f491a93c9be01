/* tests/unit/test_canon.c - RFC 6376 3.4.3 and 3.4.4, at every split. */
#include <check.h>
#include <stdlib.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/fmt/canon.h"

#define IN(s)	{ (s), sizeof(s) - 1 }

static const struct { struct str in, simple, relaxed; bool forks; } rows[] = {
	/* the example of 3.4.5 */
	{ IN(" C \r\nD \t E\r\n\r\n\r\n"), IN(" C \r\nD \t E\r\n"),
	    IN(" C\r\nD E\r\n"), true },
	{ IN(""), IN("\r\n"), IN(""), true },
	{ IN("\r\n\r\n"), IN("\r\n"), IN(""), true },
	{ IN("a b c\r\nd\r\n"), IN("a b c\r\nd\r\n"), IN("a b c\r\nd\r\n"), false },
	{ IN("a b"), IN("a b\r\n"), IN("a b\r\n"), false },
	{ IN("a \r\n"), IN("a \r\n"), IN("a\r\n"), true },
	{ IN("a\r\n \r\n\r\n"), IN("a\r\n \r\n"), IN("a\r\n"), true },
	{ IN("a\r\n\r\nb  c\r\n"), IN("a\r\n\r\nb  c\r\n"), IN("a\r\n\r\nb c\r\n"), true },
	{ IN("\r\n\r\nx y\tz\r\n"), IN("\r\n\r\nx y\tz\r\n"), IN("\r\n\r\nx y z\r\n"), true },
	{ IN("a\rb\r"), IN("a\rb\r\r\n"), IN("a\rb\r\r\n"), false },
	{ IN("x "), IN("x \r\n"), IN("x\r\n"), true },
	{ IN(" \r\n"), IN(" \r\n"), IN(""), true },
};

struct both {
	struct buf	simple, relaxed;
	unsigned	forks;
};

static void
sink(void *arg, enum canon_which which, const char *p, size_t n)
{
	struct both	*b = arg;

	ck_assert((which == CANON_BOTH) == (b->forks == 0));
	if (which != CANON_RELAXED)
		ck_assert_int_eq(buf_add(&b->simple, p, n), 0);
	if (which != CANON_SIMPLE)
		ck_assert_int_eq(buf_add(&b->relaxed, p, n), 0);
}

static void
fork_once(void *arg)
{
	struct both	*b = arg;

	b->forks++;
}

static const struct canon_ops ops = { sink, fork_once };

START_TEST(both_forms)
{
	struct str	in = rows[_i].in;
	struct both	b = { .forks = 0 };
	struct canon	c;
	size_t		split;

	buf_init(&b.simple, 4096);
	buf_init(&b.relaxed, 4096);
	for (split = 0; split <= in.n; split++) {
		buf_reset(&b.simple);
		buf_reset(&b.relaxed);
		b.forks = 0;
		canon_init(&c, &ops, &b);
		canon_add(&c, in.p, split);
		canon_add(&c, in.p + split, in.n - split);
		canon_end(&c);
		ck_assert_uint_eq(b.forks, rows[_i].forks);
		ck_assert(str_eq(buf_view(&b.simple), rows[_i].simple));
		ck_assert(str_eq(buf_view(&b.relaxed), rows[_i].relaxed));
	}
	buf_free(&b.simple);
	buf_free(&b.relaxed);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("canon");
	TCase	*t = tcase_create("canon");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, both_forms, 0, nitems(rows));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
