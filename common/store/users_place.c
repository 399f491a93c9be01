/* common/store/users_place.c - where a user's home and mailbox are, from settings with %x in them; pure. */
#include <errno.h>
#include <string.h>

#include "common/store/users.h"

struct out {
	char	*p;
	size_t	 size, n;
	bool	 full;
};

static void
put(struct out *o, struct str s)
{
	if (s.n >= o->size - o->n) {
		o->full = true;
		return;
	}
	if (s.n > 0)
		memcpy(o->p + o->n, s.p, s.n);
	o->n += s.n;
}

/* A name that could climb out of the directory meant for it has no mailbox. */
static bool
is_part(const char *s)
{
	return *s != '\0' && *s != '.' && strchr(s, '/') == NULL;
}

/* One %x. -1: unknown, or nothing to put there. */
static int
expand(struct out *o, char which, const struct user *u, const char *domain)
{
	const char	*at = strchr(u->name, '@');

	switch (which) {
	case 'u':
		if (!is_part(u->name))
			return -1;
		put(o, str_from(u->name));
		return 0;
	case 'n':
		if (!is_part(u->name) || at == u->name)
			return -1;
		put(o, at == NULL ? str_from(u->name) : (struct str){ u->name,
		    (size_t)(at - u->name) });
		return 0;
	case 'd':
		if (at != NULL)
			domain = at + 1;
		if (domain == NULL || !is_part(domain))
			return -1;
		put(o, str_from(domain));
		return 0;
	case 'h':
		put(o, str_from(u->home));
		return 0;
	case '%':
		put(o, STR("%"));
		return 0;
	}
	return -1;
}

/* Appends the text with its %x replaced. */
static int
expand_all(struct out *o, const char *p, const struct user *u,
    const char *domain)
{
	for (; *p != '\0'; p++) {
		if (*p != '%')
			put(o, (struct str){ p, 1 });
		else if (expand(o, *++p, u, domain) == -1) {
			errno = EINVAL;
			return -1;
		}
	}
	if (o->full) {
		errno = ENAMETOOLONG;
		return -1;
	}
	o->p[o->n] = '\0';
	return 0;
}

int
users_mailbox_in(const struct user *u, const char *domain, const char *setting,
    char *dst, size_t size)
{
	struct out	 o = { dst, size, 0, false };
	const char	*p = u->mailbox[0] != '\0' ? u->mailbox : setting;
	const char	*path = strchr(p, ':');

	if (path == NULL || size == 0) {
		errno = EINVAL;
		return -1;
	}
	put(&o, (struct str){ p, (size_t)(path + 1 - p) });
	p = path + 1;
	if (*p == '~' && p[1] == '/') {
		put(&o, str_from(u->home));
		p++;
	}
	if (expand_all(&o, p, u, domain) == -1)
		return -1;
	/* "%u" and the like may not be where the path begins */
	if (dst[strcspn(dst, ":") + 1] != '/') {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

int
users_home_in(const struct user *u, const char *domain, const char *setting,
    char *dst, size_t size)
{
	struct out	o = { dst, size, 0, false };

	if (size == 0 || *setting != '/') {
		errno = EINVAL;
		return -1;
	}
	return expand_all(&o, setting, u, domain);
}
