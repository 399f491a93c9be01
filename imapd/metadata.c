/*
 * imapd/metadata.c - what GETMETADATA and SETMETADATA have in common (RFC 5464): which mailbox is meant, and the files. What is
 * private is the user's alone, also in a shared folder.
 */
#include <errno.h>

#include "common/base/inside.h"
#include "imapd/metadata_impl.h"

const char *
metadata_file_name(bool server)
{
	return server ? "posthouse-metadata-server" : "posthouse-metadata";
}

const char *
metadata_lock_name(bool server)
{
	return server ? "posthouse-metadata-server.lock" :
	    "posthouse-metadata.lock";
}

bool
metadata_may_use(unsigned rights)
{
	return (rights & RIGHT_LOOKUP) != 0 && (rights & (RIGHT_READ |
	    RIGHT_SEEN | RIGHT_WRITE | RIGHT_INSERT | RIGHT_POST)) != 0;
}

bool
metadata_about(struct session *s, struct command *cmd, bool patterns,
    struct metadata_about *to)
{
	if (!imap_astring(&cmd->args, &s->memory, &to->name)) {
		command_bad(cmd, "the name of a mailbox is missing");
		return false;
	}
	to->server = to->name.n == 0;
	to->place = (struct place){ .store = place_store(s, SPACE_OWN) };
	to->many = patterns && !to->server &&
	    metadata_is_pattern(s, to->name);
	to->use = 0;
	if (to->server || to->many)
		return true;
	if (!place_find(s, cmd, to->name, RIGHT_LOOKUP, &to->place))
		return false;
	if (!store_exists(to->place.store, to->place.folder))
		command_no(cmd, "NONEXISTENT", "there is no such mailbox");
	else if (!metadata_may_use(to->place.rights))
		command_no(cmd, "NOPERM", "You have no right to do this");
	else {
		to->use = store_use(to->place.store, to->place.folder);
		return true;
	}
	return false;
}

int
metadata_load(const struct place *p, bool server, struct arena *a,
    struct buf *text, struct metadata *m)
{
	char	path[PLACE_FILE_MAX];

	if (inside_slurp(store_root(p->store), place_file(p->folder,
	    metadata_file_name(server), path), text) == -1 && errno != ENOENT)
		return -1;
	if (metadata_file_parse(buf_view(text), a, m))
		return 0;
	errno = EPROTO;
	return -1;
}

bool
metadata_is_visible(const struct session *s, const struct metadata_entry *e)
{
	return e->user.n == 0 || str_eq(e->user, str_from(s->user));
}
