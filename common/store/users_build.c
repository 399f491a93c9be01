/*
 * common/store/users_build.c - all users to users.cdb and auth.cdb. Run by
 * root through `route -c`.
 */
#include "common/store/users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fmt/record.h"
#include "common/store/table.h"
#include "common/store/users_impl.h"

/* Which kind of hash most users have, so that a wrong name costs as much as a wrong password. */
#define KINDS	16

struct kind {
	char	prefix[24];
	size_t	users;
	char	example[USER_PASSWORD_MAX + 40];
};

struct compile {
	struct table_maker	*users, *auth;
	struct buf		 rec;
	struct kind		 kinds[KINDS];
};

/* "$6$", "$y$", "{PLAIN}": all up to what is the user's own. */
static struct str
kind_of(struct str record)
{
	struct str	 s = record;
	const char	*end;
	size_t		 i;

	if ((end = memchr(s.p, '}', s.n)) != NULL && end - s.p >= 6 &&
	    str_eq_nocase((struct str){ end - 5, 5 }, STR("CRYPT"))) {
		s.n -= (size_t)(end + 1 - s.p);
		s.p = end + 1;
	}
	end = s.n > 0 && s.p[0] == '{' ? "}" : "$";
	for (i = 1; i < s.n && i < sizeof(((struct kind *)0)->prefix) - 1; i++)
		if (s.p[i] == *end)
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

	if (password.n == 0)
		return;
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

/* With its scheme, whatever the source has. A field with nothing in it is not written. */
static void
put_record(struct buf *rec, const char *scheme, struct str text)
{
	if (text.n == 0)
		return;
	if (text.p[0] == '{')
		record_put(rec, USERS_PASSWORD, text);
	else
		record_putf(rec, USERS_PASSWORD, "{%s}%.*s",
		    scheme == NULL ? "CRYPT" : scheme, STR_ARG(text));
}

static void
put_unless_empty(struct buf *rec, char tag, struct str text)
{
	if (text.n > 0)
		record_put(rec, tag, text);
}

static void
put_secrets(struct buf *rec, const struct users_entry *e)
{
	size_t	i;

	put_record(rec, e->scheme, e->password);
	for (i = 0; i < e->napps; i++) {
		record_put(rec, USERS_APP, e->apps[i].name);
		put_unless_empty(rec, USERS_APP_SERVICES, e->apps[i].services);
		put_record(rec, e->scheme, e->apps[i].record);
	}
	put_unless_empty(rec, USERS_SERVICES, e->services);
	put_unless_empty(rec, USERS_NETWORKS, e->networks);
	put_unless_empty(rec, USERS_REASON, e->reason);
	if (e->master || e->any || e->nologin)
		record_putf(rec, USERS_FLAGS, "%s%s%s", e->master ? "m" : "",
		    e->any ? "a" : "", e->nologin ? "n" : "");
}

static int
add_secrets(struct compile *c, const struct users_entry *e)
{
	struct str	record;
	int		r = -1;

	buf_reset(&c->rec);
	put_secrets(&c->rec, e);
	if (buf_ok(&c->rec) &&
	    table_add(c->auth, str_from(e->user.name), buf_view(&c->rec)) == 0)
		r = 0;
	if (record_get(buf_view(&c->rec), USERS_PASSWORD, &record))
		count_kind(c, record);
	if (c->rec.p != NULL)
		explicit_bzero(c->rec.p, c->rec.cap);
	return r;
}

static int
compile_user(void *arg, const struct users_entry *e, const char *file,
    unsigned line)
{
	struct compile	*c = arg;

	if (add_user(c, &e->user, file, line) == -1)
		return -1;
	return add_secrets(c, e);
}

/* Under the name "": what is tried for names that are nobody's. */
static int
add_example(struct compile *c)
{
	const struct kind	*most = &c->kinds[0];
	struct users_entry	 e;
	size_t			 i;

	for (i = 1; i < KINDS; i++)
		if (c->kinds[i].users > most->users)
			most = &c->kinds[i];
	users_entry_init(&e);
	e.password = str_from(most->example);
	return add_secrets(c, &e);
}

static int
make_tables(struct compile *c, const struct users_source *sources, size_t n,
    const struct users_defaults *defaults, int dir, gid_t auth_gid,
    struct diag *why)
{
	if (table_make(&c->users, dir, USERS_TABLE, 0644, why) == -1 ||
	    table_make(&c->auth, dir, AUTH_TABLE, 0640, why) == -1)
		return -1;
	/* The maker's file stands under this name until it is committed. */
	if (fchownat(dir, AUTH_TABLE ".new", (uid_t)-1, auth_gid,
	    AT_SYMLINK_NOFOLLOW) == -1)
		return diag_errno(why, "give %s to group %u", AUTH_TABLE,
		    (unsigned)auth_gid);
	if (users_scan(sources, n, defaults, compile_user, c, NULL, why) == -1)
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
users_compile(const struct users_source *sources, size_t n,
    const struct users_defaults *defaults, int dir, gid_t auth_gid,
    struct diag *why)
{
	struct compile	*c;
	int		 r;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return diag_errno(why, "users");
	buf_init(&c->rec, 1 << 17);
	r = make_tables(c, sources, n, defaults, dir, auth_gid, why);
	table_abort(&c->users);
	table_abort(&c->auth);
	buf_wipe(&c->rec);
	explicit_bzero(c, sizeof(*c));
	free(c);
	return r;
}
