/* tests/unit/test_aliases.c - the syntax of aliases(5) files. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/aliases.h"

/* Entries as "line name=kind:text,kind:text;", mistakes as "line:col!". */
static const struct { const char *in, *out; } rows[] = {
	{ "", "" },
	{ "# only\n\n   \t\n", "" },
	{ "root: ann\n", "1 root=a:ann;" },
	{ "a : b, c\n  ,d,\n\te\nf:g", "1 a=a:b,a:c,a:d,a:e;4 f=a:g;" },
	{ "a: b\n\n# x\n  c\n", "1 a=a:b;4:1!" },
	{ "\"a b\": \"|cat > /x, y\", /var/x, :include:/etc/l\n",
	    "1 a b=p:cat > /x, y,f:/var/x,i:/etc/l;" },
	{ "a: |\"/bin/x -y\"\n", "1 a=p:/bin/x -y;" },
	{ "a: :include:rel\n", "1 a=e:rel;" },
	{ "a: \"open\nb: c\n", "1 a=e:\"open;2 b=a:c;" },
	{ "no colon\nb: c\n", "1:4!2 b=a:c;" },
	{ "\"\": x\n", "1:3!" },
	{ "@v.test: x@y.test\r\n", "1 @v.test=a:x@y.test;" },
	{ "\"a\\\"b\": \"c\\\\d\"\n", "1 a\"b=a:c\\d;" },
	{ "\"open: x\nb: c\n", "1:9!2 b=a:c;" },
	{ "a: b, # text\n c\n", "1 a=a:b,a:c;" },
	{ "a: |, :include:, /f, :fail: no\n", "1 a=e:,e:,f:/f,e::fail: no;" },
	{ "a: b\n ,", "1 a=a:b;" },
	{ "a:", "1 a=;" },
};

static void
describe(struct alias_entry e, struct buf *scratch, struct buf *out)
{
	static const char	letters[] = "apfie";
	struct alias_target	t;
	struct cur		c = cur_from(e.targets);
	bool			first = true;

	buf_addf(out, "%u %.*s=", e.line, STR_ARG(e.name));
	while (alias_target_next(&c, scratch, &t)) {
		t.text = str_trim(t.text);
		buf_addf(out, "%s%c:%.*s", first ? "" : ",", letters[t.kind],
		    STR_ARG(t.text));
		first = false;
	}
	buf_addc(out, ';');
}

START_TEST(entries)
{
	struct cur		 c = cur_from(str_from(rows[_i].in));
	struct alias_entry	 e;
	enum alias_result	 r;
	struct buf		 scratch, out;
	const char		*what;
	unsigned		 line = 1, col;

	buf_init(&scratch, 65536);
	buf_init(&out, 4096);
	ck_assert_int_eq(buf_reserve(&scratch, 8192), 0);
	while ((r = alias_next(&c, &line, &e, &scratch, &what, &col)) !=
	    ALIAS_END) {
		if (r == ALIAS_BAD)
			buf_addf(&out, "%u:%u!", e.line, col);
		else
			describe(e, &scratch, &out);
		buf_reset(&scratch);
	}
	ck_assert_int_eq(buf_addc(&out, '\0'), 0);
	ck_assert_str_eq(out.p, rows[_i].out);
	buf_free(&scratch);
	buf_free(&out);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("aliases");
	TCase	*t = tcase_create("aliases");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, entries, 0, nitems(rows));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
