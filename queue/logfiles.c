/*
 * queue/logfiles.c - finds and reads the log and what was rotated away. Runs
 * as whoever calls; the lines hold what strangers said.
 */
#include "queue/logfiles.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "common/base/fdio.h"

#define LINE_MAX_READ	16384		/* longer ones come in pieces, none of which is ours */
#define FILES_MAX	10000u
#define BEGIN_SIZE	4096u		/* of a log, which tells it from others */
#define READ_BUFFER	(256u << 10)

static bool
ends_with(const char *name, const char *end)
{
	size_t	n = strlen(name), m = strlen(end);

	return n > m && strcmp(name + n - m, end) == 0;
}

static bool
is_gzip(const char *name)
{
	return ends_with(name, ".gz");
}

static bool
is_packed_otherwise(const char *name)
{
	return ends_with(name, ".xz") || ends_with(name, ".bz2") ||
	    ends_with(name, ".zst") || ends_with(name, ".Z") ||
	    ends_with(name, ".lz4");
}

static int
add(struct logfiles *l, const char *dir, const char *name,
    const struct stat *st)
{
	struct logfile	*more;
	struct buf	 path;
	const char	*text;

	more = reallocarray(l->files, l->n + 1, sizeof(*more));
	if (more == NULL)
		return -1;
	l->files = more;
	buf_init(&path, 8192);
	buf_addf(&path, "%s/%s", dir, name);
	more += l->n;
	*more = (struct logfile){ .mtime_ms = (int64_t)st->st_mtim.tv_sec *
	    1000 + st->st_mtim.tv_nsec / 1000000, .dev = st->st_dev,
	    .ino = st->st_ino };
	if (is_packed_otherwise(name))
		more->error = EOPNOTSUPP;
	text = buf_cstr(&path);
	more->path = text == NULL ? NULL : strdup(text);
	buf_free(&path);
	if (more->path == NULL)
		return -1;
	l->n++;
	return 0;
}

static bool
is_of(const char *name, const char *base)
{
	size_t	n = strlen(base);

	return strncmp(name, base, n) == 0 && (name[n] == '\0' ||
	    ((name[n] == '.' || name[n] == '-') && name[n + 1] != '\0'));
}

/* Its first bytes, unpacked; number, -1: they cannot be read. An unfinished one has those that are there. */
static int
begin_of(const struct logfile *f, char *mem, unsigned size)
{
	gzFile	gz;
	int	n;

	if ((gz = gzopen(f->path, "rbe")) == NULL)
		return -1;
	n = gzread(gz, mem, size);
	if (n == -1 && !gzdirect(gz))
		n = 0;
	gzclose(gz);
	return n;
}

/*
 * While gzip works, both are there, and the packed one is not whole. But a
 * packed one may be left from earlier, of another log.
 */
static bool
is_copy(const struct logfile *packed, const struct logfile *of)
{
	char	a[BEGIN_SIZE], b[BEGIN_SIZE];
	int	n, m;

	if (packed->error == EOPNOTSUPP)
		return packed->mtime_ms >= of->mtime_ms;
	n = begin_of(packed, a, sizeof(a));
	m = begin_of(of, b, sizeof(b));
	return n >= 0 && n <= m && memcmp(a, b, (size_t)n) == 0;
}

static int
by_path(const void *x, const void *y)
{
	const struct logfile	*a = x, *b = y;

	return strcmp(a->path, b->path);
}

static void
mark_copies(struct logfiles *l)
{
	struct logfile	*f, *of, key;

	qsort(l->files, l->n, sizeof(*l->files), by_path);
	for (f = l->files; f < l->files + l->n; f++) {
		if (!is_gzip(f->path) && !is_packed_otherwise(f->path))
			continue;
		key.path = strndup(f->path, (size_t)(strrchr(f->path, '.') -
		    f->path));
		if (key.path == NULL)
			continue;
		of = bsearch(&key, l->files, l->n, sizeof(*l->files), by_path);
		f->copy = of != NULL && is_copy(f, of);
		free(key.path);
	}
}

static int
by_time(const void *x, const void *y)
{
	const struct logfile	*a = x, *b = y;

	return (a->mtime_ms > b->mtime_ms) - (a->mtime_ms < b->mtime_ms);
}

static int
find_in(struct logfiles *l, DIR *d, const char *dir, const char *base)
{
	struct dirent	*e;
	struct stat	 st;

	for (;;) {
		errno = 0;
		if ((e = readdir(d)) == NULL)
			return errno == 0 ? 0 : -1;
		if (!is_of(e->d_name, base) || fstatat(dirfd(d), e->d_name,
		    &st, 0) == -1 || !S_ISREG(st.st_mode))
			continue;
		if (l->n == FILES_MAX) {
			errno = EMFILE;
			return -1;
		}
		if (add(l, dir, e->d_name, &st) == -1)
			return -1;
	}
}

