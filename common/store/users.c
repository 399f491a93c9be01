/*
 * common/store/users.c - who is a user: the system's database or the compiled
 * table. Linked into route, auth and local; a damaged table is a temporary
 * failure, never "no such user".
 */
#include "common/store/users.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/record.h"
#include "common/store/table.h"
#include "common/store/users_impl.h"

struct users {
	bool		 system;
	int		 dir;
	struct table	*users, *auth;	/* NULL: users of the system only */
	char		*room;		/* USERS_ROOM, for getpwnam_r */
};

static int
open_parts(struct users *u, bool tables, struct diag *why)
{
	struct user	nobody;

	if (tables && table_open(&u->users, u->dir, USERS_TABLE, why) == -1)
		return -1;
	if (!u->system)
		return 0;
	if ((u->room = malloc(USERS_ROOM)) == NULL)
		return diag_errno(why, "users");
	/* Whatever libc has to load for the answer, it loads now. */
	(void)!users_find(u, STR("posthouse-nobody"), &nobody, NULL);
	return 0;
}

int
users_open(struct users **out, bool tables, bool system, int dir,
    struct diag *why)
{
	struct users	*u;

	if ((u = calloc(1, sizeof(*u))) == NULL)
		return diag_errno(why, "users");
	u->system = system;
	u->dir = dir;
	if (open_parts(u, tables, why) == -1) {
		users_close(&u);
		return -1;
	}
	*out = u;
	return 0;
}

int
users_open_passwords(struct users *u, struct diag *why)
{
	if (u->users == NULL || u->auth != NULL)
		return 0;
	return table_open(&u->auth, u->dir, AUTH_TABLE, why);
}

bool
users_refresh(struct users *u, struct diag *why)
{
	bool	changed = false;

	why->text[0] = '\0';
	if (u->users != NULL && table_refresh(u->users, why))
		changed = true;
	if (u->auth != NULL && table_refresh(u->auth, why))
		changed = true;
	return changed;
}

static int
find_system(struct users *us, const char *name, struct user *u, struct buf *why)
{
	int	r = users_system(name, us->room, USERS_ROOM, u);

	if (r == 1 && why != NULL)
		buf_adds(why, "passwd");
	return r;
}

static bool
user_decode(struct str rec, struct user *u, struct buf *why)
{
	uint64_t	uid, gid;
	struct str	place;

	*u = (struct user){ .uid = 0 };
	if (!record_ok(rec) ||
	    !record_gets(rec, USERS_NAME, u->name, sizeof(u->name)) ||
	    !record_gets(rec, USERS_HOME, u->home, sizeof(u->home)) ||
	    !record_getu(rec, USERS_UID, UINT32_MAX - 1, &uid) ||
	    !record_getu(rec, USERS_GID, UINT32_MAX - 1, &gid) ||
	    !record_get(rec, USERS_PLACE, &place))
		return false;
	if (!record_gets(rec, USERS_MAILBOX, u->mailbox, sizeof(u->mailbox)))
		u->mailbox[0] = '\0';
	if (!record_getu(rec, USERS_QUOTA, UINT64_MAX, &u->quota))
		u->quota = 0;
	u->uid = (uid_t)uid;
	u->gid = (gid_t)gid;
	if (why != NULL)
		buf_addstr(why, place);
	return true;
}

static int
find_compiled(struct users *us, const char *key, struct user *u,
    struct buf *why)
{
	struct str	rec;
	int		r;

	if (us->users == NULL)
		return 0;
	if ((r = table_get(us->users, str_from(key), &rec)) != 1)
		return r;
	if (user_decode(rec, u, why))
		return 1;
	errno = EPROTO;
	return -1;
}

int
users_find(struct users *us, struct str name, struct user *u, struct buf *why)
{
	char	key[USER_NAME_MAX + 1];
	int	r;

	/* What no user can be called is nobody's name. */
	if (name.n == 0 || str_lower(key, sizeof(key), name) == -1)
		return 0;
	if ((r = find_compiled(us, key, u, why)) != 0 || !us->system)
		return r;
	return find_system(us, key, u, why);
}

/* A view into the table, well-formed. */
static int
get_secrets(struct users *us, struct str name, struct str *rec)
{
	char	key[USER_NAME_MAX + 1];
	int	r;

	if (us->auth == NULL) {
		errno = ENOTSUP;
		return -1;
	}
	if (str_lower(key, sizeof(key), name) == -1)
		return 0;
	if ((r = table_get(us->auth, str_from(key), rec)) != 1)
		return r;
	if (record_ok(*rec))
		return 1;
	errno = EPROTO;
	return -1;
}

static bool
take_secret(struct users_entry *e, const struct field *f)
{
	struct users_app	*app = e->napps == 0 ? NULL :
				    &e->apps[e->napps - 1];

	switch (f->tag) {
	case USERS_PASSWORD:
		if (app == NULL)
			e->password = f->value;
		else
			app->record = f->value;
		break;
	case USERS_APP:
		if (e->napps == USER_APPS_MAX)
			return false;
		e->apps[e->napps++] = (struct users_app){ f->value, STR(""),
		    STR("") };
		break;
	case USERS_APP_SERVICES:
		if (app != NULL)
			app->services = f->value;
		break;
	case USERS_SERVICES:
		e->services = f->value;
		break;
	case USERS_NETWORKS:
		e->networks = f->value;
		break;
	case USERS_REASON:
		e->reason = f->value;
		break;
	case USERS_FLAGS:
		e->master = memchr(f->value.p, 'm', f->value.n) != NULL;
		e->any = memchr(f->value.p, 'a', f->value.n) != NULL;
		e->nologin = memchr(f->value.p, 'n', f->value.n) != NULL;
		break;
	}
	return true;
}

int
users_secrets(struct users *us, struct str name, size_t room, struct buf *rec,
    struct users_entry *e)
{
	struct str	view;
	struct cur	c;
	struct field	f;
	int		r;

	users_entry_init(e);
	if ((r = get_secrets(us, name, &view)) != 1)
		return r;
	buf_reset(rec);
	if (buf_reserve(rec, view.n + room) == -1 ||
	    buf_addstr(rec, view) == -1)
		return -1;
	c = cur_from(buf_view(rec));
	while (record_next(&c, &f))
		if (!take_secret(e, &f)) {
			errno = EPROTO;
			return -1;
		}
	return 1;
}

void
users_close(struct users **up)
{
	struct users	*u = *up;

	if (u == NULL)
		return;
	table_close(&u->users);
	table_close(&u->auth);
	free(u->room);
	free(u);
	*up = NULL;
}
