/* common/store/store_change.c - folders are deleted and renamed. */
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
#include "common/store/folder_lock.h"
#include "common/store/quota.h"
#include "common/store/store_impl.h"

/* What goes with a folder: counted only if somebody wants to know. */
static void
count_folder(struct store *s, int dir, uint64_t *bytes, uint64_t *count)
{
	struct maildir	m = { .root = dir, .tmp = -1, .new = -1, .cur = -1 };
	struct quota	q;

	*bytes = *count = 0;
	if (quota_limits(s, &q) &&
	    maildir_usage(&m, bytes, count) == -1)
		*bytes = *count = 0;
}

/* Nobody moves anything into it meanwhile, see save_commit.c. Where there can be no lock the disk is full, or it is not ours. */
static int
lock_dir(int dir, int *lock)
{
	*lock = folder_lock(dir);
	return *lock == -1 && errno == ETIMEDOUT ? -1 : 0;
}

static int
delete_dir(struct store *s, const char *name, int dir)
{
	uint64_t	bytes, count;

	/* Of a folder that comes after it nobody may think that it is this one. */
	if (store_raise_validity(s, store_folder_validity(dir)) == -1)
		return -1;
	count_folder(s, dir, &bytes, &count);
	if (store_trash(s, name) == -1)
		return -1;
	if (count > 0)
		quota_changed(s, -(int64_t)bytes, -(int64_t)count);
	return 0;
}

/* The folders themselves have changed by now, whatever comes of this. */
static int
carry_uses(struct store *s, const char *from, const char *to, bool below)
{
	return store_move_uses(s, from, to, below) == -1 ? errno : 0;
}

int
store_delete(struct store *s, const char *folder, int *left)
{
	char	name[STORE_DIR_SIZE];
	int	dir, lock = -1, r = -1;

	*left = 0;
	if (folder[0] == '\0' || !maildir_folder_found(folder)) {
		errno = EINVAL;
		return -1;
	}
	store_dir(folder, name);
	/* where the directory is elsewhere, only the link to it goes */
	if ((dir = inside_open(s->root, name, O_RDONLY | O_DIRECTORY)) == -1)
		return -1;
	if (lock_dir(dir, &lock) == 0)
		r = delete_dir(s, name, dir);
	fdio_close(&lock);
	fdio_close(&dir);
	store_forget(s);
	if (r == 0)
		*left = carry_uses(s, folder, NULL, false);
	return r;
}

static int
rename_one(struct store *s, const char *folder, const char *from,
    const char *to, bool back)
{
	char	name[STORE_DIR_SIZE], other[2 * STORE_DIR_SIZE];

	store_dir(folder, name);
	snprintf(other, sizeof(other), ".%s%s", to, folder + strlen(from));
	return back ? renameat(s->root, other, s->root, name) :
	    renameat(s->root, name, s->root, other);
}

static bool
is_meant(const struct store_folder *f, const char *from)
{
	return f->exists && f->name[0] != '\0' &&
	    (strcmp(f->name, from) == 0 || store_is_below(f->name, from));
}

/* Can each of them be called as it is to be? Nor may there be one of the new name if only others below the old one are (RFC 9051 6.3.6). */
static int
check_rename(struct store *s, const struct store_folder *f, size_t n,
    const char *from, const char *to)
{
	char	name[2 * MAILDIR_FOLDER_MAX + 2];
	size_t	i, meant = 0;

	for (i = 0; i < n; i++) {
		if (!is_meant(&f[i], from))
			continue;
		meant++;
		snprintf(name, sizeof(name), "%s%s", to,
		    f[i].name + strlen(from));
		if (strlen(name) > MAILDIR_FOLDER_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		if (store_exists(s, name)) {
			errno = EEXIST;
			return -1;
		}
	}
	if (meant > 0 && !store_exists(s, to))
		return 0;
	errno = meant > 0 ? EEXIST : ENOENT;
	return -1;
}

static int
rename_all(struct store *s, const struct store_folder *f, size_t n,
    const char *from, const char *to)
{
	size_t	i;
	int	saved;

	for (i = 0; i < n; i++)
		if (is_meant(&f[i], from) &&
		    rename_one(s, f[i].name, from, to, false) == -1)
			break;
	if (i == n)
		return fsync(s->root);
	saved = errno;
	while (i-- > 0)
		if (is_meant(&f[i], from) &&
		    rename_one(s, f[i].name, from, to, true) == -1)
			continue;	/* it keeps its new name */
	errno = saved == ENOTEMPTY || saved == ENOTDIR ? EEXIST : saved;
	return -1;
}

static int
move_file(void *arg, int dir, const char *name)
{
	const int	*to = arg;

	if (name[0] == '.' || renameat(dir, name, *to, name) == 0 ||
	    errno == ENOENT || errno == EISDIR)
		return 0;
	return -1;
}

static int
move_part(int from, int to, const char *part)
{
	int	source, target, r = -1;

	source = fdio_opendir(from, part);
	target = fdio_opendir(to, part);
	if (source != -1 && target != -1 &&
	    fdio_each(source, ".", move_file, &target) == 0 && fsync(target) == 0)
		r = fsync(source);
	fdio_close(&source);
	fdio_close(&target);
	return r;
}

/* The letters of keywords mean the same there. */
static int
copy_keywords(int from, int to)
{
	struct buf	text;
	int		fd = -1, r;

	buf_init(&text, STORE_FILE_MAX);
	r = inside_slurp(from, "dovecot-keywords", &text);
	if (r == 0) {
		fd = openat(to, "dovecot-keywords", O_WRONLY | O_CREAT |
		    O_EXCL | O_CLOEXEC, 0600);
		r = fd != -1 && fdio_write(fd, text.p, text.n) == 0 ?
		    fsync(fd) : -1;
		fdio_close(&fd);
	} else if (errno == ENOENT)
		r = 0;
	buf_free(&text);
	return r;
}

static int
move_inbox(struct store *s, const char *to)
{
	char	name[STORE_DIR_SIZE];
	int	dir, r = -1;

	if (store_create(s, to, '\0') == -1)
		return -1;
	store_dir(to, name);
	if ((dir = fdio_opendir(s->root, name)) == -1)
		return -1;
	if (copy_keywords(s->root, dir) == 0 &&
	    move_part(s->root, dir, "cur") == 0)
		r = move_part(s->root, dir, "new");
	fdio_close(&dir);
	return r;
}

int
store_rename(struct store *s, const char *from, const char *to, int *left)
{
	const struct store_folder	*f;
	size_t				 n;
	int				 r;

	*left = 0;
	if (!store_name_ok(from) || !maildir_folder_ok(to) ||
	    strcasecmp(to, "INBOX") == 0 || store_is_below(to, from)) {
		errno = strlen(to) > MAILDIR_FOLDER_MAX ? ENAMETOOLONG :
		    strcasecmp(to, "INBOX") == 0 ? EEXIST : EINVAL;
		return -1;
	}
	if (from[0] == '\0')
		return move_inbox(s, to);
	store_forget(s);
	if (store_list(s, &f, &n) == -1 ||
	    check_rename(s, f, n, from, to) == -1)
		return -1;
	r = rename_all(s, f, n, from, to);
	store_forget(s);
	if (r == 0)
		*left = carry_uses(s, from, to, true);
	return r;
}
