/*
 * common/store/spool_scan.c - what lies in a place of the spool, and what was
 * left in tmp. Names that are no id are other people's: they are told of.
 */
#include "common/store/spool_impl.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"

static int
report(const struct scan *scan, int dir, const char *name)
{
	struct stat	st;
	struct id	id;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
		if (errno == ENOENT)
			return 0;	/* it has just gone on */
		/* One that cannot be looked at must not hide the others. */
		return scan->fn(scan->arg, NULL, name, 0);
	}
	return scan->fn(scan->arg, S_ISREG(st.st_mode) &&
	    id_parse(str_from(name), &id) ? &id : NULL, name,
	    (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000);
}

static int
tell_name(const struct scan *scan, int dir, const char *name)
{
	struct id	id;

	(void)dir;
	if (!id_parse(str_from(name), &id))
		return 0;
	return scan->fn(scan->arg, &id, name, 0);
}

struct visit {
	int			(*one)(const struct scan *, int, const char *);
	const struct scan	*scan;
};

static int
visit(void *arg, int dir, const char *name)
{
	const struct visit	*v = arg;

	return v->one(v->scan, dir, name);
}

int
spool_each_name(int dirfd, int (*one)(const struct scan *, int, const char *),
    const struct scan *scan)
{
	struct visit	v = { one, scan };

	return fdio_each(dirfd, ".", visit, &v);
}

static int
scan_shard(const struct scan *scan, int dir, const char *name)
{
	int	fd, r;

	if (strlen(name) != SHARD_LEN ||
	    (fd = fdio_opendir(dir, name)) == -1)
		return scan->one(scan, dir, name);
	r = spool_each_name(fd, scan->one, scan);
	fdio_close(&fd);
	return r;
}

static int
scan_place(const struct spool *s, enum spool_place place,
    const struct scan *scan)
{
	return spool_each_name(spool_place_dir(s, place),
	    place == SPOOL_QUEUE ? scan_shard : scan->one, scan);
}

int
spool_scan(const struct spool *s, enum spool_place place,
    int (*fn)(void *, const struct id *, const char *, int64_t), void *arg)
{
	const struct scan	scan = { fn, arg, report };

	return scan_place(s, place, &scan);
}

int
spool_names(const struct spool *s, enum spool_place place,
    int (*fn)(void *, const struct id *, const char *, int64_t), void *arg)
{
	const struct scan	scan = { fn, arg, tell_name };

	return scan_place(s, place, &scan);
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
	spool_sharded(id, path);
	if (is_whole(fd, name) && spool_rename(s, dir, name, s->queue, path, true,
	    false) == 0 && fsync(fd) == 0)
		r->n++;
	fdio_close(&fd);
	return 0;
}

int
spool_recover(const struct spool *s)
{
	struct recovery		r = { s, 0 };
	const struct scan	scan = { .arg = &r };

	if (s->how != DURABLE_FILE)
		return 0;
	return spool_each_name(s->tmp, recover_one, &scan) == -1 ? -1 : r.n;
}

struct clean {
	int64_t	before;
	int	removed;
	bool	below;
};

static int	clean_one(const struct scan *, int, const char *);

/* One of tmp/X; there are none below it. */
static int
clean_below(struct clean *c, int dir, const char *name)
{
	const struct scan	scan = { .arg = c };
	int			fd, r;

	if (c->below || (fd = fdio_opendir(dir, name)) == -1)
		return 0;
	c->below = true;
	r = spool_each_name(fd, clean_one, &scan);
	c->below = false;
	fdio_close(&fd);
	return r;
}

static int
clean_one(const struct scan *scan, int dir, const char *name)
{
	struct clean	*c = scan->arg;
	struct stat	 st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return 0;
	if (S_ISDIR(st.st_mode) && name[1] == '\0')
		return clean_below(c, dir, name);
	if (S_ISREG(st.st_mode) &&
	    (int64_t)st.st_mtim.tv_sec * 1000 < c->before &&
	    unlinkat(dir, name, 0) == 0)
		c->removed++;
	return 0;
}

int
spool_clean_tmp(int tmpdir, int64_t now_real_ms, int64_t max_age_ms)
{
	struct clean		c = { now_real_ms - max_age_ms, 0, false };
	const struct scan	scan = { .arg = &c };

	return spool_each_name(tmpdir, clean_one, &scan) == -1 ? -1 : c.removed;
}
