/* tests/unit/test_pop3_command.c - POP3's commands, TOP's end and UIDL's names. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "pop3d/command.h"
#include "pop3d/send.h"
#include "pop3d/uidl.h"

#define IN(s)	{ (s), sizeof(s) - 1 }
#define U	COMMAND_UNKNOWN
#define S	COMMAND_SYNTAX
#define OK	COMMAND_OK

static const struct {
	struct str		line;
	enum command_status	status;
	enum verb		verb;
	unsigned		n;
	uint64_t		a, b;
	struct str		text;
} rows[] = {
	{ IN("STAT"), OK, VERB_STAT, 0, 0, 0, IN("") },
	{ IN("stat"), OK, VERB_STAT, 0, 0, 0, IN("") },
	{ IN("STAT "), OK, VERB_STAT, 0, 0, 0, IN("") },
	{ IN("STAT 1"), S, VERB_STAT, 0, 0, 0, IN("") },
	{ IN("LIST"), OK, VERB_LIST, 0, 0, 0, IN("") },
	{ IN("LIST 12"), OK, VERB_LIST, 1, 12, 0, IN("") },
	{ IN("LIST  12  "), OK, VERB_LIST, 1, 12, 0, IN("") },
	{ IN("LIST 1 2"), S, VERB_LIST, 1, 1, 0, IN("") },
	{ IN("LIST 1x"), S, VERB_LIST, 1, 1, 0, IN("") },
	{ IN("LIST +1"), S, VERB_LIST, 0, 0, 0, IN("") },
	{ IN("LIST\t1"), U, VERB_LIST, 0, 0, 0, IN("") },
	{ IN("RETR"), S, VERB_RETR, 0, 0, 0, IN("") },
	{ IN("RETR -1"), S, VERB_RETR, 0, 0, 0, IN("") },
	{ IN("RETR 0"), OK, VERB_RETR, 1, 0, 0, IN("") },
	{ IN("RETR 18446744073709551615"), OK, VERB_RETR, 1, UINT64_MAX, 0, IN("") },
	{ IN("RETR 18446744073709551617"), OK, VERB_RETR, 1, UINT64_MAX, 0, IN("") },
	{ IN("RETR 9999999999999999999999999999999999999999999999999999"), OK,
	    VERB_RETR, 1, UINT64_MAX, 0, IN("") },
	{ IN("TOP 3 10"), OK, VERB_TOP, 2, 3, 10, IN("") },
	{ IN("TOP 3"), S, VERB_TOP, 1, 3, 0, IN("") },
	{ IN("TOP 3 "), S, VERB_TOP, 1, 3, 0, IN("") },
	{ IN("TOP 3 1 1"), S, VERB_TOP, 2, 3, 1, IN("") },
	{ IN("USER ann"), OK, VERB_USER, 0, 0, 0, IN("ann") },
	{ IN("USER"), S, VERB_USER, 0, 0, 0, IN("") },
	{ IN("USER "), S, VERB_USER, 0, 0, 0, IN("") },
	{ IN("PASS  two words "), OK, VERB_PASS, 0, 0, 0, IN(" two words ") },
	{ IN("PASS\xc3\xa9"), U, VERB_PASS, 0, 0, 0, IN("") },
	{ IN("pass \xc3\xa9"), OK, VERB_PASS, 0, 0, 0, IN("\xc3\xa9") },
	{ IN("STLS"), OK, VERB_STLS, 0, 0, 0, IN("") },
	{ IN("STLS 1"), S, VERB_STLS, 0, 0, 0, IN("") },
	{ IN("AUTH"), OK, VERB_AUTH, 0, 0, 0, IN("") },
	{ IN("AUTH  "), OK, VERB_AUTH, 0, 0, 0, IN("") },
	{ IN("auth PLAIN ="), OK, VERB_AUTH, 0, 0, 0, IN("PLAIN =") },
	{ IN("AUTH  PLAIN "), OK, VERB_AUTH, 0, 0, 0, IN(" PLAIN ") },
	{ IN("UTF8"), OK, VERB_UTF8, 0, 0, 0, IN("") },
	{ IN("utf8 x"), S, VERB_UTF8, 0, 0, 0, IN("") },
	{ IN("UTF"), U, VERB_UTF8, 0, 0, 0, IN("") },
	{ IN("LANG"), OK, VERB_LANG, 0, 0, 0, IN("") },
	{ IN("LANG *"), OK, VERB_LANG, 0, 0, 0, IN("*") },
	{ IN(""), U, VERB_CAPA, 0, 0, 0, IN("") },
	{ IN(" STAT"), U, VERB_CAPA, 0, 0, 0, IN("") },
	{ IN("STATS"), U, VERB_CAPA, 0, 0, 0, IN("") },
	{ IN("ST"), U, VERB_CAPA, 0, 0, 0, IN("") },
	{ IN("NOSUCHCOMMANDATALL 1"), U, VERB_CAPA, 0, 0, 0, IN("") },
	{ IN("UIDL\0 1"), U, VERB_CAPA, 0, 0, 0, IN("") },
};

START_TEST(parse)
{
	struct command	c;

	ck_assert_int_eq(command_parse(rows[_i].line, &c), rows[_i].status);
	if (rows[_i].status == U)
		return;
	ck_assert_int_eq(c.verb, rows[_i].verb);
	if (rows[_i].status == S)
		return;
	ck_assert_uint_eq(c.n, rows[_i].n);
	ck_assert_uint_eq(c.number[0], rows[_i].a);
	ck_assert_uint_eq(c.number[1], rows[_i].b);
	ck_assert(str_eq(c.text, rows[_i].text));
}
END_TEST

static const struct {
	struct str	message;
	uint64_t	lines;
	size_t		shown;
	bool		done;
} tops[] = {
	{ IN("a: b\n\nx\ny\nz\n"), 0, 6, true },
	{ IN("a: b\n\nx\ny\nz\n"), 1, 8, true },
	{ IN("a: b\n\nx\ny\nz\n"), 3, 12, true },
	{ IN("a: b\n\nx\ny\nz\n"), 4, 12, false },
	{ IN("a: b\r\n\r\nx\r\ny\r\n"), 1, 11, true },
	{ IN("a: b\n\n\n\nx\n"), 2, 8, true },
	{ IN("\nx\n"), 0, 1, true },
	{ IN("\r\nx\n"), 0, 2, true },
	{ IN("a: b\n\rc\n\nx\n"), 0, 9, true },
	{ IN("a: b\n\r\r\n\nx\n"), 0, 9, true },
	{ IN("a: b"), 0, 4, false },
	{ IN("a: b\n\nx"), 1, 7, false },
	{ IN("a: b\n\nx\n"), UINT64_MAX, 8, false },
	{ IN(""), 3, 0, false },
};

/* Whatever the pieces are. */
START_TEST(top)
{
	struct str	all = tops[_i].message;
	struct top	t;
	size_t		step, at, n, used;

	for (step = 1; step <= all.n + 1; step++) {
		top_init(&t, tops[_i].lines);
		for (at = 0; at < all.n && !t.done; at += used) {
			n = all.n - at < step ? all.n - at : step;
			used = top_take(&t, (struct str){ all.p + at, n });
			ck_assert(used == n || t.done);
		}
		ck_assert_uint_eq(at, tops[_i].shown);
		ck_assert_int_eq(t.done, tops[_i].done);
	}
}
END_TEST

