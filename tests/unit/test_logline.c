/* tests/unit/test_logline.c - lines of the log, read back. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/log.h"
#include "common/fmt/logline.h"

#define LINE	"2026-11-25T21:44:07.414Z queue[812] info: "

static const struct {
	const char	*text, *event;	/* NULL: no line */
	int64_t		 at_ms;
} rows[] = {
	{ LINE "done id=x", "done", 1795643047414 },
	{ LINE "reloaded", "reloaded", 1795643047414 },
	{ "1970-01-01T00:00:00.000Z a-b[1] warn: x", "x", 0 },
	{ "2000-02-29T23:59:60.999Z q[1] info: leap", "leap", 951868800999 },
	{ "2100-03-01T00:00:00.000Z q[1] info: e", "e", 4107542400000 },
	{ "", NULL, 0 },
	{ LINE, NULL, 0 },
	{ "2026-13-25T21:44:07.414Z queue[812] info: done", NULL, 0 },
	{ "2026-11-25T24:44:07.414Z queue[812] info: done", NULL, 0 },
	{ "2026-11-25 21:44:07.414Z queue[812] info: done", NULL, 0 },
	{ "2026-11-25T21:44:07.414Z queue[x] info: done", NULL, 0 },
	{ "2026-11-25T21:44:07.414Z queue[1] info:done", NULL, 0 },
	{ "2026-11-25T21:44:07.414Z que ue[1] info: done", NULL, 0 },
	{ "Nov 25 21:44:07 host posthouse: done id=x", NULL, 0 },
	{ LINE "done; id=x", NULL, 0 },
};

START_TEST(parse)
{
	struct logline	l;
	bool		ok = logline_parse(str_from(rows[_i].text), &l);

	ck_assert_int_eq(ok, rows[_i].event != NULL);
	if (ok) {
		ck_assert(str_eq(l.event, str_from(rows[_i].event)));
		ck_assert_int_eq(l.at_ms, rows[_i].at_ms);
	}
}
END_TEST

START_TEST(keys)
{
	struct logline	l;
	struct str	v;
	uint64_t	n;

	ck_assert(logline_parse(STR(LINE "failed id=abc to=\"a b=c\\\" id=z\" "
	    "user=\"\" status=5.1.1 nrcpts=12 why=\"cut off"), &l));
	ck_assert(logline_get(&l, "id", &v) && str_eq(v, STR("abc")));
	ck_assert(logline_get(&l, "to", &v) &&
	    str_eq(v, STR("\"a b=c\\\" id=z\"")));
	ck_assert(logline_get(&l, "user", &v) && str_eq(v, STR("\"\"")));
	ck_assert(logline_get(&l, "status", &v) && str_eq(v, STR("5.1.1")));
	ck_assert(logline_getu(&l, "nrcpts", 100, &n) && n == 12);
	ck_assert(!logline_getu(&l, "nrcpts", 11, &n));
	ck_assert(!logline_getu(&l, "status", 100, &n));
	ck_assert(logline_get(&l, "why", &v) && str_eq(v, STR("\"cut off")));
	ck_assert(!logline_get(&l, "b", &v));
	ck_assert(!logline_get(&l, "nobody", &v));
}
END_TEST

/* What log_safe wrote is read back to what it was. */
START_TEST(there_and_back)
{
	static const struct str	values[] = {
		STR("plain"), STR(""), STR("two words"), STR("a=b"),
		STR("q\"uo\\te"), STR("\r\n\001\377"), STR("gr\303\274\303\237e"),
		STR("nul\0byte"), STR("\\x41"),
	};
	struct logline	l;
	struct str	v;
	struct buf	line, plain;
	char		safe[LOG_SAFE_MAX];

	buf_init(&line, 4096);
	buf_init(&plain, 4096);
	buf_addf(&line, "%se a=%s z=1", LINE, log_safe(safe, sizeof(safe),
	    values[_i]));
	ck_assert(logline_parse(buf_view(&line), &l));
	ck_assert(logline_get(&l, "a", &v));
	logline_plain(v, &plain);
	ck_assert(str_eq(buf_view(&plain), values[_i]));
	ck_assert(logline_get(&l, "z", &v) && str_eq(v, STR("1")));
	buf_free(&line);
	buf_free(&plain);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("logline");
	TCase	*t = tcase_create("logline");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, parse, 0, nitems(rows));
	tcase_add_test(t, keys);
	tcase_add_loop_test(t, there_and_back, 0, 9);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
