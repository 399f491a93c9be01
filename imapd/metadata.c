/*
 * imapd/metadata.c - GETMETADATA and SETMETADATA (RFC 5464). What is private is the user's alone, also in a shared
 * folder; of the server's entries that are everybody's only /shared/admin has a value, and none can be set.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/inside.h"
#include "common/store/dotlock.h"
#include "imapd/commands.h"
#include "imapd/mailboxes.h"
#include "imapd/metadata_file.h"
#include "imapd/metadata_use.h"
#include "imapd/notify.h"

#define LOCK_WAIT	3000	/* ms */
#define ADMIN		"/shared/admin"

/* What is noted about: a mailbox, or the server. */
struct subject {
	struct place	 place;
	struct str	 name;		/* as the client gave it */
	bool		 server;
};

struct options {
	bool		 limited;
	uint32_t	 max;		/* octets of a value */
	unsigned	 depth;
};

static const char *
file_of(bool server)
{
	return server ? "posthouse-metadata-server" : "posthouse-metadata";
}

static const char *
lock_of(bool server)
{
	return server ? "posthouse-metadata-server.lock" :
	    "posthouse-metadata.lock";
}

/* The right to see it, and any other to its messages (RFC 5464, 3.3). */
static bool
may_use(unsigned rights)
{
	return (rights & RIGHT_LOOKUP) != 0 && (rights & (RIGHT_READ |
	    RIGHT_SEEN | RIGHT_WRITE | RIGHT_INSERT | RIGHT_POST)) != 0;
}

static bool
take_subject(struct session *s, struct command *cmd, struct subject *to)
{
	if (!imap_astring(&cmd->args, &s->memory, &to->name)) {
		command_bad(cmd, "the name of a mailbox is missing");
		return false;
	}
	to->server = to->name.n == 0;
	to->place = (struct place){ .store = place_store(s, SPACE_OWN) };
	if (to->server)
		return true;
	if (!place_find(s, cmd, to->name, RIGHT_LOOKUP, &to->place))
		return false;
	if (!store_exists(to->place.store, to->place.folder))
		command_no(cmd, "NONEXISTENT", "there is no such mailbox");
	else if (!may_use(to->place.rights))
		command_no(cmd, "NOPERM", "You have no right to do this");
	else
		return true;
	return false;
}

/* A file that is not there has no entries. text: what the entries are views of. */
int
metadata_load(const struct place *p, bool server, struct arena *a, struct buf *text,
    struct metadata *m)
{
	char	path[PLACE_FILE_MAX];

	if (inside_slurp(store_root(p->store), place_file(p->folder,
	    file_of(server), path), text) == -1 && errno != ENOENT)
		return -1;
	if (metadata_file_parse(buf_view(text), a, m))
		return 0;
	errno = EPROTO;
	return -1;
}

static void
put_value(struct session *s, struct buf *out, struct str name,
    struct str value)
{
	if (out->p[out->n - 1] != '(')
		buf_addc(out, ' ');
	(void)imap_put_astring(out, name, session_utf8(s));
	buf_addc(out, ' ');
	if (value.p != NULL && memchr(value.p, '\0', value.n) != NULL) {
		buf_addf(out, "~{%zu}\r\n", value.n);
		buf_addstr(out, value);
	} else
		(void)imap_put_nstring(out, value, session_utf8(s));
}

static void
put_head(struct session *s, struct buf *out, struct str name)
{
	buf_adds(out, "* METADATA ");
	(void)imap_put_astring(out, name, session_utf8(s));
	buf_adds(out, " (");
}

/* Is the entry one of those that the user may see? */
bool
metadata_is_visible(const struct session *s, const struct metadata_entry *e)
{
	return e->user.n == 0 || str_eq(e->user, str_from(s->user));
}

/* Is it one of the first n that are asked for, or below one? */
static bool
is_among(struct str name, const struct str *entries, size_t n, unsigned depth)
{
	size_t	i;

	for (i = 0; i < n; i++)
		if (metadata_matches(name, entries[i], depth))
			return true;
	return false;
}

