/* auth/jwks_file.c - keys that a provider changes now and then. Runs as ph-auth. */
#include "auth/jwks_file.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/fdio.h"
#include "common/base/log.h"

#define LOOK_MS		1000

/* Where a file is and when it was changed: another one under its name, or the same with another content. */
struct mark {
	dev_t		dev;
	ino_t		ino;
	off_t		size;
	struct timespec	written, changed;
};

struct jwks_file {
	const char	*path, *name;	/* name is in it */
	int		 dir;
	int64_t		 looked;
	bool		 ever;		/* looked at */
	int		 error;		/* of the last look, logged already */
	struct mark	 mark;
	struct jwks	*keys;
};

int
jwks_file_open(struct jwks_file **out, const char *path, struct diag *why)
{
	struct jwks_file	*f;
	const char		*slash = strrchr(path, '/');
	char			 dir[PATH_MAX];

	*out = NULL;
	if (slash == NULL || slash[1] == '\0' || str_copy(dir, sizeof(dir),
	    (struct str){ path, (size_t)(slash - path) + 1 }) == -1)
		return diag_set(why, "%s: expected the path of a file", path);
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return diag_errno(why, "%s", path);
	f->path = path;
	f->name = slash + 1;
	f->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir == -1) {
		diag_errno(why, "auth.token-keys: %s", dir);
		free(f);
		return -1;
	}
	*out = f;
	return 0;
}

void
jwks_file_close(struct jwks_file **fp)
{
	struct jwks_file	*f = *fp;

	if (f == NULL)
		return;
	jwks_free(&f->keys);
	fdio_close(&f->dir);
	free(f);
	*fp = NULL;
}

void
jwks_file_path(struct jwks_file *f, const char *path)
{
	f->path = path;
	f->name = strrchr(path, '/') + 1;
}

int
jwks_file_dir(const struct jwks_file *f)
{
	return f->dir;
}

static struct mark
mark_of(const struct stat *st)
{
	struct mark	m;

	memset(&m, 0, sizeof(m));
	m.dev = st->st_dev;
	m.ino = st->st_ino;
	m.size = st->st_size;
	m.written = st->st_mtim;
	m.changed = st->st_ctim;
	return m;
}

static bool
same(const struct mark *a, const struct mark *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	    a->written.tv_sec == b->written.tv_sec &&
	    a->written.tv_nsec == b->written.tv_nsec &&
	    a->changed.tv_sec == b->changed.tv_sec &&
	    a->changed.tv_nsec == b->changed.tv_nsec;
}

static int
load(int fd, struct jwks **out, struct diag *why)
{
	struct buf	text;
	int		r = -1;

	buf_init(&text, JWKS_FILE_MAX);
	if (fdio_slurp(fd, &text) == -1)
		diag_errno(why, "read");
	else
		r = jwks_parse(buf_view(&text), out, why);
	buf_free(&text);
	return r;
}

/* Once for each state of the file, or each errno, not once a second. */
static void
complain(struct jwks_file *f, int error, const char *why)
{
	if (f->error == error)
		return;
	f->error = error;
	log_error("token-keys file=%s why=\"%s\"", f->path, why);
}

static void
reread(struct jwks_file *f, int fd, const struct stat *st)
{
	struct jwks	*fresh;
	struct diag	 why = { "" };
	struct mark	 m = mark_of(st);

	if ((f->error == 0 || f->error == EPROTO) && same(&m, &f->mark))
		return;
	f->mark = m;
	f->error = 0;
	if (load(fd, &fresh, &why) == -1) {
		complain(f, EPROTO, why.text);
		return;
	}
	jwks_free(&f->keys);
	f->keys = fresh;
	log_info("token-keys file=%s keys=%zu", f->path, jwks_count(fresh));
}

static void
look(struct jwks_file *f)
{
	struct stat	st;
	int		fd;

	/* a FIFO would keep all of auth waiting */
	fd = openat(f->dir, f->name, O_RDONLY | O_CLOEXEC | O_NOCTTY |
	    O_NONBLOCK);
	if (fd == -1 || fstat(fd, &st) == -1)
		complain(f, errno, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		complain(f, EISDIR, "no regular file");
	else
		reread(f, fd, &st);
	fdio_close(&fd);
}

const struct jwks *
jwks_file_keys(struct jwks_file *f, int64_t now)
{
	if (!f->ever || now - f->looked >= LOOK_MS) {
		f->ever = true;
		f->looked = now;
		look(f);
	}
	return f->keys;
}
