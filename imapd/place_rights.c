/* imapd/place_rights.c - what the user may do with a folder: by its dovecot-acl, and by the file system. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/inside.h"
#include "imapd/place.h"

const char *
place_file(const char *folder, const char *file, char path[PLACE_FILE_MAX])
{
	if (*folder == '\0')
		snprintf(path, PLACE_FILE_MAX, "%s", file);
	else
		snprintf(path, PLACE_FILE_MAX, ".%s/%s", folder, file);
	return path;
}

/* 1: there is one. 0: there is none. */
static int
read_acl(int root, const char *folder, struct arena *a, struct acl *acl)
{
	char		path[PLACE_FILE_MAX];
	struct buf	text;
	struct str	kept;
	int		r = -1;

	buf_init(&text, ACL_FILE_MAX);
	if (inside_slurp(root, place_file(folder, "dovecot-acl", path),
	    &text) == -1)
		r = errno == ENOENT ? 0 : -1;
	else if (arena_dup(a, buf_view(&text), &kept) == 0) {
		r = acl_file_parse(kept, a, acl) ? 1 : -1;
		if (r == -1)
			errno = EINVAL;
	}
	buf_free(&text);
	return r;
}

int
place_acl(const struct session *s, unsigned space, const char *folder,
    struct arena *a, struct acl *acl, bool *own)
{
	char	 above[MAILDIR_FOLDER_MAX + 1], *dot;
	int	 root = store_root(place_store(s, space)), r;

	acl->n = 0;
	*own = true;
	if (str_copy(above, sizeof(above), str_from(folder)) == -1)
		return -1;
	while ((r = read_acl(root, above, a, acl)) == 0) {
		*own = false;
		/* One's own folders are nobody else's unless they say so. */
		if (*above == '\0' || space == SPACE_OWN)
			return 0;
		dot = strrchr(above, '.');
		*(dot == NULL ? above : dot) = '\0';
	}
	return r == 1 ? 0 : -1;
}

void
place_acl_stamp(const struct session *s, unsigned space, const char *folder,
    struct acl_stamp *out)
{
	char		 above[MAILDIR_FOLDER_MAX + 1], *dot;
	char		 path[PLACE_FILE_MAX];
	int		 root = store_root(place_store(s, space));
	struct stat	 st;

	memset(out, 0, sizeof(*out));
	if (str_copy(above, sizeof(above), str_from(folder)) == -1)
		return;
	while (fstatat(root, place_file(above, "dovecot-acl", path), &st, 0) ==
	    -1) {
		out->above++;
		if (errno != ENOENT || *above == '\0')
			return;
		dot = strrchr(above, '.');
		*(dot == NULL ? above : dot) = '\0';
	}
	out->device = st.st_dev;
	out->inode = st.st_ino;
	out->size = st.st_size;
	out->changed = (int64_t)st.st_ctim.tv_sec * 1000000000 +
	    st.st_ctim.tv_nsec;
}

bool
place_acl_same(const struct acl_stamp *a, const struct acl_stamp *b)
{
	return a->above == b->above && a->device == b->device &&
	    a->inode == b->inode && a->size == b->size &&
	    a->changed == b->changed;
}

/* What the modes of files leave of them. */
static unsigned
by_files(int root, const char *folder, unsigned rights)
{
	char	path[PLACE_FILE_MAX];

	if (faccessat(root, ".", W_OK, 0) == -1)
		rights &= ~(unsigned)(RIGHT_CREATE | RIGHT_DELETE);
	place_file(folder, "cur", path);
	if (faccessat(root, path, F_OK, 0) == -1)
		return errno == ENOENT ? rights : 0;
	if (faccessat(root, path, R_OK | X_OK, 0) == -1)
		rights &= RIGHT_LOOKUP | RIGHT_CREATE | RIGHT_DELETE;
	if (faccessat(root, path, W_OK, 0) == -1)
		rights &= ~(unsigned)(RIGHT_SEEN | RIGHT_WRITE | RIGHT_INSERT |
		    RIGHT_POST | RIGHT_REMOVE | RIGHT_EXPUNGE);
	if (faccessat(root, place_file(folder, ".", path), W_OK, 0) == -1)
		rights &= ~(unsigned)RIGHT_ADMIN;
	return rights;
}

bool
place_is_failure(int error)
{
	return error == EINTR || error == EAGAIN || error == EIO ||
	    error == EMFILE || error == ENFILE || error == ENOMEM ||
	    error == ERANGE;
}

int
place_rights(const struct session *s, unsigned space, const char *folder,
    unsigned *rights)
{
	struct acl	acl;
	struct acl_who	who;
	struct arena	a;
	bool		own;
	int		r = 0;

	*rights = RIGHTS_ALL;
	if (space == SPACE_OWN)
		return 0;
	place_who(s, space, &who);
	arena_init(&a, 2 * ACL_FILE_MAX);
	*rights = 0;
	if (place_acl(s, space, folder, &a, &acl, &own) == 0)
		*rights = acl_rights_of(&acl, &who);
	else if (place_is_failure(errno))
		r = -1;
	arena_free(&a);
	if (*rights != 0)
		*rights = by_files(store_root(place_store(s, space)), folder,
		    *rights);
	return r;
}

unsigned
place_selected_space(const struct session *s)
{
	return place_spaces(s) > SPACE_SHARED &&
	    view_store_of(s->view) == place_store(s, SPACE_SHARED) ?
	    SPACE_SHARED : SPACE_OWN;
}

int
place_selected_look(const struct session *s, unsigned *rights)
{
	*rights = 0;
	/* by the name that it has now: another one may have got the old name */
	if (view_follow(s->view) == -1)
		return place_is_failure(errno) ? -1 : 0;
	return place_rights(s, place_selected_space(s), view_folder(s->view),
	    rights);
}

unsigned
place_selected_rights(const struct session *s)
{
	unsigned	rights;

	return place_selected_look(s, &rights) == -1 ? 0 : rights;
}
