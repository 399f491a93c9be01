/*
 * tests/unit/test_durable.c - which flushes happen, and in what order, for
 * each kind of file system; and that a flush that failed is no success.
 */
#include "common/store/durable.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/fdio.h"

/* ---- libc's place is taken: what is called is written down, e.g. "f5 r5 " */

static char	calls[256];
static int	fail_at, ncalls, fail_errno, interrupts;
static long	fs_type;

static int
called(const char *text)
{
	strlcat(calls, text, sizeof(calls));
	ncalls++;
	if (interrupts > 0) {
		interrupts--;
		errno = EINTR;
		return -1;
	}
	if (ncalls == fail_at) {
		errno = fail_errno;
		return -1;
	}
	return 0;
}

int
fsync(int fd)
{
	char	text[16];

	snprintf(text, sizeof(text), "f%d ", fd);
	return called(text);
}

int
sync_file_range(int fd, off_t from, off_t n, unsigned flags)
{
	char	text[96];

	if (flags == SYNC_FILE_RANGE_WRITE)
		snprintf(text, sizeof(text), "e%d:%lld+%lld ", fd,
		    (long long)from, (long long)n);
	else if (flags == (SYNC_FILE_RANGE_WAIT_BEFORE |
	    SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) && from == 0 &&
	    n == 0)
		snprintf(text, sizeof(text), "r%d ", fd);
	else
		snprintf(text, sizeof(text), "strange ");
	return called(text);
}

int
fstatfs(int fd, struct statfs *out)
{
	if (fd == -1) {
		errno = EBADF;
		return -1;
	}
	memset(out, 0, sizeof(*out));
	out->f_type = fs_type;
	return 0;
}

static void
reset(int at, int why)
{
	calls[0] = '\0';
	ncalls = interrupts = 0;
	fail_at = at;
	fail_errno = why;
}

/* What the kernel says of the one device; NULL: it has no such file. */
static const char	*journal, *options;

ssize_t
readlink(const char *path, char *out, size_t size)
{
	static const char	target[] = "../../devices/virtual/block/sda9";

	if (strncmp(path, "/sys/dev/block/", 15) != 0 || journal == NULL) {
		errno = ENOENT;
		return -1;
	}
	ck_assert_uint_gt(size, sizeof(target));
	memcpy(out, target, sizeof(target) - 1);
	return sizeof(target) - 1;
}

static int
text_file(const char *text)
{
	int	fd;

	if (text == NULL) {
		errno = ENOENT;
		return -1;
	}
	fd = memfd_create("text", MFD_CLOEXEC);
	if (write(fd, text, strlen(text)) == -1 || lseek(fd, 0, SEEK_SET) == -1)
		return -1;
	return fd;
}

int
open(const char *path, int flags, ...)
{
	if (strcmp(path, "/sys/fs/ext4/sda9/journal_task") == 0)
		return text_file(journal);
	if (strcmp(path, "/proc/fs/ext4/sda9/options") == 0)
		return text_file(options);
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
}

static const struct {
	const char		*journal, *options;
	enum durable_how	 how;
} ext4s[] = {
	{ "271\n", "rw\ndata=ordered\n", DURABLE_ORDERED },
	{ "271\n", "rw\ndata=journal\n", DURABLE_ORDERED },
	{ "271\n", "rw\ndata=writeback\n", DURABLE_STRICT },
	{ "271\n", NULL, DURABLE_STRICT },
	{ "271\n", "", DURABLE_STRICT },
	{ "<none>\n", "rw\n", DURABLE_UNJOURNALED },
	{ "", "rw\n", DURABLE_STRICT },
	{ NULL, NULL, DURABLE_STRICT },
};

START_TEST(ext4)
{
	int	fd = fdio_opendir(AT_FDCWD, "/tmp");

	fs_type = 0xef53;
	journal = ext4s[_i].journal;
	options = ext4s[_i].options;
	errno = ERANGE;
	ck_assert_int_eq(durable_for(fd, false), ext4s[_i].how);
	ck_assert_int_eq(durable_for_path("/tmp", false), ext4s[_i].how);
	ck_assert_int_eq(durable_for(fd, true), DURABLE_STRICT);
	ck_assert_int_eq(errno, ERANGE);
	close(fd);
}
END_TEST

static const struct {
	long			type;
	enum durable_how	how;
} systems[] = {
	{ 0x58465342, DURABLE_ORDERED },
	{ 0x9123683e, DURABLE_FILE },
	{ (int)0x9123683e, DURABLE_FILE },	/* where f_type is an int */
	{ 0x2fc12fc1, DURABLE_FILE },
	{ 0x01021994, DURABLE_STRICT },		/* tmpfs */
	{ 0x6969, DURABLE_STRICT },		/* NFS */
	{ 0, DURABLE_STRICT },
};

START_TEST(file_systems)
{
	fs_type = systems[_i].type;
	ck_assert_int_eq(durable_for(3, false), systems[_i].how);
	ck_assert_int_eq(durable_for(3, true), DURABLE_STRICT);
	ck_assert_int_eq(durable_for(-1, false), DURABLE_STRICT);
}
END_TEST

/* files 5, 6, 7 and the directory 9; each flushed by fsync, not by the kernel's queue */
static struct flush	none = { .refused = true };
static const int	files[] = { 5, 6, 7 };

