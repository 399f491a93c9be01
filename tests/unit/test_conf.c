/* tests/unit/test_conf.c - the configuration's lexer: a new case is a row. */
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/conf.h"

#define IN(s)	{ (s), sizeof(s) - 1 }

/* Statements as "line:col key(word,word);"; a mistake as its text. */
static const struct { struct str in; const char *want; } rows[] = {
	{ IN(""), "" },
	{ IN("\n  \n# text\n\t# more"), "" },
	{ IN("a b c"), "1:1 a(b,c);" },
	{ IN("  a\tb # c\nd\n"), "1:3 a(b);2:1 d();" },
	{ IN("a b#c\r\nd e\r\n"), "1:1 a(b#c);2:1 d(e);" },
	{ IN("a \"b c\" \"\" \"\\\"\\\\\\n\\t\"\n"),
	    "1:1 a(b c,,\"\\\n\t);" },
	{ IN("a \\\n  b \\\n c\nd"), "1:1 a(b,c);4:1 d();" },
	{ IN("a b\\\nc\n"), "1:1 a(b,c);" },
	{ IN("a \"#\" \"{\"\n"), "1:1 a(#,{);" },
	{ IN("s {\n b 1\n t {\n c 2\n }\n}\nd 3\n"),
	    "2:2 s.b(1);4:2 s.t.c(2);7:1 d(3);" },
	{ IN("position \"/x y\" 7\na b\nc d\n"), "7:1 a(b);3:1 c(d);" },
	{ IN("a \"b\n"), "f:1:5: a quoted word does not end, expected \"" },
	{ IN("a \"b\"c\n"), "f:1:6: text right after a quoted word, expected "
	    "a blank" },
	{ IN("a b\"c\"\n"), "f:1:4: quote inside a word, expected it at the "
	    "beginning" },
	{ IN("a \"\\x\"\n"), "f:1:5: unknown escape, expected one of \\\" "
	    "\\\\ \\n \\t" },
	{ IN("a b\0c\n"), "f:1:4: control character, expected text" },
	{ IN("a \x1b\n"), "f:1:3: control character, expected text" },
	{ IN("a\n}\n"), "f:2:1: \"}\" without \"{\", expected a key" },
	{ IN("a {\n"), "f:2:1: the file ends in the block opened in line 1, "
	    "expected \"}\"" },
	{ IN("a { b\n}\n"), "f:1:5: text after \"{\", expected the end of "
	    "the line" },
	{ IN("a {\n} b\n"), "f:2:3: text after \"}\", expected the end of "
	    "the line" },
	{ IN("a b {\n"), "f:1:5: a brace among words, expected \"NAME {\" or "
	    "\"}\" alone in a line" },
	{ IN("a {\nb {\nc {\nd {\ne {\n"), "f:5:3: blocks too deep, expected "
	    "at most 4" },
	{ IN("A b\n"), "f:1:1: this is no key, expected a small letter, then "
	    "small letters, digits and \"-\"" },
	{ IN("\"a\" b\n"), "f:1:1: this is no key, expected a small letter, "
	    "then small letters, digits and \"-\"" },
	{ IN("position x\n"), "f:1:1: a wrong position, expected \"position "
	    "FILE LINE\"" },
};

static void
describe(struct conf_stmts *list, struct buf *out)
{
	struct conf_stmt	*st;
	size_t			 i;

	TAILQ_FOREACH(st, list, link) {
		buf_addf(out, "%u:%u %s(", st->line, st->col, st->key);
		for (i = 0; i < st->nwords; i++)
			buf_addf(out, "%s%s", i ? "," : "", st->words[i].text);
		buf_adds(out, ");");
	}
}

START_TEST(statements)
{
	struct conf_stmts	list = TAILQ_HEAD_INITIALIZER(list);
	struct buf		got;
	struct diag		why;

	buf_init(&got, 65536);
	if (conf_parse(rows[_i].in, "f", &list, &why) == -1)
		ck_assert_str_eq(why.text, rows[_i].want);
	else {
		describe(&list, &got);
		ck_assert_str_eq(buf_cstr(&got), rows[_i].want);
	}
	conf_free(&list);
	buf_free(&got);
}
END_TEST

