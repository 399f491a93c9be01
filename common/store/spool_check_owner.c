/*
 * common/store/spool_check_owner.c - files that queue could not open. Run by
 * root, so nothing is read and no owner of a message is changed: of mail of
 * local users the owner is who sent it.
 */
#include "common/store/spool_check.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/store/spool_impl.h"

struct owners {
	const struct spool_check	*c;
	const char			*place;
	bool				 sharded, ours;	/* ours: files are queue's alone */
};

static bool
can_write(const struct spool_check *c, const struct stat *st)
{
	if (st->st_uid == c->queue_uid)
		return (st->st_mode & 0600) == 0600;
	return (st->st_gid == c->queue_gid || st->st_gid == c->drop_gid) &&
	    (st->st_mode & 0060) == 0060;
}

static int
put_right(const struct owners *o, int fd, const struct stat *st)
{
	const struct spool_check	*c = o->c;
	mode_t				 dir = S_ISDIR(st->st_mode) ? 0700 :
					    0600;

	if (o->ours || S_ISDIR(st->st_mode))
		return fchown(fd, c->queue_uid, c->queue_gid) == -1 ||
		    fchmod(fd, dir) == -1 ? -1 : 0;
	if (st->st_uid == c->queue_uid)
		return fchmod(fd, 0600);
	return fchown(fd, (uid_t)-1, c->queue_gid) == -1 ||
	    fchmod(fd, 0660) == -1 ? -1 : 0;
}

static int
check_one(const struct owners *o, int dir, const char *name)
{
	const struct spool_check	*c = o->c;
	struct stat			 st;
	char				 path[512];
	int				 fd, r = 0;

	snprintf(path, sizeof(path), "%s/%s", o->place, name);
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC |
	    O_NONBLOCK | O_NOCTTY);
	if (fd == -1 || fstat(fd, &st) == -1)
		c->say(c->arg, path, strerror(errno), NULL);
	else if (S_ISDIR(st.st_mode) ? st.st_uid == c->queue_uid &&
	    (st.st_mode & 0700) == 0700 : !o->ours && can_write(c, &st))
		;
	else if (o->ours && st.st_uid == c->queue_uid && can_write(c, &st))
		;
	else if (!S_ISDIR(st.st_mode) && (!S_ISREG(st.st_mode) ||
	    st.st_nlink > 1))
		/* it may be anything, linked here by who wants it opened */
		c->say(c->arg, path, "is not for queue, and no file of "
		    "this place alone", NULL);
	else if (c->repair && (r = put_right(o, fd, &st)) == -1)
		c->say(c->arg, path, strerror(errno), NULL);
	else
		c->say(c->arg, path, "queue could not use it",
		    "put right");
	fdio_close(&fd);
	return 0;
}

static int
each(const struct scan *scan, int dir, const char *name)
{
	const struct owners	*o = scan->arg;
	struct owners		 below;
	struct scan		 inner;
	char			 path[64];
	struct stat		 st;
	int			 fd;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return 0;
	if (!S_ISDIR(st.st_mode) || !o->sharded ||
	    strlen(name) != SHARD_LEN)
		return S_ISDIR(st.st_mode) ? 0 : check_one(o, dir, name);
	(void)check_one(o, dir, name);
	if ((fd = fdio_opendir(dir, name)) == -1)
		return 0;
	snprintf(path, sizeof(path), "%s/%s", o->place, name);
	below = (struct owners){ o->c, path, false, o->ours };
	inner = (struct scan){ .arg = &below };
	if (spool_each_name(fd, each, &inner) == -1)
		o->c->say(o->c->arg, path, strerror(errno), NULL);
	fdio_close(&fd);
	return 0;
}

void
spool_check_owners(const struct spool *s, const struct spool_check *c)
{
	const struct {
		int		dir;
		const char	*name;
		bool		sharded, ours;
	} places[] = {
		{ s->incoming,	"incoming/new",	false,	false },
		{ s->drop,	"drop/new",	false,	false },
		{ s->queue,	"queue",	true,	false },
		{ s->hold,	"hold",		false,	false },
		{ s->corrupt,	"corrupt",	false,	false },
		{ s->status,	"status",	true,	true },
		{ s->tmp,	"tmp",		false,	true },
	};
	struct owners	o;
	struct scan	scan;
	size_t		i;

	for (i = 0; i < nitems(places); i++) {
		o = (struct owners){ c, places[i].name, places[i].sharded,
		    places[i].ours };
		scan = (struct scan){ .arg = &o };
		if (spool_each_name(places[i].dir, each, &scan) == -1)
			c->say(c->arg, places[i].name, strerror(errno), NULL);
	}
}
