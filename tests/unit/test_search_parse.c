/* tests/unit/test_search_parse.c - programs of SEARCH as trees, RETURN options, ESEARCH; fuzz_search.c calls the same. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/store/view.h"
#include "imapd/search_answer.h"
#include "imapd/search_parse.h"

static void
put_node(struct buf *b, const struct search_node *n)
{
	static const char *const	names[] = {
	    "all", "and", "or", "flags", "keyword", "numbers", "uids", "result",
	    "modseq", "larger", "smaller", "date", "older", "younger",
	    "emailid", "threadid", "header", "body", "text",
	};
	const struct search_node	*child;
	size_t				 i;

	buf_addf(b, "%s%s", n->negated ? "!" : "", names[n->key]);
	if (n->key == KEY_FLAGS)
		buf_addf(b, ":%x/%x", n->set, n->clear);
	if (n->key == KEY_DATE)
		buf_addf(b, ":%d.%d", n->date, n->when);
	if (n->key == KEY_HEADER)
		buf_addf(b, ":%d", n->field);
	if (n->name.n > 0)
		buf_addf(b, "[%.*s]", STR_ARG(n->name));
	if (n->value != 0)
		buf_addf(b, "=%llu", (unsigned long long)n->value);
	if (n->text.p != NULL)
		buf_addf(b, "'%.*s'", STR_ARG(n->text));
	for (i = 0; i < n->numbers.n; i++)
		buf_addf(b, ",%u-%u", n->numbers.r[i].from,
		    n->numbers.r[i].to);
	if (n->child == NULL)
		return;
	buf_addc(b, '(');
	for (child = n->child; child != NULL; child = child->next) {
		put_node(b, child);
		if (child->next != NULL)
			buf_addc(b, ' ');
	}
	buf_addc(b, ')');
}

static const struct {
	const char	*in, *tree;	/* NULL: refused */
} programs[] = {
	{ "ALL",			"and(all)" },
	{ "all",			"and(all)" },
	{ "SEEN UNSEEN",		"and(flags:8/0 flags:0/8)" },
	{ "NEW OLD RECENT",		"and(flags:20/8 flags:0/20 flags:20/0)" },
	{ "ANSWERED DELETED DRAFT FLAGGED",
	    "and(flags:1/0 flags:4/0 flags:10/0 flags:2/0)" },
	{ "UNANSWERED UNDELETED UNDRAFT UNFLAGGED",
	    "and(flags:0/1 flags:0/4 flags:0/10 flags:0/2)" },
	{ "KEYWORD $Junk UNKEYWORD a",	"and(keyword'$Junk' !keyword'a')" },
	{ "NOT SEEN",			"and(!flags:8/0)" },
	{ "NOT NOT SEEN",		"and(flags:8/0)" },
	{ "NOT UNKEYWORD a",		"and(keyword'a')" },
	{ "not (seen draft)",		"and(!and(flags:8/0 flags:10/0))" },
	{ "OR SEEN DRAFT ALL",		"and(or(flags:8/0 flags:10/0) all)" },
	{ "OR SEEN OR DRAFT ALL",	"and(or(flags:8/0 flags:10/0 all))" },
	{ "OR OR SEEN DRAFT ALL",
	    "and(or(or(flags:8/0 flags:10/0) all))" },
	{ "OR SEEN NOT OR DRAFT ALL",
	    "and(or(flags:8/0 !or(flags:10/0 all)))" },
	{ "1:3,7",			"and(numbers,1-3,7-7)" },
	{ "UID 5",			"and(uids,5-5)" },
	{ "UIDAFTER 5",			"and(uids,6-4294967294)" },
	{ "UIDAFTER 4294967294",	"and(uids)" },
	{ "UIDAFTER 4294967295",	"and(uids)" },
	{ "uidbefore 5",		"and(uids,1-4)" },
	{ "NOT UIDBEFORE 1",		"and(!uids)" },
	{ "UIDAFTER 0",			NULL },
	{ "UIDAFTER *",			NULL },
	{ "UIDBEFORE 1:2",		NULL },
	{ "UIDBEFORE 4294967296",	NULL },
	{ "UIDBEFORE",			NULL },
	{ "$ UID $",			"and(result result)" },
	{ "OR $ 1",			"and(or(result numbers,1-1))" },
	{ "SUBJECT \"a b\"",		"and(header:1'a b')" },
	{ "SUBJECT {3}\r\nabc",		"and(header:1'abc')" },
	{ "FROM a TO b CC c BCC d",
	    "and(header:2'a' header:3'b' header:4'c' header:5'd')" },
	{ "HEADER subject x",		"and(header:1[subject]'x')" },
	{ "HEADER List-Id \"\"",	"and(header:8[List-Id]'')" },
	{ "HEADER \"\" x",		NULL },
	{ "BODY x TEXT y",		"and(body'x' text'y')" },
	{ "LARGER 0 SMALLER 4294967296",
	    "and(larger smaller=4294967296)" },
	{ "BEFORE 1-Jan-1970 ON 2-Jan-1970 SINCE \"3-Jan-1970\"",
	    "and(date:0.0 date:0.1=1 date:0.2=2)" },
	{ "SENTBEFORE 1-Jan-1970 SENTON 2-Jan-1970 SENTSINCE 3-Jan-1970",
	    "and(date:1.0 date:1.1=1 date:1.2=2)" },
	{ "SAVEDBEFORE 1-Jan-1970 SAVEDON 2-Jan-1970 SAVEDSINCE 3-Jan-1970",
	    "and(date:2.0 date:2.1=1 date:2.2=2)" },
	{ "SAVEDATESUPPORTED",		"and(all)" },
	{ "OLDER 60 YOUNGER 3600",	"and(older=60 younger=3600)" },
	{ "MODSEQ 620162338",		"and(modseq=620162338)" },
	{ "MODSEQ \"/flags/\\\\draft\" all 5", "and(modseq=5)" },
	{ "MODSEQ \"/other/x\" all 5",	NULL },
	{ "MODSEQ \"/flags/x\" some 5",	NULL },
	{ "EMAILID abc THREADID T1",	"and(emailid'abc' threadid'T1')" },
	{ "((SEEN))",			"and(and(and(flags:8/0)))" },
	{ "TEXT \"\xef\xbf\xbd\"",		"and(text'\xef\xbf\xbd')" },
	{ "TEXT \"\xff\"",			NULL },
	{ "NOT HEADER x \"a\xed\xa0\x80\"",	NULL },
	{ "",				NULL },
	{ " ALL",			NULL },
	{ "ALL ",			NULL },
	{ "ALLX",			NULL },
	{ "NOT",			NULL },
	{ "OR SEEN",			NULL },
	{ "OR SEEN ",			NULL },
	{ "OR",				NULL },
	{ "()",				NULL },
	{ "(SEEN",			NULL },
	{ "(SEEN DRAFT",		NULL },
	{ "SUBJECT",			NULL },
	{ "SUBJECT ",			NULL },
	{ "SUBJECT \"a",		NULL },
	{ "HEADER a",			NULL },
	{ "LARGER x",			NULL },
	{ "LARGER -1",			NULL },
	{ "OLDER 0",			NULL },
	{ "BEFORE yesterday",		NULL },
	{ "BEFORE 32-Jan-1970",		NULL },
	{ "UID",			NULL },
	{ "UID 0",			NULL },
	{ "0",				NULL },
	{ "1:",				NULL },
	{ "KEYWORD",			NULL },
	{ "FUZZY TEXT x",		NULL },
};

