/* tests/unit/test_listing.c - filters and the two forms of a list. */
#include "queue/listing.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/json.h"
#include "common/fmt/record.h"
#include "common/proc/proto_queue.h"

#define S(lit)	{ (lit), sizeof(lit) - 1 }

static const struct {
	const char	*pattern, *text;
	bool		 ok;
} globs[] = {
	{ "", "", true }, { "", "a", false }, { "*", "", true },
	{ "*", "abc", true }, { "a*c", "abbc", true }, { "a*c", "abcd", false },
	{ "*@B.test", "x@b.TEST", true }, { "*a*b*", "xxaxxbxx", true },
	{ "*a*b*", "xxbxxaxx", false }, { "**", "a", true },
	{ "a?c", "abc", false }, { "abc", "ab", false },
	{ "*aab", "aaaaab", true }, { "*\xc3\xbc*", "a\xc3\xbc" "b", true },
};

START_TEST(glob)
{
	ck_assert_int_eq(filter_glob(str_from(globs[_i].pattern),
	    str_from(globs[_i].text)), globs[_i].ok);
}
END_TEST

#define STATUS	"1 bob@b.test 4.2.2 Mailbox full\n2 carol@c.test 4.4.1 no answer\n"

/* A message of a minute ago from ann@a.test to bob, carol; done has got it. */
static const struct {
	int		 option;
	const char	*value;
	bool		 good, matches;
} filters[] = {
	{ 'F', "ann@a.test", true, true }, { 'F', "ANN@*", true, true },
	{ 'F', "bob@b.test", true, false }, { 'F', "<>", true, false },
	{ 't', "bob@b.test", true, true }, { 't', "*@c.test", true, true },
	{ 't', "done@c.test", true, false }, { 't', "ann*", true, false },
	{ 'd', "B.TEST", true, true }, { 'd', "*.test", true, true },
	{ 'd', "a.test", true, false }, { 'd', "test", true, false },
	{ 'e', "mailbox FULL", true, true }, { 'e', "4.4.1", true, true },
	{ 'e', "full\n2", true, false }, { 'e', "busy", true, false },
	{ 'o', "30s", true, true }, { 'o', "2m", true, false },
	{ 'o', "later", false, false }, { 'o', "0", false, false },
	{ 'w', NULL, true, true }, { 'H', NULL, true, false },
	{ 'x', "y", false, false },
};

START_TEST(filter)
{
	struct envelope_rcpt	r[] = {
		{ .addr = S("bob@b.test"), .state = RCPT_WAITING },
		{ .addr = S("carol@c.test"), .state = RCPT_FAILED },
		{ .addr = S("done@c.test"), .state = RCPT_DELIVERED },
	};
	struct envelope	env = { .arrival_ms = 1000000, .sender = S("ann@a.test"),
			    .rcpts = r, .nrcpts = nitems(r) };
	struct filter	f = { .older_ms = 0 }, got;
	struct buf	rec;
	const char	*why;

	ck_assert(filter_is_empty(&f));
	ck_assert_int_eq(filter_option(&f, filters[_i].option,
	    filters[_i].value, &why), filters[_i].good);
	if (!filters[_i].good)
		return;
	ck_assert(!filter_is_empty(&f));
	/* the same on the other side of the socket */
	buf_init(&rec, 4096);
	record_puts(&rec, QUEUE_VERB, "list");
	filter_put(&f, &rec);
	ck_assert(filter_get(buf_view(&rec), &got));
	ck_assert_int_eq(memcmp(&f, &got, sizeof(f)), 0);
	ck_assert_int_eq(filter_matches_envelope(&got, &env, "waiting",
	    1060000) && filter_matches_status(&got, STR(STATUS)),
	    filters[_i].matches);
	buf_free(&rec);
}
END_TEST

START_TEST(filter_limits)
{
	char		long_text[FILTER_SIZE + 1];
	struct filter	f = { .older_ms = 0 };
	struct buf	rec;
	const char	*why;

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	ck_assert(!filter_option(&f, 'F', long_text, &why));
	buf_init(&rec, 4096);
	record_puts(&rec, FILTER_SENDER, long_text);
	ck_assert(!filter_get(buf_view(&rec), &f));
	buf_reset(&rec);
	record_puts(&rec, FILTER_OLDER, "soon");
	ck_assert(!filter_get(buf_view(&rec), &f));
	buf_reset(&rec);
	record_put(&rec, FILTER_RCPT, (struct str)S("a\0b"));
	ck_assert(!filter_get(buf_view(&rec), &f));
	buf_free(&rec);
}
END_TEST

static void
make_entry(struct buf *e, struct str sender)
{
	buf_init(e, 4096);
	record_puts(e, ENTRY_ID, "cr84b8gc2g2yhg9tknzj");
	record_puts(e, ENTRY_PLACE, "waiting");
	record_putu(e, ENTRY_DUE, 8000000);
	record_putu(e, ENTRY_ARRIVAL, 1000000);
	record_putu(e, ENTRY_SIZE, 4321);
	record_put(e, ENTRY_SENDER, sender);
	record_puts(e, ENTRY_RCPT, "bob@b.test");
	record_puts(e, ENTRY_REASON, "4.2.2 full");
	record_puts(e, ENTRY_RCPT, "carol@c.test");
	record_puts(e, ENTRY_REASON, "4.2.2 full");
	record_puts(e, ENTRY_RCPT, "dan@d.test");
	record_putu(e, ENTRY_NRCPTS, 5);
}

