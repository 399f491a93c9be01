/*
 * master/watch.c - files that change while we run (a certificate was renewed):
 * looked at every few seconds, by name, and acted on once they have come to
 * rest. What they say is not read here.
 */
#include "master/master.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

/*
 * Twice this and the new certificate is in use. Whoever renews writes the
 * certificate and the key one after the other: nothing is done while there
 * was a change since the last look.
 */
#define WATCH_MS	5000

static const struct {
	const char	*name;
	bool		(*run)(struct master *);	/* false: not now */
} actions[WATCH_COUNT] = {
	[WATCH_CERTIFICATES] = { "certificates", tell_keys },
	[WATCH_LISTENERS] = { "tls.client-ca", tell_listeners },
	[WATCH_USERS] = { "users", tables_compile }
};

/* A file that is not there has a stamp of zeros. */
static void
look(const char *path, struct stamp *out)
{
	struct stat	st;

	memset(out, 0, sizeof(*out));
	if (stat(path, &st) == -1)
		return;
	out->dev = st.st_dev;
	out->ino = st.st_ino;
	out->size = st.st_size;
	out->written = st.st_mtim;
	out->changed = st.st_ctim;
}

static bool
same(const struct stamp *a, const struct stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	    a->written.tv_sec == b->written.tv_sec &&
	    a->written.tv_nsec == b->written.tv_nsec &&
	    a->changed.tv_sec == b->changed.tv_sec &&
	    a->changed.tv_nsec == b->changed.tv_nsec;
}

void
watch_forget(struct watch *w)
{
	size_t	i;

	for (i = 0; i < w->n; i++)
		free(w->files[i].path);
	free(w->files);
	memset(w, 0, sizeof(*w));
}

static int
add(struct watch *w, const char *path, enum watch_action action)
{
	struct watched	*more;

	if (w->n == WATCH_FILES)
		return 0;
	if ((more = reallocarray(w->files, w->n + 1, sizeof(*more))) == NULL)
		return -1;
	w->files = more;
	more[w->n].action = action;
	look(path, &more[w->n].seen);
	more[w->n].path = strdup(path);
	return more[w->n++].path == NULL ? -1 : 0;
}

/* A database in its WAL mode has what is new in a file beside it. */
static int
add_users(struct watch *w, const struct settings *s)
{
	const char	*file;
	char		 wal[PATH_SIZE];
	size_t		 i;

	for (i = 0; (file = settings_users_file(s, i)) != NULL; i++)
		if (add(w, file, WATCH_USERS) == -1 ||
		    ((size_t)snprintf(wal, sizeof(wal), "%s-wal", file) <
		    sizeof(wal) && add(w, wal, WATCH_USERS) == -1))
			return -1;
	return 0;
}

static int
add_all(struct watch *w, const struct settings *s)
{
	char	path[PATH_SIZE];
	size_t	i, kind;

	for (i = 0; i < certificates_count(s); i++)
		for (kind = 0; kind < CERTIFICATE_FILES; kind++)
			if (certificates_path(s, i, kind, path,
			    sizeof(path)) == -1 ||
			    add(w, path, WATCH_CERTIFICATES) == -1)
				return -1;
	if (add_users(w, s) == -1)
		return -1;
	if (*s->tls.client_ca == '\0')
		return 0;
	return add(w, s->tls.client_ca, WATCH_LISTENERS);
}

void
watch_begin(struct watch *w, const struct settings *s, int64_t now)
{
	watch_forget(w);
	w->due = now + WATCH_MS;
	if (add_all(w, s) == -1) {
		log_error("watch why=\"%s\"", strerror(errno));
		watch_forget(w);
		w->due = INT64_MAX;
	}
}

void
watch_time(struct master *m, int64_t now)
{
	struct watch	*w = &m->watch;
	struct stamp	 stamp;
	bool		 moving[WATCH_COUNT] = { false };
	size_t		 i;

	if (now < w->due || m->stopping)
		return;
	w->due = now + WATCH_MS;
	for (i = 0; i < w->n; i++) {
		look(w->files[i].path, &stamp);
		if (same(&stamp, &w->files[i].seen))
			continue;
		w->files[i].seen = stamp;
		moving[w->files[i].action] = true;
		w->wanted[w->files[i].action] = true;
	}
	for (i = 0; i < WATCH_COUNT; i++) {
		if (!w->wanted[i] || moving[i] || !actions[i].run(m))
			continue;
		w->wanted[i] = false;
		log_info("changed files=%s", actions[i].name);
	}
}
