/*
 * common/store/view_follow.c - an open folder gets another name: its directory, by device and inode, is looked for among those of the
 * store. What is open is open under any name; but the folder's name decides about rights, and is told to the client.
 */
#include <sys/stat.h>

#include <errno.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/store/store_impl.h"
#include "common/store/view_impl.h"

#define TRIES	3	/* what is renamed while a directory is read may be missed */

static bool
is_it(const struct view *v, int root, const char *dir)
{
	struct stat	st;

	return fstatat(root, dir, &st, 0) == 0 && st.st_dev == v->dev &&
	    st.st_ino == v->ino;
}

/* A name in the store's directory; stops where it is the one. */
static int
see(void *arg, int root, const char *dir)
{
	struct view	*v = arg;

	if (dir[0] != '.' || !maildir_folder_found(dir + 1) ||
	    !is_it(v, root, dir))
		return 0;
	return str_copy(v->folder, sizeof(v->folder),
	    str_from(dir + 1)) == -1 ? 0 : 1;
}

int
view_follow(struct view *v)
{
	char	dir[STORE_DIR_SIZE];
	int	root = store_root(v->store), i;

	store_dir(v->folder, dir);
	for (i = 0; i < TRIES; i++) {
		if (v->folder[0] == '\0' || is_it(v, root, dir))
			return 0;
		switch (fdio_each(root, ".", see, v)) {
		case 1:
			if (v->wait == -2)
				v->wait = -1;
			return 0;
		case -1:
			return -1;
		}
	}
	errno = ESTALE;
	return -1;
}
