/*
 * common/store/spool_check.c - what lies in a spool at rest: drafts, torn
 * files, wrong places, times, status files. Run as ph-queue.
 */
#include "common/store/spool_check.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/store/spool_check_impl.h"

#define DROP_DRAFT_MS	(36 * 3600 * 1000LL)	/* a user may be writing it just now */

static void
say(const struct looking *l, const char *name, const char *what,
    const char *done)
{
	char	path[512];

	snprintf(path, sizeof(path), "%s/%s%s%s", l->name, l->below,
	    l->below[0] == '\0' ? "" : "/", name);
	l->c->say(l->c->arg, path, what, done);
}

void
spool_check_done(const struct looking *l, const char *name, int r, const char *what,
    const char *done)
{
	char	text[256];

	if (r == 0) {
		say(l, name, what, done);
		return;
	}
	snprintf(text, sizeof(text), "%s, and that could not be put right: %s",
	    what, strerror(errno));
	say(l, name, text, NULL);
}

/* ---- messages */

static int
load(int dir, const char *name, struct envelope *env, struct diag *why)
{
	int	fd, r;

	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC |
	    O_NONBLOCK | O_NOCTTY);
	if (fd == -1)
		return diag_errno(why, "open");
	r = envelope_load(fd, env, why);
	fdio_close(&fd);
	if (r == 0 && strcmp(env->id, name) != 0) {
		r = diag_set(why, "it says it is %s", env->id);
		envelope_free(env);
		errno = EBADMSG;
	}
	return r;
}

static int
to_corrupt(const struct looking *l, int dir, const char *name)
{
	return l->c->repair ? spool_rename(l->s, dir, name, l->s->corrupt,
	    name, false, false) : 0;
}

static void
check_due(const struct looking *l, int dir, const char *name)
{
	struct timespec	ts[2] = { { 0, UTIME_OMIT }, { 0, UTIME_NOW } };
	struct stat	st;

	if (l->place != SPOOL_QUEUE ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    (int64_t)st.st_mtim.tv_sec * 1000 <= l->c->latest_ms)
		return;
	spool_check_done(l, name, l->c->repair ? utimensat(dir, name, ts,
	    AT_SYMLINK_NOFOLLOW) : 0, "would wait for long after its time",
	    "made due now");
}

/* A message of queue/ must lie where its name says. False: it does not any more. */
static bool
check_shard(const struct looking *l, int dir, const char *name, struct id id)
{
	char	path[NAME_SIZE];
	int	r;

	spool_sharded(id, path);
	if (l->place != SPOOL_QUEUE ||
	    strncmp(path, l->below, SHARD_LEN) == 0)
		return true;
	r = l->c->repair ? spool_rename(l->s, dir, name, l->s->queue, path,
	    true, false) : 0;
	if (r == 0) {
		say(l, name, "lies where nobody looks for it",
		    "moved to its directory");
		return false;
	}
	spool_check_done(l, name, errno == EEXIST ? to_corrupt(l, dir, name) : -1,
	    "lies where nobody looks for it, and another one of its name does",
	    "moved to corrupt");
	return false;
}

static int
check_message(const struct looking *l, int dir, const char *name)
{
	struct envelope	env;
	struct diag	why = { "" };
	struct id	id;

	if (!id_parse(str_from(name), &id)) {
		say(l, name, "is no name of a message", NULL);
		return 0;
	}
	if (load(dir, name, &env, &why) == 0) {
		envelope_free(&env);
		if (check_shard(l, dir, name, id))
			check_due(l, dir, name);
	} else if (errno == EBADMSG || errno == ELOOP)
		spool_check_done(l, name, to_corrupt(l, dir, name), why.text,
		    "moved to corrupt");
	else if (errno != ENOENT)
		say(l, name, why.text, NULL);
	return 0;
}

/* The names in a directory of a sharded place; what cannot be read is told of. */
static void
look_below(const struct looking *l, int dir, const char *name,
    int (*one)(const struct scan *, int, const char *))
{
	struct looking		below = *l;
	const struct scan	inner = { .arg = &below };
	int			fd;

	below.below = name;
	if ((fd = fdio_opendir(dir, name)) == -1 ||
	    spool_each_name(fd, one, &inner) == -1)
		say(l, name, strerror(errno), NULL);
	fdio_close(&fd);
}

/* Names of a directory, and, of the sharded ones, of those below. */
static int
each(const struct scan *scan, int dir, const char *name)
{
	const struct looking	*l = scan->arg;
	struct stat		 st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return 0;
	if (!S_ISDIR(st.st_mode))
		return check_message(l, dir, name);
	if (l->place == SPOOL_QUEUE && l->below[0] == '\0' &&
	    strlen(name) == SHARD_LEN)
		look_below(l, dir, name, each);
	else
		say(l, name, "is a directory that does not belong here", NULL);
	return 0;
}

/* ---- drafts */

static int
verify(int dir, const char *name)
{
	struct envelope	env;
	struct diag	why;
	int		fd, r = -1;

	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC |
	    O_NONBLOCK | O_NOCTTY);
	if (fd != -1 && envelope_load(fd, &env, &why) == 0) {
		r = envelope_verify(fd, &env, &why);
		envelope_free(&env);
	}
	fdio_close(&fd);
	return r;
}