#define TEN	"0123456789"

static const struct {
	struct str	other, name;
	const char	*text;		/* NULL: a digest */
} uidls[] = {
	{ IN(""), IN("1.M2.h,S=5"), "1.M2.h,S=5" },
	{ IN("0001abcd"), IN("1.M2.h"), "0001abcd" },
	{ IN("a b"), IN("1.M2.h"), "1.M2.h" },
	{ IN(""), IN(TEN TEN TEN TEN TEN TEN TEN),
	    TEN TEN TEN TEN TEN TEN TEN },
	{ IN(""), IN(TEN TEN TEN TEN TEN TEN TEN "x"), NULL },
	{ IN(""), IN("with blank"), NULL },
	{ IN(""), IN("\xc3\xa9"), NULL },
	{ IN(""), IN("a\0b"), NULL },
};

START_TEST(uidl)
{
	char	text[UIDL_MAX + 1], again[UIDL_MAX + 1];
	char	name[200];
	size_t	n = uidls[_i].name.n;

	uidl_text(uidls[_i].other, uidls[_i].name, text);
	if (uidls[_i].text != NULL) {
		ck_assert_str_eq(text, uidls[_i].text);
		return;
	}
	ck_assert_uint_eq(strlen(text), 32);
	memcpy(name, uidls[_i].name.p, n);
	name[n - 1] ^= 1;
	uidl_text(STR(""), (struct str){ name, n }, again);
	ck_assert_str_ne(text, again);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("pop3");
	TCase	*t = tcase_create("pop3");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, parse, 0, nitems(rows));
	tcase_add_loop_test(t, top, 0, nitems(tops));
	tcase_add_loop_test(t, uidl, 0, nitems(uidls));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