/* What is written reads back to the same, place and all. */
START_TEST(written_back)
{
	struct conf_stmts	list = TAILQ_HEAD_INITIALIZER(list);
	struct conf_stmts	again = TAILQ_HEAD_INITIALIZER(again);
	struct conf_stmt	*st, *back;
	struct buf		text, a, b;
	struct diag		why;

	buf_init(&text, 65536);
	buf_init(&a, 65536);
	buf_init(&b, 65536);
	ck_assert_int_eq(conf_parse(STR("\n\ns {\n b \"x \\\"\\\\\\n\\t#{\" "
	    "\"\" }x\n}\nc\n"), "name with \"blank", &list, &why), 0);
	TAILQ_FOREACH(st, &list, link)
		ck_assert_int_eq(conf_write(&text, st), 0);
	ck_assert_msg(conf_parse(buf_view(&text), "memory", &again,
	    &why) == 0, "%s", why.text);
	for (st = TAILQ_FIRST(&list), back = TAILQ_FIRST(&again); st != NULL;
	    st = TAILQ_NEXT(st, link), back = TAILQ_NEXT(back, link)) {
		ck_assert_ptr_nonnull(back);
		ck_assert_str_eq(st->file, back->file);
		ck_assert_uint_eq(st->line, back->line);
		ck_assert_str_eq(st->key, back->key);
		ck_assert_uint_eq(st->nwords, back->nwords);
		if (st->nwords > 0)
			ck_assert_str_eq(st->words[0].text,
			    back->words[0].text);
	}
	ck_assert_ptr_null(back);
	conf_free(&list);
	conf_free(&again);
	buf_free(&text);
	buf_free(&a);
	buf_free(&b);
}
END_TEST

START_TEST(limits)
{
	struct conf_stmts	list = TAILQ_HEAD_INITIALIZER(list);
	struct buf		text;
	struct diag		why;
	unsigned		i;

	buf_init(&text, CONF_FILE_MAX + 10);
	buf_adds(&text, "key");
	for (i = 1; i < CONF_WORDS; i++)
		buf_adds(&text, " w");
	ck_assert_int_eq(conf_parse(buf_view(&text), "f", &list, &why), 0);
	ck_assert_uint_eq(TAILQ_FIRST(&list)->nwords, CONF_WORDS - 1);
	buf_adds(&text, " w");
	ck_assert_int_eq(conf_parse(buf_view(&text), "f", &list, &why), -1);
	buf_reset(&text);
	buf_adds(&text, "k ");
	for (i = 0; i < CONF_WORD_MAX; i++)
		buf_addc(&text, 'x');
	ck_assert_int_eq(conf_parse(buf_view(&text), "f", &list, &why), 0);
	buf_addc(&text, 'x');
	ck_assert_int_eq(conf_parse(buf_view(&text), "f", &list, &why), -1);
	buf_reset(&text);
	for (i = 0; i < CONF_FILE_MAX; i++)
		buf_addc(&text, '\n');
	ck_assert_int_eq(conf_parse(buf_view(&text), "f", &list, &why), 0);
	buf_addc(&text, '\n');
	ck_assert_int_eq(conf_parse(buf_view(&text), "f", &list, &why), -1);
	conf_free(&list);
	buf_free(&text);
}
END_TEST

static const struct { const char *in; int error; unsigned long long want; }
    amounts[] = {
	{ "0", 0, 0 }, { "50M", 0, 50ull << 20 }, { "64k", 0, 65536 },
	{ "2G", 0, 2ull << 30 }, { "17179869183G", 0, 17179869183ull << 30 },
	{ "17179869184G", ERANGE, 0 }, { "", EINVAL, 0 }, { "M", EINVAL, 0 },
	{ "1KB", EINVAL, 0 }, { "1 K", EINVAL, 0 }, { "-1", EINVAL, 0 },
	{ "1.5M", EINVAL, 0 }, { "1T", EINVAL, 0 },
};

START_TEST(sizes)
{
	unsigned long long	n = 7;

	errno = 0;
	ck_assert_int_eq(conf_size(amounts[_i].in, &n),
	    amounts[_i].error ? -1 : 0);
	ck_assert_int_eq(errno, amounts[_i].error);
	ck_assert_uint_eq(n, amounts[_i].error ? 7 : amounts[_i].want);
}
END_TEST

static const struct { const char *in; int error; long long want; } spans[] = {
	{ "0", 0, 0 }, { "90", 0, 90000 }, { "250ms", 0, 250 },
	{ "5m", 0, 300000 }, { "4H", 0, 14400000 }, { "5d", 0, 432000000 },
	{ "9223372036854775807ms", 0, LLONG_MAX },
	{ "9223372036854775808ms", ERANGE, 0 },
	{ "106751991168d", ERANGE, 0 }, { "s", EINVAL, 0 }, { "1w", EINVAL, 0 },
	{ "5 m", EINVAL, 0 }, { "-5m", EINVAL, 0 },
};

START_TEST(times)
{
	long long	n = 7;

	errno = 0;
	ck_assert_int_eq(conf_time(spans[_i].in, &n),
	    spans[_i].error ? -1 : 0);
	ck_assert_int_eq(errno, spans[_i].error);
	ck_assert_int_eq(n, spans[_i].error ? 7 : spans[_i].want);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("conf");
	TCase	*t = tcase_create("conf");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, statements, 0, nitems(rows));
	tcase_add_test(t, written_back);
	tcase_add_test(t, limits);
	tcase_add_loop_test(t, sizes, 0, nitems(amounts));
	tcase_add_loop_test(t, times, 0, nitems(spans));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
