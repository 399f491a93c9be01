/* tests/unit/test_imap_fetch.c - what FETCH asks for; lines and fields as they are sent. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/fetch_parse.h"
#include "imapd/fetch_wire.h"

static struct arena		memory;
static struct fetch_request	r;
static const char		*why;

static void
setup(void)
{
	arena_init(&memory, 1 << 20);
}

static void
teardown(void)
{
	arena_free(&memory);
}

static bool
parse(const char *text, bool uid)
{
	struct cur	c = cur_from(str_from(text)), before = c;
	bool		ok;

	why = NULL;
	ok = fetch_parse(&c, &memory, uid, &r, &why);
	if (ok)
		ck_assert(cur_done(&c));
	else
		ck_assert(c.p == before.p && why != NULL);
	return ok;
}

/* What was understood, written again. */
static const char *
shown(void)
{
	static const char *const names[] = {
		"FLAGS", "MODSEQ", "INTERNALDATE", "SIZE", "ENVELOPE", "BODY",
		"STRUCTURE", "EMAILID", "THREADID", "SAVEDATE", "PREVIEW"
	};
	static char	out[2048];
	struct buf	b;
	size_t		i;

	buf_init(&b, sizeof(out) - 1);
	if (r.uid)
		buf_adds(&b, "UID ");
	for (i = 0; i < r.natts; i++)
		buf_addf(&b, "%s ", names[r.atts[i]]);
	for (i = 0; i < r.nsections; i++) {
		buf_addf(&b, "%.*s", STR_ARG(r.sections[i].label));
		if (r.sections[i].partial)
			buf_addf(&b, "%llu", (unsigned long long)
			    r.sections[i].count);
		buf_addc(&b, ' ');
	}
	if (r.seen)
		buf_adds(&b, "seen ");
	if (r.lazy)
		buf_adds(&b, "lazy ");
	if (r.since_given)
		buf_addf(&b, "since %llu ", (unsigned long long)r.since);
	if (r.vanished)
		buf_adds(&b, "vanished ");
	if (r.slice)
		buf_addf(&b, "%s %u-%u ", r.slice_last ? "last" : "first",
		    r.slice_from, r.slice_to);
	ck_assert(buf_ok(&b));
	if (b.n > 0)
		b.n--;
	memcpy(out, b.p, b.n);
	out[b.n] = '\0';
	buf_free(&b);
	return out;
}

