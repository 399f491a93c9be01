/*
 * common/store/durable.c - flushes. Linked into whoever writes mail; the
 * argument for each branch stands in spool(5), "DURABILITY".
 */
#include "common/store/durable.h"

#include <sys/vfs.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* f_type of statfs(2); <linux/magic.h> lacks some of them. */
#define MAGIC_EXT4	0xef53L		/* ext2, ext3, ext4 */
#define MAGIC_XFS	0x58465342L
#define MAGIC_BTRFS	0x9123683eL
#define MAGIC_ZFS	0x2fc12fc1L

#define EARLY		(INT64_C(1) << 20)

enum durable_how
durable_for(int dirfd, bool strict)
{
	struct statfs	fs;

	if (strict || fstatfs(dirfd, &fs) == -1)
		return DURABLE_STRICT;
	switch ((unsigned long)fs.f_type & 0xffffffffUL) {
	case MAGIC_EXT4:
	case MAGIC_XFS:
		return DURABLE_ORDERED;
	case MAGIC_BTRFS:
	case MAGIC_ZFS:
		return DURABLE_FILE;
	}
	return DURABLE_STRICT;
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
	}
	return "?";
}

static int
flush(int fd)
{
	int	r;

	/* Never retried after EIO: the kernel forgets the error, not the loss. */
	while ((r = fsync(fd)) == -1 && errno == EINTR)
		continue;
	return r;
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

int
durable_data(enum durable_how how, int fd)
{
	int	r;

	switch (how) {
	case DURABLE_STRICT:
		return flush(fd);
	case DURABLE_ORDERED:
		while ((r = sync_file_range(fd, 0, 0,
		    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
		    SYNC_FILE_RANGE_WAIT_AFTER)) == -1 && errno == EINTR)
			continue;
		return r;
	case DURABLE_FILE:
		return 0;
	}
	errno = EINVAL;
	return -1;
}

int
durable_names(enum durable_how how, int dirfd, const int *fds, size_t n)
{
	size_t	i;

	if (n == 0)
		return 0;
	switch (how) {
	case DURABLE_STRICT:
		return flush(dirfd);
	case DURABLE_ORDERED:
		/* The file follows its name even if another program moved it on. */
		return flush(n == 1 ? fds[0] : dirfd);
	case DURABLE_FILE:
		for (i = 0; i < n; i++)
			if (flush(fds[i]) == -1)
				return -1;
		return 0;
	}
	errno = EINVAL;
	return -1;
}

int
durable_replaced(enum durable_how how, int dirfd, int fd)
{
	/* A journal orders the rename before any later change of names. */
	if (how == DURABLE_ORDERED)
		return 0;
	return durable_names(how, dirfd, &fd, 1);
}
