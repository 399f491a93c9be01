/* tests/unit/test_spool_check.c - second copies and drafts, as fsck of postq(8) finds them in a spool at rest. */
#include "common/store/spool_check.h"

#include <sys/stat.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"

#define MAIL	"Subject: x\r\n\r\nbody\r\n"
#define STRANGER	12345

static char		dir[40], name[ID_SIZE];
static struct spool	s;
static struct id	id;
static size_t		done, left;

static void
say(void *arg, const char *path, const char *what, const char *how)
{
	(void)arg;
	(void)path;
	(void)what;
	if (how != NULL)
		done++;
	else
		left++;
}

/* In queue, as a report is made. */
static void
write_message(void)
{
	struct envelope_rcpt	rcpt = { .addr = STR("bob@example.test"),
				    .orcpt = STR(""), .final = STR(""),
				    .state = RCPT_WAITING };
	struct envelope		env = { .rcpts = &rcpt, .nrcpts = 1,
				    .sender = STR("ann@example.test"),
				    .arrival_ms = now_real_ms() };
	struct spool_in		in;
	struct draft		d;

	strlcpy(env.id, name, sizeof(env.id));
	ck_assert_int_eq(spool_in_queue(&s, id, &in), 0);
	ck_assert_int_eq(draft_begin(&in, &d, &env), 0);
	ck_assert_int_eq(draft_write(&d, MAIL, strlen(MAIL)), 0);
	ck_assert_int_eq(draft_commit(&in, &d), 0);
	spool_in_close(&in);
}

static void
setup(void)
{
	static const char *const	dirs[] = { "incoming", "incoming/new",
		"incoming/tmp", "drop", "drop/new", "drop/tmp", "queue",
		"status", "tmp", "hold", "corrupt", "state" };
	struct timespec	ts = now_real();
	struct diag	why;
	char		path[80];
	size_t		i;
	int		fd;

	strlcpy(dir, "/tmp/test_check.XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	for (i = 0; i < nitems(dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, dirs[i]);
		ck_assert_int_eq(mkdir(path, 0700), 0);
	}
	ck_assert_int_ne(fd = fdio_opendir(AT_FDCWD, dir), -1);
	ck_assert_int_eq(spool_open(&s, fd, DURABLE_STRICT, &why), 0);
	close(fd);
	id = id_make(&ts);
	id_format(id, name);
	write_message();
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
	spool_close(&s);
	ck_assert_int_eq(nftw(dir, remove_one, 10, FTW_DEPTH | FTW_PHYS), 0);
}

/* Copies the file of queue there: an open descriptor. */
static int
copy_to(const char *place)
{
	char	path[120], mem[4096];
	ssize_t	n;
	int	from = spool_file(&s, SPOOL_QUEUE, id, false), to;

	ck_assert_int_ne(from, -1);
	ck_assert_int_gt(n = fdio_pread(from, mem, sizeof(mem), 0), 0);
	close(from);
	snprintf(path, sizeof(path), "%s/%s/%s", dir, place, name);
	to = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ck_assert_int_ne(to, -1);
	ck_assert_int_eq(fdio_write(to, mem, (size_t)n), 0);
	return to;
}

static void
check_all(void)
{
	struct spool_check	c = { .repair = true, .say = say,
				    .now_ms = now_real_ms(),
				    .latest_ms = now_real_ms() + 1000000 };

	done = left = 0;
	spool_check_files(&s, &c);
	ck_assert_uint_eq(left, 0);
}

START_TEST(copy_in_hold)	/* was moved there when the power failed */
{
	close(copy_to("hold"));
	check_all();
	ck_assert_uint_eq(done, 1);
	ck_assert(spool_has(&s, SPOOL_HOLD, id));
	ck_assert(!spool_has(&s, SPOOL_QUEUE, id));
	ck_assert(!spool_has(&s, SPOOL_CORRUPT, id));
}
END_TEST

START_TEST(copy_of_a_user)	/* who has seen ours, and takes its name, takes nothing else */
{
	int	fd = copy_to("hold");

	ck_assert_int_eq(fchown(fd, STRANGER, (gid_t)-1), 0);
	close(fd);
	check_all();
	ck_assert_uint_eq(done, 1);
	ck_assert(spool_has(&s, SPOOL_QUEUE, id));
	ck_assert(!spool_has(&s, SPOOL_HOLD, id));
	ck_assert(spool_has(&s, SPOOL_CORRUPT, id));
}
END_TEST

START_TEST(draft)	/* loop: a whole one, which is all that is left, or one with a hole */
{
	int	fd = copy_to("tmp");
	off_t	end = lseek(fd, 0, SEEK_END);
	char	mem[4096], *at;

	ck_assert_int_eq(fdio_pread(fd, mem, sizeof(mem), 0), end);
	ck_assert_ptr_nonnull(at = memmem(mem, (size_t)end, "body", 4));
	if (_i == 1)
		ck_assert_int_eq(fdio_pwrite(fd, "\0\0\0", 4, at - mem), 0);
	close(fd);
	ck_assert_int_eq(spool_forget(&s, SPOOL_QUEUE, id), 0);
	check_all();
	ck_assert_uint_eq(done, 1);
	ck_assert(spool_has(&s, SPOOL_QUEUE, id) == (_i == 0));
	ck_assert(spool_has(&s, SPOOL_CORRUPT, id) == (_i == 1));
}
END_TEST

int
main(void)
{
	Suite	*su = suite_create("spool_check");
	TCase	*t = tcase_create("spool_check");
	SRunner	*r = srunner_create(su);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, copy_in_hold);
	if (geteuid() == 0)	/* who else can give files away? */
		tcase_add_test(t, copy_of_a_user);
	tcase_add_loop_test(t, draft, 0, 2);
	suite_add_tcase(su, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