START_TEST(program_row)
{
	struct arena		 arena;
	struct search_program	 program;
	struct str		 in = str_from(programs[_i].in);
	struct cur		 c = cur_from(in);
	const char		*why = NULL;
	struct buf		 b;
	bool			 ok;

	arena_init(&arena, 1 << 20);
	buf_init(&b, 4096);
	ok = search_parse(&c, &arena, charset_find(STR("utf-8")), &program,
	    &why);
	if (programs[_i].tree == NULL) {
		ck_assert(!ok);
		ck_assert_ptr_nonnull(why);
		ck_assert_ptr_eq(c.p, in.p);
	} else {
		ck_assert_msg(ok, "%s: %s", programs[_i].in, why);
		ck_assert(cur_done(&c));
		put_node(&b, program.root);
		ck_assert_str_eq(buf_cstr(&b), programs[_i].tree);
	}
	buf_free(&b);
	arena_free(&arena);
}
END_TEST

/* Text in other charsets; NULL: no text of it. */
static const struct {
	const char	*charset, *in, *tree;
} charsets[] = {
	{ "iso-8859-1", "TEXT \"\xff\"",	"and(text'\xc3\xbf')" },
	{ "utf-7", "TEXT \"a+AP8-\"",		"and(text'a\xc3\xbf')" },
	{ "euc-jp", "TEXT \"\xc6\xfc\"",	"and(text'\xe6\x97\xa5')" },
	{ "euc-jp", "TEXT \"\xc6\"",		NULL },
	{ "no-such", "TEXT \"\xff\"",	"and(text'\xff')" },
};

