/* tests/unit/test_imapd_metadata.c - posthouse-metadata, read, changed and written. */
#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/attr.h"
#include "imapd/metadata_file.h"
#include "imapd/metadata_use.h"

static const struct {
	struct str	text;
	bool		ok;
	size_t		n;
} files[] = {
	{ STR(""), true, 0 }, { STR("P1:1,\n"), true, 0 },
	{ STR("P1:1,\nE9:/shared/a,\nV1:x,\n"), true, 1 },
	{ STR("P1:1,\nE10:/private/a,\nU3:ann,\nV3:\0x\n,\n"
	    "E9:/shared/a,\nV0:,\n"), true, 2 },
	{ STR("P1:1,\nE9:/shared/a,\nZ1:z,\nV1:x,\n"), true, 1 },
	{ STR("P1:2,\n"), false, 0 }, { STR("E9:/shared/a,\nV1:x,\n"), false, 0 },
	{ STR("P1:1,\nE9:/shared/a,\n"), false, 0 },
	{ STR("P1:1,\nE0:,\nV1:x,\n"), false, 0 },
	{ STR("P1:1,\nE9:/shared/a,\nV2:x,\n"), false, 0 },
	{ STR("P1:1,\nE9:/shared/a,\nV1:x,"), false, 0 },
	{ STR("P1:1,\nV1:x,\n"), false, 0 },
	{ STR("P1:1,\nE9:/shared/a,\nV1:x,\ntorn"), false, 0 },
};

START_TEST(reading)
{
	struct metadata	m;
	struct arena	a;

	arena_init(&a, 1u << 20);
	ck_assert_int_eq(metadata_file_parse(files[_i].text, &a, &m),
	    files[_i].ok);
	if (files[_i].ok)
		ck_assert_uint_eq(m.n, files[_i].n);
	arena_free(&a);
}
END_TEST

START_TEST(changing)
{
	struct metadata	m, again;
	struct arena	a;
	struct buf	b;

	arena_init(&a, 1u << 20);
	buf_init(&b, 65536);
	ck_assert(metadata_file_parse(STR(""), &a, &m));
	ck_assert_int_eq(metadata_set(&m, STR("/private/a"), STR("ann"),
	    STR("1\0002")), METADATA_OK);
	ck_assert_int_eq(metadata_set(&m, STR("/private/a"), STR("bob"),
	    STR("3")), METADATA_OK);
	ck_assert_int_eq(metadata_set(&m, STR("/shared/a"), STR(""),
	    STR("")), METADATA_OK);
	ck_assert_int_eq(metadata_set(&m, STR("/PRIVATE/A"), STR("bob"),
	    STR("4")), METADATA_OK);
	ck_assert_uint_eq(m.n, 3);
	metadata_file_put(&b, &m);
	ck_assert(metadata_file_parse(buf_view(&b), &a, &again));
	ck_assert_uint_eq(again.n, 3);
	ck_assert(str_eq(metadata_find(&again, STR("/private/a"),
	    STR("ann"))->value, STR("1\0002")));
	ck_assert(str_eq(metadata_find(&again, STR("/private/A"),
	    STR("bob"))->value, STR("4")));
	ck_assert_int_eq(metadata_set(&again, STR("/private/a"), STR("bob"),
	    (struct str){ NULL, 0 }), METADATA_OK);
	ck_assert_ptr_null(metadata_find(&again, STR("/private/a"),
	    STR("bob")));
	ck_assert_ptr_nonnull(metadata_find(&again, STR("/shared/a"),
	    STR("")));
	ck_assert_int_eq(metadata_set(&again, STR("/private/none"), STR("bob"),
	    (struct str){ NULL, 0 }), METADATA_OK);
	buf_free(&b);
	arena_free(&a);
}
END_TEST

