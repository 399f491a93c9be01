/*
 * common/store/spool_layout.c - makes and checks the tree of spool(5). Run by
 * the master as root before anything else, or by the one user of a stage.
 */
#include "common/store/spool.h"

#include <sys/ioctl.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/fs.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"

/*
 * Parents before children. The set-gid bit hands new files to the group that
 * has to take them over; the sticky bit keeps local users from removing each
 * other's mail; places of sockets belong to root, so that a client cannot
 * put its own in the way of a server.
 */
static const struct {
	const char	*path;
	const char	*user, *group;
	mode_t		 mode;
	bool		 spread;
} tree[] = {
	{ ".",			"root",		"root",		0755, false },
	{ "incoming",		"ph-smtp",	"ph-queue",	0750, false },
	{ "incoming/tmp",	"ph-smtp",	"ph-queue",	02770, true },
	{ "incoming/new",	"ph-smtp",	"ph-queue",	02770, false },
	{ "incoming/sock",	"root",		"ph-smtp",	0710, false },
	{ "drop",		"ph-queue",	"ph-drop",	0750, false },
	{ "drop/tmp",		"ph-queue",	"ph-drop",	03770, true },
	{ "drop/new",		"ph-queue",	"ph-drop",	03770, false },
	{ "drop/sock",		"root",		"ph-drop",	0710, false },
	{ "queue",		"ph-queue",	"ph-queue",	0700, false },
	{ "status",		"ph-queue",	"ph-queue",	0700, false },
	{ "tmp",		"ph-queue",	"ph-queue",	0700, false },
	{ "hold",		"ph-queue",	"ph-queue",	0700, false },
	{ "corrupt",		"ph-queue",	"ph-queue",	0700, false },
	{ "state",		"ph-queue",	"ph-queue",	0700, false },
	{ "sock",		"root",		"ph-queue",	0710, false },
};

struct owner {
	uid_t	uid;
	gid_t	gid;
};

static int
find_owner(const char *user, const char *group, struct owner *out,
    struct diag *why)
{
	struct passwd	*pw;
	struct group	*gr;

	out->uid = geteuid();
	out->gid = getegid();
	if (out->uid != 0)
		return 0;
	errno = 0;
	if ((pw = getpwnam(user)) == NULL)
		return diag_set(why, "no user %s in the user database", user);
	out->uid = pw->pw_uid;
	if ((gr = getgrnam(group)) == NULL)
		return diag_set(why, "no group %s in the group database",
		    group);
	out->gid = gr->gr_gid;
	return 0;
}

/* Owner and mode are set by descriptor: a name could change its meaning. */
static int
put_right(int fd, const char *path, struct owner who, mode_t mode,
    struct diag *why)
{
	struct stat	st;

	if (fstat(fd, &st) == -1)
		return diag_errno(why, "spool %s", path);
	if ((st.st_uid != who.uid || st.st_gid != who.gid) &&
	    fchown(fd, who.uid, who.gid) == -1)
		return diag_errno(why, "spool %s: change owner", path);
	/* after chown, which takes the set-gid bit away */
	if (fchmod(fd, mode) == -1)
		return diag_errno(why, "spool %s: change mode", path);
	return 0;
}

/*
 * ext4 puts new directories below this one into groups of blocks that have
 * room, so that the files which come and go here are not mixed with mailboxes:
 * a group where much was removed is slow to make files in. A wish, no more.
 */
static void
keep_apart(int dir)
{
	int	flags = 0, saved = errno;

	if (ioctl(dir, FS_IOC_GETFLAGS, &flags) == 0) {
		flags |= FS_TOPDIR_FL;
		(void)ioctl(dir, FS_IOC_SETFLAGS, &flags);
	}
	errno = saved;
}

/* name is that in dir, path for the people. */
static int
make_dir(int dir, const char *name, const char *path, struct owner who,
    mode_t mode, struct diag *why)
{
	int	fd, r;

	if (mkdirat(dir, name, 0700) == -1 && errno != EEXIST)
		return diag_errno(why, "cannot make spool %s", path);
	if ((fd = fdio_opendir(dir, name)) == -1)
		return diag_errno(why, "cannot open spool %s", path);
	r = put_right(fd, path, who, mode, why);
	fdio_close(&fd);
	return r;
}

/*
 * Drafts are made in one of 32 directories: who makes a file holds its
 * directory locked, and on ext4 each of them has a group of its own.
 */
static int
make_spread(int root, size_t i, struct owner who, struct diag *why)
{
	static const char	digits[] = ID_ALPHABET;
	char			name[2] = "";
	int			dir, r = 0;

	if ((dir = fdio_opendir(root, tree[i].path)) == -1)
		return diag_errno(why, "cannot open spool %s", tree[i].path);
	keep_apart(dir);
	for (size_t n = 0; digits[n] != '\0' && r == 0; n++) {
		name[0] = digits[n];
		r = make_dir(dir, name, tree[i].path, who, tree[i].mode, why);
	}
	if (r == 0 && fsync(dir) == -1)
		r = diag_errno(why, "spool %s: flush", tree[i].path);
	fdio_close(&dir);
	return r;
}

static int
make_one(int root, size_t i, struct diag *why)
{
	struct owner	who;

	if (find_owner(tree[i].user, tree[i].group, &who, why) == -1 ||
	    make_dir(root, tree[i].path, tree[i].path, who, tree[i].mode,
	    why) == -1)
		return -1;
	return tree[i].spread ? make_spread(root, i, who, why) : 0;
}

/* What is wrong with a directory, or NULL. */
static const char *
fault_of(int root, const char *path, struct owner who, mode_t mode)
{
	struct stat	st;

	if (fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? "is missing" : strerror(errno);
	if (!S_ISDIR(st.st_mode))
		return "is no directory";
	if (st.st_uid != who.uid || st.st_gid != who.gid)
		return "has another owner";
	return (st.st_mode & 07777) != mode ? "has another mode" : NULL;
}

int
spool_layout_check(int root, void (*fn)(void *, const char *path,
    const char *what), void *arg, struct diag *why)
{
	static const char	digits[] = ID_ALPHABET;
	struct owner		who;
	char			path[64];
	const char		*what;
	size_t			i, n;

	for (i = 0; i < nitems(tree); i++) {
		if (find_owner(tree[i].user, tree[i].group, &who, why) == -1)
			return -1;
		what = fault_of(root, tree[i].path, who, tree[i].mode);
		if (what != NULL)
			fn(arg, tree[i].path, what);
		for (n = 0; tree[i].spread && digits[n] != '\0'; n++) {
			snprintf(path, sizeof(path), "%s/%c", tree[i].path,
			    digits[n]);
			what = fault_of(root, path, who, tree[i].mode);
			if (what != NULL)
				fn(arg, path, what);
		}
	}
	return 0;
}

int
spool_layout(const char *path, struct diag *why)
{
	size_t	i;
	int	root, r = 0;

	if (mkdir(path, 0755) == -1 && errno != EEXIST)
		return diag_errno(why, "cannot make spool %s", path);
	if ((root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return diag_errno(why, "cannot open spool %s", path);
	keep_apart(root);
	for (i = 0; i < nitems(tree) && r == 0; i++)
		r = make_one(root, i, why);
	if (r == 0 && fsync(root) == -1)
		r = diag_errno(why, "spool %s: flush", path);
	fdio_close(&root);
	return r;
}
