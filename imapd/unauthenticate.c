/*
 * imapd/unauthenticate.c - UNAUTHENTICATE (RFC 8437): a client whose TLS is
 * in the front can go on there as somebody else. The session says OK, and
 * then gives back what it has read and not used (common/net/relay.h). With
 * it ends the process, and with that everything that was the user's.
 */
#include "imapd/unauthenticate.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "common/net/relay.h"
#include "imapd/commands.h"
#include "imapd/compress.h"

#define OK_TIMEOUT	60000	/* for a client to take what was said */
#define BACK_TIMEOUT	10000	/* for the front, which is near */
#define REST_MAX	65536

enum state
cmd_unauthenticate(struct session *s, struct command *c)
{
	if (!s->may_go_back) {
		command_bad(c, "unknown command");
		return s->state;
	}
	if (!command_end(c))
		return s->state;
	if (s->compressed)
		compress_last(s);
	command_ok(c, NULL, "you are nobody now");
	s->end = "unauthenticated";
	s->back = true;
	return S_LOGOUT;
}

/* Everything that still comes, too: the front knows that it has all when we close. */
static int
give(struct session *s, struct str rest)
{
	struct conn	*c = &s->conn;
	struct str	 text = conn_pending(c);
	int		 r;

	/* /dev/null, see child.c */
	if (relay_give_back(c->fd, STDIN_FILENO, BACK_TIMEOUT) == -1)
		return -1;
	c->deadline = now_ms() + BACK_TIMEOUT;
	r = conn_put(c, text);
	conn_consume(c, text.n);
	if (r == 0)
		r = conn_put(c, rest);
	while (r == 0 && (r = conn_fill(c, BACK_TIMEOUT)) == 1) {
		text = conn_pending(c);
		r = conn_put(c, text);
		conn_consume(c, text.n);
	}
	return r == 0 ? conn_flush(c, BACK_TIMEOUT) : -1;
}

void
unauthenticate_end(struct session *s)
{
	struct buf	rest;

	buf_init(&rest, REST_MAX);
	/* what the client has said already is not lost for a server that stops */
	s->conn.stop = NULL;
	if (s->mute || conn_flush(&s->conn, OK_TIMEOUT) == -1 ||
	    (s->compressed && compress_end(s, &rest) == -1) ||
	    give(s, buf_view(&rest)) == -1)
		log_debug("not given back why=\"%s\"", strerror(errno));
	buf_wipe(&rest);
	/* the system closes it at the end of the process: when the front goes on, there is no session that could be counted */
	s->conn.fd = -1;
}
