/*
 * common/store/spool.c - the queue's side of the spool: finding, moving and
 * removing messages. Runs as ph-queue; the files in incoming and drop were
 * written by programs that may have been taken over, so that nothing but a
 * regular file is ever opened and no link is followed.
 */
#include "common/store/spool.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"

#define COPY_SIZE	65536u
#define NAME_SIZE	(SHARD_LEN + 1 + ID_SIZE)	/* "XX/ID" */
#define STATUS_MAX	(1u << 20)	/* a message that says more has said enough */

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

static int
place_dir(const struct spool *s, enum spool_place place)
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

static void
sharded_name(struct id id, char out[NAME_SIZE])
{
	id_shard(id, out);
	out[SHARD_LEN] = '/';
	id_format(id, out + SHARD_LEN + 1);
}

static void
place_name(enum spool_place place, struct id id, char out[NAME_SIZE])
{
	if (place == SPOOL_QUEUE)
		sharded_name(id, out);
	else
		id_format(id, out);
}

/* The shard of a name; with a journal it cannot be lost alone. */
static int
make_shard(const struct spool *s, int dir, const char *name)
{
	char	shard[SHARD_LEN + 1];

	memcpy(shard, name, SHARD_LEN);
	shard[SHARD_LEN] = '\0';
	if (mkdirat(dir, shard, 0700) == -1 && errno != EEXIST)
		return -1;
	return s->how == DURABLE_ORDERED ? 0 : fsync(dir);
}

