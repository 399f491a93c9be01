/* tests/unit/test_imapd_progress.c - what a client hears of a command that takes long (RFC 9585 4). */
#include <sys/socket.h>

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/now.h"
#include "imapd/progress.h"

static const struct {
	struct str	 tag;
	size_t		 done, total;
	const char	*code;
} rows[] = {
	{ STR("A1"), 454, 1000, "INPROGRESS (\"A1\" 454 1000)" },
	{ STR("A1"), 0, 1, "INPROGRESS (\"A1\" 0 1)" },
	{ STR("A1"), 175, 0, "INPROGRESS (\"A1\" 175 NIL)" },
	{ STR("A1"), 1000, 1000, "INPROGRESS (\"A1\" 1000 NIL)" },
	{ STR("A1"), 1001, 1000, "INPROGRESS (\"A1\" 1001 NIL)" },
	{ STR("a]"), 1, 2, "INPROGRESS (NIL 1 2)" },
	{ STR("]"), 1, 0, "INPROGRESS (NIL 1 NIL)" },
};

START_TEST(codes)
{
	struct buf	b;

	buf_init(&b, 256);
	ck_assert_int_eq(progress_put(&b, rows[_i].tag, rows[_i].done,
	    rows[_i].total), 0);
	ck_assert_str_eq(buf_cstr(&b), rows[_i].code);
	buf_free(&b);
}
END_TEST

#define TAIL	"the end of a literal)\r\n"

enum happens { NOTHING, LONG_TIME, STOP, HALF_CLOSED };

/* Between two messages the end of a response may not be sent yet. */
static const struct {
	enum happens	 what;
	int		 r;
	const char	*said;
} steps[] = {
	{ NOTHING, 0, "" },
	{ LONG_TIME, 0, TAIL "* OK [INPROGRESS (\"a\" 5 10)] Still at it"
	    "\r\n" },
	{ STOP, -1, TAIL "* BYE [UNAVAILABLE] the server stops, come again"
	    "\r\n" },
	{ HALF_CLOSED, -1, TAIL "* BYE [UNAVAILABLE] nobody waits for the "
	    "answer\r\n" },
};

/* What the client gets by what happens. */
static void
step_until(struct session *s, int client, enum happens what, int wanted)
{
	struct progress	p;
	struct buf	ahead;
	int		i, r = 0;

	buf_init(&ahead, 256);
	buf_adds(&ahead, TAIL);
	progress_begin(&p, s, STR("a"), 10);
	p.ahead = &ahead;
	if (what == LONG_TIME)
		p.said = now_ms() - 3600000;
	if (what == HALF_CLOSED)
		ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
	/* whatever a message takes */
	for (i = 0; i < 2 && r == 0; i++, p.looked -= 60)
		r = progress_step(&p, 5);
	ck_assert_int_eq(r, wanted);
	if (r == 0)	/* seldom enough, also where it is always looked */
		ck_assert_int_eq(progress_look(&p, 6), 0);
	ck_assert(r == 0 || errno == ECANCELED);
	ck_assert_int_eq(s->end == NULL, r == 0);
	ck_assert_uint_eq(ahead.n, what == NOTHING ? strlen(TAIL) : 0);
	buf_free(&ahead);
}

START_TEST(says_why)
{
	struct session	s = { .state = S_SELECTED };
	volatile int	stop = steps[_i].what == STOP;
	char		got[256];
	ssize_t		n;
	int		ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    ends), 0);
	conn_init(&s.conn, ends[0]);
	s.conn.stop = &stop;
	step_until(&s, ends[1], steps[_i].what, steps[_i].r);
	ck_assert_int_eq(conn_flush(&s.conn, 1000), 0);
	ck_assert_int_eq(shutdown(ends[0], SHUT_WR), 0);
	n = recv(ends[1], got, sizeof(got) - 1, 0);
	ck_assert_int_ge(n, 0);
	got[n] = '\0';
	ck_assert_str_eq(got, steps[_i].said);
	conn_close(&s.conn);
	close(ends[1]);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("imapd_progress");
	TCase	*t = tcase_create("codes");
	SRunner	*r;
	int	 failed;

	tcase_add_loop_test(t, codes, 0, (int)nitems(rows));
	tcase_add_loop_test(t, says_why, 0, (int)nitems(steps));
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
