/*
 * common/store/users_system.c - users of the system, from whatever its name
 * service asks. A file of its own, for programs that need no tables.
 */
#include "common/store/users.h"

#include <errno.h>
#include <pwd.h>

/* What getpw*_r said. */
static int
answer(int e, const struct passwd *pw, struct user *u)
{
	if (pw == NULL) {
		if (e == 0 || e == ENOENT || e == ESRCH)
			return 0;
		errno = e;
		return -1;
	}
	*u = (struct user){ .uid = pw->pw_uid, .gid = pw->pw_gid,
	    .system = true };
	if (str_copy(u->name, sizeof(u->name), str_from(pw->pw_name)) == -1 ||
	    str_copy(u->home, sizeof(u->home), str_from(pw->pw_dir)) == -1) {
		errno = EPROTO;
		return -1;
	}
	return 1;
}

int
users_system(const char *name, char *room, size_t size, struct user *u)
{
	struct passwd	pw, *found;
	int		e = getpwnam_r(name, &pw, room, size, &found);

	return answer(e, found, u);
}

int
users_system_uid(uid_t uid, char *room, size_t size, struct user *u)
{
	struct passwd	pw, *found;
	int		e = getpwuid_r(uid, &pw, room, size, &found);

	return answer(e, found, u);
}
