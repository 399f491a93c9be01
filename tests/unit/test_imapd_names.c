/* tests/unit/test_imapd_names.c - names of mailboxes on the wire, folders on disk. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/store/maildir.h"
#include "imapd/place_name.h"

static const struct name_rules dot = { '.', "", NULL, false };
static const struct name_rules slash = { '/', "", "Shared/", false };
static const struct name_rules prefixed = { '.', "INBOX.", "Shared.", false };
static const struct name_rules utf8 = { '/', "", NULL, true };

/* As Dovecot 2.3 has them. folder NULL: no such name; "" the inbox. */
static const struct {
	const struct name_rules	*r;
	struct str		 name;
	const char		*folder;
	bool			 shared, odd;
	const char		*back;	/* if it is not the name */
} names[] = {
	{ &dot, STR("INBOX"), "", false, false, NULL },
	{ &dot, STR("inbox"), "", false, false, "INBOX" },
	{ &dot, STR("inbox.a"), "INBOX.a", false, false, "INBOX.a" },
	{ &dot, STR("a.INBOX"), "a.INBOX", false, false, NULL },
	{ &dot, STR("INBOXa"), "INBOXa", false, false, NULL },
	{ &dot, STR("a.b"), "a.b", false, false, NULL },
	{ &dot, STR("a b"), "a b", false, false, NULL },
	{ &dot, STR("x~"), "x~", false, false, NULL },
	{ &dot, STR("a*b%"), "a*b%", false, false, NULL },
	{ &dot, STR("a\\b\"c"), "a\\b\"c", false, false, NULL },
	{ &dot, STR("&AOQ-"), "&AOQ-", false, false, NULL },
	{ &dot, STR("Shared.a"), "Shared.a", false, false, NULL },
	{ &dot, STR("&"), "&", false, true, NULL },
	{ &dot, STR("&AGE-"), "&AGE-", false, true, NULL },
	{ &dot, STR("&AAo-"), "&AAo-", false, true, NULL },
	{ &dot, STR("&AIU-"), "&AIU-", false, true, NULL },
	{ &dot, STR("&AKA-"), "&AKA-", false, false, NULL },
	{ &dot, STR("\xc3\xa4"), "\xc3\xa4", false, true, NULL },
	{ &dot, STR(""), NULL, false, false, NULL },
	{ &dot, STR("a/b"), NULL, false, false, NULL },
	{ &dot, STR("a..b"), NULL, false, false, NULL },
	{ &dot, STR(".a"), NULL, false, false, NULL },
	{ &dot, STR("a."), NULL, false, false, NULL },
	{ &dot, STR("."), NULL, false, false, NULL },
	{ &dot, STR("~"), NULL, false, false, NULL },
	{ &dot, STR("~root"), NULL, false, false, NULL },
	{ &dot, STR("a\nb"), NULL, false, false, NULL },
	{ &dot, STR("a\0b"), NULL, false, false, NULL },
	{ &dot, STR("a\x7f"), NULL, false, false, NULL },
	{ &slash, STR("a/b"), "a.b", false, false, NULL },
	{ &slash, STR("InBoX/b"), "INBOX.b", false, false, "INBOX/b" },
	{ &slash, STR("a.b"), NULL, false, false, NULL },
	{ &slash, STR("a//b"), NULL, false, false, NULL },
	{ &slash, STR("../b"), NULL, false, false, NULL },
	{ &slash, STR("Shared/a/b"), "a.b", true, false, NULL },
	{ &slash, STR("Shared/inbox/b"), "inbox.b", true, false, NULL },
	{ &slash, STR("Shared/"), NULL, true, false, NULL },
	{ &slash, STR("shared/a"), "shared.a", false, false, NULL },
	{ &slash, STR("Shared"), "Shared", false, false, NULL },
	{ &prefixed, STR("INBOX"), "", false, false, NULL },
	{ &prefixed, STR("INBOX.INBOX"), "", false, false, "INBOX" },
	{ &prefixed, STR("inbox.a"), "a", false, false, "INBOX.a" },
	{ &prefixed, STR("INBOX.a.b"), "a.b", false, false, NULL },
	{ &prefixed, STR("Shared.a"), "a", true, false, NULL },
	{ &prefixed, STR("a"), NULL, false, false, NULL },
	{ &prefixed, STR("INBOX."), NULL, false, false, NULL },
	{ &prefixed, STR("INBOXa"), NULL, false, false, NULL },
	{ &utf8, STR("\xc3\xa4/\xe5\x8f\xb0"), "&AOQ-.&U,A-", false, false,
	    NULL },
	{ &utf8, STR("a&b"), "a&-b", false, false, NULL },
	{ &utf8, STR("&AOQ-"), "&-AOQ-", false, false, NULL },
	{ &utf8, STR("\xf0\x9f\x92\xa9"), "&2D3cqQ-", false, false, NULL },
	{ &utf8, STR("a\n"), "a&AAo-", false, true, NULL },
	{ &utf8, STR("a\xc2\x80"), "a&AIA-", false, true, NULL },
	{ &utf8, STR("\xc2\x9f/b"), "&AJ8-.b", false, true, NULL },
	{ &utf8, STR("a\xe2\x80\xa8"), "a&ICg-", false, true, NULL },
	{ &utf8, STR("a\xe2\x80\xa9z"), "a&ICk-z", false, true, NULL },
	{ &utf8, STR("a\xe2\x80\xaa"), "a&ICo-", false, false, NULL },
	{ &utf8, STR("\xff"), NULL, false, false, NULL },
	{ &utf8, STR("\xed\xa0\x80"), NULL, false, false, NULL },
};

