/* route/hop_watch.c - changes of files that cannot be reached any more. */
#include "route/hop_watch.h"

#include <sys/inotify.h>

#include <errno.h>
#include <limits.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"

#define EVENTS		(IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE)
#define PLACES		(3 * HOP_WATCH_FILES)

/* A directory and a name in it, or with "" the file itself (which may be mounted there). */
struct place {
	int		 wd;
	const char	*path;
	char		 name[NAME_MAX + 1];
};

struct hop_watch {
	int		fd;
	struct place	places[PLACES];
	size_t		n;
};

static int
add(struct hop_watch *w, const char *at, const char *name, const char *path)
{
	struct place	*p = &w->places[w->n];

	if ((p->wd = inotify_add_watch(w->fd, at, EVENTS)) == -1)
		return -1;
	p->path = path;
	strlcpy(p->name, name, sizeof(p->name));
	w->n++;
	return 0;
}

static int
add_dir(struct hop_watch *w, const char *file, const char *path)
{
	char	dir[PATH_MAX];
	char	*slash;

	if (strlcpy(dir, file, sizeof(dir)) >= sizeof(dir) ||
	    (slash = strrchr(dir, '/')) == NULL) {
		errno = EINVAL;
		return -1;
	}
	*slash = '\0';
	return add(w, slash == dir ? "/" : dir, slash + 1, path);
}

/* A place that may not be there yet: else the first one missing on the way to it. */
static int
add_place(struct hop_watch *w, char *at, const char *path)
{
	while (add_dir(w, at, path) == -1) {
		if (errno != ENOENT)
			return -1;
		*strrchr(at, '/') = '\0';
	}
	return 0;
}

/* A link may lead to what is made later, when another service begins. */
static int
add_missing(struct hop_watch *w, const char *path)
{
	char	at[PATH_MAX], to[PATH_MAX];
	ssize_t	n = readlink(path, to, sizeof(to) - 1);
	int	dir = 0;

	if (n == -1)
		return 0;		/* no link: its name is watched */
	to[n] = '\0';
	if (*to != '/')
		dir = (int)(strrchr(path, '/') - path) + 1;
	if (snprintf(at, sizeof(at), "%.*s%s", dir, path, to) >=
	    (int)sizeof(at)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return add_place(w, at, path);
}

/* Where the name is, where it leads, and the file itself. */
static int
add_file(struct hop_watch *w, const char *path)
{
	char	*real;
	int	 r;

	if (add_dir(w, path, path) == -1)
		return -1;
	if ((real = realpath(path, NULL)) == NULL)
		return add_missing(w, path);
	r = strcmp(real, path) == 0 ? 0 : add_dir(w, real, path);
	if (r == 0)
		r = add(w, real, "", path);
	free(real);
	return r;
}

int
hop_watch_new(struct hop_watch **out, const char *const *paths, size_t n)
{
	struct hop_watch	*w;
	size_t			 i;

	*out = NULL;
	if (n > HOP_WATCH_FILES) {
		errno = EINVAL;
		return -1;
	}
	if ((w = calloc(1, sizeof(*w))) == NULL)
		return -1;
	*out = w;
	if ((w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) == -1)
		goto fail;
	for (i = 0; i < n; i++)
		if (add_file(w, paths[i]) == -1)
			goto fail;
	return 0;
fail:
	hop_watch_free(out);
	return -1;
}

void
hop_watch_free(struct hop_watch **wp)
{
	if (*wp == NULL)
		return;
	fdio_close(&(*wp)->fd);
	free(*wp);
	*wp = NULL;
}

int
hop_watch_fd(const struct hop_watch *w)
{
	return w->fd;
}

static const char *
find(const struct hop_watch *w, const struct inotify_event *e)
{
	const char	*name = e->len > 0 ? e->name : "";
	size_t		 i;

	for (i = 0; i < w->n; i++)
		if (w->places[i].wd == e->wd &&
		    strcmp(w->places[i].name, name) == 0)
			return w->places[i].path;
	return NULL;
}

const char *
hop_watch_changed(struct hop_watch *w)
{
	alignas(struct inotify_event) char	 buf[4096];
	const struct inotify_event		*e;
	const char				*path = NULL, *found;
	ssize_t					 n, at;

	while ((n = read(w->fd, buf, sizeof(buf))) > 0)
		for (at = 0; at < n; at += (ssize_t)(sizeof(*e) + e->len)) {
			e = (const struct inotify_event *)(const void *)
			    (buf + at);
			if ((found = find(w, e)) != NULL)
				path = found;
		}
	return path;
}
