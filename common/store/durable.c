/*
 * common/store/durable.c - flushes. Linked into whoever writes mail; the
 * argument for each branch stands in spool(5), "DURABILITY".
 */
#include "common/store/durable.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"

/* f_type of statfs(2); <linux/magic.h> lacks some of them. */
#define MAGIC_EXT4	0xef53L		/* ext2, ext3, ext4 */
#define MAGIC_XFS	0x58465342L
#define MAGIC_BTRFS	0x9123683eL
#define MAGIC_ZFS	0x2fc12fc1L

#define EARLY		(INT64_C(1) << 20)

/* The name of the block device as the kernel's own trees have it, "vda1". */
static bool
device_name(int dirfd, char *out, size_t size)
{
	char		 path[64], target[512];
	const char	*slash;
	struct stat	 st;
	ssize_t		 n;

	if (fstat(dirfd, &st) == -1)
		return false;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u",
	    major(st.st_dev), minor(st.st_dev));
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return false;
	target[n] = '\0';
	slash = strrchr(target, '/');
	return strlcpy(out, slash == NULL ? target : slash + 1, size) < size;
}

static bool
read_text(const char *path, char *out, size_t size)
{
	ssize_t	n = -1;
	int	fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) != -1)
		n = fdio_read(fd, out, size - 1);
	fdio_close(&fd);
	out[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/*
 * ext2, and ext4 with and without a journal, have the same magic number; only the driver of ext4 has a
 * directory in /sys.
 */
static enum durable_how
ext4_how(int dirfd)
{
	char	name[64], path[128], text[4096];

	if (!device_name(dirfd, name, sizeof(name)))
		return DURABLE_STRICT;
	snprintf(path, sizeof(path), "/sys/fs/ext4/%s/journal_task", name);
	if (!read_text(path, text, sizeof(text)))
		return DURABLE_STRICT;
	if (strncmp(text, "<none>", 6) == 0)
		return DURABLE_UNJOURNALED;
	snprintf(path, sizeof(path), "/proc/fs/ext4/%s/options", name);
	if (!read_text(path, text, sizeof(text)) ||
	    strstr(text, "data=writeback") != NULL)
		return DURABLE_STRICT;
	return DURABLE_ORDERED;
}

static enum durable_how
how_for(int dirfd)
{
	struct statfs	fs;

	if (fstatfs(dirfd, &fs) == -1)
		return DURABLE_STRICT;
	switch ((unsigned long)fs.f_type & 0xffffffffUL) {
	case MAGIC_EXT4:
		return ext4_how(dirfd);
	case MAGIC_XFS:
		return DURABLE_ORDERED;
	case MAGIC_BTRFS:
	case MAGIC_ZFS:
		return DURABLE_FILE;
	}
	return DURABLE_STRICT;
}

enum durable_how
durable_for(int dirfd, bool strict)
{
	int			saved = errno;
	enum durable_how	how = strict ? DURABLE_STRICT : how_for(dirfd);

	errno = saved;
	return how;
}

enum durable_how
durable_for_path(const char *path, bool strict)
{
	int			saved = errno, fd = fdio_opendir(AT_FDCWD, path);
	enum durable_how	how = durable_for(fd, strict || fd == -1);

	fdio_close(&fd);
	errno = saved;
	return how;
}

const char *
durable_name(enum durable_how how)
{
	switch (how) {
	case DURABLE_STRICT:
		return "strict";
	case DURABLE_ORDERED:
		return "ordered";
	case DURABLE_FILE:
		return "file";
	case DURABLE_UNJOURNALED:
		return "unjournaled";
	}
	return "?";
}

void
durable_early(int fd, off_t at, off_t len)
{
	off_t	begun = at / EARLY * EARLY, end = (at + len) / EARLY * EARLY;
	int	saved = errno;

	if (end > begun && sync_file_range(fd, begun, end - begun,
	    SYNC_FILE_RANGE_WRITE) == -1)
		errno = saved;	/* the flush will tell */
}

void
durable_begin(enum durable_how how, int fd)
{
	int	saved = errno;

	if (how != DURABLE_FILE &&
	    sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE) == -1)
		errno = saved;	/* the flush will tell */
}

int
durable_data(enum durable_how how, int fd)
{
	int	r;

	switch (how) {
	case DURABLE_STRICT:
		return flush_one(fd);
	case DURABLE_ORDERED:
		while ((r = sync_file_range(fd, 0, 0,
		    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
		    SYNC_FILE_RANGE_WAIT_AFTER)) == -1 && errno == EINTR)
			continue;
		return r;
	case DURABLE_FILE:
	case DURABLE_UNJOURNALED:
		return 0;
	}
	errno = EINVAL;
	return -1;
}

int
durable_replacement(enum durable_how how, int fd)
{
	/*
	 * A log may forget the old name and not know the new one: let it know the file. Without a
	 * journal the name may be there before what it names.
	 */
	return how == DURABLE_ORDERED ? durable_data(how, fd) : flush_one(fd);
}

int
durable_names(enum durable_how how, struct flush *f, int dirfd,
    const int *fds, size_t n)
{
	if (n == 0)
		return 0;
	switch (how) {
	case DURABLE_STRICT:
		return flush_one(dirfd);
	case DURABLE_ORDERED:
		/* The file follows its name even if another program moved it on. */
		return flush_one(n == 1 ? fds[0] : dirfd);
	case DURABLE_FILE:
	case DURABLE_UNJOURNALED:
		return flush_all(f, fds, n);
	}
	errno = EINVAL;
	return -1;
}

int
durable_replaced(enum durable_how how, int dirfd, int fd)
{
	struct flush	f = { .refused = true };

	/* A journal orders the rename before any later change of names. */
	if (how == DURABLE_ORDERED)
		return 0;
	return durable_names(how, &f, dirfd, &fd, 1);
}

bool
durable_moves_need_flush(enum durable_how how)
{
	/* Elsewhere both directories change in one transaction. */
	return how == DURABLE_STRICT || how == DURABLE_UNJOURNALED;
}
