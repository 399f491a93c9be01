/*
 * imapd/quota.c - QUOTA (RFC 9208; RFC 2087). There is one root, for all of the user's own folders, if anything limits
 * them. Nobody changes a limit by IMAP.
 */
#include <inttypes.h>

#include "common/store/quota.h"
#include "imapd/commands.h"
#include "imapd/mailboxes.h"

#define ROOT	"User quota"	/* as Dovecot calls it */

static int
say_quota(struct session *s)
{
	struct quota	q;

	if (quota_usage(place_store(s, SPACE_OWN), &q) == -1)
		return -1;
	if (q.bytes_max > 0 && q.count_max > 0)
		say(s, "QUOTA \"" ROOT "\" (STORAGE %" PRIu64 " %" PRIu64
		    " MESSAGE %" PRIu64 " %" PRIu64 ")", (q.bytes + 1023) /
		    1024, q.bytes_max / 1024, q.count, q.count_max);
	else if (q.bytes_max > 0)
		say(s, "QUOTA \"" ROOT "\" (STORAGE %" PRIu64 " %" PRIu64 ")",
		    (q.bytes + 1023) / 1024, q.bytes_max / 1024);
	else
		say(s, "QUOTA \"" ROOT "\" (MESSAGE %" PRIu64 " %" PRIu64 ")",
		    q.count, q.count_max);
	return 0;
}

/* Is that the root? If not it has been said. */
static bool
is_root(struct session *s, struct command *cmd, struct str root)
{
	struct quota	q;

	if (str_eq(root, STR(ROOT)) &&
	    quota_limits(place_store(s, SPACE_OWN), &q))
		return true;
	command_no(cmd, "NONEXISTENT", "there is no such quota root");
	return false;
}

enum state
cmd_getquota(struct session *s, struct command *cmd)
{
	struct str	root;

	if (!imap_astring(&cmd->args, &s->memory, &root)) {
		command_bad(cmd, "the name of a quota root is missing");
		return s->state;
	}
	if (!command_end(cmd) || !is_root(s, cmd, root))
		return s->state;
	if (say_quota(s) == -1)
		command_failed(s, cmd, "count what is used");
	else
		command_ok(cmd, NULL, "GETQUOTA completed");
	return s->state;
}

enum state
cmd_getquotaroot(struct session *s, struct command *cmd)
{
	struct place	p;
	struct quota	q;
	struct str	name;
	struct buf	out;
	bool		limited;

	if (!imap_astring(&cmd->args, &s->memory, &name)) {
		command_bad(cmd, "the name of a mailbox is missing");
		return s->state;
	}
	if (!command_end(cmd) || !place_find(s, cmd, name, RIGHT_READ, &p))
		return s->state;
	if (!store_exists(p.store, p.folder)) {
		command_no(cmd, "NONEXISTENT", "there is no such mailbox");
		return s->state;
	}
	limited = p.name_space == SPACE_OWN && quota_limits(p.store, &q);
	buf_init(&out, 16 * PLACE_NAME_MAX);
	buf_adds(&out, "* QUOTAROOT ");
	(void)imap_put_astring(&out, name, session_utf8(s));
	buf_addf(&out, "%s\r\n", limited ? " \"" ROOT "\"" : "");
	say_buf(s, &out);
	buf_free(&out);
	if (limited && say_quota(s) == -1)
		command_failed(s, cmd, "count what is used");
	else
		command_ok(cmd, NULL, "GETQUOTAROOT completed");
	return s->state;
}

/* "(STORAGE 512 MESSAGE 100)" */
static bool
take_limits(struct cur *c)
{
	struct str	name;
	uint64_t	n;

	if (!cur_byte(c, '('))
		return false;
	if (cur_byte(c, ')'))
		return true;
	do {
		if (!imap_atom(c, &name) || !imap_sp(c) ||
		    !imap_number64(c, &n))
			return false;
	} while (imap_sp(c));
	return cur_byte(c, ')');
}

enum state
cmd_setquota(struct session *s, struct command *cmd)
{
	struct str	root;

	if (!imap_astring(&cmd->args, &s->memory, &root) ||
	    !imap_sp(&cmd->args) || !take_limits(&cmd->args))
		command_bad(cmd, "a quota root and limits are expected");
	else if (command_end(cmd) && is_root(s, cmd, root))
		command_no(cmd, "NOPERM", "limits are set by the "
		    "administrator");
	return s->state;
}
