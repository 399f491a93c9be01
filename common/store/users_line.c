/*
 * common/store/users_line.c - one line of a passwd-file, and where a user's
 * mailbox is; pure. The file is the administrator's, but often made by
 * programs: nothing in it is taken for granted.
 */
#include "common/store/users.h"

#include <errno.h>
#include <string.h>

#include "common/base/conf.h"

#define ID_TOP	4294967294ull	/* (uid_t)-1 means nobody at all */

struct fields {
	const char	*begin;		/* of the line, for columns */
	struct str	 rest;
	struct str	 field;		/* the present one */
};

/* Up to the next colon; an absent field is empty. */
static struct str
next_field(struct fields *f)
{
	const char	*colon = NULL;

	if (f->rest.n > 0)
		colon = memchr(f->rest.p, ':', f->rest.n);
	f->field = f->rest;
	if (colon == NULL) {
		f->rest.p += f->rest.n;
		f->rest.n = 0;
	} else {
		f->field.n = (size_t)(colon - f->rest.p);
		f->rest.p = colon + 1;
		f->rest.n -= f->field.n + 1;
	}
	return f->field;
}

static bool
has_control(struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return true;
	return false;
}

/* What may stand in a path, a mail address and a log line. */
static bool
name_ok(struct str s)
{
	size_t	i;

	if (s.n == 0 || s.n > USER_NAME_MAX || s.p[0] == '-' ||
	    s.p[0] == '.' || has_control(s))
		return false;
	for (i = 0; i < s.n; i++)
		if (strchr("/:|\"\\<>() ", s.p[i]) != NULL)
			return false;
	return true;
}

static bool
id_ok(struct str s, unsigned *id)
{
	unsigned long long	n = 0;

	if (s.n > 0 && str_number(s, ID_TOP, &n) == -1)
		return false;
	*id = (unsigned)n;
	return true;
}

static bool
mail_ok(struct str s)
{
	struct str	path = s;

	if (has_control(s))
		return false;
	if (str_starts_nocase(s, STR("maildir:"))) {
		path.p += 8;
		path.n -= 8;
	} else if (str_starts_nocase(s, STR("mbox:"))) {
		path.p += 5;
		path.n -= 5;
	} else
		return false;
	return str_starts_nocase(path, STR("/")) ||
	    str_starts_nocase(path, STR("~/")) ||
	    str_starts_nocase(path, STR("%h/"));
}

/* One word of the last field; what other programs wrote there is left alone. */
static const char *
take_extra(struct str word, struct user *u)
{
	char			text[32];
	unsigned long long	size;

	if (str_starts_nocase(word, STR("userdb_"))) {
		word.p += 7;
		word.n -= 7;
	}
	if (str_starts_nocase(word, STR("mail="))) {
		word.p += 5;
		word.n -= 5;
		if (!mail_ok(word) || str_copy(u->mailbox, sizeof(u->mailbox),
		    word) == -1)
			return "bad mail=, expected maildir:PATH or mbox:PATH "
			    "with PATH from /, ~/ or %h/ on";
	} else if (str_starts_nocase(word, STR("quota="))) {
		word.p += 6;
		word.n -= 6;
		if (str_copy(text, sizeof(text), word) == -1 ||
		    conf_size(text, &size) == -1)
			return "bad quota=, expected a size such as 500M";
		u->quota = size;
	}
	return NULL;
}

static const char *
take_extras(struct fields *f, struct user *u)
{
	struct str	word;
	const char	*what;

	while (f->rest.n > 0) {
		if (f->rest.p[0] == ' ' || f->rest.p[0] == '\t') {
			f->rest.p++;
			f->rest.n--;
			continue;
		}
		word = f->rest;
		for (word.n = 0; word.n < f->rest.n && word.p[word.n] != ' ' &&
		    word.p[word.n] != '\t'; word.n++)
			continue;
		f->field = word;
		f->rest.p += word.n;
		f->rest.n -= word.n;
		if ((what = take_extra(word, u)) != NULL)
			return what;
	}
	return NULL;
}

static const char *
take_fields(struct fields *f, struct user *u, struct str *password)
{
	struct str	home;

	if (!name_ok(next_field(f)) || str_lower(u->name, sizeof(u->name),
	    f->field) == -1)
		return "bad user name, expected letters, digits and . - _ @";
	if (f->rest.n == 0)
		return "the line ends after the name, expected "
		    "name:password:uid:gid:gecos:home:shell:extra";
	*password = next_field(f);
	if (password->n > USER_PASSWORD_MAX || has_control(*password))
		return "bad password, expected {SCHEME}text without control "
		    "characters";
	if (!id_ok(next_field(f), &u->uid))
		return "bad user number, expected 1 to 4294967294";
	if (!id_ok(next_field(f), &u->gid))
		return "bad group number, expected 1 to 4294967294";
	(void)next_field(f);
	home = next_field(f);
	if (home.n == 0 || home.p[0] != '/' || has_control(home) ||
	    str_copy(u->home, sizeof(u->home), home) == -1)
		return "bad home directory, expected an absolute path";
	(void)next_field(f);
	return take_extras(f, u);
}

int
users_parse_line(struct str line, struct user *out, struct str *password,
    const char **what, unsigned *col)
{
	struct fields	f;
	struct user	u = { .uid = 0 };
	struct str	pass = { "", 0 };

	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (str_trim(line).n == 0 || str_trim(line).p[0] == '#')
		return 0;
	f = (struct fields){ line.p, line, { line.p, 0 } };
	if ((*what = take_fields(&f, &u, &pass)) != NULL) {
		*col = (unsigned)(f.field.p - f.begin) + 1;
		return -1;
	}
	*out = u;
	*password = pass;
	return 1;
}

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
	for (; *p != '\0'; p++) {
		if (*p != '%')
			put(&o, (struct str){ p, 1 });
		else if (expand(&o, *++p, u, domain) == -1) {
			errno = EINVAL;
			return -1;
		}
	}
	if (o.full) {
		errno = ENAMETOOLONG;
		return -1;
	}
	dst[o.n] = '\0';
	/* "%u" and the like may not be where the path begins */
	if (dst[strcspn(dst, ":") + 1] != '/') {
		errno = EINVAL;
		return -1;
	}
	return 0;
}
