/* common/store/view_info.c - sizes and dates: from names and the index, else from the file, once; and the file itself. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/store/view_impl.h"
#include "common/store/wire.h"

#define TRIES		16
#define OUT_MANY	(1u << 20)	/* bytes of notes that are not left waiting */

/* Something of the row was learnt. */
static void
note(struct view *v, size_t row)
{
	/* what has no room is asked for again some time */
	if (index_note(&v->x, row) == -1 || v->x.out.n > OUT_MANY)
		view_flush(v);
}

void
view_flush(struct view *v)
{
	if (v->x.out.n == 0)
		return;
	if (v->x.lock != -1 || index_lock(&v->x) == -1) {
		if (v->x.lock == -1)
			buf_free(&v->x.out);	/* memory has it */
		return;
	}
	if (index_catch_up(&v->x) == 0)
		index_flush(&v->x);
	index_unlock(&v->x);
}

static int
open_row(struct view *v, size_t row)
{
	const struct index_row	*r = index_row(&v->x, row);
	char			 name[2 * MAILDIR_NAME_MAX + 2];

	if (str_copy(name, sizeof(name), index_name(&v->x, r)) == -1)
		return -1;
	return openat((r->flags & INDEX_IS_NEW) != 0 ? v->dir.new :
	    v->dir.cur, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

static int
stat_row(struct view *v, size_t row)
{
	struct index_row	*r = index_row(&v->x, row);
	struct stat		 st;
	char			 name[2 * MAILDIR_NAME_MAX + 2];

	if (str_copy(name, sizeof(name), index_name(&v->x, r)) == -1 ||
	    fstatat((r->flags & INDEX_IS_NEW) != 0 ? v->dir.new : v->dir.cur,
	    name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	r->size = (uint64_t)st.st_size;
	r->date = st.st_mtim.tv_sec;
	if (r->saved == INDEX_NO_DATE)
		r->saved = st.st_ctim.tv_sec;
	note(v, row);
	return 0;
}

/* By act, until the file was where it was looked for; its answer. */
static int
find_and(struct view *v, size_t i, size_t *row,
    int (*act)(struct view *, size_t))
{
	unsigned	how = INDEX_ALL | (v->read_only ? INDEX_KEEP_NEW : 0);
	int		tries, r;

	for (tries = 0; tries < TRIES; tries++) {
		if (view_row(v, i, row) == -1)
			return -1;
		if ((r = act(v, *row)) != -1 || errno != ENOENT)
			return r;
		if (index_sync(&v->x, how) == -1)
			return -1;
	}
	errno = ENOENT;
	return -1;
}

int
view_open_message(struct view *v, size_t i)
{
	size_t	row;

	return find_and(v, i, &row, open_row);
}

int
view_file(struct view *v, size_t i, bool again, int *dir, const char **name)
{
	const struct index_row	*r;
	size_t			 row;

	if (again && index_sync(&v->x, INDEX_ALL |
	    (v->read_only ? INDEX_KEEP_NEW : 0)) == -1)
		return -1;
	if (view_row(v, i, &row) == -1)
		return -1;
	r = index_row(&v->x, row);
	*dir = (r->flags & INDEX_IS_NEW) != 0 ? v->dir.new : v->dir.cur;
	*name = v->file;
	return str_copy(v->file, sizeof(v->file), index_name(&v->x, r));
}

static int
count_wire(struct view *v, size_t i, size_t *row)
{
	struct index_row	*r;
	uint64_t		 wire;
	int			 fd, result;

	if ((fd = find_and(v, i, row, open_row)) == -1)
		return -1;
	result = wire_size(fd, &wire);
	fdio_close(&fd);
	if (result == -1)
		return -1;
	r = index_row(&v->x, *row);
	r->wire = wire;
	note(v, *row);
	return 0;
}

int
view_size(struct view *v, size_t i, uint64_t *wire)
{
	size_t	row;

	if (view_row(v, i, &row) == -1)
		return -1;
	if (index_row(&v->x, row)->wire == INDEX_UNKNOWN &&
	    (count_wire(v, i, &row) == -1 || view_row(v, i, &row) == -1))
		return -1;
	*wire = index_row(&v->x, row)->wire;
	return 0;
}

int
view_info(struct view *v, size_t i, struct view_info *info)
{
	const struct index_row	*r;
	size_t			 row;

	if (view_size(v, i, &info->wire) == -1 || view_row(v, i, &row) == -1)
		return -1;
	r = index_row(&v->x, row);
	if ((r->date == INDEX_NO_DATE || r->saved == INDEX_NO_DATE ||
	    r->size == INDEX_UNKNOWN) &&
	    (find_and(v, i, &row, stat_row) == -1 ||
	    view_row(v, i, &row) == -1))
		return -1;
	r = index_row(&v->x, row);
	info->internal_date = r->date;
	info->saved = r->saved;
	info->size = r->size;
	info->guid = index_guid(&v->x, r);
	if (info->guid.n == 0)
		info->guid = index_base(&v->x, r);
	return 0;
}