static const struct { const char *text; bool uid; const char *want; } rows[] = {
	{ "FLAGS", false, "FLAGS" },
	{ "(FLAGS)", false, "FLAGS" },
	{ "(UID FLAGS uid flags)", false, "UID FLAGS" },
	{ "uid", false, "UID" },
	{ "ALL", false, "FLAGS INTERNALDATE SIZE ENVELOPE" },
	{ "fast", false, "FLAGS INTERNALDATE SIZE" },
	{ "FULL", false, "FLAGS INTERNALDATE SIZE ENVELOPE BODY" },
	{ "(BODY BODYSTRUCTURE RFC822.SIZE)", false, "BODY STRUCTURE SIZE" },
	{ "(EMAILID THREADID SAVEDATE MODSEQ)", false,
	    "EMAILID THREADID SAVEDATE MODSEQ" },
	{ "BODY[]", false, "BODY[] seen" },
	{ "body.peek[]", false, "BODY[]" },
	{ "(BODY.PEEK[] BODY[])", false, "BODY[] seen" },
	{ "(BODY[]<0.10> BODY[]<0.10> BODY[]<0.20> BODY[]<5.10>)", false,
	    "BODY[]<0>10 BODY[]<0>20 BODY[]<5>10 seen" },
	{ "RFC822", false, "RFC822 seen" },
	{ "(RFC822.HEADER RFC822.HEADER)", false, "RFC822.HEADER" },
	{ "RFC822.TEXT", false, "RFC822.TEXT seen" },
	{ "BODY.PEEK[HEADER]", false, "BODY[HEADER]" },
	{ "BODY.PEEK[TEXT]<3.4294967296>", false,
	    "BODY[TEXT]<3>4294967296" },
	{ "BODY.PEEK[1]", false, "BODY[1]" },
	{ "BODY.PEEK[1.2.3.mime]", false, "BODY[1.2.3.MIME]" },
	{ "BODY.PEEK[4294967295.HEADER]", false, "BODY[4294967295.HEADER]" },
	{ "BODY.PEEK[2.text]", false, "BODY[2.TEXT]" },
	{ "BODY.PEEK[HEADER.FIELDS (From TO)]", false,
	    "BODY[HEADER.FIELDS (From TO)]" },
	{ "BODY.PEEK[header.fields.not (\"a b\" {2}\r\nxy)]<0.1>", false,
	    "BODY[HEADER.FIELDS.NOT (\"a b\" xy)]<0>1" },
	{ "BODY.PEEK[1.HEADER.FIELDS (X)]", false,
	    "BODY[1.HEADER.FIELDS (X)]" },
	{ "BODY.PEEK[HEADER.FIELDS (\"]\" \"(\")]", false,
	    "BODY[HEADER.FIELDS (] \"(\")]" },
	{ "BINARY[1]", false, "BINARY[1] seen" },
	{ "BINARY.PEEK[]<1.2>", false, "BINARY[]<1>2" },
	{ "(BINARY.SIZE[1.2] BINARY.PEEK[1.2])", false,
	    "BINARY.SIZE[1.2] BINARY[1.2]" },
	{ "PREVIEW", false, "PREVIEW" },
	{ "PREVIEW (LAZY)", false, "PREVIEW lazy" },
	{ "(PREVIEW (LAZY) UID)", false, "UID PREVIEW lazy" },
	{ "PREVIEW (CHANGEDSINCE 3)", false, "PREVIEW MODSEQ since 3" },
	{ "PREVIEW (LAZY) (CHANGEDSINCE 3)", false,
	    "PREVIEW MODSEQ lazy since 3" },
	{ "FLAGS (CHANGEDSINCE 9223372036854775807)", false,
	    "FLAGS MODSEQ since 9223372036854775807" },
	{ "(FLAGS) (changedsince 1 vanished)", true,
	    "FLAGS MODSEQ since 1 vanished" },
	{ "(FLAGS) (VANISHED CHANGEDSINCE 1)", true,
	    "FLAGS MODSEQ since 1 vanished" },
	{ "FLAGS (PARTIAL 1:100)", true, "FLAGS first 1-100" },
	{ "FLAGS (PARTIAL 100:1 CHANGEDSINCE 7)", true,
	    "FLAGS MODSEQ since 7 first 1-100" },
	{ "FLAGS (PARTIAL -1:-30)", true, "FLAGS last 1-30" },
	/* refused */
	{ "", false, NULL }, { "()", false, NULL }, { "(FLAGS", false, NULL },
	{ "(FLAGS )", false, NULL }, { "(FLAGS  UID)", false, NULL },
	{ "FLAGS UID", false, NULL }, { "FLAGS)", false, NULL },
	{ "(ALL)", false, NULL }, { "(FLAGS ALL)", false, NULL },
	{ "FLAG", false, NULL }, { "FLAGSX", false, NULL },
	{ "((FLAGS))", false, NULL }, { "FLAGS[]", false, NULL },
	{ "BODY[", false, NULL }, { "BODY[1", false, NULL },
	{ "BODY[0]", false, NULL }, { "BODY[1.]", false, NULL },
	{ "BODY[1..2]", false, NULL }, { "BODY[.1]", false, NULL },
	{ "BODY[01]", false, NULL }, { "BODY[4294967296]", false, NULL },
	{ "BODY[MIME]", false, NULL }, { "BODY[HEADERS]", false, NULL },
	{ "BODY[HEADER.FIELDS]", false, NULL },
	{ "BODY[HEADER.FIELDS ()]", false, NULL },
	{ "BODY[HEADER.FIELDS (A]", false, NULL },
	{ "BODY[HEADER.FIELDS (A )]", false, NULL },
	{ "BODY[HEADER.FIELDS A]", false, NULL },
	{ "BODY[]<0>", false, NULL }, { "BODY[]<0.0>", false, NULL },
	{ "BODY[]<.1>", false, NULL }, { "BODY[]<1.1", false, NULL },
	{ "BODY[]<-1.1>", false, NULL },
	{ "BODY[]<0.9223372036854775808>", false, NULL },
	{ "BINARY[TEXT]", false, NULL }, { "BINARY[1.MIME]", false, NULL },
	{ "BINARY.SIZE[1]<0.1>", false, NULL }, { "BINARY", false, NULL },
	{ "BODY.PEEK", false, NULL }, { "RFC822[]", false, NULL },
	{ "FLAGS (CHANGEDSINCE)", false, NULL },
	{ "FLAGS (CHANGEDSINCE 1 CHANGEDSINCE 2)", false, NULL },
	{ "FLAGS (CHANGEDSINCE -1)", false, NULL },
	{ "FLAGS (CHANGEDSINCE 9223372036854775808)", false, NULL },
	{ "FLAGS (VANISHED)", true, NULL },
	{ "FLAGS (CHANGEDSINCE 1 VANISHED)", false, NULL },
	{ "FLAGS (PARTIAL 1:2)", false, NULL },
	{ "FLAGS (PARTIAL 1:-2)", true, NULL },
	{ "FLAGS (PARTIAL -1:2)", true, NULL },
	{ "FLAGS (PARTIAL 0:2)", true, NULL },
	{ "FLAGS (PARTIAL 1:*)", true, NULL },
	{ "FLAGS (PARTIAL 1:2 PARTIAL 1:2)", true, NULL },
	{ "FLAGS ()", false, NULL }, { "FLAGS (X)", false, NULL },
	{ "FLAGS (CHANGEDSINCE 1) ", false, NULL },
};

