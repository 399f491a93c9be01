/* tests/unit/test_compose.c - the header of what programs send. */
#include "queue/compose.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/record.h"

#define END	SIZE_MAX	/* the header is all there is */

/* '\n' stands for CRLF in these. */
static const struct {
	const char	*in, *out, *rcpts;	/* rcpts: each with a '|' */
	size_t		 body;			/* where it begins */
} rows[] = {
	{ "From: a\nTo: bob\n\nx\n", "From: a\nTo: bob\nDate: NOW\n", "bob|", 20 },
	{ "To: bob\n\n", "To: bob\nFrom: ME\nDate: NOW\n", "bob|", 11 },
	{ "hello\n", "From: ME\nDate: NOW\n", "", 0 },
	{ "\nTo: bob\n", "From: ME\nDate: NOW\n", "", 2 },
	{ " To: bob\n", "From: ME\nDate: NOW\n", "", 0 },
	{ "To: bob\nhello\n", "To: bob\nFrom: ME\nDate: NOW\n", "bob|", 9 },
	{ "From ann Tue Nov 24\nTo: bob\n\n", "To: bob\nFrom: ME\nDate: NOW\n", "bob|", 32 },
	{ ">From ann\nFrom: a\nTo: bob\n\n", "From: a\nTo: bob\nDate: NOW\n", "bob|", 31 },
	{ "To: bob\nFrom ann\n\n", "To: bob\nFrom: ME\nDate: NOW\n", "bob|", 9 },
	/* who gets it, and what nobody sees */
	{ "from: a\nTo: \"B, C\" <b@c.test>,\n\td@e.test\nCc: f (x, y)\nBCC: g,\n h\n\n",
	    "from: a\nTo: \"B, C\" <b@c.test>,\n\td@e.test\nCc: f (x, y)\nDate: NOW\n",
	    "b@c.test|d@e.test|f|g|h|", END },
	{ "From: a\nTo: x: b, c;, d\nCc: undisclosed-recipients:;\n\n",
	    "From: a\nTo: x: b, c;, d\nCc: undisclosed-recipients:;\nDate: NOW\n", "b|c|d|", END },
	{ "From: a\nReturn-Path: <x>\nContent-Length: 3\nTo: b\nReply-To: z\n\n",
	    "From: a\nTo: b\nReply-To: z\nDate: NOW\n", "b|", END },
	{ "From: a\nTo : b\n\n", "From: a\nTo : b\nDate: NOW\n", "b|", 19 },
	{ "From: a\nTo:\n b\n\n", "From: a\nTo:\n b\nDate: NOW\n", "b|", 20 },
	{ "From: a\nTo: b c, d\n\n", "From: a\nTo: b c, d\nDate: NOW\n", "b c|d|", 23 },
	/* RFC 5322 3.6.6 */
	{ "Resent-From: r\nResent-Date: d\nResent-To: s\nFrom: a\nTo: b\nBcc: c\n\n",
	    "Resent-From: r\nResent-Date: d\nResent-To: s\nFrom: a\nTo: b\nDate: NOW\n",
	    "s|", END },
	{ "Resent-Bcc: s\nFrom: a\nTo: b\n\n",
	    "From: a\nTo: b\nResent-From: ME\nResent-Date: NOW\nDate: NOW\n", "s|", END },
	{ "Resent-From: r\nResent-Date: d\nResent-To: s\nReceived: x\n"
	    "Resent-From: q\nResent-To: t\nFrom: a\n\n",
	    "Resent-From: r\nResent-Date: d\nResent-To: s\n"
	    "Received: x\nResent-From: q\nResent-To: t\nFrom: a\nDate: NOW\n", "s|", END },
	{ "Resent-To: s\nResent-From: r\nResent-Date: d\n"
	    "Resent-From: q\nResent-To: t\nFrom: a\n\n",
	    "Resent-To: s\nResent-From: r\nResent-Date: d\n"
	    "Resent-From: q\nResent-To: t\nFrom: a\nDate: NOW\n", "s|", END },
	{ "From: a\nTo: b\nResent-From: r\nResent-Date: d\nResent-To: s\nResent-To: u\n\n",
	    "From: a\nTo: b\nResent-From: r\nResent-Date: d\nResent-To: s\nResent-To: u\nDate: NOW\n",
	    "s|u|", END },
};

/* Bytes with CRLF for LF. */
static struct str
crlf(const char *s, char *mem, size_t size)
{
	size_t	n = 0;

	for (; *s != '\0'; s++) {
		ck_assert_uint_lt(n + 2, size);
		if (*s == '\n')
			mem[n++] = '\r';
		mem[n++] = *s;
	}
	return (struct str){ mem, n };
}

