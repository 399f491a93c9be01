/*
 * common/store/table.c - constant databases: made beside the old one, durable,
 * then renamed over it; readers notice by the file's identity.
 */
#include "common/store/table.h"

#include <cdb.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fdio.h"

#define TABLE_NAME_MAX	64
#define TABLE_ITEM_MAX	(16u << 20)

struct table {
	int		dir;		/* borrowed from the opener */
	char		name[TABLE_NAME_MAX];
	struct cdb	cdb;
	int		fd;		/* -1: nothing open */
	struct stat	st;		/* of what is open */
};

struct table_maker {
	int		dir;
	char		name[TABLE_NAME_MAX];
	char		tmp[TABLE_NAME_MAX + 8];
	struct cdb_make	make;
	int		fd;
};

static int
name_copy(char *dst, size_t size, const char *name, struct diag *why)
{
	if (str_copy(dst, size, str_from(name)) == -1)
		return diag_set(why, "table name %s is too long", name);
	return 0;
}

static int
open_file(struct table *t, struct diag *why)
{
	t->fd = openat(t->dir, t->name,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	if (t->fd == -1)
		return diag_errno(why, "open table %s", t->name);
	if (fstat(t->fd, &t->st) == -1 || cdb_init(&t->cdb, t->fd) != 0) {
		diag_errno(why, "read table %s", t->name);
		fdio_close(&t->fd);
		return -1;
	}
	return 0;
}

static void
close_file(struct table *t)
{
	if (t->fd == -1)
		return;
	cdb_free(&t->cdb);
	fdio_close(&t->fd);
}

int
table_open(struct table **out, int dirfd, const char *name, struct diag *why)
{
	struct table	*t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return diag_errno(why, "table %s", name);
	t->dir = dirfd;
	t->fd = -1;
	if (name_copy(t->name, sizeof(t->name), name, why) == -1 ||
	    open_file(t, why) == -1) {
		free(t);
		return -1;
	}
	*out = t;
	return 0;
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool
table_refresh(struct table *t, struct diag *why)
{
	struct table	fresh = *t;
	struct stat	st;

	if (fstatat(t->dir, t->name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
		diag_errno(why, "look at table %s", t->name);
		return false;
	}
	if (same_file(&st, &t->st) || open_file(&fresh, why) == -1)
		return false;
	close_file(t);
	*t = fresh;
	return true;
}

int
table_get(struct table *t, struct str key, struct str *value)
{
	int	r;

	if (key.n > UINT_MAX)
		return 0;
	r = cdb_find(&t->cdb, key.p, (unsigned)key.n);
	if (r == 0)
		return 0;
	if (r > 0) {
		value->n = cdb_datalen(&t->cdb);
		value->p = cdb_getdata(&t->cdb);
	}
	if (r < 0 || value->p == NULL) {
		errno = EPROTO;
		return -1;
	}
	return 1;
}

void
table_close(struct table **t)
{
	if (*t == NULL)
		return;
	close_file(*t);
	free(*t);
	*t = NULL;
}

int
table_make(struct table_maker **out, int dirfd, const char *name, mode_t mode,
    struct diag *why)
{
	struct table_maker	*m;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return diag_errno(why, "table %s", name);
	m->dir = dirfd;
	if (name_copy(m->name, sizeof(m->name), name, why) == -1) {
		free(m);
		return -1;
	}
	snprintf(m->tmp, sizeof(m->tmp), "%s.new", m->name);
	/* what a maker that was killed left behind is of no use */
	if (unlinkat(dirfd, m->tmp, 0) == -1 && errno != ENOENT) {
		free(m);
		return diag_errno(why, "remove an old %s.new", name);
	}
	m->fd = openat(dirfd, m->tmp,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (m->fd == -1) {
		free(m);
		return diag_errno(why, "create table %s.new", name);
	}
	if (fchmod(m->fd, mode) == -1 || cdb_make_start(&m->make, m->fd) != 0) {
		diag_errno(why, "create table %s.new", name);
		unlinkat(dirfd, m->tmp, 0);
		close(m->fd);
		free(m);
		return -1;
	}
	*out = m;
	return 0;
}

int
table_add(struct table_maker *m, struct str key, struct str value)
{
	int	r;

	if (key.n > TABLE_ITEM_MAX || value.n > TABLE_ITEM_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	r = cdb_make_put(&m->make, key.p, (unsigned)key.n, value.p,
	    (unsigned)value.n, CDB_PUT_INSERT);
	if (r == 0)
		return 0;
	if (r > 0)
		errno = EEXIST;
	return -1;
}

int
table_commit(struct table_maker **mp, struct diag *why)
{
	struct table_maker	*m = *mp;
	int			 r = -1;

	*mp = NULL;
	if (cdb_make_finish(&m->make) != 0 || fsync(m->fd) == -1)
		diag_errno(why, "write table %s", m->name);
	else if (renameat(m->dir, m->tmp, m->dir, m->name) == -1)
		diag_errno(why, "rename table %s into place", m->name);
	else if (fsync(m->dir) == -1)
		diag_errno(why, "flush the directory of table %s", m->name);
	else
		r = 0;
	if (r == -1)
		unlinkat(m->dir, m->tmp, 0);
	fdio_close(&m->fd);
	free(m);
	return r;
}

void
table_abort(struct table_maker **mp)
{
	struct table_maker	*m = *mp;

	if (m == NULL)
		return;
	*mp = NULL;
	/* finishing is the only way to make tinycdb free its memory */
	(void)cdb_make_finish(&m->make);
	unlinkat(m->dir, m->tmp, 0);
	fdio_close(&m->fd);
	free(m);
}