START_TEST(understood)
{
	bool	ok = parse(rows[_i].text, rows[_i].uid);

	ck_assert_msg(ok == (rows[_i].want != NULL), "%s: %s", rows[_i].text,
	    ok ? "taken" : why);
	if (ok)
		ck_assert_str_eq(shown(), rows[_i].want);
}
END_TEST

/* Lists have an end, and are answered in time. */
START_TEST(much)
{
	char	*text = malloc(200000);
	size_t	 n = 0;
	int	 i;

	ck_assert_ptr_nonnull(text);
	text[n++] = '(';
	for (i = 1; i <= FETCH_SECTIONS_MAX; i++)
		n += (size_t)snprintf(text + n, 40, "BODY.PEEK[%d] ", i);
	text[n - 1] = ')';
	text[n] = '\0';
	ck_assert(parse(text, false));
	ck_assert_uint_eq(r.nsections, FETCH_SECTIONS_MAX);
	snprintf(text + n - 1, 40, " BODY[9999])");
	ck_assert(!parse(text, false));
	n = (size_t)snprintf(text, 40, "BODY[1");
	for (i = 1; i < FETCH_DEPTH_MAX; i++)
		n += (size_t)snprintf(text + n, 40, ".1");
	snprintf(text + n, 40, "]");
	ck_assert(parse(text, false));
	snprintf(text + n, 40, ".1]");
	ck_assert(!parse(text, false));
	n = (size_t)snprintf(text, 40, "BODY[HEADER.FIELDS (");
	for (i = 0; i < FETCH_NAMES_MAX; i++)
		n += (size_t)snprintf(text + n, 40, "X%d ", i);
	snprintf(text + n - 1, 40, ")]");
	ck_assert(parse(text, false));
	ck_assert(names_has(r.sections[0].names, r.sections[0].nnames,
	    STR("x499")));
	ck_assert(!names_has(r.sections[0].names, r.sections[0].nnames,
	    STR("x500")));
	snprintf(text + n, 40, "Y)]");
	ck_assert(!parse(text, false));
	free(text);
}
END_TEST

static const struct { struct str in; struct str want; } lines[] = {
	{ { "", 0 }, { "", 0 } },
	{ STR("\n"), STR("\r\n") },
	{ STR("\r\n"), STR("\r\n") },
	{ STR("a"), STR("a") },
	{ STR("a\nb\r\nc\rd\n\n\r\r\n"), STR("a\r\nb\r\nc\rd\r\n\r\n\r\r\n") },
	{ STR("a\0b\n"), STR("a\0b\r\n") },
	{ STR("a\r"), STR("a\r") },
};