static void
shown(struct buf *e, struct shown *s)
{
	ck_assert(listing_parse(buf_view(e), s));
}

START_TEST(table)
{
	struct shown	s;
	struct buf	e, out;

	buf_init(&out, 4096);
	make_entry(&e, (struct str)S("a\033[2J@a.test"));
	shown(&e, &s);
	listing_table(&s, 4660000, false, &out);
	ck_assert_str_eq(buf_cstr(&out),
	    "cr84b8gc2g2yhg9tknzj   4.2K  1h01m     55m  a?[2J@a.test\n"
	    "    bob@b.test\n"
	    "        4.2.2 full\n"
	    "    carol@c.test\n"
	    "    dan@d.test\n"
	    "    ... and 2 more\n");
	buf_reset(&out);
	shown(&e, &s);
	listing_table(&s, 9000000, true, &out);
	ck_assert_str_eq(buf_cstr(&out),
	    "cr84b8gc2g2yhg9tknzj   4.2K  2h13m     now  a?[2J@a.test\n");
	buf_reset(&out);
	buf_free(&e);
	/* CSI as one character, right to left, and a letter */
	make_entry(&e, (struct str)S("\xc2\x9b" "2J\xe2\x80\xae\xc3\xa4@a.test"));
	shown(&e, &s);
	listing_table(&s, 9000000, true, &out);
	ck_assert_str_eq(buf_cstr(&out), "cr84b8gc2g2yhg9tknzj   4.2K  2h13m     "
	    "now  ??2J???\xc3\xa4@a.test\n");
	buf_reset(&out);
	ck_assert(!listing_parse(STR("I1:x,\n"), &s));
	record_puts(&e, ENTRY_SIZE, "many");
	ck_assert(!listing_parse(buf_view(&e), &s));
	buf_free(&e);
	buf_free(&out);
}
END_TEST

START_TEST(json_line)
{
	struct shown	s;
	struct buf	e, out;

	buf_init(&out, 4096);
	make_entry(&e, (struct str)S(""));
	shown(&e, &s);
	listing_json(&s, &out);
	ck_assert_str_eq(buf_cstr(&out),
	    "{\"queue_name\": \"waiting\", \"queue_id\": "
	    "\"cr84b8gc2g2yhg9tknzj\", \"arrival_time\": 1000, "
	    "\"message_size\": 4321, \"next_time\": 8000, \"sender\": \"\", "
	    "\"recipient_count\": 5, \"recipients\": ["
	    "{\"address\": \"bob@b.test\", \"delay_reason\": \"4.2.2 full\"}, "
	    "{\"address\": \"carol@c.test\", \"delay_reason\": \"4.2.2 full\"}, "
	    "{\"address\": \"dan@d.test\"}]}\n");
	buf_free(&e);
	buf_free(&out);
}
END_TEST

static const struct {
	struct str	 in;
	const char	*out;
} strings[] = {
	{ S(""), "\"\"" },
	{ S("a\"b\\c"), "\"a\\\"b\\\\c\"" },
	{ S("\0\n\x1f\x7f"), "\"\\u0000\\u000a\\u001f\\u007f\"" },
	{ S("\xc3\xbc\xe2\x82\xac\xf0\x9f\x93\xa8"),
	    "\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x93\xa8\"" },
	{ S("\xff"), "\"\\ufffd\"" },
	{ S("\xc3"), "\"\\ufffd\"" },
	{ S("\xc0\xaf"), "\"\\ufffd\\ufffd\"" },
	{ S("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"" },
	{ S("\xf4\x90\x80\x80"), "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },
	{ S("\xe0\x80\x80"), "\"\\ufffd\\ufffd\\ufffd\"" },
	{ S("\xe2\x82z"), "\"\\ufffd\\ufffdz\"" },
};

START_TEST(json)
{
	struct buf	out;

	buf_init(&out, 4096);
	json_quote(strings[_i].in, &out);
	ck_assert_str_eq(buf_cstr(&out), strings[_i].out);
	buf_free(&out);
}
END_TEST

static const struct { uint64_t n; const char *text; } sizes[] = {
	{ 0, "0" }, { 999, "999" }, { 1000, "1.0K" }, { 1024, "1.0K" },
	{ 10240, "10K" }, { 1048576, "1.0M" }, { 1023488, "1.0M" },
	{ UINT64_MAX, "16E" },
};

static const struct { int64_t ms; const char *text; } ages[] = {
	{ -5, "0s" }, { 59999, "59s" }, { 60000, "1m" }, { 3599000, "59m" },
	{ 3660000, "1h01m" }, { 86400000, "1d00h" }, { 8640000000, "100d00h" },
};

START_TEST(numbers)
{
	char	text[32];
	size_t	i;

	for (i = 0; i < nitems(sizes); i++)
		ck_assert_str_eq(listing_size(sizes[i].n, text), sizes[i].text);
	for (i = 0; i < nitems(ages); i++)
		ck_assert_str_eq(listing_age(ages[i].ms, text), ages[i].text);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("listing");
	TCase	*t = tcase_create("listing");
	SRunner	*sr;
	int	 failed;

	tcase_add_loop_test(t, glob, 0, nitems(globs));
	tcase_add_loop_test(t, filter, 0, nitems(filters));
	tcase_add_test(t, filter_limits);
	tcase_add_test(t, table);
	tcase_add_test(t, json_line);
	tcase_add_loop_test(t, json, 0, nitems(strings));
	tcase_add_test(t, numbers);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