int
logfiles_find(struct logfiles *l, const char *path)
{
	const char	*slash = strrchr(path, '/');
	char		*dir;
	DIR		*d;
	int		 r, saved;

	*l = (struct logfiles){ .n = 0 };
	if (slash == NULL)
		dir = strdup(".");
	else
		dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (dir == NULL)
		return -1;
	r = (d = opendir(dir)) == NULL ? -1 :
	    find_in(l, d, dir, slash == NULL ? path : slash + 1);
	saved = errno;
	if (d != NULL)
		closedir(d);
	free(dir);
	if (r == -1)
		logfiles_free(l);
	else if (l->n > 0) {
		mark_copies(l);
		qsort(l->files, l->n, sizeof(*l->files), by_time);
	}
	errno = saved;
	return r;
}

struct reading {
	struct logfiles	*l;
	int64_t		 from_ms;
	bool		(*fn)(void *, const struct logline *, struct str);
	void		*arg;
};

static bool
lines_of(gzFile gz, const struct reading *r)
{
	struct logline	l;
	struct str	s;
	char		line[LINE_MAX_READ];

	while (gzgets(gz, line, sizeof(line)) != NULL) {
		s = str_from(line);
		if (s.n == 0 || s.p[s.n - 1] != '\n')
			continue;
		s.n--;
		if (!logline_parse(s, &l))
			continue;
		if (l.at_ms < r->from_ms)
			r->l->older = true;
		else if (!r->fn(r->arg, &l, s))
			return false;
	}
	return true;
}

/* It may have been packed, or have got another name, since it was found. */
static int
open_found(const struct logfile *f)
{
	struct stat	st;
	char		path[8192];
	int		fd, flags = O_RDONLY | O_CLOEXEC | O_NOCTTY |
			    O_NONBLOCK;

	fd = open(f->path, flags);
	if (fd == -1 && errno == ENOENT && !is_gzip(f->path) &&
	    (size_t)snprintf(path, sizeof(path), "%s.gz", f->path) <
	    sizeof(path) && (fd = open(path, flags)) != -1)
		return fd;
	if (fd == -1) {
		if (errno == ENOENT)
			errno = ESTALE;
	} else if (fstat(fd, &st) == -1)
		fdio_close(&fd);
	else if (st.st_ino != f->ino || st.st_dev != f->dev) {
		fdio_close(&fd);
		errno = ESTALE;
	}
	return fd;
}

/* zlib reads what is not packed as it is. */
static bool
read_one(struct logfile *f, const struct reading *r)
{
	gzFile	gz;
	bool	go_on;
	int	fd, bad;

	fd = open_found(f);
	if (fd == -1 || (gz = gzdopen(fd, "rb")) == NULL) {
		f->error = errno;
		fdio_close(&fd);
		return true;
	}
	(void)gzbuffer(gz, READ_BUFFER);
	go_on = lines_of(gz, r);
	(void)gzerror(gz, &bad);
	if (bad != Z_OK && bad != Z_STREAM_END)
		f->error = bad == Z_ERRNO ? errno : EBADMSG;
	gzclose(gz);
	return go_on;
}

bool
logfiles_each(struct logfiles *l, int64_t from_ms,
    bool (*fn)(void *, const struct logline *, struct str), void *arg)
{
	const struct reading	r = { l, from_ms, fn, arg };
	struct logfile		*f;

	for (f = l->files; f < l->files + l->n; f++) {
		f->skipped = f->copy || f->mtime_ms < from_ms;
		l->older = l->older || (f->skipped && !f->copy);
		if (!f->skipped && f->error != EOPNOTSUPP && !read_one(f, &r))
			return false;
	}
	return true;
}

bool
logfiles_moved(const struct logfiles *l)
{
	size_t	i;

	for (i = 0; i < l->n; i++)
		if (l->files[i].error == ESTALE)
			return true;
	return false;
}

const char *
logfile_error(const struct logfile *f)
{
	if (f->error == EOPNOTSUPP)
		return "packed in a way that is not read here";
	if (f->error == ESTALE)
		return "was rotated just now";
	return strerror(f->error);
}

bool
logfiles_ok(const struct logfiles *l)
{
	size_t	i;

	for (i = 0; i < l->n; i++)
		if (l->files[i].error != 0 && !l->files[i].skipped)
			return false;
	return l->n > 0;
}

void
logfiles_free(struct logfiles *l)
{
	while (l->n > 0)
		free(l->files[--l->n].path);
	free(l->files);
	*l = (struct logfiles){ .n = 0 };
}
