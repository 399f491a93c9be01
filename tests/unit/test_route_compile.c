/*
 * tests/unit/test_route_compile.c - source files to tables, swapped while they
 * are open; and what is left when the source files have mistakes.
 */
#include <sys/stat.h>

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/fdio.h"
#include "route/compile.h"
#include "route/tables.h"

static char		 dir[] = "/tmp/posthouse-compile.XXXXXX";
static struct settings	*settings;
static int		 dirfd_ = -1;

static void
put_file(const char *name, const char *text)
{
	char	path[64];
	FILE	*f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	ck_assert_ptr_nonnull(f = fopen(path, "w"));
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void
setup(void)
{
	char		conf[1024];
	struct diag	why;

	strlcpy(dir, "/tmp/posthouse-compile.XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	snprintf(conf, sizeof(conf), "hostname mx.example.test\n"
	    "domain example.test\nvirtual-domain v.test\n"
	    "users file %s/users\naliases %s/aliases\nvirtual %s/virtual\n"
	    "tables %s\npostmaster alice\n", dir, dir, dir, dir);
	ck_assert_msg(settings_parse(str_from(conf), "conf", &settings,
	    &why) == 0, "%s", why.text);
	put_file("users", "alice:{PLAIN}x:61001:61001::/home/alice::\n");
	put_file("aliases", "info: alice\n");
	put_file("virtual", "info@v.test: alice\n");
	ck_assert_int_ne(dirfd_ = fdio_opendir(AT_FDCWD, dir), -1);
}

static void
teardown(void)
{
	static const char *const	names[] = { "users", "aliases",
	    "virtual", "aliases.cdb", "virtual.cdb", "senders.cdb",
	    "users.cdb", "auth.cdb" };
	size_t				i;

	for (i = 0; i < nitems(names); i++)
		(void)unlinkat(dirfd_, names[i], 0);
	ck_assert_int_eq(rmdir(dir), 0);	/* nothing half-made is left */
	fdio_close(&dirfd_);
	settings_free(&settings);
}

static unsigned
code_of(struct tables *t, const char *address)
{
	struct engine_tables	look = tables_engine(t);
	struct engine_ask	q = { .verb = ENGINE_FINAL, .auth = STR(""),
	    .rcpt = str_from(address) };
	struct engine		e;
	struct decision		d;
	struct site		site;
	unsigned		code;

	ck_assert_int_eq(site_init(&site, settings, NULL, 0), 0);
	engine_init(&e);
	decision_init(&d);
	engine_decide(&e, &site, &look, &q, &d);
	code = d.code;
	decision_free(&d);
	engine_free(&e);
	site_free(&site);
	return code;
}

START_TEST(swapped_while_open)
{
	struct tables	*t;
	struct diag	 why;
	struct stat	 st;

	ck_assert_int_eq(compile_run(settings), EX_OK);
	ck_assert_int_eq(tables_open(&t, settings, dirfd_, &why), 0);
	ck_assert_uint_eq(code_of(t, "info@example.test"), 250);
	ck_assert_uint_eq(code_of(t, "info@v.test"), 250);
	ck_assert_uint_eq(code_of(t, "new@example.test"), 550);
	ck_assert(!tables_refresh(t, &why));
	put_file("aliases", "info: alice\nnew: alice\n");
	ck_assert_int_eq(compile_run(settings), EX_OK);
	ck_assert_uint_eq(code_of(t, "new@example.test"), 550);
	ck_assert(tables_refresh(t, &why));
	ck_assert_str_eq(why.text, "");
	ck_assert_uint_eq(code_of(t, "new@example.test"), 250);
	/* passwords are for auth's group alone */
	ck_assert_int_eq(fstatat(dirfd_, "auth.cdb", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0640);
	tables_close(&t);
	ck_assert_ptr_null(t);
}
END_TEST

static mode_t
mode_of(const char *name)
{
	struct stat	st;

	ck_assert_int_eq(fstatat(dirfd_, name, &st, 0), 0);
	return st.st_mode & 0777;
}

/* What not everybody may read in the files, not everybody may in the table. */
START_TEST(as_readable_as_the_files)
{
	char	text[100];

	ck_assert_int_eq(fchmodat(dirfd_, "aliases", 0644, 0), 0);
	ck_assert_int_eq(fchmodat(dirfd_, "virtual", 0644, 0), 0);
	ck_assert_int_eq(compile_run(settings), EX_OK);
	ck_assert_uint_eq(mode_of("aliases.cdb"), 0644);
	ck_assert_uint_eq(mode_of("virtual.cdb"), 0644);
	ck_assert_int_eq(fchmodat(dirfd_, "aliases", 0640, 0), 0);
	ck_assert_int_eq(compile_run(settings), EX_OK);
	ck_assert_uint_eq(mode_of("aliases.cdb"), 0640);
	ck_assert_uint_eq(mode_of("virtual.cdb"), 0644);
	/* a file within the file, of which only the virtual addresses know */
	ck_assert_int_eq(fchmodat(dirfd_, "aliases", 0644, 0), 0);
	put_file("members", "alice\n");
	ck_assert_int_eq(fchmodat(dirfd_, "members", 0644, 0), 0);
	snprintf(text, sizeof(text), "info@v.test: :include:%s/members\n", dir);
	put_file("virtual", text);
	ck_assert_int_eq(compile_run(settings), EX_OK);
	ck_assert_uint_eq(mode_of("virtual.cdb"), 0644);
	ck_assert_int_eq(fchmodat(dirfd_, "members", 0600, 0), 0);
	ck_assert_int_eq(compile_run(settings), EX_OK);
	ck_assert_uint_eq(mode_of("aliases.cdb"), 0644);
	ck_assert_uint_eq(mode_of("virtual.cdb"), 0640);
	ck_assert_int_eq(unlinkat(dirfd_, "members", 0), 0);
}
END_TEST

START_TEST(mistakes_leave_the_old_tables)
{
	static const struct { const char *file, *text; } bad[] = {
		{ "aliases", "info: alice\nnew: a b\n" },
		{ "aliases", "info: new\nnew: info\n" },
		{ "virtual", "x@far.test: alice\n" },
		{ "users", "alice\n" },
	};
	struct tables	*t;
	struct diag	 why;

	ck_assert_int_eq(compile_run(settings), EX_OK);
	ck_assert_int_eq(tables_open(&t, settings, dirfd_, &why), 0);
	put_file(bad[_i].file, bad[_i].text);
	ck_assert_int_eq(compile_run(settings), EX_CONFIG);
	ck_assert_int_eq(compile_test(settings), EX_CONFIG);
	ck_assert(!tables_refresh(t, &why));
	ck_assert_uint_eq(code_of(t, "info@example.test"), 250);
	tables_close(&t);
}
END_TEST

/* A table that cannot be read any more does not take the open one away. */
START_TEST(damaged_on_disk)
{
	struct tables	*t;
	struct diag	 why;

	ck_assert_int_eq(compile_run(settings), EX_OK);
	ck_assert_int_eq(tables_open(&t, settings, dirfd_, &why), 0);
	ck_assert_int_eq(unlinkat(dirfd_, "aliases.cdb", 0), 0);
	put_file("aliases.cdb", "this is no table");
	ck_assert(!tables_refresh(t, &why));
	ck_assert_str_ne(why.text, "");
	ck_assert_uint_eq(code_of(t, "info@example.test"), 250);
	tables_close(&t);
	ck_assert_int_eq(tables_open(&t, settings, dirfd_, &why), -1);
}
END_TEST

START_TEST(test_writes_nothing)
{
	ck_assert_int_eq(compile_test(settings), EX_OK);
	ck_assert_int_eq(faccessat(dirfd_, "aliases.cdb", F_OK, 0), -1);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("route_compile");
	TCase	*t = tcase_create("route_compile");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, swapped_while_open);
	tcase_add_test(t, as_readable_as_the_files);
	tcase_add_loop_test(t, mistakes_leave_the_old_tables, 0, 4);
	tcase_add_test(t, damaged_on_disk);
	tcase_add_test(t, test_writes_nothing);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