START_TEST(charset_row)
{
	struct arena		 arena;
	struct search_program	 program;
	struct cur		 c = cur_from(str_from(charsets[_i].in));
	const char		*why = NULL;
	struct buf		 b;
	bool			 ok;

	arena_init(&arena, 1 << 20);
	buf_init(&b, 4096);
	ok = search_parse(&c, &arena, charset_find(str_from(
	    charsets[_i].charset)), &program, &why);
	ck_assert_int_eq(ok, charsets[_i].tree != NULL);
	if (ok) {
		put_node(&b, program.root);
		ck_assert_str_eq(buf_cstr(&b), charsets[_i].tree);
	}
	buf_free(&b);
	arena_free(&arena);
}
END_TEST

static bool
parses(struct buf *in, struct search_program *program, struct arena *arena)
{
	struct cur	 c = cur_from(buf_view(in));
	const char	*why;

	return search_parse(&c, arena, charset_find(STR("utf-8")), program,
	    &why) && cur_done(&c);
}

/* As deep and as many as is allowed, and one more. */
START_TEST(bounds)
{
	struct search_program	program;
	struct arena		arena;
	struct buf		b;
	unsigned		i, k;

	arena_init(&arena, 64 << 20);
	buf_init(&b, 1 << 20);
	for (k = 0; k < 2; k++) {
		buf_reset(&b);
		for (i = 0; i < SEARCH_DEPTH_MAX - 1 + k; i++)
			buf_addc(&b, '(');
		buf_adds(&b, "ALL");
		for (i = 0; i < SEARCH_DEPTH_MAX - 1 + k; i++)
			buf_addc(&b, ')');
		ck_assert_int_eq(parses(&b, &program, &arena), k == 0);
		buf_reset(&b);
		for (i = 0; i < SEARCH_KEYS_MAX - 2 + k; i++)
			buf_adds(&b, "ALL ");
		buf_adds(&b, "ALL");
		ck_assert_int_eq(parses(&b, &program, &arena), k == 0);
	}
	/* a chain of OR is as long as there may be keys, and NOT costs nothing */
	buf_reset(&b);
	for (i = 0; i < 4000; i++)
		buf_adds(&b, "OR NOT ALL ");
	buf_adds(&b, "ALL");
	ck_assert(parses(&b, &program, &arena));
	ck_assert_uint_eq(program.nkeys, 4003);
	buf_reset(&b);
	for (i = 0; i < 100001; i++)
		buf_adds(&b, "NOT ");
	buf_adds(&b, "ALL");
	ck_assert(parses(&b, &program, &arena));
	ck_assert(program.root->child->negated);
	buf_reset(&b);
	buf_adds(&b, "TEXT {8193}\r\n");
	for (i = 0; i < SEARCH_TEXT_MAX + 1; i++)
		buf_addc(&b, 'x');
	ck_assert(!parses(&b, &program, &arena));
	buf_free(&b);
	arena_free(&arena);
}
END_TEST

