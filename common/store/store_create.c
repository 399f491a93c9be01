/*
 * common/store/store_create.c - a new folder. It is made whole in the root's tmp, made durable, and gets its name by one rename:
 * no other program ever sees a part of one.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/inside.h"
#include "common/base/now.h"
#include "common/store/mode.h"
#include "common/store/store_impl.h"

#define DRAFT		"posthouse-folder."	/* in tmp */
#define DRAFT_OLD	3600			/* seconds: its maker has died */
#define ROOM_PART	64			/* of what is left, and at most ... */
#define ROOM_MAX	256			/* are made before it is counted again */

/* "3 V<validity> N1 G<128 bits>": the folder's identity is Dovecot's, too. */
static int
make_list(int dir, uint32_t validity, mode_t mode)
{
	uint32_t	id[4];
	char		line[96];
	int		fd, n, r;

	arc4random_buf(id, sizeof(id));
	n = snprintf(line, sizeof(line), "3 V%u N1 G%08x%08x%08x%08x\n",
	    validity, id[0], id[1], id[2], id[3]);
	fd = openat(dir, "dovecot-uidlist", O_WRONLY | O_CREAT | O_EXCL |
	    O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	r = mode == 0700 ? 0 : fchmod(fd, mode & 0666);
	if (r == 0)
		r = fdio_write(fd, line, (size_t)n);
	if (r == 0)
		r = fsync(fd);
	fdio_close(&fd);
	return r;
}

/* What is made below a directory of that mode, whatever the umask: who may use the one may use the other. */
static mode_t
mode_below(mode_t above)
{
	return mode_is_shared(above) ? above & 02777 : 0700;
}

static int
make_part(int dir, const char *name, mode_t mode)
{
	int	part, r;

	if (mkdirat(dir, name, 0700) == -1 ||
	    (part = fdio_opendir(dir, name)) == -1)
		return -1;
	r = mode == 0700 ? 0 : fchmod(part, mode);
	fdio_close(&part);
	return r;
}

static int
fill(int dir, uint32_t validity, mode_t mode)
{
	int	mark;

	if ((mode != 0700 && fchmod(dir, mode) == -1) ||
	    make_part(dir, "cur", mode) == -1 ||
	    make_part(dir, "new", mode) == -1 ||
	    make_part(dir, "tmp", mode) == -1)
		return -1;
	mark = openat(dir, "maildirfolder", O_WRONLY | O_CREAT | O_CLOEXEC |
	    O_NONBLOCK, 0600);
	if (mark == -1)
		return -1;
	if (mode != 0700 && fchmod(mark, mode & 0666) == -1) {
		fdio_close(&mark);
		return -1;
	}
	fdio_close(&mark);
	if (make_list(dir, validity, mode) == -1)
		return -1;
	return fsync(dir);
}

static int
remove_old(void *arg, int dir, const char *name)
{
	const int64_t	*before = arg;
	struct stat	 st;

	if (strncmp(name, DRAFT, sizeof(DRAFT) - 1) == 0 &&
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_mtim.tv_sec < *before &&
	    store_remove_tree(dir, name) == -1)
		return 0;	/* somebody else's trouble */
	return 0;
}

static int
publish(struct store *s, int tmp, const char *draft, const char *folder)
{
	char	name[STORE_DIR_SIZE];

	store_dir(folder, name);
	if (renameat(tmp, draft, s->root, name) == 0)
		return fsync(s->root);
	if (errno == ENOTEMPTY || errno == ENOTDIR)
		errno = EEXIST;
	return -1;
}

static int
make_in(struct store *s, int tmp, const char *folder)
{
	int64_t		before = now_real().tv_sec - DRAFT_OLD;
	struct stat	root;
	char		draft[64];
	uint32_t	validity;
	int		dir, r = -1, saved;

	if (fdio_each(tmp, ".", remove_old, &before) == -1 ||
	    store_next_validity(s, &validity) == -1 ||
	    fstat(s->root, &root) == -1)
		return -1;
	snprintf(draft, sizeof(draft), DRAFT "%d.%08x", (int)getpid(),
	    arc4random());
	if (mkdirat(tmp, draft, 0700) == -1)
		return -1;
	if ((dir = fdio_opendir(tmp, draft)) != -1)
		r = fill(dir, validity, mode_below(root.st_mode));
	fdio_close(&dir);
	if (r == 0)
		r = publish(s, tmp, draft, folder);
	if (r == -1) {
		saved = errno;
		if (store_remove_tree(tmp, draft) == 0 || saved != 0)
			errno = saved;
	}
	return r;
}

/* Of a folder that is there. */
static int
complete(struct store *s, const char *folder)
{
	static const char *const parts[] = { "tmp", "new", "cur" };
	struct stat	st;
	char		name[STORE_DIR_SIZE];
	size_t		i;
	int		dir, r;

	store_dir(folder, name);
	dir = inside_open(s->root, name, O_RDONLY | O_DIRECTORY);
	if (dir == -1)
		return -1;
	r = fstat(dir, &st);
	for (i = 0; i < nitems(parts) && r == 0; i++)
		if (make_part(dir, parts[i], mode_below(st.st_mode)) == -1 &&
		    errno != EEXIST)
			r = -1;
	fdio_close(&dir);
	return r;
}

static int
open_as_it_is(struct store *s, const char *folder, bool tmp,
    struct maildir *m, struct diag *why)
{
	if (maildir_open_to_read(m, s->root, ".", folder, false, why) == -1)
		return -1;
	if (!tmp || (m->tmp = inside_open(m->root, "tmp",
	    O_RDONLY | O_DIRECTORY)) != -1)
		return 0;
	diag_errno(why, "open directory tmp");
	maildir_close(m);
	return -1;
}

int
store_open_folder(struct store *s, const char *folder, bool tmp,
    struct maildir *m, struct diag *why)
{
	if (open_as_it_is(s, folder, tmp, m, why) == 0)
		return 0;
	if (errno == EINVAL)
		errno = ENOENT;
	if (errno != ENOENT || !store_name_ok(folder) ||
	    complete(s, folder) == -1)
		return -1;
	return open_as_it_is(s, folder, tmp, m, why);
}

static int
check_name(struct store *s, const char *folder)
{
	if (folder[0] == '\0' || strcasecmp(folder, "INBOX") == 0 ||
	    store_exists(s, folder))
		errno = EEXIST;
	else if (strlen(folder) > MAILDIR_FOLDER_MAX)
		errno = ENAMETOOLONG;
	else if (!maildir_folder_ok(folder))
		errno = EINVAL;
	else
		return 0;
	return -1;
}

/*
 * All are read for that, so it is not done for each: what others make meanwhile, as many at a time as this, is far from what a
 * list can hold.
 */
static int
check_number(struct store *s)
{
	const struct store_folder	*f;
	size_t				 n, i, there = 0;

	if (s->room > 0) {
		s->room--;
		return 0;
	}
	if (store_list(s, &f, &n) == -1)
		return -1;
	for (i = 0; i < n; i++)
		there += f[i].exists;
	if (there >= STORE_FOLDERS_MAX) {
		errno = EDQUOT;
		return -1;
	}
	s->room = (STORE_FOLDERS_MAX - there) / ROOM_PART;
	if (s->room > ROOM_MAX)
		s->room = ROOM_MAX;
	return 0;
}

int
store_create(struct store *s, const char *folder, char use)
{
	int	tmp, r, left;

	if (check_name(s, folder) == -1 || check_number(s) == -1)
		return -1;
	if (mkdirat(s->root, "tmp", 0700) == -1 && errno != EEXIST)
		return -1;
	if ((tmp = fdio_opendir(s->root, "tmp")) == -1)
		return -1;
	r = make_in(s, tmp, folder);
	fdio_close(&tmp);
	store_forget(s);
	if (r == 0 && use != '\0' && store_set_use(s, folder, use) == -1) {
		/* nobody asked for one without it */
		r = errno;
		if (store_delete(s, folder, &left) == 0 || r != 0)
			errno = r;
		r = -1;
	}
	return r;
}
