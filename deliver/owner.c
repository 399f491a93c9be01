/* deliver/owner.c - who may get mail, and where it goes; decides by settings and the table of users alone. */
#include "deliver/owner.h"

#include <sys/stat.h>

#include <string.h>
#include <unistd.h>

#include "common/proc/priv.h"

bool
owner_ok(const struct settings *s, const struct user *u)
{
	if (!priv_is_root())
		return u->uid == geteuid();
	return u->uid != 0 && u->gid != 0 &&
	    (long long)u->uid >= s->local.min_uid;
}

const char *
owner_domain(const struct settings *s)
{
	return s->domains.n > 0 ? s->domains.items[0].text : s->hostname;
}

int
owner_mailbox(const struct settings *s, const struct user *u, char *dst,
    size_t size)
{
	return users_mailbox_in(u, owner_domain(s), s->local.mailbox, dst,
	    size);
}

uint64_t
owner_quota(const struct settings *s, const struct user *u)
{
	return u->quota != 0 ? u->quota : (uint64_t)s->local.quota;
}

bool
owner_reaches(const struct user *u, const char *path)
{
	char		dir[USER_PATH_MAX];
	size_t		n = strlen(u->home);
	struct stat	st;
	char		*p;

	if (n < 2 || strlcpy(dir, u->home, sizeof(dir)) >= sizeof(dir) ||
	    strncmp(path, dir, n) != 0 || path[n] != '/' ||
	    stat(dir, &st) == -1 || st.st_uid != u->uid)
		return false;
	for (p = strchr(dir + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (stat(dir, &st) == -1 || !(st.st_mode & S_IXOTH))
			return false;
		*p = '/';
	}
	return true;
}
