/*
 * common/store/users_scan.c - all users of all sources, one after the other,
 * with what a source leaves open. Run by root through `route -c`, or by
 * anybody through `route -t`; the sources are the administrator's.
 */
#include "common/store/users_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/fdio.h"

#define FILE_MAX	(256u << 20)
#define NAMES_MAX	(1u << 30)
#define LAST_ID		4294967294u

struct users_scan {
	users_sink	*sink;
	void		*arg;
	const struct users_defaults *defaults;
	struct buf	*mistakes;
	struct diag	*why;
	bool		 failed, over;
	size_t		 source;	/* which one it is */
	bool		 behind_system;	/* one before it is the system's */
	struct arena	 names;		/* of all sources but the last */
	void		*seen;		/* tree of struct seen */
	bool		 several;
	char		*room;		/* USERS_ROOM, where it is needed */
};

struct seen {
	struct str	name;
	size_t		source;
};

void
users_scan_mistake(struct users_scan *s, const char *file, unsigned line,
    unsigned col, const char *what)
{
	struct diag	d = { "" };

	diag_at(&d, file, line, col, "%s", what);
	if (!s->failed)
		*s->why = d;
	s->failed = true;
	if (s->mistakes != NULL)
		buf_addf(s->mistakes, "%s\n", d.text);
}

static int
compare(const void *a, const void *b)
{
	const struct seen	*x = a, *y = b;

	return str_cmp(x->name, y->name);
}

static bool
give_up(struct users_scan *s, const char *file, unsigned line)
{
	users_scan_mistake(s, file, line, 1, strerror(errno));
	s->over = true;
	return false;
}

/* 1: a source before this one has the name; 0, -1. Within a source the sink sees to it. */
static int
is_shadowed(struct users_scan *s, const char *name)
{
	struct seen	 key = { str_from(name), s->source }, *mine;
	struct seen	*const *found;
	struct user	 u;
	int		 r;

	if (s->behind_system && strchr(name, '@') == NULL &&
	    (r = users_system(name, s->room, USERS_ROOM, &u)) != 0)
		return r;
	if (!s->several)
		return 0;
	if ((found = tfind(&key, &s->seen, compare)) != NULL)
		return (*found)->source < s->source;
	if ((mine = arena_get(&s->names, sizeof(*mine))) == NULL ||
	    arena_dup(&s->names, key.name, &mine->name) == -1)
		return -1;
	mine->source = s->source;
	return tsearch(mine, &s->seen, compare) == NULL ? -1 : 0;
}

/* A number as it is, or that of a name. -1: there is none. */
static int
user_number(const char *name, uid_t *uid, gid_t *gid)
{
	unsigned long long	 n;
	const struct passwd	*pw;

	if (str_number(str_from(name), LAST_ID, &n) == 0)
		*uid = (uid_t)n;
	else if ((pw = getpwnam(name)) == NULL)
		return -1;
	else {
		*uid = pw->pw_uid;
		*gid = *gid == 0 ? pw->pw_gid : *gid;
	}
	return 0;
}

static int
group_number(const char *name, gid_t *gid)
{
	unsigned long long	 n;
	const struct group	*gr;

	if (str_number(str_from(name), LAST_ID, &n) == 0)
		*gid = (gid_t)n;
	else if ((gr = getgrnam(name)) == NULL)
		return -1;
	else
		*gid = gr->gr_gid;
	return 0;
}

static const char *
named_ids(struct users_entry *e)
{
	char	name[USER_NAME_MAX + 1];

	if (e->gid_name.n > 0 &&
	    (str_copy(name, sizeof(name), e->gid_name) == -1 ||
	    group_number(name, &e->user.gid) == -1))
		return "no group of that name, expected one of the system's";
	if (e->uid_name.n > 0 &&
	    (str_copy(name, sizeof(name), e->uid_name) == -1 ||
	    user_number(name, &e->user.uid, &e->user.gid) == -1))
		return "no user of that name, expected one of the system's";
	return NULL;
}

