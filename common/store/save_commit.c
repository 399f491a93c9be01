/*
 * common/store/save_commit.c - a batch appears. The order: what was written is on the disk; the folder is held; all get their names in
 * cur/; one flush makes these durable; then they get their UIDs. Until the last step everything is taken back if something fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/store/quota.h"
#include "common/store/save_impl.h"

#define TRIES	4	/* others rename it while we look */

/* Of those drafts that still wait; the others are flushed already. */
static int
flush_data(struct save *s)
{
	enum durable_how	how = s->dir.how;
	size_t			i;

	/*
	 * Where it is the file's flush that carries its name, somebody else's flush of the directory may be faster, and what
	 * then stands there after a power cut is empty: the file goes first.
	 */
	if (how != DURABLE_ORDERED)
		how = DURABLE_STRICT;
	for (i = 0; i < s->n; i++)
		if (s->items[i].fd != -1)
			durable_begin(how, s->items[i].fd);
	for (i = 0; i < s->n; i++)
		if (s->items[i].fd != -1 &&
		    durable_data(how, s->items[i].fd) == -1)
			return -1;
	return 0;
}

static int
flush_names(struct save *s)
{
	int	fds[SAVE_OPEN];
	size_t	i;

	if (s->names_only || s->n > SAVE_OPEN)
		return flush_one(s->dir.cur);
	for (i = 0; i < s->n; i++)
		fds[i] = s->items[i].fd;
	return durable_names(s->dir.how, &s->dir.flush, s->dir.cur, fds, s->n);
}

static int
set_file(struct save *s, struct save_item *item, const char *info)
{
	char		name[MAILDIR_NAME_MAX + 1];
	struct str	copy;

	if (maildir_final_name(item->tmp, item->size, item->wire, info,
	    name) == -1 || arena_dup(&s->memory, str_from(name), &copy) == -1)
		return -1;
	item->file = copy.p;
	return 0;
}

/* Again: it is looked for under the lock of its folder, and nobody holds two. */
static int
find_moved(struct save *s, struct save_item *item, bool again,
    const char **file)
{
	int	r;

	if (again)
		arrivals_let_go(s->arrivals);
	r = view_file(item->from, item->at, again, &item->was_in, file);
	if (again && r == 0)
		r = arrivals_hold(s->arrivals);
	return r;
}

/* From where it is now; its flags are those that it has now. */
static int
place_moved(struct save *s, struct save_item *item)
{
	const char	*file, *info;
	struct str	 was;
	int		 i;

	for (i = 0; i < TRIES; i++) {
		if (find_moved(s, item, i > 0, &file) == -1 ||
		    save_info_from(s, item->from, file, &info) == -1 ||
		    arena_dup(&s->memory, str_from(file), &was) == -1 ||
		    set_file(s, item, info) == -1)
			return -1;
		item->was = was.p;
		if (renameat(item->was_in, item->was, s->dir.cur,
		    item->file) == 0) {
			item->placed = true;
			return 0;
		}
		if (errno != ENOENT)
			return -1;
	}
	return -1;
}

/* No rename goes there: a copy, after which the other one is removed. */
static int
copy_instead(struct save *s, struct save_item *item)
{
	item->moved = false;
	item->taken = true;
	item->tmp = NULL;
	if (save_info_from(s, item->from, item->was, &item->info) == -1 ||
	    save_bytes_from(s, item) == -1 || flush_one(item->fd) == -1)
		return -1;
	fdio_close(&item->fd);
	return 0;
}

static int
place(struct save *s, struct save_item *item)
{
	if (item->moved) {
		if (place_moved(s, item) == 0)
			return 0;
		if (errno != EXDEV || copy_instead(s, item) == -1)
			return -1;
	}
	if (set_file(s, item, item->info) == -1 ||
	    renameat(s->dir.tmp, item->tmp, s->dir.cur, item->file) == -1)
		return -1;
	item->placed = true;
	return 0;
}

/* Nobody was told of these: they are as they were, as far as that can be. */
static void
take_back(struct save *s)
{
	struct save_item	*item;
	int			 saved = errno;
	size_t			 i;

	for (i = s->n; i > 0; i--) {
		item = &s->items[i - 1];
		if (!item->placed)
			continue;
		if (!item->moved)
			unlinkat(s->dir.cur, item->file, 0);
		else if (renameat(s->dir.cur, item->file, item->was_in,
		    item->was) == -1)
			continue;	/* it is here, and safe */
	}
	errno = saved;
}

