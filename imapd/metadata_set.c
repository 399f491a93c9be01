/* imapd/metadata_set.c - SETMETADATA (RFC 5464, 4.3), and the notes of a mailbox that become another one's. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/inside.h"
#include "common/store/dotlock.h"
#include "imapd/commands.h"
#include "imapd/metadata_args.h"
#include "imapd/metadata_impl.h"
#include "imapd/metadata_use.h"
#include "imapd/notify.h"

#define LOCK_WAIT	3000	/* ms */

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
change(struct session *s, struct command *cmd,
    const struct metadata_about *about, const struct changes *c, int dir,
    int *lock)
{
	const char	*file = metadata_file_name(about->server);
	const char	*name = metadata_lock_name(about->server);
	struct metadata	 m;
	struct buf	 text, out;

	buf_init(&text, METADATA_FILE_MAX);
	buf_init(&out, METADATA_FILE_MAX);
	if (metadata_load(&about->place, about->server, &s->memory, &text,
	    &m) == -1)
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
	if (dir != -1 && (*lock = dotlock_take(dir, metadata_lock_name(server),
	    LOCK_WAIT, DOTLOCK_MODE)) == -1)
		fdio_close(&dir);
	return dir;
}

static void
lock_and_change(struct session *s, struct command *cmd,
    const struct metadata_about *about, const struct changes *c)
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
take_use(struct command *cmd, const struct metadata_about *about,
    struct changes *c)
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
	    metadata_file_name(false), path), &text) == -1)
		r = errno == ENOENT ? 0 : -1;
	else if ((dir = lock_file(to, false, &lock)) != -1)
		r = dotlock_replace(dir, metadata_lock_name(false), &lock, metadata_file_name(false),
		    &text);
	fdio_close(&dir);
	buf_free(&text);
	return r;
}

enum state
cmd_setmetadata(struct session *s, struct command *cmd)
{
	struct metadata_about	 about;
	struct changes		*c = arena_get(&s->memory, sizeof(*c));
	const char		*wrong = "too much";
	size_t			 i;

	if (!metadata_about(s, cmd, false, &about))
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
