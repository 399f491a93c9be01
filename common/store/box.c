/*
 * common/store/box.c - reads a Maildir, as its user. Names are all that is
 * relied on; the user's other programs change them at any time.
 */
#include "common/store/box.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/store/maildir.h"

#define PATH_LEN	1024
#define NAMES_MAX	(1u << 30)
#define LOCK_POLL_MS	50
#define READ_SIZE	65536u

struct item {
	const char	*name;		/* in new or cur, with its flags */
	uint64_t	 size;
	bool		 sized, is_new;
};

struct box {
	struct maildir	 dir;
	char		 path[PATH_LEN];
	struct arena	 names;
	struct item	*items;
	size_t		 n, cap;
	bool		 changed;
};

int
box_open(struct box **out, const char *location, struct diag *why)
{
	static const char	 kind[] = "maildir:";
	struct box		*b;

	*out = NULL;
	if (strncmp(location, kind, sizeof(kind) - 1) != 0) {
		errno = EINVAL;
		return diag_set(why, "%s: only a Maildir can be read",
		    location);
	}
	if ((b = calloc(1, sizeof(*b))) == NULL)
		return diag_errno(why, "mailbox");
	arena_init(&b->names, NAMES_MAX);
	if (strlcpy(b->path, location + sizeof(kind) - 1, sizeof(b->path)) >=
	    sizeof(b->path)) {
		free(b);
		errno = ENAMETOOLONG;
		return diag_errno(why, "mailbox");
	}
	if (maildir_open(&b->dir, AT_FDCWD, b->path, "", true, why) == -1) {
		free(b);
		return -1;
	}
	*out = b;
	return 0;
}

const char *
box_path(const struct box *b)
{
	return b->path;
}

int
box_lock(struct box *b, int64_t timeout)
{
	int64_t	deadline = now_ms() + timeout;

	while (flock(b->dir.root, LOCK_EX | LOCK_NB) == -1) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return 0;	/* a file system without locks: nobody has one */
		if (now_ms() >= deadline)
			return -1;
		poll(NULL, 0, LOCK_POLL_MS);
	}
	return 0;
}

void
box_unlock(struct box *b)
{
	int	saved = errno;

	if (flock(b->dir.root, LOCK_UN) == -1)
		errno = saved;
}

static int
add(struct box *b, const char *name, bool is_new)
{
	struct item	*more, *i;
	struct str	 copy;
	size_t		 cap = b->cap == 0 ? 64 : b->cap * 2;

	if (b->n == b->cap) {
		more = reallocarray(b->items, cap, sizeof(*more));
		if (more == NULL)
			return -1;
		b->items = more;
		b->cap = cap;
	}
	if (arena_dup(&b->names, str_from(name), &copy) == -1)
		return -1;
	i = &b->items[b->n++];
	*i = (struct item){ .name = copy.p, .is_new = is_new };
	i->sized = maildir_name_size(copy, 'W', &i->size);
	return 0;
}

/* Each name of a directory that can be a message. */
static int
each(int dir, int (*fn)(void *, const char *), void *arg)
{
	struct dirent	*e;
	DIR		*d;
	int		 fd, r = 0;

	if ((fd = fdio_opendir(dir, ".")) == -1)
		return -1;
	if ((d = fdopendir(fd)) == NULL) {
		fdio_close(&fd);
		return -1;
	}
	for (errno = 0; r == 0 && (e = readdir(d)) != NULL; errno = 0)
		if (e->d_name[0] != '.' && e->d_type != DT_DIR)
			r = fn(arg, e->d_name);
	if (r == 0 && errno != 0)
		r = -1;
	closedir(d);
	return r;
}

static int
add_new(void *arg, const char *name)
{
	return add(arg, name, true);
}

static int
add_cur(void *arg, const char *name)
{
	return add(arg, name, false);
}