/* In queue's own tmp lies what was being written anew: the old file is there, or this is all that is left. */
static int
check_draft(const struct scan *scan, int dir, const char *name)
{
	const struct looking	*l = scan->arg;
	struct envelope		 env;
	struct diag		 why;
	struct id		 id;
	char			 path[NAME_SIZE];
	int			 r = 0;

	if (!id_parse(str_from(name), &id)) {
		say(l, name, "is no name of a message", NULL);
		return 0;
	}
	if (load(dir, name, &env, &why) == -1 ||
	    spool_has(l->s, SPOOL_QUEUE, id) ||
	    spool_has(l->s, SPOOL_HOLD, id) ||
	    spool_has(l->s, SPOOL_INCOMING, id)) {
		if (l->c->repair)
			r = unlinkat(dir, name, 0);
		spool_check_done(l, name, r, "is a left draft", "removed");
		return 0;
	}
	envelope_free(&env);
	/* It has a beginning and an end; the power may have failed before the rest was written. */
	if (verify(dir, name) == -1) {
		spool_check_done(l, name, to_corrupt(l, dir, name),
		    "is damaged, and in no other place", "moved to corrupt");
		return 0;
	}
	spool_sharded(id, path);
	if (l->c->repair)
		r = spool_rename(l->s, dir, name, l->s->queue, path, true,
		    false);
	spool_check_done(l, name, r, "is whole, and in no other place",
	    "moved to queue");
	return 0;
}

static int
check_drafts(const struct looking *l, const char *tmp, int64_t age_ms)
{
	struct spool_check	c = *l->c;
	char			text[64];
	int			fd, n;

	if (!c.repair)
		return 0;
	if ((fd = fdio_opendir(l->s->root, tmp)) == -1 ||
	    (n = spool_clean_tmp(fd, c.now_ms, age_ms)) == -1) {
		fdio_close(&fd);
		return -1;
	}
	fdio_close(&fd);
	if (n > 0) {
		snprintf(text, sizeof(text), "%d left draft%s", n,
		    n == 1 ? "" : "s");
		c.say(c.arg, tmp, text, "removed");
	}
	return 0;
}

/* ---- status files */

static int
check_status(const struct scan *scan, int dir, const char *name)
{
	const struct looking	*l = scan->arg;
	struct id		 id;
	char			 path[NAME_SIZE];
	int			 r = 0;

	if (!id_parse(str_from(name), &id)) {
		say(l, name, "is no name of a message", NULL);
		return 0;
	}
	spool_sharded(id, path);
	if (strncmp(path, l->below, SHARD_LEN) != 0) {
		if (l->c->repair)
			r = spool_rename(l->s, dir, name, l->s->status, path,
			    true, false);
		spool_check_done(l, name, r, "lies where nobody looks for it",
		    "moved to its directory");
	} else if (!spool_has(l->s, SPOOL_QUEUE, id) &&
	    !spool_has(l->s, SPOOL_HOLD, id) &&
	    !spool_has(l->s, SPOOL_INCOMING, id) &&
	    !spool_has(l->s, SPOOL_CORRUPT, id)) {
		if (l->c->repair)
			r = unlinkat(dir, name, 0);
		spool_check_done(l, name, r, "is the history of no message",
		    "removed");
	}
	return 0;
}

static int
check_status_shard(const struct scan *scan, int dir, const char *name)
{
	const struct looking	*l = scan->arg;

	if (strlen(name) == SHARD_LEN)
		look_below(l, dir, name, check_status);
	else
		say(l, name, "does not belong here", NULL);
	return 0;
}

/* A place that cannot be looked through must not hide the others. */
static void
told(const struct looking *l, const char *name, int r)
{
	if (r == -1)
		l->c->say(l->c->arg, name, strerror(errno), NULL);
}

void
spool_check_files(const struct spool *s, const struct spool_check *c)
{
	static const struct {
		enum spool_place	 place;
		const char		*name;
	} places[] = {
		{ SPOOL_QUEUE, "queue" }, { SPOOL_HOLD, "hold" },
		{ SPOOL_INCOMING, "incoming/new" }, { SPOOL_DROP, "drop/new" }
	};
	struct looking	l = { s, c, SPOOL_QUEUE, "", "" };
	struct scan	scan = { .arg = &l };
	size_t		i;

	for (i = 0; i < nitems(places); i++) {
		l.place = places[i].place;
		l.name = places[i].name;
		told(&l, l.name, spool_each_name(spool_place_dir(s, l.place),
		    each, &scan));
	}
	l.place = SPOOL_HOLD;
	told(&l, "hold", spool_scan(s, SPOOL_HOLD, spool_check_copies, &l));
	l.place = SPOOL_QUEUE;
	told(&l, "queue", spool_scan(s, SPOOL_QUEUE, spool_check_copies, &l));
	l.name = "tmp";
	told(&l, "tmp", spool_each_name(s->tmp, check_draft, &scan));
	told(&l, "incoming/tmp", check_drafts(&l, "incoming/tmp", -1));
	told(&l, "drop/tmp", check_drafts(&l, "drop/tmp", DROP_DRAFT_MS));
	l.name = "status";
	told(&l, "status", spool_each_name(s->status, check_status_shard,
	    &scan));
}