/* Where they were they are no longer, also after a power cut; the new names are safe by now. */
static int
flush_sources(const struct save *s)
{
	size_t	i;
	int	last = -1;

	for (i = 0; i < s->n; i++) {
		if (!s->items[i].moved || s->items[i].was_in == last)
			continue;
		last = s->items[i].was_in;
		if (flush_one(last) == -1)
			return -1;
	}
	return 0;
}

static int
publish(struct save *s)
{
	size_t	i;

	for (i = 0; i < s->n; i++)
		if (place(s, &s->items[i]) == -1)
			return -1;
	if (flush_names(s) == -1 || flush_sources(s) == -1)
		return -1;
	if (arrivals_is_there(s->arrivals))
		return 0;
	/* in a folder that has been deleted since it was opened nobody would ever find them */
	errno = ESTALE;
	return -1;
}

static void
fill(const struct save *s, struct arrival *a)
{
	int64_t	now = now_real().tv_sec;
	size_t	i;

	for (i = 0; i < s->n; i++)
		a[i] = (struct arrival){ .file = s->items[i].file,
		    .wire = (uint64_t)s->items[i].wire, .saved = now,
		    .guid = s->items[i].guid };
}

/* One that was copied because it could not be renamed. The directory that it was in, or -1. */
static int
remove_one(const struct save_item *item)
{
	const char	*file;
	int		 dir, i;

	for (i = 0; i < TRIES; i++) {
		if (view_file(item->from, item->at, i > 0, &dir, &file) == -1)
			return -1;
		if (unlinkat(dir, file, 0) == 0)
			return dir;
		if (errno != ENOENT)
			return -1;
	}
	return -1;
}

/* Now that they are safe here they go there, durably; what cannot be removed is there twice. */
static void
remove_taken(const struct save *s)
{
	size_t	i;
	int	dir, last = -1;

	for (i = 0; i < s->n; i++) {
		if (!s->items[i].taken ||
		    (dir = remove_one(&s->items[i])) == -1 || dir == last)
			continue;
		if (last != -1 && flush_one(last) == -1)
			errno = 0;
		last = dir;
	}
	if (last != -1 && flush_one(last) == -1)
		errno = 0;
}

static void
tell_quota(struct save *s)
{
	struct store	*there;
	size_t		 i;
	int64_t		 bytes = 0, count = 0;

	for (i = 0; i < s->n; i++) {
		there = s->items[i].from == NULL ? NULL :
		    view_store_of(s->items[i].from);
		if (s->items[i].moved || s->items[i].taken) {
			if (there == s->store)
				continue;
			quota_changed(there, -(int64_t)s->items[i].size, -1);
		}
		bytes += (int64_t)s->items[i].size;
		count++;
	}
	if (count > 0)
		quota_changed(s->store, bytes, count);
}

/*
 * From the first name to the UIDs the folder is held: a session that found a message meanwhile would know neither its GUID nor
 * that it is recent, and could remove it before the answer to this one has its UID.
 */
static int
appear(struct save *s, struct arrival *a, uint32_t *validity)
{
	int	r;

	if (flush_data(s) == -1 || arrivals_hold(s->arrivals) == -1)
		return -1;
	if ((r = publish(s)) == 0) {
		fill(s, a);
		r = arrivals_number(s->arrivals, a, s->n, validity);
	}
	if (r == -1)
		take_back(s);
	/* what a folder had in it goes with it */
	if (r == -1 && errno == ENOENT && !arrivals_is_there(s->arrivals))
		errno = ESTALE;
	arrivals_let_go(s->arrivals);
	return r;
}

static int
commit(struct save *s, struct arrival *a, uint32_t *validity)
{
	if (appear(s, a, validity) == -1)
		return -1;
	remove_taken(s);
	tell_quota(s);
	save_cache(s, a, *validity);
	return 0;
}

int
save_commit(struct save **save, uint32_t *validity, uint32_t *uids)
{
	struct save	*s = *save;
	struct arrival	*a;
	size_t		 i;
	int		 r = -1;

	if ((a = calloc(s->n + 1, sizeof(*a))) != NULL)
		r = commit(s, a, validity);
	for (i = 0; r == 0 && i < s->n; i++) {
		if (uids != NULL)
			uids[i] = a[i].uid;
		if (a[i].uid == 0)
			*validity = 0;
	}
	free(a);
	save_abort(save);
	return r;
}
