/*
 * pop3d/session.c - the TRANSACTION and UPDATE states (RFC 1939 5, 6). Runs as
 * the mailbox's user in a sandbox with this mailbox; the client is known, and
 * may be hostile all the same.
 */
#include "pop3d/session.h"

#include <errno.h>
#include <string.h>

#include "common/base/log.h"
#include "common/fmt/cur.h"
#include "pop3d/command.h"

#define BYE_TIMEOUT	5000

static void
say(struct session *s, const char *text)
{
	if (conn_putf(&s->conn, "%s\r\n", text) == -1)
		s->end = true;
}

static void
err(struct session *s, const char *text)
{
	s->errors++;
	say(s, text);
}

/* Is it there? If not, that has been said. */
static bool
pick(struct session *s, size_t n)
{
	if (n > box_count(s->box) || (s->marks[n - 1] & MARK_DELETED)) {
		err(s, "-ERR no such message");
		return false;
	}
	return true;
}

static void
gone(struct session *s)
{
	err(s, errno == ENOENT ? "-ERR it has been removed by another program" :
	    "-ERR [SYS/TEMP] the message cannot be read");
}

static bool
size_of(struct session *s, size_t i, uint64_t *size)
{
	if (box_size(s->box, i, size) == 0)
		return true;
	if (errno == ENOENT) {		/* removed by another program */
		*size = 0;
		return true;
	}
	log_error("user=%s why=\"size: %s\"", s->user, strerror(errno));
	return false;
}

static void
cmd_stat(struct session *s, struct cur *in)
{
	uint64_t	size, all = 0;
	size_t		i, n = 0;

	(void)in;
	for (i = 0; i < box_count(s->box); i++) {
		if (s->marks[i] & MARK_DELETED)
			continue;
		if (!size_of(s, i, &size)) {
			err(s, "-ERR [SYS/TEMP] the mailbox cannot be read");
			return;
		}
		all += size;
		n++;
	}
	if (conn_putf(&s->conn, "+OK %zu %llu\r\n", n,
	    (unsigned long long)all) == -1)
		s->end = true;
}

static void
list_line(struct session *s, const char *prefix, size_t i, bool unique)
{
	char		name[BOX_UNIQUE_MAX + 1];
	uint64_t	size;
	int		r;

	if (unique) {
		box_unique(s->box, i, name);
		r = conn_putf(&s->conn, "%s%zu %s\r\n", prefix, i + 1, name);
	} else if (!size_of(s, i, &size)) {
		s->end = true;	/* in the middle of a list */
		return;
	} else
		r = conn_putf(&s->conn, "%s%zu %llu\r\n", prefix, i + 1,
		    (unsigned long long)size);
	if (r == -1)
		s->end = true;
}

static void
list(struct session *s, struct cur *in, bool unique)
{
	size_t	i, n;

	if (!command_number(in, SIZE_MAX, true, false, &n)) {
		err(s, "-ERR expected a number");
		return;
	}
	if (n != 0) {
		if (pick(s, n))
			list_line(s, "+OK ", n - 1, unique);
		return;
	}
	say(s, "+OK");
	for (i = 0; i < box_count(s->box) && !s->end; i++)
		if (!(s->marks[i] & MARK_DELETED))
			list_line(s, "", i, unique);
	say(s, ".");
}

static void
cmd_list(struct session *s, struct cur *in)
{
	list(s, in, false);
}

static void
cmd_uidl(struct session *s, struct cur *in)
{
	list(s, in, true);
}

static void
cmd_retr(struct session *s, struct cur *in)
{
	size_t	n;

	if (!command_number(in, SIZE_MAX, false, false, &n)) {
		err(s, "-ERR expected RETR number");
		return;
	}
	if (!pick(s, n))
		return;
	if (transfer(s, n - 1, true, 0) == -1) {
		if (!s->end)
			gone(s);
		return;
	}
	s->marks[n - 1] |= MARK_SEEN;
	s->retrieved++;
}

static void
cmd_top(struct session *s, struct cur *in)
{
	size_t	n, lines;

	if (!command_number(in, SIZE_MAX, false, true, &n) ||
	    !command_count(in, &lines)) {
		err(s, "-ERR expected TOP number lines");
		return;
	}
	if (pick(s, n) && transfer(s, n - 1, false, lines) == -1 && !s->end)
		gone(s);
}

static void
cmd_dele(struct session *s, struct cur *in)
{
	size_t	n;

	if (!command_number(in, SIZE_MAX, false, false, &n)) {
		err(s, "-ERR expected DELE number");
		return;
	}
	if (!pick(s, n))
		return;
	s->marks[n - 1] |= MARK_DELETED;
	say(s, "+OK marked");
}