static const struct {
	enum durable_how how;
	const char	*data, *one, *three, *replaced, *name;
} rows[] = {
	{ DURABLE_STRICT,	"f5 ", "f9 ", "f9 ", "f9 ", "strict" },
	{ DURABLE_ORDERED,	"r5 ", "f5 ", "f9 ", "", "ordered" },
	{ DURABLE_FILE,		"", "f5 ", "f5 f6 f7 ", "f5 ", "file" },
	{ DURABLE_UNJOURNALED,	"", "f5 ", "f5 f6 f7 ", "f5 ", "unjournaled" },
};

/* Each file by itself. */
static bool
is_each(enum durable_how how)
{
	return how == DURABLE_FILE || how == DURABLE_UNJOURNALED;
}

START_TEST(order)
{
	enum durable_how	how = rows[_i].how;

	ck_assert_str_eq(durable_name(how), rows[_i].name);
	ck_assert_int_eq(durable_moves_need_flush(how),
	    how == DURABLE_STRICT || how == DURABLE_UNJOURNALED);
	reset(0, 0);
	ck_assert_int_eq(durable_data(how, 5), 0);
	ck_assert_str_eq(calls, rows[_i].data);
	reset(0, 0);
	ck_assert_int_eq(durable_names(how, &none, 9, files, 1), 0);
	ck_assert_str_eq(calls, rows[_i].one);
	reset(0, 0);
	ck_assert_int_eq(durable_names(how, &none, 9, files, 3), 0);
	ck_assert_str_eq(calls, rows[_i].three);
	reset(0, 0);
	ck_assert_int_eq(durable_replaced(how, 9, 5), 0);
	ck_assert_str_eq(calls, rows[_i].replaced);
	reset(0, 0);
	ck_assert_int_eq(durable_names(how, &none, 9, files, 0), 0);
	ck_assert_str_eq(calls, "");
}
END_TEST

START_TEST(failures)
{
	enum durable_how	how = rows[_i].how;
	int			i;

	for (i = 1; i <= 3; i++) {
		reset(i, EIO);
		ck_assert_int_eq(durable_names(how, &none, 9, files, 3),
		    is_each(how) || i == 1 ? -1 : 0);
		/* and nothing more is tried: no second chance after EIO */
		ck_assert_int_eq(ncalls, is_each(how) ? i : 1);
	}
	reset(1, EIO);
	ck_assert_int_eq(durable_data(how, 5), is_each(how) ? 0 : -1);
	ck_assert_int_eq(ncalls, is_each(how) ? 0 : 1);
	reset(1, ENOSPC);
	ck_assert_int_eq(durable_replaced(how, 9, 5),
	    how == DURABLE_ORDERED ? 0 : -1);
}
END_TEST

START_TEST(interrupted)	/* only that is tried again */
{
	enum durable_how	how = rows[_i].how;

	reset(0, 0);
	interrupts = 2;
	ck_assert_int_eq(durable_names(how, &none, 9, files, 1), 0);
	ck_assert_int_eq(ncalls, 3);
	if (is_each(how))
		return;
	reset(3, EIO);
	interrupts = 2;
	ck_assert_int_eq(durable_data(how, 5), -1);
	ck_assert_int_eq(errno, EIO);
	ck_assert_int_eq(ncalls, 3);
}
END_TEST

START_TEST(no_such_way)
{
	enum durable_how	how = (enum durable_how)77;

	reset(0, 0);
	ck_assert_int_eq(durable_data(how, 5), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(durable_names(how, &none, 9, files, 1), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(ncalls, 0);
	ck_assert_str_eq(durable_name(how), "?");
}
END_TEST

#define MIB	(1 << 20)
static const struct {
	off_t		at, len;
	const char	*calls;
} writes[] = {
	{ 0, 0, "" },
	{ 0, MIB - 1, "" },
	{ 0, MIB, "e5:0+1048576 " },
	{ MIB - 1, 1, "e5:0+1048576 " },
	{ MIB, 1, "" },
	{ 100, 3 * MIB, "e5:0+3145728 " },
	{ MIB + 5, 2 * MIB, "e5:1048576+2097152 " },
};

START_TEST(early)
{
	reset(0, 0);
	durable_early(5, writes[_i].at, writes[_i].len);
	ck_assert_str_eq(calls, writes[_i].calls);
	/* a hint: it says nothing of failure */
	reset(1, EIO);
	errno = ENOTTY;
	durable_early(5, writes[_i].at, writes[_i].len);
	ck_assert_int_eq(errno, ENOTTY);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("durable");
	TCase	*tc = tcase_create("durable");
	SRunner	*sr;
	int	 failed;

	tcase_add_loop_test(tc, ext4, 0, nitems(ext4s));
	tcase_add_loop_test(tc, file_systems, 0, nitems(systems));
	tcase_add_loop_test(tc, order, 0, nitems(rows));
	tcase_add_loop_test(tc, failures, 0, nitems(rows));
	tcase_add_loop_test(tc, interrupted, 0, nitems(rows));
	tcase_add_test(tc, no_such_way);
	tcase_add_loop_test(tc, early, 0, nitems(writes));
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
