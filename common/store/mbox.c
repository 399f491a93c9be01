/*
 * common/store/mbox.c - appends to an mbox file, as the mailbox's user, beside
 * other programs: the dot-lock is for those that use it, the fcntl lock for
 * the others. The file grows by a whole message or not at all.
 */
#include "common/store/mbox.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/fmt/date.h"
#include "common/fmt/mboxrd.h"

#define LOCK_POLL_MS	100
#define LOCK_STALE_S	300	/* a dot-lock whose owner is taken for dead */
#define PATH_LEN	4096
#define READ_SIZE	65536u
#define OUT_MAX		(READ_SIZE * 4)	/* what is not flushed yet, and a line */

struct append {
	int		fd;
	struct buf	out;
	bool		bol;	/* at the beginning of a line */
};

static int
lock_name(const char *path, char out[PATH_LEN])
{
	if ((size_t)snprintf(out, PATH_LEN, "%s.lock", path) >= PATH_LEN) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

/* A lock that nobody has touched for long goes; the winner of a race has made a new one. */
static void
break_stale(const char *lock)
{
	struct stat	st;

	if (lstat(lock, &st) == 0 &&
	    now_real_ms() / 1000 - (int64_t)st.st_mtim.tv_sec > LOCK_STALE_S)
		unlink(lock);
}

/* 1: locked; 0: no right to make one (a mail spool of root's: fcntl must do); -1: errno. */
static int
dot_lock(const char *lock, int64_t deadline)
{
	char	pid[32];
	int	fd, n;

	for (;;) {
		fd = open(lock, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
		    O_NOFOLLOW, 0600);
		if (fd != -1) {
			n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
			if (fdio_write(fd, pid, (size_t)n) == -1)
				n = -1;
			fdio_close(&fd);
			if (n != -1)
				return 1;
			unlink(lock);
			return -1;
		}
		if (errno == EACCES || errno == EPERM)
			return 0;
		if (errno != EEXIST)
			return -1;
		break_stale(lock);
		if (now_ms() >= deadline) {
			errno = ETIMEDOUT;
			return -1;
		}
		poll(NULL, 0, LOCK_POLL_MS);
	}
}

static int
file_lock(int fd, int64_t deadline)
{
	struct flock	l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	while (fcntl(fd, F_SETLK, &l) == -1) {
		if (errno != EACCES && errno != EAGAIN && errno != EINTR)
			return -1;
		if (now_ms() >= deadline) {
			errno = ETIMEDOUT;
			return -1;
		}
		poll(NULL, 0, LOCK_POLL_MS);
	}
	return 0;
}

static int
flush(struct append *a)
{
	int	r = fdio_write(a->fd, a->out.p, a->out.n);

	buf_reset(&a->out);
	return r;
}

/* A line of a body or header: its first bytes decide whether it is quoted. */
static int
put_line(struct append *a, struct str line)
{
	if (a->bol && mboxrd_is_from(line) && buf_addc(&a->out, '>') == -1)
		return -1;
	return buf_addstr(&a->out, line);
}

/*
 * All complete lines of in, and with last the rest, too; CRLF becomes LF.
 * *used: how much of it.
 */
static int
put_lines(struct append *a, struct str in, bool last, size_t *used)
{
	const char	*lf;
	struct str	 line;
	size_t		 n;

	*used = 0;
	while (in.n > 0) {
		lf = memchr(in.p, '\n', in.n);
		if (lf == NULL && !last && in.n < READ_SIZE)
			break;
		n = lf == NULL ? in.n : (size_t)(lf - in.p) + 1;
		/* the LF of this CR may come with the next piece */
		if (lf == NULL && !last && in.p[n - 1] == '\r')
			n--;
		line = (struct str){ in.p, lf == NULL ? n : n - 1 };
		if (lf != NULL && line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (put_line(a, line) == -1)
			return -1;
		a->bol = lf != NULL;
		if (a->bol && buf_addc(&a->out, '\n') == -1)
			return -1;
		in.p += n;
		in.n -= n;
		*used += n;
		if (a->out.n > READ_SIZE && flush(a) == -1)
			return -1;
	}
	return 0;
}

static int
put_content(struct append *a, int fd, off_t at, off_t len)
{
	struct buf	in;
	size_t		want, used;
	ssize_t		got;
	int		r = 0;

	buf_init(&in, READ_SIZE * 2);
	a->bol = true;
	while (r == 0 && len > 0) {
		want = len < (off_t)READ_SIZE ? (size_t)len : READ_SIZE;
		if ((r = buf_reserve(&in, want)) == -1)
			break;
		got = fdio_pread(fd, in.p + in.n, want, at);
		if (got <= 0) {
			if (got == 0)
				errno = EIO;	/* shorter than it was */
			r = -1;
			break;
		}
		in.n += (size_t)got;
		at += got;
		len -= got;
		r = put_lines(a, buf_view(&in), len == 0, &used);
		buf_consume(&in, used);
	}
	buf_free(&in);
	if (r == 0 && !a->bol)
		r = buf_addc(&a->out, '\n');
	return r;
}

static int
put_message(struct append *a, const char *sender, int64_t now, struct str head,
    int fd, off_t at, off_t len)
{
	char	date[DATE_SIZE];

	if (date_format_mbox(now, date) == -1)
		return -1;
	buf_addf(&a->out, "From %s %s\n",
	    *sender == '\0' ? "MAILER-DAEMON" : sender, date);
	buf_addstr(&a->out, head);
	if (!buf_ok(&a->out) || put_content(a, fd, at, len) == -1 ||
	    buf_addc(&a->out, '\n') == -1)
		return -1;
	return flush(a);
}

/* A file that does not end with an empty line would swallow ours. */
static int
separate(struct append *a, off_t size)
{
	char	tail[2];
	ssize_t	n = size < 2 ? (ssize_t)size : 2;

	if (size == 0)
		return 0;
	if (fdio_pread(a->fd, tail, (size_t)n, size - n) != n)
		return -1;
	if (tail[n - 1] != '\n')
		return buf_adds(&a->out, "\n\n");
	return n == 2 && tail[0] != '\n' ? buf_addc(&a->out, '\n') : 0;
}

static int
append_locked(struct append *a, const char *sender, int64_t now,
    struct str head, int fd, off_t at, off_t len)
{
	struct stat	st;
	int		saved;

	if (fstat(a->fd, &st) == -1 || lseek(a->fd, 0, SEEK_END) == -1)
		return -1;
	if (separate(a, st.st_size) == 0 &&
	    put_message(a, sender, now, head, fd, at, len) == 0 &&
	    fsync(a->fd) == 0)
		return 0;
	saved = errno;
	if (ftruncate(a->fd, st.st_size) == -1)
		saved = EIO;
	errno = saved;
	return -1;
}

/* The user's own regular file, reached without a link. */
static int
open_box(const char *path)
{
	struct stat	st;
	int		fd;

	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY |
	    O_NONBLOCK, 0600);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1)
		fdio_close(&fd);
	else if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    st.st_nlink != 1) {
		fdio_close(&fd);
		errno = EPERM;
	}
	return fd;
}

