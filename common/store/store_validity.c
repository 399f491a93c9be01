/*
 * common/store/store_validity.c - UIDVALIDITY for new folders, as Dovecot gives it: the last one is in the name of an empty file,
 * "dovecot-uidvalidity.5f2d1a3c", whose rename to the next number is what makes it the caller's alone; "dovecot-uidvalidity" says
 * which that is. There Dovecot writes 8 digits; what was begun here has a line end behind them, which Dovecot leaves alone.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/store/box_uidlist.h"
#include "common/store/store_impl.h"

#define FILE_LAST	"dovecot-uidvalidity"
#define DIGITS		8
#define TRIES		10

static bool
hex(const char *s, uint32_t *out)
{
	static const char	digits[] = "0123456789abcdef";
	const char		*at;
	uint32_t		 v = 0;
	int			 i;

	for (i = 0; i < DIGITS; i++) {
		if (s[i] == '\0' || (at = strchr(digits, s[i])) == NULL)
			return false;
		v = v << 4 | (uint32_t)(at - digits);
	}
	*out = v;
	return v > 0;
}

static void
name_of(uint32_t v, char name[64])
{
	snprintf(name, 64, FILE_LAST ".%08x", v);
}

/* 0: nobody knows. */
static uint32_t
last_noted(int root)
{
	char		text[DIGITS + 1] = "";
	uint32_t	v = 0;
	int		fd;

	fd = openat(root, FILE_LAST, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);
	if (fd == -1)
		return 0;
	if (fdio_read(fd, text, DIGITS) != DIGITS || !hex(text, &v))
		v = 0;
	fdio_close(&fd);
	return v;
}

/* A hint for the next one: whoever reads another number looks for the file's name. */
static void
note(int root, uint32_t v)
{
	char		text[DIGITS + 2];
	struct stat	st;
	int		fd, saved = errno;

	snprintf(text, sizeof(text), "%08x\n", v);
	fd = openat(root, FILE_LAST, O_WRONLY | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd != -1 && fstat(fd, &st) == 0 && fdio_pwrite(fd, text,
	    st.st_size == DIGITS ? DIGITS : DIGITS + 1, 0) == -1)
		errno = saved;
	fdio_close(&fd);
	errno = saved;
}

bool
store_validity_is_dovecots(int root)
{
	struct stat	st;

	return fstatat(root, FILE_LAST, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_size == DIGITS;
}

struct highest {
	uint32_t	file;		/* by name */
	uint32_t	folder;		/* by the folders' lists */
};

uint32_t
store_folder_validity(int dir)
{
	char			text[512];
	struct uidlist_head	h;
	struct cur		in;
	ssize_t			n = -1;
	int			fd;

	fd = openat(dir, "dovecot-uidlist", O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);
	if (fd != -1)
		n = fdio_read(fd, text, sizeof(text));
	fdio_close(&fd);
	if (n <= 0)
		return 0;
	in = cur_from((struct str){ text, (size_t)n });
	return uidlist_head(&in, &h) ? h.validity : 0;
}

static int
see(void *arg, int dir, const char *name)
{
	struct highest	*h = arg;
	uint32_t	 v = 0;
	int		 fd;

	if (strncmp(name, FILE_LAST ".", sizeof(FILE_LAST)) == 0 &&
	    strlen(name) == sizeof(FILE_LAST) + DIGITS) {
		if (hex(name + sizeof(FILE_LAST), &v) && v > h->file)
			h->file = v;
		return 0;
	}
	if (name[0] != '.' || (fd = fdio_opendir(dir, name)) == -1)
		return 0;
	v = store_folder_validity(fd);
	if (v > h->folder)
		h->folder = v;
	fdio_close(&fd);
	return 0;
}

static int
make(int root, uint32_t v)
{
	char	name[64];
	int	fd;

	name_of(v, name);
	fd = openat(root, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0444);
	if (fd == -1)
		return -1;
	fdio_close(&fd);
	note(root, v);
	return 0;
}

/* Nobody has given one yet: greater than those that are in use, and than a clock would have given before. */
static int
first(int root, uint32_t in_use, uint32_t *out)
{
	uint32_t	now = (uint32_t)now_real().tv_sec;

	if ((in_use = in_use > store_folder_validity(root) ? in_use :
	    store_folder_validity(root)) == UINT32_MAX) {
		errno = EOVERFLOW;
		return -1;
	}
	*out = in_use >= now ? in_use + 1 : now;
	return make(root, *out);
}

static int
next(int root, uint32_t last, uint32_t *out)
{
	char	from[64], to[64];

	if (last == UINT32_MAX) {
		errno = EOVERFLOW;
		return -1;
	}
	name_of(last, from);
	name_of(last + 1, to);
	if (renameat(root, from, root, to) == -1)
		return -1;
	*out = last + 1;
	note(root, *out);
	return 0;
}

static int
next_of(int root, uint32_t *out)
{
	struct highest	h;
	uint32_t	last = last_noted(root);
	int		i;

	for (i = 0; i < TRIES; i++) {
		if (last != 0 && next(root, last, out) == 0)
			return 0;
		if (last != 0 && errno != ENOENT)
			return -1;
		h = (struct highest){ 0, 0 };
		if (fdio_each(root, ".", see, &h) == -1)
			return -1;
		if ((last = h.file) == 0) {
			if (first(root, h.folder, out) == 0)
				return 0;
			if (errno != EEXIST)
				return -1;
		}
	}
	errno = EBUSY;
	return -1;
}

static int
raise_to(int root, uint32_t v)
{
	struct highest	h = { 0, 0 };
	char		name[64];

	if (v <= last_noted(root))
		return 0;
	if (fdio_each(root, ".", see, &h) == -1)
		return -1;
	if (v <= h.file)
		return 0;
	if (make(root, v) == -1 && errno != EEXIST)
		return -1;
	if (h.file == 0)
		return 0;
	name_of(h.file, name);
	return unlinkat(root, name, 0) == -1 && errno != ENOENT ? -1 : 0;
}

int
store_next_validity(struct store *s, uint32_t *out)
{
	return next_of(s->root, out);
}

int
store_raise_validity(struct store *s, uint32_t v)
{
	return raise_to(s->root, v);
}

int
store_validity_above(int root, uint32_t v, uint32_t *out)
{
	if (next_of(root, out) == -1)
		return -1;
	return *out > v ? 0 : raise_to(root, v) == -1 ? -1 :
	    next_of(root, out);
}