static void
cmd_rset(struct session *s, struct cur *in)
{
	size_t	i;

	(void)in;
	for (i = 0; i < box_count(s->box); i++)
		s->marks[i] &= (unsigned char)~MARK_DELETED;
	say(s, "+OK");
}

static void
cmd_noop(struct session *s, struct cur *in)
{
	(void)in;
	say(s, "+OK");
}

static void
cmd_capa(struct session *s, struct cur *in)
{
	static const char *const lines[] = { "+OK capabilities", "TOP", "UIDL",
	    "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE NEVER",
	    "IMPLEMENTATION Posthouse", "." };
	size_t	i;

	(void)in;
	for (i = 0; i < nitems(lines); i++)
		say(s, lines[i]);
}

static void
cmd_quit(struct session *s, struct cur *in)
{
	(void)in;
	s->update = s->end = true;
}

static const struct {
	const char	*verb;
	void		(*run)(struct session *, struct cur *);
	bool		 bare;		/* takes no arguments */
} cmds[] = {
	{ "STAT",	cmd_stat,	true },
	{ "LIST",	cmd_list,	false },
	{ "RETR",	cmd_retr,	false },
	{ "DELE",	cmd_dele,	false },
	{ "UIDL",	cmd_uidl,	false },
	{ "TOP",	cmd_top,	false },
	{ "NOOP",	cmd_noop,	true },
	{ "RSET",	cmd_rset,	true },
	{ "CAPA",	cmd_capa,	true },
	{ "QUIT",	cmd_quit,	true },
};

static void
command(struct session *s, struct str line)
{
	struct cur	in = cur_from(line);
	struct str	verb;
	size_t		i;

	if (!command_verb(&in, &verb)) {
		err(s, "-ERR unknown command");
		return;
	}
	for (i = 0; i < nitems(cmds); i++)
		if (str_eq_nocase(verb, str_from(cmds[i].verb))) {
			cur_skip_wsp(&in);
			if (cmds[i].bare && !cur_done(&in))
				err(s, "-ERR it takes no arguments");
			else
				cmds[i].run(s, &in);
			return;
		}
	err(s, "-ERR unknown command");
}

static void
one_line(struct session *s)
{
	struct str	line;

	if (conn_pending(&s->conn).n == 0)
		conn_idle_trim(&s->conn);
	switch (conn_line(&s->conn, COMMAND_LINE_MAX,
	    s->set->pop3.idle_timeout, &line)) {
	case LINE_OK:
	case LINE_BARE_LF:
		command(s, line);
		break;
	case LINE_MORE:		/* RFC 1939 3: without UPDATE */
		if (errno == ECANCELED)
			say(s, "-ERR [SYS/TEMP] shutting down");
		s->end = true;
		break;
	case LINE_LONG:
	case LINE_BARE_CR:
	case LINE_NUL:
		say(s, "-ERR line is too long or holds CR or NUL, closing");
		s->end = true;
		break;
	}
}

/* True: everything is as the client wants it, for good. */
static bool
update(struct session *s)
{
	bool	ok = true;
	size_t	i;

	for (i = 0; i < box_count(s->box); i++) {
		if (s->marks[i] & MARK_DELETED) {
			if (box_expunge(s->box, i) == 0)
				s->deleted++;
			else {
				log_error("user=%s why=\"remove: %s\"", s->user,
				    strerror(errno));
				ok = false;
			}
		} else if ((s->marks[i] & MARK_SEEN) &&
		    box_flag(s->box, i, 'S') == -1 && errno != ENOENT)
			log_warn("user=%s why=\"mark: %s\"", s->user,
			    strerror(errno));
	}
	return box_sync(s->box) == 0 && ok;
}

void
session_run(struct session *s)
{
	if (conn_putf(&s->conn, "+OK logged in, %zu messages\r\n",
	    box_count(s->box)) == -1)
		s->end = true;
	while (!s->end) {
		one_line(s);
		if (!s->end && s->errors > s->set->pop3_errors) {
			say(s, "-ERR too many errors, closing");
			s->end = true;
		}
	}
	if (s->update) {
		say(s, update(s) ? "+OK bye" :
		    "-ERR [SYS/TEMP] some messages were not removed");
		/* before the client can know, so that it can come again at once */
		box_unlock(s->box);
	}
	s->conn.stop = NULL;
	if (conn_flush(&s->conn, BYE_TIMEOUT) == -1)
		log_debug("last words not sent user=%s", s->user);
	log_info("session-end user=%s client=%s retrieved=%llu deleted=%llu "
	    "bytes=%llu", s->user, s->client, s->retrieved, s->deleted,
	    s->bytes);
}
