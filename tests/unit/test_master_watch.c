/* tests/unit/test_master_watch.c - which changes of files are noticed, and when something is done about them. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "master/master.h"

#define LOOK	5000	/* WATCH_MS of watch.c */

static char		dir[64];
static struct master	m;
static int64_t		now;

static const char *
at(const char *name)
{
	static char	path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
put(const char *name, const char *text)
{
	int	fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fdio_write(fd, text, strlen(text)), 0);
	close(fd);
}

static void
setup(void)
{
	char		conf[512];
	struct diag	why = { "" };
	size_t		i;

	strlcpy(dir, "/tmp/ph-watch.XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	put("a.crt", "certificate");
	put("a.key", "key");
	put("ca", "ca");
	put("users", "");
	memset(&m, 0, sizeof(m));
	for (i = 0; i < ID_COUNT; i++) {
		m.programs[i].plan = &plan_programs[i];
		m.programs[i].link = -1;
	}
	snprintf(conf, sizeof(conf), "hostname mx.test\n"
	    "tls.certificate %s/a.crt %s/a.key\ntls.client-ca %s/ca\n"
	    "users file %s/users\n", dir, dir, dir, dir);
	ck_assert_msg(settings_parse(str_from(conf), "test", &m.settings,
	    &why) == 0, "%s", why.text);
	now = 1000;
	watch_begin(&m.watch, m.settings, now);
	ck_assert_uint_eq(m.watch.n, 6);	/* certificate, key, OCSP, users and -wal, CA */
}

static void
teardown(void)
{
	static const char *const files[] = { "a.crt", "a.key", "a.crt.ocsp",
		"ca", "b", "users", "users-wal" };
	size_t			 i;

	watch_forget(&m.watch);
	settings_free(&m.settings);
	for (i = 0; i < nitems(files); i++)
		unlink(at(files[i]));
	ck_assert_int_eq(rmdir(dir), 0);
}

/* A look later: is the action still to be done? */
static bool
is_wanted(enum watch_action a)
{
	now += LOOK;
	watch_time(&m, now);
	return m.watch.wanted[a];
}

START_TEST(quiet)
{
	ck_assert(!is_wanted(WATCH_CERTIFICATES));
	ck_assert(!is_wanted(WATCH_LISTENERS));
}
END_TEST

/* What is done to a file; each is noticed once, and by the action of its file alone. */
static void
do_write(void)
{
	put("a.crt", "another");
}

static void
do_replace(void)
{
	char	b[128];

	put("b", "key");
	strlcpy(b, at("b"), sizeof(b));
	ck_assert_int_eq(rename(b, at("a.key")), 0);
}

static void
do_remove(void)
{
	ck_assert_int_eq(unlink(at("a.crt")), 0);
}

static void
do_appear(void)
{
	put("a.crt.ocsp", "response");
}

static void
do_mode(void)
{
	ck_assert_int_eq(chmod(at("a.key"), 0644), 0);
}

static void
do_ca(void)
{
	put("ca", "other");
}

static void
do_users(void)
{
	put("users", "more");
}

static void
do_wal(void)
{
	put("users-wal", "new");
}

static const struct {
	void			(*change)(void);
	enum watch_action	 action;
} changes[] = {
	{ do_write, WATCH_CERTIFICATES }, { do_replace, WATCH_CERTIFICATES },
	{ do_remove, WATCH_CERTIFICATES }, { do_appear, WATCH_CERTIFICATES },
	{ do_mode, WATCH_CERTIFICATES }, { do_ca, WATCH_LISTENERS },
	{ do_users, WATCH_USERS }, { do_wal, WATCH_USERS }
};

START_TEST(change)
{
	enum watch_action	a = changes[_i].action, i;

	usleep(20000);		/* a clock's tick, for the time of the change */
	changes[_i].change();
	/* not before its time */
	watch_time(&m, now + LOOK - 1);
	ck_assert(!m.watch.wanted[a]);
	/* seen; it has to come to rest first */
	ck_assert(is_wanted(a));
	for (i = 0; i < WATCH_COUNT; i++)
		ck_assert_int_eq(m.watch.wanted[i], i == a);
	ck_assert(!is_wanted(a));
	ck_assert(!is_wanted(a));
}
END_TEST

START_TEST(moving)
{
	put("a.crt", "new certificate");
	ck_assert(is_wanted(WATCH_CERTIFICATES));
	put("a.key", "new key");
	ck_assert(is_wanted(WATCH_CERTIFICATES));
	ck_assert(!is_wanted(WATCH_CERTIFICATES));
}
END_TEST

/* It waits for the end of a reload, and begins anew with new settings. */
START_TEST(reloading)
{
	m.reload.step = RELOAD_COMPILE;
	put("a.crt", "new certificate");
	ck_assert(is_wanted(WATCH_CERTIFICATES));
	ck_assert(is_wanted(WATCH_CERTIFICATES));
	m.reload.step = RELOAD_NONE;
	ck_assert(!is_wanted(WATCH_CERTIFICATES));
	put("a.crt", "once more, longer");
	watch_begin(&m.watch, m.settings, now);
	ck_assert(!is_wanted(WATCH_CERTIFICATES));
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("watch");
	TCase	*t = tcase_create("watch");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, quiet);
	tcase_add_loop_test(t, change, 0, (int)nitems(changes));
	tcase_add_test(t, moving);
	tcase_add_test(t, reloading);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