/*
 * Locked, and still under its name: who writes a box anew puts another file
 * in its place while we wait, and mail would go into one without a name.
 */
static int
open_locked(const char *path, int64_t deadline, bool *fresh)
{
	struct stat	here, there;
	int		fd;

	for (;;) {
		*fresh = lstat(path, &there) == -1;
		if ((fd = open_box(path)) == -1)
			return -1;
		if (file_lock(fd, deadline) == -1 || fstat(fd, &here) == -1)
			break;
		if (lstat(path, &there) == 0 && here.st_ino == there.st_ino &&
		    here.st_dev == there.st_dev)
			return fd;
		if (now_ms() >= deadline) {
			errno = ETIMEDOUT;
			break;
		}
		fdio_close(&fd);
	}
	fdio_close(&fd);
	return -1;
}

/* A new file's name has to survive, too. */
static int
flush_dir(const char *path)
{
	char		 dir[PATH_LEN];
	const char	*slash = strrchr(path, '/');
	int		 fd, r;

	if (slash == NULL)
		strlcpy(dir, ".", sizeof(dir));
	else if (str_copy(dir, sizeof(dir), (struct str){ path,
	    slash == path ? 1 : (size_t)(slash - path) }) == -1)
		return -1;
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	r = fsync(fd);
	fdio_close(&fd);
	return r;
}

int
mbox_append(const char *path, const char *sender, int64_t now, struct str head,
    int fd, off_t at, off_t len, int64_t lock_timeout_ms, struct diag *why)
{
	struct append	a = { .fd = -1, .bol = true };
	char		lock[PATH_LEN];
	int64_t		deadline = now_ms() + lock_timeout_ms;
	int		locked, r = -1, saved;
	bool		fresh;

	if (lock_name(path, lock) == -1)
		return diag_errno(why, "%s", path);
	if ((locked = dot_lock(lock, deadline)) == -1)
		return diag_errno(why, "%s", lock);
	buf_init(&a.out, OUT_MAX);
	if ((a.fd = open_locked(path, deadline, &fresh)) != -1)
		r = append_locked(&a, sender, now, head, fd, at, len);
	if (r == 0 && fresh)
		r = flush_dir(path);
	if (r == -1)
		diag_errno(why, "%s", path);
	saved = errno;
	fdio_close(&a.fd);	/* and with it the lock */
	buf_free(&a.out);
	if (locked == 1)
		unlink(lock);
	errno = saved;
	return r;
}
