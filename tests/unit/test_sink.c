/* tests/unit/test_sink.c - where log lines go: files, rotation, what is lost and said to be. */
#include "log/sink.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"

static char		dir[40], file[64], setting[80];
static struct sink	*sink;
static struct buf	text;

static void
setup(void)
{
	strlcpy(dir, "/tmp/test_sink.XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	/* not root's alone: opened late, as the user that we are */
	ck_assert_int_eq(chmod(dir, 0770), 0);
	snprintf(file, sizeof(file), "%s/log", dir);
	snprintf(setting, sizeof(setting), "file:%s", file);
	buf_init(&text, 1 << 22);
	sink = NULL;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
teardown(void)
{
	sink_free(&sink);
	buf_free(&text);
	ck_assert_int_eq(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void
start(void)
{
	struct diag	why = { "" };

	ck_assert_msg(sink_new(&sink, setting, "nobody", &why) == 0, "%s",
	    why.text);
	ck_assert_msg(sink_start(sink, &why) == 0, "%s", why.text);
}

static void
put(const char *line)
{
	sink_put(sink, "smtpd", 42, LOG_LEVEL_INFO, str_from(line));
}

/* The lines of a file without their times. */
static void
check_lines(const char *path, const char *want)
{
	char	got[4096] = "";
	char	*p, *end;

	buf_reset(&text);
	ck_assert_int_eq(fdio_slurp_at(AT_FDCWD, path, &text), 0);
	ck_assert_ptr_nonnull(buf_cstr(&text));
	for (p = text.p; p != NULL && (end = strchr(p, '\n')) != NULL;
	    p = end + 1) {
		*end = '\0';
		ck_assert_ptr_nonnull(p = strchr(p, ' '));
		strlcat(got, p + 1, sizeof(got));
		strlcat(got, "\n", sizeof(got));
	}
	ck_assert_str_eq(got, want);
}

static const struct { const char *setting, *why; } bad[] = {
	{ "", "expected file:PATH" },
	{ "files:/x", "expected file:PATH" },
	{ "/var/log/x", "expected file:PATH" },
	{ "file:", "no absolute path" },
	{ "file:x", "no absolute path" },
	{ "file:/tmp/", "no absolute path" },
	{ "file:/no/such/dir/log", "/no/such/dir" },
};

START_TEST(refused)
{
	struct diag	why = { "" };

	ck_assert_int_eq(sink_new(&sink, bad[_i].setting, "nobody", &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, bad[_i].why));
	ck_assert_ptr_null(sink);
}
END_TEST

START_TEST(lines)
{
	struct stat	st;

	umask(027);
	start();
	ck_assert_str_eq(sink_dir(sink), dir);
	put("one a=1");
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_int_eq(st.st_size, 0);	/* gathered */
	ck_assert_uint_eq(st.st_mode & 0777, 0640);
	put("two\nthree");
	sink_put(sink, "queue", 7, LOG_LEVEL_ERROR, STR(""));
	sink_flush(sink);
	sink_flush(sink);
	check_lines(file, "smtpd[42] info: one a=1\n"
	    "smtpd[42] info: two\\x0Athree\nqueue[7] error: \n");
}
END_TEST

START_TEST(appends)
{
	start();
	put("a");
	sink_free(&sink);	/* writes what is left */
	ck_assert_ptr_null(sink);
	start();
	put("b");
	sink_flush(sink);
	check_lines(file, "smtpd[42] info: a\nsmtpd[42] info: b\n");
}
END_TEST

START_TEST(many)	/* more than is gathered, without a flush */
{
	struct stat	st;
	char		line[2048];
	int		i;

	start();
	memset(line, 1, sizeof(line) - 1);	/* each byte becomes four */
	line[sizeof(line) - 1] = '\0';
	for (i = 0; i < 100; i++)
		put(line);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_int_gt(st.st_size, 65536);
	sink_flush(sink);
	buf_reset(&text);
	ck_assert_int_eq(fdio_slurp_at(AT_FDCWD, file, &text), 0);
	for (i = 0; text.n > 0; i++)
		buf_consume(&text, (size_t)((char *)memchr(text.p, '\n',
		    text.n) + 1 - text.p));
	ck_assert_int_eq(i, 100);
}
END_TEST

START_TEST(rotation)	/* loop: told, or seen */
{
	char	old[80];

	snprintf(old, sizeof(old), "%s.1", file);
	start();
	put("a");
	sink_flush(sink);
	ck_assert_int_eq(rename(file, old), 0);
	put("b");
	if (_i == 0)
		sink_reopen(sink);
	else
		sink_check(sink);
	put("c");
	sink_flush(sink);
	check_lines(old, "smtpd[42] info: a\nsmtpd[42] info: b\n");
	check_lines(file, "smtpd[42] info: c\n");
}
END_TEST

/* The new file cannot be made: the old one goes on, with a word on it. */
START_TEST(rotation_fails)
{
	char	old[80];

	snprintf(old, sizeof(old), "%s.1", file);
	start();
	ck_assert_int_eq(rename(file, old), 0);
	ck_assert_int_eq(symlink("/dev/null", file), 0);
	sink_reopen(sink);
	put("b");
	sink_flush(sink);
	buf_reset(&text);
	ck_assert_int_eq(fdio_slurp_at(AT_FDCWD, old, &text), 0);
	ck_assert_ptr_nonnull(buf_cstr(&text));
	ck_assert_ptr_nonnull(strstr(text.p, "error: reopen why=\"Too many"));
	ck_assert_ptr_nonnull(strstr(text.p, "info: b\n"));
}
END_TEST

static void
set_limit(rlim_t n)
{
	struct rlimit	limit = { n, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* However often it fails: every line is counted. */
START_TEST(lost)
{
	start();
	set_limit(0);
	put("a");
	put("b");
	sink_flush(sink);
	put("c");
	sink_flush(sink);
	put("d");
	sink_flush(sink);
	set_limit(RLIM_INFINITY);
	put("e");
	sink_flush(sink);
	put("f");
	sink_flush(sink);
	buf_reset(&text);
	ck_assert_int_eq(fdio_slurp_at(AT_FDCWD, file, &text), 0);
	ck_assert_ptr_nonnull(buf_cstr(&text));
	ck_assert_ptr_nonnull(strstr(text.p, "info: e\n"));
	ck_assert_ptr_nonnull(strstr(text.p, "warn: log-lost lines=4\n"));
	ck_assert_ptr_null(strstr(strstr(text.p, "lost") + 1, "log-lost"));
	ck_assert_ptr_null(strstr(text.p, "info: d\n"));
}
END_TEST

START_TEST(standard_error)
{
	struct diag	why;
	int		saved = dup(2), fd;

	ck_assert_int_ne(fd = open(file, O_WRONLY | O_CREAT, 0600), -1);
	ck_assert_int_eq(dup2(fd, 2), 2);
	ck_assert_int_eq(sink_new(&sink, "stderr", "nobody", &why), 0);
	ck_assert_ptr_null(sink_dir(sink));
	ck_assert_int_eq(sink_start(sink, &why), 0);
	put("x");
	sink_reopen(sink);	/* nothing to do */
	sink_check(sink);
	sink_free(&sink);
	ck_assert_int_ne(fcntl(2, F_GETFD), -1);	/* not ours to close */
	dup2(saved, 2);
	close(saved);
	close(fd);
	check_lines(file, "smtpd[42] info: x\n");
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("sink");
	TCase	*tc = tcase_create("sink");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, refused, 0, nitems(bad));
	tcase_add_test(tc, lines);
	tcase_add_test(tc, appends);
	tcase_add_test(tc, many);
	tcase_add_loop_test(tc, rotation, 0, 2);
	tcase_add_test(tc, rotation_fails);
	tcase_add_test(tc, lost);
	tcase_add_test(tc, standard_error);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