/* The entry of that number that is asked for, and what is below it; without what was said of those before it. */
static void
put_entry(struct session *s, struct buf *out, const struct metadata *m,
    const struct str *entries, size_t i, const struct options *o,
    size_t *longest)
{
	const struct metadata_entry	*e;
	bool				 found = false;

	for (e = m->e; e < m->e + m->n; e++) {
		if (!metadata_is_visible(s, e) ||
		    !metadata_matches(e->name, entries[i], o->depth))
			continue;
		found = true;
		if (is_among(e->name, entries, i, o->depth))
			continue;
		if (!o->limited || e->value.n <= o->max)
			put_value(s, out, e->name, e->value);
		else if (e->value.n > *longest)
			*longest = e->value.n;
	}
	if (!found && o->depth == 0 && !is_among(entries[i], entries, i, 0))
		put_value(s, out, entries[i], (struct str){ NULL, 0 });
}

int
metadata_put(struct session *s, struct buf *out, const struct place *p,
    struct str name, char use, const struct str *entries, size_t n)
{
	static const struct options	plain = { .depth = 0 };
	struct metadata			m;
	struct arena			a;
	struct buf			text;
	size_t				i, longest = 0;
	int				r;

	arena_init(&a, 1u << 20);
	buf_init(&text, METADATA_FILE_MAX);
	if ((r = metadata_load(p, false, &a, &text, &m)) == 0) {
		metadata_use_put(&m, str_from(s->user), use);
		put_head(s, out, name);
		for (i = 0; i < n; i++)
			put_entry(s, out, &m, entries, i, &plain, &longest);
		buf_adds(out, ")\r\n");
		r = buf_ok(out) ? 0 : -1;
	}
	buf_free(&text);
	arena_free(&a);
	return r;
}

/* "(MAXSIZE 1024 DEPTH infinity)" */
static const char *
take_options(struct cur *c, struct options *o)
{
	struct str	name;

	if (!cur_byte(c, '('))
		return "options are expected";
	do {
		if (!imap_atom(c, &name) || !imap_sp(c))
			return "an option and its value are expected";
		if (str_eq_nocase(name, STR("MAXSIZE"))) {
			o->limited = true;
			if (!imap_number(c, &o->max))
				return "MAXSIZE is a number";
		} else if (!str_eq_nocase(name, STR("DEPTH")))
			return "unknown option";
		else if (cur_word(c, STR("infinity")))
			o->depth = UINT_MAX;
		else if (cur_byte(c, '1'))
			o->depth = 1;
		else if (cur_byte(c, '0'))
			o->depth = 0;
		else
			return "DEPTH is 0, 1 or infinity";
	} while (imap_sp(c));
	return cur_byte(c, ')') ? NULL : "the options have no end";
}

/* Options stand in front of the mailbox; RFC 5464 has examples with them behind it, and clients do as these do. */
static bool
options_follow(const struct cur *in)
{
	struct cur	c = *in;

	return cur_byte(&c, '(') && (cur_word(&c, STR("MAXSIZE ")) ||
	    cur_word(&c, STR("DEPTH ")));
}

static int
say_entries(struct session *s, const struct subject *about,
    const struct options *o, const struct str *entries, size_t n,
    size_t *longest)
{
	struct metadata	m;
	struct buf	text, out, admin;
	size_t		i, head;
	int		r;

	buf_init(&text, METADATA_FILE_MAX);
	buf_init(&out, 2 * METADATA_FILE_MAX);
	buf_init(&admin, 1024);
	r = metadata_load(&about->place, about->server, &s->memory, &text, &m);
	if (r == 0 && about->server) {
		buf_addf(&admin, "mailto:postmaster@%s", s->set->hostname);
		(void)metadata_set(&m, STR(ADMIN), STR(""), buf_view(&admin));
	} else if (r == 0)
		metadata_use_put(&m, str_from(s->user),
		    store_use(about->place.store, about->place.folder));
	if (r == 0) {
		put_head(s, &out, about->name);
		head = out.n;
		for (i = 0; i < n; i++)
			put_entry(s, &out, &m, entries, i, o, longest);
		buf_adds(&out, ")\r\n");
		if (!buf_ok(&out)) {
			errno = EMSGSIZE;
			r = -1;
		} else if (out.n > head + 3)
			say_buf(s, &out);
	}
	buf_free(&admin);
	buf_free(&out);
	buf_free(&text);
	return r;
}

