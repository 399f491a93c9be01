/*
 * common/store/spool.c - the queue's side of the spool: opening, moving and
 * removing messages. Runs as ph-queue; the files in incoming and drop were
 * written by programs that may have been taken over, so that nothing but a
 * regular file is ever opened and no link is followed.
 */
#include "common/store/spool.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/store/spool_impl.h"


static int
open_place(int root, const char *path, int *out, struct diag *why)
{
	if ((*out = fdio_opendir(root, path)) == -1)
		return diag_errno(why, "spool %s", path);
	return 0;
}

int
spool_open(struct spool *s, int dirfd, enum durable_how how,
    struct diag *why)
{
	*s = (struct spool){ -1, -1, -1, -1, -1, -1, -1, -1, how };
	if (open_place(dirfd, ".", &s->root, why) == -1 ||
	    open_place(s->root, "incoming/new", &s->incoming, why) == -1 ||
	    open_place(s->root, "drop/new", &s->drop, why) == -1 ||
	    open_place(s->root, "queue", &s->queue, why) == -1 ||
	    open_place(s->root, "status", &s->status, why) == -1 ||
	    open_place(s->root, "tmp", &s->tmp, why) == -1 ||
	    open_place(s->root, "hold", &s->hold, why) == -1 ||
	    open_place(s->root, "corrupt", &s->corrupt, why) == -1) {
		spool_close(s);
		return -1;
	}
	return 0;
}

void
spool_close(struct spool *s)
{
	fdio_close(&s->root);
	fdio_close(&s->incoming);
	fdio_close(&s->drop);
	fdio_close(&s->queue);
	fdio_close(&s->status);
	fdio_close(&s->tmp);
	fdio_close(&s->hold);
	fdio_close(&s->corrupt);
}

int
spool_place_dir(const struct spool *s, enum spool_place place)
{
	switch (place) {
	case SPOOL_INCOMING:
		return s->incoming;
	case SPOOL_DROP:
		return s->drop;
	case SPOOL_QUEUE:
		return s->queue;
	case SPOOL_HOLD:
		return s->hold;
	case SPOOL_CORRUPT:
		return s->corrupt;
	}
	errno = EINVAL;
	return -1;
}

void
spool_sharded(struct id id, char out[NAME_SIZE])
{
	id_shard(id, out);
	out[SHARD_LEN] = '/';
	id_format(id, out + SHARD_LEN + 1);
}

static void
spool_place_name(enum spool_place place, struct id id, char out[NAME_SIZE])
{
	if (place == SPOOL_QUEUE)
		spool_sharded(id, out);
	else
		id_format(id, out);
}

/* The shard of a name; with a journal it cannot be lost alone. */
int
spool_make_shard(const struct spool *s, int dir, const char *name)
{
	char	shard[SHARD_LEN + 1];

	memcpy(shard, name, SHARD_LEN);
	shard[SHARD_LEN] = '\0';
	if (mkdirat(dir, shard, 0700) == -1 && errno != EEXIST)
		return -1;
	return s->how == DURABLE_ORDERED ? 0 : fsync(dir);
}

/*
 * With the time of its next attempt in a file, the file system would write down
 * each look at it. EPERM: it is not ours.
 */
int
spool_open_quietly(int dir, const char *name, int flags)
{
	int	fd;

	fd = openat(dir, name, flags | O_NOATIME);
	if (fd == -1 && errno == EPERM)
		fd = openat(dir, name, flags);
	return fd;
}

static int
open_message(const struct spool *s, enum spool_place place, struct id id,
    bool write)
{
	char	name[NAME_SIZE];
	int	dir = spool_place_dir(s, place),
		flags = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

	spool_place_name(place, id, name);
	if (write)
		return openat(dir, name, flags | O_RDWR);
	if (place != SPOOL_QUEUE)
		return openat(dir, name, flags | O_RDONLY);
	return spool_open_quietly(dir, name, flags | O_RDONLY);
}

int
spool_file(const struct spool *s, enum spool_place place, struct id id,
    bool write)
{
	struct stat	st;
	int		fd;

	fd = open_message(s, place, id, write);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1)
		fdio_close(&fd);
	else if (!S_ISREG(st.st_mode)) {
		fdio_close(&fd);
		errno = EBADMSG;
	}
	return fd;
}

int
spool_envelope(const struct spool *s, enum spool_place place, struct id id,
    struct envelope *env, struct diag *why)
{
	int	fd, r;

	if ((fd = open_message(s, place, id, false)) == -1)
		return diag_errno(why, "open");
	r = envelope_load(fd, env, why);
	fdio_close(&fd);
	return r;
}