START_TEST(ends)
{
	struct str	s = lines[_i].in, want = lines[_i].want;
	struct buf	b;
	size_t		cut;
	char		last, counted;

	buf_init(&b, 1000);
	for (cut = 0; cut <= s.n; cut++) {
		struct str	one = { s.p, cut },
				two = { s.p + cut, s.n - cut };
		uint64_t	sum;

		last = counted = 0;
		buf_reset(&b);
		ck_assert_int_eq(wire_put(&b, one, &last), 0);
		ck_assert_int_eq(wire_put(&b, two, &last), 0);
		ck_assert(str_eq(buf_view(&b), want));
		sum = wire_count(one, &counted);
		sum += wire_count(two, &counted);
		ck_assert_uint_eq(sum, want.n);
		ck_assert_int_eq(last, counted);
	}
	buf_free(&b);
}
END_TEST

static const struct {
	const char *names, *header, *only, *others;
} fields[] = {
	{ "(A)", "A: 1\nB: 2\n\nA: 3\n", "A: 1\r\n\r\n",
	    "B: 2\r\n\r\n" },
	{ "(b)", "A: 1\r\nB: 2\r\n\r\n", "B: 2\r\n\r\n", "A: 1\r\n\r\n" },
	{ "(B)", "B : 2\n x\n\ty\nC: 3\n\n", "B : 2\r\n x\r\n\ty\r\n\r\n",
	    "C: 3\r\n\r\n" },
	{ "(B)", "B: 1\nA: 2\nb: 3\n\n", "B: 1\r\nb: 3\r\n\r\n",
	    "A: 2\r\n\r\n" },
	{ "(B)", "no field\n goes on\nB: 1\n\n", "B: 1\r\n\r\n",
	    "no field\r\n goes on\r\n\r\n" },
	{ "(B)", " of none\nB: 1\n\n", "B: 1\r\n\r\n", " of none\r\n\r\n" },
	{ "(B)", "AB: 1\nBA: 2\n\n", "\r\n", "AB: 1\r\nBA: 2\r\n\r\n" },
	{ "(B)", "B: 1", "B: 1", "" },
	{ "(B)", "", "", "" },
};

START_TEST(header)
{
	struct wire_fields	f;
	struct str		in = str_from(fields[_i].header);
	struct buf		b;
	char			text[100];
	size_t			n, at, cut;
	int			not;

	for (not = 0; not < 2; not++) {
		snprintf(text, sizeof(text), "BODY[HEADER.FIELDS%s %s]",
		    not ? ".NOT" : "", fields[_i].names);
		ck_assert(parse(text, false));
		ck_assert(wire_header_end(in, true, &n) ==
		    (strstr(fields[_i].header, "\n\n") != NULL ||
		    strstr(fields[_i].header, "\r\n\r\n") != NULL));
		in.n = n;
		buf_init(&b, 1000);
		for (cut = in.n < 20 ? in.n : 20; cut <= in.n; cut++) {
			wire_fields_begin(&f, r.sections[0].names,
			    r.sections[0].nnames, not);
			buf_reset(&b);
			ck_assert_int_eq(wire_fields_take(&f, (struct str){
			    in.p, cut }, cut == in.n, &b, &at), 0);
			ck_assert_int_eq(wire_fields_take(&f, (struct str){
			    in.p + at, in.n - at }, true, &b, &n), 0);
			ck_assert_uint_eq(at + n, in.n);
			ck_assert(str_eq(buf_view(&b), str_from(not ?
			    fields[_i].others : fields[_i].only)));
		}
		buf_free(&b);
	}
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("imap_fetch");
	TCase	*t = tcase_create("fetch");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, understood, 0, nitems(rows));
	tcase_add_test(t, much);
	tcase_add_loop_test(t, ends, 0, nitems(lines));
	tcase_add_loop_test(t, header, 0, nitems(fields));
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
