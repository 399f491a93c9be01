/*
 * common/store/users_build.c - passwd-files to users.cdb and auth.cdb. Run by
 * root through `route -c`; the files are the administrator's.
 */
#include "common/store/users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/fmt/record.h"
#include "common/store/table.h"
#include "common/store/users_impl.h"

#define FILE_MAX	(256u << 20)

struct scan {
	users_sink	*sink;
	void		*arg;
	struct buf	*mistakes;
	struct diag	*why;
	bool		 failed;
};

static void
mistake(struct scan *s, const char *file, unsigned line, unsigned col,
    const char *what)
{
	struct diag	d = { "" };

	diag_at(&d, file, line, col, "%s", what);
	if (!s->failed)
		*s->why = d;
	s->failed = true;
	if (s->mistakes != NULL)
		buf_addf(s->mistakes, "%s\n", d.text);
}

/* 0 in the file: whoever is not root can only be himself. NULL, or what is wrong. */
static const char *
own_ids(struct user *u)
{
	bool	root = geteuid() == 0;

	if (root && u->uid == 0)
		return "no user number, expected 1 to 4294967294";
	if (root && u->gid == 0)
		return "no group number, expected 1 to 4294967294";
	if (u->uid == 0)
		u->uid = geteuid();
	if (u->gid == 0)
		u->gid = getegid();
	return NULL;
}

/* False: the scan is over. */
static bool
scan_line(struct scan *s, const char *file, unsigned line, struct str text)
{
	struct user	 u;
	struct str	 password;
	const char	*what;
	unsigned	 col = 1;
	int		 r;

	r = users_parse_line(text, &u, &password, &what, &col);
	if (r == 0)
		return true;
	if (r == 1 && (what = own_ids(&u)) != NULL)
		r = -1;
	if (r == -1) {
		mistake(s, file, line, col, what);
		return true;
	}
	r = s->sink(s->arg, &u, password, file, line);
	explicit_bzero(&u, sizeof(u));
	if (r == 0)
		return true;
	if (errno == EEXIST) {
		mistake(s, file, line, 1, "this user is there already, "
		    "expected each name once");
		return true;
	}
	mistake(s, file, line, 1, strerror(errno));
	return false;
}

static void
scan_file(struct scan *s, const char *file)
{
	struct buf	 text;
	struct str	 rest, row;
	const char	*end;
	unsigned	 line = 0;

	buf_init(&text, FILE_MAX);
	if (fdio_slurp_at(AT_FDCWD, file, &text) == -1) {
		mistake(s, file, 1, 1, strerror(errno));
		buf_wipe(&text);
		return;
	}
	for (rest = buf_view(&text); rest.n > 0;) {
		end = memchr(rest.p, '\n', rest.n);
		row = rest;
		if (end != NULL)
			row.n = (size_t)(end - rest.p);
		rest.p += row.n + (end != NULL);
		rest.n -= row.n + (end != NULL);
		if (!scan_line(s, file, ++line, row))
			break;
	}
	buf_wipe(&text);
}

int
users_scan(const char *const *sources, size_t n, users_sink *sink, void *arg,
    struct buf *mistakes, struct diag *why)
{
	struct scan	s = { sink, arg, mistakes, why, false };
	size_t		i;

	for (i = 0; i < n; i++)
		scan_file(&s, sources[i]);
	return s.failed ? -1 : 0;
}

/* Which kind of hash most users have, so that a wrong name costs as much as a wrong password. */
#define KINDS	16

struct kind {
	char	prefix[8];
	size_t	users;
	char	example[USER_PASSWORD_MAX + 1];
};

struct compile {
	struct table_maker	*users, *auth;
	struct buf		 rec;
	struct kind		 kinds[KINDS];
};

/* "$6$", "$y$", "{PLAIN}": all up to what is the user's own. */
static struct str
kind_of(struct str password)
{
	struct str	s = password;
	size_t		i = 0;
	char		end = s.n > 0 && s.p[0] == '{' ? '}' : '$';

	if (str_starts_nocase(s, STR("{CRYPT}"))) {
		s.p += 7;
		s.n -= 7;
		end = '$';
	}
	for (i = 1; i < s.n && i < sizeof(((struct kind *)0)->prefix) - 1; i++)
		if (s.p[i] == end)
			break;
	if (i < s.n)
		s.n = i;
	return s;
}