enum state
cmd_getmetadata(struct session *s, struct command *cmd)
{
	struct options	 o = { .depth = 0 };
	struct subject	 about;
	const char	*wrong = NULL;
	struct str	*entries;
	size_t		 n, longest = 0;
	char		 code[64];

	if (options_follow(&cmd->args) &&
	    (wrong = take_options(&cmd->args, &o)) == NULL &&
	    !imap_sp(&cmd->args))
		wrong = "the name of a mailbox is missing";
	if (wrong == NULL && !take_subject(s, cmd, &about))
		return s->state;
	if (wrong == NULL && !imap_sp(&cmd->args))
		wrong = "entries are missing";
	if (wrong == NULL && options_follow(&cmd->args) &&
	    (wrong = take_options(&cmd->args, &o)) == NULL &&
	    !imap_sp(&cmd->args))
		wrong = "entries are missing";
	if (wrong == NULL)
		wrong = metadata_entries(&cmd->args, &s->memory, &entries, &n);
	if (wrong != NULL) {
		command_bad(cmd, "GETMETADATA: %s", wrong);
		return s->state;
	}
	if (!command_end(cmd))
		return s->state;
	if (say_entries(s, &about, &o, entries, n, &longest) == -1) {
		command_failed(s, cmd, "read what is noted");
		return s->state;
	}
	snprintf(code, sizeof(code), "METADATA LONGENTRIES %zu", longest);
	command_ok(cmd, longest > 0 ? code : NULL, "GETMETADATA completed");
	return s->state;
}

/* Names and values that are to be set. */
struct changes {
	struct str	 names[METADATA_ENTRIES_MAX];
	struct str	 values[METADATA_ENTRIES_MAX];	/* p NULL: removed */
	size_t		 n;
	bool		 uses;		/* the special use is among them, */
	char		 use;		/* and is to be this, or none */
};

/* "(entry value ...)" */
static const char *
take_changes(struct session *s, struct cur *c, struct changes *out)
{
	const char	*wrong;
	struct str	*value;
	struct str	 name;
	bool		 nil;

	out->n = 0;
	out->uses = false;
	if (!imap_sp(c) || !cur_byte(c, '('))
		return "a list of entries and values is missing";
	do {
		if (out->n == METADATA_ENTRIES_MAX)
			return "too many entries";
		value = &out->values[out->n];
		if (!imap_astring(c, &s->memory, &name) || !imap_sp(c) ||
		    !imap_nstring(c, &s->memory, value, &nil))
			return "an entry and its value are expected";
		if ((wrong = metadata_entry_wrong(name)) != NULL)
			return wrong;
		if (str_eq_nocase(name, STR("/private")) ||
		    str_eq_nocase(name, STR("/shared")))
			return "an entry has a name behind /private or /shared";
		if (nil)
			*value = (struct str){ NULL, 0 };
		out->names[out->n++] = name;
	} while (imap_sp(c));
	return cur_byte(c, ')') ? NULL : "the list has no end";
}

/* False: it has been answered. */
static bool
apply(struct session *s, struct command *cmd, struct metadata *m,
    const struct changes *c)
{
	enum metadata_result	r = METADATA_OK;
	struct str		user;
	size_t			i;
	char			code[64];

	for (i = 0; i < c->n && r == METADATA_OK; i++) {
		user = metadata_is_private(c->names[i]) ? str_from(s->user) :
		    STR("");
		r = metadata_set(m, c->names[i], user, c->values[i]);
	}
	if (r == METADATA_OK)
		return true;
	snprintf(code, sizeof(code), "METADATA MAXSIZE %d", METADATA_VALUE_MAX);
	if (r == METADATA_TOO_MANY)
		command_no(cmd, "METADATA TOOMANY", "there are too many");
	else
		command_no(cmd, code, "a value is too long");
	return false;
}

