/* common/store/store_tree.c - directories are removed with all that is in them; no link is followed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/store/store_impl.h"

#define DEPTH_MAX	8
#define TRIES		4	/* somebody may put something in meanwhile */

static int	remove_below(void *, int, const char *);

static int
remove_any(int dir, const char *name, unsigned depth)
{
	int	tries;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	if (depth == 0) {
		errno = ELOOP;
		return -1;
	}
	depth--;
	for (tries = 0; tries < TRIES; tries++) {
		if (fdio_each(dir, name, remove_below, &depth) == -1 &&
		    errno != ENOENT)
			return -1;
		if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if (errno != ENOTEMPTY && errno != EEXIST)
			return -1;
	}
	return -1;
}

static int
remove_below(void *arg, int dir, const char *name)
{
	const unsigned	*depth = arg;

	return remove_any(dir, name, *depth);
}

int
store_remove_tree(int dir, const char *name)
{
	return remove_any(dir, name, DEPTH_MAX);
}

void
store_empty_trash(struct store *s)
{
	int	saved = errno;

	if (faccessat(s->root, STORE_TRASH, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	    store_remove_tree(s->root, STORE_TRASH) == -1)
		saved = errno == ENOENT ? saved : errno;
	errno = saved;
}

int
store_trash(struct store *s, const char *dir)
{
	char	trash[64] = STORE_TRASH;
	int	tries;

	for (tries = 0; renameat(s->root, dir, s->root, trash) == -1;
	    tries++) {
		if ((errno != ENOTEMPTY && errno != EEXIST) || tries == TRIES)
			return -1;
		store_empty_trash(s);
		/* what cannot be removed is in the way */
		if (tries == TRIES - 1)
			snprintf(trash, sizeof(trash), STORE_TRASH ".%08x",
			    arc4random());
	}
	if (fsync(s->root) == -1)
		return -1;
	/* It is deleted; what cannot be removed now goes the next time. */
	if (store_remove_tree(s->root, trash) == -1)
		errno = 0;
	return 0;
}