static void
count_kind(struct compile *c, struct str password)
{
	struct str	kind = kind_of(password);
	size_t		i;

	if (kind.n >= sizeof(c->kinds[0].prefix))
		kind.n = sizeof(c->kinds[0].prefix) - 1;
	for (i = 0; i < KINDS; i++) {
		struct kind *k = &c->kinds[i];

		if (k->users == 0 && (str_copy(k->prefix, sizeof(k->prefix),
		    kind) == -1 || str_copy(k->example, sizeof(k->example),
		    password) == -1))
			return;
		if (str_eq(str_from(k->prefix), kind)) {
			k->users++;
			return;
		}
	}
}

static int
add_user(struct compile *c, const struct user *u, const char *file,
    unsigned line)
{
	buf_reset(&c->rec);
	record_puts(&c->rec, USERS_NAME, u->name);
	record_putu(&c->rec, USERS_UID, u->uid);
	record_putu(&c->rec, USERS_GID, u->gid);
	record_puts(&c->rec, USERS_HOME, u->home);
	if (u->mailbox[0] != '\0')
		record_puts(&c->rec, USERS_MAILBOX, u->mailbox);
	if (u->quota > 0)
		record_putu(&c->rec, USERS_QUOTA, u->quota);
	record_putf(&c->rec, USERS_PLACE, "%s:%u", file, line);
	if (!buf_ok(&c->rec)) {
		errno = ENOMEM;
		return -1;
	}
	return table_add(c->users, str_from(u->name), buf_view(&c->rec));
}

static int
add_password(struct compile *c, struct str name, struct str password)
{
	int	r = -1;

	buf_reset(&c->rec);
	record_put(&c->rec, USERS_PASSWORD, password);
	if (buf_ok(&c->rec))
		r = table_add(c->auth, name, buf_view(&c->rec));
	if (c->rec.p != NULL)
		explicit_bzero(c->rec.p, c->rec.cap);
	return r;
}

static int
compile_user(void *arg, const struct user *u, struct str password,
    const char *file, unsigned line)
{
	struct compile	*c = arg;

	if (add_user(c, u, file, line) == -1)
		return -1;
	count_kind(c, password);
	return add_password(c, str_from(u->name), password);
}

/* Under the name "": what is tried for names that are nobody's. */
static int
add_example(struct compile *c)
{
	const struct kind	*most = &c->kinds[0];
	size_t			 i;

	for (i = 1; i < KINDS; i++)
		if (c->kinds[i].users > most->users)
			most = &c->kinds[i];
	return add_password(c, STR(""), str_from(most->example));
}

static int
make_tables(struct compile *c, const char *const *sources, size_t n, int dir,
    gid_t auth_gid, struct diag *why)
{
	if (table_make(&c->users, dir, USERS_TABLE, 0644, why) == -1 ||
	    table_make(&c->auth, dir, AUTH_TABLE, 0640, why) == -1)
		return -1;
	/* The maker's file stands under this name until it is committed. */
	if (fchownat(dir, AUTH_TABLE ".new", (uid_t)-1, auth_gid,
	    AT_SYMLINK_NOFOLLOW) == -1)
		return diag_errno(why, "give %s to group %u", AUTH_TABLE,
		    (unsigned)auth_gid);
	if (users_scan(sources, n, compile_user, c, NULL, why) == -1)
		return -1;
	if (add_example(c) == -1)
		return diag_errno(why, "write table %s", AUTH_TABLE);
	/* Nobody should be able to log in who is not known to the others yet. */
	if (table_commit(&c->users, why) == -1 ||
	    table_commit(&c->auth, why) == -1)
		return -1;
	return 0;
}

int
users_compile(const char *const *sources, size_t n, int dir, gid_t auth_gid,
    struct diag *why)
{
	struct compile	*c;
	int		 r;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return diag_errno(why, "users");
	buf_init(&c->rec, 1 << 16);
	r = make_tables(c, sources, n, dir, auth_gid, why);
	table_abort(&c->users);
	table_abort(&c->auth);
	buf_wipe(&c->rec);
	explicit_bzero(c, sizeof(*c));
	free(c);
	return r;
}