/* Under the file's lock. */
static void
change(struct session *s, struct command *cmd, const struct subject *about,
    const struct changes *c, int dir, int *lock)
{
	const char	*file = file_of(about->server);
	const char	*name = lock_of(about->server);
	struct metadata	 m;
	struct buf	 text, out;

	buf_init(&text, METADATA_FILE_MAX);
	buf_init(&out, METADATA_FILE_MAX);
	if (metadata_load(&about->place, about->server, &s->memory, &text, &m) == -1)
		command_failed(s, cmd, "read what is noted");
	else if (apply(s, cmd, &m, c)) {
		metadata_file_put(&out, &m);
		if (!buf_ok(&out) && out.why == EMSGSIZE)
			command_no(cmd, "METADATA TOOMANY",
			    "there is more than can be kept");
		else if (c->uses && store_set_use(about->place.store,
		    about->place.folder, c->use) == -1)
			command_failed(s, cmd, "write the special use");
		else if (dotlock_replace(dir, name, lock, file, &out) == -1)
			command_failed(s, cmd, "write what is noted");
		else
			command_ok(cmd, NULL, "SETMETADATA completed");
	}
	dotlock_drop(dir, name, lock);
	buf_free(&out);
	buf_free(&text);
}

/* The folder's directory, and the lock of the file in it. -1: errno. */
static int
lock_file(const struct place *p, bool server, int *lock)
{
	char	path[PLACE_FILE_MAX];
	int	dir;

	dir = inside_open(store_root(p->store), place_file(p->folder, ".",
	    path), O_RDONLY | O_DIRECTORY);
	if (dir != -1 && (*lock = dotlock_take(dir, lock_of(server),
	    LOCK_WAIT, DOTLOCK_MODE)) == -1)
		fdio_close(&dir);
	return dir;
}

static void
lock_and_change(struct session *s, struct command *cmd,
    const struct subject *about, const struct changes *c)
{
	int	lock, dir = lock_file(&about->place, about->server, &lock);

	if (dir == -1)
		command_failed(s, cmd, "write what is noted");
	else
		change(s, cmd, about, c, dir, &lock);
	fdio_close(&dir);
}

/*
 * The special use is kept where LIST has it from, and goes from the changes. A shared mailbox would have it for everybody, and what
 * mail programs make of the inbox is known. False: it has been answered.
 */
static bool
take_use(struct command *cmd, const struct subject *about, struct changes *c)
{
	size_t	i;

	for (i = 0; !about->server && i < c->n; i++) {
		if (!metadata_is_use(c->names[i]))
			continue;
		if (!metadata_use_parse(c->values[i], &c->use) ||
		    (c->use != '\0' && about->place.folder[0] == '\0')) {
			command_no(cmd, "USEATTR",
			    "a mailbox cannot have that use");
			return false;
		}
		if (about->place.name_space != SPACE_OWN) {
			command_no(cmd, "USEATTR",
			    "a shared mailbox cannot be given a use");
			return false;
		}
		c->uses = about->place.folder[0] != '\0';
		c->values[i] = (struct str){ NULL, 0 };
	}
	return true;
}

int
metadata_copy(const struct place *from, const struct place *to)
{
	struct buf	text;
	char		path[PLACE_FILE_MAX];
	int		dir = -1, lock, r = -1;

	buf_init(&text, METADATA_FILE_MAX);
	if (inside_slurp(store_root(from->store), place_file(from->folder,
	    file_of(false), path), &text) == -1)
		r = errno == ENOENT ? 0 : -1;
	else if ((dir = lock_file(to, false, &lock)) != -1)
		r = dotlock_replace(dir, lock_of(false), &lock, file_of(false),
		    &text);
	fdio_close(&dir);
	buf_free(&text);
	return r;
}

enum state
cmd_setmetadata(struct session *s, struct command *cmd)
{
	struct subject	 about;
	struct changes	*c = arena_get(&s->memory, sizeof(*c));
	const char	*wrong = "too much";
	size_t		 i;

	if (!take_subject(s, cmd, &about))
		return s->state;
	if (c == NULL || (wrong = take_changes(s, &cmd->args, c)) != NULL) {
		command_bad(cmd, "SETMETADATA: %s", wrong);
		return s->state;
	}
	if (!command_end(cmd))
		return s->state;
	for (i = 0; about.server && i < c->n; i++)
		if (!metadata_is_private(c->names[i])) {
			command_no(cmd, "NOPERM", "what is said of the server "
			    "to all is the administrator's");
			return s->state;
		}
	if (!take_use(cmd, &about, c))
		return s->state;
	lock_and_change(s, cmd, &about, c);
	if (cmd->reply == REPLY_OK)
		notify_own(s, &about.place, about.server ? NOTIFY_SERVER :
		    NOTIFY_NOTES, 0);
	return s->state;
}
