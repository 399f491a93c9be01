/* tests/unit/test_imap_url.c - URLs of messages, for CATENATE. */
#include <check.h>
#include <string.h>

#include "common/base/attr.h"
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
	{ .in = "" }, { .in = "/" }, { .in = "/a" }, { .in = "a/;UID=1" },
	{ .in = "/;UID=1" }, { .in = "/a/;UID=0" }, { .in = "/a/;UID=" },
	{ .in = "/a/;UID=4294967296" }, { .in = "/a/;UID=1x" },
	{ .in = "/a;UIDVALIDITY=0/;UID=1" }, { .in = "/a;X=1/;UID=1" },
	{ .in = "/a%0/;UID=1" }, { .in = "/a%0a/;UID=1" },
	{ .in = "/a%00/;UID=1" }, { .in = "/a%gg/;UID=1" },
	{ .in = "/a/;UID=1/;SECTION=" }, { .in = "/a/;UID=1/;SECTION=1." },
	{ .in = "/a/;UID=1/;SECTION=MIME" }, { .in = "/a/;UID=1/;SECTION=0" },
	{ .in = "/a/;UID=1/;SECTION=HEADER.FIELDS%20(To)" },
	{ .in = "/a/;UID=1/;PARTIAL=" }, { .in = "/a/;UID=1/;PARTIAL=1.0" },
	{ .in = "/a/;UID=1/;PARTIAL=1.2.3" },
	{ .in = "/a/;UID=1/;PARTIAL=1/;SECTION=1" },
	{ .in = "imap://other.example/a/;UID=1" },
};

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
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
