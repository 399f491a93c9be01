/*
 * common/store/maildir_quota.c - how much lies in a Maildir and its folders:
 * counted from the names, which carry the sizes, so that no file tells
 * a wrong sum. A maildirsize file that others keep gets its line from us.
 */
#include "common/store/maildir.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/inside.h"

#define FILE_SIZE	"maildirsize"
#define SIZE_LONG	5120	/* bytes, by Maildir++ */

struct usage {
	uint64_t	bytes, count;
};

/* A folder without one of its directories has nothing in it. */
static int
each(int dir, const char *name, int (*one)(void *, int, const char *),
    void *arg)
{
	int	fd, r;

	if ((fd = inside_open(dir, name, O_RDONLY | O_DIRECTORY)) == -1)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	r = fdio_each_in(fd, one, arg);
	fdio_close(&fd);
	return r;
}

static int
count_file(void *arg, int dir, const char *name)
{
	struct usage	*u = arg;
	struct stat	 st;
	uint64_t	 size;

	if (name[0] == '.')
		return 0;
	if (!maildir_name_size(str_from(name), 'S', &size)) {
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
			return errno == ENOENT ? 0 : -1;
		size = (uint64_t)st.st_size;
	}
	/* names may lie; a sum must not come out small again */
	u->bytes += size;
	if (u->bytes > INT64_MAX)
		u->bytes = INT64_MAX;
	u->count++;
	return 0;
}

static int
count_folder(void *arg, int dir, const char *name)
{
	char	path[NAME_MAX + 8];

	/* Maildir++: folders are ".Name"; the others are the root's own. "..Name" is being deleted. */
	if (name[0] != '.' || name[1] == '.')
		return 0;
	snprintf(path, sizeof(path), "%s/cur", name);
	if (each(dir, path, count_file, arg) == -1)
		return -1;
	snprintf(path, sizeof(path), "%s/new", name);
	return each(dir, path, count_file, arg);
}

int
maildir_usage(const struct maildir *m, uint64_t *bytes, uint64_t *count)
{
	struct usage	u = { 0, 0 };

	if (each(m->root, "cur", count_file, &u) == -1 ||
	    each(m->root, "new", count_file, &u) == -1 ||
	    each(m->root, ".", count_folder, &u) == -1)
		return -1;
	*bytes = u.bytes;
	*count = u.count;
	return 0;
}

/* The first line, with its end, and the sum of all that follow. */
static int
text_anew(const struct maildir *m, int fd, char *text, size_t size)
{
	uint64_t	 bytes, count;
	char		 old[256], *end;
	ssize_t		 n;
	int		 len;

	if ((n = pread(fd, old, sizeof(old), 0)) <= 0 ||
	    (end = memchr(old, '\n', (size_t)n)) == NULL ||
	    maildir_usage(m, &bytes, &count) == -1)
		return -1;
	len = snprintf(text, size, "%.*s%" PRIu64 " %" PRIu64 "\n",
	    (int)(end + 1 - old), old, bytes, count);
	return len > 0 && (size_t)len < size ? len : -1;
}

/*
 * As the others do when it has become long: counted anew, by a file of that name in tmp. What others append meanwhile is
 * lost to the sum, which they count anew themselves when it matters. Nothing is said if it cannot be done.
 */
static void
size_anew(const struct maildir *m, int fd)
{
	struct stat	st;
	char		text[512], name[64];
	int		n, out;

	if (fstat(fd, &st) == -1 || st.st_size < SIZE_LONG ||
	    (n = text_anew(m, fd, text, sizeof(text))) == -1)
		return;
	snprintf(name, sizeof(name), "tmp/posthouse-maildirsize.%ld",
	    (long)getpid());
	out = openat(m->root, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    st.st_mode & 0666);
	if (out == -1)
		return;
	if (fdio_write(out, text, (size_t)n) == -1 ||
	    renameat(m->root, name, m->root, FILE_SIZE) == -1)
		unlinkat(m->root, name, 0);
	fdio_close(&out);
}

void
maildir_usage_add(const struct maildir *m, int64_t bytes, int64_t count)
{
	char	line[64];
	int	fd, n, saved = errno;

	fd = openat(m->root, FILE_SIZE, O_RDWR | O_APPEND | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK);
	if (fd != -1) {
		n = snprintf(line, sizeof(line), "%lld %lld\n",
		    (long long)bytes, (long long)count);
		/* Those who keep the file count anew when it seems wrong. */
		if (fdio_write(fd, line, (size_t)n) == 0)
			size_anew(m, fd);
		fdio_close(&fd);
	}
	errno = saved;
}