static const struct {
	const char	*in;
	unsigned	 want;		/* 0: refused */
	unsigned	 n;		/* results there are */
	const char	*line;		/* behind "* ESEARCH (TAG "t")" */
} returns[] = {
	{ "RETURN () ",	RETURN_GIVEN | RETURN_ALL, 3, " ALL 2,4:5" },
	{ "RETURN (ALL) ", RETURN_GIVEN | RETURN_ALL, 0, "" },
	{ "RETURN (COUNT) ", RETURN_GIVEN | RETURN_COUNT, 0, " COUNT 0" },
	{ "return (min max count) ",
	    RETURN_GIVEN | RETURN_MIN | RETURN_MAX | RETURN_COUNT, 3,
	    " MIN 2 MAX 5 COUNT 3" },
	{ "RETURN (MIN MAX) ", RETURN_GIVEN | RETURN_MIN | RETURN_MAX, 0, "" },
	{ "RETURN (PARTIAL 1:2) ", RETURN_GIVEN | RETURN_PARTIAL, 3,
	    " PARTIAL (1:2 2,4)" },
	{ "RETURN (PARTIAL 3:2) ", RETURN_GIVEN | RETURN_PARTIAL, 3,
	    " PARTIAL (2:3 4:5)" },
	{ "RETURN (PARTIAL 4:9) ", RETURN_GIVEN | RETURN_PARTIAL, 3,
	    " PARTIAL (4:9 NIL)" },
	{ "RETURN (PARTIAL 3:9) ", RETURN_GIVEN | RETURN_PARTIAL, 3,
	    " PARTIAL (3:9 5)" },
	{ "RETURN (PARTIAL -1:-2) ", RETURN_GIVEN | RETURN_PARTIAL, 3,
	    " PARTIAL (-1:-2 4:5)" },
	{ "RETURN (PARTIAL -4:-3) ", RETURN_GIVEN | RETURN_PARTIAL, 3,
	    " PARTIAL (-3:-4 2)" },
	{ "RETURN (PARTIAL -4:-9) ", RETURN_GIVEN | RETURN_PARTIAL, 3,
	    " PARTIAL (-4:-9 NIL)" },
	{ "RETURN (PARTIAL 1:1 SAVE UPDATE CONTEXT) ", RETURN_GIVEN |
	    RETURN_PARTIAL | RETURN_SAVE | RETURN_UPDATE | RETURN_CONTEXT, 0,
	    " PARTIAL (1:1 NIL)" },
	{ "RETURN (CONTEXT) ", RETURN_GIVEN | RETURN_ALL | RETURN_CONTEXT, 3,
	    " ALL 2,4:5" },
	{ "RETURN (CONTEXT UPDATE) ", RETURN_GIVEN | RETURN_CONTEXT |
	    RETURN_UPDATE, 3, "" },
	{ "RETURN (CONTEXT COUNT) ", RETURN_GIVEN | RETURN_CONTEXT |
	    RETURN_COUNT, 3, " COUNT 3" },
	{ "RETURN (COUNT UPDATE (UID BODY[HEADER.FIELDS (\"A)\" {2}\r\nb))])) ",
	    RETURN_GIVEN | RETURN_COUNT | RETURN_UPDATE, 0, " COUNT 0" },
	{ "RETURN (UPDATE(FLAGS) COUNT) ", RETURN_GIVEN | RETURN_COUNT |
	    RETURN_UPDATE, 0, " COUNT 0" },
	{ "RETURN (UPDATE ()) ", 0, 0, NULL },
	{ "RETURN (UPDATE (UID) ", 0, 0, NULL },
	{ "RETURN (UPDATE (NONSENSE)) ", 0, 0, NULL },
	{ "RETURN (COUNT (UID)) ", 0, 0, NULL },
	{ "RETURN (ALL PARTIAL 1:1) ", 0, 0, NULL },
	{ "RETURN (PARTIAL 1:1 PARTIAL 1:2) ", 0, 0, NULL },
	{ "RETURN (PARTIAL 0:1) ", 0, 0, NULL },
	{ "RETURN (PARTIAL 1:*) ", 0, 0, NULL },
	{ "RETURN (PARTIAL -1:2) ", 0, 0, NULL },
	{ "RETURN (PARTIAL 1) ", 0, 0, NULL },
	{ "RETURN (PARTIAL) ", 0, 0, NULL },
	{ "RETURN (MIN ) ", 0, 0, NULL },
	{ "RETURN (RELEVANCY) ", 0, 0, NULL },
	{ "RETURN (MIN", 0, 0, NULL },
	{ "RETURN (MIN)", 0, 0, NULL },
	{ "RETURN MIN ", 0, 0, NULL },
};

