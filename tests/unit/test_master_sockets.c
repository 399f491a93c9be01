/* tests/unit/test_master_sockets.c - where the master binds, where it refuses to, and what a reload keeps. */
#include "master/master.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/proc/msg.h"

static char	top[512];

static void
setup(void)
{
	char	template[] = "/tmp/sockets.XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(template));
	strlcpy(top, template, sizeof(top));
}

static void
teardown(void)
{
	char	command[600];

	snprintf(command, sizeof(command), "%s/control", top);
	unlink(command);
	ck_assert_int_eq(rmdir(top), 0);
}

static struct settings *
load(const char *text)
{
	struct settings	*s;
	struct diag	 why;

	ck_assert_msg(settings_parse(str_from(text), "t", &s, &why) == 0,
	    "%s", why.text);
	return s;
}

static int
bind_control(const char *run, struct diag *why)
{
	struct master	m;
	char		text[700];
	int		r;

	memset(&m, 0, sizeof(m));
	snprintf(text, sizeof(text), "run %s\n", run);
	m.settings = load(text);
	r = sockets_control(&m, why);
	if (r == 0)
		close(m.control);
	settings_free(&m.settings);
	return r;
}

START_TEST(control)
{
	struct diag	why;
	struct stat	st;
	char		path[600];

	ck_assert_int_eq(bind_control(top, &why), 0);
	snprintf(path, sizeof(path), "%s/control", top);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	/* Again, over the dead one. */
	ck_assert_int_eq(bind_control(top, &why), 0);
}
END_TEST

/* Whoever can write in the directory could have put a link there. */
START_TEST(not_ours)
{
	struct diag	why;

	ck_assert_int_eq(chmod(top, 0777), 0);
	ck_assert_int_eq(bind_control(top, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, top));
}
END_TEST

/* Deeper than a socket's name can be long. */
START_TEST(deep)
{
	struct diag	why;
	char		path[512], file[600];
	size_t		i;

	strlcpy(path, top, sizeof(path));
	for (i = 0; i < 4; i++) {
		strlcat(path, "/a-directory-with-quite-a-long-name-of-46-bytes",
		    sizeof(path));
		ck_assert_int_eq(mkdir(path, 0755), 0);
	}
	ck_assert_int_eq(bind_control(path, &why), 0);
	snprintf(file, sizeof(file), "%s/control", path);
	ck_assert_int_eq(unlink(file), 0);
	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(rmdir(path), 0);
		*strrchr(path, '/') = '\0';
	}
}
END_TEST

START_TEST(reload_keeps)
{
	struct settings	*a = load("smtp.listen 127.0.0.1:14725 127.0.0.1:14726\n");
	struct settings	*b = load("smtp.listen 127.0.0.1:14726 127.0.0.1:14727\n");
	struct listener	 old[MASTER_SOCKETS], new[MASTER_SOCKETS];
	size_t		 nold, nnew;
	struct diag	 why;

	ck_assert_int_eq(sockets_listen(a, ID_SMTP, NULL, 0, old, &nold,
	    &why), 0);
	ck_assert_uint_eq(nold, 2);
	ck_assert_str_eq(old[0].name, "smtp");
	ck_assert_int_eq(sockets_listen(b, ID_SMTP, old, nold, new, &nnew,
	    &why), 0);
	ck_assert_uint_eq(nnew, 2);
	ck_assert_int_eq(new[0].fd, old[1].fd);
	sockets_drop(old, nold, new, nnew);
	ck_assert_int_eq(fcntl(old[0].fd, F_GETFD), -1);
	ck_assert_int_ne(fcntl(new[0].fd, F_GETFD), -1);
	sockets_drop(new, nnew, NULL, 0);
	settings_free(&a);
	settings_free(&b);
}
END_TEST

/* A new place that cannot be had leaves the old ones alone. */
START_TEST(reload_fails)
{
	struct settings	*a = load("smtp.listen 127.0.0.1:14735\n");
	struct settings	*b = load("smtp.listen 127.0.0.1:14735 "
	    "127.0.0.1:14736 192.0.2.77:14737\n");
	struct listener	 old[MASTER_SOCKETS], new[MASTER_SOCKETS];
	size_t		 nold, nnew;
	struct diag	 why;

	ck_assert_int_eq(sockets_listen(a, ID_SMTP, NULL, 0, old, &nold,
	    &why), 0);
	ck_assert_int_eq(sockets_listen(b, ID_SMTP, old, nold, new, &nnew,
	    &why), -1);
	ck_assert_uint_eq(nnew, 0);
	ck_assert_ptr_nonnull(strstr(why.text, "192.0.2.77:14737"));
	ck_assert_int_ne(fcntl(old[0].fd, F_GETFD), -1);
	sockets_drop(old, nold, NULL, 0);
	settings_free(&a);
	settings_free(&b);
}
END_TEST

/* Each socket's server and place are there once, and steps of the stop are in order. */
START_TEST(plan)
{
	size_t	i, j;

	for (i = 0; i < plan_nsockets; i++)
		for (j = 0; j < i; j++) {
			ck_assert_str_ne(plan_sockets[i].name,
			    plan_sockets[j].name);
			ck_assert(plan_sockets[i].base !=
			    plan_sockets[j].base ||
			    strcmp(plan_sockets[i].dir, plan_sockets[j].dir) ||
			    strcmp(plan_sockets[i].file, plan_sockets[j].file));
		}
	for (i = 0; i < ID_COUNT; i++) {
		ck_assert_uint_lt(plan_programs[i].stop_step, PLAN_STOP_STEPS);
		ck_assert((plan_programs[i].service != NULL) ==
		    (plan_programs[i].stop_step == 0));
	}
	ck_assert_uint_eq(plan_programs[ID_LOG].stop_step,
	    PLAN_STOP_STEPS - 1);
}
END_TEST

int
main(void)
{
	Suite	*suite = suite_create("master_sockets");
	TCase	*tc = tcase_create("sockets");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, control);
	tcase_add_test(tc, not_ours);
	tcase_add_test(tc, deep);
	tcase_add_test(tc, reload_keeps);
	tcase_add_test(tc, reload_fails);
	tcase_add_test(tc, plan);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
