/* common/store/mode.c - modes of new files, by their directory's. */
#include "common/store/mode.h"

#include <sys/stat.h>

#include <unistd.h>

bool
mode_is_shared(mode_t mode)
{
	return (mode & (S_ISGID | S_IWGRP | S_IWOTH)) != 0;
}

int
mode_share(int dir, int fd)
{
	struct stat	d, f;

	if (fstat(dir, &d) == -1)
		return -1;
	if (!mode_is_shared(d.st_mode))
		return 0;
	/* One that was there already is its maker's. */
	if (fstat(fd, &f) == -1)
		return -1;
	if (f.st_uid != geteuid())
		return 0;
	return fchmod(fd, d.st_mode & 0666);
}