/* By the second of delivery, which begins the name; then by the name. */
static int
by_arrival(const void *x, const void *y)
{
	const struct item	*a = x, *b = y;
	unsigned long long	 s = strtoull(a->name, NULL, 10);
	unsigned long long	 t = strtoull(b->name, NULL, 10);

	if (s != t)
		return s < t ? -1 : 1;
	return strcmp(a->name, b->name);
}

static bool
same_base(const char *a, const char *b)
{
	return str_eq(maildir_name_base(str_from(a)),
	    maildir_name_base(str_from(b)));
}

int
box_scan(struct box *b, struct diag *why)
{
	size_t	i, n = 0;

	/* new before cur: what is moved in between is seen twice, not never */
	if (each(b->dir.new, add_new, b) == -1 ||
	    each(b->dir.cur, add_cur, b) == -1)
		return diag_errno(why, "%s", b->path);
	if (b->n > 0)
		qsort(b->items, b->n, sizeof(*b->items), by_arrival);
	for (i = 0; i < b->n; i++)
		if (n > 0 && same_base(b->items[n - 1].name, b->items[i].name))
			b->items[n - 1] = b->items[i];
		else
			b->items[n++] = b->items[i];
	b->n = n;
	return 0;
}

size_t
box_count(const struct box *b)
{
	return b->n;
}

static int
dir_of(const struct box *b, const struct item *i)
{
	return i->is_new ? b->dir.new : b->dir.cur;
}

struct search {
	struct box	*b;
	struct item	*item;
	bool		 found;
};

static int
match(void *arg, const char *name)
{
	struct search	*s = arg;
	struct str	 copy;

	if (!same_base(name, s->item->name))
		return 0;
	if (arena_dup(&s->b->names, str_from(name), &copy) == -1)
		return -1;
	s->item->name = copy.p;
	s->found = true;
	return 1;
}

/* Another program has set a flag: the same message under another name. ENOENT: it has gone. */
static int
find_again(struct box *b, struct item *i)
{
	struct search	s = { b, i, false };

	if (each(b->dir.cur, match, &s) == -1)
		return -1;
	if (s.found) {
		i->is_new = false;
		return 0;
	}
	errno = ENOENT;
	return -1;
}

int
box_message(struct box *b, size_t n)
{
	struct item	*i = &b->items[n];
	struct stat	 st;
	int		 fd, flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC |
			    O_NONBLOCK | O_NOCTTY;

	fd = openat(dir_of(b, i), i->name, flags);
	if (fd == -1 && errno == ENOENT && find_again(b, i) == 0)
		fd = openat(dir_of(b, i), i->name, flags);
	if (fd != -1 && (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))) {
		fdio_close(&fd);
		errno = ENOENT;
	}
	return fd;
}

/* LF alone counts as two; a last line without end gets one. */
static int
count_octets(int fd, uint64_t *out)
{
	char		*mem;
	char		 last = '\n';
	ssize_t		 got, k;
	uint64_t	 n = 0;

	if ((mem = malloc(READ_SIZE)) == NULL)
		return -1;
	while ((got = fdio_read(fd, mem, READ_SIZE)) > 0) {
		n += (uint64_t)got;
		for (k = 0; k < got; k++) {
			n += mem[k] == '\n' && last != '\r';
			last = mem[k];
		}
	}
	free(mem);
	if (last != '\n')
		n += last == '\r' ? 1 : 2;
	*out = n;
	return got == -1 ? -1 : 0;
}

int
box_size(struct box *b, size_t n, uint64_t *out)
{
	struct item	*i = &b->items[n];
	int		 fd, r = 0, saved;

	if (!i->sized) {
		if ((fd = box_message(b, n)) == -1)
			return -1;
		r = count_octets(fd, &i->size);
		saved = errno;
		fdio_close(&fd);
		errno = saved;
		i->sized = r == 0;
	}
	*out = i->size;
	return r;
}

