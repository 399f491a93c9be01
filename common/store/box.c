/*
 * common/store/box.c - a mailbox over Maildir, as the mailbox's user. Trusts
 * nobody to leave the files where they were: a name that is no more where it
 * was is looked for again, once for all messages.
 */
#include "common/store/box.h"

#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/store/box_impl.h"
#include "common/store/store.h"
#include "common/store/uidlist_file.h"
#include "common/store/wire.h"

#define PREFIX		"maildir:"
#define LOCK_NAME	"posthouse-pop3.lock"
#define NAMES_MAX	((size_t)2 << 30)
#define FIND_TRIES	3
#define SECONDS_MAX	(UINT64_C(1) << 40)

const char *
box_path(const char *location)
{
	size_t	n = sizeof(PREFIX) - 1;

	if (strncmp(location, PREFIX, n) != 0 || location[n] != '/')
		return NULL;
	return location + n;
}

static int
open_dirs(struct maildir *m, const char *location, const char *folder,
    bool create, struct diag *why)
{
	const char	*path = box_path(location);

	if (path == NULL) {
		errno = ENOTSUP;
		return diag_set(why, "%s: only a maildir: can be read",
		    location);
	}
	return maildir_open_to_read(m, AT_FDCWD, path, folder, create, why);
}

/* "1764000000.M123456P..." orders by time; other names by their text. */
static void
arrival(struct str name, unsigned long long at[2])
{
	struct cur	c = cur_from(name);

	at[0] = at[1] = 0;
	if (cur_number(&c, SECONDS_MAX, &at[0]) && cur_word(&c, STR(".M")) &&
	    !cur_number(&c, 999999999, &at[1]))
		at[1] = 0;
}

static int
by_uid(const void *pa, const void *pb)
{
	const struct box_entry	*a = pa, *b = pb;
	unsigned long long	 ta[2], tb[2];

	if (a->m.uid != b->m.uid)	/* 0 comes last */
		return a->m.uid - 1 < b->m.uid - 1 ? -1 : 1;
	arrival(a->m.name, ta);
	arrival(b->m.name, tb);
	if (ta[0] != tb[0])
		return ta[0] < tb[0] ? -1 : 1;
	if (ta[1] != tb[1])
		return ta[1] < tb[1] ? -1 : 1;
	return str_cmp(a->m.name, b->m.name);
}

int
box_load(struct box *b, struct diag *why)
{
	struct buf	text;
	int		r;

	if (box_scan(b, true) == -1)
		return diag_errno(why, "read the Maildir");
	buf_init(&text, UIDLIST_MAX);
	r = box_load_uids(b, &text, why);
	buf_free(&text);
	if (r == -1)
		return -1;
	if (b->n > 1)
		qsort(b->entries, b->n, sizeof(*b->entries), by_uid);
	maildir_clean(&b->dir, now_real().tv_sec);
	return box_rehash(b) == -1 ? diag_errno(why, "read the Maildir") : 0;
}

int
box_attach(struct box **out, const char *location, const char *folder,
    bool create, struct diag *why)
{
	struct box	*b;

	if ((b = calloc(1, sizeof(*b))) == NULL)
		return diag_errno(why, "open the mailbox");
	b->lock = -1;
	arena_init(&b->names, NAMES_MAX);
	/* of the kernel's: eight bytes are not worth a generator of one's own */
	if (getrandom(&b->seed, sizeof(b->seed), 0) != sizeof(b->seed)) {
		diag_errno(why, "open the mailbox");
		free(b);
		return -1;
	}
	if (open_dirs(&b->dir, location, folder, create, why) == -1) {
		free(b);
		return -1;
	}
	*out = b;
	return 0;
}

int
box_open(struct box **out, const char *location, const char *folder,
    struct diag *why)
{
	if (box_attach(out, location, folder, false, why) == -1)
		return -1;
	if (box_load(*out, why) == 0)
		return 0;
	box_close(out);
	return -1;
}

void
box_close(struct box **box)
{
	struct box	*b = *box;
	int		 saved = errno;

	if (b == NULL)
		return;
	fdio_close(&b->lock);
	maildir_close(&b->dir);
	buf_free(&b->courier);
	arena_free(&b->names);
	free(b->entries);
	free(b->slots);
	free(b);
	*box = NULL;
	errno = saved;
}

