/* tests/unit/test_imapd_acl.c - dovecot-acl: what is in it, and for whom. */
#include <check.h>
#include <stdlib.h>

#include "common/base/attr.h"
#include "imapd/acl_file.h"

static const char *const bobs_groups[] = { "staff", "the boss", NULL };
static const struct acl_who bob = { "bob", bobs_groups, false };

/* What bob gets; NULL: the file cannot be understood. */
static const struct {
	const char	*text, *gets;
} files[] = {
	{ "", "" }, { "\n# nobody\n  \n", "" },
	{ "anyone lr\n", "lr" }, { "anyone lr", "lr" },
	{ "authenticated l\n", "l" }, { "anyone lr\nauthenticated l\n", "l" },
	{ "user=bob lrws\n", "lrws" }, { "user=carol lrws\n", "" },
	{ "anyone lr\nuser=bob l\n", "l" },	/* the user's goes before */
	{ "user=bob l\nanyone lr\n", "l" },
	{ "group=staff lr\n", "lr" }, { "group=other lr\n", "" },
	{ "\"group=the boss\" k\ngroup=staff lr\n", "lrk" },
	{ "group-override=staff\nuser=bob lrwstipekxa\n", "" },
	{ "group-override=other\nuser=bob lr\n", "lr" },
	{ "anyone lrw\n-user=bob w\n", "lr" },
	{ "-anyone lr\nuser=bob lrw\n", "w" },
	{ "owner lrwstipekxa\n", "" },
	{ "user=bob lrwstipekxa", "lrwstipekxa" },
	{ "user=bob cd", "tekx" },
	{ "user=bob :lookup read write-seen", "lrs" },
	{ "user=bob l :read\tadmin ", "lra" },
	{ "user=bob", "" }, { "\"user=bob\" l", "l" },
	{ "  user=bob   l r \n", "lr" },
	{ "user=bob lz\n", NULL }, { "user=bob :look\n", NULL },
	{ "bob lr\n", NULL }, { "user= lr\n", NULL }, { "-lr\n", NULL },
	{ "\"user=bob lr\n", NULL }, { "\"user=bob\"lr\n", NULL },
	{ "user=b\001b l\n", NULL },
};

START_TEST(what_bob_gets)
{
	struct arena	a;
	struct acl	acl;
	char		text[ACL_LETTERS];

	arena_init(&a, 65536);
	ck_assert_int_eq(acl_file_parse(str_from(files[_i].text), &a, &acl),
	    files[_i].gets != NULL);
	if (files[_i].gets != NULL)
		ck_assert_str_eq(acl_rights_text(acl_rights_of(&acl, &bob),
		    false, text), files[_i].gets);
	arena_free(&a);
}
END_TEST

static const struct {
	const char	*id, *line;	/* in the file, with the right 'l' */
} ids[] = {
	{ "bob", "user=bob l\n" }, { "-bob", "-user=bob l\n" },
	{ "anyone", "anyone l\n" }, { "-anyone", "-anyone l\n" },
	{ "authenticated", "authenticated l\n" }, { "owner", "owner l\n" },
	{ "$staff", "group=staff l\n" }, { "-$staff", "-group=staff l\n" },
	{ "!staff", "group-override=staff l\n" },
	{ "with space", "\"user=with space\" l\n" },
	{ "-a \"b\\", "\"-user=a \\\"b\\\\\" l\n" },
	{ "anyone else", "\"user=anyone else\" l\n" },
	{ "", NULL }, { "-", NULL }, { "$", NULL }, { "!", NULL },
	{ "a\nb", NULL },
};

START_TEST(identifiers)
{
	struct acl	acl = { .n = 0 }, again;
	struct arena	a;
	struct buf	b;

	if (!acl_id_parse(str_from(ids[_i].id), &acl.e[0])) {
		ck_assert_ptr_null(ids[_i].line);
		return;
	}
	ck_assert_ptr_nonnull(ids[_i].line);
	acl.e[0].rights = RIGHT_LOOKUP;
	acl.n = 1;
	arena_init(&a, 65536);
	buf_init(&b, 1000);
	acl_file_put(&b, &acl);
	ck_assert(str_eq(buf_view(&b), str_from(ids[_i].line)));
	ck_assert(acl_file_parse(buf_view(&b), &a, &again));
	ck_assert_uint_eq(again.n, 1);
	ck_assert_ptr_nonnull(acl_find(&again, &acl.e[0]));
	buf_reset(&b);
	acl_id_put(&b, &again.e[0]);
	ck_assert(str_eq(buf_view(&b), str_from(ids[_i].id)));
	buf_free(&b);
	arena_free(&a);
}
END_TEST

START_TEST(letters)
{
	char		text[ACL_LETTERS];
	unsigned	bits;

	ck_assert_str_eq(acl_rights_text(RIGHTS_ALL, true, text),
	    "lrwstipekxacd");
	ck_assert_str_eq(acl_rights_text(RIGHT_LOOKUP | RIGHT_REMOVE, true,
	    text), "ltd");
	ck_assert(acl_rights_parse(STR("lrwstipekxacd"), &bits));
	ck_assert_uint_eq(bits, RIGHTS_ALL);
	ck_assert(!acl_rights_parse(STR("lq"), &bits));
	ck_assert(!acl_rights_parse(STR("L"), &bits));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("imapd_acl");
	TCase	*t = tcase_create("imapd_acl");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, what_bob_gets, 0, nitems(files));
	tcase_add_loop_test(t, identifiers, 0, nitems(ids));
	tcase_add_test(t, letters);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