static void
join(struct str rcpts, char *out, size_t size)
{
	struct cur	c = cur_from(rcpts);
	struct field	f;
	size_t		n = 0;

	while (record_next(&c, &f)) {
		ck_assert_int_eq(f.tag, 'r');
		ck_assert_int_eq(str_copy(out + n, size - n, f.value), 0);
		n += f.value.n;
		out[n++] = '|';
	}
	ck_assert(cur_done(&c));
	out[n] = '\0';
}

START_TEST(header)
{
	struct compose	o = { .set = { .flags = SUBMISSION_MAILBOX,
			    .from = STR("ME"), .date = STR("NOW") },
			    .extract = true };
	struct compose_scan scan = { 0, 0 };
	struct str	in, part, want;
	struct buf	out, rcpts;
	char		mem[1024], mem2[1024], list[1024];
	size_t		skip = 0;
	bool		found = false;

	in = crlf(rows[_i].in, mem, sizeof(mem));
	/* the end is found as soon as it is there, and not before */
	for (part = in, part.n = 0; part.n <= in.n && !found; part.n++)
		found = compose_scan(&scan, part, part.n == in.n, &skip);
	ck_assert(found);
	ck_assert_uint_eq(scan.at + skip, rows[_i].body == END ? in.n :
	    rows[_i].body);
	buf_init(&out, 4096);
	buf_init(&rcpts, 4096);
	compose_fields(&o, (struct str){ in.p + scan.from,
	    scan.at - scan.from }, &out, &rcpts);
	ck_assert(buf_ok(&out) && buf_ok(&rcpts));
	want = crlf(rows[_i].out, mem2, sizeof(mem2));
	ck_assert_int_eq(str_cmp(buf_view(&out), want), 0);
	join(buf_view(&rcpts), list, sizeof(list));
	ck_assert_str_eq(list, rows[_i].rcpts);
	/* without -t the same, but nobody is found */
	buf_reset(&out);
	buf_reset(&rcpts);
	o.extract = false;
	compose_fields(&o, (struct str){ in.p + scan.from,
	    scan.at - scan.from }, &out, &rcpts);
	ck_assert(str_eq(buf_view(&out), want));
	ck_assert_uint_eq(rcpts.n, 0);
	buf_free(&out);
	buf_free(&rcpts);
}
END_TEST

static const struct {
	const char	*name, *out;
} names[] = {
	{ "", "a@b.test" },
	{ "Ann Lee", "Ann Lee <a@b.test>" },
	{ " Ann  ", "Ann <a@b.test>" },
	{ "Lee, Ann \"A\\B\"", "\"Lee, Ann \\\"A\\\\B\\\"\" <a@b.test>" },
	{ "J. Doe", "\"J. Doe\" <a@b.test>" },
	{ "D\xc3\xa6mon d", "=?UTF-8?Q?D=C3=A6mon=20d?= <a@b.test>" },
	{ "Ann\r\nBcc: x", "a@b.test" },
	{ "Ann\x7f", "a@b.test" },
};

START_TEST(mailbox)
{
	struct buf	out;

	buf_init(&out, 4096);
	compose_mailbox(str_from(names[_i].name), STR("a@b.test"), &out);
	ck_assert_str_eq(buf_cstr(&out), names[_i].out);
	buf_free(&out);
}
END_TEST

/* RFC 2047 2: no encoded word has more than 75 characters. */
START_TEST(long_name)
{
	struct buf	out;
	char		name[181], *line, *next, *text;
	size_t		i;

	for (i = 0; i < 180; i += 3)
		memcpy(name + i, "\xe2\x82\xac", 3);
	name[180] = '\0';
	buf_init(&out, 4096);
	compose_mailbox(str_from(name), STR("a@b.test"), &out);
	ck_assert(buf_cstr(&out) != NULL);
	ck_assert_ptr_nonnull(text = strdup(buf_cstr(&out)));
	for (next = text; (line = strsep(&next, "\n")) != NULL;) {
		ck_assert_ptr_eq(strstr(line, "=?UTF-8?Q?"),
		    line + (line != text));
		if (next != NULL)
			ck_assert_uint_le(strlen(line), 77);	/* blank and CR */
		ck_assert_ptr_nonnull(strstr(line, "=AC?="));
	}
	free(text);
	buf_free(&out);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("compose");
	TCase	*t = tcase_create("compose");
	SRunner	*sr;
	int	 failed;

	tcase_add_loop_test(t, header, 0, nitems(rows));
	tcase_add_loop_test(t, mailbox, 0, nitems(names));
	tcase_add_test(t, long_name);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