START_TEST(return_row)
{
	static const uint32_t	 numbers[] = { 2, 4, 5 };
	struct search_return	 r;
	struct esearch		 e = { .tag = STR("t"), .ret = &r,
	    .numbers = numbers, .n = returns[_i].n };
	struct str		 in = str_from(returns[_i].in);
	struct cur		 c = cur_from(in);
	const char		*why = NULL;
	struct buf		 line, want;
	struct arena		 a;

	arena_init(&a, 1 << 20);
	ck_assert_int_eq(search_return_parse(&c, &a, &r, &why),
	    returns[_i].want != 0);
	arena_free(&a);
	if (returns[_i].want == 0) {
		ck_assert_ptr_nonnull(why);
		return;
	}
	ck_assert(cur_done(&c));
	ck_assert_uint_eq(r.want, returns[_i].want);
	buf_init(&line, 4096);
	buf_init(&want, 4096);
	ck_assert_int_eq(esearch_put(&line, &e), 0);
	buf_addf(&want, "* ESEARCH (TAG \"t\")%s\r\n", returns[_i].line);
	ck_assert_str_eq(buf_cstr(&line), buf_cstr(&want));
	buf_free(&line);
	buf_free(&want);
}
END_TEST

START_TEST(esearch_line)
{
	static const uint32_t	 numbers[] = { 9, 8, 1, 2, 3, UINT32_MAX };
	struct search_return	 r = { .want = RETURN_ALL |
	    RETURN_COUNT };
	struct buf		 b, box;
	struct esearch		 e = { STR("A1"), &box, 7, true, &r, numbers,
	    nitems(numbers), 12345678901ull };

	buf_init(&b, 4096);
	buf_init(&box, 64);
	buf_adds(&box, "\"a b\"");
	ck_assert_int_eq(esearch_put(&b, &e), 0);
	ck_assert_str_eq(buf_cstr(&b), "* ESEARCH (TAG \"A1\" MAILBOX \"a b\" "
	    "UIDVALIDITY 7) UID COUNT 6 ALL 9,8,1:3,4294967295 "
	    "MODSEQ 12345678901\r\n");
	buf_free(&b);
	buf_free(&box);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("search_parse");
	TCase	*tc = tcase_create("rows");
	SRunner	*sr;
	int	 failed;

	tcase_add_loop_test(tc, program_row, 0, nitems(programs));
	tcase_add_loop_test(tc, charset_row, 0, (int)nitems(charsets));
	tcase_add_test(tc, bounds);
	tcase_add_loop_test(tc, return_row, 0, nitems(returns));
	tcase_add_test(tc, esearch_line);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
