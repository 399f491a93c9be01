/*
 * deliver/target.c - whose mail it is. Runs as whoever called deliver, maybe
 * root; reads the configuration and the tables of users, and nothing of the
 * message or of anybody's home.
 */
#include "deliver/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/proc/priv.h"
#include "deliver/owner.h"

#define CONF_DEFAULT	PH_SYSCONFDIR "/posthouse/posthouse.conf"

/* Is all said that the configuration would have to say? */
static bool
says_where(const struct opts *o)
{
	return o->where != NULL || o->command != NULL;
}

static int
load_settings(struct target *t, const struct opts *o, struct diag *why)
{
	const char	*path = o->conf != NULL ? o->conf : CONF_DEFAULT;
	int		 r;

	if (o->conf != NULL || access(path, R_OK) == 0)
		r = settings_load(path, &t->set, why);
	else if (errno == ENOENT || errno == ENOTDIR || says_where(o))
		r = settings_parse(STR(""), "defaults", &t->set, why);
	else
		r = diag_errno(why, "%s (say with -o where to deliver)",
		    path);
	return r == 0 ? 0 : EX_CONFIG;
}

/* Where users are looked up: in the tables, if there are any, then in the system, if its users are among them. */
struct lookup {
	struct users	*table;
	bool		 system;
	char		*room;
};

static int
look(const struct lookup *l, struct str name, struct user *u)
{
	char	key[USER_NAME_MAX + 1];
	int	r;

	if (l->table != NULL &&
	    ((r = users_find(l->table, name, u, NULL)) != 0 || !l->system))
		return r;
	if (name.n == 0 || str_lower(key, sizeof(key), name) == -1)
		return 0;
	return users_system(key, l->room, USERS_ROOM, u);
}

struct str
target_ext(struct str addr, const char *separator)
{
	const char	*at, *sep;

	if ((at = memrchr(addr.p, '@', addr.n)) != NULL)
		addr.n = (size_t)(at - addr.p);
	/* the first character belongs to the name in any case */
	if (*separator == '\0' || addr.n < 2 ||
	    (sep = memchr(addr.p + 1, *separator, addr.n - 1)) == NULL)
		return (struct str){ addr.p + addr.n, 0 };
	return (struct str){ sep + 1, (size_t)(addr.p + addr.n - sep - 1) };
}

/* bob+lists@example.org: the whole, bob+lists, bob. */
static int
look_address(const struct lookup *l, struct str addr, const char *separator,
    struct user *u)
{
	struct str	 name = addr, ext;
	const char	*at;
	int		 r;

	if ((r = look(l, name, u)) != 0)
		return r;
	if ((at = memrchr(addr.p, '@', addr.n)) != NULL) {
		name.n = (size_t)(at - addr.p);
		if ((r = look(l, name, u)) != 0)
			return r;
	}
	ext = target_ext(addr, separator);
	if (ext.n == 0)
		return 0;
	name.n = (size_t)(ext.p - 1 - addr.p);
	return look(l, name, u);
}

/* Nobody was named. */
static int
look_self(const struct lookup *l, const struct opts *o, struct user *u)
{
	struct user	me = { .uid = geteuid(), .gid = getegid() };
	int		r, found;

	r = users_system_uid(me.uid, l->room, USERS_ROOM, &me);
	if (r == 1 && l->table != NULL && !says_where(o) &&
	    ((found = users_find(l->table, str_from(me.name), u, NULL)) != 0 ||
	    !l->system))
		return found;
	if (r == 0 && says_where(o)) {
		snprintf(me.name, sizeof(me.name), "%u", (unsigned)me.uid);
		strlcpy(me.home, "/", sizeof(me.home));
		r = 1;
	}
	*u = me;
	return r;
}

static int
open_lookup(struct lookup *l, const struct settings *s, struct diag *why)
{
	int	dir, r;

	*l = (struct lookup){ .system = settings_users_system(s) };
	if ((l->room = malloc(USERS_ROOM)) == NULL)
		return diag_errno(why, "users");
	if (!settings_users_tables(s))
		return 0;
	if ((dir = fdio_opendir(AT_FDCWD, s->tables)) == -1)
		return diag_errno(why, "%s", s->tables);
	/* the table is mapped, and not looked for again */
	r = users_open(&l->table, true, false, dir, why);
	fdio_close(&dir);
	return r;
}

static void
close_lookup(struct lookup *l)
{
	users_close(&l->table);
	free(l->room);
}

static int
find_user(struct target *t, const struct opts *o, struct lookup *l,
    struct diag *why)
{
	const char	*name = o->user != NULL ? o->user : o->rcpt;
	char		 number[32];
	int		 r;

	if (o->user != NULL)
		r = look(l, str_from(o->user), &t->user);
	else if (o->rcpt != NULL)
		r = look_address(l, str_from(o->rcpt), t->set->separator,
		    &t->user);
	else {
		snprintf(number, sizeof(number), "uid %u",
		    (unsigned)geteuid());
		name = number;
		r = look_self(l, o, &t->user);
	}
	if (r == 1)
		return 0;
	if (r == -1) {
		diag_errno(why, "look up user %s", name);
		return EX_TEMPFAIL;
	}
	diag_set(why, "no such user: %s", name);
	return EX_NOUSER;
}

int
target_find(struct target *t, const struct opts *o, struct diag *why)
{
	struct lookup	l;
	int		status;

	*t = (struct target){ .set = NULL, .ext = STR("") };
	if ((status = load_settings(t, o, why)) != 0)
		return status;
	status = open_lookup(&l, t->set, why) == -1 ? EX_TEMPFAIL :
	    find_user(t, o, &l, why);
	close_lookup(&l);
	if (status != 0)
		return status;
	if (!owner_ok(t->set, &t->user)) {
		diag_set(why, priv_is_root() ? "no mail is delivered as user "
		    "%s, uid %u" : "only root may deliver for user %s, uid %u",
		    t->user.name, (unsigned)t->user.uid);
		return EX_NOPERM;
	}
	if (o->ext != NULL)
		t->ext = strchr(o->ext, '@') == NULL ? str_from(o->ext) :
		    target_ext(str_from(o->ext), t->set->separator);
	else if (o->rcpt != NULL)
		t->ext = target_ext(str_from(o->rcpt), t->set->separator);
	return 0;
}

/* To ask for all his groups takes a third of the time of a delivery, and a mailbox at home needs none. */
static bool
needs_groups(const struct target *t, const struct opts *o)
{
	char	location[USER_PATH_MAX + 8];

	return t->user.system && priv_is_root() && (says_where(o) ||
	    owner_mailbox(t->set, &t->user, location,
	    sizeof(location)) == -1 ||
	    !owner_reaches(&t->user, strchr(location, ':') + 1));
}

int
target_become(const struct target *t, const struct opts *o, struct diag *why)
{
	if (priv_become(needs_groups(t, o) ? t->user.name : NULL, t->user.uid,
	    t->user.gid, why) == -1)
		return -1;
	if (priv_harden(false) == -1)
		return diag_errno(why, "limits");
	return 0;
}

void
target_free(struct target *t)
{
	settings_free(&t->set);
}