int
spool_file(const struct spool *s, enum spool_place place, struct id id,
    bool write)
{
	struct stat	st;
	char		name[NAME_SIZE];
	int		fd;

	place_name(place, id, name);
	fd = openat(place_dir(s, place), name, (write ? O_RDWR : O_RDONLY) |
	    O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
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

static int
rename_in(const struct spool *s, int from, const char *old, int to,
    const char *new, bool sharded, bool replace)
{
	int	tries = sharded ? 2 : 1, r = -1;

	while (tries-- > 0) {
		r = replace ? renameat(from, old, to, new) :
		    rename_new(from, old, to, new);
		if (r == 0 || errno != ENOENT || tries == 0 ||
		    make_shard(s, to, new) == -1)
			break;
	}
	return r;
}

/* Only where a directory has to be told itself: the one that holds the name. */
static int
flush_names(const struct spool *s, int dir, const char *name)
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
	if (errno != ENOENT || !sharded || make_shard(s, to, new) == -1)
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
	if (flush_names(s, to, new) == 0 && unlinkat(from, old, 0) == 0)
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
	int	fromdir = place_dir(s, from), todir = place_dir(s, to);
	bool	sharded = to == SPOOL_QUEUE;

	place_name(from, id, old);
	place_name(to, id, new);
	if (durable_moves_need_flush(s->how)) {
		if (move_strictly(s, fromdir, old, todir, new, sharded) == 0)
			return 0;
		/* what is no message, or not ours to link; no links here */
		if (errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK)
			return -1;
	}
	if (rename_in(s, fromdir, old, todir, new, sharded, false) == -1)
		return -1;
	/* It has moved, flushed or not: the caller must go on with it. */
	if (flush_names(s, todir, new) == -1)
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

	place_name(place, id, name);
	return faccessat(place_dir(s, place), name, F_OK,
	    AT_SYMLINK_NOFOLLOW) == 0;
}

int
spool_forget(const struct spool *s, enum spool_place place, struct id id)
{
	char	name[NAME_SIZE];

	place_name(place, id, name);
	return remove_name(place_dir(s, place), name);
}

int
spool_remove(const struct spool *s, enum spool_place place, struct id id)
{
	char	name[NAME_SIZE];

	if (spool_forget(s, place, id) == -1)
		return -1;
	sharded_name(id, name);
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

struct scan {
	int	(*fn)(void *, const struct id *, const char *, int64_t);
	void	*arg;
};

static int
report(const struct scan *scan, int dir, const char *name)
{
	struct stat	st;
	struct id	id;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;	/* it has just gone on */
	return scan->fn(scan->arg, S_ISREG(st.st_mode) &&
	    id_parse(str_from(name), &id) ? &id : NULL, name,
	    (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000);
}

/* Calls one(ctx, dir, name) for each name but . and .. */
static int
each_name(int dirfd, int (*one)(const struct scan *, int, const char *),
    const struct scan *scan)
{
	struct dirent	*e;
	DIR		*d;
	int		 fd, r = 0;

	if ((fd = fdio_opendir(dirfd, ".")) == -1)
		return -1;
	if ((d = fdopendir(fd)) == NULL) {
		fdio_close(&fd);
		return -1;
	}
	for (;;) {
		errno = 0;
		if ((e = readdir(d)) == NULL) {
			r = errno != 0 ? -1 : 0;
			break;
		}
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0)
			continue;
		if ((r = one(scan, fd, e->d_name)) != 0)
			break;
	}
	closedir(d);
	return r;
}

static int
scan_shard(const struct scan *scan, int dir, const char *name)
{
	int	fd, r;

	if (strlen(name) != SHARD_LEN ||
	    (fd = fdio_opendir(dir, name)) == -1)
		return report(scan, dir, name);
	r = each_name(fd, report, scan);
	fdio_close(&fd);
	return r;
}

int
spool_scan(const struct spool *s, enum spool_place place,
    int (*fn)(void *, const struct id *, const char *, int64_t), void *arg)
{
	const struct scan	scan = { fn, arg };

	return each_name(place_dir(s, place),
	    place == SPOOL_QUEUE ? scan_shard : report, &scan);
}

static int
copy(int to, int from, off_t at, off_t len)
{
	char	mem[COPY_SIZE];
	ssize_t	n;

	while (len > 0) {
		n = fdio_pread(from, mem, len < (off_t)sizeof(mem) ?
		    (size_t)len : sizeof(mem), at);
		if (n == 0)
			errno = EBADMSG;	/* shorter than its trailer said */
		if (n <= 0 || fdio_write(to, mem, (size_t)n) == -1)
			return -1;
		at += n;
		len -= n;
	}
	return 0;
}

static int
write_whole(int fd, struct envelope *env, struct str prefix, int from,
    off_t at, off_t len)
{
	char		trailer[TRAILER_SIZE + 1];
	struct buf	head;
	int		r, saved;

	buf_init(&head, ENVELOPE_MAX);
	/* Lines put in front of a header change no digest: those are of the body. */
	trailer_format(trailer, (off_t)prefix.n + len, env->simple,
	    env->relaxed);
	r = envelope_encode(&head, env);
	if (r == 0)
		r = fdio_write(fd, head.p, head.n);
	if (r == 0)
		r = fdio_write(fd, prefix.p, prefix.n);
	if (r == 0)
		r = copy(fd, from, at, len);
	if (r == 0)
		r = fdio_write(fd, trailer, TRAILER_SIZE);
	saved = errno;
	buf_free(&head);
	errno = saved;
	return r;
}

int
spool_rewrite(const struct spool *s, struct envelope *env, struct str prefix,
    int content_fd, off_t at, off_t len)
{
	char		name[NAME_SIZE];
	struct id	id;
	bool		strict = durable_moves_need_flush(s->how);
	int		fd, r, saved;

	if (!id_parse(str_from(env->id), &id)) {
		errno = EINVAL;
		return -1;
	}
	sharded_name(id, name);
	if (unlinkat(s->tmp, env->id, 0) == -1 && errno != ENOENT)
		return -1;
	fd = openat(s->tmp, env->id, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd == -1)
		return -1;
	if (write_whole(fd, env, prefix, content_fd, at, len) == -1 ||
	    durable_replacement(s->how, fd) == -1 ||
	    rename_in(s, s->tmp, env->id, s->queue, name, true, true) == -1) {
		saved = errno;
		unlinkat(s->tmp, env->id, 0);
		fdio_close(&fd);
		errno = saved;
		return -1;
	}
	r = strict ? flush_names(s, s->queue, name) :
	    durable_replaced(s->how, s->queue, fd);
	saved = errno;
	fdio_close(&fd);
	errno = saved;
	return r;
}

struct recovery {
	const struct spool	*spool;
	int			 n;
};

static bool
is_whole(int fd, const char *name)
{
	struct envelope	env;
	struct diag	why;
	bool		ok;

	if (envelope_load(fd, &env, &why) == -1)
		return false;
	ok = strcmp(env.id, name) == 0 && env.owner == geteuid() &&
	    envelope_verify(fd, &env, &why) == 0;
	envelope_free(&env);
	return ok;
}

static bool
is_known(const struct spool *s, struct id id)
{
	int	fd;

	if ((fd = spool_file(s, SPOOL_QUEUE, id, false)) == -1 &&
	    errno == ENOENT)
		fd = spool_file(s, SPOOL_HOLD, id, false);
	if (fd == -1 && errno == ENOENT)
		fd = spool_file(s, SPOOL_INCOMING, id, false);
	if (fd == -1)
		return errno != ENOENT;
	fdio_close(&fd);
	return true;
}

static int
recover_one(const struct scan *scan, int dir, const char *name)
{
	struct recovery		*r = scan->arg;
	const struct spool	*s = r->spool;
	struct id		 id;
	char			 path[NAME_SIZE];
	int			 fd;

	if (!id_parse(str_from(name), &id))
		return 0;
	if (is_known(s, id)) {
		unlinkat(dir, name, 0);
		return 0;
	}
	fd = openat(dir, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return 0;
	sharded_name(id, path);
	if (is_whole(fd, name) && rename_in(s, dir, name, s->queue, path, true,
	    false) == 0 && fsync(fd) == 0)
		r->n++;
	fdio_close(&fd);
	return 0;
}

int
spool_recover(const struct spool *s)
{
	struct recovery		r = { s, 0 };
	const struct scan	scan = { NULL, &r };

	if (s->how != DURABLE_FILE)
		return 0;
	return each_name(s->tmp, recover_one, &scan) == -1 ? -1 : r.n;
}

int
spool_in_queue(const struct spool *s, struct id id, struct spool_in *in)
{
	char	name[NAME_SIZE], shard[SHARD_LEN + 1];

	sharded_name(id, name);
	id_shard(id, shard);
	*in = (struct spool_in){ -1, -1, s->how };
	if (make_shard(s, s->queue, name) == -1 ||
	    (in->tmp = fdio_opendir(s->tmp, ".")) == -1 ||
	    (in->new = fdio_opendir(s->queue, shard)) == -1) {
		spool_in_close(in);
		return -1;
	}
	return 0;
}

int
spool_status_add(const struct spool *s, struct id id, struct str line)
{
	char	name[NAME_SIZE], text[1024];
	size_t	n, i;
	int	fd, r, flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC |
		    O_NOFOLLOW;

	n = line.n < sizeof(text) - 1 ? line.n : sizeof(text) - 1;
	/* one line whatever is in it: other hosts and users have their say */
	for (i = 0; i < n; i++)
		text[i] = (unsigned char)line.p[i] < ' ' || line.p[i] == 127 ?
		    '?' : line.p[i];
	text[n] = '\n';
	sharded_name(id, name);
	if ((fd = openat(s->status, name, flags, 0600)) == -1 &&
	    errno == ENOENT && make_shard(s, s->status, name) == 0)
		fd = openat(s->status, name, flags, 0600);
	if (fd == -1)
		return -1;
	r = lseek(fd, 0, SEEK_END) < (off_t)STATUS_MAX ?
	    fdio_write(fd, text, n + 1) : 0;
	fdio_close(&fd);
	return r;
}

int
spool_status_read(const struct spool *s, struct id id, struct buf *out)
{
	char	name[NAME_SIZE];

	sharded_name(id, name);
	if (fdio_slurp_at(s->status, name, out) == 0 || errno == ENOENT)
		return 0;
	return -1;
}

struct clean {
	int64_t	before;
	int	removed;
};

static int
clean_one(const struct scan *scan, int dir, const char *name)
{
	struct clean	*c = scan->arg;
	struct stat	 st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return 0;
	if (S_ISREG(st.st_mode) &&
	    (int64_t)st.st_mtim.tv_sec * 1000 < c->before &&
	    unlinkat(dir, name, 0) == 0)
		c->removed++;
	return 0;
}

int
spool_clean_tmp(int tmpdir, int64_t now_real_ms, int64_t max_age_ms)
{
	struct clean		c = { now_real_ms - max_age_ms, 0 };
	const struct scan	scan = { NULL, &c };

	return each_name(tmpdir, clean_one, &scan) == -1 ? -1 : c.removed;
}