/* FNV-1a: for names that nobody outside can choose. */
static uint64_t
hash(struct str s, uint64_t h)
{
	size_t	i;

	for (i = 0; i < s.n; i++) {
		h ^= (unsigned char)s.p[i];
		h *= UINT64_C(0x100000001b3);
	}
	return h;
}

void
box_unique(const struct box *b, size_t n, char out[BOX_UNIQUE_MAX + 1])
{
	struct str	s = maildir_name_base(str_from(b->items[n].name));
	const char	*comma = memchr(s.p, ',', s.n);
	size_t		i;

	/* The sizes are no part of what makes it unique. */
	if (comma != NULL)
		s.n = (size_t)(comma - s.p);
	for (i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e)
			break;
	if (i == s.n && s.n > 0 && s.n <= BOX_UNIQUE_MAX) {
		memcpy(out, s.p, s.n);
		out[s.n] = '\0';
	} else
		snprintf(out, BOX_UNIQUE_MAX + 1, "h%016llx%016llx",
		    (unsigned long long)hash(s, UINT64_C(0xcbf29ce484222325)),
		    (unsigned long long)hash(s, UINT64_C(0x9e3779b97f4a7c15)));
}

bool
box_has_flag(const struct box *b, size_t n, char flag)
{
	struct str	f = maildir_name_flags(str_from(b->items[n].name));

	return f.n > 0 && memchr(f.p, flag, f.n) != NULL;
}

int
box_expunge(struct box *b, size_t n)
{
	struct item	*i = &b->items[n];

	b->changed = true;
	if (unlinkat(dir_of(b, i), i->name, 0) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	if (find_again(b, i) == -1)
		return errno == ENOENT ? 0 : -1;
	return unlinkat(b->dir.cur, i->name, 0) == -1 && errno != ENOENT ?
	    -1 : 0;
}

/* The flags with one more, in the order that Maildir wants: sorted. */
static int
new_name(const char *old, char flag, char out[NAME_MAX + 1])
{
	struct str	base = maildir_name_base(str_from(old));
	struct str	had = maildir_name_flags(str_from(old));
	char		flags[BOX_FLAGS_MAX + 2];
	size_t		i, n = 0;
	bool		in = false;

	if (had.n > BOX_FLAGS_MAX)
		had.n = BOX_FLAGS_MAX;
	for (i = 0; i < had.n; i++) {
		if (!in && had.p[i] >= flag) {
			in = true;
			if (had.p[i] != flag)
				flags[n++] = flag;
		}
		flags[n++] = had.p[i];
	}
	if (!in)
		flags[n++] = flag;
	if (snprintf(out, NAME_MAX + 1, "%.*s:2,%.*s", STR_ARG(base), (int)n,
	    flags) > NAME_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

int
box_flag(struct box *b, size_t n, char flag)
{
	struct item	*i = &b->items[n];
	struct str	 copy;
	char		 name[NAME_MAX + 1];
	int		 tries;

	for (tries = 0; tries < 2; tries++) {
		if (new_name(i->name, flag, name) == -1)
			return -1;
		if (!i->is_new && strcmp(name, i->name) == 0)
			return 0;
		if (renameat(dir_of(b, i), i->name, b->dir.cur, name) == 0) {
			if (arena_dup(&b->names, str_from(name), &copy) == -1)
				return -1;
			i->name = copy.p;
			i->is_new = false;
			b->changed = true;
			return 0;
		}
		if (errno != ENOENT || find_again(b, i) == -1)
			return -1;
	}
	return -1;
}

int
box_sync(struct box *b)
{
	if (!b->changed)
		return 0;
	if (fsync(b->dir.new) == -1 || fsync(b->dir.cur) == -1)
		return -1;
	b->changed = false;
	return 0;
}

void
box_close(struct box **bp)
{
	struct box	*b = *bp;

	if (b == NULL)
		return;
	maildir_close(&b->dir);
	arena_free(&b->names);
	free(b->items);
	free(b);
	*bp = NULL;
}