/* The folder of a name; NULL: there is none. */
static const char *
folder_of(const struct name_rules *r, struct str name, bool *shared, bool *odd)
{
	static char	folder[MAILDIR_FOLDER_MAX + 1];
	struct str	rest;
	bool		inbox;

	*odd = *shared = false;
	if (!name_space(r, name, shared, &inbox, &rest))
		return NULL;
	folder[0] = '\0';
	if (inbox)
		return folder;
	return name_to_folder(r, *shared, rest, folder, sizeof(folder),
	    odd) == NULL ? folder : NULL;
}

START_TEST(wire_and_disk)
{
	const char	*folder;
	struct buf	 back;
	bool		 shared, odd;

	folder = folder_of(names[_i].r, names[_i].name, &shared, &odd);
	if (names[_i].folder == NULL) {
		ck_assert_ptr_null(folder);
		return;
	}
	ck_assert_ptr_nonnull(folder);
	ck_assert_str_eq(folder, names[_i].folder);
	ck_assert_int_eq(shared, names[_i].shared);
	ck_assert_int_eq(odd, names[_i].odd);
	buf_init(&back, 4096);
	ck_assert_int_eq(name_from_folder(names[_i].r, shared, folder, &back),
	    0);
	ck_assert(str_eq(buf_view(&back), names[_i].back != NULL ?
	    str_from(names[_i].back) : names[_i].name));
	buf_free(&back);
}
END_TEST

/* to NULL: it is so already. */
static const struct {
	struct str	 name;
	const char	*to;
} composed[] = {
	{ STR(""), NULL },
	{ STR("a.b"), NULL },
	{ STR("\xc3\x85"), NULL },
	{ STR("A\xcc\x8a.b"), "\xc3\x85.b" },
	{ STR("\xe2\x84\xab"), "\xc3\x85" },
	{ STR("\xe2\x84\xaa"), "K" },
	/* what is two characters in NFC, and marks in their order */
	{ STR("\xe0\xa5\x98"), "\xe0\xa4\x95\xe0\xa4\xbc" },
	{ STR("q\xcc\x87\xcc\xa3"), "q\xcc\xa3\xcc\x87" },
	{ STR("\xef\xac\x81"), NULL },	/* a ligature is another character */
	{ STR("\xea\xb0\x80"), NULL },
	{ STR("\xe1\x84\x80\xe1\x85\xa1"), "\xea\xb0\x80" }
};

START_TEST(composition)
{
	struct buf	out;
	int		r;

	buf_init(&out, 4096);
	r = name_compose(composed[_i].name, &out);
	ck_assert_int_eq(r, composed[_i].to != NULL);
	if (r == 1)
		ck_assert_str_eq(buf_cstr(&out), composed[_i].to);
	buf_free(&out);
}
END_TEST

/* The longest name there is, of characters that become more. */
START_TEST(composition_is_long)
{
	char		text[PLACE_NAME_MAX];
	struct buf	out;
	size_t		i;

	for (i = 0; i + 1 < sizeof(text); i += 2)
		memcpy(text + i, "\xce\x90", 2);
	buf_init(&out, 4 * PLACE_NAME_MAX);
	ck_assert_int_eq(name_compose((struct str){ text, i }, &out), 0);
	buf_free(&out);
}
END_TEST

START_TEST(lengths)
{
	char		text[PLACE_NAME_MAX + 2];
	const char	*folder;
	bool		shared, odd;

	memset(text, 'a', sizeof(text));
	folder = folder_of(&dot, (struct str){ text, MAILDIR_FOLDER_MAX },
	    &shared, &odd);
	ck_assert_ptr_nonnull(folder);
	ck_assert_uint_eq(strlen(folder), MAILDIR_FOLDER_MAX);
	ck_assert_ptr_null(folder_of(&dot, (struct str){ text,
	    MAILDIR_FOLDER_MAX + 1 }, &shared, &odd));
	ck_assert_ptr_null(folder_of(&dot, (struct str){ text,
	    sizeof(text) }, &shared, &odd));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("imapd_names");
	TCase	*t = tcase_create("imapd_names");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, wire_and_disk, 0, nitems(names));
	tcase_add_test(t, lengths);
	tcase_add_loop_test(t, composition, 0, nitems(composed));
	tcase_add_test(t, composition_is_long);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
