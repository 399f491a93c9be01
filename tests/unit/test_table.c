/* tests/unit/test_table.c - constant databases, swapped while they are read. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/store/table.h"

static char	dir_name[] = "/tmp/posthouse-table.XXXXXX";
static int	dir = -1;

static void
setup(void)
{
	strlcpy(dir_name, "/tmp/posthouse-table.XXXXXX", sizeof(dir_name));
	ck_assert_ptr_nonnull(mkdtemp(dir_name));
	dir = fdio_opendir(AT_FDCWD, dir_name);
	ck_assert_int_ne(dir, -1);
}

static void
teardown(void)
{
	unlinkat(dir, "t.cdb", 0);
	unlinkat(dir, "t.cdb.new", 0);
	fdio_close(&dir);
	rmdir(dir_name);
}

static void
make_table(struct str key, struct str value)
{
	struct table_maker	*m;
	struct diag		 why;

	ck_assert_int_eq(table_make(&m, dir, "t.cdb", 0640, &why), 0);
	ck_assert_int_eq(table_add(m, key, value), 0);
	ck_assert_int_eq(table_commit(&m, &why), 0);
	ck_assert_ptr_null(m);
}

START_TEST(swap_while_open)
{
	struct table	*t;
	struct diag	 why;
	struct str	 v;

	make_table(STR("ann\0x"), STR("one"));
	ck_assert_int_eq(table_open(&t, dir, "t.cdb", &why), 0);
	ck_assert_int_eq(table_get(t, STR("ann\0x"), &v), 1);
	ck_assert(str_eq(v, STR("one")));
	ck_assert_int_eq(table_get(t, STR("ann"), &v), 0);
	ck_assert(!table_refresh(t, &why));
	make_table(STR("bob"), STR("two"));
	ck_assert_int_eq(table_get(t, STR("ann\0x"), &v), 1);
	ck_assert(table_refresh(t, &why));
	ck_assert_int_eq(table_get(t, STR("ann\0x"), &v), 0);
	ck_assert_int_eq(table_get(t, STR("bob"), &v), 1);
	table_close(&t);
	ck_assert_ptr_null(t);
}
END_TEST

START_TEST(old_one_stays)
{
	struct table_maker	*m;
	struct table		*t;
	struct diag		 why;
	struct str		 v;

	make_table(STR("ann"), STR("one"));
	ck_assert_int_eq(table_make(&m, dir, "t.cdb", 0640, &why), 0);
	ck_assert_int_eq(table_add(m, STR("a"), STR("1")), 0);
	ck_assert_int_eq(table_add(m, STR("a"), STR("2")), -1);
	ck_assert_int_eq(errno, EEXIST);
	table_abort(&m);
	ck_assert_int_eq(faccessat(dir, "t.cdb.new", F_OK, 0), -1);
	ck_assert_int_eq(table_open(&t, dir, "t.cdb", &why), 0);
	ck_assert_int_eq(table_get(t, STR("ann"), &v), 1);
	table_close(&t);
}
END_TEST

START_TEST(damaged_or_missing)
{
	struct table	*t;
	struct diag	 why = { "" };
	int		 fd;

	ck_assert_int_eq(table_open(&t, dir, "t.cdb", &why), -1);
	ck_assert_str_ne(why.text, "");
	fd = openat(dir, "t.cdb", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	ck_assert_int_eq(fdio_write(fd, "short", 5), 0);
	fdio_close(&fd);
	ck_assert_int_eq(table_open(&t, dir, "t.cdb", &why), -1);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("table");
	TCase	*t = tcase_create("table");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, swap_while_open);
	tcase_add_test(t, old_one_stays);
	tcase_add_test(t, damaged_or_missing);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
