/*
 * common/store/maildir.c - delivery into a Maildir, as the mailbox's user.
 * Other programs work in the same directories at the same time; only names
 * are relied on, no locks.
 */
#include "common/store/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/inside.h"
#include "common/base/now.h"
#include "common/store/mode.h"

#define BATCH_MAX	64
#define NAME_TRIES	8

/* The directory that holds the name, which may be a path. */
static int
flush_parent(int at, const char *name)
{
	char		 dir[4096];
	const char	*slash = strrchr(name, '/');
	int		 fd, r;

	if (slash == NULL)
		strlcpy(dir, ".", sizeof(dir));
	else if (str_copy(dir, sizeof(dir), (struct str){ name,
	    slash == name ? 1 : (size_t)(slash - name) }) == -1)
		return -1;
	if ((fd = openat(at, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	r = fsync(fd);
	fdio_close(&fd);
	return r;
}

/* A directory that this program made is worth a flush of its parent. */
static int
make_dir(int parent, const char *name, struct diag *why)
{
	if (mkdirat(parent, name, 0700) == 0) {
		if (flush_parent(parent, name) == -1)
			return diag_errno(why, "flush the parent of %s", name);
		return 0;
	}
	if (errno != EEXIST)
		return diag_errno(why, "make directory %s", name);
	return 0;
}

/* The Maildir itself is where its name leads; what is in it is there. */
static int
open_one(int parent, const char *name, bool inside)
{
	const int	how = O_RDONLY | O_DIRECTORY;

	return inside ? inside_open(parent, name, how) :
	    openat(parent, name, how | O_CLOEXEC);
}

static int
open_dir(int parent, const char *name, bool inside, bool create,
    struct diag *why)
{
	int	fd;

	/* It is there but for the first time. */
	fd = open_one(parent, name, inside);
	if (fd == -1 && errno == ENOENT && create) {
		if (make_dir(parent, name, why) == -1)
			return -1;
		fd = open_one(parent, name, inside);
	}
	return fd == -1 ? diag_errno(why, "open directory %s", name) : fd;
}

/* Maildir++: folder "Work.Lists" is ".Work.Lists" with an empty maildirfolder. */
static int
open_folder(int root, const char *folder, bool create, struct diag *why)
{
	char	name[MAILDIR_FOLDER_MAX + 2];
	int	fd, mark;

	if (!(create ? maildir_folder_ok : maildir_folder_found)(folder)) {
		errno = EINVAL;
		return diag_set(why, "%s is no name for a folder", folder);
	}
	snprintf(name, sizeof(name), ".%s", folder);
	if ((fd = open_dir(root, name, true, create, why)) == -1 || !create)
		return fd;
	mark = openat(fd, "maildirfolder", O_WRONLY | O_CREAT | O_CLOEXEC |
	    O_NONBLOCK, 0600);
	if (mark == -1) {
		diag_errno(why, "make %s/maildirfolder", name);
		fdio_close(&fd);
		return -1;
	}
	fdio_close(&mark);
	return fd;
}

static int
open_parts(struct maildir *m, bool create, struct diag *why)
{
	/* who only reads has no use for it */
	if (create &&
	    (m->tmp = open_dir(m->root, "tmp", true, create, why)) == -1)
		return -1;
	if ((m->new = open_dir(m->root, "new", true, create, why)) == -1 ||
	    (m->cur = open_dir(m->root, "cur", true, create, why)) == -1)
		return -1;
	return 0;
}

static int
open_root(int dirfd, const char *path, const char *folder, bool create,
    struct diag *why)
{
	int	root, fd;

	if (folder[0] == '\0')
		return open_dir(dirfd, path, false, create, why);
	if (strcmp(path, ".") == 0)
		return open_folder(dirfd, folder, create, why);
	if ((root = open_dir(dirfd, path, false, create, why)) == -1)
		return -1;
	fd = open_folder(root, folder, create, why);
	fdio_close(&root);
	return fd;
}

int
maildir_open_to_read(struct maildir *m, int dirfd, const char *path,
    const char *folder, bool create, struct diag *why)
{
	*m = (struct maildir){ .root = -1, .tmp = -1, .new = -1, .cur = -1,
	    .how = DURABLE_STRICT };
	if ((m->root = open_root(dirfd, path, folder, create, why)) == -1)
		return -1;
	if (open_parts(m, create, why) == 0)
		return 0;
	maildir_close(m);
	return -1;
}

int
maildir_open(struct maildir *m, int dirfd, const char *path,
    const char *folder, bool create, struct diag *why)
{
	if (maildir_open_to_read(m, dirfd, path, folder, create, why) == -1)
		return -1;
	if (m->tmp == -1 &&
	    (m->tmp = open_dir(m->root, "tmp", true, create, why)) == -1) {
		maildir_close(m);
		return -1;
	}
	m->how = durable_for(m->new, false);
	return 0;
}

void
maildir_close(struct maildir *m)
{
	fdio_close(&m->root);
	fdio_close(&m->tmp);
	fdio_close(&m->new);
	fdio_close(&m->cur);
	flush_close(&m->flush);
}

/* '/' and ':' mean something in a Maildir's names; the usual octal escape. */
static void
escape_host(const char *host, char *dst, size_t size)
{
	size_t	n = 0;

	for (; *host != '\0' && n + 5 < size && n < 64; host++) {
		if (*host == '/' || *host == ':' || *host == ',' ||
		    (unsigned char)*host <= ' ')
			n += (size_t)snprintf(dst + n, size - n, "\\%03o",
			    (unsigned char)*host);
		else
			dst[n++] = *host;
	}
	dst[n] = '\0';
}

/* No two of a process have the same: by their names they come in the order in which they were made. */
static int64_t
next_microsecond(void)
{
	static int64_t	last;
	struct timespec	ts = now_real();
	int64_t		now = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;

	/* a clock that was set back is right all the same */
	last = now > last || last - now >= 1000000 ? now : last + 1;
	return last;
}

void
maildir_unique(const char *host, char name[MAILDIR_TMP_MAX + 1])
{
	int64_t	now = next_microsecond();
	char	safe[80];

	escape_host(host, safe, sizeof(safe));
	snprintf(name, MAILDIR_TMP_MAX + 1, "%lld.M%06dP%dR%08x.%s",
	    (long long)(now / 1000000), (int)(now % 1000000), (int)getpid(),
	    arc4random(), safe);
}

int
maildir_begin(const struct maildir *m, const char *host,
    struct maildir_draft *d)
{
	int	i;

	d->size = d->wire = 0;
	for (i = 0; i < NAME_TRIES; i++) {
		maildir_unique(host, d->name);
		d->fd = openat(m->tmp, d->name, O_RDWR | O_CREAT | O_EXCL |
		    O_CLOEXEC | O_NOFOLLOW, 0600);
		if (d->fd != -1 && mode_share(m->tmp, d->fd) == 0)
			return 0;
		if (d->fd != -1) {
			maildir_abort(m, d);
			return -1;
		}
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

/* The final name carries the sizes, as Maildir++ and Dovecot read them. */
int
maildir_final_name(const char *unique, off_t size, off_t wire,
    const char *info, char name[MAILDIR_NAME_MAX + 1])
{
	char	octets[32] = "";
	int	n;

	/* so that POP3 and IMAP need not read the file to tell its size */
	if (wire > 0)
		snprintf(octets, sizeof(octets), ",W=%lld", (long long)wire);
	n = snprintf(name, MAILDIR_NAME_MAX + 1, "%s,S=%lld%s%s", unique,
	    (long long)size, octets, info);
	if (n <= MAILDIR_NAME_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

static int
publish(const struct maildir *m, const struct maildir_draft *d)
{
	char	name[MAILDIR_NAME_MAX + 1];

	if (maildir_final_name(d->name, d->size, d->wire, "", name) == -1)
		return -1;
	return renameat(m->tmp, d->name, m->new, name);
}

/* Nobody was told that these are safe: they go, as far as they can. */
static void
take_back(const struct maildir *m, const struct maildir_draft *d, size_t n,
    size_t published)
{
	char	name[MAILDIR_NAME_MAX + 1];
	int	saved = errno;
	size_t	i;

	for (i = 0; i < n; i++) {
		if (i < published && maildir_final_name(d[i].name, d[i].size,
		    d[i].wire, "", name) == 0)
			unlinkat(m->new, name, 0);
		else
			unlinkat(m->tmp, d[i].name, 0);
	}
	errno = saved;
}

static int
commit(struct maildir *m, struct maildir_draft *d, size_t n,
    size_t *published)
{
	struct stat	st;
	int		fds[BATCH_MAX];
	size_t		i;

	for (i = 0; i < n; i++)
		durable_begin(m->how, d[i].fd);
	for (i = 0; i < n; i++) {
		if (fstat(d[i].fd, &st) == -1 ||
		    durable_data(m->how, d[i].fd) == -1)
			return -1;
		d[i].size = st.st_size;
		fds[i] = d[i].fd;
	}
	for (i = 0; i < n; i++, (*published)++)
		if (publish(m, &d[i]) == -1)
			return -1;
	return durable_names(m->how, &m->flush, m->new, fds, n);
}

int
maildir_commit(struct maildir *m, struct maildir_draft *d, size_t n)
{
	size_t	published = 0, i;
	int	r;

	if (n > BATCH_MAX) {
		errno = E2BIG;
		r = -1;
	} else
		r = commit(m, d, n, &published);
	if (r == -1)
		take_back(m, d, n, published);
	for (i = 0; i < n; i++)
		fdio_close(&d[i].fd);
	return r;
}

void
maildir_withdraw(const struct maildir *m, const struct maildir_draft *d,
    size_t n)
{
	take_back(m, d, n, n);
}

void
maildir_abort(const struct maildir *m, struct maildir_draft *d)
{
	int	saved = errno;

	if (d->fd == -1)
		return;
	unlinkat(m->tmp, d->name, 0);
	fdio_close(&d->fd);
	errno = saved;
}
