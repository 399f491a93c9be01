/* common/store/save_copy.c - messages of another folder, or of the same one, on their way into a folder. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/store/mode.h"
#include "common/store/save_impl.h"

#define TRIES	4	/* others rename it while we look */
#define CHUNK	65536

static int
copy_bytes(int from, int to)
{
	char	*chunk;
	ssize_t	 n;
	int	 r = 0;

	while ((n = copy_file_range(from, NULL, to, NULL, 1u << 30, 0)) > 0)
		continue;
	if (n == 0)
		return 0;
	/* not on this file system, or not between these two */
	if (lseek(from, 0, SEEK_SET) == -1 || lseek(to, 0, SEEK_SET) == -1 ||
	    (chunk = malloc(CHUNK)) == NULL)
		return -1;
	while (r == 0 && (n = fdio_read(from, chunk, CHUNK)) > 0)
		r = fdio_write(to, chunk, (size_t)n);
	free(chunk);
	return n == -1 ? -1 : r;
}

static int
copy_file(struct save *s, struct save_item *item, int from)
{
	struct timespec	times[2] = { { .tv_nsec = UTIME_OMIT } };
	struct stat	st;

	if (fstat(from, &st) == -1 || save_draft(s, item) == -1)
		return -1;
	times[1] = st.st_mtim;
	item->size = st.st_size;
	if (copy_bytes(from, item->fd) == 0 &&
	    futimens(item->fd, times) == 0)
		return 0;
	unlinkat(s->dir.tmp, item->tmp, 0);
	item->tmp = NULL;
	fdio_close(&item->fd);
	return -1;
}

int
save_bytes_from(struct save *s, struct save_item *item)
{
	int	from, r;

	if ((from = view_open_message(item->from, item->at)) == -1)
		return -1;
	r = copy_file(s, item, from);
	fdio_close(&from);
	return r;
}

/*
 * May a file of that directory be in ours, as it is? Not where others can read, or may not change, what is in the one and not in the other:
 * what is put among shared messages has to be readable there, and who has left one there must not have a hand in a copy of it.
 */
static bool
is_alike(struct save *s, int dir)
{
	struct stat	from, to;

	if (s->alike_to == dir)
		return s->alike;
	s->alike = fstat(dir, &from) == 0 && fstat(s->dir.cur, &to) == 0 &&
	    from.st_dev == to.st_dev && from.st_mode == to.st_mode &&
	    from.st_gid == to.st_gid && (from.st_uid == to.st_uid ||
	    mode_is_shared(to.st_mode));
	s->alike_to = dir;
	return s->alike;
}

/* A second name in tmp/, so that it cannot go away any more. */
static int
link_to(struct save *s, struct save_item *item, int dir, const char *file)
{
	char		tmp[MAILDIR_TMP_MAX + 1];
	struct str	copy;

	maildir_unique(store_host(s->store), tmp);
	if (linkat(dir, file, s->dir.tmp, tmp, 0) == -1)
		return -1;
	if (arena_dup(&s->memory, str_from(tmp), &copy) == -1) {
		unlinkat(s->dir.tmp, tmp, 0);
		return -1;
	}
	item->tmp = copy.p;
	s->names_only = true;
	return 0;
}

static bool
cannot_link(int error)
{
	return error == EXDEV || error == EPERM || error == EMLINK ||
	    error == EOPNOTSUPP || error == ENOSYS || error == EACCES;
}

static int
link_or_copy(struct save *s, struct save_item *item, bool link)
{
	const char	*file;
	int		 dir, i, r = -1;

	for (i = 0; r == -1 && i < TRIES; i++) {
		if (view_file(item->from, item->at, i > 0, &dir, &file) == -1)
			return -1;
		if (item->info == NULL &&
		    save_info_from(s, item->from, file, &item->info) == -1)
			return -1;
		if (!link || !is_alike(s, dir) || ((r = link_to(s, item, dir, file)) == -1 &&
		    cannot_link(errno)))
			r = save_bytes_from(s, item);
		if (r == -1 && errno != ENOENT)
			return -1;
	}
	return r;
}

/* What is known of it goes with it. */
static int
describe(struct save *s, struct save_item *item, struct view *v, size_t at)
{
	struct view_info	info;

	if (view_info(v, at, &info) == -1)
		return -1;
	item->from = v;
	item->at = at;
	item->uid = view_message(v, at)->uid;
	item->size = (off_t)info.size;
	item->wire = (off_t)info.wire;
	s->bytes += info.size;
	return arena_dup(&s->memory, info.guid, &item->guid);
}

static int
set_date(const struct save_item *item, int64_t date)
{
	struct timespec	times[2] = { { .tv_nsec = UTIME_OMIT } };

	if (date == INT64_MIN)
		return 0;
	times[1].tv_sec = date;
	return futimens(item->fd, times);
}

static int
drop_last(struct save *s)
{
	struct save_item	*item = &s->items[--s->n];
	int			 saved = errno;

	s->bytes -= item->from == NULL ? 0 : (uint64_t)item->size;
	if (item->tmp != NULL)
		unlinkat(s->dir.tmp, item->tmp, 0);
	fdio_close(&item->fd);
	errno = saved;
	return -1;
}

int
save_copy(struct save *s, struct view *v, size_t at,
    const struct save_message *m)
{
	struct save_item	*item;
	bool			 dated = m != NULL && m->date != INT64_MIN;

	if ((item = save_add(s)) == NULL)
		return -1;
	if (describe(s, item, v, at) == -1 ||
	    (m != NULL && save_info(s, m, &item->info) == -1) ||
	    link_or_copy(s, item, !dated) == -1 ||
	    (dated && set_date(item, m->date) == -1))
		return drop_last(s);
	return item->fd == -1 ? 0 : save_wait(s);
}

/* That it is gone is found out before others have been moved, whose UIDs would not come back with them. */
static int
find(struct view *v, size_t at, int *dir, const char **file)
{
	struct stat	st;
	int		i;

	for (i = 0; i < TRIES; i++) {
		if (view_file(v, at, i > 0, dir, file) == -1)
			return -1;
		if (fstatat(*dir, *file, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return 0;
		if (errno != ENOENT)
			return -1;
	}
	return -1;
}

int
save_move(struct save *s, struct view *v, size_t at,
    const struct save_message *m)
{
	struct save_item	*item;
	const char		*file;
	char			 tmp[MAILDIR_TMP_MAX + 1];
	struct str		 copy;
	int			 dir;

	if (find(v, at, &dir, &file) == -1)
		return -1;
	if (m != NULL || !is_alike(s, dir)) {
		if (save_copy(s, v, at, m) == -1)
			return -1;
		s->items[s->n - 1].taken = true;
		return 0;
	}
	if ((item = save_add(s)) == NULL)
		return -1;
	maildir_unique(store_host(s->store), tmp);
	if (describe(s, item, v, at) == -1 ||
	    arena_dup(&s->memory, str_from(tmp), &copy) == -1)
		return drop_last(s);
	item->tmp = copy.p;
	item->moved = s->names_only = true;
	return 0;
}