START_TEST(limits)
{
	static char	text[METADATA_VALUE_MAX + 1];
	char		names[METADATA_ENTRIES_MAX + 1][32];
	struct metadata	m;
	struct arena	a;
	size_t		i;

	arena_init(&a, 1u << 20);
	ck_assert(metadata_file_parse(STR(""), &a, &m));
	ck_assert_int_eq(metadata_set(&m, STR("/shared/a"), STR(""),
	    (struct str){ text, sizeof(text) }), METADATA_TOO_LARGE);
	ck_assert_int_eq(metadata_set(&m, STR("/shared/a"), STR(""),
	    (struct str){ text, sizeof(text) - 1 }), METADATA_OK);
	for (i = 0; i <= METADATA_ENTRIES_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "/private/%zu", i);
		ck_assert_int_eq(metadata_set(&m, str_from(names[i]),
		    STR("ann"), STR("x")), i < METADATA_ENTRIES_MAX ?
		    METADATA_OK : METADATA_TOO_MANY);
	}
	/* Somebody else has room. */
	ck_assert_int_eq(metadata_set(&m, STR("/private/a"), STR("bob"),
	    STR("x")), METADATA_OK);
	arena_free(&a);
}
END_TEST

static const struct {
	const char	*name, *entry;
	unsigned	 depth;
	bool		 match;
} depths[] = {
	{ "/private/a", "/private/a", 0, true },
	{ "/private/A", "/private/a", 0, true },
	{ "/private/a/b", "/private/a", 0, false },
	{ "/private/a/b", "/private/a", 1, true },
	{ "/private/a/b/c", "/private/a", 1, false },
	{ "/private/a/b/c", "/private/a", UINT_MAX, true },
	{ "/private/ab", "/private/a", UINT_MAX, false },
	{ "/private/a", "/private", 1, true },
	{ "/shared/a", "/private", UINT_MAX, false },
	{ "/private", "/private/a", UINT_MAX, false },
};

START_TEST(below)
{
	ck_assert_int_eq(metadata_matches(str_from(depths[_i].name),
	    str_from(depths[_i].entry), depths[_i].depth), depths[_i].match);
}
END_TEST

static const struct {
	struct str	value;
	bool		ok;
	char		use;
} uses[] = {
	{ STR("\\Junk"), true, 'J' }, { STR("\\sENT"), true, 'S' },
	{ STR(""), true, '\0' }, { { NULL, 0 }, true, '\0' },
	{ STR("Junk"), false, '\0' }, { STR("\\Junk "), false, '\0' },
	{ STR("\\Junk \\Sent"), false, '\0' },
	{ STR("\\Junk\0"), false, '\0' }, { STR("\\Any"), false, '\0' },
};

START_TEST(use_values)
{
	char	use;

	ck_assert_int_eq(metadata_use_parse(uses[_i].value, &use), uses[_i].ok);
	ck_assert_int_eq(use, uses[_i].use);
}
END_TEST

START_TEST(use_as_entry)
{
	struct arena		 a;
	struct metadata		 m;
	struct metadata_entry	*e;
	const struct str	 name = STR("/private/specialuse");

	arena_init(&a, 1u << 20);
	ck_assert(metadata_file_parse(STR("P1:1,\nE19:/private/specialuse,\n"
	    "U3:ann,\nV1:x,\nE9:/shared/a,\nV1:y,\n"), &a, &m));
	metadata_use_put(&m, STR("ann"), 'T');
	ck_assert_uint_eq(m.n, 2);
	e = metadata_find(&m, name, STR("ann"));
	ck_assert(e != NULL && str_eq(e->value, STR("\\Trash")));
	metadata_use_put(&m, STR("ann"), '\0');
	metadata_use_put(&m, STR("ann"), '\0');
	ck_assert_uint_eq(m.n, 1);
	ck_assert_ptr_null(metadata_find(&m, name, STR("ann")));
	metadata_use_put(&m, STR("bob"), 'J');
	ck_assert_uint_eq(m.n, 2);
	ck_assert(metadata_is_use(m.e[1].name) &&
	    !metadata_is_use(m.e[0].name));
	ck_assert(str_eq(m.e[1].user, STR("bob")));
	for (m.n = 2; m.n < METADATA_ALL_MAX; m.n++)
		m.e[m.n] = m.e[0];
	metadata_use_put(&m, STR("ann"), 'J');	/* there is no room */
	ck_assert_uint_eq(m.n, METADATA_ALL_MAX);
	arena_free(&a);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("imapd_metadata");
	TCase	*t = tcase_create("imapd_metadata");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, reading, 0, nitems(files));
	tcase_add_test(t, changing);
	tcase_add_test(t, limits);
	tcase_add_loop_test(t, below, 0, nitems(depths));
	tcase_add_loop_test(t, use_values, 0, nitems(uses));
	tcase_add_test(t, use_as_entry);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