int
box_lock(struct box *b)
{
	b->lock = openat(b->dir.root, LOCK_NAME,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (b->lock == -1)
		return -1;
	if (flock(b->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	fdio_close(&b->lock);
	return -1;
}

/* Not its list of UIDs, which others write, too. */
static bool
was_dovecots(const struct box *b)
{
	static const char *const names[] = {
		"dovecot.index.log", "dovecot.index"
	};
	struct stat	st;
	size_t		i;

	for (i = 0; i < nitems(names); i++)
		if (fstatat(b->dir.root, names[i], &st,
		    AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	return store_validity_is_dovecots(b->dir.root);
}

int
box_adopt_names(struct box *b, const char *format)
{
	struct stat	st;

	if (b->lock == -1 || fstat(b->lock, &st) == -1 || st.st_size > 0)
		return 0;
	if (!was_dovecots(b))
		return box_courier_read(b) == -1 ? -1 : box_courier_names(b);
	if (format == NULL)
		return 0;
	b->adopt = format;
	return box_list_adopt(b);
}

/* The file is empty until the first use. */
int64_t
box_last_use(const struct box *b)
{
	struct timespec	now = now_real();
	struct stat	st;

	if (b->lock == -1 || fstat(b->lock, &st) == -1 || st.st_size == 0 ||
	    now.tv_sec < st.st_mtim.tv_sec)
		return -1;
	return (int64_t)(now.tv_sec - st.st_mtim.tv_sec) * 1000 +
	    (now.tv_nsec - st.st_mtim.tv_nsec) / 1000000;
}

int
box_note_use(const struct box *b)
{
	return b->lock == -1 ? 0 : fdio_pwrite(b->lock, "\n", 1, 0);
}

size_t
box_count(const struct box *b)
{
	return b->n;
}

const struct box_message *
box_message(const struct box *b, size_t i)
{
	return &b->entries[i].m;
}

uint32_t
box_uidvalidity(const struct box *b)
{
	return b->head.validity;
}

static int
dir_of(const struct box *b, const struct box_entry *e)
{
	return e->m.is_new ? b->dir.new : b->dir.cur;
}

/* It was not where it was: 0 if it may be worth another try. */
static int
find_again(struct box *b, struct box_entry *e)
{
	if (!e->gone && box_scan(b, false) == -1)
		return -1;
	if (!e->gone)
		return 0;
	errno = ENOENT;
	return -1;
}

int
box_open_message(struct box *b, size_t i)
{
	struct box_entry	*e = &b->entries[i];
	int			 fd, tries;

	for (tries = 0; tries < FIND_TRIES && !e->gone; tries++) {
		fd = openat(dir_of(b, e), e->file,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd != -1 || errno != ENOENT)
			return fd;
		if (find_again(b, e) == -1)
			return -1;
	}
	errno = ENOENT;
	return -1;
}

int
box_size(struct box *b, size_t i, uint64_t *size)
{
	struct box_entry	*e = &b->entries[i];
	int			 fd, r;

	if (!e->has_size) {
		if ((fd = box_open_message(b, i)) == -1)
			return -1;
		r = wire_size(fd, &e->size);
		fdio_close(&fd);
		if (r == -1)
			return -1;
		e->has_size = true;
	}
	*size = e->size;
	return 0;
}

/* For the quota, before it is removed. */
static int64_t
file_size(const struct box *b, const struct box_entry *e)
{
	struct stat	st;
	uint64_t	size;

	if (maildir_name_size(e->m.name, 'S', &size))
		return (int64_t)size;
	return fstatat(dir_of(b, e), e->file, &st, AT_SYMLINK_NOFOLLOW) == 0 ?
	    (int64_t)st.st_size : 0;
}

int
box_expunge(struct box *b, size_t i)
{
	struct box_entry	*e = &b->entries[i];
	int64_t			 size;
	int			 tries;

	for (tries = 0; tries < FIND_TRIES && !e->gone; tries++) {
		size = file_size(b, e);
		if (unlinkat(dir_of(b, e), e->file, 0) == 0) {
			e->gone = true;
			if (e->m.is_new)
				b->removed_new = true;
			else
				b->removed_cur = true;
			b->freed_bytes += size;
			b->freed_count++;
			return 0;
		}
		if (errno != ENOENT)
			return -1;
		if (find_again(b, e) == -1)
			break;
	}
	return e->gone ? 0 : -1;
}

/* Letters once each and in order, as Maildir wants them. */
static void
merge_flags(const char *a, const char *b, char out[128])
{
	size_t	n = 0;
	char	c;

	for (c = '!'; c < 127; c++)
		if (strchr(a, c) != NULL || strchr(b, c) != NULL)
			out[n++] = c;
	out[n] = '\0';
}

static int
move_to(struct box *b, struct box_entry *e, const char *file)
{
	struct str	copy;

	if (arena_dup(&b->names, str_from(file), &copy) == -1 ||
	    renameat(dir_of(b, e), e->file, b->dir.cur, file) == -1)
		return -1;
	e->file = copy.p;
	e->m.name = maildir_name_base(copy);
	e->m.flags = maildir_name_flags(copy).p;
	e->m.is_new = false;
	return 0;
}

int
box_add_flags(struct box *b, size_t i, const char *letters)
{
	struct box_entry	*e = &b->entries[i];
	char			 file[MAILDIR_NAME_MAX + 1], flags[128];
	int			 tries;

	for (tries = 0; tries < FIND_TRIES && !e->gone; tries++) {
		merge_flags(e->m.flags, letters, flags);
		if (!e->m.is_new && strcmp(flags, e->m.flags) == 0)
			return 0;
		if ((size_t)snprintf(file, sizeof(file), "%.*s:2,%s",
		    STR_ARG(e->m.name), flags) >= sizeof(file)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		if (move_to(b, e, file) == 0)
			return 0;
		if (errno != ENOENT || find_again(b, e) == -1)
			return -1;
	}
	errno = ENOENT;
	return -1;
}

int
box_sync(struct box *b)
{
	if (b->freed_count > 0)
		maildir_usage_add(&b->dir, -b->freed_bytes, -b->freed_count);
	b->freed_bytes = b->freed_count = 0;
	if ((b->removed_new && fsync(b->dir.new) == -1) ||
	    (b->removed_cur && fsync(b->dir.cur) == -1))
		return -1;
	b->removed_new = b->removed_cur = false;
	return 0;
}