/* Never over a message that is there: its name may have been chosen to hit it. */
static int
rename_new(int from, const char *old, int to, const char *new)
{
	if (renameat2(from, old, to, new, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	/* a file system that cannot; only queue makes names here */
	if (faccessat(to, new, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(from, old, to, new);
}

int
spool_rename(const struct spool *s, int from, const char *old, int to,
    const char *new, bool sharded, bool replace)
{
	int	tries = sharded ? 2 : 1, r = -1;

	while (tries-- > 0) {
		r = replace ? renameat(from, old, to, new) :
		    rename_new(from, old, to, new);
		if (r == 0 || errno != ENOENT || tries == 0 ||
		    spool_make_shard(s, to, new) == -1)
			break;
	}
	return r;
}

/* Only where a directory has to be told itself: the one that holds the name. */
int
spool_flush_names(const struct spool *s, int dir, const char *name)
{
	char	shard[SHARD_LEN + 1];
	int	fd, r;

	if (!durable_moves_need_flush(s->how))
		return 0;
	if (strchr(name, '/') == NULL)
		return fsync(dir);
	memcpy(shard, name, SHARD_LEN);
	shard[SHARD_LEN] = '\0';
	if ((fd = fdio_opendir(dir, shard)) == -1)
		return -1;
	r = fsync(fd);
	fdio_close(&fd);
	return r;
}

static bool
same_file(int from, const char *old, int to, const char *new)
{
	struct stat	a, b;

	return fstatat(from, old, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fstatat(to, new, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int
link_in(const struct spool *s, int from, const char *old, int to,
    const char *new, bool sharded)
{
	if (linkat(from, old, to, new, 0) == 0)
		return 0;
	if (errno != ENOENT || !sharded || spool_make_shard(s, to, new) == -1)
		return -1;
	return linkat(from, old, to, new, 0);
}

/*
 * Without a journal a rename may be lost by half, the half that made the new
 * name; and whoever wrote the file may just now flush the directory of the
 * old one and give his promise. So the new name is safe before the old one
 * goes. A file that has both was being moved when the power failed; it is
 * known by its new one.
 */
static int
move_strictly(const struct spool *s, int from, const char *old, int to,
    const char *new, bool sharded)
{
	int	saved;

	if (link_in(s, from, old, to, new, sharded) == -1) {
		if (errno == EEXIST && same_file(from, old, to, new) &&
		    unlinkat(from, old, 0) == 0)
			errno = ENOENT;
		return -1;
	}
	if (spool_flush_names(s, to, new) == 0 && unlinkat(from, old, 0) == 0)
		return 0;
	saved = errno;
	unlinkat(to, new, 0);
	errno = saved;
	return -1;
}

int
spool_move(const struct spool *s, struct id id, enum spool_place from,
    enum spool_place to)
{
	char	old[NAME_SIZE], new[NAME_SIZE];
	int	fromdir = spool_place_dir(s, from), todir = spool_place_dir(s, to);
	bool	sharded = to == SPOOL_QUEUE;

	spool_place_name(from, id, old);
	spool_place_name(to, id, new);
	if (durable_moves_need_flush(s->how)) {
		if (move_strictly(s, fromdir, old, todir, new, sharded) == 0)
			return 0;
		/* what is no message, or not ours to link; no links here */
		if (errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK)
			return -1;
	}
	if (spool_rename(s, fromdir, old, todir, new, sharded, false) == -1)
		return -1;
	/* It has moved, flushed or not: the caller must go on with it. */
	if (spool_flush_names(s, todir, new) == -1)
		errno = 0;
	return 0;
}

static int
remove_name(int dir, const char *name)
{
	return unlinkat(dir, name, 0) == -1 && errno != ENOENT ? -1 : 0;
}

bool
spool_has(const struct spool *s, enum spool_place place, struct id id)
{
	char	name[NAME_SIZE];

	spool_place_name(place, id, name);
	return faccessat(spool_place_dir(s, place), name, F_OK,
	    AT_SYMLINK_NOFOLLOW) == 0;
}

bool
spool_is_also(const struct spool *s, enum spool_place place, struct id id,
    int fd)
{
	struct stat	a, b;
	char		name[NAME_SIZE];

	/* most have one name, and cost no more than this */
	if (fstat(fd, &a) == -1 || a.st_nlink < 2)
		return false;
	spool_place_name(place, id, name);
	return fstatat(spool_place_dir(s, place), name, &b,
	    AT_SYMLINK_NOFOLLOW) == 0 && a.st_dev == b.st_dev &&
	    a.st_ino == b.st_ino;
}

bool
spool_is_users(const struct spool *s, const struct envelope *env)
{
	struct stat	st;

	return env->owner != geteuid() && (fstat(s->incoming, &st) == -1 ||
	    env->owner != st.st_uid);
}

int
spool_forget(const struct spool *s, enum spool_place place, struct id id)
{
	char	name[NAME_SIZE];

	spool_place_name(place, id, name);
	return remove_name(spool_place_dir(s, place), name);
}

int
spool_remove(const struct spool *s, enum spool_place place, struct id id)
{
	char	name[NAME_SIZE];

	if (spool_forget(s, place, id) == -1)
		return -1;
	spool_sharded(id, name);
	return remove_name(s->status, name);
}

int
spool_set_due(int fd, int64_t due_ms)
{
	struct timespec	ts[2];

	ts[0].tv_sec = 0;
	ts[0].tv_nsec = UTIME_OMIT;
	ts[1].tv_sec = due_ms / 1000;
	ts[1].tv_nsec = (long)(due_ms % 1000) * 1000000L;
	return futimens(fd, ts);
}
