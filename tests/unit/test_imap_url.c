/* tests/unit/test_imap_url.c - URLs of messages, for CATENATE. */
#include <check.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/fmt/imap_url.h"

static const struct {
	const char	*in, *mailbox;		/* NULL: it is none */
	uint32_t	 validity, uid;
	size_t		 n;
	uint32_t	 last;
	enum imap_url_text text;
	uint64_t	 offset, length;
} rows[] = {
	{ "/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER", "Drafts",
	    385759045, 20, 0, 0, IMAP_URL_HEADER, 0, 0 },
	{ "/INBOX/;UID=5", "INBOX", 0, 5, 0, 0, IMAP_URL_WHOLE, 0, 0 },
	{ "/a/b%2Fc%20d/;uid=1/;SECTION=1.2.3", "a/b/c d", 0, 1, 3, 3,
	    IMAP_URL_WHOLE, 0, 0 },
	{ "/a/;UID=1/;SECTION=4.mime/;PARTIAL=10.20", "a", 0, 1, 1, 4,
	    IMAP_URL_MIME, 10, 20 },
	{ "/a/;UID=1/;SECTION=1%2E2.TEXT/;PARTIAL=7", "a", 0, 1, 2, 2,
	    IMAP_URL_TEXT, 7, UINT64_MAX },
	{ "/%C3%BC/;UID=1/;PARTIAL=0.1", "\xc3\xbc", 0, 1, 0, 0,
	    IMAP_URL_WHOLE, 0, 1 },
	{ "/a/;UID=1/;SECTION=2.header.fields%20(To%20%22X%22)/;PARTIAL=3",
	    "a", 0, 1, 1, 2, IMAP_URL_FIELDS, 3, UINT64_MAX },
	{ "/a/;UID=1/;SECTION=HEADER.FIELDS.NOT (To)", "a", 0, 1, 0, 0,
	    IMAP_URL_FIELDS_NOT, 0, 0 },
	{ .in = "" }, { .in = "/" }, { .in = "/a" }, { .in = "a/;UID=1" },
	{ .in = "/;UID=1" }, { .in = "/a/;UID=0" }, { .in = "/a/;UID=" },
	{ .in = "/a/;UID=4294967296" }, { .in = "/a/;UID=1x" },
	{ .in = "/a;UIDVALIDITY=0/;UID=1" }, { .in = "/a;X=1/;UID=1" },
	{ .in = "/a%0/;UID=1" }, { .in = "/a%0a/;UID=1" },
	{ .in = "/a%00/;UID=1" }, { .in = "/a%gg/;UID=1" },
	{ .in = "/a/;UID=1/;SECTION=" }, { .in = "/a/;UID=1/;SECTION=1." },
	{ .in = "/a/;UID=1/;SECTION=MIME" }, { .in = "/a/;UID=1/;SECTION=0" },
	{ .in = "/a/;UID=1/;SECTION=HEADER.FIELDS" },
	{ .in = "/a/;UID=1/;SECTION=HEADER.FIELDS%20()" },
	{ .in = "/a/;UID=1/;SECTION=HEADER.FIELDS%20(To" },
	{ .in = "/a/;UID=1/;SECTION=HEADER.FIELDS%20(To)x" },
	{ .in = "/a/;UID=1/;SECTION=TEXT%20(To)" },
	{ .in = "/a/;UID=1/;PARTIAL=" }, { .in = "/a/;UID=1/;PARTIAL=1.0" },
	{ .in = "/a/;UID=1/;PARTIAL=1.2.3" },
	{ .in = "/a/;UID=1/;PARTIAL=1/;SECTION=1" },
	{ .in = "imap://other.example/a/;UID=1" },
};

/* A section with so many fields. */
static bool
with_fields(size_t n, struct arena *a, struct imap_url *u)
{
	struct buf	b;
	bool		ok;

	buf_init(&b, 4096);
	buf_adds(&b, "/a/;UID=1/;SECTION=HEADER.FIELDS%20(X");
	while (--n > 0)
		buf_adds(&b, " X");
	buf_addc(&b, ')');
	ok = imap_url(buf_view(&b), a, u);
	buf_free(&b);
	return ok;
}

START_TEST(fields)
{
	struct imap_url	u;
	struct arena	a;

	arena_init(&a, 100000);
	ck_assert(imap_url(STR("/a/;UID=1/;SECTION=HEADER.FIELDS%20(To "
	    "%22X-%41%22)"), &a, &u));
	ck_assert_uint_eq(u.nnames, 2);
	ck_assert(str_eq(u.names[0], STR("To")));
	ck_assert(str_eq(u.names[1], STR("X-A")));
	ck_assert(with_fields(IMAP_URL_NAMES, &a, &u));
	ck_assert_uint_eq(u.nnames, IMAP_URL_NAMES);
	ck_assert(!with_fields(IMAP_URL_NAMES + 1, &a, &u));
	arena_free(&a);
}
END_TEST

START_TEST(urls)
{
	struct imap_url	u;
	struct arena	a;
	bool		ok;

	arena_init(&a, 10000);
	ok = imap_url(str_from(rows[_i].in), &a, &u);
	ck_assert_int_eq(ok, rows[_i].mailbox != NULL);
	if (ok) {
		ck_assert(str_eq(u.mailbox, str_from(rows[_i].mailbox)));
		ck_assert_uint_eq(u.validity, rows[_i].validity);
		ck_assert_uint_eq(u.uid, rows[_i].uid);
		ck_assert_uint_eq(u.nnumbers, rows[_i].n);
		if (u.nnumbers > 0)
			ck_assert_uint_eq(u.numbers[u.nnumbers - 1],
			    rows[_i].last);
		ck_assert_int_eq(u.text, rows[_i].text);
		ck_assert_int_eq(u.partial, rows[_i].length > 0);
		ck_assert_uint_eq(u.offset, rows[_i].offset);
		ck_assert_uint_eq(u.length, rows[_i].length);
	}
	arena_free(&a);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("imap_url");
	TCase	*t = tcase_create("imap_url");
	SRunner	*r;
	int	 failed;

	tcase_add_loop_test(t, urls, 0, (int)nitems(rows));
	tcase_add_test(t, fields);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