/* Whoever is not root can only be himself. NULL, or what is wrong. */
static const char *
own_ids(struct user *u, const struct users_defaults *d)
{
	bool	root = geteuid() == 0;

	if (u->gid == 0 && *d->gid != '\0' &&
	    group_number(d->gid, &u->gid) == -1)
		return "no such group as users.gid says, expected one of the "
		    "system's";
	if (u->uid == 0 && *d->uid != '\0' &&
	    user_number(d->uid, &u->uid, &u->gid) == -1)
		return "no such user as users.uid says, expected one of the "
		    "system's";
	if (root && u->uid == 0)
		return "no user number, expected 1 to 4294967294 or users.uid "
		    "in posthouse.conf";
	if (root && u->gid == 0)
		return "no group number, expected 1 to 4294967294 or users.gid "
		    "in posthouse.conf";
	if (u->uid == 0)
		u->uid = geteuid();
	if (u->gid == 0)
		u->gid = getegid();
	return NULL;
}

static const char *
own_home(struct user *u, const struct users_defaults *d)
{
	if (u->home[0] != '\0')
		return NULL;
	if (*d->home == '\0')
		return "no home directory, expected an absolute path or "
		    "users.home in posthouse.conf";
	return users_home_in(u, d->domain, d->home, u->home,
	    sizeof(u->home)) == 0 ? NULL : "no home directory comes of users.home and this name";
}

bool
users_scan_entry(struct users_scan *s, struct users_entry *e, const char *file,
    unsigned line, unsigned col)
{
	const char	*what;
	int		 r;

	if ((what = named_ids(e)) != NULL ||
	    (what = own_ids(&e->user, s->defaults)) != NULL ||
	    (what = own_home(&e->user, s->defaults)) != NULL) {
		users_scan_mistake(s, file, line, col, what);
		return true;
	}
	if ((r = is_shadowed(s, e->user.name)) == 1)
		return true;
	if (r == -1)
		return give_up(s, file, line);
	if (s->sink(s->arg, e, file, line) == 0)
		return true;
	if (errno != EEXIST)
		return give_up(s, file, line);
	users_scan_mistake(s, file, line, 1, "this user is there already, "
	    "expected each name once");
	return true;
}

static bool
scan_line(struct users_scan *s, const struct users_source *src, unsigned line,
    struct str text)
{
	struct users_entry	e;
	const char		*what;
	unsigned		 col = 1;
	bool			 go_on = true;

	switch (users_parse_line(text, &e, &what, &col)) {
	case 1:
		if (e.scheme == NULL)
			e.scheme = src->scheme;
		go_on = users_scan_entry(s, &e, src->path, line, col);
		break;
	case -1:
		users_scan_mistake(s, src->path, line, col, what);
		break;
	}
	explicit_bzero(&e, sizeof(e));
	return go_on;
}

static void
scan_file(struct users_scan *s, const struct users_source *src)
{
	struct buf	 text;
	struct str	 rest, row;
	unsigned	 line = 0;

	buf_init(&text, FILE_MAX);
	if (fdio_slurp_at(AT_FDCWD, src->path, &text) == -1) {
		users_scan_mistake(s, src->path, 1, 1, strerror(errno));
		buf_wipe(&text);
		return;
	}
	rest = buf_view(&text);
	while (str_take_line(&rest, &row) && scan_line(s, src, ++line, row))
		continue;
	buf_wipe(&text);
}

static void
keep(void *node)
{
	(void)node;	/* the arena's */
}

int
users_scan(const struct users_source *sources, size_t n,
    const struct users_defaults *defaults, users_sink *sink, void *arg,
    struct buf *mistakes, struct diag *why)
{
	struct users_scan	s = {
		.sink = sink, .arg = arg, .defaults = defaults,
		.mistakes = mistakes, .why = why, .several = n > 1
	};

	arena_init(&s.names, NAMES_MAX);
	if ((s.room = malloc(USERS_ROOM)) == NULL)
		return diag_errno(why, "users");
	for (s.source = 0; s.source < n && !s.over; s.source++) {
		switch (sources[s.source].kind) {
		case USERS_FILE:
			scan_file(&s, &sources[s.source]);
			break;
		case USERS_SQLITE:
			users_sqlite(&s, &sources[s.source]);
			break;
		case USERS_SYSTEM:
			s.behind_system = true;
			break;
		}
	}
	tdestroy(s.seen, keep);
	arena_free(&s.names);
	free(s.room);
	return s.failed ? -1 : 0;
}
